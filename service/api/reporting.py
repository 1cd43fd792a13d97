"""ReportingService: clearances come in, keyed; aggregates go out, small cells withheld.

Officers record and read; a report on the ledger and a signature under another's take two persons,
since nothing takes them back. Reports on the ledger are for whoever may read arrangements.
"""

from collections.abc import Mapping
from typing import Any, Final

from aeo.exchange.v1 import reporting_service_pb2 as pb
from aeo.ledger.v1 import report_pb2
from ledger.chain.economy import parse_economy
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.customs.arrangement_text import CODE_FORM
from ledger.customs.report import ReportName
from ledger.customs.status import INSTANT_LIMIT
from ledger.hashing import HASH_BYTES
from service.api.arrangement_summary import always, when
from service.api.caller import RIGHTS, Right
from service.api.failures import Illegal, InvalidField, NotFound, naming
from service.api.hosted import failures, hosted_member, time_to_wait
from service.api.method import Call, FourEyes, Method, unary
from service.node.monitoring.desk import MAX_CLEARANCES, ReportTooTelling, describe_report
from service.node.node import HostedMember, Node
from service.store.home.clearances import Figure

SERVICE: Final = "aeo.exchange.v1.ReportingService"
KEY_CHARACTERS: Final = 64
# Codes and reasons of one period: far more than anybody keeps.
MAX_FIGURES: Final = 200


class ReportingServicer:
    """Monitoring for the members that one node hosts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        prepare, read = RIGHTS[Right.PREPARE], RIGHTS[Right.READ_PUBLICATIONS]
        publishing = FourEyes(
            always, _summarise_report, pb.PublishReportResponse, self._check_report, repeatable=True
        )
        signing = FourEyes(
            always, _summarise_signature, pb.SignReportResponse, self._check_signature, True
        )
        return {
            "RecordClearances": unary(self.record_clearances, pb.RecordClearancesRequest, prepare),
            "RecordFigures": unary(self.record_figures, pb.RecordFiguresRequest, prepare),
            "GetReleaseTimes": unary(self.get_release_times, pb.GetReleaseTimesRequest, read),
            "GetIndicators": unary(self.get_indicators, pb.GetIndicatorsRequest, read),
            "PublishReport": unary(
                self.publish_report, pb.PublishReportRequest, prepare, publishing
            ),
            "SignReport": unary(self.sign_report, pb.SignReportRequest, prepare, signing),
            "ListReports": unary(
                self.list_reports,
                pb.ListReportsRequest,
                RIGHTS[Right.READ_ARRANGEMENTS],
            ),
        }

    def record_clearances(
        self, request: pb.RecordClearancesRequest, call: Call
    ) -> pb.RecordClearancesResponse:
        """Keep every good declaration."""
        member = hosted_member(self._node, call, request.economy)
        if not 1 <= len(request.idempotency_key) <= KEY_CHARACTERS:
            raise InvalidField("idempotency_key", f"1 to {KEY_CHARACTERS} characters")
        if not 1 <= len(request.clearances) <= MAX_CLEARANCES:
            raise InvalidField(
                "clearances", f"1 to {MAX_CLEARANCES}, not {len(request.clearances)}"
            )
        done = member.monitoring.record(request.idempotency_key, request.clearances)
        return pb.RecordClearancesResponse(
            recorded=done.recorded,
            faults=[
                pb.ClearanceFault(index=number, code=fault.code, message=fault.message)
                for number, fault in sorted(done.faults.items())
            ],
            repeated_call=done.repeated,
        )

    def record_figures(
        self, request: pb.RecordFiguresRequest, call: Call
    ) -> pb.RecordFiguresResponse:
        """Keep reported figures of a period."""
        member, begin, end = self._period(request, call)
        if not 1 <= len(request.figures) <= MAX_FIGURES:
            raise InvalidField("figures", f"1 to {MAX_FIGURES}, not {len(request.figures)}")
        figures: dict[tuple[int, str], Figure] = {}
        for figure in request.figures:
            if figure.code not in pb.ReportedCode.values()[1:]:
                raise InvalidField("figures", "no such code")
            refused = figure.code == pb.REPORTED_CODE_APPLICATIONS_REFUSED
            if bool(figure.reason) != refused or (
                refused and not CODE_FORM.fullmatch(figure.reason)
            ):
                raise InvalidField(
                    "figures", "refused applications, and no others, have a reason's code"
                )
            if figure.count >= INSTANT_LIMIT:
                raise InvalidField("figures", "a count is below 2^63")
            if (figure.code, figure.reason) in figures:
                raise InvalidField("figures", "a figure stands twice")
            figures[figure.code, figure.reason] = Figure(figure.code, figure.reason, figure.count)
        member.monitoring.put_figures(request.arrangement_id, begin, end, tuple(figures.values()))
        return pb.RecordFiguresResponse()

    def get_release_times(
        self, request: pb.GetReleaseTimesRequest, call: Call
    ) -> pb.GetReleaseTimesResponse:
        """The member's own figures, as they would be published."""
        member, begin, end = self._period(request, call)
        found, declarations = member.monitoring.aggregates(request.arrangement_id, begin, end)
        return pb.GetReleaseTimesResponse(
            release_times=found.release_times, declarations=declarations
        )

    def get_indicators(
        self, request: pb.GetIndicatorsRequest, call: Call
    ) -> pb.GetIndicatorsResponse:
        """Every indicator with its denominator, as it would be published."""
        member, begin, end = self._period(request, call)
        found, _ = member.monitoring.aggregates(request.arrangement_id, begin, end)
        return pb.GetIndicatorsResponse(shares=found.shares, counts=found.counts)

    def publish_report(
        self, request: pb.PublishReportRequest, call: Call
    ) -> pb.PublishReportResponse:
        """Compute the report of a period and put it on the ledger."""
        member, begin, end = self._check_report(request, call)
        try:
            with failures("to"):
                report = member.monitoring.publish(
                    request.arrangement_id, begin, end, request.coverage, time_to_wait(call)
                )
        except ReportTooTelling as error:
            raise Illegal("SMALL_CELL", str(error)) from None
        return pb.PublishReportResponse(report=describe_report(report))

    def sign_report(self, request: pb.SignReportRequest, call: Call) -> pb.SignReportResponse:
        """Stand by another party's figures."""
        member, name = self._check_signature(request, call)
        with failures("report_hash"):
            report = member.monitoring.sign(name, request.report_hash, time_to_wait(call))
        return pb.SignReportResponse(report=describe_report(report))

    def list_reports(self, request: pb.ListReportsRequest, call: Call) -> pb.ListReportsResponse:
        """Reports on the ledger, and those that are owed."""
        member = hosted_member(self._node, call, request.economy)
        state = self._node.state
        if request.arrangement_id:
            self._check_arrangement(request.arrangement_id)
            wanted: tuple[bytes, ...] = (request.arrangement_id,)
        else:
            wanted = tuple(sorted(state.own_arrangements(member.economy)))
        return pb.ListReportsResponse(
            reports=[
                describe_report(state.reports[name])
                for name in sorted(state.reports)
                if name.arrangement_id in wanted
            ],
            owed=[
                owed
                for arrangement_id in wanted
                if arrangement_id in state.own_arrangements(member.economy)
                for owed in member.monitoring.owed(arrangement_id)
            ],
        )

    def _check_report(
        self, request: pb.PublishReportRequest, call: Call
    ) -> tuple[HostedMember, int, int]:
        member, begin, end = self._period(request, call)
        if request.coverage not in report_pb2.Coverage.values()[1:]:
            raise InvalidField("coverage", "census or sample")
        if end > self._node.clock.now_ms():
            raise Illegal("PERIOD_NOT_OVER", "the period of the report is not over")
        return member, begin, end

    def _check_signature(
        self, request: pb.SignReportRequest, call: Call
    ) -> tuple[HostedMember, ReportName]:
        member, begin, end = self._period(request, call)
        if len(request.report_hash) != HASH_BYTES:
            raise InvalidField("report_hash", f"{HASH_BYTES} bytes")
        with naming("reporter"):
            reporter = parse_economy(request.reporter.encode())
        name = ReportName(request.arrangement_id, reporter, begin, end)
        if name not in self._node.state.reports:
            raise NotFound("REPORT", f"no report of {reporter} on that period")
        return member, name

    def _period(self, request: Any, call: Call) -> tuple[HostedMember, int, int]:
        member = hosted_member(self._node, call, request.economy)
        self._check_arrangement(request.arrangement_id)
        state = self._node.state
        if request.arrangement_id not in state.own_arrangements(member.economy):
            raise Illegal("NOT_A_PARTY", f"{member.economy} is not a party of the arrangement")
        begin, end = getattr(request, "from"), request.to
        if not 0 < begin < INSTANT_LIMIT:
            raise InvalidField("from", "an instant after 1970")
        if not begin < end:
            raise InvalidField("to", "after the beginning of the period")
        return member, begin, end

    def _check_arrangement(self, arrangement_id: bytes) -> None:
        if len(arrangement_id) != ARRANGEMENT_ID_BYTES:
            raise InvalidField("arrangement_id", f"{ARRANGEMENT_ID_BYTES} bytes")
        if self._node.state.arrangement(arrangement_id) is None:
            raise NotFound("ARRANGEMENT", f"no arrangement {arrangement_id.hex()}")


def _summarise_report(request: pb.PublishReportRequest) -> str:
    """Which period's figures go on the ledger."""
    return (
        f"publish the report on arrangement {request.arrangement_id.hex()}, {_period_of(request)}"
    )


def _summarise_signature(request: pb.SignReportRequest) -> str:
    """Whose report is signed, with which hash."""
    return (
        f"sign the report of {request.reporter} on arrangement {request.arrangement_id.hex()}, "
        f"{_period_of(request)}, hash {request.report_hash.hex()}"
    )


def _period_of(request: Any) -> str:
    return f"{when(getattr(request, 'from'))} to {when(request.to).removeprefix('from ')}"
