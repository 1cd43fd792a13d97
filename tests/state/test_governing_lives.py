"""Random lives of a network that governs itself: the same everywhere, whatever happens in them.

Each life is a seeded run of proposals, votes, rotations, suspensions and hand-overs, sensible and
not, several to a block. Whatever the machine makes of it, following the blocks one by one and
restoring them come to the same state, a verifier agrees, and what must never happen has not.
"""

from functools import cache
from random import Random

import pytest

from ledger.audit.replay import verify_items
from ledger.chain.governance import (
    Admission,
    Change,
    HandOver,
    MemberSuspension,
    ParameterChange,
    Reinstatement,
    Removal,
    Rotation,
    WeightChange,
)
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.signing_set import TOTAL_WEIGHT_LIMIT
from ledger.hashing import ZERO_HASH
from ledger.state.leaves import all_leaves
from ledger.state.machine import Machine
from ledger.state.membership import keys_of
from ledger.state.state import State
from ledger.tree.map import StateMap
from ledger_world import BACKEND, World, registration

FOUNDERS = ("AU", "HK", "NZ", "SG", "TH")
OTHERS = ("CA", "JP")
BLOCKS = 24
KEYS = 4


def change_of(random: Random, world: World) -> Change:
    """Any change, possible or not."""
    economy = random.choice((*FOUNDERS, *OTHERS))
    members = world.view.membership.members
    match random.randrange(7):
        case 0:
            generation = random.randrange(KEYS)
            return Admission(
                registration(
                    random.choice(OTHERS) if random.random() < 0.7 else economy,
                    random.choice((0, 1, 3)),
                    network_id=random.choice((world.view.network_id,) * 5 + (ZERO_HASH,)),
                    bls=generation,
                    ed25519=generation,
                    ca=generation,
                    prefixes=random.choice(((), ("XA",), None)),
                )
            )
        case 1:
            key_id = members[economy].key_id if economy in members else bytes(8)
            return MemberSuspension(economy, key_id)
        case 2:
            return Reinstatement(economy)
        case 3:
            return Removal(economy)
        case 4:
            interval = random.randrange(1, 1000)
            parameters = DEFAULT_PARAMETERS._replace(heartbeat_interval=interval)
            return ParameterChange(format_parameters(parameters))
        case _:
            chosen = sorted(random.sample(FOUNDERS + OTHERS, random.randrange(3)))
            return WeightChange(tuple((each, random.choice((0, 1, 2, 5))) for each in chosen))


def transactions_of(random: Random, world: World, identities: list[bytes]) -> list[bytes]:
    """What one block is offered."""
    offered: list[bytes] = []
    members = sorted(world.view.membership.all)
    for _ in range(random.randrange(1, 4)):
        author = random.choice(members)
        match random.randrange(8):
            case 0 | 1 | 2:
                identity, data = world.proposing(change_of(random, world), author)
                identities.append(identity)
                offered.append(data)
            case 3 | 4 | 5 if identities:
                # Most votes are for the newest proposals, by many.
                identity = random.choice(identities[-3:])
                voters = random.sample(members, random.randrange(1, len(members) + 1))
                favour = random.random() < 0.9
                offered += world.votes(identity, *voters, in_favour=favour)
            case 6:
                current = world.view.membership.all[author].registration
                fresh = registration(
                    author,
                    current.weight,
                    network_id=world.view.network_id,
                    bls=random.randrange(KEYS),
                    prefixes=current.prefixes,
                )
                offered.append(world.govern(author, Rotation(fresh)))
                offered.append(world.transaction(author))
            case _:
                data = HandOver(world.view.header_bytes, world.seal())
                offered.append(world.govern(author, data))
    return offered


@cache
def live(seed: int) -> tuple[World, set[str]]:
    """A whole life, and the codes that occurred in it."""
    random, world = Random(seed), World(FOUNDERS)
    identities: list[bytes] = []
    codes: set[str] = set()
    for _ in range(BLOCKS):
        block = world.commit(*transactions_of(random, world, identities))
        for result in block.results:
            codes.update((result,) if isinstance(result, str) else result)
        # What did not enter was not used up.
        world.forget_unsent()
        check_always(world.view)
    world.seal()
    return world, codes


def check_always(state: State) -> None:
    """What holds at every height of every life."""
    membership, sets = state.membership, state.signing_sets
    for each in (sets.current, *(() if sets.pending is None else (sets.pending,))):
        assert 1 <= each.total < TOTAL_WEIGHT_LIMIT
    assert sets.current != sets.pending
    assert (sets.pending is None) == (state.pending_since == 0)
    if sets.pending is not None:
        assert any(each.economy in membership.members for each in sets.pending.members)
    in_force = [key for each in membership.members.values() for key in keys_of(each)]
    assert len(set(in_force)) == len(in_force)
    assert membership.keys.issuperset(in_force)
    for prefix, history in membership.speakers.items():
        begins = [entry.begins for entry in history]
        assert begins == [index % 2 == 0 for index in range(len(begins))], prefix
    assert state.header.signing_set_hash == sets.current.hash
    assert StateMap.build(all_leaves(state)).root == state.header.map_root


@pytest.mark.parametrize("seed", range(12))
def test_a_life_is_the_same_however_it_is_run(seed: int) -> None:
    world, _ = live(seed)
    follower = Machine(world.genesis, BACKEND)
    for header, transactions in world.blocks:
        block = follower.follow(header, transactions)
        follower.advance(block)
        assert follower.map_root(block) == follower.state.header.map_root
    restored = Machine.restore(world.genesis, world.blocks, BACKEND)
    for state in (follower.state, restored.state):
        for name in (
            "header_bytes",
            "membership",
            "signing_sets",
            "pending_since",
            "current_sets",
            "parameter_bytes",
            "proposals",
            "authors",
        ):
            assert getattr(state, name) == getattr(world.view, name), name
    *_, report = verify_items(
        world.items(), now=world.time, backend=BACKEND, network_id=world.view.network_id
    )
    assert report.verified


def test_the_lives_are_eventful() -> None:
    """They pass changes and hand over, and meet most of what can be refused."""
    hand_overs, codes = 0, set[str]()
    for seed in range(12):
        world, seen = live(seed)
        hand_overs += len(world.view.current_sets) - 1
        codes |= seen
    assert hand_overs > 5
    assert {"", "SET_PENDING", "KEY_USED", "ALREADY_VOTED", "PROPOSAL_CLOSED"} <= codes
    assert {"AUTHOR_SUSPENDED", "AUTHOR_UNKNOWN", "KEY_UNKNOWN"} <= codes
