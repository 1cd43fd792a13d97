"""What the table of cases cannot say: errors, benefits, times and positions."""

from dataclasses import replace

import pytest

from aeo.exchange.v1 import verdict_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2
from customs.simulator import HOUR, Simulator
from ledger.customs.evaluate import evaluate
from ledger.customs.status import Role, StatusRecord, StatusTerms
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Alias, GrantedBenefit, Query, Times, Verdict, format_verdict
from ledger.errors import FormatError, KeyringError

T = 1_700_000_000_000
GRANT = StatusTerms(1, 1, (Role("EX"),))
QUERY = Query("TW", "EX", 1, 1, tin="KR123")


def text(
    *rules: dict[str, object], kind: int = 1, limit: int = 0
) -> arrangement_pb2.ArrangementText:
    message = arrangement_pb2.ArrangementText(
        name="A",
        kind=kind,
        parties=["KR", "TW"],
        staleness_limit=limit,  # type: ignore[arg-type]
    )
    for fields in rules:
        rule = message.rules.add(issuing="KR", recognising="TW", **fields)  # type: ignore[arg-type]
        setattr(rule, "from", 1)
    return message


def world(*rules: dict[str, object], limit: int = 0) -> tuple[Simulator, bytes]:
    ledger = Simulator(T)
    ledger.member("KR")
    ledger.member("TW")
    identity = ledger.propose(T, "KR", text(*rules or ({},), limit=limit), b"A")
    ledger.sign_all(T, identity)
    key = ledger.keyring[identity]
    grant = StatusRecord(key.subject("KR123"), b"c" * 16, T, 0, T, GRANT)
    assert ledger.publish(T + 100, "KR", identity, grant) == [None]
    return ledger, identity


def ask(ledger: Simulator, query: Query = QUERY, now: int = T + 1_000, **extra: object) -> Verdict:
    instructions = extra.get("instructions", {})
    times = Times(now, int(extra.get("attested", now)))  # type: ignore[call-overload]
    return evaluate(query, ledger, ledger.keyring, None, instructions, times)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "fields",
    [
        {"tin": None},
        {"alias": Alias("A", "B")},
        {"recognising": "tw"},
        {"dispatch_economy": "Japan"},
        {"function": ""},
        {"function": "ex"},
        {"direction": 0},
        {"direction": 4},
        {"transport_mode": 0},
        {"transport_mode": 9},
        {"level": "A B"},
        {"as_of": 1 << 63},
        {"known_at_time": 1, "known_at_height": 1},
    ],
)
def test_queries_out_of_range_are_refused(fields: dict[str, object]) -> None:
    ledger, _ = world()
    with pytest.raises(FormatError):
        ask(ledger, replace(QUERY, **fields))  # type: ignore[arg-type]


def test_a_lookup_key_that_is_missing_or_wrong_is_an_error_once_it_is_needed() -> None:
    ledger, identity = world({"directions": [1]})
    times = Times(T, T)
    other = LookupKey(b"k" * 32, ledger.network_id, identity)
    stale_epoch = LookupKey(ledger.keyring[identity].key, ledger.network_id, identity, epoch=2)
    for keyring in (
        ledger.with_key(identity, None),
        ledger.with_key(identity, other),
        ledger.with_key(identity, stale_epoch),
    ):
        with pytest.raises(KeyringError):
            evaluate(QUERY, ledger, keyring, None, None, times)
        alias = replace(QUERY, tin=None, alias=Alias("A", "B"))
        with pytest.raises(KeyringError):
            evaluate(alias, ledger, keyring, None, None, times)
        uncovered = evaluate(replace(QUERY, direction=2), ledger, keyring, None, None, times)
        assert uncovered.reason == pb.REASON_DIRECTION_NOT_COVERED


def test_benefits_of_every_rule_that_is_satisfied_with_instructions() -> None:
    lane, lower = {"code": 4, "granted_by": "CUSTOMS"}, {"code": 2, "granted_by": "CUSTOMS"}
    ledger, _ = world(
        {"benefits": [lane], "functions": ["EX"]},
        {"benefits": [lower, lane], "levels": []},
        {"benefits": [{"code": 1, "granted_by": "BFSI"}], "levels": ["AEO-S"]},
    )
    verdict = ask(ledger, instructions={2: "one in ten", 9: "not asked"})
    assert verdict.benefits == (
        GrantedBenefit(2, "CUSTOMS", "one in ten"),
        GrantedBenefit(4, "CUSTOMS", ""),
    )
    assert ask(ledger, replace(QUERY, tin="KR9")).benefits == ()


def test_what_a_verdict_says_about_itself() -> None:
    ledger, identity = world()
    verdict = ask(ledger, replace(QUERY, tin=" kr123"))
    assert verdict.height == ledger.height
    assert verdict.header_hash == ledger.header_hash
    assert (verdict.issuing_economy, verdict.recognising_economy) == ("KR", "TW")
    assert (verdict.tin, verdict.tin_changes) == ("KR123", (1, 2))
    assert (verdict.as_of, verdict.known_at) == (T + 1_000, ledger.header_time)
    assert (verdict.status, verdict.valid_from, verdict.valid_to) == (1, T, 0)
    assert (verdict.arrangement_id, verdict.pilot, verdict.rules_version) == (identity, True, 1)
    assert (verdict.issuer_seen, verdict.attested_time) == (T + 100, T + 1_000)
    message = pb.Verdict.FromString(format_verdict(verdict))
    for name in Verdict._fields:
        if name not in ("benefits", "arrangements", "tin_changes", "tin_warnings"):
            assert getattr(message, name) == getattr(verdict, name), name
    assert {field.name for field in pb.Verdict.DESCRIPTOR.fields} == set(Verdict._fields)


def test_ask_again_when_the_answer_may_have_changed() -> None:
    ledger, _ = world()
    heartbeat = ledger.header_time + ledger.heartbeat_interval
    assert ask(ledger).cache_until == heartbeat
    assert ask(ledger, now=T + 5_000).cache_until == heartbeat
    ledger, _ = world(limit=60_000)
    seen = ledger.header_time
    fresh = ask(ledger, now=seen + 10, attested=seen + 5)
    assert fresh.cache_until == seen + 60_001
    assert ask(ledger, now=seen + 60_000).outcome == pb.OUTCOME_RECOGNISED
    # Also of a past day: its interval, open now, will end where the silence begins.
    past = ask(ledger, replace(QUERY, as_of=seen), now=seen + 10, attested=seen + 5)
    assert (past.holds_to, past.cache_until) == (0, seen + 60_001)
    stale = ask(ledger, now=seen + 60_001)
    assert (stale.outcome, stale.reason) == (pb.OUTCOME_UNDETERMINED, pb.REASON_ISSUER_STALE)
    # An earlier as_of is fresh, and the interval says up to where.
    early = ask(ledger, replace(QUERY, as_of=seen + 60_000), now=seen + 60_001)
    assert (early.outcome, early.holds_to) == (pb.OUTCOME_RECOGNISED, seen + 60_001)
    assert stale.holds_from == seen + 60_001
    # Waiting makes the ledger stale after the issuer, and then the ledger is named.
    waiting = ask(ledger, now=seen + 60_002, attested=seen + 5_000)
    assert waiting.reason == pb.REASON_ISSUER_STALE
    assert waiting.cache_until == seen + 65_001
    later = ask(ledger, now=waiting.cache_until, attested=seen + 5_000)
    assert later.reason == pb.REASON_LEDGER_STALE


def test_known_at_a_height() -> None:
    ledger, _ = world()
    for height in range(-1, ledger.height + 2):
        verdict = ask(ledger, replace(QUERY, known_at_height=height))
        if height < 0:
            assert verdict.reason == pb.REASON_KNOWN_AT_BEFORE_GENESIS
        elif height < ledger.height - 1:
            assert verdict.reason == pb.REASON_NO_ARRANGEMENT
            assert verdict.known_at == ledger.time_of(height)
        elif height < ledger.height:
            assert verdict.reason == pb.REASON_NO_RECORD
        else:
            assert verdict.reason == pb.REASON_NONE


def test_a_view_that_knows_more_answers_an_old_height_alike() -> None:
    ledger, identity = world()
    query = replace(QUERY, known_at_height=ledger.height, as_of=T + 1_000)
    before = ask(ledger, query)
    key = ledger.keyring[identity]
    revoke = replace(GRANT, event=5, status=3)
    record = StatusRecord(key.subject("KR123"), b"c" * 16, T, 0, T + 200, revoke)
    assert ledger.publish(T + 300, "KR", identity, record) == [None]
    assert ledger.step(T + 400, "TW", "suspend", identity) is None
    after = ask(ledger, query)
    assert (after.outcome, after.reason) == (before.outcome, before.reason)
    now = replace(QUERY, as_of=T + 1_000)
    assert ask(ledger, now).reason == pb.REASON_ARRANGEMENT_SUSPENDED


def test_the_networks_limit_where_the_text_names_none() -> None:
    ledger, _ = world()
    seen = ledger.header_time
    assert ask(ledger, now=seen + HOUR).outcome == pb.OUTCOME_RECOGNISED
    assert ask(ledger, now=seen + HOUR + 1).reason == pb.REASON_ISSUER_STALE
    never = ask(ledger, now=seen + HOUR, attested=0)
    assert never.reason == pb.REASON_LEDGER_STALE
