r"""A status record: one event of one certificate under one arrangement, stating the whole result.

What differs from trader to trader comes first and has a fixed length; what many certificates share
(`StatusTerms`) is one nested message, read once and remembered by its exact bytes. So the common
record is read by offsets, and whatever does not fit them goes to the strict reader.

    0    0a 20   subject, 32 bytes
    34   12 10   certificate, 16 bytes
    52   19      valid_from; then 21 valid_to, 29 effective_from, 31 effective_to: each fixed64,
                 and left out when it is 0
         3a n    terms
         42 20   profile commitment, 32 bytes; then 4a predecessor, 52 corrects, 59 reapply_after

The form of a record, beyond its encoding (domain, *Status record*):

- event and status fit: GRANT and REINSTATE state CERTIFIED; SUSPEND SUSPENDED; AMEND one of both;
  REVOKE, WITHDRAW, ANNUL and END_SHARING their own; SHARE_AGAIN any but NOT_SHARED; REVERSE and
  CORRECT any
- a role is two or three capitals or digits (UN/EDIFACT 3035), or X-...; a mode is 1 to 8, 0 for
  all; a level is a code of printable ASCII; lists ascend without repeats
- scope, expected end and `lapses` belong to SUSPENDED; a scope reaches something; `lapses` needs
  the end; every end lies after its beginning
- `corrects` stands in CORRECT and only there, `reapply_after` only in REVOKE; nobody is his own
  predecessor; instants are below 2^63

The design leaves open whether a record may name no role. It may: it then satisfies only rules that
name none either, as a certificate without level does.

>>> record = StatusRecord(
...     subject=b"s" * 32, certificate=b"c" * 16,
...     valid_from=1_577_836_800_000, valid_to=1_893_456_000_000, effective_from=1_577_836_800_000,
...     terms=StatusTerms(pb.EVENT_GRANT, pb.STATUS_CERTIFIED, (Role("EX"),), level="AEO-S"))
>>> data = format_status(record)
>>> data[52:79].hex(), data[79:].hex()
('1900e8665e6f0100002100b4c5dab80100002900e8665e6f010000', '3a11080110011a040a024558220541454f2d53')
>>> parse_status(data) == record
True
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import pairwise
from struct import Struct
from typing import Any, Final, NamedTuple

from aeo.ledger.v1 import status_pb2 as pb
from ledger.errors import FormatError
from ledger.wire import format_strict, parse_strict

# A record is about 120 bytes; the limit leaves room for long lists of roles and scopes.
STATUS_LIMIT: Final = 4_096
# Far more than a programme has combinations of roles and levels, and still only a few megabytes.
TERMS_REMEMBERED: Final = 8_192
# Verdicts carry instants as sfixed64.
INSTANT_LIMIT: Final = 1 << 63

ROLE_FORM: Final = re.compile(r"[A-Z0-9]{2,3}|X-[A-Z0-9][A-Z0-9-]{0,29}", re.ASCII)
LEVEL_FORM: Final = re.compile(r"[A-Za-z0-9][!-~]{0,31}", re.ASCII)
MODES: Final = range(1, 9)
_CORRECT: Final[int] = pb.EVENT_CORRECT

# Which statuses an event may state; whether it may follow is for `check_transition`.
STATED: Final[dict[int, frozenset[int]]] = {
    pb.EVENT_GRANT: frozenset({pb.STATUS_CERTIFIED}),
    pb.EVENT_AMEND: frozenset({pb.STATUS_CERTIFIED, pb.STATUS_SUSPENDED}),
    pb.EVENT_SUSPEND: frozenset({pb.STATUS_SUSPENDED}),
    pb.EVENT_REINSTATE: frozenset({pb.STATUS_CERTIFIED}),
    pb.EVENT_REVOKE: frozenset({pb.STATUS_REVOKED}),
    pb.EVENT_WITHDRAW: frozenset({pb.STATUS_WITHDRAWN}),
    pb.EVENT_END_SHARING: frozenset({pb.STATUS_NOT_SHARED}),
    pb.EVENT_SHARE_AGAIN: frozenset(pb.Status.values()) - {pb.STATUS_NOT_SHARED},
    pb.EVENT_ANNUL: frozenset({pb.STATUS_ANNULLED}),
    pb.EVENT_REVERSE: frozenset(pb.Status.values()),
    pb.EVENT_CORRECT: frozenset(pb.Status.values()),
}


class Role(NamedTuple):
    """A trade role that a certificate names; `mode` 0 means every mode of transport."""

    code: str
    mode: int = 0


class Scope(NamedTuple):
    """What a suspension reaches: these levels and these roles."""

    levels: tuple[str, ...] = ()
    roles: tuple[Role, ...] = ()


class Predecessor(NamedTuple):
    """The subject (32 bytes) under which the same person, or a merged one, stood before."""

    subject: bytes
    kind: int


class RecordPlace(NamedTuple):
    """A record by its transaction's log index and its position there."""

    log_index: int
    position: int


@dataclass(frozen=True, slots=True)
class StatusTerms:
    """What a record says of a certificate, apart from whose and when. Enums are protobuf's ints."""

    event: int
    status: int
    roles: tuple[Role, ...] = ()
    level: str = ""
    scope: Scope | None = None
    operator_class: int = 0
    e_commerce: bool = False
    criteria_track: int = 0
    lapses: bool = False
    reason: int = 0
    migrated: bool = False


class StatusRecord(NamedTuple):
    """One record. Instants are Unix milliseconds, 0 where absent; bytes are empty where absent."""

    subject: bytes
    certificate: bytes
    valid_from: int
    valid_to: int
    effective_from: int
    terms: StatusTerms
    effective_to: int = 0
    profile_commitment: bytes = b""
    predecessor: Predecessor | None = None
    corrects: RecordPlace | None = None
    reapply_after: int = 0


_INSTANT: Final = Struct("<Q")
# Signed, so that an instant out of range is below 0.
_EFFECTIVE_TO: Final = Struct("<q")
_TWO_INSTANTS: Final = Struct("<qxq")
_THREE_INSTANTS: Final = Struct("<qxqxq")
_SUBJECT_TAG: Final = b"\n "
_TERMS_TAG: Final = 0x3A


def parse_status(data: bytes) -> StatusRecord:
    """Read a record of at most `STATUS_LIMIT` bytes; raises `FormatError`."""
    if data[:2] != _SUBJECT_TAG or len(data) > STATUS_LIMIT:
        return _parse_any(data)
    return parse_status_of(data[2:34], data[34:])


def parse_status_of(subject: bytes, rest: bytes) -> StatusRecord:
    """Read a record from its `subject` (32 bytes) and its bytes after it; as `parse_status`."""
    size = len(rest)
    if not 47 <= size <= STATUS_LIMIT - 34 or rest[:2] != b"\x12\x10" or rest[18] != 0x19:
        return _parse_any(_SUBJECT_TAG + subject + rest)
    valid_to = effective_to = 0
    if rest[27] == 0x21 and rest[36] == 0x29:
        valid_from, valid_to, effective_from = _THREE_INSTANTS.unpack_from(rest, 19)
        at = 45
        common = 0 < valid_from < valid_to and effective_from > 0
    else:
        valid_from, effective_from = _TWO_INSTANTS.unpack_from(rest, 19)
        at = 36
        common = rest[27] == 0x29 and valid_from > 0 and effective_from > 0
    if rest[at] == 0x31 and at + 11 <= size:
        (effective_to,) = _EFFECTIVE_TO.unpack_from(rest, at + 1)
        at += 9
        common = common and effective_to > effective_from
    start = at + 2
    end = start + rest[at + 1]
    if not common or rest[at] != _TERMS_TAG or rest[at + 1] > 127 or end > size:
        return _parse_any(_SUBJECT_TAG + subject + rest)
    terms = _parse_terms(rest[start:end])
    commitment = b""
    if end != size:
        commitment = rest[end + 2 :]
        common = size == end + 34 and rest[end : end + 2] == b"B "
    # What is left of `_require_form`, for a record without the fields after the commitment.
    if effective_to:
        common = common and terms.status == pb.STATUS_SUSPENDED
    elif terms.lapses:
        common = False
    if not common or terms.event == _CORRECT:
        return _parse_any(_SUBJECT_TAG + subject + rest)
    return StatusRecord(
        subject,
        rest[2:18],
        valid_from,
        valid_to,
        effective_from,
        terms,
        effective_to,
        commitment,
    )


def format_status(record: StatusRecord) -> bytes:
    """Write a record; raises `FormatError` for one that no reader accepts."""
    _require_form(record)
    parts = [_SUBJECT_TAG, record.subject, b"\x12\x10", record.certificate]
    for tag, instant in (
        (b"\x19", record.valid_from),
        (b"\x21", record.valid_to),
        (b"\x29", record.effective_from),
        (b"\x31", record.effective_to),
    ):
        if instant:
            parts += (tag, _INSTANT.pack(instant))
    parts.append(_format_terms(record.terms))
    if record.profile_commitment:
        parts += (b"B ", record.profile_commitment)
    if record.predecessor or record.corrects or record.reapply_after:
        tail = pb.StatusRecord(reapply_after=record.reapply_after)
        if record.predecessor:
            tail.predecessor.subject, kind = record.predecessor
            tail.predecessor.kind = _enum(kind)
        if record.corrects:
            tail.corrects.SetInParent()
            tail.corrects.log_index, tail.corrects.position = record.corrects
        parts.append(format_strict(tail))
    data = b"".join(parts)
    if len(data) > STATUS_LIMIT:
        raise FormatError(f"a status record has at most {STATUS_LIMIT} bytes, not {len(data)}")
    return data


def is_ascending(values: Sequence[object]) -> bool:
    """Whether comparable `values` ascend without repeats, as every list in signed text does."""
    return all(a < b for a, b in pairwise(values))  # type: ignore[operator]


def _parse_any(data: bytes) -> StatusRecord:
    message = parse_strict(pb.StatusRecord, data, STATUS_LIMIT)
    if not message.HasField("terms"):
        raise FormatError("a status record has terms")
    predecessor = corrects = None
    if message.HasField("predecessor"):
        predecessor = Predecessor(message.predecessor.subject, message.predecessor.kind)
    if message.HasField("corrects"):
        corrects = RecordPlace(message.corrects.log_index, message.corrects.position)
    record = StatusRecord(
        message.subject,
        message.certificate,
        message.valid_from,
        message.valid_to,
        message.effective_from,
        _read_terms(message.terms),
        message.effective_to,
        message.profile_commitment,
        predecessor,
        corrects,
        message.reapply_after,
    )
    _require_form(record)
    return record


@lru_cache(TERMS_REMEMBERED)
def _parse_terms(data: bytes) -> StatusTerms:
    return _read_terms(parse_strict(pb.StatusTerms, data, STATUS_LIMIT))


@lru_cache(TERMS_REMEMBERED)
def _format_terms(terms: StatusTerms) -> bytes:
    """The terms with their tag and length."""
    _require_terms(terms)
    message = pb.StatusTerms(
        event=_enum(terms.event),
        status=_enum(terms.status),
        roles=_write_roles(terms.roles),
        level=terms.level,
        operator_class=_enum(terms.operator_class),
        e_commerce=terms.e_commerce,
        criteria_track=_enum(terms.criteria_track),
        lapses=terms.lapses,
        reason=_enum(terms.reason),
        migrated=terms.migrated,
    )
    if terms.scope:
        message.scope.levels.extend(terms.scope.levels)
        message.scope.roles.extend(_write_roles(terms.scope.roles))
    return format_strict(pb.StatusRecord(terms=message))


def _enum(value: int) -> Any:
    """The stubs make a class of an enum whose values are ints."""
    return value


def _read_terms(message: pb.StatusTerms) -> StatusTerms:
    scope = None
    if message.HasField("scope"):
        scope = Scope(tuple(message.scope.levels), _read_roles(message.scope.roles))
    terms = StatusTerms(
        message.event,
        message.status,
        _read_roles(message.roles),
        message.level,
        scope,
        message.operator_class,
        message.e_commerce,
        message.criteria_track,
        message.lapses,
        message.reason,
        message.migrated,
    )
    _require_terms(terms)
    return terms


def _read_roles(roles: Sequence[pb.CertifiedRole]) -> tuple[Role, ...]:
    return tuple(Role(role.code, role.mode) for role in roles)


def _write_roles(roles: Sequence[Role]) -> list[pb.CertifiedRole]:
    return [pb.CertifiedRole(code=role.code, mode=role.mode) for role in roles]


def _require_terms(terms: StatusTerms) -> None:
    stated = STATED.get(terms.event)
    if stated is None:
        raise FormatError("a status record names its event")
    if terms.status not in stated or not terms.status:
        raise FormatError(f"the event {terms.event} does not lead to the status {terms.status}")
    _require_roles(terms.roles)
    if terms.level:
        _require_levels((terms.level,))
    suspended = terms.status == pb.STATUS_SUSPENDED
    if terms.scope is not None:
        if not suspended:
            raise FormatError("only a suspension has a scope")
        if not terms.scope.levels and not terms.scope.roles:
            raise FormatError("the scope of a suspension names levels or roles")
        _require_levels(terms.scope.levels)
        _require_roles(terms.scope.roles)
    if terms.lapses and not suspended:
        raise FormatError("only a suspension lapses")


def _require_roles(roles: tuple[Role, ...]) -> None:
    for code, mode in roles:
        if not ROLE_FORM.fullmatch(code):
            raise FormatError(f"{code!r} is not the code of a role")
        if mode and mode not in MODES:
            raise FormatError(f"{mode} is not a mode of transport, 1 to 8")
    if not is_ascending(roles):
        raise FormatError("roles ascend by code and mode, without repeats")


def _require_levels(levels: tuple[str, ...]) -> None:
    for level in levels:
        if not LEVEL_FORM.fullmatch(level):
            raise FormatError(f"{level!r} is not the code of a level")
    if not is_ascending(levels):
        raise FormatError("levels ascend without repeats")


def _require_form(record: StatusRecord) -> None:
    """What the terms alone cannot show."""
    terms = record.terms
    if len(record.subject) != 32 or len(record.certificate) != 16:
        raise FormatError("a subject has 32 bytes, a keyed certificate number 16")
    if record.profile_commitment and len(record.profile_commitment) != 32:
        raise FormatError("a profile commitment has 32 bytes")
    if (
        max(record.valid_from, record.valid_to, record.effective_from, record.effective_to)
        >= INSTANT_LIMIT
        or record.reapply_after >= INSTANT_LIMIT
    ):
        raise FormatError("an instant is later than 64-bit Unix milliseconds reach")
    if record.valid_to and record.valid_to <= record.valid_from:
        raise FormatError("valid_to lies after valid_from")
    if record.effective_to:
        if terms.status != pb.STATUS_SUSPENDED:
            raise FormatError("only a suspension has an expected end")
        if record.effective_to <= record.effective_from:
            raise FormatError("effective_to lies after effective_from")
    elif terms.lapses:
        raise FormatError("a suspension that lapses says when")
    if (record.corrects is not None) != (terms.event == pb.EVENT_CORRECT):
        raise FormatError("CORRECT names the record it undoes, and no other event does")
    if record.reapply_after and terms.event != pb.EVENT_REVOKE:
        raise FormatError("only REVOKE says when to apply again")
    if record.predecessor is not None:
        if len(record.predecessor.subject) != 32 or not record.predecessor.kind:
            raise FormatError("a predecessor has a subject of 32 bytes and a kind")
        if record.predecessor.subject == record.subject:
            raise FormatError("nobody is his own predecessor")
