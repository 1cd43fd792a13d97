"""Steps that take two persons: prepared by one, approved by another of the same administration.

    made = ArrangementClient(officer).sign(arrangement_id, text_hash)     # Pending
    arrangement = ApprovalClient(approver).complete(made)                 # or, by its id:
    approved = ApprovalClient(approver).approve(made.step_id)

A call that takes two persons returns a `Pending` in place of its result. `taken` is for whoever
knows that a call takes one: it gives the result, and raises where it waits after all.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, NamedTuple, TypeVar

from google.protobuf.descriptor_pool import Default
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass

from aeo.exchange.v1 import approval_service_pb2 as pb
from aeo.exchange.v1.approval_service_pb2_grpc import ApprovalServiceStub
from service.client.connection import Connection
from service.client.errors import ClientError

DEADLINE = 60.0
"""Seconds: an approved step answers when it is recorded, after other members' nodes were asked."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Pending(Generic[T]):
    """A step that waits for a second person; instants are Unix milliseconds."""

    step: pb.PendingStep
    read: Callable[[bytes], T]
    """What the step's result is, from the bytes of its method's response."""

    @property
    def step_id(self) -> str:
        """By which it is approved or rejected."""
        return self.step.step_id


class WaitsForApproval(ClientError):
    """A step that was expected to take one person takes two; it has `step_id`."""

    def __init__(self, step: pb.PendingStep) -> None:
        super().__init__(f"step {step.step_id} waits for a second person", "WAITS_FOR_APPROVAL")
        self.step_id = step.step_id


class Approved(NamedTuple):
    """A step that was taken, and its method's own response."""

    step: pb.PendingStep
    response: Message


def taken(made: "T | Pending[T]") -> T:
    """The result of a call that took one person; raises `WaitsForApproval`."""
    if isinstance(made, Pending):
        raise WaitsForApproval(made.step)
    return made


class ApprovalClient:
    """`ApprovalService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = ApprovalServiceStub(connection.channel)

    def list(self) -> Sequence[pb.PendingStep]:
        """What waits, oldest first, without the requests."""
        request = pb.ListPendingRequest(economy=self._economy)
        return self._connection.call(self._stub.ListPending, request).steps

    def get(self, step_id: str) -> tuple[pb.PendingStep, Message]:
        """A step that waits, and all that it asks for; `NoSuchThing` where none waits."""
        request = pb.ListPendingRequest(economy=self._economy, step_id=step_id)
        (step,) = self._connection.call(self._stub.ListPending, request).steps
        return step, _message(step.method, "input_type", step.request)

    def approve(self, step_id: str, deadline: float = DEADLINE) -> Approved:
        """Take a step that somebody else prepared; its method's response.

        Raises `Denied` (SAME_PERSON), `Conflict` (STEP_DECIDED, STEP_EXPIRED), `NoSuchThing`, or
        what the step itself is refused with.
        """
        answer = self._approve(step_id, deadline)
        return Approved(answer.step, _message(answer.step.method, "output_type", answer.response))

    def complete(self, made: "T | Pending[T]", deadline: float = DEADLINE) -> T:
        """The result of a call, approved here where it waits."""
        if not isinstance(made, Pending):
            return made
        return made.read(self._approve(made.step_id, deadline).response)

    def reject(self, step_id: str, reason: str = "") -> pb.PendingStep:
        """End a step: somebody else's as an approver, one's own as anybody."""
        request = pb.RejectRequest(step_id=step_id, economy=self._economy, reason=reason)
        return self._connection.call(self._stub.Reject, request).step

    def _approve(self, step_id: str, deadline: float) -> pb.ApproveResponse:
        request = pb.ApproveRequest(step_id=step_id, economy=self._economy)
        return self._connection.call(self._stub.Approve, request, deadline)


def _message(method: str, which: str, data: bytes) -> Message:
    """The request or the response of a method, `aeo.exchange.v1.PublishingService/Publish`."""
    found = Default().FindMethodByName(method.replace("/", "."))
    message: Message = GetMessageClass(getattr(found, which)).FromString(data)
    return message
