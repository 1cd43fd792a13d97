"""Following what was accepted until the ledger has it, and saying what became of it."""

import time
import uuid
from collections.abc import Sequence
from typing import Any, Final

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1 import status_service_pb2 as exchange
from service.cli.refusal_text import refusal_text
from service.client import PublishingClient

SEAL_PATIENCE: Final = 0.5
"""Seconds that a person may be kept for the seal: elsewhere it takes the other members' time."""
_SEAL_PAUSE: Final = 0.02


def new_key() -> str:
    """An idempotency key for one run: the same request sent again is the same publication."""
    return uuid.uuid4().hex


def follow(client: PublishingClient, publication_id: str) -> publishing.Publication:
    """Wait until every record of a publication is in the log, executed or refused.

    Its seal follows within milliseconds where the node holds enough keys; that is waited for, too.
    """
    for step in client.watch(publication_id):
        if step.state >= publishing.PUBLICATION_STATE_RECORDED:
            break
    until = time.monotonic() + SEAL_PATIENCE
    while True:
        newest = client.get(publication_id)
        if newest.finality >= exchange.FINALITY_SEALED or time.monotonic() > until:
            return newest
        time.sleep(_SEAL_PAUSE)


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
