"""Which headers this client believes, and how its belief grows.

A client begins with a network id given by hand, whose genesis names the first signing set, or with
the `TrustFile` of its last run. From then on it believes a header when

    1. it is of this network, and the signing set that it names is the one of the highest header
       believed, or one to which that set has handed over, as set changes on this header's past show
    2. its seal verifies, is of more than one third of the weight (*attested*), and its time is not
       more than 60 s ahead of this client's clock
    3. it descends from the highest header believed when the question was asked (the anchor), or,
       where others have moved the anchor on meanwhile, lies on its past

An anchor older than the trust period is not relied on: replaced keys could have signed another
past. A set that is known to be replaced proves nothing new: of its headers only those on the past
of what is believed count, with a time from before. Whatever else such keys have sealed is refused,
however many signed.

Two sealed headers of one height by one member are misbehaviour, raised as such with evidence that
stands alone; where there is a trust file, it is written beside it.
Checking a seal costs milliseconds, so headers believed are remembered, a bounded number of them.
"""

import threading
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Final, NamedTuple, Protocol, Self

from ledger.audit.evidence import check_evidence, format_fork
from ledger.bls.scheme import BlsBackend, default_backend
from ledger.chain.anchor import Anchor, check_attested_time, check_descends, too_old
from ledger.chain.genesis import Genesis, parse_genesis
from ledger.chain.header import Header, format_header, header_hash, parse_header
from ledger.chain.seal import Level, SealValue, open_seal
from ledger.chain.set_change import SetChange, check_set_changes
from ledger.chain.signing_set import SigningSet
from ledger.errors import (
    AnchorError,
    CheckError,
    FormatError,
    Misbehaviour,
    SignatureError,
)
from service.client.errors import ClientError, NoSuchThing
from service.client.trust_file import TrustFile, TrustPoint
from service.client.trust_sets import Followed, changes_for, check_term, first_point, sets_of

HEADERS_REMEMBERED: Final = 1_024
"""Verified headers kept, about 1 KB each: those of the last minutes of a busy ledger."""
SETS_FOLLOWED: Final = 16
"""Signing sets to which a hand-over was shown and no header is believed yet."""
HEADERS_COMPARED: Final = 16
"""Headers of which a node that shows another past is asked for its own."""


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

    def trust_chain(self, signing_set_hash: bytes = b"") -> Sequence[SetChange]:
        """How trust passed on from a set, by default the founders'."""


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
        # By the hashes of the point's set and of another: how the one has handed over to the other.
        self._followed: dict[bytes, Followed] = {}
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
            point = first_point(genesis, source.header(0).header)
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

    @property
    def signing_set(self) -> SigningSet:
        """The set that sealed it."""
        return self._point.signing_set

    @property
    def set_changes(self) -> tuple[SetChange, ...]:
        """How trust passed to that set from the founders'; empty while it is theirs."""
        return self._point.set_changes

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
        signing_set = self._signing_set_of(header, point)
        verified = self._check_seal(header, header_bytes, seal_bytes, signing_set)
        replaced = signing_set != point.signing_set and header.height < point.height
        if replaced and verified.attested_time > point.header.time:
            raise AnchorError("a signing set attests a time at which it had been replaced")
        check_attested_time(verified.attested_time, self._now_ms())
        return verified

    def _check_seal(
        self, header: Header, header_bytes: bytes, seal_bytes: bytes, signing_set: SigningSet
    ) -> VerifiedHeader:
        if not seal_bytes:
            raise SignatureError(f"header {header.height} has no seal yet")
        seal: SealValue = open_seal(seal_bytes, signing_set, self.network_id, self._backend)
        hashed = header_hash(header_bytes)
        if seal.header_hash != hashed:
            raise SignatureError(f"the seal is not that of header {header.height}")
        if seal.attested_time < header.time:
            raise SignatureError(f"header {header.height} was sealed before its time")
        return VerifiedHeader(header, hashed, seal_bytes, seal.level, seal.attested_time)

    def _signing_set_of(self, header: Header, point: TrustPoint) -> SigningSet:
        """The set that a header names: that of the point, one before it, or one that followed."""
        wanted, known = header.signing_set_hash, sets_of(point)
        if wanted == point.signing_set.hash:
            return point.signing_set
        if header.height > point.height:
            self._check_age(point)
            # One that was replaced may have come back since; then that is shown too.
            with suppress(CheckError, NoSuchThing):
                return self._follow(wanted, point).signing_set
        elif header.height < point.height and wanted in point.replaced:
            return next(each for each in known if each.hash == wanted)
        self._accuse_of_another_past(point)
        if wanted in point.replaced:
            when = f"that was replaced before height {point.height}"
        else:
            when = "to which no hand-over is shown"
        raise AnchorError(f"header {header.height} names a signing set {when}")

    def _follow(self, wanted: bytes, point: TrustPoint) -> Followed:
        """Let trust pass from the point's set to another, as the node shows it."""
        found = self._followed.get(point.signing_set.hash + wanted)
        if found is not None:
            return found
        changes = list(self._source.trust_chain(point.signing_set.hash))
        sets = check_set_changes(point.signing_set, changes, self.network_id, self._backend)
        for number in range(len(changes), 0, -1):
            if sets[number].hash == wanted:
                break
        else:
            raise AnchorError("a header names a signing set to which no hand-over is shown")
        check_term(point, changes[0])
        found = Followed(sets[number], tuple(changes[:number]))
        with self._lock:
            while len(self._followed) >= SETS_FOLLOWED:
                del self._followed[next(iter(self._followed))]
            self._followed[point.signing_set.hash + wanted] = found
        return found

    def _check_past(self, verified: VerifiedHeader, anchor: Anchor) -> None:
        """Whether it is on the one chain that this client knows."""
        header = verified.header
        self._check_age(self._point)
        if header.height == anchor.height:
            if verified.header_hash != anchor.header_hash:
                self._accuse(anchor.height, verified)
                raise AnchorError(f"another header of height {anchor.height} than was verified")
            return
        self._check_changes(header)
        shown = self._source.header(header.height, anchor.height)
        try:
            if header_hash(shown.header) != verified.header_hash:
                self._accuse_pair(verified, shown)
            check_descends(anchor, header, shown.ancestor_proof)
        except AnchorError:
            self._accuse(anchor.height, None)
            raise

    def _check_changes(self, header: Header) -> None:
        """Whether the hand-overs by which the header's set is trusted lie on the header's past."""
        point = self._point
        if header.height <= point.height or header.signing_set_hash == point.signing_set.hash:
            return
        for change in self._follow(header.signing_set_hash, point).changes:
            outgoing = Anchor(change.height, header_hash(change.header))
            mine = self._sealed_at(change.height)
            if mine is not None and mine[2] != outgoing.header_hash:
                self._accuse_of_fork(change.height, mine, change.header, change.seal)
                raise AnchorError(f"another header of height {change.height} than was verified")
            if change.height >= header.height:
                raise AnchorError("the header is not later than the hand-over to its signing set")
            shown = self._source.header(header.height, change.height)
            check_descends(outgoing, header, shown.ancestor_proof)

    def _remember(self, verified: VerifiedHeader, header_bytes: bytes) -> None:
        with self._lock:
            point = self._point
            if verified.header.height > point.height:
                signing_set, changes = point.signing_set, point.set_changes
                wanted = verified.header.signing_set_hash
                if wanted != signing_set.hash:
                    followed = self._followed.get(signing_set.hash + wanted)
                    if followed is None:  # others have moved the point to yet another set
                        raise AnchorError("the signing set has been replaced meanwhile: ask again")
                    signing_set, changes = followed.signing_set, changes + followed.changes
                fresh = TrustPoint(
                    verified.header,
                    verified.header_hash,
                    signing_set,
                    verified.attested_time,
                    verified.seal,
                    changes,
                )
                stored = self._file.advance(fresh) if self._file is not None else fresh
                if stored.signing_set != point.signing_set:
                    self._followed.clear()  # should a set come back, these are of its earlier term
                self._point = point = stored
                self._by_hand = False
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
        if shown is not None:
            said = ShownHeader(format_header(shown.header), shown.seal, ())
        else:
            try:
                said = self._source.header(height)
            except (ClientError, CheckError):
                return
        self._accuse_of_fork(height, mine, said.header, said.seal)

    def _accuse_of_another_past(self, point: TrustPoint) -> None:
        """Raise `Misbehaviour` if a node whose chain is another's shows what convicts somebody."""
        heights = [change.height for change in reversed(point.set_changes)]
        heights += sorted((known.header.height for known in self._known.values()), reverse=True)
        for height in dict.fromkeys([point.height, *heights][:HEADERS_COMPARED]):
            self._accuse(height, None)

    def _accuse_pair(self, verified: VerifiedHeader, said: ShownHeader) -> None:
        """The node showed a sealed header, and another of the same height when asked again."""
        height = verified.header.height
        mine = format_header(verified.header), verified.seal, verified.header_hash
        self._accuse_of_fork(height, mine, said.header, said.seal)
        raise AnchorError(f"the node shows two headers of height {height}")

    def _sealed_at(self, height: int) -> tuple[bytes, bytes, bytes] | None:
        """Header, seal and hash of what we believe at `height`, where we hold its seal."""
        point = self._point
        if point.height == height and point.seal:
            return format_header(point.header), point.seal, point.header_hash
        for change in point.set_changes:
            if change.height == height:
                return change.header, change.seal, header_hash(change.header)
        for data, known in tuple(self._known.items()):
            if known.header.height == height:
                return data, known.seal, known.header_hash
        return None

    def _accuse_of_fork(
        self, height: int, mine: tuple[bytes, bytes, bytes], header: bytes, seal: bytes
    ) -> None:
        """Raise `Misbehaviour` if one key sealed both headers; what proves nothing is let be."""
        if header_hash(header) == mine[2]:
            return
        try:
            changes = changes_for(
                self._point, self._followed, parse_header(mine[0]), parse_header(header)
            )
            evidence = format_fork(self.genesis.data, mine[0], mine[1], header, seal, changes)
            convicted = check_evidence(evidence, self.network_id, self._backend)
        except (CheckError, FormatError):
            return
        if self._file is not None:
            self._file.keep_evidence(evidence)
        raise Misbehaviour(
            f"two different headers of height {height} are sealed, both by {', '.join(convicted)}",
            evidence,
        )
