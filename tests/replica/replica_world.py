"""Replicas of real nodes, over real gRPC on loopback."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from node.node_world import agree, make_network, request, row, wait_recorded
from service.api.listener import PlaintextLoopback
from service.api.serving import Server, ServingSettings, serve
from service.client.connection import Plaintext
from service.client.replica import NodeAddress
from service.clock import OffsetClock, SystemClock
from service.node.node import Node, NodeSettings
from service.node.replica.follow import Patience
from service.node.replica.replica import Replica, ReplicaSettings

MEMBERS = ("HK", "NZ", "SG")
WAIT_S = 20.0


class World:
    """A node of three members, that publishes, and answers on a port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.clock = OffsetClock(SystemClock())
        self.settings: NodeSettings = make_network(folder / "node", MEMBERS, clock=self.clock)
        self.address = "127.0.0.1:0"
        self.published = 0
        self.start()
        self.shared = agree(self.node, "HK", "NZ")

    def start(self) -> None:
        self.node = Node.start(self.settings, self.clock)
        self.server: Server = serve(self.node, ServingSettings(self.address, PlaintextLoopback()))
        self.address = self.server.address

    def stop(self) -> None:
        self.server.stop(1.0)
        self.node.stop()

    def publish(self, *tins: str) -> None:
        """Grant to new traders, in a block of their own; sealed when it returns."""
        self.published += 1
        rows = [row(tin) for tin in tins]
        member = self.node.hosted["HK"]
        answer = member.publisher.publish(
            request(f"p{self.published}", rows, self.shared), confirms=True
        )
        wait_recorded(self.node, "HK", answer.publication_id)
        await_(lambda: self.node.newest_seal.height == self.node.state.height)

    def grow(self, blocks: int) -> None:
        for _ in range(blocks):
            self.publish(f"HK{self.published:08}")

    def source(self, address: str = "") -> NodeAddress:
        return NodeAddress(address or self.address, Plaintext("NZ", "replica", "test"))

    def replica_settings(self, name: str = "replica", *others: str, **given: object):
        sources = tuple(self.source(address) for address in others) or (self.source(),)
        made = {
            "folder": self.folder / name,
            "network_id": self.node.network_id,
            "economy": "NZ",
            "sources": sources,
            "home": self.source(),
            "patience": Patience(silence=2.0, refused=600.0),
            "begin_seconds": 5.0,
        }
        return ReplicaSettings(**(made | given))

    @contextmanager
    def replica(self, name: str = "replica", *others: str, **given: object) -> Iterator[Replica]:
        with Replica.start(self.replica_settings(name, *others, **given), self.clock) as replica:
            yield replica

    def caught_up(self, replica: Replica) -> None:
        """Wait until a replica has the node's newest header, and its seal."""
        height = self.node.state.height
        until(replica, lambda: replica.newest_seal and replica.newest_seal.height >= height)


def until(replica: Replica, true: Callable[[], object]) -> None:
    """Wait for a condition that only the replica's news can make true."""
    deadline = time.monotonic() + WAIT_S
    while not true():
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {WAIT_S} s: {replica.sources} {replica.failure}")
        replica.feed.wait(replica.feed.version, 0.05)


def await_(true: Callable[[], object]) -> None:
    """Wait for what nobody announces."""
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, f"not within {WAIT_S} s"
        time.sleep(0.01)
