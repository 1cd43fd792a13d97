"""What a certificate's records say of it at an instant.

A record takes effect at its `effective_from` and states the whole result. So, among the records
known and in effect at the instant asked, the newest *in ledger order* decides: a later statement
replaces an earlier one from its own day on, also an announcement that was still to come.

- ANNULLED is void from the beginning: it is in effect at every instant. A later record that states
  something else (REVERSE) replaces it from that record's `effective_from` on.
- A record that a CORRECT names counts as never made, unless that CORRECT is undone in its turn.
- CERTIFIED and SUSPENDED hold from `valid_from` to `valid_to`: before, NOT_YET_VALID; after,
  EXPIRED, which outranks SUSPENDED. The other statuses do not expire.
- A suspension that `lapses` is CERTIFIED again from `effective_to`; any other expected end is only
  expected.
- Where no record is in effect yet the certificate is NOT_YET_VALID, and the record that will come
  first speaks for its roles and level.

Which records are *known* the caller decides: whoever asks about a height passes those recorded up
to it. A scope is left to `evaluate`, which knows the role and level asked about.

>>> from ledger.customs.status import StatusTerms
>>> grant = StatusTerms(pb.EVENT_GRANT, pb.STATUS_CERTIFIED)
>>> record = StatusRecord(b"s" * 32, b"c" * 16, 10, 30, 10, grant)
>>> suspend = StatusTerms(pb.EVENT_SUSPEND, pb.STATUS_SUSPENDED, lapses=True)
>>> until = StatusRecord(b"s" * 32, b"c" * 16, 10, 30, 15, suspend, effective_to=20)
>>> entries = [StatusEntry(1, 12, 1, 0, record), StatusEntry(2, 14, 2, 0, until)]
>>> [verdict_pb2.HeldStatus.Name(holdings(entries, day)[0].status)[12:] for day in (9, 14, 15)]
['NOT_YET_VALID', 'CERTIFIED', 'SUSPENDED']
>>> [verdict_pb2.HeldStatus.Name(holdings(entries, day)[0].status)[12:] for day in (20, 30)]
['CERTIFIED', 'EXPIRED']
"""

from collections.abc import Sequence
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs.status import StatusRecord
from ledger.state.view import StatusEntry

# A published status and the derived one share their numbers, 1 to 6.
_CERTIFIED: Final[int] = pb.STATUS_CERTIFIED
_SUSPENDED: Final[int] = pb.STATUS_SUSPENDED
_ANNULLED: Final[int] = pb.STATUS_ANNULLED
EXPIRED: Final[int] = verdict_pb2.HELD_STATUS_EXPIRED
NOT_YET_VALID: Final[int] = verdict_pb2.HELD_STATUS_NOT_YET_VALID


class Holding(NamedTuple):
    """One certificate at one instant: the record that decides, and its HeldStatus."""

    entry: StatusEntry
    status: int


def holdings(entries: Sequence[StatusEntry], as_of: int) -> list[Holding]:
    """Return one holding for each certificate in `entries` (one subject's, oldest first)."""
    if len(entries) == 1:
        return [Holding(entries[0], held_status(entries[0].record, as_of))]
    undone = undone_places(entries)
    deciding: dict[bytes, StatusEntry] = {}
    coming: dict[bytes, StatusEntry] = {}
    for entry in entries:
        record = entry.record
        if undone and (entry.log_index, entry.position) in undone:
            continue
        certificate = record.certificate
        if record.effective_from <= as_of or record.terms.status == _ANNULLED:
            deciding[certificate] = entry
        else:
            first = coming.get(certificate)
            if first is None or record.effective_from <= first.record.effective_from:
                coming[certificate] = entry
    for certificate, entry in coming.items():
        deciding.setdefault(certificate, entry)
    return [Holding(entry, held_status(entry.record, as_of)) for entry in deciding.values()]


def held_status(record: StatusRecord, as_of: int) -> int:
    """Return the HeldStatus at `as_of` of a certificate of which `record` decides."""
    terms = record.terms
    status = terms.status
    if status == _ANNULLED:
        return status
    if as_of < record.effective_from:
        return NOT_YET_VALID
    if status > _SUSPENDED:
        return status
    if as_of < record.valid_from:
        return NOT_YET_VALID
    if record.valid_to and as_of >= record.valid_to:
        return EXPIRED
    if status == _SUSPENDED and terms.lapses and as_of >= record.effective_to:
        return _CERTIFIED
    return status


def undone_places(entries: Sequence[StatusEntry]) -> set[tuple[int, int]]:
    """Return the places (log index, position) of the records that a CORRECT has undone."""
    undone: set[tuple[int, int]] = set()
    for entry in reversed(entries):
        corrects = entry.record.corrects
        if corrects is not None and (entry.log_index, entry.position) not in undone:
            undone.add(corrects)
    return undone


def boundaries(entries: Sequence[StatusEntry]) -> list[int]:
    """Return every instant at which a holding may change."""
    undone = undone_places(entries) if len(entries) > 1 else ()
    instants = []
    for entry in entries:
        record = entry.record
        if undone and (entry.log_index, entry.position) in undone:
            continue
        if record.terms.status != _ANNULLED:
            instants.append(record.effective_from)
        instants.append(record.valid_from)
        if record.valid_to:
            instants.append(record.valid_to)
        if record.terms.lapses:
            instants.append(record.effective_to)
    return instants
