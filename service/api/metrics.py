"""What a node counts, for Prometheus, on an address of its own.

| name | labels | |
|---|---|---|
| aeo_calls_total | method, code | finished calls |
| aeo_call_duration_seconds | method | from the first look at a call to its answer |
| aeo_calls_in_flight | pool | waiting or running now |
| aeo_calls_refused_full_total | pool | answered RESOURCE_EXHAUSTED |
| aeo_access_log_failing | economy | 1 while the access log cannot be written: look-ups go on |
| aeo_access_log_lost | economy | calls since the start that it does not have, and never will |

What a node shows besides, about its ledger, its members and its parts: `service.api.gauges`.

Children are looked up once for each method, so that a call pays for two additions (about 1 us).
"""

from collections.abc import Callable, Mapping
from functools import partial
from threading import Thread
from wsgiref.simple_server import WSGIServer

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, start_http_server

from service.api.gauges import VerificationFailures
from service.node.access_log import AccessLog

LATENCY_BUCKETS = (0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.05, 0.25, 1.0, 5.0)
"""Seconds: a look-up takes about 0.0001, a durable publication 0.01 to 0.25."""


class Metrics:
    """The instruments of one process. Each has its own registry, so tests do not share any."""

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self.registry = registry if registry is not None else CollectorRegistry()
        self.calls = Counter(
            "aeo_calls", "Finished calls.", ("method", "code"), registry=self.registry
        )
        self.duration = Histogram(
            "aeo_call_duration_seconds",
            "From the first look at a call to its answer.",
            ("method",),
            buckets=LATENCY_BUCKETS,
            registry=self.registry,
        )
        self.in_flight = Gauge(
            "aeo_calls_in_flight",
            "Calls waiting or running now.",
            ("pool",),
            registry=self.registry,
        )
        self.refused_full = Counter(
            "aeo_calls_refused_full",
            "Calls answered RESOURCE_EXHAUSTED.",
            ("pool",),
            registry=self.registry,
        )
        self.verification_failures = VerificationFailures()
        self.registry.register(self.verification_failures)

    def watch_access_logs(self, logs: Mapping[str, AccessLog]) -> None:
        """Show how the access log of each hosted member fares."""
        failing = Gauge(
            "aeo_access_log_failing",
            "Whether the access log cannot be written.",
            ("economy",),
            registry=self.registry,
        )
        lost = Gauge(
            "aeo_access_log_lost",
            "Calls that the access log will never have.",
            ("economy",),
            registry=self.registry,
        )
        for economy, log in logs.items():
            failing.labels(economy).set_function(partial(_failing, log))
            lost.labels(economy).set_function(partial(_lost, log))

    def finished(self, method: str) -> Callable[[str, float], None]:
        """For one method: a function that counts a finished call by code name and seconds."""
        ok = self.calls.labels(method, "OK")
        duration = self.duration.labels(method)
        calls = self.calls

        def count(code: str, seconds: float) -> None:
            (ok if code == "OK" else calls.labels(method, code)).inc()
            duration.observe(seconds)

        return count


def _failing(log: AccessLog) -> float:
    return float(log.failing)


def _lost(log: AccessLog) -> float:
    return float(log.lost)


class MetricsServer:
    """The registry over HTTP at /metrics. Plain: bind it where only the monitoring can reach it."""

    def __init__(self, host: str, port: int, metrics: Metrics) -> None:
        self._server: WSGIServer
        self._thread: Thread
        self._server, self._thread = start_http_server(port, host, metrics.registry)
        self.port: int = self._server.server_port

    def stop(self) -> None:
        """Close the port and wait for its thread."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
