"""Four eyes: what stands between a call that takes two persons and its handler.

A method says which of its requests need it (`Method.four_eyes`). Such a call, by whoever may call
the method, is checked as far as possible, stored, and answered with `pending`. `ApprovalService`
runs its handler later with the approver as the caller: who may act for whom, and whether the step
is legal, is judged again then, since the ledger has moved on.

What a step asks for is shown to people from its request and never stored in other words.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final

from google.protobuf.message import Message

from aeo.exchange.v1 import approval_service_pb2 as pb
from ledger.errors import NotEntered
from service.api.failures import (
    CallError,
    Denied,
    Expired,
    Full,
    Illegal,
    NotFound,
    NotReady,
)
from service.api.hosted import RETRY_MS, hosted_member
from service.api.method import Call, FourEyes, Method
from service.errors import Overloaded, Refused, StoreBusy, StoreFull
from service.node.approvals import (
    NotYours,
    SamePerson,
    StepDecided,
    StepExpired,
    UnknownStep,
)
from service.node.node import Node
from service.store.home.approvals import Step

SUMMARY_CHARACTERS: Final = 2_000
"""Of a summary; what is longer is cut, and the request itself can be asked for."""


class ApprovalDesk:
    """Stores what takes two persons, and runs what a second one approves. One for each listener."""

    def __init__(self, node: Node) -> None:
        self._node = node
        self._methods: dict[str, tuple[Method, FourEyes]] = {}

    def guard(self, path: str, method: Method) -> Callable[[Any, Call], Any]:
        """The handler for a method at a path (`/service/name`)."""
        rule = method.four_eyes
        if rule is None:
            return method.handler
        name = path.removeprefix("/")
        self._methods[name] = method, rule

        def handler(request: Any, call: Call) -> Any:
            if not rule.needs(request, call.caller):
                return method.handler(request, call)
            pending = rule.response(pending=self._prepare(name, rule, request, call))
            return pending if method.response_serializer else pending.SerializeToString()

        return handler

    def steps(self, call: Call, economy: str) -> list[tuple[Step, bytes]]:
        """What waits for the caller's administration, oldest first, with the requests."""
        return hosted_member(self._node, call, economy).approvals.open_steps()

    def approve(self, step_id: str, economy: str, call: Call) -> tuple[pb.PendingStep, bytes]:
        """Run a step as the caller; the step, and the bytes of its method's response."""
        member = hosted_member(self._node, call, economy)
        if call.seconds_left() <= 0:
            raise Expired
        caller = call.caller

        def run(step: Step, request: bytes) -> tuple[pb.PendingStep, bytes]:
            method, _ = self._method(step)
            if caller.access_role not in method.roles:
                raise Denied("ACCESS_ROLE", f"{step.method} takes {' or '.join(method.roles)}")
            asked = method.request_deserializer(request) if method.request_deserializer else request
            shown = self.describe(step, request, member.economy)  # a handler may change its request
            answer = method.handler(asked, call)
            if method.response_serializer is not None:
                answer = method.response_serializer(answer)
            return shown, answer

        with _failures():
            _, (shown, response) = member.approvals.approve(
                step_id, str(caller.access_role), caller.name, run, did_nothing
            )
        return shown, response

    def reject(
        self, step_id: str, economy: str, reason: str, call: Call, *, any_step: bool
    ) -> pb.PendingStep:
        """End a step that waits; `any_step`: also one that somebody else prepared."""
        member, caller = hosted_member(self._node, call, economy), call.caller
        with _failures():
            step = member.approvals.reject(
                step_id, str(caller.access_role), caller.name, reason, any_step=any_step
            )
        return self.describe(step, None, member.economy)

    def describe(self, step: Step, request: bytes | None, economy: str) -> pb.PendingStep:
        """A step as people see it; without its request nothing says what it would do."""
        shown = pb.PendingStep(
            step_id=step.step_id,
            economy=economy,
            method=step.method,
            prepared_by=step.prepared_by,
            prepared_at=step.prepared_at,
            expires_at=step.expires_at,
        )
        if request is not None:
            method, rule = self._method(step)
            asked = method.request_deserializer(request) if method.request_deserializer else request
            shown.summary = _cut(rule.summary(asked))
        return shown

    def _prepare(self, name: str, rule: FourEyes, request: Any, call: Call) -> pb.PendingStep:
        member = hosted_member(self._node, call, getattr(request, "economy", ""))
        if rule.check is not None:
            rule.check(request, call)
        caller = call.caller
        data = (
            request.SerializeToString(deterministic=True)
            if isinstance(request, Message)
            else bytes(request)
        )
        with _failures():
            step = member.approvals.prepare(
                name, data, str(caller.access_role), caller.name, repeatable=rule.repeatable
            )
        return self.describe(step, data, member.economy)

    def _method(self, step: Step) -> tuple[Method, FourEyes]:
        found = self._methods.get(step.method)
        if found is None:
            raise Illegal("METHOD_GONE", f"this node takes no {step.method} now; reject it")
        return found


@contextmanager
def _failures() -> Iterator[None]:
    """Say what approvals raise in the words of the interface."""
    try:
        yield
    except UnknownStep as error:
        raise NotFound("STEP", str(error)) from None
    except SamePerson as error:
        raise Denied("SAME_PERSON", str(error)) from None
    except NotYours as error:
        raise Denied("NOT_YOURS", str(error)) from None
    except StepExpired as error:
        raise Illegal("STEP_EXPIRED", str(error)) from None
    except StepDecided as error:
        raise Illegal("STEP_DECIDED", str(error)) from None
    except Overloaded as error:
        raise Full(str(error), RETRY_MS) from None


def did_nothing(error: Exception) -> bool:
    """Whether an error of a handler says for certain that nothing was done.

    What ran out of time, or met a node that was stopping, may be signed and stored already.
    """
    if isinstance(error, CallError):
        return not isinstance(error, Expired | NotReady)
    return isinstance(error, Refused | NotEntered | Overloaded | StoreFull | StoreBusy)


def _cut(text: str) -> str:
    return text if len(text) <= SUMMARY_CHARACTERS else text[: SUMMARY_CHARACTERS - 1] + "…"
