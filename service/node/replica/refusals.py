"""What a replica refused from its sources, kept in its folder: one small JSON file for each.

    refusals/000001-FORK.json
    {"code": "FORK", "source": "nz-node.example:7443", "time": ..., "message": "...",
     "height": ..., "header": "... hex", "seal": "... hex", "evidence": "... sha256 of its bytes"}

A source alone may be at fault, so a refusal is a report, not a proof. Where members signed what
excludes each other, the proof lies in the ledger's store besides and in `evidence/`, as a file that
`aeo verify evidence` checks.

The codes, a closed list:

    OTHER_NETWORK     a genesis or header of another network
    MALFORMED         bytes that are no header, block or seal, or in no order
    BROKEN_LINK       a header that does not follow from the one before
    FORK              another header than the one verified at its height
    WENT_BACK         a ledger that ends before what the same source has shown already
    WRONG_SEAL        a seal that does not verify, or is of another header or time
    ATTESTED_AHEAD    attested for a time that has not come
    WRONG_BLOCK       transactions that may not stand there, or are not those of the header
    WRONG_ROOT        a map root that does not follow from the records
    NOT_THE_ANCHOR    another past than the anchor's that was given by hand
    WRONG_SNAPSHOT    a snapshot that does not lead to the header it is of
"""

import json
import os
from hashlib import sha256
from pathlib import Path
from typing import Any, Final

from ledger.chain.header import parse_header
from ledger.errors import FormatError
from service.errors import SourceRefused

OTHER_NETWORK: Final = "OTHER_NETWORK"
MALFORMED: Final = "MALFORMED"
BROKEN_LINK: Final = "BROKEN_LINK"
FORK: Final = "FORK"
WENT_BACK: Final = "WENT_BACK"
WRONG_SEAL: Final = "WRONG_SEAL"
ATTESTED_AHEAD: Final = "ATTESTED_AHEAD"
WRONG_BLOCK: Final = "WRONG_BLOCK"
WRONG_ROOT: Final = "WRONG_ROOT"
NOT_THE_ANCHOR: Final = "NOT_THE_ANCHOR"
WRONG_SNAPSHOT: Final = "WRONG_SNAPSHOT"

REFUSALS_KEPT: Final = 1_000
"""Files; a source that lies without end fills no disk."""


class Refusals:
    """The refusals and the evidence in one folder. One thread writes."""

    def __init__(self, folder: Path) -> None:
        self._refusals = folder / "refusals"
        self._evidence = folder / "evidence"
        kept = [path.name for path in self._refusals.glob("*.json")]
        self._number = max((int(name.partition("-")[0]) for name in kept), default=0)

    @property
    def count(self) -> int:
        """How many there have been, as far as they were kept."""
        return self._number

    def keep(self, source: str, refused: SourceRefused, time: int) -> Path | None:
        """Write a refusal at `time` (Unix ms); None where no more are kept."""
        if self._number >= REFUSALS_KEPT:
            return None
        self._number += 1
        if refused.evidence:
            name = f"aeo-evidence-{sha256(refused.evidence).hexdigest()[:16]}.bin"
            _write(self._evidence / name, refused.evidence)
        path = self._refusals / f"{self._number:06}-{refused.code}.json"
        _write(path, json.dumps(_described(source, refused, time), indent=1).encode())
        return path

    def all(self) -> list[dict[str, Any]]:
        """Every refusal kept, oldest first."""
        return [json.loads(path.read_bytes()) for path in sorted(self._refusals.glob("*.json"))]


def _described(source: str, refused: SourceRefused, time: int) -> dict[str, Any]:
    try:
        height: int | None = parse_header(refused.header).height
    except FormatError:
        height = None
    return {
        "code": refused.code,
        "source": source,
        "time": time,
        "message": str(refused),
        "height": height,
        "header": refused.header.hex(),
        "seal": refused.seal.hex(),
        "evidence": sha256(refused.evidence).hexdigest() if refused.evidence else "",
    }


def _write(path: Path, data: bytes) -> None:
    """Whole or not at all."""
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fresh = path.with_name(path.name + ".new")
    with fresh.open("wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    fresh.replace(path)
