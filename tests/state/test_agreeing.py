"""Arrangement steps: their refusals, and what they enter."""

import pytest

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.customs.arrangement import text_hash
from ledger.state import refusals
from ledger_world import DAY, World


@pytest.fixture
def world() -> World:
    return World(("HK", "NZ", "SG"))


def result(world: World, author: str, **step: object) -> str:
    (codes,) = world.commit(world.step(author, **step)).results
    assert isinstance(codes, tuple)
    (code,) = codes
    return code


def test_proposals(world: World) -> None:
    shared, text = world.proposal("HK", "NZ")
    assert result(world, "SG", propose=text) == refusals.NOT_A_PARTY
    assert result(world, "HK", propose=b"?") == refusals.STEP_MALFORMED
    _, foreign = world.proposal("HK", "XX")
    assert result(world, "HK", propose=foreign) == refusals.PARTY_UNKNOWN
    assert world.view.own_arrangements("HK") == ()
    shared, text = world.proposal("HK", "NZ")
    assert result(world, "HK", propose=text) == ""
    history = world.view.arrangement(shared)
    assert history is not None
    assert history.complete is None
    assert world.view.own_arrangements("HK") == world.view.own_arrangements("NZ") == (shared,)
    assert world.view.pair_history("HK", "NZ") == ()


def test_signatures_make_pairs_once(world: World) -> None:
    shared, text = world.proposal("HK", "NZ", "SG")
    signature = pb.ArrangementSignature(arrangement_id=shared, text_hash=text_hash(text))
    assert result(world, "HK", sign=signature) == refusals.ARRANGEMENT_UNKNOWN
    shared, text = world.proposal("HK", "NZ", "SG")
    signature = pb.ArrangementSignature(arrangement_id=shared, text_hash=text_hash(text))
    world.commit(world.step("HK", propose=text))
    other = pb.ArrangementSignature(arrangement_id=shared, text_hash=bytes(32))
    assert result(world, "NZ", sign=other) == refusals.TEXT_DIFFERS
    assert [result(world, party, sign=signature) for party in ("SG", "HK")] == ["", ""]
    assert result(world, "SG", sign=signature) == refusals.ALREADY_SIGNED
    assert world.view.pair_history("HK", "NZ") == ()
    assert result(world, "NZ", sign=signature) == ""
    for a, b in (("HK", "NZ"), ("SG", "HK"), ("NZ", "SG")):
        (entry,) = world.view.pair_history(a, b)
        assert entry == (world.view.height, world.view.header_time, shared)
    again = world.agree("HK", "NZ")
    assert [entry.arrangement_id for entry in world.view.pair_history("NZ", "HK")] == [
        shared,
        again,
    ]


def test_an_arrangement_with_itself_alone(world: World) -> None:
    alone = world.agree("HK")
    history = world.view.arrangement(alone)
    assert history is not None
    assert history.complete is not None
    assert dict(world.view.pairs) == {}
    assert world.publish("HK", alone, [world.grant(alone, "HK1")]).results == (("",),)


def test_suspending_resuming_ending(world: World) -> None:
    shared = world.agree("HK", "NZ", notice_days=10)
    stop = pb.ArrangementSuspension(arrangement_id=shared)
    go = pb.ArrangementResumption(arrangement_id=shared)
    assert result(world, "SG", suspend=stop) == refusals.NOT_A_PARTY
    assert result(world, "HK", resume=go) == refusals.NOT_SUSPENDED
    assert result(world, "HK", suspend=stop) == ""
    assert result(world, "HK", suspend=stop) == refusals.ALREADY_SUSPENDED
    assert result(world, "NZ", resume=go) == refusals.NOT_SUSPENDED
    assert result(world, "HK", resume=go) == ""
    soon = pb.ArrangementEnd(arrangement_id=shared, effective_from=world.time + 9 * DAY)
    assert result(world, "NZ", end=soon) == refusals.NOTICE_TOO_SHORT
    late = pb.ArrangementEnd(arrangement_id=shared, effective_from=world.time + 11 * DAY)
    assert result(world, "NZ", end=late) == ""
    assert len(world.view.arrangements[shared].records) == 6
    assert world.view.results(world.view.log_size - 2) == ((0, refusals.NOTICE_TOO_SHORT),)


def test_steps_before_the_last_signature_are_refused(world: World) -> None:
    shared, text = world.proposal("HK", "NZ")
    world.commit(world.step("HK", propose=text))
    stop = pb.ArrangementSuspension(arrangement_id=shared)
    assert result(world, "HK", suspend=stop) == refusals.ARRANGEMENT_NOT_SIGNED


def test_steps_of_one_block_see_each_other(world: World) -> None:
    shared, text = world.proposal("HK", "NZ")
    signature = pb.ArrangementSignature(arrangement_id=shared, text_hash=text_hash(text))
    block = world.commit(
        world.step("HK", propose=text),
        world.step("NZ", sign=signature),
        world.step("HK", sign=signature),
        world.statuses("NZ", shared, [world.grant(shared, "NZ1")]),
    )
    assert block.results == (("",),) * 4
