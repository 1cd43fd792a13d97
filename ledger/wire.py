r"""Strict protobuf: every message has exactly one accepted encoding.

Bytes that are hashed or signed are checked here, against the message's descriptor and at every
depth, before the protobuf library sees them. Libraries are lenient, each in its own way: an
overlong tag is a field to one backend and an unknown field to the other, the last of two values
wins, a bool may be 2. What two readers read differently cannot be agreed on by a signature.

Accepted is only

- field numbers that never descend; a singular field, and one member of a oneof, at most once
- the declared wire type; no unknown field, no group, no map
- minimal varints within the range of their type: bool 0 or 1, an enum a value that is known, not 0
- repeated scalars packed, once and not empty
- no field without presence that carries its default; members of a oneof, `optional` fields and
  elements of repeated fields may carry it (enums never)
- strict UTF-8 in strings

>>> from aeo.ledger.v1.status_pb2 import CertifiedRole
>>> format_strict(CertifiedRole(code="CA", mode=4)).hex()
'0a0243411004'
>>> parse_strict(CertifiedRole, bytes.fromhex("0a0243411004"), limit=100).mode
4
>>> parse_strict(CertifiedRole, bytes.fromhex("0a024341108400"), limit=100)
Traceback (most recent call last):
ledger.errors.FormatError: CertifiedRole.mode: a varint that is not minimal
>>> parse_strict(CertifiedRole, bytes.fromhex("10040a024341"), limit=100)
Traceback (most recent call last):
ledger.errors.FormatError: CertifiedRole.code: a field that is repeated or out of order
"""

from collections.abc import Container
from functools import cache
from typing import Final, NamedTuple, TypeVar, cast

from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.message import DecodeError, Message

from ledger.errors import FormatError

M = TypeVar("M", bound=Message)

# Messages in messages, the outermost counting 1. Ours reach 3; protobuf itself stops at 100.
MAX_DEPTH: Final = 16

# Wire types (protobuf encoding guide); 3 and 4 were groups.
_VARINT, _FIXED64, _LENGTH, _FIXED32 = 0, 1, 2, 5

# How the bytes of one field are checked.
_NUMBER, _FIXED, _BYTES, _STRING, _MESSAGE, _PACKED_NUMBERS, _PACKED_FIXED = range(7)

_FIXED_TYPES: Final = {
    FieldDescriptor.TYPE_FIXED32: 4,
    FieldDescriptor.TYPE_SFIXED32: 4,
    FieldDescriptor.TYPE_FIXED64: 8,
    FieldDescriptor.TYPE_SFIXED64: 8,
}
_RANGES: Final = {
    FieldDescriptor.TYPE_BOOL: range(2),
    FieldDescriptor.TYPE_UINT32: range(1 << 32),
    FieldDescriptor.TYPE_UINT64: range(1 << 64),
}
_ZEROS: Final = {4: bytes(4), 8: bytes(8)}


class _Rule(NamedTuple):
    """What one tag allows."""

    number: int
    kind: int
    repeated: bool  # may stand again right after itself: a repeated field that is not packed
    implicit: bool  # has no presence, so its default is written by leaving it out
    oneof: int  # one bit for each oneof of the message; 0 outside
    values: Container[int]  # of a varint
    width: int  # of a fixed-width value, in bytes
    message: Descriptor | None
    name: str


def parse_strict(message_type: type[M], data: bytes, limit: int) -> M:
    """Read `data` (at most `limit` bytes) as the only encoding of a `message_type`.

    Raises `FormatError`.
    """
    check_strict(cast("Descriptor", message_type.DESCRIPTOR), data, limit)
    try:
        return message_type.FromString(data)
    except DecodeError as error:  # nothing that passed the check is known to get here
        raise FormatError(f"{message_type.DESCRIPTOR.name}: {error}") from error


def format_strict(message: Message) -> bytes:
    """Write `message` in its only encoding.

    Raises `FormatError` for a value that no strict reader accepts, such as an enum number that the
    schema does not know.
    """
    data: bytes = message.SerializeToString(deterministic=True)
    check_strict(cast("Descriptor", message.DESCRIPTOR), data, len(data))
    return data


def check_strict(descriptor: Descriptor, data: bytes, limit: int) -> None:
    """Check that `data`, at most `limit` bytes, is a strict encoding of the message described.

    Raises `FormatError`, which names the field.
    """
    if len(data) > limit:
        raise FormatError(f"{descriptor.name}: {len(data)} bytes, at most {limit} are allowed")
    _check_message(descriptor, data, 0, len(data), MAX_DEPTH)


@cache
def _rules(descriptor: Descriptor) -> dict[int, _Rule]:
    """The rules of a message by tag: field number << 3 | wire type."""
    rules = {}
    for field in descriptor.fields:
        name = f"{descriptor.name}.{field.name}"
        values: Container[int] = ()
        message = None
        width = _FIXED_TYPES.get(field.type, 0)
        packed = field.is_repeated
        if width:
            wire, kind = (_FIXED64 if width == 8 else _FIXED32), _FIXED
        elif field.type in _RANGES:
            wire, kind, values = _VARINT, _NUMBER, _RANGES[field.type]
        elif field.type == FieldDescriptor.TYPE_ENUM and field.enum_type is not None:
            wire, kind = _VARINT, _NUMBER
            # A negative number is written as its two's complement of 64 bits.
            values = frozenset(
                value.number % (1 << 64) for value in field.enum_type.values if value.number
            )
        else:
            wire, packed = _LENGTH, False
            message = field.message_type
            if field.type == FieldDescriptor.TYPE_BYTES:
                kind = _BYTES
            elif field.type == FieldDescriptor.TYPE_STRING:
                kind = _STRING
            elif (
                field.type == FieldDescriptor.TYPE_MESSAGE
                and message is not None
                and not message.GetOptions().map_entry
            ):
                kind = _MESSAGE
            else:
                # Maps have no order, floats two zeros, groups no length, and signed varints no
                # user here. A programmer's error, not one of the input.
                raise TypeError(f"{name}: strict protobuf has no such type")
        if packed:
            wire, kind = _LENGTH, (_PACKED_FIXED if width else _PACKED_NUMBERS)
        oneof = field.containing_oneof
        rules[field.number << 3 | wire] = _Rule(
            number=field.number,
            kind=kind,
            repeated=field.is_repeated and not packed,
            implicit=not field.is_repeated and not field.has_presence,
            oneof=0 if oneof is None else 1 << oneof.index,
            values=values,
            width=width,
            message=message,
            name=name,
        )
    return rules


def _check_message(descriptor: Descriptor, data: bytes, at: int, end: int, depth: int) -> None:
    """Check the message that lies in ``data[at:end]``."""
    if not depth:
        raise FormatError(f"{descriptor.name}: messages nested deeper than {MAX_DEPTH}")
    rules = _rules(descriptor)
    last = taken = 0
    while at < end:
        tag = data[at]
        if tag < 0x80:
            at += 1
        else:
            tag, at = _varint(data, at, end, descriptor.name)
        rule = rules.get(tag)
        if rule is None:
            raise FormatError(f"{descriptor.name}: no field {tag >> 3} of wire type {tag & 7}")
        number, kind, repeated, implicit, oneof, values, width, message, name = rule
        if number <= last and not (repeated and number == last):
            raise FormatError(f"{name}: a field that is repeated or out of order")
        if oneof & taken:
            raise FormatError(f"{name}: a second member of its oneof")
        last = number
        taken |= oneof

        if kind == _NUMBER:
            value, at = _varint(data, at, end, name)
            if value not in values:
                raise FormatError(f"{name}: {value} is not in its range")
            if implicit and not value:
                raise FormatError(f"{name}: carries its default")
            continue
        if kind == _FIXED:
            stop = at + width
            if stop > end:
                raise FormatError(f"{name}: ends early")
            if implicit and data[at:stop] == _ZEROS[width]:
                raise FormatError(f"{name}: carries its default")
            at = stop
            continue

        if repeated and kind == _BYTES:
            at = _skip_run(tag, data, at, end, name)
            continue

        length = data[at] if at < end else 0x80
        if length < 0x80:  # nearly every one
            at += 1
        else:
            length, at = _varint(data, at, end, name)
        stop = at + length
        if stop > end:
            raise FormatError(f"{name}: ends early")
        if implicit and not length:
            raise FormatError(f"{name}: carries its default")
        if kind == _STRING:
            try:
                data[at:stop].decode()
            except UnicodeDecodeError as error:
                raise FormatError(f"{name}: not UTF-8") from error
        elif kind == _MESSAGE:
            assert message is not None
            _check_message(message, data, at, stop, depth - 1)
        elif kind != _BYTES:
            _check_packed(rule, data, at, stop)
        at = stop


def _skip_run(tag: int, data: bytes, at: int, end: int, name: str) -> int:
    """Pass over byte strings that follow each other under one tag; return where they end.

    The records of a batch, up to a thousand: so lengths of one and two bytes are read in place.
    """
    while at < end:
        length = data[at]
        if length < 0x80:
            at += length + 1
        elif at + 1 < end and 0 < (high := data[at + 1]) < 0x80:
            at += 2 + (high - 1 << 7) + length
        else:
            length, at = _varint(data, at, end, name)
            at += length
        if at >= end or data[at] != tag:
            break
        at += 1
    else:
        raise FormatError(f"{name}: ends early")
    if at > end:
        raise FormatError(f"{name}: ends early")
    return at


def _check_packed(rule: _Rule, data: bytes, at: int, end: int) -> None:
    """Check the elements of a packed field in ``data[at:end]``."""
    if at == end:
        raise FormatError(f"{rule.name}: packed, but empty")
    if rule.kind == _PACKED_FIXED:
        if (end - at) % rule.width:
            raise FormatError(f"{rule.name}: ends early")
        return
    while at < end:
        value, at = _varint(data, at, end, rule.name)
        if value not in rule.values:
            raise FormatError(f"{rule.name}: {value} is not in its range")


def _varint(data: bytes, at: int, end: int, name: str) -> tuple[int, int]:
    """Read a minimal varint below 2^64; return it and where it ends."""
    value = shift = 0
    while at < end:
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            if not byte and shift:
                raise FormatError(f"{name}: a varint that is not minimal")
            if value >> 64:
                raise FormatError(f"{name}: a varint beyond 64 bits")
            return value, at
        shift += 7
        if shift >= 70:
            raise FormatError(f"{name}: a varint beyond 64 bits")
    raise FormatError(f"{name}: ends early")
