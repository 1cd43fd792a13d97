"""A snapshot over gRPC: a node shows it, a follower checks it, takes it up and goes on."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aeo.exchange.v1 import ledger_service_pb2 as pb
from aeo.exchange.v1.ledger_service_pb2_grpc import LedgerServiceStub
from client.conftest import Exchange, begin, row
from ledger.chain.anchor import Anchor
from ledger.chain.header import header_hash, parse_header
from ledger.errors import AnchorError, CheckError
from ledger.state.machine import Machine
from ledger.state.map_updates import MapHere
from ledger_world import BACKEND
from service.client import LedgerClient, NoSuchThing
from service.client.snapshots import fetch_snapshot, show_snapshot
from service.node.restoring import restore
from service.node.snapshots.catching_up import catch_up
from service.store.ledger.ledger_store import LedgerStore
from snapshot.restored import check_same


@pytest.fixture
def exchange(tmp_path: Path) -> Iterator[Exchange]:
    made = begin(tmp_path / "node")
    yield made
    made.stop()


@pytest.fixture
def store(tmp_path: Path, exchange: Exchange) -> Iterator[LedgerStore]:
    """A store that has nothing but the genesis."""
    with LedgerStore(tmp_path / "ledger.db") as store:
        first = Machine(exchange.node.genesis, BACKEND).state
        store.put_genesis(exchange.node.genesis.data, first.header_bytes)
        yield store


def follow(exchange: Exchange, machine: Machine, store: LedgerStore) -> None:
    """Every block that came since, executed and stored."""
    with exchange.connection("NZ", "auditor") as connection:
        first = machine.state.height
        for message in LedgerClient(connection).blocks(first, stop_at_latest=True):
            height = parse_header(message.header).height
            if height > machine.state.height:
                block = machine.follow(message.header, list(message.transactions))
                store.append_block(height, message.header, list(message.transactions))
                machine.advance(block)


def catch(exchange: Exchange, machine: Machine, store: LedgerStore, **given: object) -> bool:
    settings = {"now_ms": exchange.clock.now_ms, "far": 1} | given
    with exchange.connection("NZ", "auditor") as connection:
        folder = store.path.parent / "fetched"
        return catch_up(connection, machine, store, folder, BACKEND, **settings)


def test_it_takes_up_and_follows(exchange: Exchange, store: LedgerStore) -> None:
    machine = restore(store, BACKEND, MapHere())
    assert not catch(exchange, machine, store), "the node has made none"
    made = exchange.node.snapshots.make(exchange.node.state)
    exchange.publish("after", row("HK9"))
    assert not catch(exchange, machine, store, far=10_000), "not far enough behind"
    assert catch(exchange, machine, store)
    assert machine.state.base_height == made.height
    assert not (store.path.parent / "fetched" / made.manifest.hash.hex()[:16]).exists()
    follow(exchange, machine, store)
    check_same(machine.state, exchange.node.state)
    check_same(restore(store, BACKEND, MapHere()).state, exchange.node.state)
    assert not catch(exchange, machine, store), "there already"


def test_a_node_that_began_with_a_snapshot_says_so(exchange: Exchange, store: LedgerStore) -> None:
    """It serves what it has; a question about what was before is refused, not answered wrongly."""
    node = exchange.node
    below = node.snapshots.make(node.state).height
    machine = restore(store, BACKEND, MapHere())
    assert catch(exchange, machine, store)
    exchange.publish("after", row("HK9"))
    follow(exchange, machine, store)
    exchange.stop()
    # The same node, on the ledger that began with a snapshot.
    for name in ("ledger.db", "ledger.db-wal", "ledger.db-shm"):
        (node.settings.homes / name).unlink(missing_ok=True)
    store.close()
    (node.settings.homes / "ledger.db").write_bytes(store.path.read_bytes())
    exchange.restart()
    with exchange.connection("NZ", "auditor") as connection:
        client = LedgerClient(connection)
        for height in (0, below - 1):
            with pytest.raises(NoSuchThing) as error:
                list(client.blocks(height, stop_at_latest=True))
            assert error.value.reason == "BEFORE_SNAPSHOT"
        with pytest.raises(NoSuchThing) as error:
            client.inclusion_proof(0)
        assert error.value.reason == "BEFORE_SNAPSHOT"
        heights = [
            parse_header(each.header).height for each in client.blocks(below, stop_at_latest=True)
        ]
        assert heights == list(range(below, exchange.node.state.height + 1))
        assert client.header(1, 0).header == exchange.node.ledger_store.header(1).header
    exchange.publish("again", row("HK10"))


def test_what_a_lying_node_shows(exchange: Exchange, tmp_path: Path, store: LedgerStore) -> None:
    machine = restore(store, BACKEND, MapHere())
    held = exchange.node.snapshots.make(exchange.node.state)
    before = machine.state
    with pytest.raises(AnchorError, match="older than the anchor"):
        catch(exchange, machine, store, anchor=Anchor(held.height + 1, bytes(32)))
    with pytest.raises(AnchorError, match="does not pass through"):
        catch(exchange, machine, store, anchor=Anchor(1, bytes(32)))
    with pytest.raises(CheckError, match="ahead of the clock"):
        catch(exchange, machine, store, now_ms=lambda: 1)
    with exchange.connection("NZ", "auditor") as connection:
        shown = show_snapshot(connection)
        other = shown.manifest._replace(chunk_hashes=(bytes(32),))
        with pytest.raises(CheckError, match="not the one in the manifest"):
            fetch_snapshot(connection, tmp_path / "f", shown._replace(manifest=other))
        fetched = fetch_snapshot(connection, tmp_path / "f", shown)
        first = tmp_path / "f" / held.manifest.hash.hex()[:16] / "000000"
        first.write_bytes(b"broken")
        fetched = fetch_snapshot(connection, tmp_path / "f", shown)
        assert len(list(fetched.chunks())) == 1
    assert machine.state is before
    assert store.base() is None
    anchor = Anchor(1, header_hash(exchange.node.ledger_store.header(1).header))
    assert catch(exchange, machine, store, anchor=anchor)


def test_a_damaged_snapshot_is_not_handed_out(exchange: Exchange) -> None:
    node = exchange.node
    held = node.snapshots.make(node.state)
    (chunk,) = (node.settings.snapshots / f"{held.height:012d}").glob("000000")
    data = chunk.read_bytes()
    chunk.write_bytes(data[:-1] + b"x")
    with exchange.connection("NZ", "auditor") as connection:
        stub = LedgerServiceStub(connection.channel)
        request = pb.GetSnapshotChunkRequest(height=held.height, index=0)
        with pytest.raises(NoSuchThing):
            connection.call(stub.GetSnapshotChunk, request)
        with pytest.raises(NoSuchThing):
            show_snapshot(connection)
