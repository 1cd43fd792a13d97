"""A replica that goes on from a snapshot hands all of it over anew, and folders are read anew."""

from pathlib import Path

from aeo.exchange.v1 import status_service_pb2 as exchange
from aeo.exchange.v1.status_service_pb2_grpc import StatusServiceStub
from node.node_world import request, row, wait_recorded
from replica.replica_world import World, await_
from service.api.replica import ReplicaServing, serve_replica
from service.client import Connection, Plaintext
from service.node.node import Node
from service.replica import open_replica

FAR = 3
ASKED = {"function": "EX", "direction": 1, "transport_mode": 1}


def start_grown(world: World, blocks: int) -> None:
    """Let the node answer again when it has grown, and made a snapshot."""
    with Node.start(world.settings, world.clock) as node:
        for number in range(blocks):
            rows = [row(f"HK{number:08}")]
            publisher = node.hosted["HK"].publisher
            given = publisher.publish(request(f"g{number}", rows, world.shared), confirms=True)
            wait_recorded(node, "HK", given.publication_id)
            await_(lambda: node.newest_seal.height == node.state.height)
        node.snapshots.make(node.state)
    world.start()


def test_processes_and_embedded_replicas_pass_over_what_is_between(tmp_path: Path) -> None:
    world = World(tmp_path)
    folder = tmp_path / "away"
    try:
        with world.replica("away", far_behind=FAR) as replica:
            world.caught_up(replica)
            await_(lambda: replica.keyring.content)
        embedded = open_replica(folder)
        before = embedded.height
        world.stop()  # nobody answers when the replica starts
        with world.replica("away", far_behind=FAR) as replica:
            serving = ReplicaServing(
                "127.0.0.1:0", folder / "ledger.db", folder / "access", None, log_level="WARNING"
            )
            with serve_replica(replica, serving) as server:
                told: list[tuple[int, bool]] = []
                replica.on_block(
                    lambda step: told.append((step.state.height, step.block is not None))
                )
                start_grown(world, FAR + 2)
                world.caught_up(replica)
                # The first that was heard of is far ahead, and no block.
                assert told[0][0] > before + FAR
                assert not told[0][1]
                person = Plaintext("NZ", "risk-engine", "engine")
                with Connection.open(server.address, person) as connection:
                    stub = StatusServiceStub(connection.channel)

                    def height() -> int:
                        said = stub.Lookup(
                            exchange.LookupRequest(tin="HK00000001", **ASKED),
                            metadata=(("aeo-economy", "NZ"), ("aeo-access-role", "risk-engine")),
                        )
                        assert said.verdict.outcome == 1 or said.verdict.height == before
                        return said.verdict.height

                    await_(lambda: height() == world.node.state.height)
                    world.publish("HKAFTER")
                    world.caught_up(replica)
                    await_(lambda: height() == world.node.state.height)
                assert server.processes.restarts == 0
        embedded.refresh()
        assert embedded.height == world.node.state.height
        assert embedded.evaluate("HKAFTER", "EX", mode=1).recognised
        embedded.close()
    finally:
        world.stop()
