"""ledger.db: genesis, headers, transactions, seals, set changes, evidence: bytes, append-only.

The store does not read what it keeps: who starts a node derives the rest and checks it against the
roots. It promises three things. What a call that returned has written is there after a crash. A
call that did not return wrote all or nothing. Headers and transactions are numbered without gaps,
and a gap found when reading is `StoreCorrupt`, which names the place.

One thread writes; any number read meanwhile. Reads come in slices, each a short transaction of its
own, so that a slow reader keeps no old version alive; since rows never change, slices agree.
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import IntEnum
from itertools import islice
from typing import Any, Final, Self, TypeVarTuple

from sqlalchemy import Connection, Row, Select, insert, select, update
from sqlalchemy.exc import IntegrityError
from sqlmodel import col

from ledger.chain.seal import SEALED, Level
from service.errors import BeforeBase, OutOfTurn, StoreCorrupt, StoreError
from service.store.database import OnStep, no_step
from service.store.ledger.base_rows import BaseRows
from service.store.ledger.engine_mark import EngineMark, EngineRows, put_engine_mark
from service.store.ledger.ledger_tables import EntryRow, GenesisRow, HeaderRow, SealRow
from service.store.ledger.trust_rows import TrustRows
from service.store.location import Location
from service.store.opening import database_at

# Rows read at once: a header has 224 bytes, a full transaction 60,000.
HEADER_SLICE: Final = 4_096
ENTRY_SLICE: Final = 256

Columns = TypeVarTuple("Columns")
SealSelect = Select[int, bytes, int, int, int]

# Where a test may stop a write, in order.
STEPS: Final = (
    "genesis:before",
    "genesis:header",
    "genesis:entry",
    "genesis:committed",
    "block:before",
    "block:header",
    "block:entries",
    "block:committed",
    "seal:before",
    "seal:written",
    "seal:committed",
)


class SealLevel(IntEnum):
    """How much of the weight signed."""

    ATTESTED = 1
    SEALED = 2

    @classmethod
    def of(cls, level: Level) -> "SealLevel":
        """The number for what `ledger.chain.seal` says."""
        return cls.SEALED if level == SEALED else cls.ATTESTED


@dataclass(frozen=True, slots=True)
class StoredHeader:
    """A header's bytes, its height, and the log's size after its block."""

    height: int
    header: bytes
    log_size: int


@dataclass(frozen=True, slots=True)
class StoredBlock:
    """A header with the transactions that entered the log at its height; the first one's index."""

    height: int
    header: bytes
    first_index: int
    transactions: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class StoredSeal:
    """A seal's bytes and what makes one seal of a header better than another."""

    height: int
    seal: bytes
    level: SealLevel
    attested_time: int
    weight: int


class LedgerStore(TrustRows, EngineRows, BaseRows):
    """The ledger in one SQLite file. Open it with `open` or as a context manager.

    `max_page_count` limits the file to so many pages of 4,096 bytes. `read_only` looks at the file
    without the lock, also while a node writes it. `on_step` hears the names in `STEPS`.
    """

    def __init__(
        self,
        path: Location,
        *,
        max_page_count: int | None = None,
        read_only: bool = False,
        on_step: OnStep = no_step,
    ) -> None:
        self.path = path
        self._database = database_at(
            path, "ledger", max_page_count=max_page_count, read_only=read_only
        )
        self._on_step = on_step

    def open(self) -> Self:
        """Open the file, made when missing. Raises `StoreBusy`, `StoreCorrupt`, `StoreError`."""
        self._database.open()
        return self

    def close(self) -> None:
        """Close the file and let others open it; closing twice is fine."""
        self._database.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    # Writing: each call is one database transaction, on the disk when it returns.

    def put_genesis(self, genesis: bytes, header: bytes) -> None:
        """Begin the ledger: the genesis and header 0 together, with an empty log.

        Raises `StoreError` when there is a genesis already.
        """
        self._on_step("genesis:before")
        try:
            with self._database.writing() as connection:
                connection.execute(insert(GenesisRow), {"number": 0, "data": genesis})
                self._on_step("genesis:header")
                connection.execute(insert(HeaderRow), {"height": 0, "data": header, "log_size": 0})
                self._on_step("genesis:entry")
        except IntegrityError as error:
            raise StoreError(self.path, "has a genesis already") from error
        self._on_step("genesis:committed")

    def append_block(
        self,
        height: int,
        header: bytes,
        transactions: Sequence[bytes],
        engine: EngineMark | None = None,
    ) -> None:
        """Add the block at `height`, which must be the next: the header and its transactions.

        `engine` is how far an outer engine has come with it, kept in the same transaction.
        Raises `OutOfTurn` when it is not, `StoreFull` when there is no room; then nothing changed.
        """

        def work(connection: Connection) -> None:
            newest = connection.execute(_newest_header()).one_or_none()
            expected = newest.height + 1 if newest else 0
            if newest is None or height != expected:
                raise OutOfTurn(height, expected)
            first = newest.log_size
            connection.execute(
                insert(HeaderRow),
                {"height": height, "data": header, "log_size": first + len(transactions)},
            )
            self._on_step("block:header")
            if transactions:
                connection.execute(
                    insert(EntryRow),
                    [
                        {"log_index": index, "data": transaction}
                        for index, transaction in enumerate(transactions, first)
                    ],
                )
            self._on_step("block:entries")
            if engine is not None:
                put_engine_mark(connection, engine)

        self._on_step("block:before")
        self._database.run(work)
        self._on_step("block:committed")

    def put_seal(
        self, height: int, seal: bytes, level: SealLevel, *, attested_time: int, weight: int
    ) -> bool:
        """Keep a seal of the header at `height` if it is better than the one kept; say whether.

        Better is: a higher level; then a later attested time; then more weight.
        """
        values = {
            "data": seal,
            "level": int(level),
            "attested_time": attested_time,
            "weight": weight,
        }

        def work(connection: Connection) -> bool:
            kept = connection.execute(
                select(col(SealRow.level), col(SealRow.attested_time), col(SealRow.weight)).where(
                    col(SealRow.height) == height
                )
            ).one_or_none()
            if kept is None:
                connection.execute(insert(SealRow), {"height": height} | values)
            elif tuple(kept) < (level, attested_time, weight):
                connection.execute(
                    update(SealRow).where(col(SealRow.height) == height).values(values)
                )
            else:
                return False
            self._on_step("seal:written")
            return True

        self._on_step("seal:before")
        try:
            if not self._database.run(work):
                return False
        except IntegrityError as error:
            raise StoreError(self.path, f"there is no header {height} to seal") from error
        self._on_step("seal:committed")
        return True

    # Reading.

    def genesis(self) -> bytes | None:
        """Return the genesis bytes, None in a new store."""
        with self._database.reading() as connection:
            return connection.execute(select(col(GenesisRow.data))).scalar_one_or_none()

    def newest(self) -> StoredHeader | None:
        """Return the header of the greatest height, None in a new store."""
        with self._database.reading() as connection:
            row = connection.execute(_newest_header()).one_or_none()
        return StoredHeader(*row) if row else None

    def header(self, height: int) -> StoredHeader | None:
        """Return the header at `height`, None where there is none."""
        return next(self.headers(height, height), None)

    def headers(self, first: int = 0, last: int | None = None) -> Iterator[StoredHeader]:
        """Yield the headers from height `first` to `last` (default: the newest), both included."""
        last = self._last_height(last)
        for start in range(first, last + 1, HEADER_SLICE):
            end = min(start + HEADER_SLICE, last + 1)
            rows = self._read(
                _headers()
                .where(col(HeaderRow.height) >= start, col(HeaderRow.height) < end)
                .order_by(col(HeaderRow.height))
            )
            self._check_numbers("header", start, end, rows)
            for row in rows:
                yield StoredHeader(*row)

    def transactions(self, first_index: int = 0, count: int | None = None) -> Iterator[bytes]:
        """Yield `count` transactions in log order from `first_index` (default: all there are).

        Raises `BeforeBase` for one that is not kept, as a snapshot stands for it.
        """
        newest = self.newest()
        size = newest.log_size if newest else 0
        stop = size if count is None else min(size, first_index + count)
        for start in range(first_index, stop, ENTRY_SLICE):
            end = min(start + ENTRY_SLICE, stop)
            rows = self._read(
                select(col(EntryRow.log_index), col(EntryRow.data))
                .where(col(EntryRow.log_index) >= start, col(EntryRow.log_index) < end)
                .order_by(col(EntryRow.log_index))
            )
            if len(rows) != end - start:
                self._check_base(start, end, [index for index, _ in rows])
            self._check_numbers("transaction", start, end, rows)
            for _, data in rows:
                yield data

    def blocks(self, first: int = 0, last: int | None = None) -> Iterator[StoredBlock]:
        """Yield the blocks from height `first` to `last` (default: the newest), both included."""
        before = self.header(first - 1) if first > 0 else None
        index = before.log_size if before else 0
        height = self._last_height(last)
        end = self.header(height) if height >= 0 else None
        # No further: what lies behind may be missing.
        transactions = self.transactions(index, max(end.log_size - index, 0) if end else 0)
        for header in self.headers(first, last):
            if header.log_size < index:
                raise StoreCorrupt(self.path, f"header {header.height}", "its log size shrinks")
            block = tuple(islice(transactions, header.log_size - index))
            if index + len(block) != header.log_size:
                raise StoreCorrupt(
                    self.path,
                    f"header {header.height}",
                    f"its log size is {header.log_size}, the newest header's is smaller",
                )
            yield StoredBlock(header.height, header.header, index, block)
            index = header.log_size

    def seal(self, height: int) -> StoredSeal | None:
        """Return the best seal of the header at `height`, None where there is none."""
        return self._one_seal(_seals().where(col(SealRow.height) == height))

    def seals(self, first: int = 0, last: int | None = None) -> Iterator[StoredSeal]:
        """Yield the seals of the heights from `first` to `last` (default: all), ascending."""
        last = self._last_height(last)
        for start in range(first, last + 1, HEADER_SLICE):
            end = min(start + HEADER_SLICE, last + 1)
            rows = self._read(
                _seals()
                .where(col(SealRow.height) >= start, col(SealRow.height) < end)
                .order_by(col(SealRow.height))
            )
            for row in rows:
                yield _stored_seal(row)

    def newest_seal(self, level: SealLevel = SealLevel.ATTESTED) -> StoredSeal | None:
        """Return the seal of the greatest height that has at least `level`."""
        return self._one_seal(
            _seals()
            .where(col(SealRow.level) >= int(level))
            .order_by(col(SealRow.height).desc())
            .limit(1)
        )

    def newest_sealed(self) -> StoredSeal | None:
        """Return the newest seal by more than two thirds: all up to its height is sealed."""
        return self.newest_seal(SealLevel.SEALED)

    def _read(self, statement: Select[*Columns]) -> Sequence[Row[*Columns]]:
        with self._database.reading() as connection:
            return connection.execute(statement).all()

    def _check_base(self, start: int, end: int, found: Sequence[int]) -> None:
        """Whether what is missing from `start` to `end` is missing for a reason."""
        base = self.base()
        if base is not None and set(range(start, min(end, base.log_size))).difference(found):
            raise BeforeBase(self.path, base.height)

    def _check_numbers(
        self, what: str, start: int, end: int, rows: Sequence[Row[int, *tuple[Any, ...]]]
    ) -> None:
        """Find the first number from `start` to `end` (not included) that no row has."""
        if len(rows) == end - start:
            return
        found = {row[0] for row in rows}
        missing = next(number for number in range(start, end) if number not in found)
        raise StoreCorrupt(self.path, f"{what} {missing}", "is missing")

    def _one_seal(self, statement: SealSelect) -> StoredSeal | None:
        rows = self._read(statement)
        return _stored_seal(rows[0]) if rows else None

    def _last_height(self, last: int | None) -> int:
        newest = self.newest()
        height = newest.height if newest else -1
        return height if last is None else min(last, height)


def _headers() -> Select[int, bytes, int]:
    return select(col(HeaderRow.height), col(HeaderRow.data), col(HeaderRow.log_size))


def _newest_header() -> Select[int, bytes, int]:
    return _headers().order_by(col(HeaderRow.height).desc()).limit(1)


def _seals() -> SealSelect:
    return select(
        col(SealRow.height),
        col(SealRow.data),
        col(SealRow.level),
        col(SealRow.attested_time),
        col(SealRow.weight),
    )


def _stored_seal(row: Row[int, bytes, int, int, int]) -> StoredSeal:
    height, data, level, attested_time, weight = row
    return StoredSeal(height, data, SealLevel(level), attested_time, weight)
