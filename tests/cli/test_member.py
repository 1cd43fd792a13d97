"""aeo member and aeo key register: a network governed by its commands alone."""

import json
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from commands import Aeo, Pilot, Said, process, run
from ledger.chain.governance import WeightChange
from node.governing_world import GovernedWorld, handed_over
from node.node_world import WAIT_S
from service.config import load_config
from service.node.founding.ports import free_port


@pytest.fixture(scope="module")
def governed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pilot]:
    """A network of its own, since these tests change who is in it."""
    folder = tmp_path_factory.mktemp("governed") / "pilot"
    ports = ("--listen", f"127.0.0.1:{free_port()}", "--health", "", "--metrics", "")
    said = run("network", "init", folder, "--members", "HK,NZ", *ports)
    structlog.reset_defaults()
    assert said.code == 0, said.err
    node = process("node", "run", "--config", folder / "node.toml", "--json")
    assert node.stdout is not None
    line = node.stdout.readline()
    if not line:
        pytest.fail(f"the node did not start: {node.communicate()[1]}")
    told = json.loads(line)
    yield Pilot(folder, told["address"], told["network_id"])
    node.terminate()
    _, errors = node.communicate(timeout=20)
    assert node.returncode == 0, errors


def both(aeo: Aeo, governed: Pilot, economy: str, *command: str | Path) -> Said:
    """A step that one person prepares and another approves."""
    made = aeo("member", *command, "--json", *governed.profile(economy, "officer"))
    assert made.code == 0, made.err
    step = made.json["pending"]["step_id"]
    return aeo("approve", step, "--json", *governed.profile(economy, "approver"))


def members(aeo: Aeo, governed: Pilot) -> dict[str, object]:
    said = aeo("member", "list", "--json", *governed.profile("NZ", "auditor"))
    assert said.code == 0, said.err
    return said.json


def test_a_rotation_an_applicant_and_their_votes(aeo: Aeo, governed: Pilot, tmp_path: Path) -> None:
    before = aeo("member", "show", "NZ", "--json", *governed.profile("NZ", "auditor")).json
    assert before["registration"]
    rotated = both(aeo, governed, "NZ", "rotate")
    assert rotated.code == 0, rotated.err
    after = {each["economy"]: each for each in members(aeo, governed)["members"]}["NZ"]
    assert after["key_id"] != before["key_id"]
    assert after["old_key_seals"]
    keystores = sorted(
        path.name for path in (governed.folder / "members" / "NZ").glob("bls-keystore*")
    )
    assert "bls-keystore-2.json" in keystores

    passphrase = tmp_path / "passphrase"
    passphrase.write_text("of Japan\n")
    passphrase.chmod(0o600)
    folder = tmp_path / "JP"
    applied = aeo(
        *("key", "register", folder, "--economy", "JP", "--network", "AEO status exchange"),
        *("--network-id", governed.network_id, "--weight", "2", "--json"),
        *("--passphrase-file", passphrase),
    )
    assert applied.code == 0, applied.err
    assert (applied.json["prefixes"], applied.json["time_zone"]) == (["JP"], "Asia/Tokyo")
    again = aeo(
        *("key", "register", folder, "--economy", "JP", "--network", "AEO status exchange"),
        *("--network-id", governed.network_id, "--passphrase-file", passphrase),
    )
    assert again.code == 2
    assert "never overwritten" in again.err

    registration = folder / "registration.bin"
    proposed = both(aeo, governed, "HK", "admit", "--registration", registration)
    assert proposed.code == 0, proposed.err
    [proposal] = members(aeo, governed)["proposals"]
    assert (proposal["state"], proposal["kind"], proposal["proposer"]) == ("OPEN", "admit", "HK")
    assert "admit JP (JP customs), weight 2" in proposal["change"]
    assert applied.json["key_id"] in proposal["change"]
    for economy in ("HK", "NZ"):
        voted = both(aeo, governed, economy, "vote", proposal["proposal_id"][:8], "--yes")
        assert voted.code == 0, voted.err
    listed = members(aeo, governed)
    assert listed["proposals"][0]["state"] == "ACCEPTED"
    assert [each["economy"] for each in listed["members"]] == ["HK", "JP", "NZ"]
    shown = aeo("member", "list", *governed.profile("NZ", "auditor"))
    assert "JP customs" in shown.out
    assert "accepted" in shown.out
    one = aeo("member", "show", "JP", *governed.profile("NZ", "auditor"))
    assert applied.json["key_id"] in one.out


def test_what_the_network_was_and_is_verifies_offline(
    aeo: Aeo, governed: Pilot, tmp_path: Path
) -> None:
    until = time.monotonic() + 20
    while members(aeo, governed)["set_pending"]:
        assert time.monotonic() < until, "not handed over"
        time.sleep(0.1)
    export = tmp_path / "ledger.aeo"
    said = aeo("ledger", "export", export, *governed.profile("NZ", "auditor"))
    assert said.code == 0, said.err
    verified = aeo("verify", "ledger", export, "--network-id", governed.network_id, "--json")
    assert verified.code == 0, verified.err
    # The applicant holds half of the weight and is not here: attested since, no longer sealed.
    assert verified.json["sealed_height"] < verified.json["height"]


def test_parameters_in_force_change_by_votes(aeo: Aeo, governed: Pilot) -> None:
    before = members(aeo, governed)["parameters"]
    proposed = both(aeo, governed, "NZ", "parameters", "--heartbeat-minutes", "7")
    assert proposed.code == 0, proposed.err
    proposal = members(aeo, governed)["proposals"][0]
    refused = both(aeo, governed, "NZ", "vote", proposal["proposal_id"], "--no")
    assert refused.code == 0, refused.err
    listed = members(aeo, governed)
    assert listed["parameters"] == before
    assert listed["proposals"][0]["against"] == ["NZ"]


@pytest.mark.parametrize(
    ("command", "message"),
    [
        (("weights", "NZ"), "not like NZ=2"),
        (("weights", "NZ=-1"), "not like NZ=2"),
        (("weights", "NZ=1", "NZ=2"), "twice"),
        (("vote", "abcdef"), "--yes or --no"),
        (("vote", "abcdef", "--yes"), "no proposals"),
        (("parameters",), "at least one"),
        (("parameters", "--block-bytes", "5"), "out of range"),
        (("suspend", "NZ", "--key-id", "12"), "16 hex digits"),
        (("remove", "nz"), "two upper-case letters"),
        (("remove", "NZ", "--closes", "tomorrow"), "neither a date"),
        (("remove", "NZ", "--closes", "2020-01-01"), "is over"),
        (("show", "FR"), "never was a member"),
        (("rotate", "--endpoint", "nowhere"), "host:port"),
    ],
)
def test_what_makes_no_sense_is_refused(
    aeo: Aeo, governed: Pilot, command: tuple[str, ...], message: str
) -> None:
    said = aeo("member", *command, *governed.profile("NZ", "officer"))
    assert said.code == 2, said
    assert message in said.err


def test_a_registration_that_was_changed_is_refused(
    aeo: Aeo, governed: Pilot, tmp_path: Path
) -> None:
    path = tmp_path / "registration.bin"
    for data, message in ((b"nonsense", "registration"), (b"", "registration")):
        path.write_bytes(data)
        said = aeo("member", "admit", "--registration", path, *governed.profile("NZ", "officer"))
        assert said.code == 2
        assert message in said.err


def test_the_configuration_stays_as_it_is(governed: Pilot) -> None:
    config = load_config(governed.folder / "node.toml")
    assert [member.bls_keystore.name for member in config.member] == ["bls-keystore.json"] * 2


def test_a_store_that_has_handed_over_is_sound(aeo: Aeo, tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, ("HK", "KR", "NZ"))
    with world.start() as node:
        node.hosted["NZ"].governance.rotate(WAIT_S)
        height = node.state.height
        world.decide(node, WeightChange((("KR", 0),)), "HK", "KR", "NZ")
        handed_over(node, height)
    said = aeo("fsck", tmp_path / "data", "--json")
    assert said.code == 0, said.err
