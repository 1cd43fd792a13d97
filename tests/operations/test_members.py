"""A key is rotated, a thief's member suspended, one joins, one leaves: as the page says."""

import shutil
from pathlib import Path

from commands import run
from operations.drills import Drill


def test_a_key_is_replaced_one_leaves_and_one_joins(drill: Drill, tmp_path: Path) -> None:
    receipt = tmp_path / "receipt.aeo"
    question = ("--function", "EX", "--mode", "1", "-o", receipt)
    drill.aeo("receipt", "get", "HK11111111", *question, *drill.profile("NZ", "risk-engine"))
    before = drill.members()["NZ"]["key_id"]
    drill.run("rotate")
    drill.handed_over()
    now = drill.members()["NZ"]
    assert now["key_id"] != before
    assert not now["old_key_seals"]
    drill.stop()
    # The old key's file is gone, and the node starts with the new one.
    assert not (drill.folder / "members" / "NZ" / "bls-keystore.json").exists()
    drill.start()
    assert drill.verdict("HK11111111") == "RECOGNISED"

    drill.run("leave")
    assert drill.members()["SG"]["state"].lower() == "removed"
    drill.handed_over()
    assert drill.both("SG", "member", "rotate").code != 0

    shown = drill.run("join")[-1].json
    assert (shown["economy"], shown["state"].lower()) == ("JP", "active")
    drill.handed_over()
    # The newcomer's node is not there yet: three of four seal.
    assert drill.publish(tmp_path, ["HK44444444"]).code == 0
    report = drill.export(tmp_path / "chain.aeo")
    assert report["sealed_height"] == report["height"]
    # What was proved under the first of these sets still verifies.
    verified = run("verify", "receipt", receipt, "--network-id", drill.network_id)
    assert verified.code == 0, verified.err
    drill.stop()


def test_a_compromised_member_is_suspended_and_comes_back(drill: Drill, tmp_path: Path) -> None:
    drill.run("suspend")
    assert drill.members()["NZ"]["state"].lower() == "suspended"
    # Nothing that its key signs enters.
    said = drill.both("NZ", "member", "rotate")
    assert said.code != 0
    assert "suspended" in said.err
    # The others go on, and seal.
    assert drill.publish(tmp_path, ["HK44444444"]).code == 0
    drill.handed_over()
    report = drill.export(tmp_path / "chain.aeo")
    assert report["sealed_height"] == report["height"]

    # New keys on a clean machine, then admitted anew.
    keys = drill.folder / "members" / "NZ-2"
    drill.aeo(
        *("key", "register", keys, "--economy", "NZ", "--network", "AEO status exchange"),
        *("--network-id", drill.network_id, "--passphrase-file", drill.folder / "passphrase"),
    )
    registration = keys / "registration.bin"
    assert drill.both("AU", "member", "admit", "--registration", registration).code == 0
    listed = drill.aeo("member", "list", *drill.profile("AU", "auditor")).json
    proposal = listed["proposals"][0]["proposal_id"]
    for economy in ("AU", "HK", "SG"):
        assert drill.both(economy, "member", "vote", proposal, "--yes").code == 0
    assert drill.members()["NZ"]["state"].lower() == "active"
    drill.stop()
    config = drill.folder / "node.toml"
    config.write_text(config.read_text().replace("members/NZ/", "members/NZ-2/"))
    shutil.rmtree(drill.folder / "members" / "NZ")
    drill.start()
    drill.handed_over()
    assert drill.members()["NZ"]["state"].lower() == "active"
    drill.stop()
