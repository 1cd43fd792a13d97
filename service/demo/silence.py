"""An issuer that falls silent: its statuses turn stale, and nobody else's do.

It is played on a copy of the data folder, thrown away afterwards, while the
network's own node is stopped. The clock of the copy runs three
hours ahead, and the keys of the silent member are not there: so the node publishes everyone's
heartbeat but its. The copy's seals never meet the real network's.
"""

import shutil
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from time import monotonic, sleep
from typing import Final

from service.api.configured import node_settings, serving_settings
from service.api.serving import serve
from service.clock import OffsetClock, SystemClock
from service.config import load_config
from service.errors import Failed
from service.node.node import Node

AHEAD_MS: Final = 3 * 3_600_000
_HEARTBEAT_SECONDS: Final = 20.0


@contextmanager
def silent_copy(folder: Path, silent: str) -> Iterator[str]:
    """A node on a copy of the network's folder, ahead of time and without `silent`; its address."""
    with tempfile.TemporaryDirectory(prefix="aeo-demo-") as made:
        copy = Path(made) / "copy"
        shutil.copytree(folder, copy)
        config = load_config(copy / "node.toml")
        others = tuple(member for member in config.member if member.economy != silent)
        listen = config.listen.model_copy(update={"grpc": "127.0.0.1:0"})
        config = config.model_copy(update={"member": others, "listen": listen})
        clock = OffsetClock(SystemClock(), AHEAD_MS)
        with Node.start(node_settings(config), clock) as node:
            _await_heartbeats(node, clock.now_ms() - AHEAD_MS // 2, silent)
            with serve(node, serving_settings(config, node)) as server:
                yield server.address


def _await_heartbeats(node: Node, since: int, silent: str) -> None:
    """Wait until every member but the silent one has spoken, and the newest header has its seal."""
    until = monotonic() + _HEARTBEAT_SECONDS
    others = [member.economy for member in node.state.members() if member.economy != silent]
    while monotonic() < until:
        state, seal = node.state, node.newest_seal
        spoke = all((state.author_seen(each, state.height) or 0) >= since for each in others)
        if spoke and seal is not None and seal.height == state.height:
            return
        sleep(0.05)
    raise Failed("the members of the copy did not publish their heartbeats in time")
