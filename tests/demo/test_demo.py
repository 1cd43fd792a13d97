"""The demonstration, whole: it ends well, says what it is made of, and leaves what it promised."""

import shlex
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

import pytest

from service.demo.figures import load_figures
from service.demo.firms import make_firms
from service.demo.texts import INFORMATION_NAME, arrangement_texts, rule_begins
from tests.commands import process
from tests.demo.searching import Words

SECONDS = 240
# Of the firms that the scene of names adds.
IN_PROFILES = (
    *("Pearl Orient Trading", "Orient Star Freight", "東方明珠貿易", "7 Canton Road"),
    *("DEMO-PROFILE", "HK9999999999", "HK9999999998"),
)


def aeo(*arguments: object) -> tuple[int, str, str]:
    """Exit code, stdout and stderr of a command."""
    running = process(*map(str, arguments))
    stdout, stderr = running.communicate(timeout=SECONDS)
    return running.returncode, stdout, stderr


def running_commands() -> Iterator[bytes]:
    for path in Path("/proc").glob("[0-9]*/cmdline"):
        with suppress(OSError):  # it ended meanwhile
            yield path.read_bytes()


class Played(NamedTuple):
    """A demonstration that has ended: its folder, and what it said."""

    folder: Path
    said: str


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Played:
    folder = tmp_path_factory.mktemp("demo") / "network"
    code, said, stderr = aeo("demo", folder)
    assert code == 0, said + stderr
    return Played(folder, said)


@pytest.mark.timeout(SECONDS + 60)
def test_the_demonstration(played: Played) -> None:
    folder, said = played
    for told in (
        "Made up:",
        "93,674 records in the ledger",
        "2016-10-01 00:00 Asia/Taipei",
        "NOT_RECOGNISED  SUSPENDED",
        "NOT_RECOGNISED  NO_RECORD",
        "NOT_RECOGNISED  LEVEL_NOT_COVERED",
        "NOT_RECOGNISED  MODE_NOT_COVERED",
        "NOT_RECOGNISED  ARRANGEMENT_NOT_YET",
        "INFORMATION_ONLY  NO_RECOGNITION",
        "UNDETERMINED  ISSUER_STALE",
        "Its status is still CERTIFIED",
        "gets a new lookup key",
        "KR has signed the same bytes",
        "takes its consent back",
        "hands over",
        "withheld",
        "is verified offline from the network id alone",
        "does not verify: ",
        "done in",
    ):
        assert told in said, told
    assert "not proved" not in said

    # The commands that it prints work, but for the one that runs a node.
    printed = [shlex.split(line) for line in said.splitlines() if line.startswith("  aeo ")]
    assert [words[1] for words in printed] == ["node", "lookup", "verify", "fsck"]
    for words in printed[2:]:
        code, stdout, stderr = aeo(*words[1:])
        assert code == 0, f"{words}\n{stdout}{stderr}"

    # Nothing that it started runs on.
    assert not any(str(folder).encode() in command for command in running_commands())


@pytest.mark.timeout(SECONDS + 60)
def test_the_ledger_names_nobody(played: Played) -> None:
    firms = [firm for own in make_firms(load_figures()).values() for firm in own]
    named = [
        word
        for firm in firms
        for word in (firm.tin, firm.name, *(held.number for held in firm.certificates))
    ]
    words = Words([*named, *IN_PROFILES])
    assert len(words) > 2 * len(firms)
    exported = (played.folder / "ledger.aeo").read_bytes()
    assert len(exported) > 5_000_000
    assert list(words.find(exported)) == []
    for path in (played.folder / "data").glob("ledger.db*"):
        assert list(words.find(path.read_bytes())) == [], path


def test_a_folder_of_somebody_else_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "thesis.txt").write_text("years of work")
    code, _, stderr = aeo("demo", tmp_path)
    assert code == 2
    assert "not made by the demonstration" in stderr
    assert [path.name for path in tmp_path.iterdir()] == ["thesis.txt"]


def test_firms_hold_what_the_figures_count() -> None:
    figures = load_figures()
    firms = make_firms(figures)
    for row in figures.holdings:
        roles = tuple(sorted((code, row.transport_mode) for code in row.roles))
        held = [
            certificate
            for firm in firms[row.economy]
            for certificate in firm.certificates
            if certificate.roles == roles
        ]
        same = [
            other.count
            for other in figures.holdings
            if (other.economy, other.roles, other.transport_mode)
            == (row.economy, row.roles, row.transport_mode)
        ]
        assert len(held) == sum(same), row
    assert {len(firms[economy]) for economy in ("BN", "EU", "KH", "LA", "MM", "PH")} == {3}
    assert make_firms(figures) == firms
    tins = [firm.tin for own in firms.values() for firm in own]
    assert len(set(tins)) == len(tins)


def test_every_pair_of_the_many_begins_on_the_later_day() -> None:
    figures = load_figures()
    texts = arrangement_texts(figures)
    many = texts["AAMRA"]
    begins = {
        (rule.issuing, rule.recognising): rule_begins(figures, many, rule) for rule in many.rules
    }
    assert many.staged_starts
    # A party without a day of its own recognises none of the six.
    assert len(begins) == 6 * (len(many.parties) - 1)
    assert sum(begun is not None for begun in begins.values()) == 6 * 5
    assert begins["PH", "SG"] == begins["SG", "PH"] == 1_740_672_000_000  # 2025-02-28, UTC+8
    assert begins["BN", "TH"] == 1_724_000_400_000  # 2024-08-19 in Bangkok
    assert begins["TH", "BN"] == 1_723_996_800_000  # the same day in Brunei
    assert begins["TH", "KH"] is None
    assert len(texts[INFORMATION_NAME].rules) == 18 * 17
