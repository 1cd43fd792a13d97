"""A replica follows a node, verifies, keeps its own store, and goes on where it stopped."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aeo.exchange.v1 import status_service_pb2 as exchange
from replica.replica_world import World, until
from service.errors import StoreBusy


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    yield made
    made.stop()


def test_a_replica_has_what_the_node_has(world: World) -> None:
    world.grow(3)
    with world.replica() as replica:
        world.caught_up(replica)
        assert replica.state.header_bytes == world.node.state.header_bytes
        assert replica.state.header.map_root == world.node.state.header.map_root
        assert replica.newest_seal.finality == exchange.FINALITY_SEALED
        assert replica.ready
        world.grow(2)
        world.caught_up(replica)
        assert replica.state.header_bytes == world.node.state.header_bytes
        theirs = list(world.node.ledger_store.blocks())
        assert list(replica.ledger_store.blocks()) == theirs
        for height in range(replica.state.height + 1):
            assert replica.seal_of(height).finality == exchange.FINALITY_SEALED


def test_steps_are_told_in_order_as_they_are_verified(world: World) -> None:
    heard = []
    with world.replica() as replica:
        world.caught_up(replica)
        start = replica.state.height
        end = replica.on_block(heard.append)
        world.grow(2)
        world.caught_up(replica)
        end()
        world.grow(1)
        world.caught_up(replica)
    blocks = [change for change in heard if change.block is not None]
    assert [change.block.header.height for change in blocks] == [start + 1, start + 2]
    assert [change.state.height for change in blocks] == [start + 1, start + 2]
    seals = [change.seal for change in heard if change.seal is not None]
    assert [seal.height for seal in seals] == [start + 1, start + 2]
    assert all(seal.attested_time for seal in seals)


def test_it_goes_on_where_it_stopped_also_without_the_node(world: World) -> None:
    with world.replica() as replica:
        world.caught_up(replica)
        before = replica.state.header_bytes
    world.server.stop(0.0)
    with world.replica() as replica:
        assert replica.state.header_bytes == before
        assert replica.newest_seal.height == replica.state.height
        world.node.stop()
        world.start()
        world.grow(1)
        world.caught_up(replica)
        assert replica.state.header_bytes == world.node.state.header_bytes


def test_a_folder_serves_one_replica(world: World) -> None:
    with world.replica(), pytest.raises(StoreBusy):
        world.replica().__enter__()


def test_a_node_that_comes_back_is_followed_again(world: World) -> None:
    with world.replica() as replica:
        world.caught_up(replica)
        world.stop()
        world.start()
        world.grow(2)
        until(replica, lambda: replica.state.height == world.node.state.height)
        assert not replica.failure
