"""The rows of ledger.db with which it may begin: a snapshot, for the blocks up to its header.

A ledger whose past lies in a snapshot has all headers, and the transactions above the snapshot's
only. A snapshot may also come later, to a ledger that has fallen far behind: it then has blocks,
a gap, and blocks again. The newest base counts; of an older one only its height stays.
"""

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from itertools import islice
from typing import Final

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import col

from service.errors import OutOfTurn, StoreCorrupt, StoreError
from service.store.database import Database
from service.store.ledger.engine_mark import EngineMark, put_engine_mark
from service.store.ledger.ledger_tables import (
    BaseChunkRow,
    BaseRow,
    GenesisRow,
    HeaderRow,
    SetChangeRow,
)
from service.store.location import Location

_SLICE: Final = 4_096


@dataclass(frozen=True, slots=True)
class StoredBase:
    """A snapshot that a ledger begins with: below `log_size` its log may have gaps."""

    height: int
    log_size: int
    manifest: bytes


@dataclass(frozen=True, slots=True)
class NewBase:
    """What `put_base` keeps. `headers`: bytes and log size of each, from height 0 to `height`."""

    height: int
    log_size: int
    manifest: bytes
    headers: Iterable[tuple[bytes, int]]
    chunks: Iterable[bytes]
    # By the height of the header that hands over: how trust passed on up to here.
    set_changes: Iterable[tuple[int, bytes]] = ()


class BaseRows:
    """What `LedgerStore` has of them."""

    path: Location
    _database: Database

    def put_base(self, genesis: bytes, base: NewBase, mark: EngineMark | None = None) -> None:
        """Go on from a snapshot that was checked: all of it, or nothing.

        The store may be new or have blocks below it. Raises `OutOfTurn` where it is as high
        already, `StoreError` where it has another genesis or header.
        """
        with self._database.writing() as connection:
            newest = self._newest_for(connection, genesis, base)
            rows = (
                {"height": height, "data": header, "log_size": log_size}
                for height, (header, log_size) in enumerate(base.headers)
            )
            for row in islice(rows, newest + 1):
                if row["height"] == newest:
                    self._require_same(connection, row["height"], row["data"])
            while batch := list(islice(rows, _SLICE)):
                connection.execute(insert(HeaderRow), batch)
            connection.execute(
                insert(BaseRow),
                {"height": base.height, "log_size": base.log_size, "manifest": base.manifest},
            )
            for number, chunk in enumerate(base.chunks):
                connection.execute(
                    insert(BaseChunkRow), {"height": base.height, "number": number, "data": chunk}
                )
            connection.execute(delete(BaseChunkRow).where(col(BaseChunkRow.height) < base.height))
            kept = set(connection.execute(select(col(SetChangeRow.height))).scalars())
            changes = [
                {"height": height, "data": data}
                for height, data in base.set_changes
                if height not in kept
            ]
            if changes:
                connection.execute(insert(SetChangeRow), changes)
            if mark is not None:
                put_engine_mark(connection, mark)

    def base(self) -> StoredBase | None:
        """Return the newest snapshot that this ledger went on from; None where it has all."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(col(BaseRow.height), col(BaseRow.log_size), col(BaseRow.manifest))
                .order_by(col(BaseRow.height).desc())
                .limit(1)
            ).one_or_none()
        return None if row is None else StoredBase(*row)

    def base_chunks(self, height: int) -> Iterator[bytes]:
        """Yield the chunks of the base at `height`, one read at a time."""
        number = 0
        while True:
            with self._database.reading() as connection:
                data = connection.execute(
                    select(col(BaseChunkRow.data)).where(
                        col(BaseChunkRow.height) == height, col(BaseChunkRow.number) == number
                    )
                ).scalar_one_or_none()
            if data is None:
                return
            yield data
            number += 1

    def _newest_for(self, connection: Connection, genesis: bytes, base: NewBase) -> int:
        """The newest height that is stored, -1 in a new store, where `base` may follow."""
        kept = connection.execute(select(col(GenesisRow.data))).scalar_one_or_none()
        if kept is None:
            connection.execute(insert(GenesisRow), {"number": 0, "data": genesis})
            return -1
        if kept != genesis:
            raise StoreError(self.path, "is of another network than the snapshot")
        newest = connection.execute(
            select(col(HeaderRow.height)).order_by(col(HeaderRow.height).desc()).limit(1)
        ).scalar_one()
        if newest >= base.height:
            raise OutOfTurn(base.height, newest + 1)
        return newest

    def _require_same(self, connection: Connection, height: int, header: object) -> None:
        stored = connection.execute(
            select(col(HeaderRow.data)).where(col(HeaderRow.height) == height)
        ).scalar_one()
        if stored != header:
            raise StoreCorrupt(
                self.path, f"header {height}", "the snapshot has another: the ledger forks"
            )
