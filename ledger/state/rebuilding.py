"""From a snapshot back to a state; nothing of it is believed.

Every header is made again (`rebuilt_chain`), and the newest must be the one that the caller trusts,
to the last byte. Every history is hashed again, and what follows from histories is derived again
(`regoverning`, `rebuilt_histories`, `rebuilt_books`). What is then left is for the map root to say:
the leaves that all heads make must have the root in that header, which `Machine.restore` compares.
So no bit of a snapshot can be altered unseen, though nobody signs one.

A rebuilt state does not know when an author was seen before its newest transaction, nor which
records were refused: below `facts.base` those questions have no answer.
"""

import struct
from array import array
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import NamedTuple

from ledger.chain.economy import ECONOMY_BYTES, parse_economy
from ledger.chain.governance import PROPOSAL_ID_BYTES
from ledger.chain.header import parse_header
from ledger.chain.history import HistoryEntry
from ledger.chain.keys import ARRANGEMENT_ID_BYTES, AuthorObject, parse_author_object
from ledger.chain.parameters import parse_parameters
from ledger.chain.snapshot import (
    ALIAS_BOOK,
    ALIASES,
    ARRANGEMENT,
    AUTHOR,
    PAIR,
    PROPOSAL,
    REPORT,
    ROTATION,
    SIGNING_SETS,
    STATUS_BOOK,
    SUBJECTS,
    Item,
)
from ledger.chain.snapshot_entries import REPORT_NAME_BYTES, parse_entries, parse_report_name
from ledger.customs.report import ReportName
from ledger.errors import ChainError, FormatError, LedgerError
from ledger.state.facts import Facts
from ledger.state.rebuilt_books import RebuiltBooks
from ledger.state.rebuilt_chain import RebuiltChain
from ledger.state.rebuilt_histories import (
    arrangements_again,
    arrangements_of,
    pairs_again,
    reports_again,
)
from ledger.state.regoverning import govern_again
from ledger.state.state import State
from ledger.tree.log import leaf_hash

_NAME_BYTES = {
    ROTATION: 0,
    PROPOSAL: PROPOSAL_ID_BYTES,
    ARRANGEMENT: ARRANGEMENT_ID_BYTES,
    PAIR: 2 * ECONOMY_BYTES,
    REPORT: REPORT_NAME_BYTES,
}


class Base(NamedTuple):
    """Where a ledger begins instead of at height 0: a header that is trusted, and a snapshot."""

    header_bytes: bytes
    items: Iterable[Item]


def rebuild(begin: State, base: Base) -> State:
    """The state of a snapshot. `begin` is that at height 0; the map is for the caller to make.

    Raises `ChainError`, which names what is wrong.
    """
    place = "snapshot"
    try:
        place = f"snapshot of height {parse_header(base.header_bytes).height}"
        return _rebuild(begin, base)
    except ChainError:
        raise
    except (
        LedgerError,
        LookupError,
        ValueError,
        OverflowError,
        AssertionError,
        struct.error,
    ) as error:
        # What was executed never does this, so something was altered; which bit, nobody can say.
        raise ChainError(place, str(error) or "it is not what was executed") from error


@dataclass(slots=True)
class _Read:
    """The items so far, from the sixth type on."""

    rotations: list[HistoryEntry] = field(default_factory=list)
    histories: dict[int, dict[bytes, Sequence[HistoryEntry]]] = field(
        default_factory=lambda: {kind: {} for kind in _NAME_BYTES}
    )
    authors: dict[str, AuthorObject] = field(default_factory=dict)
    # What the newest history was sorted by.
    last: tuple[int, int, bytes] = (0, -1, b"")

    def take(self, kind: int, data: bytes, facts: Facts) -> None:
        if kind == AUTHOR:
            economy = parse_economy(data[:ECONOMY_BYTES])
            if economy <= max(self.authors, default=""):
                raise FormatError("authors ascend")
            self.authors[economy] = parse_author_object(data[ECONOMY_BYTES:])
            return
        size = _NAME_BYTES[kind]
        name, entries = data[:size], _entries(data, size, facts)
        order = (kind, entries[0].log_index, name)
        if order <= self.last or name in self.histories[kind]:
            raise FormatError("histories stand in order of their first entries")
        self.last = order
        if kind == ROTATION:
            if len(entries) != 1:
                raise FormatError("a rotation is one entry")
            self.rotations += entries
        else:
            self.histories[kind][name] = entries


def _rebuild(begin: State, base: Base) -> State:
    chain, read = RebuiltChain(), _Read()
    facts = Facts()
    statuses, aliases = RebuiltBooks(facts), RebuiltBooks(facts)
    state = begin
    for kind, data in base.items:
        if chain.take(begin, kind, data):
            if kind == SIGNING_SETS:
                state = _with_chain(begin, base.header_bytes, chain, facts)
        elif kind == STATUS_BOOK:
            statuses.begin(data)
        elif kind == SUBJECTS:
            statuses.fill(data)
        elif kind == ALIAS_BOOK:
            aliases.begin(data)
        elif kind == ALIASES:
            aliases.fill(data)
        else:
            read.take(kind, data, facts)
    facts.statuses, facts.aliases = statuses.books, aliases.books
    facts.successors = statuses.find_successors()
    return _with_histories(state, begin, chain, read)


def _with_chain(begin: State, trusted: bytes, chain: RebuiltChain, facts: Facts) -> State:
    """The state with the newest header, and `facts` filled with what headers say."""
    header, header_bytes, own_hash = begin.header, begin.header_bytes, begin.header_hash
    facts.grow([], own_hash, header.time)
    for made in chain.headers(begin):
        header, header_bytes, own_hash = made
        facts.headers.append(leaf_hash(own_hash))
        facts.times.append(header.time)
        facts.log_sizes.append(header.log_size)
    if header_bytes != trusted:
        raise ChainError(
            f"snapshot of height {parse_header(trusted).height}",
            "the headers in it do not lead to the header that is trusted",
        )
    if chain.log.size != header.log_size:
        raise FormatError("more log leaves than the newest header counts")
    facts.log = chain.log
    facts.base = header.height
    return replace(
        begin, header=header, header_bytes=header_bytes, header_hash=own_hash, facts=facts
    )


def _with_histories(state: State, begin: State, chain: RebuiltChain, read: _Read) -> State:
    assert chain.sets is not None, "the items were in order"
    histories = read.histories
    governed = govern_again(
        begin, histories[PROPOSAL], read.rotations, chain.hand_overs, chain.sets
    )
    state.facts.seen = {
        economy: array("Q", (author.height,)) for economy, author in read.authors.items()
    }
    reports = {
        ReportName(*parse_report_name(name)): entries for name, entries in histories[REPORT].items()
    }
    return replace(
        state,
        signing_sets=chain.sets,
        pending_since=governed.pending_since,
        current_sets=governed.current_sets,
        parameters=parse_parameters(governed.parameter_bytes),
        parameter_bytes=governed.parameter_bytes,
        membership=governed.membership,
        proposals=governed.proposals,
        authors=read.authors,
        arrangements=arrangements_again(histories[ARRANGEMENT]),
        arrangements_of=arrangements_of(histories[ARRANGEMENT]),
        pairs=pairs_again(histories[PAIR]),
        reports=reports_again(reports),
    )


def _entries(data: bytes, offset: int, facts: Facts) -> list[HistoryEntry]:
    """The entries from `offset` on, each with the height and time that its log index tells."""
    entries = []
    for log_index, position, author, record in parse_entries(data, offset):
        if log_index >= facts.log.size:
            raise FormatError(f"an entry of log entry {log_index}, which there is not")
        height = facts.height_of_entry(log_index)
        time = facts.times[height]
        entries.append(HistoryEntry(height, time, log_index, position, author, record))
    return entries
