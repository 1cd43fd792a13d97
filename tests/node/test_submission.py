"""Rows to records: the joined common record is what the format's own writer would write."""

from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.wire.v1 import wire_pb2
from aeo.ledger.v1 import status_pb2, transaction_pb2
from ledger.bls.scheme import default_backend
from ledger.chain.transaction import MAX_TRANSACTION_BYTES, format_body, sign_transaction
from ledger.customs.status import Role, StatusRecord, StatusTerms, format_status, parse_status
from ledger.errors import FormatError
from ledger_world import World
from node.node_world import GRANT, row
from service.node.publishing import packing
from service.node.publishing.answers import format_answers
from service.node.publishing.packing import Packing, format_batch_body
from service.node.publishing.submission import prepare_rows
from service.node.publishing.targets import ROW_CODES, RowFault
from service.store.home.prepared import Group

NOW = 1_790_000_000_000
WORLD = World(("HK", "NZ"))
SHARED = WORLD.agree("HK", "NZ")
KEY = WORLD.lookup_key(SHARED)

instants = st.one_of(st.just(0), st.integers(1, 1 << 64), st.integers(NOW - 5, NOW + 5)).map(
    lambda value: min(value, (1 << 64) - 1)
)
terms = st.builds(
    lambda event, status, level, role, lapses: status_pb2.StatusTerms(
        event=event,
        status=status,
        level=level,
        roles=[status_pb2.CertifiedRole(code=role)],
        lapses=lapses,
    ),
    st.sampled_from([status_pb2.EVENT_GRANT, status_pb2.EVENT_AMEND, status_pb2.EVENT_SUSPEND]),
    st.sampled_from([status_pb2.STATUS_CERTIFIED, status_pb2.STATUS_SUSPENDED]),
    st.sampled_from(["", "AEO-S", "2", "no level"]),
    st.sampled_from(["EX", "X-OWN", "lower"]),
    st.booleans(),
)


def prepare(*rows: Any) -> Any:
    request = wire_pb2.PublishRequestBytes(submissions=rows)
    return prepare_rows(request, WORLD.view, "HK", {SHARED: KEY}.get, NOW, confirms=True)


@settings(max_examples=300, deadline=None)
@given(terms, instants, instants, instants, instants, instants, st.sampled_from(["1", " é", ""]))
def test_a_row_becomes_what_the_format_writes(
    said: status_pb2.StatusTerms,
    valid_from: int,
    valid_to: int,
    effective_from: int,
    effective_to: int,
    reapply_after: int,
    number: str,
) -> None:
    submission = row(
        "HK1",
        number,
        said,
        valid_from=valid_from,
        valid_to=valid_to,
        effective_from=effective_from,
        effective_to=effective_to,
        reapply_after=reapply_after,
    )
    found = prepare(submission)
    try:
        expected = format_status(
            StatusRecord(
                KEY.subject("HK1"),
                KEY.certificate(number),
                valid_from,
                valid_to,
                effective_from or NOW,
                StatusTerms(
                    said.event,
                    said.status,
                    tuple(Role(role.code) for role in said.roles),
                    said.level,
                    lapses=said.lapses,
                ),
                effective_to=effective_to,
                reapply_after=reapply_after,
            )
        )
    except FormatError:
        assert found.groups == ()
        assert found.faults[0].code in ROW_CODES
        return
    assert not found.faults
    (group,) = found.groups
    assert group.records == (expected,)
    assert parse_status(expected).certificate == KEY.certificate(number)


def test_terms_in_another_encoding_give_the_same_record() -> None:
    usual = GRANT.SerializeToString()
    # Fields in another order, and one default written out: any client may do that.
    level = status_pb2.StatusTerms(level=GRANT.level).SerializeToString()
    rest = status_pb2.StatusTerms()
    rest.CopyFrom(GRANT)
    rest.ClearField("level")
    other = level + rest.SerializeToString() + b"\x38\x00"
    one, two = (prepare(row("HK1", terms=data)).groups[0].records for data in (usual, other))
    assert one == two


@pytest.mark.parametrize("data", [b"", b"\xff", b"\x08", b"\x08\x63", b"\x22\x02\xff\xff"])
def test_terms_that_are_none(data: bytes) -> None:
    assert prepare(row("HK1", terms=data)).faults[0].code == "TERMS_MALFORMED"


@pytest.mark.parametrize("data", [b"\xff", b"\x08"])
def test_a_place_that_is_none(data: bytes) -> None:
    said = status_pb2.StatusTerms(
        event=status_pb2.EVENT_CORRECT, status=status_pb2.STATUS_CERTIFIED
    )
    found = prepare(row("HK1", terms=said, corrects=data))
    assert found.faults[0].code == "RECORD_MALFORMED"
    assert prepare(row("HK1", terms=said, corrects=b"\x08\x01")).groups


def test_the_byte_level_twin_is_the_message() -> None:
    message = publishing.Submission(
        tin="HK1",
        certificate_number="2",
        valid_from=1,
        valid_to=2,
        effective_from=3,
        effective_to=4,
        terms=GRANT,
        predecessor_tin="HK2",
        predecessor_kind=status_pb2.PREDECESSOR_KIND_RENUMBERED,
        corrects=status_pb2.RecordPlace(log_index=1),
        reapply_after=5,
        arrangement_ids=[b"a"],
    )
    twin = wire_pb2.SubmissionBytes.FromString(message.SerializeToString())
    assert twin.SerializeToString() == message.SerializeToString()
    assert twin.terms == GRANT.SerializeToString()
    assert twin.corrects == message.corrects.SerializeToString()


def test_answers_are_those_of_the_message() -> None:
    faults = {1: RowFault("TIN_MALFORMED", "a word"), 3: RowFault("NO_ARRANGEMENT", "é")}
    for given_faults in ({}, faults):
        found = publishing.PublishResponse.FromString(format_answers(5, given_faults))
        expected = [given_faults.get(number, RowFault("", "")) for number in range(5)]
        assert [(row.code, row.message) for row in found.rows] == expected
        assert found.prepared == 5 - len(given_faults)


def head() -> transaction_pb2.Transaction:
    return transaction_pb2.Transaction(
        author="HK",
        key_id=b"k" * 8,
        sequence=300,
        verified_height=7,
        verified_header_hash=b"h" * 32,
    )


@settings(max_examples=50, deadline=None)
@given(st.lists(st.integers(36, 600), min_size=1, max_size=30))
def test_a_joined_body_is_what_the_message_writes(sizes: list[int]) -> None:
    queue = Packing()
    records = tuple(bytes([34, number]) * (size // 2) for number, size in enumerate(sizes))
    queue.add(1, [Group(11, SHARED, tuple(range(len(sizes))), records)])
    load = queue.take()
    message = head()
    message.statuses.arrangement_id = SHARED
    message.statuses.records.extend(load.records)
    assert format_batch_body(head(), load) == format_body(message)


def test_loads_stay_within_a_transaction() -> None:
    queue = Packing()
    small = tuple(number.to_bytes(4) * 30 for number in range(1_500))
    large = tuple(number.to_bytes(4) * 1_000 for number in range(40))
    queue.add(1, [Group(11, SHARED, tuple(range(1_500)), small)])
    queue.add(2, [Group(11, SHARED, tuple(range(40)), large)])
    seen = set()
    while load := queue.take():
        assert 1 <= len(load.records) <= packing.RECORDS
        body = format_batch_body(head(), load)
        data = sign_transaction(7, default_backend(), bytes(32), body)
        assert len(data) <= MAX_TRANSACTION_BYTES
        for record, publication, number in zip(
            load.records, load.carries.publications, load.carries.numbers, strict=True
        ):
            assert (small if publication == 1 else large)[number] == record
            seen.add((publication, number))
    assert len(seen) == 1_540
    assert queue.waiting == 0


def test_one_traders_records_keep_their_order_and_others_are_mixed() -> None:
    grants = [WORLD.grant(SHARED, f"HK{number}") for number in range(100)]
    suspends = [WORLD.suspend(SHARED, f"HK{number}") for number in range(100)]
    queue = Packing()
    queue.add(1, [Group(11, SHARED, tuple(range(200)), (*grants, *suspends))])
    load = queue.take()
    for number in range(100):
        assert load.records.index(grants[number]) < load.records.index(suspends[number])
    order = [grants.index(record) for record in load.records if record in set(grants)]
    assert order != sorted(order)


def test_arrangements_take_turns() -> None:
    queue = Packing()
    other = bytes(16)
    records = tuple(number.to_bytes(4) * 30 for number in range(900))
    queue.add(1, [Group(11, SHARED, tuple(range(900)), records)])
    queue.add(2, [Group(11, other, (0,), records[:1])])
    assert [queue.take().arrangement_id for _ in range(4)] == [SHARED, other, SHARED, SHARED]


def _marked(*subjects: int) -> Group:
    """Records about these traders, 150 bytes each, under one arrangement."""
    records = tuple(b"\x0a\x10" + bytes([n]) * 16 + bytes(130) for n in subjects)
    return Group(11, bytes(16), tuple(range(len(records))), records)


def test_a_suspension_does_not_wait_for_a_register() -> None:
    queue = Packing()
    queue.add(1, [_marked(*[1] * 1_000)])
    assert set(queue.take().carries.publications) == {1}
    queue.add(2, [_marked(2)])
    assert set(queue.take().carries.publications) == {1, 2}


def test_a_trader_is_never_overtaken() -> None:
    queue = Packing()
    queue.add(1, [_marked(*[1] * 900, 2)])
    queue.add(2, [_marked(2)])
    queue.add(3, [_marked(3)])
    order = []
    while (load := queue.take()) is not None:
        order += list(zip(load.carries.publications, load.records, strict=True))
    about_two = [publication for publication, record in order if record[2] == 2]
    assert about_two == [1, 2]
    assert [publication for publication, _ in order].index(3) < 400
    assert len(order) == 903


def test_many_small_publications_are_a_large_one() -> None:
    queue = Packing()
    queue.add(1, [_marked(*[1] * 1_000)])
    for n in range(500):
        queue.add(2 + n, [_marked(2 + n % 200)])
    # Those that go ahead are few, and what they overtook still goes before the rest of them.
    first = queue.take().carries.publications
    assert sum(publication == 1 for publication in first) >= 350
