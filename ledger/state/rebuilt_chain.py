"""Every header of a ledger, made again from what a snapshot has of it.

Of a header a snapshot holds time, log size and map root. The rest follows: the log root from the
leaf hashes of the transactions, the signing set from the hand-overs, the links from the headers
before. Whoever compares the newest with a header that is trusted has checked them all, for its
links hold the hashes of all others.
"""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Final

from ledger.chain.header import Header, format_header, header_hash
from ledger.chain.signing_set import SigningSets, parse_signing_sets
from ledger.chain.snapshot import (
    GENESIS,
    HAND_OVERS,
    HEADERS,
    LOG_LEAVES,
    SIGNING_SETS,
    Item,
)
from ledger.errors import ChainError, FormatError
from ledger.hashing import HASH_BYTES
from ledger.state.regoverning import HandedOver
from ledger.state.snapshotting import HEADER_ROW, HEADERS_PER_ITEM, LEAVES_PER_ITEM
from ledger.state.state import State
from ledger.tree.log import Frontier, Log, leaf_hash

_HAND_OVER_BYTES: Final = 8 + HASH_BYTES


@dataclass(slots=True)
class RebuiltChain:
    """What the first items say, read but not compared with anything yet."""

    rows: list[bytes] = field(default_factory=list)
    log: Log = field(default_factory=Log)
    hand_overs: list[HandedOver] = field(default_factory=list)
    sets: SigningSets | None = None

    def take(self, begin: State, kind: int, data: bytes) -> bool:
        """Read an item, if it is one of the first; raises `FormatError` and `ChainError`."""
        if kind == GENESIS:
            if data != begin.genesis.data:
                raise ChainError("genesis", "the snapshot is of another network")
        elif kind == HEADERS:
            _require_full(self.rows[-1:], data, HEADER_ROW.size, HEADERS_PER_ITEM)
            self.rows.append(data)
        elif kind == LOG_LEAVES:
            _require_full([], data, HASH_BYTES, LEAVES_PER_ITEM)
            if self.log.size % LEAVES_PER_ITEM:
                raise FormatError("log leaves after an item that had room for them")
            for at in range(0, len(data), HASH_BYTES):
                self.log.append(data[at : at + HASH_BYTES])
        elif kind == HAND_OVERS:
            _require_full([], data, _HAND_OVER_BYTES, len(data))
            self.hand_overs = [
                HandedOver(int.from_bytes(data[at : at + 8]), data[at + 8 : at + _HAND_OVER_BYTES])
                for at in range(0, len(data), _HAND_OVER_BYTES)
            ]
        elif kind == SIGNING_SETS:
            self.sets = parse_signing_sets(data)
        else:
            return False
        return True

    def headers(self, begin: State) -> Iterator[tuple[Header, bytes, bytes]]:
        """Each header from height 1: its fields, its bytes and its hash."""
        previous = begin.header_hash
        earlier = Frontier().append(leaf_hash(previous))
        set_hash = begin.header.signing_set_hash
        coming = {each.height: each.set_hash for each in self.hand_overs}
        for height, (time, log_size, map_root) in enumerate(_rows(self.rows), 1):
            set_hash = coming.pop(height, set_hash)
            header = Header(
                network_id=begin.network_id,
                height=height,
                time=time,
                previous=previous,
                earlier_root=earlier.root(),
                log_size=log_size,
                log_root=self.log.root_at(log_size),
                map_root=map_root,
                signing_set_hash=set_hash,
            )
            data = format_header(header)
            previous = header_hash(data)
            earlier = earlier.append(leaf_hash(previous))
            yield header, data, previous
        if coming:
            raise ChainError("hand-overs", "one is of a height that there is not")


def snapshot_headers(begin: State, items: Iterable[Item]) -> Iterator[bytes]:
    """The bytes of all headers, from height 0, of a snapshot that has been checked."""
    chain = RebuiltChain()
    for kind, data in items:
        if not chain.take(begin, kind, data) or kind == SIGNING_SETS:
            break
    yield begin.header_bytes
    for _, header_bytes, _ in chain.headers(begin):
        yield header_bytes


def _rows(rows: Sequence[bytes]) -> Iterator[tuple[int, int, bytes]]:
    for data in rows:
        yield from HEADER_ROW.iter_unpack(data)


def _require_full(before: Sequence[bytes], data: bytes, size: int, most: int) -> None:
    """Check that an item has whole parts, not too many, and that the one before had no room."""
    if len(data) % size or len(data) > size * most:
        raise FormatError(f"parts of {size} bytes in {len(data)}")
    if any(len(each) != size * most for each in before):
        raise FormatError("an item after one that had room for it")
