"""Our state machine as CometBFT's application (ABCI 2.0): its calls, in the order of its grammar.

    info                   how far we are; CometBFT plays the rest again
    init_chain             once: is this the network that we are in?
    check_tx               may a transaction wait? (`mempool`)
    prepare_proposal       a block: a seal of the round before, and transactions (`proposal`)
    process_proposal       refuse only what is too large, or has a wrong seal
    extend_vote            our share over the newest header, past the guard file
    verify_vote_extension  the others' shares: taken unchecked, never refused (`rounds`)
    finalize_block         execute; nothing is stored, nothing is current
    commit                 the block and CometBFT's height in one database transaction; then current

A call is answered before the next one of its connection begins, all on one thread. What peers send
never raises; what does raise is our own failure (a full disk), after which CometBFT must not go on:
the server tells it so and ends.

A crash between two calls loses nothing. Before `commit` is done, CometBFT plays the block again;
after it, `info` says that we have it. Shares collected in memory are lost: the next votes, or the
next proposal, bring a seal.

The application hash is the newest header's hash. Blocks that change nothing leave it as it is, and
seals are kept beside the chain and never touch it.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from typing import Final

from google.protobuf.timestamp_pb2 import Timestamp

from aeo.abci.v1 import abci_pb2 as abci
from ledger.bls.scheme import BlsBackend
from ledger.state.machine import Block, Machine
from ledger.state.refusals import SEQUENCE_USED
from service.engine.cometbft.codes import number_of
from service.engine.cometbft.compression import transaction_of
from service.engine.cometbft.extensions import SHARE_BYTES
from service.engine.cometbft.mempool import Mempool
from service.engine.cometbft.proposal import (
    BLOCK_BYTES,
    OVERHEAD_BYTES,
    choose,
    fits,
    split_block,
)
from service.engine.cometbft.protocol import (
    BlockMark,
    EngineStore,
    ShareSigner,
    SnapshotStore,
)
from service.engine.cometbft.rounds import Rounds
from service.engine.cometbft.state_sync import StateSync
from service.engine.cometbft.tally import (
    EQUIVOCATION,
    REFUSED_EXTENSION,
    REFUSED_PROPOSAL,
    USELESS_TRANSACTION,
    Tally,
)
from service.engine.cometbft.validators import Validators, updates_between
from service.engine.feed import BlockFeed
from service.engine.protocol import OnStep, Sealed, no_step
from service.errors import EngineStopped

# A week of a block each second; CometBFT may forget older ones, our own store keeps the ledger.
RETAINED_BLOCKS: Final = 7 * 24 * 60 * 60
APP_VERSION: Final = 1

STEPS: Final = ("abci:executed", "abci:stored", "abci:advanced", "abci:told")

_ACCEPT_PROPOSAL: Final = abci.ResponseProcessProposal.PROPOSAL_STATUS_ACCEPT
_REJECT_PROPOSAL: Final = abci.ResponseProcessProposal.PROPOSAL_STATUS_REJECT
_ACCEPT_VOTE: Final = abci.ResponseVerifyVoteExtension.VERIFY_STATUS_ACCEPT
_REJECT_VOTE: Final = abci.ResponseVerifyVoteExtension.VERIFY_STATUS_REJECT


class Application:
    """The application of one validator. Calls come from one thread; attributes any may read.

    `failure` is why it no longer takes part, set by whoever serves it.
    """

    def __init__(
        self,
        machine: Machine,
        store: EngineStore,
        signer: ShareSigner | None,
        feed: BlockFeed,
        *,
        chain_id: str,
        backend: BlsBackend,
        snapshots: SnapshotStore | None = None,
        retained_blocks: int = RETAINED_BLOCKS,
        on_step: OnStep = no_step,
    ) -> None:
        self.failure: Exception | None = None
        self.mempool = Mempool(machine, backend)
        self._machine = machine
        self._store = store
        self._signer = signer
        self._feed = feed
        self._chain_id = chain_id
        self._state_sync = StateSync(snapshots)
        self._retained_blocks = retained_blocks
        self._on_step = on_step
        self._tally = Tally()
        self._validators = Validators()
        self._mark = store.mark()
        self.rounds = Rounds(machine, store, feed, self._tally, backend)
        # Executed and not yet committed: the block, what was given to it as it came, and its mark.
        self._decided: tuple[Block, Sequence[bytes], BlockMark] | None = None

    @property
    def newest_seal(self) -> tuple[int, Sealed] | None:
        """(height, seal) of the newest header that this process knows a seal of."""
        return self.rounds.newest_seal

    @property
    def counts(self) -> Mapping[str, Counter[str]]:
        """How often which member did what it should not have."""
        return self._tally.counts

    @property
    def height(self) -> int:
        """CometBFT's height of the newest block committed here; 0 before the first."""
        return 0 if self._mark is None else self._mark.height

    # Start and recovery.

    def info(self, _: abci.RequestInfo) -> abci.ResponseInfo:
        """Say how far we are."""
        return abci.ResponseInfo(
            data="aeo",
            app_version=APP_VERSION,
            last_block_height=self.height,
            last_block_app_hash=self._machine.state.header_hash if self.height else b"",
        )

    def init_chain(self, request: abci.RequestInitChain) -> abci.ResponseInitChain:
        """Begin. Raises `EngineStopped` where CometBFT's genesis is not that of our network."""
        state = self._machine.state
        genesis = state.genesis
        validators = updates_between({}, self._validators.powers(state, genesis.signing_set))
        ours = {each.pub_key.ed25519: each.power for each in validators}
        theirs = {each.pub_key.ed25519: each.power for each in request.validators}
        parameters = request.consensus_params
        for wrong, what in (
            (self.height or state.height, "CometBFT begins anew, and this ledger does not"),
            (request.chain_id != self._chain_id, f"its chain_id is not {self._chain_id}"),
            (request.initial_height != 1, "its initial_height is not 1"),
            (_milliseconds(request.time) != genesis.created_at, "its time is not the genesis's"),
            (ours != theirs, "its validators are not the founders"),
            (
                parameters.abci.vote_extensions_enable_height != 1,
                "vote extensions are not enabled from height 1",
            ),
            (parameters.block.max_bytes != -1, "its block.max_bytes is not -1"),
        ):
            if wrong:
                raise EngineStopped(f"CometBFT is not set up for this network: {what}")
        return abci.ResponseInitChain(validators=validators, app_hash=state.header_hash)

    # The mempool.

    def check_tx(self, request: abci.RequestCheckTx) -> abci.ResponseCheckTx:
        """Say whether a transaction may wait, or go on waiting."""
        again = request.type == abci.CHECK_TX_TYPE_RECHECK
        check = self.mempool.check_again if again else self.mempool.check
        code = check(request.tx)
        return abci.ResponseCheckTx(code=number_of(code) if code else 0, log=code)

    def check_ahead(self, requests: Sequence[abci.RequestCheckTx]) -> None:
        """Prepare for `check_tx` calls that are about to come: their signatures, all at once."""
        new = [each.tx for each in requests if each.type == abci.CHECK_TX_TYPE_NEW]
        self.mempool.verify_ahead(new)

    # Proposals.

    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """Make a block: the best seal of the round before, then what waits, fairly."""
        state = self._machine.state
        votes = request.local_last_commit.votes
        seal = self.rounds.propose(
            (self._economy(vote.validator.address), vote.vote_extension) for vote in votes
        )
        waiting = self.mempool.by_author(request.txs)
        parameters = state.parameters
        places = parameters.max_block_transactions
        # Each tag and length counts for CometBFT, and going past its limit ends it.
        theirs = request.max_tx_bytes - (places + 1) * OVERHEAD_BYTES
        room = min(parameters.max_block_bytes, min(BLOCK_BYTES, theirs) - len(seal))
        chosen = choose(
            waiting,
            {economy: state.next_sequence(economy) for economy in waiting},
            room=room,
            places=places,
            first=request.height,
        )
        return abci.ResponsePrepareProposal(txs=[seal, *chosen] if seal else chosen)

    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Refuse what is too large, and a wrong seal; nothing else."""
        why = self._refuse(request.txs)
        if why:
            proposer = self._economy(request.proposer_address)
            self._tally.count(REFUSED_PROPOSAL, proposer, why=why, height=request.height)
        return abci.ResponseProcessProposal(status=_REJECT_PROPOSAL if why else _ACCEPT_PROPOSAL)

    # Votes.

    def extend_vote(self, request: abci.RequestExtendVote) -> abci.ResponseExtendVote:
        """Sign the newest header; an empty extension where we must not."""
        shares, signer = self.rounds.now, self._signer
        attested = shares.attested
        if signer is None or request.height != attested.engine_height or not attested.time:
            return abci.ResponseExtendVote()
        shares.seen = True
        share = signer.share(self._machine.state, attested.time)
        if share is None:
            return abci.ResponseExtendVote()
        shares.put(signer.economy, share)
        return abci.ResponseExtendVote(vote_extension=share)

    def verify_vote_extension(
        self, request: abci.RequestVerifyVoteExtension
    ) -> abci.ResponseVerifyVoteExtension:
        """Take a share unchecked: refusing it would drop the vote, and could stop the chain."""
        economy = self._economy(request.validator_address)
        if len(request.vote_extension) > SHARE_BYTES:
            self._tally.count(REFUSED_EXTENSION, economy, height=request.height)
            return abci.ResponseVerifyVoteExtension(status=_REJECT_VOTE)
        if request.height == self.rounds.now.attested.engine_height:
            self.rounds.now.put(economy, request.vote_extension)
        return abci.ResponseVerifyVoteExtension(status=_ACCEPT_VOTE)

    # Blocks.

    def finalize_block(self, request: abci.RequestFinalizeBlock) -> abci.ResponseFinalizeBlock:
        """Execute a decided block on top of what is committed; nothing changes yet.

        Raises `EngineStopped` for a height that does not follow.
        """
        if request.height != self.height + 1:
            raise EngineStopped(
                f"CometBFT decided block {request.height}, and {self.height + 1} is the next here"
            )
        state = self._machine.state
        for each in request.misbehavior:
            who = self._economy(each.validator.address)
            self._tally.count(EQUIVOCATION, who, height=each.height)
        seal, forms = split_block(request.txs)
        self.rounds.decided(seal)
        time = _milliseconds(request.time)
        block = self._machine.execute([transaction_of(form) for form in forms], time)
        self._decided = (block, forms, self.rounds.now.attested.mark(time))
        self._on_step("abci:executed")
        if any(isinstance(result, str) for result in block.results):
            proposer = self._economy(request.proposer_address)
            self._tally.count(USELESS_TRANSACTION, proposer, height=request.height)
        results = [abci.ExecTxResult()] * (seal is not None)
        results += [abci.ExecTxResult(code=number_of(result)) for result in block.results]
        before, after = state.signing_sets.current, block.draft.signing_sets.current
        updates: Sequence[abci.ValidatorUpdate] = ()
        if before != after:
            powers = self._validators.powers
            updates = updates_between(powers(state, before), powers(state, after))
        return abci.ResponseFinalizeBlock(
            tx_results=results,
            validator_updates=updates,
            app_hash=block.header_hash if block.header is not None else state.header_hash,
        )

    def commit(self, _: abci.RequestCommit) -> abci.ResponseCommit:
        """Store the decided block with CometBFT's height, then make it current and tell everyone.

        Raises the store's errors; then nothing has changed here, and the disk knows the rest.
        """
        if self._decided is None:
            raise EngineStopped("CometBFT commits a block that it has not decided")
        block, forms, mark = self._decided
        if block.header is None:
            self._store.keep_mark(mark)
        else:
            self._store.append_marked(
                block.header.height, block.header_bytes, block.transactions, mark
            )
        self._on_step("abci:stored")
        self._machine.advance(block)
        self._decided = None
        self._mark = mark
        self.rounds.pass_on(mark)
        self._on_step("abci:advanced")
        # First what entered: a transaction that stands in a block twice has entered.
        if block.header is not None:
            self._feed.tell(block)
        entered = []
        for form, result in zip(forms, block.results, strict=True):
            if isinstance(result, str):
                self._feed.tell_refused(transaction_of(form), result)
            else:
                entered.append(form)
        for transaction in self.mempool.after_block(entered):
            self._feed.tell_refused(transaction, SEQUENCE_USED)
        if block.header is not None:
            self._feed.announce()
        self._on_step("abci:told")
        return abci.ResponseCommit(retain_height=max(mark.height - self._retained_blocks, 0))

    # Questions, and snapshots.

    def query(self, _: abci.RequestQuery) -> abci.ResponseQuery:
        """Nothing is asked this way: the node answers with proofs, over its own services."""
        return abci.ResponseQuery(code=1, log="ask the node", height=self.height)

    def list_snapshots(self, _: abci.RequestListSnapshots) -> abci.ResponseListSnapshots:
        """The snapshots that others may have."""
        return self._state_sync.list()

    def load_snapshot_chunk(
        self, request: abci.RequestLoadSnapshotChunk
    ) -> abci.ResponseLoadSnapshotChunk:
        """One chunk; empty where there is none."""
        return self._state_sync.load(request)

    def offer_snapshot(self, request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """Whether to take a snapshot that a peer offers."""
        held = self._machine.state.header_hash
        return self._state_sync.offer(request, height=self.height, header_hash=held)

    def apply_snapshot_chunk(
        self, request: abci.RequestApplySnapshotChunk
    ) -> abci.ResponseApplySnapshotChunk:
        """Take a chunk; after the last one the machine has the snapshot's state."""
        answer, done = self._state_sync.apply(request)
        if done:
            self._mark = self._store.mark()
            self.rounds.take_up(self._mark)
            self._feed.announce()
        return answer

    def _refuse(self, transactions: Sequence[bytes]) -> str:
        """Why a proposal is refused; empty where it is not."""
        if not fits(transactions, self._machine.state.parameters.max_block_transactions):
            return "it is too large"
        seal, _ = split_block(transactions)
        if seal is not None and self.rounds.is_wrong(seal):
            return "its seal is wrong"
        return ""

    def _economy(self, address: bytes) -> str | None:
        """The member whose validator has, or had, this address."""
        return self._validators.economy_of(self._machine.state, address)


def _milliseconds(time: Timestamp) -> int:
    return time.seconds * 1_000 + time.nanos // 1_000_000
