"""One writer for one schema of a PostgreSQL database: a lock, a mark, and a count of commits.

The lock is an advisory lock of the session that writes, so the server lets go of it when that
session ends, however it ends, and nobody writes without it. What a lock cannot tell after a lost
connection stands in the one row of `store_writer`:

    nonce       who opened the store last: with another's there, another node has written since
    commits     grows with every transaction: whether the last one was committed, and whether the
                server still has all that it acknowledged (a stale copy that took over has not)

Each write begins with `STEP`, which is at once a sign of life from the server, proof that nobody
else has opened the store, and the count.
"""

import secrets
from hashlib import sha256
from threading import Event
from time import monotonic
from typing import Any, Final

import psycopg
from psycopg import sql
from sqlalchemy import text

from service.errors import StoreBusy
from service.store.location import Server

# A process that was killed just now: its session ends within milliseconds, once it is noticed.
LOCK_SECONDS: Final = 3.0
_AGAIN_SECONDS: Final = 0.05

STEP: Final = text(
    "UPDATE store_writer SET commits = commits + 1 WHERE nonce = :nonce RETURNING commits"
)
_MAKE: Final = """
CREATE TABLE IF NOT EXISTS store_writer (
    number integer PRIMARY KEY CHECK (number = 0), nonce bytea NOT NULL, commits bigint NOT NULL
)"""
_ENTER: Final = """
INSERT INTO store_writer VALUES (0, %s, 0)
ON CONFLICT (number) DO UPDATE SET nonce = excluded.nonce RETURNING commits"""
_HOLDER: Final = """
SELECT a.application_name FROM pg_locks l JOIN pg_stat_activity a USING (pid)
WHERE l.locktype = 'advisory' AND l.granted AND l.classid = %s::bigint AND l.objid = %s::bigint
AND l.database = (SELECT oid FROM pg_database WHERE datname = current_database())"""

Session = psycopg.Connection[Any]


class Fence:
    """Who may write the store at `server`, and how many commits it has seen."""

    def __init__(self, server: Server, closing: Event) -> None:
        self._server = server
        self._closing = closing
        # Within one database; the server keeps databases apart.
        number = int.from_bytes(sha256(b"aeo store " + server.schema.encode()).digest()[:8])
        self._key = number - (1 << 63)
        self.nonce = b""
        self.commits = 0

    def enter(self, session: Session) -> None:
        """Become the writer, at first. Raises `StoreBusy` when another is."""
        self._lock(session)
        session.execute(_MAKE)
        nonce = secrets.token_bytes(16)
        row = session.execute(_ENTER, (nonce,)).fetchone()
        assert row is not None, "RETURNING gives what was written"
        self.nonce, self.commits = nonce, row[0]

    def return_to(self, session: Session) -> int | None:
        """Be the writer again over a new session; how many commits the server has.

        None: another has been the writer meanwhile. Raises `StoreBusy` when another is.
        """
        self._lock(session)
        row = session.execute("SELECT nonce, commits FROM store_writer").fetchone()
        return None if row is None or row[0] != self.nonce else int(row[1])

    def leave(self, session: Session) -> None:
        """Let others write at once, rather than when the server notices that the session ended."""
        session.execute("SELECT pg_advisory_unlock(%s)", (self._key,))

    def _lock(self, session: Session) -> None:
        until = monotonic() + LOCK_SECONDS
        while True:
            row = session.execute("SELECT pg_try_advisory_lock(%s)", (self._key,)).fetchone()
            if row == (True,):
                return
            if monotonic() > until or self._closing.wait(_AGAIN_SECONDS):
                raise StoreBusy(self._server, self._holder(session))

    def _holder(self, session: Session) -> str:
        bits = self._key % (1 << 64)
        row = session.execute(_HOLDER, (bits >> 32, bits & 0xFFFFFFFF)).fetchone()
        return "" if row is None else str(row[0]).removeprefix("aeo ")


def make_schema(session: Session, schema: str) -> None:
    """Make the schema of a store where it is missing; whoever may not finds it made by others."""
    found = session.execute("SELECT to_regnamespace(%s)", (schema,)).fetchone()
    if found == (None,):
        session.execute(sql.SQL("CREATE SCHEMA {}").format(sql.Identifier(schema)))
