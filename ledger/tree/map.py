"""The state map as an immutable value: every update makes a new map that shares what is unchanged.

The tree and its hashes are those of `ledger.tree.map_proof`. The root depends on the set of leaves
alone, not on the order in which they came. Leaves are inserted or replaced, never deleted.

>>> from ledger.tree.map_proof import check_map_proof
>>> one, two = b"\\x20" * 32, b"\\x40" * 32
>>> state = StateMap.build([(one, b"1" * 32), (two, b"2" * 32)])
>>> newer = state.update({two: b"3" * 32})
>>> state.get(two)[:1], newer.get(two)[:1], len(newer), newer.get(b"\\xff" * 32)
(b'2', b'3', 2, None)
>>> check_map_proof(newer.root, two, b"3" * 32, newer.prove(two))
>>> check_map_proof(newer.root, b"\\xff" * 32, None, newer.prove(b"\\xff" * 32))
>>> newer.root == StateMap.empty().update({two: b"3" * 32}).update({one: b"1" * 32}).root
True

In memory a subtree of more than `BUCKET_LEAVES` leaves is a tuple (hash, left, right). A smaller
one is a *bucket*, one flat bytes object:

    (32) hash   (32) hash of its left half   (32) of its right half   64 * n  key || value, by key

That takes about 110 bytes a leaf, and the garbage collector never looks inside. An update hashes
one half of a bucket again; keeping all hashes would save little time and cost much memory.
"""

from bisect import bisect_left
from collections.abc import Iterable, Mapping
from hashlib import sha256
from typing import Final, TypeAlias

from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES
from ledger.tree.map_proof import (
    EMPTY,
    EMPTY_HASH,
    KEY_BITS,
    KEY_BYTES,
    LEAF_BYTES,
    OTHER_LEAF,
    PRESENT,
    VALUE_BYTES,
    MapProof,
    format_map_proof,
)

# Fewer: more tuples, hence memory. More: more hashes for each proof and update.
BUCKET_LEAVES: Final = 8

LEFT: Final = slice(HASH_BYTES, 2 * HASH_BYTES)
RIGHT: Final = slice(2 * HASH_BYTES, 3 * HASH_BYTES)
HEAD_BYTES: Final = 3 * HASH_BYTES

_Node: TypeAlias = "tuple[bytes, _Node, _Node] | bytes | None"


class StateMap:
    """A map from 32-byte keys to 32-byte values with a root hash. Immutable.

    Made by `empty`, `build` and `update`. Keys and values of another length raise `FormatError`.
    """

    __slots__ = ("_node", "_size")

    def __init__(self, node: _Node, size: int) -> None:
        self._node = node
        self._size = size

    @classmethod
    def empty(cls) -> "StateMap":
        """The map of no leaves; its root is 32 zero bytes."""
        return cls(None, 0)

    @classmethod
    def build(cls, leaves: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> "StateMap":
        """Make a map of many leaves at once, in any order; of equal keys the last counts."""
        entries = _entries(leaves)
        return cls(_build(entries, 0, len(entries), 0), len(entries))

    def update(self, changes: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]]) -> "StateMap":
        """Return a map with `changes` inserted or replaced; of equal keys the last counts."""
        batch = _Batch(_entries(changes))
        node = batch.apply(self._node, 0, len(batch.entries), 0)
        return StateMap(node, self._size + batch.inserted)

    @property
    def root(self) -> bytes:
        """The root hash, 32 bytes."""
        return _hash(self._node)

    def __len__(self) -> int:
        return self._size

    def get(self, key: bytes) -> bytes | None:
        """Return the value of `key` (32 bytes), or None."""
        _require(len(key) == KEY_BYTES)
        node, depth = self._node, 0
        while isinstance(node, tuple):
            node = node[2] if key[depth >> 3] & 0x80 >> (depth & 7) else node[1]
            depth += 1
        if node is not None:
            for offset in range(HEAD_BYTES, len(node), LEAF_BYTES):
                if node[offset : offset + KEY_BYTES] == key:
                    return node[offset + KEY_BYTES : offset + LEAF_BYTES]
        return None

    def prove(self, key: bytes) -> bytes:
        """Return the proof for `key`, of its value or of its absence."""
        _require(len(key) == KEY_BYTES)
        siblings: list[bytes] = []
        node, depth = self._node, 0
        while isinstance(node, tuple):
            if key[depth >> 3] & 0x80 >> (depth & 7):
                _, sibling, node = node
            else:
                _, node, sibling = node
            siblings.append(_hash(sibling))
            depth += 1
        if node is None:
            return format_map_proof(MapProof(tuple(siblings), EMPTY, b""))

        leaves = _leaves(node)
        low, high = 0, len(leaves)
        while high - low > 1:
            middle = _middle(leaves, low, high, depth)
            if key[depth >> 3] & 0x80 >> (depth & 7):
                siblings.append(_subtree_hash(leaves, low, middle, depth + 1))
                low = middle
            else:
                siblings.append(_subtree_hash(leaves, middle, high, depth + 1))
                high = middle
            depth += 1
        if low == high:
            return format_map_proof(MapProof(tuple(siblings), EMPTY, b""))
        leaf = leaves[low]
        if leaf[:KEY_BYTES] == key:
            return format_map_proof(MapProof(tuple(siblings), PRESENT, b""))
        return format_map_proof(MapProof(tuple(siblings), OTHER_LEAF, leaf))


class _Batch:
    """Changes in order of keys, on their way down the tree."""

    __slots__ = ("entries", "inserted")

    def __init__(self, entries: list[bytes]) -> None:
        self.entries = entries
        self.inserted = 0

    def apply(self, node: _Node, low: int, high: int, depth: int) -> _Node:
        """Return the subtree `node` at `depth` with entries `low` to `high`, all of its prefix."""
        if low == high:
            return node
        entries = self.entries
        if isinstance(node, tuple):
            _, left, right = node
            if high - low > 1:
                middle = _middle(entries, low, high, depth)
                left = self.apply(left, low, middle, depth + 1)
                right = self.apply(right, middle, high, depth + 1)
            elif entries[low][depth >> 3] & 0x80 >> (depth & 7):
                right = self.apply(right, low, high, depth + 1)
            else:
                left = self.apply(left, low, high, depth + 1)
            return _inner(left, right)
        if node is None:
            self.inserted += high - low
            return _build(entries, low, high, depth)

        leaves = _leaves(node)
        before = len(leaves)
        for entry in entries[low:high]:
            index = bisect_left(leaves, entry[:KEY_BYTES])
            if index < len(leaves) and leaves[index][:KEY_BYTES] == entry[:KEY_BYTES]:
                leaves[index] = entry
            else:
                leaves.insert(index, entry)
        self.inserted += len(leaves) - before
        if len(leaves) > BUCKET_LEAVES:
            return _build(leaves, 0, len(leaves), depth)
        byte, bit = depth >> 3, 0x80 >> (depth & 7)
        return _bucket(
            leaves,
            depth,
            left=node[LEFT] if entries[low][byte] & bit else None,
            right=None if entries[high - 1][byte] & bit else node[RIGHT],
        )


def _build(leaves: list[bytes], low: int, high: int, depth: int) -> _Node:
    """Make the subtree at `depth` of leaves `low` to `high`, sorted and all of its prefix."""
    if high - low > BUCKET_LEAVES:
        middle = _middle(leaves, low, high, depth)
        return _inner(
            _build(leaves, low, middle, depth + 1),
            _build(leaves, middle, high, depth + 1),
        )
    return _bucket(leaves[low:high], depth) if high > low else None


def _bucket(
    leaves: list[bytes], depth: int, left: bytes | None = None, right: bytes | None = None
) -> bytes:
    """Make a bucket at `depth` of sorted leaves; `left` and `right` are hashes already known."""
    size = len(leaves)
    middle = _middle(leaves, 0, size, depth)
    if left is None:
        left = _subtree_hash(leaves, 0, middle, depth + 1)
    if right is None:
        right = _subtree_hash(leaves, middle, size, depth + 1)
    if size == 1:
        return b"".join((left if middle else right, left, right, *leaves))
    return b"".join((sha256(b"\x03" + left + right).digest(), left, right, *leaves))


def _subtree_hash(leaves: list[bytes], low: int, high: int, depth: int) -> bytes:
    """Hash the subtree at `depth` of leaves `low` to `high`, sorted and all of its prefix."""
    if high - low == 1:
        return sha256(b"\x02" + leaves[low]).digest()
    if high == low:
        return EMPTY_HASH
    byte, bit = depth >> 3, 0x80 >> (depth & 7)
    middle = low
    while middle < high and not leaves[middle][byte] & bit:
        middle += 1
    left = _subtree_hash(leaves, low, middle, depth + 1)
    right = _subtree_hash(leaves, middle, high, depth + 1)
    return sha256(b"\x03" + left + right).digest()


def _middle(leaves: list[bytes], low: int, high: int, depth: int) -> int:
    """Index of the first leaf whose bit at `depth` is 1, among sorted leaves of one prefix."""
    if high - low > 2 * BUCKET_LEAVES:
        shift = KEY_BITS - 1 - depth
        prefix = int.from_bytes(leaves[low][:KEY_BYTES]) >> shift
        return bisect_left(leaves, ((prefix | 1) << shift).to_bytes(KEY_BYTES), low, high)
    byte, bit = depth >> 3, 0x80 >> (depth & 7)
    while low < high and not leaves[low][byte] & bit:
        low += 1
    return low


def _inner(left: _Node, right: _Node) -> _Node:
    return sha256(b"\x03" + _hash(left) + _hash(right)).digest(), left, right


def _hash(node: _Node) -> bytes:
    if isinstance(node, tuple):
        return node[0]
    return EMPTY_HASH if node is None else node[:HASH_BYTES]


def _leaves(bucket: bytes) -> list[bytes]:
    return [
        bucket[offset : offset + LEAF_BYTES]
        for offset in range(HEAD_BYTES, len(bucket), LEAF_BYTES)
    ]


def _entries(
    leaves: Mapping[bytes, bytes] | Iterable[tuple[bytes, bytes]],
) -> list[bytes]:
    """Leaves as key || value in order of keys, each key once."""
    unique = leaves if isinstance(leaves, Mapping) else dict(leaves)
    _require({KEY_BYTES}.issuperset(map(len, unique)))
    _require({VALUE_BYTES}.issuperset(map(len, unique.values())))
    return sorted([key + value for key, value in unique.items()])


def _require(right_size: bool) -> None:
    if not right_size:
        raise FormatError("a key and a value of the map have 32 bytes each")
