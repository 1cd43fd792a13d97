"""A ledger store that goes on from a snapshot, wherever it lies."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from service.errors import BeforeBase, OutOfTurn, StoreCorrupt, StoreError
from service.store.ledger.base_rows import NewBase, StoredBase
from service.store.ledger.engine_mark import EngineMark
from service.store.ledger.ledger_store import LedgerStore, SealLevel
from store.places import DURABLE, PLACES


@pytest.fixture(params=PLACES)
def reopen(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], LedgerStore]:
    place = PLACES[request.param](tmp_path / "ledger.db")
    return lambda: LedgerStore(place).open()


@pytest.fixture
def store(reopen: Callable[[], LedgerStore]) -> Iterator[LedgerStore]:
    store = reopen()
    yield store
    store.close()


def base(height: int, **changed: object) -> NewBase:
    """A snapshot of a ledger with two transactions a block."""
    headers = [(b"header %d" % number, 2 * number) for number in range(height + 1)]
    given = {
        "headers": headers,
        "manifest": b"manifest %d" % height,
        "chunks": [b"one %d" % height, b"two"],
        "set_changes": [(2, b"change")],
    }
    return NewBase(height, 2 * height, **(given | changed))


def test_a_new_store_begins_with_it(store: LedgerStore) -> None:
    store.put_base(b"genesis", base(3), EngineMark(9, 0, 3, 0))
    assert store.genesis() == b"genesis"
    assert store.base() == StoredBase(3, 6, b"manifest 3")
    assert list(store.base_chunks(3)) == [b"one 3", b"two"]
    assert [(each.height, each.log_size) for each in store.headers()] == [
        (0, 0),
        (1, 2),
        (2, 4),
        (3, 6),
    ]
    assert store.set_changes() == [(2, b"change")]
    assert store.engine_height() == 9
    store.append_block(4, b"header 4", [b"g", b"h"])
    assert [each.transactions for each in store.blocks(4)] == [(b"g", b"h")]
    assert list(store.transactions(6)) == [b"g", b"h"]
    for first in (0, 5):
        with pytest.raises(BeforeBase, match="begins with the snapshot of height 3"):
            list(store.transactions(first))
    with pytest.raises(BeforeBase):
        list(store.blocks(3))
    with pytest.raises(OutOfTurn):
        store.append_block(4, b"header 4", [b"g"])
    assert store.put_seal(3, b"seal", SealLevel.SEALED, attested_time=1, weight=1)


def test_it_may_come_later_and_again(store: LedgerStore) -> None:
    store.put_genesis(b"genesis", b"header 0")
    store.append_block(1, b"header 1", [b"a", b"b"])
    store.put_base(b"genesis", base(3))
    store.append_block(4, b"header 4", [b"g", b"h"])
    store.put_base(b"genesis", base(6))
    assert store.base() == StoredBase(6, 12, b"manifest 6")
    assert list(store.base_chunks(3)) == []
    assert list(store.base_chunks(6)) == [b"one 6", b"two"]
    store.append_block(7, b"header 7", [b"m"])
    assert list(store.transactions(0, 2)) == [b"a", b"b"]
    assert list(store.transactions(6, 2)) == [b"g", b"h"]
    assert list(store.transactions(12)) == [b"m"]
    with pytest.raises(BeforeBase, match="height 6"):
        list(store.transactions(1, 2))
    assert [each.height for each in store.blocks(0, 1)] == [0, 1]


def test_nothing_of_it_where_it_does_not_fit(store: LedgerStore) -> None:
    store.put_genesis(b"genesis", b"header 0")
    store.append_block(1, b"header 1", [b"a", b"b"])
    with pytest.raises(StoreError, match="another network"):
        store.put_base(b"another", base(3))
    with pytest.raises(OutOfTurn):
        store.put_base(b"genesis", base(1))
    forked = [(b"header 0", 0), (b"other 1", 2), (b"other 2", 4)]
    with pytest.raises(StoreCorrupt, match="header 1: the snapshot has another"):
        store.put_base(b"genesis", base(2, headers=forked))

    def breaks() -> Iterator[bytes]:
        yield b"one"
        raise StoreError(Path("elsewhere"), "no more")

    with pytest.raises(StoreError, match="no more"):
        store.put_base(b"genesis", base(3, chunks=breaks()))
    assert store.base() is None
    assert store.newest().height == 1
    store.append_block(2, b"header 2", [b"c"])


@pytest.mark.parametrize("reopen", DURABLE, indirect=True)
def test_it_is_there_after_a_restart(store: LedgerStore, reopen: Callable[[], LedgerStore]) -> None:
    store.put_base(b"genesis", base(3))
    store.close()
    with reopen() as again:
        assert again.base() == StoredBase(3, 6, b"manifest 3")
        again.append_block(4, b"header 4", [b"g"])


def test_the_tables_refuse_changes(store: LedgerStore) -> None:
    store.put_base(b"genesis", base(3))
    for statement in (
        "UPDATE base SET manifest = manifest",
        "DELETE FROM base",
        "UPDATE base_chunk SET data = data",
        "DELETE FROM base_chunk",
        "INSERT INTO entry (log_index, data) VALUES (5, '')",
        "INSERT INTO entry (log_index, data) VALUES (7, '')",
    ):
        with pytest.raises((DBAPIError, StoreError)), store._database.writing() as connection:
            connection.execute(text(statement))
    assert list(store.base_chunks(3)) == [b"one 3", b"two"]
