"""How trust passed from the founders to the set that seals now, as this node can show it.

The state map keeps no proofs of the past, so whoever hands over keeps the set change beforehand,
beside the block (`SetChanges.keep`). A ledger that came from elsewhere, or from before, may lack
one. It is derived anew: the HandOver transaction in the log names the header and brings its seal,
and the ledger executed up to that header gives the sets and their proof. That takes as long as a
start of the node, and is kept. Where a ledger began with a snapshot from after that header, any
later one before the hand-over that has a *sealed* seal of its own serves as well: the set was
pending there still.

Who may not wait for that asks for what is `at_hand`.
"""

import threading
from bisect import bisect_right
from collections.abc import Sequence
from typing import Final

from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import Genesis
from ledger.chain.governance import HandOver, parse_governance_step
from ledger.chain.header import parse_header
from ledger.chain.keys import SIGNING_SETS_KEY
from ledger.chain.set_change import SetChange, changes_from, format_set_change, parse_set_change
from ledger.chain.signing_set import format_signing_sets
from ledger.chain.transaction import parse_transaction
from ledger.errors import FormatError
from ledger.state.state import State
from service.errors import BeforeBase, StoreCorrupt
from service.node.restoring import machine_at
from service.store.ledger.ledger_store import LedgerStore, SealLevel

AT_HAND_SECONDS: Final = 0.1
"""For somebody else to be done with reading; longer only where they execute the ledger."""


class SetChanges:
    """The set changes of one ledger. Any thread may ask; reads the store again when it has grown.

    `read_only`: keep nothing that had to be derived.
    """

    def __init__(
        self,
        store: LedgerStore,
        genesis: Genesis,
        backend: BlsBackend,
        *,
        read_only: bool = False,
    ) -> None:
        self._store = store
        self._genesis = genesis
        self._backend = backend
        self._read_only = read_only
        self._lock = threading.Lock()
        # The heights of all hand-overs up to `_height`, and how trust passed on at each.
        self._hand_overs: list[int] = []
        self._changes: list[SetChange] = []
        self._height = 0

    def keep(self, state: State, seal: bytes) -> bool:
        """Keep what a state with a pending set and a *sealed* seal of its header show; or not, if
        it is kept already. Before the HandOver transaction is submitted."""
        change = set_change_at(state, seal)
        return self._store.put_set_change(state.height, format_set_change(change))

    def all(self, last: int | None = None) -> list[SetChange]:
        """From the founders' set on, in order, to the one that sealed the header at height `last`;
        by default the newest's. Raises `StoreCorrupt`, and `BeforeBase` where one is missing that
        a ledger which began with a snapshot can no longer show."""
        with self._lock:
            self._read_on(last, derive=True)
            return self._until(last)

    def at_hand(self, last: int | None = None) -> list[SetChange] | None:
        """What `all` says, if that takes no time; None where the ledger would have to be executed,
        or is being executed for somebody else. Raises `StoreCorrupt`."""
        if not self._lock.acquire(timeout=AT_HAND_SECONDS):
            return None
        try:
            missing = self._read_on(last, derive=False)
            if missing is not None and (last is None or missing <= last):
                return None
            return self._until(last)
        finally:
            self._lock.release()

    def _read_on(self, last: int | None, *, derive: bool) -> int | None:
        """Take what the store has more by now; the hand-over that was left out, if any.

        Behind `last` nothing is derived: nobody has asked for it.
        """
        newest = self._store.newest()
        if newest is None or newest.height <= self._height:
            return None
        for height in self._store.hand_overs(self._height + 1):
            change = self._stored(height)
            if change is None:
                if not derive or (last is not None and height > last):
                    return height
                change = self._derived(height)
            self._changes.append(change)
            self._hand_overs.append(height)
            # At once: whoever comes after a failure goes on behind this one.
            self._height = height
        # A hand-over may have come after `newest` was read.
        self._height = max(self._height, newest.height)
        return None

    def _until(self, last: int | None) -> list[SetChange]:
        count = len(self._hand_overs) if last is None else bisect_right(self._hand_overs, last)
        return self._changes[:count]

    def from_set(self, set_hash: bytes) -> list[SetChange] | None:
        """What leads on from a set, its last time in force; None for one that never sealed."""
        changes = self.all()
        found = changes_from(set_hash, changes)
        if found is None and set_hash == self._genesis.signing_set.hash:
            return []
        return found

    def _stored(self, height: int) -> SetChange | None:
        """Of the hand-over in the block at `height`, as it was kept."""
        outgoing, incoming = (self._set_hash(each) for each in (height - 1, height))
        for at, data in reversed(self._store.set_changes()):
            if self._before <= at < height:
                change = _parse(self._store, at, data)
                sets = change.sets
                if sets.pending and (sets.current.hash, sets.pending.hash) == (outgoing, incoming):
                    return change
        return None

    def _derived(self, height: int) -> SetChange:
        """Of the hand-over in the block at `height`, from the ledger; kept from now on."""
        change = self._derive(height, self._set_hash(height))
        if not self._read_only:
            self._store.put_set_change(change.height, format_set_change(change))
        return change

    @property
    def _before(self) -> int:
        """The height of the newest hand-over that is known."""
        return self._hand_overs[-1] if self._hand_overs else 0

    def _derive(self, height: int, incoming: bytes) -> SetChange:
        """Find the HandOver in the block, and execute the ledger up to the header that it names."""
        base = self._store.base()
        first = 0 if base is None else base.height
        for block in self._store.blocks(height, height):
            for step in _hand_overs(block.transactions):
                at = parse_header(step.header).height
                stored = self._store.header(at)
                if stored is None or at >= height or stored.header != step.header:
                    continue
                change = (
                    self._change_at(at, step.seal, incoming)
                    if at >= first
                    else self._derive_later(first, height, incoming)
                )
                if change is not None:
                    return change
        raise StoreCorrupt(
            self._store.path, f"header {height}", "no hand-over in its block leads to its set"
        )

    def _derive_later(self, first: int, height: int, incoming: bytes) -> SetChange | None:
        """From the first sealed header that can be executed, where the one named cannot.

        The set stays pending from the header that is named to the hand-over, so the first will do.
        """
        for seal in self._store.seals(max(first, self._before), height - 1):
            if seal.level == SealLevel.SEALED:
                return self._change_at(seal.height, seal.seal, incoming)
        raise BeforeBase(self._store.path, first)

    def _change_at(self, height: int, seal: bytes, incoming: bytes) -> SetChange | None:
        state = self._state_at(height)
        pending = state.signing_sets.pending
        if pending is None or pending.hash != incoming:
            return None
        return set_change_at(state, seal)

    def _state_at(self, height: int) -> State:
        return machine_at(self._store, self._genesis, height, self._backend).state

    def _set_hash(self, height: int) -> bytes:
        stored = self._store.header(height)
        if stored is None:
            raise StoreCorrupt(self._store.path, f"header {height}", "is missing")
        return parse_header(stored.header).signing_set_hash


def set_change_at(state: State, seal: bytes) -> SetChange:
    """How trust passes on at a state that holds a pending set; `seal` is its header's."""
    return SetChange(
        state.header_bytes,
        seal,
        format_signing_sets(state.signing_sets),
        state.prove(SIGNING_SETS_KEY),
    )


def _hand_overs(transactions: Sequence[bytes]) -> list[HandOver]:
    found = []
    for transaction in transactions:
        body = parse_transaction(transaction).body
        if body.WhichOneof("action") != "governance":
            continue
        try:
            step = parse_governance_step(body.governance)
        except FormatError:
            continue  # in the log, and refused
        if isinstance(step, HandOver):
            found.append(step)
    return found


def _parse(store: LedgerStore, height: int, data: bytes) -> SetChange:
    try:
        change = parse_set_change(data)
        if change.height == height and change.sets.pending is not None:
            return change
    except FormatError as error:
        raise StoreCorrupt(store.path, f"set change of height {height}", str(error)) from error
    raise StoreCorrupt(store.path, f"set change of height {height}", "it is of another header")
