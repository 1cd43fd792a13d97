"""Random lives of arrangements: whoever executes, follows, restores or only folds comes to one."""

import pytest

from ledger.customs.arrangement import parse_arrangement_text
from ledger.state import refusals
from ledger_world import World
from state.arrangement_world import MEMBERS, check_whole, history, live, text


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
