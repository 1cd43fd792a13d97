"""Rounds of short work, timed so that a neighbour's noise shows as spread and not as a figure."""

import gc
from collections.abc import Callable, Sequence
from time import perf_counter
from typing import Any


def microseconds_each(
    work: Callable[[Any], object], items: Sequence[Any], rounds: int
) -> list[float]:
    """Mean microseconds of `work(item)` over all items, once for each round."""
    times = []
    for _ in range(rounds):
        gc.collect()
        started = perf_counter()
        for item in items:
            work(item)
        times.append((perf_counter() - started) * 1e6 / len(items))
    return times
