"""The guard against a model of its rule, and against every way a file can be damaged."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import FormatError
from service.errors import GuardRefused, StoreBusy, StoreCorrupt, StoreError
from service.store.guard import Mark, SealGuard, format_guard, parse_guard
from store.scripts import KEYS, NETWORK

KEY, OTHER = KEYS
HASH, ANOTHER = b"\x0a" * 32, b"\x0b" * 32


@pytest.fixture
def guard(tmp_path: Path) -> Iterator[SealGuard]:
    with SealGuard.create(tmp_path / "guard") as guard:
        yield guard


@pytest.mark.parametrize("height", [4, 5, 6])
@pytest.mark.parametrize("header_hash", [HASH, ANOTHER])
@pytest.mark.parametrize("time", [49, 50, 51])
def test_every_step_from_one_mark(
    guard: SealGuard, height: int, header_hash: bytes, time: int
) -> None:
    guard.may_sign(NETWORK, KEY, 5, HASH, 50)
    allowed = time >= 50 and (height > 5 or (height == 5 and header_hash == HASH))
    if allowed:
        guard.may_sign(NETWORK, KEY, height, header_hash, time)
        assert guard.last(NETWORK, KEY) == Mark(height, header_hash, time)
    else:
        with pytest.raises(GuardRefused) as caught:
            guard.may_sign(NETWORK, KEY, height, header_hash, time)
        assert (caught.value.key_id, caught.value.height) == (KEY, height)
        assert guard.last(NETWORK, KEY) == Mark(5, HASH, 50)


def test_keys_and_networks_are_apart(guard: SealGuard) -> None:
    guard.may_sign(NETWORK, KEY, 5, HASH, 50)
    guard.may_sign(NETWORK, OTHER, 3, ANOTHER, 30)
    guard.may_sign(bytes(32), KEY, 1, ANOTHER, 10)
    assert guard.last(NETWORK, KEY) == Mark(5, HASH, 50)
    assert guard.last(bytes(32), OTHER) is None


def test_all_or_none(guard: SealGuard) -> None:
    guard.may_sign(NETWORK, OTHER, 5, ANOTHER, 50)
    with pytest.raises(GuardRefused):
        guard.may_sign_all(NETWORK, KEYS, 5, HASH, 50)
    assert guard.last(NETWORK, KEY) is None
    guard.may_sign_all(NETWORK, KEYS, 6, HASH, 60)
    assert [guard.last(NETWORK, key) for key in KEYS] == [Mark(6, HASH, 60)] * 2


def test_one_file_for_all_members_of_a_block(tmp_path: Path) -> None:
    steps: list[str] = []
    SealGuard.create(tmp_path / "guard").close()
    with SealGuard.open(tmp_path / "guard", on_step=steps.append) as guard:
        guard.may_sign_all(NETWORK, [bytes([n]) * 8 for n in range(24)], 1, HASH, 1)
        assert steps.count("guard:written") == 1
        # The same seal again is allowed, and needs no writing.
        guard.may_sign_all(NETWORK, [bytes([n]) * 8 for n in range(24)], 1, HASH, 1)
        assert steps.count("guard:written") == 1


def test_it_remembers(guard: SealGuard) -> None:
    guard.may_sign(NETWORK, KEY, 5, HASH, 50)
    guard.close()
    with SealGuard.open(guard.path) as again:
        assert again.last(NETWORK, KEY) == Mark(5, HASH, 50)
        with pytest.raises(GuardRefused, match="another header"):
            again.may_sign(NETWORK, KEY, 5, ANOTHER, 50)


def test_a_guard_is_made_once_by_hand(guard: SealGuard) -> None:
    guard.close()
    with pytest.raises(StoreError, match="never made anew"):
        SealGuard.create(guard.path)
    guard.path.unlink()
    with pytest.raises(StoreError, match="is missing"):
        SealGuard.open(guard.path)
    assert not guard.path.exists()


def test_two_nodes_cannot_share_one(guard: SealGuard) -> None:
    with pytest.raises(StoreBusy):
        SealGuard.open(guard.path)
    guard.close()
    with SealGuard.open(guard.path), pytest.raises(StoreError, match="is closed"):
        guard.may_sign(NETWORK, KEY, 1, HASH, 1)


def test_every_changed_bit_and_every_cut_is_found(guard: SealGuard) -> None:
    guard.may_sign(NETWORK, KEY, 5, HASH, 50)
    guard.close()
    whole = guard.path.read_bytes()
    for bit in range(8 * len(whole)):
        changed = bytearray(whole)
        changed[bit // 8] ^= 0x80 >> bit % 8
        with pytest.raises(FormatError):
            parse_guard(bytes(changed))
    for length in range(len(whole)):
        with pytest.raises(FormatError):
            parse_guard(whole[:length])
    guard.path.write_bytes(whole[:-1])
    with pytest.raises(StoreCorrupt, match="guard file"):
        SealGuard.open(guard.path)


def test_a_disk_that_fails_stops_it(guard: SealGuard) -> None:
    """The new file cannot be made: not signed, and nothing goes on until opened again."""
    guard.may_sign(NETWORK, KEY, 5, HASH, 50)
    obstacle = guard.path.with_name("guard.new")
    obstacle.mkdir()
    with pytest.raises(StoreError, match="cannot be written"):
        guard.may_sign(NETWORK, KEY, 6, HASH, 60)
    obstacle.rmdir()
    with pytest.raises(StoreError, match="failed before"):
        guard.may_sign(NETWORK, KEY, 6, HASH, 60)
    guard.close()
    with SealGuard.open(guard.path) as again:
        assert again.last(NETWORK, KEY) == Mark(5, HASH, 50)
        again.may_sign(NETWORK, KEY, 6, HASH, 60)


def test_a_left_over_new_file_means_nothing(guard: SealGuard) -> None:
    guard.may_sign(NETWORK, KEY, 5, HASH, 50)
    guard.close()
    guard.path.with_name("guard.new").write_bytes(b"half of someth")
    with SealGuard.open(guard.path) as again:
        again.may_sign(NETWORK, KEY, 6, HASH, 60)
    assert os.listdir(guard.path.parent).count("guard.new") == 0


marks = st.builds(
    Mark, st.integers(0, 2**64 - 1), st.binary(min_size=32, max_size=32), st.integers(0, 2**64 - 1)
)
owners = st.tuples(st.binary(min_size=32, max_size=32), st.binary(min_size=8, max_size=8))


@given(st.dictionaries(owners, marks, max_size=5))
def test_the_file_comes_back(known: dict[tuple[bytes, bytes], Mark]) -> None:
    assert parse_guard(format_guard(known)) == known
