"""Profiles in home.db: one's own by TIN, partners' by commitment, and what must be erased where.

    put, commit          a profile in force, and a fresh nonce for each record that is published
    want, keep           what partners' records commit to, until it has come and opened them

How all that is erased again: `service.store.home.erasures`.
"""

from collections.abc import Container, Iterator, Sequence
from secrets import token_bytes
from typing import NamedTuple

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from ledger.customs.profile import NONCE_BYTES, profile_commitment
from service.store.home.erasures import Erasures
from service.store.home.profile_counters import REFUSED, SCANNED, counter, set_counter, slices
from service.store.home.profile_tables import (
    ErasedProfileRow,
    PartnerProfileRow,
    ProfileNonceRow,
    ProfileRow,
    WantedProfileRow,
)
from service.store.insert_new import insert_new


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


class ProfileStore(Erasures):
    """The profiles of the member whose home.db is `database`. Calls may come from any thread."""

    # One's own.

    @property
    def tins(self) -> Container[str]:
        """Whose profile is in force; in memory, since every row that is published asks."""
        return self._known()

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

        known = self._known()
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
            for part in slices(commitments):
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
            return counter(connection, SCANNED)

    def want(self, wanted: Sequence[Wanted], scanned: int) -> None:
        """Note commitments whose profiles are to be fetched, and how far the log has been read."""

        def work(connection: Connection) -> None:
            for part in slices(wanted):
                known = _held(connection, [each.commitment for each in part])
                rows = [
                    {**each._asdict(), "tries": 0}
                    for each in part
                    if (each.commitment, each.issuer) not in known
                ]
                if rows:
                    connection.execute(insert_new(WantedProfileRow), rows)
            set_counter(connection, SCANNED, scanned)

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

    def keep(self, came: Sequence[PartnerProfile], missing: Sequence[Wanted], refused: int) -> int:
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
                        insert_new(PartnerProfileRow),
                        {
                            **profile.wanted._asdict(),
                            "tin": profile.tin,
                            "nonce": profile.nonce,
                            "data": profile.data,
                        },
                    )
                    kept += 1
                connection.execute(
                    delete(WantedProfileRow).where(
                        col(WantedProfileRow.commitment) == commitment,
                        col(WantedProfileRow.issuer) == profile.wanted.issuer,
                    )
                )
            for issuer in {each.issuer for each in missing}:
                for part in slices([each.commitment for each in missing if each.issuer == issuer]):
                    connection.execute(
                        update(WantedProfileRow)
                        .where(
                            col(WantedProfileRow.commitment).in_(part),
                            col(WantedProfileRow.issuer) == issuer,
                        )
                        .values(tries=col(WantedProfileRow.tries) + 1)
                    )
            if refused:
                set_counter(connection, REFUSED, counter(connection, REFUSED) + refused)
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
            return counter(connection, REFUSED)


def _newest(connection: Connection, tin: str) -> tuple[int, bytes] | None:
    row = connection.execute(
        select(col(ProfileRow.profile_id), col(ProfileRow.data))
        .where(col(ProfileRow.tin) == tin)
        .order_by(col(ProfileRow.profile_id).desc())
        .limit(1)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def _held(connection: Connection, commitments: Sequence[bytes]) -> set[tuple[bytes, str]]:
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
