"""What only grows: the facts of a ledger that every read view shares, whatever its height.

One writer adds; readers of any age look at the same objects. That is safe without locks or copies,
as each addition is one step of a list, array or dict, and each reader knows how far its own view
goes: a height for what is counted by height, a log size for what is counted by log index.

    log, headers     RFC 6962 trees over the transactions, and over the header hashes
    times, log_sizes header time (Unix ms) and log size by height
    seen             the heights at which an author's transactions were recorded, ascending
    statuses         (arrangement id || issuer) -> subject -> packed records
    aliases          (arrangement id || issuer) -> alias -> packed records
    successors       (arrangement id || issuer) -> subject -> records that renumber it
    refused          log index -> its refused records, (position, code); only where there are any
    base             where it began: 0, or the height of a snapshot. Of the transactions up to there
                     `refused` is not known, and of each author only the newest in `seen`

>>> facts = Facts()
>>> for time, size in ((1000, 0), (1005, 3), (1010, 4)):
...     facts.times.append(time); facts.log_sizes.append(size)
>>> [facts.height_of_entry(log_index) for log_index in range(4)]
[1, 1, 1, 2]
"""

from array import array
from bisect import bisect_right
from typing import TypeAlias, TypeVar

from ledger.state.view import SuccessorEntry
from ledger.tree.log import Log, leaf_hash

# arrangement id (16) || issuer (2)
BookKey: TypeAlias = bytes
Book: TypeAlias = dict[bytes, bytes]
Successors: TypeAlias = dict[bytes, tuple[SuccessorEntry, ...]]
V = TypeVar("V")


class Facts:
    """The shared, append-only facts of one machine. Fields are described in the module's text."""

    __slots__ = (
        "aliases",
        "base",
        "headers",
        "log",
        "log_sizes",
        "refused",
        "seen",
        "statuses",
        "successors",
        "times",
    )

    def __init__(self) -> None:
        self.base = 0
        self.log = Log()
        self.headers = Log()
        self.times = array("Q")
        self.log_sizes = array("Q")
        self.seen: dict[str, array[int]] = {}
        self.statuses: dict[BookKey, Book] = {}
        self.aliases: dict[BookKey, Book] = {}
        self.successors: dict[BookKey, Successors] = {}
        self.refused: dict[int, tuple[tuple[int, str], ...]] = {}

    def height_of_entry(self, log_index: int) -> int:
        """The height of the header that brought log entry `log_index`."""
        return bisect_right(self.log_sizes, log_index)

    def grow(self, leaves: list[bytes], header_hash: bytes, time: int) -> None:
        """Add one header and the leaf hashes of its transactions."""
        for leaf in leaves:
            self.log.append(leaf)
        self.headers.append(leaf_hash(header_hash))
        self.times.append(time)
        self.log_sizes.append(self.log.size)


def merge_books(
    books: dict[BookKey, dict[bytes, V]], changes: dict[BookKey, dict[bytes, V]]
) -> None:
    """Add the changed objects of one block to `books`."""
    for key, changed in changes.items():
        book = books.get(key)
        if book is None:
            books[key] = changed
        else:
            book.update(changed)
