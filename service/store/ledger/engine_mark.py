"""How far an outer engine has come: the one row of ledger.db that is replaced.

An engine that orders outside this process (CometBFT) counts blocks of its own, also those that
change nothing here. After a restart it asks how far we are and plays the rest again, so its height
is kept with the block that it brought, in one transaction: both are there after a crash, or neither
is. The mark only moves forward.
"""

from typing import Final, NamedTuple

from sqlalchemy import Connection, insert, select, update
from sqlmodel import col

from service.errors import OutOfTurn
from service.store.database import Database
from service.store.ledger.ledger_tables import EngineMarkRow
from service.store.location import Location

_ONLY: Final = 0


class EngineMark(NamedTuple):
    """An engine's newest block: its own height and time (Unix ms), and what votes on it attest.

    They attest our header at `attested_height` for `attested_time` (Unix ms, 0: not known).
    """

    height: int
    time: int
    attested_height: int
    attested_time: int


class EngineRows:
    """What `LedgerStore` has of it."""

    path: Location
    _database: Database

    def keep_engine_mark(self, mark: EngineMark) -> None:
        """Keep how far the engine has come with a block that changed nothing here.

        Raises `OutOfTurn` for a mark that is not ahead of the one kept.
        """
        with self._database.writing() as connection:
            put_engine_mark(connection, mark)

    def engine_mark(self) -> EngineMark | None:
        """Return how far the engine has come; None before its first block."""
        with self._database.reading() as connection:
            return _mark(connection)

    def engine_height(self) -> int:
        """Return the engine's height; 0 before its first block."""
        mark = self.engine_mark()
        return 0 if mark is None else mark.height


def put_engine_mark(connection: Connection, mark: EngineMark) -> None:
    """Write the mark within a transaction that is open."""
    kept = _mark(connection)
    values = mark._asdict()
    if kept is None:
        connection.execute(insert(EngineMarkRow), {"number": _ONLY} | values)
        return
    if mark.height <= kept.height:
        raise OutOfTurn(mark.height, kept.height + 1)
    connection.execute(
        update(EngineMarkRow).where(col(EngineMarkRow.number) == _ONLY).values(values)
    )


def _mark(connection: Connection) -> EngineMark | None:
    row = connection.execute(
        select(
            col(EngineMarkRow.height),
            col(EngineMarkRow.time),
            col(EngineMarkRow.attested_height),
            col(EngineMarkRow.attested_time),
        ).where(col(EngineMarkRow.number) == _ONLY)
    ).one_or_none()
    return None if row is None else EngineMark(*row)
