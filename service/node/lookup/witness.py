"""A read view that remembers what was read through it: the result holds while all of that does.

`evaluate` is pure: with the same facts, query and times it says the same. The facts that it read
fall into two kinds. Those of a pair (who speaks, which arrangements, their texts and lives) are few
and shared by many traders. Those of one trader are its packed history under each arrangement. A
newer state hands out the very same object for each fact that did not change: *same* is identity.

So one witness serves many questions under one state: what it has been told about a pair it tells
again without asking, and whoever relies on one of its answers relies on all of that. `begin` starts
the next question, of which only the trader's own history is noted anew.
"""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final, TypeAlias

from ledger.customs.arrangement import ArrangementHistory
from ledger.state.facts import BookKey
from ledger.state.state import State, book_key
from ledger.state.view import AliasEntry, PairEntry, SpeakerEntry, StatusEntry, SuccessorEntry

# A method of `State` and its arguments; and the object that it returned.
PairQuestion: TypeAlias = tuple[Any, ...]
PairReads: TypeAlias = Mapping[PairQuestion, Any]
# Where an issuer's records are kept, how to get a subject's, and which subjects lead on. A book
# that begins later holds nothing that an older state knows.
_Book: TypeAlias = tuple[BookKey, Callable[[bytes], Any], Mapping[bytes, Any]]
_NONE: Final[dict[bytes, Any]] = {}


def still_so(reads: PairReads, state: State) -> bool:
    """Whether `state` gives the same answers."""
    return all(
        getattr(state, method)(*arguments) is told for (method, *arguments), told in reads.items()
    )


class Witness:
    """A `StateView` over `state`. `reads` are such that it still gives the same answers to them.

    For one thread. `pair_reads` only grows; `books`, `histories` and `steady` are of one question:
    where the trader's histories are kept, and of each its subject and the packed object read.
    """

    __slots__ = (
        "_books",
        "_seen",
        "books",
        "default_staleness_limit",
        "header_hash",
        "header_time",
        "heartbeat_interval",
        "height",
        "histories",
        "pair_reads",
        "pilot",
        "rules_version",
        "state",
        "steady",
    )

    def __init__(self, state: State, reads: PairReads) -> None:
        self.state = state
        self.pair_reads: dict[PairQuestion, Any] = dict(reads)
        self._seen: dict[tuple[str, int], int | None] = {}
        self._books: dict[tuple[bytes, str], _Book] = {}
        # Read for every question: kept beside, not behind two objects and a property.
        self.default_staleness_limit = state.default_staleness_limit
        self.header_hash = state.header_hash
        self.header_time = state.header_time
        self.heartbeat_interval = state.heartbeat_interval
        self.height = state.height
        self.pilot = state.pilot
        self.rules_version = state.rules_version
        self.begin()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.state, name)

    def begin(self) -> None:
        """Forget what was read of the last trader."""
        self.books: list[BookKey] = []
        self.histories: list[bytes | None] = []
        # Whether all that was read is of the two kinds above.
        self.steady = True

    def speaker_history(self, prefix: str) -> Sequence[SpeakerEntry]:
        """As `State`."""
        question = "speaker_history", prefix
        found: Sequence[SpeakerEntry] | None = self.pair_reads.get(question)
        return self._ask(question) if found is None else found

    def pair_history(self, a: str, b: str) -> Sequence[PairEntry]:
        """As `State`."""
        question = "pair_history", a, b
        found: Sequence[PairEntry] | None = self.pair_reads.get(question)
        return self._ask(question) if found is None else found

    def own_arrangements(self, economy: str) -> Sequence[bytes]:
        """As `State`."""
        question = "own_arrangements", economy
        found: Sequence[bytes] | None = self.pair_reads.get(question)
        return self._ask(question) if found is None else found

    def arrangement(self, arrangement_id: bytes) -> ArrangementHistory | None:
        """As `State`."""
        question = "arrangement", arrangement_id
        found: ArrangementHistory | None = self.pair_reads.get(question)
        return self._ask(question) if found is None else found

    def author_seen(self, economy: str, height: int) -> int | None:
        """As `State`. It moves with every block, so it is no fact of the pair: see `Head`."""
        asked = economy, height
        if asked not in self._seen:
            self._seen[asked] = self.state.author_seen(economy, height)
        return self._seen[asked]

    def subject(self, arrangement_id: bytes, issuer: str, subject: bytes) -> Sequence[StatusEntry]:
        """As `State`."""
        place = arrangement_id, issuer
        book, get, _ = self._books.get(place) or self._open(place)
        # Read once: what is noted is what was read, whatever a writer does in the meantime.
        packed = get(subject)
        self.books.append(book)
        self.histories += subject, packed
        if packed is None:
            return ()
        entries, whole = self.state.read_subject(subject, packed)
        # The object may hold records of a block that this state does not know yet.
        if not whole:
            self.steady = False
        return entries

    def successors(
        self, arrangement_id: bytes, issuer: str, subject: bytes
    ) -> Sequence[SuccessorEntry]:
        """As `State`; a number that leads on is too rare to be remembered."""
        place = arrangement_id, issuer
        if not (self._books.get(place) or self._open(place))[2]:
            return ()
        found = self.state.successors(arrangement_id, issuer, subject)
        if found:
            self.steady = False
        return found

    def alias(self, arrangement_id: bytes, issuer: str, alias: bytes) -> Sequence[AliasEntry]:
        """As `State`; too rare to be remembered."""
        self.steady = False
        return self.state.alias(arrangement_id, issuer, alias)

    def _open(self, place: tuple[bytes, str]) -> "_Book":
        key, facts = book_key(*place), self.state.facts
        book = key, facts.statuses.get(key, _NONE).get, facts.successors.get(key, _NONE)
        self._books[place] = book
        return book

    def _ask(self, question: PairQuestion) -> Any:
        method, *arguments = question
        found = getattr(self.state, method)(*arguments)
        self.pair_reads[question] = found
        return found
