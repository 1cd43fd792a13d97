"""The commands on a ledger that has handed over, and on evidence."""

import sqlite3
from dataclasses import replace
from pathlib import Path

import pytest

from aeo.ledger.v1.transaction_pb2 import Heartbeat
from commands import Aeo
from ledger.audit.evidence import format_double_number, format_fork
from ledger.chain.header import format_header, parse_header
from ledger.chain.set_change import format_set_change
from ledger_hand_over import seal, set_changes
from ledger_world import World
from node.governed_world import governed, store_of
from service.store.guard import SealGuard


@pytest.fixture(scope="module")
def world() -> World:
    return governed()


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    with store_of(world, tmp_path / "ledger.db") as store:
        for change in set_changes(world):
            store.put_set_change(change.height, format_set_change(change))
    SealGuard.create(tmp_path / "guard").close()
    return tmp_path


def test_fsck_passes_through_the_hand_overs(world: World, folder: Path, aeo: Aeo):
    whole = aeo("fsck", folder, "--json")
    assert whole.code == 0, whole.err
    assert whole.json["height"] == world.view.height


def test_fsck_without_the_set_changes_leaves_the_store_as_it_is(
    world: World, tmp_path: Path, aeo: Aeo
):
    store_of(world, tmp_path / "ledger.db").close()
    SealGuard.create(tmp_path / "guard").close()
    assert aeo("fsck", tmp_path).code == 0
    with sqlite3.connect(tmp_path / "ledger.db") as database:
        assert database.execute("SELECT count(*) FROM set_change").fetchone() == (0,)


def tampered(folder: Path, *statements: str) -> None:
    with sqlite3.connect(folder / "ledger.db") as database:
        for (name,) in database.execute("SELECT name FROM sqlite_master WHERE type='trigger'"):
            database.execute(f"DROP TRIGGER {name}")
        for statement in statements:
            database.execute(statement)
    database.close()


def test_fsck_names_a_set_change_that_does_not_hold(world: World, folder: Path, aeo: Aeo):
    change = set_changes(world)[0]
    other = format_set_change(change._replace(map_proof=set_changes(world)[1].map_proof))
    tampered(
        folder, f"UPDATE set_change SET data = x'{other.hex()}' WHERE height = {change.height}"
    )
    said = aeo("fsck", folder, "--json")
    assert said.code == 1
    assert said.json["place"].startswith("signing sets before header")


def test_fsck_checks_the_seals_that_an_export_leaves_out(world: World, folder: Path, aeo: Aeo):
    before = set_changes(world)[0]
    tampered(folder, "DELETE FROM set_change")
    # Now the change is derived at the header that the hand-over names, before two sealed ones.
    height = before.height
    wrong = world.seals[height][:-1] + bytes([world.seals[height][-1] ^ 1])
    tampered(folder, f"UPDATE seal SET data = x'{wrong.hex()}' WHERE height = {height}")
    said = aeo("fsck", folder, "--json")
    assert said.code == 1
    assert said.json["place"] == f"seal of height {height}"


def test_fsck_names_evidence_that_convicts_nobody(folder: Path, aeo: Aeo):
    tampered(folder, "INSERT INTO evidence VALUES (0, x'00', x'3f')")
    said = aeo("fsck", folder, "--json")
    assert said.code == 1
    assert said.json["place"] == "evidence 0"


# Evidence.


def test_verify_evidence_of_a_fork(world: World, tmp_path: Path, aeo: Aeo):
    height = set_changes(world)[0].height
    one = parse_header(world.headers[height])
    other = format_header(replace(one, map_root=bytes(31) + b"1"))
    members = world.genesis.signing_set
    path = tmp_path / "evidence.bin"
    path.write_bytes(
        format_fork(
            world.genesis.data,
            world.headers[height],
            seal(one, members, "HK", "NZ"),
            other,
            seal(parse_header(other), members, "NZ", "SG"),
        )
    )
    network = world.genesis.network_id.hex()
    said = aeo("verify", "evidence", path, "--network-id", network, "--json")
    assert said.code == 0, said.err
    assert said.json == {
        "convicts": ["NZ"],
        "kind": "FORK",
        "height": height,
        "network_id": network,
    }
    assert "NZ" in aeo("verify", "evidence", path, "--network-id", network).out
    elsewhere = aeo("verify", "evidence", path, "--network-id", "00" * 32, "--json")
    assert (elsewhere.code, elsewhere.json["convicts"]) == (1, [])
    path.write_bytes(b"?")
    assert aeo("verify", "evidence", path, "--network-id", network).code == 2


def test_verify_evidence_of_a_number_used_twice(tmp_path: Path, aeo: Aeo):
    own = World(("HK", "NZ"))
    one = own.transaction("NZ", sequence=1)
    own.commit(own.transaction("HK"))
    other = own.transaction("NZ", sequence=1, heartbeat=Heartbeat())
    path = tmp_path / "evidence.bin"
    path.write_bytes(format_double_number(own.genesis.data, one, other))
    network = own.genesis.network_id.hex()
    said = aeo("verify", "evidence", path, "--network-id", network, "--json")
    assert said.code == 0, said.err
    assert said.json["kind"] == "DOUBLE_NUMBER"
    assert (said.json["convicts"], said.json["number"]) == (["NZ"], 1)
    text = aeo("verify", "evidence", path, "--network-id", network).out
    assert "two transactions with one number" in text
