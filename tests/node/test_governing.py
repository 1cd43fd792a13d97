"""Governance as a node's members use it: rotation, hand-over, suspension, admission, removal."""

import shutil
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from aeo.ledger.v1 import governance_pb2, transaction_pb2
from ledger.bls.scheme import key_id
from ledger.chain.governance import (
    Admission,
    HandOver,
    MemberSuspension,
    Reinstatement,
    Removal,
    WeightChange,
    format_governance_step,
)
from ledger.chain.registration import parse_registration
from ledger.chain.seal import aggregate_seal, parse_seal, sign_share
from ledger.chain.set_change import check_set_changes
from ledger.chain.transaction import format_body, parse_transaction, sign_transaction
from ledger.state.state import State
from ledger_world import BACKEND
from node.governing_world import HOUR, GovernedWorld, handed_over, until
from node.node_world import WAIT_S, agree, make_network, request, row, wait_recorded
from service.errors import GuardRefused, KeyReused, MayNotPublish, WrongStore
from service.keys.key_folder import KeyFolder
from service.keys.member_keys import Founder, register_founder
from service.node.arrangements.agreements import StepRefused
from service.node.governance.steps import NoKeyFolder
from service.node.node import Node, NodeSettings
from service.store.ledger.ledger_store import SealLevel

THREE = ("HK", "KR", "NZ")


def publish(node: Node, economy: str, shared: bytes, *tins: str) -> None:
    rows = [row(tin) for tin in tins]
    answer = node.hosted[economy].publisher.publish(
        request("-".join(tins), rows, shared), confirms=True
    )
    found = wait_recorded(node, economy, answer.publication_id)
    assert [refused.code for refused in found.answers] == [""] * len(tins)


def key_ids(node: Node, economy: str) -> list[bytes]:
    return [key.key_id for key in node.hosted[economy].keys.all]


def signers(node: Node) -> list[bytes]:
    """The keys of the set that seals now."""
    return [member.key for member in node.state.signing_sets.current.members]


def authors_keys(node: Node, economy: str) -> list[bytes]:
    """The key of each of a member's transactions."""
    bodies = [parse_transaction(data).body for data in node.ledger_store.transactions()]
    return [body.key_id for body in bodies if body.author == economy]


def test_a_rotated_key_signs_at_once_and_seals_from_the_hand_over(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, THREE)
    with world.start() as node:
        shared = agree(node, "HK", "NZ")
        (old,) = node.hosted["NZ"].keys.all
        before = len(authors_keys(node, "NZ"))
        node.hosted["NZ"].governance.rotate(WAIT_S)
        _, new = node.hosted["NZ"].keys.all
        assert node.state.membership.members["NZ"].bls_public_key == new.public_key
        publish(node, "NZ", shared, "NZ1")
        # The rotation itself is the last that the old one signed.
        assert authors_keys(node, "NZ")[before:] == [old.key_id, new.key_id]
        # Seals go on with the old key, and all of the weight.
        until(lambda: node.newest_seal.height == node.state.height, "seal")
        assert old.public_key in signers(node)
        assert node.ledger_store.newest_sealed().weight == 3
        assert node.hosted["NZ"].keys.all == (old, new)

        height = node.state.height
        world.decide(node, WeightChange(()), "NZ", "HK", "KR")
        handed_over(node, height)
        assert new.public_key in signers(node)
        assert old.public_key not in signers(node)
        assert node.ledger_store.newest_sealed().weight == 3
        until(lambda: node.hosted["NZ"].keys.all == (new,), "old key destroyed")
        assert not (world.key_folder("NZ") / "bls-keystore.json").exists()
        publish(node, "NZ", shared, "NZ2")
        # Whoever trusts the founders is led to the set that seals now.
        (change,) = node.set_changes.all()
        founders = node.genesis.signing_set
        led = check_set_changes(founders, [change], node.network_id, BACKEND)[-1]
        assert led == node.state.signing_sets.current
    with world.start() as node:
        assert key_ids(node, "NZ") == [new.key_id]
        publish(node, "NZ", shared, "NZ3")
        assert node.hosted["NZ"].publisher.failure is None


def test_records_wait_for_nothing_while_keys_rotate(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, THREE)
    with world.start() as node, ThreadPoolExecutor(2) as pool:
        shared = agree(node, "HK", "NZ")

        def publish_many() -> None:
            for n in range(30):
                publish(node, "NZ", shared, f"NZ{n}")

        busy = pool.submit(publish_many)
        for _ in range(3):
            node.hosted["NZ"].governance.rotate(WAIT_S)
        busy.result()
        publish(node, "NZ", shared, "NZ30")
        assert len(node.state.subjects(shared, "NZ")) == 31
        # Each key in its turn, none again; the second and third never sealed and are gone.
        keys = authors_keys(node, "NZ")
        assert len([n for n in range(1, len(keys)) if keys[n] != keys[n - 1]]) == 3
        assert len(set(keys)) == 4
        until(lambda: key_ids(node, "NZ") == [keys[0], keys[-1]], "what never sealed is destroyed")
        height = node.state.height
        world.decide(node, WeightChange(()), "HK", "KR", "NZ")
        handed_over(node, height)
        until(lambda: key_ids(node, "NZ") == [keys[-1]], "the first destroyed")


def test_a_key_that_was_given_without_a_folder_is_not_rotated(tmp_path: Path) -> None:
    with (
        Node.start(make_network(tmp_path)) as node,
        pytest.raises(NoKeyFolder, match="HK"),
    ):
        node.hosted["HK"].governance.rotate(WAIT_S)


def test_a_pair_that_was_made_and_not_registered_is_the_next_ones(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, THREE)
    pair = world.settings().members["NZ"].make(BACKEND)
    with world.start() as node:
        assert len(node.hosted["NZ"].keys.all) == 2
        node.hosted["NZ"].governance.rotate(WAIT_S)
        held = node.hosted["NZ"].keys.all
        assert [key.secret for key in held] == [world.keys["NZ"].bls_secret, pair.bls_secret]
        assert node.state.membership.members["NZ"].key_id == held[1].key_id


def test_a_rotation_may_change_the_endpoint_and_nothing_that_is_voted_on(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, THREE)
    with world.start() as node:
        before = node.state.membership.members["NZ"]
        node.hosted["NZ"].governance.rotate(WAIT_S, endpoint="nz.example:7443")
        after = node.state.membership.members["NZ"]
        assert after.endpoint == "nz.example:7443"
        assert (after.prefixes, after.weight, after.ca_certificate) == (
            before.prefixes,
            before.weight,
            before.ca_certificate,
        )
        # Another member's authority is no new one.
        with pytest.raises(StepRefused) as refused:
            node.hosted["NZ"].governance.rotate(
                WAIT_S, ca_certificate=world.keys["HK"].authority.der
            )
        assert refused.value.code == "KEY_USED"
        # The pair that this made is not lost.
        made = len(node.hosted["NZ"].keys.all)
        node.hosted["NZ"].governance.rotate(WAIT_S)
        assert len(node.hosted["NZ"].keys.all) == made


def test_the_same_proposal_and_the_same_vote_again_change_nothing(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, THREE)
    with world.start() as node:
        governance = node.hosted["NZ"].governance
        closes = node.clock.now_ms() + HOUR
        change = WeightChange((("HK", 2),))
        made = governance.propose(change, closes, "one", WAIT_S)
        height = node.state.height
        assert governance.propose(change, closes, "one", WAIT_S) == made
        with pytest.raises(KeyReused):
            governance.propose(change, closes + 1, "one", WAIT_S)
        assert node.state.height == height
        governance.vote(made, in_favour=True, timeout=WAIT_S)
        height = node.state.height
        governance.vote(made, in_favour=True, timeout=WAIT_S)
        assert node.state.height == height
        with pytest.raises(StepRefused) as refused:
            governance.vote(made, in_favour=False, timeout=WAIT_S)
        assert refused.value.code == "ALREADY_VOTED"
        with pytest.raises(StepRefused) as refused:
            governance.vote(bytes(16), in_favour=True, timeout=WAIT_S)
        assert refused.value.code == "PROPOSAL_UNKNOWN"
        with pytest.raises(StepRefused) as refused:
            governance.propose(change, 1, "late", WAIT_S)
        assert refused.value.code == "PROPOSAL_CLOSED"
    with world.start() as node:
        # The ledger itself remembers.
        again = node.hosted["NZ"].governance.propose(change, closes, "one", WAIT_S)
        assert again == made


def signed(state: State, economy: str, secret: int, **action: object) -> bytes:
    """What somebody else signs with a member's key, outside its node."""
    body = transaction_pb2.Transaction(
        author=economy,
        key_id=key_id(BACKEND.public_key(secret)),
        sequence=state.next_sequence(economy),
        verified_height=state.height,
        verified_header_hash=state.header_hash,
        **(action or {"heartbeat": transaction_pb2.Heartbeat()}),
    )
    return sign_transaction(secret, BACKEND, state.network_id, format_body(body))


def test_the_others_suspend_a_compromised_key_and_go_on(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, ("HK", "KR", "NZ", "SG"))
    with world.start() as node:
        shared = agree(node, "HK", "NZ")
        publish(node, "NZ", shared, "NZ1")
        (key,) = node.hosted["NZ"].keys.all
        height = node.state.height
        world.decide(node, MemberSuspension("NZ", key.key_id), "HK", "KR", "SG")
        # Nothing enters with it, whoever signs.
        (outcome,) = node.engine.submit([signed(node.state, "NZ", key.secret)]).result(WAIT_S)
        assert outcome == "AUTHOR_SUSPENDED"
        with pytest.raises(MayNotPublish):
            publish(node, "NZ", shared, "NZ2")
        with pytest.raises(MayNotPublish):
            node.hosted["NZ"].governance.rotate(WAIT_S)
        assert node.failure is None
        # The rest goes on, and soon without it in the set.
        publish(node, "HK", shared, "HK1")
        handed_over(node, height)
        assert key.public_key not in signers(node)
        assert node.ledger_store.newest_sealed().weight == 3
        assert node.hosted["NZ"].keys.all == (key,), "in force again, should it be reinstated"
    with world.start() as node:
        assert not node.hosted["NZ"].publisher.active
        publish(node, "HK", shared, "HK2")
        world.decide(node, Reinstatement("NZ"), "HK", "KR", "SG")
        publish(node, "NZ", shared, "NZ2")
        assert node.state.membership.all["NZ"].standing == "active"


def test_what_was_under_way_at_a_suspension_enters_after_the_reinstatement(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, ("HK", "KR", "NZ", "SG"))
    with world.start() as node:
        shared = agree(node, "HK", "NZ")
        (key,) = node.hosted["NZ"].keys.all
        closes = node.clock.now_ms() + HOUR
        change = MemberSuspension("NZ", key.key_id)
        made = node.hosted["HK"].governance.propose(change, closes, "s", WAIT_S)
        for economy in ("HK", "KR"):
            node.hosted[economy].governance.vote(made, in_favour=True, timeout=WAIT_S)
        publisher = node.hosted["NZ"].publisher
        rows = [row(f"NZ{n}") for n in range(2_000)]
        answer = publisher.publish(request("many", rows, shared), confirms=True)
        node.hosted["SG"].governance.vote(made, in_favour=True, timeout=WAIT_S)
        until(lambda: not publisher.active, "suspended")
    with world.start() as node:
        publisher = node.hosted["NZ"].publisher
        assert publisher.failure is None
        world.decide(node, Reinstatement("NZ"), "HK", "KR", "SG")
        found = wait_recorded(node, "NZ", answer.publication_id)
        assert found.recorded == 2_000
        assert len(node.state.subjects(shared, "NZ")) == 2_000


def test_a_member_comes_back_with_new_keys_and_signs_its_waiting_records_anew(
    tmp_path: Path,
) -> None:
    world = GovernedWorld(tmp_path, ("HK", "KR", "NZ", "SG"))
    with world.start() as node:
        shared = agree(node, "HK", "NZ")
        (key,) = node.hosted["NZ"].keys.all
    # A thief takes the number that the member's own next transaction has.
    stopped = world.settings()
    with Node.start(stopped, world.clock) as node:
        taken = signed(node.state, "NZ", key.secret)
        (outcome,) = node.engine.submit([taken]).result(WAIT_S)
        assert not isinstance(outcome, str)
        publisher = node.hosted["NZ"].publisher
        answer = publisher.publish(request("mine", [row("NZ7")], shared), confirms=True)
        until(lambda: publisher.failure is not None, "two signers of one number")
        world.decide(node, MemberSuspension("NZ", key.key_id), "HK", "KR", "SG")
        height = node.state.height
        handed_over(node, height - 1)
        renewed = world.make_keys("NZ", "NZ-again")
        registration = world.registration(node, renewed)
        world.decide(node, Admission(registration), "HK", "KR", "SG")
        handed_over(node, height + 1)
    # The node gets the new keys beside the old one.
    for name in ("bls-keystore", "ed25519"):
        (path,) = (tmp_path / "members" / "NZ-again").glob(f"{name}.*")
        path.rename(world.key_folder("NZ") / f"{name}-2{path.suffix}")
    with world.start() as node:
        found = wait_recorded(node, "NZ", answer.publication_id)
        assert found.recorded == 1
        assert authors_keys(node, "NZ")[-1] == renewed.key_id
        until(lambda: key_ids(node, "NZ") == [renewed.key_id], "compromised key destroyed")


def test_a_member_comes_back_with_new_keys_while_its_node_runs(tmp_path: Path) -> None:
    """What the old key signed cannot enter any more; it is signed anew without a restart."""
    world = GovernedWorld(tmp_path, ("HK", "KR", "NZ", "SG"))
    renewed = world.make_keys("NZ", "NZ-again")
    for name in ("bls-keystore", "ed25519"):
        (path,) = (tmp_path / "members" / "NZ-again").glob(f"{name}.*")
        path.rename(world.key_folder("NZ") / f"{name}-2{path.suffix}")
    with world.start() as node:
        shared = agree(node, "HK", "NZ")
        (key, _) = node.hosted["NZ"].keys.all
        closes = node.clock.now_ms() + HOUR
        change = MemberSuspension("NZ", key.key_id)
        made = node.hosted["HK"].governance.propose(change, closes, "s", WAIT_S)
        for economy in ("HK", "KR"):
            node.hosted[economy].governance.vote(made, in_favour=True, timeout=WAIT_S)
        publisher, height = node.hosted["NZ"].publisher, node.state.height
        rows = [row(f"NZ{n}") for n in range(2_000)]
        answer = publisher.publish(request("many", rows, shared), confirms=True)
        node.hosted["SG"].governance.vote(made, in_favour=True, timeout=WAIT_S)
        handed_over(node, height)
        registration = world.registration(node, renewed)
        world.decide(node, Admission(registration), "HK", "KR", "SG")
        found = wait_recorded(node, "NZ", answer.publication_id)
        assert found.recorded == 2_000
        assert publisher.failure is None
        assert authors_keys(node, "NZ")[-1] == renewed.key_id


def test_a_new_member_publishes_once_its_keys_are_here(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, ("HK", "NZ"))
    newcomer = world.make_keys("SG")
    with world.start() as node:
        registration = world.registration(node, newcomer)
        made = world.decide(node, Admission(registration), "NZ", "HK")
        assert node.state.proposals[made].result == 1
        until(lambda: newcomer.bls_public_key in signers(node), "hand-over")
        # Two of three are not more than two thirds: only attested until the third seals as well.
        node.hosted["HK"].publisher.heartbeat().result(WAIT_S)
        until(lambda: node.newest_seal.height == node.state.height, "seal")
        assert node.ledger_store.newest_seal().level == SealLevel.ATTESTED
    world.hosted = ("HK", "NZ", "SG")
    with world.start() as node:
        shared = agree(node, "SG", "NZ")
        publish(node, "SG", shared, "SG1")
        assert len(node.state.subjects(shared, "SG")) == 1
        until(lambda: node.newest_seal.height == node.state.height, "seal")
        assert node.ledger_store.newest_sealed().weight == 3


def test_keys_of_nobody_on_the_ledger_are_refused(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, ("HK", "NZ"))
    world.make_keys("SG")
    world.hosted = ("HK", "NZ", "SG")
    with pytest.raises(WrongStore, match="SG"):
        world.start()
    settings = world.settings()
    wrong = {"HK": settings.members["HK"], "NZ": world.keys["HK"].bls_secret}
    with pytest.raises(WrongStore, match="NZ"):
        Node.start(NodeSettings.in_folder(tmp_path / "data", wrong), world.clock)


def test_a_removed_member_reads_on_and_publishes_no_more(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, ("HK", "KR", "NZ"))
    with world.start() as node:
        shared = agree(node, "HK", "NZ")
        height = node.state.height
        world.decide(node, Removal("KR"), "HK", "NZ", "KR")
        handed_over(node, height)
        assert [member.economy for member in node.state.signing_sets.current.members] == [
            "HK",
            "NZ",
        ]
        assert node.state.speaker_history("KR")[-1].begins is False
        publish(node, "NZ", shared, "NZ1")
    with world.start() as node:
        assert not node.hosted["KR"].publisher.active
        assert node.failure is None
        publish(node, "NZ", shared, "NZ2")


def test_a_hand_over_completes_without_one_share_and_against_one_liar(tmp_path: Path) -> None:
    members = ("AU", "CA", "HK", "JP", "KR", "NZ", "SG")
    # AU's key is lost; SG's is with somebody who lies.
    world = GovernedWorld(tmp_path, members, hosted=members[1:6])
    liar = world.keys["SG"]

    with world.start() as node:
        shared = agree(node, "HK", "NZ")
        height = node.state.height
        closes = node.clock.now_ms() + HOUR
        made = node.hosted["HK"].governance.propose(WeightChange((("AU", 0),)), closes, "x", WAIT_S)
        for economy in ("HK", "JP", "KR", "NZ"):
            node.hosted[economy].governance.vote(made, in_favour=True, timeout=WAIT_S)

        def forged(seal: bytes) -> str:
            step = format_governance_step(HandOver(node.state.header_bytes, seal))
            made = signed(node.state, "SG", liar.bls_secret, governance=step)
            (told,) = node.engine.submit([made]).result(WAIT_S)
            assert not isinstance(told, str)
            return told.refusals[0]

        current = node.state.signing_sets.current
        fork = sign_share(
            liar.bls_secret, BACKEND, node.network_id, bytes(32), node.state.header_time
        )
        alone = aggregate_seal(
            current, node.state.header_hash, node.state.header_time, {"SG": fork}, BACKEND
        )
        assert forged(alone) == "NO_PENDING_SET"
        assert parse_seal(alone).bitmap == b"\x02"
        node.hosted["CA"].governance.vote(made, in_favour=True, timeout=WAIT_S)
        assert forged(alone) in {"SEAL_INVALID", "NO_PENDING_SET"}
        handed_over(node, height)
        now = node.state.signing_sets.current
        assert [member.economy for member in now.members] == list(members[1:])
        assert node.ledger_store.newest_sealed().weight == 5
        publish(node, "HK", shared, "HK1")
        founders = node.genesis.signing_set
        check_set_changes(founders, node.set_changes.all(), node.network_id, BACKEND)


def test_a_registration_names_what_stands_on_the_ledger(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, ("HK", "NZ"))
    with world.start() as node:
        node.hosted["NZ"].governance.rotate(WAIT_S)
        bodies = [parse_transaction(data).body for data in node.ledger_store.transactions()]
        step = governance_pb2.GovernanceStep.FromString(bodies[-1].governance)
        registration = parse_registration(step.rotate_key)
        assert registration.network_id == node.network_id
        assert registration.consensus_public_key != (
            parse_registration(node.genesis.founders[1].data).consensus_public_key
        )
        folder = KeyFolder.open("NZ", "correct horse", world.key_folder("NZ") / "bls-keystore.json")
        assert [BACKEND.public_key(each) for each in folder.secrets][1] == (
            registration.bls_public_key
        )


def test_an_applicant_brings_nothing_that_is_or_was_anothers(tmp_path: Path) -> None:
    world = GovernedWorld(tmp_path, THREE)
    newcomer = world.make_keys("SG")
    with world.start() as node:
        before = world.keys["KR"]
        world.decide(node, Removal("KR"), "HK", "KR", "NZ")
        handed_over(node, 0)
        good = world.registration(node, newcomer)
        cases = {
            "KEY_USED": world.registration(node, before),
            "PREFIX_TAKEN": world.registration(node, newcomer, prefixes=["HK", "SG"]),
            "ALREADY_MEMBER": world.registration(node, world.keys["HK"]),
            "REGISTRATION_OF_OTHER_NETWORK": register_founder(
                Founder("SG", "Singapore", "UTC", ("SG",), 1), newcomer, BACKEND
            ),
            "REGISTRATION_MALFORMED": good[:-1],
        }
        closes = node.clock.now_ms() + HOUR
        governance = node.hosted["HK"].governance
        for code, data in cases.items():
            with pytest.raises(StepRefused) as refused:
                governance.propose(Admission(data), closes, code, WAIT_S)
            assert refused.value.code == code
        assert not any(each.result == 0 for each in node.state.proposals.values())
        # Its prefix is free, and so are its own keys.
        world.decide(node, Admission(good), "HK", "NZ")
        assert node.state.membership.speaker("SG") == "SG"


def test_a_backup_from_before_the_hand_over_with_the_older_key_is_refused(tmp_path: Path) -> None:
    """The older key never sealed the height at which the newer one took over; it never will."""
    world = GovernedWorld(tmp_path, ("NZ",))
    backup = tmp_path / "backup"

    def on_step(step: str) -> None:
        if step == "hand-over:kept" and not backup.exists():
            for name in ("data", "members"):
                shutil.copytree(tmp_path / name, backup / name)

    with world.start(on_step) as node:
        node.hosted["NZ"].governance.rotate(WAIT_S)
        height = node.state.height
        world.decide(node, WeightChange(()), "NZ")
        handed_over(node, height)
        until(lambda: len(key_ids(node, "NZ")) == 1, "older key destroyed")
        guard = node.settings.guard
    held = guard.read_bytes()
    for name in ("data", "members"):
        shutil.rmtree(tmp_path / name)
        shutil.copytree(backup / name, tmp_path / name)
    guard.write_bytes(held)
    with pytest.raises(GuardRefused, match="older copy"):
        world.start()
