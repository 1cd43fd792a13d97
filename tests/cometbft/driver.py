"""CometBFT in one process and without a network: the grammar of its calls, on real applications.

    network = Network(tmp_path, ("AU", "HK", "NZ", "SG"))
    network.send(network.world.transaction("HK"))
    block = network.decide()              one height at every validator, in lockstep

Each `Validator` has a ledger.db, a guard file and an application of its own, and beside them what
its CometBFT keeps: decided blocks and a mempool. `decide` plays one height: prepare, process,
extend, verify, finalise, commit, recheck; after it every application must have answered alike, and
alike what the world's own machine makes of the same transactions and time, as a solo engine would.

A validator dies where `dies_at` says (`Killed` comes out of the step) and comes back with `start`,
which does CometBFT's handshake: info, then init_chain or the blocks that are missing.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import ExitStack
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Self

from google.protobuf.timestamp_pb2 import Timestamp

from aeo.abci.v1 import abci_pb2 as abci
from ledger.chain.parameters import DEFAULT_PARAMETERS, Parameters
from ledger.state.machine import Block
from ledger.state.map_updates import MapHere
from ledger.state.state import State
from ledger_world import BACKEND, START, World, bls_secret
from service.engine.cometbft.application import Application
from service.engine.cometbft.compression import transaction_of
from service.engine.cometbft.home import address_of, chain_id
from service.engine.cometbft.validators import Validators, updates_between
from service.engine.feed import BlockFeed
from service.node.blocks import LedgerBlocks
from service.node.governance.member_key import HeldKeys
from service.node.governance.share_signer import MemberShares
from service.node.restoring import restore
from service.store.guard import SealGuard
from service.store.ledger.ledger_store import LedgerStore

ACCEPT = abci.ResponseProcessProposal.PROPOSAL_STATUS_ACCEPT
VOTE_ACCEPT = abci.ResponseVerifyVoteExtension.VERIFY_STATUS_ACCEPT
# What CometBFT offers a proposer when its own limit is off.
MAX_TX_BYTES = 100 << 20

Lie = Callable[[bytes], bytes]


class Killed(BaseException):
    """The process dies here."""


def stamp(time: int) -> Timestamp:
    """A time in Unix milliseconds, as CometBFT writes it."""
    return Timestamp(seconds=time // 1_000, nanos=time % 1_000 * 1_000_000)


@cache
def new_store(genesis: bytes, header: bytes) -> bytes:
    """The file of a ledger that has just begun; making its tables takes longer than all else."""
    with TemporaryDirectory() as folder:
        path = Path(folder) / "ledger.db"
        with LedgerStore(path) as store:
            store.put_genesis(genesis, header)
        return path.read_bytes()


@dataclass
class Decided:
    """A block as CometBFT keeps it."""

    height: int
    time: int
    transactions: list[bytes]
    proposer: bytes
    results: list[int] = field(default_factory=list)
    app_hash: bytes = b""


class Signer:
    """Signs as the member does, then tells the network's lie about it."""

    def __init__(self, honest: MemberShares, lies: Mapping[str, Lie]) -> None:
        self._honest = honest
        self._lies = lies

    @property
    def economy(self) -> str:
        return self._honest.economy

    def share(self, state: State, attested_time: int) -> bytes | None:
        share = self._honest.share(state, attested_time)
        lie = self._lies.get(self.economy)
        return share if lie is None or share is None else lie(share)


class Validator:
    """One application with its files, and its CometBFT's."""

    def __init__(self, network: "Network", economy: str, *generations: int) -> None:
        self.network = network
        self.economy = economy
        self.generations = generations or (0,)
        self.folder = network.folder / economy
        self.folder.mkdir()
        self.dies_at = ""
        self.alive = False
        # What its CometBFT keeps: blocks, and the transactions that wait.
        self.blocks: list[Decided] = []
        self.mempool: list[bytes] = []
        # What it did not see of the votes before, until it proposes: (address, extension).
        self.late: list[tuple[bytes, bytes]] = []
        self.refused: list[tuple[bytes, str]] = []
        self._stack = ExitStack()
        genesis = network.world.genesis
        (self.folder / "ledger.db").write_bytes(new_store(genesis.data, network.genesis_header))
        SealGuard.create(self.folder / "guard").close()

    @property
    def consensus_key(self) -> bytes:
        """Its Ed25519 key: the one of the newest registration."""
        return self.network.world.view.membership.all[
            self.economy
        ].registration.consensus_public_key

    @property
    def address(self) -> bytes:
        """What CometBFT calls it."""
        return address_of(self.consensus_key)

    @property
    def state(self) -> State:
        """Its machine's state."""
        return self.machine.state

    def start(self) -> None:
        """Open the files, then CometBFT's handshake."""
        keep = self._stack.enter_context
        self.store = keep(LedgerStore(self.folder / "ledger.db", on_step=self._step))
        guard = keep(SealGuard.open(self.folder / "guard", on_step=self._step))
        self.machine = restore(self.store, BACKEND, MapHere())
        self.feed = BlockFeed()
        self.feed.listen_refused(lambda data, code: self.refused.append((data, code)))
        held = HeldKeys(
            self.economy, [bls_secret(self.economy, each) for each in self.generations], BACKEND
        )
        self.application = Application(
            self.machine,
            LedgerBlocks(self.store),
            Signer(MemberShares(held, guard, BACKEND), self.network.lies),
            self.feed,
            chain_id=chain_id(self.network.world.genesis.network_id),
            backend=BACKEND,
            on_step=self._step,
        )
        self.alive = True
        self._shake_hands()

    def crash(self) -> None:
        """Lose everything that is only in memory, the mempool included."""
        self.alive = False
        self.mempool = []
        self.late = []
        self._stack.close()

    def try_or_die(self, call: Callable[[], None]) -> bool:
        """Whether a call went through; a validator that died in it is down."""
        try:
            call()
        except Killed:
            self.crash()
            return False
        return True

    def check(self, transaction: bytes) -> str:
        """Offer a transaction to its mempool; the code."""
        if transaction in self.mempool:
            return ""
        answer = self.application.check_tx(abci.RequestCheckTx(tx=transaction))
        if answer.code == 0:
            self.mempool.append(transaction)
        return str(answer.log)

    def prepare(self, height: int, time: int, votes: Iterable[tuple[bytes, bytes]]) -> list[bytes]:
        """Ask it for a proposal, with what it knows of the votes of the height before."""
        commit = abci.ExtendedCommitInfo(
            votes=[
                abci.ExtendedVoteInfo(
                    validator=abci.Validator(address=address, power=1),
                    vote_extension=extension,
                    block_id_flag=abci.BLOCK_ID_FLAG_COMMIT,
                )
                for address, extension in votes
            ]
        )
        request = abci.RequestPrepareProposal(
            max_tx_bytes=MAX_TX_BYTES,
            txs=self.mempool,
            local_last_commit=commit,
            height=height,
            time=stamp(time),
            proposer_address=self.address,
        )
        return list(self.application.prepare_proposal(request).txs)

    def process(self, block: Decided) -> bool:
        """Whether it accepts a proposal."""
        request = abci.RequestProcessProposal(
            txs=block.transactions,
            height=block.height,
            time=stamp(block.time),
            proposer_address=block.proposer,
        )
        return self.application.process_proposal(request).status == ACCEPT

    def extend(self, block: Decided) -> bytes:
        """Its vote extension."""
        request = abci.RequestExtendVote(
            height=block.height, time=stamp(block.time), txs=block.transactions
        )
        return bytes(self.application.extend_vote(request).vote_extension)

    def verify(self, address: bytes, height: int, extension: bytes) -> bool:
        """Whether it accepts another's vote extension."""
        request = abci.RequestVerifyVoteExtension(
            validator_address=address, height=height, vote_extension=extension
        )
        return self.application.verify_vote_extension(request).status == VOTE_ACCEPT

    def finalize(self, block: Decided) -> abci.ResponseFinalizeBlock:
        """Execute a decided block."""
        return self.application.finalize_block(
            abci.RequestFinalizeBlock(
                txs=block.transactions,
                height=block.height,
                time=stamp(block.time),
                proposer_address=block.proposer,
            )
        )

    def commit(self) -> None:
        """Commit, then check the mempool anew, as CometBFT does."""
        self.application.commit(abci.RequestCommit())
        entered = set(self.blocks[-1].transactions)
        self.mempool = [
            each
            for each in self.mempool
            if each not in entered
            and not self.application.check_tx(
                abci.RequestCheckTx(tx=each, type=abci.CHECK_TX_TYPE_RECHECK)
            ).code
        ]

    def apply(self, block: Decided) -> abci.ResponseFinalizeBlock:
        """Finalise and commit a block that CometBFT has stored."""
        answer = self.finalize(block)
        self.commit()
        return answer

    def _shake_hands(self) -> None:
        # What it missed comes from the others: CometBFT's block sync.
        self.blocks = list(max((each.blocks for each in self.network.validators.values()), key=len))
        info = self.application.info(abci.RequestInfo())
        if info.last_block_height == 0:
            self.application.init_chain(self.network.init_chain())
        elif info.last_block_height <= len(self.blocks):
            block = self.blocks[info.last_block_height - 1]
            assert info.last_block_app_hash == block.app_hash
        for block in self.blocks[info.last_block_height :]:
            answer = self.apply(block)
            codes = [each.code for each in answer.tx_results]
            block.results = block.results or codes
            assert codes == block.results
            assert answer.app_hash == block.app_hash

    def _step(self, name: str) -> None:
        if name == self.dies_at:
            self.dies_at = ""
            raise Killed(name)


class Network:
    """Validators that decide the same blocks; `world` signs, and executes as solo would."""

    def __init__(
        self,
        folder: Path,
        members: Sequence[str] = ("AU", "HK", "NZ", "SG"),
        parameters: Parameters = DEFAULT_PARAMETERS,
    ) -> None:
        self.folder = folder
        # What a liar makes of its share before it sends it; who sends its vote late.
        self.lies: dict[str, Lie] = {}
        self.late: set[str] = set()
        self.world = World(members, parameters=parameters)
        self.genesis_header = self.world.headers[0]
        self.time = START
        self.validators: dict[str, Validator] = {}
        for economy in members:
            self.validators[economy] = Validator(self, economy)
        self.votes: list[tuple[bytes, bytes]] = []
        self.updates: list[abci.ValidatorUpdate] = []
        self.refusals = 0
        for validator in self.validators.values():
            validator.start()

    def close(self) -> None:
        """Close every file."""
        for validator in self.validators.values():
            validator.crash()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __getitem__(self, economy: str) -> Validator:
        return self.validators[economy]

    @property
    def alive(self) -> list[Validator]:
        """Those that are up."""
        return [each for each in self.validators.values() if each.alive]

    @property
    def height(self) -> int:
        """CometBFT's newest height."""
        return max(len(each.blocks) for each in self.validators.values())

    def init_chain(self) -> abci.RequestInitChain:
        """What CometBFT's genesis says."""
        genesis = self.world.genesis
        state = World(self.world.members, parameters=genesis.parameters).view
        powers = Validators().powers(state, genesis.signing_set)
        return abci.RequestInitChain(
            time=stamp(START),
            chain_id=chain_id(genesis.network_id),
            initial_height=1,
            validators=updates_between({}, powers),
            consensus_params=abci.ConsensusParams(
                block=abci.BlockParams(max_bytes=-1, max_gas=-1),
                abci=abci.AbciParams(vote_extensions_enable_height=1),
            ),
        )

    def send(self, *transactions: bytes) -> list[str]:
        """Gossip transactions to every mempool; the codes at the first validator that is up."""
        codes = [[each.check(data) for each in self.alive] for data in transactions]
        return [each[0] for each in codes]

    def decide(
        self,
        transactions: Sequence[bytes] | None = None,
        *,
        proposer: str = "",
        seconds: float = 1,
        rounds: int = 1,
    ) -> Block:
        """Decide one height; `transactions` instead of what the proposer would choose.

        In all `rounds` but the last a block is voted on and not decided. Returns what the world's
        machine made of it.
        """
        height = self.height + 1
        if height > 1:
            self.time += int(seconds * 1_000)
        before = self.votes, {each.economy: each.late for each in self.alive}
        for turn in range(rounds):
            block = self._propose(height, transactions, proposer)
            self._vote(block)
            if turn < rounds - 1:
                self.votes = before[0]
                for each in self.alive:
                    each.late = before[1].get(each.economy, [])
        expected = self._expect(block)
        for validator in self.alive:
            validator.blocks.append(block)
            validator.try_or_die(lambda one=validator: self._apply(one, block))  # type: ignore[misc]
        return expected

    def _propose(self, height: int, given: Sequence[bytes] | None, proposer: str) -> Decided:
        proposers = [self[proposer]] if proposer else self.alive
        for turn in range(len(proposers)):
            one = proposers[(height + turn) % len(proposers)]
            transactions = one.prepare(height, self.time, [*self.votes, *one.late])
            if given is not None:
                transactions = list(given)
            block = Decided(height, self.time, transactions, one.address)
            accepted = [each.process(block) for each in self.alive]
            assert len(set(accepted)) == 1, "honest validators judge alike"
            if accepted[0]:
                return block
            self.refusals += 1
        raise AssertionError("no proposal was accepted")

    def _vote(self, block: Decided) -> None:
        votes = []
        for validator in tuple(self.alive):
            extension = b""

            def extend(one: Validator = validator) -> None:
                nonlocal extension
                extension = one.extend(block)

            if not validator.try_or_die(extend):
                continue
            votes.append((validator, extension))
        self.votes = []
        for validator in self.alive:
            validator.late = []
        for sender, extension in votes:
            vote = sender.address, extension
            for validator in self.alive:
                if sender.economy in self.late:
                    validator.late.append(vote)  # after the decision: nobody verifies it
                elif validator is not sender:
                    assert validator.verify(sender.address, block.height, extension) == (
                        len(extension) <= 96
                    )
            if sender.economy not in self.late and len(extension) <= 96:
                self.votes.append(vote)

    def _expect(self, block: Decided) -> Block:
        """Execute as solo would: the same transactions, in an equal block of an equal time."""
        transactions = block.transactions
        sealed = bool(transactions) and transactions[0][:1] == b"\x02"
        given = [transaction_of(form) for form in transactions[sealed:]]
        expected = self.world.commit(*given, time=block.time)
        block.app_hash = self.world.view.header_hash
        return expected

    def _apply(self, validator: Validator, block: Decided) -> None:
        answer = validator.finalize(block)
        codes = [each.code for each in answer.tx_results]
        block.results = block.results or codes
        assert codes == block.results
        assert answer.app_hash == block.app_hash
        self.updates = list(answer.validator_updates)
        validator.commit()
        assert validator.state.header_bytes == self.world.view.header_bytes
