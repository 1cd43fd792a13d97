"""kill -9 of a replica at every step of its store, and at random moments while it catches up.

After the restart it has what the node has, byte for byte, and nothing it had is lost.
"""

import random
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from replica.replica_world import World
from service.store.ledger import ledger_store

STEPS = tuple(ledger_store.STEPS)
ROOT = Path(__file__).resolve().parents[2]
RANDOM_KILLS = 8

Kill = Callable[[str, str, int], None]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("crashes"))
    made.grow(4)
    yield made
    made.stop()


@pytest.fixture(scope="module")
def kill(world: World) -> Iterator[Kill]:
    """Run a replica of a name that is killed; returns when it is dead."""
    process = subprocess.Popen(
        [sys.executable, "-m", "replica.crashing_replica"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'proto/gen'}:{ROOT / 'tests'}"},
    )

    def run(name: str, step: str, number: int) -> None:
        folder, network_id = world.folder / name, world.node.network_id.hex()
        process.stdin.write(f"{folder} {network_id} {world.address} {step} {number}\n")
        process.stdin.flush()
        assert process.stdout.readline() == "killed\n"

    yield run
    process.stdin.close()
    assert process.wait(20) == 0
    process.stdout.close()


def check(world: World, name: str) -> None:
    """Started again, it catches up, and its store is the node's."""
    with world.replica(name) as replica:
        world.caught_up(replica)
        assert replica.state.header_bytes == world.node.state.header_bytes
        assert list(replica.ledger_store.blocks()) == list(world.node.ledger_store.blocks())
        assert replica.seal_of(replica.state.height).data
        assert not replica.refusals.all()


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(world: World, kill: Kill, step: str) -> None:
    kill(step, step, 1)
    if not step.startswith("genesis"):
        kill(step, step, 2)
    check(world, step)


def test_killed_at_random_again_and_again(world: World, kill: Kill) -> None:
    """Each time a little further, or not; what it had is there the next time."""
    moments, height = random.Random(5), 0
    for _ in range(RANDOM_KILLS):
        kill("random", "following", moments.randrange(60))
        world.grow(1)
        with ledger_store.LedgerStore(
            world.folder / "random" / "ledger.db", read_only=True
        ) as kept:
            newest = kept.newest()
            assert newest.height >= height
            height = newest.height
            theirs = world.node.ledger_store.blocks(0, height)
            assert list(kept.blocks()) == list(theirs)
    check(world, "random")
