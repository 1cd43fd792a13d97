"""Two rounds of shares at a time: of the votes on the block to come, and on the block before it.

    votes on block H          each brings a share of the newest header (`now`)
    block H is decided        what came is a seal: kept at once, by every node
    votes that come late      reach the proposer of block H+1, who puts the best seal into it
    block H+1 is decided      everybody keeps that seal if it is better, and the round is over:
                              whose share was wrong, or never came, is counted

Shares lie in memory alone. After a restart the round before is known again from the store's mark,
so a proposal's seal can be judged; shares that were collected come no more, and need not: the next
votes bring others.
"""

from collections.abc import Iterable

from ledger.bls.scheme import BlsBackend
from ledger.chain.seal import SEALED
from ledger.state.machine import Machine
from service.engine.cometbft.extensions import (
    Attested,
    Shares,
    SignedBy,
    attested_before,
    attested_next,
)
from service.engine.cometbft.protocol import BlockMark, EngineStore
from service.engine.cometbft.tally import MISSING_SHARE, WRONG_SHARE, Tally
from service.engine.feed import BlockFeed
from service.engine.protocol import Sealed


class Rounds:
    """The shares of two rounds, and the seals made of them.

    `newest_seal` is (height, seal) of the newest header that this process knows a seal of, replaced
    as a whole. `before` is None where what the votes on the block before attested is not known.
    """

    def __init__(
        self,
        machine: Machine,
        store: EngineStore,
        feed: BlockFeed,
        tally: Tally,
        backend: BlsBackend,
    ) -> None:
        self.newest_seal: tuple[int, Sealed] | None = None
        self._machine = machine
        self._store = store
        self._feed = feed
        self._tally = tally
        self._backend = backend
        self.now: Shares
        self.before: Shares | None
        # The newest seal of the round before that was found right.
        self._judged: SignedBy | None
        self.take_up(store.mark())

    def take_up(self, mark: BlockMark | None) -> None:
        """Go on from what the store and the machine have."""
        state = self._machine.state
        self.now = self._shares_of(attested_next(state, mark))
        before = attested_before(state, mark)
        self.before = None if before is None else self._shares_of(before)
        self._judged = None

    def pass_on(self, mark: BlockMark) -> None:
        """The block of `mark` is committed: what was voted on is the round before now."""
        if self.before is not None and self.before.seen:
            self._count(self.before)
        self.before = self.now if self.now.attested.time else None
        self.now = self._shares_of(attested_next(self._machine.state, mark))
        self._judged = None

    def propose(self, late: Iterable[tuple[str | None, bytes]]) -> bytes:
        """The seal for a proposal: of every good share of the round before; or nothing.

        `late` are the shares of all votes on it, by economy; nobody has verified them before.
        """
        if self.before is None:
            return b""
        for economy, share in late:
            self.before.put(economy, share)
        self._judged = self.before.seal()
        return b"" if self._judged is None else self._judged.seal.data

    def is_wrong(self, seal: bytes) -> bool:
        """Whether a proposal's seal is not one of the round before, as far as that is known."""
        return self.before is not None and self._judge(self.before, seal) is None

    def decided(self, injected: bytes | None) -> None:
        """Keep what the votes on a block sealed, and the seal that its proposer put into it."""
        if injected is not None and self.before is not None:
            judged = self._judge(self.before, injected)
            if judged is not None:
                self._keep(self.before.attested.height, judged.seal)
        made = self.now.seal()
        if made is not None:
            self._keep(self.now.attested.height, made.seal)

    def _shares_of(self, attested: Attested) -> Shares:
        return Shares(attested, self._machine.state.network_id, self._backend)

    def _judge(self, before: Shares, seal: bytes) -> SignedBy | None:
        """Read a seal of the round before; a right one is not checked twice."""
        if self._judged is None or self._judged.seal.data != seal:
            judged = before.judge(seal)
            if judged is None:
                return None
            self._judged = judged
        return self._judged

    def _keep(self, height: int, seal: Sealed) -> None:
        newest = self.newest_seal
        if newest is not None and newest[0] == height and _goodness(newest[1]) >= _goodness(seal):
            return
        if self._store.keep_seal(height, seal) and (newest is None or newest[0] <= height):
            self.newest_seal = height, seal
            self._feed.announce()

    def _count(self, shares: Shares) -> None:
        """Count whose share was wrong or never came, now that no more will be taken."""
        height = shares.attested.height
        signers = () if self._judged is None else self._judged.signers
        for economy in sorted(shares.wrong):
            self._tally.count(WRONG_SHARE, economy, height=height)
        for economy in shares.without(signers):
            if economy not in shares.wrong:
                self._tally.count(MISSING_SHARE, economy, height=height)


def _goodness(seal: Sealed) -> tuple[bool, int, int]:
    """What makes one seal of a header better than another, as the store has it."""
    return seal.level == SEALED, seal.attested_time, seal.weight
