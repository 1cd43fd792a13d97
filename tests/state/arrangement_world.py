"""Every step of an arrangement in a world of the ledger, taken and looked at; whole lives."""

from random import Random

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.chain.history import history_head
from ledger.customs.arrangement import (
    ArrangementEntry,
    ArrangementHistory,
    format_arrangement_text,
    parse_step,
    text_hash,
)
from ledger.customs.subject import LookupKey
from ledger.state.machine import Machine
from ledger_world import BACKEND, DAY, START, World, material

MEMBERS = ("HK", "NZ", "SG")
TEXTS = [("HK", "NZ"), ("HK", "NZ", "SG"), ("NZ",), ("NZ", "SG")]
RECOGNITION = pb.ARRANGEMENT_KIND_RECOGNITION


def result(world: World, author: str, **step: object) -> str:
    (codes,) = world.commit(world.step(author, **step)).results
    assert isinstance(codes, tuple)
    (code,) = codes
    return code


def text(world: World, shared: bytes, *parties: str, **fields: object) -> bytes:
    """An amended text: each party recognises every other from 2025 on."""
    rules = [
        pb.Rule(issuing=one, recognising=other, **{"from": START - 365 * DAY})
        for one in parties
        for other in parties
        if one != other
    ]
    said = {
        "name": "amended",
        "kind": RECOGNITION,
        "parties": parties,
        "rules": rules,
        "lookup_key_commitment": world.lookup_key(shared).commitment,
    }
    return format_arrangement_text(pb.ArrangementText(**(said | fields)))


def amend(world: World, author: str, shared: bytes, data: bytes, *without: str) -> str:
    amendment = pb.ArrangementAmendment(arrangement_id=shared, text=data, without=without)
    return result(world, author, amend=amendment)


def sign(world: World, author: str, shared: bytes, data: bytes) -> str:
    signature = pb.ArrangementSignature(arrangement_id=shared, text_hash=text_hash(data))
    return result(world, author, sign=signature)


def history(world: World, shared: bytes) -> ArrangementHistory:
    found = world.view.arrangement(shared)
    assert found is not None
    return found


def key(world: World, shared: bytes, epoch: int) -> LookupKey:
    if epoch == 1:
        return world.lookup_key(shared)
    return LookupKey(material("epoch", str(epoch)), world.view.network_id, shared, epoch)


def check_whole(world: World, shared: bytes) -> None:
    """Whoever has the entries comes to the same life and head; so does who follows or restores."""
    held = world.view.arrangements[shared]
    assert history_head(held.records) == held.head
    life: ArrangementHistory | None = None
    for record in held.records:
        place = record.height, record.time, record.log_index, record.author
        entry = ArrangementEntry(*place, parse_step(record.record))
        life = ArrangementHistory.propose(shared, entry) if life is None else life.extend(entry)
    assert life == held.history
    follower = Machine(world.genesis, BACKEND)
    for header, transactions in world.blocks:
        follower.advance(follower.follow(header, transactions))
    restored = Machine.restore(world.genesis, iter(world.blocks), BACKEND)
    for state in (follower.state, restored.state):
        assert state.header_hash == world.view.header_hash
        assert state.arrangements == world.view.arrangements
        assert state.arrangements_of == world.view.arrangements_of
        assert state.pairs == world.view.pairs


def notice(shared: bytes, **days: int) -> pb.StagedStart:
    starts = [pb.StartFor(recognising=party, **{"from": day}) for party, day in days.items()]
    return pb.StagedStart(arrangement_id=shared, starts=starts)


def open_epoch(world: World, author: str, shared: bytes, number: int, *without: str) -> str:
    step = pb.KeyEpoch(
        arrangement_id=shared,
        epoch=number,
        lookup_key_commitment=key(world, shared, number).commitment,
        without=without,
    )
    return result(world, author, open_epoch=step)


def republished(world: World, author: str, shared: bytes, number: int) -> str:
    step = pb.EpochRepublished(arrangement_id=shared, epoch=number)
    return result(world, author, republished=step)


def live(seed: int) -> tuple[World, bytes, set[str]]:
    """A life of fifty steps, most of them refused; and the codes that occurred in it."""
    random, world = Random(seed), World(MEMBERS)
    shared = world.agree(*random.choice(TEXTS), staged_starts=random.random() < 0.5)
    codes = set()
    texts: list[bytes] = []
    for _ in range(50):
        author, what = random.choice(MEMBERS), random.random()
        life = history(world, shared)
        if what < 0.2:
            staged = random.random() < 0.5
            texts.append(text(world, shared, *random.choice(TEXTS), staged_starts=staged))
            codes.add(amend(world, author, shared, texts[-1]))
        elif what < 0.55 and texts:
            codes.add(sign(world, author, shared, texts[-1]))
        elif what < 0.7:
            day = world.time + random.randint(-3, 3) * DAY
            codes.add(
                result(world, author, start=notice(shared, **dict.fromkeys(life.text.parties, day)))
            )
        elif what < 0.8:
            number = life.epochs[-1].number + random.choice([1, 1, 1, 2])
            codes.add(open_epoch(world, author, shared, number))
        elif what < 0.92:
            number = life.waiting_epoch.number if life.waiting_epoch else 2
            codes.add(republished(world, author, shared, number))
        elif what < 0.94:
            stop = pb.ArrangementSuspension(arrangement_id=shared)
            codes.add(result(world, author, suspend=stop))
        elif what < 0.95:
            end = pb.ArrangementEnd(arrangement_id=shared)
            codes.add(result(world, author, end=end))
        else:
            world.publish(author, shared, [world.grant(shared, f"{author}{len(codes)}")])
    return world, shared, codes
