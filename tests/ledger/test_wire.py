"""One accepted encoding for each message, on both protobuf backends."""

import os
import subprocess
import sys
from collections.abc import Iterator

import pytest
from google.protobuf import any_pb2, empty_pb2, struct_pb2, timestamp_pb2
from google.protobuf.descriptor import Descriptor, FieldDescriptor
from google.protobuf.internal import api_implementation
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from hypothesis import given, settings
from hypothesis import strategies as st

from aeo.exchange.v1 import status_service_pb2, verdict_pb2
from aeo.ledger.v1 import arrangement_pb2, genesis_pb2, member_pb2, status_pb2, transaction_pb2
from ledger.errors import FormatError
from ledger.wire import MAX_DEPTH, check_strict, format_strict, parse_strict

LIMIT = 1 << 20
MODULES = (genesis_pb2, member_pb2, transaction_pb2, status_pb2, arrangement_pb2)
LEDGER_TYPES = [
    message for module in MODULES for message in module.DESCRIPTOR.message_types_by_name.values()
]
# Outside the ledger, but with what it has not: sfixed64, `optional`, fixed-width members of oneofs.
MORE_TYPES = [status_service_pb2.LookupRequest.DESCRIPTOR, verdict_pb2.Verdict.DESCRIPTOR]
TYPES = LEDGER_TYPES + MORE_TYPES
names = [descriptor.name for descriptor in TYPES]
each_type = pytest.mark.parametrize("descriptor", TYPES, ids=names)

F = FieldDescriptor
WIDTHS = {F.TYPE_FIXED32: 4, F.TYPE_SFIXED32: 4, F.TYPE_FIXED64: 8, F.TYPE_SFIXED64: 8}
LENGTH_TYPES = {F.TYPE_STRING, F.TYPE_BYTES, F.TYPE_MESSAGE}


# --- our own writer of fields, which does as it is told ---


def varint(value: int, pad: int = 0) -> bytes:
    """`pad` bytes longer than it need be."""
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    for _ in range(pad):
        out[-1] |= 0x80
        out.append(0)
    return bytes(out)


def field(number: int, wire: int, payload: bytes, pad: int = 0) -> bytes:
    length = varint(len(payload)) if wire == 2 else b""
    return varint(number << 3 | wire, pad) + length + payload


def fields(data: bytes) -> list[tuple[int, int, bytes]]:
    """Take an encoding apart: (number, wire type, payload without its length)."""
    out = []
    at = 0

    def read() -> int:
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 0x7F) << shift
            shift += 7
            if byte < 0x80:
                return value

    while at < len(data):
        tag = read()
        start = at
        if tag & 7 == 0:
            read()
        elif tag & 7 == 2:
            size = read()
            start, at = at, at + size
        else:
            at += {1: 8, 5: 4}[tag & 7]
        out.append((tag >> 3, tag & 7, data[start:at]))
    return out


def join(parts: list[tuple[int, int, bytes]]) -> bytes:
    return b"".join(field(*part) for part in parts)


# --- messages ---


def default(kind: int) -> bytes:
    return bytes(WIDTHS.get(kind, 0)) if kind in WIDTHS or kind in LENGTH_TYPES else b"\x00"


def some_value(descriptor: FieldDescriptor) -> object:
    if descriptor.type == F.TYPE_MESSAGE:
        return next(full(descriptor.message_type))
    if descriptor.type == F.TYPE_ENUM:
        return descriptor.enum_type.values[-1].number
    return {F.TYPE_STRING: "é", F.TYPE_BYTES: b"\x01\xff", F.TYPE_BOOL: True}.get(
        descriptor.type, 300
    )


def full(descriptor: Descriptor) -> Iterator[Message]:
    """Messages with every field set; one for each member of the longest oneof."""
    rounds = max((len(oneof.fields) for oneof in descriptor.oneofs), default=1)
    for turn in range(rounds):
        message = GetMessageClass(descriptor)()
        for each in descriptor.fields:
            oneof = each.containing_oneof
            if oneof is not None and oneof.fields[turn % len(oneof.fields)] != each:
                continue
            if each.is_repeated:
                value = some_value(each)
                getattr(message, each.name).extend([value, value])
            elif each.type == F.TYPE_MESSAGE:
                getattr(message, each.name).CopyFrom(some_value(each))
                getattr(message, each.name).SetInParent()
            else:
                setattr(message, each.name, some_value(each))
        yield message


def values(descriptor: FieldDescriptor) -> st.SearchStrategy[object]:
    if descriptor.type == F.TYPE_MESSAGE:
        return messages(descriptor.message_type)
    if descriptor.type == F.TYPE_ENUM:
        return st.sampled_from([v.number for v in descriptor.enum_type.values if v.number])
    return {
        F.TYPE_STRING: st.text(max_size=200),
        F.TYPE_BYTES: st.binary(max_size=20_000 if descriptor.is_repeated else 200),
        F.TYPE_BOOL: st.booleans(),
        F.TYPE_UINT32: st.integers(0, 2**32 - 1),
        F.TYPE_SFIXED64: st.integers(-(2**63), 2**63 - 1),
    }.get(descriptor.type, st.integers(0, 2**64 - 1))


@st.composite
def messages(draw: st.DrawFn, descriptor: Descriptor) -> Message:
    message = GetMessageClass(descriptor)()
    members = {
        draw(st.sampled_from(list(oneof.fields))).number for oneof in descriptor.oneofs
    }  # the others of a oneof stay absent
    for each in descriptor.fields:
        if each.containing_oneof is not None and each.number not in members:
            continue
        if not draw(st.booleans()):
            continue
        if each.is_repeated:
            getattr(message, each.name).extend(draw(st.lists(values(each), max_size=5)))
        elif each.type == F.TYPE_MESSAGE:
            getattr(message, each.name).CopyFrom(draw(values(each)))
            getattr(message, each.name).SetInParent()
        else:
            setattr(message, each.name, draw(values(each)))
    return message


@each_type
@settings(derandomize=True, max_examples=25, deadline=None)
@given(data=st.data())
def test_what_is_written_is_read_again(descriptor: Descriptor, data: st.DataObject) -> None:
    message = data.draw(messages(descriptor))
    encoded = format_strict(message)
    again = parse_strict(type(message), encoded, LIMIT)
    assert again == message
    assert again.SerializeToString(deterministic=True) == encoded


@each_type
@settings(derandomize=True, max_examples=40, deadline=None)
@given(data=st.data())
def test_whatever_is_accepted_is_the_only_encoding(
    descriptor: Descriptor, data: st.DataObject
) -> None:
    encoded = bytearray(format_strict(data.draw(st.sampled_from(list(full(descriptor))))))
    for _ in range(data.draw(st.integers(1, 3))):
        at = data.draw(st.integers(0, len(encoded)))
        cut = data.draw(st.integers(0, 2))
        encoded[at : at + cut] = data.draw(st.binary(max_size=3))
    _accepted_only_if_unique(descriptor, bytes(encoded))


@each_type
def test_every_single_bit_change_is_refused_or_another_message(descriptor: Descriptor) -> None:
    for message in full(descriptor):
        encoded = format_strict(message)
        for bit in range(8 * len(encoded)):
            changed = bytearray(encoded)
            changed[bit // 8] ^= 0x80 >> bit % 8
            other = _accepted_only_if_unique(descriptor, bytes(changed))
            assert other != message


def _accepted_only_if_unique(descriptor: Descriptor, encoded: bytes) -> Message | None:
    try:
        message = parse_strict(GetMessageClass(descriptor), encoded, LIMIT)
    except FormatError:
        return None
    assert message.SerializeToString(deterministic=True) == encoded
    return message


# --- everything that is refused ---


def mutations(descriptor: Descriptor, data: bytes) -> Iterator[tuple[str, bytes]]:
    """Every lenient or broken variant of a full encoding, at every depth, by its class."""
    parts = fields(data)
    by_number = {each.number: each for each in descriptor.fields}
    unknown = max(by_number, default=0) + 1

    yield "unknown field", data + field(unknown, 0, b"\x01")
    yield "unknown field", data + field(unknown, 2, b"")
    yield "trailing", data + b"\x00"
    yield "field number zero", data + b"\x00\x01"
    yield "group", data + varint(unknown << 3 | 3) + varint(unknown << 3 | 4)
    yield "reserved wire type", data + varint(unknown << 3 | 6)

    for i, (number, wire, payload) in enumerate(parts):
        each = by_number[number]
        before, after = join(parts[:i]), join(parts[i + 1 :])
        one = field(number, wire, payload)

        yield "overlong tag", before + field(number, wire, payload, pad=1) + after
        yield "overlong tag", before + field(number, wire, payload, pad=4) + after
        for other in {0, 1, 2, 3, 4, 5, 6, 7} - {wire}:
            yield "wire type", before + field(number, other, payload) + after
        for size in range(1, len(one)):
            yield "truncated", before + one[:size]

        if wire == 2:
            yield (
                "overlong length",
                (before + varint(number << 3 | 2) + varint(len(payload), pad=1) + payload + after),
            )
            yield (
                "length beyond the end",
                (before + varint(number << 3 | 2) + varint(1 << 40) + payload + after),
            )
        elif wire == 0:
            yield "overlong varint", before + field(number, 0, varint(1, pad=1)) + after
            yield "varint of 11 bytes", before + field(number, 0, b"\x81" * 10 + b"\x01") + after
            yield "varint beyond 64 bits", before + field(number, 0, b"\xff" * 9 + b"\x02") + after

        if not each.is_repeated or each.type not in LENGTH_TYPES:
            yield "duplicate", before + one + one + after
        if number != parts[-1][0]:
            yield "descending", join(parts[i + 1 :]) + before + one
        if each.containing_oneof is not None and len(each.containing_oneof.fields) > 1:
            others = [m for m in each.containing_oneof.fields if m.number > number]
            for member in others[:1]:
                kind = WIDTHS.get(member.type, 2 if member.type in LENGTH_TYPES else 0)
                wire_type = {8: 1, 4: 5}.get(kind, kind)
                yield (
                    "overwritten oneof member",
                    before + one + field(member.number, wire_type, default(member.type)),
                )

        if each.is_repeated and each.type not in LENGTH_TYPES:
            yield (
                "unpacked",
                before + b"".join(field(number, 0, p) for p in _elements(payload)) + after,
            )
            first, *rest = _elements(payload)
            split = field(number, 2, first) + field(number, 2, b"".join(rest))
            yield "split packed", before + split + after
            yield "packed, but empty", before + field(number, 2, b"") + after
        if not each.is_repeated and not each.has_presence:
            yield "default carried", before + field(number, wire, default(each.type)) + after

        element = payload if not each.is_repeated else b""
        if each.type == F.TYPE_BOOL:
            yield "bool of 2", before + field(number, 0, b"\x02") + after
            yield "bool of 2", before + field(number, 0, varint(2**64 - 1)) + after
        elif each.type == F.TYPE_ENUM:
            beyond = max(v.number for v in each.enum_type.values) + 1
            for value in (0, beyond, 2**32 + 1, 2**64 - 1):
                yield "enum value", before + field(number, wire, varint(value)) + after
        elif each.type == F.TYPE_UINT32:
            yield "uint32 beyond range", before + field(number, wire, varint(2**32)) + after
        elif each.type == F.TYPE_STRING:
            for wrong in (b"\xff", b"\xc0\x80", b"\xed\xa0\x80", b"\xf4\x90\x80\x80", b"\xc3"):
                yield "invalid UTF-8", before + field(number, 2, element + wrong) + after
        elif each.type == F.TYPE_MESSAGE:
            for name, inner in mutations(each.message_type, payload):
                yield name, before + field(number, 2, inner) + after


def _elements(payload: bytes) -> list[bytes]:
    out, start = [], 0
    for at, byte in enumerate(payload):
        if byte < 0x80:
            out.append(payload[start : at + 1])
            start = at + 1
    return out


@each_type
def test_every_other_encoding_is_refused(descriptor: Descriptor) -> None:
    tried = 0
    for message in full(descriptor):
        encoded = format_strict(message)
        for name, changed in mutations(descriptor, encoded):
            assert refused(descriptor, changed), (name, changed.hex())
            tried += 1
    assert tried > 4


def refused(descriptor: Descriptor, data: bytes) -> bool:
    try:
        check_strict(descriptor, data, LIMIT)
    except FormatError:
        return True
    return False


def test_every_class_of_mutation_is_tried() -> None:
    tried = {
        name
        for descriptor in LEDGER_TYPES
        for message in full(descriptor)
        for name, _ in mutations(descriptor, format_strict(message))
    }
    assert tried == {
        "bool of 2",
        "default carried",
        "descending",
        "duplicate",
        "enum value",
        "field number zero",
        "group",
        "invalid UTF-8",
        "length beyond the end",
        "overlong length",
        "overlong tag",
        "overlong varint",
        "overwritten oneof member",
        "packed, but empty",
        "reserved wire type",
        "split packed",
        "trailing",
        "truncated",
        "uint32 beyond range",
        "unknown field",
        "unpacked",
        "varint beyond 64 bits",
        "varint of 11 bytes",
        "wire type",
    }


# --- what the tables above do not reach ---


def test_what_may_carry_its_default() -> None:
    transaction = transaction_pb2.Transaction
    assert parse_strict(transaction, b"\x6a\x00", LIMIT).WhichOneof("action") == "arrangement"
    assert parse_strict(transaction_pb2.StatusBatch, b"\x12\x00\x12\x00", LIMIT).records == [
        b"",
        b"",
    ]
    assert parse_strict(arrangement_pb2.Rule, b"\x4a\x02\x00\x01", LIMIT).transport_modes == [0, 1]
    lookup = status_service_pb2.LookupRequest
    encoded = format_strict(lookup(as_of=0))
    assert encoded
    assert parse_strict(lookup, encoded, LIMIT).HasField("as_of")


def test_the_limit_is_the_first_thing_asked() -> None:
    with pytest.raises(FormatError, match="at most 3"):
        check_strict(status_pb2.CertifiedRole.DESCRIPTOR, b"\xff" * 4, 3)


def test_nothing_is_written_that_could_not_be_read() -> None:
    with pytest.raises(FormatError):
        format_strict(status_pb2.StatusTerms(event=99))
    with pytest.raises(FormatError):
        format_strict(arrangement_pb2.Rule(directions=[0]))


def test_depth_is_limited() -> None:
    recursive = any_pb2.Any.DESCRIPTOR  # not recursive itself: nothing to go down into
    check_strict(recursive, b"", 0)
    value = struct_pb2.DESCRIPTOR.message_types_by_name["ListValue"]
    with pytest.raises(TypeError):  # holds a double and a map
        check_strict(value, field(1, 2, b"\x11" + bytes(8)), LIMIT)
    nested = b""
    file = _recursive_type()
    for _ in range(MAX_DEPTH - 1):
        nested = field(1, 2, nested)
    check_strict(file, nested, LIMIT)
    with pytest.raises(FormatError, match="deeper"):
        check_strict(file, field(1, 2, nested), LIMIT)


def _recursive_type() -> Descriptor:
    from google.protobuf import descriptor_pb2, descriptor_pool

    file = descriptor_pb2.FileDescriptorProto(name="recursive.proto", syntax="proto3")
    message = file.message_type.add(name="Nest")
    message.field.add(
        name="inner",
        number=1,
        type=F.TYPE_MESSAGE,
        label=F.LABEL_OPTIONAL,
        type_name=".Nest",
    )
    pool = descriptor_pool.DescriptorPool()
    pool.Add(file)
    return pool.FindMessageTypeByName("Nest")


def test_signed_varints_and_maps_are_not_part_of_it() -> None:
    check_strict(empty_pb2.Empty.DESCRIPTOR, b"", 0)
    for descriptor in (timestamp_pb2.Timestamp.DESCRIPTOR, struct_pb2.Struct.DESCRIPTOR):
        with pytest.raises(TypeError):
            check_strict(descriptor, b"\x08\x01", LIMIT)


def test_the_backend_is_the_one_asked_for() -> None:
    wanted = os.environ.get("PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION", "upb")
    assert api_implementation.Type() == wanted


@pytest.mark.skipif(api_implementation.Type() == "python", reason="this is that run")
def test_all_of_this_holds_on_the_python_backend() -> None:
    run = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-x", __file__],
        env={**os.environ, "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": "python"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert run.returncode == 0, run.stdout + run.stderr
