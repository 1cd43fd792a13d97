"""Processes of the bench: each fresh, on one core, ended by itself or by its own parent.

    with Child(SERVER_CORE, serve_world, world) as server:      # serve_world(pipe, world)
        address = server.receive()
        rate = measured(CLIENT_CORE, ask, address)              # ask(address), its result
        server.send("stop")

Started anew (`spawn`), never forked: a gRPC server in a fork is broken, and a fresh process is what
a figure of memory means. The core is set before anything starts a thread, since threads inherit it.
"""

import multiprocessing
import os
from collections.abc import Callable
from multiprocessing.connection import Connection
from typing import Any, Final, Self, TypeVar

from service.logs import set_up_logs

T = TypeVar("T")

# As places in the list of cores that this process may use.
SERVER_CORE: Final = 0
CLIENT_CORE: Final = 1

# As the machine, or the container, was when this module was loaded: before anyone is pinned.
ALL_CORES: Final = tuple(sorted(os.sched_getaffinity(0)))

_PATIENCE_S: Final = 1_800.0
_STOP_S: Final = 120.0


class ChildFailed(RuntimeError):
    """A process of the bench ended without a result."""


class Child:
    """A process that runs `function(pipe, *arguments)`; use as a context manager.

    `core` is a place among the cores that we may use; None: wherever there is room.
    """

    def __init__(self, core: int | None, function: Callable[..., None], *arguments: Any) -> None:
        context = multiprocessing.get_context("spawn")
        self._pipe, theirs = context.Pipe()
        # Not a daemon: a node may have a process of its own for the state map.
        self._process = context.Process(
            target=_run, args=(core, theirs, function, arguments), name=function.__name__
        )
        self._process.start()
        theirs.close()

    @property
    def pid(self) -> int:
        """The process id."""
        assert self._process.pid is not None, "it was started"
        return self._process.pid

    def send(self, message: Any) -> None:
        """Tell the child something."""
        self._pipe.send(message)

    def receive(self, seconds: float = _PATIENCE_S) -> Any:
        """What the child says next; `ChildFailed` when it ends, or says nothing for so long."""
        try:
            if not self._pipe.poll(seconds):
                raise ChildFailed(f"{self._process.name} said nothing for {seconds:.0f} s")
            return self._pipe.recv()
        except EOFError:
            self._process.join(_STOP_S)
            code = self._process.exitcode
            raise ChildFailed(f"{self._process.name} ended with {code}; see stderr") from None

    def ask(self, message: Any) -> Any:
        """Send, then receive."""
        self.send(message)
        return self.receive()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        """Close the pipe, which ends a well-behaved child; end another by force."""
        self._pipe.close()
        self._process.join(_STOP_S)
        if self._process.is_alive():
            self._process.terminate()
            self._process.join(_STOP_S)
        if self._process.is_alive():
            self._process.kill()
            self._process.join()


def measured(core: int | None, function: Callable[..., T], *arguments: Any) -> T:
    """What `function(*arguments)` returns in a fresh process on one core."""
    with Child(core, _answer, function, arguments) as child:
        result: T = child.receive()
        return result


def wait_for_end(pipe: Connection) -> None:
    """Wait until the parent has closed the pipe, or is gone."""
    try:
        while True:
            pipe.recv()
    except EOFError:
        return


def move_children(place: int) -> None:
    """Put the processes that this one has started, each of one thread, on another core.

    They inherited ours, and there would only wait for us.
    """
    for child in multiprocessing.active_children():
        assert child.pid is not None, "it is active"
        os.sched_setaffinity(child.pid, {ALL_CORES[place % len(ALL_CORES)]})


def _answer(pipe: Connection, function: Callable[..., Any], arguments: tuple[Any, ...]) -> None:
    pipe.send(function(*arguments))


def _run(
    core: int | None,
    pipe: Connection,
    function: Callable[..., None],
    arguments: tuple[Any, ...],
) -> None:
    if core is not None:
        os.sched_setaffinity(0, {ALL_CORES[core % len(ALL_CORES)]})
    # stdout is for figures; what goes well is not worth a line.
    set_up_logs("WARNING")
    function(pipe, *arguments)
