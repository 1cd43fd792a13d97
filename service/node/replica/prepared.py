"""Every trader of one issuer evaluated for one kind of question, before anybody names one.

A trader's own part of a verdict does not depend on how its number is written. So `evaluate` is let
ask about each subject on the ledger, under a number that is nobody's: a stand-in for the lookup key
gives it the subject, and `evaluate` does the rest as ever. Whoever has no record gets the same
answer as everyone who has none. No TIN is known here, and none is kept.

Answers hold as those of a desk do (`service.node.lookup.desk`): while everything that was read is
the same object, and within the interval over which the verdict holds. Who speaks for the prefix of
a number is not part of it; that is read with the number.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple, cast

from ledger.chain.parameters import Parameters
from ledger.customs.evaluate import evaluate
from ledger.customs.profiles import NOTHING_DECLARED
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Times, Verdict
from ledger.state.state import State
from ledger.state.view import StateView
from service.node.lookup.pair import Instructions, Keys
from service.node.lookup.witness import PairReads, Witness, still_so
from service.node.replica.answer import OWN_FIELDS, Own

NEVER: Final = 1 << 63
NOBODYS: Final = "0" * 10
"""After a prefix: a number to ask under where none is known."""

_ABSENT: Final = bytes(32)
_ARRANGEMENTS: Final = Verdict._fields.index("arrangements")


class PreparedAnswer(NamedTuple):
    """What a subject's packed history comes to from one instant to another."""

    packed: bytes | None
    holds_from: int
    holds_to: int
    own: Own


@dataclass(frozen=True, slots=True)
class PreparedBook:
    """Answers by subject, None for who has no record; and what they all rest on."""

    answers: Mapping[bytes | None, PreparedAnswer]
    reads: PairReads
    parameters: Parameters
    keys: Keys
    instructions: Instructions

    def holds(self, state: State, keys: Keys, instructions: Instructions) -> bool:
        """Whether all of that is so now."""
        return (
            keys is self.keys
            and instructions == self.instructions
            and state.parameters is self.parameters
            and still_so(self.reads, state)
        )


class _GivenSubject:
    """Stands in for a lookup key: whatever is asked about is the subject that was given."""

    __slots__ = ("commitment", "given")

    def __init__(self, commitment: bytes) -> None:
        self.commitment = commitment
        self.given = b""

    def subject(self, _tin: str) -> bytes:
        """The subject given."""
        return self.given


def prepare_book(
    query: Query,
    state: State,
    key: LookupKey,
    subjects: Iterable[bytes],
    keys: Keys,
    instructions: Instructions,
    times: Times,
    is_of_the_pair: Callable[[Verdict], bool],
) -> PreparedBook:
    """Answer `query`, which names nobody, for each subject under the arrangement of `key`.

    Left out is whoever leads on to another number, and whose verdict is not `is_of_the_pair`.
    """
    witness = Witness(state, {})
    answers = dict(_answers(query, witness, key, subjects, instructions, times, is_of_the_pair))
    assert query.tin is not None, "it names nobody, by a number"
    speaks = "speaker_history", query.tin[:2]
    reads = {asked: told for asked, told in witness.pair_reads.items() if asked != speaks}
    return PreparedBook(answers, reads, state.parameters, keys, dict(instructions))


def _answers(
    query: Query,
    witness: Witness,
    key: LookupKey,
    subjects: Iterable[bytes],
    instructions: Instructions,
    times: Times,
    is_of_the_pair: Callable[[Verdict], bool],
) -> Iterator[tuple[bytes | None, PreparedAnswer]]:
    given = _GivenSubject(key.commitment)
    stand_in = cast("Keys", {key.arrangement_id: given})
    view = cast("StateView", witness)
    alike: dict[Any, Any] = {}
    for subject in (_ABSENT, *subjects):
        given.given = subject
        witness.begin()
        verdict = evaluate(query, view, stand_in, NOTHING_DECLARED, instructions, times)
        if not witness.steady or len(witness.books) != 1 or not is_of_the_pair(verdict):
            continue
        own = list(verdict[:OWN_FIELDS])
        # One tuple for all whose arrangement says the same.
        own[_ARRANGEMENTS] = alike.setdefault(own[_ARRANGEMENTS], own[_ARRANGEMENTS])
        yield (
            None if subject is _ABSENT else subject,
            PreparedAnswer(
                witness.histories[1],
                verdict.holds_from,
                verdict.holds_to or NEVER,
                tuple(own),
            ),
        )
