"""A database as a store uses it: one process writes it, any number of threads read it meanwhile.

    with database.writing() as connection:    a transaction; durable once the block is left
    with database.reading() as connection:    one state of the database throughout

Tables are plain SQLAlchemy, migrated per branch (``ledger``, ``home``); what differs between
`service.store.sqlite` and `service.store.postgresql` lies behind `Database`:

| | SQLite file, memory | PostgreSQL |
|---|---|---|
| one node for one store | a lock file | an advisory lock, held by the connection that writes |
| a write fails half-way | what the disk holds is the truth: closed until opened again | undone |
| the outcome of a commit is not known | the same | found out by its number, else closed |
| full | the disk, or `max_page_count` | the server's disk |
| `forget`, `scrub` | overwritten, log emptied | tables written anew; see there what that leaves |

What the driver raises comes as the tree of `service.errors`; only a broken constraint comes through
as SQLAlchemy's IntegrityError.
"""

import os
from abc import ABC, abstractmethod
from collections.abc import Callable
from contextlib import AbstractContextManager
from pathlib import Path
from threading import Lock
from typing import Final, TypeVar

import structlog
from sqlalchemy import Connection

from service.errors import StoreError
from service.store.location import Location
from service.store.migrate import current_version, migrate, versions_of

# Threads that read at once without opening a connection of their own; more wait for one.
READERS: Final = 16

_log = structlog.get_logger(__name__)

OnStep = Callable[[str], None]
Result = TypeVar("Result")


def no_step(_: str) -> None:
    """Do nothing at a step: what stores do unless a test wants to stop them there."""


class Database(ABC):
    """The tables of `branch` (``ledger`` or ``home``) at a location.

    `read_only` takes no lock and changes nothing: for looking at a store that a node has open.
    Made by `service.store.opening.database_at`.
    """

    def __init__(self, path: Location, branch: str, *, read_only: bool) -> None:
        self.path = path
        self._branch = branch
        self._read_only = read_only
        self._write_lock = Lock()
        # Why nothing is written any more until it is opened again.
        self._failure: str | None = None

    @abstractmethod
    def open(self) -> None:
        """Take the lock, make what is missing and bring the tables up to date.

        Opening what is open already does nothing, so that ``with store.open()`` is fine.
        Raises `StoreBusy` when another has it, `StoreCorrupt` when it is not such a database,
        `StoreError` when it is newer than this program or cannot be opened.
        """

    @abstractmethod
    def close(self) -> None:
        """Finish the write under way, then let go; readers end by themselves. Idempotent."""

    @abstractmethod
    def reading(self) -> AbstractContextManager[Connection]:
        """Give a connection that sees one state of the database throughout."""

    @abstractmethod
    def writing(self) -> AbstractContextManager[Connection]:
        """Give the one connection that may write; leaving the block commits durably.

        An error undoes all of it. Constraint errors come through as SQLAlchemy's IntegrityError.
        """

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do `work` in a transaction of its own; durable when this returns.

        `work` may run twice (the first time undone), so it touches nothing but its connection.
        """
        with self.writing() as connection:
            return work(connection)

    @abstractmethod
    def forget(self, *tables: str) -> None:
        """After rows of these tables were deleted: leave as little of them as can be at once."""

    @abstractmethod
    def scrub(self) -> bool:
        """Write everything anew without what was deleted; False where readers stand in the way."""

    def _check_writable(self) -> None:
        if self._failure is not None:
            raise StoreError(self.path, f"closed for writing: {self._failure}")

    def _bring_up_to_date(self) -> None:
        head = versions_of(self._branch).get_current_head()
        with self.reading() as connection:
            version = current_version(connection)
        if version == head:
            return
        known = {script.revision for script in versions_of(self._branch).walk_revisions()}
        if version is not None and version not in known:
            raise StoreError(
                self.path, f"its tables have version {version}: newer than this program"
            )
        if self._read_only:
            raise StoreError(self.path, "its tables are of an older version; start its node once")
        with self.writing() as connection:
            migrate(connection, self._branch)
        _log.info("store migrated", path=str(self.path), before=version, after=head)


def sync_folder(folder: Path) -> None:
    """Make what was created or renamed in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
