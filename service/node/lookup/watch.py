"""Status changes after a place in the ledger, in ledger order, for one member.

The log itself is the queue: a watcher holds its place and nothing else, so a slow one costs no
memory, a restarted one resumes where it was, and nobody misses or gets anything twice. It sees the
executed records of those arrangements that its member is a party of.

A place is (log index, position): everything up to and including it has been delivered. A caught-up
watcher stands at (last log index, `LAST_POSITION`).
"""

from collections.abc import Iterator, Mapping
from typing import Final, NamedTuple

from ledger.chain.transaction import parse_transaction
from ledger.customs.subject import LookupKey
from ledger.state.records import records_between
from ledger.state.state import State
from service.store.ledger.ledger_store import LedgerStore

LAST_POSITION: Final = 0xFFFF
"""Positions have two bytes: no record of a transaction stands after this one."""
MAX_REGISTERED: Final = 10_000
"""TINs that one watcher may register, about 300 bytes each and arrangement."""
SUBJECT_FIELD: Final = slice(2, 34)
"""A record begins with its subject, field 1 of 32 bytes (`ledger.customs.status`)."""


class Place(NamedTuple):
    """A place in the ledger; places compare in ledger order."""

    log_index: int
    position: int


class Change(NamedTuple):
    """One executed status record. `tin` is empty unless it was registered."""

    place: Place
    height: int
    time: int
    arrangement_id: bytes
    issuer: str
    subject: bytes
    tin: str
    record: bytes


def end_of(state: State) -> Place | None:
    """The place after everything that `state` holds; None before the first entry."""
    return Place(state.log_size - 1, LAST_POSITION) if state.log_size else None


class Registered:
    """The traders that a watcher named, by their subjects under each arrangement."""

    def __init__(self, tins: Mapping[str, str], keys: Mapping[bytes, LookupKey]) -> None:
        """`tins`: canonical TIN to issuer."""
        self._tins = tins
        self._keys = keys
        self._by_arrangement: dict[tuple[bytes, str], dict[bytes, str]] = {}

    def tin(self, arrangement_id: bytes, issuer: str, subject: bytes) -> str:
        """The registered TIN of a subject, or nothing."""
        where = arrangement_id, issuer
        known = self._by_arrangement.get(where)
        if known is None:
            key = self._keys.get(arrangement_id)
            mine = [tin for tin, economy in self._tins.items() if economy == issuer]
            known = {key.subject(tin): tin for tin in mine} if key is not None else {}
            self._by_arrangement[where] = known
        return known.get(subject, "")


def changes_after(
    after: Place | None,
    state: State,
    store: LedgerStore,
    economy: str,
    registered: Registered,
    *,
    only_registered: bool = False,
) -> Iterator[Change]:
    """Every change that `economy` may see after a place (None: the beginning), up to `state`."""
    first = after.log_index if after is not None else 0
    mine = frozenset(state.own_arrangements(economy))
    if first < state.base_log_size:
        # The transactions up to a snapshot are gone; what was executed is not.
        for each in records_between(state, first, state.base_log_size):
            place = Place(each.log_index, each.position)
            if each.arrangement_id not in mine or (after is not None and place <= after):
                continue
            subject = each.record[SUBJECT_FIELD]
            tin = registered.tin(each.arrangement_id, each.issuer, subject)
            if tin or not only_registered:
                height, time = state.place_of(each.log_index)
                arrangement_id, issuer = each.arrangement_id, each.issuer
                yield Change(place, height, time, arrangement_id, issuer, subject, tin, each.record)
        first = state.base_log_size
    transactions = store.transactions(first, max(0, state.log_size - first))
    for log_index, data in enumerate(transactions, first):
        body = parse_transaction(data).body
        if body.WhichOneof("action") != "statuses" or body.statuses.arrangement_id not in mine:
            continue
        arrangement_id, issuer = body.statuses.arrangement_id, body.author
        refused = {position for position, _ in state.results(log_index)}
        height, time = state.place_of(log_index)
        for position, record in enumerate(body.statuses.records):
            place = Place(log_index, position)
            if position in refused or (after is not None and place <= after):
                continue
            subject = record[SUBJECT_FIELD]
            tin = registered.tin(arrangement_id, issuer, subject)
            if tin or not only_registered:
                yield Change(place, height, time, arrangement_id, issuer, subject, tin, record)
