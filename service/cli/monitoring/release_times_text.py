"""The report on release times: as JSON, and as one table for each table of the source.

In the JSON every figure is a decimal in a string, so that no reader's floating point changes it; a
side that is no time says which of the two it is in `state`, and has no seconds.
"""

from collections.abc import Sequence
from decimal import Decimal
from typing import Any, Final

from rich.console import Group, RenderableType
from rich.text import Text

from ledger.customs.release_times import (
    DECIMALS,
    Absent,
    Comparison,
    MeanTime,
    format_mean_time,
    format_percent,
)
from service.cli.monitoring.release_times_file import Period, Row, Table
from service.cli.output import facts, plain, table

# UN/ECE Recommendation 19.
MODES: Final = {
    1: "sea",
    2: "rail",
    3: "road",
    4: "air",
    5: "mail",
    6: "multimodal",
    7: "fixed installation",
    8: "inland water",
}
STAGES: Final = {1: "lodgement to release", 2: "arrival to delivery"}
ROUNDING: Final = f"half away from zero, to {DECIMALS} decimals"

_NOTES: Final = {
    Comparison.AGREES: "",
    Comparison.DIFFERS: "differs",
    Comparison.ONLY_COMPUTED: "not printed",
    Comparison.ONLY_PRINTED: "no times for it",
    Comparison.NEITHER: "",
}


def describe(tables: Sequence[Table], source: str) -> dict[str, Any]:
    """The report as JSON."""
    return {
        "source": source,
        "rounding": ROUNDING,
        "disagreements": len(_disagreements(tables)),
        "tables": [
            {
                "table": each.number,
                "importing_economy": each.importing_economy,
                "exporting_economy": each.exporting_economy,
                "arrangement": each.arrangement,
                "before": _period(each.before),
                "after": _period(each.after),
                "rows": [_describe_row(row) for row in each.rows],
            }
            for each in tables
        ],
    }


def text(tables: Sequence[Table], source: str) -> Group:
    """The report for people."""
    parts: list[RenderableType] = [Text(plain(f"Mean release times: {source}\n"))]
    for each in tables:
        parts += [_heading(each), _table(each), Text("")]
    found = _disagreements(tables)
    if found:
        parts.append(Text(f"Disagreements with the source: {len(found)}", style="bold"))
        parts += [Text(f"  {line}") for line in found]
    else:
        parts.append(Text("No disagreement with the source."))
    legend = [
        ("printed", "the change as the source prints it"),
        ("change", f"computed from the two means, rounded {ROUNDING}"),
        ("lodgement to release", "stage 1, under customs alone"),
        ("arrival to delivery", "stage 2, which others than customs take part in"),
        ("0s", "is a time: release before arrival counts as zero"),
        (Absent.NO_RECORDS.value, "nothing was released in the period"),
        (Absent.NOT_AVAILABLE.value, "nobody says; there may have been releases"),
    ]
    return Group(*parts, Text(""), facts(legend))


def format_duration(seconds: Decimal) -> str:
    """Seconds, exact, as people say them.

    >>> [format_duration(Decimal(text)) for text in ("552441.8", "3600", "0", "0.50")]
    ['6d 9h 27m 21.8s', '1h 0m 0s', '0s', '0.5s']
    """
    whole = int(seconds)
    rest = f"{whole % 60 + seconds % 1:f}"
    rest = rest.rstrip("0").rstrip(".") if "." in rest else rest
    values = (whole // 86_400, whole // 3_600 % 24, whole // 60 % 60)
    first = next((i for i, value in enumerate(values) if value), len(values))
    parts = [f"{value}{unit}" for value, unit in zip(values, "dhm", strict=True)]
    return " ".join([*parts[first:], f"{rest}s"])


def _describe_row(row: Row) -> dict[str, Any]:
    return {
        "stage": row.stage,
        "stage_name": STAGES[row.stage],
        "transport_mode": row.transport_mode,
        "mode_name": MODES[row.transport_mode],
        "before": _describe_mean(row.before),
        "after": _describe_mean(row.after),
        "change_percent": None if row.change is None else format_percent(row.change),
        "published_change_percent": None if row.printed is None else f"{row.printed:f}",
        "comparison": row.comparison.value,
    }


def _describe_mean(mean: MeanTime) -> dict[str, str | None]:
    if isinstance(mean, Absent):
        return {"state": mean.name, "mean_seconds": None}
    return {"state": "TIME", "mean_seconds": format_mean_time(mean)}


def _period(period: Period) -> dict[str, str]:
    return {"from": period.first.isoformat(), "to": period.last.isoformat()}


def _heading(each: Table) -> Text:
    pair = f"{each.importing_economy} imports from {each.exporting_economy}"
    return Text.assemble(
        (plain(f"Table {each.number}: {pair}, arrangement {each.arrangement}\n"), "bold"),
        f"before: {each.before}; after: {each.after}",
    )


def _table(each: Table) -> RenderableType:
    rows = [
        (
            STAGES[row.stage],
            MODES[row.transport_mode],
            _mean_text(row.before),
            _mean_text(row.after),
            "none" if row.printed is None else f"{row.printed:f} %",
            "none" if row.change is None else f"{format_percent(row.change)} %",
            _NOTES[row.comparison],
        )
        for row in each.rows
    ]
    made = table("STAGE", "MODE", "BEFORE", "AFTER", "PRINTED", "CHANGE", "", rows=rows)
    for column in made.columns[2:6]:
        column.justify = "right"
    return made


def _mean_text(mean: MeanTime) -> str:
    return mean.value if isinstance(mean, Absent) else format_duration(mean)


def _disagreements(tables: Sequence[Table]) -> list[str]:
    """One line for each figure of the source that its own times do not give."""
    return [
        f"table {each.number}, {STAGES[row.stage]}, {MODES[row.transport_mode]}: "
        f"{row.printed:f} % is printed, "
        + ("no change" if row.change is None else f"{format_percent(row.change)} %")
        + " is what its own times give"
        for each in tables
        for row in each.rows
        if row.comparison.contradicts
    ]
