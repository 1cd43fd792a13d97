r"""Look-ups: `evaluate`, and a bounded memory of what it said.

The rules live in `ledger.customs.evaluate` and nowhere else. What is remembered is its own answer
to the very bytes of a question about *now*, cut into three parts (`service.node.verdict_parts`):

    row     fields 1 to 19, kept for this question
    head    fields 20 to 33, made once for each header, seal and pair, with the time of the call
    query   the TIN, taken from the question

A row is used again only where `evaluate` would say the same, byte for byte:

- every fact that it read is the same object: the trader's packed history under each arrangement,
  and what concerns the pair (`service.node.witness`), the keys and the instructions
- now lies in the interval over which the verdict holds
- nothing about the pair is stale, nor would be before `cache_until`; so freshness cannot show in
  any field but those of the head
- `cache_until` is the header's time plus the heartbeat interval, not the end of that interval

Everything else asks `evaluate`: other times, aliases, proofs, declared names, purposes, numbers not
in canonical form, numbers that lead on, answers that are stale.

A remembered question holds a TIN. Memory is bounded by `REMEMBERED` and dropped by `forget`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from struct import Struct
from typing import Any, Final, NamedTuple, TypeAlias, cast

from aeo.exchange.v1.status_service_pb2 import Finality
from ledger.chain.parameters import Parameters
from ledger.customs.evaluate import evaluate
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Times, Verdict, format_verdict
from ledger.state.facts import BookKey
from ledger.state.state import State
from ledger.state.view import StateView
from service.node.verdict_parts import cut_before
from service.node.witness import Witness

REMEMBERED: Final = 1 << 20
"""Questions remembered by one member's desk, about 0.5 KB each; the oldest are dropped first."""
DROPPED_AT_ONCE: Final = 16
"""When full, one in so many is dropped: a pause of some milliseconds, rarely."""
LONGEST_REMEMBERED: Final = 96
"""Bytes of a question that is remembered: the TIN, the codes and nothing out of the ordinary."""

MAX_GROUPS: Final = 4_096
"""Pairs, times the dispatch economies that they ask about; beyond it they are learnt anew."""

_NEVER: Final = 1 << 63
_TIN_TAG: Final = 0x0A
_AS_OF: Final = Struct("<2sq")
_AS_OF_TAG: Final = b"\x81\x02"
_VERDICT_TIN_TAG: Final = b"\x92\x02"
_FIELD_AS_OF: Final = 32

# (group, holds from, holds to, row bytes, bytes after the TIN, height at which it was learnt, then
# subject and packed history for each book)
Row: TypeAlias = tuple[Any, ...]
FIRST_READ: Final = 6
# Issuer, books read, and the questions asked about the pair.
GroupKey: TypeAlias = tuple[str, tuple[BookKey, ...], tuple[tuple[str, tuple[Any, ...]], ...]]
BookGet: TypeAlias = Callable[[bytes], bytes | None]


class Position(NamedTuple):
    """Where the ledger stands for one call, and when the call came."""

    state: State
    times: Times
    finality: Finality


class _Group:
    """Questions that read the same facts about a pair, from the same books. Only `head` moves."""

    __slots__ = (
        "books",
        "head",
        "instructions",
        "issuer",
        "keys",
        "limit",
        "parameters",
        "reads",
        "recogniser",
    )

    def __init__(
        self,
        verdict: Verdict,
        witness: Witness,
        books: tuple[BookKey, ...],
        keys: Mapping[bytes, LookupKey],
        instructions: Mapping[int, str],
        parameters: Parameters,
    ) -> None:
        self.issuer = verdict.issuing_economy
        self.recogniser = verdict.recognising_economy
        self.books = books
        self.reads = tuple(witness.pair_reads)
        self.parameters = parameters
        self.keys = keys
        self.instructions = dict(instructions)
        # Of the pair's staleness limits the shortest: while that is kept, so are all.
        default = parameters.default_staleness_limit
        limits = [found.text.staleness_limit or default for found in witness.arrangements]
        self.limit = min(limits, default=0)
        self.head: _Head | None = None

    def covers(self, witness: Witness) -> bool:
        """Whether another question, which asked the same about the pair, was told the same."""
        reads = zip(self.reads, witness.pair_reads, strict=True)
        return all(mine.result is read.result for mine, read in reads)

    def holds(self, state: State) -> bool:
        """Whether all that was read about the pair is so in `state`."""
        return self.parameters is state.parameters and all(
            read.still_so(state) for read in self.reads
        )


class _Head(NamedTuple):
    """A group under one state and attested time: what follows and precedes the time of the call.

    `fresh_until`: the last instant at which nothing is stale; 0 where rows cannot be used.
    """

    state: State
    attested_time: int
    fresh_until: int
    cache_until: int
    before_as_of: bytes
    after_as_of: bytes
    gets: tuple[BookGet, ...]
    renumbered: tuple[Mapping[bytes, object], ...]


# What a call needs of a group: bytes between row and TIN, the least end of an interval, the books.
Prepared: TypeAlias = tuple[bytes, int, tuple[BookGet, ...], tuple[Mapping[bytes, object], ...]]


class LookupDesk:
    """Answers the questions of one recognising member. Any thread may ask."""

    def __init__(
        self,
        economy: str,
        position: Callable[[], Position],
        keys: Callable[[], Mapping[bytes, LookupKey]],
        instructions: Callable[[], Mapping[int, str]],
        remembered: int = REMEMBERED,
    ) -> None:
        self.economy = economy
        self.position = position
        self.keys = keys
        self._instructions = instructions
        self._limit = remembered
        self._rows: dict[bytes, Row] = {}
        self._groups: dict[GroupKey, _Group] = {}
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many questions are remembered."""
        return len(self._rows)

    def forget(self) -> None:
        """Drop every remembered question, and the TINs with them."""
        with self._lock:
            self._rows.clear()
            self._groups.clear()

    def evaluate(self, query: Query, position: Position) -> Verdict:
        """The verdict on any question. Raises `FormatError` or `KeyringError`."""
        instructions = self._instructions()
        return evaluate(query, position.state, self.keys(), None, instructions, position.times)

    def recall(self, questions: Sequence[bytes], position: Position) -> list[bytes | None]:
        """Verdict bytes for each question (`LookupRequest` bytes) that is remembered, else None."""
        rows, now, height = self._rows, position.times.now, position.state.height
        instructions, keys = self._instructions(), self.keys()
        prepared: dict[_Group, Prepared | None] = {}
        verdicts: list[bytes | None] = []
        for question in questions:
            verdict = None
            row = rows.get(question)
            if row is not None:
                group = row[0]
                if group in prepared:
                    ready = prepared[group]
                else:
                    ready = prepared[group] = _prepare(group, position, keys, instructions)
                if (
                    ready is not None
                    and row[1] <= now
                    and row[2] >= ready[1]
                    # The books run ahead of a state that has just been replaced.
                    and row[5] <= height
                ):
                    middle, _, gets, renumbered = ready
                    at = FIRST_READ
                    for get in gets:
                        if get(row[at]) is not row[at + 1]:
                            break
                        at += 2
                    else:
                        if not renumbered or not _leads_on(row, renumbered):
                            verdict = b"".join(
                                (row[3], middle, question[1 : question[1] + 2], row[4])
                            )
            verdicts.append(verdict)
        return verdicts

    def learn(self, question: bytes, query: Query, position: Position) -> bytes:
        """Verdict bytes of a question, remembered where that is possible.

        `query` is what `question` says. Raises `FormatError` or `KeyringError`.
        """
        instructions, keys = self._instructions(), self.keys()
        witness = Witness(position.state)
        verdict = evaluate(
            query, cast("StateView", witness), keys, None, instructions, position.times
        )
        data = format_verdict(verdict)
        if _is_plain(question, query, verdict) and witness.steady and verdict.arrangements:
            self._remember(question, verdict, data, witness, position, keys, instructions)
        return data

    def _remember(
        self,
        question: bytes,
        verdict: Verdict,
        data: bytes,
        witness: Witness,
        position: Position,
        keys: Mapping[bytes, LookupKey],
        instructions: Mapping[int, str],
    ) -> None:
        reads = witness.subject_reads
        books = tuple([read.book for read in reads])
        with self._lock:
            asked = tuple([(read.method, read.arguments) for read in witness.pair_reads])
            place = verdict.issuing_economy, books, asked
            group = self._groups.get(place)
            ready = None
            if group is not None and group.covers(witness):
                ready = _prepare(group, position, keys, instructions)
            if group is None or ready is None:
                parameters = position.state.parameters
                group = _Group(verdict, witness, books, keys, instructions, parameters)
                if len(self._groups) >= MAX_GROUPS:
                    self._groups.clear()
                self._groups[place] = group
                ready = _prepare(group, position, keys, instructions)
                if ready is None:
                    return
            # Cut where `recall` will join: what cannot be joined again is not worth keeping.
            middle = ready[0] + question[1 : question[1] + 2]
            before, found, after = data.partition(middle)
            if not found:
                return
            row = (
                group,
                verdict.holds_from,
                verdict.holds_to or _NEVER,
                before,
                after,
                position.state.height,
                *[part for read in reads for part in (read.subject, read.packed)],
            )
            rows = self._rows
            if len(rows) >= self._limit and question not in rows:
                for oldest in list(islice(rows, max(1, self._limit // DROPPED_AT_ONCE))):
                    del rows[oldest]
            rows[question] = cast("Row", row)


def _is_plain(question: bytes, query: Query, verdict: Verdict) -> bool:
    """Whether a question asks about now, by a canonical TIN that stands first in it."""
    tin = verdict.tin.encode()
    return (
        query.tin == verdict.tin
        and len(question) <= LONGEST_REMEMBERED
        and question[:1] == bytes((_TIN_TAG,))
        and question[1 : 2 + len(tin)] == bytes((len(tin),)) + tin
        and query.as_of is None
        and query.known_at_height is None
        and query.known_at_time is None
        and not query.declared_name
        and not query.declared_address
    )


def _prepare(
    group: _Group,
    position: Position,
    keys: Mapping[bytes, LookupKey],
    instructions: Mapping[int, str],
) -> Prepared | None:
    """What a call needs to use the group's rows; None where it must not."""
    state, (now, attested_time), _ = position
    if keys is not group.keys or instructions != group.instructions:
        return None
    head = group.head
    if head is None or head.state is not state or head.attested_time != attested_time:
        head = group.head = _make_head(group, state, attested_time)
    if now > head.fresh_until:
        return None
    middle = head.before_as_of + _AS_OF.pack(_AS_OF_TAG, now) + head.after_as_of
    return middle, max(now + 1, head.cache_until), head.gets, head.renumbered


def _make_head(group: _Group, state: State, attested_time: int) -> _Head:
    seen = state.author_seen(group.issuer, state.height)
    fresh_until = 0
    cache_until = state.header_time + state.heartbeat_interval
    if seen is not None and group.holds(state):
        fresh_until = min(seen, attested_time) + group.limit
        if cache_until > fresh_until + 1:
            fresh_until = 0
    said = format_verdict(
        Verdict(
            name_match=0,
            height=state.height,
            header_hash=state.header_hash,
            issuer_seen=seen or 0,
            attested_time=attested_time,
            cache_until=cache_until,
            issuing_economy=group.issuer,
            recognising_economy=group.recogniser,
            known_at=state.header_time,
        )
    )
    cut = cut_before(said, _FIELD_AS_OF)
    facts = state.facts
    return _Head(
        state,
        attested_time,
        fresh_until,
        cache_until,
        said[:cut],
        said[cut:] + _VERDICT_TIN_TAG,
        tuple([facts.statuses.get(book, {}).get for book in group.books]),
        tuple([found for book in group.books if (found := facts.successors.get(book))]),
    )


def _leads_on(row: Row, renumbered: Sequence[Mapping[bytes, object]]) -> bool:
    """Whether one of the row's numbers has been replaced by another."""
    return any(subject in book for subject in row[FIRST_READ::2] for book in renumbered)
