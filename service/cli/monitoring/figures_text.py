"""Monitoring figures as JSON and as tables: release times, shares with denominators, counts.

A figure that is not given says in `state` which of three things it is: NO_RECORDS, NOT_AVAILABLE or
WITHHELD. Times are whole milliseconds in the JSON; a share is never given without its denominator.
"""

from collections.abc import Iterable
from decimal import Decimal
from fractions import Fraction
from typing import Any, Final

from rich.console import RenderableType

from aeo.ledger.v1 import arrangement_pb2
from aeo.ledger.v1 import report_pb2 as pb
from ledger.customs.release_times import format_percent
from ledger.customs.small_cells import DECLARATIONS, OPERATORS
from service.cli.monitoring.release_times_text import MODES, STAGES, format_duration
from service.cli.output import table

_GIVEN: Final = pb.FIGURE_STATE_GIVEN
# What counts over what, by code.
DENOMINATORS: Final = {
    pb.SHARE_CODE_PARTICIPATION: ("certified SMEs", "SMEs that trade directly"),
    pb.SHARE_CODE_TRADE_BY_DECLARATIONS: ("declarations RECOGNISED", "declarations"),
    pb.SHARE_CODE_TRADE_BY_VALUE: ("value RECOGNISED", "value"),
    pb.SHARE_CODE_EXAMINATION: ("declarations examined", "declarations of the group"),
    pb.SHARE_CODE_USE: ("declarations given it", "declarations RECOGNISED"),
    pb.SHARE_CODE_CHAIN_PARTIES: ("AEO parties", "declared chain parties"),
}
WITHHELD_NOTE: Final = (
    f"withheld: fewer than {OPERATORS} operators or {DECLARATIONS} declarations, or what would "
    "give such a cell back"
)


def name(enum: Any, value: int, prefix: str) -> str:
    """The name of an enum's value without its prefix; empty for 0."""
    return str(enum.Name(value)).removeprefix(prefix) if value else ""


def state_of(figure: pb.ReleaseTimes | pb.Share | pb.Count) -> str:
    """GIVEN, NO_RECORDS, NOT_AVAILABLE or WITHHELD."""
    return name(pb.FigureState, figure.state, "FIGURE_STATE_")


def describe_times(times: pb.ReleaseTimes) -> dict[str, Any]:
    """Release times as JSON."""
    measured = times.measured
    given: dict[str, Any] | None = None
    if times.state == _GIVEN:
        before = measured.before_arrival if measured.HasField("before_arrival") else None
        given = {
            "declarations": measured.declarations,
            "operators": measured.operators,
            "sum_ms": measured.sum,
            "median_ms": measured.median,
            "percentile_90_ms": measured.percentile_90,
            "before_arrival": before,
            "taken_by": [
                {
                    "who": name(pb.TakenBy, taken.who, "TAKEN_BY_"),
                    "declarations": taken.declarations,
                    "sum_ms": taken.sum,
                }
                for taken in measured.taken_by
            ],
        }
    return {
        "stage": times.stage,
        "stage_name": STAGES[times.stage],
        "transport_mode": times.transport_mode,
        "clearance_mode": name(pb.ClearanceMode, times.clearance_mode, "CLEARANCE_MODE_"),
        "group": name(pb.ReleaseGroup, times.group, "RELEASE_GROUP_"),
        "state": state_of(times),
        "measured": given,
    }


def describe_share(share: pb.Share) -> dict[str, Any]:
    """A share as JSON; the percentage is a decimal in a string."""
    part, whole = DENOMINATORS[share.code]
    given = share.state == _GIVEN
    return {
        "indicator": name(pb.ShareCode, share.code, "SHARE_CODE_"),
        "group": name(pb.ReleaseGroup, share.group, "RELEASE_GROUP_"),
        "benefit": _benefit(share.benefit),
        "granted_by": share.granted_by,
        "counts": part,
        "of": whole,
        "state": state_of(share),
        "numerator": share.given.numerator if given else None,
        "denominator": share.given.denominator if given else None,
        "percent": _percent(share.given) if given else None,
    }


def describe_count(count: pb.Count) -> dict[str, Any]:
    """A count as JSON."""
    return {
        "indicator": name(pb.CountCode, count.code, "COUNT_CODE_"),
        "benefit": _benefit(count.benefit),
        "granted_by": count.granted_by,
        "reason": count.reason,
        "state": state_of(count),
        "count": count.count if count.state == _GIVEN else None,
    }


def times_table(all_times: Iterable[pb.ReleaseTimes]) -> RenderableType:
    """Release times for people; kinds without any declaration are left out."""
    rows = []
    for times in all_times:
        if times.state == pb.FIGURE_STATE_NO_RECORDS:
            continue
        measured = times.measured
        cells = (words(state_of(times)), "", "", "", "", "")
        if times.state == _GIVEN:
            mean = Fraction(measured.sum, measured.declarations)
            before = str(measured.before_arrival) if measured.HasField("before_arrival") else ""
            cells = (
                f"{measured.declarations:,}",
                f"{measured.operators:,}",
                _duration(mean),
                _duration(Fraction(measured.median)),
                _duration(Fraction(measured.percentile_90)),
                before,
            )
        rows.append(
            (
                STAGES[times.stage],
                MODES[times.transport_mode],
                words(name(pb.ClearanceMode, times.clearance_mode, "CLEARANCE_MODE_")),
                words(name(pb.ReleaseGroup, times.group, "RELEASE_GROUP_")),
                *cells,
            )
        )
    headings = ("stage", "mode", "clearance", "group", "declarations", "operators")
    return table(*headings, "mean", "median", "90 %", "before arrival", rows=rows)


def indicators_table(shares: Iterable[pb.Share], counts: Iterable[pb.Count]) -> RenderableType:
    """Every indicator for people, each with its denominator."""
    rows = []
    for share in shares:
        part, whole = DENOMINATORS[share.code]
        shown = words(state_of(share))
        percent = ""
        if share.state == _GIVEN:
            shown = f"{share.given.numerator:,} of {share.given.denominator:,}"
            percent = f"{_percent(share.given)} %"
        what = words(name(pb.ShareCode, share.code, "SHARE_CODE_"))
        group = words(name(pb.ReleaseGroup, share.group, "RELEASE_GROUP_"))
        rows.append((what, group or _granted(share), f"{part} / {whole}", shown, percent))
    for count in counts:
        shown = f"{count.count:,}" if count.state == _GIVEN else words(state_of(count))
        what = words(name(pb.CountCode, count.code, "COUNT_CODE_"))
        rows.append((what, count.reason or _granted(count), "count", shown, ""))
    return table("indicator", "of", "counts / of", "figure", "share", rows=rows)


def words(code: str) -> str:
    """A code in words.

    >>> words("NOT_AVAILABLE")
    'not available'
    """
    return code.replace("_", " ").lower()


def _granted(figure: pb.Share | pb.Count) -> str:
    return f"{words(_benefit(figure.benefit))}, {figure.granted_by}" if figure.benefit else ""


def _benefit(code: int) -> str:
    return name(arrangement_pb2.BenefitCode, code, "BENEFIT_CODE_")


def _percent(given: pb.ShareFigures) -> str:
    return format_percent(Fraction(given.numerator, given.denominator) * 100)


def _duration(milliseconds: Fraction) -> str:
    return format_duration(Decimal(round(milliseconds / 100)) / 10)
