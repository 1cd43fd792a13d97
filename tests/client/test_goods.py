"""What a client says of its goods reaches the rules: in a look-up and a chain."""

from datetime import UTC, datetime

import pytest

from aeo.exchange.v1 import status_service_pb2 as exchange
from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.customs.verdict import Query, Times
from ledger_world import DAY, START, World
from service.api.chains import look_up_chain
from service.api.failures import InvalidField
from service.client import Question
from service.client.chain import ChainParty, chain_request
from service.client.goods import GoodsEvents
from service.node.lookup.desk import LookupDesk, Position
from service.node.lookup.question import QuestionError, read_question

EVENTS = ("dispatched_at", "accepted_at", "arrived_at", "released_at")
MOMENTS = GoodsEvents(*(datetime(2026, 1, day, tzinfo=UTC) for day in (1, 2, 3, 4)))


def milliseconds(query: Query) -> list[int | None]:
    return [getattr(query, name) for name in EVENTS]


def test_a_question_says_them() -> None:
    asked = Question("HK1", "EX", mode=1, goods=MOMENTS).request()
    said = milliseconds(read_question(asked, "NZ"))
    assert said == [round(moment.timestamp() * 1000) for moment in MOMENTS if moment]
    assert milliseconds(read_question(Question("HK1", "EX", mode=1).request(), "NZ")) == [None] * 4


@pytest.mark.parametrize("name", EVENTS)
@pytest.mark.parametrize("instant", [0, -1])
def test_an_instant_out_of_range_is_the_field_s_fault(name: str, instant: int) -> None:
    asked = Question("HK1", "EX", mode=1).request()
    setattr(asked, name, instant)
    with pytest.raises(QuestionError) as caught:
        read_question(asked, "NZ")
    assert caught.value.field == name


def desk() -> tuple[LookupDesk, Position]:
    """NZ's, over a rule that has ended and honours goods under way."""
    world = World(("HK", "NZ"))
    rule = pb.Rule(
        issuing="HK",
        recognising="NZ",
        to=START - DAY,
        goods_under_way=pb.GOODS_UNDER_WAY_HONOURED,
        **{"from": START - 90 * DAY},
    )
    shared = world.agree("HK", "NZ", rules=[rule], supply_chain_roles=["WH"])
    world.publish("HK", shared, [world.grant(shared, "HK1")])
    keys = {shared: world.lookup_key(shared)}
    position = Position(world.view, Times(world.time, world.time), exchange.FINALITY_SEALED)
    return LookupDesk("NZ", lambda: position, lambda: keys, dict), position


def test_a_chain_says_them_of_every_party() -> None:
    nz, position = desk()
    parties = [ChainParty("EX", "HK1")]
    plain = look_up_chain(chain_request(parties, "IMPORT", 1), nz, position)
    assert plain.parties[0].verdict.reason == verdict_pb2.REASON_ARRANGEMENT_ENDED
    assert not plain.summary.missing
    dispatched = datetime.fromtimestamp((START - 2 * DAY) / 1000, UTC)
    goods = GoodsEvents(dispatched_at=dispatched)
    under_way = look_up_chain(chain_request(parties, "IMPORT", 1, goods=goods), nz, position)
    assert under_way.parties[0].verdict.outcome == verdict_pb2.OUTCOME_RECOGNISED
    # The text that still holds for them also says what a whole chain needs.
    assert [each.role for each in under_way.summary.missing] == ["WH"]
    request = chain_request(parties, "IMPORT", 1, goods=goods)
    request.released_at = -1
    with pytest.raises(InvalidField, match="released_at"):
        look_up_chain(request, nz, position)
