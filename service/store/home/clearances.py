"""Clearances in home.db: declarations for monitoring, keyed, and figures that are reported.

A declaration is taken once, however often it is handed in; so no declaration counts twice. Its
number and its operator are `HMAC-SHA256(secret, kind || 0x00 || text)`.
"""

import hmac
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from threading import Lock
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select
from sqlmodel import col

from service.errors import KeyReused
from service.store.database import Database
from service.store.group_commit import GroupCommit
from service.store.home.clearance_tables import ClearanceCallRow, ClearanceRow, ReportedFigureRow
from service.store.home.consent_tables import HomeSecretRow
from service.store.insert_new import insert_new

SECRET_BYTES: Final = 32
_USE: Final = "clearances"
_TABLE: Final = ClearanceRow.__table__  # type: ignore[attr-defined]
# Below SQLite's limit on variables of one statement.
_CHUNK: Final = 10_000


@dataclass(frozen=True, slots=True)
class Cleared:
    """One declaration as it is kept; the fields of `ClearanceRow`."""

    declaration: bytes
    operator: bytes
    partner: str
    released_at: int
    stage_1: int
    stage_2: int | None
    before_arrival: bool | None
    transport_mode: int
    clearance_mode: int
    recognised_under: bytes
    certified: bool
    benefits: str
    value: int
    direct_trade: bool
    small_or_medium: bool
    parties: int
    certified_parties: int
    customs: int | None
    agency: int | None
    trader: int | None
    port: int | None


class Figure(NamedTuple):
    """A reported figure by code (`ReportedCode`) and reason."""

    code: int
    reason: str
    reported: int


class ClearanceStore:
    """The clearances of one member. Calls may come from any thread."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits
        self._secret = b""
        self._making = Lock()

    def key(self, kind: bytes, text: str) -> bytes:
        """The keyed number of a declaration or operator, 32 bytes."""
        with self._making:
            if not self._secret:
                self._secret = self._commits.run(_make_secret)
        return hmac.digest(self._secret, kind + b"\0" + text.encode(), "sha256")

    def answered(self, idempotency_key: str, digest: bytes) -> bytes | None:
        """What a call was answered before; raises `KeyReused` where it had other content."""
        with self._database.reading() as connection:
            return _answered(connection, idempotency_key, digest)

    def known(self, declarations: Sequence[bytes]) -> set[bytes]:
        """Those of these declarations that are recorded."""
        found: set[bytes] = set()
        with self._database.reading() as connection:
            for start in range(0, len(declarations), _CHUNK):
                found.update(
                    connection.execute(
                        select(col(ClearanceRow.declaration)).where(
                            col(ClearanceRow.declaration).in_(declarations[start : start + _CHUNK])
                        )
                    ).scalars()
                )
        return found

    def record(
        self, idempotency_key: str, digest: bytes, answer: bytes, cleared: Sequence[Cleared]
    ) -> None:
        """Keep declarations and what the caller is answered, in one commit.

        One that another call recorded meanwhile is left as it is.
        """
        rows = [{name: getattr(each, name) for name in Cleared.__slots__} for each in cleared]

        def work(connection: Connection) -> None:
            if _answered(connection, idempotency_key, digest) is not None:
                return
            connection.execute(
                insert(ClearanceCallRow),
                {"idempotency_key": idempotency_key, "digest": digest, "answer": answer},
            )
            if rows:
                connection.execute(insert_new(_TABLE), rows)

        self._commits.run(work)

    def cleared(self, begin: int, end: int) -> list[Cleared]:
        """Every declaration released in a period (Unix ms, half-open)."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(*(_TABLE.c[name] for name in Cleared.__slots__)).where(
                    col(ClearanceRow.released_at) >= begin, col(ClearanceRow.released_at) < end
                )
            ).all()
        return [Cleared(*row) for row in rows]

    def put_figures(
        self, arrangement_id: bytes, begin: int, end: int, figures: Sequence[Figure]
    ) -> None:
        """Keep figures of a period, in place of earlier ones of the same code and reason."""
        rows = [
            {
                "arrangement_id": arrangement_id,
                "begin": begin,
                "end": end,
                "code": figure.code,
                "reason": figure.reason,
                "count": figure.reported,
            }
            for figure in figures
        ]

        def work(connection: Connection) -> None:
            for row in rows:
                connection.execute(
                    delete(ReportedFigureRow).where(
                        col(ReportedFigureRow.arrangement_id) == arrangement_id,
                        col(ReportedFigureRow.begin) == begin,
                        col(ReportedFigureRow.end) == end,
                        col(ReportedFigureRow.code) == row["code"],
                        col(ReportedFigureRow.reason) == row["reason"],
                    )
                )
                connection.execute(insert(ReportedFigureRow), row)

        self._commits.run(work)

    def figures(self, arrangement_id: bytes, begin: int, end: int) -> list[Figure]:
        """The figures reported of exactly this period."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(
                    col(ReportedFigureRow.code),
                    col(ReportedFigureRow.reason),
                    col(ReportedFigureRow.count),
                )
                .where(
                    col(ReportedFigureRow.arrangement_id) == arrangement_id,
                    col(ReportedFigureRow.begin) == begin,
                    col(ReportedFigureRow.end) == end,
                )
                .order_by(col(ReportedFigureRow.code), col(ReportedFigureRow.reason))
            ).all()
        return [Figure(*row) for row in rows]


def _answered(connection: Connection, idempotency_key: str, digest: bytes) -> bytes | None:
    row = connection.execute(
        select(col(ClearanceCallRow.digest), col(ClearanceCallRow.answer)).where(
            col(ClearanceCallRow.idempotency_key) == idempotency_key
        )
    ).one_or_none()
    if row is None:
        return None
    if row.digest != digest:
        raise KeyReused(idempotency_key)
    return bytes(row.answer)


def _make_secret(connection: Connection) -> bytes:
    known = connection.execute(
        select(col(HomeSecretRow.secret)).where(col(HomeSecretRow.use) == _USE)
    ).scalar_one_or_none()
    if known is None:
        known = secrets.token_bytes(SECRET_BYTES)
        connection.execute(insert(HomeSecretRow), {"use": _USE, "secret": known})
    return known
