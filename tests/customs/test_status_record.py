"""The record reader accepts what the strict reader and the rules accept, and nothing else."""

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs import status
from ledger.customs.status import (
    Predecessor,
    RecordPlace,
    Role,
    Scope,
    StatusRecord,
    StatusTerms,
    format_status,
    parse_status,
)
from ledger.errors import FormatError
from ledger.wire import parse_strict

ROLES = st.lists(
    st.tuples(st.sampled_from(["EX", "IM", "CA", "X-LOG", "ex", ""]), st.integers(0, 9)),
    max_size=3,
    unique=True,
).map(sorted)
INSTANTS = st.sampled_from([0, 1, 2, 1 << 40, (1 << 63) - 1, 1 << 63])


@st.composite
def messages(draw: st.DrawFn) -> pb.StatusRecord:
    """Records of every shape, most of them nearly legal."""
    message = pb.StatusRecord(
        subject=draw(st.sampled_from([b"s" * 32, b"s" * 32, b"s" * 31, b""])),
        certificate=draw(st.sampled_from([b"c" * 16, b"c" * 16, b"c" * 17])),
        valid_from=draw(INSTANTS),
        valid_to=draw(INSTANTS),
        effective_from=draw(INSTANTS),
        effective_to=draw(st.sampled_from([0, 0, 0, 1 << 41])),
        profile_commitment=draw(st.sampled_from([b"", b"p" * 32, b"p"])),
        reapply_after=draw(st.sampled_from([0, 0, 7])),
    )
    terms = message.terms
    terms.event = draw(st.sampled_from(pb.Event.values()))
    terms.status = draw(st.sampled_from(pb.Status.values()))
    terms.level = draw(st.sampled_from(["", "AEO-S", "AEO S", "é"]))
    terms.lapses = draw(st.booleans())
    terms.migrated = draw(st.booleans())
    terms.reason = draw(st.sampled_from(pb.PublicReason.values()))
    for code, mode in draw(ROLES):
        terms.roles.add(code=code, mode=mode)
    if draw(st.integers(0, 3)) == 0:
        terms.scope.SetInParent()
        terms.scope.levels.extend(draw(st.sampled_from([[], ["A"], ["B", "A"]])))
    if draw(st.integers(0, 3)) == 0:
        message.predecessor.subject = draw(st.sampled_from([b"s" * 32, b"o" * 32, b""]))
        message.predecessor.kind = draw(st.sampled_from(pb.PredecessorKind.values()))
    if draw(st.integers(0, 3)) == 0:
        message.corrects.SetInParent()
        message.corrects.log_index = draw(st.integers(0, 3))
    return message


def slow(data: bytes) -> StatusRecord | None:
    """The same by the strict reader alone, never by offsets."""
    try:
        return status._parse_any(data)
    except FormatError:
        return None


def quick(data: bytes) -> StatusRecord | None:
    try:
        return parse_status(data)
    except FormatError:
        return None


@settings(max_examples=400, deadline=None)
@given(messages())
def test_offsets_and_the_strict_reader_agree(message: pb.StatusRecord) -> None:
    data = message.SerializeToString(deterministic=True)
    record = quick(data)
    assert record == slow(data)
    if record is not None:
        assert format_status(record) == data


VALID = StatusRecord(
    b"s" * 32,
    b"c" * 16,
    1_577_836_800_000,
    1_893_456_000_000,
    1_577_836_800_000,
    StatusTerms(pb.EVENT_SUSPEND, pb.STATUS_SUSPENDED, (Role("CA", 4), Role("EX")), "AEO-S"),
    effective_to=1_600_000_000_000,
    profile_commitment=b"p" * 32,
)
BYTES = format_status(VALID)


@settings(max_examples=600, deadline=None)
@given(st.integers(0, len(BYTES) - 1), st.binary(max_size=3), st.integers(0, 12), st.booleans())
@example(52, b"", 9, False)
@example(len(BYTES) - 1, b"\x00", 0, True)
def test_damaged_bytes_are_read_alike(at: int, put: bytes, drop: int, cut: bool) -> None:
    data = BYTES[:at] + put + (b"" if cut else BYTES[at + drop :])
    record = quick(data)
    assert record == slow(data)
    if record is not None:
        assert format_status(record) == data


def test_every_single_bit_is_read_alike() -> None:
    for bit in range(len(BYTES) * 8):
        data = bytearray(BYTES)
        data[bit // 8] ^= 1 << bit % 8
        assert quick(bytes(data)) == slow(bytes(data)), bit


def changed(**fields: object) -> StatusRecord:
    terms = {name: fields.pop(name) for name in list(fields) if name in StatusTerms.__slots__}
    base = StatusTerms(pb.EVENT_GRANT, pb.STATUS_CERTIFIED, (Role("EX"),))
    from dataclasses import replace

    record = StatusRecord(b"s" * 32, b"c" * 16, 10, 20, 10, replace(base, **terms))
    return record._replace(**fields)


SUSPENDED = {"event": pb.EVENT_SUSPEND, "status": pb.STATUS_SUSPENDED}
CORRECT = {"event": pb.EVENT_CORRECT, "status": pb.STATUS_CERTIFIED}


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"valid_to": 0},
        {"roles": ()},
        {"roles": (Role("CA", 1), Role("CA", 4), Role("X-EST"))},
        SUSPENDED,
        {**SUSPENDED, "effective_to": 11, "lapses": True},
        {**SUSPENDED, "effective_to": 11},
        {**SUSPENDED, "scope": Scope(levels=("A", "B"))},
        {**SUSPENDED, "scope": Scope(roles=(Role("EX"),))},
        {**CORRECT, "corrects": RecordPlace(0, 0)},
        {"event": pb.EVENT_REVOKE, "status": pb.STATUS_REVOKED, "reapply_after": 30},
        {"event": pb.EVENT_REVERSE, "status": pb.STATUS_REVOKED},
        {"event": pb.EVENT_SHARE_AGAIN, "status": pb.STATUS_ANNULLED},
        {"predecessor": Predecessor(b"o" * 32, pb.PREDECESSOR_KIND_RENUMBERED)},
    ],
)
def test_forms_that_are_accepted(fields: dict[str, object]) -> None:
    record = changed(**fields)
    assert parse_status(format_status(record)) == record


@pytest.mark.parametrize(
    "fields",
    [
        {"event": pb.EVENT_GRANT, "status": pb.STATUS_SUSPENDED},
        {"event": pb.EVENT_AMEND, "status": pb.STATUS_REVOKED},
        {"event": pb.EVENT_SHARE_AGAIN, "status": pb.STATUS_NOT_SHARED},
        {"event": 0},
        {"status": 0},
        {"event": 12},
        {"roles": (Role("ex"),)},
        {"roles": (Role("E"),)},
        {"roles": (Role("EX", 9),)},
        {"roles": (Role("IM"), Role("EX"))},
        {"roles": (Role("EX"), Role("EX"))},
        {"level": "AEO S"},
        {"scope": Scope(levels=("A",))},
        {**SUSPENDED, "scope": Scope()},
        {**SUSPENDED, "lapses": True},
        {**SUSPENDED, "effective_to": 10},
        {"lapses": True},
        {"effective_to": 11},
        {"valid_to": 10},
        {"valid_to": 9},
        {"valid_from": 1 << 63, "valid_to": 0},
        {"corrects": RecordPlace(0, 0)},
        CORRECT,
        {"reapply_after": 30},
        {"predecessor": Predecessor(b"s" * 32, 1)},
        {"predecessor": Predecessor(b"o" * 32, 0)},
        {"predecessor": Predecessor(b"o" * 31, 1)},
        {"profile_commitment": b"p"},
        {"subject": b"s"},
        {"certificate": b"c"},
        {"roles": tuple(Role("CA", mode) for mode in range(1, 9)) * 200},
    ],
)
def test_forms_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        format_status(changed(**fields))


def test_the_size_is_capped_first() -> None:
    with pytest.raises(FormatError, match="at most 4096"):
        parse_status(BYTES + bytes(5_000))


def test_the_message_has_no_field_that_the_record_lacks() -> None:
    names = {field.name for field in pb.StatusRecord.DESCRIPTOR.fields}
    assert names == set(StatusRecord._fields)
    assert {field.name for field in pb.StatusTerms.DESCRIPTOR.fields} == set(StatusTerms.__slots__)
    assert parse_strict(pb.StatusRecord, BYTES, 4096).effective_to == VALID.effective_to
