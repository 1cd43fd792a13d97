r"""An alias record: an identifier other than the TIN leads to a subject, for a time.

`aeo.ledger.v1.AliasRecord`: alias (32 bytes, keyed), subject (32), valid from, valid to. The
history of an alias (kind 6 of the state map) holds every record about it; of those that name one
subject the newest counts, which is how dates are changed and an alias is taken back (it ends when
it begins). One alias may lead to two subjects at once: so it is in the world, where two operators
share a published code, and the look-up says ALIAS_AMBIGUOUS. Refused is a record that says again
what the newest about its subject already says.

>>> data = format_alias(AliasRecord(b"a" * 32, b"s" * 32, 1_700_000_000_000, 0))
>>> data[68:].hex(), parse_alias(data).subject == b"s" * 32
('190068e5cf8b010000', True)
>>> parse_alias(data[:-1])
Traceback (most recent call last):
ledger.errors.FormatError: AliasRecord.valid_from: ends early
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aeo.ledger.v1 import status_pb2
from ledger.customs.status import INSTANT_LIMIT
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES
from ledger.state.refusals import ALIAS_UNCHANGED, EXECUTED
from ledger.wire import format_strict, parse_strict

# Two fields of 34 bytes and two of 9.
ALIAS_LIMIT: Final = 86


class AliasRecord(NamedTuple):
    """An alias and its subject, 32 bytes each; instants in Unix ms, `valid_to` 0 for no end."""

    alias: bytes
    subject: bytes
    valid_from: int
    valid_to: int


def parse_alias(data: bytes) -> AliasRecord:
    """Read a record of at most `ALIAS_LIMIT` bytes; raises `FormatError`."""
    message = parse_strict(status_pb2.AliasRecord, data, ALIAS_LIMIT)
    record = AliasRecord(message.alias, message.subject, message.valid_from, message.valid_to)
    _require_form(record)
    return record


def format_alias(record: AliasRecord) -> bytes:
    """Write a record; raises `FormatError` for one that no reader accepts."""
    _require_form(record)
    return format_strict(status_pb2.AliasRecord(**record._asdict()))


def check_alias(record: AliasRecord, history: Sequence[AliasRecord]) -> str:
    """The code of the refusal of `record` after `history`, oldest first; or `EXECUTED`."""
    for earlier in reversed(history):
        if earlier.subject == record.subject:
            return ALIAS_UNCHANGED if earlier == record else EXECUTED
    return EXECUTED


def _require_form(record: AliasRecord) -> None:
    if len(record.alias) != HASH_BYTES or len(record.subject) != HASH_BYTES:
        raise FormatError(f"an alias and a subject have {HASH_BYTES} bytes each")
    if max(record.valid_from, record.valid_to) >= INSTANT_LIMIT:
        raise FormatError("an instant is later than 64-bit Unix milliseconds reach")
    if record.valid_to and record.valid_to < record.valid_from:
        raise FormatError("an alias does not end before it begins")
