"""ConsentService: whether a trader has agreed to be shared. Who publishes records it, and reads it.

The refusal of a step never fails its neighbours. A TIN is in the request only: errors quote none.
"""

from collections.abc import Mapping
from typing import Final

from aeo.exchange.v1 import consent_service_pb2 as pb
from service.api.caller import RIGHTS, Right
from service.api.failures import InvalidField
from service.api.hosted import failures, hosted_member
from service.api.method import Call, Method, unary
from service.node.node import Node
from service.node.profiles.consents import MAX_STEPS
from service.node.publishing.targets import RowRefused

SERVICE: Final = "aeo.exchange.v1.ConsentService"


class ConsentServicer:
    """Consents of the traders of the members that one node hosts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        return {
            "RecordConsents": unary(self.record, pb.RecordConsentsRequest, RIGHTS[Right.PREPARE]),
            "ListConsents": unary(
                self.list, pb.ListConsentsRequest, RIGHTS[Right.READ_PUBLICATIONS]
            ),
        }

    def record(self, request: pb.RecordConsentsRequest, call: Call) -> pb.RecordConsentsResponse:
        """Record every good step; what ends is ended before this answers."""
        member = hosted_member(self._node, call, request.economy)
        if not 1 <= len(request.steps) <= MAX_STEPS:
            raise InvalidField("steps", f"1 to {MAX_STEPS}, not {len(request.steps)}")
        caller = call.caller
        with failures("steps"):
            taken = member.consents.record(request.steps, f"{caller.access_role}/{caller.name}")
        return pb.RecordConsentsResponse(
            faults=[
                pb.ConsentFault(index=number, code=fault.code, message=fault.message)
                for number, fault in sorted(taken.faults.items())
            ],
            ended_certificates=taken.ended_certificates,
        )

    def list(self, request: pb.ListConsentsRequest, call: Call) -> pb.ListConsentsResponse:
        """Everything that one trader ever said."""
        member = hosted_member(self._node, call, request.economy)
        try:
            history = member.consents.history(request.tin)
        except RowRefused as refused:
            raise InvalidField("tin", refused.fault.message, refused.fault.code) from None
        return pb.ListConsentsResponse(
            consents=[
                pb.Consent(
                    arrangement_id=step.arrangement_id,
                    given=step.given,
                    stated_at=step.stated_at,
                    recorded_at=step.recorded_at,
                    recorded_by=step.recorded_by,
                )
                for step in history
            ]
        )
