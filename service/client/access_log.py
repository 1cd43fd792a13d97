"""The access log of the own administration, for auditors."""

from collections.abc import Iterator

from aeo.exchange.v1 import access_log_service_pb2 as pb
from aeo.exchange.v1.access_log_service_pb2_grpc import AccessLogServiceStub
from service.client.connection import Connection

DEADLINE = 30.0
"""Seconds: a page about one trader may look through many entries."""


class AccessLogClient:
    """`AccessLogService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = AccessLogServiceStub(connection.channel)

    def entries(self, from_number: int = 1, tin: str = "") -> Iterator[pb.AccessEntry]:
        """Entries from a number on, oldest first; with a TIN only those about that trader."""
        number = from_number
        while True:
            request = pb.ListAccessRequest(
                economy=self._economy, from_number=number, page_size=1_000, tin=tin
            )
            page = self._connection.call(self._stub.ListAccess, request, DEADLINE)
            yield from page.entries
            number = page.next_number
            if not number:
                return
