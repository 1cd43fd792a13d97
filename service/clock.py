"""The clock is handed in, never imported, so that tests and the demonstration can turn it.

`now_ms` is civil time, Unix milliseconds, and may jump. `monotonic_ns` never goes back and has no
meaning but for differences: durations are measured with it.

>>> class Stopped:
...     def now_ms(self) -> int:
...         return 1_767_225_600_000
...     def monotonic_ns(self) -> int:
...         return 0
>>> clock = OffsetClock(Stopped(), offset_ms=2_000)
>>> clock.now_ms()
1767225602000
>>> clock.turn(-5_000)
>>> clock.now_ms(), clock.offset_ms
(1767225597000, -3000)
"""

import time
from typing import Protocol


class Clock(Protocol):
    """What the time is, and how long something took."""

    def now_ms(self) -> int:
        """Return Unix milliseconds."""

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some moment; only differences mean anything."""


class SystemClock:
    """The machine's own clock."""

    def now_ms(self) -> int:
        """Return Unix milliseconds."""
        return time.time_ns() // 1_000_000

    def monotonic_ns(self) -> int:
        """Return nanoseconds since some moment; only differences mean anything."""
        return time.monotonic_ns()


class OffsetClock:
    """Another clock, turned by `offset_ms`; durations stay those of the other clock."""

    __slots__ = ("_base", "offset_ms")

    def __init__(self, base: Clock, offset_ms: int = 0) -> None:
        self._base = base
        self.offset_ms = offset_ms

    def turn(self, by_ms: int) -> None:
        """Turn the clock forward, or back, by `by_ms` more."""
        self.offset_ms += by_ms

    def now_ms(self) -> int:
        """Return the other clock's Unix milliseconds plus the offset."""
        return self._base.now_ms() + self.offset_ms

    def monotonic_ns(self) -> int:
        """Return the other clock's nanoseconds, not turned."""
        return self._base.monotonic_ns()
