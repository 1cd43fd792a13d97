"""What a restored ledger says is what one says that has executed everything: verdicts, receipts."""

from collections.abc import Iterator
from itertools import product

import pytest

from audit.receipt_world import Receipts
from ledger.customs.verdict import Query
from ledger.errors import NotKept
from ledger.state.machine import Machine
from ledger.state.records import records_between
from ledger_world import BACKEND, DAY
from service.node.history import LedgerHistory
from service.node.lookup.watch import Registered, changes_after
from service.store.ledger.ledger_store import LedgerStore
from snapshot.restored import everything, restored

TINS = ("HK1", "HK2", "HK3", "HK39", "HK100", "HK999", "NZ1", "SG1", "XX1")


@pytest.fixture
def pair() -> Iterator[tuple[Receipts, Machine, Machine]]:
    """A node over a world, the machine it has, and one that began with a snapshot half-way."""
    world = everything()
    whole = world.machine
    half = Machine.restore(world.genesis, world.blocks[:14], BACKEND)
    began = restored(world, half.state)
    for block in world.blocks[14:]:
        began.advance(began.follow(*block))
    yield Receipts(world), whole, began
    world.machine = whole


def questions(receipts: Receipts) -> list[Query]:
    """Questions about now, and about then as far as it is kept."""
    world = receipts.world
    base = 14
    asked = [receipts.query(tin) for tin in TINS]
    for tin, height in product(TINS, range(base, world.view.height + 1, 5)):
        asked.append(receipts.query(tin, known_at_height=height))
        asked.append(receipts.query(tin, known_at_time=world.view.time_of(height)))
    return asked + [receipts.query(tin, as_of=world.time - 5 * DAY) for tin in TINS]


def test_the_same_verdicts_and_receipts(pair: tuple[Receipts, Machine, Machine]) -> None:
    receipts, whole, began = pair
    world = receipts.world
    said = []
    for machine in (whole, began):
        world.machine = machine
        verdicts = [receipts.verdict(query) for query in questions(receipts)]
        proved = [receipts.make(receipts.query(tin)) for tin in TINS]
        said.append((verdicts, proved))
    assert said[0] == said[1]
    assert receipts.prove(receipts.query("HK1")).verdict_bytes in said[0][0]
    assert len({*said[0][0]}) > len(TINS)


def test_what_was_known_before_is_said_rightly_or_not_at_all(
    pair: tuple[Receipts, Machine, Machine],
) -> None:
    receipts, whole, began = pair
    world, refused = receipts.world, 0
    for tin, height in product(TINS, range(14)):
        query = receipts.query(tin, known_at_height=height)
        world.machine = whole
        expected = receipts.verdict(query)
        world.machine = began
        try:
            assert receipts.verdict(query) == expected
        except NotKept:
            refused += 1
    assert refused
    with pytest.raises(NotKept, match="began with a snapshot of height 14"):
        began.state.author_seen("HK", 0)


def test_results_below_are_not_told(pair: tuple[Receipts, Machine, Machine]) -> None:
    _, whole, began = pair
    size = began.state.base_log_size
    with pytest.raises(IndexError, match="a snapshot does not tell"):
        began.state.results(size - 1)
    for log_index in range(size, whole.state.log_size):
        assert began.state.results(log_index) == whole.state.results(log_index)


def test_a_watch_from_any_place(
    pair: tuple[Receipts, Machine, Machine], tmp_path_factory: pytest.TempPathFactory
) -> None:
    receipts, whole, began = pair
    world = receipts.world
    folder = tmp_path_factory.mktemp("stores")
    registered = Registered({}, {})
    with LedgerStore(folder / "ledger.db") as store:
        store.put_genesis(world.genesis.data, world.headers[0])
        for height, (header, transactions) in enumerate(world.blocks, 1):
            store.append_block(height, header, transactions)
        for economy in ("HK", "NZ", "SG"):
            everything_seen = list(changes_after(None, whole.state, store, economy, registered))
            assert everything_seen
            for after in (None, *(each.place for each in everything_seen[::7])):
                expected = list(changes_after(after, whole.state, store, economy, registered))
                found = list(changes_after(after, began.state, store, economy, registered))
                assert found == expected


def test_transactions_are_found_again(
    pair: tuple[Receipts, Machine, Machine], tmp_path_factory: pytest.TempPathFactory
) -> None:
    """By the hashes that a snapshot keeps, so that no outbox sends one a second time."""
    receipts, whole, began = pair
    world = receipts.world
    with LedgerStore(tmp_path_factory.mktemp("stores") / "ledger.db") as store:
        store.put_genesis(world.genesis.data, world.headers[0])
        for height, (header, transactions) in enumerate(world.blocks, 1):
            store.append_block(height, header, transactions)
        wanted = [each for _, transactions in world.blocks for each in transactions]
        expected = LedgerHistory(store, whole.state).find([*wanted, b"unknown"])
        found = LedgerHistory(store, began.state).find([*wanted, b"unknown"])
    assert found.keys() == expected.keys() == set(wanted)
    for data, place in expected.items():
        again = found[data]
        assert (again.height, again.time, again.log_index) == (
            place.height,
            place.time,
            place.log_index,
        )
        refused = [position for position, code in enumerate(place.refusals) if code]
        assert [position for position, code in enumerate(again.refusals) if code] == refused


def test_records_in_log_order(pair: tuple[Receipts, Machine, Machine]) -> None:
    _, whole, _ = pair
    records = records_between(whole.state, 0, whole.state.log_size)
    assert [each[:2] for each in records] == sorted(each[:2] for each in records)
    assert len(records) == sum(len(book) for book in whole.state.facts.statuses.values()) + 1
