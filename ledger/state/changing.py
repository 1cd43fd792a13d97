"""What a proposal would change, as things stand now: the same answer when it is made and decided.

A change is worked out whole before anything of it happens. Who proposes what cannot be is refused
at once; and since members, keys and sets may change before the vote that decides, that vote is
refused, and does not count, if the change has become impossible.

*Signing sets.* Admitting with a weight, removing a member that seals, new weights, and suspending a
member that seals each put a pending set beside the current one: all active members of weight above
0, with their keys in force now, rotations and reinstated members included. While one is pending
none of these can be proposed or passed, except that a suspension still passes and then leaves the
sets alone: an emergency does not wait. Once the hand-over is done, new weights for nobody take up
the keys in force and drop the suspended member. A set is never empty, is never what it was before,
and comes to less than 2^31; no suspension may leave a set none of whose members is active, for
nobody could vote any more.

*Standing.* A suspension names the key in force, so that it never hits the key that replaced it. A
suspended member keeps its weight, its prefixes and its place among members; reinstated, it signs
transactions at once, and seals from the next set on. Removed, it speaks for no prefix. Either may
be admitted again with a registration whose keys are all new; prefixes and weight are then that
registration's.

*Parameters.* Rules of another version than this software knows cannot be put in force.

>>> from ledger.bls.scheme import default_backend, key_id
>>> from ledger.chain.genesis import Genesis
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.registration import Registration
>>> from ledger.hashing import ZERO_HASH
>>> from ledger.state.machine import Machine
>>> keys = {"KR": b"k" * 48, "TW": b"t" * 48}
>>> founders = [Registration(ZERO_HASH, economy, "Customs", "UTC", (economy,), 1, key, b"", b"",
...                          b"", "", key_id(key), b"exact bytes") for economy, key in keys.items()]
>>> founding = SigningSet(tuple(SigningMember(economy, 1, key) for economy, key in keys.items()))
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, tuple(founders), DEFAULT_PARAMETERS, b"",
...                   founding, b"exact bytes")
>>> draft = Draft(Machine(genesis, default_backend()).state, time=2_000)
>>> vote = HistoryEntry(1, 2_000, 0, 0, "KR", b"the step that decides")
>>> removal = effect_of(Removal("TW"), draft, vote)
>>> [member.economy for member in removal.pending.members], sorted(removal.membership.prefixes)
(['KR'], ['KR'])
>>> for change in (Removal("SG"), WeightChange(()), WeightChange((("KR", 0), ("TW", 0))),
...                MemberSuspension("TW", key_id(keys["KR"])), ParameterChange(b"")):
...     effect_of(change, draft, vote)
'MEMBER_UNKNOWN'
'SET_UNCHANGED'
'SET_EMPTY'
'KEY_NOT_IN_FORCE'
'PARAMETERS_MALFORMED'
>>> draft.change_signing_sets(SigningSets(founding, removal.pending))
>>> effect_of(Removal("KR"), draft, vote)
'SET_PENDING'
>>> suspension = effect_of(MemberSuspension("TW", key_id(keys["TW"])), draft, vote)
>>> sorted(suspension.membership.members), suspension.pending
(['KR'], None)
"""

from typing import Final, NamedTuple

from ledger.chain.governance import (
    Admission,
    Change,
    MemberSuspension,
    ParameterChange,
    Reinstatement,
    Removal,
    WeightChange,
)
from ledger.chain.history import HistoryEntry
from ledger.chain.parameters import parse_parameters
from ledger.chain.signing_set import TOTAL_WEIGHT_LIMIT, SigningMember, SigningSet, SigningSets
from ledger.errors import FormatError
from ledger.state.draft import Draft
from ledger.state.governance_refusals import (
    KEY_NOT_IN_FORCE,
    MEMBER_NOT_SUSPENDED,
    MEMBER_SUSPENDED,
    MEMBER_UNKNOWN,
    PARAMETERS_MALFORMED,
    RULES_VERSION_UNKNOWN,
    SET_EMPTY,
    SET_PENDING,
    SET_UNCHANGED,
    SET_WEIGHT_OUT_OF_RANGE,
)
from ledger.state.membership import ACTIVE, REMOVED, SUSPENDED, Membership
from ledger.state.registering import read_admission

# The rules of recognition and execution that this software knows.
KNOWN_RULES: Final = 1


class Effect(NamedTuple):
    """What a change comes to: the membership after it, and a new pending set or parameters."""

    membership: Membership
    pending: SigningSet | None = None
    parameters: bytes | None = None


def effect_of(change: Change, draft: Draft, entry: HistoryEntry) -> Effect | str:
    """What `change` would come to now, its histories extended by `entry`; or why it cannot be."""
    membership, sets = draft.membership, draft.signing_sets
    match change:
        case Admission(data):
            registration, refused = read_admission(data, draft.base.network_id, membership)
            if registration is None:
                return refused
            after = membership.admit(registration, entry)
            if registration.weight or _seals(registration.economy, sets):
                return _with_new_set(after, sets)
            return Effect(after)
        case MemberSuspension(economy, key_id):
            return _suspend(economy, key_id, membership, sets, entry)
        case Reinstatement(economy):
            refused = _refuse_standing(economy, membership)
            if refused != MEMBER_SUSPENDED:
                return refused or MEMBER_NOT_SUSPENDED
            after = membership.stand(economy, ACTIVE, entry)
            if _total(after) >= TOTAL_WEIGHT_LIMIT:
                return SET_WEIGHT_OUT_OF_RANGE
            return Effect(after)
        case Removal(economy):
            if _refuse_standing(economy, membership) == MEMBER_UNKNOWN:
                return MEMBER_UNKNOWN
            after = membership.remove(economy, entry)
            return _with_new_set(after, sets) if _seals(economy, sets) else Effect(after)
        case WeightChange(weights):
            for economy, _ in weights:
                refused = _refuse_standing(economy, membership)
                if refused:
                    return refused
            return _with_new_set(membership.reweigh(weights), sets)
        case ParameterChange(parameters):
            return _replace_parameters(parameters, membership)


def _suspend(
    economy: str, key_id: bytes, membership: Membership, sets: SigningSets, entry: HistoryEntry
) -> Effect | str:
    refused = _refuse_standing(economy, membership)
    if refused:
        return refused
    if membership.members[economy].key_id != key_id:
        return KEY_NOT_IN_FORCE
    after = membership.stand(economy, SUSPENDED, entry)
    for each in (sets.current, sets.pending):
        if each is not None and not any(one.economy in after.members for one in each.members):
            return SET_EMPTY
    if sets.pending is not None:
        return Effect(after)
    return _with_new_set(after, sets) if _seals(economy, sets) else Effect(after)


def _replace_parameters(data: bytes, membership: Membership) -> Effect | str:
    try:
        parameters = parse_parameters(data)
    except FormatError:
        return PARAMETERS_MALFORMED
    if parameters.rules_version != KNOWN_RULES:
        return RULES_VERSION_UNKNOWN
    return Effect(membership, parameters=data)


def _with_new_set(after: Membership, sets: SigningSets) -> Effect | str:
    """The effect with the set of `after` pending, or why that set cannot be."""
    if sets.pending is not None:
        return SET_PENDING
    if _total(after) >= TOTAL_WEIGHT_LIMIT:
        return SET_WEIGHT_OUT_OF_RANGE
    members = tuple(
        SigningMember(economy, after.all[economy].weight, registration.bls_public_key)
        for economy, registration in after.members.items()
        if after.all[economy].weight
    )
    if not members:
        return SET_EMPTY
    pending = SigningSet(members)
    return SET_UNCHANGED if pending == sets.current else Effect(after, pending)


def _total(membership: Membership) -> int:
    """The weight of all active members."""
    return sum(membership.all[economy].weight for economy in membership.members)


def _seals(economy: str, sets: SigningSets) -> bool:
    """Whether a member is in the current or the pending set."""
    members = sets.current.members + (() if sets.pending is None else sets.pending.members)
    return any(member.economy == economy for member in members)


def _refuse_standing(economy: str, membership: Membership) -> str:
    """Why an economy is not an active member; empty where it is one."""
    member = membership.all.get(economy)
    if member is None or member.standing == REMOVED:
        return MEMBER_UNKNOWN
    return MEMBER_SUSPENDED if member.standing == SUSPENDED else ""
