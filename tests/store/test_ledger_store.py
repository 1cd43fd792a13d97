"""What every ledger store must do, wherever it lies."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from service.errors import OutOfTurn, StoreError
from service.store.ledger.engine_mark import EngineMark
from service.store.ledger.ledger_store import (
    ENTRY_SLICE,
    LedgerStore,
    SealLevel,
    StoredBlock,
    StoredHeader,
    StoredSeal,
)
from store.places import PLACES


@pytest.fixture(params=PLACES)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], LedgerStore]:
    place = PLACES[request.param](tmp_path / "ledger.db")
    return lambda: LedgerStore(place).open()


@pytest.fixture
def store(reopen: Callable[[], LedgerStore]) -> Iterator[LedgerStore]:
    store = reopen()
    yield store
    store.close()


@pytest.fixture
def begun(store: LedgerStore) -> LedgerStore:
    store.put_genesis(b"genesis", b"header 0")
    return store


def test_a_new_store_is_empty(store: LedgerStore) -> None:
    assert store.genesis() is None
    assert store.newest() is None
    assert store.header(0) is None
    assert list(store.headers()) == []
    assert list(store.transactions()) == []
    assert list(store.blocks()) == []
    assert store.seal(0) is None
    assert store.newest_sealed() is None


def test_genesis_comes_with_header_0_and_once(begun: LedgerStore) -> None:
    with pytest.raises(StoreError, match="has a genesis already"):
        begun.put_genesis(b"another", b"header")
    assert begun.genesis() == b"genesis"
    assert begun.newest() == StoredHeader(0, b"header 0", 0)


def test_blocks_follow_one_another(begun: LedgerStore) -> None:
    begun.append_block(1, b"header 1", [b"a", b"b"])
    begun.append_block(2, b"header 2", [b"c"])
    assert begun.newest() == StoredHeader(2, b"header 2", 3)
    assert begun.header(1) == StoredHeader(1, b"header 1", 2)
    assert list(begun.transactions()) == [b"a", b"b", b"c"]
    assert list(begun.transactions(1)) == [b"b", b"c"]
    assert list(begun.transactions(1, 1)) == [b"b"]
    assert list(begun.transactions(3)) == []
    blocks = [
        StoredBlock(0, b"header 0", 0, ()),
        StoredBlock(1, b"header 1", 0, (b"a", b"b")),
        StoredBlock(2, b"header 2", 2, (b"c",)),
    ]
    for first in range(3):
        for last in range(first, 3):
            assert list(begun.blocks(first, last)) == blocks[first : last + 1]
    assert list(begun.blocks(3)) == []


@pytest.mark.parametrize("height", [0, 1, 3])
def test_only_the_next_height_is_taken(begun: LedgerStore, height: int) -> None:
    begun.append_block(1, b"header 1", [b"a"])
    with pytest.raises(OutOfTurn) as caught:
        begun.append_block(height, b"header", [b"b"])
    assert (caught.value.height, caught.value.expected) == (height, 2)
    assert begun.newest() == StoredHeader(1, b"header 1", 1)
    assert list(begun.transactions()) == [b"a"]


def test_no_block_before_genesis(store: LedgerStore) -> None:
    with pytest.raises(OutOfTurn):
        store.append_block(0, b"header", [])
    with pytest.raises(OutOfTurn):
        store.append_block(1, b"header", [b"a"])


def test_all_is_there_when_opened_again(
    begun: LedgerStore, reopen: Callable[[], LedgerStore]
) -> None:
    begun.append_block(1, b"header 1", [b"a"])
    begun.put_seal(1, b"seal", SealLevel.SEALED, attested_time=5, weight=3)
    begun.close()
    with reopen() as again:
        assert again.genesis() == b"genesis"
        assert list(again.blocks(1)) == [StoredBlock(1, b"header 1", 0, (b"a",))]
        assert again.newest_sealed() == StoredSeal(1, b"seal", SealLevel.SEALED, 5, 3)
        again.append_block(2, b"header 2", [b"b"])
        assert list(again.transactions()) == [b"a", b"b"]


def test_a_long_log_comes_in_order_whatever_the_slice(begun: LedgerStore) -> None:
    size = 2 * ENTRY_SLICE + 3
    begun.append_block(1, b"header 1", [str(index).encode() for index in range(size)])
    for first in (0, ENTRY_SLICE - 1, ENTRY_SLICE, size - 1):
        found = [int(data) for data in begun.transactions(first)]
        assert found == list(range(first, size))


def test_a_reader_may_take_its_time(begun: LedgerStore) -> None:
    """What is appended while somebody reads neither disturbs the reader nor waits for it."""
    begun.append_block(1, b"header 1", [bytes([n % 256]) for n in range(ENTRY_SLICE + 1)])
    reader = begun.transactions()
    seen = [next(reader)]
    begun.append_block(2, b"header 2", [b"later"])
    seen.extend(reader)
    assert len(seen) == ENTRY_SLICE + 1
    assert list(begun.transactions(ENTRY_SLICE + 1)) == [b"later"]


@pytest.mark.parametrize(
    ("level", "attested_time", "weight", "better"),
    [
        (SealLevel.SEALED, 50, 70, True),
        (SealLevel.SEALED, 40, 10, True),
        (SealLevel.ATTESTED, 51, 10, True),
        (SealLevel.ATTESTED, 50, 41, True),
        (SealLevel.ATTESTED, 50, 40, False),
        (SealLevel.ATTESTED, 49, 60, False),
    ],
)
def test_a_seal_gives_way_only_to_a_better_one(
    begun: LedgerStore, level: SealLevel, attested_time: int, weight: int, better: bool
) -> None:
    assert begun.put_seal(0, b"first", SealLevel.ATTESTED, attested_time=50, weight=40)
    second = StoredSeal(0, b"second", level, attested_time, weight)
    kept = begun.put_seal(0, b"second", level, attested_time=attested_time, weight=weight)
    assert kept is better
    first = StoredSeal(0, b"first", SealLevel.ATTESTED, 50, 40)
    assert begun.seal(0) == (second if better else first)


def test_the_newest_seal_by_level(begun: LedgerStore) -> None:
    for height in (1, 2, 3):
        begun.append_block(height, b"header", [b"a"])
    begun.put_seal(1, b"one", SealLevel.SEALED, attested_time=1, weight=7)
    begun.put_seal(2, b"two", SealLevel.ATTESTED, attested_time=2, weight=4)
    newest, sealed = begun.newest_seal(), begun.newest_sealed()
    assert newest is not None
    assert sealed is not None
    assert (newest.height, sealed.height) == (2, 1)
    assert [seal.height for seal in begun.seals()] == [1, 2]
    assert [seal.height for seal in begun.seals(2, 2)] == [2]
    assert begun.seal(3) is None


def test_a_seal_needs_its_header(begun: LedgerStore) -> None:
    with pytest.raises(StoreError, match="no header 5"):
        begun.put_seal(5, b"seal", SealLevel.SEALED, attested_time=1, weight=1)


def test_an_engines_height_is_kept_with_its_block_and_without(begun: LedgerStore) -> None:
    assert (begun.engine_mark(), begun.engine_height()) == (None, 0)
    begun.keep_engine_mark(EngineMark(1, 1_000, 0, 900))
    begun.append_block(1, b"header 1", [b"a"], EngineMark(2, 2_000, 0, 1_000))
    assert begun.engine_mark() == EngineMark(2, 2_000, 0, 1_000)
    begun.append_block(2, b"header 2", [b"b"])
    assert begun.engine_height() == 2


def test_an_engine_that_goes_back_leaves_no_block(begun: LedgerStore) -> None:
    begun.keep_engine_mark(EngineMark(5, 1_000, 0, 900))
    for height in (4, 5):
        mark = EngineMark(height, 2_000, 0, 1_000)
        with pytest.raises(OutOfTurn):
            begun.append_block(1, b"header 1", [b"a"], mark)
        with pytest.raises(OutOfTurn):
            begun.keep_engine_mark(mark)
    assert begun.newest() == StoredHeader(0, b"header 0", 0)
    assert begun.engine_mark() == EngineMark(5, 1_000, 0, 900)
