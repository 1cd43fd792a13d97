"""Seals by vote extensions: what the votes on one block attest, and the shares collected of it.

While CometBFT votes on block H, the newest header is the one after block H-1. Each vote carries the
voter's share over that header, at the time of block H-1 or the header's own, if later: 96 bytes and
nothing else. All shares of one height are over the same message, so their sum is a seal.

Shares come unchecked. The sum of all is checked at once; where that fails, one by one, and who sent
a wrong one is remembered. A late vote comes with its share in the next proposal, which nobody has
verified before: it is checked here like any other.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from ledger.bls.scheme import SIGNATURE_BYTES, BlsBackend
from ledger.chain.seal import aggregate_seal, level_of, open_seal, parse_seal, share_message
from ledger.chain.signing_set import SigningSet
from ledger.errors import CheckError, FormatError
from ledger.state.state import State
from service.engine.cometbft.protocol import BlockMark
from service.engine.protocol import Sealed

SHARE_BYTES: Final = SIGNATURE_BYTES


class Attested(NamedTuple):
    """What the votes on CometBFT's block at `engine_height` attest. `time`: Unix milliseconds."""

    engine_height: int
    height: int
    header_hash: bytes
    time: int
    signing_set: SigningSet

    def mark(self, time: int) -> BlockMark:
        """The mark of that block, which has `time`."""
        return BlockMark(self.engine_height, time, self.height, self.time)


def attested_next(state: State, mark: BlockMark | None) -> Attested:
    """What the votes on the block after `mark` attest; its `time` is 0 where nobody can know."""
    if mark is None:
        height, time = 1, state.header_time
    elif mark.time == 0:
        height, time = mark.height + 1, 0
    else:
        height, time = mark.height + 1, max(mark.time, state.header_time)
    return Attested(height, state.height, state.header_hash, time, state.signing_sets.current)


def attested_before(state: State, mark: BlockMark | None) -> Attested | None:
    """What the votes on the block of `mark` attested; None where that is not known."""
    if mark is None or mark.attested_time == 0:
        return None
    height = mark.attested_height
    if height not in {state.height, state.height - 1} or height < 0:
        return None
    hashed = state.header_hash if height == state.height else state.header.previous
    signing_set = state.signing_set_of(height)
    return Attested(mark.height, height, hashed, mark.attested_time, signing_set)


class SignedBy(NamedTuple):
    """A seal and the economies whose shares are in it."""

    seal: Sealed
    signers: tuple[str, ...]


class Shares:
    """The shares of one height: `good` by economy, and who sent a `wrong` one.

    `seen`: this node takes part in the vote, so whose share it does not see is missing.
    """

    def __init__(self, attested: Attested, network_id: bytes, backend: BlsBackend) -> None:
        self.attested = attested
        self.good: dict[str, bytes] = {}
        self.wrong: set[str] = set()
        self.seen = False
        self._backend = backend
        self._network_id = network_id
        self._keys = {each.economy: each.key for each in attested.signing_set.members}
        self._message = share_message(network_id, attested.header_hash, attested.time)
        self._unchecked: dict[str, bytes] = {}

    def put(self, economy: str | None, share: bytes) -> None:
        """Take the share of a member; whatever it is, it is checked later."""
        if economy not in self._keys or economy in self.good or not share:
            return
        before = self._unchecked.get(economy)
        if before is not None and before != share:
            # Votes of two rounds differ: an honest member's shares do not.
            self._check([economy])
            if economy in self.good:
                return
        self._unchecked[economy] = share

    def seal(self) -> SignedBy | None:
        """The seal of all good shares; None for at most a third of the weight."""
        self._check(list(self._unchecked))
        attested = self.attested
        members = attested.signing_set
        weight = sum(each.weight for each in members.members if each.economy in self.good)
        level = level_of(weight, members.total)
        if level is None:
            return None
        data = aggregate_seal(
            members, attested.header_hash, attested.time, self.good, self._backend
        )
        return SignedBy(Sealed(data, attested.time, weight, level), tuple(sorted(self.good)))

    def judge(self, seal: bytes) -> SignedBy | None:
        """Read a seal that somebody made of these shares; None where it is wrong."""
        attested = self.attested
        try:
            parsed = parse_seal(seal)
            if (parsed.header_hash, parsed.attested_time) != (attested.header_hash, attested.time):
                return None
            value = open_seal(seal, attested.signing_set, self._network_id, self._backend)
        except (FormatError, CheckError):
            return None
        sealed = Sealed(seal, value.attested_time, value.weight, value.level)
        return SignedBy(sealed, value.signers)

    def without(self, signers: Iterable[str]) -> list[str]:
        """The members that sent nothing good and are not among `signers`, ascending."""
        return [each for each in self._keys if each not in self.good and each not in set(signers)]

    def _check(self, economies: list[str]) -> None:
        """Move these from unchecked to good or wrong."""
        shares = {
            economy: share
            for economy in economies
            if len(share := self._unchecked.pop(economy)) == SHARE_BYTES
        }
        self.wrong.update(economy for economy in economies if economy not in shares)
        if shares and not self._all_good(shares):
            for economy, share in tuple(shares.items()):
                if not self._backend.verify(self._keys[economy], self._message, share):
                    del shares[economy]
                    self.wrong.add(economy)
        self.good.update(shares)
        self.wrong.difference_update(shares)

    def _all_good(self, shares: dict[str, bytes]) -> bool:
        try:
            total = self._backend.aggregate(list(shares.values()))
        except FormatError:
            return False
        keys = [self._keys[economy] for economy in shares]
        return self._backend.fast_aggregate_verify(keys, self._message, total)
