"""The scene of monitoring: what one member measured, told without telling of anybody; a joint
study; and a trader that no longer agrees to be shared."""

from collections.abc import Iterator, Mapping, Sequence
from fractions import Fraction
from random import Random
from time import monotonic, time
from typing import Final

from rich.console import Console

from aeo.exchange.v1 import consent_service_pb2, reporting_service_pb2
from aeo.ledger.v1 import arrangement_pb2, report_pb2
from ledger.customs.release_times import format_percent
from ledger.customs.small_cells import DECLARATIONS, OPERATORS
from service.client import ApprovalClient, ConsentClient, Period, ReportingClient, StatusClient
from service.demo.firms import Firm
from service.demo.questions import Asked
from service.demo.stage import Stage
from service.demo.telling import Unexpected, answer_words, show_table

# Traders opt in to this one.
ARRANGEMENT: Final = "KR-TW"
REPORTER: Final = "TW"
PARTNER: Final = "KR"
_PERIOD_MS: Final = 90 * 86_400_000
_SEED: Final = 20_211_014
_SEEN_SECONDS: Final = 10.0
_MINUTE_MS: Final = 60_000
_CUSTOMS: Final = "CUSTOMS"
_MODE_WORDS: Final = {1: "sea", 4: "air", 5: "mail"}
_MODES: Final = tuple(_MODE_WORDS)
# Made-up declarations of each mode: recognised, and of traders without any status.
_NUMBERS: Final = {1: (260, 420), 4: (180, 240), 5: (4, 60)}
# Made-up shares of examined cargo in a hundred.
_EXAMINED: Final = {True: 6, False: 15}
_SHARE_WORDS: Final = {
    report_pb2.SHARE_CODE_PARTICIPATION: "participation: certified SMEs / SMEs that trade directly",
    report_pb2.SHARE_CODE_TRADE_BY_DECLARATIONS: "trade: declarations RECOGNISED / all",
    report_pb2.SHARE_CODE_TRADE_BY_VALUE: "trade: value RECOGNISED / all",
    report_pb2.SHARE_CODE_EXAMINATION: "examined / all declarations of the group",
    report_pb2.SHARE_CODE_USE: "use: declarations given it / declarations RECOGNISED",
    report_pb2.SHARE_CODE_CHAIN_PARTIES: "AEO / all declared chain parties",
}


def show_monitoring(
    stage: Stage,
    console: Console,
    firms: Mapping[str, Sequence[Firm]],
    ids: Mapping[str, bytes],
) -> None:
    """Record, show, publish, sign; then end one consent."""
    end = int(time() * 1000) - _MINUTE_MS
    period = Period(ids[ARRANGEMENT], end - _PERIOD_MS, end)
    _measure(stage, console, firms, period)
    _publish(stage, console, period)
    _withdraw(stage, console, firms[PARTNER], ids[ARRANGEMENT])


def _measure(
    stage: Stage, console: Console, firms: Mapping[str, Sequence[Firm]], period: Period
) -> None:
    officer = ReportingClient(stage.connection(REPORTER, "officer"))
    made = list(_clearances(firms[PARTNER], period))
    answer = officer.record("demo-clearances", made)
    if answer.faults or answer.recorded != len(made):
        raise Unexpected(f"clearances: {answer.faults[:1]}")
    times = officer.release_times(period).release_times
    rows = [
        (
            _MODE_WORDS[each.transport_mode],
            _words(report_pb2.ClearanceMode.Name(each.clearance_mode), "CLEARANCE_MODE_"),
            _words(report_pb2.ReleaseGroup.Name(each.group), "RELEASE_GROUP_"),
            *_cells(each),
        )
        for each in times
        if each.state in {report_pb2.FIGURE_STATE_GIVEN, report_pb2.FIGURE_STATE_WITHHELD}
    ]
    if not any(row[3] == "withheld" for row in rows):
        raise Unexpected("no small cell was withheld")
    title = (
        f"{REPORTER} measures {ARRANGEMENT}: lodgement to release of {len(made):,} made-up "
        f"declarations (cells below {OPERATORS} operators or {DECLARATIONS} declarations withheld)"
    )
    headings = ("mode", "clearance", "group", "declarations#", "median#", "90 %#")
    show_table(console, title, headings, rows)
    indicators = [
        (_SHARE_WORDS[each.code], _of(each), *_figure(each))
        for each in officer.indicators(period).shares
    ]
    of_shares = ("indicator", "of", "figure#", "share#")
    show_table(console, "Indicators, each with its denominator", of_shares, indicators)


def _publish(stage: Stage, console: Console, period: Period) -> None:
    made = ReportingClient(stage.connection(REPORTER, "officer")).publish(period)
    report = ApprovalClient(stage.connection(REPORTER, "approver")).complete(made)
    partner = ReportingClient(stage.connection(PARTNER, "officer"))
    [found] = partner.reports(period.arrangement_id).reports
    if found.report_hash != report.report_hash:
        raise Unexpected("the partner sees another report")
    made = partner.sign(period, REPORTER, found.report_hash)
    signed = ApprovalClient(stage.connection(PARTNER, "approver")).complete(made)
    if list(signed.signed_by) != [PARTNER]:
        raise Unexpected(f"signed by {list(signed.signed_by)}")
    console.print(
        f"\nThe report is on the ledger at height {report.height:,}, {len(report.report_bytes):,} "
        f"bytes of aggregates and nothing else; {PARTNER} has signed the same bytes.",
        highlight=False,
    )


def _withdraw(stage: Stage, console: Console, firms: Sequence[Firm], arrangement: bytes) -> None:
    client = StatusClient(stage.connection(REPORTER, "risk-engine"))
    # From the end of the list: other scenes ask about those at its beginning.
    for firm in reversed(firms):
        asked = Asked(REPORTER, firm.tin, mode=4)
        if ARRANGEMENT not in firm.declined and client.ask(asked.question()).recognised:
            break
    else:
        raise Unexpected(f"{REPORTER} recognises no trader of {PARTNER}")
    officer = ConsentClient(stage.connection(PARTNER, "officer"))
    step = consent_service_pb2.ConsentStep(tin=firm.tin, arrangement_id=arrangement)
    began = monotonic()
    answer = officer.record([step])
    if answer.faults or not answer.ended_certificates:
        raise Unexpected(f"the consent did not end: {answer.faults[:1]}")
    while (verdict := client.ask(asked.question())).reason != "NOT_SHARED":
        if monotonic() - began > _SEEN_SECONDS:
            raise Unexpected(f"the end of the consent is not seen: {answer_words(verdict)}")
    console.print(
        f"[bold]{firm.name} ({firm.tin}) takes its consent back.[/] {PARTNER} ends sharing "
        f"{answer.ended_certificates} of its certificates; {REPORTER} sees {verdict.reason} after "
        f"{(monotonic() - began) * 1000:.0f} ms.",
        highlight=False,
    )


def _clearances(firms: Sequence[Firm], period: Period) -> Iterator[reporting_service_pb2.Clearance]:
    random = Random(_SEED)  # noqa: S311 - made up, nothing secret
    traders = [firm.tin for firm in firms if ARRANGEMENT not in firm.declined][:80]
    number = 0
    for mode in _MODES:
        for recognised, count in zip((True, False), _NUMBERS[mode], strict=True):
            for _ in range(count):
                number += 1
                examined = random.randrange(100) < _EXAMINED[recognised]
                minutes = random.randrange(5, 60 if recognised else 240) * (8 if examined else 1)
                lodged = period.begin + random.randrange(_PERIOD_MS - 4 * 86_400_000)
                one = reporting_service_pb2.Clearance(
                    declaration=f"DEMO-{number}",
                    operator=random.choice(traders) if recognised else f"X{number % 97}",
                    partner=PARTNER,
                    lodged_at=lodged,
                    released_at=lodged + minutes * _MINUTE_MS,
                    transport_mode=mode,
                    clearance_mode=(
                        report_pb2.CLEARANCE_MODE_CARGO_EXAMINATION
                        if examined
                        else report_pb2.CLEARANCE_MODE_FREE
                    ),
                    certified=recognised,
                    value=random.randrange(1_000, 90_000),
                    direct_trade=True,
                    small_or_medium=number % 3 == 0,
                    parties=4,
                    certified_parties=2 if recognised else 0,
                )
                if recognised:
                    one.recognised_under = period.arrangement_id
                    if not examined:
                        one.benefits_given.add(
                            code=arrangement_pb2.BENEFIT_CODE_LOWER_INSPECTION_RATE,
                            granted_by=_CUSTOMS,
                        )
                yield one


def _cells(times: report_pb2.ReleaseTimes) -> tuple[str, str, str]:
    if times.state != report_pb2.FIGURE_STATE_GIVEN:
        return "withheld", "", ""
    measured = times.measured
    minutes = [f"{each // _MINUTE_MS} min" for each in (measured.median, measured.percentile_90)]
    return f"{measured.declarations:,}", minutes[0], minutes[1]


def _figure(share: report_pb2.Share) -> tuple[str, str]:
    if share.state != report_pb2.FIGURE_STATE_GIVEN:
        return _words(report_pb2.FigureState.Name(share.state), "FIGURE_STATE_"), ""
    part, whole = share.given.numerator, share.given.denominator
    return f"{part:,} of {whole:,}", f"{format_percent(Fraction(part, whole) * 100)} %"


def _of(share: report_pb2.Share) -> str:
    if share.group:
        return _words(report_pb2.ReleaseGroup.Name(share.group), "RELEASE_GROUP_")
    if share.benefit:
        return _words(arrangement_pb2.BenefitCode.Name(share.benefit), "BENEFIT_CODE_")
    return ""


def _words(name: str, prefix: str) -> str:
    return name.removeprefix(prefix).replace("_", " ").lower()
