"""A figure: what was measured, in which unit, and the bound that it has to meet.

>>> rate = Figure("batch.cold", "verdicts of a batch of 1,000", 210_000.0, "/s", AtLeast(200_000))
>>> rate.met, str(rate.bound)
(True, '>= 200,000')
>>> Figure("map.build", "the map is built", 5.0, "s", AtMost(4)).met
False
>>> print(Figure("map.proof", "a proof is made", 12.345, "us").met)
None
"""

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any, Final

FULL_SIZE: Final = 200_000
"""Traders from which on the bounds of a ledger's figures are meant; a smaller one has none."""


@dataclass(frozen=True, slots=True)
class AtLeast:
    """The more the better."""

    value: float

    def holds(self, measured: float) -> bool:
        """Whether a measured value meets the bound."""
        return measured >= self.value

    def __str__(self) -> str:
        return f">= {format_number(self.value)}"


@dataclass(frozen=True, slots=True)
class AtMost:
    """The less the better."""

    value: float

    def holds(self, measured: float) -> bool:
        """Whether a measured value meets the bound."""
        return measured <= self.value

    def __str__(self) -> str:
        return f"<= {format_number(self.value)}"


@dataclass(frozen=True, slots=True)
class Figure:
    """One measured value. `name` is for programs and never changes its meaning, `title` for people.

    `low` and `high` are the extremes of the rounds whose median `value` is.
    """

    name: str
    title: str
    value: float
    unit: str
    bound: AtLeast | AtMost | None = None
    note: str = ""
    low: float | None = None
    high: float | None = None

    @classmethod
    def of(
        cls,
        name: str,
        title: str,
        rounds: Sequence[float],
        unit: str,
        bound: AtLeast | AtMost | None = None,
        note: str = "",
    ) -> "Figure":
        """The median of several rounds."""
        return cls(name, title, median(rounds), unit, bound, note, min(rounds), max(rounds))

    @property
    def met(self) -> bool | None:
        """Whether the bound is met; None where there is none."""
        return None if self.bound is None else self.bound.holds(self.value)

    def as_json(self) -> dict[str, Any]:
        """The stable form."""
        bound = self.bound
        return {
            "name": self.name,
            "title": self.title,
            "value": self.value,
            "unit": self.unit,
            "low": self.low,
            "high": self.high,
            "at_least": bound.value if isinstance(bound, AtLeast) else None,
            "at_most": bound.value if isinstance(bound, AtMost) else None,
            "met": self.met,
            "note": self.note,
        }


def format_number(value: float) -> str:
    """A number with as many digits as its noise leaves meaning.

    >>> [format_number(value) for value in (0.8412, 13.52, 655.0, 204_123.7, 4.0)]
    ['0.84', '13.5', '655', '204,124', '4']
    """
    if value == int(value) or abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.1f}" if abs(value) >= 10 else f"{value:.2f}"
