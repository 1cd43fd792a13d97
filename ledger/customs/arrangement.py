"""The life of an arrangement: its steps, folded, and whether it is in force.

    arrangement id = first 16 bytes of H("aeo/v1/arrangement", network id || author || sequence (8))
                     of the transaction that proposed it

It takes effect when every party has signed the same bytes; proposing is not signing. Signatures
count by *known at*, the dates of the text by *as of*: a text signed today may say that it began in
2019. Suspension, resumption and end hold, by *as of*, from their recorded time or a later instant
that they state. Any party suspends alone, for all; who suspended resumes, so while several have
suspended, each must resume. Of one party's suspensions and resumptions the newest in ledger order
among those that have begun decides. The end needs the notice of the text; the earliest end counts.

Whether it is in force between two economies is asked in this order: a text signed by all
(NO_ARRANGEMENT), not ended (ARRANGEMENT_ENDED), not suspended (ARRANGEMENT_SUSPENDED), a rule that
runs. Where none runs: ARRANGEMENT_ENDED if there are rules and all are past, else
ARRANGEMENT_NOT_YET (a later rule will run, or a party has named no day).

A party may bring forward what it planned, never repeat it or put it off: a suspension, resumption
or end is refused where an earlier one of the same effect stands.

>>> arrangement_id(bytes(32), "KR", 1).hex()
'2f9ba63fe7e0d0306014f58cf3331f18'
"""

from collections.abc import Container
from dataclasses import dataclass, field, replace
from typing import Any, Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.chain.economy import economy_bytes
from ledger.customs.arrangement_text import (
    ArrangementText,
    Benefit,
    Rule,
    format_arrangement_text,
    parse_arrangement_text,
    text_hash,
)
from ledger.customs.status import INSTANT_LIMIT
from ledger.customs.subject import ARRANGEMENT_ID_BYTES
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged
from ledger.state import refusals
from ledger.wire import parse_strict

__all__ = [
    "ArrangementEntry",
    "ArrangementHistory",
    "ArrangementText",
    "Benefit",
    "Rule",
    "Step",
    "arrangement_id",
    "check_step",
    "format_arrangement_text",
    "parse_arrangement_text",
    "parse_step",
    "text_hash",
]

STEP_LIMIT: Final = 59_500
DAY: Final = 86_400_000
# How long after a member's or an arrangement's start history may be loaded (domain, *Status
# record*).
MIGRATION_WINDOW: Final = 90 * DAY

IN_FORCE: Final[int] = verdict_pb2.REASON_NONE

_ID = tagged("aeo/v1/arrangement")


class Step(NamedTuple):
    """One step, read: `kind` names the oneof field (propose, sign, suspend, resume or end).

    `arrangement_id` is empty for a proposal, whose id follows from its transaction; `text` stands
    in proposals alone, `text_hash` in proposals and signatures; `effective_from` is 0 when absent.
    """

    kind: str
    arrangement_id: bytes = b""
    text: ArrangementText | None = None
    text_hash: bytes = b""
    effective_from: int = 0


class ArrangementEntry(NamedTuple):
    """A step that was executed, at its place in the ledger. `time` is the recorded one, Unix ms."""

    height: int
    time: int
    log_index: int
    author: str
    step: Step


class Signature(NamedTuple):
    """A party's signature of the text."""

    economy: str
    height: int
    time: int


class Stop(NamedTuple):
    """A suspension (`stops`) or resumption by `economy`, known from `height`, from `instant` on."""

    height: int
    economy: str
    instant: int
    stops: bool


class End(NamedTuple):
    """An end of the arrangement, known from `height`, from `instant` on."""

    height: int
    instant: int


@dataclass(frozen=True, slots=True)
class ArrangementHistory:
    """Everything recorded about one arrangement, folded from its entries, oldest first."""

    arrangement_id: bytes
    proposed: ArrangementEntry
    text: ArrangementText
    signatures: tuple[Signature, ...] = ()
    stops: tuple[Stop, ...] = ()
    ends: tuple[End, ...] = ()
    # The signature that made it take effect; None while one is missing.
    complete: Signature | None = None
    newest_height: int = 0
    # What `cover` found and may find again: a memory, no part of the value.
    covers: dict[tuple[str, str, int, int, str], Any] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    @classmethod
    def propose(cls, arrangement_id: bytes, entry: ArrangementEntry) -> "ArrangementHistory":
        """Begin with an executed proposal."""
        if entry.step.text is None:
            raise FormatError("an arrangement begins with its text")
        return cls(arrangement_id, entry, entry.step.text, newest_height=entry.height)

    def extend(self, entry: ArrangementEntry) -> "ArrangementHistory":
        """Return the history with one more executed step, which `check_step` has passed."""
        kind, author, height = entry.step.kind, entry.author, entry.height
        instant = max(entry.time, entry.step.effective_from)
        if kind == "sign":
            signature = Signature(author, height, entry.time)
            signatures = (*self.signatures, signature)
            complete = signature if len(signatures) == len(self.text.parties) else None
            return replace(self, signatures=signatures, complete=complete, newest_height=height)
        if kind == "end":
            ends = (*self.ends, End(height, instant))
            return replace(self, ends=ends, newest_height=height)
        stop = Stop(height, author, instant, kind == "suspend")
        return replace(self, stops=(*self.stops, stop), newest_height=height)

    def in_effect(self, known_height: int) -> bool:
        """Whether every party had signed at `known_height`."""
        return self.complete is not None and self.complete.height <= known_height

    def standing(
        self, issuing: str, recognising: str, as_of: int, known_height: int
    ) -> tuple[int, tuple[Rule, ...]]:
        """Whether it is in force from `issuing` to `recognising`, and the rules that run then.

        The reason is verdict.proto's: `IN_FORCE` with at least one rule, or why not with none.
        """
        if not self.in_effect(known_height):
            return verdict_pb2.REASON_NO_ARRANGEMENT, ()
        if any(end.height <= known_height and end.instant <= as_of for end in self.ends):
            return verdict_pb2.REASON_ARRANGEMENT_ENDED, ()
        if self.stops and self.suspended_by(as_of, known_height):
            return verdict_pb2.REASON_ARRANGEMENT_SUSPENDED, ()
        rules = self.text.rules_between(issuing, recognising)
        running = tuple([rule for rule in rules if rule.runs(as_of)])
        if running:
            return IN_FORCE, running
        if rules and all(rule.end and rule.end <= as_of for rule in rules):
            return verdict_pb2.REASON_ARRANGEMENT_ENDED, ()
        return verdict_pb2.REASON_ARRANGEMENT_NOT_YET, ()

    def suspended_by(self, as_of: int, known_height: int) -> list[str]:
        """The parties whose suspension holds at `as_of`, ascending."""
        newest: dict[str, bool] = {}
        for stop in self.stops:
            if stop.height <= known_height and stop.instant <= as_of:
                newest[stop.economy] = stop.stops
        return sorted(economy for economy, stops in newest.items() if stops)

    def boundaries(self, issuing: str, recognising: str, known_height: int) -> list[int]:
        """Every instant known at which `standing` between the two may change."""
        instants = [end.instant for end in self.ends if end.height <= known_height]
        instants += [stop.instant for stop in self.stops if stop.height <= known_height]
        for rule in self.text.rules_between(issuing, recognising):
            instants.append(rule.begin)
            if rule.end:
                instants.append(rule.end)
        return instants

    def migrated_until(self, member_since: int) -> int:
        """Until when (recorded time, inclusive) a party may load MIGRATED records.

        90 days from its membership or, if that is later, from the last signature, with which the
        arrangement takes effect. The days that rules begin on play no part.
        """
        start = member_since
        if self.complete is not None:
            start = max(start, self.complete.time)
        return start + MIGRATION_WINDOW


def arrangement_id(network_id: bytes, author: str, sequence: int) -> bytes:
    """Return the id (16 bytes) of what `author` proposes in its transaction number `sequence`."""
    return _ID(network_id + economy_bytes(author) + sequence.to_bytes(8, "big"))[:16]


def parse_step(data: bytes) -> Step:
    """Read a step of at most `STEP_LIMIT` bytes and any text in it; raises `FormatError`."""
    message = parse_strict(pb.ArrangementStep, data, STEP_LIMIT)
    kind = message.WhichOneof("step")
    if kind is None:
        raise FormatError("a step does something")
    if kind == "propose":
        text = parse_arrangement_text(message.propose)
        return Step(kind, text=text, text_hash=text.text_hash)
    body = getattr(message, kind)
    if len(body.arrangement_id) != ARRANGEMENT_ID_BYTES:
        raise FormatError(f"an arrangement id has {ARRANGEMENT_ID_BYTES} bytes")
    if kind == "sign":
        if len(body.text_hash) != HASH_BYTES:
            raise FormatError(f"a text hash has {HASH_BYTES} bytes")
        return Step(kind, body.arrangement_id, text_hash=body.text_hash)
    if body.effective_from >= INSTANT_LIMIT:
        raise FormatError("an instant is later than 64-bit Unix milliseconds reach")
    return Step(kind, body.arrangement_id, effective_from=body.effective_from)


def check_step(
    step: Step,
    history: ArrangementHistory | None,
    author: str,
    recorded_time: int,
    members: Container[str],
) -> str | None:
    """Return why `step` is refused, a code of `ledger.state.refusals`, or None.

    `history` is that of the arrangement named (None for a proposal or an unknown id); `members` are
    those at `recorded_time`.
    """
    if step.text is not None:
        if author not in step.text.parties:
            return refusals.NOT_A_PARTY
        known = all(party in members for party in step.text.parties)
        return None if known else refusals.PARTY_UNKNOWN
    if history is None:
        return refusals.ARRANGEMENT_UNKNOWN
    if author not in history.text.parties:
        return refusals.NOT_A_PARTY
    if step.kind == "sign":
        if step.text_hash != history.text.text_hash:
            return refusals.TEXT_DIFFERS
        signed = any(signature.economy == author for signature in history.signatures)
        return refusals.ALREADY_SIGNED if signed else None
    if history.complete is None:
        return refusals.ARRANGEMENT_NOT_SIGNED
    instant = max(recorded_time, step.effective_from)
    end = min((end.instant for end in history.ends), default=None)
    if end is not None and end <= instant:
        return refusals.ARRANGEMENT_HAS_ENDED
    if step.kind == "end":
        too_soon = instant < recorded_time + history.text.notice_days * DAY
        return refusals.NOTICE_TOO_SHORT if too_soon else None
    return _check_stop(step.kind == "suspend", instant, author, history)


def _check_stop(stops: bool, instant: int, author: str, history: ArrangementHistory) -> str | None:
    newest = next((stop for stop in reversed(history.stops) if stop.economy == author), None)
    if newest is None:
        return None if stops else refusals.NOT_SUSPENDED
    if newest.stops == stops and newest.instant <= instant:
        return refusals.ALREADY_SUSPENDED if stops else refusals.NOT_SUSPENDED
    return None
