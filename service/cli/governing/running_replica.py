"""A replica from its configuration: its folder checked, a source followed, until a signal comes."""

import signal
import threading
from typing import Final

import structlog

from service.cli.errors import NotRunning
from service.cli.output import say, show_json
from service.node.collector import settle_collector
from service.node.replica.config import ReplicaConfig, replica_settings
from service.node.replica.replica import Replica

# How often the main thread looks whether following has failed, in seconds.
_WATCH_SECONDS: Final = 1.0

_log = structlog.get_logger("aeo.replica")


def run_replica(config: ReplicaConfig, *, as_json: bool) -> None:
    """Run a replica until SIGTERM or SIGINT; `NotRunning` where it can no longer follow."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Replica.start(replica_settings(config)) as running:
        settle_collector()
        told = {
            "network_id": running.network_id.hex(),
            "economy": config.economy,
            "height": running.state.height,
            "sources": [source.address for source in running.sources],
        }
        if as_json:
            show_json(told, line=True)
        else:
            say(f"Network {running.genesis.network_name} ({told['network_id']})")
            say(f"Replica of {config.economy}, verified up to height {told['height']}")
            say(f"Following {', '.join(source.address for source in running.sources)}")
        while not stop.wait(_WATCH_SECONDS) and running.failure is None:
            pass
        _log.info("stopping", height=running.state.height)
        failure = running.failure
    if failure is not None:
        raise NotRunning(f"the replica stopped because it could no longer follow: {failure}")
