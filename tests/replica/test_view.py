"""A view says what the machine says, at every height, and takes nothing that does not follow."""

from collections.abc import Iterator

import pytest

from ledger.errors import ChainError
from ledger.state.block import Block
from ledger.state.draft import Draft
from ledger.state.facts import Facts
from ledger.state.machine import Machine
from ledger.state.map_updates import MapHere
from ledger.state.state import State
from ledger_world import DAY, SECOND, START, World
from replica.lives import MEMBERS, MINUTE, TINS, answers, live
from service.node.replica import delta as wire
from service.node.replica.delta import Delta, Transferred, delta_of, transfer
from service.node.replica.view import View


def over_the_pipe(message: object) -> object:
    return wire.parse_message(wire.format_message(message))


def crossed(messages: Iterator[Transferred]) -> Iterator[Transferred]:
    for message in messages:
        yield over_the_pipe(message)  # type: ignore[misc]


def view_of(state: State) -> View:
    return View.receive(crossed(transfer(state)), MapHere())


class Following:
    """A world and a view that is told of its blocks; they are compared at every height."""

    def __init__(self) -> None:
        self.world = World(MEMBERS)
        self.view = view_of(self.world.view)
        self.deltas: list[Delta] = []
        self.compared = 0

    def take(self, block: Block) -> None:
        told = over_the_pipe(delta_of(block))
        self.deltas.append(told)
        assert self.view.apply(told)
        assert_alike(self.world, self.view.state)
        self.compared += 1


def assert_alike(world: World, state: State) -> None:
    """The same verdicts for every question, and the same facts behind them."""
    own = world.view
    keys = {shared: world.lookup_key(shared) for shared in own.arrangements}
    for now, attested in ((world.time, world.time), (world.time + 45 * MINUTE, world.time)):
        for recognising in ("NZ", "HK"):
            expected = answers(own, keys, recognising, now, attested)
            assert answers(state, keys, recognising, now, attested) == expected
    for name in wire.STATE_FIELDS:
        assert getattr(state, name) == getattr(own, name), name
    for name in ("statuses", "aliases", "successors", "refused", "seen", "times", "log_sizes"):
        assert getattr(state.facts, name) == getattr(own.facts, name), name
    assert state.facts.log.root() == own.facts.log.root()
    assert state.facts.headers.root() == own.facts.headers.root()


def test_every_verdict_is_the_machines_at_every_height() -> None:
    following = Following()
    live(following.world, following.take)
    assert following.compared == following.world.view.height > 20


def test_a_view_begun_anywhere_catches_up() -> None:
    following = Following()
    states: list[State] = []

    def take(block: Block) -> None:
        following.take(block)
        states.append(following.world.view)

    live(following.world, take)
    # The books of the old states have run ahead, as where a process starts while blocks come in.
    for state in (states[0], states[4], states[9], states[-1]):
        view = view_of(state)
        keys = {shared: following.world.lookup_key(shared) for shared in state.arrangements}
        now = state.header_time
        assert answers(view.state, keys, "NZ", now, now) == answers(state, keys, "NZ", now, now)
        taken = [view.apply(each) for each in following.deltas]
        assert taken == [height > state.height for height in range(1, len(taken) + 1)]
        assert_alike(following.world, view.state)


def test_a_part_of_a_book_at_a_time(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(wire, "SUBJECTS_OF_A_PART", 2)
    world = World(MEMBERS)
    live(world, lambda _: None)
    parts = [each for each in transfer(world.view) if isinstance(each, wire.Part)]
    assert len(parts) > 5
    assert max(len(part.entries) for part in parts) == 2
    assert_alike(world, view_of(world.view).state)


def test_what_stays_as_it_was_is_the_same_object() -> None:
    world = World(("HK", "NZ"))
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, tin) for tin in TINS[:2]])
    view = view_of(world.view)
    before = view.state
    block = world.publish("HK", shared, [world.suspend(shared, TINS[0])])
    view.apply(over_the_pipe(delta_of(block)))
    after = view.state
    assert after.membership is before.membership
    assert after.arrangement(shared) is before.arrangement(shared)
    assert after.parameters is before.parameters
    kept, changed = (world.subject(shared, tin) for tin in (TINS[1], TINS[0]))
    (book,) = after.facts.statuses.values()
    assert len(after.subject(shared, "HK", changed)) == 2
    assert len(before.subject(shared, "HK", changed)) == 1
    assert book[kept] is book[kept]


def test_a_delta_holds_what_its_block_changed_and_no_more() -> None:
    world = World(("HK", "NZ"))
    shared = world.agree("HK", "NZ")
    block = world.publish("HK", shared, [world.grant(shared, TINS[0])])
    assert set(delta_of(block).changed) == {"leaves", "statuses", "authors"}
    assert len(wire.format_message(delta_of(block))) < 1_500


def test_only_the_next_block_follows() -> None:
    world, other = World(("HK", "NZ")), World(("HK", "NZ"))
    view = view_of(world.view)
    told = [over_the_pipe(delta_of(world.commit(world.transaction("HK")))) for _ in range(3)]
    forked = over_the_pipe(delta_of(other.commit(other.transaction("NZ"), time=START + DAY)))
    with pytest.raises(ChainError, match="header 2"):
        view.apply(told[1])
    assert view.apply(told[0])
    assert not view.apply(told[0])
    other.commit(other.transaction("HK"))
    again = over_the_pipe(delta_of(other.commit(other.transaction("HK"), time=START + 9 * DAY)))
    for wrong in (again, told[2]):
        with pytest.raises(ChainError, match="does not follow"):
            view.apply(wrong)
    assert not view.apply(forked)  # of a height that is there already
    assert view.apply(told[1])
    assert view.state.header_hash != world.view.header_hash
    assert view.apply(told[2])
    assert view.state.header_hash == world.view.header_hash


def test_a_transfer_that_ends_early_makes_no_view() -> None:
    world = World(("HK", "NZ"))
    messages = list(transfer(world.view))
    with pytest.raises(ChainError, match="ended early"):
        View.receive(iter(messages[:-1]), MapHere())


def test_every_field_of_a_draft_and_a_state_is_accounted_for() -> None:
    """Whoever adds a field to either says here whether a view needs it."""
    own = {"base", "facts", "height", "time", "entered", "map_changes", "changes", "touched"}
    assert set(Draft.__slots__) == own | set(wire.SHIPPED)
    assert set(State.__slots__) == {"facts", "updates", "map_version", *wire.STATE_FIELDS}
    counted = {"base", "times", "log_sizes", "log", "headers", "seen", "refused"}
    assert counted == set(wire.Beginning._fields) - {"fields"}
    assert set(Facts.__slots__) == counted | {"statuses", "aliases", "successors"}


def test_proofs_are_asked_by_height() -> None:
    world = World(("HK", "NZ"))
    live_height: list[tuple[int, bytes]] = []

    class Elsewhere(MapHere):
        def prove(self, version: int, key: bytes) -> bytes:
            live_height.append((version, key))
            return b"the proof"

    view = View.receive(crossed(transfer(world.view)), Elsewhere())
    block = world.commit(world.transaction("HK"), time=START + SECOND)
    view.apply(over_the_pipe(delta_of(block)))
    assert view.state.prove(b"k" * 32) == b"the proof"
    assert live_height == [(1, b"k" * 32)]
    assert isinstance(view._machine, Machine)
