"""A node on a machine that is not well: `python -m faults.bent CLOCK_MS SLOW_MS node run ...`.

Its clock is wrong by `CLOCK_MS`, and each write to its stores and its guard takes `SLOW_MS` longer.
Its CometBFT's clock is wrong by as much (`faults.skewed`).
"""

import sys
import time
from typing import Any

from faults import lying
from faults.skewed import VARIABLE, skewed_cometbft
from service import aeo
from service.clock import SystemClock
from service.engine.cometbft.install import PROGRAM_VARIABLE
from service.node.node import Node


def command(clock_ms: int = 0, slow_ms: int = 0) -> list[str]:
    """How such a node is run; for `MemberNode.start`."""
    return [sys.executable, "-m", "faults.bent", str(clock_ms), str(slow_ms), "node", "run"]


def environment(clock_ms: int) -> dict[str, str]:
    """And in which environment."""
    if not clock_ms:
        return lying.ENVIRONMENT
    skewed = {VARIABLE: str(clock_ms), PROGRAM_VARIABLE: str(skewed_cometbft())}
    return lying.ENVIRONMENT | skewed


class WrongClock(SystemClock):
    """The machine's clock, wrong by `offset_ms`."""

    offset_ms = 0

    def now_ms(self) -> int:
        return super().now_ms() + self.offset_ms


def main() -> None:
    """Take what is wrong from the command line, and be a node otherwise."""
    WrongClock.offset_ms, slow_ms = int(sys.argv.pop(1)), int(sys.argv.pop(1))
    start = Node.start

    def on_step(_: str) -> None:
        time.sleep(slow_ms / 1000)

    def bent(settings: Any) -> Node:
        return start(settings, WrongClock(), on_step=on_step)

    Node.start = bent
    aeo.main()


if __name__ == "__main__":
    main()
