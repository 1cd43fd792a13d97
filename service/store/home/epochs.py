"""What a change of lookup keys needs in home.db: which identifier becomes which.

    put_names    before anything is copied under the new key
    retire       once the new key is in force and nothing waits: the pairs are erased, since they
                 link what the new key was to part; the old identifiers stay, as mere numbers

The ledger cannot tell an identifier of a destroyed key from one of the key in force; `retired`
can.
"""

from collections.abc import Iterable

from sqlalchemy import Connection, delete, func, select
from sqlmodel import col

from service.store.database import Database
from service.store.group_commit import GroupCommit
from service.store.home.epoch_tables import EpochNameRow, RetiredNameRow
from service.store.home.home_tables import PublicationRow
from service.store.insert_new import insert_new


class EpochStore:
    """The names of one member's epochs. Calls may come from any thread."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits

    def put_names(
        self, arrangement_id: bytes, epoch: int, names: Iterable[tuple[bytes, bytes]]
    ) -> None:
        """Store pairs of old and new identifier; one that is there already stays as it is."""
        rows = [
            {"arrangement_id": arrangement_id, "epoch": epoch, "old": old, "new": new}
            for old, new in names
        ]

        def work(connection: Connection) -> None:
            connection.execute(insert_new(EpochNameRow), rows)

        if rows:
            self._commits.run(work)

    def names(self) -> dict[tuple[bytes, int], dict[bytes, bytes]]:
        """Every pair, by arrangement and epoch."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(
                    col(EpochNameRow.arrangement_id),
                    col(EpochNameRow.epoch),
                    col(EpochNameRow.old),
                    col(EpochNameRow.new),
                )
            ).all()
        found: dict[tuple[bytes, int], dict[bytes, bytes]] = {}
        for arrangement_id, epoch, old, new in rows:
            found.setdefault((arrangement_id, epoch), {})[old] = new
        return found

    def retire(self, arrangement_id: bytes, epoch: int, old: Iterable[bytes]) -> None:
        """Erase the pairs of an epoch, and remember these identifiers as of a destroyed key."""
        rows = [{"arrangement_id": arrangement_id, "old": each} for each in old]

        def work(connection: Connection) -> None:
            if rows:
                connection.execute(insert_new(RetiredNameRow), rows)
            connection.execute(
                delete(EpochNameRow).where(
                    col(EpochNameRow.arrangement_id) == arrangement_id,
                    col(EpochNameRow.epoch) == epoch,
                )
            )

        self._commits.run(work)
        self._database.forget("epoch_name")

    def retired(self) -> dict[bytes, set[bytes]]:
        """Identifiers of destroyed keys, by arrangement."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(col(RetiredNameRow.arrangement_id), col(RetiredNameRow.old))
            ).all()
        found: dict[bytes, set[bytes]] = {}
        for arrangement_id, old in rows:
            found.setdefault(arrangement_id, set()).add(old)
        return found

    def publishing(self, *, keys_from: str = "", created_before: int | None = None) -> bool:
        """Whether records wait to be recorded: of publications whose key begins so, or that old."""
        waiting = col(PublicationRow.recorded) < col(PublicationRow.records)
        statement = select(func.count()).where(
            waiting, col(PublicationRow.idempotency_key).startswith(keys_from, autoescape=True)
        )
        if created_before is not None:
            statement = statement.where(col(PublicationRow.created_at) < created_before)
        with self._database.reading() as connection:
            return bool(connection.execute(statement).scalar_one())
