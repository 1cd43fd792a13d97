"""Our state machine as CometBFT's application (ABCI 2.0): its calls, in the order of its grammar.

    info                   how far we are; CometBFT plays the rest again
    init_chain             once: is this the network that we are in?
    check_tx               may a transaction wait? (`mempool`)
    prepare_proposal       a block: the seal of the round before, and transactions (`proposal`)
    process_proposal       refuse only what is too large, or has a wrong seal
    extend_vote            our share over the newest header, past the guard file
    verify_vote_extension  the others' shares: taken unchecked, never refused (`extensions`)
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

import structlog
from google.protobuf.timestamp_pb2 import Timestamp

from aeo.abci.v1 import abci_pb2 as abci
from ledger.bls.scheme import BlsBackend
from ledger.chain.seal import SEALED
from ledger.errors import LedgerError
from ledger.state.machine import Block, Machine
from ledger.state.refusals import SEQUENCE_USED
from service.engine.cometbft.codes import number_of
from service.engine.cometbft.extensions import (
    SHARE_BYTES,
    Attested,
    Shares,
    SignedBy,
    attested_before,
    attested_next,
)
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
    SnapshotInfo,
    SnapshotStore,
)
from service.engine.cometbft.tally import (
    EQUIVOCATION,
    MISSING_SHARE,
    REFUSED_EXTENSION,
    REFUSED_PROPOSAL,
    USELESS_TRANSACTION,
    WRONG_SHARE,
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
_OFFER: Final = abci.ResponseOfferSnapshot
_APPLY: Final = abci.ResponseApplySnapshotChunk

_log = structlog.get_logger("aeo.engine")


class Application:
    """The application of one validator. Calls come from one thread; attributes any may read.

    `newest_seal` is (height, seal) of the newest header that this process knows a seal of, replaced
    as a whole; `counts` is who did what, by kind and member; `height` is CometBFT's, as committed;
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
        self.newest_seal: tuple[int, Sealed] | None = None
        self.failure: Exception | None = None
        self.mempool = Mempool(machine, backend)
        self._machine = machine
        self._store = store
        self._signer = signer
        self._feed = feed
        self._chain_id = chain_id
        self._backend = backend
        self._snapshots = snapshots
        self._retained_blocks = retained_blocks
        self._on_step = on_step
        self._tally = Tally()
        self._validators = Validators()
        self._mark: BlockMark | None = None
        # Of the block that is voted on, and of the one before it.
        self._shares: Shares
        self._shares_before: Shares | None = None
        # Executed and not yet committed: the block, what was given to it, and its mark.
        self._decided: tuple[Block, Sequence[bytes], BlockMark] | None = None
        # The newest seal of the round before that was found right.
        self._judged: SignedBy | None = None
        self._take_up()

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

    # Proposals.

    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """Make a block: the best seal of the round before, then what waits, fairly."""
        state = self._machine.state
        seal = self._seal_before(request)
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
            proposer = self._validators.economy_of(self._machine.state, request.proposer_address)
            self._tally.count(REFUSED_PROPOSAL, proposer, why=why, height=request.height)
        return abci.ResponseProcessProposal(status=_REJECT_PROPOSAL if why else _ACCEPT_PROPOSAL)

    # Votes.

    def extend_vote(self, request: abci.RequestExtendVote) -> abci.ResponseExtendVote:
        """Sign the newest header; an empty extension where we must not."""
        attested, signer = self._shares.attested, self._signer
        if signer is None or request.height != attested.engine_height or not attested.time:
            return abci.ResponseExtendVote()
        self._shares.seen = True
        share = signer.share(self._machine.state, attested.time)
        if share is None:
            return abci.ResponseExtendVote()
        self._shares.put(signer.economy, share)
        return abci.ResponseExtendVote(vote_extension=share)

    def verify_vote_extension(
        self, request: abci.RequestVerifyVoteExtension
    ) -> abci.ResponseVerifyVoteExtension:
        """Take a share unchecked: refusing it would drop the vote, and could stop the chain."""
        economy = self._validators.economy_of(self._machine.state, request.validator_address)
        if len(request.vote_extension) > SHARE_BYTES:
            self._tally.count(REFUSED_EXTENSION, economy, height=request.height)
            return abci.ResponseVerifyVoteExtension(status=_REJECT_VOTE)
        if request.height == self._shares.attested.engine_height:
            self._shares.put(economy, request.vote_extension)
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
        self._keep_seals(request)
        seal, transactions = split_block(request.txs)
        time = _milliseconds(request.time)
        block = self._machine.execute(transactions, time)
        self._decided = (block, transactions, self._shares.attested.mark(time))
        self._on_step("abci:executed")
        if any(isinstance(result, str) for result in block.results):
            proposer = self._validators.economy_of(state, request.proposer_address)
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
        block, transactions, mark = self._decided
        if block.header is None:
            self._store.keep_mark(mark)
        else:
            self._store.append_marked(
                block.header.height, block.header_bytes, block.transactions, mark
            )
        self._on_step("abci:stored")
        self._machine.advance(block)
        self._decided = None
        self._pass_on(mark)
        self._on_step("abci:advanced")
        # First what entered: a transaction that stands in a block twice has entered.
        if block.header is not None:
            self._feed.tell(block)
        for transaction, result in zip(transactions, block.results, strict=True):
            if isinstance(result, str):
                self._feed.tell_refused(transaction, result)
        for transaction in self.mempool.after_block(block.transactions):
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
        found = () if self._snapshots is None else self._snapshots.list()
        return abci.ResponseListSnapshots(
            snapshots=[abci.Snapshot(**each._asdict()) for each in found]
        )

    def load_snapshot_chunk(
        self, request: abci.RequestLoadSnapshotChunk
    ) -> abci.ResponseLoadSnapshotChunk:
        """One chunk; empty where there is none."""
        if self._snapshots is None:
            return abci.ResponseLoadSnapshotChunk()
        chunk = self._snapshots.chunk(request.height, request.format, request.chunk)
        return abci.ResponseLoadSnapshotChunk(chunk=chunk)

    def offer_snapshot(self, request: abci.RequestOfferSnapshot) -> abci.ResponseOfferSnapshot:
        """Whether to take a snapshot that a peer offers; the header's hash is checked already."""
        if self._snapshots is None or self.height:
            return abci.ResponseOfferSnapshot(result=_OFFER.RESULT_ABORT)
        given = request.snapshot
        info = SnapshotInfo(given.height, given.format, given.chunks, given.hash, given.metadata)
        try:
            wanted = self._snapshots.offer(info, request.app_hash)
        except LedgerError as error:
            _log.warning("snapshot refused", height=given.height, reason=str(error))
            wanted = False
        return abci.ResponseOfferSnapshot(
            result=_OFFER.RESULT_ACCEPT if wanted else _OFFER.RESULT_REJECT
        )

    def apply_snapshot_chunk(
        self, request: abci.RequestApplySnapshotChunk
    ) -> abci.ResponseApplySnapshotChunk:
        """Take a chunk; after the last one the machine has the snapshot's state."""
        if self._snapshots is None:
            return abci.ResponseApplySnapshotChunk(result=_APPLY.RESULT_ABORT)
        try:
            done = self._snapshots.apply(request.index, request.chunk)
        except LedgerError as error:
            _log.warning("snapshot refused", chunk=request.index, reason=str(error))
            return abci.ResponseApplySnapshotChunk(
                result=_APPLY.RESULT_REJECT_SNAPSHOT, reject_senders=[request.sender]
            )
        if done:
            self._take_up()
            self._feed.announce()
        return abci.ResponseApplySnapshotChunk(result=_APPLY.RESULT_ACCEPT)

    # What happens inside.

    def _take_up(self) -> None:
        """Go on from what the store and the machine have."""
        self._mark = self._store.mark()
        state = self._machine.state
        self._shares = self._shares_of(attested_next(state, self._mark))
        before = attested_before(state, self._mark)
        self._shares_before = None if before is None else self._shares_of(before)
        self._judged = None

    def _pass_on(self, mark: BlockMark) -> None:
        """The block of `mark` is committed: its votes are those of the round before now."""
        if self._shares_before is not None and self._shares_before.seen:
            self._count_shares(self._shares_before)
        self._mark = mark
        self._shares_before = self._shares if self._shares.attested.time else None
        self._shares = self._shares_of(attested_next(self._machine.state, mark))
        self._judged = None

    def _shares_of(self, attested: Attested) -> Shares:
        return Shares(attested, self._machine.state.network_id, self._backend)

    def _seal_before(self, request: abci.RequestPrepareProposal) -> bytes:
        """The seal of the round before, of every good share that its votes brought; or nothing."""
        shares = self._shares_before
        if shares is None:
            return b""
        for vote in request.local_last_commit.votes:
            address = vote.validator.address
            economy = self._validators.economy_of(self._machine.state, address)
            shares.put(economy, vote.vote_extension)
        self._judged = shares.seal()
        return b"" if self._judged is None else self._judged.seal.data

    def _refuse(self, transactions: Sequence[bytes]) -> str:
        """Why a proposal is refused; empty where it is not."""
        parameters = self._machine.state.parameters
        if not fits(transactions, parameters.max_block_transactions):
            return "it is too large"
        seal, _ = split_block(transactions)
        if seal is not None and self._shares_before is not None and self._judge(seal) is None:
            return "its seal is wrong"
        return ""

    def _judge(self, seal: bytes) -> SignedBy | None:
        """Read a seal of the round before; a right one is not checked twice."""
        if self._shares_before is None:
            return None
        if self._judged is None or self._judged.seal.data != seal:
            judged = self._shares_before.judge(seal)
            if judged is None:
                return None
            self._judged = judged
        return self._judged

    def _keep_seals(self, request: abci.RequestFinalizeBlock) -> None:
        """Keep what the votes on this very block sealed, and what its proposer put in."""
        for each in request.misbehavior:
            address = each.validator.address
            economy = self._validators.economy_of(self._machine.state, address)
            self._tally.count(EQUIVOCATION, economy, height=each.height)
        data, _ = split_block(request.txs)
        if data is not None and self._shares_before is not None:
            judged = self._judge(data)
            if judged is not None:
                self._keep_seal(self._shares_before.attested.height, judged.seal)
        newest = self._shares.seal()
        if newest is not None:
            self._keep_seal(self._shares.attested.height, newest.seal)

    def _count_shares(self, shares: Shares) -> None:
        """Count whose share was wrong or never came, now that no more will be taken."""
        height = shares.attested.height
        signers = () if self._judged is None else self._judged.signers
        for economy in sorted(shares.wrong):
            self._tally.count(WRONG_SHARE, economy, height=height)
        for economy in shares.without(signers):
            if economy not in shares.wrong:
                self._tally.count(MISSING_SHARE, economy, height=height)

    def _keep_seal(self, height: int, seal: Sealed) -> None:
        newest = self.newest_seal
        if newest is not None and newest[0] == height and _goodness(newest[1]) >= _goodness(seal):
            return
        if self._store.keep_seal(height, seal) and (newest is None or newest[0] <= height):
            self.newest_seal = height, seal
            self._feed.announce()


def _goodness(seal: Sealed) -> tuple[bool, int, int]:
    """What makes one seal of a header better than another, as the store has it."""
    return seal.level == SEALED, seal.attested_time, seal.weight


def _milliseconds(time: Timestamp) -> int:
    return time.seconds * 1_000 + time.nanos // 1_000_000
