"""Steps that wait for a second person, in home.db.

    add        stored with its request: WAITING
    claim      an approver takes it: RUNNING, on the disk before anything is done
    release    it was refused before it did anything: WAITING again
    decide     TAKEN, REJECTED or EXPIRED, for ever; the request is deleted with it

Only one claim succeeds. A process that ends while a step runs leaves it RUNNING; `recover` makes it
WAITING again where running it twice does no more than once, else TAKEN, for nobody knows.

What a decided step asked for is gone from the file and, after `Database.forget`, from its
write-ahead log: it may name traders.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

from sqlalchemy import Connection, Row, delete, func, insert, select, update
from sqlmodel import col

from service.store.database import Database
from service.store.group_commit import GroupCommit
from service.store.home.approval_tables import ApprovalRequestRow, ApprovalRow


class StepState(IntEnum):
    """What became of a step. Stored: numbers never change their meaning."""

    WAITING = 0
    RUNNING = 1
    TAKEN = 2
    REJECTED = 3
    EXPIRED = 4


OPEN: Final = (StepState.WAITING, StepState.RUNNING)


@dataclass(frozen=True, slots=True)
class NewStep:
    """A step to be stored. Instants are Unix milliseconds; `digest` finds the same one again."""

    step_id: str
    method: str
    prepared_role: str
    prepared_by: str
    prepared_at: int
    expires_at: int
    repeatable: bool
    digest: bytes
    request: bytes


@dataclass(frozen=True, slots=True)
class Step:
    """A step as stored; `decided_at` is 0 while nothing is decided."""

    step_id: str
    method: str
    prepared_role: str
    prepared_by: str
    prepared_at: int
    expires_at: int
    repeatable: bool
    state: StepState
    decided_by: str
    decided_at: int
    reason: str


_COLUMNS: Final = (
    col(ApprovalRow.step_id),
    col(ApprovalRow.method),
    col(ApprovalRow.prepared_role),
    col(ApprovalRow.prepared_by),
    col(ApprovalRow.prepared_at),
    col(ApprovalRow.expires_at),
    col(ApprovalRow.repeatable),
    col(ApprovalRow.state),
    col(ApprovalRow.decided_by),
    col(ApprovalRow.decided_at),
    col(ApprovalRow.reason),
)


class ApprovalStore:
    """The steps of the member whose home.db is `database`. Calls may come from any thread."""

    def __init__(self, database: Database, commits: GroupCommit) -> None:
        self._database = database
        self._commits = commits

    def add(self, new: NewStep) -> tuple[Step, bool]:
        """Store a step; with False the same one, which is still open, from before."""

        def work(connection: Connection) -> tuple[Step, bool]:
            known = connection.execute(
                select(*_COLUMNS)
                .join(ApprovalRequestRow, col(ApprovalRequestRow.step_id) == _COLUMNS[0])
                .where(col(ApprovalRequestRow.digest) == new.digest)
            ).one_or_none()
            if known is not None:
                return _step(known), False
            row = {
                "step_id": new.step_id,
                "method": new.method,
                "prepared_role": new.prepared_role,
                "prepared_by": new.prepared_by,
                "prepared_at": new.prepared_at,
                "expires_at": new.expires_at,
                "repeatable": new.repeatable,
                "state": int(StepState.WAITING),
                "decided_by": "",
                "decided_at": 0,
                "reason": "",
            }
            connection.execute(insert(ApprovalRow), row)
            connection.execute(
                insert(ApprovalRequestRow),
                {"step_id": new.step_id, "digest": new.digest, "request": new.request},
            )
            return Step(**{**row, "state": StepState.WAITING}), True  # type: ignore[arg-type]

        return self._commits.run(work)

    def find(self, step_id: str) -> Step | None:
        """A step, decided or not; None for an unknown id."""
        with self._database.reading() as connection:
            row = connection.execute(
                select(*_COLUMNS).where(col(ApprovalRow.step_id) == step_id)
            ).one_or_none()
        return _step(row) if row else None

    def request(self, step_id: str) -> bytes | None:
        """What an open step asks for; None once it is decided."""
        with self._database.reading() as connection:
            return connection.execute(
                select(col(ApprovalRequestRow.request)).where(
                    col(ApprovalRequestRow.step_id) == step_id
                )
            ).scalar_one_or_none()

    def open_steps(self) -> list[Step]:
        """What is not decided, oldest first."""
        return self._steps(OPEN)

    def decided(self, limit: int) -> list[Step]:
        """The newest decided steps, newest first."""
        with self._database.reading() as connection:
            rows = connection.execute(
                select(*_COLUMNS)
                .where(col(ApprovalRow.state).not_in([int(each) for each in OPEN]))
                .order_by(col(ApprovalRow.decided_at).desc(), col(ApprovalRow.step_id))
                .limit(limit)
            ).all()
        return [_step(row) for row in rows]

    def count_open(self) -> int:
        """How many are not decided."""
        with self._database.reading() as connection:
            return connection.execute(
                select(func.count())
                .select_from(ApprovalRow)
                .where(col(ApprovalRow.state).in_([int(each) for each in OPEN]))
            ).scalar_one()

    def claim(self, step_id: str, by: str, at: int) -> Step | None:
        """Let `by` run a step that waits and has not expired; None when that is not so."""

        def work(connection: Connection) -> Step | None:
            claimed = connection.execute(
                update(ApprovalRow)
                .where(
                    col(ApprovalRow.step_id) == step_id,
                    col(ApprovalRow.state) == int(StepState.WAITING),
                    col(ApprovalRow.expires_at) > at,
                )
                .values(state=int(StepState.RUNNING), decided_by=by, decided_at=at)
            )
            if claimed.rowcount != 1:
                return None
            row = connection.execute(
                select(*_COLUMNS).where(col(ApprovalRow.step_id) == step_id)
            ).one()
            return _step(row)

        return self._commits.run(work)

    def release(self, step_id: str) -> None:
        """Let a claimed step wait again: it was refused, and has done nothing."""

        def work(connection: Connection) -> None:
            connection.execute(
                update(ApprovalRow)
                .where(
                    col(ApprovalRow.step_id) == step_id,
                    col(ApprovalRow.state) == int(StepState.RUNNING),
                )
                .values(state=int(StepState.WAITING), decided_by="", decided_at=0)
            )

        self._commits.run(work)

    def take(self, step_id: str) -> None:
        """A claimed step has run; its request is deleted."""

        def work(connection: Connection) -> None:
            connection.execute(
                update(ApprovalRow)
                .where(
                    col(ApprovalRow.step_id) == step_id,
                    col(ApprovalRow.state) == int(StepState.RUNNING),
                )
                .values(state=int(StepState.TAKEN))
            )
            _delete_requests(connection, [step_id])

        self._commits.run(work)
        self._database.forget("approval_request")

    def reject(self, step_id: str, by: str, at: int, reason: str) -> Step | None:
        """End a step that waits; None when it does not. Its request is deleted."""

        def work(connection: Connection) -> Step | None:
            rejected = connection.execute(
                update(ApprovalRow)
                .where(
                    col(ApprovalRow.step_id) == step_id,
                    col(ApprovalRow.state) == int(StepState.WAITING),
                )
                .values(state=int(StepState.REJECTED), decided_by=by, decided_at=at, reason=reason)
            )
            if rejected.rowcount != 1:
                return None
            _delete_requests(connection, [step_id])
            row = connection.execute(
                select(*_COLUMNS).where(col(ApprovalRow.step_id) == step_id)
            ).one()
            return _step(row)

        step = self._commits.run(work)
        self._database.forget("approval_request")
        return step

    def expire(self, now: int) -> list[Step]:
        """End what has waited too long, and return it. The requests are deleted."""
        if not any(each.expires_at <= now for each in self._steps((StepState.WAITING,))):
            return []

        def work(connection: Connection) -> list[Step]:
            due = connection.execute(
                select(*_COLUMNS).where(
                    col(ApprovalRow.state) == int(StepState.WAITING),
                    col(ApprovalRow.expires_at) <= now,
                )
            ).all()
            ids = [row.step_id for row in due]
            connection.execute(
                update(ApprovalRow)
                .where(col(ApprovalRow.step_id).in_(ids))
                .values(state=int(StepState.EXPIRED), decided_at=now)
            )
            _delete_requests(connection, ids)
            return [_step(row) for row in due]

        steps = self._commits.run(work)
        self._database.forget("approval_request")
        return steps

    def recover(self) -> list[Step]:
        """After an end in the midst of steps: those that ran then, none of which runs any more."""
        running = self._steps((StepState.RUNNING,))
        for step in running:
            if step.repeatable:
                self.release(step.step_id)
            else:
                self.take(step.step_id)
        return running

    def _steps(self, states: Sequence[StepState]) -> list[Step]:
        with self._database.reading() as connection:
            rows = connection.execute(
                select(*_COLUMNS)
                .where(col(ApprovalRow.state).in_([int(each) for each in states]))
                .order_by(col(ApprovalRow.prepared_at), col(ApprovalRow.step_id))
            ).all()
        return [_step(row) for row in rows]


def _step(row: Row[*tuple[Any, ...]]) -> Step:
    given = row._mapping
    return Step(**{**given, "state": StepState(given["state"])})


def _delete_requests(connection: Connection, ids: Sequence[str]) -> None:
    connection.execute(delete(ApprovalRequestRow).where(col(ApprovalRequestRow.step_id).in_(ids)))
