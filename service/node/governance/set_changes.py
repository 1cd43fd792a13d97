"""How trust passed from the founders to the set that seals now, as this node can show it.

The state map keeps no proofs of the past, so whoever hands over keeps the set change beforehand,
beside the block (`SetChanges.keep`). A ledger that came from elsewhere, or from before, may lack
one. It is derived anew: the HandOver transaction in the log names the header and brings its seal,
and the ledger executed up to that header gives the sets and their proof. That takes as long as a
start of the node, and is kept.
"""

import threading
from bisect import bisect_right
from collections.abc import Sequence

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
from service.errors import StoreCorrupt
from service.node.restoring import machine_at
from service.store.ledger.ledger_store import LedgerStore


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
        by default the newest's. Raises `StoreCorrupt`."""
        with self._lock:
            newest = self._store.newest()
            if newest is not None and newest.height > self._height:
                for height in self._store.hand_overs(self._height + 1):
                    self._changes.append(self._change(height))
                    self._hand_overs.append(height)
                self._height = newest.height
            count = len(self._hand_overs) if last is None else bisect_right(self._hand_overs, last)
            return self._changes[:count]

    def from_set(self, set_hash: bytes) -> list[SetChange] | None:
        """What leads on from a set, its last time in force; None for one that never sealed."""
        changes = self.all()
        found = changes_from(set_hash, changes)
        if found is None and set_hash == self._genesis.signing_set.hash:
            return []
        return found

    def _change(self, height: int) -> SetChange:
        """Of the hand-over in the block at `height`."""
        outgoing, incoming = (self._set_hash(each) for each in (height - 1, height))
        before = self._hand_overs[-1] if self._hand_overs else 0
        for at, data in reversed(self._store.set_changes()):
            if before <= at < height:
                change = _parse(self._store, at, data)
                sets = change.sets
                if sets.pending and (sets.current.hash, sets.pending.hash) == (outgoing, incoming):
                    return change
        change = self._derive(height, incoming)
        if not self._read_only:
            self._store.put_set_change(change.height, format_set_change(change))
        return change

    def _derive(self, height: int, incoming: bytes) -> SetChange:
        """Find the HandOver in the block, and execute the ledger up to the header that it names."""
        for block in self._store.blocks(height, height):
            for step in _hand_overs(block.transactions):
                at = parse_header(step.header).height
                stored = self._store.header(at)
                if stored is None or at >= height or stored.header != step.header:
                    continue
                state = self._state_at(at)
                pending = state.signing_sets.pending
                if pending is not None and pending.hash == incoming:
                    return set_change_at(state, step.seal)
        raise StoreCorrupt(
            self._store.path, f"header {height}", "no hand-over in its block leads to its set"
        )

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
