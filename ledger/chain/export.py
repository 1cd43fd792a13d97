r"""An export: a whole chain in one file that can be written and checked as a stream.

    (8)  "AEO-EXP1"
    then items: type (1) || length (4) || bytes
      1 genesis (first)   2 header   3 transaction   4 seal
      5 signing sets: object bytes of kind 4 || map proof      0 end (empty)

Genesis; then for each height from 0: the header; its transactions, as many as its log size says;
optionally one seal. Before a header whose signing-set hash differs from the previous one stands
item 5, and nowhere else. The newest header has a seal. After the end nothing follows.

This module knows where items may stand and how large they are; both sides go through one grammar,
so that nothing is written that could not be read. What the items *say* is checked by whoever
replays them (`ledger.audit.replay`).

>>> from ledger.chain.header import format_header
>>> from ledger.hashing import ZERO_HASH
>>> from ledger.tree.log import EMPTY_ROOT
>>> first = Header(bytes(32), 0, 5, ZERO_HASH, EMPTY_ROOT, 0, EMPTY_ROOT, bytes(32), bytes(32))
>>> items = [(GENESIS, b"genesis"), (HEADER, format_header(first)), (SEAL, b"\x02" * 138)]
>>> data = b"".join(format_export(items))
>>> data[:20].hex(), data[-5:].hex()
('41454f2d45585031010000000767656e65736973', '0000000000')
>>> list(parse_export([data[:100], data[100:]])) == items
True
>>> list(parse_export([data + b"?"]))
Traceback (most recent call last):
ledger.errors.FormatError: byte 397: bytes after the end
"""

from collections.abc import Iterable, Iterator
from typing import Final, TypeAlias

from ledger.chain.genesis import GENESIS_LIMIT
from ledger.chain.header import HEADER_BYTES, Header, parse_header
from ledger.chain.seal import MAX_SEAL_BYTES, MIN_SEAL_BYTES
from ledger.chain.signing_set import MAX_SETS_BYTES
from ledger.chain.transaction import MAX_TRANSACTION_BYTES, MIN_TRANSACTION_BYTES
from ledger.errors import FormatError
from ledger.tree.map_proof import MAX_PROOF_BYTES

MAGIC: Final = b"AEO-EXP1"

END: Final = 0
GENESIS: Final = 1
HEADER: Final = 2
TRANSACTION: Final = 3
SEAL: Final = 4
SIGNING_SETS: Final = 5

_FRAME_BYTES: Final = 5
_SIZES: Final = {
    END: range(1),
    GENESIS: range(1, GENESIS_LIMIT + 1),
    HEADER: range(HEADER_BYTES, HEADER_BYTES + 1),
    TRANSACTION: range(MIN_TRANSACTION_BYTES, MAX_TRANSACTION_BYTES + 1),
    SEAL: range(MIN_SEAL_BYTES, MAX_SEAL_BYTES + 1),
    SIGNING_SETS: range(1, MAX_SETS_BYTES + MAX_PROOF_BYTES + 1),
}
_NAMES: Final = {
    END: "the end",
    GENESIS: "a genesis",
    HEADER: "a header",
    TRANSACTION: "a transaction",
    SEAL: "a seal",
    SIGNING_SETS: "signing sets",
}

Item: TypeAlias = tuple[int, bytes]


def format_export(items: Iterable[Item]) -> Iterator[bytes]:
    """Write (type, bytes) items, END not among them, as chunks of a file.

    Raises `FormatError` for an item that may not stand where it stands.
    """
    grammar = _Grammar()
    yield MAGIC
    for kind, data in items:
        _check_size(kind, len(data))
        grammar.accept(kind, data)
        yield kind.to_bytes(1) + len(data).to_bytes(4)
        yield data
    grammar.accept(END, b"")
    yield bytes(_FRAME_BYTES)


def parse_export(chunks: Iterable[bytes]) -> Iterator[Item]:
    """Read a file, in chunks of any size, as its items without END; holds one item at a time.

    Raises `FormatError`, which names the byte at which the item starts, as soon as one is wrong.
    What was yielded before counts only if the iterator ends without an error.
    """
    source = _Source(chunks)
    if source.take(len(MAGIC)) != MAGIC:
        raise FormatError("byte 0: an export starts with AEO-EXP1")
    grammar = _Grammar()
    kind = GENESIS
    while kind != END:
        start = source.offset
        try:
            frame = source.take(_FRAME_BYTES)
            kind, size = frame[0], int.from_bytes(frame[1:])
            _check_size(kind, size)
            data = source.take(size)
            grammar.accept(kind, data)
        except FormatError as error:
            raise FormatError(f"byte {start}: {error}") from error
        if kind != END:
            yield kind, data
    if source.more():
        raise FormatError(f"byte {source.offset}: bytes after the end")


class _Grammar:
    """Which item may follow."""

    __slots__ = ("_expected", "_height", "_log_size", "_previous", "_set_hash")

    def __init__(self) -> None:
        self._previous: int | None = None
        self._height = -1
        self._log_size = 0
        self._expected = 0  # transactions still owed by the newest header
        self._set_hash: bytes | None = None

    def accept(self, kind: int, data: bytes) -> None:
        previous = self._previous
        if (previous is None) != (kind == GENESIS):
            raise FormatError(f"{_NAMES[kind]} where it may not stand: genesis is first, once")
        if kind == TRANSACTION:
            if not self._expected:
                raise FormatError("a transaction too many for its header")
            self._expected -= 1
        elif self._expected:
            raise FormatError(f"{self._expected} transactions of header {self._height} are missing")
        if kind == HEADER:
            self._accept_header(parse_header(data), after_sets=previous == SIGNING_SETS)
        elif previous == SIGNING_SETS:
            raise FormatError(f"{_NAMES[kind]} where the header of a new signing set should stand")
        elif kind == SEAL:
            if previous not in (HEADER, TRANSACTION):
                raise FormatError("a seal without a header, or a second one")
        elif kind == SIGNING_SETS:
            if self._height < 0:
                raise FormatError("signing sets before the first header")
        elif kind == END and previous != SEAL:
            raise FormatError("the newest header has no seal")
        self._previous = kind

    def _accept_header(self, header: Header, *, after_sets: bool) -> None:
        if header.height != self._height + 1:
            raise FormatError(f"header {header.height} after header {self._height}")
        changed = self._set_hash not in (None, header.signing_set_hash)
        if changed != after_sets:
            raise FormatError(
                "signing sets stand before a header that changes them, and only there"
            )
        if header.height and header.log_size <= self._log_size:
            raise FormatError(f"header {header.height} adds nothing to the log")
        self._expected = header.log_size - self._log_size
        self._height, self._log_size = header.height, header.log_size
        self._set_hash = header.signing_set_hash


class _Source:
    """Bytes taken from chunks of any size."""

    __slots__ = ("_buffer", "_chunks", "_position", "offset")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._buffer = b""
        self._position = 0
        self.offset = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes; raises `FormatError` when there are fewer."""
        while len(self._buffer) - self._position < size:
            if not self._fill():
                raise FormatError("the file ends early")
        start = self._position
        self._position = start + size
        self.offset += size
        return self._buffer[start : self._position]

    def more(self) -> bool:
        """Whether any byte is left."""
        while self._position == len(self._buffer):
            if not self._fill():
                return False
        return True

    def _fill(self) -> bool:
        chunk = next(self._chunks, None)
        if chunk is None:
            return False
        self._buffer = self._buffer[self._position :] + chunk
        self._position = 0
        return True


def _check_size(kind: int, size: int) -> None:
    allowed = _SIZES.get(kind)
    if allowed is None:
        raise FormatError(f"no item of type {kind}")
    if size not in allowed:
        raise FormatError(f"{_NAMES[kind]} of {size} bytes")
