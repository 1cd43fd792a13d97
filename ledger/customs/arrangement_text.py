"""The text of an arrangement: what its parties sign, read and checked.

    text hash = H("aeo/v1/arrangement-text", text bytes)

A text has a name, a kind and its parties, ascending; one party alone is for records kept at home.
Its rules run from one party to another, each for a period that is not empty; several may run
between the same two at once (sea for one level, air for another). Codes have the form of roles,
levels and modes in a status record; every list in a rule ascends without repeats, and an empty one
means any. The text holds the commitment to the lookup key of epoch 1.

>>> text = parse_arrangement_text(format_arrangement_text(pb.ArrangementText(
...     name="Example", kind=pb.ARRANGEMENT_KIND_RECOGNITION, parties=["KR", "TW"],
...     rules=[pb.Rule(issuing="KR", recognising="TW", functions=["EX", "SE"],
...                    certified_roles=["EX"], **{"from": 1_475_280_000_000})],
...     lookup_key_commitment=bytes(32))))
>>> [sorted(rule.functions) for rule in text.rules_between("KR", "TW")]
[['EX', 'SE']]
>>> text.rules_between("TW", "KR")
()
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.chain.economy import economy_bytes
from ledger.customs.status import INSTANT_LIMIT, LEVEL_FORM, MODES, ROLE_FORM, is_ascending
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged
from ledger.wire import format_strict, parse_strict

# A transaction has at most 60,000 bytes; this leaves room for its frame.
TEXT_LIMIT: Final = 59_000
NAME_LIMIT: Final = 200
NONCE_LIMIT: Final = 64
# A century of notice: keeps every sum of instants within 64 bits.
NOTICE_DAYS_LIMIT: Final = 36_525
# Agencies that grant benefits, and reports owed.
CODE_FORM: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}", re.ASCII)

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
    # No rule runs for a party that has given no notice of its day (`staged_start`).
    staged_starts: bool
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
        staged_starts=message.staged_starts,
    )


def _read_rule(rule: pb.Rule, parties: tuple[str, ...]) -> Rule:
    if rule.issuing == rule.recognising or not {rule.issuing, rule.recognising} <= set(parties):
        raise FormatError("a rule runs from one party to another")
    begin, end = getattr(rule, "from"), rule.to
    if end and end <= begin:
        raise FormatError(
            f"the rule from {rule.issuing} to {rule.recognising} has an empty period: it ends at"
            f" {end}, not after {begin}"
        )
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
