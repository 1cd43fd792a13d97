"""Erasures in home.db: what goes at home, what partners must erase, and that nothing is left.

    erase_own            profile and nonces go, and each partner's notice is written, in one commit
    erase_partners       what a partner's notice names goes, and can never be kept again
    scrub                then no byte of it is left in the files: see there

That a scrub is due is kept too: it outlives a crash between the two.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Final, NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from service.store.database import Database
from service.store.group_commit import GroupCommit
from service.store.home.profile_counters import SCRUB_DUE, counter, set_counter, slices
from service.store.home.profile_tables import (
    ErasedProfileRow,
    ErasureNoticeRow,
    ErasureRow,
    PartnerProfileRow,
    ProfileNonceRow,
    ProfileRow,
    WantedProfileRow,
)
from service.store.insert_new import insert_new

COMMITMENT_BYTES: Final = 32


class Notice(NamedTuple):
    """What a partner must erase; `acknowledged_at` is 0 until it has."""

    notice_id: int
    erasure_id: str
    partner: str
    arrangement_id: bytes
    commitments: tuple[bytes, ...]
    acknowledged_at: int


class Erasure(NamedTuple):
    """An erasure, and each partner's answer."""

    erasure_id: str
    erased_at: int
    notices: tuple[Notice, ...]


class Erasures:
    """What a `ProfileStore` erases, and the TINs whose profile is in force."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits
        self._tins: set[str] | None = None

    def _known(self) -> set[str]:
        if self._tins is None:
            with self._database.reading() as connection:
                self._tins = set(connection.execute(select(col(ProfileRow.tin))).scalars())
        return self._tins

    def erase_own(
        self,
        erasure_id: str,
        tin: str,
        arrangement_ids: Collection[bytes],
        partners: Mapping[bytes, Sequence[str]],
        now: int,
    ) -> bool:
        """Erase a profile and its nonces (of some arrangements: those nonces), and write notices.

        `partners`: who must be told, by arrangement. False where there was nothing to erase.
        """

        def work(connection: Connection) -> bool:
            ids = [
                row[0]
                for row in connection.execute(
                    select(col(ProfileRow.profile_id)).where(col(ProfileRow.tin) == tin)
                )
            ]
            if not ids:
                return False
            mine = col(ProfileNonceRow.profile_id).in_(ids)
            of_these = (
                [mine, col(ProfileNonceRow.arrangement_id).in_(list(arrangement_ids))]
                if arrangement_ids
                else [mine]
            )
            made: dict[bytes, list[bytes]] = {}
            for commitment, arrangement_id in connection.execute(
                select(col(ProfileNonceRow.commitment), col(ProfileNonceRow.arrangement_id)).where(
                    *of_these
                )
            ):
                made.setdefault(arrangement_id, []).append(commitment)
            if arrangement_ids and not made:
                return False
            connection.execute(delete(ProfileNonceRow).where(*of_these))
            if not arrangement_ids:
                connection.execute(delete(ProfileRow).where(col(ProfileRow.tin) == tin))
            connection.execute(insert(ErasureRow), {"erasure_id": erasure_id, "erased_at": now})
            notices = [
                {
                    "erasure_id": erasure_id,
                    "partner": partner,
                    "arrangement_id": arrangement_id,
                    "commitments": b"".join(sorted(commitments)),
                    "acknowledged_at": 0,
                }
                for arrangement_id, commitments in sorted(made.items())
                for partner in partners.get(arrangement_id, ())
            ]
            if notices:
                connection.execute(insert(ErasureNoticeRow), notices)
            set_counter(connection, SCRUB_DUE, 1)
            return True

        known = self._known()
        erased = self._commits.run(work)
        if not arrangement_ids:
            known.discard(tin)
        return erased

    def erase_partners(
        self, arrangement_id: bytes, issuer: str, commitments: Sequence[bytes], now: int
    ) -> tuple[list[bytes], list[bytes]]:
        """Erase what an issuer's notice names: what was kept here, and all that is gone now.

        Only its own: a partner cannot have another's profiles erased.
        """

        def work(connection: Connection) -> tuple[list[bytes], list[bytes]]:
            held: list[bytes] = []
            gone: list[bytes] = []
            for part in slices(commitments):
                # Whoever copies another's commitment into a record of its own hinders nobody.
                own, foreign = _whose(connection, arrangement_id, issuer, part)
                free = [each for each in part if each in own or each not in foreign]
                gone += free
                if not free:
                    continue
                for table in (PartnerProfileRow, WantedProfileRow):
                    here = (
                        col(table.commitment).in_(free),
                        col(table.issuer) == issuer,
                        col(table.arrangement_id) == arrangement_id,
                    )
                    if table is PartnerProfileRow:
                        held += connection.execute(
                            select(col(table.commitment)).where(*here)
                        ).scalars()
                    connection.execute(delete(table).where(*here))
                connection.execute(
                    insert_new(ErasedProfileRow),
                    [{"commitment": each, "issuer": issuer, "erased_at": now} for each in free],
                )
            if held:
                set_counter(connection, SCRUB_DUE, 1)
            return held, gone

        return self._commits.run(work)

    def notices(self, limit: int) -> list[Notice]:
        """Notices that wait for their acknowledgement, oldest first."""
        with self._database.reading() as connection:
            return _notices(connection, limit)

    def acknowledge(self, notice_id: int, at: int) -> None:
        """Note that a partner has erased what a notice names."""

        def work(connection: Connection) -> None:
            connection.execute(
                update(ErasureNoticeRow)
                .where(col(ErasureNoticeRow.notice_id) == notice_id)
                .values(acknowledged_at=at)
            )

        self._commits.run(work)

    def erasures(self) -> list[Erasure]:
        """Every erasure, newest first."""
        with self._database.reading() as connection:
            by_erasure: dict[str, list[Notice]] = {}
            for notice in _notices(connection, None):
                by_erasure.setdefault(notice.erasure_id, []).append(notice)
            rows = connection.execute(
                select(col(ErasureRow.erasure_id), col(ErasureRow.erased_at)).order_by(
                    col(ErasureRow.erased_at).desc(), col(ErasureRow.erasure_id)
                )
            ).all()
        return [Erasure(each, at, tuple(by_erasure.get(each, ()))) for each, at in rows]

    def scrub_due(self) -> bool:
        """Whether something was erased since the last scrub."""
        with self._database.reading() as connection:
            return bool(counter(connection, SCRUB_DUE))

    def scrub(self) -> bool:
        """Leave no byte of what was erased in the files; False where readers stood in the way.

        What is deleted is overwritten, but pages that were split or joined before may keep copies
        in their unused part, and the write-ahead log holds pages as they were. So the log is folded
        in and emptied, the file written anew, and the log emptied again.
        """
        if not self._database.scrub():
            return False

        def work(connection: Connection) -> None:
            set_counter(connection, SCRUB_DUE, 0)

        self._commits.run(work)
        return True


def _whose(
    connection: Connection, arrangement_id: bytes, issuer: str, commitments: Sequence[bytes]
) -> tuple[set[bytes], set[bytes]]:
    """The commitments that an issuer made under an arrangement, and those that others did."""
    own = set(
        connection.execute(
            select(col(ErasedProfileRow.commitment)).where(
                col(ErasedProfileRow.commitment).in_(commitments),
                col(ErasedProfileRow.issuer) == issuer,
            )
        ).scalars()
    )
    foreign: set[bytes] = set()
    for table in (PartnerProfileRow, WantedProfileRow):
        rows = connection.execute(
            select(col(table.commitment), col(table.issuer), col(table.arrangement_id)).where(
                col(table.commitment).in_(commitments)
            )
        )
        for commitment, *of in rows:
            (own if of == [issuer, arrangement_id] else foreign).add(commitment)
    return own, foreign


def _notices(connection: Connection, waiting: int | None) -> list[Notice]:
    row = ErasureNoticeRow
    wanted = select(
        col(row.notice_id),
        col(row.erasure_id),
        col(row.partner),
        col(row.arrangement_id),
        col(row.commitments),
        col(row.acknowledged_at),
    ).order_by(col(row.notice_id))
    if waiting is not None:
        wanted = wanted.where(col(row.acknowledged_at) == 0).limit(waiting)
    return [
        Notice(number, erasure, partner, arrangement, _cut(joined), at)
        for number, erasure, partner, arrangement, joined, at in connection.execute(wanted)
    ]


def _cut(joined: bytes) -> tuple[bytes, ...]:
    step = COMMITMENT_BYTES
    return tuple(joined[at : at + step] for at in range(0, len(joined), step))
