"""Executing report steps: a party publishes what it measured, another stands by it.

A report is on the ledger once its period is over. Its history (kind 9 of the state map) holds every
step about it, whose record is the whole ReportStep as it stands in the transaction, at position 0.
A second report of the same arrangement, reporter and period corrects the first; the newest counts,
and who signed an older one has not signed it. A party's periods under one arrangement do not
overlap: the difference of two reports would be a report of a few days, and as small as that.

>>> from ledger.customs.report import ReportName
>>> signed = PublishedReport(ReportName(bytes(16), "NZ", 1, 2), ZERO_HASH, (), b"h" * 32, 0, ())
>>> signed.signed_by, signed.corrected
((), 0)
"""

from ledger.chain.history import HistoryEntry, history_step
from ledger.chain.keys import report_key
from ledger.customs.report import CoSignature, Report, ReportName, ReportStep, parse_report_step
from ledger.customs.small_cells import small_figure
from ledger.errors import FormatError
from ledger.hashing import ZERO_HASH
from ledger.state.draft import Draft
from ledger.state.refusals import (
    ALREADY_SIGNED,
    ARRANGEMENT_NOT_SIGNED,
    ARRANGEMENT_UNKNOWN,
    EXECUTED,
    NOT_A_PARTY,
    PERIOD_NOT_OVER,
    PERIODS_OVERLAP,
    REPORT_DIFFERS,
    REPORT_MALFORMED,
    REPORT_OWN,
    REPORT_UNCHANGED,
    REPORT_UNKNOWN,
    SMALL_CELL,
)
from ledger.state.state import PublishedReport

__all__ = ["PublishedReport", "execute_report"]


def execute_report(draft: Draft, author: str, data: bytes) -> str:
    """Execute one step; return its code."""
    try:
        step = parse_report_step(data)
        if isinstance(step, Report) and small_figure(step.message) is not None:
            return SMALL_CELL
    except FormatError:
        return REPORT_MALFORMED
    name = _name(step, author)
    report = draft.report(name)
    refused = _refuse(draft, step, name, author, report)
    if refused:
        return refused
    records = () if report is None else report.records
    record = HistoryEntry(draft.height, draft.time, draft.log_index, 0, author, data)
    head = ZERO_HASH if report is None else report.head
    head = history_step(head, len(records) + 1, *record)
    records = (*records, record)
    if isinstance(step, CoSignature):
        assert report is not None, "_refuse says REPORT_UNKNOWN"
        newer = report._replace(
            head=head, records=records, signed_by=tuple(sorted((*report.signed_by, author)))
        )
    else:
        corrected = 0 if report is None else report.corrected + 1
        newer = PublishedReport(name, head, records, step.report_hash, corrected, ())
    draft.reports[name] = newer
    draft.changes[report_key(*name)] = head
    return EXECUTED


def _name(step: ReportStep, author: str) -> ReportName:
    if isinstance(step, CoSignature):
        return step.name
    return ReportName(step.arrangement_id, author, step.begin, step.end)


def _refuse(
    draft: Draft,
    step: ReportStep,
    name: ReportName,
    author: str,
    report: PublishedReport | None,
) -> str:
    arrangement = draft.arrangement(name.arrangement_id)
    if arrangement is None:
        return ARRANGEMENT_UNKNOWN
    history = arrangement.history
    if author not in history.text.parties:
        return NOT_A_PARTY
    if history.complete is None:
        return ARRANGEMENT_NOT_SIGNED
    if isinstance(step, CoSignature):
        return _refuse_signature(step, author, report)
    # An arrangement that has ended still owes the report of its last period.
    if step.end > draft.time:
        return PERIOD_NOT_OVER
    if report is None:
        for other in draft.own_reports(name.arrangement_id, author):
            if other.begin < step.end and step.begin < other.end:
                return PERIODS_OVERLAP
    elif report.report_hash == step.report_hash:
        return REPORT_UNCHANGED
    return EXECUTED


def _refuse_signature(step: CoSignature, author: str, report: PublishedReport | None) -> str:
    if report is None:
        return REPORT_UNKNOWN
    if author == step.name.reporter:
        return REPORT_OWN
    if report.report_hash != step.report_hash:
        return REPORT_DIFFERS
    if author in report.signed_by:
        return ALREADY_SIGNED
    return EXECUTED
