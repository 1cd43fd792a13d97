"""Nodes that are killed with SIGKILL while a member rotates its key and the others take it up.

A program that forks a node for each line on its standard input, "folder step occurrence", and
answers each with the signal that ended it. This process itself has no threads and opens nothing.
"""

import contextlib
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from ledger.chain.governance import WeightChange
from node.governing_world import HOUR, KeyedNetwork
from node.node_world import WAIT_S

VOTERS = ("HK", "KR", "NZ")


def run_node(folder: Path, step: str, occurrence: int) -> None:
    """Start a node, rotate NZ's key, vote for the set that takes it up; it ends by SIGKILL."""
    seen: Counter[str] = Counter()

    def on_step(name: str) -> None:
        seen[name] += 1
        if name == step and seen[name] == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    node = KeyedNetwork(folder, VOTERS).start(on_step)
    node.hosted["NZ"].governance.rotate(WAIT_S)
    closes = node.clock.now_ms() + HOUR
    made = node.hosted["HK"].governance.propose(WeightChange(()), closes, "x", WAIT_S)
    for economy in VOTERS:
        node.hosted[economy].governance.vote(made, in_favour=True, timeout=WAIT_S)
    time.sleep(WAIT_S)


def main() -> None:
    for line in sys.stdin:
        folder, step, number = line.split()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                run_node(Path(folder), step, int(number))
            os._exit(3)  # it should have been killed
        _, status = os.waitpid(pid, 0)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1, flush=True)


if __name__ == "__main__":
    main()
