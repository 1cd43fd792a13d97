"""A node's start: from a new process to a node that would answer, and the memory it then holds."""

import gc
import time
from multiprocessing.connection import Connection

from service.bench.figures import AtMost, Figure
from service.bench.machine import peak_mb, resident_mb
from service.bench.process import SERVER_CORE, Child
from service.bench.world import World
from service.node.node import Node

_MILLION = 1_000_000


def start_figures(world: World) -> list[Figure]:
    """Figures of one start; the bounds are those for 1,000,000 records."""
    started = time.monotonic()
    with Child(SERVER_CORE, start_node, world) as child:
        in_node, resident, peak = child.receive()
        seconds = time.monotonic() - started
    size = f"node start at {world.records:,} records"
    # A little more than a million is the harder case; far more or fewer is another question.
    bound = _MILLION <= world.records < 1.1 * _MILLION
    name = f"start.{world.records}"
    return [
        Figure(
            f"{name}.seconds",
            f"{size}",
            seconds,
            "s",
            AtMost(15) if bound else None,
            f"from the new process on; {in_node:.1f} s of it in Node.start",
        ),
        Figure(
            f"{name}.memory",
            f"{size}: memory",
            resident,
            "MB",
            AtMost(600) if bound else None,
            f"resident once started; {peak:.0f} at the peak",
        ),
    ]


def start_node(pipe: Connection, world: World) -> None:
    """Start, tell (seconds, MB, MB at the peak), stop."""
    began = time.monotonic()
    with Node.start(world.settings()):
        gc.freeze()
        pipe.send((time.monotonic() - began, resident_mb(), peak_mb()))
