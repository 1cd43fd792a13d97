"""MembershipService: who belongs to the network, and how its members change that.

Each call that writes answers once its step is recorded; it is prepared by one person and approved
by another. Reading is for everyone but agencies.
"""

from collections.abc import Mapping
from typing import Final

from aeo.exchange.v1 import membership_service_pb2 as pb
from aeo.ledger.v1 import governance_pb2
from ledger.chain.governance import (
    PROPOSAL_ID_BYTES,
    Change,
    Proposal,
    format_proposal,
    parse_proposal,
)
from ledger.state.governance_refusals import GOVERNANCE_REFUSALS, PROPOSAL_UNKNOWN
from ledger.state.membership import ACTIVE, REMOVED, SUSPENDED, Member
from ledger.state.proposals import ACCEPTED, OPEN, ProposalState
from ledger.state.state import State
from ledger.wire import format_strict
from service.api.arrangement_summary import always
from service.api.caller import RIGHTS, Right
from service.api.failures import InvalidField, NotFound, naming
from service.api.hosted import failures, hosted_member, time_to_wait
from service.api.membership_summary import (
    summarise_proposal,
    summarise_rotation,
    summarise_vote,
)
from service.api.method import Call, FourEyes, Method, unary
from service.api.proposals_shown import shown_proposals
from service.node.node import HostedMember, Node

SERVICE: Final = "aeo.exchange.v1.MembershipService"
KEY_CHARACTERS: Final = 64

_STATES: Final = {
    ACTIVE: pb.MEMBER_STATE_ACTIVE,
    SUSPENDED: pb.MEMBER_STATE_SUSPENDED,
    REMOVED: pb.MEMBER_STATE_REMOVED,
}


class MembershipServicer:
    """Reads one node's members and proposals, and takes steps for the members that it hosts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        prepare, read = RIGHTS[Right.PREPARE], RIGHTS[Right.READ_ARRANGEMENTS]
        return {
            "List": unary(self.list, pb.MembershipServiceListRequest, read),
            "Get": unary(self.get, pb.MembershipServiceGetRequest, read),
            "Propose": unary(
                self.propose,
                pb.MembershipServiceProposeRequest,
                prepare,
                FourEyes(
                    always,
                    summarise_proposal,
                    pb.MembershipServiceProposeResponse,
                    self._check_proposal,
                    repeatable=True,
                ),
            ),
            "Vote": unary(
                self.vote,
                pb.MembershipServiceVoteRequest,
                prepare,
                FourEyes(
                    always,
                    self._summarise_vote,
                    pb.MembershipServiceVoteResponse,
                    self._check_vote,
                    repeatable=True,
                ),
            ),
            # Twice would be two rotations: not repeatable.
            "RotateKey": unary(
                self.rotate_key,
                pb.MembershipServiceRotateKeyRequest,
                prepare,
                FourEyes(
                    always,
                    summarise_rotation,
                    pb.MembershipServiceRotateKeyResponse,
                    self._check_rotation,
                ),
            ),
        }

    def list(
        self, _request: pb.MembershipServiceListRequest, _call: Call
    ) -> pb.MembershipServiceListResponse:
        """Everyone who ever was a member, and the proposals."""
        state, now = self._node.state, self._node.clock.now_ms()
        proposals, left_out = shown_proposals(state.proposals, now)
        return pb.MembershipServiceListResponse(
            members=[_member(state, each) for _, each in sorted(state.membership.all.items())],
            proposals=[_proposal(identity, each, now) for identity, each in proposals],
            height=state.height,
            set_pending=state.signing_sets.pending is not None,
            parameters=state.parameter_bytes,
            proposals_left_out=left_out,
        )

    def get(
        self, request: pb.MembershipServiceGetRequest, _call: Call
    ) -> pb.MembershipServiceGetResponse:
        """One member with its registration."""
        state = self._node.state
        found = state.membership.all.get(request.economy)
        if found is None:
            raise NotFound("MEMBER", f"{request.economy!r} never was a member of this network")
        member = _member(state, found)
        member.registration = found.registration.data
        return pb.MembershipServiceGetResponse(member=member)

    def propose(
        self, request: pb.MembershipServiceProposeRequest, call: Call
    ) -> pb.MembershipServiceProposeResponse:
        """Propose a change. That is not a vote for it."""
        member, proposal = self._check_proposal(request, call)
        with failures("proposal"):
            made = member.governance.propose(
                proposal.change, proposal.closes_at, request.idempotency_key, time_to_wait(call)
            )
        return pb.MembershipServiceProposeResponse(proposal=self._describe(made))

    def vote(
        self, request: pb.MembershipServiceVoteRequest, call: Call
    ) -> pb.MembershipServiceVoteResponse:
        """Vote; the vote that decides also makes the change."""
        member = self._check_vote(request, call)
        with failures("proposal_id"):
            member.governance.vote(
                request.proposal_id, in_favour=request.in_favour, timeout=time_to_wait(call)
            )
        return pb.MembershipServiceVoteResponse(proposal=self._describe(request.proposal_id))

    def rotate_key(
        self, request: pb.MembershipServiceRotateKeyRequest, call: Call
    ) -> pb.MembershipServiceRotateKeyResponse:
        """Make new keys and register them."""
        member = self._check_rotation(request, call)
        with failures("endpoint"):
            member.governance.rotate(
                time_to_wait(call),
                endpoint=request.endpoint,
                ca_certificate=request.ca_certificate,
            )
        state = self._node.state
        own = _member(state, state.membership.all[member.economy])
        return pb.MembershipServiceRotateKeyResponse(member=own)

    def _check_proposal(
        self, request: pb.MembershipServiceProposeRequest, call: Call
    ) -> tuple[HostedMember, Proposal]:
        member = hosted_member(self._node, call, request.economy)
        if not 1 <= len(request.idempotency_key) <= KEY_CHARACTERS:
            raise InvalidField("idempotency_key", f"1 to {KEY_CHARACTERS} characters")
        with naming("proposal"):
            return member, parse_proposal(format_strict(request.proposal))

    def _check_vote(self, request: pb.MembershipServiceVoteRequest, call: Call) -> HostedMember:
        member = hosted_member(self._node, call, request.economy)
        if len(request.proposal_id) != PROPOSAL_ID_BYTES:
            raise InvalidField("proposal_id", f"{PROPOSAL_ID_BYTES} bytes")
        if request.proposal_id not in self._node.state.proposals:
            raise NotFound("PROPOSAL", GOVERNANCE_REFUSALS[PROPOSAL_UNKNOWN])
        return member

    def _check_rotation(
        self, request: pb.MembershipServiceRotateKeyRequest, call: Call
    ) -> HostedMember:
        member = hosted_member(self._node, call, request.economy)
        with failures("endpoint"):
            member.governance.check_rotation(
                endpoint=request.endpoint, ca_certificate=request.ca_certificate
            )
        return member

    def _summarise_vote(self, request: pb.MembershipServiceVoteRequest) -> str:
        found = self._node.state.proposals.get(request.proposal_id)
        change: Change | None = None if found is None else found.proposal.change
        return summarise_vote(request, change)

    def _describe(self, proposal: bytes) -> pb.MemberProposal:
        state = self._node.state
        return _proposal(proposal, state.proposals[proposal], self._node.clock.now_ms())


def _member(state: State, member: Member) -> pb.Member:
    registration = member.registration
    sealing = {each.economy: each.key for each in state.signing_sets.current.members}
    seals_with = sealing.get(registration.economy, registration.bls_public_key)
    return pb.Member(
        economy=registration.economy,
        name=registration.name,
        time_zone=registration.time_zone,
        prefixes=[
            prefix
            for prefix in state.membership.speakers
            if state.membership.speaker(prefix) == registration.economy
        ],
        weight=member.weight,
        key_id=registration.key_id,
        endpoint=registration.endpoint,
        state=_STATES[member.standing],
        since=member.time,
        old_key_seals=member.standing == ACTIVE and seals_with != registration.bls_public_key,
    )


def _proposal(identity: bytes, state: ProposalState, now: int) -> pb.MemberProposal:
    if state.result != OPEN:
        accepted = state.result == ACCEPTED
        shown = pb.PROPOSAL_STATE_ACCEPTED if accepted else pb.PROPOSAL_STATE_REFUSED
    else:
        shown = pb.PROPOSAL_STATE_CLOSED if state.closed(now) else pb.PROPOSAL_STATE_OPEN
    return pb.MemberProposal(
        proposal_id=identity,
        proposer=state.proposer,
        proposal=governance_pb2.Proposal.FromString(format_proposal(state.proposal)),
        state=shown,
        in_favour=sorted(economy for economy, for_it in state.votes.items() if for_it),
        against=sorted(economy for economy, for_it in state.votes.items() if not for_it),
        height=state.height,
    )
