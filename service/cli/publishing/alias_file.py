r"""A list of aliases as a CSV file, one row an alias of one trader.

    tin,scheme,value,valid_from,valid_to,arrangements

Columns may stand in any order; `tin`, `scheme` and `value` must be there. Dates are civil dates in
the issuer's own time zone, the last day included, or instants with an offset; empty ones are no
beginning and no end, and the same instant in both takes the alias back. Arrangements are separated
by semicolons, none means all of the issuer's. A faulty row leaves the others as they are.

>>> aliases = read_aliases(
...     "tin,scheme,value,valid_from,valid_to\n"
...     "HK12345678,US-MID,HKEXA123HON,,2026-12-31\n"
...     "HK12345678,US-MID,HKEXA124HON,June,\n",
...     "Asia/Hong_Kong",
... )
>>> aliases.rows[0].submission.valid_to == 1798732800000  # 2027-01-01 00:00 in Hong Kong
True
>>> [(fault.line, fault.column) for fault in aliases.faults]
[(3, 'valid_from')]
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from service.cli.civil import parse_instant
from service.cli.errors import InputRefused
from service.cli.publishing.register_file import REGISTER_LIMIT, Fault

_REQUIRED: Final = ("tin", "scheme", "value")
_OPTIONAL: Final = ("valid_from", "valid_to", "arrangements")


@dataclass(frozen=True, slots=True)
class AliasRow:
    """One alias as the file states it; arrangements by name or id."""

    line: int
    submission: publishing.AliasSubmission
    arrangements: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Aliases:
    """The good rows and the faults of the others."""

    rows: tuple[AliasRow, ...]
    faults: tuple[Fault, ...]


class _Faulty(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def read_aliases(text: str, time_zone: str) -> Aliases:
    """Read the text of a file; `InputRefused` where not even the columns can be made out."""
    if len(text) > REGISTER_LIMIT:
        raise InputRefused(f"a list of aliases may have at most {REGISTER_LIMIT:,} characters")
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[AliasRow] = []
    faults: list[Fault] = []
    try:
        columns = reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        known = {*_REQUIRED, *_OPTIONAL}
        if not set(_REQUIRED) <= set(columns) <= known or len(set(columns)) < len(columns):
            raise InputRefused(
                f"the columns must be {', '.join(_REQUIRED)}, and if wanted {', '.join(_OPTIONAL)}"
            )
        for cells in reader:
            try:
                rows.append(_read_row(reader.line_num, cells, time_zone))
            except _Faulty as fault:
                faults.append(Fault(reader.line_num, fault.column, str(fault)))
    except csv.Error as error:
        raise InputRefused(f"not CSV after line {reader.line_num}: {error}") from None
    return Aliases(tuple(rows), tuple(faults))


def _read_row(line: int, cells: Mapping[str | None, str | None], time_zone: str) -> AliasRow:
    if None in cells or None in cells.values():
        raise _Faulty("row", "has more or fewer cells than the heading")
    said = {name: (cell or "").strip() for name, cell in cells.items() if name is not None}
    for column in _REQUIRED:
        if not said[column]:
            raise _Faulty(column, "is empty")
    submission = publishing.AliasSubmission(
        tin=said["tin"],
        scheme=said["scheme"].upper(),
        value=said["value"],
        valid_from=_instant("valid_from", said, time_zone, last_day=False),
        valid_to=_instant("valid_to", said, time_zone, last_day=True),
    )
    named = said.get("arrangements", "").split(";")
    return AliasRow(line, submission, tuple(each.strip() for each in named if each.strip()))


def _instant(column: str, said: Mapping[str, str], time_zone: str, *, last_day: bool) -> int:
    cell = said.get(column, "")
    if not cell:
        return 0
    try:
        instant = parse_instant(cell, time_zone, last_day=last_day)
    except InputRefused as error:
        raise _Faulty(column, str(error)) from None
    if instant <= 0:
        raise _Faulty(column, f"{cell} is before 1970")
    return instant
