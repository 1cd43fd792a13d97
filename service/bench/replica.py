"""A replica: look-ups while blocks come in, two processes against one, and without a call at all.

The follower is real: it verifies every header, seal, signature and map root, keeps its store and
feeds its serving processes. What it follows lies ready in another folder and is handed to it at an
even pace, since the node that would stream it has a machine of its own in life and none here.

Follower and client share one core, the serving process has the other; where two serve, each has
one, and the client runs on both. Then what the client used is taken off: the two serve on what is
left of two cores. A call's latency counts from when it was due, not from when it could be sent.
"""

import os
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import count
from multiprocessing.connection import Connection
from pathlib import Path
from shutil import copytree
from typing import Any, Final

import grpc

from aeo.exchange.v1.status_service_pb2 import BatchLookupRequest
from ledger.bls.scheme import default_backend
from ledger.state.machine import Machine
from ledger.state.map_updates import MapHere
from ledger.state.state import State
from service.api.replica import ReplicaServing, ShownFiles, serve_replica
from service.bench.calls import BATCH_LOOKUP, LOOKUP, Timed, method
from service.bench.figures import FULL_SIZE, AtLeast, AtMost, Figure
from service.bench.lookup import BATCH, Effort
from service.bench.process import ALL_CORES, CLIENT_CORE, SERVER_CORE, Child, measured
from service.bench.traders import AIR, RECOGNISER, SEA, question
from service.bench.world import HOST, World, grow
from service.clock import SystemClock
from service.node.collector import settle_collector
from service.node.governance.set_changes import SetChanges
from service.node.lookup.host import SealView
from service.node.replica.keyring_file import KeyringContent
from service.node.replica.standing import NOTHING_YET, Standing
from service.node.replica.verifier import ChainVerifier, Change
from service.node.restoring import restore
from service.replica import open_replica
from service.store.home.home_store import HomeStore
from service.store.ledger.ledger_store import LedgerStore

CALLS_A_SECOND: Final = 1_000
RECORDS_A_SECOND: Final = 10_000
"""What comes in meanwhile, if so much lies ready."""
PACED_CALLERS: Final = 8
CHANNELS: Final = 16
"""Connections, each one process's: so many that neither of two is without."""

_MESSAGE_BYTES: Final = 64 << 20
_LOCAL: Final = ("grpc.use_local_subchannel_pool", 1)


@dataclass(frozen=True, slots=True)
class Following:
    """What the follower's process is given: a folder of its own, and blocks that lie ready."""

    world: World
    folder: Path
    ready: Path
    processes: int
    cores: tuple[int, ...]


def replica_figures(
    world: World, effort: Effort, records: int, told: Callable[[str], None]
) -> Iterator[Figure]:
    """All figures of a replica of a world, which stays as it is."""
    told(f"a replica, {world.traders:,} traders: embedded")
    yield from embedded_figures(world, effort)
    ready = world.folder.parent / f"{world.folder.name}-ready"
    copytree(world.folder, ready)
    told(f"a replica, {world.traders:,} traders: blocks to come")
    more = world.traders + max(1, int(records * world.traders / max(1, world.records)))
    measured(None, grow, replace(world, folder=ready), more, False)
    name, title = f"replica.{world.traders}", f"Replica, {world.traders:,} traders"
    full = world.traders >= FULL_SIZE
    told(f"a replica, {world.traders:,} traders: look-ups while blocks come in")
    with _follower(world, ready, "one", 1, (ALL_CORES[SERVER_CORE],)) as one:
        address, _ = one.receive()
        seconds = max(effort.seconds, records / RECORDS_A_SECOND)
        one.send(records / seconds)
        calls = measured(CLIENT_CORE, paced, address, world, seconds)
        taken = one.ask("taken")
        note = f"{calls.calls / calls.seconds:,.0f} calls/s, {taken / seconds:,.0f} records/s"
        yield Figure(f"{name}.p50", f"{title}: median", calls.percentile(0.5), "ms", note=note)
        yield Figure(
            f"{name}.p99",
            f"{title}: 99th percentile while blocks come in",
            calls.percentile(0.99),
            "ms",
            AtMost(10) if full else None,
            note,
        )
        one.ask("wait")
        told(f"a replica, {world.traders:,} traders: two processes against one")
        alone = [measured(CLIENT_CORE, saturate, address, world, effort) for _ in _rounds(effort)]
    both_cores = (ALL_CORES[SERVER_CORE], ALL_CORES[CLIENT_CORE % len(ALL_CORES)])
    with _follower(world, ready, "two", 2, both_cores) as two:
        address, pids = two.receive()
        assert len(set(pids)) == 2, "two processes serve"
        together = [measured(None, saturate, address, world, effort) for _ in _rounds(effort)]
    yield Figure.of(
        f"{name}.rate", f"{title}: BatchLookup, verdicts", [each.rate for each in alone], "/s"
    )
    yield Figure.of(
        f"{name}.rate_two",
        f"{title}: the same from two processes, client on their cores",
        [each.rate for each in together],
        "/s",
    )
    yield Figure.of(
        f"{name}.scaling",
        f"{title}: two processes against one, load generator aside",
        [two.rate_aside / one.rate for two, one in zip(together, alone, strict=True)],
        "x",
        AtLeast(1.7) if full else None,
        "what the client used of the two cores taken off",
    )


def embedded_figures(world: World, effort: Effort) -> Iterator[Figure]:
    """One thread of a fresh process; asked before, prepared, and cold."""
    found = measured(SERVER_CORE, measure_embedded, world, effort)
    name = f"replica.{world.traders}"
    title = f"Embedded replica, {world.traders:,} traders"
    bound = AtLeast(100_000) if world.traders >= FULL_SIZE else None
    for kind, words in (
        ("rate", "evaluate, asked before"),
        ("rate_prepared", "evaluate, each trader new, prepared"),
        ("rate_cold", "evaluate, each trader new"),
    ):
        met = None if kind == "rate_cold" else bound
        yield Figure.of(f"{name}.embedded_{kind}", f"{title}: {words}", found[kind], "/s", met)
    yield Figure(f"{name}.embedded_open", f"{title}: opened", found["open"][0], "s")
    yield Figure(
        f"{name}.embedded_prepare", f"{title}: prepared, a trader", found["prepare"][0], "us"
    )


def measure_embedded(world: World, effort: Effort) -> dict[str, list[float]]:
    """Rates by kind, a round each; processor time, for nothing here waits."""
    found: dict[str, list[float]] = {"rate": [], "rate_prepared": [], "rate_cold": []}
    started = time.perf_counter()
    with open_replica(world.folder, RECOGNISER) as replica:
        found["open"] = [time.perf_counter() - started]
        settle_collector()
        asked = [question(number, world.traders) for number in range(10 * effort.questions)]
        plain = [(each.tin, each.transport_mode) for each in asked]

        def ask() -> float:
            evaluate, began = replica.evaluate, time.thread_time()
            for tin, mode in plain:
                evaluate(tin, "EX", "IMPORT", mode)
            return len(plain) / (time.thread_time() - began)

        for _ in _rounds(effort):
            replica.forget()
            found["rate_cold"].append(ask())
            found["rate"].append(ask())
        began = time.thread_time()
        prepared = sum(replica.prepare("EX", "IMPORT", mode) for mode in (SEA, AIR))
        found["prepare"] = [(time.thread_time() - began) * 1e6 / max(1, prepared)]
        settle_collector()
        for _ in _rounds(effort):
            replica.forget()
            found["rate_prepared"].append(ask())
    return found


# The follower's process.


class PacedLedger:
    """A `Followed` whose source lies ready: blocks are verified as if they had been streamed."""

    def __init__(self, folder: Path, ready: LedgerStore, content: KeyringContent) -> None:
        self._store = LedgerStore(folder / "ledger.db").open()
        backend = default_backend()
        self.machine: Machine = restore(self._store, backend, MapHere())
        self._listeners: list[Callable[[Change], None]] = []
        changes = SetChanges(self._store, self.machine.state.genesis, backend)
        self._verifier = ChainVerifier(
            self.machine,
            self._store,
            changes,
            backend,
            now_ms=SystemClock().now_ms,
            tell=self._tell,
        )
        self._ready = ready
        self.content: KeyringContent | None = content
        self.taken = 0

    @property
    def state(self) -> State:
        """Everything verified so far."""
        return self.machine.state

    @property
    def newest_seal(self) -> SealView | None:
        """The newest seal."""
        return self._verifier.seals.newest

    @property
    def keyring(self) -> "PacedLedger":
        """The keys never change here."""
        return self

    def listen(self, listener: Callable[[], None]) -> None:
        """Nothing to tell."""

    def on_block(self, listener: Callable[[Change], None]) -> Callable[[], None]:
        """Call with each verified step."""
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    @property
    def standing(self) -> Standing:
        """There is no source here."""
        return NOTHING_YET

    def on_standing(self, _listener: Callable[[Standing], None]) -> Callable[[], None]:
        """Nothing to tell."""
        return lambda: None

    def follow(self, records_a_second: float) -> None:
        """Take what lies ready, at an even pace."""
        began, first = time.monotonic(), self.state.height + 1
        seals = {each.height: each.seal for each in self._ready.seals(first)}
        for block in self._ready.blocks(first):
            wait = began + self.taken / records_a_second - time.monotonic()
            if wait > 0:
                time.sleep(wait)
            self._verifier.take(block.header, block.transactions, seals.get(block.height, b""))

    def _tell(self, change: Change) -> None:
        if change.block is not None:
            self.taken += len(change.block.touched)
        for listener in tuple(self._listeners):
            listener(change)

    def close(self) -> None:
        """Close its store."""
        self._store.close()


def follow_and_serve(pipe: Connection, plan: Following) -> None:
    """Serve a replica; says its address and processes, then follows at the pace it is told."""
    world = plan.world
    with HomeStore(
        world.folder / f"home-{RECOGNISER}.db", RECOGNISER, world.network_id, read_only=True
    ) as home:
        content = KeyringContent(world.network_id, RECOGNISER, home.lookup_keys(), {})
    files = plan.folder / "node.pem", plan.folder / "node.key"
    for file, data in zip(files, (world.node.certificate, world.node.key), strict=True):
        file.touch(0o600)
        file.write_bytes(data)
    serving = ReplicaServing(
        f"{HOST}:0",
        plan.folder / "ledger.db",
        plan.folder / "access",
        ShownFiles(*files),
        plan.processes,
        log_level="WARNING",
        cores=plan.cores,
    )
    with LedgerStore(plan.ready / "ledger.db", read_only=True) as ready:
        ledger = PacedLedger(plan.folder, ready, content)
        with serve_replica(ledger, serving) as server:
            pipe.send((server.address, server.processes.pids))
            _obey(pipe, ledger)
        ledger.close()


def _obey(pipe: Connection, ledger: PacedLedger) -> None:
    """A pace: follow, in a thread. Questions: how many records came; wait until all have come."""
    follower = threading.Thread(target=lambda: None)
    try:
        while True:
            message: Any = pipe.recv()
            if isinstance(message, str):
                if message == "wait" and follower.is_alive():
                    follower.join()
                pipe.send(ledger.taken)
            else:
                follower = threading.Thread(target=ledger.follow, args=(message,), daemon=True)
                follower.start()
    except EOFError:
        if follower.is_alive():
            follower.join()


def _follower(
    world: World, ready: Path, name: str, processes: int, cores: tuple[int, ...]
) -> Child:
    folder = world.folder.parent / f"{world.folder.name}-replica-{name}"
    copytree(world.folder, folder)
    plan = Following(world, folder, ready, processes, cores)
    return Child(CLIENT_CORE, follow_and_serve, plan)


# The client's process.


@dataclass(frozen=True, slots=True)
class Saturated:
    """Verdicts in a stretch of time, and what the client used of the processor meanwhile."""

    verdicts: int
    seconds: float
    client_seconds: float
    cores: int

    @property
    def rate(self) -> float:
        """Verdicts a second."""
        return self.verdicts / self.seconds

    @property
    def rate_aside(self) -> float:
        """What it would be if the client had not run on the servers' cores."""
        left = self.cores * self.seconds - self.client_seconds
        return self.verdicts * self.cores / left


def paced(address: str, world: World, seconds: float) -> Timed:
    """Single look-ups, each at its own instant, whether or not those before are answered."""
    channels = _channels(address, world, PACED_CALLERS)
    known = [question(number, world.traders).SerializeToString() for number in range(10_000)]
    for number, data in enumerate(known):
        method(channels[number % len(channels)], LOOKUP)(data)
    latencies: list[list[float]] = []
    failures: list[BaseException] = []
    numbers, step = count(), 1 / CALLS_A_SECOND
    began = time.perf_counter() + 0.1

    def run(channel: grpc.Channel) -> None:
        call, mine = method(channel, LOOKUP), []
        try:
            while (due := began + (number := next(numbers)) * step) < began + seconds:
                if (wait := due - time.perf_counter()) > 0:
                    time.sleep(wait)
                call(known[number % len(known)])
                mine.append((time.perf_counter() - due) * 1e3)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            failures.append(error)
        latencies.append(mine)

    _in_threads(run, channels)
    if failures:
        raise failures[0]
    every = [each for mine in latencies for each in mine]
    return Timed(len(every), time.perf_counter() - began, 0.0, every)


def saturate(address: str, world: World, effort: Effort) -> Saturated:
    """Batches over many connections, as fast as they are answered; all questions known."""
    channels = _channels(address, world, CHANNELS)
    batches = [
        BatchLookupRequest(
            requests=[question(at + number, world.traders) for number in range(BATCH)]
        ).SerializeToString()
        for at in range(0, min(effort.batches, 20) * BATCH, BATCH)
    ]

    def known(channel: grpc.Channel) -> None:
        for batch in batches:
            method(channel, BATCH_LOOKUP)(batch)

    _in_threads(known, channels)
    calls = count()
    until = time.perf_counter() + effort.seconds

    def run(channel: grpc.Channel) -> None:
        call = method(channel, BATCH_LOOKUP)
        while time.perf_counter() < until:
            call(batches[next(calls) % len(batches)])

    began, used = time.perf_counter(), time.process_time()
    _in_threads(run, channels)
    seconds, used = time.perf_counter() - began, time.process_time() - used
    cores = len(os.sched_getaffinity(0))
    return Saturated(next(calls) * BATCH, seconds, used, cores)


def _channels(address: str, world: World, number: int) -> Sequence[grpc.Channel]:
    engine = world.engine
    credentials = grpc.ssl_channel_credentials(world.authorities, engine.key, engine.certificate)
    options = [("grpc.max_receive_message_length", _MESSAGE_BYTES), _LOCAL]
    return [grpc.secure_channel(address, credentials, options) for _ in range(number)]


def _in_threads(run: Callable[[grpc.Channel], None], channels: Sequence[grpc.Channel]) -> None:
    threads = [threading.Thread(target=run, args=(channel,)) for channel in channels]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()


def _rounds(effort: Effort) -> range:
    return range(effort.rounds)
