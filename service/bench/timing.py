"""Rounds of short work that waits for nothing, in processor time of its thread.

On a machine that is otherwise idle that is the time that passes; where other programs want the
same core, waiting for them is not our work's length. Whatever waits, for the disk, the network or
another process, is timed by the clock instead.
"""

import gc
from collections.abc import Callable, Sequence
from time import thread_time
from typing import Any


def microseconds_each(
    work: Callable[[Any], object], items: Sequence[Any], rounds: int
) -> list[float]:
    """Mean processor time of `work(item)` over all items, once for each round."""
    times = []
    for _ in range(rounds):
        gc.collect()
        started = thread_time()
        for item in items:
            work(item)
        times.append((thread_time() - started) * 1e6 / len(items))
    return times
