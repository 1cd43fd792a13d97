r"""The access log as it lies in home.db: entries, each chained to the one before, in pages.

    hash_0 = 32 zero bytes
    hash_n = H("aeo/v1/access-log", hash_(n-1) || n (8) || entry bytes)

n counts from 1. A page is the entries of one write, each with its length (4 bytes, big-endian),
and the hash after its last one. A page is never changed: triggers refuse it, and `check_pages`
finds what went past them, an entry changed, left out, put in or moved. A tail that was cut off
whole shows only against a head (number and hash) that somebody has kept elsewhere.

>>> page = format_page(1, ZERO_HASH, [b"one", b"two"])
>>> page.entries.hex(), page.size
('000000036f6e650000000374776f', 2)
>>> check_pages([page])
Head(number=2, hash=b'...')
>>> check_pages([page._replace(entries=page.entries.replace(b"two", b"too"))])
Traceback (most recent call last):
service.store.home.access_log.BrokenLog: entries 1 to 2: the hash is not theirs
"""

from collections.abc import Iterable, Iterator, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, insert, select
from sqlmodel import col

from ledger.errors import FormatError
from ledger.hashing import ZERO_HASH, tagged
from service.errors import Failed, StoreCorrupt
from service.store.database import Database
from service.store.group_commit import GroupCommit
from service.store.home.access_log_tables import AccessKeyRow, AccessPageRow
from service.store.location import Location
from service.store.opening import database_at

KEY_BYTES: Final = 32
LENGTH_BYTES: Final = 4
MAX_ENTRY_BYTES: Final = 1 << 20
"""A batch of 3,000 takes 60 KB; a watcher of 100,000 traders, who is noted in parts, less."""
PAGE_BYTES: Final = 1 << 20
"""Of one page, but for an entry that is longer alone: an altered byte costs at most so much."""
PAGES_AT_ONCE: Final = 64

_chain = tagged("aeo/v1/access-log")


class BrokenLog(Failed):
    """The log contradicts itself, or the head that was given; the message says where."""


class Page(NamedTuple):
    """`size` entries from number `first` on."""

    first: int
    size: int
    hash: bytes
    entries: bytes

    @property
    def last(self) -> int:
        """The number of its last entry."""
        return self.first + self.size - 1


class Head(NamedTuple):
    """The newest entry's number, 0 before the first, and the chain's hash after it."""

    number: int
    hash: bytes


START: Final = Head(0, ZERO_HASH)


def chain(before: bytes, number: int, entry: bytes) -> bytes:
    """The hash after an entry."""
    return _chain(before + number.to_bytes(8) + entry)


def format_page(first: int, before: bytes, entries: Sequence[bytes]) -> Page:
    """A page of entries that follow the hash `before`."""
    for number, entry in enumerate(entries, first):
        before = chain(before, number, entry)
    data = b"".join([len(entry).to_bytes(LENGTH_BYTES) + entry for entry in entries])
    return Page(first, len(entries), before, data)


def parse_entries(page: Page) -> list[bytes]:
    """The entries of a page; raises `FormatError`."""
    data, at, entries = page.entries, 0, []
    while at < len(data):
        end = at + LENGTH_BYTES
        length = int.from_bytes(data[at:end])
        if end + length > len(data) or length > MAX_ENTRY_BYTES:
            raise FormatError("an entry goes beyond its page")
        entries.append(data[end : end + length])
        at = end + length
    if len(entries) != page.size or not entries:
        raise FormatError(f"{len(entries)} entries, not {page.size}")
    return entries


def check_pages(pages: Iterable[Page], head: Head | None = None) -> Head:
    """Recompute the chain over all pages; its head. `head` is one that must lie on it.

    Raises `BrokenLog`.
    """
    number, newest = START
    met = head is None or head == START
    for page in pages:
        where = f"entries {page.first} to {page.last}"
        if page.first != number + 1:
            raise BrokenLog(f"{where}: entry {number + 1} should follow")
        try:
            entries = parse_entries(page)
        except FormatError as error:
            raise BrokenLog(f"{where}: {error}") from None
        for entry in entries:
            number += 1
            newest = chain(newest, number, entry)
            if head is not None and number == head.number:
                if newest != head.hash:
                    raise BrokenLog(f"entry {number}: its hash is not the one given")
                met = True
        if newest != page.hash:
            raise BrokenLog(f"{where}: the hash is not theirs")
    if not met:
        assert head is not None, "else it is met"
        raise BrokenLog(f"the log ends at entry {number}; entry {head.number} was cut off")
    return Head(number, newest)


class AccessLogStore:
    """The log of the member whose home.db is `database`. One thread appends; any may read."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits

    def key(self, made: bytes) -> bytes:
        """The key of this log's subjects: the one stored, at first `made` (32 bytes)."""

        def work(connection: Connection) -> bytes:
            known = connection.execute(select(col(AccessKeyRow.key))).scalar_one_or_none()
            if known is None:
                connection.execute(insert(AccessKeyRow), {"number": 0, "key": made})
            return known or made

        return self._commits.run(work)

    def head(self) -> Head:
        """The newest entry, as its page has it."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(col(AccessPageRow.first), col(AccessPageRow.count), col(AccessPageRow.hash))
                .order_by(col(AccessPageRow.first).desc())
                .limit(1)
            ).one_or_none()
        return START if row is None else Head(row.first + row.count - 1, row.hash)

    def append(self, pages: Sequence[Page]) -> None:
        """Write pages that follow the head; on the disk when this returns."""
        rows = [
            {"first": page.first, "count": page.size, "hash": page.hash, "entries": page.entries}
            for page in pages
        ]

        def work(connection: Connection) -> None:
            connection.execute(insert(AccessPageRow), rows)

        self._commits.run(work)

    def pages(self, number: int = 1) -> Iterator[Page]:
        """Yield the pages from the one with entry `number` on."""
        yield from _pages(self._database, number)

    def entries(self, number: int = 1) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield number, bytes and hash of each entry from `number` on.

        Raises `StoreCorrupt` where a page cannot be read or its hash is not its entries'.
        """
        before: bytes | None = None
        for page in self.pages(number):
            if before is None:
                before = self._hash_before(page.first)
            place = f"access log page {page.first}"
            try:
                entries = parse_entries(page)
            except FormatError as error:
                raise StoreCorrupt(self._database.path, place, str(error)) from error
            for at, entry in enumerate(entries, page.first):
                before = chain(before, at, entry)
                if at >= number:
                    yield at, entry, before
            if before != page.hash:
                raise StoreCorrupt(self._database.path, place, "its hash is not its entries'")

    def _hash_before(self, first: int) -> bytes:
        with self._database.reading() as connection:
            found = connection.execute(
                select(col(AccessPageRow.hash))
                .where(col(AccessPageRow.first) < first)
                .order_by(col(AccessPageRow.first).desc())
                .limit(1)
            ).scalar_one_or_none()
        return ZERO_HASH if found is None else found


def check_file(path: Location, head: Head | None = None) -> Head:
    """Check the access log in the home.db at `path`, which a node may be writing; its head.

    Raises `BrokenLog`, or the errors of a store that cannot be read.
    """
    database = database_at(path, "home", read_only=True)
    database.open()
    try:
        return check_pages(_pages(database, 1), head)
    finally:
        database.close()


def _pages(database: Database, number: int) -> Iterator[Page]:
    columns = (
        col(AccessPageRow.first),
        col(AccessPageRow.count),
        col(AccessPageRow.hash),
        col(AccessPageRow.entries),
    )
    with database.reading() as connection:
        start = connection.execute(
            select(columns[0]).where(columns[0] <= number).order_by(columns[0].desc()).limit(1)
        ).scalar_one_or_none()
    after = -(1 << 62) if start is None or number == 1 else start - 1
    while True:
        with database.reading() as connection:
            rows = connection.execute(
                select(*columns).where(columns[0] > after).order_by(columns[0]).limit(PAGES_AT_ONCE)
            ).all()
        for row in rows:
            yield Page(*row)
        if len(rows) < PAGES_AT_ONCE:
            return
        after = rows[-1].first
