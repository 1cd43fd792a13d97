"""The database for a location: SQLite for a file or memory, PostgreSQL for a server."""

from service.store.database import Database
from service.store.location import Location, Server
from service.store.postgresql import ServerDatabase
from service.store.sqlite import SqliteDatabase


def database_at(
    location: Location,
    branch: str,
    *,
    max_page_count: int | None = None,
    read_only: bool = False,
) -> Database:
    """The database at a location with the tables of `branch`; not opened yet.

    A server's room is the server's: `max_page_count` says nothing there.
    """
    if isinstance(location, Server):
        located = location if location.schema else location.store(branch)
        return ServerDatabase(located, branch, read_only=read_only)
    return SqliteDatabase(location, branch, max_page_count=max_page_count, read_only=read_only)
