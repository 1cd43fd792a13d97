"""What is asked and what is answered: query, times and verdict as values.

Enums are protobuf's ints (`aeo.exchange.v1`), instants Unix milliseconds. A verdict's bytes are the
one deterministic encoding of `aeo.exchange.v1.Verdict`; in its instants 0 is *none*, so an interval
`holds_from` 0 has no beginning, and `holds_to` 0 no end.

>>> format_verdict(Verdict(outcome=1, reason=1, basis=1, tin="KR123456", level="AEO-S")).hex()
'080110011801320541454f2d5360019202084b52313233343536'
"""

from dataclasses import dataclass
from typing import Any, NamedTuple

from aeo.exchange.v1 import verdict_pb2 as pb
from aeo.ledger.v1.arrangement_pb2 import ArrangementKind, BenefitCode


class Alias(NamedTuple):
    """An identifier other than the TIN, under a scheme."""

    scheme: str
    value: str


class NameAndAddress(NamedTuple):
    """A party that a declaration gives no code for; the address may be empty."""

    name: str
    address: str = ""


@dataclass(slots=True)
class Query:
    """One question: `tin` as it was given, `alias` or `party`; at most one of the two known-ats.

    `as_of` None asks about now, no known-at about all that the ledger says. `recognising` is the
    member whose officer asks. Empty strings are *not given*.
    """

    # Not frozen: that would cost a tenth of the rules for each question. Nothing changes one.
    recognising: str
    function: str
    direction: int
    transport_mode: int
    tin: str | None = None
    alias: Alias | None = None
    level: str = ""
    as_of: int | None = None
    known_at_height: int | None = None
    known_at_time: int | None = None
    dispatch_economy: str = ""
    declared_name: str = ""
    declared_address: str = ""
    party: NameAndAddress | None = None
    # Of the goods, Unix ms, where the question says so (`ledger.customs.goods`).
    dispatched_at: int | None = None
    accepted_at: int | None = None
    arrived_at: int | None = None
    released_at: int | None = None


class Times(NamedTuple):
    """The checker's clock, and the newest attested time it has seen (0: none)."""

    now: int
    attested_time: int


class GrantedBenefit(NamedTuple):
    """A benefit, who grants it, and the recogniser's own words to its officer."""

    code: int
    granted_by: str
    instruction: str


class ArrangementOutcome(NamedTuple):
    """What one arrangement of the pair says for itself."""

    arrangement_id: bytes
    kind: int
    outcome: int
    reason: int


class Verdict(NamedTuple):
    """The answer to one query; each field is that of the message with its name, in its order."""

    outcome: int = 0
    reason: int = 0
    basis: int = 0
    arrangement_id: bytes = b""
    status: int = 0
    level: str = ""
    valid_from: int = 0
    valid_to: int = 0
    benefits: tuple[GrantedBenefit, ...] = ()
    informed: bool = False
    arrangements: tuple[ArrangementOutcome, ...] = ()
    name_match: int = pb.NAME_MATCH_NOT_CHECKED
    profile_commitment: bytes = b""
    pilot: bool = False
    rules_version: int = 0
    holds_from: int = 0
    holds_to: int = 0
    followed_subject: bytes = b""
    height: int = 0
    header_hash: bytes = b""
    issuer_seen: int = 0
    attested_time: int = 0
    cache_until: int = 0
    issuing_economy: str = ""
    recognising_economy: str = ""
    as_of: int = 0
    known_at: int = 0
    tin: str = ""
    tin_changes: tuple[int, ...] = ()
    tin_warnings: tuple[int, ...] = ()


_NESTED = frozenset({"benefits", "arrangements"})
_PLAIN = tuple(name for name in Verdict._fields if name not in _NESTED)


def verdict_message(verdict: Verdict) -> pb.Verdict:
    """Return the message of a verdict."""
    fields: dict[str, Any] = {name: getattr(verdict, name) for name in _PLAIN}
    message = pb.Verdict(**fields)
    for code, granted_by, instruction in verdict.benefits:
        message.benefits.add(
            code=_enum(BenefitCode, code), granted_by=granted_by, instruction=instruction
        )
    for arrangement_id, kind, outcome, reason in verdict.arrangements:
        message.arrangements.add(
            arrangement_id=arrangement_id,
            kind=_enum(ArrangementKind, kind),
            outcome=_enum(pb.Outcome, outcome),
            reason=_enum(pb.Reason, reason),
        )
    return message


def format_verdict(verdict: Verdict) -> bytes:
    """Write a verdict as its deterministic `aeo.exchange.v1.Verdict` bytes."""
    data: bytes = verdict_message(verdict).SerializeToString(deterministic=True)
    return data


def _enum(_: Any, value: int) -> Any:
    """The stubs make a class of an enum whose values are ints."""
    return value
