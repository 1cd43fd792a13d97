"""Staged starts: each party of a text names, in a notice of its own, the day on which it begins.

A notice is one civil date. It carries an instant for each party of the text, itself included,
ascending: midnight of that date in *that* party's zone. A rule from an issuer to a recogniser then
runs from the later of their two days, both in the recogniser's zone, but not before its own
beginning:

    begins = max(rule's own, issuer's notice for the recogniser, recogniser's notice for itself)

Where one of the two has named no day, the rule does not run. Notices count by *known at*, the days
in them by *as of*. A party may name another day until the day it has named begins anywhere;
after that it only completes its notice for parties that have joined since.

>>> kr = StartNotice(1, "KR", {"KR": 90, "TW": 100})
>>> tw = StartNotice(2, "TW", {"KR": 140, "TW": 150})
>>> later_of_days([kr, tw], "KR", "TW", known_height=2)
150
>>> later_of_days([kr, tw], "KR", "TW", known_height=1) is None
True
>>> later_of_days([kr, tw, StartNotice(3, "TW", {"KR": 50, "TW": 60})], "KR", "TW", 3)
100
"""

from collections.abc import Mapping, Sequence
from typing import NamedTuple

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.chain.economy import economy_bytes
from ledger.customs.status import INSTANT_LIMIT, is_ascending
from ledger.errors import FormatError


class StartFor(NamedTuple):
    """The day that a notice names, as it begins in one party's zone (Unix ms)."""

    recognising: str
    instant: int


class StartNotice(NamedTuple):
    """A party's notice, known from `height`; its day by the party in whose zone it begins."""

    height: int
    economy: str
    days: Mapping[str, int]


def parse_starts(message: pb.StagedStart) -> tuple[StartFor, ...]:
    """Read the days of a notice; raises `FormatError`. Whose they must be, the text says."""
    starts = tuple(StartFor(each.recognising, getattr(each, "from")) for each in message.starts)
    if not starts or not is_ascending([each.recognising for each in starts]):
        raise FormatError("a notice names a day for each party, ascending without repeats")
    for each in starts:
        economy_bytes(each.recognising)
        if not 0 < each.instant < INSTANT_LIMIT:
            raise FormatError("a day begins after 1970 and within 64-bit Unix milliseconds")
    return starts


def newest_notice(
    notices: Sequence[StartNotice], economy: str, known_height: int
) -> StartNotice | None:
    """What a party had last named by what was known at a height; None where it had not."""
    for notice in reversed(notices):
        if notice.economy == economy and notice.height <= known_height:
            return notice
    return None


def later_of_days(
    notices: Sequence[StartNotice], issuing: str, recognising: str, known_height: int
) -> int | None:
    """The later of two parties' days in the recogniser's zone; None where one is not named."""
    days = []
    for party in (issuing, recognising):
        notice = newest_notice(notices, party, known_height)
        day = None if notice is None else notice.days.get(recognising)
        if day is None:
            return None
        days.append(day)
    return max(days)


def may_replace(earlier: StartNotice, starts: Sequence[StartFor], recorded_time: int) -> bool:
    """Whether `starts` may follow `earlier`: not begun yet, or only completed for others."""
    if recorded_time < min(earlier.days.values()):
        return True
    added = [each for each in starts if each.recognising not in earlier.days]
    kept = all(
        each.instant == earlier.days[each.recognising]
        for each in starts
        if each.recognising in earlier.days
    )
    return kept and bool(added)
