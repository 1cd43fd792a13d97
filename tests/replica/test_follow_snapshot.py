"""A replica that is far behind goes on from a snapshot, verified like everything else."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aeo.exchange.v1 import ledger_service_pb2 as pb
from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.chain.snapshot import format_manifest, parse_manifest
from replica.lying import LyingNode
from replica.replica_world import World, until
from service.node.replica.follow import SourceState

FAR = 3


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """A node with blocks, a snapshot, and blocks after it."""
    made = World(tmp_path_factory.mktemp("snapshots"))
    made.grow(3)
    made.node.snapshots.make(made.node.state)
    made.grow(2)
    yield made
    made.stop()


def snapshot_height(world: World) -> int:
    return world.node.snapshots.newest().height


def same_answers(world: World, replica: object) -> None:
    """Every trader's history, as the node has it."""
    key = world.node.hosted["NZ"].keyring.key(world.shared)
    for number in range(world.published):
        subject = key.subject(f"HK{number:08}")
        theirs = world.node.state.subject(world.shared, "HK", subject)
        assert theirs
        assert replica.state.subject(world.shared, "HK", subject) == theirs


def test_an_empty_replica_begins_with_a_snapshot(world: World) -> None:
    heard = []
    with world.replica("empty", far_behind=FAR) as replica:
        world.caught_up(replica)
        assert replica.ledger_store.base().height == snapshot_height(world)
        assert replica.state.header_bytes == world.node.state.header_bytes
        assert replica.newest_seal.finality == exchange.FINALITY_SEALED
        same_answers(world, replica)
        replica.on_block(heard.append)
        world.grow(1)
        world.caught_up(replica)
        same_answers(world, replica)
    assert [each.block.header.height for each in heard if each.block] == [world.node.state.height]


def test_it_goes_on_from_there_when_it_is_started_again(world: World) -> None:
    with world.replica("again", far_behind=FAR) as replica:
        world.caught_up(replica)
    with world.replica("again", far_behind=FAR) as replica:
        assert replica.ledger_store.base().height == snapshot_height(world)
        world.grow(1)
        world.caught_up(replica)
        same_answers(world, replica)


def test_a_replica_that_was_away_for_long_passes_over_what_is_between(tmp_path: Path) -> None:
    world = World(tmp_path)
    try:
        with world.replica("away", far_behind=FAR) as replica:
            world.caught_up(replica)
            assert replica.ledger_store.base() is None
            old = replica.state.height
        world.grow(FAR + 1)
        world.node.snapshots.make(world.node.state)
        with world.replica("away", far_behind=FAR) as replica:
            heard = []
            replica.on_block(heard.append)
            world.caught_up(replica)
            assert replica.state.height > old + FAR
            assert replica.ledger_store.base().height == replica.state.height
            same_answers(world, replica)
            world.grow(1)
            world.caught_up(replica)
            same_answers(world, replica)
    finally:
        world.stop()


def test_near_enough_it_follows_the_blocks(world: World) -> None:
    with world.replica("near", far_behind=1_000) as replica:
        world.caught_up(replica)
        assert replica.ledger_store.base() is None


def other_chunk(said: pb.GetSnapshotChunkResponse) -> pb.GetSnapshotChunkResponse:
    middle = len(said.chunk) // 2
    said.chunk = said.chunk[:middle] + bytes([said.chunk[middle] ^ 1]) + said.chunk[middle + 1 :]
    return said


def other_seal(said: pb.GetSnapshotResponse) -> pb.GetSnapshotResponse:
    said.seal = said.seal[:40] + bytes([said.seal[40] ^ 1]) + said.seal[41:]
    return said


def other_header(said: pb.GetSnapshotResponse) -> pb.GetSnapshotResponse:
    """A snapshot of another map than the one that members sealed."""
    manifest = parse_manifest(said.manifest)
    header = bytearray(manifest.header_bytes)
    header[161] ^= 1
    said.manifest = format_manifest(manifest._replace(header_bytes=bytes(header)))
    return said


def no_manifest(said: pb.GetSnapshotResponse) -> pb.GetSnapshotResponse:
    said.manifest = b"nothing"
    return said


@pytest.mark.parametrize(
    "lie",
    [{"chunk": other_chunk}, {"snapshot": other_seal}, {"snapshot": other_header},
     {"snapshot": no_manifest}],
    ids=["chunk", "seal", "header", "manifest"],
)  # fmt: skip
def test_a_false_snapshot_is_refused_and_the_next_source_asked(
    world: World, lie: dict[str, object], tmp_path: Path
) -> None:
    with (
        LyingNode(world.address, **lie) as liar,
        world.replica(
            "false", liar.address, world.address, folder=tmp_path, far_behind=FAR
        ) as replica,
    ):
        until(replica, lambda: replica.sources[0].state == SourceState.REFUSED)
        assert replica.sources[0].detail.startswith("WRONG_SNAPSHOT: ")
        world.caught_up(replica)
        assert replica.state.header_bytes == world.node.state.header_bytes
        (kept,) = replica.refusals.all()
        assert kept["source"] == liar.address
        same_answers(world, replica)
