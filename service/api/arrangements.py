"""ArrangementService: the texts under which members recognise each other.

Each call that writes answers once its step is recorded. Reading is for everyone but agencies. An
approver suspends alone; every other step is prepared by one person and approved by another.
"""

from collections.abc import Mapping
from functools import partial
from typing import Any, Final

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from ledger.hashing import HASH_BYTES
from service.api.arrangement_message import describe_arrangement, find_history, warnings_in
from service.api.arrangement_summary import (
    always,
    summarise_end,
    summarise_proposal,
    summarise_resumption,
    summarise_signature,
)
from service.api.arrangement_terms import ArrangementTerms
from service.api.caller import RIGHTS, Right
from service.api.failures import InvalidField
from service.api.hosted import failures, hosted_member, time_to_wait
from service.api.key_fetching import fetch_lookup_key
from service.api.method import Call, FourEyes, Kind, Method, Pool, unary
from service.node.node import HostedMember, Node

SERVICE: Final = "aeo.exchange.v1.ArrangementService"
KEY_CHARACTERS: Final = 64


class ArrangementServicer:
    """Reads one node's arrangements and takes steps for the members that it hosts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        prepare, read = RIGHTS[Right.PREPARE], RIGHTS[Right.READ_ARRANGEMENTS]
        write = RIGHTS[Right.CONFIRM]
        two = self._two_persons()
        methods = {
            "Propose": unary(
                self.propose, pb.ArrangementServiceProposeRequest, prepare, two["Propose"]
            ),
            "Sign": unary(self.sign, pb.ArrangementServiceSignRequest, prepare, two["Sign"]),
            "Suspend": unary(self.suspend, pb.ArrangementServiceSuspendRequest, write),
            "Resume": unary(
                self.resume, pb.ArrangementServiceResumeRequest, prepare, two["Resume"]
            ),
            "End": unary(self.end, pb.ArrangementServiceEndRequest, prepare, two["End"]),
            "Get": unary(self.get, pb.ArrangementServiceGetRequest, read),
            "List": unary(self.list, pb.ArrangementServiceListRequest, read),
        }
        # Not among the calls that wait: one of those may be what asks.
        methods["FetchLookupKey"] = Method(
            Kind.UNARY,
            partial(fetch_lookup_key, self._node),
            pb.ArrangementServiceFetchLookupKeyRequest.FromString,
            pb.ArrangementServiceFetchLookupKeyResponse.SerializeToString,
            RIGHTS[Right.PEER],
            Pool.QUICK,
        )
        return {**methods, **ArrangementTerms(self._node).methods()}

    def _two_persons(self) -> Mapping[str, FourEyes]:
        """Steps that a second person approves. A second resumption might lift a later suspension;
        the others come to no more when they are taken again."""
        return {
            "Propose": FourEyes(
                always,
                summarise_proposal,
                pb.ArrangementServiceProposeResponse,
                self._check_proposal,
                repeatable=True,
            ),
            "Sign": FourEyes(
                always,
                summarise_signature,
                pb.ArrangementServiceSignResponse,
                self._check_signature,
                repeatable=True,
            ),
            "Resume": FourEyes(
                always,
                summarise_resumption,
                pb.ArrangementServiceResumeResponse,
                self._check_step,
            ),
            "End": FourEyes(
                always,
                summarise_end,
                pb.ArrangementServiceEndResponse,
                self._check_step,
                repeatable=True,
            ),
        }

    def propose(
        self, request: pb.ArrangementServiceProposeRequest, call: Call
    ) -> pb.ArrangementServiceProposeResponse:
        """Propose a text; the node makes its lookup key and commits to it."""
        member = self._check_proposal(request, call)
        with failures("text"):
            arrangement = member.agreements.propose(
                request.text, request.idempotency_key, time_to_wait(call)
            )
        text = find_history(self._node, arrangement).text
        return pb.ArrangementServiceProposeResponse(
            arrangement=self._describe(arrangement), warnings=warnings_in(text)
        )

    def sign(
        self, request: pb.ArrangementServiceSignRequest, call: Call
    ) -> pb.ArrangementServiceSignResponse:
        """Sign the text that the caller read."""
        member = self._check_signature(request, call)
        with failures("text_hash"):
            member.agreements.sign(request.arrangement_id, request.text_hash, time_to_wait(call))
        return pb.ArrangementServiceSignResponse(arrangement=self._describe(request.arrangement_id))

    def suspend(
        self, request: pb.ArrangementServiceSuspendRequest, call: Call
    ) -> pb.ArrangementServiceSuspendResponse:
        """Suspend it, alone, for all parties."""
        self._step(request, call, "suspend")
        return pb.ArrangementServiceSuspendResponse(
            arrangement=self._describe(request.arrangement_id)
        )

    def resume(
        self, request: pb.ArrangementServiceResumeRequest, call: Call
    ) -> pb.ArrangementServiceResumeResponse:
        """Resume what the member has suspended."""
        self._step(request, call, "resume")
        return pb.ArrangementServiceResumeResponse(
            arrangement=self._describe(request.arrangement_id)
        )

    def end(
        self, request: pb.ArrangementServiceEndRequest, call: Call
    ) -> pb.ArrangementServiceEndResponse:
        """End it with the notice of its text."""
        self._step(request, call, "end")
        return pb.ArrangementServiceEndResponse(arrangement=self._describe(request.arrangement_id))

    def get(
        self, request: pb.ArrangementServiceGetRequest, _call: Call
    ) -> pb.ArrangementServiceGetResponse:
        """One arrangement with its exact text."""
        find_history(self._node, request.arrangement_id)
        return pb.ArrangementServiceGetResponse(arrangement=self._describe(request.arrangement_id))

    def list(
        self, request: pb.ArrangementServiceListRequest, _call: Call
    ) -> pb.ArrangementServiceListResponse:
        """Every arrangement, or every one of a party, oldest first."""
        state = self._node.state
        found = (
            state.own_arrangements(request.party) if request.party else tuple(state.arrangements)
        )
        return pb.ArrangementServiceListResponse(
            arrangements=[self._describe(arrangement) for arrangement in found]
        )

    def _step(self, request: Any, call: Call, name: str) -> None:
        member = self._check_step(request, call)
        take = getattr(member.agreements, name)
        with failures("effective_from"):
            take(request.arrangement_id, request.effective_from, time_to_wait(call))

    def _check_proposal(
        self, request: pb.ArrangementServiceProposeRequest, call: Call
    ) -> HostedMember:
        member = hosted_member(self._node, call, request.economy)
        if not 1 <= len(request.idempotency_key) <= KEY_CHARACTERS:
            raise InvalidField("idempotency_key", f"1 to {KEY_CHARACTERS} characters")
        with failures("text"):
            member.agreements.check_proposal(request.text, request.idempotency_key)
        return member

    def _check_signature(
        self, request: pb.ArrangementServiceSignRequest, call: Call
    ) -> HostedMember:
        member = self._member(request, call)
        if len(request.text_hash) != HASH_BYTES:
            raise InvalidField("text_hash", f"{HASH_BYTES} bytes")
        with failures("text_hash"):
            member.agreements.check_signature(request.arrangement_id, request.text_hash)
        return member

    def _check_step(self, request: Any, call: Call) -> HostedMember:
        member = self._member(request, call)
        if request.effective_from < 0:
            raise InvalidField("effective_from", "before 1970")
        return member

    def _member(self, request: Any, call: Call) -> HostedMember:
        member = hosted_member(self._node, call, request.economy)
        find_history(self._node, request.arrangement_id)
        return member

    def _describe(self, arrangement: bytes) -> pb.Arrangement:
        return describe_arrangement(self._node, arrangement)
