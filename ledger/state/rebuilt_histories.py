"""Arrangements, pairs and reports, derived again from the entries of their histories.

What `ledger.state.agreeing` and `ledger.state.reporting` keep beside a history follows from its
entries alone, as long as each of them was executed. That is what the map root says.
"""

from collections.abc import Iterator, Mapping, Sequence

from ledger.chain.economy import ECONOMY_BYTES, parse_economy
from ledger.chain.history import HistoryEntry, history_head
from ledger.customs.arrangement import ArrangementEntry, ArrangementHistory, parse_step
from ledger.customs.report import CoSignature, ReportName, parse_report_step
from ledger.errors import FormatError
from ledger.state.state import Arrangement, Pair, PublishedReport
from ledger.state.view import PairEntry

# By the name under which it stands, in order of the first entries.
Histories = Mapping[bytes, Sequence[HistoryEntry]]


def arrangements_again(histories: Histories) -> dict[bytes, Arrangement]:
    """Every arrangement by its id; raises `FormatError`."""
    return {
        identity: Arrangement(history_head(entries), lives[-1], tuple(entries))
        for identity, entries in histories.items()
        if (lives := list(_lives(identity, entries)))
    }


def arrangements_of(histories: Histories) -> dict[str, tuple[bytes, ...]]:
    """The arrangements that each party was ever asked to sign, in order; raises `FormatError`."""
    named: list[tuple[int, bytes, tuple[str, ...]]] = []
    for identity, entries in histories.items():
        before: ArrangementHistory | None = None
        for entry, life in zip(entries, _lives(identity, entries), strict=True):
            if before is None or before.texts != life.texts:
                named.append((entry.log_index, identity, life.text.parties))
            before = life
    listed: dict[str, tuple[bytes, ...]] = {}
    for _, identity, parties in sorted(named):
        for party in parties:
            own = listed.get(party, ())
            if identity not in own:
                listed[party] = (*own, identity)
    return listed


def pairs_again(histories: Histories) -> dict[str, Pair]:
    """Every pair by its two economies, joined; raises `FormatError`."""
    return {
        _economies(name): Pair(
            history_head(entries),
            tuple(PairEntry(each.height, each.time, each.record) for each in entries),
            tuple(entries),
        )
        for name, entries in histories.items()
    }


def reports_again(
    histories: Mapping[ReportName, Sequence[HistoryEntry]],
) -> dict[ReportName, PublishedReport]:
    """Every report by its name; raises `FormatError`."""
    return {name: _report(name, entries) for name, entries in histories.items()}


def _lives(identity: bytes, entries: Sequence[HistoryEntry]) -> Iterator[ArrangementHistory]:
    """An arrangement after each of its steps."""
    life: ArrangementHistory | None = None
    for height, time, log_index, _, author, record in entries:
        step = ArrangementEntry(height, time, log_index, author, parse_step(record))
        life = ArrangementHistory.propose(identity, step) if life is None else life.extend(step)
        yield life


def _economies(name: bytes) -> str:
    return parse_economy(name[:ECONOMY_BYTES]) + parse_economy(name[ECONOMY_BYTES:])


def _report(name: ReportName, entries: Sequence[HistoryEntry]) -> PublishedReport:
    report: PublishedReport | None = None
    for entry in entries:
        step = parse_report_step(entry.record)
        if not isinstance(step, CoSignature):
            corrected = 0 if report is None else report.corrected + 1
            report = PublishedReport(name, b"", (), step.report_hash, corrected, ())
        elif report is not None:
            report = report._replace(signed_by=tuple(sorted((*report.signed_by, entry.author))))
    if report is None:
        raise FormatError("a report begins with what it reports")
    return report._replace(head=history_head(entries), records=tuple(entries))
