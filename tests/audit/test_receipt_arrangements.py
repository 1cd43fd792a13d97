"""Receipts where texts were amended, starts staged, keys changed; and about goods under way."""

from collections.abc import Mapping
from random import Random

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from audit.receipt_world import Receipts, changed
from ledger.audit.receipt import parse_receipt
from ledger.customs.identify import epoch_name
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Alias
from ledger.errors import CheckError, KeyringError, ProofError
from ledger_world import DAY, START, World
from state.arrangement_world import (
    MEMBERS,
    amend,
    history,
    key,
    live,
    open_epoch,
    republished,
    sign,
    text,
)


class Epochs(Receipts):
    """A node that holds the key of every epoch."""

    @property
    def keys(self) -> Mapping[bytes, LookupKey]:
        held: dict[bytes, LookupKey] = {}
        for shared in self.world.view.arrangements:
            for epoch in history(self.world, shared).epochs:
                held[epoch_name(shared, epoch.number)] = key(self.world, shared, epoch.number)
                held[shared] = key(self.world, shared, epoch.number)
        return held


@pytest.mark.parametrize("seed", range(5))
def test_in_random_lives_a_receipt_says_what_the_node_says(seed: int) -> None:
    world, shared, _ = live(seed)
    receipts, random = Epochs(world), Random(seed)
    assert history(world, shared).texts
    for tin in ("HK1", "NZ1", "SG2"):
        events = {
            f"{event}_at": START + random.randint(-9, 9) * DAY
            for event in ("dispatched", "accepted", "arrived", "released")
            if random.random() < 0.4
        }
        height = random.randint(1, world.view.height)
        for past in ({}, {"known_at_height": height, "as_of": world.time}):
            receipts.prove(receipts.query(tin, **past, **events))
            receipts.prove(receipts.query(tin, **past, **events), lookup_keys=receipts.keys)
        receipts.prove(receipts.query(None, alias=Alias("TEST", tin), **events))


def epochs() -> tuple[Epochs, bytes, int]:
    """HK1 under the first key and again under the second; the height before it took over."""
    world = World(MEMBERS)
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, "HK1")])
    before = world.view.height
    assert open_epoch(world, "HK", shared, 2) == ""
    assert [republished(world, party, shared, 2) for party in ("HK", "NZ")] == ["", ""]
    return Epochs(world), shared, before


def test_an_opening_is_of_the_epoch_that_was_in_force() -> None:
    receipts, shared, before = epochs()
    now, then = receipts.query("HK1"), receipts.query("HK1", known_at_height=before)
    then.as_of = receipts.world.time
    for query, epoch, reason in ((now, 2, "NO_RECORD"), (then, 1, "NONE")):
        data = receipts.make(query)
        (opening,) = parse_receipt(data).openings
        assert (opening.arrangement_id, opening.epoch) == (shared, epoch)
        checked = receipts.prove(query)
        assert verdict_pb2.Reason.Name(checked.verdict.reason) == f"REASON_{reason}"
        other = parse_receipt(receipts.make(then if query is now else now)).openings
        with pytest.raises((ProofError, KeyringError)):
            receipts.check(changed(data, openings=other))
        opening.epoch = 3
        with pytest.raises(ProofError):
            receipts.check(changed(data, openings=[opening]))


def test_a_key_of_another_epoch_can_tell_nothing() -> None:
    receipts, shared, _ = epochs()
    data = receipts.make(receipts.query("HK404"))
    assert receipts.check(data, lookup_keys=receipts.keys).verified
    old = receipts.check(data, lookup_keys={shared: key(receipts.world, shared, 1)})
    assert [each.arrangement_id for each in old.unopened] == [shared]
    assert not old.verified
    false = LookupKey(bytes(32), receipts.world.view.network_id, shared, 1)
    with pytest.raises(KeyringError):
        receipts.check(data, lookup_keys={shared: false})


def test_an_amendment_left_out_is_another_history() -> None:
    world = World(MEMBERS)
    shared = world.agree("HK", "NZ", "SG")
    world.publish("HK", shared, [world.grant(shared, "HK1")])
    before = Epochs(world).make(Epochs(world).query("HK1"))
    without = text(world, shared, "NZ", "SG")
    assert amend(world, "HK", shared, without) == ""
    for party in MEMBERS:
        assert sign(world, party, shared, without) == ""
    receipts = Epochs(world)
    checked = receipts.prove(receipts.query("HK1"))
    assert checked.verdict.reason == verdict_pb2.REASON_ARRANGEMENT_ENDED
    data = receipts.make(receipts.query("HK1"))
    facts = list(parse_receipt(data).facts)
    older = {tuple(fact.parts): fact for fact in parse_receipt(before).facts}
    for fact in facts:
        if fact.kind == 2:
            assert len(fact.entries) == 8
            del fact.entries[len(older[tuple(fact.parts)].entries) :]
    with pytest.raises(ProofError):
        receipts.check(changed(data, facts=facts))


def test_the_days_of_the_goods_are_in_the_question() -> None:
    world = World(MEMBERS)
    rule = pb.Rule(
        issuing="HK",
        recognising="NZ",
        to=START - DAY,
        relevant_event=pb.RELEVANT_EVENT_ARRIVAL,
        goods_under_way=pb.GOODS_UNDER_WAY_HONOURED,
        **{"from": START - 90 * DAY},
    )
    shared = world.agree("HK", "NZ", rules=[rule])
    world.publish("HK", shared, [world.grant(shared, "HK1")])
    receipts = Epochs(world)
    under_way = receipts.query("HK1", dispatched_at=START - 2 * DAY, arrived_at=START)
    assert receipts.prove(under_way).verdict.outcome == verdict_pb2.OUTCOME_RECOGNISED
    data = receipts.make(under_way)
    question = parse_receipt(data).question
    question.dispatched_at = START - DAY
    with pytest.raises(CheckError):
        receipts.check(changed(data, question=question))
