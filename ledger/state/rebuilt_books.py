"""Books of status records and aliases, hashed again from a snapshot; and who succeeded whom.

The head of each key's history is made from its records as `ledger.state.publishing` made it. That
is most of the work of a restore, so it is written out: what follows from the log index is looked up
once for the many records of one transaction.
"""

from bisect import bisect_right
from collections.abc import Mapping
from typing import Final

from aeo.ledger.v1 import status_pb2
from ledger.chain.economy import parse_economy
from ledger.chain.history import history_step
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.chain.snapshot import ITEM_BYTES
from ledger.chain.snapshot_entries import PACKED_BYTES, split_packed
from ledger.customs.status import parse_status_of
from ledger.errors import FormatError
from ledger.hashing import ZERO_HASH
from ledger.state.facts import Book, BookKey, Facts, Successors
from ledger.state.packed import ENTRY_BYTES, HEAD_BYTES, KEY_PREFIX, PACKED_ENTRY, unpack
from ledger.state.view import SuccessorEntry

RENUMBERED: Final[int] = status_pb2.PREDECESSOR_KIND_RENUMBERED
BOOK_NAME_BYTES: Final = ARRANGEMENT_ID_BYTES + 2

# How a record's field `predecessor` begins: only who has these bytes is read.
_PREDECESSOR: Final = b"\x4a\x24\x0a\x20"
_FIRST_PLACE: Final = (-1, 0)


class RebuiltBooks:
    """The books of one kind, filled item by item. `facts` must have every header already."""

    __slots__ = ("_book", "_facts", "_issuer", "_last", "_name", "_room", "books", "successors")

    def __init__(self, facts: Facts) -> None:
        self.books: dict[BookKey, Book] = {}
        self.successors: dict[BookKey, Successors] = {}
        self._facts = facts
        self._name: BookKey = b""
        self._book: Book = {}
        self._issuer = ""
        self._last = _FIRST_PLACE
        self._room = 0

    def begin(self, name: bytes) -> None:
        """Begin the book of (arrangement id || issuer); raises `FormatError`."""
        if len(name) != BOOK_NAME_BYTES or name <= self._name:
            raise FormatError("books ascend by arrangement and issuer")
        self._issuer = parse_economy(name[ARRANGEMENT_ID_BYTES:])
        self._name = name
        self._book = self.books[name] = {}
        self._last = _FIRST_PLACE
        self._room = 0

    def fill(self, data: bytes) -> None:
        """Add what one item holds; raises `FormatError`."""
        facts, book, issuer = self._facts, self._book, self._issuer
        times, log_sizes, log_size = facts.times, facts.log_sizes, facts.log.size
        last_index = height = time = -1
        last = self._last
        full = True
        for key, records in split_packed(data):
            if full:
                full = False
                if PACKED_BYTES + len(records) <= self._room:
                    raise FormatError("an item after one that had room for it")
            head, n, offset, size = ZERO_HASH, 0, 0, len(records)
            first = KEY_PREFIX + key
            while offset < size:
                if offset + ENTRY_BYTES > size:
                    raise FormatError("a record ends early")
                log_index, position, length = PACKED_ENTRY.unpack_from(records, offset)
                start = offset + ENTRY_BYTES
                offset = start + length
                if log_index != last_index:
                    if log_index >= log_size:
                        raise FormatError(f"a record of log entry {log_index}, which there is not")
                    last_index = log_index
                    height = bisect_right(log_sizes, log_index)
                    time = times[height]
                if not n:
                    if (log_index, position) <= last:
                        raise FormatError("keys stand in order of their first record")
                    last = (log_index, position)
                n += 1
                record = first + records[start:offset]
                head = history_step(head, n, height, time, log_index, position, issuer, record)
            if offset != size or key in book:
                raise FormatError("a record ends early, or a key stands twice")
            book[key] = head + records
        self._last = last
        self._room = ITEM_BYTES - len(data)

    def find_successors(self) -> dict[BookKey, Successors]:
        """Who was renumbered to whom, by book, in log order; reads what was filled."""
        found: dict[BookKey, Successors] = {}
        for name, book in self.books.items():
            named = sorted(_renumbered(book, self._facts))
            for _, _, predecessor, entry in named:
                own = found.setdefault(name, {})
                own[predecessor] = (*own.get(predecessor, ()), entry)
        return found


def _renumbered(
    book: Mapping[bytes, bytes], facts: Facts
) -> list[tuple[int, int, bytes, SuccessorEntry]]:
    named = []
    for subject, packed in book.items():
        if _PREDECESSOR not in packed:
            continue
        for log_index, position, record in unpack(subject, packed, facts.log.size):
            before = parse_status_of(subject, record[HEAD_BYTES + 2 :]).predecessor
            if before is not None and before.kind == RENUMBERED:
                height = facts.height_of_entry(log_index)
                entry = SuccessorEntry(height, log_index, position, subject)
                named.append((log_index, position, before.subject, entry))
    return named
