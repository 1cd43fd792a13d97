r"""Look-ups: `evaluate`, and a bounded memory of what it said.

The rules live in `ledger.customs.evaluate` and nowhere else. What is remembered is its own answer
to the very bytes of a question about *now*, cut into three parts
(`service.node.lookup.verdict_parts`):

    row     fields 1 to 19, kept for this question
    head    fields 20 to 33, made once for each header, seal and pair, with the time of the call
    query   the TIN, taken from the question

A row is used again only where `evaluate` would say the same, byte for byte:

- every fact that it read is the same object: the trader's packed history under each arrangement,
  and what concerns the pair (`service.node.lookup.witness`), the keys and the instructions
- now lies in the interval over which the verdict holds
- nothing about the pair is stale, nor would be before `cache_until`; so freshness cannot show in
  any field but those of the head
- `cache_until` is the header's time plus the heartbeat interval, not the end of that interval

Everything else asks `evaluate`: other times, aliases, proofs, declared names, purposes, numbers not
in canonical form, numbers that lead on, answers that are stale.

A question that is not remembered, but of a shape that is known (`service.node.lookup.shapes`), is
answered without a message object too: `evaluate` reads what the pair's questions share from one
witness, and its verdict is joined from the parts that will be kept. A verdict whose place (fields
20 to 33) is not that of the head is written in full, and not kept.

No remembered question declares a name, so none depends on which profiles are kept: they exist, and
where a rule asks for a match the answer is PARTY_MISMATCH.

A remembered question holds a TIN. Memory is bounded by `REMEMBERED` and dropped by `forget`.
"""

import threading
from collections.abc import Callable, Mapping, Sequence
from itertools import islice
from typing import Any, Final, TypeAlias, cast

from ledger.customs.evaluate import evaluate
from ledger.customs.profiles import NOTHING_DECLARED, Profiles
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Verdict, format_verdict
from ledger.errors import FormatError, KeyringError
from ledger.state.view import StateView
from service.node.access_log import SUBJECT_BYTES
from service.node.lookup.pair import Group, Instructions, Keys, Pair, Position, Prepared
from service.node.lookup.shapes import Shapes
from service.node.lookup.verdict_parts import format_after_tin, format_row
from service.node.lookup.witness import Witness

__all__ = ["REMEMBERED", "LookupDesk", "Position"]

REMEMBERED: Final = 1 << 20
"""Questions remembered by one member's desk, about 0.5 KB each; the oldest are dropped first."""
DROPPED_AT_ONCE: Final = 16
"""When full, one in so many is dropped: a pause of some milliseconds, rarely."""
MAX_PAIRS: Final = 4_096
"""Prefixes of TINs that belong to somebody; there are 676 that are well formed."""

_NEVER: Final = 1 << 63

# (group, holds from, holds to, row bytes, bytes after the TIN, height at which it was learnt, what
# the access log notes, then subject and packed history for each book)
Row: TypeAlias = tuple[Any, ...]
NOTE: Final = 6
FIRST_READ: Final = 7


class _Sitting:
    """What the new questions of one call share. For one thread."""

    __slots__ = ("instructions", "keys", "position", "prepared", "witnesses")

    def __init__(
        self,
        position: Position,
        keys: Keys,
        instructions: Instructions,
        prepared: dict[Group, Prepared | None],
    ) -> None:
        self.position = position
        self.keys = keys
        self.instructions = instructions
        self.prepared = prepared
        # By the prefix of the TIN; the pair holds what the witness had been told at first.
        self.witnesses: dict[str, tuple[Witness, Pair | None]] = {}


class LookupDesk:
    """Answers the questions of one recognising member. Any thread may ask."""

    def __init__(
        self,
        economy: str,
        position: Callable[[], Position],
        keys: Callable[[], Mapping[bytes, LookupKey]],
        instructions: Callable[[], Mapping[int, str]],
        remembered: int = REMEMBERED,
        profiles: Callable[[Query], Profiles] = lambda _: NOTHING_DECLARED,
        subject_of: Callable[[str], bytes] = lambda _: bytes(SUBJECT_BYTES),
    ) -> None:
        self.economy = economy
        self.position = position
        self.keys = keys
        self._instructions = instructions
        self._profiles = profiles
        self._subject_of = subject_of
        self._limit = remembered
        self._rows: dict[bytes, Row] = {}
        self._pairs: dict[str, Pair] = {}
        self._shapes = Shapes()
        self._lock = threading.Lock()

    def __len__(self) -> int:
        """How many questions are remembered."""
        return len(self._rows)

    def forget(self) -> None:
        """Drop every remembered question, and the TINs with them."""
        with self._lock:
            self._rows.clear()
            self._pairs.clear()

    def evaluate(self, query: Query, position: Position) -> Verdict:
        """The verdict on any question. Raises `FormatError` or `KeyringError`."""
        instructions, profiles = self._instructions(), self.profiles(query)
        return evaluate(query, position.state, self.keys(), profiles, instructions, position.times)

    def profiles(self, query: Query) -> Profiles:
        """What is kept of profiles, as far as the question is about them."""
        if query.declared_name or query.declared_address or query.party is not None:
            return self._profiles(query)
        return NOTHING_DECLARED

    def answer(
        self,
        questions: Sequence[bytes],
        position: Position,
        notes: list[bytes | None] | None = None,
    ) -> list[bytes | None]:
        """Verdict bytes for each question that is remembered or of a known shape, else None.

        None is for `learn` to answer, or to say why there is no answer. `notes`, at first empty, is
        filled with what the access log notes of each, None likewise.
        """
        prepared: dict[Group, Prepared | None] = {}
        notes = [] if notes is None else notes
        verdicts = self.recall(questions, position, prepared, notes)
        if None in verdicts:
            sitting, read = self._sit(position, prepared), self._shapes.read
            for at, said in enumerate(verdicts):
                if said is None and (query := read(questions[at])) is not None:
                    try:
                        verdicts[at], notes[at] = self._learn(questions[at], query, sitting)
                    except (FormatError, KeyringError):
                        continue
            for witness, pair in sitting.witnesses.values():
                if pair is not None:
                    pair.give_back(witness)
        return verdicts

    def recall(
        self,
        questions: Sequence[bytes],
        position: Position,
        prepared: dict[Group, Prepared | None] | None = None,
        notes: list[bytes | None] | None = None,
    ) -> list[bytes | None]:
        """Verdict bytes for each question (`LookupRequest` bytes) that is remembered, else None.

        `prepared` is filled with what the call has prepared of the groups that it met, `notes` with
        what the access log notes of each answer.
        """
        rows, now, height = self._rows, position.times.now, position.state.height
        instructions, keys = self._instructions(), self.keys()
        prepared = {} if prepared is None else prepared
        verdicts: list[bytes | None] = []
        add_note = ([] if notes is None else notes).append
        for question in questions:
            verdict = note = None
            row = rows.get(question)
            if row is not None:
                group = row[0]
                if group in prepared:
                    ready = prepared[group]
                else:
                    ready = prepared[group] = group.prepare(position, keys, instructions)
                if (
                    ready is not None
                    and row[1] <= now
                    and row[2] >= ready[1]
                    # The books run ahead of a state that has just been replaced.
                    and row[5] <= height
                ):
                    middle, _, gets, renumbered, _ = ready
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
                            note = row[NOTE]
            verdicts.append(verdict)
            add_note(note)
        return verdicts

    def learn(self, question: bytes, query: Query, position: Position) -> bytes:
        """Verdict bytes of a question, remembered where that is possible.

        `query` is what `question` says. Raises `FormatError` or `KeyringError`.
        """
        if self._shapes.learn(question, query):
            return self._learn(question, query, self._sit(position, {}))[0]
        return format_verdict(self.evaluate(query, position))

    def _sit(self, position: Position, prepared: dict[Group, Prepared | None]) -> _Sitting:
        return _Sitting(position, self.keys(), self._instructions(), prepared)

    def _learn(self, question: bytes, query: Query, sitting: _Sitting) -> tuple[bytes, bytes]:
        """Verdict bytes of a question that has a shape: about now, by a TIN that stands first.

        And what the access log notes of it.
        """
        tin = cast("str", query.tin)
        witness, pair = sitting.witnesses.get(tin[:2]) or self._call_witness(tin[:2], sitting)
        witness.begin()
        state, times, _ = sitting.position
        view = cast("StateView", witness)
        verdict = evaluate(query, view, sitting.keys, NOTHING_DECLARED, sitting.instructions, times)
        note = self._subject_of(verdict.tin or tin) + bytes((verdict.outcome, verdict.reason))
        if not witness.steady or not verdict.arrangements or verdict.tin != tin:
            return format_verdict(verdict), note
        if pair is None or len(pair.reads) != len(witness.pair_reads):
            pair = self._make_pair(verdict, witness, sitting)
        group = pair.group(self.economy, tuple(witness.books))
        if group not in sitting.prepared:
            ready = group.prepare(sitting.position, sitting.keys, sitting.instructions)
            sitting.prepared[group] = ready
        ready = sitting.prepared[group]
        if ready is None or not ready[4].is_of(verdict, times.now):
            return format_verdict(verdict), note
        before, after = format_row(verdict), format_after_tin(verdict)
        row: Row = (
            group,
            verdict.holds_from,
            verdict.holds_to or _NEVER,
            before,
            after,
            state.height,
            note,
            *witness.histories,
        )
        with self._lock:
            rows = self._rows
            if len(rows) >= self._limit and question not in rows:
                for oldest in list(islice(rows, max(1, self._limit // DROPPED_AT_ONCE))):
                    del rows[oldest]
            rows[question] = row
        return b"".join((before, ready[0], question[1 : question[1] + 2], after)), note

    def _call_witness(self, prefix: str, sitting: _Sitting) -> tuple[Witness, Pair | None]:
        """A witness for a prefix, told what is known of the pair where that still holds."""
        state, pair = sitting.position.state, self._pairs.get(prefix)
        if pair is not None and pair.asks_alike(sitting.keys, sitting.instructions):
            witness = pair.take_witness(state)
            if witness is not None:
                sitting.witnesses[prefix] = witness, pair
                return witness, pair
        witness = Witness(state, {})
        sitting.witnesses[prefix] = witness, None
        return witness, None

    def _make_pair(self, verdict: Verdict, witness: Witness, sitting: _Sitting) -> Pair:
        """A pair of which more was read than of any before."""
        prefix, parameters = verdict.tin[:2], sitting.position.state.parameters
        issuer, reads = verdict.issuing_economy, witness.pair_reads
        pair = Pair(issuer, reads, parameters, sitting.keys, sitting.instructions)
        sitting.witnesses[prefix] = witness, pair
        with self._lock:
            if len(self._pairs) >= MAX_PAIRS:
                self._pairs.clear()
            self._pairs[prefix] = pair
        return pair


def _leads_on(row: Row, renumbered: Sequence[Mapping[bytes, object]]) -> bool:
    """Whether one of the row's numbers has been replaced by another."""
    return any(subject in book for subject in row[FIRST_READ::2] for book in renumbered)
