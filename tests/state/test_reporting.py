"""Report steps in the machine: who may report what, who may sign it, and that a replay agrees."""

import pytest

from aeo.ledger.v1 import report_pb2 as pb
from ledger.audit.replay import verify_export
from ledger.chain.history import history_head
from ledger.chain.keys import report_key
from ledger.customs.report import ReportName, report_hash
from ledger.state.leaves import all_leaves
from ledger.state.machine import Machine
from ledger.state.refusal_texts import describe
from ledger.wire import format_strict
from ledger_world import BACKEND, DAY, START, World

GIVEN, WITHHELD = pb.FIGURE_STATE_GIVEN, pb.FIGURE_STATE_WITHHELD


def share(part: int, whole: int, code: int = pb.SHARE_CODE_CHAIN_PARTIES) -> pb.Share:
    given = pb.ShareFigures(numerator=part, denominator=whole)
    return pb.Share(code=code, state=GIVEN, given=given)


def report(
    shared: bytes, begin: int = START - 60 * DAY, end: int = START - 30 * DAY, **fields: object
) -> bytes:
    given = {"coverage": pb.COVERAGE_CENSUS, "shares": [share(20, 50)]}
    message = pb.MonitoringReport(
        arrangement_id=shared, to=end, **{"from": begin}, **(given | fields)
    )
    return format_strict(message)


def signature(shared: bytes, data: bytes, reporter: str = "HK", **fields: object) -> bytes:
    message = pb.MonitoringReport.FromString(data)
    given = {
        "arrangement_id": shared,
        "reporter": reporter,
        "from": getattr(message, "from"),
        "to": message.to,
        "report_hash": report_hash(data),
    }
    return format_strict(pb.ReportStep(co_sign=pb.ReportSignature(**(given | fields))))


def publish(data: bytes) -> bytes:
    return format_strict(pb.ReportStep(publish=data))


@pytest.fixture
def world() -> World:
    return World(("HK", "KR", "NZ"))


@pytest.fixture
def shared(world: World) -> bytes:
    return world.agree("HK", "NZ")


def step(world: World, author: str, data: bytes) -> str:
    """Commit one step; its code."""
    block = world.commit(world.transaction(author, report=data))
    (codes,) = block.results
    return codes[0]


def name_of(shared: bytes, data: bytes, reporter: str = "HK") -> ReportName:
    message = pb.MonitoringReport.FromString(data)
    return ReportName(shared, reporter, getattr(message, "from"), message.to)


def test_a_joint_study(world: World, shared: bytes) -> None:
    data = report(shared)
    assert step(world, "HK", publish(data)) == ""
    assert step(world, "NZ", signature(shared, data)) == ""
    found = world.view.reports[name_of(shared, data)]
    assert (found.report_hash, found.signed_by, found.corrected) == (report_hash(data), ("NZ",), 0)
    assert [record.record for record in found.records] == [publish(data), signature(shared, data)]
    assert found.head == history_head(found.records)


def test_a_correction_appends_and_takes_signatures_of_its_own(world: World, shared: bytes) -> None:
    data, better = report(shared), report(shared, shares=[share(21, 50)])
    for author, done in (
        ("HK", publish(data)),
        ("NZ", signature(shared, data)),
        ("HK", publish(better)),
    ):
        assert step(world, author, done) == ""
    found = world.view.reports[name_of(shared, data)]
    assert (found.signed_by, found.corrected, len(found.records)) == ((), 1, 3)
    assert step(world, "NZ", signature(shared, data)) == "REPORT_DIFFERS"
    assert step(world, "NZ", signature(shared, better)) == ""
    assert step(world, "NZ", signature(shared, better)) == "ALREADY_SIGNED"
    assert step(world, "HK", publish(better)) == "REPORT_UNCHANGED"
    assert step(world, "HK", publish(data)) == ""  # back to the first figures: a correction too


def test_each_party_reports_for_itself(world: World, shared: bytes) -> None:
    assert step(world, "HK", publish(report(shared))) == ""
    assert step(world, "NZ", publish(report(shared))) == ""
    assert {name.reporter for name in world.view.reports} == {"HK", "NZ"}


def test_refusals(world: World, shared: bytes) -> None:
    data = report(shared)
    now = world.time
    proposed, text = world.proposal("HK", "KR")
    world.commit(world.step("HK", propose=text))
    assert step(world, "HK", publish(data)) == ""
    for author, given, code in (
        ("HK", b"", "REPORT_MALFORMED"),
        ("HK", b"\xff" * 40, "REPORT_MALFORMED"),
        ("HK", publish(data)[:-1], "REPORT_MALFORMED"),
        ("HK", publish(report(shared, coverage=0)), "REPORT_MALFORMED"),
        ("HK", publish(report(shared, START, START)), "REPORT_MALFORMED"),
        ("HK", publish(report(shared, START + 1, START)), "REPORT_MALFORMED"),
        ("HK", publish(report(b"x" * 15)), "REPORT_MALFORMED"),
        ("HK", publish(report(shared, shares=[share(9, 50)])), "SMALL_CELL"),
        ("HK", publish(report(b"x" * 16)), "ARRANGEMENT_UNKNOWN"),
        ("KR", publish(data), "NOT_A_PARTY"),
        ("HK", publish(report(proposed)), "ARRANGEMENT_NOT_SIGNED"),
        ("HK", publish(report(shared, now - DAY, now + DAY)), "PERIOD_NOT_OVER"),
        ("HK", publish(report(shared, START - 45 * DAY, START - DAY)), "PERIODS_OVERLAP"),
        ("HK", publish(report(shared, START - 50 * DAY, START - 40 * DAY)), "PERIODS_OVERLAP"),
        ("HK", publish(report(shared, START - 90 * DAY, START - DAY)), "PERIODS_OVERLAP"),
        ("HK", publish(data), "REPORT_UNCHANGED"),
        ("HK", signature(shared, data), "REPORT_OWN"),
        ("KR", signature(shared, data), "NOT_A_PARTY"),
        ("NZ", signature(shared, data, report_hash=b"y" * 32), "REPORT_DIFFERS"),
        ("NZ", signature(shared, data, report_hash=b"y" * 31), "REPORT_MALFORMED"),
        ("NZ", signature(shared, data, reporter="NZ"), "REPORT_UNKNOWN"),
        ("NZ", signature(shared, data, to=START), "REPORT_UNKNOWN"),
    ):
        before = world.view.reports
        assert step(world, author, given) == code
        assert describe(code)
        assert world.view.reports == before


def test_periods_meet_at_an_edge(world: World, shared: bytes) -> None:
    for begin in (START - 60 * DAY, START - 90 * DAY, START - 30 * DAY):
        assert step(world, "HK", publish(report(shared, begin, begin + 30 * DAY))) == ""
    assert len(world.view.reports) == 3


def test_two_overlapping_reports_of_one_block(world: World, shared: bytes) -> None:
    first, second = report(shared), report(shared, START - 40 * DAY, START - 10 * DAY)
    block = world.commit(
        world.transaction("HK", report=publish(first)),
        world.transaction("HK", report=publish(second)),
    )
    assert block.results == (("",), ("PERIODS_OVERLAP",))


def test_a_replay_and_a_restart_come_to_the_same(world: World, shared: bytes) -> None:
    data = report(shared)
    step(world, "HK", publish(data))
    step(world, "NZ", signature(shared, data))
    step(world, "NZ", publish(data)[:-1])
    world.seal()
    restored = Machine.restore(world.genesis, world.blocks, BACKEND).state
    assert restored.reports == world.view.reports
    assert restored.header == world.view.header
    key = report_key(*name_of(shared, data))
    assert dict(all_leaves(restored))[key] == world.view.reports[name_of(shared, data)].head
    *_, last = verify_export(
        [world.export()], now=world.time, backend=BACKEND, network_id=world.view.network_id
    )
    assert last.complete
