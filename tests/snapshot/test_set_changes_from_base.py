"""A ledger that begins with a snapshot, and a hand-over behind it that names a header before it.

vote      the set is pending; sealed
base      the snapshot is of a later header, also sealed, whose block is not here
hand-over names the header of the vote, which can no longer be executed
"""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from ledger.chain.governance import Admission, HandOver
from ledger.chain.seal import SEALED, open_seal
from ledger.chain.set_change import check_set_changes, parse_set_change
from ledger.state.machine import Machine
from ledger.state.snapshotting import make_snapshot
from ledger_world import BACKEND, World, registration
from replica.replica_world import until
from service.api.listener import PlaintextLoopback
from service.api.serving import Server, ServingSettings, serve
from service.client import Connection, LedgerClient, Plaintext
from service.client.replica import NodeAddress
from service.clock import OffsetClock, SystemClock
from service.errors import BeforeBase
from service.node.governance.set_changes import SetChanges
from service.node.node import Node, NodeSettings
from service.node.replica.replica import Replica, ReplicaSettings
from service.node.snapshots.taking_up import take_up
from service.store.guard import SealGuard
from service.store.ledger.ledger_store import LedgerStore, SealLevel


@pytest.fixture(scope="module")
def world() -> World:
    """KR's coming is decided, sealed thrice, and handed over to by the first of those headers."""
    world = World(("HK", "NZ", "SG"))
    world.commit(world.transaction("HK"))
    world.decide(Admission(registration("KR", network_id=world.view.network_id)))
    step = HandOver(world.view.header_bytes, world.seal())
    for _ in range(3):
        world.commit(world.transaction("HK"))
        world.seal()
    world.commit(world.govern("SG", step))
    world.seal()
    return world


def named(world: World) -> int:
    """The height of the header that hands over."""
    return world.view.height - 4


@pytest.fixture
def store(tmp_path: Path) -> Iterator[LedgerStore]:
    with LedgerStore(tmp_path / "ledger.db") as store:
        yield store


def begin(store: LedgerStore, world: World, base: int, *sealed: int) -> SetChanges:
    """A store that began at `base` and went on, and has the seals of these headers alone."""
    store.put_genesis(world.genesis.data, world.headers[0])
    machine = Machine.restore(world.genesis, (), BACKEND)
    state = Machine.restore(world.genesis, world.blocks[:base], BACKEND).state
    manifest, chunks = make_snapshot(state, world.headers[: base + 1])
    take_up(machine, store, manifest, chunks.copy, BACKEND)
    for height, (header, transactions) in enumerate(world.blocks[base:], base + 1):
        store.append_block(height, header, transactions)
    for height in sealed:
        keep_seal(store, world, height)
    return SetChanges(store, world.genesis, BACKEND)


def keep_seal(store: LedgerStore, world: World, height: int) -> None:
    data, signers = world.seals[height], world.view.signing_set_of(height)
    seal = open_seal(data, signers, world.genesis.network_id, BACKEND)
    assert seal.level == SEALED
    store.put_seal(
        height, data, SealLevel.SEALED, attested_time=seal.attested_time, weight=seal.weight
    )


def check(world: World, changes: SetChanges, height: int) -> None:
    assert changes.at_hand() is None
    (change,) = changes.all()
    assert change.height == height
    sets = check_set_changes(world.genesis.signing_set, [change], world.genesis.network_id, BACKEND)
    assert sets[-1] == world.view.signing_sets.current
    assert changes.at_hand() == [change]


def test_the_base_itself_shows_it(world: World, store: LedgerStore) -> None:
    base = named(world) + 1
    changes = begin(store, world, base, base, base + 1, base + 2, base + 3)
    check(world, changes, base)
    # Kept, for who asks next.
    assert [height for height, _ in store.set_changes()] == [base]
    assert SetChanges(store, world.genesis, BACKEND).at_hand() == changes.all()


def test_a_later_header_shows_it_where_the_base_has_no_seal(
    world: World, store: LedgerStore
) -> None:
    base = named(world) + 1
    check(world, begin(store, world, base, base + 2), base + 2)


def test_a_base_at_the_header_that_is_named(world: World, store: LedgerStore) -> None:
    """Its seal is in the hand-over: none is needed here."""
    check(world, begin(store, world, named(world)), named(world))


def test_without_any_seal_in_between_it_cannot_be_shown(world: World, store: LedgerStore) -> None:
    base = named(world) + 1
    changes = begin(store, world, base, world.view.height)  # only the new set's
    assert changes.at_hand() is None
    for _ in range(2):
        with pytest.raises(BeforeBase, match=f"snapshot of height {base}"):
            changes.all()
    # What was sealed before the hand-over needs none.
    assert changes.all(world.view.height - 1) == changes.at_hand(world.view.height - 1) == []


# Running ones, over gRPC.


@contextmanager
def running(folder: Path, world: World) -> Iterator[tuple[Node, Server]]:
    """A node over the store in a folder, that hosts nobody, at the world's time."""
    SealGuard.create(folder / "guard").close()
    with Node.start(NodeSettings.in_folder(folder, {}), clock_of(world)) as node:
        server = serve(node, ServingSettings("127.0.0.1:0", PlaintextLoopback()))
        yield node, server
        server.stop(1.0)


def clock_of(world: World) -> OffsetClock:
    clock = SystemClock()
    return OffsetClock(clock, world.time - clock.now_ms())


def following(world: World, folder: Path, address: str) -> Replica:
    source = NodeAddress(address, Plaintext("NZ", "replica", "test"))
    network_id = world.genesis.network_id
    settings = ReplicaSettings(folder, network_id, "NZ", (source,), far_behind=1)
    return Replica.start(settings, clock_of(world), backend=BACKEND)


def test_a_node_and_a_replica_that_began_so_show_trust(world: World, tmp_path: Path) -> None:
    base = named(world) + 1
    for name in ("node", "replica"):
        (tmp_path / name).mkdir()
        with LedgerStore(tmp_path / name / "ledger.db") as store:
            begin(store, world, base, base, world.view.height)
    with running(tmp_path / "node", world) as (node, server):
        with Connection.open(server.address, Plaintext("NZ", "auditor")) as connection:
            (change,) = LedgerClient(connection).trust_chain()
        assert (change.height, node.set_changes.all()) == (base, [change])
        with following(world, tmp_path / "replica", server.address) as replica:
            assert replica.newest_seal.height == world.view.height
            assert replica.set_changes_until(world.view.height) == [change]
            assert replica.set_changes_until(world.view.height - 1) == []


def test_a_snapshot_with_a_pending_set_brings_what_its_hand_over_will_need(
    world: World, tmp_path: Path
) -> None:
    """Whether the next block is the hand-over nobody knows when the snapshot is taken up."""
    pending = named(world) + 2
    path = tmp_path / "node"
    path.mkdir()
    with LedgerStore(path / "ledger.db") as store:
        store.put_genesis(world.genesis.data, world.headers[0])
        for height, (header, transactions) in enumerate(world.blocks[:pending], 1):
            store.append_block(height, header, transactions)
        keep_seal(store, world, pending)
    with running(path, world) as (node, server):
        node.snapshots.make(node.state)
        with following(world, tmp_path / "replica", server.address) as replica:
            until(replica, lambda: replica.state.height == pending)
            store = replica.ledger_store
            until(replica, store.set_changes)
            assert store.base().height == pending
            ((height, data),) = store.set_changes()
            assert height == pending
            assert parse_set_change(data).sets == replica.state.signing_sets
