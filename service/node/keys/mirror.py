"""What was published under one lookup key, again under the next: each record once, in order.

Every executed record of an old subject has one copy under the new one, in the same order, with its
identifiers renamed: subject, certificate, predecessor, and for a correction the place of the copy
of what it undoes. While the new epoch waits, copies are MIGRATED; once it is in force, what was
still under way under the old key follows as an ordinary record. Aliases likewise, but for the mark.

Nothing needs to be remembered: a record has been copied where a record of the new subject says the
same, and copies stand in order. So a process may end anywhere. A correction waits until what it
undoes has its copy on the ledger, because only then its place is known.

>>> from ledger.customs.status import StatusRecord, StatusTerms
>>> grant = StatusRecord(b"o" * 32, b"c" * 16, 9, 0, 9, StatusTerms(1, 1))
>>> old = [StatusEntry(1, 10, 0, 0, grant),
...        StatusEntry(2, 20, 1, 0, grant._replace(terms=StatusTerms(3, 2)))]
>>> names = {b"o" * 32: b"n" * 32, b"c" * 16: b"d" * 16}
>>> copies = copies_of(old, [], names, migrated=True).records
>>> [(each.subject[:1], each.certificate[:1], each.terms.event, each.terms.migrated)
...  for each in copies]
[(b'n', b'd', 1, True), (b'n', b'd', 3, True)]
>>> first = StatusEntry(3, 30, 2, 0, copies[0])
>>> copies_of(old, [first], names, migrated=True).records == copies[1:]
True
>>> copies_of(old, [], {}, migrated=True)
Copies(records=[], done=False)
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import NamedTuple

from ledger.customs.status import Predecessor, RecordPlace, StatusRecord
from ledger.state.alias import AliasRecord
from ledger.state.view import AliasEntry, StatusEntry


class Copies(NamedTuple):
    """Records to be published next for one subject; `done` where nothing is missing at all."""

    records: list[StatusRecord]
    done: bool


def copies_of(
    old: Sequence[StatusEntry],
    new: Sequence[StatusEntry],
    names: Mapping[bytes, bytes],
    *,
    migrated: bool,
) -> Copies:
    """What an old subject's records still need under the new one, as far as it can be made now."""
    places: dict[tuple[int, int], RecordPlace] = {}
    at = 0
    for number, entry in enumerate(old):
        wanted = _renamed(entry.record, names, places)
        if wanted is None:
            return Copies([], done=False)
        found = next(
            (index for index in range(at, len(new)) if _marked(new[index].record) == wanted), None
        )
        if found is None:
            return Copies(_rest(old[number:], names, places, migrated=migrated), done=False)
        copy = new[found]
        places[entry.log_index, entry.position] = RecordPlace(copy.log_index, copy.position)
        at = found + 1
    return Copies([], done=True)


def alias_copies(
    alias: bytes, old: Sequence[AliasEntry], new: Sequence[AliasEntry], names: Mapping[bytes, bytes]
) -> list[AliasRecord] | None:
    """What an old alias's records still need under the new one; None where a name is missing."""
    renamed = names.get(alias)
    wanted = []
    for entry in old:
        subject = names.get(entry.subject)
        if renamed is None or subject is None:
            return None
        wanted.append(AliasRecord(renamed, subject, entry.valid_from, entry.valid_to))
    at = 0
    for entry in new:
        if at == len(wanted):
            break
        said = wanted[at]
        if (entry.subject, entry.valid_from, entry.valid_to) == said[1:]:
            at += 1
    return wanted[at:]


def names_needed(record: StatusRecord) -> tuple[bytes, ...]:
    """The identifiers of a record that must have a new name before it can be copied."""
    if record.predecessor is None:
        return record.subject, record.certificate
    return record.subject, record.certificate, record.predecessor.subject


def _rest(
    old: Sequence[StatusEntry],
    names: Mapping[bytes, bytes],
    places: Mapping[tuple[int, int], RecordPlace],
    *,
    migrated: bool,
) -> list[StatusRecord]:
    records = []
    for entry in old:
        wanted = _renamed(entry.record, names, places)
        if wanted is None:
            break
        records.append(wanted if migrated else _marked(wanted, migrated=False))
    return records


def _renamed(
    record: StatusRecord,
    names: Mapping[bytes, bytes],
    places: Mapping[tuple[int, int], RecordPlace],
) -> StatusRecord | None:
    """The copy, marked as MIGRATED; None where it cannot be made yet."""
    if any(needed not in names for needed in names_needed(record)):
        return None
    predecessor, corrects = record.predecessor, record.corrects
    if predecessor is not None:
        predecessor = Predecessor(names[predecessor.subject], predecessor.kind)
    if corrects is not None:
        corrects = places.get((corrects.log_index, corrects.position))
        if corrects is None:
            return None
    return _marked(record)._replace(
        subject=names[record.subject],
        certificate=names[record.certificate],
        predecessor=predecessor,
        corrects=corrects,
    )


def _marked(record: StatusRecord, *, migrated: bool = True) -> StatusRecord:
    if record.terms.migrated == migrated:
        return record
    return record._replace(terms=replace(record.terms, migrated=migrated))
