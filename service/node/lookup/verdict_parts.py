r"""A verdict's bytes in three parts, so that most of an answer can be kept and joined again.

Fields ascend in `Verdict`, and protobuf messages concatenate. The field numbers were given out so
that the bytes fall into parts that change at different times:

    row    fields 1 to 19    what the facts say of a trader: until a record of it or a rule changes
    head   fields 20 to 29   where the ledger stood: until the next block or seal
    query  fields 30 on      what was asked: the economies, the times, the TIN

Of a row most is the same for many traders; their dates lie between, in fields 7, 8, 16 and 17. The
same rest is written once and remembered, so a verdict's row costs no message object.

>>> said = Verdict(outcome=1, reason=1, valid_to=9, height=7, issuing_economy="KR", tin="KR123")
>>> data = format_verdict(said)
>>> head, query = cut_before(data, 20), cut_before(data, 30)
>>> data[:head].hex(), data[head:query].hex(), data[query:]
('080110014109000000000000006001', 'a00107', b'\xf2\x01\x02KR\x92\x02\x05KR123')
>>> format_row(said) == data[:head]
True
"""

from functools import lru_cache
from struct import Struct
from typing import Any, Final

from ledger.customs.verdict import Verdict, format_verdict
from ledger.errors import FormatError

_NOTHING: Final = Verdict()

# Outcomes, arrangements and levels with their benefits: few, though traders are many.
ROWS_ALIKE: Final = 4_096

_VALID: Final = Struct("<cqcq")
_HOLDS: Final = Struct("<2sq2sq")
_INSTANT: Final = Struct("<q")
_VALID_FROM, _VALID_TO = b"\x39", b"\x41"
_HOLDS_FROM, _HOLDS_TO = b"\x81\x01", b"\x89\x01"
_FOLLOWED_SUBJECT: Final = b"\x92\x01\x20"

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5


def format_row(verdict: Verdict) -> bytes:
    """The bytes of fields 1 to 19, as `format_verdict` writes them."""
    valid_from, valid_to = verdict[6:8]
    holds_from, holds_to, followed = verdict[15:18]
    before, after = _format_alike(verdict[:6], verdict[8:15])
    if valid_from and valid_to:
        valid = _VALID.pack(_VALID_FROM, valid_from, _VALID_TO, valid_to)
    else:
        valid = _instant(_VALID_FROM, valid_from) + _instant(_VALID_TO, valid_to)
    if holds_from and holds_to:
        holds = _HOLDS.pack(_HOLDS_FROM, holds_from, _HOLDS_TO, holds_to)
    else:
        holds = _instant(_HOLDS_FROM, holds_from) + _instant(_HOLDS_TO, holds_to)
    if followed:
        holds += _FOLLOWED_SUBJECT + followed
    return b"".join((before, valid, after, holds))


def format_after_tin(verdict: Verdict) -> bytes:
    """The bytes of fields 35 and 36, as `format_verdict` writes them; mostly none."""
    changes, warnings = verdict[28:]
    if not changes and not warnings:
        return b""
    return format_verdict(Verdict(name_match=0, tin_changes=changes, tin_warnings=warnings))


@lru_cache(ROWS_ALIKE)
def _format_alike(first: tuple[Any, ...], second: tuple[Any, ...]) -> tuple[bytes, bytes]:
    """The bytes of fields 1 to 6 and 9 to 15, from their values."""
    data = format_verdict(Verdict._make((*first, 0, 0, *second, *_NOTHING[15:])))
    cut = cut_before(data, 7)
    return data[:cut], data[cut:]


def _instant(tag: bytes, instant: int) -> bytes:
    return tag + _INSTANT.pack(instant) if instant else b""


def cut_before(data: bytes, field: int) -> int:
    """Where the first field numbered `field` or higher begins; the length when there is none.

    Raises `FormatError` where fields descend or end early.
    """
    at, newest = 0, 0
    while at < len(data):
        tag, after = _varint(data, at)
        number, wire_type = tag >> 3, tag & 7
        if number < newest:
            raise FormatError(f"field {number} after field {newest}")
        if number >= field:
            return at
        newest = number
        at = _end(data, after, wire_type)
    return at


def _end(data: bytes, at: int, wire_type: int) -> int:
    if wire_type == _VARINT:
        end = _varint(data, at)[1]
    elif wire_type == _FIXED64:
        end = at + 8
    elif wire_type == _BYTES:
        length, start = _varint(data, at)
        end = start + length
    elif wire_type == _FIXED32:
        end = at + 4
    else:
        raise FormatError(f"wire type {wire_type}")
    if end > len(data):
        raise FormatError("a field ends early")
    return end


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while at < len(data):
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:
            return value, at
        shift += 7
    raise FormatError("a number ends early")
