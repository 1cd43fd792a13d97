"""Random lives of arrangements: whoever executes, follows, restores or only folds comes to one."""

from random import Random

import pytest

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.customs.arrangement import parse_arrangement_text
from ledger.state import refusals
from ledger_world import DAY, World
from state.arrangement_world import (
    amend,
    check_whole,
    history,
    notice,
    open_epoch,
    republished,
    result,
    sign,
    text,
)

MEMBERS = ("HK", "NZ", "SG")
TEXTS = [("HK", "NZ"), ("HK", "NZ", "SG"), ("NZ",), ("NZ", "SG")]


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


@pytest.mark.parametrize("seed", range(12))
def test_a_life_is_the_same_however_it_is_run(seed: int) -> None:
    world, shared, _ = live(seed)
    check_whole(world, shared)
    life = history(world, shared)
    # The text in force is one that all its parties have signed, under the first key.
    assert {each.economy for each in life.signatures} >= set(life.text.parties)
    assert len({each.text.lookup_key_commitment for each in life.texts}) == 1
    # Every two parties of any text in force have the arrangement once, nobody else has.
    agreed = {
        (a, b)
        for signed in life.texts
        for a in signed.text.parties
        for b in signed.text.parties
        if a < b
    }
    for a in MEMBERS:
        for b in MEMBERS:
            if a < b:
                found = [each.arrangement_id for each in world.view.pair_history(a, b)]
                assert found == ([shared] if (a, b) in agreed else [])
    for member in MEMBERS:
        own = world.view.own_arrangements(member) == (shared,)
        assert own is life.was_party(member)


def test_the_lives_are_eventful() -> None:
    codes, texts, epochs = set[str](), 0, 0
    for seed in range(12):
        world, shared, seen = live(seed)
        life = history(world, shared)
        codes |= seen
        texts += len(life.texts) - 1
        epochs += len(life.epochs) - 1
    assert texts > 5
    assert epochs > 2
    assert codes >= {
        "",
        refusals.NOT_A_PARTY,
        refusals.TEXT_DIFFERS,
        refusals.ALREADY_SIGNED,
        refusals.START_NOT_STAGED,
        refusals.START_HAS_BEGUN,
        refusals.EPOCH_PENDING,
        refusals.EPOCH_WRONG,
        refusals.ALREADY_REPUBLISHED,
        refusals.ARRANGEMENT_HAS_ENDED,
    }


def test_a_text_says_whether_its_starts_are_staged() -> None:
    world = World(MEMBERS)
    shared = world.agree("HK", "NZ")
    for staged in (False, True):
        data = text(world, shared, "HK", "NZ", staged_starts=staged)
        assert parse_arrangement_text(data).staged_starts is staged
