"""Networks that govern themselves, from admission to hand-over, and verified from their bytes."""

import pytest

from ledger.audit.replay import Report, verify_items
from ledger.chain.export import HEADER, SEAL, SIGNING_SETS
from ledger.chain.governance import (
    Admission,
    HandOver,
    MemberSuspension,
    ParameterChange,
    Reinstatement,
    Removal,
    Rotation,
    WeightChange,
)
from ledger.chain.header import parse_header
from ledger.chain.history import history_head
from ledger.chain.keys import (
    PARAMETERS_KEY,
    member_key,
    object_value,
    prefix_key,
    proposal_key,
)
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.seal import aggregate_seal, check_share, open_seal, sign_share
from ledger.errors import ChainError, NotEntered, SignatureError
from ledger.state.machine import Machine
from ledger.state.refusals import AUTHOR_SUSPENDED, AUTHOR_UNKNOWN, BLOCK_FULL, KEY_UNKNOWN
from ledger.tree.map_proof import check_map_proof
from ledger_world import BACKEND, DAY, START, World, bls_public_key, registration, secret_behind
from state.arrangement_world import amend, open_epoch, text

THREE = ("HK", "NZ", "SG")


def admission(world: World, economy: str, weight: int = 1, **fields: object) -> Admission:
    network = world.view.network_id
    return Admission(registration(economy, weight, network_id=network, **fields))  # type: ignore[arg-type]


def rotation(world: World, economy: str, generation: int = 1, **fields: object) -> Rotation:
    network = world.view.network_id
    return Rotation(registration(economy, network_id=network, bls=generation, **fields))  # type: ignore[arg-type]


def verified(world: World) -> Report:
    """What a verifier says of everything; the machine restored from it is the same too."""
    *_, report = verify_items(
        world.items(), now=world.time, backend=BACKEND, network_id=world.view.network_id
    )
    assert report.verified
    again = Machine.restore(world.genesis, world.blocks, BACKEND).state
    assert again.header_bytes == world.view.header_bytes
    assert again.signing_sets == world.view.signing_sets
    assert again.membership == world.view.membership
    assert again.proposals == world.view.proposals
    assert again.current_sets == world.view.current_sets
    assert again.pending_since == world.view.pending_since
    assert again.parameter_bytes == world.view.parameter_bytes
    return report


def test_a_new_member_from_proposal_to_its_first_seal() -> None:
    world = World(THREE)
    before = world.view.signing_sets.current
    identity = world.propose(admission(world, "TH", 2, prefixes=("TH", "XT")))
    assert "TH" not in world.view.membership.members
    first, second, third = world.votes(identity)
    world.commit(first)
    world.commit(second)
    assert world.view.proposals[identity].result == 0, "two thirds are not more than two thirds"
    decided = world.commit(third)
    assert world.view.proposals[identity].result == 1

    sets = world.view.signing_sets
    assert sets.current == before
    assert sets.pending is not None
    assert [(each.economy, each.weight) for each in sets.pending.members] == [
        ("HK", 1),
        ("NZ", 1),
        ("SG", 1),
        ("TH", 2),
    ]
    assert world.view.pending_since == world.view.height
    assert world.view.member_since("TH") == world.time
    assert [entry.economy for entry in world.view.speaker_history("XT")] == ["TH"]

    # A member writes before it seals.
    shared = world.agree("HK", "TH")
    world.publish("TH", shared, [world.grant(shared, "XT1")])
    assert world.view.subject(shared, "TH", world.subject(shared, "XT1"))

    block = world.hand_over("TH")
    assert block.header is not None
    assert world.view.signing_sets.current == sets.pending
    assert world.view.signing_sets.pending is None
    assert block.header.signing_set_hash == sets.pending.hash
    assert world.view.signing_set_of(world.view.height) == sets.pending
    assert world.view.signing_set_of(world.view.height - 1) == before
    world.seal(["SG", "TH", "HK"])
    report = verified(world)
    assert report.sealed_height == world.view.height
    assert [kind for kind, _ in world.items()].count(SIGNING_SETS) == 1

    # What receipts prove: the histories, under the newest header.
    view = world.view
    (entry,) = view.member_records("TH")
    assert (entry.author, entry.height, entry.position) == ("SG", decided.header.height, 0)
    (speaks,) = view.prefix_records("XT")
    assert (speaks.author, speaks.record) == ("SG", b"TH\x01")
    assert entry.record == view.proposals[identity].records[-2].record
    assert view.proposals[identity].records[-1].record == b"\x01"
    for key, records in (
        (member_key("TH"), view.member_records("TH")),
        (prefix_key("XT"), view.prefix_records("XT")),
        (member_key("HK"), view.member_records("HK")),
        (proposal_key(identity), view.proposals[identity].records),
    ):
        check_map_proof(view.header.map_root, key, history_head(records), view.prove(key))


def test_every_change_in_one_life() -> None:
    world = World((*THREE, "AU"))
    world.decide(WeightChange((("AU", 0), ("HK", 5))))
    world.hand_over()
    world.commit(world.govern("NZ", rotation(world, "NZ")))
    world.decide(
        ParameterChange(format_parameters(DEFAULT_PARAMETERS._replace(heartbeat_interval=7)))
    )
    assert world.view.heartbeat_interval == 7
    world.decide(MemberSuspension("SG", world.view.membership.members["SG"].key_id))
    world.hand_over()
    world.decide(Reinstatement("SG"))
    world.decide(WeightChange(()))
    world.hand_over()
    current = {each.economy: each for each in world.view.signing_sets.current.members}
    assert {economy: each.weight for economy, each in current.items()} == {
        "HK": 5,
        "NZ": 1,
        "SG": 1,
    }
    assert current["NZ"].key == bls_public_key("NZ", 1)
    world.decide(Removal("HK"))
    world.hand_over("NZ")
    assert "HK" not in world.view.prefixes()
    world.decide(admission(world, "HK", 3, bls=1, ed25519=1, ca=1))
    world.hand_over()
    assert [entry.begins for entry in world.view.speaker_history("HK")] == [True, False, True]
    assert world.view.member_since("HK") > START
    world.seal()
    assert verified(world).height == world.view.height
    assert len(world.view.current_sets) == 6


def test_parameters_in_the_map_are_the_bytes_voted_for() -> None:
    world = World()
    data = format_parameters(DEFAULT_PARAMETERS._replace(default_staleness_limit=11))
    world.decide(ParameterChange(data))
    view = world.view
    assert (view.parameter_bytes, view.default_staleness_limit) == (data, 11)
    proof = view.prove(PARAMETERS_KEY)
    check_map_proof(view.header.map_root, PARAMETERS_KEY, object_value(data), proof)
    world.seal()
    verified(world)


def test_a_block_has_the_limits_that_were_in_force_before_it() -> None:
    world = World()
    one = format_parameters(DEFAULT_PARAMETERS._replace(max_block_transactions=1))
    votes = world.votes(world.propose(ParameterChange(one)))
    assert world.commit(*votes, world.transaction("HK")).results == (("",), ("",), ())
    assert world.commit(world.transaction("HK"), world.transaction("NZ")).results == (
        (),
        BLOCK_FULL,
    )


def test_a_rotation_holds_for_what_stands_after_it_in_its_block() -> None:
    world = World(THREE)
    rotate = world.govern("NZ", rotation(world, "NZ"))
    with_old_key = world.transaction("NZ")
    block = world.machine.execute([rotate, with_old_key], world.time)
    assert block.results == (("",), KEY_UNKNOWN)

    # Made by a world that has rotated: its number is the next, its key the new one.
    other = World(THREE)
    other.commit(other.govern("NZ", rotation(other, "NZ")))
    next_number = other.transaction("NZ", verified=0)
    block = world.commit(rotate, with_old_key, next_number, world.transaction("SG"))
    assert block.results == (("",), KEY_UNKNOWN, (), ())
    assert world.machine.execute([with_old_key], world.time).results == (KEY_UNKNOWN,)
    world.seal()
    verified(world)

    # It seals with the old key until a hand-over brings the new one.
    (member,) = [e for e in world.view.signing_sets.current.members if e.economy == "NZ"]
    assert member.key == bls_public_key("NZ", 0)
    world.decide(WeightChange(()))
    world.hand_over()
    (member,) = [e for e in world.view.signing_sets.current.members if e.economy == "NZ"]
    assert member.key == bls_public_key("NZ", 1)
    world.seal()
    verified(world)


def test_a_new_member_may_write_in_the_block_that_admits_it() -> None:
    other = World(THREE)
    other.decide(admission(other, "TH"))
    early, first = (other.transaction("TH", sequence=1, verified=0) for _ in range(2))
    world = World(THREE)
    votes = world.votes(world.propose(admission(world, "TH")))
    block = world.commit(early, *votes, first)
    assert block.results == (AUTHOR_UNKNOWN, ("",), ("",), ("",), ())
    assert world.view.next_sequence("TH") == 2
    world.seal()
    verified(world)


def test_who_is_suspended_may_not_wait_in_the_queue() -> None:
    world = World((*THREE, "AU"))
    waiting = world.transaction("NZ")
    world.machine.check(waiting)
    world.forget_unsent()
    suspension = MemberSuspension("NZ", world.view.membership.members["NZ"].key_id)
    world.commit(*world.votes(world.propose(suspension), "AU", "HK", "SG"))
    with pytest.raises(NotEntered, match="its key is not trusted") as caught:
        world.machine.check(waiting)
    assert caught.value.code == AUTHOR_SUSPENDED


def test_a_suspended_member_is_shut_out_within_the_block() -> None:
    world = World((*THREE, "AU"))
    identity = world.propose(
        MemberSuspension("NZ", world.view.membership.members["NZ"].key_id), "HK"
    )
    before = world.transaction("NZ")
    votes = world.votes(identity, "AU", "HK", "SG")
    block = world.commit(before, *votes, world.transaction("NZ"), world.transaction("HK"))
    assert block.results == ((), ("",), ("",), ("",), AUTHOR_SUSPENDED, ())
    assert world.view.signing_sets.pending is not None
    assert [each.economy for each in world.view.signing_sets.pending.members] == ["AU", "HK", "SG"]
    assert "NZ" in world.view.membership.belonging
    # Its prefixes stay its own, and it counts from where it was once it is trusted again.
    assert "NZ" in world.view.prefixes()
    assert world.commit(world.transaction("NZ", sequence=2)).results == (AUTHOR_SUSPENDED,)
    world.decide(Reinstatement("NZ"))
    assert world.commit(world.transaction("NZ", sequence=2)).results == ((),)
    world.seal()
    verified(world)


def test_a_removed_member_is_shut_out_within_the_block() -> None:
    world = World((*THREE, "AU"))
    votes = world.votes(world.propose(Removal("NZ")), "AU", "HK", "SG")
    assert world.commit(*votes, world.transaction("NZ")).results[-1] == AUTHOR_UNKNOWN
    assert world.view.speaker_history("NZ")[-1].begins is False
    assert world.view.member_since("NZ") == 0
    assert "NZ" not in world.view.membership.belonging
    assert "NZ" in [each.economy for each in world.view.members()]
    world.seal()
    verified(world)


def test_a_hand_over_with_one_liar_and_one_missing_share() -> None:
    seven = ("AU", "CA", "HK", "JP", "NZ", "SG", "TH")
    world = World(seven)
    world.decide(Removal("TH"))
    view, current = world.view, world.view.signing_sets.current
    shares = {}
    for member in current.members:
        if member.economy == "JP":
            continue  # silent
        hashed = b"\x09" * 32 if member.economy == "CA" else view.header_hash
        share = sign_share(
            secret_behind(member.economy, member.key),
            BACKEND,
            view.network_id,
            hashed,
            view.header_time,
        )
        try:
            check_share(
                share, member.key, view.network_id, view.header_hash, view.header_time, BACKEND
            )
        except SignatureError:
            assert member.economy == "CA"
            continue
        shares[member.economy] = share
    assert sorted(shares) == ["AU", "HK", "NZ", "SG", "TH"]
    seal = aggregate_seal(current, view.header_hash, view.header_time, shares, BACKEND)
    assert open_seal(seal, current, view.network_id, BACKEND).level == "sealed"
    world.seal(sorted(shares))
    block = world.commit(world.govern("NZ", HandOver(view.header_bytes, seal)))
    assert block.results == (("",),)
    assert len(world.view.signing_sets.current.members) == 6
    world.seal()
    verified(world)

    # With the liar's share in it the seal is none.
    lying = World(seven)
    lying.decide(Removal("TH"))
    view = lying.view
    shares["CA"] = sign_share(
        secret_behind("CA", bls_public_key("CA")), BACKEND, view.network_id, bytes(32), 1
    )
    spoilt = aggregate_seal(current, view.header_hash, view.header_time, shares, BACKEND)
    block = lying.commit(lying.govern("NZ", HandOver(view.header_bytes, spoilt)))
    assert block.results == (("SEAL_INVALID",),)


def test_item_5_stands_where_the_set_changes_and_only_there() -> None:
    world = World(THREE)
    world.decide(Removal("SG"))
    world.hand_over()
    world.commit(world.transaction("HK"))
    world.seal()
    verified(world)
    items = world.items()
    (at,) = [index for index, (kind, _) in enumerate(items) if kind == SIGNING_SETS]
    assert parse_header(items[at + 1][1]).signing_set_hash == world.view.signing_sets.current.hash

    def place(changed: list[tuple[int, bytes]]) -> str:
        with pytest.raises(ChainError) as caught:
            list(verify_items(changed, now=world.time, backend=BACKEND))
        return caught.value.place

    height = parse_header(items[at + 1][1]).height
    assert place(items[:at] + items[at + 1 :]) == f"header {height}"
    doubled = [*items, (SIGNING_SETS, items[at][1])]
    assert place(doubled).startswith("height")
    later = next(i for i in range(at + 2, len(items)) if items[i][0] == HEADER)
    moved = [*items[:at], *items[at + 1 : later], items[at], *items[later:]]
    assert place(moved) == f"header {height}"
    # Without the outgoing set's seal nothing hands over.
    unsealed = [item for index, item in enumerate(items) if item[0] != SEAL or index > at]
    assert place(unsealed) == f"signing sets before header {height}"


def test_many_votes_of_one_block_follow_and_restore_alike() -> None:
    """Two proposals pass in one block, a hand-over and new votes stand in another."""
    world = World((*THREE, "AU"))
    longer = format_parameters(DEFAULT_PARAMETERS._replace(trust_period=40 * DAY))
    one = world.propose(Removal("SG"))
    two = world.propose(ParameterChange(longer))
    three = world.propose(WeightChange((("HK", 9),)))
    voters = ("AU", "HK", "NZ")
    votes = [vote for each in (one, two, three) for vote in world.votes(each, *voters)]
    block = world.commit(*votes)
    # The second change of sets waits for the first: only the vote that would have passed it fails.
    assert [result[0] for result in block.results] == [*[""] * 8, "SET_PENDING"]
    assert world.view.parameters.trust_period == 40 * DAY
    seal = world.seal()
    world.commit(
        world.govern("HK", HandOver(world.view.header_bytes, seal)),
        *world.votes(three, "NZ"),
    )
    assert world.view.proposals[three].result == 1
    assert world.view.signing_sets.pending is not None, "a new one, in the block of the hand-over"
    assert world.view.pending_since == world.view.height
    world.seal()
    verified(world)


def test_the_deciding_vote_may_be_cast_again_once_the_hand_over_is_done() -> None:
    world = World(THREE)
    heavier = world.propose(WeightChange((("HK", 9),)))
    world.commit(*world.votes(heavier, "HK", "NZ"))
    # Sorted by economy, the two are not yet more than two thirds.
    world.decide(admission(world, "TH"))
    assert world.commit(*world.votes(heavier, "SG")).results == (("SET_PENDING",),)
    world.hand_over()
    assert world.commit(*world.votes(heavier, "SG")).results == (("",),)
    assert world.view.proposals[heavier].result == 1
    world.hand_over()
    world.seal()
    verified(world)


def test_a_suspended_party_is_a_party_still() -> None:
    """No amendment leaves it out without its signature; a new lookup key need not wait for it."""
    world = World((*THREE, "AU"))
    shared = world.agree("HK", "NZ", "SG")
    world.decide(MemberSuspension("SG", world.view.membership.members["SG"].key_id))
    smaller = text(world, shared, "HK", "NZ")
    assert amend(world, "HK", shared, smaller, "SG") == "MEMBER_LEFT_OUT"
    assert open_epoch(world, "HK", shared, 2, "SG") == ""
    world.hand_over()
    world.decide(Removal("SG"))
    assert amend(world, "HK", shared, smaller, "SG") == ""
    world.seal()
    verified(world)
