"""Validators change with the signing set, in the block that logs the hand-over and never before."""

from pathlib import Path

import pytest

from aeo.abci.v1 import abci_pb2 as abci
from cometbft.driver import Network, Validator
from ledger.chain.governance import Admission, HandOver, Removal, Rotation, WeightChange
from ledger.chain.seal import SEALED
from ledger.chain.snapshot import parse_snapshot
from ledger.ed25519 import public_key
from ledger.state.machine import Machine
from ledger.state.rebuilding import Base
from ledger.state.snapshotting import make_snapshot
from ledger_world import BACKEND, material, registration
from service.engine.cometbft.home import address_of
from service.engine.cometbft.validators import Validators

MEMBERS = ("AU", "HK", "NZ", "SG")


def consensus_key(economy: str, generation: int = 0) -> bytes:
    words = ("ed25519", economy, *([str(generation)] if generation else []))
    return public_key(material(*words))


def decide_change(network: Network, change: object, voters: tuple[str, ...] = MEMBERS) -> None:
    world = network.world
    identity, proposing = world.proposing(change, "AU")  # type: ignore[arg-type]
    network.decide([proposing])
    for voter in voters:
        if not world.view.proposals[identity].result:
            network.decide(world.votes(identity, voter))
    assert world.view.proposals[identity].result == 1
    assert network.updates == [], "nothing changes before the hand-over"


def hand_over(network: Network) -> dict[bytes, int]:
    """Let the newest header be sealed, and log the hand-over; CometBFT's updates."""
    network.decide()
    network.decide()
    world = network.world
    stored = next(iter(network.alive)).store.seal(world.view.height)
    assert stored is not None
    block = network.decide([world.govern("AU", HandOver(world.view.header_bytes, stored.seal))])
    assert block.results == (("",),), block.results
    updates = {each.pub_key.ed25519: each.power for each in network.updates}
    assert len(updates) == len(network.updates), "no key twice"
    return updates


def test_a_removed_member_loses_its_power_and_nobody_elses_changes(tmp_path: Path) -> None:
    with Network(tmp_path, MEMBERS) as network:
        decide_change(network, Removal("SG"))
        assert hand_over(network) == {consensus_key("SG"): 0}
        # For one more height the old validators vote; SG's share counts for nothing now.
        for _ in range(3):
            network.decide()
        newest = network["AU"].application.newest_seal
        assert newest is not None
        assert (newest[0], newest[1].weight, newest[1].level) == (
            network.world.view.height,
            3,
            SEALED,
        )
        assert not network["AU"].application.counts["wrong_share"]


def test_new_weights_are_new_powers(tmp_path: Path) -> None:
    with Network(tmp_path, MEMBERS) as network:
        decide_change(network, WeightChange((("AU", 5), ("NZ", 2))))
        assert hand_over(network) == {consensus_key("AU"): 5, consensus_key("NZ"): 2}


def test_an_admitted_member_becomes_a_validator(tmp_path: Path) -> None:
    with Network(tmp_path, MEMBERS) as network:
        data = registration("TH", 3, network_id=network.world.genesis.network_id)
        decide_change(network, Admission(data))
        assert hand_over(network) == {consensus_key("TH"): 3}
        newcomer = network.validators["TH"] = Validator(network, "TH")
        newcomer.start()
        assert newcomer.state.header_bytes == network.world.view.header_bytes
        network.decide()
        network.decide()
        for validator in network.alive:
            newest = validator.application.newest_seal
            assert newest is not None
            assert (newest[1].weight, newest[1].level) == (7, SEALED)


def test_a_rotated_key_votes_from_the_hand_over_on(tmp_path: Path) -> None:
    with Network(tmp_path, MEMBERS) as network:
        world = network.world
        data = registration("SG", bls=1, ed25519=1, ca=1, network_id=world.genesis.network_id)
        old = network["SG"].address
        network["SG"].crash()
        network["SG"].generations = (0, 1)
        network["SG"].start()
        network.decide([world.govern("SG", Rotation(data))])
        decide_change(network, WeightChange(()))
        # Until then its validator is the old one, and it seals with the old key.
        validators = Validators()
        state = network["AU"].state
        assert validators.economy_of(state, old) == "SG"
        assert validators.powers(state, state.signing_sets.current)[consensus_key("SG")] == 1
        assert hand_over(network) == {consensus_key("SG"): 0, consensus_key("SG", 1): 1}
        for validator in network.alive:
            newest = validator.application.newest_seal
            assert newest is not None
            assert newest[1].weight == 4
        network.decide()
        assert (
            validators.economy_of(network["AU"].state, address_of(consensus_key("SG", 1))) == "SG"
        )


@pytest.mark.parametrize("lie", [bytes(96), b""], ids=["junk", "nothing"])
def test_a_hand_over_with_a_liar_and_a_late_vote(tmp_path: Path, lie: bytes) -> None:
    """Two thirds of good shares are wanted, and come once the late vote is in a proposal."""
    with Network(tmp_path, (*MEMBERS, "TH")) as network:
        network.lies["SG"] = lambda _: lie
        network.late = {"HK"}
        world = network.world
        decide_change(network, Removal("SG"), (*MEMBERS, "TH"))
        for _ in range(6):
            network.decide(proposer="AU")
        stored = network["AU"].store.seal(world.view.height)
        assert stored is not None
        assert (stored.weight, stored.level) == (4, 2)
        step = HandOver(world.view.header_bytes, stored.seal)
        block = network.decide([world.govern("AU", step)])
        assert block.results == (("",),)
        assert [each.power for each in network.updates] == [0]
        network.lies.clear()
        network.late = set()
        network.decide()
        network.decide()
        newest = network["AU"].application.newest_seal
        assert newest is not None
        assert (newest[1].weight, newest[1].level) == (4, SEALED)


def test_a_crash_in_the_hand_over_repeats_the_same_updates(tmp_path: Path) -> None:
    with Network(tmp_path, MEMBERS) as network:
        decide_change(network, Removal("SG"))
        network.decide()
        network.decide()
        world = network.world
        stored = network["AU"].store.seal(world.view.height)
        assert stored is not None
        for validator in network.alive:
            validator.dies_at = "abci:executed"
        step = HandOver(world.view.header_bytes, stored.seal)
        network.decide([world.govern("AU", step)])
        assert not network.alive
        updates: list[list[abci.ValidatorUpdate]] = []
        for validator in network.validators.values():
            original = Validator.finalize

            def note(one: Validator, block: object) -> abci.ResponseFinalizeBlock:
                answer = original(one, block)  # type: ignore[arg-type] # noqa: B023
                updates.append(list(answer.validator_updates))
                return answer

            validator.finalize = note.__get__(validator)  # type: ignore[method-assign]
            validator.start()
        assert [[(each.pub_key.ed25519, each.power) for each in one] for one in updates] == [
            [(consensus_key("SG"), 0)]
        ] * 4


def test_a_state_from_a_snapshot_knows_the_same_validators(tmp_path: Path) -> None:
    """A hand-over right after a state sync tells CometBFT what it tells it everywhere else."""
    with Network(tmp_path, MEMBERS) as network:
        world = network.world
        network_id = world.genesis.network_id
        rotated = registration("SG", bls=1, ed25519=1, ca=1, network_id=network_id)
        network["SG"].crash()
        network["SG"].generations = (0, 1)
        network["SG"].start()
        network.decide([world.govern("SG", Rotation(rotated))])
        decide_change(network, Admission(registration("TH", 3, network_id=network_id)))
        state = network["AU"].state
        manifest, chunks = make_snapshot(state, world.headers)
        base = Base(manifest.header_bytes, parse_snapshot(chunks))
        again = Machine(world.genesis, BACKEND).rebuilt(base)
        pending = state.signing_sets.pending
        assert pending is not None
        for signing_set in (state.signing_sets.current, pending):
            expected = Validators().powers(state, signing_set)
            assert Validators().powers(again, signing_set) == expected
        for each in (consensus_key("SG"), consensus_key("SG", 1)):
            assert Validators().economy_of(again, address_of(each)) == "SG"
