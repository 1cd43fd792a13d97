"""Arrangements between members: propose, sign, suspend, resume, end, read."""

from collections.abc import Sequence
from datetime import datetime
from typing import Any, TypeAlias

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.exchange.v1.arrangement_service_pb2_grpc import ArrangementServiceStub
from aeo.ledger.v1.arrangement_pb2 import ArrangementText
from service.client.approvals import Pending
from service.client.connection import Connection
from service.client.verdicts import milliseconds

RECORDED_DEADLINE = 30.0
"""Seconds: a call that writes answers when the step is on the ledger."""

Step: TypeAlias = pb.Arrangement | Pending[pb.Arrangement]
"""What a step comes to: the arrangement after it, or a step that waits for a second person."""


class ArrangementClient:
    """`ArrangementService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = ArrangementServiceStub(connection.channel)

    def propose(
        self, text: ArrangementText, idempotency_key: str, deadline: float = RECORDED_DEADLINE
    ) -> Step:
        """Propose a text; the node makes the lookup key and fills in its commitment."""
        request = pb.ArrangementServiceProposeRequest(
            text=text, economy=self._economy, idempotency_key=idempotency_key
        )
        return _result(self._connection.call(self._stub.Propose, request, deadline))

    def sign(
        self, arrangement_id: bytes, text_hash: bytes, deadline: float = RECORDED_DEADLINE
    ) -> Step:
        """Sign the text with this hash, and no other."""
        request = pb.ArrangementServiceSignRequest(
            arrangement_id=arrangement_id, text_hash=text_hash, economy=self._economy
        )
        return _result(self._connection.call(self._stub.Sign, request, deadline))

    def suspend(
        self,
        arrangement_id: bytes,
        effective_from: datetime | None = None,
        deadline: float = RECORDED_DEADLINE,
    ) -> pb.Arrangement:
        """Suspend it for all parties, at once or from a later instant."""
        request = pb.ArrangementServiceSuspendRequest(
            arrangement_id=arrangement_id,
            effective_from=_instant(effective_from),
            economy=self._economy,
        )
        return self._connection.call(self._stub.Suspend, request, deadline).arrangement

    def resume(
        self,
        arrangement_id: bytes,
        effective_from: datetime | None = None,
        deadline: float = RECORDED_DEADLINE,
    ) -> Step:
        """Take back this economy's suspension."""
        request = pb.ArrangementServiceResumeRequest(
            arrangement_id=arrangement_id,
            effective_from=_instant(effective_from),
            economy=self._economy,
        )
        return _result(self._connection.call(self._stub.Resume, request, deadline))

    def end(
        self,
        arrangement_id: bytes,
        effective_from: datetime | None = None,
        deadline: float = RECORDED_DEADLINE,
    ) -> Step:
        """End it, with the notice that its text asks for."""
        request = pb.ArrangementServiceEndRequest(
            arrangement_id=arrangement_id,
            effective_from=_instant(effective_from),
            economy=self._economy,
        )
        return _result(self._connection.call(self._stub.End, request, deadline))

    def get(self, arrangement_id: bytes) -> pb.Arrangement:
        """One arrangement; `NoSuchThing` for an unknown id."""
        request = pb.ArrangementServiceGetRequest(arrangement_id=arrangement_id)
        return self._connection.call(self._stub.Get, request).arrangement

    def list(self, party: str = "") -> Sequence[pb.Arrangement]:
        """All arrangements, or those of one party."""
        request = pb.ArrangementServiceListRequest(party=party)
        return self._connection.call(self._stub.List, request).arrangements


def _instant(moment: datetime | None) -> int:
    return 0 if moment is None else milliseconds(moment)


def _result(response: Any) -> Step:
    """The arrangement, or the step that waits, of a response that may have either."""
    if not response.HasField("pending"):
        arrangement: pb.Arrangement = response.arrangement
        return arrangement
    of: Any = type(response)
    return Pending(response.pending, lambda data: of.FromString(data).arrangement)
