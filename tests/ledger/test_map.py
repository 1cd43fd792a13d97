"""The state map against its definition, every proof altered, and every rule of the parser."""

from collections.abc import Mapping
from hashlib import sha256
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.errors import FormatError, ProofError
from ledger.tree.map import StateMap
from ledger.tree.map_proof import (
    EMPTY,
    EMPTY_HASH,
    OTHER_LEAF,
    PRESENT,
    MapProof,
    check_map_proof,
    format_map_proof,
    inner_hash,
    map_leaf_hash,
    parse_map_proof,
)

LARGEST = 100
ITEMS = [(sha256(b"k%d" % i).digest(), sha256(b"v%d" % i).digest()) for i in range(LARGEST)]
ABSENT = [sha256(b"absent %d" % i).digest() for i in range(LARGEST)]


def definition(leaves: Mapping[bytes, bytes], depth: int = 0) -> bytes:
    """The root as the format page defines it, word by word."""
    if not leaves:
        return bytes(32)
    if len(leaves) == 1:
        [(key, value)] = leaves.items()
        return sha256(b"\x02" + key + value).digest()
    left, right = {}, {}
    for key, value in leaves.items():
        side = right if key[depth // 8] & 0x80 >> depth % 8 else left
        side[key] = value
    return sha256(b"\x03" + definition(left, depth + 1) + definition(right, depth + 1)).digest()


def with_bit_changed(data: bytes, bit: int) -> bytes:
    return (int.from_bytes(data) ^ 1 << bit).to_bytes(len(data))


def refused(root: bytes, key: bytes, value: bytes | None, proof: bytes) -> bool:
    try:
        check_map_proof(root, key, value, proof)
    except (FormatError, ProofError):
        return True
    return False


# Keys near to one another make deep trees: one of three keys with up to three bits changed.
near_keys = st.builds(
    lambda base, bits: (int.from_bytes(base) ^ sum(1 << bit for bit in bits)).to_bytes(32),
    st.sampled_from([bytes(32), b"\xff" * 32, ITEMS[0][0]]),
    st.sets(st.integers(0, 255), max_size=3),
)
keys = st.binary(min_size=32, max_size=32) | near_keys
values = st.binary(min_size=32, max_size=32)
sets = st.dictionaries(keys, values, max_size=40)


@settings(max_examples=150, deadline=None)
@given(batches=st.lists(sets, max_size=5), absent=st.lists(keys, max_size=5))
def test_root_and_proofs_depend_on_the_set_alone(
    batches: list[dict[bytes, bytes]], absent: list[bytes]
) -> None:
    state, leaves = StateMap.empty(), {}
    for batch in batches:
        before, root = state, state.root
        state = state.update(batch)
        assert before.root == root
        leaves |= batch
        assert state.root == definition(leaves)
        assert len(state) == len(leaves)
    built = StateMap.build(reversed(leaves.items()))
    assert built.root == state.root
    for key in [*leaves, *absent]:
        value = leaves.get(key)
        assert state.get(key) == built.get(key) == value
        proof = state.prove(key)
        assert proof == built.prove(key)
        assert format_map_proof(parse_map_proof(proof)) == proof
        check_map_proof(state.root, key, value, proof)
        assert refused(state.root, key, b"\x01" * 32 if value is None else None, proof)


@settings(max_examples=50, deadline=None)
@given(leaves=st.lists(st.tuples(near_keys, values), max_size=60))
def test_one_by_one_is_as_all_at_once_and_the_last_of_equal_keys_counts(
    leaves: list[tuple[bytes, bytes]],
) -> None:
    state = StateMap.empty()
    for leaf in leaves:
        state = state.update([leaf])
    assert state.root == StateMap.build(leaves).root == definition(dict(leaves))
    assert len(state) == len(dict(leaves))


def test_every_proof_of_every_size() -> None:
    state = StateMap.empty()
    for size in range(LARGEST + 1):
        assert state.root == definition(dict(ITEMS[:size]))
        for index, (key, value) in enumerate(ITEMS):
            present = value if index < size else None
            proof = state.prove(key)
            check_map_proof(state.root, key, present, proof)
            assert state.get(key) == present
            assert refused(state.root, key, None if present else value, proof)
            assert refused(state.root, key, ABSENT[index], proof)
        if size < LARGEST:
            state = state.update([ITEMS[size]])


@pytest.mark.parametrize("size", [0, 1, 2, 3, 8, 9, LARGEST])
def test_each_single_bit_change_of_a_proof_is_refused(size: int) -> None:
    state = StateMap.build(ITEMS[:size])
    root = state.root
    terminals = set()
    for key, value in [*ITEMS[:size], *[(key, None) for key in ABSENT[:20]]]:
        proof = state.prove(key)
        terminals.add(parse_map_proof(proof).terminal)
        for bit in range(8 * len(proof)):
            assert refused(root, key, value, with_bit_changed(proof, bit))
        assert refused(root, key, value, proof + b"\x00")
        assert refused(root, key, value, proof[:-1])
        assert refused(with_bit_changed(root, 5), key, value, proof)
    if size == LARGEST:
        assert terminals == {EMPTY, PRESENT, OTHER_LEAF}


def test_a_proof_belongs_to_one_key() -> None:
    state = StateMap.build(ITEMS)
    for (key, value), (other, _) in pairwise(ITEMS):
        assert refused(state.root, other, value, state.prove(key))
        assert refused(state.root, other, None, state.prove(ABSENT[0]))


def test_the_deepest_leaves_part_at_the_last_bit() -> None:
    left, right = bytes(32), bytes(31) + b"\x01"
    state = StateMap.build({left: b"l" * 32, right: b"r" * 32})
    assert state.root == definition({left: b"l" * 32, right: b"r" * 32})
    proof = state.prove(right)
    assert proof[:2] == (256).to_bytes(2)
    assert len(proof) == 2 + 32 + 32 + 1
    check_map_proof(state.root, right, b"r" * 32, proof)
    # A key that leaves their common path ends at an empty subtree beside it.
    stranger = b"\x80" + bytes(31)
    assert parse_map_proof(state.prove(stranger)).terminal == EMPTY
    check_map_proof(state.root, stranger, None, state.prove(stranger))


def test_many_leaves_below_one_long_prefix() -> None:
    leaves = {bytes(30) + i.to_bytes(2): sha256(b"%d" % i).digest() for i in range(500)}
    state = StateMap.empty().update(leaves)
    assert state.root == StateMap.build(leaves.items()).root == definition(leaves)
    for key, value in leaves.items():
        check_map_proof(state.root, key, value, state.prove(key))


def test_the_empty_map() -> None:
    state = StateMap.empty()
    assert state.root == StateMap.build([]).root == bytes(32)
    assert len(state) == 0
    assert state.prove(bytes(32)) == bytes(3)
    check_map_proof(state.root, bytes(32), None, bytes(3))
    assert state.update({}).root == state.root


def test_a_new_value_replaces_the_old_in_the_new_version_only() -> None:
    old = StateMap.build(ITEMS)
    key = ITEMS[17][0]
    new = old.update({key: bytes(32)})
    assert (old.get(key), new.get(key)) == (ITEMS[17][1], bytes(32))
    assert len(new) == len(old) == LARGEST
    assert new.update([ITEMS[17]]).root == old.root


def test_keys_and_values_have_32_bytes() -> None:
    state = StateMap.empty()
    for key, value in ((bytes(31), bytes(33)), (bytes(33), bytes(31)), (b"", bytes(64))):
        with pytest.raises(FormatError):
            StateMap.build([(key, value)])
        with pytest.raises(FormatError):
            state.update({key: value})
        with pytest.raises(FormatError):
            state.get(key)
        with pytest.raises(FormatError):
            state.prove(key)
        assert refused(bytes(32), key, None, bytes(3))
        assert refused(value, bytes(32), None, bytes(3))
        assert refused(bytes(32), bytes(32), value, b"\x00\x00\x01")


ONE = b"\x01" * 32
LEAF = b"\x02" * 64


@pytest.mark.parametrize(
    ("data", "message"),
    [
        (b"", "a map proof of 0 bytes"),
        (bytes(2), "a map proof of 2 bytes"),
        (bytes(8292), "a map proof of 8292 bytes"),
        (b"\x01\x01" + b"\xff" * 33 + ONE * 256 + b"\x00", "depth 257"),
        (b"\xff\xff\x00", "depth 65535"),
        (b"\x00\x01\x81" + ONE + b"\x00", "unused bit"),
        (b"\x00\x09\xff\xc0" + ONE * 9 + b"\x00", "unused bit"),
        (b"\x00\x01\x00" + b"\x00", "deepest sibling is empty"),
        (b"\x00\x02\x80" + ONE + b"\x00", "deepest sibling is empty"),
        (b"\x00\x01\x80" + bytes(32) + b"\x00", "is zero"),
        (b"\x00\x02\xc0" + bytes(32) + ONE + b"\x00", "is zero"),
        (b"\x00\x01\x80" + ONE, "ends early"),
        (b"\x00\x01\x80" + ONE[:31], "ends early"),
        (b"\x00\x01\x80", "ends early"),
        (b"\x00\x10\x81", "ends early"),
        (b"\x00\x00\x03", "no terminal of kind 3"),
        (b"\x00\x00\xff", "no terminal of kind 255"),
        (b"\x00\x00\x00\x00", "wrong length"),
        (b"\x00\x00\x01" + LEAF, "wrong length"),
        (b"\x00\x00\x02", "wrong length"),
        (b"\x00\x00\x02" + LEAF[:63], "wrong length"),
        (b"\x00\x00\x02" + LEAF + b"\x00", "wrong length"),
        (b"\x01\x00" + bytes(31) + b"\x01" + ONE + b"\x02" + LEAF, "no other leaf"),
    ],
)
def test_parser_rule(data: bytes, message: str) -> None:
    with pytest.raises(FormatError, match=message):
        parse_map_proof(data)


@pytest.mark.parametrize(
    "proof",
    [
        MapProof((), EMPTY, b""),
        MapProof((), OTHER_LEAF, LEAF),
        MapProof((ONE,), PRESENT, b""),
        MapProof((EMPTY_HASH, ONE), OTHER_LEAF, LEAF),
        MapProof((ONE,) * 255, OTHER_LEAF, LEAF),
        MapProof((ONE,) * 256, PRESENT, b""),
    ],
)
def test_what_is_written_is_read(proof: MapProof) -> None:
    assert parse_map_proof(format_map_proof(proof)) == proof


def test_an_other_leaf_must_lie_on_the_path_and_be_another() -> None:
    asked, other = bytes(32), b"\x80" + bytes(31)
    root = inner_hash(ONE, map_leaf_hash(other + ONE))
    elsewhere = format_map_proof(MapProof((ONE,), OTHER_LEAF, other + ONE))
    check_map_proof(root, b"\xff" * 32, None, elsewhere)
    with pytest.raises(ProofError, match="not on the path"):
        check_map_proof(root, asked, None, elsewhere)
    with pytest.raises(ProofError, match="has the asked key"):
        check_map_proof(root, other, None, elsewhere)
