"""home.db: what one member keeps to itself, in a file apart from the ledger's.

The outbox (`service.store.home.outbox`), the lookup keys of its arrangements, the handling
instructions to its officers, and counters. The file names its network and member: with another's it
does not open. Only its owner may read it, since it holds lookup keys in the clear; what is erased
is overwritten.
"""

from typing import Final, Self

from sqlalchemy import Connection, delete, insert, select, update
from sqlmodel import col

from service.errors import StoreError, WrongStore
from service.store.database import OnStep, no_step
from service.store.group_commit import GroupCommit
from service.store.home import outbox
from service.store.home.access_log import AccessLogStore
from service.store.home.approvals import ApprovalStore
from service.store.home.clearances import ClearanceStore
from service.store.home.consents import ConsentStore
from service.store.home.epochs import EpochStore
from service.store.home.home_tables import CounterRow, InstructionRow, LookupKeyRow, OwnerRow
from service.store.home.outbox import Outbox
from service.store.home.profiles import ProfileStore
from service.store.location import Location
from service.store.opening import database_at

# Where a test may stop a write, in order.
STEPS: Final = outbox.STEPS


class HomeStore:
    """One member's own data in one SQLite file. Open it with `open` or as a context manager.

    Calls may come from any thread; writes of several callers share a commit. `max_page_count`
    limits the file to so many pages of 4,096 bytes. `on_step` hears the names in `STEPS`.
    """

    def __init__(
        self,
        path: Location,
        economy: str,
        network_id: bytes,
        *,
        max_page_count: int | None = None,
        read_only: bool = False,
        on_step: OnStep = no_step,
    ) -> None:
        self.path = path
        self.economy = economy
        self._network_id = network_id
        self._database = database_at(
            path, "home", max_page_count=max_page_count, read_only=read_only
        )
        self._commits = GroupCommit(self._database)
        self.outbox = Outbox(self._database, self._commits, economy, on_step)
        self.profiles = ProfileStore(self._database, self._commits)
        self.approvals = ApprovalStore(self._database, self._commits)
        self.access_log = AccessLogStore(self._database, self._commits)
        self.epochs = EpochStore(self._database, self._commits)
        self.consents = ConsentStore(self._database, self._commits)
        self.clearances = ClearanceStore(self._database, self._commits)

    def open(self) -> Self:
        """Open the file, made when missing.

        Raises `WrongStore` when it is another's, `StoreBusy`, `StoreCorrupt` or `StoreError`.
        """
        self._database.open()
        try:
            self._check_owner()
            self.consents.load()
        except BaseException:
            self._database.close()
            raise
        return self

    def close(self) -> None:
        """Close the file and let others open it; closing twice is fine."""
        self._database.close()

    def __enter__(self) -> Self:
        return self.open()

    def __exit__(self, *_: object) -> None:
        self.close()

    @property
    def commits(self) -> int:
        """How often this process committed: under load less often than it was asked to."""
        return self._commits.commits

    def put_lookup_key(self, arrangement_id: bytes, epoch: int, key: bytes) -> None:
        """Keep the 32-byte key of an arrangement's epoch; `StoreError` if another is there."""

        def work(connection: Connection) -> None:
            known = connection.execute(
                select(col(LookupKeyRow.key)).where(
                    col(LookupKeyRow.arrangement_id) == arrangement_id,
                    col(LookupKeyRow.epoch) == epoch,
                )
            ).scalar_one_or_none()
            if known is None:
                connection.execute(
                    insert(LookupKeyRow),
                    {"arrangement_id": arrangement_id, "epoch": epoch, "key": key},
                )
            elif known != key:
                raise StoreError(
                    self.path,
                    f"arrangement {arrangement_id.hex()} has another lookup key for epoch {epoch}",
                )

        self._commits.run(work)

    def lookup_keys(self) -> dict[tuple[bytes, int], bytes]:
        """Return every lookup key by arrangement id and epoch."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(
                    col(LookupKeyRow.arrangement_id),
                    col(LookupKeyRow.epoch),
                    col(LookupKeyRow.key),
                )
            ).all()
        return {(arrangement_id, epoch): key for arrangement_id, epoch, key in rows}

    def destroy_lookup_key(self, arrangement_id: bytes, epoch: int) -> None:
        """Erase a key for good; one that is not there is fine."""

        def work(connection: Connection) -> None:
            connection.execute(
                delete(LookupKeyRow).where(
                    col(LookupKeyRow.arrangement_id) == arrangement_id,
                    col(LookupKeyRow.epoch) == epoch,
                )
            )

        self._commits.run(work)
        self._database.forget("lookup_key")

    def put_instruction(self, benefit_code: int, instruction: str) -> None:
        """Set what officers are told to do for a benefit code; an empty text removes it."""

        def work(connection: Connection) -> None:
            connection.execute(
                delete(InstructionRow).where(col(InstructionRow.benefit_code) == benefit_code)
            )
            if instruction:
                connection.execute(
                    insert(InstructionRow),
                    {"benefit_code": benefit_code, "instruction": instruction},
                )

        self._commits.run(work)

    def instructions(self) -> dict[int, str]:
        """Return the handling instructions by benefit code."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(col(InstructionRow.benefit_code), col(InstructionRow.instruction))
            ).all()
        return {row[0]: row[1] for row in rows}

    def count(self, name: str, by: int = 1) -> int:
        """Add `by` to the counter `name`, 0 at first, and return what it then is."""

        def work(connection: Connection) -> int:
            where = col(CounterRow.name) == name
            known = connection.execute(select(col(CounterRow.value)).where(where))
            value = known.scalar_one_or_none()
            if value is None:
                connection.execute(insert(CounterRow), {"name": name, "value": by})
                return by
            connection.execute(update(CounterRow).where(where).values(value=value + by))
            return value + by

        return self._commits.run(work)

    def counters(self) -> dict[str, int]:
        """Return every counter."""
        with self._database.reading() as connection:
            rows = connection.execute(select(col(CounterRow.name), col(CounterRow.value))).all()
        return {row[0]: row[1] for row in rows}

    def _check_owner(self) -> None:
        with self._database.reading() as connection:
            owner = connection.execute(
                select(col(OwnerRow.network_id), col(OwnerRow.economy))
            ).one_or_none()
        if owner is None:
            with self._database.writing() as connection:
                connection.execute(
                    insert(OwnerRow),
                    {"number": 0, "network_id": self._network_id, "economy": self.economy},
                )
        elif tuple(owner) != (self._network_id, self.economy):
            raise WrongStore(
                self.path,
                f"belongs to {owner.economy} in network {owner.network_id.hex()[:16]}, not to "
                f"{self.economy} in network {self._network_id.hex()[:16]}",
            )
