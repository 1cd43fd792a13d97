"""The state map in a child process says what the one in this process says."""

from hashlib import sha256

import pytest

from ledger.audit.replay import verify_export
from ledger.chain.header import parse_header
from ledger.errors import ChainError
from ledger.state.machine import Machine
from ledger.tree.map import StateMap
from ledger_world import BACKEND, DAY, START, World
from service.errors import MapProcessFailed
from service.node.map_process import VERSIONS_KEPT, MapProcess


def leaf(number: int) -> tuple[bytes, bytes]:
    return sha256(b"%d" % number).digest(), sha256(b"v%d" % number).digest()


def test_versions_roots_and_proofs() -> None:
    with MapProcess() as maps:
        here = StateMap.build([leaf(1), leaf(2)])
        there = maps.build([leaf(1), leaf(2)])
        assert maps.root(there) == here.root
        versions = [there]
        for number in range(3, 3 + VERSIONS_KEPT):
            versions.append(maps.submit(versions[-1], dict([leaf(number)])))
            here = here.update(dict([leaf(number)]))
        assert maps.root(versions[-1]) == here.root
        for key in (leaf(3)[0], bytes(32)):
            assert maps.prove(versions[-1], key) == here.prove(key)
            assert maps.get(versions[-1], key) == here.get(key)
        # Branches are allowed, old versions are dropped.
        branch = maps.submit(versions[-2], dict([leaf(99)]))
        assert maps.root(branch) != here.root
        with pytest.raises(MapProcessFailed):
            maps.root(versions[0])
        with pytest.raises(MapProcessFailed):
            maps.prove(versions[0], bytes(32))
        with pytest.raises(MapProcessFailed):
            maps.root(maps.submit(versions[0], {}))
    with pytest.raises(MapProcessFailed):
        maps.prove(branch, bytes(32))
    with pytest.raises(MapProcessFailed):
        maps.submit(branch, {})


def test_machine_and_verifier_over_it() -> None:
    world = World()
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, f"HK{n}") for n in range(5)])
    world.seal()
    with MapProcess() as maps:
        machine = Machine(world.genesis, BACKEND, updates=maps)
        for header, transactions in world.blocks:
            machine.advance(machine.execute(transactions, parse_header(header).time))
        assert machine.state.height == world.view.height
        machine = Machine.restore(world.genesis, world.blocks, BACKEND, updates=maps)
        assert machine.state.header_bytes == world.view.header_bytes
    with MapProcess() as maps:
        *_, report = verify_export(
            [world.export()], now=START + DAY, backend=BACKEND, map_factory=lambda: maps
        )
        assert report.verified
    changed = world.export().replace(world.view.header.map_root, bytes(32))
    with MapProcess() as maps, pytest.raises(ChainError):
        list(verify_export([changed], now=START + DAY, backend=BACKEND, map_factory=lambda: maps))
