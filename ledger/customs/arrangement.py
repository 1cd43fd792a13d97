"""An arrangement: the text its parties signed, and its life on the ledger.

    arrangement id = first 16 bytes of H("aeo/v1/arrangement", network id || author || sequence (8))
                     of the transaction that proposed it
    text hash      = H("aeo/v1/arrangement-text", text bytes)

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

>>> text = parse_arrangement_text(format_arrangement_text(pb.ArrangementText(
...     name="Example", kind=pb.ARRANGEMENT_KIND_RECOGNITION, parties=["KR", "TW"],
...     lookup_key_commitment=bytes(32) , rules=[pb.Rule(issuing="KR", recognising="TW",
...     **{"from": 1_475_280_000_000}, functions=["EX", "SE"], certified_roles=["EX"])])))
>>> [rule.functions == {"EX", "SE"} for rule in text.rules_between("KR", "TW")]
[True]
>>> text.rules_between("TW", "KR")
()
"""

import re
from collections.abc import Container, Sequence
from dataclasses import dataclass, field, replace
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.chain.economy import economy_bytes
from ledger.customs.status import INSTANT_LIMIT, LEVEL_FORM, MODES, ROLE_FORM, is_ascending
from ledger.customs.subject import ARRANGEMENT_ID_BYTES
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged
from ledger.state import refusals
from ledger.wire import format_strict, parse_strict

# A transaction has at most 60,000 bytes; this leaves room for its frame.
TEXT_LIMIT: Final = 59_000
STEP_LIMIT: Final = 59_500
NAME_LIMIT: Final = 200
NONCE_LIMIT: Final = 64
DAY: Final = 86_400_000
# A century of notice: keeps every sum of instants within 64 bits.
NOTICE_DAYS_LIMIT: Final = 36_525
# How long after a member's or an arrangement's start history may be loaded (domain, *Status
# record*).
MIGRATION_WINDOW: Final = 90 * DAY

# Agencies that grant benefits, and reports owed.
CODE_FORM: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}", re.ASCII)

IN_FORCE: Final = verdict_pb2.REASON_NONE

_ID = tagged("aeo/v1/arrangement")
_TEXT = tagged("aeo/v1/arrangement-text")


class Benefit(NamedTuple):
    """A benefit's code (protobuf's int) and who grants it: CUSTOMS or an agency."""

    code: int
    granted_by: str


@dataclass(frozen=True, slots=True)
class Rule:
    """What one member recognises of another's certificates, from `begin` to `end` (0: no end).

    Instants are Unix milliseconds, half-open. An empty set means any.
    """

    issuing: str
    recognising: str
    begin: int
    end: int
    functions: frozenset[str]
    certified_roles: frozenset[str]
    levels: frozenset[str]
    directions: frozenset[int]
    transport_modes: frozenset[int]
    benefits: tuple[Benefit, ...]
    party_match_required: bool
    dispatch_from_issuer_required: bool
    relevant_event: int
    goods_under_way: int

    def runs(self, as_of: int) -> bool:
        """Whether the rule runs at `as_of`."""
        return self.begin <= as_of and (not self.end or as_of < self.end)


@dataclass(frozen=True, slots=True)
class ArrangementText:
    """A text that parties sign. Durations are milliseconds; `staleness_limit` 0: the network's."""

    name: str
    kind: int
    parties: tuple[str, ...]
    rules: tuple[Rule, ...]
    consent_required: bool
    staleness_limit: int
    notice_days: int
    supply_chain_roles: tuple[str, ...]
    monitoring_period_days: int
    monitoring_reports: tuple[str, ...]
    lookup_key_commitment: bytes
    nonce: bytes
    text_hash: bytes
    _between: dict[tuple[str, str], tuple[Rule, ...]] = field(
        init=False, repr=False, compare=False, default_factory=dict
    )

    def __post_init__(self) -> None:
        for rule in self.rules:
            pair = rule.issuing, rule.recognising
            self._between[pair] = (*self._between.get(pair, ()), rule)

    def rules_between(self, issuing: str, recognising: str) -> tuple[Rule, ...]:
        """Every rule, past and later, by which `recognising` recognises `issuing`."""
        return self._between.get((issuing, recognising), ())


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

    @classmethod
    def propose(cls, arrangement_id: bytes, entry: ArrangementEntry) -> "ArrangementHistory":
        """Begin with an executed proposal."""
        if entry.step.text is None:
            raise FormatError("an arrangement begins with its text")
        return cls(arrangement_id, entry, entry.step.text)

    def extend(self, entry: ArrangementEntry) -> "ArrangementHistory":
        """Return the history with one more executed step, which `check_step` has passed."""
        kind, author = entry.step.kind, entry.author
        instant = max(entry.time, entry.step.effective_from)
        if kind == "sign":
            signature = Signature(author, entry.height, entry.time)
            signatures = (*self.signatures, signature)
            complete = signature if len(signatures) == len(self.text.parties) else None
            return replace(self, signatures=signatures, complete=complete)
        if kind == "end":
            return replace(self, ends=(*self.ends, End(entry.height, instant)))
        stop = Stop(entry.height, author, instant, kind == "suspend")
        return replace(self, stops=(*self.stops, stop))

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

    def migrated_until(self, issuing: str, member_since: int) -> int:
        """Until when (recorded time, inclusive) `issuing` may load MIGRATED records.

        90 days from the latest of: its membership, the last signature, and its own first day as
        issuer in the text, since a staged start is when the arrangement takes effect *for it*.
        """
        start = member_since
        if self.complete is not None:
            start = max(start, self.complete.time)
        days = [rule.begin for rule in self.text.rules if rule.issuing == issuing]
        return max(start, min(days, default=0)) + MIGRATION_WINDOW


def arrangement_id(network_id: bytes, author: str, sequence: int) -> bytes:
    """Return the id (16 bytes) of what `author` proposes in its transaction number `sequence`."""
    return _ID(network_id + economy_bytes(author) + sequence.to_bytes(8, "big"))[:16]


def text_hash(text: bytes) -> bytes:
    """Return the 32 bytes that parties name when they sign `text`."""
    return _TEXT(text)


def format_arrangement_text(message: pb.ArrangementText) -> bytes:
    """Write a text in its one accepted form; raises `FormatError`."""
    data = format_strict(message)
    parse_arrangement_text(data)
    return data


def parse_arrangement_text(data: bytes) -> ArrangementText:
    """Read and check a text of at most `TEXT_LIMIT` bytes; raises `FormatError`."""
    message = parse_strict(pb.ArrangementText, data, TEXT_LIMIT)
    if not 1 <= len(message.name) <= NAME_LIMIT:
        raise FormatError(f"an arrangement has a name of at most {NAME_LIMIT} characters")
    if not message.kind:
        raise FormatError("an arrangement is one of recognition or of information")
    parties = tuple(message.parties)
    if not parties:
        raise FormatError("an arrangement has parties")
    for party in parties:
        economy_bytes(party)
    if not is_ascending(parties):
        raise FormatError("parties ascend without repeats")
    if message.staleness_limit >= INSTANT_LIMIT or message.notice_days > NOTICE_DAYS_LIMIT:
        raise FormatError("a staleness limit or a notice out of range")
    if len(message.lookup_key_commitment) != HASH_BYTES:
        raise FormatError(f"a lookup key commitment has {HASH_BYTES} bytes")
    if len(message.nonce) > NONCE_LIMIT:
        raise FormatError(f"a nonce has at most {NONCE_LIMIT} bytes")
    return ArrangementText(
        name=message.name,
        kind=message.kind,
        parties=parties,
        rules=tuple(_read_rule(rule, parties) for rule in message.rules),
        consent_required=message.consent_required,
        staleness_limit=message.staleness_limit,
        notice_days=message.notice_days,
        supply_chain_roles=_codes(message.supply_chain_roles, ROLE_FORM),
        monitoring_period_days=message.monitoring.period_days,
        monitoring_reports=_codes(message.monitoring.reports, CODE_FORM),
        lookup_key_commitment=message.lookup_key_commitment,
        nonce=message.nonce,
        text_hash=text_hash(data),
    )


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
    """A planned step may be brought forward, never repeated or put off."""
    newest = next((stop for stop in reversed(history.stops) if stop.economy == author), None)
    if newest is None:
        return None if stops else refusals.NOT_SUSPENDED
    if newest.stops == stops and newest.instant <= instant:
        return refusals.ALREADY_SUSPENDED if stops else refusals.NOT_SUSPENDED
    return None


def _read_rule(rule: pb.Rule, parties: tuple[str, ...]) -> Rule:
    if rule.issuing == rule.recognising or not {rule.issuing, rule.recognising} <= set(parties):
        raise FormatError("a rule runs from one party to another")
    begin, end = getattr(rule, "from"), rule.to
    if end and end <= begin:
        raise FormatError("a rule ends after it begins")
    if max(begin, end) >= INSTANT_LIMIT:
        raise FormatError("an instant is later than 64-bit Unix milliseconds reach")
    if not is_ascending(rule.directions) or not is_ascending(rule.transport_modes):
        raise FormatError("directions and modes ascend without repeats")
    if any(mode not in MODES for mode in rule.transport_modes):
        raise FormatError("a mode of transport is 1 to 8")
    benefits = tuple(Benefit(benefit.code, benefit.granted_by) for benefit in rule.benefits)
    if not is_ascending(benefits):
        raise FormatError("benefits ascend by code and who grants them, without repeats")
    for benefit in benefits:
        if not benefit.code or not CODE_FORM.fullmatch(benefit.granted_by):
            raise FormatError("a benefit has a code and is granted by CUSTOMS or an agency")
    return Rule(
        issuing=rule.issuing,
        recognising=rule.recognising,
        begin=begin,
        end=end,
        functions=frozenset(_codes(rule.functions, ROLE_FORM)),
        certified_roles=frozenset(_codes(rule.certified_roles, ROLE_FORM)),
        levels=frozenset(_codes(rule.levels, LEVEL_FORM)),
        directions=frozenset(rule.directions),
        transport_modes=frozenset(rule.transport_modes),
        benefits=benefits,
        party_match_required=rule.party_match_required,
        dispatch_from_issuer_required=rule.dispatch_from_issuer_required,
        relevant_event=rule.relevant_event,
        goods_under_way=rule.goods_under_way,
    )


def _codes(codes: Sequence[str], form: re.Pattern[str]) -> tuple[str, ...]:
    for code in codes:
        if not form.fullmatch(code):
            raise FormatError(f"{code!r} is not a code of its kind")
    if not is_ascending(codes):
        raise FormatError("codes ascend without repeats")
    return tuple(codes)
