"""From an alias as people write it to records with keyed numbers, one for each arrangement.

    row      TIN, scheme (EORI, US-MID, JP-NACCS, KR-OPC, ...), value, from when, to when
    record   alias and subject, keyed for the arrangement; the same dates

Rows are judged one by one, as those of `Publish` are, with codes of the same list. A value may lead
to several traders, so a collision is no fault of a row: look-ups say ALIAS_AMBIGUOUS. What the
ledger says already is not published again; where that holds under all arrangements of a row it is
answered ALIAS_UNCHANGED, and a file that is handed in twice costs the ledger nothing.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple

from aeo.exchange.v1 import publishing_service_pb2 as pb
from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.customs.subject import LookupKey
from ledger.errors import FormatError
from ledger.state.alias import AliasRecord, check_alias, format_alias
from ledger.state.refusals import EXECUTED
from ledger.state.state import State
from service.node.publishing.submission import PreparedRows, is_certificate
from service.node.publishing.targets import Consents, RowFault, RowRefused, RowTargets
from service.store.home.prepared import Group

ALIASES: Final = Transaction.ALIASES_FIELD_NUMBER
# Narrower than what a look-up may ask for: what is published here can be typed without a doubt.
SCHEME_FORM: Final = re.compile(r"[A-Z0-9][A-Z0-9-]{0,31}", re.ASCII)


class _Book(NamedTuple):
    """Records under one arrangement, as they come."""

    submissions: list[int]
    records: list[bytes]


class _Rows:
    """One request on its way to records."""

    def __init__(
        self,
        state: State,
        economy: str,
        key_of: Callable[[bytes], LookupKey | None],
        now: int,
        consents: Consents | None,
    ) -> None:
        self._state = state
        self._economy = economy
        self._key_of = key_of
        self._targets = RowTargets(state, economy, now, consents)
        self._books: dict[bytes, _Book] = {}

    def prepare(self, request: pb.PublishAliasesRequest) -> PreparedRows:
        usual = tuple(request.arrangement_ids)
        faults: dict[int, RowFault] = {}
        for row, submission in enumerate(request.aliases):
            try:
                self._add(row, submission, tuple(submission.arrangement_ids) or usual)
            except RowRefused as refused:
                faults[row] = refused.fault
        groups = tuple(
            Group(ALIASES, arrangement_id, tuple(book.submissions), tuple(book.records))
            for arrangement_id, book in self._books.items()
        )
        return PreparedRows(groups, faults)

    def _add(self, row: int, submission: pb.AliasSubmission, wanted: tuple[bytes, ...]) -> None:
        tin = self._targets.tin(submission.tin)
        if not SCHEME_FORM.fullmatch(submission.scheme):
            raise RowRefused("SCHEME_MALFORMED", submission.scheme[:64])
        if not is_certificate(submission.value):  # the same text, keyed under another name
            raise RowRefused("ALIAS_MALFORMED")
        found = self._targets.arrangements(wanted)
        taken_back = 0 < submission.valid_to <= submission.valid_from
        if not taken_back:
            found = self._targets.shared(found, tin, named=bool(wanted))
        made = [
            (arrangement_id, data)
            for arrangement_id in found
            if (data := self._record(arrangement_id, submission, tin)) is not None
        ]
        if not made:
            raise RowRefused("ALIAS_UNCHANGED")
        for arrangement_id, data in made:
            book = self._books.setdefault(arrangement_id, _Book([], []))
            book.submissions.append(row)
            book.records.append(data)

    def _record(
        self, arrangement_id: bytes, submission: pb.AliasSubmission, tin: str
    ) -> bytes | None:
        """The record under one arrangement; None where the ledger says so already."""
        key = self._key_of(arrangement_id)
        if key is None:
            raise RowRefused("LOOKUP_KEY_MISSING", arrangement_id.hex())
        alias = key.alias(submission.scheme, submission.value)
        valid_from, valid_to = submission.valid_from, submission.valid_to
        record = AliasRecord(alias, key.subject(tin), valid_from, valid_to)
        try:
            data = format_alias(record)
        except FormatError as error:
            raise RowRefused("RECORD_MALFORMED", str(error)) from None
        known = [
            AliasRecord(alias, entry.subject, entry.valid_from, entry.valid_to)
            for entry in self._state.alias(arrangement_id, self._economy, alias)
        ]
        return data if check_alias(record, known) == EXECUTED else None


def prepare_aliases(
    request: pb.PublishAliasesRequest,
    state: State,
    economy: str,
    key_of: Callable[[bytes], LookupKey | None],
    now: int,
    consents: Consents | None = None,
) -> PreparedRows:
    """Make the records of a request that `economy` publishes at `now` (Unix ms)."""
    return _Rows(state, economy, key_of, now, consents).prepare(request)


def find_alias(
    scheme: str,
    value: str,
    tins: Sequence[str],
    state: State,
    economy: str,
    keys: Mapping[bytes, LookupKey],
) -> list[pb.AliasEntry]:
    """Every record of one alias under the arrangements of `economy` that all have signed.

    Entries of the traders `tins` (canonical) carry their TIN. Raises `FormatError` for what is no
    scheme or value.
    """
    found: list[pb.AliasEntry] = []
    for arrangement_id in sorted(state.own_arrangements(economy)):
        history, key = state.arrangement(arrangement_id), keys.get(arrangement_id)
        if history is None or history.complete is None or key is None:
            continue
        alias = key.alias(scheme, value)
        named = {key.subject(tin): tin for tin in tins}
        for issuer in history.text.parties:
            entries = state.alias(arrangement_id, issuer, alias)
            newest = {entry.subject: entry for entry in entries}
            found += [
                pb.AliasEntry(
                    arrangement_id=arrangement_id,
                    issuer=issuer,
                    subject=entry.subject,
                    tin=named.get(entry.subject, ""),
                    valid_from=entry.valid_from,
                    valid_to=entry.valid_to,
                    height=entry.height,
                    time=entry.time,
                    replaced=newest[entry.subject] is not entry,
                )
                for entry in entries
            ]
    return found
