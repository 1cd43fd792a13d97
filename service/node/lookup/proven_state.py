"""The newest state that a caller can be shown a seal of.

Where several members seal, a header's seal comes with the votes on the next block: milliseconds
later, or never, where those votes do not come. What is proved then rests on the state before, which
is as true as ever and says by its attested time how old it is.
"""

from collections.abc import Callable

from ledger.state.state import State
from service.node.lookup.host import SealView


class ProvenState:
    """Keeps that state while newer ones come. One thread passes blocks on, any thread asks."""

    def __init__(self, state: Callable[[], State], seal: Callable[[], SealView | None]) -> None:
        self._state = state
        self._seal = seal
        # The last two, newest first: a seal may come when the next block is already there.
        self._seen = (state(), state())
        self._proven: State | None = None

    def after_block(self) -> None:
        """The state is another one now."""
        self._find(self._seen)
        self._seen = self._state(), self._seen[0]

    def newest(self) -> State | None:
        """That state; None where none is known, as after a start between a header and its seal."""
        self._find((self._state(), *self._seen))
        return self._proven

    def _find(self, states: tuple[State, ...]) -> None:
        seal = self._seal()
        if seal is not None:
            for state in states:
                if state.height == seal.height:
                    self._proven = state
                    return
