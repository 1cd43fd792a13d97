"""Two nodes on one store, a full database, a broken file, bytes changed behind the store's back."""

import resource
import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from service.errors import StoreBusy, StoreCorrupt, StoreError
from service.store.home.home_store import HomeStore
from service.store.ledger.ledger_store import LedgerStore, SealLevel, StoredHeader
from store.scripts import NETWORK, fill, publication
from store.tamper import delete_row, flip_byte


@pytest.fixture
def path(tmp_path: Path) -> Path:
    """Hold a ledger of three blocks, closed."""
    path = tmp_path / "ledger.db"
    with LedgerStore(path) as store:
        store.put_genesis(b"genesis", b"header 0")
        for height in (1, 2):
            store.append_block(height, b"header %d" % height, [b"transaction"] * 2)
        store.put_seal(2, b"seal", SealLevel.SEALED, attested_time=1, weight=1)
    return path


@pytest.fixture
def store(path: Path) -> Iterator[LedgerStore]:
    with LedgerStore(path) as store:
        yield store


def test_a_second_node_is_refused(store: LedgerStore) -> None:
    with pytest.raises(StoreBusy, match="another node has this store open"):
        LedgerStore(store.path).open()
    assert store.newest() == StoredHeader(2, b"header 2", 4)


def test_a_second_node_is_refused_in_another_process_too(path: Path) -> None:
    program = (
        "import sys, pathlib; from service.store.ledger.ledger_store import LedgerStore\n"
        "LedgerStore(pathlib.Path(sys.argv[1])).open(); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, str(path)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={"PYTHONPATH": ":".join(sys.path)},
    ) as other:
        assert other.stdin is not None
        assert other.stdout is not None
        while b"open" not in (line := other.stdout.readline()).split():
            assert line, "the other process ended"
        with pytest.raises(StoreBusy, match=f"process {other.pid}"):
            LedgerStore(path).open()
        with LedgerStore(path, read_only=True) as looking:
            assert looking.newest() == StoredHeader(2, b"header 2", 4)
        other.kill()
    # The lock dies with its process: nothing is left to clean up.
    LedgerStore(path).open().close()


def test_looking_changes_nothing(path: Path) -> None:
    with LedgerStore(path, read_only=True) as store:
        assert store.genesis() == b"genesis"
        with pytest.raises(StoreError, match="readonly"):
            store.append_block(3, b"header 3", [b"transaction"])
        assert store.newest() == StoredHeader(2, b"header 2", 4)
    with pytest.raises(StoreError, match="no such store"):
        LedgerStore(path.with_name("other.db"), read_only=True).open()


def test_a_full_ledger_keeps_what_it_has(path: Path) -> None:
    with LedgerStore(path, max_page_count=100) as store:
        height = fill(
            lambda height: store.append_block(height, b"header %d" % height, [bytes(30_000)] * 3), 3
        )
        assert height > 3
        newest = store.newest()
        assert newest == StoredHeader(height - 1, b"header %d" % (height - 1), 3 * height - 5)
        assert len(list(store.transactions())) == newest.log_size
        # A smaller block may still find room, and with more room the same block goes in.
        store.append_block(height, b"small", [b"transaction"])
    with LedgerStore(path, max_page_count=200) as store:
        store.append_block(height + 1, b"header", [bytes(30_000)] * 3)


def test_a_full_outbox_promises_nothing(tmp_path: Path) -> None:
    path = tmp_path / "home.db"
    with HomeStore(path, "TW", NETWORK, max_page_count=200) as home:
        kept = fill(lambda n: home.outbox.add_publication(publication(str(n), bytes(30_000))), 0)
        assert 0 < kept == len(home.outbox.publications())
        assert home.outbox.find(str(kept)) is None
    with HomeStore(path, "TW", NETWORK) as home:
        assert len(list(home.outbox.waiting())) == kept
        assert not home.outbox.add_publication(publication(str(kept), bytes(30_000)))[1]


def test_a_disk_that_fails_stops_the_writer(store: LedgerStore) -> None:
    """The system refuses to let the file grow: an I/O error in the midst of a commit."""
    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (200_000, limits[1]))
    try:
        with pytest.raises(StoreError, match="disk I/O error"):
            store.append_block(3, b"header 3", [bytes(60_000)] * 10)
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)
    # What reached the disk is not known here, so nothing more is written on top of it.
    with pytest.raises(StoreError, match="closed for writing"):
        store.append_block(3, b"header 3", [b"transaction"])
    assert store.newest() == StoredHeader(2, b"header 2", 4)
    store.close()
    with LedgerStore(store.path) as again:
        assert again.newest() == StoredHeader(2, b"header 2", 4)
        again.append_block(3, b"header 3", [bytes(60_000)] * 10)
        assert len(list(again.transactions())) == 14


@pytest.mark.parametrize("table", ["genesis", "header", "entry"])
@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE {} SET data = x'00'",
        "DELETE FROM {}",
        "INSERT OR REPLACE INTO {} SELECT * FROM {} LIMIT 1",
    ],
)
def test_the_ledger_only_grows(path: Path, table: str, statement: str) -> None:
    with (
        closing(sqlite3.connect(path)) as connection,
        pytest.raises(sqlite3.IntegrityError, match=r"append-only|without gaps"),
    ):
        connection.execute(statement.format(table, table))


@pytest.mark.parametrize(
    "statement",
    [
        "DELETE FROM seal",
        "UPDATE seal SET data = x'00'",
        "UPDATE seal SET data = x'00', level = 1, weight = 9",
        "UPDATE seal SET height = 1, weight = 9",
        "INSERT INTO header VALUES (7, x'00', 4)",
        "INSERT INTO entry VALUES (7, x'00')",
    ],
)
def test_seals_only_improve_and_numbers_have_no_gaps(path: Path, statement: str) -> None:
    with closing(sqlite3.connect(path)) as connection, pytest.raises(sqlite3.IntegrityError):
        connection.execute(statement)


@pytest.mark.parametrize(
    ("table", "number"), [("genesis", 0), ("header", 1), ("entry", 2), ("seal", 2)]
)
def test_a_changed_byte_is_reported_as_it_is(path: Path, table: str, number: int) -> None:
    """The store derives nothing: who reads compares with the roots, and must see the change."""
    with LedgerStore(path) as store:
        before = seen(store)
    flip_byte(path, table, number, at=3)
    with LedgerStore(path) as store:
        after = seen(store)
    changed = [key for key in before if before[key] != after[key]]
    assert changed == [(table, number)]
    assert sum(a != b for a, b in zip(before[changed[0]], after[changed[0]], strict=True)) == 1


def seen(store: LedgerStore) -> dict[tuple[str, int], bytes]:
    items = {("genesis", 0): store.genesis() or b""}
    items |= {("header", stored.height): stored.header for stored in store.headers()}
    items |= {("entry", index): data for index, data in enumerate(store.transactions())}
    items |= {("seal", stored.height): stored.seal for stored in store.seals()}
    return items


@pytest.mark.parametrize(
    ("table", "number", "place"), [("header", 1, "header 1"), ("entry", 2, "transaction 2")]
)
def test_a_missing_row_is_named(path: Path, table: str, number: int, place: str) -> None:
    delete_row(path, table, number)
    with LedgerStore(path) as store, pytest.raises(StoreCorrupt) as caught:
        list(store.blocks())
    assert caught.value.place == place


def test_a_file_of_another_kind_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"certainly not a database, whatever its name says " * 100)
    with pytest.raises(StoreCorrupt):
        LedgerStore(path).open()
    # A refusal leaves no lock behind.
    path.unlink()
    LedgerStore(path).open().close()


def test_a_torn_file_is_refused(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for page in range(1, len(data) // 4_096):
        data[page * 4_096 : page * 4_096 + 100] = b"\xff" * 100
    path.write_bytes(data)
    with pytest.raises(StoreCorrupt), LedgerStore(path) as store:
        list(store.blocks())


def test_no_folder_no_store(tmp_path: Path) -> None:
    with pytest.raises(StoreError, match="lock file"):
        LedgerStore(tmp_path / "nowhere" / "ledger.db").open()


def test_a_closed_store_says_so(path: Path) -> None:
    store = LedgerStore(path).open()
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is not open"):
        store.newest()
    with pytest.raises(StoreError, match="is not open"):
        store.append_block(3, b"header 3", [])
