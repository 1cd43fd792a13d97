"""A proof about one key of the state map: that it has a value, or that it has none.

The map is a compact sparse Merkle tree of 256 levels:

    leaf   SHA-256(0x02 || key || value)      key and value of 32 bytes
    inner  SHA-256(0x03 || left || right)
    empty  32 zero bytes

At depth d the bit ``0x80 >> (d mod 8)`` of key byte ``d div 8`` decides; 0 goes left. A subtree
with exactly one leaf is that leaf's hash. So the path of a key ends at a *terminal*: its own leaf,
the leaf of another key that begins with the same bits, or an empty subtree. The proof is

    (2)        n: depth of the terminal, 0..256
    (n+7)/8    bitmap by depth from the root: which siblings are not empty
    32*k       those siblings, none of them zero; the deepest (depth n) is never empty
    (1)        terminal: 0 empty, 1 the asked key, 2 another leaf (then n <= 255)
    [64]       for 2: its key and value

The checker brings key and value along. Every bit of a proof counts: there is one for each key and
root, and none can be altered.

>>> mine, other = b"\\x20" * 32, b"\\x40" * 32       # bits 00.. and 01..: they part at depth 1
>>> sibling = map_leaf_hash(other + b"v" * 32)
>>> proof = format_map_proof(MapProof((EMPTY_HASH, sibling), PRESENT, b""))
>>> proof[:3].hex(), len(proof)                    # n = 2; only the second sibling is not empty
('000240', 36)
>>> root = inner_hash(inner_hash(map_leaf_hash(mine + b"u" * 32), sibling), EMPTY_HASH)
>>> check_map_proof(root, mine, b"u" * 32, proof)
>>> check_map_proof(root, mine, b"x" * 32, proof)
Traceback (most recent call last):
ledger.errors.ProofError: the map proof does not lead to the root
"""

from hashlib import sha256
from typing import Final, NamedTuple

from ledger.errors import FormatError, ProofError
from ledger.hashing import HASH_BYTES, ZERO_HASH

KEY_BYTES: Final = 32
VALUE_BYTES: Final = 32
LEAF_BYTES: Final = KEY_BYTES + VALUE_BYTES
KEY_BITS: Final = 8 * KEY_BYTES
EMPTY_HASH: Final = ZERO_HASH

EMPTY: Final = 0
PRESENT: Final = 1
OTHER_LEAF: Final = 2

MAX_PROOF_BYTES: Final = 2 + KEY_BYTES + KEY_BITS * HASH_BYTES + 1 + LEAF_BYTES


class MapProof(NamedTuple):
    """A proof taken apart.

    `siblings` has one hash for each depth from 1 to n, `EMPTY_HASH` for an empty one; `terminal` is
    `EMPTY`, `PRESENT` or `OTHER_LEAF`; `leaf` is key || value of the other leaf, else empty.
    """

    siblings: tuple[bytes, ...]
    terminal: int
    leaf: bytes


def map_leaf_hash(leaf: bytes) -> bytes:
    """Hash a leaf, key || value (64 bytes)."""
    return sha256(b"\x02" + leaf).digest()


def inner_hash(left: bytes, right: bytes) -> bytes:
    """Hash two subtrees, 32 bytes each, to their parent."""
    return sha256(b"\x03" + left + right).digest()


def format_map_proof(proof: MapProof) -> bytes:
    """Write a proof. The inverse of `parse_map_proof` for every proof that this accepts."""
    siblings, terminal, leaf = proof
    depth = len(siblings)
    bitmap = 0
    for sibling in siblings:
        bitmap = bitmap << 1 | (sibling != EMPTY_HASH)
    return b"".join(
        (
            depth.to_bytes(2),
            (bitmap << (-depth & 7)).to_bytes((depth + 7) // 8),
            *[sibling for sibling in siblings if sibling != EMPTY_HASH],
            terminal.to_bytes(),
            leaf,
        )
    )


def parse_map_proof(data: bytes) -> MapProof:
    """Read a proof strictly; raises `FormatError`."""
    size = len(data)
    if not 3 <= size <= MAX_PROOF_BYTES:
        raise FormatError(f"a map proof of {size} bytes")
    depth = data[0] << 8 | data[1]
    if depth > KEY_BITS:
        raise FormatError(f"a map proof of depth {depth}")
    offset = 2 + (depth + 7) // 8
    bitmap = int.from_bytes(data[2:offset])
    unused = -depth & 7
    if bitmap & ((1 << unused) - 1):
        raise FormatError("an unused bit of the bitmap is set")
    bitmap >>= unused
    if depth and not bitmap & 1:
        raise FormatError("the deepest sibling is empty")
    end = offset + HASH_BYTES * bitmap.bit_count()
    if end >= size:
        raise FormatError("the map proof ends early")

    siblings = []
    for bit in range(depth - 1, -1, -1):
        if bitmap >> bit & 1:
            sibling = data[offset : offset + HASH_BYTES]
            if sibling == EMPTY_HASH:
                raise FormatError("a sibling that is not empty is zero")
            offset += HASH_BYTES
            siblings.append(sibling)
        else:
            siblings.append(EMPTY_HASH)

    terminal = data[end]
    leaf = data[end + 1 :]
    if terminal > OTHER_LEAF:
        raise FormatError(f"no terminal of kind {terminal}")
    if len(leaf) != (LEAF_BYTES if terminal == OTHER_LEAF else 0):
        raise FormatError("the map proof has a wrong length")
    if terminal == OTHER_LEAF and depth == KEY_BITS:
        raise FormatError("at depth 256 there is no other leaf")
    return MapProof(tuple(siblings), terminal, leaf)


def check_map_proof(root: bytes, key: bytes, value: bytes | None, proof: bytes) -> None:
    """Check that the map with `root` holds `value` (32 bytes) under `key`, or nothing for None.

    Raises `FormatError` for bytes that are no proof, `ProofError` for a proof of something else.
    """
    if len(root) != HASH_BYTES or len(key) != KEY_BYTES:
        raise ProofError("root and key have 32 bytes")
    siblings, terminal, leaf = parse_map_proof(proof)
    path = int.from_bytes(key) >> (KEY_BITS - len(siblings))
    if value is not None:
        if len(value) != VALUE_BYTES:
            raise ProofError("a value has 32 bytes")
        if terminal != PRESENT:
            raise ProofError("the map proof is one of absence")
        current = sha256(b"\x02" + key + value).digest()
    elif terminal == EMPTY:
        current = EMPTY_HASH
    elif terminal == PRESENT:
        raise ProofError("the map proof is one of presence")
    else:
        other = leaf[:KEY_BYTES]
        if other == key:
            raise ProofError("the other leaf has the asked key")
        if int.from_bytes(other) >> (KEY_BITS - len(siblings)) != path:
            raise ProofError("the other leaf is not on the path of the asked key")
        current = sha256(b"\x02" + leaf).digest()

    for sibling in reversed(siblings):
        if path & 1:
            current = sha256(b"\x03" + sibling + current).digest()
        else:
            current = sha256(b"\x03" + current + sibling).digest()
        path >>= 1
    if current != root:
        raise ProofError("the map proof does not lead to the root")
