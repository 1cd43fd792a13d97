"""Members and proposals: list, propose, vote, rotate keys."""

from typing import Any, TypeAlias

from aeo.exchange.v1 import membership_service_pb2 as pb
from aeo.exchange.v1.membership_service_pb2_grpc import MembershipServiceStub
from aeo.ledger.v1.governance_pb2 import Proposal
from service.client.approvals import Pending
from service.client.arrangements import RECORDED_DEADLINE
from service.client.connection import Connection

Proposed: TypeAlias = pb.MemberProposal | Pending[pb.MemberProposal]
"""A proposal after a step, or the step that waits for a second person."""
Rotated: TypeAlias = pb.Member | Pending[pb.Member]


class MembershipClient:
    """`MembershipService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = MembershipServiceStub(connection.channel)

    def list(self) -> pb.MembershipServiceListResponse:
        """Everyone who ever was a member, and every proposal, the newest first."""
        return self._connection.call(self._stub.List, pb.MembershipServiceListRequest())

    def get(self, economy: str) -> pb.Member:
        """One member with its registration; `NoSuchThing` for an economy that never was one."""
        request = pb.MembershipServiceGetRequest(economy=economy)
        return self._connection.call(self._stub.Get, request).member

    def propose(
        self, proposal: Proposal, idempotency_key: str, deadline: float = RECORDED_DEADLINE
    ) -> Proposed:
        """Propose a change; that is not a vote for it."""
        request = pb.MembershipServiceProposeRequest(
            proposal=proposal, economy=self._economy, idempotency_key=idempotency_key
        )
        return _proposal(self._connection.call(self._stub.Propose, request, deadline))

    def vote(
        self, proposal_id: bytes, *, in_favour: bool, deadline: float = RECORDED_DEADLINE
    ) -> Proposed:
        """Vote on a proposal; the vote that decides also makes the change."""
        request = pb.MembershipServiceVoteRequest(
            proposal_id=proposal_id, in_favour=in_favour, economy=self._economy
        )
        return _proposal(self._connection.call(self._stub.Vote, request, deadline))

    def rotate_key(
        self,
        endpoint: str = "",
        ca_certificate: bytes = b"",
        deadline: float = RECORDED_DEADLINE,
    ) -> Rotated:
        """Have the node make and register new keys, and if given a new endpoint or authority."""
        request = pb.MembershipServiceRotateKeyRequest(
            economy=self._economy, endpoint=endpoint, ca_certificate=ca_certificate
        )
        answer = self._connection.call(self._stub.RotateKey, request, deadline)
        if answer.HasField("pending"):
            read = pb.MembershipServiceRotateKeyResponse.FromString
            return Pending(answer.pending, lambda data: read(data).member)
        return answer.member


def _proposal(answer: Any) -> Proposed:
    if answer.HasField("pending"):
        read = type(answer).FromString
        return Pending(answer.pending, lambda data: read(data).proposal)
    proposal: pb.MemberProposal = answer.proposal
    return proposal
