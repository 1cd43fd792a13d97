"""Reports read and refused; what is too small is found on the bytes alone."""

import pytest

from aeo.ledger.v1 import report_pb2 as pb
from ledger.customs.report import (
    REPORT_LIMIT,
    STEP_LIMIT,
    Report,
    format_report,
    format_report_step,
    parse_report,
    parse_report_step,
    report_hash,
)
from ledger.customs.small_cells import small_figure
from ledger.errors import FormatError
from ledger.wire import format_strict

GIVEN, WITHHELD = pb.FIGURE_STATE_GIVEN, pb.FIGURE_STATE_WITHHELD
NO_RECORDS = pb.FIGURE_STATE_NO_RECORDS
SHARED = b"a" * 16
WITH, OTHER, WITHOUT = 1, 2, 3


def report(*figures: object, **fields: object) -> pb.MonitoringReport:
    given = {"arrangement_id": SHARED, "from": 1, "to": 2, "coverage": pb.COVERAGE_CENSUS}
    message = pb.MonitoringReport(**(given | fields))
    for figure in figures:
        of = {pb.ReleaseTimes: "release_times", pb.Share: "shares", pb.Count: "counts"}
        getattr(message, of[type(figure)]).append(figure)
    return message


def times(
    declarations: int = 20, clearance: int = 1, group: int = WITHOUT, **fields: object
) -> pb.ReleaseTimes:
    given = {
        "stage": 1,
        "transport_mode": 1,
        "clearance_mode": clearance,
        "group": group,
        "state": GIVEN,
        "measured": measured(declarations),
    }
    return pb.ReleaseTimes(**(given | fields))


def measured(declarations: int = 20, operators: int = 6, **fields: object) -> pb.MeasuredTimes:
    given = {
        "declarations": declarations,
        "operators": operators,
        "sum": 900,
        "median": 40,
        "percentile_90": 90,
    }
    return pb.MeasuredTimes(**(given | fields))


def share(
    part: int, whole: int, code: int = pb.SHARE_CODE_CHAIN_PARTIES, **fields: object
) -> pb.Share:
    given = {"state": GIVEN, "given": pb.ShareFigures(numerator=part, denominator=whole)}
    return pb.Share(code=code, **(given | fields))


def examination(part: int, whole: int, group: int = WITHOUT) -> pb.Share:
    return share(part, whole, pb.SHARE_CODE_EXAMINATION, group=group)


def count(number: int, code: int = pb.COUNT_CODE_LOOK_UPS, **fields: object) -> pb.Count:
    return pb.Count(**({"code": code, "state": GIVEN, "count": number} | fields))


def test_what_is_written_is_read_again() -> None:
    message = report(
        times(),
        times(stage=2, state=NO_RECORDS, measured=None),
        share(10, 30),
        count(0),
        count(40, pb.COUNT_CODE_APPLICATIONS_REFUSED, reason="SOLVENCY"),
    )
    data = format_report(message)
    read = parse_report(data)
    assert (read.arrangement_id, read.begin, read.end) == (SHARED, 1, 2)
    assert (read.message, read.report_hash) == (message, report_hash(data))
    step = parse_report_step(format_report_step(pb.ReportStep(publish=data)))
    assert isinstance(step, Report)
    assert step == read


@pytest.mark.parametrize(
    "message",
    [
        report(arrangement_id=b"a" * 15),
        report(**{"from": 2}),
        report(to=1 << 63),
        report(coverage=0),
        report(times(stage=0)),
        report(times(clearance_mode=0)),
        report(times(group=0)),
        report(times(transport_mode=0)),
        report(times(transport_mode=9)),
        report(times(state=0)),
        report(times(state=WITHHELD)),
        report(times(measured=None)),
        report(times(measured=measured(0, 0))),
        report(times(measured=measured(5, 6))),
        report(times(measured=measured(median=91))),
        report(times(measured=measured(sum=89))),
        report(times(measured=measured(before_arrival=21))),
        report(times(measured=measured(taken_by=[pb.TimeTaken(who=1, declarations=21, sum=1)]))),
        report(times(measured=measured(taken_by=[pb.TimeTaken(who=0, declarations=12, sum=1)]))),
        report(times(), times()),
        report(times(group=WITHOUT), times(group=WITH)),
        report(share(1, 0)),
        report(share(31, 30)),
        report(share(10, 30, 0)),
        report(share(10, 30, group=WITH)),
        report(share(10, 30, pb.SHARE_CODE_EXAMINATION)),
        report(share(10, 30, pb.SHARE_CODE_USE)),
        report(share(10, 30, pb.SHARE_CODE_USE, benefit=1)),
        report(share(10, 30, pb.SHARE_CODE_USE, benefit=1, granted_by="customs")),
        report(share(10, 30, benefit=1, granted_by="CUSTOMS")),
        report(share(10, 30), share(10, 30)),
        report(share(10, 30, state=WITHHELD)),
        report(count(10, 0)),
        report(count(10, reason="X")),
        report(count(10, pb.COUNT_CODE_APPLICATIONS_REFUSED)),
        report(count(10, pb.COUNT_CODE_APPLICATIONS_REFUSED, reason="low")),
        report(count(10, pb.COUNT_CODE_BENEFITS_GIVEN)),
        report(pb.Count(code=1, state=GIVEN)),
        report(pb.Count(code=1, state=NO_RECORDS)),
        report(pb.Count(code=1, state=WITHHELD, count=0)),
    ],
)
def test_what_is_no_report(message: pb.MonitoringReport) -> None:
    with pytest.raises(FormatError):
        format_report(message)


def test_every_shorter_report_and_step_is_refused() -> None:
    data = format_report(report(times(), share(10, 30), count(10)))
    step = format_report_step(pb.ReportStep(publish=data))
    signature = format_report_step(
        pb.ReportStep(
            co_sign=pb.ReportSignature(
                arrangement_id=SHARED, reporter="HK", to=2, report_hash=b"h" * 32, **{"from": 1}
            )
        )
    )
    for whole, parse in ((data, parse_report), (step, parse_report_step)):
        for size in range(len(whole)):
            try:
                read = parse(whole[:size])
            except FormatError:
                continue
            assert read.message != parse_report(data).message  # figures cut off at an edge
    for size in range(len(signature)):
        with pytest.raises(FormatError):
            parse_report_step(signature[:size])


def test_sizes_are_capped_first() -> None:
    with pytest.raises(FormatError, match="at most"):
        parse_report(bytes(REPORT_LIMIT + 1))
    with pytest.raises(FormatError, match="at most"):
        parse_report_step(bytes(STEP_LIMIT + 1))


def test_the_largest_report_fits() -> None:
    big = 1 << 40
    cells = [
        times(
            stage=stage,
            transport_mode=mode,
            clearance_mode=clearance,
            group=group,
            measured=pb.MeasuredTimes(
                declarations=big,
                operators=big,
                sum=1 << 60,
                median=big,
                percentile_90=big,
                before_arrival=big,
                taken_by=[
                    pb.TimeTaken(who=who, declarations=big, sum=1 << 60) for who in (1, 2, 3, 4)
                ],
            ),
        )
        for stage in (1, 2)
        for mode in range(1, 9)
        for clearance in (1, 2, 3)
        for group in (1, 2, 3)
    ]
    assert len(format_report(report(*cells))) < REPORT_LIMIT * 3 // 4


@pytest.mark.parametrize(
    ("figures", "small"),
    [
        ([times(10, measured=measured(10, 5))], False),
        ([times(measured=measured(9, 5))], True),
        ([times(measured=measured(10, 4))], True),
        ([times(measured=measured(before_arrival=0))], False),
        ([times(measured=measured(before_arrival=20))], False),
        ([times(measured=measured(before_arrival=10))], False),
        ([times(measured=measured(before_arrival=9))], True),
        ([times(measured=measured(before_arrival=11))], True),  # 9 are left over
        ([times(measured=measured(taken_by=[pb.TimeTaken(who=1, declarations=9)]))], True),
        ([share(0, 10)], False),
        ([share(10, 10)], False),
        ([share(9, 40)], True),
        ([share(31, 40)], True),
        ([share(0, 9)], True),
        ([share(5, 10, pb.SHARE_CODE_PARTICIPATION)], False),
        ([share(4, 10, pb.SHARE_CODE_PARTICIPATION)], True),
        ([share(6, 10, pb.SHARE_CODE_PARTICIPATION)], True),
        ([count(0)], False),
        ([count(9)], True),
        ([count(5, pb.COUNT_CODE_APPLICATIONS_GRANTED)], False),
        ([count(4, pb.COUNT_CODE_APPLICATIONS_GRANTED)], True),
        (
            [
                count(20, pb.COUNT_CODE_APPLICATIONS_SUBMITTED),
                count(16, pb.COUNT_CODE_APPLICATIONS_GRANTED),
            ],
            True,
        ),
        # The tree: totals less the cells that are given.
        ([times(40), examination(0, 40)], False),
        ([times(40), examination(0, 43)], True),
        ([times(40), examination(0, 50)], False),
        ([times(20, 3), times(20, 1), examination(25, 60)], True),  # 5 examined elsewhere
        ([times(20, 3), examination(30, 60)], False),
        (
            [
                examination(0, 40, WITH),
                examination(0, 50),
                share(40, 94, pb.SHARE_CODE_TRADE_BY_DECLARATIONS),
            ],
            True,  # 4 of the third group
        ),
        (
            [
                examination(0, 40, WITH),
                examination(0, 50),
                share(40, 90, pb.SHARE_CODE_TRADE_BY_DECLARATIONS),
            ],
            False,
        ),
        (
            [
                share(40, 90, pb.SHARE_CODE_TRADE_BY_DECLARATIONS),
                count(36, pb.COUNT_CODE_BENEFITS_GIVEN, benefit=1, granted_by="CUSTOMS"),
            ],
            True,
        ),
        (
            [times(state=WITHHELD, measured=None), times(stage=2)],
            True,
        ),
    ],
)
def test_small_figures(figures: list[object], small: bool) -> None:
    message = report(*figures)
    message.release_times.sort(
        key=lambda each: (each.stage, each.transport_mode, each.clearance_mode, each.group)
    )
    message.shares.sort(key=lambda each: (each.code, each.group))
    format_report(message)
    assert (small_figure(message) is not None) == small


@pytest.mark.parametrize(
    "figures",
    [
        [times(41), examination(0, 40)],
        [examination(0, 40, WITH), share(41, 90, pb.SHARE_CODE_TRADE_BY_DECLARATIONS)],
        [examination(0, 40), examination(0, 50, OTHER), share(0, 80, 2)],
    ],
)
def test_figures_that_contradict_each_other(figures: list[object]) -> None:
    message = report(*figures)
    message.shares.sort(key=lambda each: (each.code, each.group))
    with pytest.raises(FormatError):
        small_figure(message)


def test_a_step_does_one_thing() -> None:
    for step in (pb.ReportStep(), pb.ReportStep(publish=b"")):
        with pytest.raises(FormatError):
            parse_report_step(format_strict(step))
