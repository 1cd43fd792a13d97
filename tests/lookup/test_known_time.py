"""A clock that is behind makes nothing look fresh."""

from service.clock import OffsetClock
from service.node.lookup.known_time import TOLERANCE_MS, KnownTime

HEADER = 1_767_225_600_000
HOUR = 3_600_000


class Counted:
    """A right clock that runs when told."""

    def __init__(self) -> None:
        self.passed = 0

    def now_ms(self) -> int:
        return HEADER + self.passed

    def monotonic_ns(self) -> int:
        return self.passed * 1_000_000


def test_a_clock_that_may_be_right_is_believed() -> None:
    base = Counted()
    clock = OffsetClock(base)
    known = KnownTime(clock)
    for offset in (0, 3 * HOUR, 1, -TOLERANCE_MS):
        clock.offset_ms = offset
        assert known.now_ms(HEADER) == HEADER + offset


def test_what_was_counted_since_the_newest_header() -> None:
    base = Counted()
    clock = OffsetClock(base, -HOUR)
    known = KnownTime(clock)
    assert known.now_ms(HEADER) == HEADER
    base.passed = 10_000
    assert known.now_ms(HEADER) == HEADER + 10_000
    # Of an older header than what was counted to, and then of a newer one.
    assert known.now_ms(HEADER + 4_000) == HEADER + 10_000
    assert known.now_ms(HEADER + 11_000) == HEADER + 11_000
    base.passed = 15_000
    assert known.now_ms(HEADER + 11_000) == HEADER + 16_000
    assert known.behind_ms(HEADER + 11_000) == HOUR + 1_000
    clock.turn(HOUR)
    assert known.now_ms(HEADER + 11_000) == HEADER + 15_000
    assert known.behind_ms(HEADER + 11_000) == 1_000
