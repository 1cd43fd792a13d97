"""The store of a ledger that has handed over twice, made by a world, in which votes are quick."""

from pathlib import Path

from ledger.chain.governance import Admission, HandOver, Rotation, WeightChange
from ledger.chain.header import parse_header
from ledger.chain.seal import SEALED, open_seal
from ledger_hand_over import set_changes
from ledger_world import BACKEND, World, registration
from service.store.ledger.ledger_store import LedgerStore, SealLevel


def governed() -> World:
    """KR comes, then NZ takes another key; sealed again and again between vote and hand-over."""
    world = World(("HK", "NZ", "SG"))
    world.seal()
    world.decide(Admission(registration("KR", network_id=world.view.network_id)))
    hand_over(world)
    newer = registration("NZ", network_id=world.view.network_id, bls=1, ed25519=1)
    world.commit(world.govern("NZ", Rotation(newer)))
    world.decide(WeightChange(()))
    hand_over(world)
    world.commit(world.transaction("NZ"))
    world.seal()
    return world


def hand_over(world: World) -> None:
    """With sealed headers between the one that hands over and the hand-over."""
    seal = world.seal()
    step = HandOver(world.view.header_bytes, seal)
    for _ in range(2):
        world.commit(world.transaction("HK"))
        world.seal()
    block = world.commit(world.govern("SG", step))
    assert block.results == (("",),)
    world.seal()


def store_of(world: World, path: Path) -> LedgerStore:
    """The store that a node of that ledger has, without any set change."""
    store = LedgerStore(path).open()
    store.put_genesis(world.genesis.data, world.headers[0])
    current = world.genesis.signing_set
    sets = {current.hash: current}
    for change in set_changes(world):
        pending = change.sets.pending
        sets[pending.hash] = pending
    for height, (header, transactions) in enumerate(world.blocks, 1):
        store.append_block(height, header, transactions)
    for height, seal in world.seals.items():
        signers = sets[parse_header(world.headers[height]).signing_set_hash]
        value = open_seal(seal, signers, world.genesis.network_id, BACKEND)
        level = SealLevel.SEALED if value.level == SEALED else SealLevel.ATTESTED
        store.put_seal(height, seal, level, attested_time=value.attested_time, weight=value.weight)
    return store
