"""A node of three members on a loopback port, and clients for it."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import status_pb2
from node.node_world import GRANT, SUSPEND, make_network, text_between
from service.api.listener import PlaintextLoopback
from service.api.serving import Server, ServingSettings, serve
from service.client import (
    ApprovalClient,
    ArrangementClient,
    Connection,
    LedgerClient,
    Plaintext,
    PublishingClient,
    StatusClient,
)
from service.clock import OffsetClock, SystemClock
from service.node.node import Node, NodeSettings

MEMBERS = ("HK", "NZ", "SG")


@dataclass
class Exchange:
    """A node that answers, and everything to talk to it."""

    settings: NodeSettings
    clock: OffsetClock
    node: Node
    server: Server
    address: str
    shared: bytes = b""

    def connection(self, economy: str, role: str = "risk-engine") -> Connection:
        return Connection.open(self.address, Plaintext(economy, role, role))

    def approved(self, economy: str, made: object) -> object:
        """The result of a call, approved by somebody else of the economy where it waits."""
        with Connection.open(self.address, Plaintext(economy, "approver", "second")) as second:
            return ApprovalClient(second).complete(made)

    def agree(self, text: object, key: str) -> bytes:
        """Have a text proposed by its first party and signed by all; the arrangement's id."""
        first = text.parties[0]
        with self.connection(first, "officer") as connection:
            made = ArrangementClient(connection).propose(text, key)
            proposed = self.approved(first, made)
        for party in text.parties:
            with self.connection(party, "officer") as connection:
                made = ArrangementClient(connection)
                self.approved(party, made.sign(proposed.arrangement_id, proposed.text_hash))
        return proposed.arrangement_id

    def engine(self, economy: str = "NZ", **given: object) -> StatusClient:
        given = {"network_id": self.node.network_id, "now_ms": self.clock.now_ms} | given
        return StatusClient(self.connection(economy), **given)

    def publish(self, key: str, *rows: publishing.Submission) -> publishing.Publication:
        """Publish as HK and wait until it is sealed."""
        with self.connection("HK", "approver") as connection:
            client = PublishingClient(connection)
            answer = self.approved("HK", client.publish(key, rows, [self.shared]))
            assert [row.code for row in answer.rows] == [""] * len(rows), answer
            for publication in client.watch(answer.publication_id):
                if publication.state >= publishing.PUBLICATION_STATE_SEALED:
                    return publication
        raise AssertionError("the watch ended early")

    def restart(self) -> None:
        """Stop the node and start it again on the same port."""
        self.stop()
        self.node = Node.start(self.settings, self.clock)
        self.server = serve(self.node, ServingSettings(self.address, PlaintextLoopback()))

    def stop(self) -> None:
        self.server.stop(1.0)
        self.node.stop()


def row(
    tin: str, number: str = "1", terms: status_pb2.StatusTerms = GRANT, **fields: object
) -> publishing.Submission:
    given = {"valid_from": 1_735_689_600_000, "valid_to": 1_893_456_000_000}
    return publishing.Submission(
        tin=tin, certificate_number=number, terms=terms, **(given | fields)
    )


def suspend(tin: str, number: str = "1") -> publishing.Submission:
    return row(tin, number, SUSPEND)


def begin(folder: Path) -> Exchange:
    clock = OffsetClock(SystemClock())
    settings = make_network(folder, MEMBERS, clock=clock)
    node = Node.start(settings, clock)
    server = serve(node, ServingSettings("127.0.0.1:0", PlaintextLoopback()))
    made = Exchange(settings, clock, node, server, server.address)
    made.shared = made.agree(text_between("HK", "NZ"), "first")
    made.publish("start", row("HK1"), row("HK2"), row("HK3"))
    made.publish("later", suspend("HK2"))
    return made


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """One node for all tests of a module that only add to it."""
    made = begin(tmp_path_factory.mktemp("exchange"))
    yield made
    made.stop()


@pytest.fixture
def own_exchange(tmp_path: Path) -> Iterator[Exchange]:
    """A node for one test."""
    made = begin(tmp_path)
    yield made
    made.stop()


@pytest.fixture
def ledger(exchange: Exchange) -> Iterator[LedgerClient]:
    with exchange.connection("NZ", "auditor") as connection:
        yield LedgerClient(connection)


Ask = Callable[..., object]
