"""`aeo receipt get`, then `aeo verify receipt` with nothing but the file and the network's id."""

from pathlib import Path

import pytest

from commands import Aeo, Pilot

ASK = ("--function", "EX", "--mode", "1")


@pytest.fixture(scope="module")
def register(pilot: Pilot, tmp_path_factory: pytest.TempPathFactory) -> Pilot:
    from commands import run

    path = tmp_path_factory.mktemp("receipts") / "register.csv"
    path.write_text(
        "tin,certificate,roles,status,valid_from,valid_to\n"
        "HK77000001,R-1,EX,CERTIFIED,2024-01-01,2099-12-31\n"
    )
    said = run("publish", path, *pilot.profile("HK", "officer"))
    assert said.code == 0, said.err
    return pilot


def got(aeo: Aeo, pilot: Pilot, path: Path, *words: str) -> Path:
    said = aeo(
        "receipt", "get", *words, *ASK, "-o", path, *pilot.profile("NZ", "risk-engine"), "--json"
    )
    assert said.code == 0, said.err
    assert said.json == {"path": str(path), "bytes": path.stat().st_size}
    return path


def test_a_receipt_checked_offline(aeo: Aeo, register: Pilot, tmp_path: Path) -> None:
    path = got(aeo, register, tmp_path / "receipt.aeo", "HK77000001")
    said = aeo("verify", "receipt", path, "--network-id", register.network_id, "--json")
    assert said.code == 0, said.err
    shown = said.json
    assert shown["verified"]
    assert shown["trust"] == "anchored"
    assert shown["asked"] == shown["verdict"]["tin"] == "HK77000001"
    assert shown["verdict"]["outcome"] == "RECOGNISED"
    assert shown["verdict"]["arrangement"] == "HK-NZ"
    assert shown["records"] == 1
    assert shown["unopened"] == []
    text = aeo("verify", "receipt", path, "--network-id", register.network_id)
    assert "RECOGNISED" in text.out
    assert "HK-NZ" in text.out
    assert "not proved" in text.out


def test_absence_is_never_passed_over(aeo: Aeo, register: Pilot, tmp_path: Path) -> None:
    path = got(aeo, register, tmp_path / "absent.aeo", "HK404")
    said = aeo("verify", "receipt", path, "--network-id", register.network_id)
    assert said.code == 1
    assert "not opened" in said.out
    assert "lookup key" in said.err
    shown = aeo("verify", "receipt", path, "--network-id", register.network_id, "--json").json
    assert not shown["verified"]
    assert shown["verdict"]["reason"] == "NO_RECORD"
    assert len(shown["unopened"]) == 1
    keys = tmp_path / "keys"
    keys.write_text(f"{shown['unopened'][0]['arrangement_id']} 1 {'07' * 32}\n")
    options = ("--network-id", register.network_id, "--lookup-keys", keys)
    assert aeo("verify", "receipt", path, *options).code == 1
    keys.write_text("one two\n")
    assert aeo("verify", "receipt", path, *options).code == 2


def test_from_an_anchor_and_without_the_genesis(aeo: Aeo, register: Pilot, tmp_path: Path) -> None:
    options = ("HK77000001", "--anchor-height", "1", "--without-genesis")
    path = got(aeo, register, tmp_path / "small.aeo", *options)
    genesis = ("--genesis", register.folder / "genesis.bin")
    identity = ("--network-id", register.network_id)
    assert aeo("verify", "receipt", path, *identity, *genesis).code == 0
    assert aeo("verify", "receipt", path, *identity).code == 1
    lost = aeo("verify", "receipt", path, *genesis, "--anchor", f"1:{'00' * 32}")
    assert lost.code == 1
    assert "not the anchor" in lost.err


def test_what_does_not_verify(aeo: Aeo, register: Pilot, tmp_path: Path) -> None:
    path = got(aeo, register, tmp_path / "receipt.aeo", "HK77000001")
    assert aeo("verify", "receipt", path).code == 2
    other = aeo("verify", "receipt", path, "--network-id", "00" * 32, "--json")
    assert other.code == 1
    assert other.json == {"verified": False, "problem": "the receipt is of another network"}
    data = bytearray(path.read_bytes())
    data[data.index(b"AEO-HDR1") + 130] ^= 1
    spoilt = tmp_path / "spoilt.aeo"
    spoilt.write_bytes(bytes(data))
    assert aeo("verify", "receipt", spoilt, "--network-id", register.network_id).code == 1
    spoilt.write_bytes(data[:-1])
    assert aeo("verify", "receipt", spoilt, "--network-id", register.network_id).code == 2
    again = ("receipt", "get", "HK77000001", *ASK, "-o", path)
    assert aeo(*again, *register.profile("NZ", "risk-engine")).code == 2
