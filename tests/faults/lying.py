"""The node of a member that lies in its votes: `python -m faults.lying LIE node run --config ...`.

    junk      96 random bytes where its share should be
    other     a good share of its own key, but of another header of the same height
    copied    the share that another member sent
    none      nothing

All else it does as it should: it proposes, votes, publishes and answers. Started like this, a node
keeps no guard over what it lies about. One lie is about blocks:

    nil       it votes against every proposal, and publishes nothing; beside an honest node with the
              same keys, that makes two votes of one member
"""

import os
import sys
from collections.abc import Sequence
from concurrent.futures import Future
from pathlib import Path
from typing import Final

from aeo.abci.v1 import abci_pb2 as abci
from ledger.bls.scheme import default_backend
from ledger.chain.seal import sign_share
from service import aeo
from service.engine.cometbft.application import Application
from service.engine.cometbft.engine import CometBftEngine
from service.engine.cometbft.extensions import SHARE_BYTES
from service.engine.protocol import Outcome
from service.node import ordering

LIES: Final = ("junk", "other", "copied", "none", "nil")
ROOT: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT: Final = {"PYTHONPATH": f"{ROOT}:{ROOT / 'proto/gen'}:{ROOT / 'tests'}"}


class Liar(Application):
    """An application whose votes carry what `lie` says."""

    lie = ""
    _seen = b""

    def extend_vote(self, request: abci.RequestExtendVote) -> abci.ResponseExtendVote:
        """Lie."""
        if self.lie == "nil":
            return super().extend_vote(request)
        return abci.ResponseExtendVote(vote_extension=self._told(request))

    def verify_vote_extension(
        self, request: abci.RequestVerifyVoteExtension
    ) -> abci.ResponseVerifyVoteExtension:
        """Keep what others sent, to send it as one's own."""
        if len(request.vote_extension) == SHARE_BYTES:
            self._seen = request.vote_extension
        return super().verify_vote_extension(request)

    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Refuse all of them, or answer as others do."""
        if self.lie == "nil":
            refused = abci.ResponseProcessProposal.PROPOSAL_STATUS_REJECT
            return abci.ResponseProcessProposal(status=refused)
        return super().process_proposal(request)

    def _told(self, request: abci.RequestExtendVote) -> bytes:
        if self.lie == "junk":
            return os.urandom(SHARE_BYTES)
        if self.lie == "copied":
            return self._seen
        if self.lie == "none":
            return b""
        state, keys = self._machine.state, self._signer._keys
        key = keys.in_force(state)
        assert key is not None, "a liar is a member"
        another = bytes(31) + bytes([request.height % 251])
        return sign_share(
            key.secret,
            default_backend(),
            state.network_id,
            another,
            max(self.rounds.now.attested.time, 1),
        )


class Silent(CometBftEngine):
    """An engine that hands nothing over, and never says so."""

    def submit(self, transactions: Sequence[bytes]) -> "Future[tuple[Outcome, ...]]":
        """Keep them."""
        return Future()


def command(lie: str) -> list[str]:
    """How a node is run that lies so; for `MemberNode.start`."""
    return [sys.executable, "-m", "faults.lying", lie, "node", "run"]


def main() -> None:
    """Take the lie from the command line, and be a node otherwise."""
    Liar.lie = sys.argv.pop(1)
    assert Liar.lie in LIES, Liar.lie
    ordering.Application = Liar
    if Liar.lie == "nil":
        ordering.CometBftEngine = Silent
    aeo.main()


if __name__ == "__main__":
    main()
