"""Sessions with a PostgreSQL server: how they are opened, and what its errors mean.

| setting | why |
|---|---|
| ``search_path`` | the schema of this store and no other |
| ``synchronous_commit`` not ``off`` | a commit is on the server's disk before it is answered |
| ``keepalives``, ``tcp_keepalives`` | either side notices within ten seconds that the other went |
| ``target_session_attrs=read-write`` | of several servers in the address, the one that writes |

A database must sort text by its bytes (``LOCALE 'C'``): SQLite does, and an index that follows a
language is broken by an upgrade of the server's operating system.
"""

import os
import socket
from contextlib import suppress
from typing import Any, Final

import psycopg
import structlog
from psycopg.conninfo import conninfo_to_dict
from sqlalchemy.exc import DBAPIError, IntegrityError

from service.errors import StoreAway, StoreBusy, StoreCorrupt, StoreError, StoreFull
from service.store.fence import Session
from service.store.location import Server

CONNECT_SECONDS: Final = 5
_ALIVE: Final = {"keepalives_idle": 4, "keepalives_interval": 2, "keepalives_count": 3}
_OPTIONS: Final = (
    "-c tcp_keepalives_idle=4 -c tcp_keepalives_interval=2 -c tcp_keepalives_count=3 "
    "-c client_min_messages=warning"
)
# Conditions under which the server is away: it stops, starts, or writes elsewhere now.
_AWAY: Final = {"57P01", "57P02", "57P03", "57P05", "25006", "53300"}
_FULL: Final = {"53100"}
_BUSY: Final = {"55P03", "55006"}
_CORRUPT: Final = {"XX001", "XX002"}

_CHECK: Final = """
SELECT pg_encoding_to_char(encoding), 'B' < 'a' AND 'z' < 'ä',
       current_setting('synchronous_commit'), current_setting('fsync')
FROM pg_database WHERE datname = current_database()"""

_log = structlog.get_logger(__name__)


def connect(server: Server, *, read_only: bool = False) -> Session:
    """Open a session, in autocommit mode. Raises psycopg's errors and `StoreError`."""
    try:
        given: dict[str, Any] = dict(conninfo_to_dict(server.address))
    except psycopg.ProgrammingError:
        raise StoreError(server, "is not an address as libpq reads it") from None
    defaults = {
        "connect_timeout": CONNECT_SECONDS,
        "application_name": f"aeo {os.getpid()} on {socket.gethostname()}"[:63],
        "client_encoding": "UTF8",
        **_ALIVE,
    }
    if not read_only:
        defaults["target_session_attrs"] = "read-write"
    options = f"{given.pop('options', '')} {_OPTIONS} -c search_path={server.schema}"
    if read_only:
        options += " -c default_transaction_read_only=on"
    return psycopg.connect(**{**defaults, **given, "options": options}, autocommit=True)


def check_server(server: Server, session: Session) -> None:
    """Refuse a database that cannot keep a store; make this session's commits durable."""
    row = session.execute(_CHECK).fetchone()
    assert row is not None, "the database that answers"
    encoding, by_bytes, synchronous, fsync = row
    if encoding != "UTF8" or not by_bytes:
        raise StoreError(
            server,
            "the database must be made with ENCODING 'UTF8' LOCALE 'C' TEMPLATE template0, "
            "so that text is sorted by its bytes",
        )
    if synchronous == "off":
        session.execute("SET synchronous_commit = on")
    if fsync == "off":
        _log.warning("the server may lose commits when its machine stops: fsync is off")


def is_away(error: BaseException) -> bool:
    """Whether an error says that the server cannot be reached now, rather than that it refuses."""
    if isinstance(error, DBAPIError):
        if error.connection_invalidated:
            return True
        assert error.orig is not None, "what the driver raised"
        error = error.orig
    if not isinstance(error, psycopg.Error):
        return False
    if error.sqlstate is None:
        return isinstance(error, psycopg.OperationalError)
    return error.sqlstate.startswith("08") or error.sqlstate in _AWAY


def translate(server: Server, error: DBAPIError | psycopg.Error) -> Exception:
    """The error of `service.errors` for what the driver raised; a broken constraint as it is."""
    if isinstance(error, IntegrityError):
        return error
    cause = error.orig if isinstance(error, DBAPIError) else error
    assert cause is not None, "what the driver raised"
    if is_away(error):
        return StoreAway(server, _text(cause))
    state = getattr(cause, "sqlstate", None) or ""
    if state in _FULL:
        return StoreFull(server)
    if state in _BUSY:
        return StoreBusy(server)
    if state in _CORRUPT:
        return StoreCorrupt(server, "database", _text(cause))
    return StoreError(server, _text(cause))


def end(session: Session) -> None:
    """Close a session, whatever state it is in."""
    with suppress(psycopg.Error):
        session.close()


def _text(cause: BaseException) -> str:
    """The first line only: what follows quotes the statement's values, which may be personal."""
    lines = str(cause).strip().splitlines()
    return lines[0] if lines else type(cause).__name__
