"""A replica from its configuration: its folder checked, a source followed, look-ups answered.

It begins to answer when it has what its source had, so that nobody is told *stale* by a replica
that only has not read yet; with no source to be reached, at once, from what it has. Without the
lookup keys it answers nobody: what it would say is always that it has no key.
"""

import signal
import threading
from contextlib import ExitStack
from typing import Final

import structlog

from service.api.listener import Limits
from service.api.replica import ReplicaServing, ShownFiles, serve_replica
from service.cli.errors import NotRunning
from service.cli.output import say, show_json
from service.keys.key_file import read_passphrase
from service.node.collector import settle_collector
from service.node.replica.config import ReplicaConfig, replica_settings
from service.node.replica.replica import LEDGER_FILE, Replica

# How often the main thread looks whether following has failed, in seconds.
_WATCH_SECONDS: Final = 1.0
_CATCHING_UP_SECONDS: Final = 0.1
_ACCESS_LOGS: Final = "access"

_log = structlog.get_logger("aeo.replica")


def run_replica(config: ReplicaConfig, *, as_json: bool) -> None:
    """Run a replica until SIGTERM or SIGINT; `NotRunning` where it can no longer follow."""
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    with Replica.start(replica_settings(config)) as running, ExitStack() as serving:
        settle_collector()
        while not stop.wait(_CATCHING_UP_SECONDS) and running.failure is None:
            if running.caught_up and running.keyring.content is not None:
                server = serving.enter_context(serve_replica(running, _serving(config)))
                _tell(config, running, server.address, as_json=as_json)
                break
        while not stop.wait(_WATCH_SECONDS) and running.failure is None:
            pass
        _log.info("stopping", height=running.state.height)
        failure = running.failure
    if failure is not None:
        raise NotRunning(f"the replica stopped because it could no longer follow: {failure}")


def _serving(config: ReplicaConfig) -> ReplicaServing:
    tls, limits = config.tls, config.limits
    shown = None
    if not tls.plaintext_loopback:
        assert tls.certificate is not None, "the configuration says so"
        assert tls.key is not None, "the configuration says so"
        passphrase = read_passphrase(tls.passphrase_file) if tls.passphrase_file else None
        shown = ShownFiles(tls.certificate, tls.key, passphrase)
    return ReplicaServing(
        listen=config.listen.grpc,
        ledger=config.data / LEDGER_FILE,
        access_logs=config.data / _ACCESS_LOGS,
        security=shown,
        processes=config.processes,
        health=config.listen.health,
        metrics=config.listen.metrics,
        limits=Limits(
            request_bytes=limits.request_bytes,
            response_bytes=limits.response_bytes,
            in_flight=limits.in_flight,
            streams=limits.streams,
            quick_threads=limits.quick_threads,
            waiting_threads=limits.waiting_threads,
            retry_ms=limits.retry_ms,
            log_every=config.log.every,
        ),
        log_level=config.log.level,
    )


def _tell(config: ReplicaConfig, running: Replica, address: str, *, as_json: bool) -> None:
    told = {
        "network_id": running.network_id.hex(),
        "economy": config.economy,
        "height": running.state.height,
        "address": address,
        "processes": config.processes,
        "sources": [source.address for source in running.sources],
    }
    if as_json:
        show_json(told, line=True)
        return
    say(f"Network {running.genesis.network_name} ({told['network_id']})")
    say(f"Replica of {config.economy}, verified up to height {told['height']}")
    say(f"Following {', '.join(source.address for source in running.sources)}")
    say(f"{config.processes} processes answer at {address}")
