"""`aeo arrangement` beyond signing: amend, start, keys and instructions, against a node."""

from pathlib import Path

import pytest

from commands import ARRANGEMENT, Aeo, Pilot, together

REGISTER = """tin,certificate,roles,status,valid_from
HK55000001,T-1,EX,CERTIFIED,2024-01-01
HK55000002,T-2,EX,CERTIFIED,2024-01-01
"""


def proposed(pilot: Pilot, folder: Path, name: str, more: str = "") -> str:
    """The id of a text of that name, signed by both."""
    text = folder / "text.toml"
    text.write_text(more + ARRANGEMENT.replace('"HK-NZ"', f'"{name}"'))
    made = together(pilot, "HK", "arrangement", "propose", text).json["arrangement"]
    for economy in ("HK", "NZ"):
        options = (made["arrangement_id"], "--text-hash", made["text_hash"])
        assert together(pilot, economy, "arrangement", "sign", *options).code == 0
    return str(made["arrangement_id"])


def test_a_new_text_is_signed_by_both(pilot: Pilot, tmp_path: Path, aeo: Aeo) -> None:
    shared = proposed(pilot, tmp_path, "Amended")
    text = tmp_path / "new.toml"
    text.write_text(ARRANGEMENT.replace('"HK-NZ"', '"Amended"').replace("2029-12-31", "2030-12-31"))
    waits = together(pilot, "HK", "arrangement", "amend", shared, text).json["arrangement"]
    assert waits["amendment_hash"] != waits["text_hash"]
    assert waits["amendment_signatures"] == []
    shown = aeo("arrangement", "get", shared, *pilot.profile("NZ", "auditor"))
    assert "amendment" in shown.out
    assert waits["amendment_hash"] in shown.out
    # The old text is not what is to be signed now.
    options = (shared, "--text-hash", waits["text_hash"])
    refused = aeo("arrangement", "sign", *options, *pilot.profile("NZ", "officer"))
    assert refused.code == 1, refused
    for economy in ("HK", "NZ"):
        options = (shared, "--text-hash", waits["amendment_hash"])
        signed = together(pilot, economy, "arrangement", "sign", *options).json["arrangement"]
    assert (signed["text_hash"], signed["amendment_hash"]) == (waits["amendment_hash"], None)


def test_staged_starts(pilot: Pilot, tmp_path: Path, aeo: Aeo) -> None:
    shared = proposed(pilot, tmp_path, "Staged", "staged_starts = true\n")
    began = together(pilot, "HK", "arrangement", "start", shared, "2026-10-01").json["arrangement"]
    days = began["starts"]["HK"]
    # Auckland's first of October begins four hours before Hong Kong's, five in summer time.
    assert days["HK"] - days["NZ"] == 5 * 3_600_000
    shown = aeo("arrangement", "get", shared, *pilot.profile("NZ", "auditor"))
    assert "HK on 2026-10-01" in shown.out
    said = aeo("arrangement", "start", shared, "October", *pilot.profile("NZ", "officer"))
    assert said.code == 2
    assert "is not a date" in said.err


def test_a_new_key(pilot: Pilot, tmp_path: Path, aeo: Aeo) -> None:
    shared = proposed(pilot, tmp_path, "Keys")
    register = tmp_path / "register.csv"
    register.write_text(
        REGISTER.replace("valid_from", "valid_from,arrangements").replace(
            "2024-01-01", f"2024-01-01,{shared}"
        )
    )
    officer = pilot.profile("HK", "officer")
    published = aeo("publish", register, *officer)
    assert published.code == 0, published
    opened = together(pilot, "HK", "arrangement", "open-epoch", shared).json["arrangement"]
    assert (opened["epoch"], opened["pending_epoch"]) == (1, 2)
    assert aeo("arrangement", "republish", shared, *officer, "--json").json["named"] == 0
    early = aeo("arrangement", "republish", shared, "--complete", *officer)
    assert early.code == 1, early
    assert "of 2 certificates 0 are named" in early.err
    done = aeo("arrangement", "republish", shared, register, "--complete", *officer, "--json").json
    assert (done["certificates"], done["copied"], done["republished"]) == (2, 2, ["HK"])
    nobody = aeo(
        "arrangement", "republish", shared, "--complete", *pilot.profile("NZ", "officer"), "--json"
    ).json
    assert (nobody["certificates"], nobody["epoch"], nobody["pending_epoch"]) == (0, 2, None)
    question = ("--function", "EX", "--direction", "IMPORT", "--mode", "1")
    seen = aeo("lookup", "HK55000001", *question, *pilot.profile("NZ", "risk-engine"))
    assert seen.code == 0, seen
    wrong = tmp_path / "wrong.csv"
    wrong.write_text("number\n1\n")
    said = aeo("arrangement", "republish", shared, wrong, *officer)
    assert (said.code, "no column tin" in said.err) == (2, True)


def test_instructions(pilot: Pilot, aeo: Aeo) -> None:
    officer = pilot.profile("NZ", "officer")
    words = "Counter 3, before the others"
    set_ = aeo("arrangement", "instruct", "LIAISON_OFFICER", words, *officer, "--json")
    assert set_.json == {"LIAISON_OFFICER": words}
    assert words in aeo("arrangement", "instruct", *officer).out
    assert aeo("arrangement", "instruct", "LIAISON_OFFICER", "", *officer, "--json").json == {}
    for arguments in (("TEA",), ("TEA", "milk")):
        assert aeo("arrangement", "instruct", *arguments, *officer).code == 2


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ('staged_starts = "yes"\n', "staged_starts must be of type bool"),
        ("notice_days = -1\n", "notice_days must be a number from 0 on"),
        ("[monitoring]\nperiod_days = 0\nreports = []\n", "period_days are 1 to 36525"),
        ("[monitoring]\nreports = []\n", "monitoring: period_days is missing"),
    ],
)
def test_texts_that_cannot_be_read(
    pilot: Pilot, tmp_path: Path, aeo: Aeo, changed: str, said: str
) -> None:
    text = tmp_path / "text.toml"
    plain = ARRANGEMENT.replace("notice_days = 30\n", "")
    head, rule = plain.split("[[rule]]", 1)
    text.write_text(head + changed + "\n[[rule]]" + rule)
    answer = aeo("arrangement", "propose", text, *pilot.profile("HK", "officer"))
    assert answer.code == 2
    assert said in answer.err


def test_a_monitoring_clause(pilot: Pilot, tmp_path: Path, aeo: Aeo) -> None:
    text = tmp_path / "text.toml"
    head, rule = ARRANGEMENT.replace('"HK-NZ"', '"Watched"').split("[[rule]]", 1)
    clause = '[monitoring]\nperiod_days = 90\nreports = ["RELEASE-TIMES"]\n'
    text.write_text(head + clause + "\n[[rule]]" + rule)
    made = together(pilot, "HK", "arrangement", "propose", text).json["arrangement"]
    assert made["text"]["monitoring"] == {"period_days": 90, "reports": ["RELEASE-TIMES"]}
