r"""A snapshot: one state in bytes, from which whoever trusts its header goes on without the past.

    (8)  "AEO-SNP1"
    then items: type (1) || length (4) || bytes
      1 genesis             first, once
      2 headers             of each height from 1: time (8), log size (8), map root (32)
      3 log leaves          leaf hashes of the transactions, 32 bytes each
      4 hand-overs          of each: height (8), hash of the incoming set (32)
      5 signing sets        object bytes of kind 4
      6 rotation            one entry
      7 proposal            id (16), entries of its history
      8 arrangement         id (16), entries
      9 pair                two economies (2, 2), entries
      10 report             arrangement id (16), reporter (2), from (8), to (8), entries
      11 author             economy (2), object bytes of kind 5
      12 status book        arrangement id (16), issuer (2)
      13 subjects           of that book: subject (32), length (4), records packed
      14 alias book         arrangement id (16), issuer (2)
      15 aliases            of that book: alias (32), length (4), records packed
      0 end (empty)

An entry is log index (8), position (2), author (2), length (4), record; its height and time follow
from the log index. Records packed are as in `ledger.state.packed`, without the head. What of a
header is left out follows from the rest. Nothing here is signed, and nothing needs to be: whoever
reads it makes the header again from it and compares (`ledger.state.rebuilding`).

Everything stands in one order, and only what is there: types ascend (13 follows its 12, 15 its 14);
rotations, proposals, arrangements and reports by the log index of their first entry, pairs by that,
then by name; authors and books by name; subjects and aliases by the place of their first record.
Types 2, 3, 13 and 15 are filled up before a next item of the same type begins. So a state has one
snapshot, whoever makes it.

The bytes travel in chunks of `CHUNK_BYTES`, the last one shorter. A manifest lists them, so that
each is checked as it comes; its hash is the snapshot's name.

    (8)  "AEO-SNM1"      (224) header      (4) number of chunks      (32) each chunk's hash

>>> from ledger.chain.header import Header, format_header
>>> from ledger.hashing import ZERO_HASH
>>> from ledger.tree.log import EMPTY_ROOT
>>> first = Header(bytes(32), 0, 5, ZERO_HASH, EMPTY_ROOT, 0, EMPTY_ROOT, bytes(32), bytes(32))
>>> items = [(GENESIS, b"genesis"), (SIGNING_SETS, b"sets")]
>>> chunks = list(format_snapshot(items))
>>> chunks[0].hex()
'41454f2d534e5031010000000767656e657369730500000004736574730000000000'
>>> list(parse_snapshot(chunks)) == items
True
>>> manifest = Manifest(format_header(first), tuple(chunk_hash(chunk) for chunk in chunks))
>>> parse_manifest(format_manifest(manifest)) == manifest, manifest.hash.hex()[:16]
(True, '9fee082017ef0120')
>>> check_chunk(manifest, 0, chunks[0][:-1])
Traceback (most recent call last):
ledger.errors.ChainError: chunk 0 of the snapshot of height 0: it is not the one in the manifest
"""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple, TypeAlias

from ledger.chain.genesis import GENESIS_LIMIT
from ledger.chain.header import HEADER_BYTES, Header, parse_header
from ledger.chain.transaction import MAX_TRANSACTION_BYTES
from ledger.errors import ChainError, FormatError
from ledger.hashing import HASH_BYTES, tagged

MAGIC: Final = b"AEO-SNP1"
MANIFEST_MAGIC: Final = b"AEO-SNM1"
FORMAT: Final = 1

END: Final = 0
GENESIS: Final = 1
HEADERS: Final = 2
LOG_LEAVES: Final = 3
HAND_OVERS: Final = 4
SIGNING_SETS: Final = 5
ROTATION: Final = 6
PROPOSAL: Final = 7
ARRANGEMENT: Final = 8
PAIR: Final = 9
REPORT: Final = 10
AUTHOR: Final = 11
STATUS_BOOK: Final = 12
SUBJECTS: Final = 13
ALIAS_BOOK: Final = 14
ALIASES: Final = 15

# Small enough for every transport's default limit.
CHUNK_BYTES: Final = 1 << 21
# How far an item is filled before the next of its type; only one longer history may go beyond.
ITEM_BYTES: Final = 1 << 18
ITEM_LIMIT: Final = 1 << 26
# 200 GB, of which the manifest has 3 MB.
MAX_CHUNKS: Final = 100_000

# What a snapshot can have at most for its header: histories hold a transaction's records with a
# place and a head each, less than as much again; each height has a row; the rest is small tables.
_TRANSACTION_BYTES: Final = 2 * MAX_TRANSACTION_BYTES
_HEIGHT_BYTES: Final = 256
_OTHER_BYTES: Final = 32 << 20

_FRAME_BYTES: Final = 5
_COUNT_AT: Final = len(MANIFEST_MAGIC) + HEADER_BYTES
_HASHES_AT: Final = _COUNT_AT + 4
MANIFEST_LIMIT: Final = _HASHES_AT + MAX_CHUNKS * HASH_BYTES

_CHUNK: Final = tagged("aeo/v1/snapshot-chunk")
_SNAPSHOT: Final = tagged("aeo/v1/snapshot")

_REST: Final = (ROTATION, PROPOSAL, ARRANGEMENT, PAIR, REPORT, AUTHOR, STATUS_BOOK, ALIAS_BOOK)
_FOLLOWS: Final[dict[int | None, tuple[int, ...]]] = {
    None: (GENESIS,),
    GENESIS: (HEADERS, SIGNING_SETS),
    HEADERS: (HEADERS, LOG_LEAVES),
    LOG_LEAVES: (LOG_LEAVES, HAND_OVERS, SIGNING_SETS),
    HAND_OVERS: (SIGNING_SETS,),
    SIGNING_SETS: (*_REST, END),
    **{kind: (*(each for each in _REST if each >= kind), END) for kind in _REST},
    STATUS_BOOK: (SUBJECTS,),
    SUBJECTS: (SUBJECTS, STATUS_BOOK, ALIAS_BOOK, END),
    ALIAS_BOOK: (ALIASES,),
    ALIASES: (ALIASES, ALIAS_BOOK, END),
}

Item: TypeAlias = tuple[int, bytes]


class Manifest(NamedTuple):
    """What a snapshot consists of: the bytes of its header, and the hash of each chunk."""

    header_bytes: bytes
    chunk_hashes: tuple[bytes, ...]

    @property
    def header(self) -> Header:
        """The header from which one goes on; raises `FormatError`."""
        return parse_header(self.header_bytes)

    @property
    def height(self) -> int:
        """The header's."""
        return self.header.height

    @property
    def hash(self) -> bytes:
        """The snapshot's name, 32 bytes: the same for the same state, whoever made it."""
        return _SNAPSHOT(format_manifest(self))


def chunk_hash(chunk: bytes) -> bytes:
    """What a manifest says of a chunk."""
    return _CHUNK(chunk)


def check_chunk(manifest: Manifest, index: int, chunk: bytes) -> None:
    """Check that `chunk` is the one that stands at `index`; raises `ChainError`."""
    if (
        index >= len(manifest.chunk_hashes)
        or len(chunk) > CHUNK_BYTES
        or chunk_hash(chunk) != manifest.chunk_hashes[index]
    ):
        place = f"chunk {index} of the snapshot of height {manifest.height}"
        raise ChainError(place, "it is not the one in the manifest")


def check_extent(manifest: Manifest) -> None:
    """Check that a snapshot of this header can have so many chunks; raises `ChainError`.

    Nobody signs a manifest. Once its header is trusted, this keeps a node that makes chunks up from
    filling the disk of whoever fetches them, before the last one shows what they are worth.
    """
    header, count = manifest.header, len(manifest.chunk_hashes)
    most = header.log_size * _TRANSACTION_BYTES + header.height * _HEIGHT_BYTES + _OTHER_BYTES
    if count * CHUNK_BYTES > most + CHUNK_BYTES:
        place = f"snapshot of height {manifest.height}"
        raise ChainError(
            place, f"{count} chunks are more than a log of {header.log_size} entries fills"
        )


def checked_chunks(manifest: Manifest, chunks: Iterable[bytes]) -> Iterator[bytes]:
    """The same chunks, each compared with the manifest; raises `ChainError`."""
    index = -1
    for index, chunk in enumerate(chunks):
        check_chunk(manifest, index, chunk)
        yield chunk
    if index + 1 != len(manifest.chunk_hashes):
        raise ChainError(
            f"snapshot of height {manifest.height}",
            f"{index + 1} chunks came, not {len(manifest.chunk_hashes)}",
        )


def format_manifest(manifest: Manifest) -> bytes:
    """Write a manifest; raises `FormatError`."""
    hashes = manifest.chunk_hashes
    data = b"".join(
        (MANIFEST_MAGIC, manifest.header_bytes, len(hashes).to_bytes(4), b"".join(hashes))
    )
    parse_manifest(data)
    return data


def parse_manifest(data: bytes) -> Manifest:
    """Read a manifest; raises `FormatError`."""
    if not _HASHES_AT <= len(data) <= MANIFEST_LIMIT:
        raise FormatError(f"a snapshot's manifest of {len(data)} bytes")
    if not data.startswith(MANIFEST_MAGIC):
        raise FormatError("no manifest of a snapshot: it does not start with AEO-SNM1")
    header = data[len(MANIFEST_MAGIC) : _COUNT_AT]
    parse_header(header)
    count = int.from_bytes(data[_COUNT_AT:_HASHES_AT])
    if not count or len(data) != _HASHES_AT + count * HASH_BYTES:
        raise FormatError(f"a manifest of {len(data)} bytes does not list {count} chunks")
    hashes = tuple(data[at : at + HASH_BYTES] for at in range(_HASHES_AT, len(data), HASH_BYTES))
    return Manifest(header, hashes)


def format_snapshot(items: Iterable[Item]) -> Iterator[bytes]:
    """Write (type, bytes) items, END not among them, as chunks.

    Raises `FormatError` for an item that may not stand where it stands.
    """
    grammar = _Grammar()
    waiting, size = [MAGIC], len(MAGIC)
    for kind, data in items:
        grammar.accept(kind, len(data))
        waiting += (kind.to_bytes(1), len(data).to_bytes(4), data)
        size += _FRAME_BYTES + len(data)
        if size >= CHUNK_BYTES:
            joined = b"".join(waiting)
            whole = size - size % CHUNK_BYTES
            for start in range(0, whole, CHUNK_BYTES):
                yield joined[start : start + CHUNK_BYTES]
            waiting, size = [joined[whole:]], size - whole
    grammar.accept(END, 0)
    joined = b"".join((*waiting, bytes(_FRAME_BYTES)))
    for start in range(0, len(joined), CHUNK_BYTES):
        yield joined[start : start + CHUNK_BYTES]


def parse_snapshot(chunks: Iterable[bytes]) -> Iterator[Item]:
    """Read chunks as items without END; holds little more than one chunk at a time.

    Raises `FormatError`, which names the byte at which the item starts. What was yielded before
    counts only if the iterator ends without an error.
    """
    source = _Source(chunks)
    if source.take(len(MAGIC)) != MAGIC:
        raise FormatError("byte 0: a snapshot starts with AEO-SNP1")
    grammar = _Grammar()
    while True:
        start = source.offset
        try:
            frame = source.take(_FRAME_BYTES)
            kind, size = frame[0], int.from_bytes(frame[1:])
            grammar.accept(kind, size)
            data = source.take(size)
        except FormatError as error:
            raise FormatError(f"byte {start}: {error}") from error
        if kind == END:
            break
        yield kind, data
    source.require_end()


class _Grammar:
    """Which type may follow, and how large it may be."""

    __slots__ = ("_previous",)

    def __init__(self) -> None:
        self._previous: int | None = None

    def accept(self, kind: int, size: int) -> None:
        if kind not in _FOLLOWS[self._previous]:
            raise FormatError(f"an item of type {kind} where it may not stand")
        limit = GENESIS_LIMIT if kind == GENESIS else ITEM_LIMIT
        if size != 0 if kind == END else not 1 <= size <= limit:
            raise FormatError(f"an item of type {kind} with {size} bytes")
        self._previous = kind


class _Source:
    """Bytes taken from chunks of `CHUNK_BYTES`, the last one shorter."""

    __slots__ = ("_buffer", "_chunks", "_last", "_position", "offset")

    def __init__(self, chunks: Iterable[bytes]) -> None:
        self._chunks = iter(chunks)
        self._buffer = b""
        self._position = 0
        self._last = False
        self.offset = 0

    def take(self, size: int) -> bytes:
        """Return the next `size` bytes; raises `FormatError` when there are fewer."""
        if len(self._buffer) - self._position < size:
            self._fill(size)
        start = self._position
        self._position = start + size
        self.offset += size
        return self._buffer[start : self._position]

    def require_end(self) -> None:
        """Check that nothing is left."""
        if self._position != len(self._buffer) or next(self._chunks, None) is not None:
            raise FormatError(f"byte {self.offset}: bytes after the end")

    def _fill(self, size: int) -> None:
        parts = [self._buffer[self._position :]]
        room = len(parts[0])
        while room < size:
            chunk = next(self._chunks, None)
            if chunk is None:
                raise FormatError("the snapshot ends early")
            if self._last or not 1 <= len(chunk) <= CHUNK_BYTES:
                raise FormatError(f"a chunk has {CHUNK_BYTES} bytes, and only the last has fewer")
            self._last = len(chunk) < CHUNK_BYTES
            parts.append(chunk)
            room += len(chunk)
        self._buffer = b"".join(parts)
        self._position = 0
