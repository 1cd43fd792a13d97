"""Lives of a small ledger, for whoever must answer as its machine does, at every height."""

from collections.abc import Callable, Iterator
from itertools import product

from aeo.exchange.v1.status_service_pb2 import LookupRequest
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from ledger.chain.governance import ParameterChange, Removal, WeightChange
from ledger.chain.parameters import format_parameters
from ledger.customs.evaluate import evaluate
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Times, format_verdict
from ledger.errors import KeyringError
from ledger.state.block import Block
from ledger.state.state import State
from ledger_world import DAY, SECOND, START, World
from service.node.lookup.question import read_question

MINUTE = 60 * SECOND
MEMBERS = ("HK", "NZ", "SG")
TINS = tuple(f"{economy}{n:08d}" for economy in MEMBERS for n in range(4))
INSTRUCTIONS = {1: "green lane"}


def question(tin: str, **fields: object) -> LookupRequest:
    given = {"function": "EX", "direction": 1, "transport_mode": 1}
    return LookupRequest(tin=tin, **(given | fields))


def questions(height: int) -> Iterator[LookupRequest]:
    """About everybody: now, as of another day, and as known a little and long before."""
    for tin in (*TINS, "hk 00000001", "HK?", "XX1", "CN00000001"):
        yield question(tin)
        yield question(tin, function="IM", transport_mode=4, dispatch_economy="HK")
    for tin, known in product(TINS[:6], {0, height // 2, max(0, height - 1)}):
        yield question(tin, known_at_height=known)
    yield question(TINS[0], as_of=START - DAY)
    yield question(TINS[0], known_at_time=START + MINUTE)
    yield LookupRequest(
        alias={"scheme": "TEST", "value": "alias-1"}, function="EX", direction=1, transport_mode=1
    )


def answers(
    state: State, keys: dict[bytes, LookupKey], recognising: str, now: int, attested: int
) -> list[bytes]:
    """The bytes of every verdict; what `evaluate` refuses is its message."""
    said = []
    for request in questions(state.height):
        query = read_question(request, recognising)
        try:
            verdict = evaluate(query, state, keys, None, INSTRUCTIONS, Times(now, attested))
        except KeyringError as error:
            said.append(str(error).encode())
        else:
            said.append(format_verdict(verdict))
    return said


def live(world: World, after: Callable[[Block], None]) -> list[bytes]:
    """A life with blocks of every kind; `after` is told of each. The ids of its arrangements."""
    commit = world.commit

    def told(*transactions: bytes, time: int | None = None) -> Block:
        block = commit(*transactions, time=time)
        if block.header is not None:
            after(block)
        return block

    world.commit = told  # type: ignore[method-assign]
    rules = [
        arrangement_pb2.Rule(issuing="HK", recognising="NZ", **{"from": START - 365 * DAY}),
        arrangement_pb2.Rule(issuing="SG", recognising="NZ", **{"from": START - 365 * DAY}),
    ]
    one = world.agree("HK", "NZ")
    two = world.agree("HK", "NZ", "SG", rules=rules, staleness_limit=30 * MINUTE)
    for shared, economy in ((one, "HK"), (two, "HK"), (two, "SG")):
        tins = [tin for tin in TINS if tin.startswith(economy)]
        world.publish(economy, shared, [world.grant(shared, tin) for tin in tins[:3]])
    world.commit(
        world.statuses("HK", one, [world.suspend(one, TINS[0])]),
        world.transaction("NZ"),
        world.aliases("HK", one, [world.alias(one, "alias-1", TINS[1])]),
    )
    # Refused records, and one that was never granted.
    world.publish("HK", one, [world.suspend(one, TINS[3]), world.grant(one, TINS[0], number="2")])
    renumbered = status_pb2.PREDECESSOR_KIND_RENUMBERED
    world.publish(
        "HK",
        one,
        [world.grant(one, TINS[3], predecessor=(world.subject(one, TINS[1]), renumbered))],
    )
    suspension = arrangement_pb2.ArrangementSuspension(arrangement_id=two)
    world.commit(world.step("NZ", suspend=suspension), time=world.time + 20 * MINUTE)
    world.commit(world.transaction("HK"), world.transaction("SG"))
    world.decide(WeightChange((("HK", 2), ("NZ", 1), ("SG", 1))))
    world.hand_over()
    parameters = world.view.parameters._replace(heartbeat_interval=2 * MINUTE)
    world.decide(ParameterChange(format_parameters(parameters)))
    world.commit(world.transaction("SG"), time=world.time + 40 * MINUTE)
    world.decide(Removal("SG"))
    world.hand_over()
    world.publish("HK", one, [world.suspend(one, TINS[2])])
    return [one, two]
