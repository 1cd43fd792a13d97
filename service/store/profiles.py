"""Profiles in home.db: one's own by TIN, partners' by commitment, and what must be erased where.

    put, commit          a profile in force, and a fresh nonce for each record that is published
    want, keep           what partners' records commit to, until it has come and opened them
    erase_own            profile and nonces go, and each partner's notice is written, in one commit
    erase_partners       what a partner's notice names goes, and can never be kept again
    scrub                then no byte of it is left in the files: see there

That a scrub is due is kept too: it outlives a crash between the two.
"""

from collections.abc import Collection, Container, Iterable, Iterator, Mapping, Sequence
from secrets import token_bytes
from typing import Final, NamedTuple, TypeVar

from sqlalchemy import Connection, delete, func, insert, select, update
from sqlalchemy.dialects.sqlite import insert as insert_or
from sqlmodel import col

from ledger.customs.profile import NONCE_BYTES, profile_commitment
from service.store.database import Database
from service.store.group_commit import GroupCommit
from service.store.home_tables import CounterRow
from service.store.profile_tables import (
    ErasedProfileRow,
    ErasureNoticeRow,
    ErasureRow,
    PartnerProfileRow,
    ProfileNonceRow,
    ProfileRow,
    WantedProfileRow,
)

T = TypeVar("T")

COMMITMENT_BYTES: Final = 32
SLICE: Final = 500
"""Values of one IN list: far below SQLite's limit of variables."""
SCANNED: Final = "profiles_scanned"
SCRUB_DUE: Final = "profiles_scrub_due"
REFUSED: Final = "profiles_refused"


class Opened(NamedTuple):
    """A commitment with what opens it."""

    commitment: bytes
    nonce: bytes
    data: bytes


class Wanted(NamedTuple):
    """A commitment of a partner's record, and where it stands."""

    commitment: bytes
    arrangement_id: bytes
    issuer: str


class PartnerProfile(NamedTuple):
    """A partner's profile that opens its commitment."""

    wanted: Wanted
    tin: str
    nonce: bytes
    data: bytes


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


class ProfileStore:
    """The profiles of the member whose home.db is `database`. Calls may come from any thread."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits
        self._tins: set[str] | None = None

    # One's own.

    @property
    def tins(self) -> Container[str]:
        """Whose profile is in force; in memory, since every row that is published asks."""
        if self._tins is None:
            with self._database.reading() as connection:
                self._tins = set(connection.execute(select(col(ProfileRow.tin))).scalars())
        return self._tins

    def put(self, profiles: Sequence[tuple[str, bytes]]) -> None:
        """Put profiles in force, by TIN; one that is the same as before changes nothing."""

        def work(connection: Connection) -> None:
            for tin, data in profiles:
                newest = _newest(connection, tin)
                if newest is not None and newest[1] == data:
                    continue
                if newest is not None:
                    # What no record commits to serves nobody any more.
                    used = select(col(ProfileNonceRow.commitment)).where(
                        col(ProfileNonceRow.profile_id) == col(ProfileRow.profile_id)
                    )
                    connection.execute(
                        delete(ProfileRow).where(col(ProfileRow.tin) == tin, ~used.exists())
                    )
                connection.execute(insert(ProfileRow), {"tin": tin, "data": data})

        known = self.tins
        assert isinstance(known, set)
        self._commits.run(work)
        known.update(tin for tin, _ in profiles)

    def own(self, tin: str) -> bytes | None:
        """The profile in force of a trader of one's own."""
        with self._database.reading() as connection:
            newest = _newest(connection, tin)
        return None if newest is None else newest[1]

    def own_profiles(self) -> Iterator[tuple[str, bytes]]:
        """Every profile of one's own, older ones first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(col(ProfileRow.tin), col(ProfileRow.data)).order_by(
                    col(ProfileRow.profile_id)
                )
            )
            yield from ((key, data) for key, data in rows)

    def commit(self, wanted: Sequence[tuple[str, bytes]]) -> list[bytes]:
        """For each (TIN, arrangement id) a commitment to the profile in force, with its own nonce.

        Empty for a trader without profile. Durable on return: a record may say it.
        """

        def work(connection: Connection) -> list[bytes]:
            newest: dict[str, tuple[int, bytes] | None] = {}
            made, rows = [], []
            for tin, arrangement_id in wanted:
                if tin not in newest:
                    newest[tin] = _newest(connection, tin)
                known = newest[tin]
                if known is None:
                    made.append(b"")
                    continue
                profile_id, data = known
                nonce = token_bytes(NONCE_BYTES)
                commitment = profile_commitment(nonce, data)
                made.append(commitment)
                rows.append(
                    {
                        "commitment": commitment,
                        "profile_id": profile_id,
                        "arrangement_id": arrangement_id,
                        "nonce": nonce,
                    }
                )
            if rows:
                connection.execute(insert(ProfileNonceRow), rows)
            return made

        return self._commits.run(work) if wanted else []

    def opened(self, arrangement_id: bytes, commitments: Sequence[bytes]) -> list[Opened]:
        """What opens those of the commitments that were made under an arrangement, in order."""
        found: dict[bytes, Opened] = {}
        with self._database.reading() as connection:
            for part in _slices(commitments):
                rows = connection.execute(
                    select(
                        col(ProfileNonceRow.commitment),
                        col(ProfileNonceRow.nonce),
                        col(ProfileRow.data),
                    )
                    .join(ProfileRow, col(ProfileRow.profile_id) == col(ProfileNonceRow.profile_id))
                    .where(
                        col(ProfileNonceRow.arrangement_id) == arrangement_id,
                        col(ProfileNonceRow.commitment).in_(part),
                    )
                )
                found.update((row[0], Opened(*row)) for row in rows)
        return [found[each] for each in commitments if each in found]

    def own_by_commitment(self, commitment: bytes) -> bytes | None:
        """The profile of one's own that a commitment is of."""
        with self._database.reading() as connection:
            return connection.execute(
                select(col(ProfileRow.data))
                .join(
                    ProfileNonceRow, col(ProfileRow.profile_id) == col(ProfileNonceRow.profile_id)
                )
                .where(col(ProfileNonceRow.commitment) == commitment)
            ).scalar_one_or_none()

    # Partners'.

    def scanned(self) -> int:
        """The log index up to which partners' records have been looked at."""
        with self._database.reading() as connection:
            return _counter(connection, SCANNED)

    def want(self, wanted: Sequence[Wanted], scanned: int) -> None:
        """Note commitments whose profiles are to be fetched, and how far the log has been read."""

        def work(connection: Connection) -> None:
            for part in _slices(wanted):
                known = _known(connection, [each.commitment for each in part])
                rows = [
                    {**each._asdict(), "tries": 0}
                    for each in part
                    if (each.commitment, each.issuer) not in known
                ]
                if rows:
                    connection.execute(insert_or(WantedProfileRow).on_conflict_do_nothing(), rows)
            _set_counter(connection, SCANNED, scanned)

        self._commits.run(work)

    def wanted(self, limit: int, tries: int) -> list[Wanted]:
        """The commitments that wait, asked for so often in vain at most; fewest tries first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(
                    col(WantedProfileRow.commitment),
                    col(WantedProfileRow.arrangement_id),
                    col(WantedProfileRow.issuer),
                )
                .where(col(WantedProfileRow.tries) < tries)
                .order_by(col(WantedProfileRow.tries))
                .limit(limit)
            ).all()
        return [Wanted(*row) for row in rows]

    def keep(self, came: Sequence[PartnerProfile], missing: Collection[bytes], refused: int) -> int:
        """Keep what opened its commitment, unless it was erased meanwhile; count what did not.

        Returns how many were kept.
        """

        def work(connection: Connection) -> int:
            kept = 0
            for profile in came:
                commitment = profile.wanted.commitment
                erased = connection.execute(
                    select(col(ErasedProfileRow.commitment)).where(
                        col(ErasedProfileRow.commitment) == commitment,
                        col(ErasedProfileRow.issuer) == profile.wanted.issuer,
                    )
                ).first()
                if erased is None:
                    connection.execute(
                        insert_or(PartnerProfileRow).on_conflict_do_nothing(),
                        {
                            **profile.wanted._asdict(),
                            "tin": profile.tin,
                            "nonce": profile.nonce,
                            "data": profile.data,
                        },
                    )
                    kept += 1
                connection.execute(
                    delete(WantedProfileRow).where(col(WantedProfileRow.commitment) == commitment)
                )
            for part in _slices(list(missing)):
                connection.execute(
                    update(WantedProfileRow)
                    .where(col(WantedProfileRow.commitment).in_(part))
                    .values(tries=col(WantedProfileRow.tries) + 1)
                )
            if refused:
                _set_counter(connection, REFUSED, _counter(connection, REFUSED) + refused)
            return kept

        return self._commits.run(work)

    def partner(self, commitment: bytes) -> bytes | None:
        """The partner's profile that a commitment is of."""
        with self._database.reading() as connection:
            return connection.execute(
                select(col(PartnerProfileRow.data)).where(
                    col(PartnerProfileRow.commitment) == commitment
                )
            ).scalar_one_or_none()

    def partners_of(self, tin: str) -> list[tuple[bytes, bytes]]:
        """Commitment and profile of each that is kept of a partner's trader."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(col(PartnerProfileRow.commitment), col(PartnerProfileRow.data)).where(
                    col(PartnerProfileRow.tin) == tin
                )
            ).all()
        return [(commitment, data) for commitment, data in rows]

    def partner_profiles(self) -> Iterator[tuple[bytes, bytes]]:
        """Commitment and profile of every trader of partners."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(col(PartnerProfileRow.commitment), col(PartnerProfileRow.data))
            )
            yield from ((key, data) for key, data in rows)

    def refused(self) -> int:
        """How many profiles came that did not open their commitments."""
        with self._database.reading() as connection:
            return _counter(connection, REFUSED)

    # Erasing.

    def erase_own(
        self,
        erasure_id: str,
        tin: str,
        arrangement_ids: Collection[bytes],
        partners: Mapping[bytes, Sequence[str]],
        now: int,
    ) -> bool:
        """Erase a profile and its nonces (of some arrangements: those nonces), and write notices.

        `partners`: who must be told, by arrangement. False where there was nothing.
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
            _set_counter(connection, SCRUB_DUE, 1)
            return True

        known = self.tins
        assert isinstance(known, set)
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
            for part in _slices(commitments):
                foreign = {
                    row[0]
                    for table in (PartnerProfileRow, WantedProfileRow)
                    for row in connection.execute(
                        select(col(table.commitment)).where(
                            col(table.commitment).in_(part),
                            (col(table.issuer) != issuer)
                            | (col(table.arrangement_id) != arrangement_id),
                        )
                    )
                }
                own = [each for each in part if each not in foreign]
                gone += own
                if not own:
                    continue
                here = col(PartnerProfileRow.commitment).in_(own)
                held += connection.execute(
                    select(col(PartnerProfileRow.commitment)).where(here)
                ).scalars()
                connection.execute(delete(PartnerProfileRow).where(here))
                connection.execute(
                    delete(WantedProfileRow).where(col(WantedProfileRow.commitment).in_(own))
                )
                connection.execute(
                    insert_or(ErasedProfileRow).on_conflict_do_nothing(),
                    [{"commitment": each, "issuer": issuer, "erased_at": now} for each in own],
                )
            if held:
                _set_counter(connection, SCRUB_DUE, 1)
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
            return bool(_counter(connection, SCRUB_DUE))

    def scrub(self) -> bool:
        """Leave no byte of what was erased in the files; False where readers stood in the way.

        What is deleted is overwritten, but pages that were split or joined before may keep copies
        in their unused part, and the write-ahead log holds pages as they were. So the log is folded
        in and emptied, the file written anew, and the log emptied again.
        """
        if not self._database.scrub():
            return False

        def work(connection: Connection) -> None:
            _set_counter(connection, SCRUB_DUE, 0)

        self._commits.run(work)
        return True


def _newest(connection: Connection, tin: str) -> tuple[int, bytes] | None:
    row = connection.execute(
        select(col(ProfileRow.profile_id), col(ProfileRow.data))
        .where(col(ProfileRow.tin) == tin)
        .order_by(col(ProfileRow.profile_id).desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _known(connection: Connection, commitments: Sequence[bytes]) -> set[tuple[bytes, str]]:
    """Those that are kept, or were erased, with their issuers."""
    return {
        (commitment, issuer)
        for table in (PartnerProfileRow, ErasedProfileRow)
        for commitment, issuer in connection.execute(
            select(col(table.commitment), col(table.issuer)).where(
                col(table.commitment).in_(commitments)
            )
        )
    }


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


def _counter(connection: Connection, name: str) -> int:
    value = connection.execute(
        select(func.max(col(CounterRow.value))).where(col(CounterRow.name) == name)
    ).scalar_one()
    return value or 0


def _set_counter(connection: Connection, name: str, value: int) -> None:
    statement = insert_or(CounterRow).values(name=name, value=value)
    connection.execute(
        statement.on_conflict_do_update(index_elements=["name"], set_={"value": value})
    )


def _slices(values: Sequence[T]) -> Iterable[Sequence[T]]:
    return (values[at : at + SLICE] for at in range(0, len(values), SLICE))
