"""One port, mutual TLS, and a limit on everything.

    listener = Listener("0.0.0.0:7443", MutualTls(key, chain, authorities), Metrics())
    listener.register("aeo.exchange.v1.StatusService", servicer.methods())
    listener.start()
    ...
    listener.stop(grace_seconds=10)

A synchronous server with threads: a trivial handler behind TLS takes 90 to 115 us of processor time
a call, against 155 to 170 with `grpc.aio` (Python 3.11, grpcio 1.85, one core for the server). Four
threads are the best of 1, 2, 4 and 16.

The port is bound without SO_REUSEPORT, which gRPC sets by default: two nodes that share a port
would each get half of the calls and no error. Read-only replicas ask for it by name.
"""

import threading
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import grpc
from grpc_reflection.v1alpha import reflection, reflection_pb2

from service.api.caller import (
    Authorities,
    AuthoritySource,
    CertificateIdentity,
    plaintext_identity,
)
from service.api.failures import Full, NotReady
from service.api.method import Guard, Kind, Method, Pool
from service.api.metrics import Metrics
from service.api.served import Handler, Surroundings, refusing, served
from service.api.workers import Workers
from service.config import (
    LOG_EVERY,
    MAX_IN_FLIGHT,
    MAX_REQUEST_BYTES,
    MAX_RESPONSE_BYTES,
    QUICK_THREADS,
    RETRY_MS,
    STREAM_THREADS,
    WAITING_THREADS,
    is_loopback,
)
from service.errors import Failed
from service.keys.spiffe import AccessRole

MAX_REFUSALS = 1_000
"""Refusals waiting to be told, and calls above them are refused by gRPC without a delay."""
SILENCE_SECONDS = 0.1
"""Between two looks, at a stop, for streams that only wait for their clients' next question."""
MAX_STREAMS_PER_CONNECTION = 1_000
"""Calls at once on one connection (HTTP/2 SETTINGS_MAX_CONCURRENT_STREAMS); more wait there."""
MAX_METADATA_BYTES = 8 << 10
"""HTTP/2 header list of one call."""
KEEPALIVE_MIN_MS = 10_000
"""A client that pings more often than this without a call is disconnected."""

Pair = tuple[bytes, bytes]
"""A key and its certificate chain, in PEM."""

REFLECTION = "grpc.reflection.v1alpha.ServerReflection"


class ListenError(Failed):
    """The port could not be bound, or may not be bound like this."""


@dataclass(frozen=True, slots=True)
class MutualTls:
    """Our key and certificate chain (PEM), and the authorities whose clients we accept, as they
    change.

    `others` are more keys and chains: who asks for a name (SNI) gets the first that bears it, else
    the first of all. `renewed` tells all of them as they are now: each handshake asks, so a
    certificate is renewed without a restart.
    """

    key: bytes = field(repr=False)
    certificate_chain: bytes
    authorities: AuthoritySource
    others: tuple[Pair, ...] = field(default=(), repr=False)
    renewed: Callable[[], tuple[Pair, ...]] | None = field(default=None, repr=False)

    def pairs(self) -> tuple[Pair, ...]:
        """Our keys and chains now, the one to show by default first."""
        if self.renewed is not None:
            return self.renewed()
        return (self.key, self.certificate_chain), *self.others


@dataclass(frozen=True, slots=True)
class PlaintextLoopback:
    """No TLS; callers say who they are in metadata. Refused for any address but a loopback one."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, counts of calls or threads."""

    request_bytes: int = MAX_REQUEST_BYTES
    response_bytes: int = MAX_RESPONSE_BYTES
    in_flight: int = MAX_IN_FLIGHT
    streams: int = STREAM_THREADS
    quick_threads: int = QUICK_THREADS
    waiting_threads: int = WAITING_THREADS
    retry_ms: int = RETRY_MS
    log_every: int = LOG_EVERY


class Listener:
    """A gRPC server with the rules of this exchange. Register, start, stop; once."""

    def __init__(
        self,
        address: str,
        security: MutualTls | PlaintextLoopback,
        metrics: Metrics,
        limits: Limits | None = None,
        *,
        share_port: bool = False,
        guard: Guard | None = None,
    ) -> None:
        self._limits = limits = limits if limits is not None else Limits()
        self._draining = threading.Event()
        self._metrics = metrics
        self._pools = {
            Pool.QUICK: Workers("quick", limits.quick_threads, limits.in_flight),
            Pool.WAITING: Workers("waiting", limits.waiting_threads, limits.in_flight),
            Pool.STREAM: Workers("stream", limits.streams, limits.streams),
        }
        self._refusals = Workers("refusal", 1, MAX_REFUSALS)
        for pool, workers in self._pools.items():
            metrics.in_flight.labels(pool.value).set_function(workers.held_now)
        identify = (
            CertificateIdentity(security.authorities)
            if isinstance(security, MutualTls)
            else plaintext_identity
        )
        self._around = Surroundings(
            identify, metrics, self._draining.is_set, guard, limits.log_every
        )
        self._admission = _Admission()
        self._services: set[str] = set()
        self._server = grpc.server(
            self._pools[Pool.QUICK],
            handlers=[self._admission],
            options=_options(limits, share_port=share_port),
            maximum_concurrent_rpcs=2 * limits.in_flight + limits.streams + MAX_REFUSALS,
        )
        self.port = _bind(self._server, address, security)

    def register(self, service: str, methods: Mapping[str, Method]) -> None:
        """Serve the methods of a service, named as in its .proto with its package."""
        self._services.add(service)
        for name, method in methods.items():
            path = f"/{service}/{name}"
            pool = method.pool if method.kind is Kind.UNARY else Pool.STREAM
            workers = self._pools[pool]
            handler = served(path, method, self._around, workers)
            refusal = refusing(method.kind, self._refuse(pool), self._refusals)
            self._admission.methods[path] = workers, handler, refusal

    def start(self) -> int:
        """Begin to answer; the port."""
        self.register(REFLECTION, _reflection_methods({*self._services, REFLECTION}))
        self._server.start()
        return self.port

    @property
    def services(self) -> frozenset[str]:
        """Names of what is registered."""
        return frozenset(self._services)

    def stop(self, grace_seconds: float) -> bool:
        """Accept no more, finish what was accepted, end the streams; False if some were cut off.

        Streams see `Call.live()` turn False; those that wait for their clients are cancelled soon,
        and whatever is not done after `grace_seconds`.
        """
        self._draining.set()
        stopped = self._server.stop(grace_seconds)
        while not stopped.wait(SILENCE_SECONDS):
            for context in tuple(self._around.silent):
                context.cancel()
        # A call's status is sent from its thread, but its thread may outlive it by a little.
        idle = [workers.wait_idle(1.0) for workers in self._pools.values()]
        for workers in (*self._pools.values(), self._refusals):
            workers.shutdown(wait=False, cancel_futures=True)
        return all(idle)

    def _refuse(self, pool: Pool) -> Any:
        count = self._metrics.refused_full.labels(pool.value)
        retry_ms = self._limits.retry_ms

        def refuse() -> Full | NotReady:
            if self._draining.is_set():
                return NotReady("the node is stopping", retry_ms, "STOPPING")
            count.inc()
            return Full(f"too many {pool.value} calls at once; try again later", retry_ms)

        return refuse


class _Admission(grpc.GenericRpcHandler):
    """Looks a method up and refuses at the door what no worker would come to in time.

    gRPC asks from one thread, before it queues the call.
    """

    def __init__(self) -> None:
        self.methods: dict[
            str,
            tuple[Workers, Handler, Handler],
        ] = {}

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> "Handler | None":
        """The method's handler, its refusal when its workers are full, None when unknown."""
        found = self.methods.get(handler_call_details.method)
        if found is None:
            return None
        workers, handler, refusal = found
        return refusal if workers.full else handler


def _options(limits: Limits, *, share_port: bool) -> tuple[tuple[str, int], ...]:
    return (
        ("grpc.so_reuseport", int(share_port)),
        ("grpc.max_receive_message_length", limits.request_bytes),
        ("grpc.max_send_message_length", limits.response_bytes),
        ("grpc.max_concurrent_streams", MAX_STREAMS_PER_CONNECTION),
        ("grpc.max_metadata_size", MAX_METADATA_BYTES),
        ("grpc.http2.min_ping_interval_without_data_ms", KEEPALIVE_MIN_MS),
    )


def _bind(server: grpc.Server, address: str, security: MutualTls | PlaintextLoopback) -> int:
    if isinstance(security, PlaintextLoopback) and not is_loopback(address):
        raise ListenError(f"plaintext is for loopback addresses only, not {address}")
    try:
        if isinstance(security, PlaintextLoopback):
            return server.add_insecure_port(address)
        return server.add_secure_port(address, _credentials(security))
    except RuntimeError as error:
        raise ListenError(f"cannot listen on {address}: {error}") from None


def _credentials(security: MutualTls) -> grpc.ServerCredentials:
    """Credentials that ask at each handshake which certificates and authorities count now."""
    told = security.authorities.current(), security.pairs()

    def configuration(
        authorities: Authorities, pairs: tuple[Pair, ...]
    ) -> grpc.ServerCertificateConfiguration:
        return grpc.ssl_server_certificate_configuration(
            list(pairs), root_certificates=authorities.bundle()
        )

    def changed() -> grpc.ServerCertificateConfiguration | None:
        nonlocal told
        authorities, pairs = security.authorities.current(), security.pairs()
        if authorities is told[0] and pairs == told[1]:
            return None
        told = authorities, pairs
        return configuration(authorities, pairs)

    return grpc.dynamic_ssl_server_credentials(
        configuration(*told),
        changed,  # type: ignore[arg-type]  # the stubs leave out None: nothing has changed
        require_client_authentication=True,
    )


def _reflection_methods(services: set[str]) -> dict[str, Method]:
    servicer = reflection.ReflectionServicer(services)
    return {
        "ServerReflectionInfo": Method(
            Kind.BOTH_STREAM,
            servicer.ServerReflectionInfo,
            reflection_pb2.ServerReflectionRequest.FromString,
            reflection_pb2.ServerReflectionResponse.SerializeToString,
            frozenset(AccessRole),
        )
    }
