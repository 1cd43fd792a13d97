"""From a submitted row, with its real numbers, to a record, with the keyed ones.

Every row is judged alone: a good one becomes one record under each of its arrangements, a faulty
one gets a code of the closed list `ROW_CODES` and leaves its neighbours as they are. What only the
ledger can tell, whether a step may follow the certificate's newest record, is judged there.

Each row costs a few microseconds, for this is where the node's publishing rate is decided: rows
come as `aeo.exchange.wire.v1.SubmissionBytes`, their terms as bytes that are read once and
remembered, and the common record is joined from its parts. Whatever is not common goes to
`format_status`; the tests hold both to the same bytes.
"""

from collections.abc import Callable
from functools import lru_cache
from struct import Struct
from typing import Final, NamedTuple

from google.protobuf.message import DecodeError

from aeo.exchange.wire.v1.wire_pb2 import PublishRequestBytes, SubmissionBytes
from aeo.ledger.v1 import status_pb2 as pb
from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.customs.status import (
    INSTANT_LIMIT,
    Predecessor,
    RecordPlace,
    StatusRecord,
    StatusTerms,
    format_status,
    parse_status,
)
from ledger.customs.subject import LookupKey, normalise_text
from ledger.errors import FormatError
from ledger.state.state import State
from ledger.wire import format_strict
from service.errors import Refused
from service.node.profiles.own import NO_PROFILES, Commitments, OwnProfiles, commits
from service.node.publishing.confirmed import CONFIRMED_EVENTS
from service.node.publishing.targets import ROW_CODES, Consents, RowFault, RowRefused, RowTargets
from service.store.home.prepared import Group

__all__ = ["ROW_CODES", "PreparedRows", "RowFault", "prepare_rows"]

# Rows of one request: some 400 KB, and a tenth of a second of the node's time.
MAX_ROWS: Final = 3_000

# What only takes away from what is shared needs nobody's consent.
NEEDS_NO_CONSENT: Final = frozenset(
    {
        pb.EVENT_SUSPEND,
        pb.EVENT_REVOKE,
        pb.EVENT_WITHDRAW,
        pb.EVENT_ANNUL,
        pb.EVENT_END_SHARING,
    }
)
STATUSES: Final = Transaction.STATUSES_FIELD_NUMBER

# Terms of different programmes that come again and again; each entry is about 300 bytes.
TERMS_REMEMBERED: Final = 8_192

# From, to, effective; from, effective: the two common shapes of a record's dates, with their tags.
_THREE_INSTANTS: Final = Struct("<BQBQBQ")
_TWO_INSTANTS: Final = Struct("<BQBQ")
_FROM, _TO, _EFFECTIVE = 0x19, 0x21, 0x29
# Of a record with two instants, see `ledger.customs.status`.
_TERMS_AT: Final = 52 + _TWO_INSTANTS.size
_PLACEHOLDER: Final = bytes(32)


class ConfirmationRequired(Refused):
    """A row is an event that takes a second person, and the caller is not one."""

    def __init__(self, row: int, event: int) -> None:
        name = pb.Event.Name(pb.Event.ValueType(event)).removeprefix("EVENT_")
        super().__init__(f"row {row}: {name} takes an approver")
        self.row = row


class PreparedRows(NamedTuple):
    """Records ready for the outbox, and what is wrong with the rows that gave none, by row."""

    groups: tuple[Group, ...]
    faults: dict[int, RowFault]


class _Book(NamedTuple):
    """Records under one arrangement, as they come."""

    key: LookupKey
    submissions: list[int]
    records: list[bytes]


class _Rows:
    """One request on its way to records; everything that holds for all its rows is found once."""

    def __init__(
        self,
        targets: RowTargets,
        key_of: Callable[[bytes], LookupKey | None],
        now: int,
        confirms: bool,
        profiles: OwnProfiles,
    ) -> None:
        self._targets = targets
        self._key_of = key_of
        self._with_profile = profiles.tins
        self._commitments = Commitments(profiles)
        self._now = now
        self._confirms = confirms
        self._books: dict[bytes, _Book] = {}
        # And whether any of them asks for consent.
        self._books_of: dict[tuple[bytes, ...], tuple[tuple[_Book, ...], bool]] = {}

    def prepare(self, request: PublishRequestBytes) -> PreparedRows:
        usual = tuple(request.arrangement_ids)
        faults: dict[int, RowFault] = {}
        for row, submission in enumerate(request.submissions):
            try:
                self._add(row, submission, usual)
            except RowRefused as refused:
                faults[row] = refused.fault
        self._commitments.make()
        return PreparedRows(
            tuple(
                Group(STATUSES, arrangement_id, tuple(book.submissions), tuple(book.records))
                for arrangement_id, book in self._books.items()
                if book.records
            ),
            faults,
        )

    def _add(self, row: int, submission: SubmissionBytes, usual: tuple[bytes, ...]) -> None:
        tin = self._targets.tin(submission.tin)
        try:
            event, terms = _terms(submission.terms)
        except FormatError as error:
            raise RowRefused("TERMS_MALFORMED", str(error)) from None
        if event in CONFIRMED_EVENTS and not self._confirms:
            raise ConfirmationRequired(row, event)
        number = submission.certificate_number
        own = submission.arrangement_ids
        wanted = tuple(own) if own else usual
        known = self._books_of.get(wanted)
        if known is None:
            found = self._targets.arrangements(wanted)
            asks = any(map(self._targets.asks, found))
            known = self._books_of[wanted] = tuple(map(self._open, found)), asks
        books, asks = known
        if asks and event not in NEEDS_NO_CONSENT:
            own_ids = tuple(book.key.arrangement_id for book in books)
            covered = self._targets.shared(own_ids, tin, named=bool(wanted))
            books = tuple(book for book in books if book.key.arrangement_id in covered)
        middle = self._middle(submission, terms)
        try:
            if middle is not None:
                made = [
                    b"\n %b\x12\x10%b%b"
                    % (book.key.subject(tin), book.key.certificate(number), middle)
                    for book in books
                ]
            else:
                made = [self._uncommon(submission, tin, book, len(books)) for book in books]
        except FormatError as error:
            code = "RECORD_MALFORMED" if is_certificate(number) else "CERTIFICATE_MALFORMED"
            raise RowRefused(code, str(error)) from None
        for book, record in zip(books, made, strict=True):
            book.submissions.append(row)
            book.records.append(record)
        if tin in self._with_profile and commits(event):
            common = middle is not None
            for book in books:
                key, records = book.key, book.records
                self._commitments.note(tin, key.arrangement_id, records, common=common)

    def _open(self, arrangement_id: bytes) -> _Book:
        book = self._books.get(arrangement_id)
        if book is None:
            key = self._key_of(arrangement_id)
            if key is None:
                raise RowRefused("LOOKUP_KEY_MISSING", arrangement_id.hex())
            book = self._books[arrangement_id] = _Book(key, [], [])
        return book

    def _middle(self, submission: SubmissionBytes, terms: bytes | None) -> bytes | None:
        """What a common record has after its keyed numbers; None for an uncommon one."""
        valid_from, valid_to = submission.valid_from, submission.valid_to
        effective = submission.effective_from or self._now
        if (
            terms is None
            or not 0 < valid_from < INSTANT_LIMIT
            or effective >= INSTANT_LIMIT
            or submission.effective_to
            or submission.reapply_after
            or submission.predecessor_kind
            or submission.predecessor_tin
            or submission.corrects
        ):
            return None
        if valid_to:
            if not valid_from < valid_to < INSTANT_LIMIT:
                return None
            dates = _THREE_INSTANTS.pack(_FROM, valid_from, _TO, valid_to, _EFFECTIVE, effective)
        else:
            dates = _TWO_INSTANTS.pack(_FROM, valid_from, _EFFECTIVE, effective)
        return dates + terms

    def _uncommon(self, submission: SubmissionBytes, tin: str, book: _Book, books: int) -> bytes:
        """Any record, through the format's own writer; raises `FormatError`."""
        key = book.key
        predecessor = None
        if submission.predecessor_tin or submission.predecessor_kind:
            older = self._targets.canonical(submission.predecessor_tin)
            if submission.predecessor_kind not in pb.PredecessorKind.values():
                raise FormatError("no such kind of predecessor")
            predecessor = Predecessor(key.subject(older), submission.predecessor_kind)
        corrects = None
        if submission.corrects:
            if books != 1:
                raise RowRefused("CORRECTS_ONE")
            corrects = _place(submission.corrects)
        return format_status(
            StatusRecord(
                key.subject(tin),
                key.certificate(submission.certificate_number),
                submission.valid_from,
                submission.valid_to,
                submission.effective_from or self._now,
                _read_terms(submission.terms),
                effective_to=submission.effective_to,
                predecessor=predecessor,
                corrects=corrects,
                reapply_after=submission.reapply_after,
            )
        )


def prepare_rows(
    request: PublishRequestBytes,
    state: State,
    economy: str,
    key_of: Callable[[bytes], LookupKey | None],
    now: int,
    *,
    confirms: bool,
    consents: Consents | None = None,
    profiles: OwnProfiles = NO_PROFILES,
) -> PreparedRows:
    """Make the records of a request that `economy` publishes at `now` (Unix ms).

    Raises `ConfirmationRequired` when a row takes a second person and the caller `confirms`
    nothing.
    """
    targets = RowTargets(state, economy, now, consents)
    return _Rows(targets, key_of, now, confirms, profiles).prepare(request)


@lru_cache(TERMS_REMEMBERED)
def _terms(data: bytes) -> tuple[int, bytes | None]:
    """The event of terms as they came, and their field in a record if the record may be common."""
    terms = _read_terms(data)
    try:
        common = format_status(
            StatusRecord(_PLACEHOLDER, _PLACEHOLDER[:16], 1, 0, 1, terms),
        )
    except FormatError:
        return terms.event, None  # these terms ask for an end, or a record to correct
    return terms.event, common[_TERMS_AT:]


@lru_cache(TERMS_REMEMBERED)
def _read_terms(data: bytes) -> StatusTerms:
    """Terms in any encoding, as long as they say what a record may say; raises `FormatError`."""
    try:
        message = pb.StatusTerms.FromString(data)
    except DecodeError:
        raise FormatError("not a StatusTerms message") from None
    # Whoever only submits need not write the one accepted encoding: a record gets ours.
    record = pb.StatusRecord(
        subject=_PLACEHOLDER,
        certificate=_PLACEHOLDER[:16],
        valid_from=1,
        effective_from=1,
        terms=message,
    )
    if message.event == pb.EVENT_CORRECT:
        record.corrects.SetInParent()
    if message.lapses:
        record.effective_to = 2
    record.terms.SetInParent()
    return parse_status(format_strict(record)).terms


def _place(data: bytes) -> RecordPlace:
    try:
        message = pb.RecordPlace.FromString(data)
    except DecodeError:
        raise FormatError("corrects is not a RecordPlace message") from None
    return RecordPlace(message.log_index, message.position)


@lru_cache(TERMS_REMEMBERED)
def event_of(terms: bytes) -> int:
    """The event that a row's terms state; 0 where they cannot be read, which `prepare_rows` says.

    >>> event_of(pb.StatusTerms(event=pb.EVENT_REVOKE).SerializeToString()) in CONFIRMED_EVENTS
    True
    """
    try:
        return pb.StatusTerms.FromString(terms).event
    except DecodeError:
        return 0


def is_certificate(number: str) -> bool:
    """Whether a certificate number can be keyed at all."""
    try:
        normalise_text(number)
    except FormatError:
        return False
    return True
