"""A node from its configuration: keys opened, stores checked, ports bound, until a signal comes."""

import signal
import threading
from typing import Final

import structlog

from service.api.configured import node_settings, serving_settings
from service.api.serving import serve
from service.cli.errors import NotRunning
from service.cli.output import say, show_json
from service.config import Config
from service.node.collector import settle_collector
from service.node.node import Node

# How often the main thread looks whether the writer has failed, in seconds.
_WATCH_SECONDS: Final = 1.0

_log = structlog.get_logger("aeo.node")


def run_node(config: Config, *, as_json: bool) -> None:
    """Run a node until SIGTERM or SIGINT; `NotRunning` where it can no longer write."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Node.start(node_settings(config)) as running:
        settle_collector()
        with serve(running, serving_settings(config, running)) as server:
            addresses = {
                "network_id": running.network_id.hex(),
                "members": sorted(running.hosted),
                "address": server.address,
                "health": server.health_address,
                "metrics": server.metrics_address,
            }
            if as_json:
                show_json(addresses, line=True)
            else:
                say(f"Network {running.genesis.network_name} ({addresses['network_id']})")
                say(f"Members {', '.join(running.hosted)}, answering at {server.address}")
                say(f"Health at {server.health_address or 'no address'}")
                say(f"Metrics at {server.metrics_address or 'no address'}")
            while not stop.wait(_WATCH_SECONDS) and running.failure is None:
                pass
            _log.info("stopping", height=running.state.height)
            server.stop(config.limits.grace_seconds)
        failure = running.failure
    if failure is not None:
        raise NotRunning(f"the node stopped because it could no longer write: {failure}")
