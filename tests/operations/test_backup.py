"""Backup and restore, and a machine that is gone, as docs/operations.md says."""

import shutil
from pathlib import Path

from commands import process, run
from operations.conftest import TRADERS
from operations.drills import WAIT_S, Drill, blocks, write_register
from service.store.guard import parse_guard


def test_every_drill_of_the_page_is_run_here() -> None:
    here = Path(__file__).parent
    tests = "".join(path.read_text(encoding="utf-8") for path in sorted(here.glob("test_*.py")))
    assert blocks()
    for name in blocks():
        assert f'.run("{name}")' in tests, f"nobody runs the drill {name}"


def test_a_backup_under_load_restored_beside_the_guard(drill: Drill, tmp_path: Path) -> None:
    register = write_register(tmp_path / "load.csv", [f"HK{n:08}" for n in range(2_000)])
    publishing = process("publish", register, *drill.profile("HK", "officer"), "--json")
    backup, checked, _, verified = drill.run("backup")
    _, errors = publishing.communicate(timeout=WAIT_S)
    assert publishing.returncode == 0, errors
    names = [each["name"] for each in backup.json["files"]]
    assert names == ["home-AU.db", "home-HK.db", "home-NZ.db", "home-SG.db", "ledger.db"]
    assert checked.json["consistent"]
    assert verified.json["verified"]
    assert checked.json["height"] <= verified.json["height"]
    assert all(path.stat().st_mode & 0o077 == 0 for path in drill.backups.glob("today/*.db"))
    assert not (drill.backups / "today" / "guard").exists()

    # More is published and sealed, then the disk with the stores is damaged.
    assert drill.publish(tmp_path, ["HK55555555"]).code == 0
    (drill.backups / "chain.aeo").unlink()
    before = drill.export(drill.backups / "chain.aeo")
    drill.kill()
    drill.run("restore")
    drill.start()
    assert drill.verdict("HK55555555") == "RECOGNISED"  # published after the backup of home-HK.db
    assert drill.publish(tmp_path, ["HK66666666"]).code == 0
    assert drill.verdict("HK66666666") == "RECOGNISED"
    after = drill.export(tmp_path / "after.aeo")
    assert after["height"] > before["height"]
    # The new chain has the old one's newest header: nothing was rewritten.
    anchor = f"{before['height']}:{before['header_hash']}"
    assert run("verify", "ledger", tmp_path / "after.aeo", "--anchor", anchor).code == 0
    drill.stop()


def test_the_guard_refuses_an_older_copy(drill: Drill, tmp_path: Path) -> None:
    drill.aeo("backup", drill.folder, tmp_path / "old")
    assert drill.publish(tmp_path, ["HK44444444"]).code == 0
    drill.stop()
    data = drill.folder / "data"
    whole = tmp_path / "whole"
    shutil.copytree(data, whole)
    for path in data.glob("ledger.db*"):
        path.unlink()
    shutil.copy(tmp_path / "old" / "ledger.db", data)
    said = drill.refused()
    assert "older copy" in said
    assert "Traceback" not in said
    # The newest is brought back, and all is well.
    for path in whole.glob("ledger.db*"):
        shutil.copy(path, data)
    drill.start()
    assert drill.verdict("HK44444444") == "RECOGNISED"


def test_a_machine_is_gone(drill: Drill, tmp_path: Path) -> None:
    drill.run("backup")
    assert drill.publish(tmp_path, ["HK44444444"]).code == 0
    (drill.backups / "chain.aeo").unlink()
    before = drill.export(drill.backups / "chain.aeo")
    drill.kill()
    shutil.rmtree(drill.folder / "data")
    said = drill.refused()
    assert "ledger.db" in said or "guard" in said
    shutil.rmtree(drill.folder / "data", ignore_errors=True)
    restored, _ = drill.run("disaster")
    assert restored.json["restored"]
    assert restored.json["header_hash"] == before["header_hash"]
    marks = parse_guard((drill.folder / "data" / "guard").read_bytes())
    assert len(marks) == 4
    assert {mark.height for mark in marks.values()} == {before["height"]}
    drill.start()
    for tin in (*TRADERS, "HK44444444"):
        assert drill.verdict(tin) == "RECOGNISED"
    assert drill.publish(tmp_path, ["HK55555555"]).code == 0
    assert drill.verdict("HK55555555") == "RECOGNISED"
    drill.stop()
    drill.aeo("fsck", drill.folder)


def test_nothing_is_restored_from_what_does_not_verify(
    stopped: Drill, chain: Path, tmp_path: Path
) -> None:
    drill = stopped
    export = shutil.copy(chain, tmp_path / "chain.aeo")
    config = ("--config", drill.folder / "node.toml")
    network = ("--network-id", drill.network_id)
    ledger = drill.folder / "data" / "ledger.db"
    there = run("ledger", "restore", export, *config, *network)
    assert there.code == 2
    assert "move it away" in there.err
    kept = ledger.read_bytes()
    for path in ledger.parent.glob("ledger.db*"):
        path.unlink()
    # The guard survived: a new one is not made beside it.
    assert run("ledger", "restore", export, *config, *network, "--new-guard").code == 2
    data = bytearray(export.read_bytes())
    data[len(data) // 2] ^= 1
    export.write_bytes(data)
    said = run("ledger", "restore", export, *config, *network, "--json")
    assert (said.code, said.json["restored"]) == (1, False)
    export.write_bytes(bytes(data[:-1]))
    assert run("ledger", "restore", export, *config, *network).code == 1
    assert run("ledger", "restore", export, *config, "--network-id", "00" * 32).code == 1
    assert not list(ledger.parent.glob("ledger.db*"))
    ledger.write_bytes(kept)


def test_a_backup_is_whole_or_not_there(stopped: Drill, tmp_path: Path) -> None:
    drill = stopped
    assert run("backup", tmp_path, tmp_path / "none").code == 2
    assert not (tmp_path / "none").exists()
    drill.aeo("backup", drill.folder, tmp_path / "one")
    again = run("backup", drill.folder, tmp_path / "one")
    assert again.code == 2
    assert "never overwritten" in again.err
    home = drill.folder / "data" / "home-HK.db"
    damaged = bytearray(home.read_bytes())
    damaged[4096:40960] = bytes(36864)
    home.write_bytes(damaged)
    assert run("backup", drill.folder, tmp_path / "two").code in (1, 3)
    assert not (tmp_path / "two").exists()
    assert not list(tmp_path.glob(".two*"))
