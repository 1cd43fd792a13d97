"""The parts that a verdict is joined from, and the questions that are read by their bytes."""

from hypothesis import given
from hypothesis import strategies as st

from aeo.exchange.v1.status_service_pb2 import Alias, LookupRequest
from ledger.customs.verdict import ArrangementOutcome, GrantedBenefit, Verdict, format_verdict
from service.node.lookup.question import read_question
from service.node.lookup.shapes import Shapes
from service.node.lookup.verdict_parts import cut_before, format_after_tin, format_row

codes = st.integers(0, 28)
instants = st.sampled_from([0, 1, 127, 1_790_000_000_000, (1 << 63) - 1])
texts = st.sampled_from(["", "A", "AEO-S", "X" * 200, "été"])
benefits = st.builds(GrantedBenefit, st.integers(1, 13), texts, texts)
outcomes = st.builds(ArrangementOutcome, st.binary(min_size=16, max_size=16), codes, codes, codes)
verdicts = st.builds(
    Verdict,
    outcome=codes,
    reason=codes,
    basis=codes,
    arrangement_id=st.sampled_from([b"", b"a" * 16]),
    status=codes,
    level=texts,
    valid_from=instants,
    valid_to=instants,
    benefits=st.lists(benefits, max_size=3).map(tuple),
    informed=st.booleans(),
    arrangements=st.lists(outcomes, max_size=3).map(tuple),
    name_match=st.integers(0, 5),
    profile_commitment=st.sampled_from([b"", b"c" * 32]),
    pilot=st.booleans(),
    rules_version=st.integers(0, 300),
    holds_from=instants,
    holds_to=instants,
    followed_subject=st.sampled_from([b"", b"f" * 32]),
    height=st.integers(1, 1 << 40),
    header_hash=st.just(b"h" * 32),
    issuer_seen=instants,
    attested_time=instants,
    cache_until=instants,
    issuing_economy=st.just("KR"),
    recognising_economy=st.just("NZ"),
    as_of=instants,
    known_at=instants,
    tin=st.just("KR123"),
    tin_changes=st.lists(st.integers(1, 4), max_size=3).map(tuple),
    tin_warnings=st.lists(st.just(1), max_size=1).map(tuple),
)


@given(verdicts)
def test_the_parts_are_those_of_the_whole(verdict: Verdict):
    data = format_verdict(verdict)
    assert format_row(verdict) == data[: cut_before(data, 20)]
    assert format_after_tin(verdict) == data[cut_before(data, 35) :]


identifiers = st.one_of(
    st.text(max_size=20).map(lambda tin: {"tin": tin}),
    st.just({"tin": "K" * 200}),
    st.just({"alias": Alias(scheme="US-MID", value="9")}),
)
requests = st.builds(
    lambda who, **fields: LookupRequest(
        **who, **{name: given for name, given in fields.items() if given is not None}
    ),
    who=identifiers,
    function=st.sampled_from(["EX", "IM", "X-LONG-CODE-OF-ONE-S-OWN"]),
    direction=st.integers(1, 3),
    transport_mode=st.integers(1, 8),
    level=st.sampled_from(["", "A"]),
    as_of=st.sampled_from([None, 7]),
    known_at_height=st.sampled_from([None, 0]),
    dispatch_economy=st.sampled_from(["", "HK"]),
    declared_name=st.sampled_from(["", "Acme"]),
    recognising_economy=st.sampled_from(["", "NZ"]),
)


@given(st.lists(requests, min_size=1, max_size=4), st.lists(requests, max_size=4))
def test_what_a_shape_reads_is_what_the_message_says(
    learnt: list[LookupRequest], asked: list[LookupRequest]
):
    shapes = Shapes()
    for request in learnt:
        shapes.learn(request.SerializeToString(), read_question(request, "NZ"))
    for request in learnt + asked:
        read = shapes.read(request.SerializeToString())
        if read is not None:
            assert read == read_question(request, "NZ")


@given(st.binary(max_size=40))
def test_no_bytes_are_read_as_anything_but_what_they_say(data: bytes):
    shapes = Shapes()
    first = LookupRequest(tin="KR1", function="EX", direction=1, transport_mode=1)
    shape = first.SerializeToString()[5:]
    assert shapes.learn(first.SerializeToString(), read_question(first, "NZ"))
    for question in (data, data + shape, b"\n" + data + shape):
        read = shapes.read(question)
        if read is not None:
            assert read == read_question(LookupRequest.FromString(question), "NZ")


def test_a_second_identifier_is_no_part_of_a_shape():
    shapes = Shapes()
    plain = LookupRequest(tin="KR1", function="EX", direction=1, transport_mode=1)
    for second in (LookupRequest(tin="KR1"), LookupRequest(alias=Alias(scheme="S", value="1"))):
        twice = plain.SerializeToString() + second.SerializeToString()
        query = read_question(LookupRequest.FromString(twice), "NZ")
        assert not shapes.learn(twice, query)
    # The other way round the TIN that counts does not stand first.
    twice = LookupRequest(tin="KR2").SerializeToString() + plain.SerializeToString()
    assert not shapes.learn(twice, read_question(LookupRequest.FromString(twice), "NZ"))
    assert shapes.read(plain.SerializeToString()) is None


def test_a_shape_holds_no_tin():
    shapes = Shapes()
    plain = LookupRequest(tin="KR123456", function="EX", direction=1, transport_mode=1)
    assert shapes.learn(plain.SerializeToString(), read_question(plain, "NZ"))
    assert "KR123456" not in repr(shapes._queries)
