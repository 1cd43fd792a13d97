"""Serving processes: started, fed, watched, started again. The follower's side.

    follower  --- transfer, deltas, seals, keys -->  serving process 1 ... n   (one port, shared)
              <-- proofs that are asked for -----

The follower verifies blocks, which takes most of a core where they come fast; look-ups beside it
would wait for it. So they are answered by processes of their own, each with a view
(`service.node.replica.view`): what it costs them is to put a block's changes into place, a fraction
of a millisecond. Measured at 1,000 calls a second, the slowest hundredth then waits 2 to 3 ms
instead of 11 to 60.

Each process has two pipes. On the first it is told, one message after the other, what has become
of the ledger; its first word back is where it serves. On the second it asks for proofs of the
state map, by height and key; the follower keeps the newest `STATES_KEPT` states for that. A
process that ends is started again, after a while that doubles while it does not even come up; one
that does not read for too long is ended first. When the follower ends, however, the pipes end, and
with them the processes.

They are started anew (`spawn`), never forked: a gRPC client in a fork is broken.
"""

import multiprocessing
import threading
from collections import OrderedDict
from collections.abc import Callable
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from multiprocessing.connection import Connection
from queue import SimpleQueue
from time import monotonic
from typing import Any, Final, Protocol, Self

import structlog

from ledger.state.state import State
from service.errors import Failed
from service.node.lookup.host import SealView
from service.node.replica.delta import Stop, delta_of, format_message, parse_message, transfer
from service.node.replica.keyring_file import KeyringContent
from service.node.replica.standing import Standing
from service.node.replica.verifier import Change

STATES_KEPT: Final = 64
"""States of which proofs can be asked: a view is one or two behind. A busy block is 5 MB of map."""
WAITING_LIMIT: Final = 4_096
"""Messages that wait for a process that does not read; then it is ended and started anew."""
FIRST_PAUSE: Final = 0.5
LONGEST_PAUSE: Final = 30.0
"""Seconds before a process that has ended is started again, doubling while it does not come up."""
STOP_SECONDS: Final = 20.0
"""For a process to finish what it has accepted."""

_log = structlog.get_logger("aeo.replica")


class NotServing(Failed):
    """A serving process did not come up."""


@dataclass(frozen=True, slots=True)
class Ready:
    """A serving process answers."""

    address: str


class HandedKeys(Protocol):
    """Lookup keys that may change."""

    @property
    def content(self) -> KeyringContent | None:
        """As they are now."""

    def listen(self, listener: Callable[[], None], /) -> None:
        """Call `listener` whenever they have changed."""


class Followed(Protocol):
    """What is verified here: a replica."""

    @property
    def state(self) -> State:
        """Everything verified so far."""

    @property
    def newest_seal(self) -> SealView | None:
        """The newest seal that is at least attested."""

    @property
    def keyring(self) -> HandedKeys:
        """The own administration's lookup keys."""

    @property
    def standing(self) -> Standing:
        """How it stands with its sources."""

    def on_block(self, listener: Callable[[Change], None], /) -> Callable[[], None]:
        """Call `listener` with each verified step; returns how to end it."""

    def on_standing(self, listener: Callable[[Standing], None], /) -> Callable[[], None]:
        """Call `listener` whenever `standing` has changed; returns how to end it."""


class _HandOver:
    """What stands in a queue where the whole state is to be handed over."""


# Runs in the serving process: what it is told, what it asks, and what it was given to serve by.
Serve = Callable[[Connection, Connection, Any], None]


class ServingProcesses:
    """So many processes that run `serve(told, proofs, plans[i])`. A context manager."""

    def __init__(self, followed: Followed, serve: Serve, plans: list[Any]) -> None:
        self._followed = followed
        self._states: OrderedDict[int, State] = OrderedDict()
        self._lock = threading.Lock()
        self._stopping = threading.Event()
        self._children = [_Child(self, serve, plan, number) for number, plan in enumerate(plans)]
        self._end_listening = ExitStack()
        # Of the newest state that was told.
        self._height = followed.state.height

    def start(self, seconds: float) -> list[str]:
        """Start all, and wait until they answer; their addresses. Raises `NotServing`."""
        followed = self._followed
        self._end_listening.callback(followed.on_block(self._take))
        self._end_listening.callback(followed.on_standing(self._pass_on_standing))
        followed.keyring.listen(self._pass_on_keys)
        for child in self._children:
            child.start()
        until = monotonic() + seconds
        for child in self._children:
            if not child.wait_ready(max(0.0, until - monotonic())):
                self.stop()
                raise NotServing(f"serving process {child.number} is not ready in {seconds:.0f} s")
        return [child.address for child in self._children]

    def stop(self) -> None:
        """Let them finish what they have accepted, and end. Idempotent."""
        self._stopping.set()
        self._end_listening.close()
        for child in self._children:
            child.stop()
        for child in self._children:
            child.join()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()

    @property
    def pids(self) -> list[int]:
        """Of the processes that run."""
        return [child.pid for child in self._children if child.pid]

    @property
    def ready(self) -> int:
        """How many answer."""
        return sum(child.ready for child in self._children)

    @property
    def restarts(self) -> int:
        """How often one was started again."""
        return sum(child.restarts for child in self._children)

    @property
    def stopping(self) -> threading.Event:
        """Set once they are to end."""
        return self._stopping

    def beginning(self) -> tuple[State, list[bytes]]:
        """The state that a transfer is to be of, and what else a process is told at first."""
        followed = self._followed
        state, content, seal = followed.state, followed.keyring.content, followed.newest_seal
        self._keep(state)
        first = (content, seal, followed.standing)
        return state, [format_message(each) for each in first if each is not None]

    def prove(self, height: int, key: bytes) -> bytes:
        """The map proof of a key at a height; empty where that state is no longer kept."""
        with self._lock:
            state = self._states.get(height)
        return b"" if state is None else state.prove(key)

    def _keep(self, state: State) -> None:
        with self._lock:
            self._states[state.height] = state
            while len(self._states) > STATES_KEPT:
                self._states.popitem(last=False)

    def _take(self, change: Change) -> None:
        """Pass a verified step on. On the follower's thread."""
        if change.block is not None:
            self._keep(change.state)
            self._put(format_message(delta_of(change.block)))
        elif change.state.height > self._height:
            # A snapshot was taken up: no delta leads there, so all of it is handed over anew.
            self._keep(change.state)
            for child in self._children:
                child.hand_over()
        self._height = change.state.height
        newest = self._followed.newest_seal
        if change.seal is not None and newest is not None:
            self._put(format_message(newest))

    def _pass_on_keys(self) -> None:
        content = self._followed.keyring.content
        if content is not None:
            self._put(format_message(content))

    def _pass_on_standing(self, standing: Standing) -> None:
        self._put(format_message(standing))

    def _put(self, message: bytes) -> None:
        for child in self._children:
            child.put(message)


class _Child:
    """One serving process: whatever of it runs is its `_run`'s to start and end."""

    def __init__(self, all_: ServingProcesses, serve: Serve, plan: Any, number: int) -> None:
        self.number = number
        self.address = ""
        self.restarts = 0
        self._all = all_
        self._serve = serve
        self._plan = plan
        self._ready = threading.Event()
        self._process: Any = None
        self._told: Connection | None = None
        # None ends the process that reads; a new queue with each process.
        self._queue: SimpleQueue[bytes | _HandOver | None] = SimpleQueue()
        self._thread = threading.Thread(target=self._run, name=f"aeo-serving-{number}", daemon=True)

    @property
    def pid(self) -> int:
        """The process's id; 0 while there is none."""
        process = self._process
        return 0 if process is None or process.pid is None else process.pid

    @property
    def ready(self) -> bool:
        """Whether it answers."""
        return self._ready.is_set()

    def start(self) -> None:
        """Start the process, and keep it running."""
        self._thread.start()

    def wait_ready(self, seconds: float) -> bool:
        """Wait until it answers."""
        return self._ready.wait(seconds)

    def put(self, message: bytes) -> None:
        """Tell it something, after everything it was told before."""
        self._queue.put(message)
        if self._queue.qsize() > WAITING_LIMIT and self._process is not None:
            _log.error("a serving process does not read and is ended", number=self.number)
            self._process.kill()

    def hand_over(self) -> None:
        """Let it have the whole state, after everything it was told before."""
        self._queue.put(_HandOver())

    def stop(self) -> None:
        """Let it end."""
        self._queue.put(None)

    def join(self) -> None:
        """Wait for the end."""
        if self._thread.is_alive():
            self._thread.join(STOP_SECONDS + 5)

    def _run(self) -> None:
        stopping, pause = self._all.stopping, FIRST_PAUSE
        while not stopping.is_set():
            came_up = self._run_once()
            self._ready.clear()
            if stopping.is_set():
                return
            pause = FIRST_PAUSE if came_up else min(2 * pause, LONGEST_PAUSE)
            _log.error(
                "a serving process has ended and is started again",
                number=self.number,
                code=None if self._process is None else self._process.exitcode,
                after_seconds=pause,
            )
            if stopping.wait(pause):
                return
            self.restarts += 1

    def _run_once(self) -> bool:
        """Start it, feed it until it ends; whether it ever answered."""
        context = multiprocessing.get_context("spawn")
        told, theirs = context.Pipe()
        proofs, their_proofs = context.Pipe()
        # From here on everything that is verified waits for it; the transfer covers what was.
        self._queue = SimpleQueue()
        self._process = context.Process(
            target=self._serve,
            args=(theirs, their_proofs, self._plan),
            name=f"aeo-serving-{self.number}",
        )
        self._process.start()
        theirs.close()
        their_proofs.close()
        helpers = [
            threading.Thread(target=self._prove, args=(proofs,), daemon=True),
            threading.Thread(target=self._hear, args=(told,), daemon=True),
        ]
        for helper in helpers:
            helper.start()
        with suppress(OSError, EOFError):  # it has ended, and is started again
            self._feed(told, self._queue)
            # Said, not shown by closing: a pipe stays open as long as a thread reads from it.
            told.send_bytes(format_message(Stop()))
        self._process.join(STOP_SECONDS)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()
        for helper in helpers:
            helper.join()
        told.close()
        proofs.close()
        return self._ready.is_set()

    def _feed(self, told: Connection, queue: "SimpleQueue[bytes | _HandOver | None]") -> None:
        """The whole state, then whatever comes, until it is to end or is gone."""
        self._feed_all(told)
        while (message := queue.get()) is not None:
            if isinstance(message, _HandOver):
                self._feed_all(told)
            else:
                told.send_bytes(message)

    def _feed_all(self, told: Connection) -> None:
        state, first = self._all.beginning()
        for each in first:
            told.send_bytes(each)
        for part in transfer(state):
            told.send_bytes(format_message(part))

    def _hear(self, told: Connection) -> None:
        """Its words back: that it is ready; its end, which wakes whoever feeds it."""
        try:
            while True:
                said = parse_message(told.recv_bytes())
                if isinstance(said, Ready):
                    self.address = said.address
                    self._ready.set()
        except (OSError, EOFError):
            self._queue.put(None)

    def _prove(self, proofs: Connection) -> None:
        """Answer its questions for proofs."""
        try:
            while True:
                asked = proofs.recv_bytes()
                proofs.send_bytes(self._all.prove(int.from_bytes(asked[:8]), asked[8:]))
        except (OSError, EOFError):
            return
