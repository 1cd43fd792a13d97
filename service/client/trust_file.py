"""What a client believes about the network, in one small file that only moves forward.

    {"network_id": "...", "header": "... 224 bytes", "signing_set": "...", "attested_time": ...,
     "seal": "...", "set_changes": ["...", ...]}

The header is the highest one that was verified: the client's anchor. The set changes lead from the
founders' set to the one that sealed it, so that the client knows which sets have been replaced, and
can show others whom to believe; a file of before the first hand-over has none.

Several processes may share the file. Each change is a compare-and-swap under a lock: whoever finds
a higher header there leaves it. The file is replaced whole, so a crash leaves the old one or the
new one.
"""

import fcntl
import json
import os
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

from ledger.chain.header import Header, format_header, header_hash, parse_header
from ledger.chain.set_change import SetChange, format_set_change, parse_set_change
from ledger.chain.signing_set import SigningSet, format_signing_set, parse_signing_set
from ledger.errors import AnchorError, FormatError

TRUST_FILE_LIMIT = 1 << 24


@dataclass(frozen=True, slots=True)
class TrustPoint:
    """The highest header verified, the set that seals it, and its seal (empty at genesis).

    `set_changes` lead to that set from the founders'.
    """

    header: Header
    header_hash: bytes
    signing_set: SigningSet
    attested_time: int
    seal: bytes
    set_changes: tuple[SetChange, ...] = ()

    @property
    def height(self) -> int:
        """The header's height."""
        return self.header.height

    @property
    def replaced(self) -> frozenset[bytes]:
        """Hashes of the signing sets that are known to be replaced, and are not in force again."""
        outgoing = {change.sets.current.hash for change in self.set_changes}
        return frozenset(outgoing - {self.signing_set.hash})


class TrustFile:
    """A `TrustPoint` in a file; `network_id` as given by hand, or None to take the file's."""

    def __init__(self, path: Path | str, network_id: bytes | None = None) -> None:
        self.path = Path(path)
        self.network_id = network_id

    def read(self) -> TrustPoint | None:
        """The stored point, None before the first; `FormatError` for a file that is none."""
        try:
            data = self.path.read_bytes()
        except FileNotFoundError:
            return None
        point = parse_trust_point(data)
        if self.network_id not in {None, point.header.network_id}:
            raise AnchorError(f"{self.path} is of another network")
        return point

    def advance(self, point: TrustPoint) -> TrustPoint:
        """Store `point` if it is higher than what is there; return what is there then.

        Raises `AnchorError` where another header of the same height is there.
        """
        with self._locked():
            stored = self.read()
            if stored is not None and stored.height >= point.height:
                if stored.height == point.height and stored.header_hash != point.header_hash:
                    raise AnchorError(f"{self.path} holds another header of height {point.height}")
                return stored
            fresh = self.path.with_name(self.path.name + ".new")
            with fresh.open("wb") as file:
                file.write(format_trust_point(point))
                file.flush()
                os.fsync(file.fileno())
            fresh.replace(self.path)
            return point

    def keep_evidence(self, evidence: bytes) -> Path:
        """Write evidence of misbehaviour beside the file, each piece once; return where."""
        name = f"{self.path.name}.evidence-{sha256(evidence).hexdigest()[:16]}.bin"
        path = self.path.with_name(name)
        path.write_bytes(evidence)
        return path

    @contextmanager
    def _locked(self) -> Iterator[None]:
        self.path.parent.mkdir(parents=True, exist_ok=True)
        with self.path.with_name(self.path.name + ".lock").open("a") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            yield


def format_trust_point(point: TrustPoint) -> bytes:
    """Write a point as JSON."""
    return json.dumps(
        {
            "network_id": point.header.network_id.hex(),
            "header": format_header(point.header).hex(),
            "signing_set": format_signing_set(point.signing_set).hex(),
            "attested_time": point.attested_time,
            "seal": point.seal.hex(),
            "set_changes": [format_set_change(change).hex() for change in point.set_changes],
        },
        indent=1,
    ).encode()


def parse_trust_point(data: bytes) -> TrustPoint:
    """Read a point; raises `FormatError`."""
    if len(data) > TRUST_FILE_LIMIT:
        raise FormatError("a trust file is small")
    try:
        said: Any = json.loads(data)
        header_bytes = bytes.fromhex(said["header"])
        signing_set = parse_signing_set(bytes.fromhex(said["signing_set"]))
        header = parse_header(header_bytes)
        network_id, seal = bytes.fromhex(said["network_id"]), bytes.fromhex(said["seal"])
        attested_time = int(said["attested_time"])
        changes = tuple(
            parse_set_change(bytes.fromhex(change)) for change in said.get("set_changes", ())
        )
    except (ValueError, KeyError, TypeError, AttributeError) as error:
        raise FormatError(f"not a trust file: {error}") from None
    last = changes[-1].sets.pending if changes else signing_set
    if (
        header.network_id != network_id
        or header.signing_set_hash != signing_set.hash
        or last != signing_set
    ):
        raise FormatError("a trust file that contradicts itself")
    return TrustPoint(header, header_hash(header_bytes), signing_set, attested_time, seal, changes)
