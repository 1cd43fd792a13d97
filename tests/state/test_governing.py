"""Governance steps that are refused, each with its own reason; what is refused changes nothing."""

from pathlib import Path

import pytest

from aeo.ledger.v1 import governance_pb2 as pb
from aeo.ledger.v1.member_pb2 import Registration as RegistrationMessage
from aeo.ledger.v1.member_pb2 import RegistrationBody
from ledger.chain.governance import (
    Admission,
    Change,
    HandOver,
    MemberSuspension,
    ParameterChange,
    Proposal,
    Propose,
    Reinstatement,
    Removal,
    Rotation,
    Vote,
    WeightChange,
    format_governance_step,
)
from ledger.chain.header import format_header
from ledger.chain.keys import PARAMETERS_KEY, SIGNING_SETS_KEY, author_key
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.registration import sign_registration
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.chain.signing_set import TOTAL_WEIGHT_LIMIT
from ledger.state.draft import Draft
from ledger.state.governance_refusals import GOVERNANCE_REFUSALS
from ledger.state.governing import execute_governance
from ledger.state.refusal_texts import describe
from ledger.wire import format_strict
from ledger_world import (
    BACKEND,
    DAY,
    START,
    World,
    bls_public_key,
    bls_secret,
    ca_certificate,
    genesis_of,
    material,
    registration,
    secret_behind,
)

FOUR = ("AU", "HK", "NZ", "SG")


@pytest.fixture
def world() -> World:
    return World(FOUR)


def code_of(world: World, author: str, step: object) -> str:
    """The code of a refused step: nothing but the author's count has changed."""
    data = step if isinstance(step, bytes) else world.govern(author, step)  # type: ignore[arg-type]
    view = world.view
    block = world.commit(data)
    (result,) = block.results
    assert not isinstance(result, str), result
    (code,) = result
    if code:
        assert describe(code)
        assert set(block.changes) == {author_key(author)}
        assert world.view.membership is view.membership
        assert world.view.signing_sets is view.signing_sets
        assert world.view.proposals == view.proposals
        assert world.view.parameter_bytes is view.parameter_bytes
    return code


def proposed(world: World, change: Change, author: str = "AU") -> str:
    return code_of(world, author, Propose(Proposal(world.time + DAY, change)))


def voted(world: World, identity: bytes, author: str, *, in_favour: bool = True) -> str:
    return code_of(world, author, Vote(identity, in_favour))


def admission(world: World, economy: str, weight: int = 1, **fields: object) -> Admission:
    fields = {"network_id": world.view.network_id} | fields
    return Admission(registration(economy, weight, **fields))  # type: ignore[arg-type]


def key_id(world: World, economy: str) -> bytes:
    return world.view.membership.all[economy].registration.key_id


# Votes.


def test_nobody_votes_twice(world: World) -> None:
    identity = world.propose(Removal("SG"))
    assert voted(world, identity, "AU") == ""
    assert voted(world, identity, "AU") == "ALREADY_VOTED"
    assert voted(world, identity, "AU", in_favour=False) == "ALREADY_VOTED"
    assert dict(world.view.proposals[identity].votes) == {"AU": True}


def test_a_second_vote_in_the_same_block(world: World) -> None:
    identity = world.propose(Removal("SG"))
    block = world.commit(*world.votes(identity, "AU", "HK", "AU"))
    assert block.results == (("",), ("",), ("ALREADY_VOTED",))


def test_nobody_votes_after_closing(world: World) -> None:
    identity = world.propose(Removal("SG"), open_for=10_000)
    closes_at = world.view.proposals[identity].proposal.closes_at
    world.commit(*world.votes(identity, "AU", "HK"), time=closes_at - 1)
    world.time = closes_at - 1000
    assert voted(world, identity, "NZ") == "PROPOSAL_CLOSED"
    assert world.view.proposals[identity].result == 0
    assert "SG" in world.view.membership.members


def test_the_last_moment_is_before_it_closes(world: World) -> None:
    identity = world.propose(Removal("SG"), open_for=10_000)
    closes_at = world.view.proposals[identity].proposal.closes_at
    block = world.commit(*world.votes(identity, "AU", "HK", "NZ"), time=closes_at - 1)
    assert block.header is not None
    assert block.header.time == closes_at - 1
    assert world.view.proposals[identity].result == 1


def test_nobody_votes_once_the_result_stands(world: World) -> None:
    passed = world.decide(Removal("SG"))
    assert voted(world, passed, "NZ") == "PROPOSAL_CLOSED"
    failed = world.propose(ParameterChange(format_parameters(DEFAULT_PARAMETERS)))
    assert voted(world, failed, "AU", in_favour=False) == ""
    assert world.view.proposals[failed].result == 0, "a quarter against cannot stop it"
    assert voted(world, failed, "HK", in_favour=False) == ""
    assert world.view.proposals[failed].result == 2
    assert world.view.proposals[failed].records[-1].record == b"\x02"
    assert voted(world, failed, "NZ") == "PROPOSAL_CLOSED"


def test_votes_of_strangers_and_without_weight(world: World) -> None:
    identity = world.propose(Removal("SG"))
    stranger = World((*FOUR, "TH"))
    vote = stranger.govern("TH", Vote(identity, in_favour=True))
    assert world.commit(vote).results == ("AUTHOR_UNKNOWN",)
    world.decide(admission(world, "TH", 0))
    assert voted(world, identity, "TH") == "NO_WEIGHT"
    # Admitted with weight, but the set that has it is still pending.
    world.decide(admission(world, "CA", 1))
    other = world.propose(ParameterChange(format_parameters(DEFAULT_PARAMETERS)), "CA")
    assert voted(world, other, "CA") == "NO_WEIGHT"
    world.hand_over()
    assert voted(world, other, "CA") == ""


def test_votes_on_nothing(world: World) -> None:
    assert voted(world, bytes(16), "AU") == "PROPOSAL_UNKNOWN"


def test_more_than_two_thirds_and_not_a_vote_less() -> None:
    world = World(("AU", "HK", "NZ"))
    world.decide(WeightChange((("AU", 33), ("HK", 33), ("NZ", 33))))
    world.hand_over()
    identity = world.propose(ParameterChange(format_parameters(DEFAULT_PARAMETERS)))
    world.commit(*world.votes(identity, "AU", "HK"))
    assert world.view.proposals[identity].result == 0
    world.decide(WeightChange((("AU", 34),)))
    world.hand_over()
    identity = world.propose(ParameterChange(format_parameters(DEFAULT_PARAMETERS)))
    world.commit(*world.votes(identity, "AU", "HK"))
    assert world.view.proposals[identity].result == 1


def test_what_was_voted_before_a_hand_over_counts_as_the_new_set_says(world: World) -> None:
    identity = world.propose(ParameterChange(format_parameters(DEFAULT_PARAMETERS)))
    world.commit(*world.votes(identity, "AU"))
    world.decide(WeightChange((("AU", 100),)))
    world.hand_over()
    assert world.view.proposals[identity].result == 0, "a hand-over is no vote"
    assert voted(world, identity, "HK", in_favour=False) == ""
    assert world.view.proposals[identity].result == 1


def test_votes_of_a_suspended_key_do_not_count(world: World) -> None:
    identity = world.propose(ParameterChange(format_parameters(DEFAULT_PARAMETERS)))
    world.commit(*world.votes(identity, "SG", "NZ"))
    world.commit(
        *world.votes(world.propose(MemberSuspension("SG", key_id(world, "SG"))), "AU", "HK", "NZ")
    )
    world.commit(*world.votes(identity, "HK"))
    assert world.view.proposals[identity].result == 0
    world.commit(*world.votes(identity, "AU"))
    assert world.view.proposals[identity].result == 1


def test_votes_of_the_old_key_do_not_come_back_with_the_member(world: World) -> None:
    """Whoever had the stolen key has voted with it; the member votes anew with its own."""
    identity = world.propose(ParameterChange(format_parameters(DEFAULT_PARAMETERS)))
    world.commit(*world.votes(identity, "SG", "NZ"))
    suspension = world.propose(MemberSuspension("SG", key_id(world, "SG")))
    world.commit(*world.votes(suspension, "AU", "HK", "NZ"))
    world.hand_over()
    world.decide(admission(world, "SG", bls=1, ed25519=1, ca=1))
    world.hand_over()
    world.commit(*world.votes(identity, "HK"))
    assert dict(world.view.proposals[identity].votes) == {"NZ": True, "HK": True}
    assert world.view.proposals[identity].result == 0
    assert voted(world, identity, "SG") == ""
    assert world.view.proposals[identity].result == 1


def test_votes_of_a_reinstated_key_count_again(world: World) -> None:
    identity = world.propose(ParameterChange(format_parameters(DEFAULT_PARAMETERS)))
    world.commit(*world.votes(identity, "SG", "NZ"))
    world.decide(MemberSuspension("SG", key_id(world, "SG")))
    world.decide(Reinstatement("SG"))
    world.commit(*world.votes(identity, "HK"))
    assert world.view.proposals[identity].result == 1


# Proposals.


def test_proposals_that_close_before_they_open(world: World) -> None:
    now = Propose(Proposal(world.time + 1000, Removal("SG")))
    assert code_of(world, "AU", now) == "PROPOSAL_CLOSED"
    assert code_of(world, "AU", Propose(Proposal(1, Removal("SG")))) == "PROPOSAL_CLOSED"


@pytest.mark.parametrize(
    "step",
    [
        b"",
        b"\x0a\x00",
        format_strict(pb.GovernanceStep(propose=b"\x09" + bytes(8))),
        format_strict(pb.GovernanceStep(vote=pb.Vote(proposal_id=bytes(15), in_favour=True))),
        format_strict(pb.GovernanceStep(hand_over=pb.HandOver(header=bytes(223), seal=bytes(200)))),
        format_strict(pb.GovernanceStep(hand_over=pb.HandOver(header=bytes(224)))),
    ],
)
def test_steps_that_are_none(world: World, step: bytes) -> None:
    data = world.transaction("AU", governance=step)
    assert code_of(world, "AU", data) == "STEP_MALFORMED"


def test_registrations_that_may_not_be_admitted(world: World) -> None:
    network = world.view.network_id
    good = registration("TH", network_id=network)
    assert proposed(world, Admission(good[:-1])) == "REGISTRATION_MALFORMED"
    assert proposed(world, Admission(b"")) == "REGISTRATION_MALFORMED"
    other = genesis_of(FOUR, name="another").network_id
    for foreign in (registration("TH"), registration("TH", network_id=other)):
        assert proposed(world, Admission(foreign)) == "REGISTRATION_OF_OTHER_NETWORK"
    message = RegistrationMessage.FromString(good)
    message.bls_signature = message.proof_of_possession
    assert proposed(world, Admission(format_strict(message))) == "REGISTRATION_NOT_SIGNED"
    message = RegistrationMessage.FromString(good)
    message.ed25519_signature = bytes(64)
    assert proposed(world, Admission(format_strict(message))) == "REGISTRATION_NOT_SIGNED"
    assert proposed(world, admission(world, "HK", bls=1, ed25519=1, ca=1)) == "ALREADY_MEMBER"
    assert proposed(world, admission(world, "TH", prefixes=("HK", "TH"))) == "PREFIX_TAKEN"
    assert proposed(world, Admission(good)) == ""


@pytest.mark.parametrize(
    "key", [bytes(48), b"\xc0" + bytes(47), b"\xff" * 48, b"\x80" + bytes(46) + b"\x05"]
)
def test_a_key_that_is_no_point_of_the_group(world: World, key: bytes) -> None:
    message = RegistrationMessage.FromString(registration("TH", network_id=world.view.network_id))
    body = RegistrationBody.FromString(message.body)
    body.bls_public_key = key
    message.body = format_strict(body)
    assert proposed(world, Admission(format_strict(message))) == "REGISTRATION_NOT_SIGNED"


def test_no_byte_of_a_step_can_stop_the_machine(world: World) -> None:
    """Every step with a byte changed is executed or refused with a code of the closed lists."""
    network = world.view.network_id
    identity = world.propose(admission(world, "CA"))
    world.commit(*world.votes(identity, "AU", "HK"))
    pending = World(FOUR)
    pending.decide(Removal("SG"))
    steps = (
        (
            world,
            "AU",
            Propose(Proposal(START + DAY, Admission(registration("TH", network_id=network)))),
        ),
        (world, "AU", Propose(Proposal(START + DAY, MemberSuspension("SG", key_id(world, "SG"))))),
        (world, "NZ", Vote(identity, in_favour=True)),
        (world, "NZ", Rotation(registration("NZ", network_id=network, bls=1))),
        (pending, "AU", HandOver(pending.view.header_bytes, pending.seal())),
    )
    known = {"", "STEP_MALFORMED", *GOVERNANCE_REFUSALS}
    for where, author, step in steps:
        data = format_governance_step(step)  # type: ignore[arg-type]
        seen = set()
        for at in range(0, len(data), 1 if len(data) < 100 else 5):
            changed = data[:at] + bytes([data[at] ^ 1 << at % 8]) + data[at + 1 :]
            draft = Draft(where.view, where.time + 1)
            seen.add(execute_governance(draft, author, 99, changed, BACKEND))
        assert seen <= known
        assert len(seen) > 1


@pytest.mark.parametrize("same", ["bls", "ed25519", "ca"])
def test_no_key_ever_comes_back(world: World, same: str) -> None:
    """Neither a removed member's own nor, rotated away, that of a member."""
    new = {"bls": 1, "ed25519": 1, "ca": 1}
    world.decide(Removal("SG"))
    world.hand_over()
    assert proposed(world, admission(world, "SG", **(new | {same: 0}))) == "KEY_USED"
    network = world.view.network_id
    moved = registration("NZ", network_id=network, **new)  # type: ignore[arg-type]
    assert code_of(world, "NZ", Rotation(moved)) == ""
    again = registration("NZ", network_id=network, **(dict.fromkeys(new, 2) | {same: 0}))  # type: ignore[arg-type]
    assert code_of(world, "NZ", Rotation(again)) == "KEY_USED"


def test_a_key_of_somebody_else(world: World) -> None:
    """Admitted with the key of a founder: whoever asks, and even if that founder has left."""

    def thief(bls: str, ed25519: str, ca: str) -> Admission:
        body = RegistrationBody(
            network_id=world.view.network_id,
            economy="TH",
            name="Thief",
            time_zone="Asia/Bangkok",
            weight=1,
            ca_certificate=ca_certificate(ca),
        )
        seed = material("ed25519", ed25519)
        return Admission(sign_registration(body, bls_secret(bls), seed, BACKEND))

    for owners in (("SG", "TH", "TH"), ("TH", "SG", "TH"), ("TH", "TH", "SG")):
        assert proposed(world, thief(*owners)) == "KEY_USED"
    world.decide(Removal("SG"))
    for owners in (("SG", "TH", "TH"), ("TH", "SG", "TH"), ("TH", "TH", "SG")):
        assert proposed(world, thief(*owners)) == "KEY_USED"


def test_two_admissions_with_one_key_and_one_prefix(world: World) -> None:
    """Both may be proposed; when the first has passed, the vote for the second is refused."""
    one = world.propose(admission(world, "TH", 0, prefixes=("TH", "XX")))
    same_key = world.propose(admission(world, "TH", 0, name="Again"))
    same_prefix = world.propose(admission(world, "CA", 0, prefixes=("CA", "XX")))
    world.commit(*world.votes(one, "AU", "HK", "NZ"))
    for identity, code in ((same_key, "ALREADY_MEMBER"), (same_prefix, "PREFIX_TAKEN")):
        world.commit(*world.votes(identity, "AU", "HK"))
        assert voted(world, identity, "NZ") == code
        assert "NZ" not in world.view.proposals[identity].votes
        assert world.view.proposals[identity].result == 0
    world.decide(Removal("TH"))
    assert voted(world, same_key, "NZ") == "KEY_USED"
    assert voted(world, same_prefix, "NZ") == ""


def test_suspensions_that_may_not_be(world: World) -> None:
    assert proposed(world, MemberSuspension("TH", bytes(8))) == "MEMBER_UNKNOWN"
    assert proposed(world, MemberSuspension("SG", key_id(world, "NZ"))) == "KEY_NOT_IN_FORCE"
    assert proposed(world, Reinstatement("SG")) == "MEMBER_NOT_SUSPENDED"
    assert proposed(world, Reinstatement("TH")) == "MEMBER_UNKNOWN"
    suspend = MemberSuspension("SG", key_id(world, "SG"))
    late = world.propose(suspend)
    world.decide(suspend)
    assert proposed(world, suspend) == "MEMBER_SUSPENDED"
    world.hand_over()
    assert proposed(world, WeightChange((("SG", 3),))) == "MEMBER_SUSPENDED"
    world.commit(*world.votes(late, "AU", "HK"))
    assert world.view.proposals[late].result == 0
    assert voted(world, late, "NZ") == "MEMBER_SUSPENDED"


def test_a_suspension_never_hits_the_next_key(world: World) -> None:
    suspend = world.propose(MemberSuspension("SG", key_id(world, "SG")))
    world.commit(*world.votes(suspend, "AU", "HK"))
    network = world.view.network_id
    assert code_of(world, "SG", Rotation(registration("SG", network_id=network, bls=1))) == ""
    assert voted(world, suspend, "NZ") == "KEY_NOT_IN_FORCE"
    assert "SG" in world.view.membership.members


def test_removals_that_may_not_be(world: World) -> None:
    assert proposed(world, Removal("TH")) == "MEMBER_UNKNOWN"
    world.decide(Removal("SG"))
    world.hand_over()
    assert proposed(world, Removal("SG")) == "MEMBER_UNKNOWN"
    assert proposed(world, WeightChange((("SG", 1),))) == "MEMBER_UNKNOWN"
    assert proposed(world, Reinstatement("SG")) == "MEMBER_UNKNOWN"


def test_parameters_that_may_not_be(world: World) -> None:
    data = format_parameters(DEFAULT_PARAMETERS)
    assert proposed(world, ParameterChange(data[:-1])) == "PARAMETERS_MALFORMED"
    assert proposed(world, ParameterChange(b"")) == "PARAMETERS_MALFORMED"
    newer = format_parameters(DEFAULT_PARAMETERS._replace(rules_version=2))
    assert proposed(world, ParameterChange(newer)) == "RULES_VERSION_UNKNOWN"
    assert PARAMETERS_KEY not in world.commit(world.transaction("HK")).changes


# Rotations.


@pytest.mark.parametrize(
    "fields",
    [
        {"time_zone": "Asia/Tokyo"},
        {"prefixes": ("NZ", "XN")},
        {"prefixes": ()},
        {"weight": 2},
        {"economy": "HK"},
    ],
)
def test_a_rotation_changes_nothing_but_keys(world: World, fields: dict[str, object]) -> None:
    fields = {"economy": "NZ", "network_id": world.view.network_id, "bls": 1} | fields
    assert code_of(world, "NZ", Rotation(registration(**fields))) == "ROTATION_DIFFERS"  # type: ignore[arg-type]


def test_rotations_that_may_not_be(world: World) -> None:
    network = world.view.network_id
    assert code_of(world, "NZ", Rotation(b"\x0a")) == "REGISTRATION_MALFORMED"
    foreign = registration("NZ", bls=1)
    assert code_of(world, "NZ", Rotation(foreign)) == "REGISTRATION_OF_OTHER_NETWORK"
    same = registration("NZ", network_id=network)
    assert code_of(world, "NZ", Rotation(same)) == "KEY_USED", "the key itself must be new"
    new = RegistrationMessage.FromString(registration("NZ", network_id=network, bls=1))
    new.proof_of_possession = new.bls_signature
    assert code_of(world, "NZ", Rotation(format_strict(new))) == "REGISTRATION_NOT_SIGNED"


def test_a_rotation_may_keep_what_does_not_enter_again(world: World) -> None:
    network = world.view.network_id
    moved = registration("NZ", network_id=network, bls=1, name="Customs, renamed")
    assert code_of(world, "NZ", Rotation(moved)) == ""
    assert world.view.membership.members["NZ"].data == moved
    assert [each.name for each in world.view.members()][2] == "Customs, renamed"
    assert world.view.member_since("NZ") == START
    assert len(world.view.member_records("NZ")) == 2


# Signing sets.


def test_one_set_at_a_time(world: World) -> None:
    world.decide(WeightChange((("AU", 2),)))
    for change in (
        admission(world, "TH"),
        Removal("SG"),
        WeightChange((("AU", 3),)),
        WeightChange(()),
    ):
        assert proposed(world, change) == "SET_PENDING"
    # What leaves the sets alone passes.
    world.decide(admission(world, "TH", 0))
    world.decide(Removal("TH"))
    pending = world.view.signing_sets
    world.decide(MemberSuspension("SG", key_id(world, "SG")))
    assert world.view.signing_sets == pending
    world.hand_over()
    assert "SG" in [each.economy for each in world.view.signing_sets.current.members]
    world.decide(WeightChange(()))
    world.hand_over()
    assert "SG" not in [each.economy for each in world.view.signing_sets.current.members]


def test_a_set_is_never_empty(world: World) -> None:
    nobody = WeightChange(tuple((economy, 0) for economy in FOUR))
    assert proposed(world, nobody) == "SET_EMPTY"
    one = World(("HK",))
    assert proposed(one, Removal("HK"), "HK") == "SET_EMPTY"
    assert proposed(one, MemberSuspension("HK", key_id(one, "HK")), "HK") == "SET_EMPTY"
    assert proposed(one, WeightChange((("HK", 0),)), "HK") == "SET_EMPTY"


def test_no_suspension_leaves_a_pending_set_without_anybody(world: World) -> None:
    world.decide(WeightChange((("AU", 0), ("HK", 0), ("NZ", 0))))
    assert proposed(world, MemberSuspension("SG", key_id(world, "SG"))) == "SET_EMPTY"
    assert proposed(world, MemberSuspension("AU", key_id(world, "AU"))) == ""


def test_no_suspension_takes_the_last_vote_away() -> None:
    """Nobody of the set in force could vote any more, whoever waits in the next one."""
    world = World(("AU", "HK"))
    world.decide(WeightChange((("HK", 0),)))
    world.hand_over()
    world.decide(WeightChange((("AU", 0), ("HK", 1))))
    assert proposed(world, MemberSuspension("AU", key_id(world, "AU"))) == "SET_EMPTY"

    world = World(("AU", "HK"))
    world.decide(MemberSuspension("HK", key_id(world, "HK")))
    world.hand_over()
    world.decide(Reinstatement("HK"))
    assert proposed(world, MemberSuspension("AU", key_id(world, "AU"))) == "SET_EMPTY"
    world.decide(WeightChange(()))
    world.hand_over()
    assert proposed(world, MemberSuspension("AU", key_id(world, "AU"))) == ""


def test_a_set_comes_to_less_than_two_to_the_31(world: World) -> None:
    most = TOTAL_WEIGHT_LIMIT - 1
    heavy = WeightChange((("AU", most - 2), ("HK", 1), ("NZ", 1), ("SG", 1)))
    assert proposed(world, heavy) == "SET_WEIGHT_OUT_OF_RANGE"
    assert proposed(world, admission(world, "TH", most)) == "SET_WEIGHT_OUT_OF_RANGE"
    world.decide(WeightChange((("AU", most - 3),)))
    assert world.view.signing_sets.pending is not None
    assert world.view.signing_sets.pending.total == most


def test_a_suspended_weight_comes_back_only_where_there_is_room(world: World) -> None:
    world.decide(MemberSuspension("SG", key_id(world, "SG")))
    world.hand_over()
    world.decide(WeightChange((("AU", TOTAL_WEIGHT_LIMIT - 3),)))
    world.hand_over()
    assert proposed(world, Reinstatement("SG")) == "SET_WEIGHT_OUT_OF_RANGE"


def test_a_set_that_would_stay_as_it_is(world: World) -> None:
    assert proposed(world, WeightChange(())) == "SET_UNCHANGED"
    assert proposed(world, WeightChange((("AU", 1), ("SG", 1)))) == "SET_UNCHANGED"


def test_a_pending_set_holds_the_keys_in_force_then(world: World) -> None:
    network = world.view.network_id
    world.commit(world.govern("NZ", Rotation(registration("NZ", network_id=network, bls=1))))
    world.decide(WeightChange((("AU", 2),)))
    pending = world.view.signing_sets.pending
    world.commit(world.govern("NZ", Rotation(registration("NZ", network_id=network, bls=2))))
    assert pending is not None
    assert world.view.signing_sets.pending == pending
    (member,) = [each for each in pending.members if each.economy == "NZ"]
    assert member.key == bls_public_key("NZ", 1)
    world.hand_over()
    assert world.view.signing_sets.current == pending


# Hand-overs.


def test_hand_overs_that_may_not_be(world: World) -> None:
    early, early_seal = world.view.header_bytes, world.seal()
    assert code_of(world, "AU", HandOver(early, early_seal)) == "NO_PENDING_SET"
    identity = world.propose(Removal("SG"))
    world.commit(*world.votes(identity, "AU", "HK"))
    before, before_seal = world.view.header_bytes, world.seal()
    world.commit(*world.votes(identity, "NZ"))
    assert world.view.signing_sets.pending is not None
    assert code_of(world, "AU", HandOver(early, early_seal)) == "HEADER_TOO_EARLY"
    assert code_of(world, "AU", HandOver(before, before_seal)) == "HEADER_TOO_EARLY"

    header, seal = world.view.header_bytes, world.seal()
    unknown = format_header(world.view.header).replace(header[160:192], bytes(32))
    assert code_of(world, "AU", HandOver(unknown, seal)) == "HEADER_UNKNOWN"
    assert code_of(world, "AU", HandOver(bytes(224), seal)) == "HEADER_UNKNOWN"
    ahead = header[:40] + (10**6).to_bytes(8) + header[48:]
    assert code_of(world, "AU", HandOver(ahead, seal)) == "HEADER_UNKNOWN"
    assert code_of(world, "AU", HandOver(header, before_seal)) == "SEAL_INVALID"
    assert code_of(world, "AU", HandOver(header, bytes(len(seal)))) == "SEAL_INVALID"
    assert code_of(world, "AU", HandOver(header, seal[:-1] + b"\x00")) == "SEAL_INVALID"
    newer = world.view.header_bytes
    half = world.seal(["AU", "HK"])
    assert code_of(world, "AU", HandOver(newer, half)) == "SEAL_NOT_SEALED"
    # Any member may log it, one without a say as well; an older header does as well as the newest.
    assert code_of(world, "NZ", HandOver(header, seal)) == ""
    assert code_of(world, "NZ", HandOver(header, seal)) == "NO_PENDING_SET"


def test_a_seal_attested_outside_its_time(world: World) -> None:
    world.decide(Removal("SG"))
    header = world.view.header_bytes
    time = world.view.header_time
    early, late = world.seal(attested_time=time - 1), world.seal(attested_time=time + 5_000)
    assert code_of(world, "AU", HandOver(header, early)) == "SEAL_INVALID"
    assert code_of(world, "AU", HandOver(header, late)) == "SEAL_INVALID"
    world.time = time + 10_000
    assert code_of(world, "AU", HandOver(header, late)) == "SEAL_INVALID", "another header was new"


def test_a_seal_of_a_replaced_set(world: World) -> None:
    """The set that has handed over can do so to nobody any more."""
    replaced = world.view.signing_sets.current
    world.decide(WeightChange((("AU", 0), ("HK", 0))))
    world.hand_over()
    world.decide(WeightChange((("AU", 7),)))
    view = world.view
    shares = {
        each.economy: sign_share(
            secret_behind(each.economy, each.key),
            BACKEND,
            view.network_id,
            view.header_hash,
            view.header_time,
        )
        for each in replaced.members
    }
    seal = aggregate_seal(replaced, view.header_hash, view.header_time, shares, BACKEND)
    assert code_of(world, "AU", HandOver(view.header_bytes, seal)) == "SEAL_INVALID"
    pending = view.signing_sets.pending
    assert pending is not None
    both = {economy: share for economy, share in shares.items() if economy != "HK"}
    by_pending = aggregate_seal(pending, view.header_hash, view.header_time, both, BACKEND)
    assert code_of(world, "AU", HandOver(view.header_bytes, by_pending)) == "SEAL_INVALID"


def test_a_hand_over_in_the_block_of_the_deciding_vote(world: World) -> None:
    """No header holds the pending set yet, whatever is sealed."""
    identity = world.propose(Removal("SG"))
    world.commit(*world.votes(identity, "AU", "HK"))
    hand_over = world.govern("AU", HandOver(world.view.header_bytes, world.seal()))
    block = world.commit(*world.votes(identity, "NZ"), hand_over)
    assert block.results == (("",), ("HEADER_TOO_EARLY",))
    assert SIGNING_SETS_KEY in block.changes


def test_every_refusal_of_governance_has_its_case() -> None:
    cases = Path(__file__).read_text(encoding="utf-8")
    assert [code for code in GOVERNANCE_REFUSALS if f'"{code}"' not in cases] == []
