"""Publishing status records, as an administration's programs do; the messages are the call's."""

from collections.abc import Iterator, Sequence
from typing import TypeAlias

from aeo.exchange.v1 import publishing_service_pb2 as pb
from aeo.exchange.v1.publishing_service_pb2_grpc import PublishingServiceStub
from service.client.approvals import Pending
from service.client.connection import Connection, resuming

PATIENCE = 30.0
"""Seconds for which a watcher tries to reach a node that has gone away."""

Accepted: TypeAlias = pb.PublishResponse | Pending[pb.PublishResponse]
"""What a call comes to: accepted, row by row, or a step that waits for a second person."""


class PublishingClient:
    """`PublishingService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = PublishingServiceStub(connection.channel)

    def publish(
        self,
        idempotency_key: str,
        submissions: Sequence[pb.Submission],
        arrangement_ids: Sequence[bytes] = (),
        deadline: float | None = None,
    ) -> Accepted:
        """Hand in up to 3,000 rows; durable when this returns, and safe to repeat with its key.

        Revocations, annulments, reversals and corrections among them: all wait for an approver.
        """
        request = pb.PublishRequest(
            idempotency_key=idempotency_key,
            submissions=submissions,
            arrangement_ids=arrangement_ids,
            economy=self._economy,
        )
        return _accepted(self._connection.call(self._stub.Publish, request, deadline))

    def change_status(
        self, request: pb.ChangeStatusRequest, deadline: float | None = None
    ) -> Accepted:
        """One event for the certificates that a trader has."""
        call = self._stub.ChangeStatus
        return _accepted(self._connection.call(call, self._mine(request), deadline))

    def publish_aliases(
        self,
        idempotency_key: str,
        aliases: Sequence[pb.AliasSubmission],
        arrangement_ids: Sequence[bytes] = (),
        deadline: float | None = None,
    ) -> pb.PublishResponse:
        """Hand in up to 3,000 aliases; durable when this returns, safe to repeat with its key."""
        request = pb.PublishAliasesRequest(
            idempotency_key=idempotency_key,
            aliases=aliases,
            arrangement_ids=arrangement_ids,
            economy=self._economy,
        )
        return self._connection.call(self._stub.PublishAliases, request, deadline)

    def alias(self, scheme: str, value: str, tins: Sequence[str] = ()) -> list[pb.AliasEntry]:
        """All that the ledger holds of one alias; it names no traders but those of `tins`."""
        request = pb.GetAliasRequest(scheme=scheme, value=value, tins=tins, economy=self._economy)
        return list(self._connection.call(self._stub.GetAlias, request).entries)

    def compare(
        self,
        submissions: Sequence[pb.Submission],
        arrangement_ids: Sequence[bytes] = (),
        deadline: float | None = None,
    ) -> pb.CompareResponse:
        """How certificates as they should be differ from what is published."""
        request = pb.CompareRequest(
            submissions=submissions, arrangement_ids=arrangement_ids, economy=self._economy
        )
        return self._connection.call(self._stub.Compare, request, deadline)

    def get(self, publication_id: str) -> pb.Publication:
        """How far a publication is; `NoSuchThing` for an unknown one."""
        request = pb.GetPublicationRequest(publication_id=publication_id, economy=self._economy)
        return self._connection.call(self._stub.GetPublication, request).publication

    def list(self, page_size: int = 50) -> Iterator[pb.Publication]:
        """All publications, newest first, without rows."""
        token = ""
        while True:
            request = pb.ListPublicationsRequest(
                economy=self._economy, page_size=page_size, page_token=token
            )
            page = self._connection.call(self._stub.ListPublications, request)
            yield from page.publications
            token = page.next_page_token
            if not token:
                return

    def watch(self, publication_id: str) -> Iterator[pb.Publication]:
        """Each step of a publication until nothing more will come; goes on after a break."""
        request = pb.WatchPublicationRequest(publication_id=publication_id, economy=self._economy)

        def start() -> Iterator[pb.Publication]:
            for message in self._connection.stream(self._stub.WatchPublication, request):
                yield message.publication

        return resuming(start, PATIENCE)

    def _mine(self, request: pb.ChangeStatusRequest) -> pb.ChangeStatusRequest:
        if self._economy and not request.economy:
            made = pb.ChangeStatusRequest()
            made.CopyFrom(request)
            made.economy = self._economy
            return made
        return request


def _accepted(response: pb.PublishResponse) -> Accepted:
    if response.HasField("pending"):
        return Pending(response.pending, pb.PublishResponse.FromString)
    return response
