"""Registrations that come after genesis: of a new member, and those that rotate a member's keys.

Both name this network, are signed by the keys in them, and bring keys that this network has not
seen: BLS key, its id, Ed25519 key, the authority's key, whoever had them, a removed member or the
applicant itself included. Only a rotation may carry on the Ed25519 key and the authority that the
member has now, since those do not enter again; its BLS key is always new.

A rotation changes keys, and may change the name and the endpoint. Weight (as last registered),
prefixes and time zone are what the others voted for, so they stay. It holds for what stands after
it in the log: its author's next transaction is signed with the new key, in the same block too.
Seals are another matter: the signing set keeps the old key until the next hand-over.
"""

from ledger.bls.scheme import BlsBackend
from ledger.chain.history import HistoryEntry
from ledger.chain.registration import Registration, open_registration, parse_registration
from ledger.errors import FormatError, SignatureError
from ledger.state.draft import Draft
from ledger.state.governance_refusals import (
    ALREADY_MEMBER,
    KEY_USED,
    PREFIX_TAKEN,
    REGISTRATION_MALFORMED,
    REGISTRATION_NOT_SIGNED,
    REGISTRATION_OF_OTHER_NETWORK,
    ROTATION_DIFFERS,
)
from ledger.state.membership import Membership, keys_of
from ledger.state.refusals import EXECUTED


def read_admission(
    data: bytes, network_id: bytes, membership: Membership
) -> tuple[Registration | None, str]:
    """The registration of whoever may be admitted, or None and why it may not.

    Its signatures are for `check_signed`.
    """
    try:
        registration = parse_registration(data)
    except FormatError:
        return None, REGISTRATION_MALFORMED
    if registration.network_id != network_id:
        return None, REGISTRATION_OF_OTHER_NETWORK
    if registration.economy in membership.members:
        return None, ALREADY_MEMBER
    if not membership.keys.isdisjoint(keys_of(registration)):
        return None, KEY_USED
    for prefix in registration.prefixes:
        if membership.speaker(prefix) not in ("", registration.economy):
            return None, PREFIX_TAKEN
    return registration, EXECUTED


def execute_rotation(
    draft: Draft, author: str, data: bytes, entry: HistoryEntry, backend: BlsBackend
) -> str:
    """Put the author's new registration in force; return the code."""
    try:
        new = parse_registration(data)
    except FormatError:
        return REGISTRATION_MALFORMED
    if new.network_id != draft.base.network_id:
        return REGISTRATION_OF_OTHER_NETWORK
    old = draft.membership.members[author]
    if _what_stays(new) != _what_stays(old):
        return ROTATION_DIFFERS
    used = draft.membership.keys - set(keys_of(old)[2:])
    if not used.isdisjoint(keys_of(new)):
        return KEY_USED
    refused = check_signed(data, backend)
    if not refused:
        draft.change_membership(draft.membership.rotate(new, entry))
    return refused


def check_signed(data: bytes, backend: BlsBackend) -> str:
    """Check that the keys in a registration have signed it; return the code."""
    try:
        open_registration(data, backend)
    except (FormatError, SignatureError):
        return REGISTRATION_NOT_SIGNED
    return EXECUTED


def _what_stays(registration: Registration) -> tuple[str, int, tuple[str, ...], str]:
    return (
        registration.economy,
        registration.weight,
        registration.prefixes,
        registration.time_zone,
    )
