"""`aeo fsck` of a ledger that began with a snapshot."""

import json
import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from commands import process
from ledger.errors import CheckError
from ledger.state.machine import Machine
from ledger.state.snapshotting import make_snapshot
from ledger_world import BACKEND
from service.cli.auditing.store_from_base import verify_from_base
from service.errors import StoreCorrupt
from service.node.snapshots.taking_up import take_up
from service.store.ledger.ledger_store import LedgerStore, SealLevel
from snapshot.restored import everything
from snapshot.test_taking_up import changes
from store.tamper import flip_byte

BASE = 20


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a ledger with a snapshot, blocks since, and seals."""
    world = everything()
    folder = tmp_path_factory.mktemp("based")
    machine = Machine(world.genesis, BACKEND)
    state = Machine.restore(world.genesis, world.blocks[:BASE], BACKEND).state
    manifest, chunks = make_snapshot(state, world.headers[: BASE + 1])
    with LedgerStore(folder / "ledger.db") as store:
        store.put_genesis(world.genesis.data, world.headers[0])
        take_up(machine, store, manifest, lambda: chunks, BACKEND, changes=changes(world))
        for height, block in enumerate(world.blocks[BASE:], BASE + 1):
            store.append_block(height, *block)
        for change in changes(world)[1:]:
            sealed = world.view.time_of(change.height)
            store.put_seal(
                change.height, change.seal, SealLevel.SEALED, attested_time=sealed, weight=4
            )
    return folder


@pytest.fixture
def folder(whole: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(whole, tmp_path / "copy"))


def check(folder: Path) -> object:
    with LedgerStore(folder / "ledger.db") as store:
        base = store.base()
        assert base is not None
        *_, report = verify_from_base(store, base, BACKEND)
    return report


def test_all_is_well(folder: Path) -> None:
    world, report = everything(), check(folder)
    assert report.complete
    assert (report.height, report.header_hash) == (world.view.height, world.view.header_hash)
    assert (report.transactions, report.seals) == (world.view.log_size, 1)
    assert report.sealed_height == changes(world)[1].height
    assert report.executed + report.refused == len(world.blocks) - BASE
    said = process("fsck", str(folder), "--json")
    out, error = said.communicate(timeout=60)
    assert (said.returncode, json.loads(out)["consistent"]) == (0, True), error


@pytest.mark.parametrize(
    ("table", "number", "at"),
    [
        ("header", 3, 100),
        ("header", BASE, 100),
        ("header", BASE + 2, 170),
        ("entry", -1, 5),
        ("base_chunk", -1, 4_000),
        ("genesis", 0, 5),
        ("set_change", -1, 30),
        ("seal", -1, 60),
    ],
)
def test_what_was_altered_is_named(folder: Path, table: str, number: int, at: int) -> None:
    if number < 0:
        number = first_row(folder, table)
    flip_byte(folder / "ledger.db", table, number, at=at)
    with pytest.raises((StoreCorrupt, CheckError)):
        check(folder)


def first_row(folder: Path, table: str) -> int:
    with closing(sqlite3.connect(folder / "ledger.db")) as connection:
        (number,) = connection.execute(f"SELECT min(rowid) FROM {table}").fetchone()
    return int(number)
