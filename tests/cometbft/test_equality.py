"""One list of transactions, ordered by solo and by CometBFT: every byte of the ledger is equal.

Equal blocks and equal times are given to both; what each stores is compared byte for byte, headers
and transactions, and so is what each tells its listeners. (Seals are kept beside the ledger, at
times that depend on who votes when.)
"""

from pathlib import Path

from aeo.ledger.v1 import arrangement_pb2
from cometbft.driver import Network
from ledger.chain.governance import Removal
from ledger.customs.arrangement import text_hash
from ledger.state.machine import Block, Machine
from ledger_world import BACKEND, START, bls_secret
from service.engine.cometbft.codes import number_of
from service.engine.cometbft.compression import compress_transaction, transaction_of
from service.engine.cometbft.proposal import split_block
from service.engine.solo import SoloEngine
from service.node.blocks import LedgerBlocks
from service.node.governance.member_key import HeldKeys
from service.node.governance.sealer import HostedSealer
from service.store.guard import SealGuard
from service.store.ledger.ledger_store import LedgerStore

MEMBERS = ("AU", "HK", "NZ", "SG")


class TurnedClock:
    """Stands at the time of the block that comes next."""

    def __init__(self) -> None:
        self.now = START

    def now_ms(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return 0


def life(network: Network) -> None:
    """Everything that a ledger knows: agreements, records, refusals, votes, nonsense."""
    world = network.world
    shared, text = world.proposal("HK", "NZ")
    network.decide([world.step("HK", propose=text)])

    signature = arrangement_pb2.ArrangementSignature(
        arrangement_id=shared, text_hash=text_hash(text)
    )
    network.decide([world.step(party, sign=signature) for party in ("HK", "NZ")])
    records = [world.record(shared, f"HK{number}") for number in range(20)]
    batch = world.statuses("HK", shared, records)
    network.decide([batch, world.transaction("AU"), batch, b"\x03nonsense"])
    records = [world.record(shared, f"HK3{number}") for number in range(20)]
    compressed = compress_transaction(world.statuses("HK", shared, records))
    assert compressed[:1] == b"\x03"
    network.decide([compressed, compressed, compressed + b"\0", compressed[:-1]])
    network.decide([])
    network.decide([world.statuses("NZ", shared, [b"no record"])], seconds=0.0004)
    identity, proposing = world.proposing(Removal("SG"), "AU")
    network.decide([proposing])
    for voter in MEMBERS[:3]:
        network.decide(world.votes(identity, voter))
    network.decide([world.transaction("SG"), world.transaction("HK")], seconds=3_600)


def order_alone(network: Network, folder: Path) -> tuple[list[Block], list[tuple[bytes, str]]]:
    """Give solo the same transactions in equal blocks, at equal times; what it told."""
    clock = TurnedClock()
    machine = Machine(network.world.genesis, BACKEND)
    told: list[Block] = []
    refused: list[tuple[bytes, str]] = []
    keys = {each: HeldKeys(each, [bls_secret(each)], BACKEND) for each in MEMBERS}
    with (
        LedgerStore(folder / "ledger.db") as store,
        SealGuard.create(folder / "guard") as guard,
    ):
        store.put_genesis(network.world.genesis.data, network.world.headers[0])
        sealer = HostedSealer(keys, guard, BACKEND)
        engine = SoloEngine(machine, LedgerBlocks(store), sealer, clock)
        engine.feed.listen(told.append)
        engine.feed.listen_refused(lambda data, code: refused.append((data, code)))
        engine.start()
        for block in network["AU"].blocks:
            clock.now = block.time
            seal, given = split_block(block.transactions)
            outcomes = engine.submit([transaction_of(form) for form in given]).result(20)
            codes = [number_of(each) if isinstance(each, str) else 0 for each in outcomes]
            assert codes == block.results[seal is not None :]
        engine.stop()
        assert engine.failure is None
    return told, refused


def test_every_byte_is_equal_under_both_engines(tmp_path: Path) -> None:
    alone, together = tmp_path / "alone", tmp_path / "together"
    alone.mkdir()
    together.mkdir()
    with Network(together, MEMBERS) as network:
        told: list[Block] = []
        network["AU"].feed.listen(told.append)
        life(network)
        told_alone, refused = order_alone(network, alone)
        with LedgerStore(alone / "ledger.db") as store:
            blocks, transactions = list(store.blocks()), list(store.transactions())
        assert len(blocks) == 11, "the genesis, and each block of which something entered"
        for validator in network.alive:
            assert list(validator.store.blocks()) == blocks
            assert list(validator.store.transactions()) == transactions
            assert validator.refused == refused
        assert [seen(block) for block in told] == [seen(block) for block in told_alone]


def seen(block: Block) -> tuple[object, ...]:
    """What a listener sees of a block."""
    return (
        block.header_bytes,
        block.transactions,
        block.results,
        block.first_index,
        tuple(block.touched),
        block.changes,
    )
