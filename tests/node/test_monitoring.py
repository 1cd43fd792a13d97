"""Aggregates from clearances: exact, and small cells not to be had by subtraction either."""

import random
from dataclasses import replace
from itertools import product

import pytest

from aeo.exchange.v1 import reporting_service_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2, report_pb2
from ledger.customs.report import ReportName, format_report
from ledger.customs.small_cells import DECLARATIONS, OPERATORS, small_figure
from node.node_world import WAIT_S, agree, text_between
from service.clock import OffsetClock
from service.errors import KeyReused
from service.node.arrangements.agreements import StepRefused
from service.node.monitoring.aggregates import Aggregates, aggregate
from service.node.monitoring.desk import describe_report
from service.node.node import Node
from service.store.home.clearances import Cleared, Figure

SHARED = b"a" * 16
GIVEN, WITHHELD = report_pb2.FIGURE_STATE_GIVEN, report_pb2.FIGURE_STATE_WITHHELD
NO_RECORDS, NOT_AVAILABLE = (
    report_pb2.FIGURE_STATE_NO_RECORDS,
    report_pb2.FIGURE_STATE_NOT_AVAILABLE,
)
FREE, PAPER, EXAMINED = 1, 2, 3
WITH, OTHER, WITHOUT = 1, 2, 3
DAY = 86_400_000

ONE = Cleared(
    b"", b"", "NZ", 0, 60_000, None, None, 1, FREE, b"", False, "", 0, False, False, 0, 0,
    None, None, None, None,
)  # fmt: skip


def rows(
    count: int, operators: int = 6, group: int = WITHOUT, start: int = 0, **fields: object
) -> list[Cleared]:
    """So many declarations, by so many operators in turn."""
    of_group = {
        WITH: {"recognised_under": SHARED, "certified": True},
        OTHER: {"certified": True},
        WITHOUT: {},
    }[group]
    return [
        replace(ONE, operator=bytes([group, (start + n) % operators]), **(of_group | fields))
        for n in range(count)
    ]


def times_of(found: Aggregates, stage: int, mode: int, clearance: int, group: int) -> object:
    [times] = [
        each
        for each in found.release_times
        if (each.stage, each.transport_mode, each.clearance_mode, each.group)
        == (stage, mode, clearance, group)
    ]
    return times


def share_of(found: Aggregates, code: int, **names: object) -> report_pb2.Share:
    [share] = [
        each
        for each in found.shares
        if each.code == code and all(getattr(each, name) == of for name, of in names.items())
    ]
    return share


def count_of(found: Aggregates, code: int, reason: str = "") -> report_pb2.Count:
    [count] = [each for each in found.counts if (each.code, each.reason) == (code, reason)]
    return count


@pytest.mark.parametrize(
    ("waits", "median", "ninth"),
    [
        (range(1, 11), 5, 9),  # the mean of 5 and 6, rounded down
        (range(1, 12), 6, 10),
        ([0] * 9 + [100], 0, 0),
        ([0] * 8 + [50, 100], 0, 50),
        (range(1, 101), 50, 90),
    ],
)
def test_median_and_90th_percentile_are_exact(waits: list[int], median: int, ninth: int) -> None:
    shuffled = list(waits)
    random.Random(1).shuffle(shuffled)
    made = [
        replace(row, stage_1=wait) for row, wait in zip(rows(len(shuffled)), shuffled, strict=True)
    ]
    measured = times_of(aggregate(made, SHARED, (), ()), 1, 1, FREE, WITHOUT).measured
    assert (measured.median, measured.percentile_90) == (median, ninth)
    assert (measured.sum, measured.declarations) == (sum(waits), len(shuffled))


@pytest.mark.parametrize(
    ("count", "operators", "state"),
    [
        (DECLARATIONS, OPERATORS, GIVEN),
        (DECLARATIONS - 1, OPERATORS, WITHHELD),
        (DECLARATIONS, OPERATORS - 1, WITHHELD),
        (500, OPERATORS - 1, WITHHELD),
        (1, 1, WITHHELD),
    ],
)
def test_small_cells_are_withheld(count: int, operators: int, state: int) -> None:
    found = aggregate(rows(count, operators), SHARED, (), ())
    times = times_of(found, 1, 1, FREE, WITHOUT)
    assert times.state == state
    assert times.HasField("measured") == (state == GIVEN)


def test_zero_no_records_and_not_available_are_three_values() -> None:
    found = aggregate(rows(12, stage_1=0, before_arrival=True), SHARED, (), ())
    given = times_of(found, 1, 1, FREE, WITHOUT)
    assert (given.state, given.measured.sum, given.measured.before_arrival) == (GIVEN, 0, 12)
    assert times_of(found, 1, 1, PAPER, WITHOUT).state == NO_RECORDS
    assert times_of(found, 2, 1, FREE, WITHOUT).state == NOT_AVAILABLE
    assert share_of(found, report_pb2.SHARE_CODE_EXAMINATION, group=WITHOUT).given.numerator == 0
    assert share_of(found, report_pb2.SHARE_CODE_EXAMINATION, group=WITH).state == NO_RECORDS
    assert share_of(found, report_pb2.SHARE_CODE_CHAIN_PARTIES).state == NOT_AVAILABLE
    assert count_of(found, report_pb2.COUNT_CODE_LOOK_UPS).state == NOT_AVAILABLE
    reported = aggregate([], SHARED, (), [Figure(pb.REPORTED_CODE_LOOK_UPS, "", 0)])
    assert count_of(reported, report_pb2.COUNT_CODE_LOOK_UPS).state == GIVEN
    assert reported.release_times == []
    assert {share.state for share in reported.shares} == {NOT_AVAILABLE}


def test_a_total_does_not_give_a_withheld_cell_back() -> None:
    made = [*rows(40), *rows(30, transport_mode=4), *rows(3, transport_mode=2)]
    found = aggregate(made, SHARED, (), ())
    states = {mode: times_of(found, 1, mode, FREE, WITHOUT).state for mode in (1, 2, 4)}
    # The smallest cell that is given goes with it; all declarations of the group are still told.
    assert states == {1: GIVEN, 2: WITHHELD, 4: WITHHELD}
    share = share_of(found, report_pb2.SHARE_CODE_EXAMINATION, group=WITHOUT)
    assert share.given.denominator == 73


def test_a_small_group_hides_all_declarations() -> None:
    made = [*rows(40), *rows(30, group=WITH), *rows(4, group=OTHER)]
    found = aggregate(made, SHARED, (), ())
    assert share_of(found, report_pb2.SHARE_CODE_TRADE_BY_DECLARATIONS).state == WITHHELD
    assert share_of(found, report_pb2.SHARE_CODE_EXAMINATION, group=OTHER).state == WITHHELD
    assert share_of(found, report_pb2.SHARE_CODE_EXAMINATION, group=WITH).state == GIVEN


def test_who_was_not_given_a_benefit_is_a_cell_too() -> None:
    benefit = (2, "CUSTOMS")
    with_it = {"group": WITH, "benefits": "2 CUSTOMS"}
    for without, state in ((0, GIVEN), (3, WITHHELD), (12, GIVEN)):
        made = [*rows(40, **with_it), *rows(without, group=WITH)]
        found = aggregate(made, SHARED, [benefit], ())
        share = share_of(found, report_pb2.SHARE_CODE_USE, benefit=2)
        assert share.state == state
        if state == GIVEN:
            assert (share.given.numerator, share.given.denominator) == (40, 40 + without)


def test_every_indicator_with_its_denominator() -> None:
    made = [
        *rows(20, group=WITH, value=100, benefits="1 KR-MFDS", parties=4, certified_parties=3,
              small_or_medium=True, direct_trade=True),
        *rows(15, group=WITH, value=100, clearance_mode=EXAMINED, parties=4, certified_parties=1),
        *rows(60, value=10, parties=2, small_or_medium=True, direct_trade=True),
        *rows(30, value=10, clearance_mode=EXAMINED, parties=2),
    ]  # fmt: skip
    figures = [
        Figure(pb.REPORTED_CODE_APPLICATIONS_SUBMITTED, "", 90),
        Figure(pb.REPORTED_CODE_APPLICATIONS_GRANTED, "", 61),
        Figure(pb.REPORTED_CODE_APPLICATIONS_REFUSED, "SOLVENCY", 12),
        Figure(pb.REPORTED_CODE_APPLICATIONS_REFUSED, "SECURITY", 2),
    ]
    found = aggregate(made, SHARED, [(1, "KR-MFDS"), (2, "CUSTOMS")], figures)

    def pair(code: int, **names: object) -> tuple[int, int]:
        share = share_of(found, code, **names)
        assert share.state == GIVEN, share
        return share.given.numerator, share.given.denominator

    assert pair(report_pb2.SHARE_CODE_TRADE_BY_DECLARATIONS) == (35, 125)
    assert pair(report_pb2.SHARE_CODE_TRADE_BY_VALUE) == (3_500, 4_400)
    assert pair(report_pb2.SHARE_CODE_EXAMINATION, group=WITH) == (15, 35)
    assert pair(report_pb2.SHARE_CODE_EXAMINATION, group=WITHOUT) == (30, 90)
    assert pair(report_pb2.SHARE_CODE_USE, benefit=1) == (20, 35)
    assert pair(report_pb2.SHARE_CODE_USE, benefit=2) == (0, 35)
    assert pair(report_pb2.SHARE_CODE_CHAIN_PARTIES) == (75, 320)
    assert pair(report_pb2.SHARE_CODE_PARTICIPATION) == (6, 12)
    assert count_of(found, report_pb2.COUNT_CODE_APPLICATIONS_SUBMITTED).count == 90
    refused = report_pb2.COUNT_CODE_APPLICATIONS_REFUSED
    assert count_of(found, refused, "SOLVENCY").count == 12
    assert count_of(found, refused, "SECURITY").state == WITHHELD


def test_no_report_that_the_node_makes_is_refused_or_gives_a_small_cell_back() -> None:
    """Random lives; what is told is checked against every declaration behind it."""
    seed = random.Random(20261121)
    for _ in range(150):
        made: list[Cleared] = []
        for mode, clearance, group in product((1, 4), (FREE, PAPER, EXAMINED), (1, 2, 3)):
            made += rows(
                seed.choice((0, 0, 3, 9, 10, 14, 40)),
                seed.choice((3, 5, 8)),
                group,
                seed.randrange(9),
                transport_mode=mode,
                clearance_mode=clearance,
                value=seed.randrange(1000),
                benefits=seed.choice(("", "2 CUSTOMS")) if group == WITH else "",
                before_arrival=seed.choice((None, True, False)),
                stage_2=seed.choice((None, 5)),
            )
        found = aggregate(made, SHARED, [(2, "CUSTOMS")], ())
        message = report_pb2.MonitoringReport(
            arrangement_id=SHARED, to=2, coverage=1, release_times=found.release_times,
            shares=found.shares, counts=found.counts, **{"from": 1},
        )  # fmt: skip
        format_report(message)
        assert small_figure(message) is None
        check_rests(found, made)


def check_rests(found: Aggregates, made: list[Cleared]) -> None:
    """Each total less the cells given below it: nobody, or enough operators and declarations."""
    for group in (WITH, OTHER, WITHOUT):
        share = share_of(found, report_pb2.SHARE_CODE_EXAMINATION, group=group)
        if share.state != GIVEN:
            continue
        own = [row for row in made if group_of(row) == group]
        examined = [row for row in own if row.clearance_mode == EXAMINED]
        for of in (examined, [row for row in own if row.clearance_mode != EXAMINED]):
            left = [row for row in of if not is_given(found, row)]
            enough = len(left) >= DECLARATIONS and len({r.operator for r in left}) >= OPERATORS
            assert not left or enough


def group_of(row: Cleared) -> int:
    return WITH if row.recognised_under else OTHER if row.certified else WITHOUT


def is_given(found: Aggregates, row: Cleared) -> bool:
    cell = row.transport_mode, row.clearance_mode, group_of(row)
    return times_of(found, 1, *cell).state == GIVEN


# Through a node.


def clearance(number: int, firm: int, released: int, **fields: object) -> pb.Clearance:
    given = {
        "declaration": f"D-{number}",
        "operator": f"HK{firm:08}",
        "lodged_at": released - 600_000,
        "arrived_at": released - 500_000,
        "released_at": released,
        "transport_mode": 4,
        "clearance_mode": FREE,
        "partner": "NZ",
    }
    return pb.Clearance(**(given | fields))


def test_a_report_is_published_corrected_and_signed(node: Node, clock: OffsetClock) -> None:
    shared = agree(node, "HK", "NZ")
    end = clock.now_ms()
    begin = end - 30 * DAY
    desk = node.hosted["HK"].monitoring
    made = [clearance(n, n % 7, begin + n * 1_000) for n in range(20)]
    made += [clearance(99, 1, begin, partner="US")]  # of other trade
    done = desk.record("k", made)
    assert (done.recorded, done.faults, done.repeated) == (21, {}, False)
    assert desk.record("k", made).repeated
    with pytest.raises(KeyReused):
        desk.record("k", made[:1])
    again = desk.record("other", made[:2])
    assert [fault.code for fault in again.faults.values()] == ["DECLARATION_KNOWN"] * 2

    report = desk.publish(shared, begin, end, report_pb2.COVERAGE_CENSUS, WAIT_S)
    described = describe_report(report)
    [times] = [each for each in described.report.release_times if each.state == GIVEN]
    assert (times.measured.declarations, times.measured.operators) == (20, 7)
    name = ReportName(shared, "HK", begin, end)
    partner = node.hosted["NZ"].monitoring
    signed = partner.sign(name, report.report_hash, WAIT_S)
    assert signed.signed_by == ("NZ",)
    with pytest.raises(StepRefused) as refused:
        desk.publish(shared, begin, end, report_pb2.COVERAGE_CENSUS, WAIT_S)
    assert refused.value.code == "REPORT_UNCHANGED"
    with pytest.raises(StepRefused) as refused:
        desk.publish(shared, begin + DAY, end, report_pb2.COVERAGE_CENSUS, WAIT_S)
    assert refused.value.code == "PERIODS_OVERLAP"
    desk.record("more", [clearance(50 + n, n, begin + n) for n in range(10)])
    corrected = desk.publish(shared, begin, end, report_pb2.COVERAGE_CENSUS, WAIT_S)
    assert (corrected.corrected, corrected.signed_by) == (1, ())
    with pytest.raises(StepRefused) as refused:
        partner.sign(name, report.report_hash, WAIT_S)
    assert refused.value.code == "REPORT_DIFFERS"


FAULTY = [
    ({"declaration": " "}, "DECLARATION_MALFORMED"),
    ({"declaration": "x" * 257}, "DECLARATION_MALFORMED"),
    ({"operator": ""}, "OPERATOR_MALFORMED"),
    ({"lodged_at": 0}, "TIMES_MISSING"),
    ({"released_at": 0}, "TIMES_MISSING"),
    ({"lodged_at": 1_700_000_000_001}, "TIMES_OUT_OF_ORDER"),
    ({"lodged_at": -1}, "TIMES_OUT_OF_ORDER"),
    ({"released_at": 1 << 62}, "TIMES_OUT_OF_ORDER"),
    ({"delivered_at": 1_600_000_000_000}, "TIMES_OUT_OF_ORDER"),
    ({"transport_mode": 9}, "MODE_UNKNOWN"),
    ({"clearance_mode": 0}, "CLEARANCE_MODE_UNKNOWN"),
    ({"clearance_mode": 7}, "CLEARANCE_MODE_UNKNOWN"),
    ({"partner": ""}, "PARTNER_MALFORMED"),
    ({"partner": "nz"}, "PARTNER_MALFORMED"),
    ({"partner": "HK"}, "PARTNER_MALFORMED"),
    ({"recognised_under": b"x" * 16}, "ARRANGEMENT_UNKNOWN"),
    ({"recognised_under": b"x"}, "ARRANGEMENT_UNKNOWN"),
    (
        {"benefits_given": [arrangement_pb2.Benefit(code=1, granted_by="CUSTOMS")]},
        "BENEFIT_MALFORMED",
    ),
    ({"parties": 2, "certified_parties": 3}, "PARTIES_MALFORMED"),
    ({"taken_by_customs": 600_001}, "TIME_TAKEN_MALFORMED"),
    ({"value": 1 << 63}, "VALUE_MALFORMED"),
]


def test_a_faulty_declaration_leaves_the_others(node: Node) -> None:
    released = 1_700_000_000_000
    bad = [
        clearance(n, n, released, **({"declaration": f"D-{n}"} | fields))
        for n, (fields, _) in enumerate(FAULTY)
    ]
    good = clearance(1_000, 1, released)
    done = node.hosted["HK"].monitoring.record("k", [*bad, good, good])
    assert done.recorded == 1
    codes = [*(code for _, code in FAULTY), "", "DECLARATION_KNOWN"]
    found = [done.faults[n].code if n in done.faults else "" for n in range(len(codes))]
    assert found == codes


def test_nothing_at_home_names_an_operator_or_a_declaration(node: Node) -> None:
    member = node.hosted["HK"]
    member.monitoring.record("k", [clearance(771_771, 55_443_322, 1_700_000_000_000)])
    content = b"".join(path.read_bytes() for path in member.home.path.parent.glob("home-HK.db*"))
    for word in (b"HK55443322", b"55443322", b"D-771771"):
        assert word not in content


def test_what_a_monitoring_clause_owes(node: Node, clock: OffsetClock) -> None:
    clause = arrangement_pb2.MonitoringClause(period_days=30, reports=["RELEASE-TIMES"])
    proposer = node.hosted["HK"].agreements
    shared = proposer.propose(text_between("HK", "NZ", monitoring=clause), "k", WAIT_S)
    desk = node.hosted["HK"].monitoring
    assert desk.owed(shared) == []  # not signed
    for party in ("HK", "NZ"):
        node.hosted[party].agreements.sign(
            shared, node.state.arrangement(shared).text.text_hash, WAIT_S
        )
    [first, second] = desk.owed(shared)
    assert (first.reporter, second.reporter, first.overdue) == ("HK", "NZ", False)
    assert list(first.reports) == ["RELEASE-TIMES"]
    clock.turn(31 * DAY)
    owed = desk.owed(shared)
    assert [(each.reporter, each.overdue) for each in owed] == [
        ("HK", True), ("NZ", True), ("HK", False), ("NZ", False),
    ]  # fmt: skip
    begin, end = getattr(first, "from"), first.to
    desk.publish(shared, begin, end, report_pb2.COVERAGE_CENSUS, WAIT_S)
    assert [(each.reporter, each.overdue) for each in desk.owed(shared)] == [
        ("NZ", True), ("HK", False), ("NZ", False),
    ]  # fmt: skip
