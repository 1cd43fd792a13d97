"""The questions that the demonstration asks, and how it words the answers."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from random import Random
from typing import Final
from zoneinfo import ZoneInfo

from service.client import Question
from service.client.verdicts import Direction
from service.demo.figures import Figures
from service.demo.firms import Firm

SEA: Final = 1
ROAD: Final = 3
AIR: Final = 4

_MODES: Final = {SEA: "by sea", AIR: "by air", ROAD: "by road"}
_FUNCTIONS: Final = {"EX": "exporter", "IM": "importer", "CB": "broker"}


@dataclass(frozen=True, slots=True)
class Asked:
    """One look-up of a member's risk engine. `as_of` is in Unix milliseconds; None: now.

    `name` is the one in the declaration, where a rule asks that it match.
    """

    by: str
    tin: str
    function: str = "EX"
    direction: Direction = "IMPORT"
    mode: int = SEA
    as_of: int | None = None
    name: str = ""

    def question(self) -> Question:
        """What the client asks."""
        as_of = None if self.as_of is None else datetime.fromtimestamp(self.as_of / 1000, UTC)
        return Question(
            self.tin,
            self.function,
            self.direction,
            self.mode,
            as_of=as_of,
            declared_name=self.name,
        )

    def at(self, moment: int) -> "Asked":
        """The same question as of another instant."""
        return replace(self, as_of=moment)

    def words(self) -> str:
        """For people."""
        return (
            f"{self.by} {self.direction.lower()}s {_MODES[self.mode]}, "
            f"{_FUNCTIONS[self.function]} {self.tin}"
        )


def civil(instant: int, zone: str) -> str:
    """An instant as the clock on the wall of a customs house shows it.

    >>> civil(1_475_251_200_000, "Asia/Taipei")
    '2016-10-01 00:00 Asia/Taipei'
    """
    shown = datetime.fromtimestamp(instant / 1000, UTC).astimezone(ZoneInfo(zone))
    return f"{shown:%Y-%m-%d %H:%M} {zone}"


def certified(
    firms: Sequence[Firm], role: str, name: str, levels: Sequence[str] = (), *, skip: str = ""
) -> Firm:
    """The first firm with a role, and one of the levels if any, that takes part in `name`."""
    return next(
        firm
        for firm in firms
        if name not in firm.declined
        and firm.tin != skip
        and any(
            role in {code for code, _ in certificate.roles}
            and (not levels or certificate.level in levels)
            for certificate in firm.certificates
        )
    )


def mixed_questions(
    figures: Figures, firms: Mapping[str, Sequence[Firm]], count: int, seed: int
) -> list[Asked]:
    """Look-ups as borders might see them: any member asks about any other's traders."""
    random = Random(seed)  # noqa: S311 - made-up traffic
    members = sorted(figures.members)
    asked = []
    for _ in range(count):
        by, issuer = random.sample(members, 2)
        firm = random.choice(firms[issuer])
        function = random.choice(("EX", "EX", "EX", "IM", "CB"))
        direction: Direction = random.choice(("IMPORT", "IMPORT", "IMPORT", "EXPORT"))
        mode = random.choice((SEA, AIR, ROAD))
        asked.append(Asked(by, firm.tin, function, direction, mode))
    return asked
