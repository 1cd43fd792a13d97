"""A node whose network changes its signing set, and replicas of it, over real gRPC on loopback."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from ledger.chain.governance import Admission, Removal, WeightChange
from node.governing_world import GovernedWorld, handed_over
from node.node_world import WAIT_S, agree, request, row, wait_recorded
from replica.replica_world import await_, until
from service.api.listener import PlaintextLoopback
from service.api.serving import Server, ServingSettings, serve
from service.client.connection import Plaintext
from service.client.replica import NodeAddress
from service.node.node import Node
from service.node.replica.follow import Patience
from service.node.replica.replica import Replica, ReplicaSettings

FOUNDERS = ("HK", "KR", "NZ", "SG")


class GovernedNode:
    """Four founders, hosted by one node that answers on a port."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.world = GovernedWorld(folder / "network", FOUNDERS)
        self.node: Node = self.world.start()
        self.server: Server = serve(self.node, ServingSettings("127.0.0.1:0", PlaintextLoopback()))
        self.published = 0
        self.shared = agree(self.node, "HK", "NZ")

    def stop(self) -> None:
        self.server.stop(1.0)
        self.node.stop()

    def publish(self, *tins: str) -> None:
        """Grant to new traders; sealed when it returns."""
        self.published += 1
        publisher = self.node.hosted["HK"].publisher
        made = request(f"p{self.published}", [row(tin) for tin in tins], self.shared)
        answer = publisher.publish(made, confirms=True)
        wait_recorded(self.node, "HK", answer.publication_id)
        await_(lambda: self.node.newest_seal.height == self.node.state.height)

    def rotate(self) -> None:
        """NZ takes another key, which seals from the hand-over on."""
        self.node.hosted["NZ"].governance.rotate(WAIT_S)
        height = self.node.state.height
        self.world.decide(self.node, WeightChange(()), "NZ", "HK", "KR")
        handed_over(self.node, height)

    def remove(self) -> None:
        """SG leaves."""
        height = self.node.state.height
        self.world.decide(self.node, Removal("SG"), "HK", "NZ", "KR")
        handed_over(self.node, height)

    def admit(self) -> None:
        """AU comes; nobody signs for it here."""
        height = self.node.state.height
        data = self.world.registration(self.node, self.world.make_keys("AU"))
        self.world.decide(self.node, Admission(data), "HK", "NZ", "KR")
        handed_over(self.node, height)

    def source(self, address: str = "") -> NodeAddress:
        return NodeAddress(address or self.server.address, Plaintext("NZ", "replica", "test"))

    def settings(self, name: str = "replica", *others: str, **given: object) -> ReplicaSettings:
        made: dict[str, object] = {
            "folder": self.folder / name,
            "network_id": self.node.network_id,
            "economy": "NZ",
            "sources": tuple(self.source(each) for each in others) or (self.source(),),
            "home": self.source(),
            "patience": Patience(silence=5.0, refused=600.0),
            "begin_seconds": 5.0,
        }
        return ReplicaSettings(**(made | given))

    @contextmanager
    def replica(self, name: str = "replica", *others: str, **given: object) -> Iterator[Replica]:
        """It has the lookup keys, and the ledger as it is, when it is handed out."""
        settings = self.settings(name, *others, **given)
        with Replica.start(settings, self.world.clock) as replica:
            await_(lambda: replica.keyring.content)
            self.caught_up(replica)
            yield replica

    def caught_up(self, replica: Replica) -> None:
        """Wait until a replica has the node's newest header, sealed."""
        height = self.node.state.height
        until(replica, lambda: replica.newest_seal and replica.newest_seal.height >= height)
