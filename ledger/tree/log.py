"""The log: an RFC 6962 Merkle tree over leaf hashes, in order of entry.

    leaf   SHA-256(0x00 || data)
    node   SHA-256(0x01 || left || right)
    empty  SHA-256("")

A tree of n > 1 leaves splits at the largest power of two below n (RFC 6962 section 2.1). So every
tree is a row of complete subtrees, largest first, one for each bit of n. `Log` keeps the hash of
every complete subtree, by level, in lists that only grow: whoever remembers a size can still ask
for its root and proofs while others append. A `Frontier` keeps that row alone: enough to append
and to give the root, so that a block can be executed while the log stays as it is.

>>> log = Log(leaf_hash(data) for data in (b"", b"\\x00", b"\\x10"))
>>> log.root().hex()
'aeb6bcfe274b70a14fb067a5e5578264db0fa9b51af5e0ba159158f329e06e77'
>>> log.frontier().append(leaf_hash(b" !")).root().hex()
'd37ee418976dd95753c1c73862b9398fa2a2cf9b4ff0fdfe8b30cd95209614b7'
>>> log.size, [hash.hex()[:8] for hash in log.prove_inclusion(2, 3)]
(3, ['fac54203'])
"""

from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger.errors import FormatError, ProofError
from ledger.hashing import HASH_BYTES

EMPTY_ROOT: Final = sha256().digest()


def leaf_hash(data: bytes) -> bytes:
    """Hash one entry to the 32 bytes that stand for it in the tree."""
    return sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees, 32 bytes each, to their parent."""
    return sha256(b"\x01" + left + right).digest()


@dataclass(frozen=True, slots=True)
class Frontier:
    """The right edge of a log: its size and its complete subtrees, largest first. A value."""

    size: int = 0
    subtrees: tuple[bytes, ...] = ()

    def append(self, leaf: bytes) -> "Frontier":
        """Return the frontier of the log that has one more `leaf` hash (32 bytes)."""
        _require_hash(leaf)
        subtrees = self.subtrees
        # Each trailing 1 bit of the size is a subtree that the new leaf makes twice as large.
        full = (~self.size & (self.size + 1)).bit_length() - 1
        for left in reversed(subtrees[len(subtrees) - full :]):
            leaf = node_hash(left, leaf)
        return Frontier(self.size + 1, (*subtrees[: len(subtrees) - full], leaf))

    def root(self) -> bytes:
        """Return the root of the log, 32 bytes."""
        return _join(self.subtrees)


class Log:
    """An append-only tree of 32-byte leaf hashes, able to prove at every size it ever had.

    One writer appends; readers may ask at any size they have seen, at the same time. A size or
    index that the log does not have raises `ProofError`, a hash of another length `FormatError`.
    """

    __slots__ = ("_levels",)

    def __init__(self, leaves: Iterable[bytes] = ()) -> None:
        self._levels: list[list[bytes]] = [[]]
        for leaf in leaves:
            self.append(leaf)

    @property
    def size(self) -> int:
        """How many leaves the log has."""
        return len(self._levels[0])

    def append(self, leaf: bytes) -> None:
        """Add one `leaf` hash (32 bytes): two hashes of work on average."""
        _require_hash(leaf)
        levels = self._levels
        size = len(levels[0]) + 1
        completed = [leaf]
        while size % 2 == 0:
            level = len(completed) - 1
            completed.append(node_hash(levels[level][-1], completed[level]))
            size //= 2
        if len(completed) > len(levels):
            levels.append([])
        # Upwards first: a reader who sees the leaf, hence the size, finds all that it completed.
        for level in range(len(completed) - 1, -1, -1):
            levels[level].append(completed[level])

    def first(self, size: int) -> "Log":
        """Return the log of the first `size` leaves, while this one may grow."""
        self._require_size(size)
        log = Log()
        # A subtree that is complete at one size stays so: level n has one for each 2**n leaves.
        log._levels = [level[: size >> n] for n, level in enumerate(self._levels) if size >> n]
        log._levels = log._levels or [[]]
        return log

    def leaf(self, index: int) -> bytes:
        """Return the leaf hash at `index`."""
        if not 0 <= index < self.size:
            raise ProofError(f"no leaf {index} in a log of {self.size}")
        return self._levels[0][index]

    def root(self) -> bytes:
        """Return the root over all leaves, 32 bytes."""
        return self.root_at(self.size)

    def root_at(self, size: int) -> bytes:
        """Return the root over the first `size` leaves, 32 bytes."""
        return self.frontier(size).root()

    def frontier(self, size: int | None = None) -> Frontier:
        """Return the frontier at `size`, by default now."""
        if size is None:
            size = self.size
        self._require_size(size)
        return Frontier(size, tuple(self._subtrees(0, size)))

    def prove_inclusion(self, index: int, size: int) -> list[bytes]:
        """Prove leaf `index` in the log of the first `size` leaves (RFC 6962 section 2.1.1)."""
        self._require_size(size)
        if not 0 <= index < size:
            raise ProofError(f"no leaf {index} in a log of {size}")
        proof: list[bytes] = []
        start, end = 0, size
        while end - start > 1:
            middle = start + _split(end - start)
            if index < middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        proof.reverse()
        return proof

    def prove_consistency(self, old: int, new: int) -> list[bytes]:
        """Prove that the first `old` leaves begin the first `new` (RFC 6962 section 2.1.2).

        There is nothing to prove from size 0, nor between equal sizes: the proof is empty.
        """
        self._require_size(new)
        if not 0 <= old <= new:
            raise ProofError(f"no log of {old} leaves within one of {new}")
        proof: list[bytes] = []
        start, end = 0, new
        while start < old < end:
            middle = start + _split(end - start)
            if old <= middle:
                proof.append(self._range(middle, end))
                end = middle
            else:
                proof.append(self._range(start, middle))
                start = middle
        # The old tree whole needs no hash: its root is what the verifier brings along.
        if start > 0:
            proof.append(self._range(start, end))
        proof.reverse()
        return proof

    def _range(self, start: int, end: int) -> bytes:
        """Hash of the leaves from `start` (a multiple of a power of two >= the length) to `end`."""
        return _join(self._subtrees(start, end))

    def _subtrees(self, start: int, end: int) -> list[bytes]:
        found = []
        while start < end:
            level = (end - start).bit_length() - 1
            found.append(self._levels[level][start >> level])
            start += 1 << level
        return found

    def _require_size(self, size: int) -> None:
        if not 0 <= size <= self.size:
            raise ProofError(f"the log has {self.size} leaves, not {size}")


def _join(subtrees: "list[bytes] | tuple[bytes, ...]") -> bytes:
    """Root over a row of complete subtrees, largest first."""
    if not subtrees:
        return EMPTY_ROOT
    root = subtrees[-1]
    for left in subtrees[-2::-1]:
        root = node_hash(left, root)
    return root


def _split(size: int) -> int:
    """Largest power of two below `size`, which is at least 2."""
    return 1 << (size - 1).bit_length() - 1


def _require_hash(leaf: bytes) -> None:
    if len(leaf) != HASH_BYTES:
        raise FormatError(f"a leaf hash has {HASH_BYTES} bytes, not {len(leaf)}")
