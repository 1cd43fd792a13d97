r"""Signing sets: who seals headers, with which weight and key.

Set bytes: count (2, at most 676), then ascending by economy, each member of weight > 0 once:

    economy (2) || weight (4) || BLS key in force (48)

never empty, the weights together below 2^31. ``set hash = H("aeo/v1/members", set bytes)``. The
signing sets object (kind 4 of the state map) is the current set, then 0x00, or 0x01 and the pending
set.

>>> members = SigningSet((SigningMember("AU", 1, b"a" * 48), SigningMember("SG", 2, b"s" * 48)))
>>> data = format_signing_set(members)
>>> data[:10].hex(), len(data), members.total, members.hash.hex()[:16]
('00024155000000016161', 110, 3, 'f6882763ca4f2864')
>>> parse_signing_set(data) == members
True
>>> parse_signing_sets(format_signing_sets(SigningSets(members, None))).pending is None
True

A hand-over replaces the current set by the pending one. `check_set_change` shows it to whoever
trusts the outgoing set: a header that this set sealed has a map that holds both.
"""

from dataclasses import dataclass, field
from itertools import pairwise
from typing import Final, NamedTuple

from ledger.chain.economy import CODES, economy_bytes, parse_economy
from ledger.chain.header import Header
from ledger.chain.keys import SIGNING_SETS_KEY, object_value
from ledger.errors import ChainError, FormatError
from ledger.hashing import tagged
from ledger.tree.map_proof import check_map_proof

MAX_MEMBERS: Final = len(CODES)
# Exclusive: the sum of all weights fits a signed integer of 32 bits.
TOTAL_WEIGHT_LIMIT: Final = 1 << 31
PUBLIC_KEY_BYTES: Final = 48
_MEMBER_BYTES: Final = 2 + 4 + PUBLIC_KEY_BYTES
MAX_SET_BYTES: Final = 2 + MAX_MEMBERS * _MEMBER_BYTES
MAX_SETS_BYTES: Final = 2 * MAX_SET_BYTES + 1

_HASH: Final = tagged("aeo/v1/members")


class SigningMember(NamedTuple):
    """A member of a set: its economy, its weight (1 or more) and its BLS public key (48 bytes)."""

    economy: str
    weight: int
    key: bytes


@dataclass(frozen=True, slots=True)
class SigningSet:
    """A well-formed set, ascending by economy; knows its hash and total weight.

    Raises `FormatError` for members that are none.
    """

    members: tuple[SigningMember, ...]
    hash: bytes = field(init=False, repr=False, compare=False)
    total: int = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        members = self.members
        if not 1 <= len(members) <= MAX_MEMBERS:
            raise FormatError(f"a signing set of {len(members)} members")
        economies = [member.economy for member in members]
        if any(later <= earlier for earlier, later in pairwise(economies)):
            raise FormatError("a signing set ascends by economy")
        if len({member.key for member in members}) != len(members):
            raise FormatError("two members of a signing set have one key")
        if any(len(member.key) != PUBLIC_KEY_BYTES for member in members):
            raise FormatError(f"a public key has {PUBLIC_KEY_BYTES} bytes")
        total = sum(member.weight for member in members)
        if min(member.weight for member in members) < 1 or total >= TOTAL_WEIGHT_LIMIT:
            raise FormatError("a signing set's weights are out of range")
        object.__setattr__(self, "total", total)
        object.__setattr__(self, "hash", _HASH(format_signing_set(self)))


class SigningSets(NamedTuple):
    """The set in force, and the one that a vote has put beside it until the hand-over."""

    current: SigningSet
    pending: SigningSet | None


def format_signing_set(signing_set: SigningSet) -> bytes:
    """Write the set bytes."""
    parts = [len(signing_set.members).to_bytes(2)]
    for economy, weight, key in signing_set.members:
        parts += (economy_bytes(economy), weight.to_bytes(4), key)
    return b"".join(parts)


def parse_signing_set(data: bytes) -> SigningSet:
    """Read set bytes; raises `FormatError`."""
    signing_set, end = _read(data, 0)
    if end != len(data):
        raise FormatError("bytes after a signing set")
    return signing_set


def format_signing_sets(sets: SigningSets) -> bytes:
    """Write the object under `SIGNING_SETS_KEY`."""
    if sets.pending is None:
        return format_signing_set(sets.current) + b"\x00"
    return format_signing_set(sets.current) + b"\x01" + format_signing_set(sets.pending)


def parse_signing_sets(data: bytes) -> SigningSets:
    """Read the object under `SIGNING_SETS_KEY`; raises `FormatError`."""
    sets, end = _read_sets(data)
    if end != len(data):
        raise FormatError("bytes after the signing sets")
    return sets


def split_set_change(data: bytes) -> tuple[bytes, bytes]:
    """Split item 5 of an export, object bytes || map proof; raises `FormatError`."""
    _, end = _read_sets(data)
    return data[:end], data[end:]


def check_set_change(
    object_bytes: bytes, map_proof: bytes, earlier: Header, old_hash: bytes, new_hash: bytes
) -> SigningSet:
    """Check a hand-over from the set of `old_hash` to that of `new_hash`; return the new set.

    `earlier` is a header whose *sealed* seal by the outgoing set the caller has verified. Raises
    `FormatError`, `ProofError`, or `ChainError` where a set is not the one that is named.
    """
    sets = parse_signing_sets(object_bytes)
    check_map_proof(earlier.map_root, SIGNING_SETS_KEY, object_value(object_bytes), map_proof)
    place = f"the signing sets of header {earlier.height}"
    if earlier.signing_set_hash != old_hash or sets.current.hash != old_hash:
        raise ChainError(place, "the current set is not the outgoing one")
    if sets.pending is None or sets.pending.hash != new_hash:
        raise ChainError(place, "the pending set is not the incoming one")
    return sets.pending


def _read_sets(data: bytes) -> tuple[SigningSets, int]:
    current, end = _read(data, 0)
    marker = data[end : end + 1]
    if marker == b"\x00":
        return SigningSets(current, None), end + 1
    if marker != b"\x01":
        raise FormatError("after the current set stands 0 or 1")
    pending, end = _read(data, end + 1)
    return SigningSets(current, pending), end


def _read(data: bytes, start: int) -> tuple[SigningSet, int]:
    """Read a set at `start`; return it and where it ends."""
    count = int.from_bytes(data[start : start + 2])
    first = start + 2
    end = first + count * _MEMBER_BYTES
    if count > MAX_MEMBERS or end > len(data):
        raise FormatError("a signing set ends early")
    members = tuple(
        SigningMember(
            parse_economy(data[at : at + 2]),
            int.from_bytes(data[at + 2 : at + 6]),
            data[at + 6 : at + _MEMBER_BYTES],
        )
        for at in range(first, end, _MEMBER_BYTES)
    )
    return SigningSet(members), end
