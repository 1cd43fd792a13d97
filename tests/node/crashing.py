"""Nodes that are killed with SIGKILL: at a named step, or after a while, always under load.

A program that forks a node for each line on its standard input, and answers each with a line:

    folder run step occurrence         the node kills itself when it comes to the step so many times
    folder run starting milliseconds   the node is killed from outside, counted from the fork
    folder run loaded milliseconds     the same, counted from when it publishes

Each node publishes for both members from two threads, rows that follow from the run, and appends
"economy key rows" to `acknowledged` in its folder after each answer. This process itself has no
threads and opens nothing, so it may fork.
"""

import contextlib
import os
import signal
import sys
import threading
import time
from collections import Counter
from pathlib import Path

from ledger_world import bls_secret
from node.node_world import MEMBERS, request, row
from service.errors import ServiceError
from service.node.node import Node, NodeSettings

# Long enough for every step to come up several times.
LONGEST_S = 20.0


def rows_of(economy: str, run: int, count: int) -> list[object]:
    """The rows of one publication: 1 to 5 traders that no other publication has."""
    return [row(f"{economy}{run:03d}X{count:05d}Y{i}") for i in range(1 + count % 5)]


def publish(node: Node, economy: str, run: int, folder: Path, shared: bytes) -> None:
    """Publish until killed, noting what was acknowledged."""
    descriptor = os.open(folder / "acknowledged", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    publisher = node.hosted[economy].publisher
    with contextlib.suppress(ServiceError):
        for count in range(100_000):
            key, rows = f"{run}-{count}", rows_of(economy, run, count)
            publisher.publish(request(key, rows, shared), confirms=False)
            os.write(descriptor, f"{economy} {key} {len(rows)}\n".encode())


def run_node(folder: Path, run: int, step: str, occurrence: int, loaded: int) -> None:
    """Start a node and load it; it ends by SIGKILL."""
    seen: Counter[str] = Counter()

    def on_step(name: str) -> None:
        seen[name] += 1
        if name == step and seen[name] == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    settings = NodeSettings.in_folder(folder, {economy: bls_secret(economy) for economy in MEMBERS})
    node = Node.start(settings, on_step=on_step)
    (shared,) = node.state.own_arrangements(MEMBERS[0])
    for economy in MEMBERS:
        work = (node, economy, run, folder, shared)
        threading.Thread(target=publish, args=work, daemon=True).start()
    os.write(loaded, b"!")
    time.sleep(LONGEST_S)


def main() -> None:
    for line in sys.stdin:
        folder, run, step, number = line.split()
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                run_node(Path(folder), int(run), step, int(number), theirs)
            os._exit(3)  # it should have been killed
        os.close(theirs)
        if step == "loaded":
            os.read(ours, 1)
        if step in {"starting", "loaded"}:
            time.sleep(int(number) / 1000)
            os.kill(pid, signal.SIGKILL)
        _, status = os.waitpid(pid, 0)
        os.close(ours)
        print(os.WTERMSIG(status) if os.WIFSIGNALED(status) else -1, flush=True)


if __name__ == "__main__":
    main()
