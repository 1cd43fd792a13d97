"""Which headers this client believes, and how its belief grows.

A client begins with a network id given by hand, whose genesis names the first signing set, or with
the `TrustFile` of its last run. From then on it believes a header when

    1. it is of this network, and the signing set that it names is known
    2. its seal verifies, is of more than one third of the weight (*attested*), and its time is not
       more than 60 s ahead of this client's clock
    3. it descends from the highest header believed when the question was asked (the anchor), or,
       where others have moved the anchor on meanwhile, lies on its past

An anchor older than the trust period is not relied on: replaced keys could have signed another
past.
Two sealed headers of one height are misbehaviour, raised as such with evidence that stands alone.
Checking a seal costs milliseconds, so headers believed are remembered, a bounded number of them.
"""

import threading
import time
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple, Protocol, Self

from ledger.audit.evidence import format_fork
from ledger.bls.scheme import BlsBackend, default_backend
from ledger.chain.anchor import Anchor, check_attested_time, check_descends, too_old
from ledger.chain.genesis import Genesis, parse_genesis
from ledger.chain.header import Header, format_header, header_hash, parse_header
from ledger.chain.seal import Level, SealValue, open_seal
from ledger.errors import AnchorError, CheckError, Misbehaviour, SignatureError
from service.client.errors import ClientError
from service.client.trust_file import TrustFile, TrustPoint

HEADERS_REMEMBERED: Final = 1_024
"""Verified headers kept, about 1 KB each: those of the last minutes of a busy ledger."""


class ShownHeader(NamedTuple):
    """A header as a node shows it: bytes, its seal or nothing, and a proof for an ancestor."""

    header: bytes
    seal: bytes
    ancestor_proof: Sequence[bytes]


class VerifiedHeader(NamedTuple):
    """A header that is believed, with what its seal says. Time: Unix milliseconds."""

    header: Header
    header_hash: bytes
    seal: bytes
    level: Level
    attested_time: int


class HeaderSource(Protocol):
    """Where headers come from; nothing that it says is believed unchecked."""

    def genesis(self) -> bytes:
        """The network's genesis bytes."""

    def header(self, height: int, anchor_height: int | None = None) -> ShownHeader:
        """The header at a height, with the proof that the anchor's is its ancestor."""


class Trust:
    """What one client believes. Any thread may ask."""

    def __init__(
        self,
        genesis: Genesis,
        point: TrustPoint,
        source: HeaderSource,
        file: TrustFile | None = None,
        *,
        by_hand: bool = False,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        backend: BlsBackend | None = None,
    ) -> None:
        self.genesis = genesis
        self._point = point
        self._source = source
        self._file = file
        self._by_hand = by_hand
        self._now_ms = now_ms
        self._backend = backend if backend is not None else default_backend()
        self._known: dict[bytes, VerifiedHeader] = {}
        self._lock = threading.Lock()

    @classmethod
    def begin(
        cls,
        source: HeaderSource,
        file: TrustFile | None = None,
        network_id: bytes | None = None,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
        backend: BlsBackend | None = None,
    ) -> Self:
        """Start from the file if it holds a point, else from the genesis of `network_id`.

        Raises `AnchorError` where neither is there, or the file's anchor is too old.
        """
        point = file.read() if file is not None else None
        expected = network_id or (file.network_id if file is not None else None)
        if point is not None:
            if expected is not None and point.header.network_id != expected:
                raise AnchorError("the trust file is of another network")
            expected = point.header.network_id
        if expected is None:
            raise AnchorError("there is nothing to start from: give the network id by hand")
        genesis = parse_genesis(source.genesis())
        if genesis.network_id != expected:
            raise AnchorError(
                f"the node's network is {genesis.network_id.hex()}, not the one given"
            )
        by_hand = point is None
        if point is None:
            point = _first_point(genesis, source.header(0).header)
        trust = cls(genesis, point, source, file, by_hand=by_hand, now_ms=now_ms, backend=backend)
        trust._check_age(point)
        return trust

    @property
    def network_id(self) -> bytes:
        """32 bytes."""
        return self.genesis.network_id

    @property
    def anchor(self) -> Anchor:
        """The highest header believed."""
        return Anchor(self._point.height, self._point.header_hash)

    def believe(
        self, header_bytes: bytes, seal: bytes, anchor: Anchor | None = None
    ) -> VerifiedHeader:
        """Check a header as the module's text says; `anchor` as it was when the question was asked.

        Raises `FormatError`, `SignatureError`, `AnchorError`, `Misbehaviour`, or a `ClientError`
        where the node does not show what is missing.
        """
        anchor = anchor if anchor is not None else self.anchor
        known = self._known.get(header_bytes)
        if known is not None and known.seal != seal:
            # Another seal of the same header may carry more weight, or a later time.
            known = self._known[header_bytes] = self._open(header_bytes, seal)
        verified = known if known is not None else self._open(header_bytes, seal)
        if verified.header.height < anchor.height:
            raise AnchorError(
                f"the node answers from height {verified.header.height}, but height"
                f" {anchor.height} was verified before the question was asked"
            )
        if known is None:
            self._check_past(verified, anchor)
            self._remember(verified, header_bytes)
        return verified

    def _open(self, header_bytes: bytes, seal_bytes: bytes) -> VerifiedHeader:
        """Whether the network's members say that this header is theirs."""
        header = parse_header(header_bytes)
        if header.network_id != self.network_id:
            raise AnchorError("a header of another network")
        point = self._point
        if header.signing_set_hash != point.signing_set.hash:
            raise AnchorError(
                f"header {header.height} names another signing set, whose hand-over is not shown"
            )
        if not seal_bytes:
            raise SignatureError(f"header {header.height} has no seal yet")
        seal: SealValue = open_seal(seal_bytes, point.signing_set, self.network_id, self._backend)
        hashed = header_hash(header_bytes)
        if seal.header_hash != hashed:
            raise SignatureError(f"the seal is not that of header {header.height}")
        if seal.attested_time < header.time:
            raise SignatureError(f"header {header.height} was sealed before its time")
        check_attested_time(seal.attested_time, self._now_ms())
        return VerifiedHeader(header, hashed, seal_bytes, seal.level, seal.attested_time)

    def _check_past(self, verified: VerifiedHeader, anchor: Anchor) -> None:
        """Whether it is on the one chain that this client knows."""
        header = verified.header
        self._check_age(self._point)
        if header.height == anchor.height:
            if verified.header_hash != anchor.header_hash:
                self._accuse(anchor.height, verified)
                raise AnchorError(f"another header of height {anchor.height} than was verified")
            return
        shown = self._source.header(header.height, anchor.height)
        try:
            if header_hash(shown.header) != verified.header_hash:
                self._accuse_pair(verified, shown)
            check_descends(anchor, header, shown.ancestor_proof)
        except AnchorError:
            self._accuse(anchor.height, None)
            raise

    def _remember(self, verified: VerifiedHeader, header_bytes: bytes) -> None:
        with self._lock:
            point = self._point
            if verified.header.height > point.height:
                fresh = TrustPoint(
                    verified.header,
                    verified.header_hash,
                    point.signing_set,
                    verified.attested_time,
                    verified.seal,
                )
                stored = self._file.advance(fresh) if self._file is not None else fresh
                self._point = stored
                self._by_hand = False
                point = stored
        if point.height == verified.header.height and point.header_hash != verified.header_hash:
            self._accuse(point.height, verified)
            raise AnchorError(f"another header of height {point.height} than was verified")
        if point.height > verified.header.height:
            # Others have moved on meanwhile: it must lie on the past of what they verified.
            past = self._source.header(point.height, verified.header.height)
            mine = Anchor(verified.header.height, verified.header_hash)
            try:
                check_descends(mine, point.header, past.ancestor_proof)
            except AnchorError:
                self._accuse(verified.header.height, verified)
                raise
        with self._lock:
            while len(self._known) >= HEADERS_REMEMBERED:
                del self._known[next(iter(self._known))]
            self._known[header_bytes] = verified

    def _check_age(self, point: TrustPoint) -> None:
        if self._by_hand:
            return
        if too_old(point.header.time, self._now_ms(), self.genesis.parameters.trust_period):
            raise AnchorError(
                "anchored too long ago: replaced keys could have signed another past; begin again"
                " from a header or network id that you have from elsewhere"
            )

    def _accuse(self, height: int, shown: VerifiedHeader | None) -> None:
        """Raise `Misbehaviour` if the node's sealed header of `height` is not the one we know."""
        mine = self._sealed_at(height)
        if mine is None:
            return
        if shown is None:
            try:
                said = self._source.header(height)
                shown = self._open(said.header, said.seal)
            except (ClientError, CheckError):
                return
        if shown.header.height == height and shown.header_hash != mine[2]:
            raise self._misbehaviour(height, mine[0], mine[1], shown)

    def _accuse_pair(self, verified: VerifiedHeader, said: ShownHeader) -> None:
        """The node showed a sealed header, and another of the same height when asked again."""
        height = verified.header.height
        try:
            other = self._open(said.header, said.seal)
        except CheckError:
            raise AnchorError(f"the node shows two headers of height {height}") from None
        if other.header.height == height:
            mine = format_header(verified.header)
            raise self._misbehaviour(height, mine, verified.seal, other)
        raise AnchorError(f"the node shows header {other.header.height} for {height}")

    def _sealed_at(self, height: int) -> tuple[bytes, bytes, bytes] | None:
        """Header, seal and hash of what we believe at `height`, where we hold its seal."""
        point = self._point
        if point.height == height and point.seal:
            return format_header(point.header), point.seal, point.header_hash
        for data, known in tuple(self._known.items()):
            if known.header.height == height:
                return data, known.seal, known.header_hash
        return None

    def _misbehaviour(
        self, height: int, header: bytes, seal: bytes, other: VerifiedHeader
    ) -> Misbehaviour:
        evidence = format_fork(
            self.genesis.data, header, seal, format_header(other.header), other.seal
        )
        return Misbehaviour(f"two different headers of height {height} are sealed", evidence)


def _first_point(genesis: Genesis, header_bytes: bytes) -> TrustPoint:
    """The point at height 0. Nothing rests on its map root, which is not checked."""
    header = parse_header(header_bytes)
    said = header.network_id, header.height, header.time, header.signing_set_hash
    if said != (genesis.network_id, 0, genesis.created_at, genesis.signing_set.hash):
        raise AnchorError("the node's first header is not that of the genesis")
    return TrustPoint(
        header, header_hash(header_bytes), genesis.signing_set, genesis.created_at, b""
    )
