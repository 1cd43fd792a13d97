"""Consents of traders: record them, and read what a trader said."""

from collections.abc import Sequence

from aeo.exchange.v1 import consent_service_pb2 as pb
from aeo.exchange.v1.consent_service_pb2_grpc import ConsentServiceStub
from service.client.connection import Connection


class ConsentClient:
    """`ConsentService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = ConsentServiceStub(connection.channel)

    def record(
        self, steps: Sequence[pb.ConsentStep], deadline: float | None = None
    ) -> pb.RecordConsentsResponse:
        """Record up to 3,000 steps; durable when this returns.

        Safe to repeat: what was recorded before is answered CONSENT_UNCHANGED.
        """
        request = pb.RecordConsentsRequest(steps=steps, economy=self._economy)
        return self._connection.call(self._stub.RecordConsents, request, deadline)

    def history(self, tin: str) -> list[pb.Consent]:
        """All that a trader ever said, oldest first."""
        request = pb.ListConsentsRequest(tin=tin, economy=self._economy)
        return list(self._connection.call(self._stub.ListConsents, request).consents)
