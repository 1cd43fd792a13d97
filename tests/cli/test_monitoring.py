"""`aeo report` and `aeo consent` against a real node, from the files that officers write."""

from pathlib import Path

import pytest

from commands import Aeo, Pilot, run

HEAD = (
    "declaration,operator,partner,mode,clearance,lodged,arrived,released,delivered,arrangement,"
    "certified,benefits,value,direct_trade,sme,parties,certified_parties,customs_seconds\n"
)
QUARTER = ("--from", "2026-01-01", "--to", "2026-03-31")


def line(number: int, mode: int = 4, clearance: str = "free", shared: str = "HK-NZ") -> str:
    benefits = "LOWER_INSPECTION_RATE:CUSTOMS" if shared else ""
    return (
        f"D-{mode}-{number},HK4000000{number % 8},HK,{mode},{clearance},2026-02-01T10:00+13:00,"
        f"2026-02-01T09:00+13:00,2026-02-01T10:{number % 60:02}+13:00,2026-02-01T23:00+13:00,"
        f"{shared},{'yes' if shared else 'no'},{benefits},1000,yes,no,3,1,\n"
    )


@pytest.fixture(scope="module")
def cleared(pilot: Pilot) -> Pilot:
    """New Zealand has recorded what it cleared."""
    rows = [line(number) for number in range(1, 31)]
    rows += [line(100 + number, shared="") for number in range(20)]
    rows += [line(200 + number, mode=5) for number in range(3)]
    file = pilot.folder / "cleared.csv"
    file.write_text(HEAD + "".join(rows))
    said = run("report", "record", file, *pilot.profile("NZ", "officer"), "--json")
    assert said.code == 0, said.err
    assert (said.json["recorded"], said.json["recorded_before"]) == (53, 0)
    return pilot


def test_a_declaration_counts_once(aeo: Aeo, cleared: Pilot) -> None:
    file = cleared.folder / "cleared.csv"
    said = aeo("report", "record", file, *cleared.profile("NZ", "officer"), "--json")
    assert (said.code, said.json["recorded"], said.json["recorded_before"]) == (0, 0, 53)


def test_faulty_rows_are_told_by_line(aeo: Aeo, cleared: Pilot, tmp_path: Path) -> None:
    file = tmp_path / "bad.csv"
    good = line(999, shared="")
    file.write_text(
        HEAD
        + good
        + good.replace("D-4-999", "D-x1").replace("HK,4,free", "HK,air,free")
        + good.replace("D-4-999", "D-x2").replace("free", "perhaps")
        + good.replace("D-4-999", "D-x3").replace("2026-02-01T10:00+13:00", "2026-02-01T10:00")
        + good.replace("D-4-999", "D-x4").replace("2026-02-01T10:00+13:00", "2026-02-02T10:00Z")
        + good.replace("D-4-999", "D-x5").replace(",no,,1000", ",maybe,,1000")
        + "D-x6,HK1\n"
    )
    said = aeo("report", "record", file, *cleared.profile("NZ", "officer"), "--json")
    assert (said.code, said.json["recorded"]) == (1, 1)
    assert [(each["line"], each["place"]) for each in said.json["faults"]] == [
        (3, "mode"),
        (4, "clearance"),
        (5, "lodged"),
        (6, "TIMES_OUT_OF_ORDER"),
        (7, "certified"),
        (8, "row"),
    ]
    no_columns = tmp_path / "none.csv"
    no_columns.write_text("declaration,colour\n")
    assert aeo("report", "record", no_columns, *cleared.profile("NZ", "officer")).code == 2


def test_indicators_show_denominators_and_withhold_small_cells(aeo: Aeo, cleared: Pilot) -> None:
    profile = cleared.profile("NZ", "officer")
    period = ("HK-NZ", *QUARTER)
    assert aeo("report", "figure", "HK-NZ", "look-ups", "120", *QUARTER, *profile).code == 0
    assert aeo("report", "figure", "HK-NZ", "lunches", "1", *QUARTER, *profile).code == 2
    said = aeo("report", "indicators", *period, *profile, "--json")
    assert said.code == 0, said.err
    shares = {
        (each["indicator"], each["group"], each["benefit"]): each for each in said.json["shares"]
    }
    use = shares["USE", "", "LOWER_INSPECTION_RATE"]
    assert (use["numerator"], use["denominator"], use["granted_by"]) == (33, 33, "CUSTOMS")
    mpi = shares["USE", "", "PRIORITY_INSPECTION"]
    assert (mpi["numerator"], mpi["percent"], mpi["granted_by"]) == (0, "0.00", "MPI")
    assert shares["EXAMINATION", "OTHER_AEO", ""]["state"] == "NO_RECORDS"
    counts = {each["indicator"]: each for each in said.json["counts"]}
    assert counts["LOOK_UPS"]["count"] == 120
    assert counts["APPLICATIONS_SUBMITTED"] == {
        "indicator": "APPLICATIONS_SUBMITTED",
        "benefit": "",
        "granted_by": "",
        "reason": "",
        "state": "NOT_AVAILABLE",
        "count": None,
    }
    people = aeo("report", "indicators", *period, *profile).out
    assert "declarations given it / declarations RECOGNISED" in people
    assert "not available" in people


def test_own_release_times(aeo: Aeo, cleared: Pilot) -> None:
    profile = cleared.profile("NZ", "officer")
    asked = ("report", "release-times", "--arrangement", "HK-NZ", *QUARTER, *profile)
    said = aeo(*asked, "--json").json
    states = {
        (each["stage"], each["transport_mode"], each["clearance_mode"], each["group"]): each[
            "state"
        ]
        for each in said["release_times"]
    }
    assert states[1, 5, "FREE", "WITH_RECOGNITION"] == "WITHHELD"
    assert states[1, 4, "PAPER_REVIEW", "WITHOUT"] == "NO_RECORDS"
    assert states[1, 4, "FREE", "WITHOUT"] == "GIVEN"
    assert "withheld" in aeo(*asked).out
    assert aeo("report", "release-times", "x.csv", *asked[2:]).code == 2
    assert aeo("report", "release-times", "--arrangement", "HK-NZ").code == 2


def test_a_report_is_published_and_signed_by_the_partner(aeo: Aeo, cleared: Pilot) -> None:
    period = ("HK-NZ", *QUARTER)
    approver, partner = cleared.profile("NZ", "approver"), cleared.profile("HK", "officer")
    officer = cleared.profile("NZ", "officer")

    def prepare(*words: str) -> str:
        waiting = aeo("report", *words, "--json")
        assert waiting.code == 0, waiting.err
        return waiting.json["pending"]["step_id"]

    step = prepare("publish", *period, *officer)
    assert aeo("report", "list", "HK-NZ", *partner, "--json").json["reports"] == []
    made = aeo("approve", step, *approver, "--json")
    assert made.code == 0, made.err
    assert made.json["summary"].startswith("publish the report on arrangement ")
    # Nobody alone, an approver neither.
    own = prepare("publish", *period, *approver)
    assert "somebody else approves it" in aeo("approve", own, *approver).err
    again = aeo("approve", prepare("publish", *period, *officer), *approver)
    assert again.code == 1
    assert "REPORT_UNCHANGED" in again.err
    late = aeo("report", "publish", "HK-NZ", "--from", "2026-04-01", "--to", "2999-01-01", *officer)
    assert late.code == 1
    [report] = aeo("report", "list", "HK-NZ", *partner, "--json").json["reports"]
    assert (report["report_hash"], report["signed_by"]) == (made.json["report_hash"], [])
    assert aeo("report", "sign", "HK-NZ", "NZ", "00" * 32, *partner).code == 2
    step = prepare("sign", "HK-NZ", "NZ", report["report_hash"], *partner)
    signed = aeo("approve", step, *cleared.profile("HK", "approver"), "--json")
    assert signed.json["signed_by"] == ["HK"]
    assert "HK" in aeo("report", "list", *approver).out


def test_consents(aeo: Aeo, pilot: Pilot, tmp_path: Path) -> None:
    profile = pilot.profile("HK", "officer")
    file = tmp_path / "consents.csv"
    file.write_text(
        "tin,arrangement,consent,stated\n"
        "HK50000001,HK-NZ,given,2026-01-31\n"
        "HK50000002,HK-NZ,perhaps,\n"
        "NZ1,HK-NZ,given,\n"
        "HK50000003,NOWHERE,given,\n"
        "HK50000004,HK-NZ,given,2999-01-01\n"
    )
    said = aeo("consent", "record", file, *profile, "--json")
    assert (said.code, said.json["recorded"]) == (1, 1)
    assert [(each["line"], each["place"]) for each in said.json["faults"]] == [
        (3, "consent"),
        (4, "TIN_NOT_OURS"),
        (5, "arrangement"),
        (6, "STATED_LATER"),
    ]
    assert aeo("consent", "record", file, *profile, "--json").json["unchanged"] == 1
    register = tmp_path / "register.csv"
    register.write_text(
        "tin,certificate,roles,status,valid_from,valid_to\n"
        "HK50000001,AEO-50,EX,CERTIFIED,2024-06-01,2029-12-31\n"
    )
    assert aeo("publish", register, *profile).code == 0
    engine = pilot.profile("NZ", "risk-engine")
    ask = ("lookup", "HK50000001", "--function", "EX", "--mode", "1", *engine, "--json")
    assert aeo(*ask).json["reason"] == "NONE"
    ended = aeo("consent", "withdraw", "HK50000001", "HK-NZ", *profile, "--json")
    assert (ended.code, ended.json["ended_certificates"]) == (0, 1)
    for _ in range(50):
        reason = aeo(*ask).json["reason"]
        if reason == "NOT_SHARED":
            break
    assert reason == "NOT_SHARED"
    again = aeo("consent", "withdraw", "HK50000001", "HK-NZ", *profile)
    assert (again.code, "CONSENT_UNCHANGED" in again.out) == (1, True)
    history = aeo("consent", "list", "HK50000001", *profile, "--json").json["consents"]
    assert [each["given"] for each in history] == [True, False]
    assert history[0]["recorded_by"].startswith("officer/")
    assert aeo("consent", "list", "HK59999999", *profile).code == 1
    assert aeo("consent", "give", "HK50000001", "HK-NZ", *engine).code == 2
