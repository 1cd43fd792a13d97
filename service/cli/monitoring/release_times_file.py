r"""Release times before and after an arrangement took effect as a CSV file, one row a comparison.

    table,importing_economy,exporting_economy,arrangement,stage,transport_mode,before_from,
    before_to,before_mean_seconds,after_from,after_to,after_mean_seconds,published_change_percent

Columns may stand in any order; all must be there. Means are as `ledger.customs.release_times` says;
the published change may be empty: the source prints none. Days are civil dates, the first and the
last included. A table is one importing and one exporting economy, one arrangement and two periods,
with one row for a stage and mode. Faulty rows are told with their line and column, all at once, and
nothing is computed: a report that leaves rows out without a word would be taken for the whole.

>>> [table, *_] = published_tables()
>>> table.number, table.importing_economy, table.exporting_economy, str(table.before)
(2, 'TW', 'JP', '2018-10-12 to 2019-05-21')
>>> heading = ",".join(COLUMNS)
>>> row = "5,JP,TW,JP-TW,1,4,2018-12-22,2019-05-21,,2019-05-22,2019-10-21,0,-100"
>>> read_tables(f"{heading}\n{row}\n")  # doctest: +ELLIPSIS
Traceback (most recent call last):
service.cli.errors.InputRefused: line 2, before_mean_seconds: is empty: write a time in seconds, ...
"""

import csv
import io
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from decimal import Decimal
from fractions import Fraction
from importlib.resources import files
from typing import Final, TypeVar

from ledger.customs.release_times import (
    Comparison,
    MeanTime,
    change_percent,
    compare,
    parse_mean_time,
    parse_percent,
)
from ledger.errors import FormatError
from service.cli.errors import InputRefused
from service.cli.publishing.register_file import Fault

# The published tables take 2 KB; a study of every arrangement, mode and stage far less than this.
FILE_LIMIT: Final = 10_000_000
# More faults than a person mends before the next try.
FAULTS_SHOWN: Final = 20
COLUMNS: Final = (
    *("table", "importing_economy", "exporting_economy", "arrangement", "stage", "transport_mode"),
    *("before_from", "before_to", "before_mean_seconds"),
    *("after_from", "after_to", "after_mean_seconds", "published_change_percent"),
)

_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}", re.ASCII)
_ECONOMY: Final = re.compile(r"[A-Z]{2}", re.ASCII)
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,5}", re.ASCII)
_NAME: Final = re.compile(".+")  # on one line
_CELL_LIMIT: Final = 64

_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Period:
    """Civil days, the first and the last included."""

    first: date
    last: date

    def __str__(self) -> str:
        return f"{self.first} to {self.last}"


@dataclass(frozen=True, slots=True)
class Row:
    """The means of one stage and mode, and the change in percent that the source prints."""

    stage: int
    transport_mode: int
    before: MeanTime
    after: MeanTime
    printed: Decimal | None

    @property
    def change(self) -> Fraction | None:
        """The exact change in percent."""
        return change_percent(self.before, self.after)

    @property
    def comparison(self) -> Comparison:
        """The change computed beside the one printed."""
        return compare(self.change, self.printed)


@dataclass(frozen=True, slots=True)
class Table:
    """One table of the source."""

    number: int
    importing_economy: str
    exporting_economy: str
    arrangement: str
    before: Period
    after: Period
    rows: tuple[Row, ...]


class _Faulty(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def published_tables() -> tuple[Table, ...]:
    """Tables 2 to 7 of APEC#221-CT-01.2, from the file that comes with the program."""
    file = files("service.cli").joinpath("data", "release_times.csv")
    return read_tables(file.read_text(encoding="utf-8"))


def read_tables(text: str) -> tuple[Table, ...]:
    """Read a whole file, tables and rows in its order; `InputRefused` names every faulty row."""
    if len(text) > FILE_LIMIT:
        raise InputRefused(f"release times may have at most {FILE_LIMIT:,} characters")
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    tables: dict[int, Table] = {}
    faults: list[Fault] = []
    try:
        _check_columns(reader.fieldnames or ())
        for cells in reader:
            try:
                table = _read_row(cells)
                tables[table.number] = _joined(tables.get(table.number), table)
            except _Faulty as fault:
                faults.append(Fault(reader.line_num, fault.column, str(fault)))
    except csv.Error as error:
        raise InputRefused(f"line {reader.reader.line_num}: not CSV: {error}") from None
    if faults:
        lines = [str(fault) for fault in faults[:FAULTS_SHOWN]]
        if len(faults) > FAULTS_SHOWN:
            lines.append(f"and {len(faults) - FAULTS_SHOWN:,} more faulty rows")
        raise InputRefused("\n".join(lines))
    if not tables:
        raise InputRefused("there is no row under the heading")
    return tuple(tables.values())


def _check_columns(columns: Sequence[str]) -> None:
    missing = [name for name in COLUMNS if name not in columns]
    if missing:
        raise InputRefused(f"line 1: there is no column {', '.join(missing)}")
    unknown = [name for name in columns if name not in COLUMNS]
    if unknown:
        raise InputRefused(f"line 1: columns that mean nothing here: {', '.join(unknown)}")
    if len(set(columns)) < len(columns):
        raise InputRefused("line 1: there is a column twice")


def _read_row(cells: Mapping[str | None, str | None]) -> Table:
    """A row as a table of its own, which has this one row."""
    if None in cells:
        raise _Faulty("row", "has more cells than the heading")
    if None in cells.values():
        raise _Faulty("row", "has fewer cells than the heading")
    text = {name: (cell or "").strip() for name, cell in cells.items() if name is not None}
    for column in COLUMNS:
        if len(text[column]) > _CELL_LIMIT:
            raise _Faulty(column, f"has more than {_CELL_LIMIT} characters")

    def read(column: str, parse: Callable[[str], _T]) -> _T:
        try:
            return parse(text[column])
        except FormatError as error:
            raise _Faulty(column, str(error)) from None

    def matching(column: str, form: re.Pattern[str], what: str) -> str:
        if not form.fullmatch(text[column]):
            raise _Faulty(column, f"{text[column] or 'an empty cell'} is no {what}")
        return text[column]

    number = int(matching("table", _NUMBER, "number of a table"))
    importing = matching("importing_economy", _ECONOMY, "economy like NZ")
    exporting = matching("exporting_economy", _ECONOMY, "economy like NZ")
    if importing == exporting:
        raise _Faulty("exporting_economy", f"{exporting} is the importing economy too")
    arrangement = matching("arrangement", _NAME, "name on one line")
    stage = int(matching("stage", re.compile("[12]"), "stage: 1 or 2"))
    mode = int(matching("transport_mode", re.compile("[1-8]"), "mode of transport from 1 to 8"))
    before = Period(read("before_from", _parse_day), read("before_to", _parse_day))
    if before.last < before.first:
        raise _Faulty("before_to", f"{before.last} is before {before.first}")
    before_mean = read("before_mean_seconds", parse_mean_time)
    after = Period(read("after_from", _parse_day), read("after_to", _parse_day))
    if after.first <= before.last:
        raise _Faulty("after_from", f"{after.first} is not after {before.last}")
    if after.last < after.first:
        raise _Faulty("after_to", f"{after.last} is before {after.first}")
    after_mean = read("after_mean_seconds", parse_mean_time)
    column = "published_change_percent"
    printed = read(column, parse_percent) if text[column] else None
    row = Row(stage, mode, before_mean, after_mean, printed)
    return Table(number, importing, exporting, arrangement, before, after, (row,))


def _joined(earlier: Table | None, more: Table) -> Table:
    """A table with one row more; `_Faulty` where that row is of another table, or there already."""
    if earlier is None:
        return more
    for column, there, here in (
        ("importing_economy", earlier.importing_economy, more.importing_economy),
        ("exporting_economy", earlier.exporting_economy, more.exporting_economy),
        ("arrangement", earlier.arrangement, more.arrangement),
        ("before_from", earlier.before.first, more.before.first),
        ("before_to", earlier.before.last, more.before.last),
        ("after_from", earlier.after.first, more.after.first),
        ("after_to", earlier.after.last, more.after.last),
    ):
        if here != there:
            raise _Faulty(column, f"{here}, but table {more.number} has {there} further up")
    [row] = more.rows
    if any((row.stage, row.transport_mode) == (e.stage, e.transport_mode) for e in earlier.rows):
        again = f"table {more.number} has stage {row.stage}, mode {row.transport_mode} already"
        raise _Faulty("transport_mode", again)
    return Table(
        *(more.number, more.importing_economy, more.exporting_economy, more.arrangement),
        *(more.before, more.after),
        (*earlier.rows, row),
    )


def _parse_day(text: str) -> date:
    try:
        # Python also reads 20191231 and 2019-W52-2, which no spreadsheet shows as a date.
        if _DAY.fullmatch(text):
            return date.fromisoformat(text)
    except ValueError:
        pass
    raise FormatError(f"{text or 'an empty cell'} is no date like 2019-12-31")
