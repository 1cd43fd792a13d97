"""CometBFT's state sync: an empty validator takes a snapshot from another, and votes from there."""

import threading
from pathlib import Path

import pytest

from aeo.abci.v1 import abci_pb2 as abci
from cometbft.driver import Decided, Network, Validator
from ledger.chain.header import header_hash
from ledger.chain.set_change import SetChange
from ledger.chain.snapshot import FORMAT
from ledger.state.map_updates import MapHere
from ledger_world import BACKEND
from service.engine.cometbft.application import Application
from service.engine.cometbft.home import chain_id
from service.errors import StoreCorrupt
from service.node.blocks import LedgerBlocks
from service.node.governance.set_changes import SetChanges
from service.node.restoring import restore
from service.node.snapshots.engine_snapshots import EngineSnapshots
from service.node.snapshots.made import Snapshots
from snapshot.restored import check_same

WAIT_S = 10.0
ACCEPT = abci.ResponseOfferSnapshot.RESULT_ACCEPT
REJECT = abci.ResponseOfferSnapshot.RESULT_REJECT
TAKEN = abci.ResponseApplySnapshotChunk.RESULT_ACCEPT
AGAIN = abci.ResponseApplySnapshotChunk.RESULT_RETRY
REFUSED = abci.ResponseApplySnapshotChunk.RESULT_REJECT_SNAPSHOT


class WithSnapshots(Validator):
    """A validator that gives and takes snapshots; its CometBFT has nothing yet when it starts."""

    def start(self) -> None:
        super().start()
        self.snapshots = Snapshots(
            self.folder / "snapshots",
            lambda last: (each.header for each in self.store.headers(0, last)),
            every=0,
        )
        genesis = self.machine.state.genesis
        changes = SetChanges(self.store, genesis, BACKEND)
        held = EngineSnapshots(
            self.snapshots, self.machine, self.store, changes, BACKEND, self.folder / "incoming"
        )
        self.application = Application(
            self.machine,
            LedgerBlocks(self.store),
            self.application._signer,
            self.feed,
            chain_id=chain_id(genesis.network_id),
            backend=BACKEND,
            snapshots=held,
            on_step=self._step,
        )

    def _shake_hands(self) -> None:
        """Nothing comes by itself: state sync is before CometBFT's block sync."""

    def catch_up(self, blocks: list[Decided]) -> None:
        """CometBFT's block sync."""
        for block in blocks[self.application.height :]:
            answer = self.apply_as(block, blocks)
            assert answer.app_hash == block.app_hash

    def apply_as(self, block: Decided, blocks: list[Decided]) -> abci.ResponseFinalizeBlock:
        answer = self.finalize(block)
        self.blocks = blocks[: block.height]
        self.commit()
        return answer


@pytest.fixture
def network(tmp_path: Path) -> Network:
    network = Network(tmp_path, ("AU", "HK", "NZ"))
    world = network.world
    for number in range(6):
        if number % 3 != 2:  # two blocks of three change nothing or something
            network.send(world.transaction("HK"), world.transaction("NZ"))
        network.decide()
    yield network
    network.close()


def giver(network: Network, kind: type[SetChanges] = SetChanges) -> tuple[Application, bytes]:
    """An application with a snapshot of now, and the hash that its engine knows of it."""
    validator = network["AU"]
    snapshots = Snapshots(
        validator.folder / "snapshots",
        lambda last: (each.header for each in validator.store.headers(0, last)),
        every=0,
    )
    snapshots.make(validator.state, validator.application.height)
    changes = kind(validator.store, validator.state.genesis, BACKEND)
    application = Application(
        validator.machine,
        LedgerBlocks(validator.store),
        None,
        validator.feed,
        chain_id=chain_id(validator.state.genesis.network_id),
        backend=BACKEND,
        snapshots=EngineSnapshots(
            snapshots, validator.machine, validator.store, changes, BACKEND, network.folder / "x"
        ),
    )
    return application, validator.state.header_hash


def joining(network: Network) -> WithSnapshots:
    """The same member on an empty disk."""
    network["NZ"].crash()
    network.folder = network.folder / "again"
    network.folder.mkdir()
    empty = WithSnapshots(network, "NZ")
    empty.start()
    return empty


def chunk(index: int, data: bytes) -> abci.RequestApplySnapshotChunk:
    return abci.RequestApplySnapshotChunk(index=index, chunk=data, sender="somebody")


def test_an_empty_validator_begins_with_a_snapshot(network: Network) -> None:
    source, app_hash = giver(network)
    (shown,) = source.list_snapshots(abci.RequestListSnapshots()).snapshots
    assert (shown.height, shown.format) == (network.height, FORMAT)
    network.send(network.world.transaction("HK"))
    network.decide()
    empty = joining(network)
    offer = abci.RequestOfferSnapshot(snapshot=shown, app_hash=app_hash)
    assert empty.application.offer_snapshot(offer).result == ACCEPT
    for index in range(shown.chunks):
        data = source.load_snapshot_chunk(
            abci.RequestLoadSnapshotChunk(height=shown.height, format=shown.format, chunk=index)
        ).chunk
        assert empty.application.apply_snapshot_chunk(chunk(index, data)).result == TAKEN
    info = empty.application.info(abci.RequestInfo())
    assert (info.last_block_height, info.last_block_app_hash) == (shown.height, app_hash)
    # Block sync, then it votes with the others, and its shares are good.
    empty.catch_up(network["AU"].blocks)
    network.validators["NZ"] = empty
    for _ in range(3):
        network.send(network.world.transaction("HK"))
        network.decide()
    check_same(empty.state, network["AU"].state)
    _, seal = network["AU"].application.newest_seal
    assert seal.weight == 3, "the newcomer's share is in it"
    assert not any(network["AU"].application.counts.get("wrong_share", {}).values())
    # And it restarts from what it stored.
    again = restore(empty.store, BACKEND, MapHere())
    assert again.state.header_hash == empty.state.header_hash
    assert header_hash(empty.store.header(again.state.base_height).header) == app_hash
    assert empty.application.offer_snapshot(offer).result == REJECT


def test_a_death_before_cometbft_has_kept_what_the_snapshot_brought(network: Network) -> None:
    source, app_hash = giver(network)
    (shown,) = source.list_snapshots(abci.RequestListSnapshots()).snapshots
    offer = abci.RequestOfferSnapshot(snapshot=shown, app_hash=app_hash)
    load = abci.RequestLoadSnapshotChunk(height=shown.height, format=shown.format, chunk=0)
    data = source.load_snapshot_chunk(load).chunk
    node = joining(network)
    assert node.application.offer_snapshot(offer).result == ACCEPT
    assert node.application.apply_snapshot_chunk(chunk(0, data)).result == TAKEN
    node.crash()
    node.start()
    application = node.application
    # CometBFT has nothing and asks anew; only the snapshot that is here will do.
    other = abci.RequestOfferSnapshot(snapshot=shown, app_hash=bytes(32))
    assert application.offer_snapshot(other).result == REJECT
    other = abci.RequestOfferSnapshot(snapshot=shown, app_hash=app_hash)
    other.snapshot.height += 1
    assert application.offer_snapshot(other).result == REJECT
    assert application.offer_snapshot(offer).result == ACCEPT
    assert application.apply_snapshot_chunk(chunk(0, b"whatever")).result == TAKEN
    info = application.info(abci.RequestInfo())
    assert (info.last_block_height, info.last_block_app_hash) == (shown.height, app_hash)
    network.send(network.world.transaction("HK"))
    network.decide()
    node.catch_up(network["AU"].blocks)
    check_same(node.state, network["AU"].state)
    node.crash()


def test_a_peer_that_asks_for_snapshots_stops_nobody(network: Network) -> None:
    """Trust in a snapshot cannot be shown where the store has lost how it passed on."""

    class Lost(SetChanges):
        def at_hand(self, last: int | None = None) -> list[SetChange]:
            raise StoreCorrupt("ledger.db", f"header {last}", "no hand-over leads to its set")

    source, _ = giver(network, Lost)
    assert not source.list_snapshots(abci.RequestListSnapshots()).snapshots


def test_nothing_is_executed_while_the_engine_waits(network: Network) -> None:
    """A snapshot is shown once its set changes are at hand; until then they are made beside."""
    asked, may = threading.Event(), threading.Event()

    class Missing(SetChanges):
        def at_hand(self, last: int | None = None) -> list[SetChange] | None:
            return super().at_hand(last) if may.is_set() else None

        def all(self, last: int | None = None) -> list[SetChange]:
            assert threading.current_thread() is not threading.main_thread()
            asked.set()
            return super().all(last)

    source, _ = giver(network, Missing)
    assert not source.list_snapshots(abci.RequestListSnapshots()).snapshots
    assert asked.wait(WAIT_S)
    asked.clear()
    assert not source.list_snapshots(abci.RequestListSnapshots()).snapshots
    assert not asked.is_set()  # once is enough
    may.set()
    assert len(source.list_snapshots(abci.RequestListSnapshots()).snapshots) == 1


def test_what_is_refused(network: Network) -> None:
    source, app_hash = giver(network)
    (shown,) = source.list_snapshots(abci.RequestListSnapshots()).snapshots
    load = abci.RequestLoadSnapshotChunk(height=shown.height, format=shown.format, chunk=0)
    data = source.load_snapshot_chunk(load).chunk
    for wrong in ({"height": 1}, {"format": 2}, {"chunk": 9}):
        asked = abci.RequestLoadSnapshotChunk(
            **{"height": shown.height, "format": shown.format, "chunk": 0} | wrong
        )
        assert source.load_snapshot_chunk(asked).chunk == b""
    empty = joining(network)
    application = empty.application

    def offer(**changed: object) -> int:
        given = abci.Snapshot()
        given.CopyFrom(shown)
        said = changed.pop("app_hash", app_hash)
        for name, value in changed.items():
            setattr(given, name, value)
        request = abci.RequestOfferSnapshot(snapshot=given, app_hash=said)
        return application.offer_snapshot(request).result

    assert application.apply_snapshot_chunk(chunk(0, data)).result == REFUSED
    for changed in (
        {"app_hash": bytes(32)},
        {"format": 2},
        {"hash": bytes(32)},
        {"chunks": 2},
        {"metadata": b""},
        {"metadata": b"\xff" * 40},
        {"metadata": shown.metadata[:-1]},
    ):
        assert offer(**changed) == REJECT, changed
    assert offer() == ACCEPT
    # Whoever sends a wrong chunk does not spoil the snapshot: it is fetched from somebody else.
    wrong = application.apply_snapshot_chunk(chunk(0, data[:-1]))
    assert (wrong.result, wrong.refetch_chunks, wrong.reject_senders) == (AGAIN, [0], ["somebody"])
    assert application.apply_snapshot_chunk(chunk(7, data)).result == AGAIN
    assert empty.state.height == 0
    assert application.info(abci.RequestInfo()).last_block_height == 0
    # The right one, after all.
    assert application.apply_snapshot_chunk(chunk(0, data)).result == TAKEN
    assert application.info(abci.RequestInfo()).last_block_height == shown.height
    empty.crash()
