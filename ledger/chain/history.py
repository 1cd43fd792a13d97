r"""A history: the hash chain over all entries of one key of the state map.

    c_0 = 32 zero bytes
    c_n = H("aeo/v1/history", c_(n-1) || n (8) || height (8) || time (8) || log index (8)
            || position in the transaction (2) || author (2) || record bytes)

The map holds c_n. Who holds all entries can rebuild it, hence knows that none is missing, and one
proof of today answers what was so, and what was known, at any time. n counts from 1; the place and
the author are those of the transaction that caused the entry.

>>> entry = HistoryEntry(7, 1_700_000_000_000, 41, 3, "SG", b"record")
>>> history_head([entry]).hex()
'1e0bb8be0d872ccd0b76ce1da0eeab114d81829599455699b473276fcdec2bb9'
>>> history_head([entry]) == history_step(ZERO_HASH, 1, *entry)
True
"""

from collections.abc import Iterable
from struct import Struct
from typing import Final, NamedTuple

from ledger.chain.economy import economy_bytes
from ledger.hashing import ZERO_HASH, tagged

_HISTORY: Final = tagged("aeo/v1/history")
_STEP: Final = Struct(">32sQQQQH2s")


class HistoryEntry(NamedTuple):
    """One entry: its place on the ledger, its author (an economy) and its record's exact bytes.

    `time` is the header's, in Unix milliseconds; `position` that of the record in its transaction.
    """

    height: int
    time: int
    log_index: int
    position: int
    author: str
    record: bytes


def history_step(
    previous: bytes,
    n: int,
    height: int,
    time: int,
    log_index: int,
    position: int,
    author: str,
    record: bytes,
) -> bytes:
    """Return c_n (32 bytes) from `previous`, c_(n-1), and entry `n`, counted from 1."""
    place = _STEP.pack(previous, n, height, time, log_index, position, economy_bytes(author))
    return _HISTORY(place + record)


def history_head(
    entries: Iterable[HistoryEntry], start: bytes = ZERO_HASH, count: int = 0
) -> bytes:
    """Return the head after `entries`, which follow the first `count` whose head is `start`."""
    head = start
    for n, entry in enumerate(entries, count + 1):
        head = history_step(head, n, *entry)
    return head
