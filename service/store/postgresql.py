"""A schema of a PostgreSQL database as a store.

Every write runs in the one session that holds the store's lock (`service.store.fence`). When that
session is lost

- before COMMIT was sent, nothing was written: `StoreAway`, and `run` does the work again;
- while COMMIT was under way, its outcome is not known until the server answers again: then the
  count of commits tells, and the write returns as done or raises `StoreAway`. Where the server does
  not come back in time, nothing is written any more until the store is opened anew, for the caller
  was told neither yes nor no.

Both wait for the server for `OUTAGE_SECONDS`, long enough for a standby to take over.

What is erased: PostgreSQL overwrites nothing in place. `forget` and `scrub` write tables anew
(VACUUM FULL), after which no file of a table holds what was deleted; the old files' blocks are
free, not overwritten. The write-ahead log holds it until its segments are used again (at most
`max_wal_size` later), and so do archived logs, standbys that lag, and backups, for as long as they
are kept.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from threading import Event
from time import monotonic
from typing import Any, Final

import psycopg
import structlog
from psycopg import IsolationLevel, sql
from sqlalchemy import Connection, Engine, RootTransaction, create_engine
from sqlalchemy.exc import DBAPIError
from sqlalchemy.pool import NullPool, Pool, QueuePool

from service.errors import StoreAway, StoreBusy, StoreCorrupt, StoreError
from service.store.database import Database, Result
from service.store.fence import STEP, Fence, Session, make_schema
from service.store.location import Server
from service.store.server_session import check_server, connect, end, is_away, translate

OUTAGE_SECONDS: Final = 30.0
# Sessions that read at once; a server has a hundred by default, for all its stores and nodes.
SERVER_READERS: Final = 8
_AGAIN_SECONDS: Final = 0.1
# For a table to be written anew: who reads it must have finished, and nobody may queue for long.
_QUIET_SECONDS: Final = 2.0

_TABLES: Final = (
    "SELECT tablename FROM pg_tables WHERE schemaname = current_schema() ORDER BY tablename"
)
# Whoever still sees what was there before transaction %s, as far as this role may know.
_LOOKING_BACK: Final = """
SELECT count(*) FROM (
    SELECT backend_xmin AS seen FROM pg_stat_activity
    WHERE pid <> pg_backend_pid() AND (datname = current_database() OR datname IS NULL)
    UNION ALL SELECT xmin FROM pg_replication_slots
    UNION ALL SELECT transaction FROM pg_prepared_xacts
) AS all_seen WHERE age(seen) >= age(%s::xid)"""

_log = structlog.get_logger(__name__)


class ServerDatabase(Database):
    """The schema of `server`, with the tables of `branch`."""

    def __init__(
        self,
        server: Server,
        branch: str,
        *,
        read_only: bool,
        outage_seconds: float = OUTAGE_SECONDS,
    ) -> None:
        super().__init__(server, branch, read_only=read_only)
        self._server = server
        self._outage = 0.0
        self._outage_seconds = outage_seconds
        self._closing = Event()
        self._fence = Fence(server, self._closing)
        self._readers: Engine | None = None
        self._writers: Engine | None = None
        self._writer: Connection | None = None
        # The writer's own session, and how many commits the server had when it was opened again.
        self._session: Session | None = None
        self._seen: int | None = None

    def open(self) -> None:
        """Become the schema's writer, making it when missing; bring its tables up to date."""
        if self._readers is not None:
            return
        self._closing.clear()
        self._outage = 0.0
        try:
            with self._translated():
                self._readers = _engine(self._reader, QueuePool)
                if self._read_only:
                    self._find_schema()
                else:
                    self._writers = _engine(self._first_writer, NullPool)
                    self._writer = self._writers.connect()
            self._bring_up_to_date()
        except BaseException:
            self.close()
            raise
        # From now on a server that is away is waited for; at the start it is told at once.
        self._outage = self._outage_seconds

    def close(self) -> None:
        """Finish the write under way, then let go; readers end by themselves."""
        self._closing.set()
        with self._write_lock:
            if self._session is not None:
                with suppress(psycopg.Error):  # lost before: then the lock is gone as well
                    self._fence.leave(self._session)
            self._drop_writer()
            if self._readers is not None:
                self._readers.dispose()
                self._readers = None
            self._writers = None
            self._failure = None

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """Give a connection that sees one state of the schema throughout."""
        with (
            self._translated(),
            self._patiently(self._opened().connect) as connection,
            connection.begin(),
        ):
            yield connection

    @contextmanager
    def writing(self) -> Iterator[Connection]:
        """Give the one connection that may write; leaving the block commits durably."""
        with self._write_lock:
            self._check_writable()
            self._opened()
            if self._read_only:
                raise StoreError(self.path, "opened readonly")
            with self._translated():
                transaction = self._patiently(self._begin)
                connection = transaction.connection
                try:
                    yield connection
                except BaseException:
                    self._undo(transaction)
                    raise
                self._commit(transaction)

    def run(self, work: Callable[[Connection], Result]) -> Result:
        """Do `work` in a transaction; again where the session was lost before its commit."""
        until = monotonic() + self._outage
        while True:
            try:
                return super().run(work)
            except StoreAway:
                if monotonic() > until or self._closing.is_set():
                    raise

    def forget(self, *tables: str) -> None:
        """Write these tables anew; see above for what that leaves."""
        with self._write_lock, self._translated(), self._maintaining() as session:
            try:
                _write_anew(session, tables)
            except psycopg.errors.LockNotAvailable:
                _log.warning("a table is being read and was not written anew", tables=tables)

    def scrub(self) -> bool:
        """Write every table anew; False where somebody still sees what was deleted."""
        with self._write_lock, self._translated(), self._maintaining() as session:
            if not self._nobody_looks_back(session):
                return False
            tables = [name for (name,) in session.execute(_TABLES).fetchall()]
            try:
                _write_anew(session, tables)
            except psycopg.errors.LockNotAvailable:
                return False
            try:
                # Old files stay, emptied, until the next one. Not every role may ask for it.
                session.execute("CHECKPOINT")
            except psycopg.errors.InsufficientPrivilege:
                _log.info("the server empties its log when it will: grant pg_checkpoint")
            return True

    # Sessions.

    def _reader(self) -> Session:
        session = connect(self._server, read_only=True)
        session.autocommit = False
        session.isolation_level = IsolationLevel.REPEATABLE_READ
        return session

    def _first_writer(self) -> Session:
        """The session that writes: the lock is taken, and nobody has written meanwhile."""
        session = connect(self._server)
        try:
            check_server(self._server, session)
            if self._fence.nonce and self._outage:
                seen = self._fence.return_to(session)
                self._check_alone(seen)
                self._seen = seen
            else:
                make_schema(session, self._server.schema)
                self._fence.enter(session)
        except BaseException:
            end(session)
            raise
        session.autocommit = False
        self._session = session
        return session

    def _find_schema(self) -> None:
        with self._opened().connect() as connection:
            found = connection.exec_driver_sql(
                "SELECT to_regclass('alembic_version') IS NOT NULL"
            ).scalar_one()
        if not found:
            raise StoreError(self.path, "there is no such store")

    @contextmanager
    def _maintaining(self) -> Iterator[Session]:
        session = self._patiently(lambda: connect(self._server))
        try:
            session.execute(f"SET lock_timeout = '{_QUIET_SECONDS:.0f}s'")
            yield session
        finally:
            end(session)

    def _nobody_looks_back(self, session: Session) -> bool:
        now = session.execute("SELECT pg_current_xact_id()::xid::text").fetchone()
        assert now is not None, "a number of this transaction"
        until = monotonic() + _QUIET_SECONDS
        while session.execute(_LOOKING_BACK, now).fetchone() != (0,):
            if monotonic() > until or self._closing.wait(_AGAIN_SECONDS):
                return False
        return True

    # A write.

    def _begin(self) -> RootTransaction:
        """Begin, over a new session where the last was lost; nothing is written yet."""
        try:
            if self._writer is None:
                assert self._writers is not None, "it is open for writing"
                self._writer = self._writers.connect()
                self._check_count(self._seen, self._fence.commits)
            transaction = self._writer.begin()
            commits = self._writer.execute(STEP, {"nonce": self._fence.nonce}).scalar_one_or_none()
            self._check_alone(commits)
            self._check_count(commits, self._fence.commits + 1)
        except BaseException:
            self._drop_writer()
            raise
        return transaction

    def _undo(self, transaction: RootTransaction) -> None:
        try:
            transaction.rollback()
        except DBAPIError:
            self._drop_writer()
        else:
            if transaction.connection.invalidated:
                self._drop_writer()

    def _commit(self, transaction: RootTransaction) -> None:
        try:
            transaction.commit()
        except DBAPIError as error:
            if not is_away(error):
                self._undo(transaction)
                raise
            self._drop_writer()
            self._find_out(error)
        except BaseException:
            self._drop_writer()
            self._failure = "a commit was interrupted, and its outcome is not known"
            raise
        self._fence.commits += 1

    def _find_out(self, lost: DBAPIError) -> None:
        """Return when the commit that was under way is on the server; `StoreAway` when not."""
        assert self._writers is not None, "it is open for writing"
        before, self._seen = self._fence.commits, None
        try:
            self._writer = self._patiently(self._writers.connect)
        except Exception as error:
            self._failure = "the outcome of a commit is not known"
            _log.error("store failed", path=str(self.path), error=self._failure)
            raise StoreError(self.path, self._failure) from error
        if self._seen == before:
            raise StoreAway(self.path, "the session was lost before its commit") from lost
        self._check_count(self._seen, before + 1)

    def _check_alone(self, seen: int | None) -> None:
        if seen is None:
            self._failure = "another node has opened this store since"
            raise StoreError(self.path, self._failure)

    def _check_count(self, seen: int | None, expected: int) -> None:
        if seen is not None and seen != expected:
            self._failure = f"the server has {seen} commits of this store, not {expected}"
            raise StoreCorrupt(self.path, "commits", f"{self._failure}: an older copy took over")

    def _drop_writer(self) -> None:
        writer, self._writer = self._writer, None
        session, self._session = self._session, None
        self._seen = None
        if writer is not None:
            writer.invalidate()
            writer.close()
        if session is not None:
            end(session)

    # Errors.

    def _opened(self) -> Engine:
        if self._readers is None:
            raise StoreError(self.path, "is not open")
        return self._readers

    def _patiently(self, attempt: Callable[[], Result]) -> Result:
        """Do what has no effect yet, again and again while the server is away."""
        until = monotonic() + self._outage
        while True:
            try:
                return attempt()
            except (DBAPIError, psycopg.Error, StoreBusy) as error:
                away = isinstance(error, StoreBusy) or is_away(error)
                if not away or monotonic() > until:
                    raise
                _log.warning("waiting for the server", path=str(self.path))
            if self._closing.wait(_AGAIN_SECONDS):
                raise StoreAway(self.path, "it is being closed")

    @contextmanager
    def _translated(self) -> Iterator[None]:
        try:
            yield
        except (DBAPIError, psycopg.Error) as error:
            found = translate(self._server, error)
            if found is error:
                raise
            raise found from error


def _engine(connect: Callable[[], Session], pool: type[Pool]) -> Engine:
    settings: dict[str, Any] = {}
    if pool is QueuePool:
        settings = {"pool_size": SERVER_READERS, "max_overflow": 0, "pool_use_lifo": True}
    return create_engine(
        "postgresql+psycopg://",
        # An error may end in a log; what was to be stored may be personal or secret.
        hide_parameters=True,
        creator=connect,
        poolclass=pool,
        pool_pre_ping=pool is QueuePool,
        use_native_hstore=False,
        **settings,
    )


def _write_anew(session: Session, tables: "list[str] | tuple[str, ...]") -> None:
    for table in tables:
        session.execute(sql.SQL("VACUUM (FULL) {}").format(sql.Identifier(table)))
