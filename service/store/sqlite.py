"""A SQLite database, in a file or in memory.

| setting | why |
|---|---|
| ``journal_mode=WAL``, ``synchronous=FULL`` | a commit is on the disk before it is answered |
| ``secure_delete=ON`` | what is erased is overwritten, not merely unlinked |
| ``recursive_triggers=ON`` | ``INSERT OR REPLACE`` cannot slip past the triggers |
| ``foreign_keys=ON`` | what refers to a row finds it |
| ``max_page_count`` | a limit of the operator's choice, 4,096 bytes a page |

After a failed write whose outcome on the disk is unknown (an I/O error) the database refuses to
write until it is opened again: what the disk then holds is the truth.

A database in memory has one connection, so that its readers wait for one another and for writers.
"""

import os
import sqlite3
from collections.abc import Iterator
from contextlib import AbstractContextManager, closing, contextmanager, nullcontext
from pathlib import Path
from typing import Any, Final

import structlog
from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import QueuePool, StaticPool

from service.errors import StoreBusy, StoreCorrupt, StoreError, StoreFull
from service.store.database import READERS, Database, sync_folder
from service.store.location import Memory
from service.store.lock import FileLock

# SQLite wants milliseconds; only a checkpoint or a reader's recovery can make anyone wait at all.
BUSY_TIMEOUT_MS: Final = 5_000

_log = structlog.get_logger(__name__)


class SqliteDatabase(Database):
    """The file at `path`, or a `Memory`, with the tables of `branch`."""

    def __init__(
        self, path: Path | Memory, branch: str, *, max_page_count: int | None, read_only: bool
    ) -> None:
        super().__init__(path, branch, read_only=read_only)
        self._at = path
        self._max_page_count = max_page_count
        self._lock: FileLock | None = None
        self._engine: Engine | None = None
        self._writer: Connection | None = None

    def open(self) -> None:
        """Take the lock, open the file (made when missing) and bring its tables up to date."""
        if self._engine is not None:
            return
        if isinstance(self._at, Memory):
            self._take_memory(self._at)
        elif not self._read_only:
            self._lock = FileLock(self._at)
        elif not self._at.is_file():
            raise StoreError(self.path, "there is no such store")
        try:
            if not self._read_only and isinstance(self._at, Path):
                _make_file(self._at)
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
                if isinstance(self._at, Path):
                    self._engine.dispose()
                elif not self._read_only:
                    self._at.open = False
                self._engine = None
            # What the disk holds is read anew by who opens it again.
            self._failure = None
        if self._lock is not None:
            self._lock.release()
            self._lock = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the file throughout."""
        with (
            self._alone(),
            self._translated(),
            self._opened().connect() as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the one connection that may write; leaving the block commits, with fsync."""
        with self._write_lock:
            self._check_writable()
            with self._alone(), self._translated():
                if isinstance(self._at, Memory):
                    with self._opened().connect() as connection, connection.begin():
                        if self._read_only:
                            raise StoreError(self.path, "opened readonly")
                        yield connection
                    return
                if self._writer is None:
                    self._writer = self._opened().connect()
                with self._writer.begin():
                    yield self._writer

    def forget(self, *_: str) -> None:
        """Fold the write-ahead log into the file and empty it, as far as readers let it.

        What was deleted is overwritten in the file; the log still holds pages from before.
        """
        if isinstance(self._at, Memory):
            return
        with self._write_lock, self._translated(), closing(self._connect()) as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def scrub(self) -> bool:
        """Write the file anew without what was deleted; False where a reader keeps the log alive.

        The copy that SQLite makes meanwhile is kept in memory, so that no other file holds it.
        """
        if isinstance(self._at, Memory):
            with self._alone(), self._translated():
                self._at.connection.execute("VACUUM")
            return True
        with self._write_lock, self._translated(), closing(self._connect()) as connection:
            connection.execute("PRAGMA temp_store = MEMORY")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            connection.execute("VACUUM")
            busy, *_ = connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchone()
            return not busy

    def _take_memory(self, memory: Memory) -> None:
        if not self._read_only:
            with memory.lock:
                if memory.open:
                    raise StoreBusy(self.path, str(os.getpid()))
                memory.open = True

    def _alone(self) -> AbstractContextManager[Any]:
        return self._at.lock if isinstance(self._at, Memory) else nullcontext()

    def _opened(self) -> Engine:
        if self._engine is None:
            raise StoreError(self.path, "is not open")
        return self._engine

    def _make_engine(self) -> Engine:
        if isinstance(self._at, Memory):
            engine = create_engine(
                "sqlite://", hide_parameters=True, creator=self._connect, poolclass=StaticPool
            )
        else:
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
        if isinstance(self._at, Memory):
            connection = self._at.connection
        else:
            connection = sqlite3.connect(
                self._at,
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


def _make_file(path: Path) -> None:
    if path.exists():
        return
    # Only its owner reads it: home.db holds lookup keys. SQLite gives its WAL the same mode.
    os.close(os.open(path, os.O_RDWR | os.O_CREAT, 0o600))
    sync_folder(path.parent)
