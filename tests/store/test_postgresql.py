"""What only a server can do to a store: be away, be killed, be full, be another's, lie stale."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from threading import Event, Thread

import pytest
from sqlalchemy.exc import IntegrityError

from service.errors import StoreAway, StoreBusy, StoreCorrupt, StoreError
from service.store import fence, postgresql
from service.store.home.home_store import HomeStore
from service.store.ledger.ledger_store import LedgerStore, SealLevel, StoredHeader
from service.store.location import Server
from store.cutting import CuttableWay
from store.postgres import Postgres, own_server, shared
from store.scripts import NETWORK, fill, publication


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits in vain waits shortly."""
    monkeypatch.setattr(fence, "LOCK_SECONDS", 0.3)


@pytest.fixture
def place() -> Server:
    """Where a ledger of three blocks lies, closed."""
    place = shared().place("ledger")
    begin(place)
    return place


def begin(place: Server) -> None:
    with LedgerStore(place) as store:
        store.put_genesis(b"genesis", b"header 0")
        for height in (1, 2):
            store.append_block(height, b"header %d" % height, [b"transaction"] * 2)
        store.put_seal(2, b"seal", SealLevel.SEALED, attested_time=1, weight=1)


@pytest.fixture
def way() -> Iterator[CuttableWay]:
    way = CuttableWay(shared().port)
    yield way
    way.stop()


def impatient(store: LedgerStore | HomeStore, seconds: float) -> None:
    """How long a store that is open waits for a server that is away."""
    store._database._outage = seconds  # type: ignore[attr-defined]


# One node for one store.


def test_a_second_node_is_refused(place: Server) -> None:
    with LedgerStore(place) as store:
        with pytest.raises(StoreBusy, match=f"process {os.getpid()} on "):
            LedgerStore(place).open()
        with LedgerStore(place, read_only=True) as looking:
            assert looking.newest() == StoredHeader(2, b"header 2", 4)
        store.append_block(3, b"header 3", [])
    LedgerStore(place).open().close()


def test_two_stores_of_one_database_hinder_nobody(place: Server) -> None:
    with LedgerStore(place), HomeStore(shared().place("home"), "TW", NETWORK) as home:
        home.count("something")


def test_the_lock_dies_with_its_process(place: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    program = (
        "import sys; from service.store.ledger.ledger_store import LedgerStore\n"
        "from service.store.location import Server\n"
        "LedgerStore(Server(*sys.argv[1:])).open(); print('open', flush=True); sys.stdin.read()"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program, place.address, place.schema],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env=os.environ | {"PYTHONPATH": ":".join(sys.path)},
    ) as other:
        assert other.stdout is not None
        while b"open" not in (line := other.stdout.readline()).split():
            assert line, "the other process ended"
        with pytest.raises(StoreBusy, match=f"process {other.pid} on "):
            LedgerStore(place).open()
        other.kill()
    monkeypatch.setattr(fence, "LOCK_SECONDS", 10)
    LedgerStore(place).open().close()


def test_who_lost_the_lock_to_another_writes_nothing(place: Server) -> None:
    with LedgerStore(place) as first:
        cut_off(place)
        with LedgerStore(place) as second:
            second.append_block(3, b"the second's", [])
            impatient(first, 0.2)
            with pytest.raises(StoreBusy):
                first.append_block(3, b"the first's", [])
        # The lock is free again, but what the first knows is not what is stored.
        for _ in range(2):
            with pytest.raises(StoreError, match="another node has opened this store"):
                first.append_block(4, b"the first's", [])
        assert first.newest() == StoredHeader(3, b"the second's", 4)


def cut_off(place: Server) -> None:
    """End every session of one store, as a server does that changes over."""
    ended = shared().sql(
        "SELECT pg_terminate_backend(pid, 5000) FROM pg_stat_activity"
        " WHERE application_name LIKE 'aeo %' AND pid IN (SELECT pid FROM pg_locks"
        " WHERE locktype = 'advisory')"
    )
    assert ended
    assert place.schema


# Connections lost.


def test_a_session_lost_between_writes_is_opened_again(place: Server) -> None:
    with LedgerStore(place) as store:
        cut_off(place)
        store.append_block(3, b"header 3", [b"a"])
        assert store.newest() == StoredHeader(3, b"header 3", 5)


def test_a_session_lost_in_the_midst_of_a_write(place: Server) -> None:
    times = []

    def on_step(step: str) -> None:
        if step == "block:header" and not times:
            cut_off(place)
            times.append(step)

    with LedgerStore(place, on_step=on_step) as store:
        store.append_block(3, b"header 3", [b"a"])
        assert times
        assert list(store.transactions(4)) == [b"a"]

        # Without somebody to do it again the caller is told, and nothing is half there.
        def cut_short() -> None:
            with store._database.writing() as connection:
                connection.exec_driver_sql("INSERT INTO header VALUES (4, 'x', 5)")
                cut_off(place)
                connection.exec_driver_sql("SELECT 1")

        with pytest.raises(StoreAway):
            cut_short()
        assert store.newest() == StoredHeader(3, b"header 3", 5)


@pytest.mark.parametrize("cut", ["before", "after"])
def test_the_outcome_of_a_commit_is_found_out(cut: str, way: CuttableWay) -> None:
    place = shared().place("ledger", port=way.port)
    begin(place)
    with LedgerStore(place) as store:
        way.cut = cut  # type: ignore[assignment]
        store.append_block(3, b"header 3", [b"a"])
        assert way.cuts == 1
        assert store.newest() == StoredHeader(3, b"header 3", 5)
        # A caller who does nothing again is told which of both it was.
        way.cut = cut  # type: ignore[assignment]
        if cut == "before":
            with pytest.raises(StoreAway, match="before its commit"):
                store.put_evidence(b"proof")
            assert store.evidence() == []
        else:
            assert store.put_evidence(b"proof")
            assert store.evidence() == [b"proof"]


@pytest.mark.parametrize("cut", ["before", "after"])
def test_an_outcome_that_stays_unknown_stops_the_writer(cut: str, way: CuttableWay) -> None:
    place = shared().place("home", port=way.port)
    with HomeStore(place, "TW", NETWORK) as home:
        impatient(home, 0.3)
        way.cut, way.then_closed = cut, True  # type: ignore[assignment]
        with pytest.raises(StoreError, match="the outcome of a commit is not known"):
            home.outbox.add_publication(publication("one", b"a"))
        way.closed = False
        # The server is there again; but nobody knows yet what it has.
        with pytest.raises(StoreError, match="closed for writing"):
            home.outbox.add_publication(publication("one", b"a"))
        home.close()
        home.open()
        assert len(home.outbox.publications()) == (cut == "after")
        _, repeated = home.outbox.add_publication(publication("one", b"a"))
        assert repeated is (cut == "after")


def test_a_server_that_is_away_is_told_at_the_start(way: CuttableWay) -> None:
    way.closed = True
    with pytest.raises(StoreAway, match="the database server is away"):
        LedgerStore(shared().place(port=way.port)).open()
    with pytest.raises(StoreAway):
        LedgerStore(Server("postgresql://127.0.0.1:1/none", "x")).open()


# A server killed.


def test_a_server_killed_under_load_loses_nothing_acknowledged() -> None:
    with own_server() as server:
        place = server.place("ledger")
        begin(place)
        with LedgerStore(place) as store:
            acknowledged, enough = [2], Event()

            def write() -> None:
                for height in range(3, 400):
                    store.append_block(height, b"header %d" % height, [b"t%d" % height] * 3)
                    acknowledged[0] = height
                    if height % 100 == 0:
                        enough.set()

            writer = Thread(target=write)
            writer.start()
            for how in ("kill", "stop at once", "stop in order"):
                assert enough.wait(60)
                enough.clear()
                before = acknowledged[0]
                if how == "kill":
                    server.kill()
                else:
                    server.stop(signal.SIGQUIT if how == "stop at once" else signal.SIGINT)
                server.start()
                newest = store.newest()
                assert newest is not None
                assert newest.height >= before
            writer.join(120)
            assert acknowledged == [399]
        with LedgerStore(place) as again:
            blocks = list(again.blocks(3))
        assert [block.height for block in blocks] == list(range(3, 400))
        assert all(block.transactions == (b"t%d" % block.height,) * 3 for block in blocks)


def test_a_copy_that_lags_behind_is_not_written_on(place: Server) -> None:
    """A standby took over that lacks what was acknowledged."""
    with LedgerStore(place) as store:
        shared().sql("UPDATE store_writer SET commits = commits - 1", schema=place.schema)
        with pytest.raises(StoreCorrupt, match="an older copy took over"):
            store.append_block(3, b"header 3", [])
        with pytest.raises(StoreError, match="closed for writing"):
            store.append_block(3, b"header 3", [])
        assert store.newest() == StoredHeader(2, b"header 2", 4)


# No room.


@contextmanager
def small_disk(server: Postgres) -> Iterator[Path]:
    """A disk of 24 MB with all files of the database `small`."""
    disk = server.folder / "small"
    disk.mkdir()
    owner = server.folder.stat()
    options = f"size=24m,mode=700,uid={owner.st_uid},gid={owner.st_gid}"
    subprocess.run(["mount", "-t", "tmpfs", "-o", options, "tmpfs", disk], check=True)
    try:
        server.sql(f"CREATE TABLESPACE small LOCATION '{disk}'")
        server.sql("CREATE DATABASE small TABLESPACE small")
        yield disk
        server.sql("DROP DATABASE small WITH (FORCE)")
        server.sql("DROP TABLESPACE small")
    finally:
        subprocess.run(["umount", "--lazy", disk], check=True)


def make_room(disk: Path) -> None:
    subprocess.run(["mount", "-o", "remount,size=48m", disk], check=True)


@pytest.mark.skipif(os.geteuid() != 0, reason="only root mounts a disk")
def test_a_full_disk_keeps_what_it_has() -> None:
    with small_disk(shared()) as disk:
        place = Server(shared().url("small"), "ledger")
        begin(place)
        with LedgerStore(place) as store:
            # What does not compress.
            height = fill(
                lambda height: store.append_block(height, b"header", [os.urandom(60_000)] * 10), 3
            )
            assert height > 3
            newest = store.newest()
            assert newest == StoredHeader(height - 1, b"header", 10 * (height - 3) + 4)
            assert len(list(store.transactions())) == newest.log_size
            make_room(disk)
            store.append_block(height, b"header", [os.urandom(60_000)] * 10)
        with LedgerStore(place) as again:
            assert len(list(again.blocks())) == height + 1


# What the server refuses, and what is refused of a server.


@pytest.mark.parametrize(
    "statement",
    [
        *(f"UPDATE {table} SET data = '\\x00'" for table in ("genesis", "header", "entry", "seal")),
        *(f"DELETE FROM {table}" for table in ("genesis", "header", "entry", "seal")),
        *(f"TRUNCATE {table} CASCADE" for table in ("genesis", "header", "entry", "seal")),
        "UPDATE seal SET height = 1, weight = 9",
        "INSERT INTO genesis VALUES (1, '')",
        "INSERT INTO header VALUES (7, '', 4)",
        "INSERT INTO entry VALUES (7, '')",
        "INSERT INTO seal VALUES (9, '', 1, 1, 1)",
    ],
)
def test_the_ledger_only_grows(place: Server, statement: str) -> None:
    with LedgerStore(place) as store:
        with pytest.raises(IntegrityError), store._database.writing() as connection:
            connection.exec_driver_sql(statement)
        assert len(list(store.blocks())) == 3
        assert store.newest_sealed() is not None


def test_looking_changes_nothing(place: Server) -> None:
    with LedgerStore(place, read_only=True) as store:
        with pytest.raises(StoreError, match="readonly"):
            store.append_block(3, b"header 3", [])
        assert store.genesis() == b"genesis"
    with pytest.raises(StoreError, match="no such store"):
        LedgerStore(shared().place("none"), read_only=True).open()


def test_text_is_sorted_by_its_bytes_or_not_stored_at_all() -> None:
    server = shared()
    server.sql(
        "CREATE DATABASE german TEMPLATE template0 LOCALE_PROVIDER icu ICU_LOCALE 'de' LOCALE 'C'"
    )
    with pytest.raises(StoreError, match="LOCALE 'C'"):
        LedgerStore(Server(server.url("german"), "ledger")).open()


def test_a_text_that_a_server_cannot_keep_harms_nothing_else() -> None:
    with HomeStore(shared().place("home"), "TW", NETWORK) as home:
        with pytest.raises(StoreError) as caught:
            home.outbox.add_publication(publication("a\0b", b"secret record"))
        assert "secret" not in str(caught.value)
        home.outbox.add_publication(publication("ab", b"a"))
        assert len(home.outbox.publications()) == 1


def test_a_store_of_a_newer_program_is_left_alone(place: Server) -> None:
    shared().sql("UPDATE alembic_version SET version_num = 'ledger_9999'", schema=place.schema)
    with pytest.raises(StoreError, match="newer than this program"):
        LedgerStore(place).open()
    # And a refusal leaves no lock behind.
    with pytest.raises(StoreError, match="newer than this program"):
        LedgerStore(place).open()


def test_a_scrub_waits_for_whoever_looks_back(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(postgresql, "_QUIET_SECONDS", 1.0)
    with HomeStore(shared().place("home"), "TW", NETWORK) as home:
        home.profiles.put([("TW1", b"profile")])
        with home._database.reading() as connection:
            assert connection.exec_driver_sql("SELECT 1 FROM profile").all()
            assert not home.profiles.scrub()
        assert home.profiles.scrub()


def test_a_closed_store_says_so(place: Server) -> None:
    store = LedgerStore(place).open()
    store.close()
    store.close()
    with pytest.raises(StoreError, match="is not open"):
        store.newest()
    with pytest.raises(StoreError, match="is not open"):
        store.append_block(3, b"header 3", [])
