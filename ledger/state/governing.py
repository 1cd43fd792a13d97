"""Executing governance steps: proposals, votes, key rotations, hand-overs.

An executed proposal or vote is one entry of the proposal's history (kind 8 of the state map), whose
record is the whole GovernanceStep as it stands in the transaction, at position 0. The vote that
decides adds the result, and what it changes in the histories of a member (kind 3) has that same
step as record and the voter as author; prefixes (kind 10) have records of their own. Signing sets
(kind 4) and parameters (kind 7) are objects, replaced.

Any active member may propose, also one without weight. A vote counts before the proposal closes and
before its result stands, once for each member, and only from a member with weight in the signing
set in force. Time alone changes nothing: a proposal that nobody votes on stays open on paper for
ever, but from `closes_at` on every vote on it is refused. How votes are counted says
`ledger.state.proposals`, what they change `ledger.state.changing`.

>>> from ledger.bls.scheme import default_backend, key_id
>>> from ledger.chain.governance import Removal, format_governance_step
>>> from ledger.chain.genesis import Genesis
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.registration import Registration
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> from ledger.hashing import ZERO_HASH
>>> from ledger.state.machine import Machine
>>> keys = {"KR": b"k" * 48, "TW": b"t" * 48}
>>> founders = [Registration(ZERO_HASH, economy, "Customs", "UTC", (economy,), 1, key, b"", b"",
...                          b"", "", key_id(key), b"exact bytes") for economy, key in keys.items()]
>>> founding = SigningSet(tuple(SigningMember(economy, 1, key) for economy, key in keys.items()))
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, tuple(founders), DEFAULT_PARAMETERS, b"",
...                   founding, b"exact bytes")
>>> draft = Draft(Machine(genesis, default_backend()).state, time=2_000)
>>> propose = format_governance_step(Propose(Proposal(9_000, Removal("TW"))))
>>> execute_governance(draft, "KR", 1, propose, default_backend())
''
>>> identity = proposal_id(genesis.network_id, "KR", 1)
>>> vote = format_governance_step(Vote(identity, in_favour=True))
>>> for author in ("KR", "KR", "TW", "TW"):
...     execute_governance(draft, author, 2, vote, default_backend())
''
'ALREADY_VOTED'
''
'PROPOSAL_CLOSED'
>>> decided = draft.proposals[identity]
>>> decided.result, decided.records[-1].record, len(decided.records)
(1, b'\\x01', 4)
>>> sorted(draft.membership.members), draft.pending_since
(['KR'], 1)
"""

from ledger.bls.scheme import BlsBackend
from ledger.chain.governance import (
    Admission,
    Proposal,
    Propose,
    Rotation,
    Vote,
    parse_governance_step,
    proposal_id,
)
from ledger.chain.history import HistoryEntry
from ledger.chain.keys import PARAMETERS_KEY, object_value, proposal_key
from ledger.chain.parameters import parse_parameters
from ledger.chain.registration import parse_registration
from ledger.chain.signing_set import SigningSets
from ledger.errors import FormatError
from ledger.state.changing import Effect, effect_of
from ledger.state.draft import Draft
from ledger.state.governance_refusals import (
    ALREADY_VOTED,
    NO_WEIGHT,
    PROPOSAL_CLOSED,
    PROPOSAL_UNKNOWN,
)
from ledger.state.handing_over import execute_hand_over
from ledger.state.membership import History
from ledger.state.proposals import ACCEPTED, OPEN, ProposalState, count_votes
from ledger.state.refusals import EXECUTED, STEP_MALFORMED
from ledger.state.registering import check_signed, execute_rotation


def execute_governance(
    draft: Draft, author: str, sequence: int, data: bytes, backend: BlsBackend
) -> str:
    """Execute one step, a proposal's id made from `sequence`; return its code."""
    try:
        step = parse_governance_step(data)
    except FormatError:
        return STEP_MALFORMED
    entry = HistoryEntry(draft.height, draft.time, draft.log_index, 0, author, data)
    match step:
        case Propose(proposal):
            identity = proposal_id(draft.base.network_id, author, sequence)
            return _propose(draft, identity, proposal, entry, backend)
        case Vote():
            return _vote(draft, step, entry)
        case Rotation(registration):
            return execute_rotation(draft, author, registration, entry, backend)
        case _:
            return execute_hand_over(draft, step, backend)


def _propose(
    draft: Draft, identity: bytes, proposal: Proposal, entry: HistoryEntry, backend: BlsBackend
) -> str:
    if proposal.closes_at <= draft.time:
        return PROPOSAL_CLOSED
    effect = effect_of(proposal.change, draft, entry)
    if isinstance(effect, str):
        return effect
    if isinstance(proposal.change, Admission):
        # The dearest check, so it comes last; what was signed does not change until the vote.
        refused = check_signed(proposal.change.registration, backend)
        if refused:
            return refused
    history = History().add(entry)
    draft.proposals[identity] = ProposalState(
        proposal, entry.author, entry.height, entry.time, {}, OPEN, history
    )
    draft.changes[proposal_key(identity)] = history.head
    return EXECUTED


def _vote(draft: Draft, vote: Vote, entry: HistoryEntry) -> str:
    before, voter = draft.proposal(vote.proposal_id), entry.author
    current = draft.signing_sets.current
    if before is None:
        return PROPOSAL_UNKNOWN
    if before.closed(draft.time):
        return PROPOSAL_CLOSED
    if voter in before.votes:
        return ALREADY_VOTED
    if all(member.economy != voter for member in current.members):
        return NO_WEIGHT

    votes = {**before.votes, voter: vote.in_favour}
    result = count_votes(votes, current, draft.membership.members)
    history = before.history.add(entry)
    if result == ACCEPTED:
        effect = effect_of(before.proposal.change, draft, entry)
        if isinstance(effect, str):
            return effect
        _take_effect(draft, effect)
        if isinstance(before.proposal.change, Admission):
            _forget_votes(draft, before.proposal.change)
    if result != OPEN:
        history = history.add(entry._replace(record=result.to_bytes(1)))
    draft.proposals[vote.proposal_id] = before._replace(votes=votes, result=result, history=history)
    draft.changes[proposal_key(vote.proposal_id)] = history.head
    return EXECUTED


def _take_effect(draft: Draft, effect: Effect) -> None:
    draft.change_membership(effect.membership)
    if effect.pending is not None:
        draft.change_signing_sets(SigningSets(draft.signing_sets.current, effect.pending))
    if effect.parameters is not None:
        draft.parameters = parse_parameters(effect.parameters)
        draft.parameter_bytes = effect.parameters
        draft.changes[PARAMETERS_KEY] = object_value(effect.parameters)


def _forget_votes(draft: Draft, admission: Admission) -> None:
    """Whoever comes back has new keys; what the old ones voted for is not known to be its will."""
    economy = parse_registration(admission.registration).economy
    for identity, proposal in {**draft.base.proposals, **draft.proposals}.items():
        if proposal.result == OPEN and economy in proposal.votes:
            votes = {voter: vote for voter, vote in proposal.votes.items() if voter != economy}
            draft.proposals[identity] = proposal._replace(votes=votes)
