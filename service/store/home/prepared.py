"""The compact bytes that stand for many records in one row of home.db. Integers are big-endian.

A publication's *prepared records*, in groups of one kind of action and one arrangement:
```
 count of groups (2), then each:
   action (1): the field number of the action in a Transaction     arrangement id (16)
   n (4)     n times: submission that it came from (4)     n times: length (2)     the n records
```
Records are numbered through all groups of their publication, from 0: that is a record's *number*.

What a signed transaction *carries*, by position:
```
 count of publications (2)   each: publication id (8)
 n times: which of those publications (2)     n times: the record's number in it (4)
```
Its *refusals*, only of records that were refused, ascending: position (2), length (1), code.

>>> group = Group(11, bytes(16), submissions=(0, 2), records=(b"first", b"third"))
>>> format_groups([group]).hex(" ", -16)
'00010b00000000000000000000000000 00000000000002000000000000000200 05000566697273747468697264'
>>> parse_groups(format_groups([group])) == (group,)
True
>>> carries = Carries(publications=(7, 9, 7), numbers=(1, 0, 0))
>>> format_carries(carries).hex(" ", -16)
'00020000000000000007000000000000 00090000000100000000000100000000 00000000'
>>> parse_carries(format_carries(carries)) == carries
True
>>> parse_refusals(format_refusals({3: "NO_SUCH_CERTIFICATE"}))
{3: 'NO_SUCH_CERTIFICATE'}
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from struct import Struct, error, pack, unpack_from
from typing import Final

from ledger.errors import FormatError

_GROUP: Final = Struct(">B16sI")
_REFUSAL: Final = Struct(">HB")


@dataclass(frozen=True, slots=True)
class Group:
    """Records of one action under one arrangement, and the submission that each came from."""

    action: int
    arrangement_id: bytes
    submissions: tuple[int, ...]
    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Carries:
    """For each position of a transaction: the publication, and the record's number in it."""

    publications: tuple[int, ...] = ()
    numbers: tuple[int, ...] = ()


def format_groups(groups: Sequence[Group]) -> bytes:
    """Join a publication's groups; FormatError when a group's columns differ in length."""
    parts = [pack(">H", len(groups))]
    for group in groups:
        n = len(group.records)
        try:
            parts.append(_GROUP.pack(group.action, group.arrangement_id, n))
            parts.append(pack(f">{n}I", *group.submissions))
            parts.append(pack(f">{n}H", *map(len, group.records)))
        except error as reason:
            raise FormatError(f"not a group of records: {reason}") from reason
        if len(group.arrangement_id) != 16:
            raise FormatError("an arrangement id has 16 bytes")
        parts.extend(group.records)
    return b"".join(parts)


def parse_groups(data: bytes) -> tuple[Group, ...]:
    """Take `format_groups` apart; FormatError when the bytes are not such."""
    groups = []
    try:
        (count,) = unpack_from(">H", data)
        at = 2
        for _ in range(count):
            action, arrangement_id, n = _GROUP.unpack_from(data, at)
            at += _GROUP.size
            submissions = unpack_from(f">{n}I", data, at)
            lengths = unpack_from(f">{n}H", data, at + 4 * n)
            at += 6 * n
            records = []
            for length in lengths:
                records.append(data[at : at + length])
                at += length
            groups.append(Group(action, arrangement_id, submissions, tuple(records)))
    except error as reason:
        raise FormatError(f"prepared records: {reason}") from reason
    if at != len(data):
        raise FormatError(f"prepared records: {len(data)} bytes, not {at}")
    return tuple(groups)


def format_carries(carries: Carries) -> bytes:
    """Join what a transaction carries; FormatError when the columns differ in length."""
    slots = {
        publication: slot for slot, publication in enumerate(dict.fromkeys(carries.publications))
    }
    n = len(carries.publications)
    try:
        return b"".join(
            (
                pack(f">H{len(slots)}Q", len(slots), *slots),
                pack(f">{n}H", *map(slots.__getitem__, carries.publications)),
                pack(f">{n}I", *carries.numbers),
            )
        )
    except error as reason:
        raise FormatError(f"not what a transaction carries: {reason}") from reason


def parse_carries(data: bytes) -> Carries:
    """Take `format_carries` apart; FormatError when the bytes are not such."""
    try:
        (count,) = unpack_from(">H", data)
        publications = unpack_from(f">{count}Q", data, 2)
        at = 2 + 8 * count
        n, rest = divmod(len(data) - at, 6)
        if rest:
            raise FormatError("what a transaction carries: odd length")
        slots = unpack_from(f">{n}H", data, at)
        return Carries(
            tuple(publications[slot] for slot in slots), unpack_from(f">{n}I", data, at + 2 * n)
        )
    except (error, IndexError) as reason:
        raise FormatError(f"what a transaction carries: {reason}") from reason


def format_refusals(refusals: Mapping[int, str]) -> bytes:
    """Join position and code of each refused record."""
    return b"".join(
        _REFUSAL.pack(position, len(code)) + code.encode("ascii")
        for position, code in sorted(refusals.items())
    )


def parse_refusals(data: bytes) -> dict[int, str]:
    """Take `format_refusals` apart; FormatError when the bytes are not such."""
    refusals = {}
    at = 0
    try:
        while at < len(data):
            position, length = _REFUSAL.unpack_from(data, at)
            at += _REFUSAL.size
            refusals[position] = data[at : at + length].decode("ascii")
            at += length
    except (error, UnicodeDecodeError) as reason:
        raise FormatError(f"refusals: {reason}") from reason
    if at != len(data):
        raise FormatError("refusals: cut off")
    return refusals
