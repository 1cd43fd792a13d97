"""The published figures that the demonstration runs on, read from the CSV files beside it.

`data/SOURCE.md` names where they come from. Civil dates stay civil dates here: who reads them
decides in whose time zone they begin.

>>> figures = load_figures()
>>> len(figures.members), len(figures.arrangements), sum(row.count for row in figures.holdings)
(24, 8, 51569)
"""

import csv
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date, datetime
from importlib.resources import files
from zoneinfo import ZoneInfo


@dataclass(frozen=True, slots=True)
class MemberFigure:
    """One customs administration: its zone and the TIN prefixes it speaks for."""

    economy: str
    time_zone: str
    prefixes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class HoldingFigure:
    """How many certificates an economy has granted for a set of roles."""

    economy: str
    role_name: str
    roles: tuple[str, ...]
    transport_mode: int  # 0: not said
    level: str
    count: int


@dataclass(frozen=True, slots=True)
class RuleFigure:
    """One dated rule; `recognising` may be ``*`` for every other party."""

    arrangement: str
    issuing: str
    recognising: str
    begins: date
    functions: tuple[str, ...]
    certified_roles: tuple[str, ...]
    levels: tuple[str, ...]
    directions: tuple[str, ...]
    transport_modes: tuple[int, ...]
    party_match_required: bool


@dataclass(frozen=True, slots=True)
class ArrangementFigure:
    """One mutual recognition arrangement and its rules."""

    name: str
    parties: tuple[str, ...]
    operators_opt_in: bool
    rules: tuple[RuleFigure, ...]


@dataclass(frozen=True, slots=True)
class Figures:
    """Everything, in the order of the files."""

    members: Mapping[str, MemberFigure]
    holdings: tuple[HoldingFigure, ...]
    arrangements: Mapping[str, ArrangementFigure]
    validity_years: Mapping[str, int]
    certified_smes: Mapping[str, int]

    def economies_with_holdings(self) -> tuple[str, ...]:
        """The economies that the published figures count operators for, ascending."""
        return tuple(sorted({row.economy for row in self.holdings}))

    def instant(self, day: date, economy: str) -> int:
        """Unix milliseconds at which a civil day begins at an economy's headquarters."""
        zone = ZoneInfo(self.members[economy].time_zone)
        return int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)


def load_figures() -> Figures:
    """Read all files; a malformed file is a ValueError or KeyError of the reader."""
    members = {
        row["economy"]: MemberFigure(row["economy"], row["time_zone"], _split(row["prefixes"]))
        for row in _rows("members.csv")
    }
    holdings = tuple(
        HoldingFigure(
            row["economy"],
            row["role_name"],
            _split(row["roles"]),
            int(row["transport_mode"] or 0),
            row["level"],
            int(row["count"]),
        )
        for row in _rows("operators_by_role.csv")
    )
    rules = [
        RuleFigure(
            row["arrangement"],
            row["issuing"],
            row["recognising"],
            date.fromisoformat(row["from"]),
            _split(row["functions"]),
            _split(row["certified_roles"]),
            _split(row["levels"]),
            _split(row["directions"]),
            tuple(int(mode) for mode in _split(row["transport_modes"])),
            "party match required" in row["note"],
        )
        for row in _rows("arrangement_rules.csv")
    ]
    arrangements = {
        row["arrangement"]: ArrangementFigure(
            row["arrangement"],
            tuple(sorted(_split(row["parties"]))),
            "opt in" in row["note"],
            tuple(rule for rule in rules if rule.arrangement == row["arrangement"]),
        )
        for row in _rows("arrangements.csv")
    }
    validity = {
        row["economy"]: int(row["validity_years"])
        for row in _rows("certificate_validity.csv")
        if row["validity_years"]
    }
    smes = {row["economy"]: int(row["certified_smes"]) for row in _rows("sme_operators_2019.csv")}
    return Figures(members, holdings, arrangements, validity, smes)


def _rows(name: str) -> Iterator[dict[str, str]]:
    text = files("service.demo").joinpath("data", name).read_text(encoding="utf-8")
    yield from csv.DictReader(text.splitlines())


def _split(cell: str) -> tuple[str, ...]:
    return tuple(part for part in cell.split(";") if part)
