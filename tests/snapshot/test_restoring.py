"""A machine restored from a snapshot goes on as one that has executed everything."""

import pytest

from ledger.state.machine import Machine
from ledger_world import BACKEND, World
from snapshot.restored import check_same, everything, restored
from state.arrangement_world import live as arrangement_life
from state.test_governing_lives import live as governing_life


def check_goes_on(world: World, every: int) -> None:
    """At each `every`-th height: restored, then fed the same further blocks."""
    machine = Machine(world.genesis, BACKEND, verified=world.machine.verified)
    for height in range(world.view.height + 1):
        if height % every == 0:
            other = restored(world, machine.state)
            for header_bytes, transactions in world.blocks[height:]:
                block = other.execute(transactions, other.state.header_time + 1)
                followed = other.follow(header_bytes, transactions)
                other.advance(followed)
                assert other.map_root(followed) == other.state.header.map_root
                assert not any(isinstance(each, str) for each in block.results)
            check_same(other.state, world.view)
        if height < world.view.height:
            machine.advance(machine.follow(*world.blocks[height]))


def test_everything_that_can_be_in_a_ledger() -> None:
    check_goes_on(everything(), 1)


@pytest.mark.parametrize("seed", range(12))
def test_random_governance(seed: int) -> None:
    world, _ = governing_life(seed)
    check_goes_on(world, 3)


@pytest.mark.parametrize("seed", range(6))
def test_random_arrangements(seed: int) -> None:
    world, _, _ = arrangement_life(seed)
    check_goes_on(world, 5)


def test_an_older_state_while_the_machine_moves_on() -> None:
    world = everything()
    machine = Machine(world.genesis, BACKEND, verified=world.machine.verified)
    held = []
    for block in world.blocks:
        held.append(machine.state)
        machine.advance(machine.follow(*block))
    for state in held:
        restored(world, state)
