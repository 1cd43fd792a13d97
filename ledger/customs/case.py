"""One question at one position of the ledger: what is known, what time it is, what is fresh.

*Known at* picks the height: all that the view shows, or the newest height not after a time, or a
height. In the past, times are *as then*: now is that time (of a height: its header's), and the
newest attested time at most that, since whatever was attested later covers it too. A known-at after
the newest header asks about the newest header.

*Fresh* (check 10): the newest attested time is not older than now less the limit, and the issuer's
newest transaction not older than min(as of, now) less the limit.

An answer rests on facts that change at known instants; the case keeps the interval of as_of around
which none lies, and the instant at which waiting alone would make it, or that interval, stale.

>>> from types import SimpleNamespace
>>> view = SimpleNamespace(height=3, height_at=lambda time: time // 1_000)
>>> query = Query("TW", "EX", 1, 1, tin="KR1", as_of=2_400, known_at_time=2_500)
>>> case = Case(query, view, Times(now=9_000, attested_time=8_000))
>>> case.known, case.now, case.attested             # as then: at height 2, one second apart
(2, 2500, 2500)
>>> case.seen = 1_300                               # the issuer's newest transaction by then
>>> case.stale(1_100), pb.Reason.Name(case.stale(1_099))
(0, 'REASON_ISSUER_STALE')
"""

from collections.abc import Container
from functools import lru_cache
from typing import Final

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.chain.economy import CODES
from ledger.customs.cover import narrow
from ledger.customs.goods import Goods
from ledger.customs.status import INSTANT_LIMIT, LEVEL_FORM, ROLE_FORM
from ledger.customs.verdict import Query, Times
from ledger.errors import FormatError
from ledger.state.view import StateView

# A member without a transaction was last seen before any time there is.
NEVER: Final = -INSTANT_LIMIT
# Combinations of codes that are known to be good: what people ask about repeats.
CODES_REMEMBERED: Final = 1_024


class Case:
    """A query, the view that answers it, and what the answer has rested on so far."""

    __slots__ = (
        "as_of",
        "attested",
        "fresh_until",
        "goods",
        "high",
        "known",
        "low",
        "moving",
        "now",
        "query",
        "seen",
        "state",
    )

    def __init__(self, query: Query, state: StateView, times: Times) -> None:
        self.query = query
        self.state = state
        self.now, self.attested = times
        self.known = state.height
        if query.known_at_time is not None:
            self.known = state.height_at(query.known_at_time)
            self._take_back(query.known_at_time)
        elif query.known_at_height is not None and query.known_at_height < self.known:
            self.known = query.known_at_height
            self._take_back(state.time_of(self.known) if self.known >= 0 else 0)
        self.as_of = times.now if query.as_of is None else query.as_of
        self.goods = goods_of(query)
        # Whether waiting alone could make the answer stale.
        self.moving = self.now == times.now
        self.low = self.high = self.fresh_until = 0
        self.seen = NEVER

    def _take_back(self, time: int) -> None:
        if time < self.now:
            self.now = time
            self.attested = min(self.attested, time)

    @property
    def known_at(self) -> int:
        """The time that was asked about, or that of the header that was."""
        if self.query.known_at_time is not None:
            return self.query.known_at_time
        return self.state.header_time if self.known == self.state.height else self.now

    def rest_on(self, instants: list[int]) -> None:
        """Let the answer rest on facts that change at these instants."""
        self.low, self.high = narrow(self.as_of, self.low, self.high, instants)

    def rest_within(self, low: int, high: int) -> None:
        """Let the answer rest on a fact that holds over [low, high); 0 is no end."""
        self.low = max(self.low, low)
        if high and (not self.high or high < self.high):
            self.high = high

    def stale(self, limit: int) -> int:
        """Check 10 with the staleness `limit` of an arrangement: the reason, or 0 for fresh."""
        now, seen = self.now, self.seen
        if self.attested < now - limit:
            return pb.REASON_LEDGER_STALE
        until = self.attested + limit + 1
        reason = 0
        if now > seen + limit:
            # Then an earlier as_of may be fresh where a later one is not.
            self.rest_on([seen + limit + 1])
            if self.as_of > seen + limit:
                reason = pb.REASON_ISSUER_STALE
        else:
            # From then on a later as_of is stale, and the interval ends there.
            until = min(until, seen + limit + 1)
        # Of a silent issuer too: once the ledger is stale as well, the ledger is named.
        if self.moving and (not self.fresh_until or until < self.fresh_until):
            self.fresh_until = until
        return reason


def goods_of(query: Query) -> Goods | None:
    """When the goods' events were; None where the question says nothing of them.

    Raises `FormatError` for an instant out of range.
    """
    dispatched, accepted = query.dispatched_at, query.accepted_at
    if dispatched is accepted is query.arrived_at is query.released_at is None:
        return None
    goods = Goods(dispatched, accepted, query.arrived_at, query.released_at)
    if any(event is not None and not -INSTANT_LIMIT <= event < INSTANT_LIMIT for event in goods):
        raise FormatError("an event of the goods is out of range")
    return goods


class PrefixesAt(Container[str]):
    """The TIN prefixes that some member speaks for, as known at a height."""

    __slots__ = ("_known", "_state")

    def __init__(self, state: StateView, known_height: int) -> None:
        self._state = state
        self._known = known_height

    def __contains__(self, prefix: object) -> bool:
        return isinstance(prefix, str) and bool(speaker_of(self._state, prefix, self._known))


def speaker_of(state: StateView, prefix: str, known_height: int) -> str:
    """Return who speaks for `prefix`, as known at a height; an empty string for nobody."""
    speaker = ""
    for entry in state.speaker_history(prefix):
        if entry.height <= known_height:
            speaker = entry.economy if entry.begins else ""
    return speaker


def check_query(query: Query) -> None:
    """Check that a question is within the codes and ranges there are; raises `FormatError`.

    An edge has seen to that before. What is merely wrong, such as a malformed TIN, gets a verdict.
    """
    if (query.tin is not None) + (query.alias is not None) + (query.party is not None) != 1:
        raise FormatError("a query has one identifier: a TIN, an alias, or a name and address")
    _check_codes(
        query.recognising,
        query.dispatch_economy,
        query.function,
        query.direction,
        query.transport_mode,
        query.level,
    )
    if query.known_at_time is not None and query.known_at_height is not None:
        raise FormatError("known at is a time or a height, not both")
    if query.as_of is None and query.known_at_time is None and query.known_at_height is None:
        return
    for number in (query.as_of, query.known_at_time, query.known_at_height):
        if number is not None and not -INSTANT_LIMIT <= number < INSTANT_LIMIT:
            raise FormatError("an instant or a height is out of range")


@lru_cache(CODES_REMEMBERED)
def _check_codes(
    recognising: str, dispatch_economy: str, function: str, direction: int, mode: int, level: str
) -> None:
    """Check what many questions have in common; remembered where it passes."""
    if recognising not in CODES:
        raise FormatError(f"{recognising!r} is not an economy")
    if dispatch_economy and dispatch_economy not in CODES:
        raise FormatError(f"{dispatch_economy!r} is not an economy")
    if not ROLE_FORM.fullmatch(function):
        raise FormatError(f"{function!r} is not the code of a function")
    if not 1 <= direction <= 3:
        raise FormatError("a direction is import, export or transit")
    if not 1 <= mode <= 8:
        raise FormatError("a mode of transport is 1 to 8")
    if level and not LEVEL_FORM.fullmatch(level):
        raise FormatError(f"{level!r} is not the code of a level")
