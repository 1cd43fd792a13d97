"""Following what was accepted until the ledger has it, and saying what became of it."""

import uuid
from collections.abc import Callable, Sequence
from typing import Any, Final

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1 import status_service_pb2 as exchange
from aeo.exchange.v1.publishing_service_pb2_grpc import PublishingServiceStub
from ledger.customs.transition import TRANSITION_REFUSALS
from ledger.state.refusals import STEP_REFUSALS
from service.client import Connection

_TEXTS: Final = {**STEP_REFUSALS, **TRANSITION_REFUSALS}


def new_key() -> str:
    """An idempotency key for one run: the same request sent again is the same publication."""
    return uuid.uuid4().hex


def refusal_text(code: str) -> str:
    """Why the ledger refused a record, for people."""
    return _TEXTS.get(code, code)


def follow(
    connection: Connection,
    publication_id: str,
    moved: Callable[[publishing.Publication], None] = lambda _: None,
) -> publishing.Publication:
    """Wait until every record of a publication is in the log, executed or refused."""
    stub = PublishingServiceStub(connection.channel)
    request = publishing.WatchPublicationRequest(publication_id=publication_id)
    # Leaving the loop drops the iterator, and that ends the call.
    for step in connection.stream(stub.WatchPublication, request):
        moved(step.publication)
        if step.publication.state >= publishing.PUBLICATION_STATE_RECORDED:
            break
    got = publishing.GetPublicationRequest(publication_id=publication_id)
    return connection.call(stub.GetPublication, got).publication


def describe(publication: publishing.Publication, lines: Sequence[int] = ()) -> dict[str, Any]:
    """A publication as JSON has it; `lines` are those of its submissions in a register."""
    refused = []
    for answer in publication.answers:
        if answer.code:
            told: dict[str, Any] = {
                "submission": answer.submission,
                "arrangement_id": answer.arrangement_id.hex(),
                "log_index": answer.log_index,
                "position": answer.position,
                "code": answer.code,
                "message": refusal_text(answer.code),
            }
            if lines:
                told["line"] = lines[answer.submission]
            refused.append(told)
    return {
        "publication_id": publication.publication_id,
        "state": _name(publishing.PublicationState.Name(publication.state), "PUBLICATION_STATE_"),
        "records": publication.records,
        "recorded": publication.recorded,
        "refused": refused,
        "height": publication.height,
        "recorded_time": publication.recorded_time or None,
        "finality": _name(exchange.Finality.Name(publication.finality), "FINALITY_"),
    }


def _name(value: str, prefix: str) -> str:
    return value.removeprefix(prefix)
