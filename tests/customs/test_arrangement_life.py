"""Texts that parties may sign, the steps they may take, and when that is in force."""

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as pb
from customs.simulator import NETWORK, Simulator
from ledger.customs.arrangement import (
    DAY,
    IN_FORCE,
    MIGRATION_WINDOW,
    ArrangementHistory,
    Step,
    arrangement_id,
    check_step,
    format_arrangement_text,
    parse_arrangement_text,
    parse_step,
)
from ledger.errors import FormatError
from ledger.hashing import tagged
from ledger.state import refusals
from ledger.wire import format_strict

T = 1_700_000_000_000


def rule(start: int = 1, **fields: object) -> pb.Rule:
    message = pb.Rule(**{"issuing": "KR", "recognising": "TW", **fields})  # type: ignore[arg-type]
    setattr(message, "from", start)
    return message


def text(**fields: object) -> pb.ArrangementText:
    defaults: dict[str, object] = {
        "name": "A",
        "kind": pb.ARRANGEMENT_KIND_RECOGNITION,
        "parties": ["KR", "TW"],
        "rules": [rule()],
        "lookup_key_commitment": bytes(32),
    }
    return pb.ArrangementText(**{**defaults, **fields})  # type: ignore[arg-type]


def test_a_text_is_read_as_it_was_written() -> None:
    benefit = pb.Benefit(code=pb.BENEFIT_CODE_DEDICATED_LANE, granted_by="CUSTOMS")
    message = text(
        rules=[
            rule(5, to=9, functions=["EX", "SE"], transport_modes=[1, 4], benefits=[benefit]),
            rule(9, levels=["AEO-S"], directions=[1, 2]),
        ],
        monitoring=pb.MonitoringClause(period_days=90, reports=["RELEASE-TIMES"]),
        staleness_limit=7,
        notice_days=30,
    )
    data = format_arrangement_text(message)
    read = parse_arrangement_text(data)
    first, second = read.rules_between("KR", "TW")
    assert (first.begin, first.end, first.functions) == (5, 9, {"EX", "SE"})
    assert [first.runs(at) for at in (4, 5, 8, 9)] == [False, True, True, False]
    assert (second.begin, second.end, second.levels) == (9, 0, {"AEO-S"})
    assert read.monitoring_reports == ("RELEASE-TIMES",)
    assert read.text_hash == tagged("aeo/v1/arrangement-text")(data)
    identity = tagged("aeo/v1/arrangement")(NETWORK + b"KR" + (7).to_bytes(8, "big"))[:16]
    assert arrangement_id(NETWORK, "KR", 7) == identity


@pytest.mark.parametrize(
    "fields",
    [
        {"name": ""},
        {"name": "x" * 201},
        {"kind": 0},
        {"parties": []},
        {"parties": ["TW", "KR"]},
        {"parties": ["KR", "KR"]},
        {"parties": ["KR", "tw"]},
        {"rules": [rule(recognising="JP")]},
        {"rules": [rule(recognising="KR")]},
        {"rules": [rule(5, to=5)]},
        {"rules": [rule(5, to=4)]},
        {"rules": [rule(1 << 63)]},
        {"rules": [rule(functions=["SE", "EX"])]},
        {"rules": [rule(functions=["EX", "EX"])]},
        {"rules": [rule(functions=["ex"])]},
        {"rules": [rule(certified_roles=["exporter"])]},
        {"rules": [rule(levels=["A B"])]},
        {"rules": [rule(directions=[2, 1])]},
        {"rules": [rule(transport_modes=[9])]},
        {"rules": [rule(transport_modes=[4, 1])]},
        {"rules": [rule(benefits=[pb.Benefit(code=1)])]},
        {"rules": [rule(benefits=[pb.Benefit(granted_by="CUSTOMS")])]},
        {
            "rules": [
                rule(
                    benefits=[
                        pb.Benefit(code=2, granted_by="A"),
                        pb.Benefit(code=1, granted_by="A"),
                    ]
                )
            ]
        },
        {"notice_days": 40_000},
        {"lookup_key_commitment": b""},
        {"nonce": bytes(65)},
        {"supply_chain_roles": ["IM", "EX"]},
    ],
)
def test_texts_that_are_refused(fields: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        parse_arrangement_text(text(**fields).SerializeToString(deterministic=True))


def test_a_party_alone_and_a_text_without_rules() -> None:
    alone = parse_arrangement_text(format_arrangement_text(text(parties=["KR"], rules=[])))
    assert alone.rules_between("KR", "KR") == ()


@pytest.mark.parametrize(
    "message",
    [
        pb.ArrangementStep(),
        pb.ArrangementStep(propose=b""),
        pb.ArrangementStep(sign=pb.ArrangementSignature(arrangement_id=bytes(16))),
        pb.ArrangementStep(suspend=pb.ArrangementSuspension(arrangement_id=bytes(15))),
        pb.ArrangementStep(end=pb.ArrangementEnd(arrangement_id=bytes(16), effective_from=1 << 63)),
    ],
)
def test_steps_that_are_malformed(message: pb.ArrangementStep) -> None:
    with pytest.raises(FormatError):
        parse_step(format_strict(message))


def test_steps_are_read() -> None:
    proposal = parse_step(
        format_strict(pb.ArrangementStep(propose=format_arrangement_text(text())))
    )
    assert proposal.kind == "propose"
    assert proposal.text is not None
    end = pb.ArrangementEnd(arrangement_id=b"a" * 16, effective_from=9)
    assert parse_step(format_strict(pb.ArrangementStep(end=end))) == Step(
        "end", b"a" * 16, effective_from=9
    )


@pytest.fixture
def ledger() -> Simulator:
    ledger = Simulator(T)
    for economy in ("JP", "KR", "TW"):
        ledger.member(economy)
    return ledger


def life(ledger: Simulator, identity: bytes) -> ArrangementHistory:
    history = ledger.arrangement(identity)
    assert history is not None
    return history


def standing(ledger: Simulator, identity: bytes, as_of: int, known: int | None = None) -> int:
    known = ledger.height if known is None else known
    reason, rules = life(ledger, identity).standing("KR", "TW", as_of, known)
    assert bool(rules) is (reason == IN_FORCE)
    return reason


def test_who_may_propose_and_sign(ledger: Simulator) -> None:
    proposal = Step("propose", text=parse_arrangement_text(format_arrangement_text(text())))
    assert check_step(proposal, None, "JP", T, {"KR", "TW", "JP"}) == refusals.NOT_A_PARTY
    assert check_step(proposal, None, "KR", T, {"KR", "JP"}) == refusals.PARTY_UNKNOWN
    assert check_step(proposal, None, "KR", T, {"KR", "TW"}) is None
    identity = ledger.propose(T, "KR", text(), b"A")
    assert ledger.step(T, "KR", "sign", b"unknown") == refusals.ARRANGEMENT_UNKNOWN
    assert ledger.step(T, "JP", "sign", identity) == refusals.NOT_A_PARTY
    other = Step("sign", identity, text_hash=b"x" * 32)
    history = ledger.arrangement(identity)
    assert check_step(other, history, "KR", T, {"KR", "TW"}) == refusals.TEXT_DIFFERS
    assert ledger.step(T, "KR", "sign", identity) is None
    assert ledger.step(T, "KR", "sign", identity) == refusals.ALREADY_SIGNED
    for kind in ("suspend", "resume", "end"):
        assert ledger.step(T, "KR", kind, identity) == refusals.ARRANGEMENT_NOT_SIGNED
    assert standing(ledger, identity, T) == verdict_pb2.REASON_NO_ARRANGEMENT
    assert ledger.step(T, "TW", "sign", identity) is None
    assert standing(ledger, identity, T) == IN_FORCE
    assert standing(ledger, identity, T, ledger.height - 1) == verdict_pb2.REASON_NO_ARRANGEMENT


def test_who_suspended_resumes(ledger: Simulator) -> None:
    identity = ledger.propose(T, "KR", text(), b"A")
    ledger.sign_all(T, identity)
    assert ledger.step(T + DAY, "KR", "resume", identity) == refusals.NOT_SUSPENDED
    assert ledger.step(T + DAY, "KR", "suspend", identity) is None
    assert ledger.step(T + 2 * DAY, "KR", "suspend", identity) == refusals.ALREADY_SUSPENDED
    assert ledger.step(T + 2 * DAY, "TW", "resume", identity) == refusals.NOT_SUSPENDED
    assert ledger.step(T + 3 * DAY, "TW", "suspend", identity) is None
    assert ledger.step(T + 4 * DAY, "KR", "resume", identity) is None
    suspended = verdict_pb2.REASON_ARRANGEMENT_SUSPENDED
    assert standing(ledger, identity, T + DAY - 1) == IN_FORCE
    assert [standing(ledger, identity, T + n * DAY) for n in (2, 4, 5)] == [suspended] * 3
    assert life(ledger, identity).suspended_by(T + 5 * DAY, ledger.height) == ["TW"]
    assert ledger.step(T + 6 * DAY, "TW", "resume", identity) is None
    assert standing(ledger, identity, T + 6 * DAY) == IN_FORCE
    # Known before the resumption, the suspension was still on.
    assert standing(ledger, identity, T + 6 * DAY, ledger.height - 1) == suspended


def test_a_planned_suspension_may_be_brought_forward_or_called_off(ledger: Simulator) -> None:
    identity = ledger.propose(T, "KR", text(), b"A")
    ledger.sign_all(T, identity)
    assert ledger.step(T + DAY, "KR", "suspend", identity, T + 9 * DAY) is None
    later = T + 10 * DAY
    refused = refusals.ALREADY_SUSPENDED
    assert ledger.step(T + DAY, "KR", "suspend", identity, later) == refused
    assert ledger.step(T + 2 * DAY, "KR", "suspend", identity, T + 5 * DAY) is None
    suspended = verdict_pb2.REASON_ARRANGEMENT_SUSPENDED
    days = [standing(ledger, identity, T + n * DAY) for n in (4, 5, 20)]
    assert days == [IN_FORCE, suspended, suspended]
    assert ledger.step(T + 3 * DAY, "KR", "resume", identity) is None
    assert [standing(ledger, identity, T + n * DAY) for n in (4, 5, 20)] == [IN_FORCE] * 3


def test_who_comes_back_has_suspended_nothing(ledger: Simulator) -> None:
    ledger.member("SG", time=T)
    three, two = text(parties=["KR", "SG", "TW"]), text()
    identity = ledger.propose(T, "KR", three, b"A")
    ledger.sign_all(T, identity)
    assert ledger.step(T + DAY, "SG", "suspend", identity) is None
    for day, changed in ((2, two), (4, three)):
        assert ledger.amend(T + day * DAY, "KR", identity, changed) is None
        for party in three.parties:
            assert ledger.step(T + day * DAY, party, "sign", identity) is None
    assert standing(ledger, identity, T + DAY) == IN_FORCE
    assert ledger.step(T + 5 * DAY, "SG", "resume", identity) == refusals.NOT_SUSPENDED
    assert ledger.step(T + 6 * DAY, "SG", "suspend", identity) is None
    assert life(ledger, identity).suspended_by(T + 6 * DAY, ledger.height) == ["SG"]


def test_the_end_needs_its_notice(ledger: Simulator) -> None:
    identity = ledger.propose(T, "KR", text(notice_days=30), b"A")
    ledger.sign_all(T, identity)
    now = T + DAY
    short, just = now + 30 * DAY - 1, now + 30 * DAY
    assert ledger.step(now, "KR", "end", identity) == refusals.NOTICE_TOO_SHORT
    assert check_step(
        Step("end", identity, effective_from=short), ledger.arrangement(identity), "KR", now, ()
    ) == (refusals.NOTICE_TOO_SHORT)
    assert (
        check_step(
            Step("end", identity, effective_from=just), ledger.arrangement(identity), "KR", now, ()
        )
        is None
    )
    assert ledger.step(now + 1, "KR", "end", identity, T + 40 * DAY) is None
    ended = verdict_pb2.REASON_ARRANGEMENT_ENDED
    days = [standing(ledger, identity, T + n * DAY) for n in (39, 40)]
    assert days == [IN_FORCE, ended]
    assert standing(ledger, identity, T + 40 * DAY, ledger.height - 1) == IN_FORCE
    # Put off: no. Brought forward with its own notice: yes. Suspended meanwhile: yes.
    refused = refusals.ARRANGEMENT_HAS_ENDED
    assert ledger.step(now + 2, "TW", "end", identity, T + 41 * DAY) == refused
    assert ledger.step(now + 3, "TW", "end", identity, T + 39 * DAY) is None
    assert standing(ledger, identity, T + 39 * DAY) == ended
    assert ledger.step(T + 5 * DAY, "TW", "suspend", identity) is None
    assert ledger.step(T + 45 * DAY, "TW", "resume", identity) == refused


def test_the_window_for_history(ledger: Simulator) -> None:
    future = T + 400 * DAY
    message = text(rules=[rule(1), rule(future, issuing="TW", recognising="KR")])
    identity = ledger.propose(T, "KR", message, b"A")
    assert life(ledger, identity).migrated_until("KR", T) == T + MIGRATION_WINDOW
    ledger.sign_all(T + 10 * DAY, identity)
    signed = life(ledger, identity).complete
    assert signed is not None
    history = life(ledger, identity)
    assert history.migrated_until("KR", T) == signed.time + MIGRATION_WINDOW
    assert history.migrated_until("KR", T + 99 * DAY) == T + 99 * DAY + MIGRATION_WINDOW
