"""Which transactions may wait in CometBFT's mempool, so that no member starves the others.

Of one author there wait at most the next `SEQUENCE_REACH` numbers, one transaction of each, and
`AUTHOR_BYTES`. What is checked anew after each block was checked before: its number is compared and
nothing else, unless the members have changed since. So numbers far ahead, which would otherwise
stay in front for ever, cost their author its places and nobody else anything.

What waits is known by the form in which it travels, and counted as what it is. One form of a
number waits, so nobody fills CometBFT's mempool with many forms of one transaction.

CometBFT may drop what waits without a word. Whatever it has not asked about between two blocks is
no longer counted.

Two transactions of one author, key and number convict the author. The first waits; of the others
one is kept aside, and told when the number has entered the log.
"""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice
from typing import Final, NamedTuple

from ledger.bls.scheme import BlsBackend
from ledger.chain.transaction import parse_transaction
from ledger.errors import NotEntered
from ledger.state.entering import (
    SEQUENCE_REACH,
    Candidate,
    check_number,
    check_signature,
    check_verified_header,
    read_candidate,
    verify_together,
)
from ledger.state.machine import Machine
from ledger.state.membership import Membership
from ledger.state.refusals import SEQUENCE_USED
from service.engine.cometbft.codes import AUTHOR_WAITS, NUMBER_WAITS
from service.engine.cometbft.compression import REMEMBERED as FORMS_REMEMBERED
from service.engine.cometbft.compression import transaction_of

# Three quarters of a block: who is alone fills one, and who is not waits two or three at most.
AUTHOR_BYTES: Final = 768 << 10
# An outbox that lags re-sends what entered: this far back a number that was used twice is noticed.
REMEMBERED: Final = 4 * SEQUENCE_REACH


class Place(NamedTuple):
    """An author and its number."""

    author: str
    number: int


@dataclass(slots=True)
class Waiting:
    """A transaction that waits, its form, under which members it was checked, since which block."""

    form: bytes
    transaction: bytes
    place: Place
    membership: Membership
    since: int


@dataclass(slots=True)
class _Author:
    """What waits of one author, what entered last, and what contradicts either, by number."""

    waiting: dict[int, Waiting] = field(default_factory=dict)
    size: int = 0
    entered: dict[int, bytes] = field(default_factory=dict)
    contradicting: dict[int, bytes] = field(default_factory=dict)


class Mempool:
    """What this node lets wait. `refused` counts by code. For the application's thread alone."""

    def __init__(self, machine: Machine, backend: BlsBackend) -> None:
        self.refused: Counter[str] = Counter()
        self._machine = machine
        self._backend = backend
        self._authors: dict[str, _Author] = {}
        self._places: dict[bytes, Waiting] = {}
        self._blocks = 0

    def __len__(self) -> int:
        return len(self._places)

    def check(self, form: bytes) -> str:
        """Whether the transaction of a form may wait: '', or the code that says why not."""
        try:
            self._admit(form)
        except NotEntered as error:
            self.refused[error.code] += 1
            return error.code
        return ""

    def verify_ahead(self, forms: Iterable[bytes]) -> None:
        """Verify the signatures of transactions that may wait, each author's in one batch.

        A third of the work of one at a time. What does not verify is only not remembered. Votes
        wait meanwhile, so no more are looked at than are remembered decompressed, and of each
        number the first alone is verified, if none of it waits: a flood cannot make it long.
        """
        state = self._machine.state
        candidates: dict[Place, Candidate] = {}
        for form in islice(forms, FORMS_REMEMBERED):
            try:
                candidate = read_candidate(state, transaction_of(form))
                economy, number = candidate.author.economy, candidate.parts.body.sequence
                check_number(candidate, state.next_sequence(economy) - 1, SEQUENCE_REACH)
            except NotEntered:
                continue
            if number not in self._author(economy).waiting:
                candidates.setdefault(Place(economy, number), candidate)
        verify_together(candidates.values(), self._machine.verified, self._backend)

    def check_again(self, form: bytes) -> str:
        """Whether what was let in may stay, after a block."""
        state, waiting = self._machine.state, self._places.get(form)
        if waiting is None or waiting.membership is not state.membership:
            if waiting is not None:
                self._drop(waiting)
            return self.check(form)
        if waiting.place.number < state.next_sequence(waiting.place.author):
            self._drop(waiting)
            return SEQUENCE_USED
        waiting.since = self._blocks
        return ""

    def by_author(self, forms: Iterable[bytes]) -> dict[str, dict[int, bytes]]:
        """Sort what waits by author and number; leave out what may not."""
        found: dict[str, dict[int, bytes]] = {}
        for form in forms:
            if self.check_again(form):
                continue
            place = self._places[form].place
            found.setdefault(place.author, {})[place.number] = form
        return found

    def after_block(self, entered: Sequence[bytes]) -> list[bytes]:
        """Forget what no longer waits, by the forms that entered.

        Returns the transactions that contradict one of them.
        """
        for form in entered:
            economy, number = self._place_of(form)
            entered_before = self._author(economy).entered
            entered_before[number] = transaction_of(form)
            entered_before.pop(number - REMEMBERED, None)
        state = self._machine.state
        for waiting in tuple(self._places.values()):
            economy, number = waiting.place
            if number < state.next_sequence(economy):
                self._drop(waiting)
                self._authors[economy].contradicting.setdefault(number, waiting.transaction)
            elif waiting.since < self._blocks:
                self._drop(waiting)
        self._blocks += 1
        return [other for author in self._authors.values() for other in _told(author)]

    def _admit(self, form: bytes) -> None:
        state, transaction = self._machine.state, transaction_of(form)
        candidate = read_candidate(state, transaction)
        economy, number = candidate.author.economy, candidate.parts.body.sequence
        author = self._author(economy)
        following = state.next_sequence(economy)
        if number < following:
            self._note_contradiction(candidate, author.entered.get(number))
        check_number(candidate, following - 1, SEQUENCE_REACH)
        before = author.waiting.get(number)
        if before is not None and before.form != form:
            self._note_contradiction(candidate, before.transaction)
            raise NotEntered(NUMBER_WAITS, f"number {number} of {economy} waits already")
        if before is None and author.size + len(transaction) > AUTHOR_BYTES:
            raise NotEntered(AUTHOR_WAITS, f"{author.size} bytes of {economy} wait")
        check_verified_header(state, candidate)
        check_signature(candidate, self._machine.verified, self._backend)
        if before is not None:
            self._drop(before)
        place = Place(economy, number)
        waiting = Waiting(form, transaction, place, state.membership, self._blocks)
        author.waiting[number] = self._places[form] = waiting
        author.size += len(transaction)

    def _note_contradiction(self, candidate: Candidate, other: bytes | None) -> None:
        """Keep one transaction of each number that contradicts another; signed, or it is none."""
        number = candidate.parts.body.sequence
        author = self._author(candidate.author.economy)
        if other is None or other == candidate.data or number in author.contradicting:
            return
        check_signature(candidate, self._machine.verified, self._backend)
        author.contradicting[number] = candidate.data

    def _place_of(self, form: bytes) -> Place:
        waiting = self._places.get(form)
        if waiting is not None:
            return waiting.place
        body = parse_transaction(transaction_of(form)).body
        return Place(body.author, body.sequence)

    def _author(self, economy: str) -> _Author:
        return self._authors.setdefault(economy, _Author())

    def _drop(self, waiting: Waiting) -> None:
        if self._places.pop(waiting.form, None) is None:
            return
        author = self._authors[waiting.place.author]
        del author.waiting[waiting.place.number]
        author.size -= len(waiting.transaction)


def _told(author: _Author) -> list[bytes]:
    """What contradicts a number that has entered: once; an empty mark in its place keeps it so."""
    told: list[bytes] = []
    for number, other in tuple(author.contradicting.items()):
        entered = author.entered.get(number)
        if entered is None:
            if number not in author.waiting:
                del author.contradicting[number]
        elif entered == other:
            del author.contradicting[number]
        elif other:
            told.append(other)
            author.contradicting[number] = b""
    return told
