"""What an approver is shown of a request to publish: its events, and the traders they concern.

>>> request = pb.ChangeStatusRequest(tin="KR123", event=status_pb2.EVENT_REVOKE)
>>> change_takes_two(request, None)
True
>>> print(summarise_change(request))
REVOKE every certificate of KR123 under every arrangement, at once
"""

from collections import Counter
from collections.abc import Sequence
from datetime import UTC, datetime
from typing import Final

from aeo.exchange.v1 import publishing_service_pb2 as pb
from aeo.exchange.wire.v1.wire_pb2 import PublishRequestBytes, SubmissionBytes
from aeo.ledger.v1 import status_pb2
from service.api.caller import Caller
from service.api.counted import counted
from service.node.publishing.confirmed import CONFIRMED_EVENTS
from service.node.publishing.following import takes_two
from service.node.publishing.submission import event_of

SHOWN_ROWS: Final = 20
"""Rows named one by one; the request itself tells the others."""


def rows_take_two(request: PublishRequestBytes, _caller: Caller | None) -> bool:
    """Whether any row is an event that takes two persons."""
    terms = {row.terms for row in request.submissions}
    return any(event_of(each) in CONFIRMED_EVENTS for each in terms)


def change_takes_two(request: pb.ChangeStatusRequest, _caller: Caller | None) -> bool:
    """Whether the change takes two persons."""
    return takes_two(request)


def summarise_rows(request: PublishRequestBytes) -> str:
    """How many rows of which event, and the rows for which somebody must answer, one by one."""
    rows = request.submissions
    events = [event_of(row.terms) for row in rows]
    counts = sorted((_event(event), count) for event, count in Counter(events).items())
    said = ", ".join(f"{count:,} {event}" for event, count in counts)
    grave = [row for row, event in zip(rows, events, strict=True) if event in CONFIRMED_EVENTS]
    lines = [f"{counted(len(rows), 'row')}: {said}; {_where(request.arrangement_ids)}"]
    lines += [_row(row) for row in grave[:SHOWN_ROWS]]
    if len(grave) > SHOWN_ROWS:
        lines.append(f"and {len(grave) - SHOWN_ROWS:,} more rows of these events")
    return "\n".join(lines)


def summarise_change(request: pb.ChangeStatusRequest) -> str:
    """One event for the certificates of one trader."""
    which = request.certificate_number
    certificates = f"certificate {which}" if which else "every certificate"
    leads_to = ""
    if request.status in status_pb2.Status.values()[1:]:
        name = status_pb2.Status.Name(request.status).removeprefix("STATUS_")
        leads_to = f", leading to {name}"
    return (
        f"{_event(request.event)} {certificates} of {request.tin} "
        f"{_where(request.arrangement_ids)}{leads_to}, {_when(request.effective_from)}"
    )


def _row(row: SubmissionBytes) -> str:
    own = f" {_where(row.arrangement_ids)}" if row.arrangement_ids else ""
    what = f"{_event(event_of(row.terms))} {row.tin}, certificate {row.certificate_number}"
    return f"{what}{own}, {_when(row.effective_from)}"


def _event(event: int) -> str:
    if event not in status_pb2.Event.values():
        return "UNKNOWN"
    return status_pb2.Event.Name(status_pb2.Event.ValueType(event)).removeprefix("EVENT_")


def _where(arrangement_ids: Sequence[bytes]) -> str:
    if not arrangement_ids:
        return "under every arrangement"
    return "under " + ", ".join(each.hex() for each in arrangement_ids)


def _when(effective_from: int) -> str:
    if not effective_from:
        return "at once"
    try:
        moment = datetime.fromtimestamp(effective_from / 1000, UTC)
    except (OverflowError, ValueError, OSError):
        return f"from {effective_from} ms"
    return f"from {moment:%Y-%m-%d %H:%M} UTC"
