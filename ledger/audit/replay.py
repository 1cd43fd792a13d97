"""Verify a whole ledger: execute every transaction again, check every signature, root and seal.

Nothing that a node says is taken on trust. Of an export (`ledger.chain.export`) it is checked that

- genesis parses and its founders hold the keys that they registered; header 0 follows from it
- every header follows from the one before and from its transactions: links, roots, log, map, time
- every transaction may enter the log where it stands; its records are executed as the rules say
- every seal is by the set that its header names, over this header, at a time not before it, not
  after the next header, and not ahead of the checker's clock
- item 5 stands before a header that changes the signing set, and only there: the outgoing set, that
  sealed the newest earlier header that has a *sealed* seal, and the incoming one, under its map;
  and the votes and the hand-over, executed again, lead to that very set at that very header
- the newest header has a seal, and the chain passes through the anchor

Trust starts from an anchor, or from a network id that was given by hand. An anchor older than the
network's trust period (genesis, where neither was given) leaves the report at *anchored too long
ago*: all is consistent, but replaced keys could have signed another past.

`verify_items` yields a running `Report` for each block, and in the end one that is `complete`; what
is wrong raises `ChainError`, whose `place` names the item. The map may be kept in another process
(`MapUpdater`): each header states the map's root, so the next blocks are executed while the map of
this one is still being hashed, and the root is compared some blocks later.

>>> from ledger.bls.scheme import default_backend
>>> report = Report(bytes(32), "example", pilot=True, complete=True, trust=TOO_LONG_AGO)
>>> report.verified, replace(report, trust=ANCHORED).verified
(False, True)
>>> next(verify_items([], now=0, backend=default_backend()))
Traceback (most recent call last):
ledger.errors.ChainError: genesis: it is missing
"""

from collections import deque
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Final, NamedTuple

from ledger.bls.scheme import BlsBackend
from ledger.chain.anchor import Anchor, check_attested_time, too_old
from ledger.chain.export import GENESIS, HEADER, SEAL, SIGNING_SETS, TRANSACTION, Item, parse_export
from ledger.chain.genesis import Genesis, check_genesis, parse_genesis
from ledger.chain.header import Header, parse_header
from ledger.chain.seal import SEALED, SealValue, open_seal
from ledger.chain.signing_set import check_set_change, split_set_change
from ledger.errors import AnchorError, ChainError, CheckError, FormatError
from ledger.state.machine import Block, Machine
from ledger.state.map_updates import MapFactory, MapHere

ANCHORED: Final = "anchored"
TOO_LONG_AGO: Final = "anchored too long ago"

# Transactions whose signatures are checked together: the gain of more is below one per cent.
SIGNATURE_BATCH: Final = 256
# Blocks whose map may still be under way elsewhere; as many versions of the map stay in memory.
MAPS_UNDER_WAY: Final = 8


@dataclass(frozen=True, slots=True)
class Report:
    """What was verified. Until it is `complete` it only says how far the verifier is.

    `executed` and `refused` count records and steps (`records` is their sum; heartbeats have none).
    `sealed_height` and `attested_time` (Unix ms) are those of the newest *sealed* seal, -1 and 0
    where there is none. `trust` is `ANCHORED` or `TOO_LONG_AGO`.
    """

    network_id: bytes
    network_name: str
    pilot: bool
    height: int = 0
    header_hash: bytes = b""
    header_time: int = 0
    transactions: int = 0
    executed: int = 0
    refused: int = 0
    seals: int = 0
    sealed_height: int = -1
    attested_time: int = 0
    trust: str = TOO_LONG_AGO
    complete: bool = False

    @property
    def records(self) -> int:
        """Records and steps, executed or refused."""
        return self.executed + self.refused

    @property
    def verified(self) -> bool:
        """Whether everything was checked, from an anchor that may be relied on."""
        return self.complete and self.trust == ANCHORED


def verify_export(
    chunks: Iterable[bytes],
    *,
    now: int,
    backend: BlsBackend,
    network_id: bytes | None = None,
    anchor: Anchor | None = None,
    map_factory: MapFactory = MapHere,
) -> Iterator[Report]:
    """Verify an export in chunks of any size; see `verify_items`. Its form is checked too."""
    return verify_items(
        _items(chunks),
        now=now,
        backend=backend,
        network_id=network_id,
        anchor=anchor,
        map_factory=map_factory,
    )


def verify_items(
    items: Iterable[Item],
    *,
    now: int,
    backend: BlsBackend,
    network_id: bytes | None = None,
    anchor: Anchor | None = None,
    map_factory: MapFactory = MapHere,
    unsealed: bool = False,
) -> Iterator[Report]:
    """Verify a ledger given as the items of an export, in their order, without END.

    `now` is the checker's clock (Unix ms), `network_id` one that was given by hand, `anchor` a
    header that is believed. `unsealed` lets the newest header lack a seal: a node's own store may
    have been stopped between storing a block and sealing it. Yields a `Report` for each block, the
    last one `complete`. Raises `ChainError`, and `AnchorError` for a chain that does not pass
    through the anchor or is attested for a time to come.
    """
    source = iter(items)
    verifier = _Verifier(_genesis(source, network_id, backend), now, backend, anchor, map_factory)
    yield from verifier.follow(source)
    yield verifier.finish(given_by_hand=network_id is not None, unsealed=unsealed)


class _Given(NamedTuple):
    """What an export says of one height."""

    header_bytes: bytes
    header: Header
    signing_sets: bytes | None
    transactions: list[bytes]
    seal: bytes | None


class _Verifier:
    """The machine at the newest block, and what is still to be compared."""

    def __init__(
        self,
        genesis: Genesis,
        now: int,
        backend: BlsBackend,
        anchor: Anchor | None,
        map_factory: MapFactory,
    ) -> None:
        self._now = now
        self._backend = backend
        self._anchor = anchor
        self._machine = Machine(genesis, backend, updates=map_factory())
        self._maps: deque[Block] = deque()
        self._seal: SealValue | None = None
        # The newest header with a *sealed* seal: what may hand over to another set.
        self._sealed: Header | None = None
        self._set = genesis.signing_set
        self._report = Report(genesis.network_id, genesis.network_name, genesis.pilot)

    def follow(self, items: Iterator[Item]) -> Iterator[Report]:
        """Check height by height, signatures some blocks ahead."""
        waiting: deque[_Given] = deque()
        ahead: list[bytes] = []
        for given in _heights(items):
            waiting.append(given)
            ahead += given.transactions
            if len(ahead) >= SIGNATURE_BATCH:
                yield from self._check_all(waiting, ahead)
        yield from self._check_all(waiting, ahead)

    def _check_all(self, waiting: deque[_Given], ahead: list[bytes]) -> Iterator[Report]:
        self._machine.verify_ahead(ahead)
        ahead.clear()
        while waiting:
            self._check(waiting.popleft())
            yield self._report

    def _check(self, given: _Given) -> None:
        header, place = given.header, f"header {given.header.height}"
        if given.signing_sets is not None:
            self._hand_over(given.signing_sets, header)
        if header.height == 0:
            if given.header_bytes != self._machine.state.header_bytes:
                raise ChainError(place, "it does not follow from the genesis")
            executed = refused = 0
        else:
            executed, refused = self._execute(given)
        state = self._machine.state
        if header.signing_set_hash != self._set.hash:
            raise ChainError(place, "it names another signing set")
        if self._seal is not None and self._seal.attested_time > header.time:
            raise ChainError(place, "an earlier header was attested after this one's time")
        anchor = self._anchor
        if (
            anchor is not None
            and anchor.height == header.height
            and anchor.header_hash != state.header_hash
        ):
            raise AnchorError(f"{place} is not the anchor")
        report = self._report
        self._report = replace(
            report,
            height=header.height,
            header_hash=state.header_hash,
            header_time=header.time,
            transactions=header.log_size,
            executed=report.executed + executed,
            refused=report.refused + refused,
        )
        if given.seal is not None:
            self._check_seal(given.seal, header)

    def _execute(self, given: _Given) -> tuple[int, int]:
        """Execute a block; return how many records were executed and refused."""
        machine = self._machine
        block = machine.follow(given.header_bytes, given.transactions)
        machine.advance(block)
        self._maps.append(block)
        if len(self._maps) > MAPS_UNDER_WAY:
            self._compare_map()
        refused = sum(map(len, block.draft.refused.values()))
        codes = sum(len(result) for result in block.results if not isinstance(result, str))
        return codes - refused, refused

    def _compare_map(self) -> None:
        block = self._maps.popleft()
        assert block.header is not None, "a followed block has a header"
        if self._machine.map_root(block) != block.header.map_root:
            raise ChainError(
                f"header {block.header.height}", "the map root is not that of the records"
            )

    def _check_seal(self, data: bytes, header: Header) -> None:
        place = f"seal of height {header.height}"
        try:
            seal = open_seal(data, self._set, header.network_id, self._backend)
        except (FormatError, CheckError) as error:
            raise ChainError(place, str(error)) from error
        if seal.header_hash != self._report.header_hash:
            raise ChainError(place, "it is a seal of another header")
        if seal.attested_time < header.time:
            raise ChainError(place, "attested before its header's time")
        check_attested_time(seal.attested_time, self._now)
        self._seal = seal
        self._report = replace(self._report, seals=self._report.seals + 1)
        if seal.level == SEALED:
            self._sealed = header
            self._report = replace(
                self._report, sealed_height=header.height, attested_time=seal.attested_time
            )

    def _hand_over(self, data: bytes, header: Header) -> None:
        place = f"signing sets before header {header.height}"
        if header.signing_set_hash == self._set.hash:
            raise ChainError(place, "the header does not change the signing set")
        if self._sealed is None:
            raise ChainError(place, "no earlier header has a seal of two thirds")
        # Its map root must have been compared before anything is proved under it.
        while self._maps:
            self._compare_map()
        try:
            object_bytes, proof = split_set_change(data)
            self._set = check_set_change(
                object_bytes, proof, self._sealed, self._set.hash, header.signing_set_hash
            )
        except (FormatError, CheckError) as error:
            raise ChainError(place, str(error)) from error

    def finish(self, *, given_by_hand: bool, unsealed: bool) -> Report:
        """Compare what is left and judge the anchor."""
        while self._maps:
            self._compare_map()
        state, report = self._machine.state, self._report
        newest = None if self._seal is None else self._seal.header_hash
        if newest != state.header_hash and not unsealed:
            raise ChainError(f"header {state.height}", "the newest header has no seal")
        return replace(report, trust=self._trust(given_by_hand), complete=True)

    def _trust(self, given_by_hand: bool) -> str:
        state, anchor = self._machine.state, self._anchor
        if anchor is None:
            if given_by_hand:
                return ANCHORED
            anchor_time = state.genesis_time
        elif anchor.height > state.height:
            raise AnchorError(f"the ledger ends before the anchor at height {anchor.height}")
        else:
            anchor_time = state.time_of(anchor.height)
        old = too_old(anchor_time, self._now, state.parameters.trust_period)
        return TOO_LONG_AGO if old else ANCHORED


def _genesis(source: Iterator[Item], network_id: bytes | None, backend: BlsBackend) -> Genesis:
    kind, data = next(source, (None, b""))
    if kind != GENESIS:
        raise ChainError("genesis", "it is missing")
    try:
        genesis = parse_genesis(data)
        check_genesis(genesis, backend)
    except (FormatError, CheckError) as error:
        raise ChainError("genesis", str(error)) from error
    if network_id not in (None, genesis.network_id):
        raise ChainError("genesis", "it is of another network than the one asked for")
    return genesis


def _heights(items: Iterator[Item]) -> Iterator[_Given]:
    """Gather the items of each height, as far as they are well-formed and stand in order."""
    height = -1
    signing_sets: bytes | None = None
    current: _Given | None = None
    for kind, data in items:
        if kind == HEADER:
            if current is not None:
                yield current
            height += 1
            try:
                header = parse_header(data)
            except FormatError as error:
                raise ChainError(f"header {height}", str(error)) from error
            current = _Given(data, header, signing_sets, [], None)
            signing_sets = None
        elif kind == SIGNING_SETS and signing_sets is None:
            signing_sets = data
        elif current is None or signing_sets is not None or current.seal is not None:
            raise ChainError(f"height {height}", f"an item of type {kind} may not stand here")
        elif kind == TRANSACTION:
            current.transactions.append(data)
        elif kind == SEAL:
            current = current._replace(seal=data)
        else:
            raise ChainError(f"height {height}", f"an item of type {kind} may not stand here")
    if current is None or signing_sets is not None:
        raise ChainError(f"height {height + 1}", "its header is missing")
    yield current


def _items(chunks: Iterable[bytes]) -> Iterator[Item]:
    """The items of an export; what is wrong with the file is named by the byte."""
    try:
        yield from parse_export(chunks)
    except FormatError as error:
        place, _, message = str(error).partition(": ")
        raise ChainError(place, message) from error
