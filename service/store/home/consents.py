"""Consents in home.db: given and taken back, kept for ever, keyed.

    record      several steps in one commit; what ends is noted as an ending with them
    covers      from memory: may this trader's status be shared under this arrangement?
    endings     consents that ended and are not yet known to be carried out, over restarts too

A trader is `HMAC-SHA256(secret, TIN)`; the secret is made with the first consent and stays in this
file. The newest step of a trader and arrangement counts. Under an arrangement that asks for consent
only those who gave it are shared; under any other all but those who took it back.
"""

import hmac
import secrets
from collections.abc import Sequence
from threading import Lock
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, func, insert, select
from sqlmodel import col

from service.store.database import Database
from service.store.group_commit import GroupCommit
from service.store.home.consent_tables import ConsentEndingRow, ConsentRow, HomeSecretRow
from service.store.home.home_tables import PublicationRow

SECRET_BYTES: Final = 32
_USE: Final = "consents"


class NewConsent(NamedTuple):
    """A step to be recorded.

    `subject`: of what ends, the trader's subject on the ledger (32 bytes); empty where nothing can
    have been published.
    """

    tin: str
    arrangement_id: bytes
    given: bool
    stated_at: int
    subject: bytes = b""


class ConsentStep(NamedTuple):
    """A step as recorded. Instants are Unix milliseconds."""

    arrangement_id: bytes
    given: bool
    stated_at: int
    recorded_at: int
    recorded_by: str


class Ending(NamedTuple):
    """A consent that ended: whose (keyed), under what, and the trader's subject on the ledger."""

    consent_id: int
    trader: bytes
    arrangement_id: bytes
    subject: bytes
    recorded_at: int


class ConsentStore:
    """The consents of one member's traders. Calls may come from any thread."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits
        self._secret = b""
        self._recording = Lock()
        # Whether the newest step gave it, by arrangement, then trader.
        self._newest: dict[bytes, dict[bytes, bool]] = {}

    def load(self) -> None:
        """Read what is recorded; before any other call."""
        with self._database.reading() as connection:
            self._secret = _read_secret(connection) or b""
            rows = connection.execute(
                select(
                    col(ConsentRow.arrangement_id), col(ConsentRow.trader), col(ConsentRow.given)
                ).order_by(col(ConsentRow.consent_id))
            ).all()
        for arrangement_id, trader, given in rows:
            self._newest.setdefault(arrangement_id, {})[trader] = given

    def asks(self, arrangement_id: bytes, *, required: bool) -> bool:
        """Whether a trader's consent matters at all under an arrangement."""
        return required or arrangement_id in self._newest

    def covers(self, arrangement_id: bytes, tin: str, *, required: bool) -> bool:
        """Whether a trader (canonical TIN) may be shared under an arrangement."""
        given = self.newest(arrangement_id, tin)
        return given if given is not None else not required

    def newest(self, arrangement_id: bytes, tin: str) -> bool | None:
        """What a trader said last of an arrangement; None where it said nothing."""
        known = self._newest.get(arrangement_id)
        return None if known is None else known.get(self.keyed(tin))

    def still_ended(self, ending: Ending) -> bool:
        """Whether the trader has not given its consent again since."""
        return not self._newest.get(ending.arrangement_id, {}).get(ending.trader, False)

    def record(
        self, steps: Sequence[NewConsent], recorded_at: int, recorded_by: str
    ) -> list[Ending]:
        """Record steps, in their order; on the disk when this returns. The endings among them."""
        with self._recording:  # memory follows the order on the disk
            return self._record(steps, recorded_at, recorded_by)

    def _record(
        self, steps: Sequence[NewConsent], recorded_at: int, recorded_by: str
    ) -> list[Ending]:
        if not steps:
            return []
        if not self._secret:
            self._secret = self._commits.run(_make_secret)
        keyed = [self.keyed(step.tin) for step in steps]

        def work(connection: Connection) -> list[Ending]:
            newest = connection.execute(select(func.max(col(ConsentRow.consent_id)))).scalar_one()
            first = 1 + (newest or 0)
            connection.execute(
                insert(ConsentRow),
                [
                    {
                        "consent_id": first + number,
                        "trader": trader,
                        "arrangement_id": step.arrangement_id,
                        "given": step.given,
                        "stated_at": step.stated_at,
                        "recorded_at": recorded_at,
                        "recorded_by": recorded_by,
                    }
                    for number, (step, trader) in enumerate(zip(steps, keyed, strict=True))
                ],
            )
            endings = [
                Ending(first + number, trader, step.arrangement_id, step.subject, recorded_at)
                for number, (step, trader) in enumerate(zip(steps, keyed, strict=True))
                if not step.given and step.subject
            ]
            if endings:
                connection.execute(
                    insert(ConsentEndingRow),
                    [{"consent_id": each.consent_id, "subject": each.subject} for each in endings],
                )
            return endings

        endings = self._commits.run(work)
        for step, trader in zip(steps, keyed, strict=True):
            self._newest.setdefault(step.arrangement_id, {})[trader] = step.given
        return endings

    def history(self, tin: str) -> list[ConsentStep]:
        """Everything that a trader (canonical TIN) ever said, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(
                    col(ConsentRow.arrangement_id),
                    col(ConsentRow.given),
                    col(ConsentRow.stated_at),
                    col(ConsentRow.recorded_at),
                    col(ConsentRow.recorded_by),
                )
                .where(col(ConsentRow.trader) == self.keyed(tin))
                .order_by(col(ConsentRow.consent_id))
            ).all()
        return [ConsentStep(*row) for row in rows]

    def endings(self) -> list[Ending]:
        """Those that are not known to be carried out, oldest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(
                    col(ConsentRow.consent_id),
                    col(ConsentRow.trader),
                    col(ConsentRow.arrangement_id),
                    col(ConsentEndingRow.subject),
                    col(ConsentRow.recorded_at),
                )
                .join(ConsentEndingRow, col(ConsentEndingRow.consent_id) == ConsentRow.consent_id)
                .order_by(col(ConsentRow.consent_id))
            ).all()
        return [Ending(*row) for row in rows]

    def ended(self, endings: Sequence[Ending]) -> None:
        """These are carried out: the ledger shares nothing of them."""
        done = [ending.consent_id for ending in endings]

        def work(connection: Connection) -> None:
            connection.execute(
                delete(ConsentEndingRow).where(col(ConsentEndingRow.consent_id).in_(done))
            )

        if done:
            self._commits.run(work)

    def under_way(self, until: int) -> bool:
        """Whether a publication accepted by `until` (Unix ms) is not all in the log."""
        with self._database.reading() as connection:
            found = connection.execute(
                select(col(PublicationRow.publication_id))
                .where(
                    col(PublicationRow.recorded) < col(PublicationRow.records),
                    col(PublicationRow.created_at) <= until,
                )
                .limit(1)
            ).scalar_one_or_none()
        return found is not None

    def keyed(self, tin: str) -> bytes:
        """How a trader (canonical TIN) stands in these tables."""
        return hmac.digest(self._secret, tin.encode(), "sha256")


def _read_secret(connection: Connection) -> bytes | None:
    return connection.execute(
        select(col(HomeSecretRow.secret)).where(col(HomeSecretRow.use) == _USE)
    ).scalar_one_or_none()


def _make_secret(connection: Connection) -> bytes:
    known = _read_secret(connection)
    if known is None:
        known = secrets.token_bytes(SECRET_BYTES)
        connection.execute(insert(HomeSecretRow), {"use": _USE, "secret": known})
    return known
