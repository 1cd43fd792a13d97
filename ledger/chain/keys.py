r"""Keys and values of the state map.

    key     H("aeo/v1/key", kind (1) || for each part: length (2) || part)
    object  value = H("aeo/v1/value", object bytes)

A history's value is the head of its hash chain (`ledger.chain.history`).

| kind | key parts | value |
|---|---|---|
| 1 subject | arrangement id (16), issuer (2), subject (32) | history |
| 2 arrangement | arrangement id | history |
| 3 member | economy (2) | history |
| 4 signing sets | - | object: `ledger.chain.signing_set` |
| 5 author | economy | object, below |
| 6 alias | arrangement id, issuer, alias (32) | history |
| 7 parameters | - | object: exact parameter bytes in force |
| 8 proposal | proposal id (16) | history |
| 9 report | arrangement id, reporter (2), from (8), to (8) | history |
| 10 prefix | the two letters (2) | history of `speaker_record` |
| 11 pair | two economies (2, 2), ascending | history of arrangement ids (16) |

>>> map_key(PREFIX, b"SG") == prefix_key("SG")
True
>>> prefix_key("SG").hex()
'50809a89924e01a2684dc37d9b4b335118e188f980d7c6aeca440455691771b6'
>>> pair_key("SG", "AU") == pair_key("AU", "SG")
True
>>> object_value(b"").hex()
'b5cc8f22d0978fba21463f9d2a2d106e7c8a9674aa25b6f302f8e76b8a3357ea'

The author object says how far a member's own count is and what it has last verified:

    last sequence (8) || its height (8) || its time (8)
    || verified height (8) || verified header hash (32)

>>> seen = AuthorObject(1, 2, 3, 4, b"\x05" * 32)
>>> parse_author_object(format_author_object(seen)) == seen
True
"""

from struct import Struct
from typing import Final, NamedTuple

from ledger.chain.economy import economy_bytes, parse_economy
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged

SUBJECT: Final = 1
ARRANGEMENT: Final = 2
MEMBER: Final = 3
SIGNING_SETS: Final = 4
AUTHOR: Final = 5
ALIAS: Final = 6
PARAMETERS: Final = 7
PROPOSAL: Final = 8
REPORT: Final = 9
PREFIX: Final = 10
PAIR: Final = 11

ARRANGEMENT_ID_BYTES: Final = 16

_KEY: Final = tagged("aeo/v1/key")
_VALUE: Final = tagged("aeo/v1/value")
_AUTHOR: Final = Struct(">QQQQ32s")
_BEGINS: Final = b"\x01"
_ENDS: Final = b"\x02"


def map_key(kind: int, *parts: bytes) -> bytes:
    """Return the 32-byte key of `kind` (1 byte) and its `parts`."""
    return _KEY(
        kind.to_bytes(1) + b"".join([piece for p in parts for piece in (len(p).to_bytes(2), p)])
    )


SIGNING_SETS_KEY: Final = map_key(SIGNING_SETS)
PARAMETERS_KEY: Final = map_key(PARAMETERS)


def subject_key(arrangement_id: bytes, issuer: str, subject: bytes) -> bytes:
    """Key of a trader's history under one arrangement."""
    # Once for each record executed: `map_key` written out.
    return _KEY(
        b"".join(
            (b"\1\0\x10", arrangement_id, b"\0\2", economy_bytes(issuer), b"\0\x20", subject),
        )
    )


def arrangement_key(arrangement_id: bytes) -> bytes:
    """Key of an arrangement's history."""
    return map_key(ARRANGEMENT, arrangement_id)


def member_key(economy: str) -> bytes:
    """Key of a member's history: registration, rotations, suspension, removal."""
    return map_key(MEMBER, economy_bytes(economy))


def author_key(economy: str) -> bytes:
    """Key of a member's author object."""
    return map_key(AUTHOR, economy_bytes(economy))


def alias_key(arrangement_id: bytes, issuer: str, alias: bytes) -> bytes:
    """Key of an alias's history under one arrangement."""
    return map_key(ALIAS, arrangement_id, economy_bytes(issuer), alias)


def proposal_key(proposal_id: bytes) -> bytes:
    """Key of a proposal's history."""
    return map_key(PROPOSAL, proposal_id)


def report_key(arrangement_id: bytes, reporter: str, start: int, end: int) -> bytes:
    """Key of the history of a report from `start` to `end` (Unix milliseconds)."""
    return map_key(
        REPORT, arrangement_id, economy_bytes(reporter), start.to_bytes(8), end.to_bytes(8)
    )


def prefix_key(prefix: str) -> bytes:
    """Key of the history of who speaks for the TINs that start with `prefix`."""
    return map_key(PREFIX, economy_bytes(prefix))


def pair_key(one: str, other: str) -> bytes:
    """Key of the history of the arrangements between two economies, in any order."""
    return map_key(PAIR, *sorted((economy_bytes(one), economy_bytes(other))))


def object_value(data: bytes) -> bytes:
    """Value under the key of an object with these bytes."""
    return _VALUE(data)


class AuthorObject(NamedTuple):
    """How far a member's count is: its last sequence number, that transaction's height and time,
    and the header that it then said it had verified."""

    sequence: int
    height: int
    time: int
    verified_height: int
    verified_header_hash: bytes


def format_author_object(author: AuthorObject) -> bytes:
    """Write the 64 bytes of an author object."""
    if len(author.verified_header_hash) != HASH_BYTES:
        raise FormatError(f"a header hash has {HASH_BYTES} bytes")
    return _AUTHOR.pack(*author)


def parse_author_object(data: bytes) -> AuthorObject:
    """Read an author object; raises `FormatError`."""
    if len(data) != _AUTHOR.size:
        raise FormatError(f"an author object has {_AUTHOR.size} bytes, not {len(data)}")
    return AuthorObject(*_AUTHOR.unpack(data))


def speaker_record(economy: str, *, begins: bool) -> bytes:
    """History record of a prefix: `economy` begins, or ends, to speak for it."""
    return economy_bytes(economy) + (_BEGINS if begins else _ENDS)


def parse_speaker_record(data: bytes) -> tuple[str, bool]:
    """Read a `speaker_record`: the economy, and whether it begins; raises `FormatError`."""
    economy = parse_economy(data[:2])
    if data[2:] not in (_BEGINS, _ENDS):
        raise FormatError("a speaker's record ends with 1 or 2")
    return economy, data[2:] == _BEGINS
