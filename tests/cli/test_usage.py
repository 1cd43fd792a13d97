"""Wrong usage, bad files, variables, output: everything that needs no node."""

import os
import sqlite3
import subprocess
import sys
from pathlib import Path

import pytest
import typer

from commands import Aeo, process
from ledger.errors import Misbehaviour
from service.cli.commands import Commands
from service.cli.errors import InputRefused
from service.cli.profile import Profile


@pytest.mark.parametrize(
    "arguments",
    [
        ("nonsense",),
        ("lookup", "--nonsense"),
        ("lookup", "HK1", "--mode", "9"),
        ("lookup", "HK1", "--mode", "1", "--function", "EX", "--direction", "UP"),
        ("lookup",),
        ("lookup", "HK1", "--file", "x.csv"),
        ("lookup", "--file", "x.csv", "--proof"),
        ("lookup", "HK1"),
        ("publish", "no-such-file.csv"),
        ("chain", "no-such-file.csv"),
        ("alias", "publish", "no-such-file.csv"),
        ("alias", "list", "NACCS"),
        ("suspend", "HK1", "--lapses"),
        ("verify", "ledger", "no-such-file"),
        ("verify", "ledger", "x", "--network-id", "12"),
        ("verify", "ledger", "x", "--anchor", "1:12"),
        ("verify", "receipt", "no-such-file", "--network-id", "00" * 32),
        ("verify", "receipt", "x"),
        ("receipt", "get", "HK1", "--function", "EX", "--mode", "1"),
        ("fsck", "no-such-folder"),
        ("bench", "no-such-figure"),
        ("report", "release-times", "no-such-file.csv"),
        ("node", "run", "--config", "no-such-file"),
    ],
)
def test_wrong_usage_ends_with_2_and_prints_no_data(aeo: Aeo, arguments: tuple[str, ...]) -> None:
    said = aeo(*arguments)
    assert (said.code, said.out) == (2, "")
    assert said.err
    assert "Traceback" not in said.err


def test_every_command_explains_itself(aeo: Aeo) -> None:
    for command in (
        *("demo", "bench", "lookup", "publish", "fsck"),
        *("suspend", "reinstate", "revoke", "withdraw", "annul", "end-sharing"),
        *("key new", "network init", "node run", "ledger export", "verify ledger"),
        *("receipt get", "verify receipt"),
        "report release-times",
        *("chain", "alias publish", "alias list"),
        *(
            f"arrangement {name}"
            for name in ["propose", "sign", "suspend", "resume", "end", "get", "list"]
        ),
    ):
        said = aeo(*command.split(), "--help")
        assert said.code == 0
        assert f"aeo {command}" in said.out.partition("Examples:")[2], command


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("colour = 1", "colour is none of address"),
        ("address = 1", "address must be of type str"),
        ("deadline = true", "deadline must be of type float"),
        ("address", "Expected"),
    ],
)
def test_a_faulty_profile(tmp_path: Path, text: str, why: str) -> None:
    path = tmp_path / "profile.toml"
    path.write_text(text)
    with pytest.raises(InputRefused, match=why):
        Profile.read(path)


def test_flags_win_over_variables_and_both_over_the_profile(
    aeo: Aeo, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "profile.toml"
    path.write_text('address = "profile"\nplaintext = "NZ/risk-engine"\n')
    question = ("lookup", "HK1", "--function", "EX", "--mode", "1", "--profile", str(path))
    assert "'profile' is not host:port" in aeo(*question).err
    monkeypatch.setenv("AEO_ADDRESS", "variable")
    assert "'variable' is not host:port" in aeo(*question).err
    assert "'flag' is not host:port" in aeo(*question, "--address", "flag").err
    monkeypatch.setenv("AEO_PROFILE", str(path))
    assert "'variable' is not host:port" in aeo(*question[:-2]).err


def test_files_of_a_profile_lie_beside_it(tmp_path: Path) -> None:
    path = tmp_path / "profile.toml"
    path.write_text('anchor = "a.json"\nauthorities = "/etc/ca.pem"\n')
    profile = Profile.read(path)
    assert profile.anchor == str(tmp_path / "a.json")
    assert profile.authorities == "/etc/ca.pem"


def test_plaintext_names_an_access_role() -> None:
    with pytest.raises(InputRefused, match="access roles are risk-engine"):
        Profile(address="127.0.0.1:1", plaintext="NZ/king").security()


def test_evidence_of_misbehaviour_is_kept(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.chdir(tmp_path)
    app = typer.Typer(cls=Commands)

    @app.command()
    def fork() -> None:
        raise Misbehaviour("two headers of one height are sealed", b"evidence")

    @app.callback()
    def root() -> None:
        pass

    with pytest.raises(SystemExit) as ended:
        app(["fork"])
    assert ended.value.code == 4
    [kept] = tmp_path.iterdir()
    assert kept.read_bytes() == b"evidence"
    assert kept.name in capsys.readouterr().err


def test_fsck_of_a_new_network_and_of_a_damaged_one(aeo: Aeo, tmp_path: Path) -> None:
    folder = tmp_path / "one"
    assert aeo("network", "init", folder, "--members", "SG").code == 0
    whole = aeo("fsck", folder, "--json")
    assert (whole.code, whole.json["consistent"], whole.json["height"]) == (0, True, 0)
    with sqlite3.connect(folder / "data" / "ledger.db") as database:
        for (name,) in database.execute(
            "SELECT name FROM sqlite_master WHERE type = 'trigger'"
        ).fetchall():
            database.execute(f"DROP TRIGGER {name}")
        [(header,)] = database.execute("SELECT data FROM header").fetchall()
        spoilt = bytearray(header)
        spoilt[150] ^= 1
        database.execute("UPDATE header SET data = ?", (bytes(spoilt),))
    database.close()
    damaged = aeo("fsck", folder, "--json")
    assert (damaged.code, damaged.json["place"]) == (1, "header 0")
    assert "header 0" in damaged.err
    unstarted = aeo("node", "run", "--config", folder / "node.toml")
    assert (unstarted.code, "header 0" in unstarted.err) == (1, True)


def test_a_reader_that_has_seen_enough_is_no_error(founded: Path) -> None:
    config = ("--config", founded / "node.toml")
    with process("node", "run", *config, "--check") as checking:
        assert checking.stdout is not None
        assert checking.stderr is not None
        checking.stdout.close()
        said = checking.stderr.read()
    assert (checking.returncode, said) == (0, "")


@pytest.mark.skipif(not hasattr(os, "openpty"), reason="needs a pseudo-terminal")
@pytest.mark.parametrize(("no_colour", "coloured"), [("", True), ("1", False)])
def test_colour_only_on_a_terminal_that_wants_it(no_colour: str, coloured: bool) -> None:
    ours, theirs = os.openpty()
    environment = {**os.environ, "TERM": "xterm", "NO_COLOR": no_colour}
    ended = subprocess.run(
        [sys.executable, "-m", "service.aeo", "fsck", "no-such-folder"],
        stdin=theirs, stdout=subprocess.PIPE, stderr=theirs, env=environment, check=False,
    )  # fmt: skip
    said = os.read(ours, 10_000).decode()
    os.close(ours)
    os.close(theirs)
    assert (ended.returncode, ended.stdout) == (2, b"")
    assert ("\x1b[1;31m" in said) is coloured
    assert "no-such-folder" in said
