"""What is remembered equals what `evaluate` says, byte for byte, whatever happens in between."""

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from aeo.exchange.v1 import verdict_pb2
from aeo.exchange.v1.status_service_pb2 import LookupRequest
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from ledger.customs.evaluate import evaluate
from ledger.customs.verdict import Times, format_verdict
from ledger.errors import KeyringError
from ledger_world import DAY, SECOND, START, World
from service.node.lookup.desk import LookupDesk, Position
from service.node.lookup.question import read_question

MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
TINS = tuple(f"HK{n:08d}" for n in range(6))


class Asking:
    """A desk over a world, with a clock and an attested time of its own."""

    def __init__(self, world: World, economy: str = "NZ", remembered: int = 1_000) -> None:
        self.world = world
        self.now = world.time
        self.attested = world.time
        self.keys = {}
        self.instructions = {1: "green lane"}
        self.desk = LookupDesk(
            economy, self.position, lambda: self.keys, lambda: self.instructions, remembered
        )
        self.recalled = 0
        self.answered = 0

    def position(self) -> Position:
        return Position(self.world.view, Times(self.now, self.attested), 3)

    def learn_keys(self) -> None:
        state = self.world.view
        self.keys = {shared: self.world.lookup_key(shared) for shared in state.arrangements}

    def ask(self, request: LookupRequest) -> bytes:
        """Ask as a servicer does: remembered, else learnt. Checks against `evaluate`."""
        question, position = request.SerializeToString(), self.position()
        query = read_question(request, self.desk.economy)
        expected = format_verdict(
            evaluate(query, position.state, self.keys, None, self.instructions, position.times)
        )
        (recalled,) = self.desk.recall([question], position)
        if recalled is not None:
            self.recalled += 1
            assert recalled == expected
        (answered,) = self.desk.answer([question], position)
        if answered is not None:
            self.answered += recalled is None
            assert answered == expected
        assert self.desk.learn(question, query, position) == expected
        (again,) = self.desk.recall([question], position)
        assert again in {None, expected}
        return expected


def question(tin: str = TINS[0], **fields: object) -> LookupRequest:
    given = {"function": "EX", "direction": 1, "transport_mode": 1}
    return LookupRequest(tin=tin, **(given | fields))


def two_members() -> tuple[World, bytes, Asking]:
    world = World(("HK", "NZ"))
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, tin) for tin in TINS[:3]])
    asking = Asking(world)
    asking.learn_keys()
    return world, shared, asking


def test_the_second_answer_is_remembered():
    _, _, asking = two_members()
    first = asking.ask(question())
    assert asking.recalled == 0
    assert asking.ask(question()) == first
    assert asking.recalled == 1
    assert verdict_pb2.Verdict.FromString(first).outcome == verdict_pb2.OUTCOME_RECOGNISED


def test_a_new_question_of_a_known_shape_is_answered_at_once():
    _, _, asking = two_members()
    for tin in (*TINS, "HK1*", "XX123", "hk 1", "", "é"):
        asking.ask(question(tin))
    assert (asking.recalled, asking.answered) == (0, len(TINS) + 3)
    for tin in TINS:
        asking.ask(question(tin))
    assert (asking.recalled, asking.answered) == (len(TINS), len(TINS) + 3)


def test_a_question_without_its_key_is_left_to_learn():
    _, _, asking = two_members()
    asking.ask(question())
    asking.keys = {}
    other = question(TINS[1])
    data, position = other.SerializeToString(), asking.position()
    assert asking.desk.answer([data], position) == [None]
    with pytest.raises(KeyringError):
        asking.desk.learn(data, read_question(other, "NZ"), position)


def test_a_batch_is_answered_in_order_while_rows_are_learnt():
    _, _, asking = two_members()
    asking.ask(question())
    requests = [question(tin) for tin in (TINS[1], TINS[0], "XX1", TINS[4], TINS[1])]
    data, position = [each.SerializeToString() for each in requests], asking.position()
    assert asking.desk.answer(data, position) == [
        format_verdict(asking.desk.evaluate(read_question(each, "NZ"), position))
        for each in requests
    ]


def test_what_is_read_later_about_a_pair_undoes_no_row():
    _, _, asking = two_members()
    asking.ask(question(TINS[0]))
    asking.ask(question(TINS[1], dispatch_economy="HK"))
    asking.ask(question(TINS[1], dispatch_economy="CN"))
    for request in (
        question(TINS[0]),
        question(TINS[1], dispatch_economy="HK"),
        question(TINS[1], dispatch_economy="CN"),
    ):
        asking.ask(request)
    assert asking.recalled == 3
    # Each row rests on who spoke for the economy that its own question named.
    for economy, others in (("HK", set()), ("CN", {"CN"})):
        data = question(TINS[1], dispatch_economy=economy).SerializeToString()
        reads = asking.desk._rows[data][0].pair.reads
        assert {said for method, said, *_ in reads if method == "speaker_history"} >= others


def test_absence_is_remembered_and_ends_with_the_first_record():
    world, shared, asking = two_members()
    said = verdict_pb2.Verdict.FromString(asking.ask(question(TINS[4])))
    assert said.reason == verdict_pb2.REASON_NO_RECORD
    asking.ask(question(TINS[4]))
    assert asking.recalled == 1
    world.publish("HK", shared, [world.grant(shared, TINS[4])])
    asking.now = asking.attested = world.time
    said = verdict_pb2.Verdict.FromString(asking.ask(question(TINS[4])))
    assert said.outcome == verdict_pb2.OUTCOME_RECOGNISED


def test_another_block_keeps_what_it_does_not_touch():
    world, shared, asking = two_members()
    for tin in TINS:
        asking.ask(question(tin))
    world.publish("HK", shared, [world.suspend(shared, TINS[1])])
    asking.now = asking.attested = world.time
    for tin in TINS:
        asking.ask(question(tin))
    assert asking.recalled == len(TINS) - 1


def test_time_alone_ends_a_verdict():
    world, shared, asking = two_members()
    ends = world.time + 10 * MINUTE
    world.publish("HK", shared, [world.grant(shared, TINS[5], valid_to=ends)])
    world.commit(world.transaction("HK"), time=ends - MINUTE)
    for now in (world.time, ends - 1, ends, ends + 1):
        asking.now = asking.attested = now
        asking.ask(question(TINS[5]))
    said = verdict_pb2.Verdict.FromString(asking.ask(question(TINS[5])))
    assert said.reason == verdict_pb2.REASON_EXPIRED


def test_silence_ends_it_and_news_brings_it_back():
    world, _, asking = two_members()
    for minutes in (0, 54, 55, 56, 59, 60, 61):
        asking.now = asking.attested = world.time + minutes * MINUTE
        asking.ask(question())
    said = verdict_pb2.Verdict.FromString(asking.ask(question()))
    assert said.reason == verdict_pb2.REASON_ISSUER_STALE
    world.commit(world.transaction("HK"), time=asking.now)
    before = asking.recalled
    asking.ask(question())
    assert asking.recalled == before + 1


def test_cache_until_shows_the_coming_silence():
    world, _, asking = two_members()
    silent_since = world.time
    world.commit(world.transaction("NZ"), time=silent_since + 57 * MINUTE)
    for seconds in range(0, 240, 30):
        asking.now = asking.attested = world.time + seconds * SECOND
        said = verdict_pb2.Verdict.FromString(asking.ask(question()))
    assert said.reason == verdict_pb2.REASON_ISSUER_STALE
    asking.now = asking.attested = world.time
    said = verdict_pb2.Verdict.FromString(asking.ask(question()))
    assert said.cache_until == silent_since + HOUR + 1


def test_an_attested_time_that_stays_behind_counts():
    world, _, asking = two_members()
    for minutes in range(0, 65, 5):
        asking.now = world.time
        asking.ask(question())
        world.commit(world.transaction("HK"), time=START + minutes * MINUTE + HOUR // 2)
    said = verdict_pb2.Verdict.FromString(asking.ask(question()))
    assert asking.recalled > 3
    asking.now = asking.attested + HOUR + 1
    said = verdict_pb2.Verdict.FromString(asking.ask(question()))
    assert said.reason == verdict_pb2.REASON_LEDGER_STALE


def test_a_clock_that_goes_back_leaves_the_interval():
    world, shared, asking = two_members()
    begins = world.time + MINUTE
    world.publish("HK", shared, [world.grant(shared, TINS[4], effective_from=begins)])
    for now in (begins + 1, begins, begins - 1, begins):
        asking.now = asking.attested = now
        asking.ask(question(TINS[4]))
        asking.ask(question(TINS[4]))


def test_a_reader_behind_gets_nothing_from_ahead_of_it():
    world, shared, asking = two_members()
    behind = asking.position()
    world.publish("HK", shared, [world.suspend(shared, TINS[0])])
    asking.ask(question())
    assert asking.desk.recall([question().SerializeToString()], behind) == [None]


def test_a_reader_behind_teaches_nothing_wrong():
    world, shared, asking = two_members()
    behind = asking.position()
    world.publish("HK", shared, [world.suspend(shared, TINS[0])])
    request = question()
    asking.desk.learn(request.SerializeToString(), read_question(request, "NZ"), behind)
    asking.now = asking.attested = world.time
    said = verdict_pb2.Verdict.FromString(asking.ask(request))
    assert said.reason == verdict_pb2.REASON_SUSPENDED


def test_a_reader_behind_and_one_ahead_share_a_shape():
    world, shared, asking = two_members()
    asking.ask(question(TINS[1]))
    behind = asking.position()
    world.publish("HK", shared, [world.suspend(shared, TINS[0])])
    asking.now = asking.attested = world.time
    data, query = question().SerializeToString(), read_question(question(), "NZ")
    for position in (behind, asking.position(), behind):
        expected = format_verdict(asking.desk.evaluate(query, position))
        assert asking.desk.answer([data], position) == [expected]


def test_a_new_number_takes_over_from_the_old():
    world, shared, asking = two_members()
    asking.ask(question())
    renumbered = world.grant(
        shared,
        TINS[4],
        predecessor=(
            world.subject(shared, TINS[0]),
            status_pb2.PREDECESSOR_KIND_RENUMBERED,
        ),
    )
    world.publish("HK", shared, [renumbered])
    asking.now = asking.attested = world.time + 1
    said = verdict_pb2.Verdict.FromString(asking.ask(question()))
    assert said.followed_subject == world.subject(shared, TINS[4])


def test_changed_instructions_and_keys_count_at_once():
    _, _, asking = two_members()
    asking.ask(question())
    asking.instructions = {1: "red lane"}
    asking.ask(question())
    assert asking.recalled == 0
    asking.keys = dict(asking.keys)
    asking.ask(question())
    assert asking.recalled == 0
    asking.ask(question())
    assert asking.recalled == 1


def test_memory_is_bounded_and_can_be_dropped():
    _, _, asking = two_members()
    desk = asking.desk
    desk._limit = 20
    for n in range(100):
        asking.ask(question(f"HK{n:08d}"))
        assert len(desk) <= 20
    desk.forget()
    assert len(desk) == 0
    asking.ask(question())


def test_what_is_out_of_the_ordinary_is_not_remembered():
    world, _, asking = two_members()
    for request in (
        question(as_of=world.time),
        question(known_at_height=2),
        question(known_at_time=world.time),
        question(declared_name="Acme"),
        question(declared_address="1 Queen Street"),
        question(tin=" hk-00000000"),
        question(tin="hk00000000"),
        question(tin="XX1"),
        question(tin="?"),
    ):
        asking.ask(request)
        asking.ask(request)
    assert asking.recalled == 0
    assert len(asking.desk) == 0


# Random lives.

events = st.sampled_from(
    [
        (status_pb2.EVENT_GRANT, status_pb2.STATUS_CERTIFIED),
        (status_pb2.EVENT_AMEND, status_pb2.STATUS_CERTIFIED),
        (status_pb2.EVENT_SUSPEND, status_pb2.STATUS_SUSPENDED),
        (status_pb2.EVENT_REINSTATE, status_pb2.STATUS_CERTIFIED),
        (status_pb2.EVENT_REVOKE, status_pb2.STATUS_REVOKED),
        (status_pb2.EVENT_ANNUL, status_pb2.STATUS_ANNULLED),
        (status_pb2.EVENT_END_SHARING, status_pb2.STATUS_NOT_SHARED),
    ]
)
records = st.tuples(
    st.sampled_from(["HK", "SG"]),
    st.integers(0, 1),
    st.integers(0, 5),
    events,
    st.sampled_from(["1", "2"]),
    st.sampled_from([("EX",), ("IM",), ("EX", "IM")]),
    st.sampled_from(["", "A", "B"]),
    st.sampled_from([20 * MINUTE, 2 * HOUR, 900 * DAY]),
    st.sampled_from([-DAY, 0, 5 * MINUTE]),
    st.integers(0, 3),
)
steps = st.one_of(
    st.tuples(st.just("record"), records),
    st.tuples(st.just("renumber"), st.integers(0, 5)),
    st.tuples(st.just("wait"), st.sampled_from([1, SECOND, MINUTE, 4 * MINUTE, 31 * MINUTE])),
    st.tuples(st.just("beat"), st.sampled_from(["HK", "SG", "NZ"])),
    st.tuples(st.just("attest"), st.just(None)),
    st.tuples(st.just("suspend"), st.sampled_from(["suspend", "resume"])),
)
questions = st.builds(
    question,
    tin=st.sampled_from([f"{prefix}{n:08d}" for prefix in ("HK", "SG", "NZ") for n in range(6)]),
    function=st.sampled_from(["EX", "IM", "MF"]),
    direction=st.integers(1, 2),
    transport_mode=st.sampled_from([1, 4]),
    level=st.sampled_from(["", "A"]),
    dispatch_economy=st.sampled_from(["", "HK"]),
)


def rich_world() -> tuple[World, list[bytes]]:
    """HK and NZ with two arrangements of different limits and rules, SG and NZ with information."""
    world = World(("HK", "NZ", "SG"))
    recognition, information = (
        arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION,
        arrangement_pb2.ARRANGEMENT_KIND_INFORMATION,
    )
    benefit = arrangement_pb2.Benefit(
        code=arrangement_pb2.BENEFIT_CODE_FEWER_DOCUMENT_CHECKS, granted_by="CUSTOMS"
    )

    def rule(issuing: str, **fields: object) -> arrangement_pb2.Rule:
        begins = {"from": START - 365 * DAY}
        return arrangement_pb2.Rule(issuing=issuing, recognising="NZ", **begins, **fields)

    shared = [
        world.agree(
            "HK",
            "NZ",
            kind=recognition,
            rules=[rule("HK", directions=[1], levels=["A"], benefits=[benefit])],
        ),
        world.agree(
            "HK",
            "NZ",
            kind=recognition,
            staleness_limit=30 * MINUTE,
            rules=[
                rule("HK", functions=["EX"], certified_roles=["EX"]),
                rule("HK", functions=["IM"], dispatch_from_issuer_required=True),
            ],
        ),
        world.agree("NZ", "SG", kind=information, rules=[rule("SG", transport_modes=[1])]),
    ]
    return world, shared


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(st.lists(steps, min_size=3, max_size=14), st.lists(questions, min_size=2, max_size=6))
def test_joined_bytes_are_those_of_evaluate(life, asked):
    world, (first, second, information) = rich_world()
    asking = Asking(world)
    asking.learn_keys()
    for kind, what in life:
        if kind == "record":
            economy, which, n, (event, status), number, roles, level, valid, effect, _ = what
            shared = information if economy == "SG" else (first, second)[which]
            record = world.record(
                shared,
                f"{economy}{n:08d}",
                event,
                status,
                number=number,
                roles=roles,
                level=level,
                valid_to=asking.now + valid,
                effective_from=asking.now + effect,
            )
            world.publish(economy, shared, [record], time=asking.now)
        elif kind == "renumber":
            old, new = world.subject(first, TINS[what]), TINS[(what + 1) % 6]
            kind_of = status_pb2.PREDECESSOR_KIND_RENUMBERED
            record = world.grant(first, new, number="9", predecessor=(old, kind_of), level="A")
            world.publish("HK", first, [record], time=asking.now)
        elif kind == "wait":
            asking.now += what
        elif kind == "beat":
            world.commit(world.transaction(what), time=asking.now)
        elif kind == "attest":
            asking.attested = asking.now
        else:
            step = {
                "suspend": arrangement_pb2.ArrangementSuspension,
                "resume": arrangement_pb2.ArrangementResumption,
            }[what](arrangement_id=first)
            world.commit(world.step("NZ", **{what: step}), time=asking.now)
        for request in asked:
            asking.ask(request)
