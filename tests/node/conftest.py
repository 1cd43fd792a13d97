"""Running nodes, and calls to them over plaintext gRPC on loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from aeo.exchange.v1.arrangement_service_pb2_grpc import ArrangementServiceStub
from aeo.exchange.v1.publishing_service_pb2_grpc import PublishingServiceStub
from node.node_world import make_network
from service.api.arrangements import SERVICE as ARRANGEMENTS
from service.api.arrangements import ArrangementServicer
from service.api.listener import Listener, PlaintextLoopback
from service.api.metrics import Metrics
from service.api.publishing import SERVICE as PUBLISHING
from service.api.publishing import PublishingServicer
from service.clock import OffsetClock, SystemClock
from service.node.node import Node


@pytest.fixture
def clock() -> OffsetClock:
    return OffsetClock(SystemClock())


@pytest.fixture
def node(tmp_path: Path, clock: OffsetClock) -> Iterator[Node]:
    """HK, KR and NZ, all hosted."""
    with Node.start(make_network(tmp_path, ("HK", "KR", "NZ")), clock) as node:
        yield node


class Caller:
    """One person or program of one economy."""

    def __init__(self, channel: grpc.Channel, economy: str, role: str) -> None:
        self.publishing = PublishingServiceStub(channel)
        self.arrangements = ArrangementServiceStub(channel)
        self.who = (("aeo-economy", economy), ("aeo-access-role", role))

    def publish(self, name: str, request: object) -> object:
        return getattr(self.publishing, name)(request, metadata=self.who, timeout=20)

    def arrange(self, name: str, request: object) -> object:
        return getattr(self.arrangements, name)(request, metadata=self.who, timeout=20)


As = Callable[[str, str], Caller]


@pytest.fixture
def caller(node: Node) -> Iterator[As]:
    """caller(economy, access role): whoever is needed, on one channel."""
    listener = Listener("127.0.0.1:0", PlaintextLoopback(), Metrics())
    listener.register(PUBLISHING, PublishingServicer(node).methods())
    listener.register(ARRANGEMENTS, ArrangementServicer(node).methods())
    port = listener.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield lambda economy, role: Caller(channel, economy, role)
    listener.stop(1.0)
