"""Small cells: which figures of a monitoring report are too few to stand on the ledger.

A cell of fewer than `OPERATORS` operators or `DECLARATIONS` declarations is withheld, and so is
whatever would give it back: a total beside it, less the cells that are given. What a report says of
declarations in stage 1 is a tree,

    all declarations
      a group                      (with recognition, other AEO, without)
        those examined
          cells of cargo examination, by mode of transport
        the other cells, by mode of transport and clearance mode

and a figure of it may be given if what it holds beyond the given figures below it, the *rest*, is
nothing or is itself no small cell. Given figures overlap nowhere but from top to bottom, so rests
are all that subtraction can reach. The same is asked of a share: who was *not* given a benefit is a
cell too. Zero is a figure like any other: it tells of nobody.

`small_figure` finds on the bytes alone what the counts show; only who made the report knows how
many operators are behind a rest.

>>> figures = pb.ShareFigures(numerator=12, denominator=20)
>>> message = pb.MonitoringReport(shares=[pb.Share(
...     code=pb.SHARE_CODE_EXAMINATION, group=pb.RELEASE_GROUP_WITHOUT,
...     state=pb.FIGURE_STATE_GIVEN, given=figures)])
>>> small_figure(message)
'EXAMINATION: 8 of 20 are left over'
>>> message.shares[0].given.denominator = 22
>>> small_figure(message) is None
True
"""

from collections import Counter
from collections.abc import Iterable, Iterator
from typing import Final

from aeo.ledger.v1 import report_pb2 as pb
from ledger.errors import FormatError

# Domain, *Monitoring the arrangement*.
OPERATORS: Final = 5
DECLARATIONS: Final = 10

_GIVEN: Final = pb.FIGURE_STATE_GIVEN
_STAGE_1: Final = pb.RELEASE_STAGE_LODGEMENT_TO_RELEASE
_EXAMINED: Final = pb.CLEARANCE_MODE_CARGO_EXAMINATION
_RECOGNISED: Final = pb.RELEASE_GROUP_WITH_RECOGNITION
# These count firms; all others declarations, look-ups or parties.
_OF_OPERATORS: Final = frozenset(
    {
        pb.COUNT_CODE_APPLICATIONS_SUBMITTED,
        pb.COUNT_CODE_APPLICATIONS_GRANTED,
        pb.COUNT_CODE_APPLICATIONS_REFUSED,
    }
)


def too_few(count: int, least: int = DECLARATIONS) -> bool:
    """Whether a count, not zero, is too small to be told."""
    return 0 < count < least


def small_figure(message: pb.MonitoringReport) -> str | None:
    """What is too small in a report that has been read, or None; for people.

    Raises `FormatError` where its figures contradict each other.
    """
    return next(
        (
            found
            for figures in (
                _times(message),
                _stages(message),
                _shares(message),
                _counts(message),
                _rests(message),
            )
            for found in figures
        ),
        None,
    )


def _times(message: pb.MonitoringReport) -> Iterator[str]:
    for times in message.release_times:
        measured = times.measured
        if times.state != _GIVEN:
            continue
        if measured.declarations < DECLARATIONS or measured.operators < OPERATORS:
            yield (
                f"release times of {measured.declarations} declarations of "
                f"{measured.operators} operators"
            )
        if _small_part(measured.before_arrival, measured.declarations, DECLARATIONS):
            yield f"{measured.before_arrival} of {measured.declarations} released before arrival"
        for taken in measured.taken_by:
            if taken.declarations < DECLARATIONS:
                yield f"time taken in {taken.declarations} declarations"


def _stages(message: pb.MonitoringReport) -> Iterator[str]:
    """What stage 1 withholds, stage 2 does not tell."""
    withheld = {
        (times.transport_mode, times.clearance_mode, times.group)
        for times in message.release_times
        if times.stage == _STAGE_1 and times.state == pb.FIGURE_STATE_WITHHELD
    }
    for times in message.release_times:
        if (
            times.state == _GIVEN
            and (times.transport_mode, times.clearance_mode, times.group) in withheld
        ):
            yield "stage 2 gives what stage 1 withholds"


def _shares(message: pb.MonitoringReport) -> Iterator[str]:
    for share in message.shares:
        if share.state != _GIVEN or share.code == pb.SHARE_CODE_TRADE_BY_VALUE:
            continue
        least = OPERATORS if share.code == pb.SHARE_CODE_PARTICIPATION else DECLARATIONS
        part, whole = share.given.numerator, share.given.denominator
        name = pb.ShareCode.Name(share.code).removeprefix("SHARE_CODE_")
        if too_few(part, least) or too_few(whole, least):
            yield f"{name}: {part} of {whole}"
        elif too_few(whole - part, least):
            yield f"{name}: {whole - part} of {whole} are left over"


def _counts(message: pb.MonitoringReport) -> Iterator[str]:
    decided = submitted = 0
    for count in message.counts:
        least = OPERATORS if count.code in _OF_OPERATORS else DECLARATIONS
        if too_few(count.count, least):
            name = pb.CountCode.Name(count.code).removeprefix("COUNT_CODE_")
            yield f"{name}: {count.count}"
        if count.code == pb.COUNT_CODE_APPLICATIONS_SUBMITTED:
            submitted = count.count
        elif count.code in _OF_OPERATORS:
            decided += count.count
    if too_few(submitted - decided, OPERATORS):
        yield f"APPLICATIONS_SUBMITTED: {submitted - decided} of {submitted} are left over"


def _rests(message: pb.MonitoringReport) -> Iterator[str]:
    """The tree, from the cells up; and what a benefit leaves over."""
    given: Counter[tuple[int, bool]] = Counter()
    for times in message.release_times:
        if times.stage == _STAGE_1:
            by_hand = times.clearance_mode == _EXAMINED
            given[times.group, by_hand] += times.measured.declarations
    totals: dict[int, int] = {}
    examinations: dict[int, int] = {}
    everything = None
    for share in message.shares:
        if share.state != _GIVEN:
            continue
        part, whole = share.given.numerator, share.given.denominator
        if share.code == pb.SHARE_CODE_EXAMINATION:
            examinations[share.group] = part
            _agree(totals, share.group, whole)
        elif share.code == pb.SHARE_CODE_TRADE_BY_DECLARATIONS:
            everything = whole
            _agree(totals, _RECOGNISED, part)
        elif share.code == pb.SHARE_CODE_USE:
            _agree(totals, _RECOGNISED, whole)
    for group, examined in examinations.items():
        yield from _rest("examined", examined, [given[group, True]])
    for group, total in totals.items():
        below = [examinations.get(group, given[group, True]), given[group, False]]
        yield from _rest(pb.ReleaseGroup.Name(pb.ReleaseGroup.ValueType(group)), total, below)
    if everything is not None:
        groups = [
            totals[group]
            if group in totals
            else examinations.get(group, given[group, True]) + given[group, False]
            for group in pb.ReleaseGroup.values()
            if group
        ]
        yield from _rest("all declarations", everything, groups)
    recognised = totals.get(_RECOGNISED, 0)
    for count in message.counts:
        if count.code != pb.COUNT_CODE_BENEFITS_GIVEN or count.state != _GIVEN:
            continue
        if too_few(recognised - count.count):
            yield f"BENEFITS_GIVEN: {recognised - count.count} of {recognised} are left over"


def _rest(what: str, total: int, below: Iterable[int]) -> Iterator[str]:
    rest = total - sum(below)
    if rest < 0:
        raise FormatError(f"{what}: {total} is less than its parts")
    if too_few(rest):
        yield f"{what}: {rest} of {total} are left over"


def _agree(totals: dict[int, int], group: int, total: int) -> None:
    if totals.setdefault(group, total) != total:
        raise FormatError(f"a group has {totals[group]} declarations and {total}")


def _small_part(part: int, whole: int, least: int) -> bool:
    return too_few(part, least) or too_few(whole - part, least)
