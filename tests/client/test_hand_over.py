"""A node hands over while clients use it: look-ups, receipts and exports go on, and check."""

from pathlib import Path

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from client.conftest import row
from ledger.audit.receipt import check_receipt
from ledger.audit.replay import verify_export
from ledger.chain.governance import Removal
from ledger_world import BACKEND
from node.governing_world import GovernedWorld
from node.node_world import WAIT_S, agree
from service.api.listener import PlaintextLoopback
from service.api.serving import ServingSettings, serve
from service.client import (
    Connection,
    LedgerClient,
    Plaintext,
    PublishingClient,
    Question,
    StatusClient,
    TrustFile,
)
from service.node.node import Node

ASK = {"function": "EX", "direction": "IMPORT", "mode": 1}


def wait_handed_over(node: Node, hand_overs: int) -> None:
    version = node.feed.version
    while len(node.set_changes.all()) < hand_overs or not node.ledger_store.seal(node.state.height):
        assert node.feed.wait(version, WAIT_S) != version
        version = node.feed.version


def test_clients_go_on_through_a_hand_over(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, ("HK", "KR", "NZ", "SG"))
    file = TrustFile(tmp_path / "anchor.json")
    with world.start() as node:
        shared = agree(node, "HK", "NZ")
        server = serve(node, ServingSettings("127.0.0.1:0", PlaintextLoopback()))
        with Connection.open(server.address, Plaintext("HK", "approver")) as connection:
            client = PublishingClient(connection)
            answer = client.publish("one", [row("HK1")], [shared])
            for publication in client.watch(answer.publication_id):
                if publication.state >= publishing.PUBLICATION_STATE_SEALED:
                    break
        with StatusClient(
            Connection.open(server.address, Plaintext("NZ", "risk-engine")),
            network_id=node.network_id,
            trust_file=file,
        ) as engine:
            assert engine.lookup("HK1", prove=True, **ASK).verified
            assert file.read().set_changes == ()
            for number, economy in enumerate(("SG", "KR"), 1):
                world.decide(node, Removal(economy), "HK", "NZ", "KR")
                wait_handed_over(node, number)
                assert engine.lookup("HK1", prove=True, **ASK).verified
                point = file.read()
                assert len(point.set_changes) == number
                assert point.signing_set == node.state.signing_sets.current
                assert len(point.replaced) == number
            now = node.clock.now_ms()
            data = engine.receipt(Question("HK1", **ASK))
        checked = check_receipt(data, now=now + 5_000, backend=BACKEND, network_id=node.network_id)
        assert (checked.verified, checked.hand_overs) == (True, 2)
        with Connection.open(server.address, Plaintext("NZ", "auditor")) as connection:
            exported = b"".join(LedgerClient(connection).export())
        *_, report = verify_export(
            [exported], now=now + 5_000, backend=BACKEND, network_id=node.network_id
        )
        assert report.verified
        server.stop(1.0)
