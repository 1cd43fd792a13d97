"""Where transactions stand that the ledger had already when this process started.

Of those up to a snapshot that the ledger began with only the leaf hashes are left. That is enough
to find one; which of its records were executed, the histories say, and of the others only that they
were refused (`RESULT_NOT_KEPT`).
"""

from collections.abc import Iterable, Sequence
from typing import Final

from ledger.chain.history import HistoryEntry
from ledger.chain.transaction import parse_transaction
from ledger.state.state import State
from ledger.tree.log import leaf_hash
from service.engine.protocol import Recorded
from service.store.ledger.ledger_store import LedgerStore

RESULT_NOT_KEPT: Final = "RESULT_NOT_KEPT"
# A record of a batch begins with the key of its history, field 1 of 32 bytes.
_KEY: Final = slice(2, 34)
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
        begin = self._state.base_log_size
        end = self._state.log_size
        while missing and end > begin:
            first = max(begin, end - SLICE)
            for log_index, data in enumerate(self._store.transactions(first, end - first), first):
                if data in missing:
                    missing.discard(data)
                    found[data] = self._place(log_index)
            end = first
        if missing and begin:
            leaves = {leaf_hash(data): data for data in missing}
            log = self._state.facts.log
            for log_index in range(begin):
                before = leaves.get(log.leaf(log_index))
                if before is not None:
                    found[before] = self._place_before_base(log_index, before)
        return found

    def _place_before_base(self, log_index: int, transaction: bytes) -> Recorded:
        height, time = self._state.place_of(log_index)
        body = parse_transaction(transaction).body
        action = body.WhichOneof("action")
        if action in {"statuses", "aliases"}:
            batch = getattr(body, action)
            state = self._state
            read = state.subject_records if action == "statuses" else state.alias_records
            executed = [
                any(
                    each[:2] == (log_index, position)
                    for each in read(batch.arrangement_id, body.author, record[_KEY])
                )
                for position, record in enumerate(batch.records)
            ]
        else:
            executed = [action == "heartbeat" or log_index in self._single_steps()]
        codes = ["" if each else RESULT_NOT_KEPT for each in executed]
        return Recorded(height, time, log_index, tuple(codes))

    def _single_steps(self) -> set[int]:
        """The log indexes of every executed step of an arrangement, a proposal or a report."""
        state = self._state
        histories: list[Sequence[HistoryEntry]] = [
            *(each.records for each in state.arrangements.values()),
            *(each.records for each in state.proposals.values()),
            *(each.records for each in state.reports.values()),
            *(each.history.entries for each in state.membership.all.values()),
        ]
        # Hand-overs stand in no history: their blocks are known by their headers.
        handed_over = {
            log_index
            for height, _ in state.current_sets[1:]
            for log_index in range(state.log_size_of(height - 1), state.log_size_of(height))
        }
        return handed_over.union(
            entry.log_index for records in histories for entry in records if entry.height
        )

    def _place(self, log_index: int) -> Recorded:
        height, time = self._state.place_of(log_index)
        refused = self._state.results(log_index)
        codes = [""] * (1 + max((position for position, _ in refused), default=-1))
        for position, code in refused:
            codes[position] = code
        return Recorded(height, time, log_index, tuple(codes))
