"""aeo profile, and aeo publish with names, against a node whose members meet over mutual TLS."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from commands import ARRANGEMENT, Aeo, Pilot, process, run, together
from service.node.founding.ports import free_port

FULL = """tin,name,language,address,country,contacts,certificates,validated,scope
hk-1000 0001,Pearl River Trading Ltd,en,1 Queen's Road,HK,desk@pearl.example,AEO-1,2025-03-01,stores
HK10000001,珠江貿易有限公司,zh-Hant,,,,,,
HK10000002,,en,,,,,,
NZ10000001,Kiwi Ltd,en,,,,,,
HK10000003,No Such Day Ltd,en,,,,,2025-02-30,
"""
REGISTER = "tin,certificate,roles,status,valid_from,valid_to,name,address\n"
EX_BY_SEA = ("--function", "EX", "--mode", "1")


@pytest.fixture(scope="module")
def peers(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    """Hong Kong and New Zealand with endpoints, so that each calls the other over mutual TLS."""
    folder = tmp_path_factory.mktemp("profiles") / "pilot"
    address = f"127.0.0.1:{free_port()}"
    founders = folder.parent / "members.csv"
    founders.write_text(
        "economy,time_zone,prefixes,endpoint\n"
        f"HK,Asia/Hong_Kong,HK,{address}\nNZ,Pacific/Auckland,NZ,{address}\n"
    )
    ports = ("--listen", address, "--health", "", "--metrics", "")
    said = run("network", "init", folder, "--members-file", founders, *ports)
    structlog.reset_defaults()
    assert said.code == 0, said.err
    node = process("node", "run", "--config", folder / "node.toml", "--json")
    assert node.stdout is not None
    line = node.stdout.readline()
    if not line:
        pytest.fail(f"the node did not start: {node.communicate()[1]}")
    pilot = Pilot(folder, address, json.loads(line)["network_id"])
    text = folder / "hk-nz.toml"
    text.write_text(ARRANGEMENT)
    made = together(pilot, "HK", "arrangement", "propose", text).json["arrangement"]
    for economy in ("HK", "NZ"):
        options = (made["arrangement_id"], "--text-hash", made["text_hash"])
        assert together(pilot, economy, "arrangement", "sign", *options).code == 0
    structlog.reset_defaults()
    yield pilot
    node.terminate()
    _, log = node.communicate(timeout=60)
    assert node.returncode == 0, log


@pytest.fixture(scope="module")
def shown(peers: Pilot) -> Pilot:
    """A trader with a full profile, published with a register's row, and known to the partner."""
    full = peers.folder / "full.csv"
    full.write_text(FULL)
    put = run("profile", "put", full, "--json", *peers.profile("HK", "officer"))
    assert put.code == 1
    assert put.json["taken"] == 1
    assert [(each["line"], each["place"]) for each in put.json["faults"]] == [
        (4, "name"),
        (5, "NZ10000001"),
        (6, "validations.date"),
    ]
    register = peers.folder / "register.csv"
    register.write_text(
        REGISTER
        + "HK10000001,AEO-1,EX,CERTIFIED,2024-01-01,2029-12-31,"
        + "Pearl River Trading Ltd,2 Pier Road\n"
    )
    said = run("publish", register, "--json", *peers.profile("HK", "officer"))
    assert (said.code, said.json["profiles"]) == (0, 1), said.err
    until_known(peers, "HK10000001")
    structlog.reset_defaults()
    return peers


def until_known(peers: Pilot, tin: str) -> None:
    deadline = time.monotonic() + 20
    while run("profile", "get", tin, *peers.profile("NZ", "officer")).code:
        assert time.monotonic() < deadline
        time.sleep(0.1)


def test_a_registers_row_leaves_what_a_fuller_profile_says(aeo: Aeo, shown: Pilot) -> None:
    for economy in ("HK", "NZ"):
        found = aeo("profile", "get", "HK10000001", "--json", *shown.profile(economy, "officer"))
        assert found.code == 0, found.err
        profile = found.json
        assert [each["text"] for each in profile["names"]] == [
            "Pearl River Trading Ltd",
            "珠江貿易有限公司",
        ]
        assert [each["text"] for each in profile["addresses"]] == ["1 Queen's Road", "2 Pier Road"]
        assert profile["contacts"] == ["desk@pearl.example"]
        assert profile["validations"] == [{"date": "2025-03-01", "scope": "stores"}]
        assert bool(profile.get("commitments")) == (economy == "NZ")


def test_what_get_writes_put_reads(aeo: Aeo, shown: Pilot, tmp_path: Path) -> None:
    officer = shown.profile("HK", "officer")
    before = aeo("profile", "get", "HK10000001", "--json", *officer)
    file = tmp_path / "profile.json"
    file.write_text(before.out)
    assert aeo("profile", "put", file, "--json", *officer).json["taken"] == 1
    assert aeo("profile", "get", "HK10000001", "--json", *officer).json == before.json


def test_an_officer_at_the_border_reads_how_a_declared_name_fits(aeo: Aeo, shown: Pilot) -> None:
    border = shown.profile("NZ", "border-officer")
    ask = ("lookup", "HK10000001", *EX_BY_SEA, "--declared-name")
    assert "NOT the one on file" in aeo(*ask, "Quite Another Company", *border).out
    assert "the one on file" in aeo(*ask, "PEARL RIVER TRADING LTD", *border).out
    by_name = aeo("lookup", "--name", "Pearl River Trading Ltd", *EX_BY_SEA, "--json", *border)
    assert (by_name.code, by_name.json["tin"]) == (0, "HK10000001")
    nobody = aeo("lookup", "--name", "Nobody And Sons", *EX_BY_SEA, *border)
    assert nobody.code == 1
    assert "by this other number or name" in nobody.out


def test_an_erasure_takes_two_and_the_partner_acknowledges_it(aeo: Aeo, peers: Pilot) -> None:
    tin, officer = "HK10000007", peers.profile("HK", "officer")
    register = peers.folder / "erased.csv"
    register.write_text(
        REGISTER + f"{tin},AEO-7,EX,CERTIFIED,2024-01-01,2029-12-31,Gone Ltd,7 Pier Road\n"
    )
    assert aeo("publish", register, *officer).code == 0
    until_known(peers, tin)
    step = aeo("profile", "erase", tin, "--json", *officer).json["pending"]["step_id"]
    assert aeo("profile", "get", tin, *officer).code == 0
    approved = aeo("approve", step, *peers.profile("HK", "approver"))
    assert approved.code == 0, approved.err
    deadline = time.monotonic() + 20
    while True:
        told = aeo("profile", "erasures", "--json", *officer)
        [notice] = told.json[0]["notices"]
        if told.code == 0:
            break
        assert time.monotonic() < deadline
        time.sleep(0.1)
    assert told.json[0]["erasure_id"] in approved.out
    assert (notice["partner"], bool(notice["acknowledged_at"])) == ("NZ", True)
    for economy in ("HK", "NZ"):
        gone = aeo("profile", "get", tin, "--json", *peers.profile(economy, "officer"))
        assert (gone.code, gone.json) == (1, None)
    again = aeo("profile", "erase", tin, *officer)
    assert again.code == 1
    assert "no profile of that trader" in again.err
    held = aeo("lookup", tin, *EX_BY_SEA, "--json", *peers.profile("NZ", "risk-engine"))
    assert (held.code, held.json["outcome"]) == (0, "RECOGNISED")


@pytest.mark.parametrize(
    ("data", "code", "message"),
    [
        (b"", 2, "has the columns tin and name"),
        (b"tin,name\nHK1,Caf\xe9\n", 2, "line 2 is not UTF-8"),
        ("tin,name\nHK1,Café\n".encode("utf-16"), 2, "line 1 is not UTF-8"),
        (b"tin,name,colour\n", 2, "has the columns tin and name"),
        (b'[{"tin": 5},', 2, "neither CSV nor JSON"),
        (b'{"tin": 5, "names": []}', 1, "line 1, profile: is not a profile's object"),
        (b'[{"tin": "HK1", "names": [{"text": "A", "language": 5}]}]', 1, "not a profile's object"),
        (b'[{"tin": "HK1", "names": "abc"}, null, 7]', 1, "line 3, profile: is not"),
    ],
)
def test_bad_files_are_told_in_a_line(
    aeo: Aeo, peers: Pilot, tmp_path: Path, data: bytes, code: int, message: str
) -> None:
    file = tmp_path / "profiles"
    file.write_bytes(data)
    said = aeo("profile", "put", file, *peers.profile("HK", "officer"))
    assert said.code == code
    assert message in said.err
    assert all(line.startswith("aeo: ") for line in said.err.splitlines())


def test_who_may_not_and_what_is_not_there(aeo: Aeo, peers: Pilot, tmp_path: Path) -> None:
    file = tmp_path / "one.csv"
    file.write_text("tin,name\nHK10000008,Eight Ltd\n")
    assert aeo("profile", "put", file, *peers.profile("HK", "auditor")).code == 2
    assert aeo("profile", "get", "HK10000001", *peers.profile("NZ", "risk-engine")).code == 2
    assert aeo("profile", "put", tmp_path / "none.csv", *peers.profile("HK", "officer")).code == 2
    nowhere = ("--address", f"127.0.0.1:{free_port()}", "--deadline", "1")
    assert aeo("profile", "get", "HK1", *peers.profile("HK", "officer"), *nowhere).code == 3
