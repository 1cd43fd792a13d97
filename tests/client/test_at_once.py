"""Look-ups while records come: each verdict is of the height that it names, remembered or not."""

import threading

from aeo.exchange.v1 import verdict_pb2
from client.conftest import Exchange, row, suspend
from ledger.chain.header import header_hash
from ledger.customs.evaluate import evaluate
from ledger.customs.verdict import Query, Times
from service.client import Question

ASK = {"function": "EX", "direction": "IMPORT", "mode": 1}
TINS = [f"HK9{n}" for n in range(8)]


def test_every_verdict_is_of_its_height(own_exchange: Exchange):
    own_exchange.publish("begin", *[row(tin) for tin in TINS])
    stop = threading.Event()
    said: list[verdict_pb2.Verdict] = []

    def ask() -> None:
        questions = [Question(tin, **ASK) for tin in TINS]
        with own_exchange.engine() as client:
            while not stop.is_set():
                said.extend(each.message for each in client.lookup_many(questions))
                said.append(client.ask(questions[0]).message)

    threads = [threading.Thread(target=ask) for _ in range(3)]
    for thread in threads:
        thread.start()
    for tin in TINS:
        own_exchange.publish(f"suspend {tin}", suspend(tin))
    stop.set()
    for thread in threads:
        thread.join()

    state, keys = own_exchange.node.state, own_exchange.node.hosted["NZ"].keyring.keys()
    stored = own_exchange.node.ledger_store.headers()
    hashes = {each.height: header_hash(each.header) for each in stored}
    seen = set()
    for verdict in said:
        query = Query(
            "NZ", "EX", 1, 1, verdict.tin, as_of=verdict.as_of, known_at_height=verdict.height
        )
        then = evaluate(query, state, keys, None, {}, Times(verdict.as_of, verdict.as_of))
        assert verdict.header_hash == hashes[verdict.height]
        assert (verdict.outcome, verdict.reason, verdict.status) == (
            then.outcome,
            then.reason,
            then.status,
        )
        seen.add((verdict.tin, verdict.reason))
    reasons = {verdict_pb2.REASON_NONE, verdict_pb2.REASON_SUSPENDED}
    assert {reason for _, reason in seen} == reasons
    assert len({verdict.height for verdict in said}) > 1
