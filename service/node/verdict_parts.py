r"""A verdict's bytes in three parts, so that most of an answer can be kept and joined again.

Fields ascend in `Verdict`, and protobuf messages concatenate. The field numbers were given out so
that the bytes fall into parts that change at different times:

    row    fields 1 to 19    what the facts say of a trader: until a record of it or a rule changes
    head   fields 20 to 29   where the ledger stood: until the next block or seal
    query  fields 30 on      what was asked: the economies, the times, the TIN

>>> from aeo.exchange.v1.verdict_pb2 import Verdict
>>> said = Verdict(outcome=1, reason=1, height=7, issuing_economy="KR", tin="KR123")
>>> data = said.SerializeToString()
>>> head, query = cut_before(data, 20), cut_before(data, 30)
>>> data[:head].hex(), data[head:query].hex(), data[query:]
('08011001', 'a00107', b'\xf2\x01\x02KR\x92\x02\x05KR123')
"""

from typing import Final

from ledger.errors import FormatError

_VARINT: Final = 0
_FIXED64: Final = 1
_BYTES: Final = 2
_FIXED32: Final = 5


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
