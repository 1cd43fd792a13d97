"""Why a governance step has no effect: the closed list of codes, each with its text for people.

A refused step stands in the log and has consumed its number; nothing else has changed. A vote that
would have passed a proposal, but whose change cannot be made now, is refused with the reason of
the change: it does not count, and may be cast again while the proposal is open.

>>> GOVERNANCE_REFUSALS[SET_PENDING]
'a signing set waits for its hand-over; until then no other can be voted for'
"""

from typing import Final

# Proposals and votes.
PROPOSAL_UNKNOWN: Final = "PROPOSAL_UNKNOWN"
PROPOSAL_CLOSED: Final = "PROPOSAL_CLOSED"
ALREADY_VOTED: Final = "ALREADY_VOTED"
NO_WEIGHT: Final = "NO_WEIGHT"

# Registrations: of a new member, or with which a member rotates its key.
REGISTRATION_MALFORMED: Final = "REGISTRATION_MALFORMED"
REGISTRATION_OF_OTHER_NETWORK: Final = "REGISTRATION_OF_OTHER_NETWORK"
REGISTRATION_NOT_SIGNED: Final = "REGISTRATION_NOT_SIGNED"
KEY_USED: Final = "KEY_USED"
PREFIX_TAKEN: Final = "PREFIX_TAKEN"
ALREADY_MEMBER: Final = "ALREADY_MEMBER"
ROTATION_DIFFERS: Final = "ROTATION_DIFFERS"

# Members.
MEMBER_UNKNOWN: Final = "MEMBER_UNKNOWN"
MEMBER_SUSPENDED: Final = "MEMBER_SUSPENDED"
MEMBER_NOT_SUSPENDED: Final = "MEMBER_NOT_SUSPENDED"
KEY_NOT_IN_FORCE: Final = "KEY_NOT_IN_FORCE"

# Signing sets.
SET_PENDING: Final = "SET_PENDING"
SET_EMPTY: Final = "SET_EMPTY"
SET_UNCHANGED: Final = "SET_UNCHANGED"
SET_WEIGHT_OUT_OF_RANGE: Final = "SET_WEIGHT_OUT_OF_RANGE"

# Parameters.
PARAMETERS_MALFORMED: Final = "PARAMETERS_MALFORMED"
RULES_VERSION_UNKNOWN: Final = "RULES_VERSION_UNKNOWN"

# Hand-overs.
NO_PENDING_SET: Final = "NO_PENDING_SET"
HEADER_UNKNOWN: Final = "HEADER_UNKNOWN"
HEADER_TOO_EARLY: Final = "HEADER_TOO_EARLY"
SEAL_INVALID: Final = "SEAL_INVALID"
SEAL_NOT_SEALED: Final = "SEAL_NOT_SEALED"

GOVERNANCE_REFUSALS: Final[dict[str, str]] = {
    PROPOSAL_UNKNOWN: "no proposal of that id was made",
    PROPOSAL_CLOSED: "the proposal has closed, or its result stands",
    ALREADY_VOTED: "the member has voted on this proposal before",
    NO_WEIGHT: "the member has no weight in the signing set in force",
    REGISTRATION_MALFORMED: "not a registration in its one accepted form",
    REGISTRATION_OF_OTHER_NETWORK: "the registration does not name this network",
    REGISTRATION_NOT_SIGNED: "a key in the registration has not signed it",
    KEY_USED: "a key in the registration was in force in this network before",
    PREFIX_TAKEN: "another member speaks for a prefix in the registration",
    ALREADY_MEMBER: "the economy is a member already",
    ROTATION_DIFFERS: "a rotation changes the keys; economy, weight, prefixes and time zone stay",
    MEMBER_UNKNOWN: "the economy is not a member",
    MEMBER_SUSPENDED: "the member is suspended",
    MEMBER_NOT_SUSPENDED: "the member is not suspended",
    KEY_NOT_IN_FORCE: "the key to be suspended is not the member's key in force",
    SET_PENDING: "a signing set waits for its hand-over; until then no other can be voted for",
    SET_EMPTY: "nobody whose key is trusted would be left in the signing set",
    SET_UNCHANGED: "the signing set would stay as it is",
    SET_WEIGHT_OUT_OF_RANGE: "the weights of the signing set would come to 2^31 or more",
    PARAMETERS_MALFORMED: "not parameters in their one accepted form, or a value is out of range",
    RULES_VERSION_UNKNOWN: "the parameters ask for rules of a version that this software lacks",
    NO_PENDING_SET: "no signing set waits for a hand-over",
    HEADER_UNKNOWN: "the header is not on this chain",
    HEADER_TOO_EARLY: "the map of the header does not hold the pending set yet",
    SEAL_INVALID: "the seal is not one of this header, by the signing set in force, in its time",
    SEAL_NOT_SEALED: "the seal has not more than two thirds of the weight",
}
