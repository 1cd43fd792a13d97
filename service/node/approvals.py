"""What takes two persons: one prepares a step, another of the same administration approves it.

    prepare    stored, durably, with its request; answered with its id
    approve    claimed on the disk, run, taken: by somebody with another name
    reject     ended by an approver, or taken back by whoever prepared it
    expire     ended by itself after `LIFE_MS`

A step runs at most once. Two approvers at once: one claim succeeds. A refusal that did nothing lets
it wait again, for the other's correction or an end. Where it may have run and nobody knows, because
the node stopped in the midst of it or the time was up, it waits again only if running it twice does
no more than once; else it counts as taken, and must be prepared anew.

Names are compared without regard to case: *Wang* who prepared is not *wang* who approves.
"""

import secrets
import threading
from collections.abc import Callable
from hashlib import sha256
from typing import Final, Protocol, Self, TypeVar

import structlog

from service.clock import Clock
from service.errors import Overloaded, Refused, ServiceError
from service.store.home.approvals import ApprovalStore, NewStep, Step, StepState

LIFE_MS: Final = 7 * 86_400_000
"""A week: an approver may be away for some days, and what was prepared on old facts should end."""
MAX_OPEN: Final = 500
"""Steps waiting for one administration; each may hold a request of 4 MiB."""
LOOK_EVERY_S: Final = 60.0
"""Between two looks for what has expired; its request names traders and should not lie about."""
STEP_ID_BYTES: Final = 8

PREPARED: Final = "prepared"
APPROVED: Final = "approved"
REJECTED: Final = "rejected"
EXPIRED: Final = "expired"
REFUSED: Final = "refused"
UNKNOWN: Final = "unknown"

_log = structlog.get_logger("aeo.approvals")
_Answer = TypeVar("_Answer")


class UnknownStep(Refused):
    """No step has this id."""

    def __init__(self, step_id: str) -> None:
        super().__init__(f"no step {step_id[:64]!r}")


class StepDecided(Refused):
    """The step was taken or rejected, or is being taken now."""


class StepExpired(Refused):
    """The step waited too long; it can only be prepared anew."""


class SamePerson(Refused):
    """Nobody approves what they prepared."""


class NotYours(Refused):
    """An officer may take back only what the officer prepared."""


class OnEvent(Protocol):
    """Hears what becomes of a step: the access log. Empty `name`: it happened by itself."""

    def __call__(self, step: Step, event: str, role: str, name: str) -> None:
        """Note that `name`, with access role `role`, did `event` to `step`."""


class Approvals:
    """The steps of one hosted member. Any thread may call. A context manager."""

    def __init__(self, store: ApprovalStore, clock: Clock, on_event: OnEvent) -> None:
        self._store = store
        self._clock = clock
        self._on_event = on_event
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aeo-approvals")

    def __enter__(self) -> Self:
        """Take up what an earlier process left, and begin to look for what expires."""
        for step in self._store.recover():
            event = REFUSED if step.repeatable else UNKNOWN
            _log.warning("a step was under way when the node ended", step_id=step.step_id)
            self._on_event(step, event, "", "")
        self.sweep()
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stopping.set()
        self._thread.join()

    def prepare(
        self, method: str, request: bytes, role: str, name: str, *, repeatable: bool
    ) -> Step:
        """Store a step; the same request by the same person gives the step that still waits.

        Raises `Overloaded` where too many wait.
        """
        self.sweep()
        now = self._clock.now_ms()
        if self._store.count_open() >= MAX_OPEN:
            raise Overloaded(f"{MAX_OPEN} steps wait for an approver")
        content = sha256()
        for part in (method.encode(), name.encode(), request):
            content.update(len(part).to_bytes(8) + part)
        step, new = self._store.add(
            NewStep(
                secrets.token_hex(STEP_ID_BYTES),
                method,
                role,
                name,
                now,
                now + LIFE_MS,
                repeatable,
                content.digest(),
                request,
            )
        )
        if new:
            self._on_event(step, PREPARED, role, name)
        return step

    def open_steps(self) -> list[tuple[Step, bytes]]:
        """What waits, oldest first, with its request."""
        self.sweep()
        found = ((step, self._store.request(step.step_id)) for step in self._store.open_steps())
        return [(step, request) for step, request in found if request is not None]

    def approve(
        self,
        step_id: str,
        role: str,
        name: str,
        run: Callable[[Step, bytes], _Answer],
        did_nothing: Callable[[Exception], bool],
    ) -> tuple[Step, _Answer]:
        """Run a step for `name`, by calling `run` with it and its request; the step as taken.

        Whatever `run` raises is raised; `did_nothing` says of an error that it left no trace.
        Raises `UnknownStep`, `StepDecided`, `StepExpired` or `SamePerson`.
        """
        step = self._open(step_id)
        if step.prepared_by.casefold() == name.casefold():
            raise SamePerson(f"{step.prepared_by} prepared this step; somebody else approves it")
        claimed = self._store.claim(step_id, name, self._clock.now_ms())
        request = None if claimed is None else self._store.request(step_id)
        if claimed is None or request is None:
            self._open(step_id)  # says what has become of it meanwhile
            raise StepDecided(f"step {step_id} is being taken by somebody else")
        try:
            answer = run(claimed, request)
        except Exception as error:
            # What has run, or may have, must not run again.
            if claimed.repeatable or did_nothing(error):
                self._store.release(step_id)
                self._on_event(claimed, REFUSED, role, name)
            else:
                self._store.take(step_id)
                self._on_event(claimed, UNKNOWN, role, name)
            raise
        self._store.take(step_id)
        self._on_event(claimed, APPROVED, role, name)
        return claimed, answer

    def reject(self, step_id: str, role: str, name: str, reason: str, *, any_step: bool) -> Step:
        """End a step that waits. Without `any_step` only one that `name` prepared.

        Raises `UnknownStep`, `StepDecided`, `StepExpired` or `NotYours`.
        """
        step = self._open(step_id)
        if not any_step and step.prepared_by.casefold() != name.casefold():
            raise NotYours(f"{step.prepared_by} prepared this step; an approver may reject it")
        rejected = self._store.reject(step_id, name, self._clock.now_ms(), reason)
        if rejected is None:
            self._open(step_id)
            raise StepDecided(f"step {step_id} is being taken by somebody else")
        self._on_event(rejected, REJECTED, role, name)
        return rejected

    def sweep(self) -> None:
        """End what has waited too long."""
        for step in self._store.expire(self._clock.now_ms()):
            self._on_event(step, EXPIRED, "", "")

    def _open(self, step_id: str) -> Step:
        """A step that is not decided, by this clock."""
        self.sweep()
        step = self._store.find(step_id)
        if step is None:
            raise UnknownStep(step_id)
        match step.state:
            case StepState.EXPIRED:
                raise StepExpired(f"step {step_id} has expired; prepare it anew")
            case StepState.TAKEN:
                raise StepDecided(f"step {step_id} was taken by {step.decided_by}")
            case StepState.REJECTED:
                raise StepDecided(f"step {step_id} was rejected by {step.decided_by}")
        return step

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            try:
                self.sweep()
            except ServiceError as error:
                _log.error("what has expired cannot be ended", reason=str(error))
