"""Monitoring reports: what a party measured of an arrangement, as aggregates, and who stands by it.

    report hash = H("aeo/v1/report", report bytes)

A report covers a period and holds release times by stage, mode of transport, clearance mode and
group, shares with their denominators, and counts. A figure is *given*, or it is one of three other
things, and none stands for another: *no records* (there was nothing, so there is no time and no
share; a count is then zero, and given), *not available* (nobody says) and *withheld* (too few).

Whether a figure is too small to stand on a ledger that cannot forget is for
`ledger.customs.small_cells`; this module reads and writes.

>>> step = format_report_step(pb.ReportStep(co_sign=pb.ReportSignature(
...     arrangement_id=bytes(16), reporter="NZ", to=86_400_000, report_hash=bytes(32),
...     **{"from": 1})))
>>> parse_report_step(step).name[1:]
('NZ', 1, 86400000)
>>> parse_report_step(step[:-1])
Traceback (most recent call last):
ledger.errors.FormatError: ReportStep.co_sign: ends early
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple, TypeAlias

from aeo.ledger.v1 import report_pb2 as pb
from ledger.chain.economy import economy_bytes
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.customs.arrangement_text import CODE_FORM
from ledger.customs.status import INSTANT_LIMIT, MODES, is_ascending
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged
from ledger.wire import format_strict, parse_strict

# A transaction has at most 60,000 bytes. All 144 cells of both stages, with all that may stand in
# them, take 25,000.
REPORT_LIMIT: Final = 50_000
STEP_LIMIT: Final = REPORT_LIMIT + 16

_REPORT = tagged("aeo/v1/report")
_GIVEN: Final = pb.FIGURE_STATE_GIVEN


class ReportName(NamedTuple):
    """Which report: of one reporter, on one arrangement, from `begin` to `end` (Unix ms)."""

    arrangement_id: bytes
    reporter: str
    begin: int
    end: int


class Report(NamedTuple):
    """A report as it was read. `message` is not to be changed."""

    arrangement_id: bytes
    begin: int
    end: int
    message: pb.MonitoringReport
    report_hash: bytes


class CoSignature(NamedTuple):
    """That its author stands by the report whose bytes have this hash."""

    name: ReportName
    report_hash: bytes


ReportStep: TypeAlias = Report | CoSignature


def report_hash(data: bytes) -> bytes:
    """The 32 bytes by which a co-signature names the exact bytes of a report."""
    return _REPORT(data)


def format_report(message: pb.MonitoringReport) -> bytes:
    """Write a report in its one accepted form; raises `FormatError`."""
    data = format_strict(message)
    parse_report(data)
    return data


def format_report_step(message: pb.ReportStep) -> bytes:
    """Write a step in its one accepted form; raises `FormatError`."""
    data = format_strict(message)
    parse_report_step(data)
    return data


def parse_report_step(data: bytes) -> ReportStep:
    """Read a step of at most `STEP_LIMIT` bytes; raises `FormatError`."""
    message = parse_strict(pb.ReportStep, data, STEP_LIMIT)
    step = message.WhichOneof("step")
    if step == "publish":
        return parse_report(message.publish)
    if step != "co_sign":
        raise FormatError("a report step publishes or signs")
    signature = message.co_sign
    economy_bytes(signature.reporter)
    begin, end = _period(signature)
    if len(signature.report_hash) != HASH_BYTES:
        raise FormatError(f"a report hash has {HASH_BYTES} bytes")
    name = ReportName(signature.arrangement_id, signature.reporter, begin, end)
    return CoSignature(name, signature.report_hash)


def parse_report(data: bytes) -> Report:
    """Read and check a report of at most `REPORT_LIMIT` bytes; raises `FormatError`."""
    message = parse_strict(pb.MonitoringReport, data, REPORT_LIMIT)
    begin, end = _period(message)
    if not message.coverage:
        raise FormatError("a report covers all declarations (census) or a sample of them")
    for times in message.release_times:
        _check_times(times)
    for share in message.shares:
        _check_share(share)
    for count in message.counts:
        _check_count(count)
    _check_ascending(message.release_times, times_key, "release times")
    _check_ascending(message.shares, share_key, "shares")
    _check_ascending(message.counts, count_key, "counts")
    return Report(message.arrangement_id, begin, end, message, report_hash(data))


def times_key(times: pb.ReleaseTimes) -> tuple[int, int, int, int]:
    """What release times are ordered by."""
    return times.stage, times.transport_mode, times.clearance_mode, times.group


def share_key(share: pb.Share) -> tuple[int, int, int, str]:
    """What shares are ordered by."""
    return share.code, share.group, share.benefit, share.granted_by


def count_key(count: pb.Count) -> tuple[int, int, str, str]:
    """What counts are ordered by."""
    return count.code, count.benefit, count.granted_by, count.reason


def _period(message: pb.MonitoringReport | pb.ReportSignature) -> tuple[int, int]:
    if len(message.arrangement_id) != ARRANGEMENT_ID_BYTES:
        raise FormatError(f"an arrangement id has {ARRANGEMENT_ID_BYTES} bytes")
    begin, end = getattr(message, "from"), message.to
    if not begin < end < INSTANT_LIMIT:
        raise FormatError("a period ends after it begins")
    return begin, end


def _check_times(times: pb.ReleaseTimes) -> None:
    if not (times.stage and times.clearance_mode and times.group):
        raise FormatError("release times have a stage, a clearance mode and a group")
    if times.transport_mode not in MODES:
        raise FormatError("a mode of transport is 1 to 8")
    _check_state(times.state, given=times.HasField("measured"))
    if times.state != _GIVEN:
        return
    measured = times.measured
    if not 0 < measured.operators <= measured.declarations:
        raise FormatError("times are of declarations, and of no more operators than those")
    if not measured.median <= measured.percentile_90 <= measured.sum:
        raise FormatError("median, 90th percentile and sum ascend")
    if measured.before_arrival > measured.declarations:
        raise FormatError("more releases before arrival than declarations")
    for taken in measured.taken_by:
        if not taken.who or not 0 < taken.declarations <= measured.declarations:
            raise FormatError("time goes to somebody, in some of the declarations")
    _check_ascending(measured.taken_by, lambda taken: taken.who, "who the time went to")


def _check_share(share: pb.Share) -> None:
    if not share.code:
        raise FormatError("a share has a code")
    if bool(share.group) != (share.code == pb.SHARE_CODE_EXAMINATION):
        raise FormatError("an examination share, and no other, is of a group")
    _check_benefit(share, wanted=share.code == pb.SHARE_CODE_USE)
    _check_state(share.state, given=share.HasField("given"))
    if share.state == _GIVEN:
        given = share.given
        if not given.denominator:
            raise FormatError("a share of nothing is no records")
        if given.numerator > given.denominator and share.code != pb.SHARE_CODE_PARTICIPATION:
            raise FormatError("a share is not more than the whole")


def _check_count(count: pb.Count) -> None:
    if not count.code:
        raise FormatError("a count has a code")
    _check_benefit(count, wanted=count.code == pb.COUNT_CODE_BENEFITS_GIVEN)
    refused = count.code == pb.COUNT_CODE_APPLICATIONS_REFUSED
    if bool(count.reason) != refused or (refused and not CODE_FORM.fullmatch(count.reason)):
        raise FormatError("refused applications, and no others, are counted by a reason's code")
    _check_state(count.state, given=count.HasField("count"))
    if count.state == pb.FIGURE_STATE_NO_RECORDS:
        raise FormatError("a count of nothing is zero")


def _check_benefit(figure: pb.Share | pb.Count, *, wanted: bool) -> None:
    if bool(figure.benefit) != wanted or bool(figure.granted_by) != wanted:
        raise FormatError("figures on benefits, and no others, name a benefit and its grantor")
    if wanted and not CODE_FORM.fullmatch(figure.granted_by):
        raise FormatError("a benefit is granted by CUSTOMS or an agency")


def _check_state(state: int, *, given: bool) -> None:
    if not state:
        raise FormatError("a figure is given, no records, not available or withheld")
    if given != (state == _GIVEN):
        raise FormatError("a figure that is given, and no other, says how much")


def _check_ascending(figures: Iterable[Any], key: Callable[[Any], Any], what: str) -> None:
    if not is_ascending([key(figure) for figure in figures]):
        raise FormatError(f"{what} ascend without repeats")
