"""Replicas that are killed with SIGKILL, at a named step or after a while.

A program that forks a replica for each line on its standard input, and answers each with a line:

    folder network-id address step occurrence       killed when it comes to the step so many times
    folder network-id address following milliseconds   killed so long after it began to follow

This process itself has no threads and opens nothing, so it may fork.
"""

import contextlib
import os
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from service.client.connection import Plaintext
from service.client.replica import NodeAddress
from service.logs import set_up_logs
from service.node.replica.replica import Replica, ReplicaSettings

LONGEST_S = 20.0


def settings_for(folder: Path, network_id: bytes, address: str) -> ReplicaSettings:
    node = NodeAddress(address, Plaintext("NZ", "replica", "test"))
    return ReplicaSettings(folder, network_id, "NZ", (node,), node)


def run_replica(settings: ReplicaSettings, step: str, occurrence: int, following: int) -> None:
    """Start a replica; it ends by SIGKILL."""
    seen: Counter[str] = Counter()

    def on_step(name: str) -> None:
        seen[name] += 1
        if name == step and seen[name] == occurrence:
            os.kill(os.getpid(), signal.SIGKILL)

    Replica.start(settings, on_step=on_step)
    os.write(following, b"!")
    time.sleep(LONGEST_S)


def main() -> None:
    set_up_logs("WARNING")  # on stderr: stdout is for the answers
    for line in sys.stdin:
        folder, network_id, address, step, number = line.split()
        ours, theirs = os.pipe()
        pid = os.fork()
        if pid == 0:
            with contextlib.suppress(BaseException):
                settings = settings_for(Path(folder), bytes.fromhex(network_id), address)
                run_replica(settings, step, int(number), theirs)
            os._exit(3)  # it should have been killed
        os.close(theirs)
        if step == "following":
            os.read(ours, 1)
            time.sleep(int(number) / 1000)
            os.kill(pid, signal.SIGKILL)
        os.close(ours)
        _, status = os.waitpid(pid, 0)
        killed = os.WIFSIGNALED(status) and os.WTERMSIG(status) == signal.SIGKILL
        print("killed" if killed else f"ended with {status}", flush=True)


if __name__ == "__main__":
    main()
