"""The solo engine: order, time, limits, group commit, and what a failing store leaves."""

import threading
from collections.abc import Sequence
from concurrent.futures import wait
from typing import Self

import pytest

from ledger.chain.parameters import DEFAULT_PARAMETERS
from ledger.chain.transaction import format_body
from ledger.state.refusals import SEQUENCE_AHEAD
from ledger_world import START, World
from service.engine import solo
from service.engine.protocol import Recorded, Sealed
from service.engine.solo import SoloEngine
from service.errors import ClockWentBack, EngineStopped, Overloaded, StoreError


class HandClock:
    """A clock that stands until it is set."""

    def __init__(self, now: int) -> None:
        self.now = now

    def now_ms(self) -> int:
        return self.now

    def monotonic_ns(self) -> int:
        return 0


class Blocks:
    """A store in memory that can be made to wait, or to fail."""

    def __init__(self) -> None:
        self.blocks: list[tuple[int, bytes, tuple[bytes, ...]]] = []
        self.seals: dict[int, Sealed] = {}
        self.fail: Exception | None = None
        self.go = threading.Event()
        self.go.set()

    def append_block(self, height: int, header: bytes, transactions: Sequence[bytes]) -> None:
        self.go.wait(20)
        if self.fail is not None:
            raise self.fail
        self.blocks.append((height, header, tuple(transactions)))

    def keep_seal(self, height: int, seal: Sealed) -> None:
        assert self.blocks[-1][0] == height if self.blocks else height == 0
        self.seals[height] = seal


class Sealer:
    """Seals without signing; remembers what state it was asked about."""

    def __init__(self) -> None:
        self.asked: list[tuple[int, int]] = []
        self.ahead = 0

    def seal(self, state: object, attested_time: int) -> Sealed | None:
        self.asked.append((state.height, attested_time))
        return Sealed(b"seal", attested_time + self.ahead, 1, "sealed")


class Run:
    """An engine over a world's machine; the world signs."""

    def __init__(self, **parameters: int) -> None:
        self.world = World(("HK", "NZ"), parameters=DEFAULT_PARAMETERS._replace(**parameters))
        self.clock = HandClock(START + 1_000)
        self.store = Blocks()
        self.sealer = Sealer()
        self.engine = SoloEngine(self.world.machine, self.store, self.sealer, self.clock)
        self.engine.start()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.store.go.set()
        self.engine.stop()

    def beats(self, count: int, author: str = "HK") -> list[bytes]:
        """Heartbeats with the author's next numbers; all name the genesis as verified."""
        return [
            self.world.sign(author, format_body(self.world.body(author, verified=0)))
            for _ in range(count)
        ]


@pytest.fixture
def run() -> object:
    with Run() as run:
        yield run


def test_places_are_told_in_order(run: Run) -> None:
    first = run.engine.submit(run.beats(3))
    second = run.engine.submit(run.beats(2, "NZ"))
    outcomes = [*first.result(20), *second.result(20)]
    assert [outcome.log_index for outcome in outcomes] == list(range(5))
    assert all(outcome.refusals == () for outcome in outcomes)
    assert run.engine.submit([]).result(0) == ()
    assert run.world.view.log_size == 5


def test_what_may_not_enter_leaves_its_code_and_no_block(run: Run) -> None:
    run.world.transaction("HK")  # number 1 is never sent
    second = run.world.transaction("HK")
    assert run.engine.submit([second]).result(20) == (SEQUENCE_AHEAD,)
    assert run.store.blocks == []
    outcome = run.engine.submit([b"nothing", run.world.transaction("NZ")]).result(20)
    assert outcome[0] == "MALFORMED"
    assert isinstance(outcome[1], Recorded)
    assert outcome[1].log_index == 0


def test_who_waits_shares_the_next_block(run: Run) -> None:
    run.store.go.clear()
    futures = [run.engine.submit(run.beats(1)) for _ in range(10)]
    run.store.go.set()
    wait(futures, 20)
    heights = [future.result()[0].height for future in futures]
    assert heights == sorted(heights)
    assert heights[-1] <= 2, "the first alone, then all the others"


def test_a_block_keeps_to_the_networks_limits() -> None:
    with Run(max_block_transactions=3) as run:
        run.store.go.clear()
        future = run.engine.submit(run.beats(10))
        run.store.go.set()
        assert [outcome.log_index for outcome in future.result(20)] == list(range(10))
        assert [len(block[2]) for block in run.store.blocks] == [3, 3, 3, 1]


def test_a_block_keeps_to_its_bytes(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    beats = run.beats(5)
    monkeypatch.setattr(solo, "BLOCK_BYTES", 2 * len(beats[0]) + 1)
    run.engine.submit(beats).result(20)
    assert [len(block[2]) for block in run.store.blocks] == [2, 2, 1]


def test_too_much_waiting_is_refused(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(solo, "QUEUE_BYTES", 1_000)
    run.store.go.clear()
    first = run.engine.submit(run.beats(3))
    with pytest.raises(Overloaded):
        run.engine.submit(run.beats(5))
    run.store.go.set()
    assert len(first.result(20)) == 3


def test_a_block_is_stored_before_anyone_signs_it(run: Run) -> None:
    run.store.go.clear()
    future = run.engine.submit(run.beats(1))
    assert run.sealer.asked == [(0, START + 1_000)], "genesis, at the start"
    assert run.world.view.height == 0, "nobody reads what is not stored"
    run.store.go.set()
    future.result(20)
    run.engine.stop()
    assert run.sealer.asked == [(0, START + 1_000), (1, START + 1_000)]
    assert sorted(run.store.seals) == [0, 1]


def test_time_goes_on_when_the_clock_does_not(run: Run) -> None:
    times = [run.engine.submit(run.beats(1)).result(20)[0].time for _ in range(3)]
    assert times == [START + 1_000, START + 1_001, START + 1_002]
    run.clock.now += 10_000
    assert run.engine.submit(run.beats(1)).result(20)[0].time == START + 11_000


def test_no_header_is_older_than_what_the_one_before_attests(run: Run) -> None:
    run.sealer.ahead = 5_000  # the guard remembers a later time
    run.engine.submit(run.beats(1)).result(20)
    second = run.engine.submit(run.beats(1)).result(20)[0]
    assert second.time >= run.store.seals[1].attested_time


def test_a_store_that_fails_stops_the_writer_and_changes_nothing(run: Run) -> None:
    run.engine.submit(run.beats(1)).result(20)
    run.store.fail = StoreError(__file__, "no")
    future = run.engine.submit(run.beats(1))
    with pytest.raises(EngineStopped, match="no"):
        future.result(20)
    assert run.world.view.height == 1
    assert run.engine.failure is run.store.fail
    with pytest.raises(EngineStopped):
        run.engine.submit(run.beats(1))
    assert run.engine.feed.closed


def test_a_clock_far_behind_stops_the_writer(run: Run) -> None:
    newest = run.engine.submit(run.beats(1)).result(20)[0].time
    run.clock.now = newest - solo.CLOCK_LIMIT_MS
    newest = run.engine.submit(run.beats(1)).result(20)[0].time
    run.clock.now = newest - solo.CLOCK_LIMIT_MS - 1
    with pytest.raises(EngineStopped):
        run.engine.submit(run.beats(1)).result(20)
    assert isinstance(run.engine.failure, ClockWentBack)


def test_stopping_orders_what_waits() -> None:
    with Run(max_block_transactions=1) as run:
        run.store.go.clear()
        futures = [run.engine.submit(run.beats(1)) for _ in range(5)]
        threading.Timer(0.1, run.store.go.set).start()
        run.engine.stop()
        assert [future.result(0)[0].log_index for future in futures] == list(range(5))
        assert len(run.store.blocks) == 5, "most of them still waited when it was told to stop"
        with pytest.raises(EngineStopped):
            run.engine.submit(run.beats(1))
        run.engine.stop()


def test_listeners_hear_each_block_once_it_is_current(run: Run) -> None:
    heard = []
    unlisten = run.engine.feed.listen(
        lambda block: heard.append((block.header.height, run.world.view.height))
    )
    version = run.engine.feed.version
    run.engine.submit(run.beats(1)).result(20)
    assert run.engine.feed.wait(version, 20) > version
    unlisten()
    run.engine.submit(run.beats(1)).result(20)
    assert heard == [(1, 1)]
