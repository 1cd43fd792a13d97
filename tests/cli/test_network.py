"""From nothing to a network: keys, genesis, profiles, configuration; and what is refused."""

import stat
import tomllib
from pathlib import Path

import pytest

from commands import Aeo
from ledger.chain.genesis import parse_genesis
from service.cli.errors import InputRefused
from service.cli.governing.founders import founders_of_codes, founders_of_file
from service.cli.profile import Profile
from service.config import load_config


def test_the_folder_of_a_network(founded: Path) -> None:
    genesis = parse_genesis((founded / "genesis.bin").read_bytes())
    assert (founded / "network-id").read_text().strip() == genesis.network_id.hex()
    assert [(f.economy, f.time_zone, f.prefixes) for f in genesis.founders] == [
        ("HK", "Asia/Hong_Kong", ("HK",)),
        ("NZ", "Pacific/Auckland", ("NZ",)),
    ]
    assert genesis.pilot
    config = load_config(founded / "node.toml")
    assert [member.economy for member in config.member] == ["HK", "NZ"]
    secrets = [founded / "passphrase", *founded.rglob("*.key"), *founded.rglob("*keystore.json")]
    assert len(secrets) == 1 + 2 * (6 + 2) + 2
    assert {stat.S_IMODE(path.stat().st_mode) for path in secrets} == {0o600}


@pytest.mark.parametrize(
    "role", ["risk-engine", "border-officer", "officer", "approver", "auditor"]
)
def test_a_profile_for_each_role(founded: Path, role: str) -> None:
    profile = Profile.read(founded / "clients" / "NZ" / f"{role}.toml")
    assert profile.economy() == "NZ"
    assert profile.network_id == (founded / "network-id").read_text().strip()
    assert profile.address == tomllib.loads((founded / "node.toml").read_text())["listen"]["grpc"]


def test_a_folder_that_is_there_is_left_alone(aeo: Aeo, tmp_path: Path) -> None:
    (tmp_path / "mine").write_text("precious")
    said = aeo("network", "init", tmp_path, "--members", "HK")
    assert said.code == 2
    assert "not empty" in said.err
    assert [path.name for path in tmp_path.iterdir()] == ["mine"]


@pytest.mark.parametrize(
    ("options", "why"),
    [
        ([], "--members or with --members-file"),
        (["--members", "HK", "--members-file", "x.csv"], "--members or with --members-file"),
        (["--members", "HK,XX"], "'XX' is neither"),
        (["--members", "HK,HK"], "HK is there twice"),
        (["--members", " , "], "at least one"),
        (["--members", "BR"], "BR has 16 time zones"),
        (["--members", "BR", "--time-zone", "BR=Mars/Base"], "not an IANA time zone"),
        (["--members", "HK", "--time-zone", "NZ=UTC"], "which is not a member"),
        (["--members", "HK", "--time-zone", "UTC"], "is not like AU="),
        (["--members-file", "nothing.csv"], "no such file"),
        (["--members", "HK", "--passphrase-file", "nothing"], "cannot be read"),
    ],
)
def test_bad_input_makes_nothing(aeo: Aeo, tmp_path: Path, options: list[str], why: str) -> None:
    said = aeo("network", "init", tmp_path / "new", *options)
    assert said.code == 2
    assert why in said.err
    assert list(tmp_path.iterdir()) == []


def test_members_of_a_file(tmp_path: Path) -> None:
    file = tmp_path / "members.csv"
    file.write_text("economy,time_zone,prefixes,weight\nEU,,DE;AT,3\nSG,,,\n")
    eu, sg = founders_of_file(file)
    assert (eu.time_zone, eu.prefixes, eu.weight) == ("Europe/Brussels", ("AT", "DE"), 3)
    assert (sg.time_zone, sg.prefixes, sg.weight) == ("Asia/Singapore", ("SG",), 1)


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("economy,colour\nHK,red\n", "columns must be among"),
        ("time_zone\nUTC\n", "columns must be among"),
        ("economy,weight\nHK,much\n", "line 2: much is not a weight"),
        ("economy,prefixes\nHK,HKG\n", "line 2: 'HKG' is not a TIN prefix"),
        ("economy\nHK,more\n", "line 2: more cells"),
    ],
)
def test_a_faulty_file_of_members(tmp_path: Path, text: str, why: str) -> None:
    file = tmp_path / "members.csv"
    file.write_text(text)
    with pytest.raises(InputRefused, match=why):
        founders_of_file(file)


def test_a_zone_may_be_named() -> None:
    [founder] = founders_of_codes("au", {"AU": "Australia/Perth"})
    assert (founder.economy, founder.time_zone) == ("AU", "Australia/Perth")


def test_keys_are_made_and_never_overwritten(aeo: Aeo, tmp_path: Path) -> None:
    passphrase = tmp_path / "passphrase"
    passphrase.write_text("correct horse\n")
    passphrase.chmod(0o600)
    command = ("key", "new", tmp_path / "keys", "--economy", "SG", "--network", "Pilot")
    made = aeo(*command, "--passphrase-file", passphrase, "--json")
    assert made.code == 0
    assert set(made.json) == {
        "folder",
        "economy",
        "key_id",
        "bls_public_key",
        "ed25519_public_key",
        "files",
    }
    assert "bls-keystore.json" in made.json["files"]
    again = aeo(*command, "--passphrase-file", passphrase)
    assert again.code == 2
    assert "never overwritten" in again.err
    nobody = aeo(*command[:2], tmp_path / "other", *command[3:])
    assert nobody.code == 2
    assert "no terminal to ask" in nobody.err


def test_the_configuration_in_force(aeo: Aeo, founded: Path) -> None:
    said = aeo("node", "run", "--config", founded / "node.toml", "--check", "--json")
    assert said.code == 0
    assert said.json["tls"]["passphrase_file"] == "********"
    assert [member["economy"] for member in said.json["member"]] == ["HK", "NZ"]
    as_toml = aeo("node", "run", "--config", founded / "node.toml", "--check")
    assert tomllib.loads(as_toml.out)["listen"] == said.json["listen"]


def test_an_unknown_key_is_refused(aeo: Aeo, founded: Path, tmp_path: Path) -> None:
    config = tmp_path / "node.toml"
    config.write_text('colour = "red"\n' + (founded / "node.toml").read_text())
    said = aeo("node", "run", "--config", config, "--check")
    assert said.code == 2
    assert "colour: no such setting" in said.err


def test_the_wrong_passphrase(aeo: Aeo, founded: Path, tmp_path: Path) -> None:
    wrong = tmp_path / "passphrase"
    wrong.write_text("wrong\n")
    wrong.chmod(0o600)
    config = founded / "wrong.toml"
    right = (founded / "node.toml").read_text()
    config.write_text(right.replace('"passphrase"', f'"{wrong}"'))
    said = aeo("node", "run", "--config", config)
    config.unlink()
    assert said.code == 2
    assert "the passphrase does not open this keystore" in said.err
