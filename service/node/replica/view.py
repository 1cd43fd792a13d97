"""A view: the state of a ledger in a process that neither verifies nor keeps the state map.

    view = View.receive(messages, updates)      the whole state, handed over
    view.apply(delta)                           each block after it, as soon as it is verified
    view.state                                  a `State` like any other, at one height

The state that comes out is the machine's own, field by field, and answers every question of
`evaluate` with the same bytes: blocks are added by `Machine.advance` itself. Proofs of the state
map come from wherever the map is kept (`updates`); a version of it is named by its height.
"""

from collections.abc import Iterable

from ledger.bls.scheme import BlsBackend, default_backend
from ledger.chain.header import parse_header
from ledger.errors import ChainError
from ledger.state.machine import Machine
from ledger.state.map_updates import MapUpdater
from ledger.state.state import State
from service.node.replica.delta import Delta, Receiving, Transferred, block_of


class View:
    """The newest state that was handed over. One thread applies, any thread reads."""

    def __init__(self, state: State, backend: BlsBackend | None = None) -> None:
        # Only to advance: it executes nothing here, and never sees a transaction.
        self._machine = Machine(state.genesis, backend or default_backend())
        self._machine.state = state

    @classmethod
    def receive(cls, messages: Iterable[Transferred], updates: MapUpdater) -> "View":
        """The view after a whole transfer. Raises `ChainError` where its end is missing."""
        receiving = Receiving(updates)
        for message in messages:
            state = receiving.take(message)
            if state is not None:
                return cls(state)
        raise ChainError("a view", "the transfer of the state ended early")

    @property
    def state(self) -> State:
        """Everything known now; a value that stays as it is."""
        return self._machine.state

    def restart(self, state: State) -> None:
        """Go on from another state of the same ledger, which was handed over whole."""
        if state.height >= self._machine.state.height:
            self._machine.state = state

    def apply(self, delta: Delta) -> bool:
        """Add a block; False for one that the transfer had already.

        Raises `ChainError` for one that does not follow.
        """
        state, header = self._machine.state, parse_header(delta.header_bytes)
        if header.height <= state.height:
            return False
        if header.height != state.height + 1 or header.previous != state.header_hash:
            raise ChainError(f"header {header.height}", f"it does not follow {state.height}")
        self._machine.advance(block_of(delta, state))
        return True
