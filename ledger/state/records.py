"""Executed status records in log order, read from a state instead of from transactions.

A ledger that began with a snapshot no longer has the transactions before it, but every record that
was executed; what came of them in order is therefore still to be told.

>>> from types import SimpleNamespace
>>> from ledger.state.facts import Facts
>>> from ledger.state.packed import append_packed
>>> facts, record = Facts(), b"\\n " + b"s" * 32 + b"rest"
>>> packed = append_packed(append_packed(None, bytes(32), 1, 0, record), bytes(32), 7, 2, record)
>>> facts.statuses[b"a" * 16 + b"NZ"] = {b"s" * 32: packed}
>>> state = SimpleNamespace(facts=facts, log_size=9)
>>> [(each.log_index, each.position, each.issuer) for each in records_between(state, 0, 9)]
[(1, 0, 'NZ'), (7, 2, 'NZ')]
>>> [each.log_index for each in records_between(state, 2, 9)]
[7]
"""

from typing import NamedTuple

from ledger.chain.economy import parse_economy
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.state.packed import unpack
from ledger.state.state import State


class ExecutedRecord(NamedTuple):
    """A status record that was executed, and where."""

    log_index: int
    position: int
    arrangement_id: bytes
    issuer: str
    record: bytes


def records_between(state: State, first: int, last: int) -> list[ExecutedRecord]:
    """All of the log entries from `first` on, and before `last`; every history is looked at."""
    found = []
    for name, book in list(state.facts.statuses.items()):
        arrangement_id = name[:ARRANGEMENT_ID_BYTES]
        issuer = parse_economy(name[ARRANGEMENT_ID_BYTES:])
        for subject, packed in list(book.items()):
            for log_index, position, record in unpack(subject, packed, min(last, state.log_size)):
                if log_index >= first:
                    found.append(
                        ExecutedRecord(log_index, position, arrangement_id, issuer, record)
                    )
    found.sort()
    return found
