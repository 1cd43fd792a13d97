"""Calls from one member's node to another's, over mutual TLS.

    peers.call("KR", lambda channel: ProfileServiceStub(channel).Fetch, request)

Everything that is needed to trust the other side is on the ledger: its endpoint, and the authority
that its economy registered. Only that authority counts: a certificate that another member issued
does not pass, whatever it says. And the certificate must bear the name that certificates of nodes
alone have, made of economy and network (`service.keys.spiffe.node_host`): a client's does not pass
either. The name is also what the other side chooses its certificate by, where one node serves
several members at one address.

This side shows the node certificate of the member that it speaks for. Once that was renewed, a new
connection is made with the next call; the one before stays open for the calls that run on it.
"""

import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any, Final, Protocol, TypeVar

import grpc

from ledger.state.state import State
from service.client import ClientError, Connection, Tls, Unavailable
from service.errors import NoEndpoint, PeerRefused, PeerUnreachable
from service.keys.spiffe import format_trust_domain, node_host

PEER_DEADLINE: Final = 5.0
"""Seconds for a whole call to a partner's node, retries included: its answer comes from memory."""

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class NodeTls:
    """A member's own node certificate, with those between it and the authority, and key: PEM."""

    certificate: bytes
    key: bytes = field(repr=False)

    def current(self) -> "NodeTls":
        """Itself: these bytes never change."""
        return self


class NodeTlsSource(Protocol):
    """A member's node certificate, which may be renewed."""

    def current(self) -> NodeTls:
        """The certificate and key now; equal as long as they stay the same."""


@dataclass(frozen=True, slots=True)
class _Known:
    """A connection, what the ledger said when it was made, and what this side shows on it."""

    endpoint: str
    authority: bytes
    shown: NodeTls
    connection: Connection


class Peers:
    """The nodes of other members, as the node of `economy` calls them. Any thread may call."""

    def __init__(
        self,
        economy: str,
        tls: NodeTlsSource | None,
        current: Callable[[], State],
    ) -> None:
        self._economy = economy
        self._tls = tls
        self._current = current
        self._known: dict[str, _Known] = {}
        # Opened with a certificate that was renewed since, the newest of each member.
        self._before: dict[str, Connection] = {}
        self._lock = threading.Lock()
        self._closed = False

    def reaches(self, economy: str) -> bool:
        """Whether there is a way to call that member's node; not whether it answers."""
        return self._tls is not None and bool(self._endpoint(economy))

    def connection(self, economy: str) -> Connection:
        """The connection to a member's node, opened once; nothing is sent by this.

        Raises `NoEndpoint` where the ledger names none, or where this side has no certificate.
        """
        endpoint = self._endpoint(economy)
        if not endpoint:
            raise NoEndpoint(economy, "no endpoint of its node is on the ledger")
        if self._tls is None:
            raise NoEndpoint(
                economy, f"the node of {self._economy} has no certificate to call with"
            )
        shown = self._tls.current()
        state = self._current()
        authority = state.membership.members[economy].ca_certificate
        with self._lock:
            if self._closed:
                raise PeerUnreachable(economy, "this node is stopping")
            known = self._known.get(economy)
            if known is not None:
                if (known.endpoint, known.authority) != (endpoint, authority):
                    known.connection.close()
                elif known.shown == shown:
                    return known.connection
                else:
                    self._retire(economy, known.connection)
            domain = format_trust_domain(state.genesis.network_name)
            security = Tls(
                ssl.DER_cert_to_PEM_cert(authority).encode(),
                shown.certificate,
                shown.key,
                node_host(economy, domain),
            )
            connection = Connection.open(endpoint, security, PEER_DEADLINE)
            self._known[economy] = _Known(endpoint, authority, shown, connection)
            return connection

    def call(
        self,
        economy: str,
        method: Callable[[grpc.Channel], Callable[..., T]],
        request: Any,
        deadline: float = PEER_DEADLINE,
    ) -> T:
        """Make a unary call to a member's node; `method` names it on a channel.

        Raises `NoEndpoint`, `PeerUnreachable` where no answer came within `deadline` seconds, and
        `PeerRefused` with the other side's reason.
        """
        connection = self.connection(economy)
        try:
            return connection.call(method(connection.channel), request, deadline)
        except Unavailable as error:
            raise PeerUnreachable(economy, str(error)) from None
        except ClientError as error:
            raise PeerRefused(economy, error.reason, str(error)) from None

    def close(self) -> None:
        """Hang up, for good. Idempotent."""
        with self._lock:
            self._closed = True
            open_ones = [each.connection for each in self._known.values()]
            open_ones += self._before.values()
            self._known, self._before = {}, {}
        for connection in open_ones:
            connection.close()

    def _retire(self, economy: str, connection: Connection) -> None:
        """Let the calls on a connection end by themselves; close the one retired before it."""
        before = self._before.pop(economy, None)
        if before is not None:
            before.close()
        self._before[economy] = connection

    def _endpoint(self, economy: str) -> str:
        registration = self._current().membership.members.get(economy)
        return "" if registration is None else registration.endpoint
