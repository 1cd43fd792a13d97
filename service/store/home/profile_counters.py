"""What the profile tables share: named numbers in the same commit, and lists cut for SQLite."""

from collections.abc import Iterable, Sequence
from typing import Final, TypeVar

from sqlalchemy import Connection, func, insert, select, update
from sqlmodel import col

from service.store.home.home_tables import CounterRow

T = TypeVar("T")

SLICE: Final = 500
"""Values of one IN list: far below SQLite's limit of variables."""
SCANNED: Final = "profiles_scanned"
SCRUB_DUE: Final = "profiles_scrub_due"
REFUSED: Final = "profiles_refused"


def counter(connection: Connection, name: str) -> int:
    """The number of a name, 0 at first."""
    value = connection.execute(
        select(func.max(col(CounterRow.value))).where(col(CounterRow.name) == name)
    ).scalar_one()
    return value or 0


def set_counter(connection: Connection, name: str, value: int) -> None:
    """Set the number of a name."""
    where = col(CounterRow.name) == name
    if connection.execute(update(CounterRow).where(where).values(value=value)).rowcount == 0:
        connection.execute(insert(CounterRow), {"name": name, "value": value})


def slices(values: Sequence[T]) -> Iterable[Sequence[T]]:
    """The values in lists of at most `SLICE`."""
    return (values[at : at + SLICE] for at in range(0, len(values), SLICE))
