"""A replica follows a replica: what that one passes on is verified like a node's."""

from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path

import pytest

from aeo.exchange.v1.status_service_pb2 import FINALITY_SEALED
from replica.governed_replica import GovernedNode
from replica.replica_world import World, await_, until
from service.api.replica import ReplicaServer, ReplicaServing, serve_replica
from service.node.replica.follow import SourceState
from service.node.replica.replica import Replica

FAR = 3


@contextmanager
def served(replica: Replica) -> Iterator[ReplicaServer]:
    folder = replica.settings.folder
    serving = ReplicaServing(
        "127.0.0.1:0", folder / "ledger.db", folder / "access", None, log_level="WARNING"
    )
    with serve_replica(replica, serving) as server:
        yield server


def test_it_goes_on_through_a_hand_over_and_a_restart(tmp_path: Path) -> None:
    governed = GovernedNode(tmp_path)
    try:
        governed.publish("HK1")
        with ExitStack() as keep:
            first = keep.enter_context(governed.replica("first"))
            server = keep.enter_context(served(first))
            # Far behind as soon as anything is new: there is no snapshot to be had of a replica.
            given = {"far_behind": 1}
            with governed.replica("second", server.address, **given) as second:
                assert second.state.header_bytes == governed.node.state.header_bytes
                governed.rotate()
                governed.publish("HK2")
                governed.caught_up(second)
                assert second.newest_seal.finality == FINALITY_SEALED
                assert second.set_changes.all() == first.set_changes.all()
                assert len(second.set_changes.all()) == 1
            governed.remove()
            with governed.replica("second", server.address, **given) as second:
                assert second.state.header_bytes == governed.node.state.header_bytes
                assert len(second.set_changes.all()) == 2
                assert second.refusals.all() == []
                assert second.failure is None
    finally:
        governed.stop()


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A node with blocks, a snapshot, and blocks after it."""
    made = World(tmp_path)
    made.grow(FAR + 1)
    made.node.snapshots.make(made.node.state)
    made.grow(1)
    yield made
    made.stop()


def test_one_that_began_with_a_snapshot_cannot_be_begun_from(world: World) -> None:
    """It has no blocks from before, and hands no snapshot on: that is said, and it is left."""
    with world.replica("first", far_behind=FAR) as first:
        world.caught_up(first)
        base = first.ledger_store.base().height
        await_(lambda: first.keyring.content)
        with served(first) as server:
            with world.replica("empty", server.address) as empty:
                until(empty, lambda: empty.sources[0].detail)
                assert empty.sources[0].state == SourceState.UNREACHABLE
                assert f"begin after a snapshot of height {base}" in empty.sources[0].detail
                assert empty.state.height == 0
                assert empty.refusals.all() == []
                assert empty.failure is None
            # A node beside it gives what is missing; from there on either will do.
            with world.replica("empty", server.address, world.address) as both:
                world.caught_up(both)
            with world.replica("empty", server.address) as again:
                world.grow(1)
                world.caught_up(again)
                assert again.sources[0].state == SourceState.FOLLOWED
