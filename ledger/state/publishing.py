"""Executing batches: status records and aliases, one by one.

A batch stands under one arrangement, and its author is the issuer of all that is in it. Nothing of
it is executed unless the author is a party, every party has signed, and no end has begun; a
suspended arrangement still takes records, for statuses go on and recognition may resume. Then each
record is read, judged against its own history, and either appended or refused with its code. A
later record of a batch sees what an earlier one did.

What may follow what is for `check_transition` and `check_alias` to say; here histories are kept.

>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.genesis import Genesis
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.registration import Registration
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> from ledger.customs import arrangement as a, arrangement_text as t, status as s
>>> from ledger.state.machine import Machine
>>> from ledger.state.state import Arrangement
>>> founder = Registration(ZERO_HASH, "SG", "Customs", "Asia/Singapore", ("SG",), 1, b"k" * 48,
...                        b"", b"", b"", "", b"", b"its exact bytes")
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, (founder,), DEFAULT_PARAMETERS, b"",
...                   SigningSet((SigningMember("SG", 1, b"k" * 48),)), b"its exact bytes")
>>> draft = Draft(Machine(genesis, default_backend()).state, time=2_000)
>>> text = t.parse_arrangement_text(t.format_arrangement_text(t.pb.ArrangementText(
...     name="Own", kind=1, parties=["SG"], lookup_key_commitment=bytes(32))))
>>> entry = a.ArrangementEntry(1, 2_000, 0, "SG", a.Step("propose", text=text))
>>> own = a.ArrangementHistory.propose(b"a" * 16, entry)
>>> draft.arrangements[b"a" * 16] = Arrangement(ZERO_HASH, own, ())
>>> grant = s.format_status(s.StatusRecord(b"s" * 32, b"c" * 16, 9, 0, 9, s.StatusTerms(1, 1)))
>>> execute_statuses(draft, "SG", b"a" * 16, [grant])
('ARRANGEMENT_NOT_SIGNED',)
>>> signed = own.extend(entry._replace(step=a.Step("sign")))
>>> draft.arrangements[b"a" * 16] = Arrangement(ZERO_HASH, signed, ())
>>> execute_statuses(draft, "SG", b"a" * 16, [grant, grant, grant[:-1]])
('', 'CERTIFICATE_KNOWN', 'RECORD_MALFORMED')
>>> draft.changes == {subject_key(b"a" * 16, "SG", b"s" * 32):
...                   history_step(ZERO_HASH, 1, 1, 2_000, 0, 0, "SG", grant)}
True
"""

from collections.abc import Sequence
from typing import Final

from aeo.ledger.v1 import status_pb2
from ledger.chain.history import history_step
from ledger.chain.keys import alias_key, subject_key
from ledger.customs.arrangement import ArrangementHistory
from ledger.customs.status import parse_status
from ledger.customs.transition import check_transition
from ledger.errors import FormatError
from ledger.hashing import ZERO_HASH
from ledger.state.alias import check_alias, parse_alias
from ledger.state.draft import Draft
from ledger.state.facts import Book
from ledger.state.packed import PlacedRecord, append_packed, packed_head, unpack
from ledger.state.refusals import (
    ARRANGEMENT_HAS_ENDED,
    ARRANGEMENT_NOT_SIGNED,
    ARRANGEMENT_UNKNOWN,
    EXECUTED,
    NOT_A_PARTY,
    RECORD_MALFORMED,
)
from ledger.state.state import book_key
from ledger.state.view import StatusEntry, SuccessorEntry

RENUMBERED: Final[int] = status_pb2.PREDECESSOR_KIND_RENUMBERED

_NO_BOOK: Book = {}
# Entries of the block in the making have no size to stop at.
_WHOLE_LOG: Final = 1 << 64


def execute_statuses(
    draft: Draft, author: str, arrangement_id: bytes, records: Sequence[bytes]
) -> tuple[str, ...]:
    """Execute a batch of status records; return each one's code."""
    arrangement = draft.arrangement(arrangement_id)
    refused = _refuse_all(None if arrangement is None else arrangement.history, author, draft.time)
    if arrangement is None or refused:
        return (refused,) * len(records)
    migrated_until = arrangement.history.migrated_until(author, draft.base.member_since(author))
    key = book_key(arrangement_id, author)
    below = draft.facts.statuses.get(key, _NO_BOOK)
    book = draft.statuses.setdefault(key, {})
    height, time, log_index = draft.height, draft.time, draft.log_index
    touched = draft.touched
    changes = draft.changes if draft.map_changes else None
    codes = []
    for position, data in enumerate(records):
        try:
            record = parse_status(data)
        except FormatError:
            codes.append(RECORD_MALFORMED)
            continue
        subject = record.subject
        packed = book.get(subject) or below.get(subject)
        if packed is None:
            history: Sequence[StatusEntry] = ()
            head = ZERO_HASH
        else:
            history = _entries(draft, unpack(subject, packed, _WHOLE_LOG))
            head = packed_head(packed)
        code = check_transition(record, history, time, migrated_until)
        if code:
            codes.append(code)
            continue
        head = history_step(head, len(history) + 1, height, time, log_index, position, author, data)
        book[subject] = append_packed(packed, head, log_index, position, data)
        if changes is not None:
            changes[subject_key(arrangement_id, author, subject)] = head
        touched.append((arrangement_id, author, subject))
        if record.predecessor is not None and record.predecessor.kind == RENUMBERED:
            entry = SuccessorEntry(height, log_index, position, subject)
            draft.add_successor(key, record.predecessor.subject, entry)
        codes.append(EXECUTED)
    return tuple(codes)


def execute_aliases(
    draft: Draft, author: str, arrangement_id: bytes, records: Sequence[bytes]
) -> tuple[str, ...]:
    """Execute a batch of alias records; return each one's code."""
    arrangement = draft.arrangement(arrangement_id)
    refused = _refuse_all(None if arrangement is None else arrangement.history, author, draft.time)
    if refused:
        return (refused,) * len(records)
    key = book_key(arrangement_id, author)
    below = draft.facts.aliases.get(key, _NO_BOOK)
    book = draft.aliases.setdefault(key, {})
    codes = []
    for position, data in enumerate(records):
        try:
            record = parse_alias(data)
        except FormatError:
            codes.append(RECORD_MALFORMED)
            continue
        alias = record.alias
        packed = book.get(alias) or below.get(alias)
        placed = unpack(alias, packed, _WHOLE_LOG)
        code = check_alias(record, [parse_alias(earlier.record) for earlier in placed])
        if code == EXECUTED:
            head = history_step(
                ZERO_HASH if packed is None else packed_head(packed),
                len(placed) + 1,
                draft.height,
                draft.time,
                draft.log_index,
                position,
                author,
                data,
            )
            book[alias] = append_packed(packed, head, draft.log_index, position, data)
            draft.changes[alias_key(arrangement_id, author, alias)] = head
        codes.append(code)
    return tuple(codes)


def _refuse_all(arrangement: ArrangementHistory | None, author: str, time: int) -> str:
    """Why nobody's, or not this author's, records are taken under an arrangement; or `EXECUTED`."""
    if arrangement is None:
        return ARRANGEMENT_UNKNOWN
    if author not in arrangement.text.parties:
        return NOT_A_PARTY
    if arrangement.complete is None:
        return ARRANGEMENT_NOT_SIGNED
    if any(end.instant <= time for end in arrangement.ends):
        return ARRANGEMENT_HAS_ENDED
    return EXECUTED


def _entries(draft: Draft, placed: Sequence[PlacedRecord]) -> list[StatusEntry]:
    return [
        StatusEntry(*draft.place_of(log_index), log_index, position, parse_status(record))
        for log_index, position, record in placed
    ]
