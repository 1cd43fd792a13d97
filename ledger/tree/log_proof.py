"""Checking proofs about the log, as in RFC 9162 sections 2.1.3.2 and 2.1.4.2.

An *inclusion* proof leads from one leaf hash to the root of a log of a given size. A *consistency*
proof shows that a log of one size is the beginning of a log of a larger one. A proof is a list of
32-byte hashes, from the leaves upwards; nothing in it can be left out, added or moved.

From size 0 there is nothing to prove: 0 to 0 holds where both roots are that of the empty tree, and
from 0 to a larger size there is no proof that could fail, so none is accepted.

>>> from ledger.tree.log import Log, leaf_hash
>>> log = Log(leaf_hash(data) for data in (b"", b"\\x00", b"\\x10"))
>>> check_inclusion(leaf_hash(b"\\x00"), 1, 3, log.prove_inclusion(1, 3), log.root())
>>> check_consistency(2, 3, log.root_at(2), log.root(), log.prove_consistency(2, 3))
>>> check_inclusion(leaf_hash(b"\\x01"), 1, 3, log.prove_inclusion(1, 3), log.root())
Traceback (most recent call last):
ledger.errors.ProofError: the inclusion proof does not lead to the root
"""

from collections.abc import Sequence

from ledger.errors import ProofError
from ledger.hashing import HASH_BYTES
from ledger.tree.log import EMPTY_ROOT, node_hash


def check_inclusion(
    leaf_hash: bytes, index: int, size: int, proof: Sequence[bytes], root: bytes
) -> None:
    """Check that the log of `size` leaves with `root` has `leaf_hash` at `index`.

    Raises `ProofError`, also for hashes that are not 32 bytes.
    """
    _require_hashes(leaf_hash, root, *proof)
    if not 0 <= index < size:
        raise ProofError(f"no leaf {index} in a log of {size}")
    node, last = index, size - 1
    current = leaf_hash
    for sibling in proof:
        if last == 0:
            raise ProofError("the inclusion proof is too long")
        if node & 1 or node == last:
            current = node_hash(sibling, current)
            # A node without a right neighbour stands for itself on the levels above.
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            current = node_hash(current, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("the inclusion proof is too short")
    if current != root:
        raise ProofError("the inclusion proof does not lead to the root")


def check_consistency(
    old_size: int,
    new_size: int,
    old_root: bytes,
    new_root: bytes,
    proof: Sequence[bytes],
) -> None:
    """Check that the log of `old_size` leaves is the beginning of the one of `new_size`.

    Raises `ProofError`, also for hashes that are not 32 bytes.
    """
    _require_hashes(old_root, new_root, *proof)
    if not 0 <= old_size <= new_size:
        raise ProofError(f"a log of {old_size} leaves does not begin one of {new_size}")
    if old_size == new_size:
        if proof:
            raise ProofError("the consistency proof is too long")
        if old_root != new_root or (new_size == 0 and new_root != EMPTY_ROOT):
            raise ProofError("two roots for one size")
        return
    if old_size == 0:
        raise ProofError("from size 0 there is nothing to prove")

    node, last = old_size - 1, new_size - 1
    while node & 1:
        node >>= 1
        last >>= 1
    # The old log is one complete subtree: its own root starts the proof.
    path = [old_root, *proof] if node == 0 else list(proof)
    if not path:
        raise ProofError("the consistency proof is too short")
    old = new = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofError("the consistency proof is too long")
        if node & 1 or node == last:
            old = node_hash(sibling, old)
            new = node_hash(sibling, new)
            while not node & 1 and node:
                node >>= 1
                last >>= 1
        else:
            new = node_hash(new, sibling)
        node >>= 1
        last >>= 1
    if last:
        raise ProofError("the consistency proof is too short")
    if old != old_root:
        raise ProofError("the consistency proof does not lead to the old root")
    if new != new_root:
        raise ProofError("the consistency proof does not lead to the new root")


def _require_hashes(*hashes: bytes) -> None:
    for value in hashes:
        if len(value) != HASH_BYTES:
            raise ProofError(f"a hash has {HASH_BYTES} bytes, not {len(value)}")
