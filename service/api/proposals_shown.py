"""Which proposals one answer holds, so that nobody's many hide another's.

Whoever is a member may propose, and nothing on the ledger limits how often. All proposals of a year
fit an answer many times over; where they do not, open ones go before the others, and each member's
newest before any member's second: who floods the list crowds out its own.

>>> shown_proposals({}, now=0)
([], 0)
"""

from collections.abc import Mapping
from typing import Final

from ledger.chain.governance import format_proposal
from ledger.state.proposals import ProposalState

# Of 16 MiB that a node answers and a client takes; with the members' own data there is room.
ANSWER_BYTES: Final = 8 << 20
# What an answer says of a proposal beside the proposal: id, height, who has voted.
_BESIDE_BYTES: Final = 64
_BYTES_OF_VOTE: Final = 4


def shown_proposals(
    proposals: Mapping[bytes, ProposalState], now: int, room: int = ANSWER_BYTES
) -> tuple[list[tuple[bytes, ProposalState]], int]:
    """Those that fit into `room` bytes, the newest first, and how many do not."""
    newest_first = list(proposals.items())[::-1]
    turns: dict[tuple[str, bool], int] = {}
    order = []
    for place, (_, proposal) in enumerate(newest_first):
        closed = proposal.closed(now)
        turn = turns[proposal.proposer, closed] = turns.get((proposal.proposer, closed), 0) + 1
        order.append((closed, turn, place))
    chosen = []
    for _, _, place in sorted(order):
        proposal = newest_first[place][1]
        room -= len(format_proposal(proposal.proposal)) + _BESIDE_BYTES
        room -= _BYTES_OF_VOTE * len(proposal.votes)
        if room < 0:
            break
        chosen.append(place)
    return [newest_first[place] for place in sorted(chosen)], len(newest_first) - len(chosen)
