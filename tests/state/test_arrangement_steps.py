"""Amendments, notices of a start and key epochs as the machine executes them."""

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from aeo.ledger.v1 import status_pb2
from ledger.customs.arrangement import text_hash
from ledger.customs.evaluate import evaluate
from ledger.customs.identify import epoch_name
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Times
from ledger.errors import KeyringError
from ledger.state import refusals
from ledger_world import DAY, START, World
from state.arrangement_world import (
    amend,
    check_whole,
    history,
    key,
    notice,
    open_epoch,
    republished,
    result,
    sign,
    text,
)


@pytest.fixture
def world() -> World:
    return World(("HK", "NZ", "SG"))


def test_who_may_amend(world: World) -> None:
    shared, proposed = world.proposal("HK", "NZ")
    changed = text(world, shared, "HK", "NZ")
    assert amend(world, "HK", shared, changed) == refusals.ARRANGEMENT_UNKNOWN
    shared, proposed = world.proposal("HK", "NZ")
    changed = text(world, shared, "HK", "NZ")
    world.commit(world.step("HK", propose=proposed))
    assert amend(world, "HK", shared, changed) == refusals.ARRANGEMENT_NOT_SIGNED
    for party in ("HK", "NZ"):
        assert sign(world, party, shared, proposed) == ""
    assert amend(world, "SG", shared, changed) == refusals.NOT_A_PARTY
    assert amend(world, "HK", shared, proposed) == refusals.AMENDMENT_UNCHANGED
    assert amend(world, "HK", shared, changed[:-1]) == refusals.STEP_MALFORMED
    foreign = text(world, shared, "HK", "NZ", "XX")
    assert amend(world, "HK", shared, foreign) == refusals.PARTY_UNKNOWN
    other_key = text(world, shared, "HK", "NZ", lookup_key_commitment=bytes(32))
    assert amend(world, "HK", shared, other_key) == refusals.AMENDMENT_KEY_DIFFERS
    empty = pb.Rule(issuing="HK", recognising="NZ", to=START, **{"from": START})
    message = pb.ArrangementText.FromString(changed)
    message.rules.append(empty)
    data = message.SerializeToString(deterministic=True)
    assert amend(world, "HK", shared, data) == refusals.STEP_MALFORMED
    assert amend(world, "HK", shared, changed) == ""
    assert amend(world, "NZ", shared, changed) == refusals.AMENDMENT_UNCHANGED
    check_whole(world, shared)


def test_nobody_who_is_a_member_is_left_out(world: World) -> None:
    shared = world.agree("HK", "NZ", "SG")
    changed = text(world, shared, "HK", "NZ")
    for without in (["SG"], ["HK"], ["XX"]):
        assert amend(world, "HK", shared, changed, *without) == refusals.MEMBER_LEFT_OUT
    assert amend(world, "HK", shared, changed, "SG", "SG") == refusals.STEP_MALFORMED
    assert amend(world, "HK", shared, changed) == ""


def test_all_parties_of_both_texts_sign(world: World) -> None:
    shared = world.agree("HK", "NZ")
    changed = text(world, shared, "HK", "SG")
    proposed = history(world, shared).text.text_hash
    assert amend(world, "NZ", shared, changed) == ""
    old = pb.ArrangementSignature(arrangement_id=shared, text_hash=proposed)
    assert result(world, "HK", sign=old) == refusals.TEXT_DIFFERS
    assert [sign(world, party, shared, changed) for party in ("HK", "SG")] == ["", ""]
    assert sign(world, "HK", shared, changed) == refusals.ALREADY_SIGNED
    waiting = history(world, shared)
    assert waiting.text.parties == ("HK", "NZ")
    assert waiting.amendment is not None
    assert [each.economy for each in waiting.amendment.signatures] == ["HK", "SG"]
    assert world.view.pair_history("HK", "SG") == ()
    grant = world.grant(shared, "SG1")
    assert world.publish("SG", shared, [grant]).results == ((refusals.NOT_A_PARTY,),)
    assert sign(world, "NZ", shared, changed) == ""
    done = history(world, shared)
    assert (done.text.parties, done.amendment) == (("HK", "SG"), None)
    assert [each.arrangement_id for each in world.view.pair_history("HK", "SG")] == [shared]
    assert world.view.own_arrangements("SG") == (shared,)
    # Who joined publishes, who left does not; and there is nothing more to sign.
    assert world.publish("SG", shared, [grant]).results == (("",),)
    left = world.grant(shared, "NZ1")
    assert world.publish("NZ", shared, [left]).results == ((refusals.NOT_A_PARTY,),)
    assert sign(world, "NZ", shared, changed) == refusals.NOT_A_PARTY
    assert sign(world, "SG", shared, changed) == refusals.ALREADY_SIGNED
    check_whole(world, shared)


def test_a_pair_that_comes_back_enters_once(world: World) -> None:
    shared = world.agree("HK", "NZ", "SG")
    for parties in (("HK", "NZ"), ("HK", "NZ", "SG")):
        changed = text(world, shared, *parties)
        assert amend(world, "HK", shared, changed) == ""
        assert [sign(world, party, shared, changed) for party in ("HK", "NZ", "SG")] == [""] * 3
    for a, b in (("HK", "NZ"), ("HK", "SG"), ("NZ", "SG")):
        assert [each.arrangement_id for each in world.view.pair_history(a, b)] == [shared]
    assert world.view.own_arrangements("SG") == (shared,)
    check_whole(world, shared)


def test_a_later_amendment_takes_the_place_of_one_that_waits(world: World) -> None:
    shared = world.agree("HK", "NZ")
    first, second = text(world, shared, "HK", "NZ"), text(world, shared, "HK", "NZ", "SG")
    assert amend(world, "HK", shared, first) == ""
    assert sign(world, "NZ", shared, first) == ""
    assert amend(world, "NZ", shared, second) == ""
    assert sign(world, "HK", shared, first) == refusals.TEXT_DIFFERS
    waiting = history(world, shared).amendment
    assert waiting is not None
    assert (waiting.signers, waiting.signatures) == (("HK", "NZ", "SG"), ())
    check_whole(world, shared)


def test_the_window_of_who_joined(world: World) -> None:
    shared = world.agree("HK", "NZ")
    changed = text(world, shared, "HK", "NZ", "SG")
    world.commit(world.transaction("HK"), time=world.time + 200 * DAY)
    assert amend(world, "HK", shared, changed) == ""
    for party in ("HK", "NZ", "SG"):
        assert sign(world, party, shared, changed) == ""
    world.commit(world.transaction("HK"), time=world.time + 80 * DAY)
    for party, code in (("SG", ""), ("HK", "MIGRATION_OVER")):
        record = world.grant(shared, f"{party}1", migrated=True)
        assert world.publish(party, shared, [record]).results == ((code,),)


def test_nothing_follows_an_end(world: World) -> None:
    shared = world.agree("HK", "NZ", staged_starts=True)
    changed = text(world, shared, "HK", "NZ")
    assert amend(world, "HK", shared, changed) == ""
    end = pb.ArrangementEnd(arrangement_id=shared)
    assert result(world, "HK", end=end) == ""
    ended = refusals.ARRANGEMENT_HAS_ENDED
    assert sign(world, "HK", shared, changed) == ended
    assert amend(world, "HK", shared, text(world, shared, "HK", "SG")) == ended
    assert result(world, "HK", start=notice(shared, HK=START, NZ=START)) == ended
    epoch = pb.KeyEpoch(arrangement_id=shared, epoch=2, lookup_key_commitment=bytes(32))
    assert result(world, "HK", open_epoch=epoch) == ended


def test_notices_of_a_start(world: World) -> None:
    plain = world.agree("HK", "NZ")
    assert result(world, "HK", start=notice(plain, HK=9, NZ=9)) == refusals.START_NOT_STAGED
    shared = world.agree("HK", "NZ", "SG", staged_starts=True)
    later = world.time + 50 * DAY
    whole = {"HK": later, "NZ": later - 1, "SG": later}
    incomplete = refusals.START_INCOMPLETE
    assert result(world, "HK", start=notice(shared, NZ=later, SG=later)) == incomplete
    assert result(world, "HK", start=notice(shared, **whole, TH=later)) == incomplete
    for bad in ({}, {"NZ": 1, "HK": 1}, {"HK": 0, "NZ": 1, "SG": 1}, {"HK": 1 << 63}, {"hk": 1}):
        assert result(world, "HK", start=notice(shared, **bad)) == refusals.STEP_MALFORMED
    assert result(world, "HK", start=notice(shared, **whole)) == ""
    assert result(world, "HK", start=notice(shared, **{**whole, "NZ": later - 2})) == ""
    world.commit(world.transaction("HK"), time=later - 2)
    begun = refusals.START_HAS_BEGUN
    assert result(world, "HK", start=notice(shared, **whole)) == begun
    assert result(world, "HK", start=notice(shared, **{**whole, "NZ": later - 2})) == begun
    # Each party for itself; and past days may be named, as texts may.
    assert result(world, "NZ", start=notice(shared, HK=1, NZ=2, SG=3)) == ""
    check_whole(world, shared)


def test_a_begun_start_is_completed_for_who_joins(world: World) -> None:
    shared = world.agree("HK", "NZ", staged_starts=True)
    assert result(world, "HK", start=notice(shared, HK=1, NZ=2)) == ""
    changed = text(world, shared, "HK", "NZ", "SG", staged_starts=True)
    assert amend(world, "HK", shared, changed) == ""
    for party in ("HK", "NZ", "SG"):
        assert sign(world, party, shared, changed) == ""
    begun = refusals.START_HAS_BEGUN
    assert result(world, "HK", start=notice(shared, HK=1, NZ=3, SG=4)) == begun
    assert result(world, "HK", start=notice(shared, HK=1, NZ=2, SG=4)) == ""
    assert result(world, "HK", start=notice(shared, HK=1, NZ=2, SG=4)) == begun
    check_whole(world, shared)


def test_epochs(world: World) -> None:
    shared = world.agree("HK", "NZ")
    assert republished(world, "HK", shared, 2) == refusals.EPOCH_WRONG
    assert open_epoch(world, "HK", shared, 3) == refusals.EPOCH_WRONG
    assert open_epoch(world, "HK", shared, 1) == refusals.EPOCH_WRONG
    assert open_epoch(world, "SG", shared, 2) == refusals.NOT_A_PARTY
    assert open_epoch(world, "HK", shared, 2, "NZ") == refusals.MEMBER_LEFT_OUT
    short = pb.KeyEpoch(arrangement_id=shared, epoch=2, lookup_key_commitment=bytes(31))
    assert result(world, "HK", open_epoch=short) == refusals.STEP_MALFORMED
    none = pb.EpochRepublished(arrangement_id=shared)
    assert result(world, "HK", republished=none) == refusals.STEP_MALFORMED
    assert open_epoch(world, "HK", shared, 2) == ""
    assert open_epoch(world, "NZ", shared, 2) == refusals.EPOCH_PENDING
    assert republished(world, "HK", shared, 1) == refusals.EPOCH_WRONG
    assert republished(world, "HK", shared, 2) == ""
    assert republished(world, "HK", shared, 2) == refusals.ALREADY_REPUBLISHED
    life = history(world, shared)
    assert life.waiting_epoch is not None
    assert life.waiting_epoch.missing(life.text.parties) == ("NZ",)
    assert republished(world, "NZ", shared, 2) == ""
    life, height = history(world, shared), world.view.height
    assert life.waiting_epoch is None
    assert [life.epoch_at(at).number for at in (0, height - 1, height)] == [1, 1, 2]
    assert life.epochs[-1].commitment == key(world, shared, 2).commitment
    assert open_epoch(world, "NZ", shared, 2) == refusals.EPOCH_WRONG
    assert open_epoch(world, "NZ", shared, 3) == ""
    check_whole(world, shared)


def test_history_is_loaded_while_an_epoch_waits(world: World) -> None:
    shared = world.agree("HK", "NZ")
    world.commit(world.transaction("HK"), time=world.time + 400 * DAY)
    old = world.grant(shared, "HK1", migrated=True)
    assert world.publish("HK", shared, [old]).results == (("MIGRATION_OVER",),)
    assert open_epoch(world, "HK", shared, 2) == ""
    assert world.publish("HK", shared, [old]).results == (("",),)
    assert [republished(world, party, shared, 2) for party in ("HK", "NZ")] == ["", ""]
    again = world.grant(shared, "HK2", migrated=True)
    assert world.publish("HK", shared, [again]).results == (("MIGRATION_OVER",),)


def test_who_suspends_leaves_and_returns_in_one_block_has_suspended_nothing(world: World) -> None:
    shared = world.agree("HK", "NZ", "SG")
    less, more = text(world, shared, "HK", "SG"), text(world, shared, "HK", "NZ", "SG")
    steps = [world.step("NZ", suspend=pb.ArrangementSuspension(arrangement_id=shared))]
    for data in (less, more):
        amendment = pb.ArrangementAmendment(arrangement_id=shared, text=data)
        steps.append(world.step("HK", amend=amendment))
        signature = pb.ArrangementSignature(arrangement_id=shared, text_hash=text_hash(data))
        steps += [world.step(party, sign=signature) for party in ("HK", "NZ", "SG")]
    assert world.commit(*steps).results == (("",),) * len(steps)
    view = world.view
    assert history(world, shared).suspended_by(view.header_time, view.height) == []
    resumption = pb.ArrangementResumption(arrangement_id=shared)
    assert result(world, "NZ", resume=resumption) == "NOT_SUSPENDED"


def test_a_verdict_opens_the_key_of_the_epoch_known(world: World) -> None:
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, "HK1")])
    before = world.view.height
    assert open_epoch(world, "HK", shared, 2) == ""
    new = key(world, shared, 2)
    (record,) = [world.grant(shared, "HK1", migrated=True)]
    message = status_pb2.StatusRecord.FromString(record)
    message.subject, message.certificate = new.subject("HK1"), new.certificate("1")
    world.publish("HK", shared, [message.SerializeToString(deterministic=True)])
    for party in ("HK", "NZ"):
        assert republished(world, party, shared, 2) == ""
    view = world.view
    times = Times(view.header_time, view.header_time)
    query = Query("NZ", "EX", 1, 1, tin="HK1")
    past = Query("NZ", "EX", 1, 1, tin="HK1", known_at_height=before, as_of=view.header_time)
    old = world.lookup_key(shared)
    both = {shared: new, epoch_name(shared, 1): old}
    # A keyring that has not switched yet names the keys the other way round.
    for keyring in (both, {shared: old, epoch_name(shared, 2): new}):
        for asked in (query, past):
            verdict = evaluate(asked, view, keyring, None, None, times)
            assert verdict.outcome == verdict_pb2.OUTCOME_RECOGNISED
    # Destroyed, the old key answers no more for what was known before.
    assert evaluate(query, view, {shared: new}, None, None, times).outcome == (
        verdict_pb2.OUTCOME_RECOGNISED
    )
    with pytest.raises(KeyringError):
        evaluate(past, view, {shared: new}, None, None, times)
    for false in ({}, {shared: old}, {shared: LookupKey(bytes(32), view.network_id, shared, 2)}):
        with pytest.raises(KeyringError):
            evaluate(query, view, false, None, None, times)
