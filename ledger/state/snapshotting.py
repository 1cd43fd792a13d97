"""From a state to its snapshot: the items of `ledger.chain.snapshot`, in their one order.

Any state that is still held will do, also while the machine moves on: what was recorded above it is
left out. A state has no old headers, so whoever keeps them hands them in. What a state derives (who
is a member, what a vote came to, who succeeded whom) is left out too: it is derived again, from the
histories. Not in a snapshot, as nothing in a header holds it: which records were refused, and when
an author was seen before its newest transaction.

>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.genesis import Genesis
>>> from ledger.chain.parameters import DEFAULT_PARAMETERS
>>> from ledger.chain.signing_set import SigningMember, SigningSet
>>> from ledger.state.machine import Machine
>>> genesis = Genesis(b"n" * 32, "example", 1_000, True, (), DEFAULT_PARAMETERS, b"",
...                   SigningSet((SigningMember("SG", 1, b"k" * 48),)), b"its exact bytes")
>>> state = Machine(genesis, default_backend()).state
>>> [kind for kind, _ in snapshot_items(state, [state.header_bytes])]
[1, 5]
>>> manifest, chunks = make_snapshot(state, [state.header_bytes])
>>> manifest.header_bytes == state.header_bytes, [len(chunk) for chunk in chunks]
(True, [95])
"""

from collections.abc import Iterable, Iterator
from itertools import islice
from struct import Struct
from typing import Final

from ledger.chain.economy import economy_bytes
from ledger.chain.governance import Rotation, parse_governance_step
from ledger.chain.header import header_hash
from ledger.chain.history import HistoryEntry
from ledger.chain.keys import format_author_object
from ledger.chain.signing_set import format_signing_sets
from ledger.chain.snapshot import (
    ALIAS_BOOK,
    ALIASES,
    ARRANGEMENT,
    AUTHOR,
    GENESIS,
    HAND_OVERS,
    HEADERS,
    ITEM_BYTES,
    LOG_LEAVES,
    PAIR,
    PROPOSAL,
    REPORT,
    ROTATION,
    SIGNING_SETS,
    STATUS_BOOK,
    SUBJECTS,
    Item,
    Manifest,
    chunk_hash,
    format_snapshot,
)
from ledger.chain.snapshot_entries import (
    PlacedEntry,
    format_entry,
    format_packed,
    format_report_name,
)
from ledger.errors import ChainError
from ledger.hashing import HASH_BYTES
from ledger.state.facts import Book, BookKey
from ledger.state.packed import ENTRY_BYTES, HEAD_BYTES, PACKED_ENTRY
from ledger.state.state import State
from ledger.tree.log import leaf_hash

HEADER_ROW: Final = Struct(">QQ32s")
HEADERS_PER_ITEM: Final = ITEM_BYTES // HEADER_ROW.size
LEAVES_PER_ITEM: Final = ITEM_BYTES // HASH_BYTES

# Where a header has its map root.
_MAP_ROOT: Final = slice(160, 192)


def make_snapshot(state: State, headers: Iterable[bytes]) -> tuple[Manifest, list[bytes]]:
    """The snapshot of a state, whole; `headers` as in `snapshot_items`."""
    chunks = list(format_snapshot(snapshot_items(state, headers)))
    return Manifest(state.header_bytes, tuple(map(chunk_hash, chunks))), chunks


def snapshot_items(state: State, headers: Iterable[bytes]) -> Iterator[Item]:
    """What a snapshot of `state` holds. `headers` are all from height 0 to the state's own.

    Raises `ChainError` where they are not this ledger's.
    """
    yield GENESIS, state.genesis.data
    yield from _batches(HEADERS, _header_rows(state, headers), HEADERS_PER_ITEM)
    log = state.facts.log
    leaves = (log.leaf(index) for index in range(state.log_size))
    yield from _batches(LOG_LEAVES, leaves, LEAVES_PER_ITEM)
    hand_overs = [height.to_bytes(8) + each.hash for height, each in state.current_sets[1:]]
    if hand_overs:
        yield HAND_OVERS, b"".join(hand_overs)
    yield SIGNING_SETS, format_signing_sets(state.signing_sets)
    yield from _histories(state)
    for economy, author in sorted(state.authors.items()):
        yield AUTHOR, economy_bytes(economy) + format_author_object(author)
    yield from _books(state, state.facts.statuses, STATUS_BOOK, SUBJECTS)
    yield from _books(state, state.facts.aliases, ALIAS_BOOK, ALIASES)


def _header_rows(state: State, headers: Iterable[bytes]) -> Iterator[bytes]:
    """Of each height from 1: what the rest does not tell."""
    height = -1
    for height, data in enumerate(headers):
        if height > state.height or leaf_hash(header_hash(data)) != state.facts.headers.leaf(
            height
        ):
            raise ChainError(f"header {height}", "it is not the one that this state knows")
        if height:
            yield HEADER_ROW.pack(
                state.facts.times[height], state.facts.log_sizes[height], data[_MAP_ROOT]
            )
    if height != state.height:
        raise ChainError(f"header {height + 1}", "it is missing")


def _histories(state: State) -> Iterator[Item]:
    """Rotations, proposals, arrangements, pairs and reports."""
    members = state.membership.all.values()
    rotations = [
        entry
        for member in members
        for entry in member.history.entries
        if entry.height and isinstance(parse_governance_step(entry.record), Rotation)
    ]
    for entry in sorted(rotations, key=lambda each: each.log_index):
        yield ROTATION, format_entry(_placed(entry))
    named: list[tuple[int, list[tuple[bytes, tuple[HistoryEntry, ...]]]]] = [
        (PROPOSAL, [(name, each.records) for name, each in state.proposals.items()]),
        (ARRANGEMENT, [(name, each.records) for name, each in state.arrangements.items()]),
        (PAIR, [(name.encode("ascii"), each.records) for name, each in state.pairs.items()]),
        (
            REPORT,
            [(format_report_name(*name), each.records) for name, each in state.reports.items()],
        ),
    ]
    for kind, histories in named:
        for name, records in sorted(histories, key=lambda each: (each[1][0].log_index, each[0])):
            yield kind, name + b"".join([format_entry(_placed(entry)) for entry in records])


def _placed(entry: HistoryEntry) -> PlacedEntry:
    return PlacedEntry(entry.log_index, entry.position, entry.author, entry.record)


def _books(state: State, books: dict[BookKey, Book], book_kind: int, kind: int) -> Iterator[Item]:
    """Every book with a record, and what stands in it, in order of first records."""
    log_size = state.log_size
    # One step of the interpreter each: nothing can come in between.
    for name, book in sorted(books.items()):
        waiting: list[bytes] = []
        size = 0
        begun = False
        for key, packed in list(book.items()):
            records = _records_below(packed, log_size)
            if not records:
                continue
            if not begun:
                yield book_kind, name
                begun = True
            part = format_packed(key, records)
            if waiting and size + len(part) > ITEM_BYTES:
                yield kind, b"".join(waiting)
                waiting, size = [], 0
            waiting.append(part)
            size += len(part)
        if waiting:
            yield kind, b"".join(waiting)


def _records_below(packed: bytes, log_size: int) -> bytes:
    """The records of one key, without the head, of the first `log_size` log entries."""
    offset, size = HEAD_BYTES, len(packed)
    while offset < size:
        log_index, _, length = PACKED_ENTRY.unpack_from(packed, offset)
        if log_index >= log_size:
            break
        offset += ENTRY_BYTES + length
    return packed[HEAD_BYTES:offset]


def _batches(kind: int, parts: Iterable[bytes], most: int) -> Iterator[Item]:
    """Items with `most` parts each, the last with what is left."""
    source = iter(parts)
    while batch := b"".join(islice(source, most)):
        yield kind, batch
