"""The form of an export: where items may stand, how large they are, and any way to chop it up."""

import json
from collections.abc import Iterator
from itertools import pairwise

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger.chain import export
from ledger.chain.export import END, GENESIS, HEADER, SEAL, TRANSACTION, format_export, parse_export
from ledger.errors import FormatError
from tests.vectors import sample
from tests.vectors.generate import FOLDER

FILES = {
    case["what"]: bytes.fromhex(case["bytes"])
    for case in json.loads((FOLDER / "export.json").read_text())["valid"]
}
FILE = FILES["a second set seals"]
ITEMS = list(parse_export([FILE]))


def test_what_is_written_is_read_again() -> None:
    for data in FILES.values():
        assert b"".join(format_export(parse_export([data]))) == data


@settings(derandomize=True, deadline=None, max_examples=50)
@given(cuts=st.lists(st.integers(0, len(FILE)), max_size=20))
def test_chunks_may_be_cut_anywhere(cuts: list[int]) -> None:
    places = [0, *sorted(cuts), len(FILE)]
    chunks = [FILE[start:end] for start, end in pairwise(places)]
    assert list(parse_export(chunks)) == ITEMS


def test_a_shorter_file_is_refused() -> None:
    for size in range(0, len(FILE), 7):
        with pytest.raises(FormatError, match="ends early"):
            list(parse_export([FILE[:size]]))


def test_every_order_of_items_but_the_right_one_is_refused_on_both_sides() -> None:
    for i in range(len(ITEMS)):
        for wrong in (
            ITEMS[:i] + ITEMS[i + 1 :],
            [*ITEMS[:i], ITEMS[i], *ITEMS[i:]],
            [*ITEMS[:i], *ITEMS[i + 1 : i + 2], ITEMS[i], *ITEMS[i + 2 :]],
        ):
            # A seal in the middle is a choice, and its neighbour in a swap may be nothing.
            allowed = wrong == ITEMS or (
                i < len(ITEMS) - 1 and ITEMS[i][0] == SEAL and len(wrong) < len(ITEMS)
            )
            if allowed:
                assert list(parse_export(format_export(wrong))) == wrong
                continue
            with pytest.raises(FormatError):
                list(format_export(wrong))
            with pytest.raises(FormatError):
                list(parse_export([raw(wrong)]))


def raw(items: list[export.Item]) -> bytes:
    framed = [kind.to_bytes(1) + len(data).to_bytes(4) + data for kind, data in items]
    return export.MAGIC + b"".join(framed) + bytes(5)


@pytest.mark.parametrize(
    "item",
    [
        (GENESIS, b""),
        (GENESIS, bytes((1 << 20) + 1)),
        (HEADER, bytes(223)),
        (TRANSACTION, bytes(97)),
        (TRANSACTION, bytes(60_001)),
        (SEAL, bytes(137)),
        (SEAL, bytes(223)),
        (export.SIGNING_SETS, b""),
        (END, b"\x00"),
        (6, b""),
        (255, b""),
    ],
    ids=lambda item: f"{item[0]} of {len(item[1])}",
)
def test_sizes_are_capped_before_anything_is_read(item: export.Item) -> None:
    kind, data = item
    with pytest.raises(FormatError, match=f"of {len(data)} bytes|no item of type"):
        list(format_export([item]))
    promised = export.MAGIC + kind.to_bytes(1) + len(data).to_bytes(4)
    with pytest.raises(FormatError, match=f"of {len(data)} bytes|no item of type"):
        list(parse_export([promised]))  # the bytes themselves were never waited for


def test_the_error_names_the_byte() -> None:
    start = len(export.MAGIC) + 5 + len(sample.genesis().data)
    with pytest.raises(FormatError, match=f"^byte {start}: "):
        list(parse_export([FILE[: start + 20]]))


def test_items_are_given_as_soon_as_they_are_there() -> None:
    size = len(export.MAGIC) + 5 + len(sample.genesis().data)
    taken = []

    def chunks() -> Iterator[bytes]:
        for at in range(len(FILE)):
            taken.append(at)
            yield FILE[at : at + 1]

    assert next(parse_export(chunks()))[0] == GENESIS
    assert len(taken) == size
