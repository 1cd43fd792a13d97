"""An answer of the embedded replica, put together when it is read.

What a risk engine reads most (outcome, reason, whether the benefits are due) costs nothing; the
message with all fields is made when something else is asked for. It equals, byte for byte, what
`evaluate` says, and what `StatusService` of a node at this height would have answered then.
"""

from typing import Any, Final, NamedTuple, TypeAlias

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.tin import Tin
from ledger.customs.verdict import Verdict as Fields
from ledger.customs.verdict import format_verdict, verdict_message
from service.client.verdicts import Outcome, Said

OWN_FIELDS: Final = Fields._fields.index("height")
"""The fields before it are a trader's own; what follows says where the ledger stood and who asked
about whom."""

_OUTCOMES: Final = {number: Outcome(name[8:]) for name, number in pb.Outcome.items() if number}
_REASONS: Final = {number: name[7:] for name, number in pb.Reason.items() if number}
_RECOGNISED: Final[int] = pb.OUTCOME_RECOGNISED

# The first `OWN_FIELDS` fields of a verdict: outcome, reason, ...
Own: TypeAlias = tuple[Any, ...]


class Place(NamedTuple):
    """What the answers about one pair have in common, under one state and seal: the fields from
    `height` to `recognising_economy`, `known_at`, and how final the header is."""

    fields: tuple[Any, ...]
    known_at: int
    finality: str


class Answer(Said):
    """The answer to one question, with the properties of `service.client.Verdict`."""

    __slots__ = ("_now", "_own", "_place", "_tin")

    def __init__(self, own: Own, place: Place, now: int, tin: Tin) -> None:
        self._own = own
        self._place = place
        self._now = now
        self._tin = tin

    @classmethod
    def of(cls, fields: Fields, finality: str) -> "Answer":
        """The answer that says these fields."""
        place = Place(fields[OWN_FIELDS:25], fields.known_at, finality)
        return cls(fields[:OWN_FIELDS], place, fields.as_of, Tin(*fields[27:]))

    def __repr__(self) -> str:
        return f"Answer({self.outcome}, {self.reason})"

    @property
    def fields(self) -> Fields:
        """All fields as `evaluate` gives them."""
        place = self._place
        return Fields._make((*self._own, *place.fields, self._now, place.known_at, *self._tin))

    @property
    def message(self) -> pb.Verdict:
        """All fields as a message."""
        return verdict_message(self.fields)

    @property
    def data(self) -> bytes:
        """The message's bytes."""
        return format_verdict(self.fields)

    @property
    def finality(self) -> str:
        """Whether the header is RECORDED, ATTESTED or SEALED."""
        return self._place.finality

    @property
    def outcome(self) -> Outcome:
        """What the rules say."""
        return _OUTCOMES[self._own[0]]

    @property
    def reason(self) -> str:
        """The first check that failed, from a closed list, or NONE."""
        return _REASONS[self._own[1]]

    @property
    def recognised(self) -> bool:
        """Whether the benefits are due."""
        return bool(self._own[0] == _RECOGNISED)
