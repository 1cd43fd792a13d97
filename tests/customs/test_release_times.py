"""Means and changes: three values that stay apart, exact figures, and the comparison with print."""

from decimal import Decimal, localcontext
from fractions import Fraction

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.customs.release_times import (
    Absent,
    Comparison,
    change_percent,
    compare,
    format_mean_time,
    format_percent,
    parse_mean_time,
    parse_percent,
    round_percent,
)
from ledger.errors import FormatError

TIMES = st.decimals(min_value=0, max_value=10**11, places=1)


@pytest.mark.parametrize("text", ["0", "0.0", "1", "25", "44246.3", "999999999999.999999"])
def test_a_time_is_kept_to_the_digit(text: str) -> None:
    mean = parse_mean_time(text)
    assert mean == Decimal(text)
    assert format_mean_time(mean) == text


def test_zero_and_the_two_absences_are_three_values() -> None:
    values = [parse_mean_time(text) for text in ("0", "no records", "not available")]
    assert values == [Decimal(0), Absent.NO_RECORDS, Absent.NOT_AVAILABLE]
    assert len(set(values)) == 3
    assert [format_mean_time(value) for value in values] == ["0", "no records", "not available"]


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "is empty"),
        ("-1", "release before arrival counts as zero"),
        ("-0.5", "release before arrival counts as zero"),
        ("-", "is no time"),
        ("nan", "is no time"),
        ("Infinity", "is no time"),
        ("1e3", "is no time"),
        ("1,5", "is no time"),
        ("1_000", "is no time"),
        (" 1", "is no time"),
        ("1\n", "is no time"),
        (".5", "is no time"),
        ("5.", "is no time"),
        ("٣", "is no time"),
        ("No records", "is no time"),
        ("n/a", "is no time"),
        ("1234567890123", "is no time"),
        ("1" * 65, "more than 64 characters"),
    ],
)
def test_what_is_no_mean(text: str, why: str) -> None:
    with pytest.raises(FormatError, match=why):
        parse_mean_time(text)


@pytest.mark.parametrize("text", ["", "+1", "1%", "NaN", "1e2", "1.", "--1", "1,2", "1" * 65])
def test_what_is_no_percentage(text: str) -> None:
    with pytest.raises(FormatError):
        parse_percent(text)


@pytest.mark.parametrize(
    ("before", "after", "change"),
    [
        ("627", "0", "-100"),
        ("100", "100", "0"),
        ("100", "250", "150"),
        ("3", "1", "-200/3"),
        ("0", "0", None),
        ("0.0", "5", None),
        ("no records", "5", None),
        ("5", "no records", None),
        ("not available", "5", None),
        ("5", "not available", None),
        ("no records", "not available", None),
    ],
)
def test_the_change(before: str, after: str, change: str | None) -> None:
    found = change_percent(parse_mean_time(before), parse_mean_time(after))
    assert found == (None if change is None else Fraction(change))


@given(TIMES.filter(bool), TIMES)
def test_the_change_leads_back_to_the_mean_whatever_the_context(
    before: Decimal, after: Decimal
) -> None:
    with localcontext() as context:
        context.prec = 2
        change = change_percent(before, after)
    assert change is not None
    assert Fraction(before) * (100 + change) / 100 == Fraction(after)


@pytest.mark.parametrize(
    ("change", "decimals", "text"),
    [
        ("0.005", 2, "0.01"),
        ("-0.005", 2, "-0.01"),
        ("0.015", 2, "0.02"),
        ("-2.5", 0, "-3"),
        ("2.5", 0, "3"),
        ("2.4999", 0, "2"),
        ("-0.004", 2, "0.00"),
        ("100", 2, "100.00"),
        ("-48.9332", 2, "-48.93"),
    ],
)
def test_halves_are_rounded_away_from_zero(change: str, decimals: int, text: str) -> None:
    assert format_percent(Fraction(change), decimals) == text


@given(st.fractions(), st.integers(0, 6))
def test_rounding_is_near_and_the_same_on_both_sides_of_zero(change: Fraction, places: int) -> None:
    rounded = round_percent(change, places)
    assert abs(Fraction(rounded) - change) <= Fraction(1, 2 * 10**places)
    assert Fraction(round_percent(-change, places)) == -Fraction(rounded)
    assert rounded.as_tuple().exponent == -places


@pytest.mark.parametrize(
    ("change", "printed", "comparison"),
    [
        ("-83.65", "-83.6", Comparison.DIFFERS),  # a half goes away from zero: -83.7
        ("-83.65", "-83.7", Comparison.AGREES),
        ("-83.649", "-83.6", Comparison.AGREES),  # rounded once: not by way of -83.65
        ("-100", "-100", Comparison.AGREES),
        ("-99.6", "-100", Comparison.AGREES),
        ("-99.6", "-100.0", Comparison.DIFFERS),
        ("24.198", "24.20", Comparison.AGREES),
        ("24.198", "-24.20", Comparison.DIFFERS),
        ("1", None, Comparison.ONLY_COMPUTED),
        (None, "1", Comparison.ONLY_PRINTED),
        (None, None, Comparison.NEITHER),
    ],
)
def test_the_comparison_with_print(
    change: str | None, printed: str | None, comparison: Comparison
) -> None:
    computed = None if change is None else Fraction(change)
    assert compare(computed, None if printed is None else parse_percent(printed)) is comparison
    assert comparison.contradicts == (comparison.name in {"DIFFERS", "ONLY_PRINTED"})
