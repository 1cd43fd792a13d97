"""From declarations to aggregates: what a monitoring report may say of them, and what it withholds.

A cell is the declarations of one mode of transport, clearance mode and group. Too few operators or
declarations, and it is withheld; and a total beside cells would give a withheld one back. So what a
total holds beyond the given cells below it must be no small cell either (the tree of
`ledger.customs.small_cells`, here with the operators as well). Where it is one, the smallest given
cell below the total is withheld too, which is large enough to hide it; where there is none to
withhold, the total goes.

>>> one = Cleared(b"", b"", "KR", 0, 60_000, None, None, 1, 1, b"", False, "", 0, False, False, 0,
...               0, None, None, None, None)
>>> rows = [replace(one, operator=bytes([n % 6])) for n in range(12)]
>>> found = aggregate(rows, b"a" * 16, (), ())
>>> [(each.measured.declarations, each.measured.median) for each in found.release_times
...  if each.state == pb.FIGURE_STATE_GIVEN]
[(12, 60000)]
>>> few = aggregate(rows[:9], b"a" * 16, (), ()).release_times
>>> [each.group for each in few if each.state == pb.FIGURE_STATE_WITHHELD]
[3]
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Any, Final, NamedTuple, cast

from aeo.exchange.v1 import reporting_service_pb2 as exchange
from aeo.ledger.v1 import report_pb2 as pb
from ledger.customs.report import count_key, share_key, times_key
from ledger.customs.small_cells import DECLARATIONS, OPERATORS, too_few
from service.store.home.clearances import Cleared, Figure

__all__ = ["Aggregates", "aggregate", "replace"]

_GIVEN: Final = pb.FIGURE_STATE_GIVEN
_NO_RECORDS: Final = pb.FIGURE_STATE_NO_RECORDS
_NOT_AVAILABLE: Final = pb.FIGURE_STATE_NOT_AVAILABLE
_WITHHELD: Final = pb.FIGURE_STATE_WITHHELD
_EXAMINED: Final = pb.CLEARANCE_MODE_CARGO_EXAMINATION
_RECOGNISED: Final = pb.RELEASE_GROUP_WITH_RECOGNITION
_GROUPS: Final = tuple(group for group in pb.ReleaseGroup.values() if group)
_CLEARANCE_MODES: Final = tuple(mode for mode in pb.ClearanceMode.values() if mode)
_STAGES: Final = (
    pb.RELEASE_STAGE_LODGEMENT_TO_RELEASE,
    pb.RELEASE_STAGE_ARRIVAL_TO_DELIVERY,
)
_TAKEN_BY: Final = (
    (pb.TAKEN_BY_CUSTOMS, "customs"),
    (pb.TAKEN_BY_AGENCY, "agency"),
    (pb.TAKEN_BY_TRADER, "trader"),
    (pb.TAKEN_BY_PORT, "port"),
)
_APPLICATIONS: Final = {
    exchange.REPORTED_CODE_APPLICATIONS_SUBMITTED: pb.COUNT_CODE_APPLICATIONS_SUBMITTED,
    exchange.REPORTED_CODE_APPLICATIONS_GRANTED: pb.COUNT_CODE_APPLICATIONS_GRANTED,
    exchange.REPORTED_CODE_APPLICATIONS_REFUSED: pb.COUNT_CODE_APPLICATIONS_REFUSED,
}

Rows = list[Cleared]
# Mode of transport, clearance mode, group.
Cell = tuple[int, int, int]
# A benefit's code and who grants it.
BenefitName = tuple[int, str]


class Aggregates(NamedTuple):
    """What a report says, in its order."""

    release_times: list[pb.ReleaseTimes]
    shares: list[pb.Share]
    counts: list[pb.Count]


class _Given(NamedTuple):
    """Which figures of the tree are given."""

    cells: set[Cell]
    examinations: set[int]
    totals: set[int]


def aggregate(
    rows: Sequence[Cleared],
    arrangement_id: bytes,
    benefits: Iterable[BenefitName],
    figures: Sequence[Figure],
) -> Aggregates:
    """The figures of declarations of one period, as they may be published.

    `benefits` are those of the arrangement's text; `figures` what the administration reports.
    """
    groups: dict[int, Rows] = {group: [] for group in _GROUPS}
    cells: dict[Cell, Rows] = defaultdict(list)
    for row in rows:
        group = _group(row, arrangement_id)
        groups[group].append(row)
        cells[row.transport_mode, row.clearance_mode, group].append(row)
    given = _choose(cells, groups)
    modes = sorted({row.transport_mode for row in rows})
    release_times = [
        _times(stage, (mode, clearance, group), cells.get((mode, clearance, group), []), given)
        for stage in _STAGES
        for mode in modes
        for clearance in _CLEARANCE_MODES
        for group in _GROUPS
    ]
    recognised = groups[_RECOGNISED]
    named = {*benefits, *(name for row in recognised for name in parse_benefits(row.benefits))}
    uses, benefit_counts = _benefits(recognised, named, bool(rows), given)
    shares = [
        _participation(rows, figures),
        *_trade(rows, groups, cells, given),
        *(_examination(group, groups[group], bool(rows), given) for group in _GROUPS),
        *uses,
        _chain_parties(rows),
    ]
    counts = [*_reported(figures), *benefit_counts]
    release_times.sort(key=times_key)
    shares.sort(key=share_key)
    counts.sort(key=count_key)
    return Aggregates(release_times, shares, counts)


def format_benefits(benefits: Iterable[BenefitName]) -> str:
    """Benefits as they are kept with a declaration.

    >>> format_benefits([(2, "CUSTOMS"), (1, "KR-MFDS")])
    '1 KR-MFDS,2 CUSTOMS'
    """
    return ",".join(f"{code} {granted_by}" for code, granted_by in sorted(set(benefits)))


def parse_benefits(text: str) -> list[BenefitName]:
    """What `format_benefits` wrote."""
    named = [each.split(" ", 1) for each in text.split(",") if each]
    return [(int(code), granted_by) for code, granted_by in named]


def _group(row: Cleared, arrangement_id: bytes) -> int:
    if row.recognised_under == arrangement_id:
        return _RECOGNISED
    certified = row.certified or row.recognised_under
    return pb.RELEASE_GROUP_OTHER_AEO if certified else pb.RELEASE_GROUP_WITHOUT


def _small(rows: Rows) -> bool:
    """Whether these, if any, are too few to be told."""
    return bool(rows) and (
        len(rows) < DECLARATIONS or len({row.operator for row in rows}) < OPERATORS
    )


def _choose(cells: dict[Cell, Rows], groups: dict[int, Rows]) -> _Given:
    given = _Given({cell for cell, rows in cells.items() if not _small(rows)}, set(), set())
    for group, rows in groups.items():
        own = {cell: found for cell, found in cells.items() if cell[2] == group}
        examined = {cell: found for cell, found in own.items() if cell[1] == _EXAMINED}
        if _small(rows):
            continue
        parts = (
            _flat(examined),
            _flat({cell: found for cell, found in own.items() if cell not in examined}),
        )
        tell_examined = not any(map(_small, parts)) and _hide(examined, given)
        # Cells of examined cargo are covered by their total, where that is given.
        below = {
            cell: found for cell, found in own.items() if not (tell_examined and cell in examined)
        }
        if _hide(below, given):
            given.totals.add(group)
            if tell_examined:
                given.examinations.add(group)
    return given


def _hide(below: dict[Cell, Rows], given: _Given) -> bool:
    """Withhold of the given cells below a total what hides the others; False if none can."""
    if not _small(_flat({cell: rows for cell, rows in below.items() if cell not in given.cells})):
        return True
    left = [cell for cell in below if cell in given.cells]
    if not left:
        return False
    given.cells.discard(min(left, key=lambda cell: (len(below[cell]), cell)))
    return True


def _flat(cells: dict[Cell, Rows]) -> Rows:
    return [row for rows in cells.values() for row in rows]


def _times(stage: int, cell: Cell, rows: Rows, given: _Given) -> pb.ReleaseTimes:
    mode, clearance, group = cell
    times = pb.ReleaseTimes(
        stage=cast("pb.ReleaseStage", stage),
        transport_mode=mode,
        clearance_mode=cast("pb.ClearanceMode", clearance),
        group=cast("pb.ReleaseGroup", group),
    )
    first = stage == pb.RELEASE_STAGE_LODGEMENT_TO_RELEASE
    known = rows if first else [row for row in rows if row.stage_2 is not None]
    if not rows:
        times.state = _NO_RECORDS
    elif not known:
        times.state = _NOT_AVAILABLE
    elif cell not in given.cells or _small(known):
        times.state = _WITHHELD
    else:
        times.state = _GIVEN
        times.measured.CopyFrom(_measure(known, first=first))
    return times


def _measure(rows: Rows, *, first: bool) -> pb.MeasuredTimes:
    taken = sorted(row.stage_1 if first else row.stage_2 or 0 for row in rows)
    count = len(taken)
    measured = pb.MeasuredTimes(
        declarations=count,
        operators=len({row.operator for row in rows}),
        sum=sum(taken),
        median=(taken[(count - 1) // 2] + taken[count // 2]) // 2,
        percentile_90=taken[-(-count * 9 // 10) - 1],
    )
    if not first:
        return measured
    if all(row.before_arrival is not None for row in rows):
        before = [row for row in rows if row.before_arrival]
        if not (_small(before) or _small([row for row in rows if not row.before_arrival])):
            measured.before_arrival = len(before)
    for who, column in _TAKEN_BY:
        known = [row for row in rows if getattr(row, column) is not None]
        if known and not _small(known):
            measured.taken_by.add(
                who=who, declarations=len(known), sum=sum(getattr(row, column) for row in known)
            )
    return measured


def _share(code: int, state: int, part: int = 0, whole: int = 0, **names: Any) -> pb.Share:
    share = pb.Share(code=cast("pb.ShareCode", code), state=cast("pb.FigureState", state), **names)
    if state == _GIVEN:
        share.given.CopyFrom(pb.ShareFigures(numerator=part, denominator=whole))
    return share


def _participation(rows: Sequence[Cleared], figures: Sequence[Figure]) -> pb.Share:
    reported = {figure.code: figure.reported for figure in figures}
    part = reported.get(exchange.REPORTED_CODE_CERTIFIED_SMES)
    whole = reported.get(exchange.REPORTED_CODE_SMES_TRADING_DIRECTLY)
    if part is None or whole is None:
        if not rows:
            return _share(pb.SHARE_CODE_PARTICIPATION, _NOT_AVAILABLE)
        own = [row for row in rows if row.small_or_medium and row.direct_trade]
        whole = len({row.operator for row in own})
        part = len({row.operator for row in own if row.certified or row.recognised_under})
    if not whole:
        return _share(pb.SHARE_CODE_PARTICIPATION, _NO_RECORDS)
    small = any(too_few(each, OPERATORS) for each in (part, whole, whole - part))
    state = _WITHHELD if small else _GIVEN
    return _share(pb.SHARE_CODE_PARTICIPATION, state, part, whole)


def _trade(
    rows: Sequence[Cleared], groups: dict[int, Rows], cells: dict[Cell, Rows], given: _Given
) -> list[pb.Share]:
    by_declarations, by_value = pb.SHARE_CODE_TRADE_BY_DECLARATIONS, pb.SHARE_CODE_TRADE_BY_VALUE
    if not rows:
        return [_share(code, _NOT_AVAILABLE) for code in (by_declarations, by_value)]
    recognised = groups[_RECOGNISED]
    others = [row for group, own in groups.items() if group != _RECOGNISED for row in own]
    rest = [
        row
        for (mode, clearance, group), own in cells.items()
        if group not in given.totals and (mode, clearance, group) not in given.cells
        for row in own
    ]
    told = not (_small(list(rows)) or _small(others) or _small(rest)) and (
        not recognised or _RECOGNISED in given.totals
    )
    state = _GIVEN if told else _WITHHELD
    value = sum(row.value for row in rows)
    of_value = sum(row.value for row in recognised)
    return [
        _share(by_declarations, state, len(recognised), len(rows)),
        _share(by_value, state if value else _NOT_AVAILABLE, of_value, value),
    ]


def _examination(group: int, rows: Rows, any_rows: bool, given: _Given) -> pb.Share:
    code, of = pb.SHARE_CODE_EXAMINATION, {"group": group}
    if not rows:
        return _share(code, _NO_RECORDS if any_rows else _NOT_AVAILABLE, **of)
    examined = sum(row.clearance_mode == _EXAMINED for row in rows)
    state = _GIVEN if group in given.examinations else _WITHHELD
    return _share(code, state, examined, len(rows), **of)


def _benefits(
    recognised: Rows, named: Iterable[BenefitName], any_rows: bool, given: _Given
) -> tuple[list[pb.Share], list[pb.Count]]:
    shares: list[pb.Share] = []
    counts: list[pb.Count] = []
    for code, granted_by in sorted(named):
        name = f"{code} {granted_by}"
        names: dict[str, Any] = {"benefit": code, "granted_by": granted_by}
        use, count = pb.SHARE_CODE_USE, pb.Count(code=pb.COUNT_CODE_BENEFITS_GIVEN, **names)
        got = [row for row in recognised if name in row.benefits.split(",")]
        small = _small(got) or _small(
            [row for row in recognised if name not in row.benefits.split(",")]
        )
        if not any_rows:
            shares.append(_share(use, _NOT_AVAILABLE, **names))
            count.state = _NOT_AVAILABLE
        else:
            hidden = small or _RECOGNISED not in given.totals
            state = _NO_RECORDS if not recognised else _WITHHELD if hidden else _GIVEN
            shares.append(_share(use, state, len(got), len(recognised), **names))
            count.state = _WITHHELD if small else _GIVEN
            if not small:
                count.count = len(got)
        counts.append(count)
    return shares, counts


def _chain_parties(rows: Sequence[Cleared]) -> pb.Share:
    code = pb.SHARE_CODE_CHAIN_PARTIES
    known = [row for row in rows if row.parties]
    if not known:
        return _share(code, _NOT_AVAILABLE)
    whole = sum(row.parties for row in known)
    part = sum(row.certified_parties for row in known)
    small = _small(known) or too_few(part) or too_few(whole - part)
    return _share(code, _WITHHELD if small else _GIVEN, part, whole)


def _reported(figures: Sequence[Figure]) -> list[pb.Count]:
    """Look-ups and applications as reported; what nobody reported is not available."""
    found = {(figure.code, figure.reason): figure.reported for figure in figures}
    look_ups = found.get((exchange.REPORTED_CODE_LOOK_UPS, ""))
    counts = [_count(pb.COUNT_CODE_LOOK_UPS, look_ups, DECLARATIONS)]
    told = 0
    for reported, code in reversed(_APPLICATIONS.items()):
        if code == pb.COUNT_CODE_APPLICATIONS_REFUSED:
            own = [
                _count(code, number, OPERATORS, reason)
                for (each, reason), number in found.items()
                if each == reported
            ]
        else:
            own = [_count(code, found.get((reported, "")), OPERATORS)]
        if code == pb.COUNT_CODE_APPLICATIONS_SUBMITTED:
            [submitted] = own
            # What was decided upon, taken from what was submitted, leaves nobody to be seen.
            if submitted.state == _GIVEN and too_few(submitted.count - told, OPERATORS):
                own = [pb.Count(code=code, state=_WITHHELD)]
        told += sum(each.count for each in own)
        counts += own
    return counts


def _count(code: int, number: int | None, least: int, reason: str = "") -> pb.Count:
    count = pb.Count(code=cast("pb.CountCode", code), reason=reason)
    if number is None:
        count.state = _NOT_AVAILABLE
    elif too_few(number, least):
        count.state = _WITHHELD
    else:
        count.state, count.count = _GIVEN, number
    return count
