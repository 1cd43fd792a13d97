"""What a node keeps for those who must trust it: set changes, evidence, and exports with both.

The ledgers are made by worlds, in which votes and hand-overs are quick; the node only serves them.
"""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from aeo.ledger.v1 import transaction_pb2
from ledger.audit.evidence import DOUBLE_NUMBER, Judged, judge_evidence
from ledger.audit.replay import verify_export
from ledger.bls.scheme import key_id
from ledger.chain.export import HEADER, SEAL, SIGNING_SETS, parse_export
from ledger.chain.governance import Admission
from ledger.chain.header import parse_header
from ledger.chain.set_change import SetChange, check_set_changes, format_set_change
from ledger.chain.transaction import format_body, sign_transaction
from ledger.errors import CheckError, FormatError
from ledger.state.state import State
from ledger_hand_over import set_changes
from ledger_world import BACKEND, World, bls_secret, registration
from node.governed_world import governed, store_of
from service.api.listener import PlaintextLoopback
from service.api.serving import ServingSettings, serve
from service.client import Connection, Invalid, LedgerClient, NoSuchThing, Plaintext
from service.client.trust import Trust
from service.client.trust_file import TrustFile
from service.clock import SystemClock
from service.errors import StoreCorrupt
from service.node.governance.evidence import Evidence
from service.node.governance.set_changes import SetChanges
from service.node.node import Node, NodeSettings
from service.store.guard import SealGuard
from service.store.ledger.ledger_store import LedgerStore, StoredBlock


@pytest.fixture(scope="module")
def world() -> World:
    return governed()


@pytest.fixture
def store(world: World, tmp_path: Path) -> Iterator[LedgerStore]:
    store = store_of(world, tmp_path / "ledger.db")
    yield store
    store.close()


def read(world: World, store: LedgerStore, **given: bool) -> SetChanges:
    return SetChanges(store, world.genesis, BACKEND, **given)


def check(world: World, made: SetChanges) -> None:
    sets = check_set_changes(
        world.genesis.signing_set, made.all(), world.genesis.network_id, BACKEND
    )
    assert len(sets) == 3
    assert sets[-1] == world.view.signing_sets.current


def test_a_missing_set_change_is_derived_and_kept(world: World, store: LedgerStore):
    check(world, read(world, store, read_only=True))
    assert store.set_changes() == []
    made = read(world, store)
    check(world, made)
    kept = [(change.height, format_set_change(change)) for change in made.all()]
    assert store.set_changes() == kept
    check(world, read(world, store))


def test_what_was_kept_before_the_hand_over_is_shown(world: World, store: LedgerStore):
    changes = set_changes(world)
    for change in changes:
        assert store.put_set_change(change.height, format_set_change(change))
    # Those of a world are made at the newest header with a seal, not at the hand-over's.
    made = read(world, store)
    assert made.all() == changes
    check(world, made)
    assert made.from_set(world.genesis.signing_set.hash) == changes
    assert made.from_set(changes[1].sets.current.hash) == changes[1:]
    assert made.from_set(world.view.signing_sets.current.hash) == []
    assert made.from_set(bytes(32)) is None


def test_what_is_at_hand_costs_no_execution(world: World, store: LedgerStore):
    first, second = (height for height, _ in world.view.current_sets[1:])
    made = read(world, store)
    assert made.at_hand(first - 1) == []
    assert made.at_hand(first) is None
    assert made.at_hand() is None
    assert store.set_changes() == []
    (derived, _) = made.all()
    assert made.at_hand() == made.all()
    # With the first kept and the second lost, only what needs the second is missing.
    with store_of(world, store.path.with_name("other.db")) as other:
        other.put_set_change(derived.height, format_set_change(derived))
        partly = read(world, other)
        assert partly.at_hand(second - 1) == [derived]
        assert partly.at_hand(second) is None
        assert partly.at_hand(first) == [derived]
        check(world, partly)
        assert partly.at_hand(second) == partly.all()


def test_nobody_waits_for_what_somebody_else_derives(world: World, store: LedgerStore):
    deriving, go_on = threading.Event(), threading.Event()

    class Slow(SetChanges):
        def _state_at(self, height: int) -> State:
            deriving.set()
            assert go_on.wait(20)
            return super()._state_at(height)

    made = Slow(store, world.genesis, BACKEND)
    thread = threading.Thread(target=made.all)
    thread.start()
    try:
        assert deriving.wait(20)
        assert made.at_hand() is None
    finally:
        go_on.set()
        thread.join()
    assert len(made.at_hand()) == 2


def test_one_that_cannot_be_derived_leaves_those_before_it(world: World, store: LedgerStore):
    _, second = (height for height, _ in world.view.current_sets[1:])

    class Half(SetChanges):
        lost = True

        def _derive(self, height: int, incoming: bytes) -> SetChange:
            if self.lost and height == second:
                raise StoreCorrupt(store.path, f"header {height}", "gone")
            return super()._derive(height, incoming)

    made = Half(store, world.genesis, BACKEND)
    for _ in range(2):
        with pytest.raises(StoreCorrupt):
            made.all()
    made.lost = False
    check(world, made)


def test_as_of_an_earlier_height(world: World, store: LedgerStore):
    """A receipt of a header from before a hand-over shows what led to that header's set."""
    made = read(world, store)
    for height, header in enumerate(world.headers):
        sets = check_set_changes(
            world.genesis.signing_set, made.all(height), world.genesis.network_id, BACKEND
        )
        assert sets[-1].hash == parse_header(header).signing_set_hash


def test_kept_by_whoever_hands_over(world: World, tmp_path: Path):
    """The state at the header that hands over is at hand: nothing is executed again."""
    own = World(("HK", "NZ", "SG"))
    own.decide(Admission(registration("KR", network_id=own.view.network_id)))
    state, seal = own.view, own.seal()
    with store_of(own, tmp_path / "own.db") as store:
        made = read(own, store)
        assert made.all() == []
        assert made.keep(state, seal)
        assert not made.keep(state, seal)
        assert made.all() == []  # it has not come yet
        own.hand_over()
        store.append_block(own.view.height, *own.blocks[-1])
        (change,) = made.all()
        assert change == set_changes(own)[0]


def test_a_store_with_another_set_change(world: World, store: LedgerStore):
    changes = set_changes(world)
    store.put_set_change(changes[0].height, format_set_change(changes[1]))
    with pytest.raises(StoreCorrupt, match="of another header"):
        read(world, store).all()


def test_a_store_with_bytes_that_are_no_set_change(world: World, store: LedgerStore):
    height = set_changes(world)[0].height
    store.put_set_change(height, b"?")
    with pytest.raises(StoreCorrupt, match=f"set change of height {height}"):
        read(world, store).all()


# Over gRPC.


@pytest.fixture
def node(store: LedgerStore, tmp_path: Path) -> Iterator[Node]:
    """A node that hosts nobody."""
    store.close()
    SealGuard.create(tmp_path / "guard").close()
    with Node.start(NodeSettings.in_folder(tmp_path, {}), SystemClock()) as node:
        yield node


@pytest.fixture
def ledger(node: Node) -> Iterator[LedgerClient]:
    server = serve(node, ServingSettings("127.0.0.1:0", PlaintextLoopback()))
    with Connection.open(server.address, Plaintext("NZ", "auditor")) as connection:
        yield LedgerClient(connection)
    server.stop(1.0)


def test_the_trust_chain(world: World, node: Node, ledger: LedgerClient):
    changes = ledger.trust_chain()
    assert len(changes) == 2
    assert changes == node.set_changes.all()
    assert ledger.trust_chain(world.genesis.signing_set.hash) == changes
    assert ledger.trust_chain(world.view.signing_sets.current.hash) == []
    with pytest.raises(NoSuchThing):
        ledger.trust_chain(bytes(32))
    with pytest.raises(Invalid):
        ledger.trust_chain(b"short")


def test_a_client_follows_the_node(world: World, ledger: LedgerClient, tmp_path: Path):
    file = TrustFile(tmp_path / "anchor.json", world.genesis.network_id)
    trust = Trust.begin(ledger, file, world.genesis.network_id, lambda: world.time)
    latest = ledger.latest()
    believed = trust.believe(latest.header, latest.seal)
    assert believed.header.height == world.view.height
    assert trust.signing_set == world.view.signing_sets.current
    assert len(file.read().set_changes) == 2


def test_an_export_passes_through_the_hand_overs(world: World, ledger: LedgerClient):
    data = b"".join(ledger.export())
    items = list(parse_export([data]))
    assert [kind for kind, _ in items].count(SIGNING_SETS) == 2
    # The seals between a set change and its hand-over stay out: four of this world's.
    assert [kind for kind, _ in items].count(SEAL) == len(world.seals) - 4
    assert [kind for kind, _ in items].count(HEADER) == len(world.headers)
    *_, report = verify_export(
        [data], now=world.time, backend=BACKEND, network_id=world.genesis.network_id
    )
    assert report.verified
    assert report.sealed_height == world.view.height


def used_twice(world: World, economy: str, generation: int = 0) -> bytes:
    """The first transaction of that key in the log, with another action for the same number."""
    for _, transactions in world.blocks:
        for data in transactions:
            body = transaction_pb2.Transaction.FromString(data[97:])
            if body.author == economy and body.key_id == _key_id(economy, generation):
                body.verified_height, body.verified_header_hash = 0, world.header_hash(0)
                body.heartbeat.SetInParent()
                secret = bls_secret(economy, generation)
                return sign_transaction(
                    secret, BACKEND, world.genesis.network_id, format_body(body)
                )
    raise AssertionError(economy)


def _key_id(economy: str, generation: int) -> bytes:
    return key_id(BACKEND.public_key(bls_secret(economy, generation)))


@pytest.mark.parametrize(("economy", "generation"), [("HK", 0), ("NZ", 0), ("NZ", 1)])
def test_a_number_used_twice_is_kept_as_evidence(
    world: World, node: Node, ledger: LedgerClient, economy: str, generation: int
):
    assert ledger.evidence() == []
    other = used_twice(world, economy, generation)
    for _ in range(2):
        (outcome,) = node.engine.submit([other]).result(20)
        if outcome == "SEQUENCE_USED":
            (evidence,) = ledger.evidence()
            judged = judge_evidence(evidence, node.network_id, BACKEND)
            assert judged == Judged(DOUBLE_NUMBER, (economy,), judged.number)
        else:
            assert outcome == "KEY_UNKNOWN"  # a key that was replaced enters nothing
            node.evidence.refused(other, "SEQUENCE_USED")
            (evidence,) = ledger.evidence()
            assert judge_evidence(evidence, node.network_id, BACKEND).economies == (economy,)


def test_what_proves_nothing_is_not_kept(world: World, node: Node):
    logged = world.blocks[-1][1][0]
    forged = used_twice(world, "HK")
    for data in (
        logged,
        forged[:1] + logged[1:97] + forged[97:],
        forged[:50],
        b"",
    ):
        node.evidence.refused(data, "SEQUENCE_USED")
    assert node.evidence.all() == []
    node.evidence.refused(forged, "SIGNATURE_INVALID")
    assert node.evidence.all() == []
    with pytest.raises((CheckError, FormatError)):
        node.evidence.keep(b"?")


def test_looking_for_evidence_never_holds_up_the_writer_for_long(
    world: World, store: LedgerStore, tmp_path: Path
):
    """A proposer may fill every block with a thousand transactions that entered long ago."""

    class Slow(LedgerStore):
        def blocks(self, first: int = 0, last: int | None = None) -> Iterator[StoredBlock]:
            now[0] += 0.3
            return store.blocks(first, last)

    now = [0.0]
    replayed = world.blocks[-1][1][0]
    with Slow(tmp_path / "slow.db") as slow:
        evidence = Evidence(
            slow,
            world.genesis,
            read(world, store),
            lambda: world.view,
            BACKEND,
            monotonic=lambda: now[0],
        )
        for _ in range(1_000):
            evidence.refused(replayed, "SEQUENCE_USED")
        assert 0.0 < now[0] < 5.0
        # A while later there is time again, and what convicts is found.
        now[0] += 60.0
        evidence.refused(used_twice(world, "HK"), "SEQUENCE_USED")
        assert evidence.kinds() == {DOUBLE_NUMBER: 1}
