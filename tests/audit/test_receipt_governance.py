"""Receipts where votes have changed who seals, who speaks and by which rules."""

from collections.abc import Sequence
from dataclasses import replace

import pytest

from aeo.ledger.v1 import status_pb2
from audit.receipt_world import Receipts, changed
from ledger.audit.receipt import REPLACED, parse_receipt
from ledger.audit.replay import ANCHORED, TOO_LONG_AGO
from ledger.chain import keys
from ledger.chain.anchor import Anchor
from ledger.chain.governance import (
    Admission,
    ParameterChange,
    Removal,
    Rotation,
    WeightChange,
)
from ledger.chain.header import format_header, header_hash
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.chain.set_change import HAND_OVER_MS, SetChange
from ledger.customs.verdict import Alias
from ledger.errors import AnchorError, ChainError, LedgerError, ProofError
from ledger_hand_over import set_changes
from ledger_world import BACKEND, DAY, World, bls_secret, registration

NEW_PARAMETERS = DEFAULT_PARAMETERS._replace(heartbeat_interval=7_000, trust_period=9 * DAY)


def governed_world() -> World:
    """HK tells NZ of HK1; TH leaves, and KR, who comes, takes its prefix over; NZ rotates."""
    world = World(("HK", "NZ", "SG", "TH"))
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, "HK1")])
    world.decide(Removal("TH"))
    world.hand_over()
    kr = registration("KR", network_id=world.view.network_id, prefixes=("KR", "TH"))
    world.decide(Admission(kr))
    world.hand_over()
    world.decide(ParameterChange(format_parameters(NEW_PARAMETERS)))
    newer = registration("NZ", network_id=world.view.network_id, bls=1, ed25519=1)
    world.commit(world.govern("NZ", Rotation(newer)))
    world.decide(WeightChange(()))
    world.hand_over()
    later = world.agree("KR", "NZ")
    world.publish("KR", later, [world.grant(later, tin) for tin in ("KR1", "TH7")])
    world.commit(world.aliases("KR", later, [world.alias(later, "one", "TH7")]))
    world.commit(world.transaction("HK"))
    return world


@pytest.fixture(scope="module")
def receipts() -> Receipts:
    return Receipts(governed_world())


@pytest.fixture(scope="module")
def made(receipts: Receipts) -> bytes:
    return receipts.make(receipts.query("HK1"))


def test_from_the_network_id_through_three_hand_overs(receipts: Receipts):
    for tin in ("HK1", "KR1", "TH7"):
        checked = receipts.prove(receipts.query(tin))
        assert checked.verified
        assert checked.hand_overs == 3
        assert checked.verdict.reason == 1


def test_from_an_anchor_of_each_set(receipts: Receipts):
    world = receipts.world
    for height in range(0, world.view.height + 1, 3):
        data = receipts.make(receipts.query("HK1"), anchor_height=height)
        anchor = Anchor(height, world.header_hash(height))
        checked = receipts.check(data, network_id=None, anchor=anchor)
        assert checked.verified
        late = world.view.time_of(height) + NEW_PARAMETERS.trust_period + 1
        assert receipts.check(data, now=late, anchor=anchor).trust == TOO_LONG_AGO


def test_who_speaks_for_a_prefix_by_its_whole_history(receipts: Receipts):
    checked = receipts.prove(receipts.query("TH7"))
    assert checked.verdict.issuing_economy == "KR"
    data = receipts.make(receipts.query("TH7"))
    place = [fact.kind for fact in parse_receipt(data).facts].index(keys.PREFIX)
    entries = list(parse_receipt(data).facts[place].entries)
    assert [entry.record for entry in entries] == [b"TH\x01", b"TH\x02", b"KR\x01"]
    for fewer in (entries[:1], entries[1:], entries[:2], entries[2:], entries[::-1]):
        facts = list(parse_receipt(data).facts)
        facts[place].ClearField("entries")
        facts[place].entries.extend(fewer)
        with pytest.raises(LedgerError):
            receipts.check(changed(data, facts=facts))
    # What was known before the change.
    for height in range(receipts.world.view.height):
        receipts.prove(receipts.query("TH7", known_at_height=height))


def test_parameters_in_force(receipts: Receipts, made: bytes):
    facts = list(parse_receipt(made).facts)
    (place,) = [place for place, fact in enumerate(facts) if fact.kind == keys.PARAMETERS]
    assert facts[place].object == format_parameters(NEW_PARAMETERS)
    facts[place].object = receipts.world.genesis.parameter_bytes
    with pytest.raises(ProofError):
        receipts.check(changed(made, facts=facts))


def test_pairs_with_later_members_cannot_be_left_out(receipts: Receipts):
    """An alias is looked for under all arrangements: also those with KR, who was no founder."""
    query = receipts.query(tin=None, alias=Alias("TEST", "one"))
    assert receipts.prove(query, lookup_keys=receipts.keys).verified
    data = receipts.make(query)
    facts = list(parse_receipt(data).facts)
    pairs = [tuple(fact.parts) for fact in facts if fact.kind == keys.PAIR]
    assert (b"KR", b"NZ") in pairs
    for pair in pairs:
        rest = [fact for fact in facts if tuple(fact.parts) != pair]
        with pytest.raises(LedgerError):
            receipts.check(changed(data, facts=rest), lookup_keys=receipts.keys)


def test_a_member_without_weight_is_said_to_be_unproved():
    """It is in no signing set: nothing shows that it is a member, so its pair may be left out."""
    world = World(("HK", "NZ"))
    world.decide(Admission(registration("KR", 0, network_id=world.view.network_id)))
    shared = world.agree("KR", "NZ")
    world.publish("KR", shared, [world.grant(shared, "KR1")])
    world.commit(world.aliases("KR", shared, [world.alias(shared, "one", "KR1")]))
    receipts = Receipts(world)
    checked = receipts.prove(receipts.query(tin=None, alias=Alias("TEST", "one")))
    assert "member without weight" in " ".join(checked.unproved)


# Bad input.


def lies(changes: Sequence[SetChange], other: Sequence[SetChange]) -> list[Sequence[SetChange]]:
    found: list[Sequence[SetChange]] = [
        [],
        changes[1:],
        changes[:-1],
        changes[:1] + changes[2:],
        changes[::-1],
        [changes[1], changes[0], *changes[2:]],
        [changes[0], *changes],
        [*changes, changes[-1]],
        other,
        [*other, *changes[1:]],
    ]
    for name in SetChange._fields:
        for place in range(len(changes)):
            for part in (getattr(changes[place - 1], name), getattr(other[0], name), b""):
                exchanged = changes[place]._replace(**{name: part})
                found.append([*changes[:place], exchanged, *changes[place + 1 :]])
    # The two networks removed the same member from the same set.
    return [lie for lie in found if list(lie) != changes]


def test_set_changes_left_out_added_exchanged_or_out_of_order(receipts: Receipts, made: bytes):
    elsewhere = World(("HK", "NZ", "SG", "TH"), name="elsewhere")
    elsewhere.decide(Removal("TH"))
    elsewhere.hand_over()
    changes = set_changes(receipts.world)
    assert len(changes) == 3
    every = lies(changes, set_changes(elsewhere))
    assert len(every) >= 40
    for lie in every:
        messages = [change.message() for change in lie]
        with pytest.raises(LedgerError):
            receipts.check(changed(made, set_changes=messages))
    messages = [change.message() for change in changes]
    assert receipts.check(changed(made, set_changes=messages)).verified


def test_a_set_change_whose_seal_is_only_attested(receipts: Receipts, made: bytes):
    changes = set_changes(receipts.world)
    again = World(("HK", "NZ", "SG", "TH"))
    shared = again.agree("HK", "NZ")
    again.publish("HK", shared, [again.grant(shared, "HK1")])
    again.decide(Removal("TH"))
    assert again.headers[-1] == changes[0].header
    few = again.seal(("HK", "NZ"))
    weak = [changes[0]._replace(seal=few), *changes[1:]]
    with pytest.raises(ChainError, match="set change 0: signers of 2 of 4"):
        receipts.check(changed(made, set_changes=[each.message() for each in weak]))


def test_a_seal_by_a_replaced_set(receipts: Receipts):
    """The header of today, sealed by those who sealed before: their keys are known, not trusted."""
    world = World(("HK", "NZ"))
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, "HK1")])
    old = Receipts(world)
    data = old.make(old.query("HK1"))
    assert old.check(data).trust == ANCHORED
    sets = [change.sets.current.hash for change in set_changes(receipts.world)]
    assert old.check(data, replaced=sets).trust == ANCHORED
    known = [world.genesis.signing_set.hash]
    checked = old.check(data, replaced=known)
    assert (checked.trust, checked.verified) == (REPLACED, False)
    anchor = Anchor(world.view.height, world.view.header_hash)
    assert old.check(data, replaced=known, anchor=anchor).trust == ANCHORED


def test_old_keys_show_another_past_to_who_has_an_anchor(receipts: Receipts):
    """All founders' keys sign a fork; the anchor names a set to which their chain does not lead."""
    world = receipts.world
    anchor_height = world.view.height - 2
    anchor = Anchor(anchor_height, world.header_hash(anchor_height))
    fork = World(("HK", "NZ", "SG", "TH"))
    shared = fork.agree("HK", "NZ")
    fork.publish("HK", shared, [fork.grant(shared, "HK1")])
    while fork.view.height <= world.view.height:
        fork.commit(fork.transaction("SG"))
    forged = Receipts(fork)
    data = forged.make(forged.query("HK1"))
    assert forged.check(data).verified  # the network id alone cannot tell
    honest = parse_receipt(receipts.make(receipts.query("HK1"), anchor_height=anchor_height))
    for start in (None, honest.anchor):
        shown = changed(data, anchor=start) if start else data
        with pytest.raises(AnchorError):
            receipts.check(shown, anchor=anchor, now=fork.time)


def test_an_anchor_of_a_set_that_is_not_on_the_way(receipts: Receipts):
    """Trust passes on by the set that the anchor names, never by an earlier one."""
    world = receipts.world
    height = world.view.height - 2
    anchor = Anchor(height, world.header_hash(height))
    # Forged by founders whom the true ledger replaced: its root of earlier headers is their own
    # choice, so it may well hold the true anchor.
    data = receipts.make(receipts.query("HK1"), anchor_height=height)
    receipt = parse_receipt(data)
    first = world.genesis.signing_set
    forged = replace(world.view.header, signing_set_hash=first.hash)
    hashed = header_hash(format_header(forged))
    shares = {
        each.economy: sign_share(
            bls_secret(each.economy), BACKEND, forged.network_id, hashed, forged.time
        )
        for each in first.members
    }
    seal = aggregate_seal(first, hashed, forged.time, shares, BACKEND)
    lie = changed(data, header=format_header(forged), seal=seal, set_changes=[])
    with pytest.raises(AnchorError, match="do not pass through the signing set of the anchor"):
        receipts.check(lie, anchor=anchor)
    assert receipts.check(changed(data, anchor=receipt.anchor), anchor=anchor).verified


def test_who_sealed_between_two_terms_of_the_anchors_set():
    """KR came with more weight than all the others, and left: the set is what it was before. The
    anchor names that set, and the hand-over to KR is true; but it is long past."""
    world = World(("HK", "NZ"))
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, "HK1")])
    world.decide(Admission(registration("KR", 100, network_id=world.view.network_id)))
    world.hand_over()
    strong = world.view.signing_sets.current
    world.decide(Removal("KR"))
    world.hand_over()
    world.time += 2 * HAND_OVER_MS
    for _ in range(3):
        world.commit(*(world.transaction(each) for each in ("HK", "NZ")))
    assert world.view.signing_sets.current == world.genesis.signing_set
    receipts, height = Receipts(world), world.view.height - 2
    anchor = Anchor(height, world.header_hash(height))
    data = receipts.make(receipts.query("HK1"), anchor_height=height)
    assert receipts.check(data, anchor=anchor).verified
    forged = replace(world.view.header, signing_set_hash=strong.hash)
    hashed = header_hash(format_header(forged))
    share = sign_share(bls_secret("KR"), BACKEND, forged.network_id, hashed, forged.time)
    lie = changed(
        data,
        header=format_header(forged),
        seal=aggregate_seal(strong, hashed, forged.time, {"KR": share}, BACKEND),
        set_changes=[each.message() for each in set_changes(world)[:1]],
    )
    with pytest.raises(AnchorError, match="do not pass through the signing set of the anchor"):
        receipts.check(lie, anchor=anchor)


# Figures.


def test_twenty_members_and_one_hand_over():
    """At most 24 KB with the genesis, a third of it without."""
    members = sorted({"HK", "NZ"} | {f"A{letter}" for letter in "BCDEFGHIJKLMNOPQRS"})
    world = World(members)
    world.decide(WeightChange((("AB", 2),)))
    world.hand_over()
    shared = world.agree("HK", "NZ")
    for n in range(3):
        world.publish("HK", shared, [world.grant(shared, f"HK{n}{i}") for i in range(200)])
    world.publish("HK", shared, [world.grant(shared, "HK1", level="AEO-S")])
    amend = status_pb2.EVENT_AMEND, status_pb2.STATUS_CERTIFIED
    for _ in range(19):
        world.publish("HK", shared, [world.record(shared, "HK1", *amend, level="AEO-S")])
    receipts = Receipts(world)
    sizes = {}
    for include_genesis in (True, False):
        data = receipts.make(receipts.query("HK1"), include_genesis=include_genesis)
        checked = receipts.check(data, genesis_bytes=world.genesis.data)
        assert (checked.records, checked.hand_overs, checked.verified) == (20, 1, True)
        sizes[include_genesis] = len(data)
    assert sizes[True] <= 24_000
    assert sizes[False] <= 8_000
