"""Arrangements between members: propose, sign, suspend, resume, end, read."""

from collections.abc import Sequence
from datetime import datetime

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.exchange.v1.arrangement_service_pb2_grpc import ArrangementServiceStub
from aeo.ledger.v1.arrangement_pb2 import ArrangementText
from service.client.connection import Connection
from service.client.verdicts import milliseconds

RECORDED_DEADLINE = 30.0
"""Seconds: a call that writes answers when the step is on the ledger."""


class ArrangementClient:
    """`ArrangementService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = ArrangementServiceStub(connection.channel)

    def propose(
        self, text: ArrangementText, idempotency_key: str, deadline: float = RECORDED_DEADLINE
    ) -> pb.Arrangement:
        """Propose a text; the node makes the lookup key and fills in its commitment."""
        request = pb.ArrangementServiceProposeRequest(
            text=text, economy=self._economy, idempotency_key=idempotency_key
        )
        return self._connection.call(self._stub.Propose, request, deadline).arrangement

    def sign(
        self, arrangement_id: bytes, text_hash: bytes, deadline: float = RECORDED_DEADLINE
    ) -> pb.Arrangement:
        """Sign the text with this hash, and no other."""
        request = pb.ArrangementServiceSignRequest(
            arrangement_id=arrangement_id, text_hash=text_hash, economy=self._economy
        )
        return self._connection.call(self._stub.Sign, request, deadline).arrangement

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
    ) -> pb.Arrangement:
        """Take back this economy's suspension."""
        request = pb.ArrangementServiceResumeRequest(
            arrangement_id=arrangement_id,
            effective_from=_instant(effective_from),
            economy=self._economy,
        )
        return self._connection.call(self._stub.Resume, request, deadline).arrangement

    def end(
        self,
        arrangement_id: bytes,
        effective_from: datetime | None = None,
        deadline: float = RECORDED_DEADLINE,
    ) -> pb.Arrangement:
        """End it, with the notice that its text asks for."""
        request = pb.ArrangementServiceEndRequest(
            arrangement_id=arrangement_id,
            effective_from=_instant(effective_from),
            economy=self._economy,
        )
        return self._connection.call(self._stub.End, request, deadline).arrangement

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
