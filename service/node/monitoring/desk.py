"""Monitoring the arrangements of one hosted member: clearances in, aggregates out.

What counts for an arrangement are declarations released in the period in trade with its other
parties, and those recognised under it. A report is computed when it is published, from what is
recorded then; publishing the period again corrects it. A monitoring clause owes a report for each
of its periods, counted from the day when the last party signed; the first that is not yet over is
the last shown.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from aeo.exchange.v1 import reporting_service_pb2 as pb
from aeo.ledger.v1 import report_pb2, transaction_pb2
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.customs.arrangement import ArrangementHistory
from ledger.customs.report import (
    ReportName,
    format_report,
    format_report_step,
)
from ledger.customs.small_cells import small_figure
from ledger.state.state import PublishedReport, State
from service.clock import Clock
from service.errors import Refused
from service.node.arrangements.agreements import StepRefused, TooLate
from service.node.monitoring.aggregates import Aggregates, BenefitName, aggregate
from service.node.monitoring.clearing import Faulty, read_clearance
from service.node.publishing.publisher import Publisher
from service.node.publishing.targets import RowFault
from service.store.home.clearances import ClearanceStore, Cleared, Figure

MAX_CLEARANCES: Final = 3_000
DAY_MS: Final = 86_400_000
# Of each arrangement, the newest periods: ten years of months.
OWED_SHOWN: Final = 120


class ReportTooTelling(Refused):
    """The report would tell of too few: nothing was signed."""

    def __init__(self, what: str) -> None:
        super().__init__(f"the report would tell of too few: {what}; nothing was signed")


@dataclass(frozen=True, slots=True)
class Recorded:
    """What became of a request: how many were new, and faults by declaration."""

    recorded: int
    faults: dict[int, RowFault]
    repeated: bool


class MonitoringDesk:
    """Clearances and reports of one hosted member."""

    def __init__(
        self,
        publisher: Publisher,
        clearances: ClearanceStore,
        current: Callable[[], State],
        clock: Clock,
    ) -> None:
        self._publisher = publisher
        self._clearances = clearances
        self._current = current
        self._clock = clock

    def record(self, idempotency_key: str, clearances: Sequence[pb.Clearance]) -> Recorded:
        """Keep the good declarations, keyed; durable on return. Raises `KeyReused`."""
        content = pb.RecordClearancesRequest(clearances=clearances)
        digest = sha256(content.SerializeToString(deterministic=True)).digest()
        before = self._clearances.answered(idempotency_key, digest)
        if before is not None:
            return _answer(before, repeated=True)
        state, now = self._current(), self._clock.now_ms()
        own = {
            each
            for each in state.own_arrangements(self._publisher.economy)
            if _signed(state, each) is not None
        }
        key = self._clearances.key
        faults: dict[int, RowFault] = {}
        cleared: dict[int, Cleared] = {}
        seen: set[bytes] = set()
        for number, clearance in enumerate(clearances):
            try:
                made = read_clearance(clearance, key, own, self._publisher.economy, now)
            except Faulty as faulty:
                faults[number] = faulty.fault
                continue
            if made.declaration in seen:
                faults[number] = Faulty("DECLARATION_KNOWN").fault
                continue
            seen.add(made.declaration)
            cleared[number] = made
        known = self._clearances.known([each.declaration for each in cleared.values()])
        for number, made in cleared.items():
            if made.declaration in known:
                faults[number] = Faulty("DECLARATION_KNOWN").fault
        new = [made for made in cleared.values() if made.declaration not in known]
        response = pb.RecordClearancesResponse(
            recorded=len(new),
            faults=[
                pb.ClearanceFault(index=number, code=fault.code, message=fault.message)
                for number, fault in sorted(faults.items())
            ],
        )
        data = response.SerializeToString()
        self._clearances.record(idempotency_key, digest, data, new)
        return _answer(data, repeated=False)

    def put_figures(
        self, arrangement_id: bytes, begin: int, end: int, figures: Sequence[Figure]
    ) -> None:
        """Keep reported figures of a period."""
        self._clearances.put_figures(arrangement_id, begin, end, figures)

    def aggregates(self, arrangement_id: bytes, begin: int, end: int) -> tuple[Aggregates, int]:
        """The figures of a period as they may be published, and of how many declarations."""
        state, economy = self._current(), self._publisher.economy
        history = state.arrangement(arrangement_id)
        assert history is not None, "the caller looked"
        partners = set(history.text.parties) - {economy}
        rows = [
            row
            for row in self._clearances.cleared(begin, end)
            if row.partner in partners or row.recognised_under == arrangement_id
        ]
        figures = self._clearances.figures(arrangement_id, begin, end)
        return aggregate(rows, arrangement_id, _benefits(history, economy), figures), len(rows)

    def publish(
        self,
        arrangement_id: bytes,
        begin: int,
        end: int,
        coverage: report_pb2.Coverage,
        wait_s: float,
    ) -> PublishedReport:
        """Publish the report of a period; answers once it is recorded.

        Raises `StepRefused`, `ReportTooTelling`, `TooLate` or `EngineStopped`.
        """
        found, _ = self.aggregates(arrangement_id, begin, end)
        message = report_pb2.MonitoringReport(
            arrangement_id=arrangement_id,
            to=end,
            coverage=coverage,
            release_times=found.release_times,
            shares=found.shares,
            counts=found.counts,
        )
        setattr(message, "from", begin)
        data = format_report(message)
        small = small_figure(message)
        if small is not None:
            raise ReportTooTelling(small)
        name = ReportName(arrangement_id, self._publisher.economy, begin, end)
        self._take(report_pb2.ReportStep(publish=data), wait_s)
        return self._current().reports[name]

    def sign(self, name: ReportName, report_hash: bytes, wait_s: float) -> PublishedReport:
        """Stand by another party's report with this hash; answers once that is recorded."""
        signature = report_pb2.ReportSignature(
            arrangement_id=name.arrangement_id,
            reporter=name.reporter,
            to=name.end,
            report_hash=report_hash,
        )
        setattr(signature, "from", name.begin)
        self._take(report_pb2.ReportStep(co_sign=signature), wait_s)
        return self._current().reports[name]

    def owed(self, arrangement_id: bytes) -> list[pb.OwedReport]:
        """The reports that the clause of an arrangement asks of each party, oldest first."""
        state, now = self._current(), self._clock.now_ms()
        history = _signed(state, arrangement_id)
        if history is None or not history.text.monitoring_period_days:
            return []
        assert history.complete is not None, "_signed"
        period = history.text.monitoring_period_days * DAY_MS
        first = history.complete.time
        ends = [end.instant for end in history.ends]
        last = min([now, *ends])
        begun = max(1, -(-(last - first) // period))  # periods, the running one included
        owed: list[pb.OwedReport] = []
        for number in range(max(0, begun - OWED_SHOWN), begun):
            begin = first + number * period
            for reporter in history.text.parties:
                if _covered(state, arrangement_id, reporter, begin, begin + period):
                    continue
                one = pb.OwedReport(
                    arrangement_id=arrangement_id,
                    reporter=reporter,
                    to=begin + period,
                    reports=history.text.monitoring_reports,
                    overdue=begin + period <= now,
                )
                setattr(one, "from", begin)
                owed.append(one)
        return owed

    def _take(self, step: report_pb2.ReportStep, wait_s: float) -> None:
        data = format_report_step(step)

        def fill(body: transaction_pb2.Transaction) -> None:
            body.report = data

        future = self._publisher.act(fill)
        try:
            place = future.result(wait_s)
        except TimeoutError:
            raise TooLate("the step is stored and will be recorded; list the reports") from None
        code = place.refusals[0] if place.refusals else ""
        if code:
            raise StepRefused(code, f"recorded in block {place.height} and refused: {code}")


def describe_report(report: PublishedReport) -> pb.PublishedReport:
    """A report on the ledger, as it is answered."""
    newest = next(
        record for record in reversed(report.records) if record.author == report.name.reporter
    )
    step = report_pb2.ReportStep.FromString(newest.record)
    described = pb.PublishedReport(
        reporter=report.name.reporter,
        report_bytes=step.publish,
        report_hash=report.report_hash,
        height=newest.height,
        time=newest.time,
        corrected=report.corrected,
        signed_by=report.signed_by,
    )
    described.report.ParseFromString(step.publish)
    return described


def _signed(state: State, arrangement_id: bytes) -> ArrangementHistory | None:
    if len(arrangement_id) != ARRANGEMENT_ID_BYTES:
        return None
    history = state.arrangement(arrangement_id)
    return history if history is not None and history.complete is not None else None


def _benefits(history: ArrangementHistory, economy: str) -> set[BenefitName]:
    """What the text promises in the member's own rules: it grants them, so it reports on them."""
    return {
        (benefit.code, benefit.granted_by)
        for rule in history.text.rules
        if rule.recognising == economy
        for benefit in rule.benefits
    }


def _covered(state: State, arrangement_id: bytes, reporter: str, begin: int, end: int) -> bool:
    """Whether reports of a party cover a period, edge to edge."""
    at = begin
    for name in sorted(state.reports):
        if name[:2] == (arrangement_id, reporter) and name.begin <= at < name.end:
            at = name.end
    return at >= end


def _answer(data: bytes, *, repeated: bool) -> Recorded:
    response = pb.RecordClearancesResponse.FromString(data)
    faults = {each.index: RowFault(each.code, each.message) for each in response.faults}
    return Recorded(response.recorded, faults, repeated)
