"""The folder of snapshots: the newest two, whole or not at all, the same after a restart."""

from collections.abc import Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from ledger.chain.snapshot import Manifest
from ledger.state.machine import Machine
from ledger.state.snapshotting import make_snapshot
from ledger.state.state import State
from ledger_world import BACKEND, World
from service.node.snapshots.made import (
    FIRST_PAUSE_SECONDS,
    LONGEST_PAUSE_SECONDS,
    Snapshots,
)
from snapshot.restored import everything


@pytest.fixture
def world() -> World:
    return everything()


@pytest.fixture
def states(world: World) -> Callable[[int], State]:
    return lambda height: Machine.restore(world.genesis, world.blocks[:height], BACKEND).state


def open_at(folder: Path, world: World, every: int = 0) -> Snapshots:
    return Snapshots(folder, lambda last: world.headers[: last + 1], every=every, hold_seconds=0)


def test_the_newest_two(tmp_path: Path, world: World, states: Callable[[int], State]) -> None:
    snapshots = open_at(tmp_path, world)
    assert snapshots.newest() is None
    for height in (3, 7, 11):
        state = states(height)
        made = snapshots.make(state, height + 100)
        manifest, chunks = make_snapshot(state, world.headers[: height + 1])
        assert (made.manifest, made.engine_height) == (manifest, height + 100)
        assert [snapshots.chunk(height, n) for n in range(len(chunks))] == chunks
    assert [each.height for each in snapshots.held()] == [7, 11]
    assert snapshots.chunk(3, 0) == b""
    assert snapshots.chunk(11, 1) == b""
    assert sorted(each.name for each in tmp_path.iterdir()) == ["000000000007", "000000000011"]
    assert open_at(tmp_path, world).held() == snapshots.held()


def test_one_that_is_fetched_from_stays(
    tmp_path: Path, world: World, states: Callable[[int], State]
) -> None:
    snapshots = Snapshots(tmp_path, lambda last: world.headers[: last + 1], every=0)
    for height in range(1, 8):
        snapshots.make(states(height))
        assert snapshots.chunk(1, 0) != b""
    assert [each.height for each in snapshots.held()] == list(range(1, 8))
    for height in (8, 9):
        snapshots.make(states(height))
    assert [each.height for each in snapshots.held()] == list(range(2, 10)), "but not too many"


def test_every_so_many_blocks(tmp_path: Path, world: World, states: Callable[[int], State]) -> None:
    snapshots = open_at(tmp_path, world, every=5)
    for height in range(1, 14):
        snapshots.after_block(states(height))
        snapshots.wait()
    assert [each.height for each in snapshots.held()] == [5, 10]
    never = open_at(tmp_path / "never", world)
    never.after_block(states(13))
    never.wait()
    assert never.held() == []


def test_what_an_earlier_run_left_half_done_is_removed(
    tmp_path: Path, world: World, states: Callable[[int], State]
) -> None:
    snapshots = open_at(tmp_path, world)
    snapshots.make(states(3))
    snapshots.make(states(7))
    (tmp_path / "000000000007" / "manifest").write_bytes(b"x")
    (tmp_path / "000000000009.part").mkdir()
    (tmp_path / "000000000009.part" / "000000").write_bytes(b"x")
    again = open_at(tmp_path, world)
    assert [each.height for each in again.held()] == [3]
    assert [each.name for each in tmp_path.iterdir()] == ["000000000003"]


def test_a_stop_gives_it_up(tmp_path: Path, world: World, states: Callable[[int], State]) -> None:
    snapshots = open_at(tmp_path, world)
    snapshots.stop()
    assert snapshots.make(states(3)) is None
    assert snapshots.held() == []
    assert list(tmp_path.iterdir()) == []


def test_headers_of_another_ledger_make_none(tmp_path: Path, world: World) -> None:
    other = World(("HK", "NZ"))
    snapshots = Snapshots(tmp_path, lambda last: other.headers[: last + 1], every=1)
    snapshots.after_block(world.view)
    snapshots.wait()
    assert snapshots.held() == []
    assert list(tmp_path.iterdir()) == []


def test_a_state_has_one_snapshot(world: World, states: Callable[[int], State]) -> None:
    """Also of a machine that has executed it block by block, and of one that has not."""
    hashes = set[bytes]()
    machine = Machine(world.genesis, BACKEND, verified=world.machine.verified)
    for block in world.blocks:
        machine.advance(machine.follow(*block))
    for state in (world.view, machine.state, states(world.view.height)):
        manifest, _ = make_snapshot(state, world.headers)
        assert isinstance(manifest, Manifest)
        hashes.add(manifest.hash)
    assert len(hashes) == 1


def test_one_that_cannot_be_made_is_not_tried_at_each_block(
    tmp_path: Path, world: World, states: Callable[[int], State]
) -> None:
    """A plain file stands where chunks should go, until somebody mends it."""
    now = [1_000.0]
    tried: list[int] = []

    def headers(last: int) -> list[bytes]:
        tried.append(last)
        return world.headers[: last + 1]

    snapshots = Snapshots(tmp_path, headers, every=1, monotonic=lambda: now[0])

    def block(height: int, *, room: bool = False) -> bool:
        """Whether a block makes it try, and fail where there is no room."""
        blocked = tmp_path / f"{height:012d}"
        if not room:
            # Renaming a folder onto a file fails once all of it is written, like a full disk.
            blocked.write_text("in the way")
        before = len(tried)
        snapshots.after_block(states(height))
        snapshots.wait()
        if blocked.is_file():
            blocked.unlink()
        return len(tried) > before

    with capture_logs() as logs:
        assert block(1)
        assert not block(2)
        now[0] += FIRST_PAUSE_SECONDS - 1
        assert not block(3)
        now[0] += 1
        assert block(4)
        now[0] += 2 * FIRST_PAUSE_SECONDS - 1
        assert not block(5)
        now[0] += 1
        assert block(6)
    assert snapshots.failures == 3
    told = [each for each in logs if each["event"] == "no snapshot"]
    assert [each["again_after_seconds"] for each in told] == [
        FIRST_PAUSE_SECONDS * factor for factor in (1, 2, 4)
    ]
    assert all(each["reason"] for each in told)
    for _ in range(40):  # however often it fails, it is tried again
        now[0] += LONGEST_PAUSE_SECONDS
        assert block(7)
    assert snapshots.failures == 43
    assert [each.name for each in tmp_path.iterdir()] == []  # nothing half made is left
    now[0] += LONGEST_PAUSE_SECONDS
    assert block(8, room=True)
    assert [each.height for each in snapshots.held()] == [8]
    # What was mended begins anew with the first pause.
    assert block(9)
    now[0] += FIRST_PAUSE_SECONDS
    assert block(10, room=True)
    assert [each.height for each in snapshots.held()] == [8, 10]
