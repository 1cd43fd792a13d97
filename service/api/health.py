"""Health (grpc.health.v1) on a plaintext port of its own: a probe has no client certificate.

It tells three things to whoever can reach the port, and nothing else: the process lives, the
service named is ready, it is about to stop. The empty service name stands for the whole node.
"""

from concurrent.futures import ThreadPoolExecutor

import grpc
from grpc_health.v1 import health, health_pb2, health_pb2_grpc

HEALTH_THREADS = 4
"""A probe takes microseconds; a `Watch` holds no thread (the servicer is told of changes)."""
MAX_HEALTH_CALLS = 64


class HealthServer:
    """Answers `Check`, `Watch` and `List`. Not serving until `ready` is called."""

    def __init__(self, address: str) -> None:
        self._servicer = health.HealthServicer(
            experimental_non_blocking=True,
            experimental_thread_pool=ThreadPoolExecutor(1, thread_name_prefix="aeo-health-watch"),
        )
        self._services: set[str] = {""}
        self._set("", ready=False)
        self._server = grpc.server(
            ThreadPoolExecutor(HEALTH_THREADS, thread_name_prefix="aeo-health"),
            options=(("grpc.so_reuseport", 0),),
            maximum_concurrent_rpcs=MAX_HEALTH_CALLS,
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._servicer, self._server)
        self.port: int = self._server.add_insecure_port(address)
        self._server.start()

    def ready(self, *services: str) -> None:
        """The node serves, and so does each of these services."""
        self._services.update(services)
        for service in self._services:
            self._set(service, ready=True)

    def not_ready(self) -> None:
        """Nothing serves any more, though the process still lives: before draining."""
        for service in self._services:
            self._set(service, ready=False)

    def show(self, part: str, *, well: bool) -> None:
        """Of one part by itself; whether the node serves is another question."""
        self._set(part, ready=well)

    def stop(self) -> None:
        """Close the port."""
        self._servicer.enter_graceful_shutdown()
        self._server.stop(None).wait()

    def _set(self, service: str, *, ready: bool) -> None:
        status = health_pb2.HealthCheckResponse
        self._servicer.set(service, status.SERVING if ready else status.NOT_SERVING)
