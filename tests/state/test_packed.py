"""Packed records against a plain list."""

from hypothesis import given
from hypothesis import strategies as st

from ledger.state.packed import KEY_PREFIX, append_packed, count_packed, packed_head, unpack

KEY = bytes(range(32))
records = st.lists(
    st.tuples(st.integers(0, 65_535), st.binary(max_size=300)).map(
        lambda each: (each[0], KEY_PREFIX + KEY + each[1])
    ),
    min_size=1,
    max_size=6,
)


@given(records, st.integers(0, 1 << 60))
def test_what_was_packed_comes_out(added: list[tuple[int, bytes]], first: int) -> None:
    packed = None
    for number, (position, record) in enumerate(added):
        packed = append_packed(packed, bytes([number]) * 32, first + number, position, record)
    assert packed is not None
    expected = [(first + number, *each) for number, each in enumerate(added)]
    assert packed_head(packed) == bytes([len(added) - 1]) * 32
    assert count_packed(packed) == len(added)
    for size in range(len(added) + 1):
        assert unpack(KEY, packed, first + size) == expected[:size]
