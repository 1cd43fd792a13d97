"""What a source streams, verified block by block: nothing is believed, stored or shown before.

A block counts when a seal of its header or of a later one verifies, of more than a third of the
weight (*attested*: at least one honest signer). Until then it waits here as bytes, and nobody sees
it: a block that only one node vouches for could be replaced, and what is stored is never taken
back. Then, in order,

    1. every header up to the sealed one follows from the one before: links, network, height, time
    2. its transactions may enter there, with valid signatures, and make its log root
    3. executing them gives its map root and names its signing set
    4. the block is stored, becomes current, and is told
    5. the seal is stored and told; one that says less than the one kept is passed over

A header at a height that is known already must be the one known; a better seal of it is taken. Two
sealed headers of one height are a fork, with evidence against whoever signed both.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from ledger.audit.evidence import check_evidence, format_fork
from ledger.bls.scheme import BlsBackend
from ledger.chain.anchor import Anchor, check_attested_time
from ledger.chain.header import Header, header_hash, parse_header
from ledger.chain.seal import SEALED, SealValue, open_seal
from ledger.chain.signing_set import SigningSet
from ledger.errors import AnchorError, ChainError, CheckError, FormatError
from ledger.state.machine import Block, Machine
from ledger.state.state import State
from service.errors import SourceLeft, SourceRefused
from service.node.governance.set_changes import SetChanges
from service.node.lookup.host import SealView
from service.node.replica import refusals
from service.node.replica.seals import KeptSeals
from service.store.ledger.ledger_store import LedgerStore

WAITING_BYTES: Final = 64 << 20
"""Transactions that wait for a seal: a minute of the busiest ledger, and a bound for a liar."""
WAITING_BLOCKS: Final = 10_000


class Change(NamedTuple):
    """One verified step: a block that became current, or a seal that was kept; and the state."""

    state: State
    block: Block | None
    seal: SealView | None


@dataclass(slots=True)
class _Waiting:
    """A block that no seal vouches for yet."""

    header: Header
    header_bytes: bytes
    header_hash: bytes
    missing: int
    transactions: list[bytes] = field(default_factory=list)


class ChainVerifier:
    """Takes what sources say. One thread calls; `machine.state` is for all to read."""

    def __init__(
        self,
        machine: Machine,
        store: LedgerStore,
        set_changes: SetChanges,
        backend: BlsBackend,
        *,
        now_ms: Callable[[], int],
        tell: Callable[[Change], None],
        anchor: Anchor | None = None,
    ) -> None:
        self.seals = KeptSeals(store)
        self._machine = machine
        self._store = store
        self._set_changes = set_changes
        self._backend = backend
        self._now_ms = now_ms
        self._tell = tell
        self._anchor = anchor
        self._waiting: list[_Waiting] = []
        self._waiting_bytes = 0

    @property
    def waiting(self) -> int:
        """How many blocks wait for a seal."""
        return len(self._waiting)

    def forget(self) -> None:
        """Drop what waits: another source will be asked for it."""
        self._waiting.clear()
        self._waiting_bytes = 0

    def begin_anew(self) -> None:
        """Go on from what store and machine hold now: a snapshot was taken up."""
        self.forget()
        self.seals = KeptSeals(self._store)

    def verify_ahead(self, transactions: Sequence[bytes]) -> None:
        """Verify signatures of several blocks together, which costs a third of one by one."""
        self._machine.verify_ahead(transactions)

    def take(self, header_bytes: bytes, transactions: Sequence[bytes], seal: bytes) -> None:
        """Take one message of a stream of blocks.

        Raises `SourceRefused` for what cannot be so, `SourceLeft` where something is missing, and
        the errors of the store.
        """
        try:
            header = parse_header(header_bytes)
        except FormatError as error:
            raise SourceRefused(refusals.MALFORMED, str(error)) from error
        if header.network_id != self._machine.state.network_id:
            raise SourceRefused(
                refusals.OTHER_NETWORK, "a header of another network", header=header_bytes
            )
        if header.height <= self._machine.state.height:
            self.compare(header_bytes, seal)
            return
        waiting = self._find(header, header_bytes)
        waiting.transactions.extend(transactions)
        waiting.missing -= len(transactions)
        self._waiting_bytes += sum(map(len, transactions))
        if waiting.missing < 0 or (seal and waiting.missing):
            raise SourceRefused(
                refusals.MALFORMED,
                f"block {header.height} has not as many transactions as its header counts",
                header=header_bytes,
            )
        if seal:
            self._take_seal(waiting, seal)
        elif len(self._waiting) > WAITING_BLOCKS or self._waiting_bytes > WAITING_BYTES:
            raise SourceLeft(f"{len(self._waiting)} blocks are shown without any seal")

    def compare(self, header_bytes: bytes, seal: bytes) -> None:
        """Compare a header of a height that is known with ours, and take its seal if it is better.

        Raises as `take` does; `FormatError` is the caller's to expect.
        """
        header = parse_header(header_bytes)
        stored = self._store.header(header.height)
        if stored is None:
            return  # before the snapshot that this ledger begins with
        if stored.header != header_bytes:
            raise self._fork(stored.header, header, header_bytes, seal)
        if not seal or self.seals.known(header.height, seal):
            return
        later = self._store.header(header.height + 1)
        value = self._open(
            header,
            header_bytes,
            seal,
            self._machine.state.signing_set_of(header.height),
            parse_header(later.header) if later is not None else None,
        )
        self._keep_seal(header.height, seal, value)

    def _find(self, header: Header, header_bytes: bytes) -> _Waiting:
        """The waiting block that a message belongs to; made where it begins the next."""
        first = self._machine.state.height + 1
        if header.height < first + len(self._waiting):
            found = self._waiting[header.height - first]
            if found.header_bytes != header_bytes:
                raise SourceRefused(
                    refusals.FORK,
                    f"it shows two headers of height {header.height}",
                    header=header_bytes,
                )
            return found
        state = self._machine.state
        if self._waiting:
            last = self._waiting[-1]
            before, before_hash = last.header, last.header_hash
            if last.missing:
                raise SourceRefused(
                    refusals.MALFORMED,
                    f"block {before.height} breaks off before its last transaction",
                    header=last.header_bytes,
                )
        else:
            before, before_hash = state.header, state.header_hash
        if header.height != before.height + 1:
            raise SourceRefused(
                refusals.MALFORMED,
                f"header {header.height} after header {before.height}",
                header=header_bytes,
            )
        _check_link(before, before_hash, header, header_bytes)
        made = _Waiting(
            header, header_bytes, header_hash(header_bytes), header.log_size - before.log_size
        )
        self._waiting.append(made)
        return made

    def _take_seal(self, sealed: _Waiting, seal: bytes) -> None:
        """Take every block up to the one whose seal has come, then the seal."""
        sets = self._machine.state.signing_sets
        named = sealed.header.signing_set_hash
        if named == sets.current.hash:
            signing_set = sets.current
        elif sets.pending is not None and named == sets.pending.hash:
            signing_set = sets.pending
        else:
            # Where blocks before it bring that set, their own seals have to come first.
            raise SourceLeft(f"header {sealed.header.height} names a signing set not shown yet")
        count = sealed.header.height - self._machine.state.height
        later = self._waiting[count].header if count < len(self._waiting) else None
        value = self._open(sealed.header, sealed.header_bytes, seal, signing_set, later)
        blocks = self._waiting[:count]
        self._check_times(blocks[0].header)
        if count > 1:
            self.verify_ahead([each for block in blocks for each in block.transactions])
        for block in blocks:
            self._execute(block, seal)
            del self._waiting[0]
            self._waiting_bytes -= sum(map(len, block.transactions))
        self._keep_seal(sealed.header.height, seal, value)

    def _execute(self, given: _Waiting, seal: bytes) -> None:
        """Execute, compare, store, make current, tell."""
        machine, height = self._machine, given.header.height
        self._check_anchor(given)
        try:
            block = machine.follow(given.header_bytes, given.transactions)
        except ChainError as error:
            raise SourceRefused(
                refusals.WRONG_BLOCK, str(error), header=given.header_bytes, seal=seal
            ) from error
        if machine.map_root(block) != given.header.map_root:
            raise SourceRefused(
                refusals.WRONG_ROOT,
                f"header {height}: the map root is not that of the records, though members sealed"
                " it or what follows from it",
                header=given.header_bytes,
                seal=seal,
            )
        self._store.append_block(height, given.header_bytes, given.transactions)
        machine.advance(block)
        self._tell(Change(machine.state, block, None))

    def _check_anchor(self, given: _Waiting) -> None:
        anchor = self._anchor
        if anchor is None or anchor.height != given.header.height:
            return
        if anchor.header_hash != given.header_hash:
            raise SourceRefused(
                refusals.NOT_THE_ANCHOR,
                f"header {anchor.height} is not the anchor that was given by hand",
                header=given.header_bytes,
            )

    def _check_times(self, following: Header) -> None:
        newest = self.seals.newest
        if newest is not None and newest.attested_time > following.time:
            raise SourceRefused(
                refusals.WRONG_BLOCK,
                f"header {newest.height} was attested after the time of header {following.height}",
            )

    def _open(
        self,
        header: Header,
        header_bytes: bytes,
        data: bytes,
        signing_set: SigningSet,
        later: Header | None,
    ) -> SealValue:
        """Verify a seal of a header by the set that it names; `later` is the header after it."""

        def wrong(code: str, message: str) -> SourceRefused:
            said = f"seal of header {header.height}: {message}"
            return SourceRefused(code, said, header=header_bytes, seal=data)

        try:
            seal = open_seal(data, signing_set, header.network_id, self._backend)
        except (FormatError, CheckError) as error:
            raise wrong(refusals.WRONG_SEAL, str(error)) from error
        if seal.header_hash != header_hash(header_bytes):
            raise wrong(refusals.WRONG_SEAL, "it is of another header")
        if seal.attested_time < header.time:
            raise wrong(refusals.WRONG_SEAL, "attested before its header's time")
        if later is not None and seal.attested_time > later.time:
            raise wrong(refusals.WRONG_SEAL, "attested after the next header's time")
        try:
            check_attested_time(seal.attested_time, self._now_ms())
        except AnchorError as error:
            raise wrong(refusals.ATTESTED_AHEAD, str(error)) from error
        return seal

    def _keep_seal(self, height: int, data: bytes, value: SealValue) -> None:
        view = self.seals.keep(height, data, value)
        state = self._machine.state
        if view is None:
            return
        if (
            value.level == SEALED
            and height == state.height
            and state.signing_sets.pending is not None
            and all(at < state.pending_since for at, _ in self._store.set_changes())
        ):
            # The map keeps no proofs of the past: what a hand-over will need is kept now.
            self._set_changes.keep(state, data)
        self._tell(Change(state, None, view))

    def _fork(self, own: bytes, header: Header, header_bytes: bytes, seal: bytes) -> SourceRefused:
        """The refusal of another header than ours, with evidence where both are sealed."""
        height = header.height
        mine = self._store.seal(height)
        evidence = b""
        if mine is not None and seal:
            evidence = self._convicting(own, mine.seal, header, header_bytes, seal)
        return SourceRefused(
            refusals.FORK,
            f"another header of height {height} than the one verified",
            header=header_bytes,
            seal=seal,
            evidence=evidence,
        )

    def _convicting(
        self, own: bytes, own_seal: bytes, header: Header, header_bytes: bytes, seal: bytes
    ) -> bytes:
        """Evidence of a fork; empty where it convicts nobody."""
        state = self._machine.state
        changes = self._set_changes.all()
        sets = [state.genesis.signing_set.hash]
        sets += [change.sets.pending.hash for change in changes if change.sets.pending]
        named = {parse_header(own).signing_set_hash, header.signing_set_hash}
        if not named <= set(sets):
            return b""
        needed = changes[: max(sets.index(each) for each in named)]
        try:
            evidence = format_fork(state.genesis.data, own, own_seal, header_bytes, seal, needed)
            check_evidence(evidence, state.network_id, self._backend)
        except (CheckError, FormatError):
            return b""
        return evidence


def _check_link(before: Header, before_hash: bytes, header: Header, header_bytes: bytes) -> None:
    """What a header must take over from the one before it, as far as it shows unexecuted."""
    for wrong, message in (
        (header.previous != before_hash, "the previous header has another hash"),
        (header.time <= before.time, "its time is not after the previous header's"),
        (header.log_size <= before.log_size, "it adds nothing to the log"),
    ):
        if wrong:
            raise SourceRefused(
                refusals.BROKEN_LINK, f"header {header.height}: {message}", header=header_bytes
            )
