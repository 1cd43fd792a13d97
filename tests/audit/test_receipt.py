"""A receipt of every kind of verdict checks; nothing in it can be left out, added or exchanged."""

from collections.abc import Iterator
from dataclasses import replace

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from audit.receipt_world import Receipts, changed, parts_of
from ledger.audit.receipt import RECEIPT_LIMIT, format_receipt, parse_receipt
from ledger.audit.receipt_facts import shown_fact
from ledger.audit.replay import ANCHORED, TOO_LONG_AGO
from ledger.chain import keys
from ledger.chain.anchor import Anchor
from ledger.chain.governance import Rotation, WeightChange
from ledger.chain.parameters import DEFAULT_PARAMETERS
from ledger.customs.evaluate import evaluate
from ledger.customs.status import format_status, parse_status
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Alias, Query, Times, format_verdict
from ledger.errors import (
    AnchorError,
    CheckError,
    FormatError,
    KeyringError,
    LedgerError,
    ProofError,
)
from ledger_world import DAY, START, World, registration

HOUR = 3_600_000
PROFILE = b"p" * 32
RENUMBERED = status_pb2.PREDECESSOR_KIND_RENUMBERED


def eventful_world() -> tuple[World, bytes]:
    """HK with NZ, a trader for each status; SG with NZ, suspended, then ended; KR tells NZ.

    TH has another key by then, with which the second signing set began.
    """
    world = World(("HK", "KR", "NZ", "SG", "TH"))
    newer_key = registration("TH", network_id=world.view.network_id, bls=1, ed25519=1)
    world.commit(world.govern("TH", Rotation(newer_key)))
    world.decide(WeightChange(()))
    world.hand_over()
    begins = {"from": START - 365 * DAY, "recognising": "NZ"}

    def rule(issuing: str, *modes: int, **fields: object) -> arrangement_pb2.Rule:
        return arrangement_pb2.Rule(issuing=issuing, transport_modes=modes, **(begins | fields))

    benefit = arrangement_pb2.Benefit(
        code=arrangement_pb2.BENEFIT_CODE_FEWER_DOCUMENT_CHECKS, granted_by="CUSTOMS"
    )
    main = {"directions": [1], "functions": ["EX"], "certified_roles": ["EX"], "levels": ["A"]}
    hk = world.agree(
        "HK",
        "NZ",
        rules=[
            rule("HK", 1, benefits=[benefit], **main),
            rule("HK", 3, party_match_required=True, **main),
            rule("HK", 4, dispatch_from_issuer_required=True, **main),
        ],
    )
    sg = world.agree("NZ", "SG", rules=[rule("SG", 1)])
    kr = world.agree(
        "KR", "NZ", kind=arrangement_pb2.ARRANGEMENT_KIND_INFORMATION, rules=[rule("KR", 1)]
    )
    soon = world.time + 3 * DAY
    stop = arrangement_pb2.ArrangementSuspension(arrangement_id=sg, effective_from=soon)
    end = arrangement_pb2.ArrangementEnd(arrangement_id=sg, effective_from=soon + DAY)
    world.commit(world.step("NZ", suspend=stop))
    world.commit(world.step("SG", end=end))
    world.publish("KR", kr, [world.grant(kr, "KR1")])
    world.publish("SG", sg, [world.grant(sg, "SG1")])
    home = world.agree("NZ")
    world.publish("NZ", home, [world.grant(home, "NZ1")])
    tins = ("ANNULLED", "REVOKED", "WITHDRAWN", "SUSPENDED", "HELD")
    certificates = [world.grant(hk, f"HK{tin}", level="A") for tin in tins]
    named = parse_status(world.grant(hk, "HKNAMED", level="A"))
    certificates += [
        world.grant(hk, "HKROLE", roles=("IM",), level="A"),
        world.grant(hk, "HKLEVEL", level="B"),
        world.grant(hk, "HKLATER", level="A", valid_from=START + 9 * DAY),
        world.grant(hk, "HKPAST", level="A", valid_to=START - DAY),
        world.grant(hk, "HKOLD", level="A"),
        world.grant(hk, "HKENDED", level="A"),
        format_status(named._replace(profile_commitment=PROFILE)),
    ]
    world.publish("HK", hk, certificates)
    world.commit(world.transaction("NZ"))
    changes = [
        ("ANNULLED", status_pb2.EVENT_ANNUL, status_pb2.STATUS_ANNULLED),
        ("REVOKED", status_pb2.EVENT_REVOKE, status_pb2.STATUS_REVOKED),
        ("WITHDRAWN", status_pb2.EVENT_WITHDRAW, status_pb2.STATUS_WITHDRAWN),
        ("SUSPENDED", status_pb2.EVENT_SUSPEND, status_pb2.STATUS_SUSPENDED),
        ("ENDED", status_pb2.EVENT_END_SHARING, status_pb2.STATUS_NOT_SHARED),
    ]
    world.publish(
        "HK", hk, [world.record(hk, f"HK{tin}", event, status) for tin, event, status in changes]
    )
    newer = (world.subject(hk, "HKOLD"), RENUMBERED)
    world.publish("HK", hk, [world.grant(hk, "HKNEW", number="9", level="A", predecessor=newer)])
    aliases = [world.alias(hk, "one", "HKHELD")]
    aliases += [world.alias(hk, "two", tin) for tin in ("HKHELD", "HKNEW")]
    world.commit(world.aliases("HK", hk, aliases))
    world.commit(world.transaction("SG"), world.transaction("KR"), world.transaction("NZ"))
    return world, hk


@pytest.fixture(scope="module")
def receipts() -> Receipts:
    made = Receipts(eventful_world()[0])
    made.profiles = {PROFILE: verdict_pb2.NAME_MATCH_DIFFERENT}
    made.instructions = {arrangement_pb2.BENEFIT_CODE_FEWER_DOCUMENT_CHECKS: "green lane"}
    return made


@pytest.fixture(scope="module")
def hk(receipts: Receipts) -> bytes:
    (pair,) = receipts.world.view.pair_history("HK", "NZ")
    return pair.arrangement_id


CASES: list[tuple[str, dict[str, object]]] = [
    ("NONE", {"tin": "HKHELD"}),
    ("NONE", {"tin": "HKOLD"}),  # a newer number has taken over
    ("NONE", {"tin": "NZ1"}),  # at home
    ("NONE", {"tin": " hk-held"}),
    ("NONE", {"tin": None, "alias": Alias("TEST", "one")}),
    ("TIN_MALFORMED", {"tin": "?"}),
    ("ALIAS_UNKNOWN", {"tin": None, "alias": Alias("TEST", "three")}),
    ("ALIAS_AMBIGUOUS", {"tin": None, "alias": Alias("TEST", "two")}),
    ("KNOWN_AT_BEFORE_GENESIS", {"tin": "HKHELD", "known_at_time": START - 1}),
    ("ISSUER_UNKNOWN", {"tin": "XX1"}),
    ("NO_ARRANGEMENT", {"tin": "TH1"}),
    ("ARRANGEMENT_NOT_YET", {"tin": "HKHELD", "as_of": START - 366 * DAY}),
    ("ARRANGEMENT_SUSPENDED", {"tin": "SG1", "as_of": START + 3 * DAY + HOUR}),
    ("ARRANGEMENT_ENDED", {"tin": "SG1", "as_of": START + 5 * DAY}),
    ("DIRECTION_NOT_COVERED", {"tin": "HKHELD", "direction": 2}),
    ("MODE_NOT_COVERED", {"tin": "HKHELD", "transport_mode": 2}),
    ("FUNCTION_NOT_COVERED", {"tin": "HKHELD", "function": "MF"}),
    ("NO_RECORD", {"tin": "HK404"}),
    ("ROLE_NOT_COVERED", {"tin": "HKROLE"}),
    ("NOT_YET_VALID", {"tin": "HKLATER"}),
    ("ANNULLED", {"tin": "HKANNULLED"}),
    ("REVOKED", {"tin": "HKREVOKED"}),
    ("WITHDRAWN", {"tin": "HKWITHDRAWN"}),
    ("NOT_SHARED", {"tin": "HKENDED"}),
    ("EXPIRED", {"tin": "HKPAST"}),
    ("SUSPENDED", {"tin": "HKSUSPENDED"}),
    ("LEVEL_NOT_COVERED", {"tin": "HKLEVEL"}),
    ("DISPATCH_NOT_COVERED", {"tin": "HKHELD", "transport_mode": 4, "dispatch_economy": "SG"}),
    ("PARTY_MISMATCH", {"tin": "HKNAMED", "transport_mode": 3, "declared_name": "Acme"}),
    ("NO_RECOGNITION", {"tin": "KR1"}),
]
STALE: list[tuple[str, int, int]] = [
    ("LEDGER_STALE", 2 * HOUR, 0),
    ("ISSUER_STALE", 2 * HOUR, 2 * HOUR),
]


def reason_of(verdict: bytes) -> str:
    said = verdict_pb2.Verdict.FromString(verdict).reason
    return verdict_pb2.Reason.Name(said).removeprefix("REASON_")


@pytest.mark.parametrize(("reason", "fields"), CASES)
def test_every_reason(receipts: Receipts, reason: str, fields: dict[str, object]):
    query = receipts.query(**fields)
    checked = receipts.prove(query)
    assert reason_of(checked.verdict_bytes) == reason
    assert checked.trust == ANCHORED
    assert checked.level == "sealed"
    # Absence and aliases alone need the lookup key.
    open_to_all = reason != "NO_RECORD" and query.alias is None
    assert checked.verified == open_to_all
    # NZ publishes at home, under four arrangements; NZ1 stands under one of them.
    if query.alias is None:
        assert len(checked.unopened) == (3 if query.tin == "NZ1" else not open_to_all)
    assert receipts.check(receipts.make(query), lookup_keys=receipts.keys).verified


@pytest.mark.parametrize(("reason", "later", "attested_later"), STALE)
def test_staleness(receipts: Receipts, reason: str, later: int, attested_later: int):
    receipts.later, receipts.attested_later = later, attested_later
    try:
        checked = receipts.prove(receipts.query("HKHELD"))
    finally:
        receipts.later = receipts.attested_later = 0
    assert reason_of(checked.verdict_bytes) == reason


def test_the_cases_are_all_reasons():
    named = {reason for reason, *_ in (*CASES, *STALE)}
    every = {name.removeprefix("REASON_") for name in verdict_pb2.Reason.keys()}  # noqa: SIM118
    assert named == every - {"UNSPECIFIED"}


def test_what_no_receipt_shows_is_said(receipts: Receipts):
    said = " ".join(receipts.prove(receipts.query("HKNAMED", transport_mode=3)).unproved)
    assert "newer number" in said
    assert "name and address" in said
    assert "clock" in said
    assert "instructions" in " ".join(receipts.prove(receipts.query("HKHELD")).unproved)
    assert "alone has signed" in " ".join(receipts.prove(receipts.query("NZ1")).unproved)
    asked = receipts.query("XX1", as_of=START)
    assert receipts.prove(asked).unproved == ()


# Known at.


def test_every_height_and_time(receipts: Receipts):
    """One proof of today says what was known at any time, as the node itself says it."""
    world = receipts.world
    for tin in ("HKSUSPENDED", "HKOLD", "NZ1"):
        for height in range(world.view.height + 2):
            receipts.prove(receipts.query(tin, known_at_height=height))
        for height in range(0, world.view.height + 1, 3):
            time = world.view.time_of(height)
            for instant in (time - 1, time, time + 1):
                receipts.prove(receipts.query(tin, known_at_time=instant))


def test_what_was_said_since_cannot_be_hidden(receipts: Receipts):
    """Without the two transactions that part the past from what came later, it says nothing."""
    query = receipts.query("HKSUSPENDED", known_at_height=receipts.world.view.height - 5)
    data = receipts.make(query)
    receipt = parse_receipt(data)
    assert len(receipt.transactions) == 2
    assert receipt.headers
    for name in ("transactions", "headers"):
        parts = list(getattr(receipt, name))
        for place in range(len(parts)):
            fewer = parts[:place] + parts[place + 1 :]
            with pytest.raises(LedgerError):
                receipts.check(changed(data, **{name: fewer}))
    for height in range(2, receipts.world.view.height):
        other = parse_receipt(receipts.make(replace(query, known_at_height=height)))
        for name in ("transactions", "headers"):
            if list(getattr(other, name)) != list(getattr(receipt, name)):
                with pytest.raises(LedgerError):
                    receipts.check(changed(data, **{name: list(getattr(other, name))}))


# Exchanged, left out, added.


def refused(receipts: Receipts, data: bytes) -> bool:
    """Whether a check refuses it; else it must be a true receipt of what it asks.

    What says that it needs the lookup keys is checked with them.
    """
    try:
        checked = receipts.check(data)
        if checked.rests_on_unopened:
            checked = receipts.check(data, lookup_keys=receipts.keys)
    except LedgerError:
        return True
    times = Times(checked.asked_at, checked.attested_time)
    profiles = {each.commitment: each.name_match for each in parse_receipt(data).profiles}
    # The instructions are the recogniser's own words: no receipt proves them, and it says so.
    words = {benefit.code: benefit.instruction for benefit in checked.verdict.benefits}
    view = receipts.world.view
    said = evaluate(checked.query, view, receipts.keys, profiles, words, times)
    assert format_verdict(said) == checked.verdict_bytes
    return False


def all_receipts(receipts: Receipts) -> Iterator[bytes]:
    past = receipts.query("HKHELD", known_at_height=receipts.world.view.height - 4)
    for query in (*[receipts.query(**fields) for _, fields in CASES], past):
        yield receipts.make(query)


def test_every_part_exchanged_for_that_of_another_receipt(receipts: Receipts):
    made = list(all_receipts(receipts))
    made.append(Receipts(other_network()).make(Query("NZ", "EX", 1, 1, tin="HKHELD")))
    exchanged = dict.fromkeys(parts_of(parse_receipt(made[0])), 0)
    for index, data in enumerate(made[:-1]):
        own = parts_of(parse_receipt(data))
        for other in (*made[index + 1 :: 5], made[-1]):
            for name, part in parts_of(parse_receipt(other)).items():
                if part == own[name] or name == "rules_version":
                    continue
                # Another question, or moment, may have the same verdict; it is then as true.
                truth = name in {"question", "now"}
                assert refused(receipts, changed(data, **{name: part})) or truth, name
                exchanged[name] += 1
    missing = {name for name, count in exchanged.items() if not count}
    assert missing == {"anchor", "rules_version", "now"} - {
        name for name, count in exchanged.items() if count
    }


def other_network() -> World:
    world = World(("HK", "NZ"), name="other", start=START + 1)
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, "HKHELD", level="A")])
    return world


def test_every_fact_left_out_added_or_exchanged(receipts: Receipts):
    made = [parse_receipt(data) for data in all_receipts(receipts)]
    every = {(fact.kind, tuple(fact.parts)): fact for receipt in made for fact in receipt.facts}
    for receipt in made[::7]:
        data, own = format_receipt(receipt), list(receipt.facts)
        for place, fact in enumerate(own):
            rest = own[:place] + own[place + 1 :]
            with pytest.raises(LedgerError):
                receipts.check(changed(data, facts=rest))
            for key, other in every.items():
                if other.kind == fact.kind and other != fact:
                    exchanged = sorted([*rest, other], key=lambda f: (f.kind, tuple(f.parts)))
                    with pytest.raises(LedgerError):
                        receipts.check(changed(data, facts=exchanged))
                    if key not in {(each.kind, tuple(each.parts)) for each in own}:
                        more = sorted([*own, other], key=lambda f: (f.kind, tuple(f.parts)))
                        with pytest.raises(LedgerError):
                            receipts.check(changed(data, facts=more))


def test_an_entry_of_any_history_left_out(receipts: Receipts):
    data = receipts.make(receipts.query("HKSUSPENDED"))
    count = 0
    for place, fact in enumerate(parse_receipt(data).facts):
        for entry in range(len(fact.entries)):
            receipt = parse_receipt(data)
            del receipt.facts[place].entries[entry]
            with pytest.raises(LedgerError):
                receipts.check(format_receipt(receipt))
            count += 1
    assert count >= 7  # the text and its signatures, the pair, the prefix, two records


def test_another_issuer_named(receipts: Receipts):
    """No proof leads to another speaker; nor may another prefix stand in."""
    data = receipts.make(receipts.query("HKHELD"))
    receipt = parse_receipt(data)
    (fact,) = [each for each in receipt.facts if each.kind == keys.PREFIX]
    fact.entries[0].record = keys.speaker_record("KR", begins=True)
    with pytest.raises(ProofError):
        receipts.check(format_receipt(receipt))
    view = receipts.world.view
    proof = view.prove(keys.prefix_key("KR"))
    (speaker,) = [
        f
        for f in parse_receipt(receipts.make(receipts.query("KR1"))).facts
        if f.kind == keys.PREFIX
    ]
    assert speaker.map_proof == proof
    others = [each for each in parse_receipt(data).facts if each.kind != keys.PREFIX]
    with pytest.raises(ProofError, match="prefix HK"):
        receipts.check(
            changed(data, facts=sorted([*others, speaker], key=lambda f: (f.kind, [*f.parts])))
        )


def test_absence_may_not_stand_for_a_history(receipts: Receipts, hk: bytes):
    """The trader's subject with a proof of somebody's absence."""
    data = receipts.make(receipts.query("HKHELD"))
    gone = keys.map_key(keys.SUBJECT, hk, b"HK", b"\x07" * 32)
    proof = receipts.world.view.prove(gone)
    facts = []
    for fact in parse_receipt(data).facts:
        place = fact.kind, tuple(fact.parts)
        facts.append(shown_fact(place, (), proof) if fact.kind == keys.SUBJECT else fact)
    with pytest.raises(ProofError):
        receipts.check(changed(data, facts=facts))


def test_single_bits(receipts: Receipts):
    """Whatever bit is turned: refused, or a true receipt of another question."""
    past = receipts.query("HKSUSPENDED", known_at_height=receipts.world.view.height - 5)
    for query in (receipts.query("HKHELD"), receipts.query("HK404"), past):
        data = receipts.make(query, anchor_height=2)
        true = 0
        for bit in range(0, 8 * len(data), 211):
            turned = bytearray(data)
            turned[bit // 8] ^= 0x80 >> bit % 8
            true += not refused(receipts, bytes(turned))
        assert true <= 3


def test_shorter_and_longer(receipts: Receipts):
    data = receipts.make(receipts.query("HKHELD"))
    for end in range(0, len(data), 37):
        with pytest.raises(LedgerError):
            receipts.check(data[:end])
    with pytest.raises(FormatError):
        receipts.check(data + b"\x00")
    with pytest.raises(FormatError):
        parse_receipt(bytes(RECEIPT_LIMIT + 1))


# Lookup keys.


def test_a_false_lookup_key(receipts: Receipts, hk: bytes):
    network_id = receipts.world.view.network_id
    for tin in ("HKHELD", "HK404"):
        data = receipts.make(receipts.query(tin))
        with pytest.raises(KeyringError):
            receipts.check(data, lookup_keys={hk: LookupKey(bytes(32), network_id, hk)})
        later = LookupKey(receipts.keys[hk].key, network_id, hk, epoch=2)
        with pytest.raises(KeyringError):
            receipts.check(data, lookup_keys={hk: later})


def test_a_node_may_show_the_absence_of_anybody(receipts: Receipts, hk: bytes):
    """A false mac hides a trader; the check says that it was not opened, the key shows the lie."""
    false = LookupKey(bytes(32), receipts.world.view.network_id, hk)
    false.commitment = receipts.keys[hk].commitment

    class Lying(Receipts):
        @property
        def keys(self) -> dict[bytes, LookupKey]:
            return {**super().keys, hk: false}

    lying = Lying(receipts.world)
    data = lying.make(lying.query("HKHELD"))
    checked = receipts.check(data)
    assert reason_of(checked.verdict_bytes) == "NO_RECORD"
    assert not checked.verified
    assert [each.arrangement_id for each in checked.unopened] == [hk]
    with pytest.raises(CheckError):
        receipts.check(data, lookup_keys=receipts.keys)


def test_an_opening_of_another_trader(receipts: Receipts):
    one = receipts.make(receipts.query("HKHELD"))
    other = parse_receipt(receipts.make(receipts.query("HKSUSPENDED")))
    with pytest.raises(ProofError):
        receipts.check(changed(one, openings=list(other.openings)))
    with pytest.raises(ProofError):
        receipts.check(changed(one, openings=[]))
    twice = [*parse_receipt(one).openings, *other.openings]
    with pytest.raises(FormatError):
        receipts.check(changed(one, openings=twice))


# Trust.


def test_an_anchor_and_its_age(receipts: Receipts):
    world = receipts.world
    query = receipts.query("HKHELD")
    for height in (0, 3, world.view.height):
        data = receipts.make(query, anchor_height=height)
        anchor = Anchor(height, world.header_hash(height))
        for network_id in (None, world.view.network_id):
            given = {"anchor": anchor, "network_id": network_id}
            assert receipts.check(data, **given).verified
            oldest = world.view.time_of(height) + DEFAULT_PARAMETERS.trust_period
            assert receipts.check(data, now=oldest, **given).verified
            late = receipts.check(data, now=oldest + 1, **given)
            assert (late.trust, late.verified) == (TOO_LONG_AGO, False)
        # A network id that was given by hand does not grow old.
        assert receipts.check(data, now=oldest + 900 * DAY).verified
        with pytest.raises(AnchorError):
            receipts.check(data, anchor=Anchor(height, bytes(32)))
        with pytest.raises(AnchorError, match="no way"):
            receipts.check(data, anchor=Anchor(1, world.header_hash(1)))


def test_where_nothing_is_believed(receipts: Receipts):
    data = receipts.make(receipts.query("HKHELD"))
    with pytest.raises(AnchorError):
        receipts.check(data, network_id=None)
    with pytest.raises(AnchorError):
        receipts.check(data, network_id=bytes(32))


def test_the_clocks(receipts: Receipts):
    data = receipts.make(receipts.query("HKHELD"))
    now = receipts.times.now
    assert receipts.check(data, now=now - 60_000).verified
    with pytest.raises(AnchorError, match="ahead of the clock"):
        receipts.check(data, now=now - 60_001)
    for moment in (now - 60_001, now + 60_001):
        with pytest.raises(CheckError):
            receipts.check(changed(data, now=moment))


def test_seals(receipts: Receipts):
    """At most a third is no seal; a third and one is *attested*, and said so."""
    world, query = receipts.world, receipts.query("HKHELD")
    data = receipts.make(query)
    few = world.seal(("HK",))
    two = world.seal(("HK", "NZ"))
    world.seal()
    with pytest.raises(LedgerError, match="third"):
        receipts.check(changed(data, seal=few))
    assert receipts.check(changed(data, seal=two)).level == "attested"
    later = world.seal(attested_time=receipts.times.attested_time + 1)
    with pytest.raises(CheckError, match="verdict"):
        receipts.check(changed(data, seal=later))


def test_other_rules_are_not_guessed_at(receipts: Receipts):
    data = receipts.make(receipts.query("HKHELD"))
    with pytest.raises(CheckError, match="rules"):
        receipts.check(changed(data, rules_version=2))
    newer = World(("HK", "NZ"), parameters=DEFAULT_PARAMETERS._replace(rules_version=2))
    other = Receipts(newer)
    with pytest.raises(CheckError, match="rules"):
        other.check(other.make(other.query("HK1")))


def test_a_receipt_without_the_genesis(receipts: Receipts):
    genesis = receipts.world.genesis.data
    query = receipts.query("HKHELD")
    data = receipts.make(query, include_genesis=False)
    assert len(data) < len(receipts.make(query)) - len(genesis)
    assert receipts.check(data, genesis_bytes=genesis).verified
    with pytest.raises(AnchorError):
        receipts.check(data)
    with pytest.raises(AnchorError):
        receipts.check(data, genesis_bytes=other_network().genesis.data)


# Figures.


@pytest.mark.parametrize("at", ["now", "then"])
def test_twenty_records_in_a_network_of_twenty(at: str):
    """At most 24 KB, most of it the founders' registrations."""
    members = sorted({"HK", "NZ"} | {f"A{letter}" for letter in "BCDEFGHIJKLMNOPQRS"})
    world = World(members)
    shared = world.agree("HK", "NZ")
    for n in range(5):
        world.publish("HK", shared, [world.grant(shared, f"HK{n}{i}") for i in range(200)])
    world.publish("HK", shared, [world.grant(shared, "HK1", level="AEO-S")])
    amend = status_pb2.EVENT_AMEND, status_pb2.STATUS_CERTIFIED
    for _ in range(19):
        world.publish("HK", shared, [world.record(shared, "HK1", *amend, level="AEO-S")])
    receipts = Receipts(world)
    past = {"known_at_height": world.view.height - 3} if at == "then" else {}
    data = receipts.make(receipts.query("HK1", **past))
    checked = receipts.check(data)
    assert (len(members), checked.records) == (20, 20)
    assert checked.verified
    assert len(data) <= 24_000
