"""Goods on their way: which instant decides about a rule, and what still holds at its end.

A rule names the event of a declaration that is relevant for it: acceptance, arrival or release.
Where the question says when that was, the rule is in force or not *then*; where it does not, as of.
A rule that has ended by then, or whose arrangement has, still covers goods that were dispatched
while it was in force, if its text honours goods under way. A suspension stops those too: trust is
in doubt at once, and goods that are already moving are what it is meant for.

Statuses, and all else but checks 3 and 4, are asked as of.

>>> goods = Goods(dispatched=10, arrived=40)
>>> goods.instant(pb.RELEVANT_EVENT_ARRIVAL, as_of=50), goods.instant(0, as_of=50)
(40, 50)
>>> goods.instant(pb.RELEVANT_EVENT_RELEASE, as_of=50)
50
"""

from typing import NamedTuple

from aeo.ledger.v1 import arrangement_pb2 as pb

HONOURED: int = pb.GOODS_UNDER_WAY_HONOURED
_FIELDS: dict[int, str] = {
    pb.RELEVANT_EVENT_ACCEPTANCE: "accepted",
    pb.RELEVANT_EVENT_ARRIVAL: "arrived",
    pb.RELEVANT_EVENT_RELEASE: "released",
}


class Goods(NamedTuple):
    """When the goods asked about were dispatched, and when their events were; Unix ms or None."""

    dispatched: int | None = None
    accepted: int | None = None
    arrived: int | None = None
    released: int | None = None

    def said(self, relevant_event: int) -> int | None:
        """When a rule's relevant event was, if the question says so."""
        name = _FIELDS.get(relevant_event)
        found: int | None = None if name is None else getattr(self, name)
        return found

    def instant(self, relevant_event: int, as_of: int) -> int:
        """The instant that decides about a rule with this relevant event."""
        said = self.said(relevant_event)
        return as_of if said is None else said
