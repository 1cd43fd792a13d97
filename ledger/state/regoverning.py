"""What was voted, from the histories of proposals: members, parameters, and pending sets.

A snapshot holds the history of every proposal and every rotation, but not what they came to. Here
each is gone through again in log order. Whether a vote decided, its history says; what it changed,
`ledger.state.changing` works out as it did then. No signature and no rule of entering is checked:
whoever restores compares the heads of all that comes out with a map root.

One thing stands in no history: where in its block a hand-over stood. A suspension makes a new set
pending after it, and none before it. So the signing sets are followed along every order that is
possible, and those orders are left that lead to the sets that the headers and the map name.

>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.genesis import Genesis
>>> from ledger.chain.governance import Proposal, Removal, format_governance_step
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.registration import Registration
>>> from ledger.chain.signing_set import SigningMember
>>> from ledger.hashing import ZERO_HASH
>>> from ledger.state.machine import Machine
>>> keys = {"KR": b"k" * 48, "TW": b"t" * 48}
>>> founders = [Registration(ZERO_HASH, economy, "Customs", "UTC", (economy,), 1, key, b"", b"",
...                          b"", "", key[:8], b"exact bytes") for economy, key in keys.items()]
>>> founding = SigningSet(tuple(SigningMember(economy, 1, key) for economy, key in keys.items()))
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, tuple(founders), DEFAULT_PARAMETERS, b"",
...                   founding, b"exact bytes")
>>> propose = format_governance_step(Propose(Proposal(9_000, Removal("TW"))))
>>> vote = format_governance_step(Vote(b"p" * 16, in_favour=True))
>>> last = HistoryEntry(2, 3_000, 2, 0, "TW", vote)
>>> first = HistoryEntry(1, 2_000, 0, 0, "KR", propose)
>>> entries = [first, first._replace(log_index=1, record=vote),
...            last, last._replace(record=bytes([ACCEPTED]))]
>>> sets = SigningSets(founding, SigningSet((SigningMember("KR", 1, keys["KR"]),)))
>>> governed = govern_again(Machine(genesis, default_backend()).state, {b"p" * 16: entries}, [], [],
...                         sets)
>>> sorted(governed.membership.members), governed.pending_since
(['KR'], 2)
"""

from collections.abc import Iterator, Mapping, Sequence
from itertools import pairwise
from typing import Final, NamedTuple

from ledger.chain.governance import (
    Admission,
    GovernanceStep,
    Propose,
    Rotation,
    Vote,
    parse_governance_step,
)
from ledger.chain.history import HistoryEntry
from ledger.chain.registration import parse_registration
from ledger.chain.signing_set import SigningSet, SigningSets
from ledger.errors import ChainError
from ledger.state.changing import effect_of
from ledger.state.draft import Draft
from ledger.state.membership import History, Membership
from ledger.state.proposals import ACCEPTED, OPEN, REFUSED, ProposalState, Result
from ledger.state.state import State

_ACCEPTED: Final = ACCEPTED.to_bytes(1)
_REFUSED: Final = REFUSED.to_bytes(1)

CurrentSets = tuple[tuple[int, SigningSet], ...]


class HandedOver(NamedTuple):
    """That the header at `height` is the first to name the set of this hash."""

    height: int
    set_hash: bytes


class Governed(NamedTuple):
    """What all votes and rotations came to; fields as in `State`."""

    membership: Membership
    proposals: Mapping[bytes, ProposalState]
    parameter_bytes: bytes
    current_sets: CurrentSets
    pending_since: int


class _Order(NamedTuple):
    """The signing sets in one order of things; how many hand-overs are done."""

    sets: SigningSets
    pending_since: int
    current_sets: CurrentSets
    done: int


class _Event(NamedTuple):
    """A step at its place; of a vote, whether it decided."""

    entry: HistoryEntry
    identity: bytes
    result: Result


def govern_again(
    begin: State,
    proposals: Mapping[bytes, Sequence[HistoryEntry]],
    rotations: Sequence[HistoryEntry],
    hand_overs: Sequence[HandedOver],
    sets: SigningSets,
) -> Governed:
    """Go through everything from `begin`, a ledger's state at height 0, to the sets given.

    Raises `ChainError` or `FormatError` where that cannot have happened.
    """
    again = _Again(begin, hand_overs)
    for event in _events(proposals, rotations):
        again.take(event)
    return again.finish(sets)


def _events(
    proposals: Mapping[bytes, Sequence[HistoryEntry]], rotations: Sequence[HistoryEntry]
) -> list[_Event]:
    events = [_Event(entry, b"", OPEN) for entry in rotations]
    for identity, entries in proposals.items():
        events += _of_proposal(identity, entries)
    events.sort(key=lambda event: event.entry.log_index)
    for event, following in pairwise(events):
        if event.entry.log_index == following.entry.log_index:
            raise ChainError("governance", f"log entry {event.entry.log_index} has two steps")
    return events


def _of_proposal(identity: bytes, entries: Sequence[HistoryEntry]) -> Iterator[_Event]:
    """Each step of a proposal; a result stands behind the vote that it is of, at its place."""
    decided = False
    for entry, following in zip(entries, [*entries[1:], None], strict=True):
        if decided:
            decided = False
            continue
        result: Result = OPEN
        if following is not None and following.record in (_ACCEPTED, _REFUSED):
            if following._replace(record=entry.record) != entry:
                raise ChainError("governance", "a result stands elsewhere than its vote")
            result = ACCEPTED if following.record == _ACCEPTED else REFUSED
            decided = True
        yield _Event(entry, identity, result)


class _Again:
    """Where things stand after some events. Only a draft's parts for governance are used."""

    def __init__(self, begin: State, hand_overs: Sequence[HandedOver]) -> None:
        self._draft = Draft(begin, begin.header_time)
        self._hand_overs = hand_overs
        self._proposals: dict[bytes, ProposalState] = {}
        self._parameters = begin.parameter_bytes
        self._orders = [_Order(begin.signing_sets, 0, begin.current_sets, 0)]

    def take(self, event: _Event) -> None:
        """One event more."""
        entry, identity = event.entry, event.identity
        draft = self._draft
        draft.height, draft.time = entry.height, entry.time
        step: GovernanceStep = parse_governance_step(entry.record)
        match step:
            case Rotation(registration) if not identity:
                new = parse_registration(registration)
                draft.membership = draft.membership.rotate(new, entry)
            case Propose(proposal) if identity and identity not in self._proposals:
                history = History().add(entry)
                self._proposals[identity] = ProposalState(
                    proposal, entry.author, entry.height, entry.time, {}, OPEN, history
                )
            case Vote(named) if identity == named:
                self._vote(identity, step, event)
            case _:
                raise ChainError("governance", f"log entry {entry.log_index} is another step")

    def finish(self, sets: SigningSets) -> Governed:
        """What it came to; of all orders those that lead to `sets`."""
        self._hand_over_before(None)
        left = {
            (order.pending_since, order.current_sets)
            for order in self._orders
            if order.sets == sets
        }
        if len(left) != 1:
            raise ChainError("signing sets", "the votes do not lead to them")
        ((pending_since, current_sets),) = left
        return Governed(
            self._draft.membership, self._proposals, self._parameters, current_sets, pending_since
        )

    def _vote(self, identity: bytes, vote: Vote, event: _Event) -> None:
        before, entry = self._proposals[identity], event.entry
        votes = {**before.votes, entry.author: vote.in_favour}
        history = before.history.add(entry)
        if event.result == ACCEPTED:
            self._take_effect(before, entry)
        if event.result != OPEN:
            history = history.add(entry._replace(record=event.result.to_bytes(1)))
        self._proposals[identity] = before._replace(
            votes=votes, result=event.result, history=history
        )

    def _take_effect(self, accepted: ProposalState, entry: HistoryEntry) -> None:
        """Change what the proposal changes, along every order in which it can."""
        self._hand_over_before(entry.height)
        draft = self._draft
        change = accepted.proposal.change
        after: Membership | None = None
        orders: list[_Order] = []
        for order in self._orders:
            draft.signing_sets = order.sets
            effect = effect_of(change, draft, entry)
            if isinstance(effect, str):
                continue
            after = effect.membership
            self._parameters = effect.parameters or self._parameters
            if effect.pending is None:
                orders.append(order)
            else:
                sets = SigningSets(order.sets.current, effect.pending)
                orders.append(order._replace(sets=sets, pending_since=entry.height))
        if after is None:
            raise ChainError("governance", f"log entry {entry.log_index} cannot have decided")
        draft.membership = after
        self._orders = orders
        if isinstance(change, Admission):
            self._forget_votes(parse_registration(change.registration).economy)

    def _forget_votes(self, economy: str) -> None:
        for identity, proposal in self._proposals.items():
            if proposal.result == OPEN and economy in proposal.votes:
                votes = {voter: vote for voter, vote in proposal.votes.items() if voter != economy}
                self._proposals[identity] = proposal._replace(votes=votes)

    def _hand_over_before(self, height: int | None) -> None:
        """Hand over where that must have happened before `height`, or may have in its block."""
        orders: list[_Order] = []
        waiting = list(self._orders)
        while waiting:
            order = waiting.pop(0)
            due = self._hand_overs[order.done] if order.done < len(self._hand_overs) else None
            if due is None or (height is not None and due.height > height):
                orders.append(order)
                continue
            if due.height == height:
                orders.append(order)
            pending = order.sets.pending
            # A seal of a header that shows the pending set came before.
            if (
                pending is not None
                and pending.hash == due.set_hash
                and order.pending_since < due.height
            ):
                waiting.append(
                    _Order(
                        SigningSets(pending, None),
                        0,
                        (*order.current_sets, (due.height, pending)),
                        order.done + 1,
                    )
                )
        if not orders:
            raise ChainError("signing sets", "no vote led to a hand-over that the headers show")
        self._orders = orders
