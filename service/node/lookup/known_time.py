"""What time it is at least, by the ledger: so that a clock that is behind makes nothing look fresh.

A header bears a time that has passed for more than half of those who sealed it. So it is later than
the newest header's time, and later by all that we have counted since we saw it, whatever the clock
says. A clock that is more than a minute behind that is wrong. Under CometBFT such a member gets no
block any more; with its own clock it would call its ledger fresh until the clock has caught up.

A clock that is ahead is believed: what it makes stale is too much, never too little.

>>> class Clock:
...     now, counted = 100_000, 0
...     def now_ms(self):
...         return self.now
...     def monotonic_ns(self):
...         return self.counted * 1_000_000
>>> clock = Clock()
>>> known = KnownTime(clock)
>>> known.now_ms(99_000), known.behind_ms(99_000)
(100000, 0)
>>> clock.now, clock.counted = 20_000, 5_000  # turned back, while five seconds passed
>>> known.behind_ms(99_000)
84000
"""

from typing import Final

import structlog

from service.clock import Clock

TOLERANCE_MS: Final = 60_000
"""As CometBFT's: whose clock is further behind takes no block of the others."""

_log = structlog.get_logger("aeo.clock")


class KnownTime:
    """Of one host. Any thread may ask."""

    __slots__ = ("_clock", "_seen", "_told")

    def __init__(self, clock: Clock, header_time: int = 0) -> None:
        self._clock = clock
        # A header's time, and when it was seen here; replaced whole.
        self._seen = (0, 0)
        self._told = False
        self._least(header_time)

    def now_ms(self, header_time: int) -> int:
        """Unix milliseconds: the clock's, unless it cannot be right; `header_time`: the newest."""
        now, least = self._clock.now_ms(), self._least(header_time)
        behind = least - now > TOLERANCE_MS
        if behind is not self._told:
            self._told = behind
            if behind:
                _log.error("the clock is behind the ledger: set it", milliseconds=least - now)
            else:
                _log.info("the clock is right again")
        return least if behind else now

    def behind_ms(self, header_time: int) -> int:
        """How far the clock is behind the ledger, at least; 0 for one that may be right."""
        return max(self._least(header_time) - self._clock.now_ms(), 0)

    def _least(self, header_time: int) -> int:
        counted = self._clock.monotonic_ns() // 1_000_000
        seen, since = self._seen
        least = seen + counted - since if seen else 0
        if header_time > least:
            self._seen, least = (header_time, counted), header_time
        return least
