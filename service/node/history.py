"""Where transactions stand that the ledger had already when this process started."""

from collections.abc import Iterable

from ledger.state.state import State
from service.engine.protocol import Recorded
from service.store.ledger.ledger_store import LedgerStore

# Transactions read at once on the way back; what is looked for is among the newest.
SLICE = 256


class LedgerHistory:
    """Finds transactions in the log, newest first; the state says how each went."""

    def __init__(self, store: LedgerStore, state: State) -> None:
        self._store = store
        self._state = state

    def find(self, wanted: Iterable[bytes]) -> dict[bytes, Recorded]:
        """The places of those of the transactions `wanted` that are in the log."""
        missing = set(wanted)
        found: dict[bytes, Recorded] = {}
        # What a snapshot stands for is not searched: this node's own transactions came later.
        base = self._store.base()
        begin = 0 if base is None else base.log_size
        end = self._state.log_size
        while missing and end > begin:
            first = max(begin, end - SLICE)
            for log_index, data in enumerate(self._store.transactions(first, end - first), first):
                if data in missing:
                    missing.discard(data)
                    found[data] = self._place(log_index)
            end = first
        return found

    def _place(self, log_index: int) -> Recorded:
        height, time = self._state.place_of(log_index)
        refused = self._state.results(log_index)
        codes = [""] * (1 + max((position for position, _ in refused), default=-1))
        for position, code in refused:
            codes[position] = code
        return Recorded(height, time, log_index, tuple(codes))
