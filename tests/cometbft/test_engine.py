"""The engine between a publisher and CometBFT, with a CometBFT that says what a test wants."""

import json
import threading
from base64 import b64decode, b64encode
from collections.abc import Collection, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import structlog

from aeo.ledger.v1.transaction_pb2 import StatusBatch
from ledger.chain.parameters import DEFAULT_PARAMETERS
from ledger.chain.transaction import format_body
from ledger.state.refusals import SEQUENCE_AHEAD, SIGNATURE_INVALID
from ledger_world import START, World
from service.engine.cometbft import engine as engine_module
from service.engine.cometbft.caught_up import caught_up
from service.engine.cometbft.codes import NUMBER_WAITS, number_of
from service.engine.cometbft.compression import transaction_of
from service.engine.cometbft.engine import CometBftEngine
from service.engine.cometbft.rpc import CometBftUnreachable, Rpc
from service.engine.feed import BlockFeed
from service.engine.protocol import Recorded
from service.errors import EngineStopped, Overloaded

WAIT_S = 20


class Outside:
    """CometBFT's RPC: what was handed over, and the codes it answers with, 0 by default."""

    def __init__(self) -> None:
        self.taken: list[bytes] = []
        self.codes: list[int] = []
        self.errors: list[str] = []
        self.came = threading.Condition()
        outside = self

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self) -> None:
                asked = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                answer = json.dumps(outside.answer(asked)).encode()
                self.send_response(200)
                self.send_header("Content-Length", str(len(answer)))
                self.end_headers()
                self.wfile.write(answer)

            def log_message(self, *_: object) -> None:
                """Say nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.thread = threading.Thread(target=self.server.serve_forever)
        self.thread.start()

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.server.server_address[1]}"

    def answer(self, asked: dict[str, object]) -> dict[str, object]:
        if asked["method"] != "broadcast_tx_sync":
            return {"error": {"message": "not now", "data": ""}}
        with self.came:
            if self.errors:
                return {"error": {"message": "Internal error", "data": self.errors.pop(0)}}
            self.taken.append(b64decode(asked["params"]["tx"]))
            self.came.notify_all()
            return {"result": {"code": self.codes.pop(0) if self.codes else 0}}

    def wait_taken(self, count: int) -> list[bytes]:
        with self.came:
            assert self.came.wait_for(lambda: len(self.taken) >= count, WAIT_S), self.taken
            return list(self.taken)

    def stop(self) -> None:
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()


class Nothing:
    """No application to start or stop; nothing has failed."""

    failure = None
    newest_seal = None
    height = 0

    def start(self) -> int:
        return 0

    def stop(self) -> None:
        """Nothing."""


class Run:
    """An engine over a world's machine; the test decides the blocks."""

    def __init__(self) -> None:
        self.world = World(("HK", "NZ"), parameters=DEFAULT_PARAMETERS)
        self.outside = Outside()
        self.feed = BlockFeed()
        self.rpc = Rpc(self.outside.address)
        self.engine = CometBftEngine(Nothing(), Nothing(), self.feed, self.rpc, process=None)
        self.engine.start()

    def beats(self, count: int) -> list[bytes]:
        return [
            self.world.sign("HK", format_body(self.world.body("HK", verified=0)))
            for _ in range(count)
        ]

    def decide(self, transactions: list[bytes]) -> None:
        """A block, as the application tells it."""
        machine = self.world.machine
        block = machine.execute(transactions, START + 1_000)
        if block.header is not None:
            machine.advance(block)
            self.feed.tell(block)
        for transaction, result in zip(transactions, block.results, strict=True):
            if isinstance(result, str):
                self.feed.tell_refused(transaction, result)


@pytest.fixture
def run() -> Iterator[Run]:
    structlog.reset_defaults()  # a command that was run before has left a log that is closed
    run = Run()
    yield run
    run.engine.stop()
    run.rpc.close()
    run.outside.stop()


def test_what_blocks_tell_is_the_outcome(run: Run) -> None:
    beats = run.beats(3)
    future = run.engine.submit(beats)
    assert run.outside.wait_taken(3) == beats
    assert not future.done()
    run.decide(beats[:2])
    assert not future.done()
    run.decide(beats[2:])
    outcomes = future.result(WAIT_S)
    assert [type(each) for each in outcomes] == [Recorded] * 3
    assert [(each.height, each.log_index) for each in outcomes] == [(1, 0), (1, 1), (2, 2)]
    assert run.engine.submit([]).result(0) == ()


def test_a_transaction_of_two_callers_is_handed_over_once(run: Run) -> None:
    (beat,) = run.beats(1)
    futures = [run.engine.submit([beat]) for _ in range(2)]
    run.outside.wait_taken(1)
    run.decide([beat])
    first, second = (future.result(WAIT_S) for future in futures)
    assert first == second
    assert run.outside.taken == [beat]


def test_what_is_handed_over_is_compressed(run: Run) -> None:
    """And what enters, and what it is the outcome of, is the transaction."""
    batch = StatusBatch(arrangement_id=bytes(16), records=[bytes(2_000)])
    large = run.world.sign("HK", format_body(run.world.body("HK", verified=0, statuses=batch)))
    future = run.engine.submit([large])
    (form,) = run.outside.wait_taken(1)
    assert len(form) < 300
    assert transaction_of(form) == large
    run.decide([large])
    (recorded,) = future.result(WAIT_S)
    assert isinstance(recorded, Recorded)


def test_a_number_too_far_ahead_waits_for_a_block(run: Run) -> None:
    beats = run.beats(2)
    run.outside.codes = [0, number_of(SEQUENCE_AHEAD)]
    future = run.engine.submit(beats)
    run.outside.wait_taken(2)
    run.decide(beats[:1])
    assert run.outside.wait_taken(3)[2] == beats[1]
    run.decide(beats[1:])
    assert len(future.result(WAIT_S)) == 2


def test_what_never_enters_is_told_with_its_code(run: Run) -> None:
    refused: list[tuple[bytes, str]] = []
    run.feed.listen_refused(lambda data, code: refused.append((data, code)))
    (beat,) = run.beats(1)
    run.outside.codes = [number_of(SIGNATURE_INVALID)]
    assert run.engine.submit([beat]).result(WAIT_S) == (SIGNATURE_INVALID,)
    assert refused == [(beat, SIGNATURE_INVALID)]


def test_a_cometbft_that_is_away_is_tried_again(run: Run) -> None:
    (beat,) = run.beats(1)
    run.outside.errors = ["mempool is full", "mempool is full"]
    future = run.engine.submit([beat])
    assert run.outside.wait_taken(1) == [beat]
    run.decide([beat])
    assert isinstance(future.result(WAIT_S)[0], Recorded)


def test_what_a_mempool_lost_is_handed_over_again(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "AGAIN_S", 0.2)
    (beat,) = run.beats(1)
    future = run.engine.submit([beat])
    assert run.outside.wait_taken(2) == [beat, beat]
    # Later ones find it where it is.
    run.outside.errors = ["tx already exists in cache"]
    run.decide([beat])
    assert isinstance(future.result(WAIT_S)[0], Recorded)


def test_what_a_mempool_lost_is_not_kept_waiting_by_what_follows(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The second waits there already, in another form; it can enter only after the first."""
    monkeypatch.setattr(engine_module, "AGAIN_S", 0.2)
    beats = run.beats(2)
    run.outside.codes = [0] + [number_of(NUMBER_WAITS)] * 500
    future = run.engine.submit(beats)
    with run.outside.came:
        again = run.outside.came.wait_for(lambda: run.outside.taken.count(beats[0]) > 1, WAIT_S)
    assert again, run.outside.taken
    run.decide(beats)
    assert all(isinstance(each, Recorded) for each in future.result(WAIT_S))


def test_a_flood_is_refused_and_one_caller_is_not(
    run: Run, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine_module, "QUEUE_BYTES", 100)
    first, second = run.beats(2)
    run.engine.submit([first])
    with pytest.raises(Overloaded):
        run.engine.submit([second])


def test_a_stop_fails_what_waits_and_takes_no_more(run: Run) -> None:
    first, second = run.beats(2)
    future = run.engine.submit([first])
    run.outside.wait_taken(1)
    run.engine.give_up()
    with pytest.raises(EngineStopped, match="outbox keeps"):
        future.result(WAIT_S)
    with pytest.raises(EngineStopped):
        run.engine.submit([second])
    # It may still enter; nobody waits for it any more.
    run.decide([first])


def test_an_answer_that_is_none() -> None:
    outside = Outside()
    outside.stop()
    with pytest.raises(CometBftUnreachable, match=outside.address):
        Rpc(outside.address).broadcast(b"x")


class Standing(Nothing):
    """An application whose blocks do not come, and a process whose starts are counted."""

    def __init__(self, height: int) -> None:
        self.height = height
        self.starts = 0
        self.again = threading.Condition()

    def restart(self) -> None:
        with self.again:
            self.starts += 1
            self.again.notify_all()

    def started(self, times: int, within_s: float) -> bool:
        with self.again:
            return self.again.wait_for(lambda: self.starts >= times, within_s)


@pytest.mark.parametrize(("height", "starts"), [(7, 2), (0, 0)])
def test_a_standstill_is_ended_by_a_start_that_dials_all_peers(
    run: Run, monkeypatch: pytest.MonkeyPatch, height: int, starts: int
) -> None:
    monkeypatch.setattr(engine_module, "STANDSTILL_S", 0.2)
    monkeypatch.setattr(engine_module, "WATCH_S", 0.01)
    standing, rpc = Standing(height), Rpc(run.outside.address)
    engine = CometBftEngine(standing, standing, BlockFeed(), rpc, process=standing)
    engine.start()
    try:
        # Before the first block it may be taking a snapshot, which takes its time.
        assert standing.started(max(starts, 1), WAIT_S if starts else 1.0) == bool(starts)
    finally:
        engine.stop()


def test_blocks_that_come_are_no_standstill(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(engine_module, "STANDSTILL_S", 1.0)
    monkeypatch.setattr(engine_module, "WATCH_S", 0.01)
    standing, rpc = Standing(1), Rpc(run.outside.address)
    engine = CometBftEngine(standing, standing, BlockFeed(), rpc, process=standing)
    engine.start()
    try:
        for _ in range(30):
            assert not standing.started(1, 0.1)
            standing.height += 1
    finally:
        engine.stop()


class Told(Outside):
    """A CometBFT at height 100 that says what its peers say of themselves."""

    def __init__(self) -> None:
        super().__init__()
        self.peers: dict[str, int] = {}

    def answer(self, asked: dict[str, object]) -> dict[str, object]:
        results = {
            "status": {
                "node_info": {"id": "own"},
                "sync_info": {
                    "latest_block_height": "100",
                    "latest_app_hash": "",
                    "catching_up": False,
                },
                "validator_info": {"address": "", "voting_power": "1"},
            },
            "validators": {
                "validators": [
                    {"pub_key": {"value": b64encode(bytes([each])).decode()}, "voting_power": "1"}
                    for each in range(4)
                ]
            },
            "dump_consensus_state": {
                "peers": [
                    {
                        "node_address": f"{peer}@127.0.0.1:1",
                        "peer_state": {"round_state": {"height": str(height)}},
                    }
                    for peer, height in self.peers.items()
                ]
            },
        }
        return {"result": results[str(asked["method"])]}


@pytest.mark.parametrize(
    ("members", "peers", "expected"),
    [
        ("abc", {"a": 101, "b": 101, "c": 101}, True),
        ("abc", {"a": 999, "b": 101, "c": 101}, True),
        ("abc", {"a": 999, "b": 999, "c": 101}, False),
        ("abc", {"a": 101, "b": 101}, True),
        ("abc", {"a": 101}, False),
        ("abc", {"a": 101, "b": 0}, False),
        # Strangers say nothing, neither that it is behind nor that it is not.
        ("abc", {"a": 101, "b": 101, "x": 999, "y": 999}, True),
        ("abc", {"x": 101, "y": 101}, False),
        # A newcomer dials one member and has no others to compare with.
        ("a", {"a": 101}, True),
        ("a", {"a": 102}, False),
        # A first member knows nobody when it starts: whoever dials it counts.
        ("", {"a": 101, "b": 101}, True),
        ("", {}, False),
    ],
)
def test_others_say_whether_it_has_caught_up(
    members: str, peers: dict[str, int], expected: bool
) -> None:
    outside = Told()
    outside.peers = peers
    rpc = Rpc(outside.address)
    try:
        assert caught_up(rpc, members) is expected
    finally:
        rpc.close()
        outside.stop()


def test_a_key_that_cannot_be_written_now_is_written_later(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """A full disk must not end the watch: the member would never vote again."""

    class Keys:
        asked = 0

        def follow(self, validators: Collection[bytes]) -> bool:
            assert len(validators) == 4
            self.asked += 1
            if self.asked == 1:
                raise OSError(28, "No space left on device")
            return self.asked == 2

    monkeypatch.setattr(engine_module, "WATCH_S", 0.01)
    structlog.reset_defaults()
    outside, standing = Told(), Standing(7)
    rpc = Rpc(outside.address)
    engine = CometBftEngine(standing, standing, BlockFeed(), rpc, process=standing, keys=Keys())
    engine.start()
    try:
        assert standing.started(1, WAIT_S)
    finally:
        engine.stop()
        outside.stop()
