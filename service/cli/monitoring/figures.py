"""`aeo report record`, `figure`, `indicators`, `publish`, `sign`, `list`: monitoring by a node."""

from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple, cast

import typer
from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import reporting_service_pb2 as pb
from aeo.ledger.v1 import report_pb2
from service.cli import exits
from service.cli.civil import format_day, format_instant, format_last_day, parse_instant
from service.cli.commands import JsonOption, examples
from service.cli.errors import InputRefused
from service.cli.governing.network_facts import NetworkFacts
from service.cli.monitoring.clearance_file import read_clearances
from service.cli.monitoring.figures_text import (
    WITHHELD_NOTE,
    describe_count,
    describe_share,
    describe_times,
    indicators_table,
    name,
    times_table,
    words,
)
from service.cli.output import facts, progress, show, table, warn
from service.cli.profile import Profile, calls_node
from service.cli.publishing.pending import show_pending
from service.cli.publishing.publication import new_key
from service.cli.publishing.register_file import Fault
from service.cli.text_file import read_text_file
from service.client import Connection, Pending, Period, ReportingClient

# Declarations of one call; a node takes 3,000.
CHUNK: Final = 2_000
_KNOWN: Final = "DECLARATION_KNOWN"
_FIGURES: Final = {
    code.removeprefix("REPORTED_CODE_"): pb.ReportedCode.Value(code)
    for code in pb.ReportedCode.keys()[1:]
}

Named = Annotated[str, typer.Argument(help="The arrangement, by name or id.")]
From = Annotated[str, typer.Option("--from", help="First day of the period, in your own zone.")]
To = Annotated[str, typer.Option("--to", help="Last day of the period, included.")]


class _Asked(NamedTuple):
    """A period as people gave it, and the zone of their days."""

    period: Period
    network: NetworkFacts
    zone: str

    def title(self) -> str:
        names = self.network.arrangement_names
        called = names.get(self.period.arrangement_id) or self.period.arrangement_id.hex()
        first, last = format_day(self.period.begin, self.zone), format_last_day(*self._end())
        return f"{called}, {first} to {last}"

    def _end(self) -> tuple[int, str]:
        return self.period.end, self.zone

    def described(self) -> dict[str, Any]:
        return {
            "arrangement_id": self.period.arrangement_id.hex(),
            "from": self.period.begin,
            "to": self.period.end,
        }


def asked(connection: Connection, profile: Any, arrangement: str, first: str, last: str) -> _Asked:
    """Read an arrangement and a period, days in the caller's own zone."""
    network = NetworkFacts(connection, profile)
    zone = network.time_zone(profile.economy())
    begin = parse_instant(first, zone)
    end = parse_instant(last, zone, last_day=True)
    if not 0 < begin < end:
        raise InputRefused(f"no period: {first} to {last}")
    return _Asked(Period(network.arrangement_id(arrangement), begin, end), network, zone)


def own_release_times(profile: Any, arrangement: str, first: str, last: str, *, json: bool) -> None:
    """The node's own release times of a period."""
    with profile.connect() as connection:
        question = asked(connection, profile, arrangement, first, last)
        found = ReportingClient(connection).release_times(question.period)
        title = question.title()
    show(
        {
            **question.described(),
            "declarations": found.declarations,
            "release_times": [describe_times(each) for each in found.release_times],
        },
        lambda: Group(
            Text(f"Release times: {title}; {found.declarations:,} declarations"),
            times_table(found.release_times)
            if found.release_times
            else Text("not available: no declaration of the period is recorded"),
            Text(WITHHELD_NOTE),
        ),
        as_json=json,
    )


@calls_node
def record(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV file, one row a declaration: declaration, operator, partner, mode, "
            "clearance, lodged, released, and what else is known."
        ),
    ],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Record declarations as they were cleared; they stay at home, keyed.

    A declaration counts once: one that was recorded before is left alone. Exit code 1: some rows
    were faulty.
    """
    text = read_text_file(file)
    economy = profile.economy()
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        known = network.arrangement_ids(economy)
        rows, faults = read_clearances(text, known, network.time_zone(economy))
        client = ReportingClient(connection)
        recorded = before = 0
        with progress("Recording", len(rows), "rows") as done:
            for start in range(0, len(rows), CHUNK):
                chunk = rows[start : start + CHUNK]
                said = client.record(new_key(), [row.clearance for row in chunk])
                recorded += said.recorded
                before += sum(each.code == _KNOWN for each in said.faults)
                faults += [
                    Fault(chunk[each.index].line, each.code, each.message)
                    for each in said.faults
                    if each.code != _KNOWN
                ]
                done(start + len(chunk))
    faults.sort(key=lambda each: each.line)
    show(
        {
            "file": str(file),
            "recorded": recorded,
            "recorded_before": before,
            "faults": [
                {"line": each.line, "place": each.column, "message": each.message}
                for each in faults
            ],
        },
        lambda: facts(
            [
                ("declarations recorded", f"{recorded:,}"),
                ("recorded before", f"{before:,}"),
                ("faulty", f"{len(faults):,}"),
            ]
        ),
        as_json=json,
    )
    for fault in faults:
        warn(f"{file}: {fault}")
    if faults:
        raise typer.Exit(exits.NO)


@calls_node
def figure(
    arrangement: Named,
    code: Annotated[str, typer.Argument(help=f"One of {', '.join(_FIGURES)}.")],
    count: Annotated[int, typer.Argument(min=0, help="How many.")],
    first: From,
    last: To,
    *,
    reason: Annotated[str, typer.Option(help="Of refused applications, a code of yours.")] = "",
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Report a figure of a period that no declaration shows; again, and it is replaced."""
    wanted = code.upper().replace("-", "_")
    if wanted not in _FIGURES:
        raise InputRefused(f"{code} is none of {', '.join(_FIGURES)}")
    with profile.connect() as connection:
        question = asked(connection, profile, arrangement, first, last)
        reported = pb.ReportedFigure(
            code=cast("pb.ReportedCode", _FIGURES[wanted]), reason=reason.upper(), count=count
        )
        ReportingClient(connection).record_figures(question.period, [reported])
    result = {**question.described(), "code": code.upper(), "reason": reason, "count": count}
    show(result, lambda: Text(f"{words(code)}: {count:,}"), as_json=json)


@calls_node
def indicators(
    arrangement: Named, first: From, last: To, *, json: JsonOption = False, profile: Profile
) -> None:
    """Show every indicator of a period with its denominator, as it may be published."""
    with profile.connect() as connection:
        question = asked(connection, profile, arrangement, first, last)
        found = ReportingClient(connection).indicators(question.period)
        title = question.title()
    show(
        {
            **question.described(),
            "shares": [describe_share(each) for each in found.shares],
            "counts": [describe_count(each) for each in found.counts],
        },
        lambda: Group(
            Text(f"Indicators: {title}"),
            indicators_table(found.shares, found.counts),
            Text(WITHHELD_NOTE),
        ),
        as_json=json,
    )


@calls_node
def publish(
    arrangement: Named,
    first: From,
    last: To,
    *,
    sample: Annotated[
        bool, typer.Option("--sample", help="What was recorded is a sample, not all.")
    ] = False,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Put the report of a period that is over on the ledger; again, and it is corrected.

    Takes two persons: nothing takes a report back.
    """
    with profile.connect() as connection:
        question = asked(connection, profile, arrangement, first, last)
        coverage = report_pb2.COVERAGE_SAMPLE if sample else report_pb2.COVERAGE_CENSUS
        made = ReportingClient(connection).publish(question.period, coverage)
        _show_one(made, question.network, json=json)


@calls_node
def sign(
    arrangement: Named,
    reporter: Annotated[str, typer.Argument(help="Who published the report.")],
    report_hash: Annotated[str, typer.Argument(help="Its hash, as `aeo report list` shows it.")],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Stand by another party's report: a joint study. Takes two persons."""
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        client = ReportingClient(connection)
        shared = network.arrangement_id(arrangement)
        found = [
            each
            for each in client.reports(shared).reports
            if each.reporter == reporter.upper() and each.report_hash.hex() == report_hash.lower()
        ]
        if not found:
            raise InputRefused(f"no report of {reporter} has that hash; a correction has another")
        [report] = found
        period = Period(shared, getattr(report.report, "from"), report.report.to)
        made = client.sign(period, report.reporter, report.report_hash)
        _show_one(made, network, json=json)


@calls_node
def list_reports(
    arrangement: Annotated[
        str | None, typer.Argument(help="By name or id; without it, all of yours.")
    ] = None,
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """List the reports on the ledger, and those that monitoring clauses ask for.

    Exit code 1: a report of yours is overdue.
    """
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        economy = profile.economy()
        zone = network.time_zone(economy)
        wanted = network.arrangement_id(arrangement) if arrangement else b""
        found = ReportingClient(connection).reports(wanted)
        names = network.arrangement_names
        reports = [_cells(each, names, zone) for each in found.reports]
        owed = [
            (
                names.get(each.arrangement_id) or each.arrangement_id.hex(),
                each.reporter,
                _days(getattr(each, "from"), each.to, zone),
                ", ".join(each.reports),
                "overdue" if each.overdue else "",
            )
            for each in found.owed
        ]
    overdue = any(each.overdue and each.reporter == economy for each in found.owed)

    def for_people() -> Group:
        headings = ("arrangement", "reporter", "period", "hash", "recorded", "signed by")
        return Group(
            table(*headings, rows=reports) if reports else Text("no report is on the ledger"),
            Text(""),
            table("arrangement", "reporter", "period", "reports", "owed", rows=owed)
            if owed
            else Text("no monitoring clause asks for one"),
        )

    result = {
        "reports": [_describe(each, names) for each in found.reports],
        "owed": [
            {
                "arrangement_id": each.arrangement_id.hex(),
                "reporter": each.reporter,
                "from": getattr(each, "from"),
                "to": each.to,
                "reports": list(each.reports),
                "overdue": each.overdue,
            }
            for each in found.owed
        ],
    }
    show(result, for_people, as_json=json)
    if overdue:
        raise typer.Exit(exits.NO)


def register(app: typer.Typer) -> None:
    """Add the commands to `aeo report`."""
    period = "--from 2026-01-01 --to 2026-03-31 --profile clients/NZ/officer.toml"
    for command, called, lines in (
        (record, "record", ["aeo report record cleared.csv --profile clients/NZ/officer.toml"]),
        (figure, "figure", [f"aeo report figure CN-NZ APPLICATIONS_GRANTED 61 {period}"]),
        (indicators, "indicators", [f"aeo report indicators CN-NZ {period}"]),
        (publish, "publish", [f"aeo report publish CN-NZ {period}"]),
        (sign, "sign", ["aeo report sign CN-NZ CN 4f1c... --profile clients/NZ/officer.toml"]),
        (list_reports, "list", ["aeo report list CN-NZ", "aeo report list --json"]),
    ):
        app.command(called, epilog=examples(*lines))(command)


def _show_one(
    report: pb.PublishedReport | Pending[pb.PublishedReport], network: NetworkFacts, *, json: bool
) -> None:
    if isinstance(report, Pending):
        show_pending(report.step, as_json=json)
        return
    names = network.arrangement_names
    described = _describe(report, names)
    show(
        described,
        lambda: facts(
            [
                ("report", f"{described['arrangement']}, of {report.reporter}"),
                ("hash", report.report_hash.hex()),
                ("ledger", f"height {report.height}"),
                ("corrects", str(report.corrected) if report.corrected else ""),
                ("signed by", ", ".join(report.signed_by)),
            ]
        ),
        as_json=json,
    )


def _describe(report: pb.PublishedReport, names: Mapping[bytes, str]) -> dict[str, Any]:
    message = report.report
    return {
        "arrangement_id": message.arrangement_id.hex(),
        "arrangement": names.get(message.arrangement_id, ""),
        "reporter": report.reporter,
        "from": getattr(message, "from"),
        "to": message.to,
        "coverage": name(report_pb2.Coverage, message.coverage, "COVERAGE_"),
        "report_hash": report.report_hash.hex(),
        "height": report.height,
        "time": report.time,
        "corrected": report.corrected,
        "signed_by": list(report.signed_by),
        "release_times": [describe_times(each) for each in message.release_times],
        "shares": [describe_share(each) for each in message.shares],
        "counts": [describe_count(each) for each in message.counts],
    }


def _cells(report: pb.PublishedReport, names: Mapping[bytes, str], zone: str) -> tuple[str, ...]:
    message = report.report
    return (
        names.get(message.arrangement_id) or message.arrangement_id.hex(),
        report.reporter,
        _days(getattr(message, "from"), message.to, zone),
        report.report_hash.hex(),
        format_instant(report.time, zone),
        ", ".join(report.signed_by),
    )


def _days(begin: int, end: int, zone: str) -> str:
    return f"{format_day(begin, zone)} to {format_last_day(end, zone)}"
