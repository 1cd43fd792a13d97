"""The node of a member that lies when it proposes: `python -m cometbft.lying_proposer LIE ...`.

    seal      a seal whose signature does not verify
    large     more than a block may have
    useless   hundreds of transactions that cannot enter the log

It accepts its own proposals; all else it does as it should.
"""

import os
import sys
from pathlib import Path
from typing import Final

from aeo.abci.v1 import abci_pb2 as abci
from service import aeo
from service.engine.cometbft.application import Application
from service.engine.cometbft.proposal import BLOCK_BYTES
from service.node import ordering

LIES: Final = ("seal", "large", "useless")
ROOT: Final = Path(__file__).resolve().parents[2]
ENVIRONMENT: Final = {"PYTHONPATH": f"{ROOT}:{ROOT / 'proto/gen'}:{ROOT / 'tests'}"}


class LyingProposer(Application):
    """An application that proposes what `lie` says."""

    lie = ""

    def prepare_proposal(
        self, request: abci.RequestPrepareProposal
    ) -> abci.ResponsePrepareProposal:
        """Lie."""
        honest = list(super().prepare_proposal(request).txs)
        made = {
            "seal": [b"\x02" + os.urandom(137), *honest[1:]],
            "large": [*honest, os.urandom(2 * BLOCK_BYTES)],
            "useless": [*honest[:1], *(os.urandom(100) for _ in range(500))],
        }
        return abci.ResponsePrepareProposal(txs=made[self.lie])

    def process_proposal(
        self, request: abci.RequestProcessProposal
    ) -> abci.ResponseProcessProposal:
        """Find nothing wrong with one's own lies."""
        return abci.ResponseProcessProposal(
            status=abci.ResponseProcessProposal.PROPOSAL_STATUS_ACCEPT
        )


def command(lie: str) -> list[str]:
    """How a node is run that lies so."""
    return [sys.executable, "-m", "cometbft.lying_proposer", lie, "node", "run"]


def main() -> None:
    """Take the lie from the command line, and be a node otherwise."""
    LyingProposer.lie = sys.argv.pop(1)
    assert LyingProposer.lie in LIES, LyingProposer.lie
    ordering.Application = LyingProposer
    aeo.main()


if __name__ == "__main__":
    main()
