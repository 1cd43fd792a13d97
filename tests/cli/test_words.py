"""Words for people: verdicts, instants, arrangement texts."""

import pytest
from rich.console import Console

from aeo.exchange.v1 import verdict_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2 as text_pb
from ledger.customs.arrangement import format_arrangement_text, parse_arrangement_text
from service.cli.arranging.file import read_arrangement
from service.cli.asking.verdict_text import REASONS, describe, text
from service.cli.civil import format_day, format_last_day, parse_instant
from service.cli.errors import InputRefused

ZONES = {"HK": "Asia/Hong_Kong", "NZ": "Pacific/Auckland"}
MINIMAL = 'name = "HK-NZ"\nkind = "RECOGNITION"\nparties = ["HK", "NZ"]\n'
RULE = '[[rule]]\nissuing = "HK"\nrecognising = "NZ"\nfrom = 2026-01-01\n'


def words(verdict: pb.Verdict) -> str:
    console = Console(width=200)
    with console.capture() as capture:
        console.print(
            text("X", verdict, "SEALED", names={}, time_zone=lambda each: ZONES.get(each, "UTC"))
        )
    return capture.get()


def test_every_reason_has_words() -> None:
    assert set(REASONS) == set(pb.Reason.values()) - {pb.REASON_UNSPECIFIED}


@pytest.mark.parametrize("reason", sorted(REASONS))
def test_a_verdict_with_little_in_it_can_be_shown(reason: int) -> None:
    verdict = pb.Verdict(outcome=pb.OUTCOME_NOT_RECOGNISED, reason=reason)  # type: ignore[arg-type]
    assert REASONS[reason][1:] in words(verdict)
    assert describe(verdict, "RECORDED", {})["reason"] == pb.Reason.Name(verdict.reason)[7:]


def test_instructions_cannot_write_to_the_terminal() -> None:
    verdict = pb.Verdict(
        outcome=pb.OUTCOME_RECOGNISED,
        reason=pb.REASON_NONE,
        benefits=[pb.GrantedBenefit(code=1, instruction="[bold]wave\x1b[2Jthr\u202eough")],  # type: ignore[arg-type]
    )
    said = words(verdict)
    assert not {"\x1b", "\u202e"} & set(said)
    assert "[bold]wave" in said


def test_a_certificate_without_end_and_a_pilot() -> None:
    verdict = pb.Verdict(
        outcome=pb.OUTCOME_RECOGNISED,
        reason=pb.REASON_NONE,
        issuing_economy="HK",
        valid_from=parse_instant("2024-06-01", "Asia/Hong_Kong"),
        pilot=True,
        tin_warnings=[pb.TIN_WARNING_CHECK_DIGIT],
    )
    said = words(verdict)
    assert "from 2024-06-01 without end (Asia/Hong_Kong" in said
    assert "one operator may hold all keys" in said
    assert "check digit does not fit" in said


@pytest.mark.parametrize("zone", ["Pacific/Auckland", "Asia/Hong_Kong", "America/Santiago"])
@pytest.mark.parametrize("day", ["2026-01-01", "2026-04-05", "2024-02-29"])
def test_civil_days_there_and_back(day: str, zone: str) -> None:
    assert format_day(parse_instant(day, zone), zone) == day
    assert format_last_day(parse_instant(day, zone, last_day=True), zone) == day


def test_an_end_within_a_day_is_shown_as_it_is() -> None:
    noon = parse_instant("2026-01-01T12:00+00:00")
    assert format_last_day(noon, "UTC") == "2026-01-01 12:00:00 +0000 (exclusive)"
    assert format_day(noon, "UTC") == "2026-01-01 12:00:00 +0000"


@pytest.mark.parametrize("wrong", ["", "yesterday", "2026-13-01", "2026-01-01T12:00", "9999-99"])
def test_not_an_instant(wrong: str) -> None:
    with pytest.raises(InputRefused):
        parse_instant(wrong)


def test_a_text_that_the_ledger_takes() -> None:
    read = read_arrangement(
        MINIMAL
        + "consent_required = true\nstaleness_minutes = 30\nnotice_days = 90\n"
        + 'supply_chain_roles = ["IM", "EX"]\n'
        + RULE
        + 'to = 2026-12-31\nfunctions = ["SE", "EX", "EX"]\ndirections = ["TRANSIT", "IMPORT"]\n'
        'transport_modes = [4, 1]\nbenefits = ["PRIORITY_INSPECTION by MPI", "DEDICATED_LANE"]\n'
        'relevant_event = "ARRIVAL"\ngoods_under_way = "HONOURED"\n',
        ZONES.get,
    )
    read.lookup_key_commitment = bytes(32)
    data = format_arrangement_text(read)
    assert parse_arrangement_text(data).parties == ("HK", "NZ")
    [rule] = read.rules
    assert list(rule.functions) == ["EX", "SE"]
    assert list(rule.transport_modes) == [1, 4]
    assert rule.to == parse_instant("2027-01-01", "Pacific/Auckland")
    assert [(each.code, each.granted_by) for each in rule.benefits] == [
        (text_pb.BENEFIT_CODE_PRIORITY_INSPECTION, "MPI"),
        (text_pb.BENEFIT_CODE_DEDICATED_LANE, "CUSTOMS"),
    ]
    assert read.staleness_limit == 1_800_000


@pytest.mark.parametrize(
    ("written", "why"),
    [
        ("", "name is missing"),
        ("name", "not TOML"),
        (MINIMAL + "colour = 1", "colour is none of name"),
        (MINIMAL + "notice_days = true", "notice_days must be of type int"),
        (MINIMAL + "rule = [1]", "rule 1: must be a table"),
        (MINIMAL.replace("RECOGNITION", "LOVE"), "kind: LOVE is none of RECOGNITION"),
        (MINIMAL + RULE.replace("from", "to"), "rule 1: from is missing"),
        (MINIMAL + RULE.replace('"NZ"', '"SG"'), "recognising: SG is not a member"),
        (MINIMAL + RULE + "transport_modes = [9]", "rule 1: transport_modes are 1 to 8"),
        (MINIMAL + RULE + "transport_modes = [[]]", "rule 1: transport_modes are 1 to 8"),
        (MINIMAL + RULE + 'directions = ["UP"]', "rule 1: directions: UP is none of IMPORT"),
        (MINIMAL + RULE + 'benefits = ["GIFTS"]', "rule 1: benefits: GIFTS is none of"),
        (MINIMAL + RULE + "functions = [1]", "rule 1: functions must be a list of strings"),
        (MINIMAL + RULE + 'to = "soon"', "rule 1: to must be of type date"),
    ],
)
def test_a_faulty_text_names_the_key(written: str, why: str) -> None:
    with pytest.raises(InputRefused, match=why):
        read_arrangement(written, ZONES.get)
