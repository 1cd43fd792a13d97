"""What an approver is shown of a step of governance.

>>> summarise_change(WeightChange((("AU", 1), ("NZ", 2))))
'weights AU=1, NZ=2'
>>> summarise_change(WeightChange(()))
'take up the keys in force'
>>> vote = pb.MembershipServiceVoteRequest(proposal_id=bytes(16), in_favour=True)
>>> summarise_vote(vote, Removal("NZ"))
'vote for 00000000000000000000000000000000: remove NZ'
"""

from datetime import UTC, datetime

from aeo.exchange.v1 import membership_service_pb2 as pb
from ledger.chain.governance import (
    Admission,
    Change,
    MemberSuspension,
    ParameterChange,
    Reinstatement,
    Removal,
    WeightChange,
    parse_proposal,
)
from ledger.chain.parameters import parse_parameters
from ledger.chain.registration import parse_registration
from ledger.errors import FormatError
from ledger.wire import format_strict


def summarise_change(change: Change) -> str:
    """A change in a line."""
    match change:
        case Admission(registration):
            return f"admit {_applicant(registration)}"
        case MemberSuspension(economy, key_id):
            return f"suspend {economy}, key {key_id.hex()}"
        case Reinstatement(economy):
            return f"reinstate {economy}"
        case Removal(economy):
            return f"remove {economy}"
        case WeightChange(weights):
            named = ", ".join(f"{economy}={weight}" for economy, weight in weights)
            return f"weights {named}" if named else "take up the keys in force"
        case ParameterChange(parameters):
            return f"parameters {_parameters(parameters)}"


def summarise_proposal(request: pb.MembershipServiceProposeRequest) -> str:
    """The change proposed, and until when it can be voted on."""
    try:
        proposal = parse_proposal(format_strict(request.proposal))
        closes = datetime.fromtimestamp(proposal.closes_at / 1000, UTC)
    except (FormatError, OverflowError, ValueError, OSError):
        return "propose what cannot be read"
    change = summarise_change(proposal.change)
    return f"propose: {change}; votes until {closes:%Y-%m-%d %H:%M} UTC"


def summarise_vote(request: pb.MembershipServiceVoteRequest, change: Change | None) -> str:
    """Which way, on what."""
    side = "for" if request.in_favour else "against"
    what = "an unknown proposal" if change is None else summarise_change(change)
    return f"vote {side} {request.proposal_id.hex()}: {what}"


def summarise_rotation(request: pb.MembershipServiceRotateKeyRequest) -> str:
    """That keys are made anew, and what else changes with them."""
    parts = ["make new BLS and Ed25519 keys and register them"]
    if request.endpoint:
        parts.append(f"endpoint {request.endpoint}")
    if request.ca_certificate:
        parts.append("another authority for its nodes and clients")
    return "; ".join(parts)


def _applicant(data: bytes) -> str:
    try:
        who = parse_registration(data)
    except FormatError:
        return "a registration that cannot be read"
    speaks = ", ".join(who.prefixes) or "no prefix"
    key_id = who.key_id.hex()
    return f"{who.economy} ({who.name}), weight {who.weight}, speaks for {speaks}, key {key_id}"


def _parameters(data: bytes) -> str:
    try:
        parameters = parse_parameters(data)
    except FormatError:
        return "that cannot be read"
    return ", ".join(f"{name}={value}" for name, value in parameters._asdict().items())
