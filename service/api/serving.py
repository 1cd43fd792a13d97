"""A node on its ports: the listener with every servicer, health, metrics; started, stopped as one.

    node = Node.start(settings)
    with serve(node, ServingSettings("0.0.0.0:7443", tls)) as server:
        print(server.address)
        ...
    node.stop()

Stopping goes from the outside in: health says *not serving*, so that no balancer sends more; the
listener finishes what it accepted; then the ports close. The node is the caller's to stop, after.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final, Self

from service.api.access_log import SERVICE as ACCESS_LOG
from service.api.access_log import AccessLogServicer
from service.api.approvals import SERVICE as APPROVALS
from service.api.approvals import ApprovalServicer
from service.api.arrangements import SERVICE as ARRANGEMENTS
from service.api.arrangements import ArrangementServicer
from service.api.authorities import LedgerAuthorities
from service.api.caller import Authorities
from service.api.consents import SERVICE as CONSENTS
from service.api.consents import ConsentServicer
from service.api.engine_gauges import watch_engine
from service.api.four_eyes import ApprovalDesk
from service.api.gauges import watch_node
from service.api.health import HealthServer
from service.api.ledger import SERVICE as LEDGER
from service.api.ledger import LedgerServicer
from service.api.listener import Limits, Listener, MutualTls, PlaintextLoopback
from service.api.membership import SERVICE as MEMBERSHIP
from service.api.membership import MembershipServicer
from service.api.metrics import Metrics, MetricsServer
from service.api.profiles import SERVICE as PROFILES
from service.api.profiles import ProfileServicer
from service.api.publishing import SERVICE as PUBLISHING
from service.api.publishing import PublishingServicer
from service.api.replica_service import SERVICE as REPLICA
from service.api.replica_service import ReplicaServicer
from service.api.reporting import SERVICE as REPORTING
from service.api.reporting import ReportingServicer
from service.api.snapshots import SnapshotCalls
from service.api.status import SERVICE as STATUS
from service.api.status import StatusServicer
from service.keys.renewal import RenewedCertificate
from service.node.node import Node

GRACE_SECONDS: Final = 10.0
"""A durable publication takes a quarter of a second at worst; Kubernetes kills after 30."""


@dataclass(frozen=True, slots=True)
class ServingSettings:
    """Addresses are `host:port`, port 0 for any that is free; empty `health` or `metrics`: none.

    `certificates` are those whose end is shown, by economy.
    """

    listen: str
    security: MutualTls | PlaintextLoopback
    health: str = ""
    metrics: str = ""
    limits: Limits = field(default_factory=Limits)
    certificates: Mapping[str, RenewedCertificate] = field(default_factory=dict)


class Server:
    """A node that answers. Made by `serve`."""

    def __init__(
        self, node: Node, listener: Listener, settings: ServingSettings, metrics: Metrics
    ) -> None:
        self.node = node
        self._listener = listener
        self._health: HealthServer | None = None
        self._metrics: MetricsServer | None = None
        self.address = ""
        self.health_address = ""
        self.metrics_address = ""
        try:
            if settings.metrics:
                host, port = _split(settings.metrics)
                self._metrics = MetricsServer(host, port, metrics)
                self.metrics_address = f"{host}:{self._metrics.port}"
            if settings.health:
                self._health = HealthServer(settings.health)
                self.health_address = _with_port(settings.health, self._health.port)
            self.address = _with_port(settings.listen, listener.start())
        except BaseException:
            self.stop(0.0)
            raise
        if self._health is not None:
            self._health.ready(*listener.services)

    def stop(self, grace_seconds: float = GRACE_SECONDS) -> bool:
        """Take no more, finish what was accepted, close the ports; False if calls were cut off."""
        if self._health is not None:
            self._health.not_ready()
        finished = self._listener.stop(grace_seconds)
        if self._metrics is not None:
            self._metrics.stop()
        if self._health is not None:
            self._health.stop()
        self._health = self._metrics = None
        return finished

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def serve(node: Node, settings: ServingSettings) -> Server:
    """Answer calls to a node that has started. Raises `ListenError` where a port is taken."""
    metrics = Metrics()
    desk = ApprovalDesk(node)
    listener = Listener(
        settings.listen, settings.security, metrics, settings.limits, guard=desk.guard
    )
    listener.register(APPROVALS, ApprovalServicer(desk).methods())
    listener.register(ACCESS_LOG, AccessLogServicer(node).methods())
    for gauges in watch_node(node, settings.certificates, metrics.verification_failures):
        metrics.registry.register(gauges)
    for gauges in watch_engine(node, metrics.verification_failures):
        metrics.registry.register(gauges)
    metrics.watch_access_logs({each: node.hosted[each].access_log for each in node.hosted})
    listener.register(STATUS, StatusServicer(node).methods())
    listener.register(PUBLISHING, PublishingServicer(node).methods())
    listener.register(ARRANGEMENTS, ArrangementServicer(node).methods())
    listener.register(MEMBERSHIP, MembershipServicer(node).methods())
    listener.register(PROFILES, ProfileServicer(node).methods())
    listener.register(CONSENTS, ConsentServicer(node).methods())
    listener.register(REPORTING, ReportingServicer(node).methods())
    reading = {**LedgerServicer(node).methods(), **SnapshotCalls(node).methods()}
    listener.register(LEDGER, reading)
    listener.register(REPLICA, ReplicaServicer(node).methods())
    return Server(node, listener, settings, metrics)


def authorities_of(node: Node, given: Authorities | None = None) -> LedgerAuthorities:
    """Whose client certificates count: each member's own authority, for that member alone."""
    return LedgerAuthorities(lambda: node.state, node.hosted, given)


def _split(address: str) -> tuple[str, int]:
    host, _, port = address.rpartition(":")
    return host.strip("[]"), int(port)


def _with_port(address: str, port: int) -> str:
    return f"{address.rpartition(':')[0]}:{port}"
