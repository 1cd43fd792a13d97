"""A node or replica that goes on from a snapshot, stores it as its base and restarts from it."""

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.chain.anchor import Anchor
from ledger.chain.set_change import SetChange
from ledger.chain.signing_set import split_set_change
from ledger.errors import AnchorError, ChainError, CheckError
from ledger.state.machine import Machine
from ledger.state.map_updates import MapHere
from ledger.state.snapshotting import make_snapshot
from ledger_world import BACKEND, World
from service.client.snapshots import ShownSnapshot
from service.errors import BeforeBase, OutOfTurn, StoreCorrupt
from service.node.governance.set_changes import SetChanges
from service.node.restoring import restore
from service.node.snapshots.taking_up import check_offer, keep_shown_seal, take_up
from service.store.ledger.ledger_store import LedgerStore
from snapshot.restored import check_same, everything
from store.tamper import drop_triggers

HALF = 12


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LedgerStore]:
    with LedgerStore(tmp_path / "ledger.db") as store:
        yield store


def at(world: World, height: int) -> Machine:
    return Machine.restore(world.genesis, world.blocks[:height], BACKEND)


def changes(world: World) -> list[SetChange]:
    """How trust passed on in `world`, by the headers that were sealed before each hand-over."""
    found = []
    for height, _ in world.view.current_sets[1:]:
        sealed = max(each for each in world.signing_sets if each < height)
        sets, proof = split_set_change(world.signing_sets[sealed])
        found.append(SetChange(world.headers[sealed], world.seals[sealed], sets, proof))
    return found


def begin(store: LedgerStore, world: World, height: int) -> Machine:
    """A store that has the first blocks of `world`."""
    machine = at(world, height)
    store.put_genesis(world.genesis.data, world.headers[0])
    for number, (header, transactions) in enumerate(world.blocks[:height], 1):
        store.append_block(number, header, transactions)
    return machine


@pytest.mark.parametrize("own", [0, 5])
def test_it_goes_on_and_restarts(store: LedgerStore, own: int) -> None:
    world = everything()
    machine = begin(store, world, own)
    for height in (HALF, HALF + 6):
        manifest, chunks = make_snapshot(at(world, height).state, world.headers[: height + 1])
        take_up(machine, store, manifest, chunks.copy, BACKEND, changes=changes(world))
        for number in (height + 1, height + 2):
            block = machine.follow(*world.blocks[number - 1])
            store.append_block(number, block.header_bytes, block.transactions)
            machine.advance(block)
    with pytest.raises(OutOfTurn):
        store.append_block(height + 1, *world.blocks[height])
    again = restore(store, BACKEND, MapHere())
    for each in (machine, again):
        assert each.state.base_height == height
        for block in world.blocks[height + 2 :]:
            each.advance(each.follow(*block))
        check_same(each.state, world.view)
    assert [each.header for each in store.headers()] == world.headers[: height + 3]
    assert [each.height for each in store.blocks(height + 1)] == [height + 1, height + 2]
    with pytest.raises(BeforeBase, match=f"snapshot of height {height}"):
        list(store.blocks(height))
    sets = SetChanges(store, world.genesis, BACKEND)
    hand_overs = [each for each, _ in world.view.current_sets[1:] if each <= height + 2]
    assert [each.sets.pending for each in sets.all()] == [
        each for _, each in world.view.current_sets[1 : len(hand_overs) + 1]
    ]
    # The past that the store had itself is there still.
    assert [each.height for each in store.blocks(1, own)] == list(range(1, own + 1))


def test_nothing_changes_where_it_is_refused(store: LedgerStore) -> None:
    world, other = everything(), World(("HK", "NZ", "SG"))
    other.commit(other.transaction("HK"))
    machine = begin(store, other, 1)
    manifest, chunks = make_snapshot(at(world, HALF).state, world.headers[: HALF + 1])
    before = machine.state
    with pytest.raises(ChainError, match="another header 1 than this ledger"):
        take_up(machine, store, manifest, lambda: chunks, BACKEND)
    with pytest.raises(ChainError, match="is not the one in the manifest"):
        take_up(machine, store, manifest, lambda: [chunks[0][:-1]], BACKEND)
    assert machine.state is before
    assert store.base() is None
    assert restore(store, BACKEND, MapHere()).state.header_hash == before.header_hash


def test_an_anchor_must_be_passed(store: LedgerStore) -> None:
    world = everything()
    machine = begin(store, world, 0)
    manifest, chunks = make_snapshot(at(world, HALF).state, world.headers[: HALF + 1])
    for anchor in (Anchor(3, bytes(32)), Anchor(HALF + 1, world.header_hash(HALF + 1))):
        with pytest.raises(AnchorError, match="does not pass through the anchor"):
            take_up(machine, store, manifest, lambda: chunks, BACKEND, anchor=anchor)
    anchor = Anchor(3, world.header_hash(3))
    take_up(machine, store, manifest, lambda: chunks, BACKEND, anchor=anchor)
    assert machine.state.height == HALF


def test_trust_must_have_passed_on_as_the_headers_say(store: LedgerStore) -> None:
    world = everything()
    machine = begin(store, world, 0)
    manifest, chunks = make_snapshot(world.view, world.headers)
    with pytest.raises(ChainError, match="trust did not pass on"):
        take_up(machine, store, manifest, lambda: chunks, BACKEND)
    take_up(machine, store, manifest, lambda: chunks, BACKEND, changes=changes(world))


def offer(world: World, height: int) -> ShownSnapshot:
    """As a node shows the snapshot of a height: with the newest header's seal."""
    manifest, _ = make_snapshot(at(world, height).state, world.headers[: height + 1])
    seal = world.seals.get(world.view.height) or world.seal()
    proof = () if height == world.view.height else tuple(world.view.prove_header(height))
    return ShownSnapshot(manifest, world.headers[-1], seal, proof, tuple(changes(world)))


def test_an_offer_is_believed_for_the_seal_of_a_descendant(store: LedgerStore) -> None:
    world = everything()
    for height in (0, HALF, world.view.height):
        offered = offer(world, height)
        seal = check_offer(offered, world.genesis, BACKEND, now=world.time)
        assert seal.header_hash == world.view.header_hash
    machine = begin(store, world, 0)
    manifest, chunks = make_snapshot(world.view, world.headers)
    take_up(machine, store, manifest, lambda: chunks, BACKEND, changes=changes(world))
    keep_shown_seal(store, offered, seal)
    assert store.newest_sealed().height == world.view.height
    assert restore(store, BACKEND, MapHere()).state.height == world.view.height


def test_offers_that_are_refused() -> None:
    world, other = everything(), World(("HK", "NZ"), name="another")
    good = offer(world, HALF)
    manifest, _ = make_snapshot(other.view, other.headers)
    for wrong, message in (
        (good._replace(header=world.headers[-2]), "descend"),
        (good._replace(ancestor_proof=good.ancestor_proof[1:]), "descend"),
        (good._replace(changes=good.changes[:-1]), "trust does not lead"),
        (good._replace(changes=good.changes[1:]), "set change 0"),
        (good._replace(manifest=manifest), "descend"),
        (good._replace(seal=good.seal[:-1] + bytes([good.seal[-1] ^ 1])), "signature|seal|point"),
        (offer(other, 0), "another network"),
    ):
        with pytest.raises(CheckError, match=message):
            check_offer(wrong, world.genesis, BACKEND, now=world.time)
    with pytest.raises(AnchorError, match="ahead of the clock"):
        check_offer(good, world.genesis, BACKEND, now=world.time - 3_600_000)
    with pytest.raises(AnchorError, match="older than the anchor"):
        check_offer(
            good, world.genesis, BACKEND, now=world.time, anchor=Anchor(HALF + 1, bytes(32))
        )


def test_a_damaged_base_is_named(tmp_path: Path) -> None:
    world = everything()
    manifest, chunks = make_snapshot(world.view, world.headers)
    path = tmp_path / "ledger.db"
    with LedgerStore(path) as store:
        machine = begin(store, world, 0)
        take_up(machine, store, manifest, lambda: chunks, BACKEND, changes=changes(world))
    for statement in (
        "UPDATE base_chunk SET data = substr(data, 1, length(data) - 1)",
        "UPDATE base SET manifest = substr(manifest, 2)",
        "DELETE FROM base_chunk",
    ):
        damaged = tmp_path / "damaged.db"
        damaged.write_bytes(path.read_bytes())
        tamper(damaged, statement)
        with LedgerStore(damaged) as store, pytest.raises(StoreCorrupt):
            restore(store, BACKEND, MapHere())


def tamper(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection:
        for table in ("base", "base_chunk"):
            drop_triggers(connection, table)
        connection.execute(statement)
        connection.commit()
