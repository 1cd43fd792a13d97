"""A proposal on the ledger: what it would change, who has voted, and what came of it.

Its history (kind 8 of the state map) holds the GovernanceStep bytes of the proposal and of each
vote; after the vote that decides, one entry of its own at the same place: 1 accepted, 2 refused.

Counted is the weight that each voter has in the signing set in force now, over that set's total:
an accepted proposal has more than two thirds of it, and one against which a third stands can no
longer be accepted, so it is refused. After a hand-over the votes cast before it count as much as
the new set says. Votes of members that were suspended or removed since do not count, since nobody
knows who cast them; the total stays. Reinstated, a member has cast them after all; admitted again
with new keys it has not, and may vote anew on what is open.

>>> from ledger.chain.signing_set import SigningMember
>>> three = SigningSet(tuple(SigningMember(economy, 2, economy.encode() * 24)
...                          for economy in ("AU", "SG", "TH")))
>>> for votes in ({"AU": True, "SG": True}, dict.fromkeys(("AU", "SG", "TH"), True), {"TH": False}):
...     count_votes(votes, three, {"AU", "SG", "TH"})
0
1
2
>>> count_votes(dict.fromkeys(("AU", "SG", "TH"), True), three, {"AU", "SG"})
0
"""

from collections.abc import Container, Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from ledger.chain.governance import Proposal
from ledger.chain.history import HistoryEntry
from ledger.chain.signing_set import SigningSet
from ledger.state.membership import History

Result: TypeAlias = Literal[0, 1, 2]
OPEN: Final[Result] = 0
ACCEPTED: Final[Result] = 1
REFUSED: Final[Result] = 2


class ProposalState(NamedTuple):
    """A proposal and what it came to. `height` and `time` (Unix ms) are those of its proposing."""

    proposal: Proposal
    proposer: str
    height: int
    time: int
    votes: Mapping[str, bool]
    result: Result
    history: History

    @property
    def records(self) -> tuple[HistoryEntry, ...]:
        """The entries of its history, oldest first."""
        return self.history.entries

    @property
    def head(self) -> bytes:
        """The value that the state map holds, 32 bytes."""
        return self.history.head

    def closed(self, time: int) -> bool:
        """Whether a vote recorded at `time` comes too late."""
        return self.result != OPEN or time >= self.proposal.closes_at


def count_votes(votes: Mapping[str, bool], current: SigningSet, members: Container[str]) -> Result:
    """What these votes come to under the signing set in force; `members` are those that count."""
    favour = against = 0
    for member in current.members:
        if member.economy in members and member.economy in votes:
            if votes[member.economy]:
                favour += member.weight
            else:
                against += member.weight
    if 3 * favour > 2 * current.total:
        return ACCEPTED
    return REFUSED if 3 * against >= current.total else OPEN
