"""A node that lies is refused: nothing of the lie is taken, it is kept on record, another is asked.

Members' keys are at hand here, so that a lie can be as good as members could make it.
"""

import json
import shutil
import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from aeo.exchange.v1 import ledger_service_pb2 as pb
from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.audit.evidence import judge_evidence
from ledger.chain.header import format_header, header_hash, parse_header
from ledger.chain.seal import aggregate_seal, parse_seal, sign_share
from ledger.hashing import ZERO_HASH
from ledger.tree.log import Log, leaf_hash
from ledger_world import BACKEND, bls_secret
from replica.lying import Block, LyingNode
from replica.replica_world import MEMBERS, World, until
from service.api.listener import PlaintextLoopback
from service.api.serving import ServingSettings, serve
from service.clock import OffsetClock, SystemClock
from service.errors import SourceRefused
from service.node.node import Node, NodeSettings
from service.node.replica.follow import Patience, SourceState
from service.node.replica.replica import Replica

Lie = Callable[[World, Block], Iterator[Block]]


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    made = World(tmp_path)
    made.grow(3)
    yield made
    made.stop()


def sealed(world: World, header: bytes, at: int, signers: Sequence[str] = MEMBERS) -> bytes:
    """A seal of any header."""
    network_id, hashed = world.node.network_id, header_hash(header)
    shares = {
        economy: sign_share(bls_secret(economy), BACKEND, network_id, hashed, at)
        for economy in signers
    }
    signing_set = world.node.state.signing_sets.current
    return aggregate_seal(signing_set, hashed, at, shares, BACKEND)


def altered(message: Block, **fields: object) -> Block:
    made = Block()
    made.CopyFrom(message)
    for name, value in fields.items():
        if name == "transactions":
            del made.transactions[:]
            made.transactions.extend(value)
        else:
            setattr(made, name, value)
    return made


def of_height(height: int, lie: Lie) -> Lie:
    """Tell the truth but for one height."""

    def told(world: World, message: Block) -> Iterator[Block]:
        if parse_header(message.header).height == height:
            yield from lie(world, message)
        else:
            yield message

    return told


def another_root(_world: World, message: Block) -> Iterator[Block]:
    header = replace(parse_header(message.header), map_root=b"r" * 32)
    yield altered(message, header=format_header(header))


def another_root_sealed(world: World, message: Block) -> Iterator[Block]:
    header = replace(parse_header(message.header), map_root=b"r" * 32)
    at, made = parse_seal(message.seal).attested_time, format_header(header)
    yield altered(message, header=made, seal=sealed(world, made, at))


def another_transaction(_world: World, message: Block) -> Iterator[Block]:
    first = bytearray(message.transactions[0])
    first[len(first) // 2] ^= 1
    yield altered(message, transactions=[bytes(first), *message.transactions[1:]])


def unsigned_transaction_sealed(world: World, message: Block) -> Iterator[Block]:
    """A transaction nobody signed, under a header that counts it, sealed by all members."""
    forged = bytearray(message.transactions[0])
    forged[-1] ^= 1  # of the signature, or of what holds it
    header, state = parse_header(message.header), world.node.state
    before = world.node.ledger_store.header(header.height - 1)
    log = Log(leaf_hash(each) for each in world.node.ledger_store.transactions(0, before.log_size))
    for each in (bytes(forged), *message.transactions[1:]):
        log.append(leaf_hash(each))
    assert state.height >= header.height
    made = format_header(replace(header, log_root=log.root()))
    at = parse_seal(message.seal).attested_time
    yield altered(
        message,
        header=made,
        transactions=[bytes(forged), *message.transactions[1:]],
        seal=sealed(world, made, at),
    )


def no_transactions(_world: World, message: Block) -> Iterator[Block]:
    yield altered(message, transactions=[])


def one_transaction_twice(_world: World, message: Block) -> Iterator[Block]:
    yield altered(message, transactions=[*message.transactions, message.transactions[0]])


def another_seal(_world: World, message: Block) -> Iterator[Block]:
    seal = bytearray(message.seal)
    seal[33] ^= 1  # its time
    yield altered(message, seal=bytes(seal))


def garbled_seal(_world: World, message: Block) -> Iterator[Block]:
    yield altered(message, seal=message.seal[:-1])


def seal_before_its_header(world: World, message: Block) -> Iterator[Block]:
    header = parse_header(message.header)
    yield altered(message, seal=sealed(world, message.header, header.time - 1))


def another_link(_world: World, message: Block) -> Iterator[Block]:
    header = replace(parse_header(message.header), previous=ZERO_HASH)
    yield altered(message, header=format_header(header))


def time_that_stands(world: World, message: Block) -> Iterator[Block]:
    header = parse_header(message.header)
    before = parse_header(world.node.ledger_store.header(header.height - 1).header)
    yield altered(message, header=format_header(replace(header, time=before.time)))


def a_height_left_out(_world: World, _message: Block) -> Iterator[Block]:
    yield from ()


def a_header_that_goes_back(world: World, message: Block) -> Iterator[Block]:
    yield message
    early = parse_header(world.node.ledger_store.header(1).header)
    yield Block(header=format_header(replace(early, time=early.time + 1)))


def garbage(_world: World, message: Block) -> Iterator[Block]:
    yield altered(message, header=b"no header")


def another_networks_header(_world: World, message: Block) -> Iterator[Block]:
    header = replace(parse_header(message.header), network_id=b"o" * 32)
    yield altered(message, header=format_header(header))


LIES = [
    (another_root, "WRONG_SEAL"),
    (another_root_sealed, "WRONG_ROOT"),
    (another_transaction, "WRONG_BLOCK"),
    (unsigned_transaction_sealed, "WRONG_BLOCK"),
    (no_transactions, "MALFORMED"),
    (one_transaction_twice, "MALFORMED"),
    (another_seal, "WRONG_SEAL"),
    (garbled_seal, "WRONG_SEAL"),
    (seal_before_its_header, "WRONG_SEAL"),
    (another_link, "BROKEN_LINK"),
    (time_that_stands, "BROKEN_LINK"),
    (a_height_left_out, "MALFORMED"),
    (a_header_that_goes_back, "FORK"),
    (garbage, "MALFORMED"),
    (another_networks_header, "OTHER_NETWORK"),
]


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    """One node for lies that leave it alone."""
    made = World(tmp_path_factory.mktemp("lies"))
    made.grow(3)
    yield made
    made.stop()


@pytest.mark.parametrize(("lie", "code"), LIES, ids=lambda each: getattr(each, "__name__", each))
def test_a_lie_is_refused_and_the_next_source_asked(shared: World, lie: Lie, code: str) -> None:
    newest = shared.node.state.height
    told = of_height(newest - 1, lie)
    with (
        LyingNode(shared.address, blocks=lambda message: told(shared, message)) as liar,
        shared.replica(lie.__name__, liar.address, shared.address) as replica,
    ):
        shared.caught_up(replica)
        until(replica, lambda: replica.sources[1].state == SourceState.FOLLOWED)
        assert replica.sources[0].state == SourceState.REFUSED
        assert replica.sources[0].detail.startswith(f"{code}: ")
        assert list(replica.ledger_store.blocks()) == list(shared.node.ledger_store.blocks())
        (kept,) = replica.refusals.all()
        assert (kept["code"], kept["source"]) == (code, liar.address)
        assert not replica.failure


def test_a_liar_alone_leaves_what_was_verified(shared: World) -> None:
    """Nothing of it is taken, and what stands stays readable and grows old."""
    height = shared.node.state.height - 1
    told = of_height(height, another_root)
    with (
        LyingNode(shared.address, blocks=lambda message: told(shared, message)) as liar,
        shared.replica("alone", liar.address) as replica,
    ):
        until(replica, lambda: replica.sources[0].state == SourceState.REFUSED)
        assert replica.state.height == height - 1
        assert replica.newest_seal.height == height - 1
        assert liar.streams == 1
        assert not replica.failure


def test_what_was_refused_is_kept_on_record(shared: World) -> None:
    height = shared.node.state.height - 1
    told = of_height(height, another_root_sealed)
    with (
        LyingNode(shared.address, blocks=lambda message: told(shared, message)) as liar,
        shared.replica("record", liar.address) as replica,
    ):
        until(replica, replica.refusals.all)
    (path,) = (shared.folder / "record" / "refusals").glob("*.json")
    assert path.name == "000001-WRONG_ROOT.json"
    kept = json.loads(path.read_bytes())
    header = bytes.fromhex(kept["header"])
    assert parse_header(header).map_root == b"r" * 32
    assert kept["height"] == height
    assert parse_seal(bytes.fromhex(kept["seal"])).header_hash == header_hash(header)


def test_a_seal_from_the_future_is_refused(shared: World) -> None:
    """By a replica whose clock, or whose members' clocks, are wrong."""
    clock = OffsetClock(SystemClock(), -120_000)
    with Replica.start(shared.replica_settings("future"), clock) as replica:
        until(replica, lambda: replica.sources[0].state == SourceState.REFUSED)
        assert replica.sources[0].detail.startswith("ATTESTED_AHEAD: ")
        assert replica.state.height == 0


def test_another_network_is_refused_from_the_start(shared: World, tmp_path: Path) -> None:
    settings = replace(shared.replica_settings("other"), folder=tmp_path, network_id=b"o" * 32)
    with pytest.raises(SourceRefused, match="not the one given"):
        Replica.start(replace(settings, begin_seconds=0.2))
    assert json.loads(next((tmp_path / "refusals").glob("*")).read_bytes())["code"] == (
        "OTHER_NETWORK"
    )


def test_a_forged_genesis_is_refused(shared: World) -> None:
    def forged(said: pb.GetNetworkResponse) -> pb.GetNetworkResponse:
        said.genesis = said.genesis[:-1] + bytes([said.genesis[-1] ^ 1])
        return said

    with (
        LyingNode(shared.address, network=forged) as liar,
        shared.replica("genesis", liar.address, shared.address) as replica,
    ):
        shared.caught_up(replica)


def test_blocks_without_seals_are_never_shown(shared: World) -> None:
    def bare(message: Block) -> Iterator[Block]:
        if message.transactions or not message.seal:
            yield altered(message, seal=b"")

    patience = Patience(silence=0.5)
    with (
        LyingNode(shared.address, blocks=bare) as liar,
        shared.replica("bare", liar.address, patience=patience) as replica,
    ):
        until(replica, lambda: replica.sources[0].state == SourceState.LEFT)
        assert replica.state.height == 0
        assert not replica.refusals.all()


def test_a_node_that_withholds_is_left_for_one_that_does_not(world: World) -> None:
    """It shows what there was, and then nothing: as a quiet ledger would look."""
    newest = world.node.state.height

    def withheld(message: Block) -> Iterator[Block]:
        if parse_header(message.header).height <= newest:
            yield message

    patience = Patience(silence=0.5)
    with (
        LyingNode(world.address, blocks=withheld) as liar,
        world.replica("held", liar.address, world.address, patience=patience) as replica,
    ):
        world.caught_up(replica)
        world.grow(2)
        world.caught_up(replica)
        assert not replica.refusals.all()


class Branch:
    """The same network from an older copy of its files, with the same keys: a fork to come."""

    def __init__(self, world: World, name: str) -> None:
        folder = world.folder / name
        shutil.copytree(world.folder / "node", folder)
        self.settings = NodeSettings.in_folder(folder, world.settings.members)
        self.node: Node | None = None

    def start(self, world: World) -> World:
        """A world of its own that goes on from the copy."""
        other = object.__new__(World)
        other.folder, other.clock, other.settings = world.folder, world.clock, self.settings
        other.address, other.published = "127.0.0.1:0", 100
        other.start()
        other.shared = world.shared
        return other


def copied(world: World, name: str) -> Branch:
    world.stop()
    branch = Branch(world, name)
    world.start()
    return branch


def test_a_fork_is_refused_with_evidence_against_its_signers(world: World) -> None:
    branch = copied(world, "fork")
    world.grow(2)
    other = branch.start(world)
    try:
        other.grow(3)
        with world.replica("forked") as replica:
            world.caught_up(replica)
            mine = replica.state.header_bytes
        with world.replica("forked", other.address, world.address) as replica:
            until(replica, lambda: replica.sources[0].state == SourceState.REFUSED)
            assert replica.sources[0].detail.startswith("FORK: ")
            world.grow(1)
            world.caught_up(replica)
            assert replica.ledger_store.header(parse_header(mine).height).header == mine
            (evidence,) = replica.evidence.all()
        judged = judge_evidence(evidence, world.node.network_id, BACKEND)
        assert judged.economies == MEMBERS
        assert judged.number == parse_header(mine).height
        (path,) = (world.folder / "forked" / "evidence").glob("aeo-evidence-*.bin")
        assert path.read_bytes() == evidence
    finally:
        other.stop()


def test_an_older_ledger_is_left_for_another(world: World) -> None:
    branch = copied(world, "older")
    world.grow(2)
    other = branch.start(world)
    try:
        with world.replica("ahead") as replica:
            world.caught_up(replica)
        with world.replica("ahead", other.address, world.address) as replica:
            until(replica, lambda: replica.sources[0].state == SourceState.LEFT)
            assert "its ledger ends at" in replica.sources[0].detail
            world.grow(1)
            world.caught_up(replica)
            assert not replica.refusals.all()
    finally:
        other.stop()


def test_a_ledger_that_goes_back_is_refused(world: World) -> None:
    branch = copied(world, "back")
    world.grow(2)
    with world.replica("back-to") as replica:
        world.caught_up(replica)
        height, address = replica.state.height, world.address
        world.stop()
        other = branch.start(world)
        other.server.stop(0.0)
        other.server = serve(other.node, ServingSettings(address, PlaintextLoopback()))
        try:
            until(replica, lambda: replica.sources[0].state == SourceState.REFUSED)
            assert replica.sources[0].detail.startswith("WENT_BACK: ")
            assert replica.state.height == height
        finally:
            other.stop()
        world.start()


def test_evidence_that_a_node_keeps_is_checked_and_kept(world: World) -> None:
    branch = copied(world, "evidence")
    world.grow(1)
    other = branch.start(world)
    try:
        other.grow(2)
        with world.replica("finder") as replica:
            world.caught_up(replica)
        with world.replica("finder", other.address) as replica:
            until(replica, replica.evidence.all)
            (evidence,) = replica.evidence.all()
    finally:
        other.stop()
    assert world.node.evidence.keep(evidence)
    with world.replica("hears") as replica:
        world.caught_up(replica)
        assert replica.evidence.all() == [evidence]


def test_a_seal_of_few_and_then_of_all_is_shown_as_what_it_is(shared: World) -> None:
    """No lie: votes come late. Two of three members attest; the third makes it sealed."""
    newest, later = shared.node.state.height, threading.Event()

    def votes(message: Block) -> Iterator[Block]:
        header = parse_header(message.header)
        if header.height < newest:
            yield message
            return
        at = parse_seal(message.seal).attested_time
        yield altered(message, seal=sealed(shared, message.header, at, MEMBERS[:2]))
        later.wait(20)
        yield altered(message, transactions=[])

    with (
        LyingNode(shared.address, blocks=votes) as node,
        shared.replica("votes", node.address) as replica,
    ):
        until(replica, lambda: replica.state.height == newest and replica.newest_seal)
        until(replica, lambda: replica.newest_seal.height == newest)
        assert replica.newest_seal.finality == exchange.FINALITY_ATTESTED
        assert replica.finality_of(newest) == exchange.FINALITY_ATTESTED
        assert replica.finality_of(newest - 1) == exchange.FINALITY_SEALED
        later.set()
        until(replica, lambda: replica.finality_of(newest) == exchange.FINALITY_SEALED)


def test_a_seal_of_a_third_is_none(shared: World) -> None:
    def of_one(message: Block) -> Iterator[Block]:
        at = parse_seal(message.seal).attested_time
        yield altered(message, seal=sealed(shared, message.header, at, MEMBERS[:1]))

    with (
        LyingNode(shared.address, blocks=of_one) as liar,
        shared.replica("third", liar.address) as replica,
    ):
        until(replica, lambda: replica.sources[0].state == SourceState.REFUSED)
        assert "at most a third" in replica.sources[0].detail
        assert replica.state.height == 0
