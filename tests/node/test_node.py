"""A node's own life: starting, stopping under load, full and foreign stores, clocks, heartbeats."""

import shutil
import sqlite3
import threading
import time
from contextlib import closing, suppress
from dataclasses import replace
from pathlib import Path

import pytest

from ledger.bls.keygen import keygen
from ledger.chain.parameters import DEFAULT_PARAMETERS
from ledger.chain.seal import open_seal
from ledger_world import BACKEND
from node.node_world import agree, make_network, request, row, wait_recorded
from service.clock import OffsetClock, SystemClock
from service.errors import (
    ClockWentBack,
    EngineStopped,
    GuardRefused,
    SequenceTaken,
    StoreBusy,
    StoreCorrupt,
    StoreError,
    StoreFull,
    WrongStore,
)
from service.node.node import Node, NodeSettings
from service.store.home.home_store import HomeStore
from service.store.ledger.ledger_store import LedgerStore


@pytest.fixture
def settings(tmp_path: Path) -> NodeSettings:
    return make_network(tmp_path / "node")


def some_rows(first: int, count: int) -> list[object]:
    return [row(f"HK{number:08}") for number in range(first, first + count)]


def drop_triggers(store: sqlite3.Connection) -> None:
    """Let a test do what no program may."""
    triggers = store.execute("SELECT name FROM sqlite_master WHERE type = 'trigger'").fetchall()
    for (name,) in triggers:
        store.execute(f"DROP TRIGGER {name}")


def wait_until_sealed(node: Node) -> None:
    deadline = time.monotonic() + 20
    while node.newest_seal.height != node.state.height and time.monotonic() < deadline:
        node.feed.wait(node.feed.version, 0.1)
    assert node.newest_seal.height == node.state.height


def test_what_was_recorded_is_there_after_a_restart(settings: NodeSettings) -> None:
    with Node.start(settings) as node:
        shared = agree(node, "HK", "NZ")
        answer = node.hosted["HK"].publisher.publish(
            request("k", some_rows(0, 500)), confirms=False
        )
        wait_recorded(node, "HK", answer.publication_id)
        before = node.state
    with Node.start(settings) as node:
        assert node.state.header_bytes == before.header_bytes
        assert node.hosted["HK"].keyring.key(shared) is not None
        assert node.newest_seal.height == node.state.height
        assert node.hosted["HK"].publications.get(answer.publication_id).recorded == 500


def test_with_the_map_in_another_process(settings: NodeSettings) -> None:
    with Node.start(replace(settings, map_process=True)) as node:
        agree(node, "HK", "NZ")
        answer = node.hosted["HK"].publisher.publish(
            request("k", some_rows(0, 500)), confirms=False
        )
        wait_recorded(node, "HK", answer.publication_id)
        beside = node.state.header_bytes
    with Node.start(settings) as node:
        assert node.state.header_bytes == beside


def test_every_header_is_sealed_by_all_members(settings: NodeSettings) -> None:
    with Node.start(settings) as node:
        assert node.newest_seal.height == 0
        agree(node, "HK", "NZ")
        wait_until_sealed(node)
        signing_set = node.state.signing_sets.current
        for height in range(node.state.height + 1):
            stored = node.ledger_store.seal(height)
            seal = open_seal(stored.seal, signing_set, node.network_id, BACKEND)
            assert seal.signers == ("HK", "NZ")
            assert node.state.time_of(height) <= seal.attested_time
            if height < node.state.height:
                assert seal.attested_time <= node.state.time_of(height + 1)


def test_a_newest_header_without_seal_is_sealed_at_the_start(settings: NodeSettings) -> None:
    with Node.start(settings) as node:
        agree(node, "HK", "NZ")
        wait_until_sealed(node)
        height, attested = node.state.height, node.newest_seal.attested_time
    with closing(sqlite3.connect(settings.ledger)) as store, store:
        drop_triggers(store)
        store.execute("DELETE FROM seal WHERE height = ?", (height,))
    with Node.start(settings) as node:  # the guard remembers this hash, and lets it pass
        assert node.newest_seal.height == height
        assert node.newest_seal.attested_time >= attested
        assert node.ledger_store.newest_sealed().height == height


def test_stopping_finishes_what_was_accepted(settings: NodeSettings) -> None:
    accepted: list[int] = []
    with Node.start(settings) as node:
        shared = agree(node, "HK", "NZ")
        publisher = node.hosted["HK"].publisher

        def load(thread: int) -> None:
            for count in range(10_000):
                key = f"{thread}-{count}"
                rows = [row(f"HK{thread}X{count:05}X{i}") for i in range(20)]
                try:
                    answer = publisher.publish(request(key, rows), confirms=False)
                except EngineStopped:
                    return
                accepted.append(answer.publication_id)

        threads = [threading.Thread(target=load, args=(number,)) for number in range(3)]
        for thread in threads:
            thread.start()
        time.sleep(0.5)
        node.stop()
        for thread in threads:
            thread.join()
    assert len(accepted) > 3
    with Node.start(settings) as node:
        outbox = node.hosted["HK"].home.outbox
        assert all(outbox.publication(number).recorded == 20 for number in accepted)
        assert not outbox.unrecorded()
        assert len(node.state.subjects(shared, "HK")) == 20 * len(accepted)


def test_stopping_leaves_nothing_for_the_next_start(settings: NodeSettings) -> None:
    with Node.start(settings) as node:
        agree(node, "HK", "NZ")
        answers = [
            node.hosted["HK"].publisher.publish(
                request(f"{number}", some_rows(number * 3_000, 3_000)), confirms=False
            )
            for number in range(3)
        ]
        node.hosted["NZ"].publisher.heartbeat()
        begun = node.hosted["HK"].home.outbox.publication(answers[-1].publication_id)
        node.stop()
    assert begun.recorded < 3_000, "there was something to finish"
    with HomeStore(settings.home("HK"), "HK", node.network_id, read_only=True) as home:
        stored = [home.outbox.publication(answer.publication_id) for answer in answers]
        assert [(each.recorded, each.refused) for each in stored] == [(3_000, 0)] * 3
        assert not home.outbox.unrecorded()
    with HomeStore(settings.home("NZ"), "NZ", node.network_id, read_only=True) as home:
        assert not home.outbox.unrecorded()
    with LedgerStore(settings.ledger, read_only=True) as ledger:
        assert ledger.newest_sealed().height == ledger.newest().height


def test_two_nodes_on_one_store(settings: NodeSettings) -> None:
    with Node.start(settings) as first:
        with pytest.raises(StoreBusy):
            Node.start(settings)
        agree(first, "HK", "NZ")


def publish_until_full(node: Node) -> list[int]:
    """The ids of what was accepted before it said no."""
    accepted = []
    for count in range(10_000):
        try:
            answer = node.hosted["HK"].publisher.publish(
                request(f"{count}", some_rows(count * 50, 50)), confirms=False
            )
        except (EngineStopped, StoreFull):
            break
        accepted.append(answer.publication_id)
    assert 0 < len(accepted) < 10_000
    return accepted


def check_accepted(settings: NodeSettings, shared: bytes, accepted: list[int]) -> None:
    """All of it is recorded once there is room again."""
    with Node.start(settings) as node:
        for number in accepted:
            assert wait_recorded(node, "HK", number).recorded == 50
        assert len(node.state.subjects(shared, "HK")) == 50 * len(accepted)


def pages_of(path: Path) -> int:
    with closing(sqlite3.connect(path)) as store:
        (pages,) = store.execute("PRAGMA page_count").fetchone()
    return pages


def test_a_full_ledger_stops_cleanly_and_keeps_what_was_accepted(settings: NodeSettings) -> None:
    with Node.start(settings) as node:
        shared = agree(node, "HK", "NZ")
    full = replace(settings, max_page_count=pages_of(settings.ledger) + 60)
    with Node.start(full) as node:
        accepted = publish_until_full(node)
        deadline = time.monotonic() + 20
        while node.failure is None and time.monotonic() < deadline:
            time.sleep(0.01)
        assert isinstance(node.failure, StoreFull)
        assert "make room" in str(node.failure)
        height = node.state.height
        with pytest.raises(EngineStopped):
            node.hosted["NZ"].publisher.heartbeat()
        assert node.ledger_store.newest().height == height, "it still answers, from what it has"
    check_accepted(settings, shared, accepted)


def test_a_full_home_takes_no_more_and_keeps_what_was_accepted(settings: NodeSettings) -> None:
    with Node.start(settings) as node:
        shared = agree(node, "HK", "NZ")
    full = replace(settings, home_max_page_count=pages_of(settings.home("HK")) + 60)
    with Node.start(full) as node:
        accepted = publish_until_full(node)
        assert node.failure is None, "other members go on"
        node.hosted["NZ"].publisher.heartbeat().result(20)
    check_accepted(settings, shared, accepted)


def test_a_full_home_of_the_only_member_stops_the_node(settings: NodeSettings) -> None:
    with Node.start(settings) as node:
        shared = agree(node, "HK", "NZ")
    alone = replace(
        settings,
        members={"HK": settings.members["HK"]},
        home_max_page_count=pages_of(settings.home("HK")) + 60,
    )
    with Node.start(alone) as node:
        accepted = publish_until_full(node)
        publisher = node.hosted["HK"].publisher
        deadline = time.monotonic() + 20
        while publisher.failure is None and time.monotonic() < deadline:
            with suppress(EngineStopped, StoreFull):
                publisher.heartbeat().exception(20)
        assert isinstance(node.failure, StoreFull)
        assert "make room" in str(node.failure)
    check_accepted(settings, shared, accepted)


def test_a_clock_a_little_behind_goes_on_from_the_newest_header(settings: NodeSettings) -> None:
    clock = OffsetClock(SystemClock(), 600_000)
    with Node.start(settings, clock) as node:
        agree(node, "HK", "NZ")
    with Node.start(settings) as node:  # ten minutes behind
        earliest = max(node.state.header_time + 1, node.newest_seal.attested_time)
        node.hosted["HK"].publisher.heartbeat().result(20)
        assert node.state.header_time == earliest
        wait_until_sealed(node)


def test_a_clock_far_behind_stops_the_writer(settings: NodeSettings) -> None:
    clock = OffsetClock(SystemClock())
    with Node.start(settings, clock) as node:
        agree(node, "HK", "NZ")
        clock.turn(-2 * 3_600_000)
        beat = node.hosted["HK"].publisher.heartbeat()
        with pytest.raises(EngineStopped, match="clock is 7"):
            beat.result(20)
        assert isinstance(node.failure, ClockWentBack)
    with pytest.raises(ClockWentBack):
        Node.start(settings, clock)
    with Node.start(settings) as node:  # the clock is right again: the same bytes are sent
        wait_until_sealed(node)
        deadline = time.monotonic() + 20
        while node.hosted["HK"].home.outbox.unrecorded() and time.monotonic() < deadline:
            time.sleep(0.01)
        assert not node.hosted["HK"].home.outbox.unrecorded()


def test_silence_is_broken_by_heartbeats(tmp_path: Path) -> None:
    clock = OffsetClock(SystemClock())
    parameters = DEFAULT_PARAMETERS._replace(heartbeat_interval=300_000)
    settings = make_network(tmp_path, clock=clock, parameters=parameters)
    with Node.start(settings, clock) as node:
        node.hosted["HK"].publisher.heartbeat().result(20)
        assert node.state.author_seen("NZ", node.state.height) is None
        clock.turn(299_000 + 2_000)
        deadline = time.monotonic() + 20
        while node.state.author_seen("NZ", node.state.height) is None:
            assert time.monotonic() < deadline
            node.feed.wait(node.feed.version, 0.2)
        height = node.state.height
        assert node.state.author_verified("NZ").height < height
        time.sleep(1.2)
        assert node.state.height <= height + 1, "once is enough"


def test_a_key_that_is_not_the_members(settings: NodeSettings) -> None:
    foreign = replace(settings, members={"HK": keygen(b"x" * 32)})
    with pytest.raises(WrongStore, match="HK"):
        Node.start(foreign)
    Node.start(settings).stop()  # everything was let go


def test_a_restored_ledger_is_refused(settings: NodeSettings, tmp_path: Path) -> None:
    with Node.start(settings) as node:
        agree(node, "HK", "NZ")
    shutil.copytree(settings.homes, tmp_path / "backup")
    with Node.start(settings) as node:
        node.hosted["HK"].publisher.heartbeat().result(20)
        wait_until_sealed(node)
    for name in ("ledger.db", "home-HK.db", "home-NZ.db"):
        shutil.copy(tmp_path / "backup" / name, settings.homes / name)
    with pytest.raises(GuardRefused, match="older copy"):  # the guard was not restored
        Node.start(settings)


def test_a_changed_byte_in_the_outbox_is_never_ordered(settings: NodeSettings) -> None:
    def stop_at(step: str) -> None:
        if step == "signed:committed":
            raise OSError(step)

    with Node.start(settings) as node:
        agree(node, "HK", "NZ")
    with Node.start(settings, on_step=stop_at) as node:  # signed and stored, but never sent
        publisher = node.hosted["HK"].publisher
        publisher.publish(request("k", some_rows(0, 2)), confirms=False)
        deadline = time.monotonic() + 20
        while publisher.failure is None and time.monotonic() < deadline:
            time.sleep(0.01)
        height = node.state.height
    with closing(sqlite3.connect(settings.home("HK"))) as store, store:
        drop_triggers(store)
        number, data = store.execute(
            "SELECT sequence, data FROM signed ORDER BY sequence DESC LIMIT 1"
        ).fetchone()
        changed = data[:-3] + bytes([data[-3] ^ 1]) + data[-2:]
        store.execute("UPDATE signed SET data = ? WHERE sequence = ?", (changed, number))
    with pytest.raises(StoreCorrupt, match=f"signed transaction {number}"):
        Node.start(settings)
    with LedgerStore(settings.ledger) as ledger:
        assert ledger.newest().height == height


def test_an_outbox_that_signed_otherwise_is_refused(settings: NodeSettings, tmp_path: Path) -> None:
    with Node.start(settings) as node:
        agree(node, "HK", "NZ")
    home = settings.home("HK")
    shutil.copy(home, tmp_path / "older.db")
    with Node.start(settings) as node:
        node.hosted["HK"].publisher.heartbeat().result(20)
        number = node.state.next_sequence("HK") - 1
    # The outbox of a backup, in which somebody signed that number for something else.
    shutil.copy(tmp_path / "older.db", home)
    with closing(sqlite3.connect(home)) as store, store:
        store.execute(
            "INSERT INTO signed (sequence, data, carries) VALUES (?, ?, ?)",
            (number, b"else", b"\0\0"),
        )
    with pytest.raises(SequenceTaken):
        Node.start(settings)


@pytest.mark.parametrize(
    ("table", "column", "place"),
    [
        ("genesis", "data", "genesis|header 0"),
        ("header", "data", "header"),
        ("entry", "data", "header|transaction"),
        ("seal", "data", "seal"),
    ],
)
def test_a_changed_byte_is_named(
    settings: NodeSettings, table: str, column: str, place: str
) -> None:
    with Node.start(settings) as node:
        agree(node, "HK", "NZ")
        wait_until_sealed(node)
    with closing(sqlite3.connect(settings.ledger)) as store, store:
        drop_triggers(store)
        rowid, data = store.execute(
            f"SELECT rowid, {column} FROM {table} ORDER BY rowid DESC LIMIT 1"
        ).fetchone()
        changed = bytearray(data)
        changed[len(changed) // 2] ^= 1
        store.execute(f"UPDATE {table} SET {column} = ? WHERE rowid = ?", (bytes(changed), rowid))
    with pytest.raises(StoreCorrupt, match=place):
        Node.start(settings)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (
            "data = (SELECT data FROM seal AS one WHERE one.height = seal.height - 1)",
            "another header",
        ),
        ("weight = weight - 1", "weight"),
        ("attested_time = attested_time + 1", "time"),
    ],
)
def test_a_newest_seal_that_is_not_what_is_noted(
    settings: NodeSettings, change: str, said: str
) -> None:
    with Node.start(settings) as node:
        agree(node, "HK", "NZ")
        wait_until_sealed(node)
        height = node.state.height
    with closing(sqlite3.connect(settings.ledger)) as store, store:
        drop_triggers(store)
        store.execute(f"UPDATE seal SET {change} WHERE height = ?", (height,))
    with pytest.raises(StoreCorrupt, match=f"seal of header {height}.*{said}"):
        Node.start(settings)


def test_no_network_and_no_guard(settings: NodeSettings, tmp_path: Path) -> None:
    nothing = tmp_path / "nothing"
    nothing.mkdir()
    with pytest.raises(StoreError):
        Node.start(NodeSettings.in_folder(nothing, settings.members))
    settings.guard.unlink()
    with pytest.raises(StoreError, match="guard"):
        Node.start(settings)
    with pytest.raises(StoreError):
        make_network(settings.homes)
