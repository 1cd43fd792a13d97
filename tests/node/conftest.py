"""Running nodes, and calls to them over plaintext gRPC on loopback."""

from collections.abc import Callable, Iterator
from pathlib import Path

import grpc
import pytest

from aeo.exchange.v1.approval_service_pb2 import ApproveRequest
from aeo.exchange.v1.approval_service_pb2_grpc import ApprovalServiceStub
from aeo.exchange.v1.arrangement_service_pb2_grpc import ArrangementServiceStub
from aeo.exchange.v1.publishing_service_pb2_grpc import PublishingServiceStub
from node.node_world import make_network
from service.api.approvals import SERVICE as APPROVALS
from service.api.approvals import ApprovalServicer
from service.api.arrangements import SERVICE as ARRANGEMENTS
from service.api.arrangements import ArrangementServicer
from service.api.four_eyes import ApprovalDesk
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
        self.approvals = ApprovalServiceStub(channel)
        self.who = (("aeo-economy", economy), ("aeo-access-role", role), ("aeo-name", role))
        self.second = (*self.who[:1], ("aeo-access-role", "approver"), ("aeo-name", "second"))

    def publish(self, name: str, request: object) -> object:
        return getattr(self.publishing, name)(request, metadata=self.who, timeout=20)

    def arrange(self, name: str, request: object) -> object:
        """A step; where it waits, approved by a second person."""
        answer = getattr(self.arrangements, name)(request, metadata=self.who, timeout=20)
        return self.approved(answer)

    def approved(self, answer: object) -> object:
        """What a call that waits comes to when a second person of the economy approves it."""
        if "pending" not in answer.DESCRIPTOR.fields_by_name or not answer.HasField("pending"):
            return answer
        request = ApproveRequest(step_id=answer.pending.step_id)
        made = self.approvals.Approve(request, metadata=self.second, timeout=20)
        return type(answer).FromString(made.response)


As = Callable[[str, str], Caller]


@pytest.fixture
def caller(node: Node) -> Iterator[As]:
    """caller(economy, access role): whoever is needed, on one channel."""
    desk = ApprovalDesk(node)
    listener = Listener("127.0.0.1:0", PlaintextLoopback(), Metrics(), guard=desk.guard)
    listener.register(APPROVALS, ApprovalServicer(desk).methods())
    listener.register(PUBLISHING, PublishingServicer(node).methods())
    listener.register(ARRANGEMENTS, ArrangementServicer(node).methods())
    port = listener.start()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        yield lambda economy, role: Caller(channel, economy, role)
    listener.stop(1.0)
