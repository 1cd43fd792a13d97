"""A register against the ledger, row by row: what publishing it would change."""

from collections.abc import Callable
from typing import cast

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs.status import format_status
from ledger.customs.subject import LookupKey
from ledger.errors import FormatError
from ledger.state.state import State
from service.node.publishing.comparison import Difference, compare_under
from service.node.publishing.targets import RowRefused, RowTargets


def compare_rows(
    request: publishing.CompareRequest,
    state: State,
    economy: str,
    key_of: Callable[[bytes], LookupKey | None],
    now: int,
) -> list[publishing.RowComparison]:
    """One comparison for each submission; a faulty row has the code that `Publish` would give."""
    targets = RowTargets(state, economy, now)
    usual = tuple(request.arrangement_ids)
    rows = []
    for submission in request.submissions:
        answer = publishing.RowAnswer()
        changes: list[publishing.CertificateChange] = []
        try:
            tin = targets.tin(submission.tin)
            wanted = targets.arrangements(tuple(submission.arrangement_ids) or usual)
            differences = compare_under(submission, tin, state, economy, key_of, wanted, now)
            changes = [_change(*difference) for difference in differences]
        except RowRefused as refused:
            answer = publishing.RowAnswer(code=refused.fault.code, message=refused.fault.message)
        except FormatError as error:
            answer = publishing.RowAnswer(code="CERTIFICATE_MALFORMED", message=str(error))
        rows.append(publishing.RowComparison(answer=answer, changes=changes))
    return rows


def _change(arrangement_id: bytes, difference: Difference) -> publishing.CertificateChange:
    change = publishing.CertificateChange(
        arrangement_id=arrangement_id,
        event=cast("pb.Event", difference.event),
        fields=difference.fields,
        code=difference.code,
    )
    if difference.published is not None:
        change.published.ParseFromString(format_status(difference.published))
    return change
