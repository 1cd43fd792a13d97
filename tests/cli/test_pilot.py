"""The commands against a real node: publish, look up, single steps, arrangements, evidence."""

import json
from pathlib import Path

import pytest

from commands import Aeo, Pilot, process, run, together
from ledger.errors import Misbehaviour
from service.cli.errors import told
from service.client import TrustFile

HEAD = "tin,certificate,roles,level,status,valid_from,valid_to,arrangements\n"
EX_BY_SEA = ("--function", "EX", "--mode", "1")


@pytest.fixture(scope="module")
def published(pilot: Pilot) -> Pilot:
    """Three traders of Hong Kong: one for looking up, one to be suspended, one to go."""
    register = pilot.folder / "register.csv"
    rows = [f"HK1000000{n},AEO-{n},EX;IM,,CERTIFIED,2024-06-01,2027-12-31,\n" for n in range(1, 6)]
    register.write_text(HEAD + "".join(rows))
    said = run("publish", register, *pilot.profile("HK", "officer"), "--json")
    assert said.code == 0, said.err
    assert len(said.json["changes"]) == 5
    [publication] = said.json["publications"]
    assert (publication["recorded"], publication["refused"]) == (5, [])
    return pilot


def test_a_dry_run_changes_nothing_and_tells_every_faulty_row(
    aeo: Aeo, published: Pilot, tmp_path: Path
) -> None:
    register = tmp_path / "register.csv"
    register.write_text(
        HEAD + "HK10000001,AEO-1,EX;IM,,CERTIFIED,2024-06-01,2028-12-31,\n"
        "HK10000002,AEO-2,EX;IM,,CERTIFIED,2024-06-01,2027-12-31,HK-NZ\n"
        "HK1000?,AEO-3,EX,,CERTIFIED,2024-06-01,,\n"
        "HK10000009,AEO-9,EX,,REVOKED,2024-06-01,,\n"
        "HK10000008,AEO-8,EX,,CERTIFIED,2024-06-01,,NOWHERE\n"
        "HK10000007,AEO-7,EX,,CERTIFIED,June,,\n"
    )
    command = ("publish", register, "--dry-run", *published.profile("HK", "officer"))
    for _ in range(2):
        said = aeo(*command, "--json")
        assert said.code == 1
        result = said.json
        assert set(result) == {
            "file", "economy", "unchanged", "changes", "faults", "publications", "pending",
            "profiles",
        }  # fmt: skip
        assert result["unchanged"] == 1
        assert result["publications"] == []
        [change] = result["changes"]
        told = (change["line"], change["event"], change["fields"], change["arrangement"])
        assert told == (2, "AMEND", ["valid_to"], "HK-NZ")
        assert [(fault["line"], fault["place"]) for fault in result["faults"]] == [
            (4, "TIN_MALFORMED"),
            (5, "CERTIFICATE_UNKNOWN"),
            (6, "arrangements"),
            (7, "valid_from"),
        ]
    said = aeo(*command)
    assert "this was a dry run" in said.out
    assert "line 7, valid_from: June is no date" in said.err


def test_a_recognised_trader(aeo: Aeo, published: Pilot) -> None:
    profile = published.profile("NZ", "risk-engine")
    said = aeo("lookup", " hk1000-0001", *EX_BY_SEA, *profile)
    assert said.code == 0
    assert said.out.startswith("RECOGNISED  HK10000001\nEvery check passed.\n")
    assert "from 2024-06-01 to 2027-12-31 (Asia/Hong_Kong, last day included)" in said.out
    assert "priority inspection (MPI)" in said.out
    assert "brought to capital letters, spaces or hyphens dropped" in said.out
    assert "sealed by more than two thirds" in said.out
    assert "\x1b" not in said.out
    verdict = aeo("lookup", "HK10000001", *EX_BY_SEA, *profile, "--json").json
    assert (verdict["outcome"], verdict["reason"]) == ("RECOGNISED", "NONE")
    assert verdict["benefits"][1] == {
        "code": "PRIORITY_INSPECTION",
        "granted_by": "MPI",
        "instruction": "",
    }


@pytest.mark.parametrize(
    ("options", "reason"),
    [
        (("HK10000001", "--function", "IM", "--mode", "1"), "FUNCTION_NOT_COVERED"),
        (("HK10000001", *EX_BY_SEA, "--direction", "export"), "DIRECTION_NOT_COVERED"),
        (("HK10000001", *EX_BY_SEA, "--as-of", "2023-12-31"), "ARRANGEMENT_NOT_YET"),
        (("HK10000001", *EX_BY_SEA, "--as-of", "2024-01-01"), "NOT_YET_VALID"),
        (("HK10000001", *EX_BY_SEA, "--known-at", "0"), "NO_ARRANGEMENT"),
        (("HK10000001", *EX_BY_SEA, "--known-at", "2001-01-01"), "KNOWN_AT_BEFORE_GENESIS"),
        (("HK99999999", *EX_BY_SEA), "NO_RECORD"),
        (("SG10000001", *EX_BY_SEA), "ISSUER_UNKNOWN"),
        (("nonsense!", *EX_BY_SEA), "TIN_MALFORMED"),
        (("--alias", "X:1", *EX_BY_SEA), "ALIAS_UNKNOWN"),
    ],
)
def test_other_verdicts_end_with_1(
    aeo: Aeo, published: Pilot, options: tuple[str, ...], reason: str
) -> None:
    said = aeo("lookup", *options, *published.profile("NZ", "border-officer"), "--json")
    assert (said.code, said.json["reason"]) == (1, reason)


def test_a_proof_says_what_it_shows_and_what_not(aeo: Aeo, published: Pilot) -> None:
    profile = published.profile("NZ", "risk-engine")
    present = aeo("lookup", "HK10000001", *EX_BY_SEA, "--proof", "--json", *profile)
    assert present.code == 0
    assert present.json["proof"]["verified"] is True
    assert present.json["proof"]["records"] == 1
    anchor = published.folder / "clients" / "NZ" / "risk-engine.anchor.json"
    point = TrustFile(anchor).read()
    assert point is not None
    assert point.height == present.json["proof"]["height"]
    absent = aeo("lookup", "HK99999999", *EX_BY_SEA, "--proof", *profile)
    assert absent.code == 1
    assert "not proved  that the trader is absent under arrangement" in absent.out


def test_a_file_of_questions(aeo: Aeo, published: Pilot, tmp_path: Path) -> None:
    file = tmp_path / "declared.csv"
    file.write_text("tin,function,mode\nHK10000001,,\nHK99999999,EX,4\n")
    command = ("lookup", "--file", file, *EX_BY_SEA, *published.profile("NZ", "risk-engine"))
    said = aeo(*command, "--json")
    assert said.code == 0
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert [(each["line"], each["reason"]) for each in answers] == [(2, "NONE"), (3, "NO_RECORD")]
    file.write_text("tin,mode\nHK10000001,9\nHK10000001,4\n")
    said = aeo(*command, "--json")
    assert said.code == 1
    answers = [json.loads(line) for line in said.out.splitlines()]
    assert answers[0] == {"line": 2, "asked": "HK10000001", "problem": "mode: 9 is not 1 to 8"}
    assert answers[1]["outcome"] == "RECOGNISED"
    assert "no answer" in aeo(*command).out


def test_suspend_one_role_and_reinstate(aeo: Aeo, published: Pilot) -> None:
    officer, engine = published.profile("HK", "officer"), published.profile("NZ", "risk-engine")
    asked = ("lookup", "HK10000002", *EX_BY_SEA, "--json", *engine)
    said = aeo("suspend", "HK10000002", "--role", "EX", "--reason", "AUTHORITY", *officer, "--json")
    assert said.code == 0
    assert (said.json["event"], said.json["recorded"]) == ("SUSPEND", 1)
    assert aeo(*asked).json["reason"] == "SUSPENDED"
    assert aeo("suspend", "HK10000002", *officer).code == 1
    assert aeo("reinstate", "HK10000002", *officer).code == 0
    assert aeo(*asked).json["reason"] == "NONE"


@pytest.mark.parametrize(
    ("command", "tin", "reason"),
    [
        ("withdraw", "HK10000003", "WITHDRAWN"),
        ("end-sharing", "HK10000004", "NOT_SHARED"),
        ("revoke", "HK10000005", "REVOKED"),
        ("annul", "HK10000005", "ANNULLED"),
    ],
)
def test_the_other_steps(aeo: Aeo, published: Pilot, command: str, tin: str, reason: str) -> None:
    done = together(published, "HK", command, tin)
    assert (done.code, done.json["recorded"]) == (0, 1)
    said = aeo("lookup", tin, *EX_BY_SEA, "--json", *published.profile("NZ", "risk-engine"))
    assert (said.code, said.json["reason"]) == (1, reason)


def test_what_takes_two_persons(aeo: Aeo, published: Pilot) -> None:
    officer, approver = (published.profile("HK", role) for role in ("officer", "approver"))
    said = aeo("revoke", "HK10000001", "--reason", "AUTHORITY", *officer)
    assert said.code == 0
    assert "REVOKE every certificate of HK10000001" in said.out
    [step] = aeo("approvals", "list", *approver, "--json").json
    assert f"aeo approve {step['step_id']}" in said.err
    assert (step["prepared_by"], step["method"]) == (
        "officer",
        "aeo.exchange.v1.PublishingService/ChangeStatus",
    )
    shown = aeo("approvals", "get", step["step_id"], *officer, "--json")
    assert shown.json["request"]["tin"] == "HK10000001"
    assert step["step_id"] in aeo("approvals", "list", *officer).out
    assert aeo("approve", step["step_id"], *officer).code == 2  # an officer approves nothing
    mine = aeo("revoke", "HK10000001", *approver, "--json").json["pending"]["step_id"]
    said = aeo("approve", mine, *approver)
    assert (said.code, "somebody else approves it" in said.err) == (2, True)
    for each in (step["step_id"], mine):
        assert aeo("reject", each, "--reason", "the holder has appealed", *approver).code == 0
    said = aeo("approve", step["step_id"], *approver)
    assert (said.code, "was rejected by approver" in said.err) == (1, True)
    assert aeo("approve", "0" * 16, *approver).code == 2
    assert aeo("approvals", "list", *approver, "--json").json == []
    engine = published.profile("NZ", "risk-engine")
    assert aeo("lookup", "HK10000001", *EX_BY_SEA, "--json", *engine).json["reason"] == "NONE"


def test_a_register_with_a_revocation(aeo: Aeo, published: Pilot, tmp_path: Path) -> None:
    register = tmp_path / "register.csv"
    rows = [f"HK2000000{n},AEO-2{n},EX,,CERTIFIED,2024-06-01,2027-12-31,\n" for n in (1, 2)]
    register.write_text(HEAD + "".join(rows))
    officer = published.profile("HK", "officer")
    assert aeo("publish", register, *officer).code == 0
    rows[0] = rows[0].replace("CERTIFIED", "REVOKED")
    rows[1] = rows[1].replace("2027-12-31", "2028-12-31")
    register.write_text(HEAD + "".join(rows))
    said = aeo("publish", register, *officer, "--json")
    assert said.code == 0, said.err
    # What takes one person is published at once.
    assert [each["recorded"] for each in said.json["publications"]] == [1]
    [waiting] = said.json["pending"]
    assert "1 row: 1 REVOKE" in waiting["summary"]
    done = aeo("approve", waiting["step_id"], *published.profile("HK", "approver"), "--json")
    assert (done.code, done.json["recorded"]) == (0, 1)


def test_the_access_log(aeo: Aeo, published: Pilot, tmp_path: Path) -> None:
    engine, auditor = (published.profile("NZ", role) for role in ("risk-engine", "auditor"))
    aeo("lookup", "HK10000001", *EX_BY_SEA, *engine)
    told = aeo("access-log", "list", "--tin", "HK10000001", *auditor, "--json").json
    assert told[-1]["items"][0]["reason"] == "NONE"
    assert "risk-engine" in aeo("access-log", "list", *auditor).out
    out = tmp_path / "log.jsonl"
    said = aeo("access-log", "export", out, *auditor, "--json").json
    lines = [json.loads(line) for line in out.read_text().splitlines()]
    assert said["head"] == f"{lines[-1]['number']}:{lines[-1]['hash']}"
    assert aeo("access-log", "export", out, *auditor).code == 2  # it is there already
    assert aeo("access-log", "list", *engine).code == 2


def test_a_step_on_nobody(aeo: Aeo, published: Pilot) -> None:
    said = aeo("suspend", "HK99999999", *published.profile("HK", "officer"))
    assert (said.code, said.out) == (1, "")
    assert "CERTIFICATE_UNKNOWN" in said.err


def test_arrangements_are_shown(aeo: Aeo, published: Pilot) -> None:
    profile = published.profile("NZ", "auditor")
    [listed] = aeo("arrangement", "list", "--party", "NZ", *profile, "--json").json
    assert (listed["name"], listed["state"]) == ("HK-NZ", "IN_OPERATION")
    shown = aeo("arrangement", "get", listed["arrangement_id"][:8], *profile)
    assert "HK > NZ  2024-01-01" in shown.out
    assert "2029-12-31" in shown.out
    assert aeo("arrangement", "get", "XX-YY", *profile).code == 2
    assert aeo("arrangement", "list", "--party", "SG", *profile, "--json").json == []


def test_an_arrangement_suspended_and_resumed(aeo: Aeo, published: Pilot) -> None:
    approver = published.profile("NZ", "approver")
    asked = ("lookup", "HK10000001", *EX_BY_SEA, *published.profile("NZ", "risk-engine"), "--json")
    suspended = aeo("arrangement", "suspend", "HK-NZ", *approver, "--json")
    assert (suspended.code, suspended.json["suspended_by"]) == (0, ["NZ"])
    assert aeo(*asked).json["reason"] == "ARRANGEMENT_SUSPENDED"
    assert together(published, "NZ", "arrangement", "resume", "HK-NZ").code == 0
    assert aeo(*asked).json["reason"] == "NONE"
    early = together(published, "NZ", "arrangement", "end", "HK-NZ")
    assert (early.code, "sooner than the notice" in early.err) == (1, True)
    [waiting] = aeo("approvals", "list", *approver, "--json").json
    assert aeo("reject", waiting["step_id"], *published.profile("NZ", "officer")).code == 0


def test_what_is_asked_before_signing(aeo: Aeo, published: Pilot) -> None:
    approver = published.profile("NZ", "approver")
    silent = aeo("arrangement", "sign", "HK-NZ", *approver)
    assert (silent.code, "--text-hash" in silent.err) == (2, True)
    assert aeo("arrangement", "sign", "HK-NZ", "--text-hash", "abc", *approver).code == 2
    other = aeo("arrangement", "sign", "HK-NZ", "--text-hash", "00" * 32, *approver)
    assert other.code == 1


def test_export_and_verify_offline(aeo: Aeo, published: Pilot, tmp_path: Path) -> None:
    chain = tmp_path / "chain.aeo"
    export = ("ledger", "export", chain, *published.profile("NZ", "auditor"))
    made = aeo(*export, "--json")
    assert made.json == {"path": str(chain), "bytes": chain.stat().st_size}
    assert aeo(*export).code == 2
    verify = ("verify", "ledger", chain, "--network-id", published.network_id)
    report = aeo(*verify, "--json")
    assert report.code == 0
    assert report.json["verified"] is True
    assert report.json["sealed_height"] == report.json["height"]
    two = process(*verify, "--processes", "2", "--json")
    out, err = two.communicate(timeout=60)
    assert (two.returncode, json.loads(out)) == (0, report.json), err
    anchor = f"{report.json['height']}:{report.json['header_hash']}"
    assert aeo("verify", "ledger", chain, "--anchor", anchor).code == 0
    lost = aeo("verify", "ledger", chain, "--anchor", f"1:{'00' * 32}")
    assert (lost.code, "header 1 is not the anchor" in lost.err) == (1, True)
    other = aeo("verify", "ledger", chain, "--network-id", "00" * 32)
    assert (other.code, "another network" in other.err) == (1, True)
    data = bytearray(chain.read_bytes())
    data[len(data) // 2] ^= 1
    chain.write_bytes(data)
    spoilt = aeo(*verify, "--json")
    assert spoilt.code == 1
    assert spoilt.json["verified"] is False
    assert spoilt.json["place"]
    assert spoilt.json["place"] in spoilt.err


def test_a_store_in_use_is_not_checked(aeo: Aeo, published: Pilot) -> None:
    said = aeo("fsck", published.folder)
    assert (said.code, "another node has this store open" in said.err) == (3, True)


def test_a_second_node_on_one_store_does_not_start(aeo: Aeo, published: Pilot) -> None:
    said = aeo("node", "run", "--config", published.folder / "node.toml")
    assert (said.code, "another node has this store open" in said.err) == (3, True)


def test_a_node_that_cannot_be_reached(aeo: Aeo, published: Pilot) -> None:
    profile = (*published.profile("NZ", "risk-engine"), "--deadline", "0.3")
    said = aeo("lookup", "HK10000001", *EX_BY_SEA, *profile, "--address", "127.0.0.1:1")
    assert (said.code, said.out) == (3, "")
    assert "no node answers" in said.err


def test_who_may_not_is_told_so(aeo: Aeo, published: Pilot) -> None:
    said = aeo("lookup", "HK10000001", *EX_BY_SEA, *published.profile("NZ", "officer"))
    assert (said.code, "the caller is officer" in said.err) == (2, True)


def test_another_network_is_refused(aeo: Aeo, published: Pilot) -> None:
    profile = published.profile("NZ", "risk-engine")
    said = aeo("lookup", "HK1", *EX_BY_SEA, *profile, "--network-id", "00" * 32)
    assert (said.code, "not the one of the profile" in said.err) == (1, True)


def test_misbehaviour_has_a_code_of_its_own() -> None:
    assert told(Misbehaviour("two headers", b"evidence")) == (4, "two headers")
