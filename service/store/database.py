"""One SQLite file: one process writes it, any number of threads read it while it is written.

| setting | why |
|---|---|
| ``journal_mode=WAL``, ``synchronous=FULL`` | a commit is on the disk before it is answered |
| ``secure_delete=ON`` | what is erased is overwritten, not merely unlinked |
| ``recursive_triggers=ON`` | ``INSERT OR REPLACE`` cannot slip past the triggers |
| ``foreign_keys=ON`` | what refers to a row finds it |
| ``max_page_count`` | a limit of the operator's choice, 4,096 bytes a page |

After a failed write whose outcome on the disk is unknown (an I/O error) the database refuses to
write until it is opened again: what the disk then holds is the truth.
"""

import os
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from threading import Lock
from typing import Final

import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool

from service.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull
from service.store.lock import FileLock
from service.store.migrate import current_version, migrate, versions_of

# SQLite wants milliseconds; only a checkpoint or a reader's recovery can make anyone wait at all.
BUSY_TIMEOUT_MS: Final = 5_000
# Threads that read at once without opening a connection of their own; more wait for one.
READERS: Final = 16

_log = structlog.get_logger(__name__)

OnStep = Callable[[str], None]


def no_step(_: str) -> None:
    """Do nothing at a step: what stores do unless a test wants to stop them there."""


class Database:
    """The file at `path`, with the tables of `branch` (``ledger`` or ``home``).

    `read_only` takes no lock and changes nothing: for looking at a store that a node has open.
    """

    def __init__(
        self, path: Path, branch: str, *, max_page_count: int | None, read_only: bool
    ) -> None:
        self.path = path
        self._branch = branch
        self._max_page_count = max_page_count
        self._read_only = read_only
        self._write_lock = Lock()
        self._failure: str | None = None
        self._lock: FileLock | None = None
        self._engine: Engine | None = None
        self._writer: Connection | None = None

    def open(self) -> None:
        """Take the lock, open the file (made when missing) and bring its tables up to date.

        Opening what is open already does nothing, so that ``with store.open()`` is fine.
        Raises `StoreBusy` when another has it, `StoreCorrupt` when it is not such a database,
        `StoreError` when it is newer than this program or cannot be opened.
        """
        if self._engine is not None:
            return
        if self._read_only:
            if not self.path.is_file():
                raise StoreError(self.path, "there is no such store")
        else:
            self._lock = FileLock(self.path)
        try:
            if not self._read_only:
                self._make_file()
            self._engine = self._make_engine()
            self._bring_up_to_date()
        except BaseException:
            self.close()
            raise

    def close(self) -> None:
        """Finish the write under way, then let go of the file; readers end by themselves."""
        with self._write_lock:
            if self._writer is not None:
                self._writer.close()
                self._writer = None
            if self._engine is not None:
                self._engine.dispose()
                self._engine = None
            # What the disk holds is read anew by who opens it again.
            self._failure = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the file throughout."""
        with self._translated(), self._opened().connect() as connection, connection.begin():
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the one connection that may write; leaving the block commits, with fsync.

        An error undoes all of it. Constraint errors come through as SQLAlchemy's IntegrityError.
        """
        with self._write_lock:
            if self._failure is not None:
                raise StoreError(self.path, f"closed for writing: {self._failure}")
            with self._translated():
                if self._writer is None:
                    self._writer = self._opened().connect()
                with self._writer.begin():
                    yield self._writer

    def checkpoint(self) -> None:
        """Fold the write-ahead log into the file and empty it, as far as readers let it."""
        with self._write_lock, self._translated(), closing(self._connect()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def scrub(self) -> bool:
        """Write the file anew without what was deleted; False where a reader keeps the log alive.

        The copy that SQLite makes meanwhile is kept in memory, so that no other file holds it.
        """
        with self._write_lock, self._translated(), closing(self._connect()) as connection:
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def _opened(self) -> Engine:
        if self._engine is None:
            raise StoreError(self.path, "is not open")
        return self._engine

    def _make_file(self) -> None:
        if self.path.exists():
            return
        # Only its owner reads it: home.db holds lookup keys. SQLite gives its WAL the same mode.
        os.close(os.open(self.path, os.O_RDWR | os.O_CREAT, 0o600))
        sync_folder(self.path.parent)

    def _make_engine(self) -> Engine:
        engine = create_engine(
            "sqlite://",
            # An error may end in a log; what was to be stored may be personal or secret.
            hide_parameters=True,
            creator=self._connect,
            poolclass=QueuePool,
            pool_size=READERS,
            max_overflow=1,  # the writer's own
            pool_use_lifo=True,
        )
        # The driver's own idea of when a transaction begins is not ours: it would leave DDL out.
        event.listen(engine, "begin", lambda connection: connection.exec_driver_sql("BEGIN"))
        return engine

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(
            self.path,
            timeout=BUSY_TIMEOUT_MS / 1000,
            isolation_level=None,
            check_same_thread=False,
        )
        if self._read_only:
            connection.execute("PRAGMA query_only = ON")
        else:
            connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = FULL")
        connection.execute("PRAGMA secure_delete = ON")
        connection.execute("PRAGMA recursive_triggers = ON")
        connection.execute("PRAGMA foreign_keys = ON")
        if self._max_page_count is not None:
            connection.execute(f"PRAGMA max_page_count = {self._max_page_count:d}")
        return connection

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

    @contextmanager
    def _translated(self) -> Iterator[None]:
        """Turn what the driver raises into the tree of `service.errors`."""
        try:
            yield
        except (DBAPIError, sqlite3.Error) as error:
            cause = error.orig if isinstance(error, DBAPIError) else error
            code = getattr(cause, "sqlite_errorcode", 0) & 0xFF
            if code == sqlite3.SQLITE_CONSTRAINT:
                raise
            if code == sqlite3.SQLITE_FULL:
                raise StoreFull(self.path) from error
            if code in {sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED}:
                raise StoreBusy(self.path) from error
            if code in {sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB}:
                raise StoreCorrupt(self.path, "database file", str(cause)) from error
            self._failure = str(cause)
            _log.error("store failed", path=str(self.path), error=str(cause))
            raise StoreError(self.path, str(cause)) from error


def sync_folder(folder: Path) -> None:
    """Make what was created or renamed in `folder` survive a power cut."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)
