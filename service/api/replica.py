"""A replica on its port: so many processes that answer `StatusService`, and health beside them.

    with Replica.start(settings) as replica, serve_replica(replica, serving) as server:
        print(server.address)

All processes share the port (SO_REUSEPORT): the kernel gives each new connection to one of them. A
client that wants the work of all opens several connections. Only `StatusService` is served; who
asks for anything else is told that there is no such method.

Health is the follower's: ready once every process answers, not ready when none does. The service
`FOLLOWING` is by itself: it is not serving while nothing can be followed for errors of this program
(`Standing.stuck`), though look-ups are answered, until the staleness limit. Metrics are each
process's own, on the ports that follow the one named; how it stands with its sources each shows.
"""

import os
import socket
from contextlib import ExitStack
from dataclasses import dataclass, field, replace
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Final, Self

from service.api.authorities import LedgerAuthorities
from service.api.gauges import HeadGauges
from service.api.health import HealthServer
from service.api.ledger import SERVICE as LEDGER
from service.api.listener import Limits, Listener, ListenError, MutualTls, Pair, PlaintextLoopback
from service.api.metrics import Metrics, MetricsServer
from service.api.replica_gauges import SourceGauges
from service.api.replica_ledger import ledger_methods
from service.api.status import SERVICE as STATUS
from service.api.status import StatusServicer
from service.keys.renewal import RenewedCertificate
from service.logs import set_up_logs
from service.node.collector import settle_collector
from service.node.lookup.desk import REMEMBERED
from service.node.replica.delta import format_message
from service.node.replica.serving import Followed, Ready, ServingProcesses
from service.node.replica.standing import Standing
from service.node.replica.viewing import ViewFolder, Viewing

GRACE_SECONDS: Final = 5.0
"""Look-ups take milliseconds; streams end at once."""
FOLLOWING: Final = "following"
"""The name that health knows it by."""
START_SECONDS: Final = 300.0
"""For all processes to come up; ten million records take a minute."""


@dataclass(frozen=True, slots=True)
class ShownFiles:
    """A certificate and its key in files; renewed, they are taken up without a restart."""

    certificate: Path
    key: Path
    passphrase: str | None = field(default=None, repr=False)


@dataclass(frozen=True, slots=True)
class ReplicaServing:
    """How a replica answers. Addresses are `host:port`; an empty `health` or `metrics`: none.

    `security` None is plaintext, on loopback alone. `remembered` bounds what each process keeps.
    `cores`: those that processes are kept to, one each, in turn; none: wherever there is room.
    """

    listen: str
    ledger: Path
    access_logs: Path
    security: ShownFiles | None
    processes: int = 1
    health: str = ""
    metrics: str = ""
    limits: Limits = field(default_factory=Limits)
    log_level: str = "INFO"
    remembered: int = REMEMBERED
    cores: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class _Plan:
    """What one process is told."""

    serving: ReplicaServing
    number: int
    folder: ViewFolder
    metrics: str


class ReplicaServer:
    """A replica that answers. Made by `serve_replica`; a context manager."""

    def __init__(self, followed: Followed, serving: ReplicaServing) -> None:
        self._health: HealthServer | None = None
        with ExitStack() as opening:
            # Held, not listened on: nobody else may take the port while a process is started anew.
            reserved = opening.enter_context(_reserve(serving.listen))
            port = reserved.getsockname()[1]
            self.address = f"{serving.listen.rpartition(':')[0]}:{port}"
            serving.access_logs.mkdir(mode=0o700, parents=True, exist_ok=True)
            if serving.health:
                self._health = HealthServer(serving.health)
                opening.callback(self._health.stop)
                host = serving.health.rpartition(":")[0]
                self.health_address = f"{host}:{self._health.port}"
            plans = [_plan(serving, self.address, number) for number in range(serving.processes)]
            self.processes = opening.enter_context(
                ServingProcesses(followed, serve_view, list(plans))
            )
            self.processes.start(START_SECONDS)
            if self._health is not None:
                self._health.ready(STATUS)
                opening.callback(followed.on_standing(self._show_standing))
                self._show_standing(followed.standing)
            self._stack = opening.pop_all()

    def stop(self) -> None:
        """Take no more, finish what was accepted, end the processes. Idempotent."""
        if self._health is not None:
            self._health.not_ready()
        self._stack.close()

    def _show_standing(self, standing: Standing) -> None:
        if self._health is not None:
            self._health.show(FOLLOWING, well=not standing.stuck)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve_replica(followed: Followed, serving: ReplicaServing) -> ReplicaServer:
    """Answer from what is followed. Raises `ListenError`, `NotServing` and errors of the files."""
    return ReplicaServer(followed, serving)


def serve_view(told: Connection, proofs: Connection, plan: _Plan) -> None:
    """One serving process, from its first message to the end of its pipe."""
    serving = plan.serving
    if serving.cores:
        # Before anything starts a thread, since threads inherit it.
        os.sched_setaffinity(0, {serving.cores[plan.number % len(serving.cores)]})
    set_up_logs(serving.log_level)
    with Viewing.begin(told, proofs, plan.folder) as host:
        metrics = Metrics()
        metrics.registry.register(HeadGauges(host))
        metrics.registry.register(SourceGauges(host))
        metrics.watch_access_logs(
            {economy: member.access_log for economy, member in host.hosted.items()}
        )
        listener = Listener(
            serving.listen,
            _security(host, serving.security),
            metrics,
            serving.limits,
            share_port=True,
        )
        listener.register(STATUS, StatusServicer(host, serving.remembered).methods())
        listener.register(LEDGER, ledger_methods(host))
        shown = None
        if plan.metrics:
            name, _, port = plan.metrics.rpartition(":")
            shown = MetricsServer(name.strip("[]"), int(port), metrics)
        settle_collector()
        listener.start()
        told.send_bytes(format_message(Ready(serving.listen)))
        try:
            host.follow()
        finally:
            listener.stop(GRACE_SECONDS)
            if shown is not None:
                shown.stop()


def _security(host: Viewing, shown: ShownFiles | None) -> MutualTls | PlaintextLoopback:
    if shown is None:
        return PlaintextLoopback()
    files = RenewedCertificate(shown.certificate, shown.key, shown.passphrase)

    def pairs() -> tuple[Pair, ...]:
        now = files.current()
        return ((now.key, now.certificate),)

    own = files.current()
    authorities = LedgerAuthorities(lambda: host.state, host.hosted)
    return MutualTls(own.key, own.certificate, authorities, renewed=pairs)


def _plan(serving: ReplicaServing, address: str, number: int) -> _Plan:
    folder = ViewFolder(serving.ledger, serving.access_logs / f"access-{number}.db")
    metrics = ""
    if serving.metrics:
        host, _, port = serving.metrics.rpartition(":")
        metrics = f"{host}:{int(port) + number}" if int(port) else f"{host}:0"
    return _Plan(replace(serving, listen=address), number, folder, metrics)


def _reserve(address: str) -> socket.socket:
    """The port bound with SO_REUSEPORT, and not listened on."""
    host, _, port = address.rpartition(":")
    try:
        family, kind, protocol, _, found = socket.getaddrinfo(
            host.strip("[]"), int(port), type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE
        )[0]
        reserved = socket.socket(family, kind, protocol)
        try:
            reserved.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
            reserved.bind(found)
        except OSError:
            reserved.close()
            raise
    except OSError as error:
        raise ListenError(f"cannot listen on {address}: {error.strerror}") from None
    return reserved
