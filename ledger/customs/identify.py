"""Who is meant: the subject that an alias, a name, a TIN or an older number leads to.

An alias names no issuer. It is looked up for every party of every signed arrangement of the
recogniser, under that arrangement's key. Found for more than one issuer, or leading to several
subjects under any arrangement, it is ambiguous for all. Of the records of one alias and subject the
newest in ledger order gives the dates.

A name and address lead to the traders whose profiles fit (`ledger.customs.profiles`). One trader
is then asked about as if by its TIN; of none and of several the reasons are those of an alias.

RENUMBERED (the same legal person) leads from the old number to the new, from the effect of the
record that names the old one, unless a CORRECT has undone that record. Where several lead on, the
newest in ledger order does; no number is passed twice, so numbers that lead in a circle end it.

Here number `new` takes over from `old` with effect from instant 100:

>>> from types import SimpleNamespace
>>> from ledger.customs.status import Predecessor, StatusRecord, StatusTerms
>>> from ledger.customs.verdict import Query, Times
>>> from ledger.state.view import SuccessorEntry
>>> old, new, link = b"o" * 32, b"n" * 32, SuccessorEntry(1, 0, 0, b"n" * 32)
>>> record = StatusRecord(new, b"c" * 16, 9, 0, 100, StatusTerms(1, 1), 0, b"", Predecessor(old, 1))
>>> view = SimpleNamespace(
...     height=1,
...     subject=lambda *asked: [StatusEntry(1, 90, 0, 0, record)] if asked[2] == new else [],
...     successors=lambda *asked: [link] if asked[2] == old else [])
>>> cases = [Case(Query("TW", "EX", 1, 1, tin="KR1"), view, Times(now, 0)) for now in (99, 100)]
>>> [follow(case, b"a" * 16, "KR", old)[:1] for case in cases]
[b'o', b'n']
>>> [(case.low, case.high) for case in cases]       # over which as_of each answer holds
[(0, 100), (100, 0)]
"""

from collections.abc import Mapping, Sequence

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.arrangement import ArrangementHistory
from ledger.customs.case import Case
from ledger.customs.holding import undone_places
from ledger.customs.profiles import Profiles
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import NameAndAddress
from ledger.errors import KeyringError
from ledger.state.view import StatusEntry


def resolve_alias(
    case: Case, keyring: Mapping[bytes, LookupKey]
) -> tuple[str, Mapping[bytes, bytes], int]:
    """Check 1 for an alias: its issuer and its subject under each arrangement, or a reason."""
    state, alias, as_of = case.state, case.query.alias, case.as_of
    assert alias is not None
    issuers: set[str] = set()
    subjects: dict[bytes, set[bytes]] = {}
    for identity in state.own_arrangements(case.query.recognising):
        arrangement = state.arrangement(identity)
        if arrangement is None or not arrangement.in_effect(case.known):
            continue
        parties = arrangement.parties_at(case.known)
        if case.query.recognising not in parties:
            continue
        keyed = open_key(keyring, arrangement, case.known).alias(alias.scheme, alias.value)
        for party in parties:
            newest = {
                entry.subject: entry
                for entry in state.alias(identity, party, keyed)
                if entry.height <= case.known
            }
            for entry in newest.values():
                case.rest_on([entry.valid_from, *([entry.valid_to] if entry.valid_to else [])])
                if entry.valid_from <= as_of and (not entry.valid_to or as_of < entry.valid_to):
                    issuers.add(party)
                    subjects.setdefault(identity, set()).add(entry.subject)
    if not issuers:
        return "", {}, pb.REASON_ALIAS_UNKNOWN
    if len(issuers) > 1 or any(len(found) > 1 for found in subjects.values()):
        return "", {}, pb.REASON_ALIAS_AMBIGUOUS
    return issuers.pop(), {identity: found.pop() for identity, found in subjects.items()}, 0


def resolve_party(party: NameAndAddress, profiles: Profiles | None) -> tuple[str, int]:
    """Check 1 for a name and address: the one canonical TIN that they lead to, or a reason."""
    found = profiles.find(party.name, party.address) if profiles is not None else ()
    if not found:
        return "", pb.REASON_ALIAS_UNKNOWN
    return (found[0], 0) if len(found) == 1 else ("", pb.REASON_ALIAS_AMBIGUOUS)


def follow(case: Case, arrangement_id: bytes, issuer: str, subject: bytes) -> bytes:
    """Return the number that RENUMBERED leads to from `subject`, or itself."""
    state, known = case.state, case.known
    links = state.successors(arrangement_id, issuer, subject)
    passed = {subject}
    while links:
        later = b""
        for link in links:
            if link.height > known or link.subject in passed:
                continue
            entries = up_to(known, state.subject(arrangement_id, issuer, link.subject))
            place = link.log_index, link.position
            if place in undone_places(entries):
                continue
            effect = next(
                entry.record.effective_from
                for entry in entries
                if (entry.log_index, entry.position) == place
            )
            case.rest_on([effect])
            if effect <= case.as_of:
                later = link.subject
        if not later:
            break
        passed.add(later)
        subject = later
        links = state.successors(arrangement_id, issuer, subject)
    return subject


def open_key(
    keyring: Mapping[bytes, LookupKey], arrangement: ArrangementHistory, known_height: int
) -> LookupKey:
    """Return the key that opens the commitment of the epoch in force at a height.

    The newest epoch's stands under the arrangement's id, any other under `epoch_name`. Raises
    `KeyringError` where none opens it, such as that of an earlier epoch once it is destroyed.
    """
    name, epochs = arrangement.arrangement_id, arrangement.epochs
    epoch = epochs[0] if len(epochs) == 1 else arrangement.epoch_at(known_height)
    newest = keyring.get(name)
    if newest is not None and newest.commitment == epoch.commitment:
        return newest
    # A keyring may also be a moment ahead of the state, or behind it.
    key = keyring.get(epoch_name(name, epoch.number))
    if key is not None and key.commitment == epoch.commitment:
        return key
    said = f"arrangement {name.hex()}, epoch {epoch.number}"
    if newest is None and key is None:
        raise KeyringError(f"no lookup key of {said}")
    raise KeyringError(f"the lookup key does not open the commitment of {said}")


def epoch_name(arrangement_id: bytes, epoch: int) -> bytes:
    """Under what a keyring holds the key of an epoch that is not the newest in force."""
    return arrangement_id + epoch.to_bytes(4, "big")


def up_to(known: int, entries: Sequence[StatusEntry]) -> Sequence[StatusEntry]:
    """Return the entries recorded at or below a height."""
    if entries and entries[-1].height > known:
        return [entry for entry in entries if entry.height <= known]
    return entries
