r"""Governance on the wire: one step by which members govern, and what a proposal would change.

    aeo.ledger.v1.GovernanceStep, the action `governance` of a transaction, one of
        propose       a Proposal (aeo.ledger.v1.Proposal, at most 30,000 bytes)
        vote          for or against a proposal named by its id
        rotate key    the author's new Registration
        hand over     a header (224 bytes) and its seal by the current signing set

    proposal id = first 16 bytes of H("aeo/v1/proposal", network id || author || sequence (8))
                  of the transaction that proposed it

A proposal is not a vote. It says when it closes (Unix milliseconds, below 2^63) and names one
change. What stands inside it as bytes (a registration, parameters) is read where it is executed
(`ledger.state.governing`), so that what is wrong with it has its own code.

>>> closing = Proposal(1_800_000_000_000, Removal("NZ"))
>>> data = format_proposal(closing)
>>> data.hex(), parse_proposal(data) == closing
('0900505c18a30100002a024e5a', True)
>>> proposal_id(bytes(32), "SG", 7).hex()
'e258d25dbceffb830d9ccc3c5846bf59'
>>> against = Vote(proposal_id(bytes(32), "SG", 7), in_favour=False)
>>> parse_governance_step(format_governance_step(against)) == against
True
>>> parse_proposal(data[:9])
Traceback (most recent call last):
ledger.errors.FormatError: a proposal that changes nothing
"""

from itertools import pairwise
from typing import Final, NamedTuple, TypeAlias

from aeo.ledger.v1 import governance_pb2 as pb
from ledger.bls.scheme import KEY_ID_BYTES
from ledger.chain.economy import economy_bytes
from ledger.chain.header import HEADER_BYTES
from ledger.chain.seal import MAX_SEAL_BYTES, MIN_SEAL_BYTES
from ledger.chain.signing_set import TOTAL_WEIGHT_LIMIT
from ledger.errors import FormatError
from ledger.hashing import tagged
from ledger.wire import format_strict, parse_strict

# A registration (16 KiB), or the weights of every economy there can be, with room to spare.
PROPOSAL_LIMIT: Final = 30_000
STEP_LIMIT: Final = PROPOSAL_LIMIT + 16
PROPOSAL_ID_BYTES: Final = 16
# Below this every instant fits a signed integer of 64 bits.
_INSTANT_LIMIT: Final = 1 << 63

_ID: Final = tagged("aeo/v1/proposal")


class Admission(NamedTuple):
    """Admit whoever registered so: a new member, or one suspended or removed, with new keys."""

    registration: bytes


class MemberSuspension(NamedTuple):
    """Trust the member's key of this id (8 bytes) no more."""

    economy: str
    key_id: bytes


class Reinstatement(NamedTuple):
    """Trust the key of a suspended member again."""

    economy: str


class Removal(NamedTuple):
    """The economy leaves."""

    economy: str


class WeightChange(NamedTuple):
    """New weights by economy, ascending; the others keep theirs."""

    weights: tuple[tuple[str, int], ...]


class ParameterChange(NamedTuple):
    """Put the rules in these bytes (a Parameters message) in force."""

    parameters: bytes


Change: TypeAlias = (
    Admission | MemberSuspension | Reinstatement | Removal | WeightChange | ParameterChange
)


class Proposal(NamedTuple):
    """A change to vote on, before `closes_at` (Unix ms)."""

    closes_at: int
    change: Change


class Propose(NamedTuple):
    """The step that makes a proposal."""

    proposal: Proposal


class Vote(NamedTuple):
    """The step that votes on the proposal of an id (16 bytes)."""

    proposal_id: bytes
    in_favour: bool


class Rotation(NamedTuple):
    """The step that replaces the author's key: its new Registration."""

    registration: bytes


class HandOver(NamedTuple):
    """The step that makes the pending set current: a header (224 bytes), and its seal."""

    header: bytes
    seal: bytes


GovernanceStep: TypeAlias = Propose | Vote | Rotation | HandOver


def proposal_id(network_id: bytes, author: str, sequence: int) -> bytes:
    """The id (16 bytes) of what `author` proposes in its transaction of this number."""
    return _ID(network_id + economy_bytes(author) + sequence.to_bytes(8))[:PROPOSAL_ID_BYTES]


def format_proposal(proposal: Proposal) -> bytes:
    """Write a proposal; raises `FormatError` for what no `parse_proposal` accepts."""
    message = pb.Proposal(closes_at=proposal.closes_at)
    match proposal.change:
        case Admission(registration):
            message.admit = registration
        case MemberSuspension(economy, key_id):
            message.suspend.CopyFrom(pb.MemberSuspension(economy=economy, key_id=key_id))
        case Reinstatement(economy):
            message.reinstate = economy
        case Removal(economy):
            message.remove = economy
        case WeightChange(weights):
            members = [pb.MemberWeight(economy=each, weight=weight) for each, weight in weights]
            message.weights.CopyFrom(pb.WeightChange(members=members))
        case ParameterChange(parameters):
            message.parameters = parameters
    data = format_strict(message)
    parse_proposal(data)
    return data


def parse_proposal(data: bytes) -> Proposal:
    """Read a proposal, the bytes inside it not yet; raises `FormatError`."""
    message = parse_strict(pb.Proposal, data, PROPOSAL_LIMIT)
    if not 1 <= message.closes_at < _INSTANT_LIMIT:
        raise FormatError(f"a proposal that closes at {message.closes_at}")
    return Proposal(message.closes_at, _change(message))


def format_governance_step(step: GovernanceStep) -> bytes:
    """Write a step; raises `FormatError` for what no `parse_governance_step` accepts."""
    match step:
        case Propose(proposal):
            message = pb.GovernanceStep(propose=format_proposal(proposal))
        case Vote(identity, in_favour):
            message = pb.GovernanceStep(vote=pb.Vote(proposal_id=identity, in_favour=in_favour))
        case Rotation(registration):
            message = pb.GovernanceStep(rotate_key=registration)
        case HandOver(header, seal):
            message = pb.GovernanceStep(hand_over=pb.HandOver(header=header, seal=seal))
    data = format_strict(message)
    parse_governance_step(data)
    return data


def parse_governance_step(data: bytes) -> GovernanceStep:
    """Read a step; raises `FormatError`."""
    message = parse_strict(pb.GovernanceStep, data, STEP_LIMIT)
    match message.WhichOneof("step"):
        case "propose":
            return Propose(parse_proposal(message.propose))
        case "vote":
            if len(message.vote.proposal_id) != PROPOSAL_ID_BYTES:
                raise FormatError(f"a proposal id has {PROPOSAL_ID_BYTES} bytes")
            return Vote(message.vote.proposal_id, message.vote.in_favour)
        case "rotate_key":
            return Rotation(message.rotate_key)
        case "hand_over":
            header, seal = message.hand_over.header, message.hand_over.seal
            if len(header) != HEADER_BYTES:
                raise FormatError(f"a header has {HEADER_BYTES} bytes, not {len(header)}")
            if not MIN_SEAL_BYTES <= len(seal) <= MAX_SEAL_BYTES:
                raise FormatError(f"a seal of {len(seal)} bytes")
            return HandOver(header, seal)
    raise FormatError("a governance step that does nothing")


def _change(message: pb.Proposal) -> Change:
    match message.WhichOneof("change"):
        case "admit":
            return Admission(message.admit)
        case "suspend":
            economy_bytes(message.suspend.economy)
            if len(message.suspend.key_id) != KEY_ID_BYTES:
                raise FormatError(f"a key id has {KEY_ID_BYTES} bytes")
            return MemberSuspension(message.suspend.economy, message.suspend.key_id)
        case "reinstate":
            economy_bytes(message.reinstate)
            return Reinstatement(message.reinstate)
        case "remove":
            economy_bytes(message.remove)
            return Removal(message.remove)
        case "weights":
            weights = tuple((each.economy, each.weight) for each in message.weights.members)
            for economy, weight in weights:
                economy_bytes(economy)
                if weight >= TOTAL_WEIGHT_LIMIT:
                    raise FormatError(f"a weight of {weight}")
            if any(later[0] <= earlier[0] for earlier, later in pairwise(weights)):
                raise FormatError("new weights ascend by economy")
            return WeightChange(weights)
        case "parameters":
            return ParameterChange(message.parameters)
    raise FormatError("a proposal that changes nothing")
