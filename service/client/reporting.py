"""Monitoring arrangements: record clearances, read the figures, publish and sign reports."""

from collections.abc import Sequence
from typing import Any, NamedTuple, TypeAlias

from aeo.exchange.v1 import reporting_service_pb2 as pb
from aeo.exchange.v1.reporting_service_pb2_grpc import ReportingServiceStub
from aeo.ledger.v1 import report_pb2
from service.client.approvals import Pending
from service.client.connection import Connection

RECORDED_DEADLINE = 30.0
"""Seconds: a call that writes to the ledger answers when the step is recorded."""


Reported: TypeAlias = pb.PublishedReport | Pending[pb.PublishedReport]
"""A report as it stands on the ledger, or a step that waits for a second person."""


class Period(NamedTuple):
    """Of an arrangement, from `begin` to `end` (Unix milliseconds, half-open)."""

    arrangement_id: bytes
    begin: int
    end: int


class ReportingClient:
    """`ReportingService` of one node, for the caller's own economy unless `economy` is given."""

    def __init__(self, connection: Connection, economy: str = "") -> None:
        self._connection = connection
        self._economy = economy
        self._stub = ReportingServiceStub(connection.channel)

    def record(
        self,
        idempotency_key: str,
        clearances: Sequence[pb.Clearance],
        deadline: float | None = None,
    ) -> pb.RecordClearancesResponse:
        """Hand in up to 3,000 declarations; durable when this returns, and safe to repeat."""
        request = pb.RecordClearancesRequest(
            idempotency_key=idempotency_key, clearances=clearances, economy=self._economy
        )
        return self._connection.call(self._stub.RecordClearances, request, deadline)

    def record_figures(self, period: Period, figures: Sequence[pb.ReportedFigure]) -> None:
        """Report figures of a period; one of the same code and reason is replaced."""
        request = pb.RecordFiguresRequest(
            arrangement_id=period.arrangement_id,
            to=period.end,
            figures=figures,
            economy=self._economy,
        )
        setattr(request, "from", period.begin)
        self._connection.call(self._stub.RecordFigures, request)

    def release_times(self, period: Period) -> pb.GetReleaseTimesResponse:
        """The member's own release times, as they would be published."""
        request = pb.GetReleaseTimesRequest(
            arrangement_id=period.arrangement_id, to=period.end, economy=self._economy
        )
        setattr(request, "from", period.begin)
        return self._connection.call(self._stub.GetReleaseTimes, request)

    def indicators(self, period: Period) -> pb.GetIndicatorsResponse:
        """Every indicator with its denominator, as it would be published."""
        request = pb.GetIndicatorsRequest(
            arrangement_id=period.arrangement_id, to=period.end, economy=self._economy
        )
        setattr(request, "from", period.begin)
        return self._connection.call(self._stub.GetIndicators, request)

    def publish(
        self,
        period: Period,
        coverage: report_pb2.Coverage = report_pb2.COVERAGE_CENSUS,
        deadline: float = RECORDED_DEADLINE,
    ) -> Reported:
        """Put the report of a period that is over on the ledger."""
        request = pb.PublishReportRequest(
            arrangement_id=period.arrangement_id,
            to=period.end,
            coverage=coverage,
            economy=self._economy,
        )
        setattr(request, "from", period.begin)
        return _result(self._connection.call(self._stub.PublishReport, request, deadline))

    def sign(
        self,
        period: Period,
        reporter: str,
        report_hash: bytes,
        deadline: float = RECORDED_DEADLINE,
    ) -> Reported:
        """Stand by the report of another party that has this hash."""
        request = pb.SignReportRequest(
            arrangement_id=period.arrangement_id,
            reporter=reporter,
            to=period.end,
            report_hash=report_hash,
            economy=self._economy,
        )
        setattr(request, "from", period.begin)
        return _result(self._connection.call(self._stub.SignReport, request, deadline))

    def reports(self, arrangement_id: bytes = b"") -> pb.ListReportsResponse:
        """Reports on the ledger, and those that monitoring clauses ask for."""
        request = pb.ListReportsRequest(arrangement_id=arrangement_id, economy=self._economy)
        return self._connection.call(self._stub.ListReports, request)


def _result(response: Any) -> Reported:
    """The report, or the step that waits."""
    if not response.HasField("pending"):
        report: pb.PublishedReport = response.report
        return report
    of: Any = type(response)
    return Pending(response.pending, lambda data: of.FromString(data).report)
