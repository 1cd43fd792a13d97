"""Mean release times before and after an arrangement took effect, and the change between them.

A mean is one of three things, and none of them stands for another:

- a time in seconds, ``44246.3``. Zero is a time like any other: a release before arrival counts as
  zero, so a mean is never negative;
- ``no records``: nothing was released in the period, so there is no mean;
- ``not available``: nobody says. There may have been releases.

The change is (after - before) / before, in percent. It is kept as an exact fraction and rounded
once, when it is shown: half away from zero, to two decimals. There is none where a side is no time,
nor from a mean of zero, of which nothing is a percentage.

What a source prints is compared with the change rounded to as many decimals as the source prints,
never with a figure that was rounded before. Table 2 of APEC#221-CT-01.2 (stage 2, sea) contradicts
itself:

>>> before, after = parse_mean_time("552441.8"), parse_mean_time("282113.8")
>>> change = change_percent(before, after)
>>> format_percent(change), compare(change, parse_percent("-48.63")).name
('-48.93', 'DIFFERS')
>>> change_percent(parse_mean_time("627"), parse_mean_time("0"))
Fraction(-100, 1)
>>> change_percent(parse_mean_time("17548.4"), parse_mean_time("no records")) is None
True
"""

import re
from decimal import Decimal
from enum import Enum
from fractions import Fraction
from typing import Final, TypeAlias

from ledger.errors import FormatError

# Decimals of a change as it is shown; the source prints two where it says most.
DECIMALS: Final = 2

# A million seconds are twelve days; twelve digits are longer than anybody waits.
_TIME: Final = re.compile(r"[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_PERCENT: Final = re.compile(r"-?[0-9]{1,12}(\.[0-9]{1,6})?", re.ASCII)
_CELL_LIMIT: Final = 64


class Absent(Enum):
    """Why there is no mean; the value is the word that stands for it."""

    NO_RECORDS = "no records"
    NOT_AVAILABLE = "not available"


MeanTime: TypeAlias = Decimal | Absent


class Comparison(Enum):
    """A change computed from the source's own times beside the one that the source prints."""

    AGREES = "AGREES"
    DIFFERS = "DIFFERS"
    ONLY_COMPUTED = "ONLY_COMPUTED"
    ONLY_PRINTED = "ONLY_PRINTED"  # by a source whose times give no change
    NEITHER = "NEITHER"

    @property
    def contradicts(self) -> bool:
        """Whether the source prints what its own times do not give."""
        return self in {Comparison.DIFFERS, Comparison.ONLY_PRINTED}


def parse_mean_time(text: str) -> MeanTime:
    """Read a mean: seconds, ``no records`` or ``not available``. Empty says nothing: refused."""
    _check_size(text)
    for absent in Absent:
        if text == absent.value:
            return absent
    if _TIME.fullmatch(text):
        return Decimal(text)
    if not text:
        raise FormatError("is empty: write a time in seconds, no records or not available")
    if text.startswith("-") and _TIME.fullmatch(text, 1):
        raise FormatError(f"{text} is negative: a release before arrival counts as zero")
    raise FormatError(f"{text} is no time in seconds like 44246.3, no records or not available")


def format_mean_time(mean: MeanTime) -> str:
    """Write a mean as `parse_mean_time` reads it."""
    return mean.value if isinstance(mean, Absent) else f"{mean:f}"


def parse_percent(text: str) -> Decimal:
    """Read a percentage as a source prints it; its decimals count in `compare`."""
    _check_size(text)
    if not _PERCENT.fullmatch(text):
        raise FormatError(f"{text} is no percentage like -32.27")
    return Decimal(text)


def format_percent(change: Fraction, decimals: int = DECIMALS) -> str:
    """Write a change, rounded as `round_percent` does.

    >>> [format_percent(Fraction(n, 1000)) for n in (125, -125, -4, 97_650)]
    ['0.13', '-0.13', '0.00', '97.65']
    """
    return f"{round_percent(change, decimals):f}"


def change_percent(before: MeanTime, after: MeanTime) -> Fraction | None:
    """The exact change in percent of `before`; None where there is none (see above)."""
    if isinstance(before, Absent) or isinstance(after, Absent) or before == 0:
        return None
    # Not (after - before) of two Decimals: that would round to their context's precision.
    return (Fraction(after) / Fraction(before) - 1) * 100


def round_percent(change: Fraction, decimals: int = DECIMALS) -> Decimal:
    """Round half away from zero; never to a negative zero."""
    size = abs(change) * 10**decimals
    units = (2 * size.numerator + size.denominator) // (2 * size.denominator)
    return Decimal(f"{units if change > 0 else -units}E-{decimals}")


def compare(change: Fraction | None, printed: Decimal | None) -> Comparison:
    """Compare a computed change with the printed one, at the printed one's decimals."""
    if change is None:
        return Comparison.NEITHER if printed is None else Comparison.ONLY_PRINTED
    if printed is None:
        return Comparison.ONLY_COMPUTED
    exponent = printed.as_tuple().exponent
    assert isinstance(exponent, int), "only infinities and NaN have other exponents"
    agrees = round_percent(change, max(-exponent, 0)) == printed
    return Comparison.AGREES if agrees else Comparison.DIFFERS


def _check_size(text: str) -> None:
    if len(text) > _CELL_LIMIT:
        raise FormatError(f"has more than {_CELL_LIMIT} characters")
