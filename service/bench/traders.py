"""Made-up traders and the questions about them, all following from a number and a seed.

Nobody here exists. What a trader has been through is drawn by the shares of `STORIES`; a quarter of
the traders has two or three records. Questions are drawn alike (`question`): most name a trader at
random, some a number that nobody has, a mode that the arrangement does not cover, an economy that
no member speaks for, or no number at all. Nobody asks about a chosen few.

>>> trader(7) == trader(7), trader(7).tin, trader(7).story.name
(True, 'HK8581050327', 'importer only')
>>> sum(story.share for story in STORIES), sum(s.share for s in STORIES if len(s.events) > 1)
(1000, 250)
>>> question(0, 1_000).tin.startswith("HK")
True
"""

from dataclasses import dataclass
from functools import lru_cache
from hashlib import blake2b
from typing import Any, Final, NamedTuple

from aeo.exchange.v1.status_service_pb2 import LookupRequest
from aeo.exchange.wire.v1.wire_pb2 import SubmissionBytes
from aeo.ledger.v1 import arrangement_pb2, status_pb2

ISSUER: Final = "HK"
RECOGNISER: Final = "NZ"
SEED: Final = 20_260_101

DAY: Final = 86_400_000
LEVEL: Final = "SECURITY"
OTHER_LEVEL: Final = "GENERAL"
SEA: Final = 1
AIR: Final = 4
ROAD: Final = 3

# A prime, so that consecutive numbers give TINs that have nothing in common.
_SPREAD: Final = 2_654_435_761
_TINS: Final = 10**10

_GRANT: Final = status_pb2.EVENT_GRANT
_AMEND: Final = status_pb2.EVENT_AMEND
_SUSPEND: Final = status_pb2.EVENT_SUSPEND
_REINSTATE: Final = status_pb2.EVENT_REINSTATE
_STATUS: Final[dict[int, int]] = {
    _GRANT: status_pb2.STATUS_CERTIFIED,
    _AMEND: status_pb2.STATUS_CERTIFIED,
    _SUSPEND: status_pb2.STATUS_SUSPENDED,
    _REINSTATE: status_pb2.STATUS_CERTIFIED,
    status_pb2.EVENT_REVOKE: status_pb2.STATUS_REVOKED,
    status_pb2.EVENT_WITHDRAW: status_pb2.STATUS_WITHDRAWN,
}


class Story(NamedTuple):
    """What happened to a trader: `share` per mille of all, its records' events in order."""

    name: str
    share: int
    events: tuple[int, ...]
    roles: tuple[str, ...] = ("EX", "IM")
    level: str = LEVEL
    # Days from today on which the certificate begins and ends.
    begins: int = -400
    ends: int = 695


STORIES: Final = (
    Story("certified", 520, (_GRANT,)),
    Story("amended", 50, (_GRANT, _AMEND)),
    Story("reinstated", 50, (_GRANT, _SUSPEND, _REINSTATE)),
    Story("suspended", 80, (_GRANT, _SUSPEND)),
    Story("revoked", 40, (_GRANT, status_pb2.EVENT_REVOKE)),
    Story("withdrawn", 30, (_GRANT, status_pb2.EVENT_WITHDRAW)),
    Story("importer only", 90, (_GRANT,), roles=("IM",)),
    Story("expired", 60, (_GRANT,), begins=-1_200, ends=-105),
    Story("another level", 60, (_GRANT,), level=OTHER_LEVEL),
    Story("not yet valid", 20, (_GRANT,), begins=30, ends=1_125),
)

# Per mille of all questions; the rest asks about a trader at random.
_NOBODY: Final = 120
_OTHER_MODE: Final = 35
_OTHER_ECONOMY: Final = 20
_NO_NUMBER: Final = 20


@dataclass(frozen=True, slots=True)
class Trader:
    """A made-up trader."""

    tin: str
    certificate_number: str
    story: Story

    @property
    def records(self) -> int:
        """How many records it has."""
        return len(self.story.events)


def trader(number: int) -> Trader:
    """The trader of a number, whatever the others are."""
    drawn = _draw("trader", number) % 1_000
    for story in STORIES:
        if drawn < story.share:
            break
        drawn -= story.share
    tin = f"{ISSUER}{number * _SPREAD % _TINS:010}"
    return Trader(tin, f"AEO-{number:08}", story)


def submissions(made: Trader, today: int) -> list[SubmissionBytes]:
    """All its records in order, as an officer would submit them. `today`: Unix milliseconds."""
    story = made.story
    return [
        SubmissionBytes(
            tin=made.tin,
            certificate_number=made.certificate_number,
            valid_from=today + story.begins * DAY,
            valid_to=today + story.ends * DAY,
            effective_from=today + (story.begins * DAY if event == _GRANT else -1_000),
            terms=_terms(event, story.roles, story.level),
        )
        for event in story.events
    ]


def question(number: int, traders: int) -> LookupRequest:
    """A question to a ledger that holds the traders 0 to `traders`."""
    drawn = _draw("question", number)
    about = drawn // 1_000 % traders
    kind = drawn % 1_000
    tin, mode = trader(about).tin, (SEA, AIR)[drawn >> 60 & 1]
    if kind < _NOBODY:
        tin = trader(about + 10 * traders).tin
    elif (kind := kind - _NOBODY) < _OTHER_MODE:
        mode = ROAD
    elif (kind := kind - _OTHER_MODE) < _OTHER_ECONOMY:
        tin = f"XX{tin[2:]}"
    elif kind - _OTHER_ECONOMY < _NO_NUMBER:
        tin = f"{tin[2:]}*"
    return LookupRequest(
        tin=tin,
        function="EX",
        direction=arrangement_pb2.DIRECTION_IMPORT,
        transport_mode=mode,
    )


def arrangement_text(today: int) -> arrangement_pb2.ArrangementText:
    """What the two members sign: exporters at one level, by sea or air, four benefits."""
    return arrangement_pb2.ArrangementText(
        name=f"{ISSUER} and {RECOGNISER}, made up",
        kind=arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION,
        parties=sorted((ISSUER, RECOGNISER)),
        rules=[
            _from(
                today - 1_500 * DAY,
                issuing=issuing,
                recognising=recognising,
                certified_roles=["EX"],
                levels=[LEVEL],
                transport_modes=[SEA, AIR],
                benefits=[
                    arrangement_pb2.Benefit(code=code, granted_by="CUSTOMS")
                    for code in (
                        arrangement_pb2.BENEFIT_CODE_FEWER_DOCUMENT_CHECKS,
                        arrangement_pb2.BENEFIT_CODE_LOWER_INSPECTION_RATE,
                        arrangement_pb2.BENEFIT_CODE_PRIORITY_INSPECTION,
                        arrangement_pb2.BENEFIT_CODE_LIAISON_OFFICER,
                    )
                ],
            )
            for issuing, recognising in ((ISSUER, RECOGNISER), (RECOGNISER, ISSUER))
        ],
    )


@lru_cache
def _terms(event: int, roles: tuple[str, ...], level: str) -> bytes:
    message = status_pb2.StatusTerms(
        event=status_pb2.Event.Name(event),
        status=status_pb2.Status.Name(_STATUS[event]),
        roles=[status_pb2.CertifiedRole(code=code) for code in roles],
        level=level,
    )
    return message.SerializeToString(deterministic=True)


def _from(begin: int, **fields: Any) -> arrangement_pb2.Rule:
    """A rule from an instant on; the field's name is a word of Python's."""
    fields["from"] = begin
    return arrangement_pb2.Rule(**fields)


def _draw(what: str, number: int) -> int:
    """64 bits that follow from the seed."""
    return int.from_bytes(blake2b(f"{SEED}/{what}/{number}".encode(), digest_size=8).digest())
