"""A read view that remembers what was read through it: the result holds while all of that does.

`evaluate` is pure: with the same facts, query and times it says the same. The facts that it read
fall into two kinds. Those of a pair (who speaks, which arrangements, their texts and lives) are few
and shared by many traders. Those of one trader are its packed history under each arrangement. A
newer state hands out the very same object for each fact that did not change: *same* is identity.
"""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeVar

from ledger.customs.arrangement import ArrangementHistory
from ledger.state.facts import BookKey
from ledger.state.packed import count_packed
from ledger.state.state import State, book_key
from ledger.state.view import AliasEntry, PairEntry, SpeakerEntry, StatusEntry, SuccessorEntry

R = TypeVar("R")


class PairRead(NamedTuple):
    """A question about a pair: the method of `State`, its arguments, and the object it returned."""

    method: str
    arguments: tuple[Any, ...]
    result: object

    def still_so(self, state: State) -> bool:
        """Whether another state gives the same answer."""
        return getattr(state, self.method)(*self.arguments) is self.result


class SubjectRead(NamedTuple):
    """A trader's history under one arrangement: where it is kept, and the packed object read."""

    book: BookKey
    subject: bytes
    packed: bytes | None


class Witness:
    """A `StateView` over `state`, for one call of `evaluate`."""

    __slots__ = ("_state", "arrangements", "pair_reads", "steady", "subject_reads")

    def __init__(self, state: State) -> None:
        self._state = state
        self.pair_reads: list[PairRead] = []
        self.subject_reads: list[SubjectRead] = []
        self.arrangements: list[ArrangementHistory] = []
        # Whether all that was read is of the two kinds above.
        self.steady = True

    def __getattr__(self, name: str) -> Any:
        return getattr(self._state, name)

    def speaker_history(self, prefix: str) -> Sequence[SpeakerEntry]:
        """As `State`."""
        return self._pair(self._state.speaker_history(prefix), "speaker_history", prefix)

    def pair_history(self, a: str, b: str) -> Sequence[PairEntry]:
        """As `State`."""
        return self._pair(self._state.pair_history(a, b), "pair_history", a, b)

    def own_arrangements(self, economy: str) -> Sequence[bytes]:
        """As `State`."""
        return self._pair(self._state.own_arrangements(economy), "own_arrangements", economy)

    def arrangement(self, arrangement_id: bytes) -> ArrangementHistory | None:
        """As `State`."""
        found = self._state.arrangement(arrangement_id)
        if found is not None:
            self.arrangements.append(found)
        return self._pair(found, "arrangement", arrangement_id)

    def subject(self, arrangement_id: bytes, issuer: str, subject: bytes) -> Sequence[StatusEntry]:
        """As `State`."""
        key = book_key(arrangement_id, issuer)
        # Read before the entries: a newer object then only makes the result look outdated.
        packed = self._state.facts.statuses.get(key, {}).get(subject)
        entries = self._state.subject(arrangement_id, issuer, subject)
        # The object may hold records of a block that this state does not know yet.
        if packed is not None and count_packed(packed) != len(entries):
            self.steady = False
        self.subject_reads.append(SubjectRead(key, subject, packed))
        return entries

    def successors(
        self, arrangement_id: bytes, issuer: str, subject: bytes
    ) -> Sequence[SuccessorEntry]:
        """As `State`; a number that leads on is too rare to be remembered."""
        found = self._state.successors(arrangement_id, issuer, subject)
        if found:
            self.steady = False
        return found

    def alias(self, arrangement_id: bytes, issuer: str, alias: bytes) -> Sequence[AliasEntry]:
        """As `State`; too rare to be remembered."""
        self.steady = False
        return self._state.alias(arrangement_id, issuer, alias)

    def _pair(self, result: R, method: str, *arguments: Any) -> R:
        self.pair_reads.append(PairRead(method, arguments, result))
        return result
