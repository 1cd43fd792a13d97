"""ApprovalService: what one person prepared, another approves or rejects.

Listing is for officers, approvers and auditors of the own administration; approving for approvers,
never of what is theirs; rejecting for approvers, and for whoever prepared the step.

>>> _check_reason("facts have changed")
>>> _check_reason("see file 4711")
Traceback (most recent call last):
service.api.failures.InvalidField: reason: is kept, where no trader's number may be: no digits
"""

import re
from collections.abc import Mapping
from typing import Final

from aeo.exchange.v1 import approval_service_pb2 as pb
from service.api.caller import RIGHTS, Right
from service.api.failures import InvalidField, NotFound
from service.api.four_eyes import ApprovalDesk
from service.api.method import Call, Method, unary

SERVICE: Final = "aeo.exchange.v1.ApprovalService"
REASON_CHARACTERS: Final = 200

_DIGITS = re.compile(r"\d")


class ApprovalServicer:
    """Shows, approves and rejects the steps that one desk keeps."""

    def __init__(self, desk: ApprovalDesk) -> None:
        self._desk = desk

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        read, prepare = RIGHTS[Right.READ_PUBLICATIONS], RIGHTS[Right.PREPARE]
        return {
            "ListPending": unary(self.list_pending, pb.ListPendingRequest, read),
            "Approve": unary(self.approve, pb.ApproveRequest, RIGHTS[Right.CONFIRM]),
            "Reject": unary(self.reject, pb.RejectRequest, prepare),
        }

    def list_pending(self, request: pb.ListPendingRequest, call: Call) -> pb.ListPendingResponse:
        """What waits, oldest first; one step alone comes with its request."""
        response = pb.ListPendingResponse()
        for step, asked in self._desk.steps(call, request.economy):
            if request.step_id in ("", step.step_id):
                shown = self._desk.describe(step, asked, call.caller.economy)
                if request.step_id:
                    shown.request = asked
                response.steps.append(shown)
        if request.step_id and not response.steps:
            raise NotFound("STEP", f"no step {request.step_id[:64]!r} waits")
        return response

    def approve(self, request: pb.ApproveRequest, call: Call) -> pb.ApproveResponse:
        """Take a step as the caller's own."""
        step, response = self._desk.approve(request.step_id, request.economy, call)
        return pb.ApproveResponse(step=step, response=response)

    def reject(self, request: pb.RejectRequest, call: Call) -> pb.RejectResponse:
        """End a step that waits."""
        _check_reason(request.reason)
        step = self._desk.reject(
            request.step_id,
            request.economy,
            request.reason,
            call,
            any_step=call.caller.access_role in RIGHTS[Right.CONFIRM],
        )
        return pb.RejectResponse(step=step)


def _check_reason(reason: str) -> None:
    if len(reason) > REASON_CHARACTERS:
        raise InvalidField("reason", f"has at most {REASON_CHARACTERS} characters")
    if _DIGITS.search(reason):
        raise InvalidField("reason", "is kept, where no trader's number may be: no digits")
