"""`aeo alias` and `aeo chain` against a real node."""

from pathlib import Path

import pytest

from commands import Aeo, Pilot, run

CERTIFICATES = """tin,certificate,roles,status,valid_from,valid_to
HK30000001,AEO-1,EX;IM,CERTIFIED,2024-06-01,2029-12-31
HK30000002,AEO-2,EX,CERTIFIED,2024-06-01,2029-12-31
"""
# The conversion to a NACCS code drops the serial, so the two share one.
ALIASES = """tin,scheme,value,valid_from,valid_to,arrangements
HK30000001,jp-naccs,P4MY12345000,,,
HK30000001,US-MID,HKEXA123HON,2024-01-01,2029-12-31,HK-NZ
HK30000002,JP-NACCS,P4MY12345000,,,
"""
HEAD = "function,tin,alias\n"


@pytest.fixture(scope="module")
def traders(pilot: Pilot) -> Pilot:
    """Two traders of Hong Kong and their aliases."""
    profile = pilot.profile("HK", "officer")
    register, aliases = pilot.folder / "traders.csv", pilot.folder / "aliases.csv"
    register.write_text(CERTIFICATES)
    aliases.write_text(ALIASES)
    assert run("publish", register, *profile).code == 0
    said = run("alias", "publish", aliases, *profile, "--json")
    assert said.code == 0, said.err
    assert (said.json["unchanged"], said.json["faults"]) == (0, [])
    [publication] = said.json["publications"]
    assert (publication["recorded"], publication["refused"]) == (3, [])
    return pilot


def test_looked_up_by_an_alias(aeo: Aeo, traders: Pilot) -> None:
    ask = ("--function", "EX", "--mode", "1", *traders.profile("NZ", "risk-engine"), "--json")
    assert aeo("lookup", "--alias", "us-mid:HKEXA123HON", *ask).json["reason"] == "NONE"
    shared = aeo("lookup", "--alias", "JP-NACCS:P4MY12345000", *ask)
    assert (shared.code, shared.json["reason"]) == (1, "ALIAS_AMBIGUOUS")


def test_what_is_published_already_is_left_alone(aeo: Aeo, traders: Pilot) -> None:
    said = aeo(
        "alias", "publish", traders.folder / "aliases.csv", *traders.profile("HK", "officer")
    )
    assert said.code == 0
    assert "aliases published  0" in said.out
    assert "as published       3" in said.out


def test_faulty_rows_are_told_by_line(aeo: Aeo, traders: Pilot, tmp_path: Path) -> None:
    file = tmp_path / "aliases.csv"
    file.write_text(
        "tin,scheme,value,valid_from,valid_to,arrangements\n"
        "HK30000001,EORI,,,,\n"
        "NZ1,EORI,1,,,\n"
        "HK30000001,EO RI,1,,,\n"
        "HK30000001,EORI,1,June,,\n"
        "HK30000001,EORI,1,,,NOWHERE\n"
        "HK30000001,EORI,GOOD,,2026-12-31,\n"
    )
    profile = traders.profile("HK", "officer")
    said = aeo("alias", "publish", file, *profile, "--json")
    assert said.code == 1
    assert [(each["line"], each["place"]) for each in said.json["faults"]] == [
        (2, "value"),
        (3, "TIN_NOT_OURS"),
        (4, "SCHEME_MALFORMED"),
        (5, "valid_from"),
        (6, "arrangements"),
    ]
    assert "line 5, valid_from: 'June' is neither a date" in said.err
    [publication] = said.json["publications"]
    assert publication["recorded"] == 1
    shown = aeo("alias", "list", "EORI:GOOD", "--tin", "HK30000001", *profile)
    assert shown.code == 0
    assert "HK30000001" in shown.out
    assert "2026-12-31" in shown.out


def test_the_list_names_only_who_is_asked_about(aeo: Aeo, traders: Pilot) -> None:
    profile = traders.profile("HK", "officer")
    command = ("alias", "list", "JP-NACCS:P4MY12345000", "--tin", "hk30000002", *profile)
    records = aeo(*command, "--json").json["records"]
    assert sorted(each["tin"] for each in records) == ["", "HK30000002"]
    assert {each["arrangement"] for each in records} == {"HK-NZ"}
    nothing = aeo("alias", "list", "EORI:NOBODY", *profile)
    assert (nothing.code, nothing.out.strip()) == (1, "EORI:NOBODY is not published")


def test_a_chain(aeo: Aeo, traders: Pilot, tmp_path: Path) -> None:
    file = tmp_path / "parties.csv"
    command = ("chain", file, "--mode", "1", *traders.profile("NZ", "risk-engine"))
    file.write_text(HEAD + "EX,HK30000001,\ncz,,US-MID:HKEXA123HON\n")
    whole = aeo(*command)
    assert whole.code == 0
    assert whole.out.startswith("WHOLE CHAIN CERTIFIED\n")
    assert "2 of 2 parties (100%)" in whole.out
    file.write_text(HEAD + "EX,HK30000001,\nCA,,\nEX,HK39999999,\n")
    said = aeo(*command, "--json")
    assert said.code == 1
    told = said.json
    assert (told["declared"], told["certified"], told["without_identifier"]) == (3, 1, 1)
    assert (told["whole_chain_certified"], told["missing"]) == (False, [])
    verdicts = [party["verdict"] for party in told["parties"]]
    assert verdicts[1] is None
    assert (verdicts[0]["reason"], verdicts[2]["reason"]) == ("NONE", "NO_RECORD")
    for_people = aeo(*command)
    assert "declared without an identifier" in for_people.out
    assert "1 of 3 parties (33%)" in for_people.out


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("tin\nHK1\n", "its columns must be function"),
        ("function,colour\nEX,red\n", "its columns must be function"),
        (HEAD + "EX,HK1,A:1\n", "line 2: a tin or an alias, not both"),
        (HEAD + "EX,HK1,,,\n", "line 2: more cells than the heading"),
        (HEAD + "EX,,NACCS\n", "alias NACCS is not SCHEME:VALUE"),
        (HEAD + ",HK1,\n", "parties[0].function"),
        (HEAD, "parties: 1 to 100, not 0"),
    ],
)
def test_a_faulty_file_of_parties(
    aeo: Aeo, traders: Pilot, tmp_path: Path, text: str, why: str
) -> None:
    file = tmp_path / "parties.csv"
    file.write_text(text)
    said = aeo("chain", file, "--mode", "1", *traders.profile("NZ", "risk-engine"))
    assert (said.code, said.out) == (2, "")
    assert why in said.err
