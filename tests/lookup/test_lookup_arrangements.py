"""What is remembered gives way to amendments, notices of a start, new keys, and goods' own days."""

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger_world import DAY, START, World
from lookup.test_lookup import TINS, Asking, question
from state.arrangement_world import (
    amend,
    history,
    key,
    notice,
    open_epoch,
    republished,
    result,
    sign,
    text,
)

EVENTS = ("dispatched_at", "accepted_at", "arrived_at", "released_at")


def reason(data: bytes) -> str:
    verdict = verdict_pb2.Verdict.FromString(data)
    return verdict_pb2.Reason.Name(verdict.reason).removeprefix("REASON_")


def asked_again(asking: Asking) -> str:
    """The answer to a question that is known by now; each time held against `evaluate`."""
    asking.now = asking.attested = asking.world.time
    said = {reason(asking.ask(question(tin))) for tin in (*TINS[:3], *TINS[:3])}
    (only,) = said
    return only


def world_of(**fields: object) -> tuple[World, bytes, Asking]:
    world = World(("HK", "NZ", "SG"))
    shared = world.agree("HK", "NZ", **fields)
    world.publish("HK", shared, [world.grant(shared, tin) for tin in TINS[:3]])
    asking = Asking(world)
    asking.learn_keys()
    return world, shared, asking


def test_an_amendment() -> None:
    world, shared, asking = world_of()
    assert asked_again(asking) == "NONE"
    rule = pb.Rule(issuing="HK", recognising="NZ", transport_modes=[4])
    changed = text(world, shared, "HK", "NZ", rules=[rule])
    assert amend(world, "HK", shared, changed) == ""
    assert asked_again(asking) == "NONE"
    assert [sign(world, party, shared, changed) for party in ("HK", "NZ")] == ["", ""]
    assert asked_again(asking) == "MODE_NOT_COVERED"
    left = text(world, shared, "NZ", "SG")
    assert amend(world, "HK", shared, left) == ""
    assert [sign(world, party, shared, left) for party in ("HK", "NZ", "SG")] == [""] * 3
    assert asked_again(asking) == "ARRANGEMENT_ENDED"
    assert asking.recalled


def test_notices_of_a_start() -> None:
    world, shared, asking = world_of(staged_starts=True)
    assert asked_again(asking) == "ARRANGEMENT_NOT_YET"
    assert result(world, "HK", start=notice(shared, HK=START, NZ=START)) == ""
    assert asked_again(asking) == "ARRANGEMENT_NOT_YET"
    begins = world.time + DAY
    assert result(world, "NZ", start=notice(shared, HK=begins, NZ=begins)) == ""
    assert asked_again(asking) == "ARRANGEMENT_NOT_YET"
    world.commit(world.transaction("HK"), time=begins)
    assert asked_again(asking) == "NONE"


def test_a_new_key() -> None:
    world, shared, asking = world_of()
    assert asked_again(asking) == "NONE"
    assert open_epoch(world, "HK", shared, 2) == ""
    assert republished(world, "HK", shared, 2) == ""
    assert asked_again(asking) == "NONE"
    assert republished(world, "NZ", shared, 2) == ""
    asking.keys = {shared: key(world, shared, 2)}
    assert history(world, shared).epochs[-1].number == 2
    assert asked_again(asking) == "NO_RECORD"


def test_the_goods_own_days_are_never_remembered() -> None:
    arrival, honoured = pb.RELEVANT_EVENT_ARRIVAL, pb.GOODS_UNDER_WAY_HONOURED
    rule = pb.Rule(
        issuing="HK",
        recognising="NZ",
        to=START - DAY,
        relevant_event=arrival,
        goods_under_way=honoured,
        **{"from": START - 90 * DAY},
    )
    _, _, asking = world_of(rules=[rule])
    for _ in range(3):
        # Without a word about the goods; of every event the first moment, and the last.
        assert reason(asking.ask(question())) == "ARRANGEMENT_ENDED"
        for name in EVENTS:
            before = reason(asking.ask(question(**{name: START - 2 * DAY})))
            holds = name in {"dispatched_at", "arrived_at"}
            assert before == ("NONE" if holds else "ARRANGEMENT_ENDED")
            after = reason(asking.ask(question(**{name: START - DAY})))
            assert after == "ARRANGEMENT_ENDED"
        assert reason(asking.ask(question())) == "ARRANGEMENT_ENDED"
    assert len(asking.desk) == 1
