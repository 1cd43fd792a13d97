"""Batches under arrangements: who may publish when, record by record."""

from collections.abc import Callable

import pytest

from aeo.ledger.v1 import arrangement_pb2, status_pb2
from ledger.customs import transition
from ledger.customs.arrangement import text_hash
from ledger.state import refusals
from ledger_world import CERTIFIED, DAY, START, World

Codes = Callable[..., tuple[str, ...]]


@pytest.fixture
def world() -> World:
    return World(("HK", "NZ", "SG"))


def codes(world: World, issuer: str, shared: bytes, *records: bytes) -> object:
    return world.publish(issuer, shared, records).results[0]


def sign(shared: bytes, text: bytes) -> arrangement_pb2.ArrangementSignature:
    return arrangement_pb2.ArrangementSignature(arrangement_id=shared, text_hash=text_hash(text))


def test_only_parties_of_a_signed_arrangement_publish(world: World) -> None:
    shared, text = world.proposal("HK", "NZ")
    record = world.grant(shared, "HK1")
    assert codes(world, "NZ", bytes(16), record) == (refusals.ARRANGEMENT_UNKNOWN,)
    world.commit(world.step("HK", propose=text))
    assert codes(world, "SG", shared, record, record) == (refusals.NOT_A_PARTY,) * 2
    assert codes(world, "HK", shared, record) == (refusals.ARRANGEMENT_NOT_SIGNED,)
    world.commit(world.step("HK", sign=sign(shared, text)))
    assert codes(world, "HK", shared, record) == (refusals.ARRANGEMENT_NOT_SIGNED,)
    world.commit(world.step("NZ", sign=sign(shared, text)))
    assert codes(world, "HK", shared, record) == ("",)
    assert world.view.results(world.view.log_size - 3) == ((0, refusals.ARRANGEMENT_NOT_SIGNED),)


def test_statuses_go_on_under_a_suspension_and_stop_at_the_end(world: World) -> None:
    shared = world.agree("HK", "NZ")
    stop = arrangement_pb2.ArrangementSuspension(arrangement_id=shared)
    assert world.commit(world.step("NZ", suspend=stop)).results == (("",),)
    assert codes(world, "HK", shared, world.grant(shared, "HK1")) == ("",)
    end = world.time + DAY
    step = arrangement_pb2.ArrangementEnd(arrangement_id=shared, effective_from=end)
    assert world.commit(world.step("HK", end=step)).results == (("",),)
    assert codes(world, "HK", shared, world.grant(shared, "HK2")) == ("",)
    late = world.publish("HK", shared, [world.grant(shared, "HK3")], time=end)
    assert late.results == ((refusals.ARRANGEMENT_HAS_ENDED,),)
    alias = world.commit(world.aliases("HK", shared, [world.alias(shared, "a", "HK1")]))
    assert alias.results == ((refusals.ARRANGEMENT_HAS_ENDED,),)


def test_a_refused_record_leaves_the_rest(world: World) -> None:
    shared = world.agree("HK", "NZ")
    results = codes(
        world,
        "HK",
        shared,
        world.grant(shared, "HK1"),
        b"",
        world.grant(shared, "HK1"),
        world.suspend(shared, "HK1"),
        world.grant(shared, "HK1", number="2"),
        world.grant(shared, "HK2") + b"\x00",
        world.suspend(shared, "HK2"),
    )
    assert results == (
        "",
        refusals.RECORD_MALFORMED,
        transition.CERTIFICATE_KNOWN,
        "",
        "",
        refusals.RECORD_MALFORMED,
        transition.CERTIFICATE_UNKNOWN,
    )
    view = world.view
    entries = view.subject(shared, "HK", world.subject(shared, "HK1"))
    assert [entry.position for entry in entries] == [0, 3, 4]
    assert {entry.height for entry in entries} == {view.height}
    assert view.subject(shared, "HK", world.subject(shared, "HK2")) == []
    assert view.subject(shared, "NZ", world.subject(shared, "HK1")) == []


def test_each_issuer_keeps_its_own_histories(world: World) -> None:
    shared = world.agree("HK", "NZ")
    tin = "HK1"
    assert codes(world, "HK", shared, world.grant(shared, tin)) == ("",)
    assert codes(world, "NZ", shared, world.suspend(shared, tin)) == (
        transition.CERTIFICATE_UNKNOWN,
    )


def test_transitions_reach_the_ledger(world: World) -> None:
    shared = world.agree("HK", "NZ")
    codes(world, "HK", shared, world.grant(shared, "HK1"))

    def step(event: int, status: int, **fields: object) -> object:
        return codes(world, "HK", shared, world.record(shared, "HK1", event, status, **fields))

    pb = status_pb2
    assert step(pb.EVENT_REINSTATE, CERTIFIED) == (transition.STEP_NOT_ALLOWED,)
    assert step(pb.EVENT_AMEND, pb.STATUS_SUSPENDED) == (transition.STATUS_CHANGED,)
    early = world.time - 8 * DAY
    assert step(pb.EVENT_SUSPEND, pb.STATUS_SUSPENDED, effective_from=early) == (
        transition.EFFECT_TOO_EARLY,
    )
    assert step(pb.EVENT_SUSPEND, pb.STATUS_SUSPENDED) == ("",)
    place = (world.view.log_size - 1, 0)
    assert step(pb.EVENT_CORRECT, CERTIFIED, corrects=(0, 0)) == (transition.CORRECTED_UNKNOWN,)
    assert step(pb.EVENT_CORRECT, CERTIFIED, corrects=place) == ("",)
    assert step(pb.EVENT_CORRECT, CERTIFIED, corrects=place) == (transition.CORRECTED_TWICE,)


def test_history_is_loaded_in_time(world: World) -> None:
    shared = world.agree("HK", "NZ")
    migrated = {"migrated": True, "effective_from": START - 2000 * DAY}
    assert codes(world, "HK", shared, world.grant(shared, "HK1", **migrated)) == ("",)
    late = world.grant(shared, "HK2", **migrated)
    block = world.publish("HK", shared, [late], time=world.time + 91 * DAY)
    assert block.results == ((transition.MIGRATION_OVER,),)


def test_an_alias_may_lead_to_two(world: World) -> None:
    shared = world.agree("HK", "NZ")
    one, two = world.alias(shared, "a", "HK1"), world.alias(shared, "a", "HK2")
    block = world.commit(world.aliases("HK", shared, [one, two, one, b"?"]))
    assert block.results == (("", "", refusals.ALIAS_UNCHANGED, refusals.RECORD_MALFORMED),)
    taken_back = world.alias(shared, "a", "HK1", valid_to=START)
    assert world.commit(world.aliases("HK", shared, [taken_back, one])).results == (("", ""),)
    entries = world.view.alias(shared, "HK", world.lookup_key(shared).alias("TEST", "a"))
    assert [(entry.subject, entry.valid_to) for entry in entries] == [
        (world.subject(shared, "HK1"), 0),
        (world.subject(shared, "HK2"), 0),
        (world.subject(shared, "HK1"), START),
        (world.subject(shared, "HK1"), 0),
    ]


def test_a_new_number_leads_on_a_merger_does_not(world: World) -> None:
    shared = world.agree("HK", "NZ")
    old = world.subject(shared, "HK1")
    renumbered = world.grant(shared, "HK2", predecessor=(old, 1))
    merged = world.grant(shared, "HK3", predecessor=(old, 2))
    assert codes(world, "HK", shared, world.grant(shared, "HK1"), renumbered, merged) == ("",) * 3
    (entry,) = world.view.successors(shared, "HK", old)
    assert entry.subject == world.subject(shared, "HK2")
    assert entry.position == 1
    assert world.view.successors(shared, "NZ", old) == []
