r"""An issuer's register of certificates as a CSV file, one row a certificate.

    tin,certificate,roles,mode,level,status,valid_from,valid_to,class,name,address,arrangements

Columns may stand in any order; `tin`, `certificate`, `roles`, `status` and `valid_from` must be
there. Lists are separated by semicolons. Dates are civil dates in the issuer's own time zone, and
the last day is included: `valid_to` 2026-12-31 ends with that day. An empty `arrangements` means
every arrangement of the issuer. Names and addresses never go to the ledger: they make
the traders' profiles (`service.cli.publishing.profile_file`). A faulty row is told with its line
and column and leaves the others as they are.

>>> register = read_register(
...     "tin,certificate,roles,status,valid_from,valid_to\n"
...     "HK12345678,AEO-1,EX;IM,CERTIFIED,2024-01-01,2026-12-31\n"
...     "HK12345679,AEO-2,EX,GONE,2024-01-01,\n",
...     "Asia/Hong_Kong",
... )
>>> register.rows[0].submission.valid_to == 1798732800000  # 2027-01-01 00:00 in Hong Kong
True
>>> [str(fault) for fault in register.faults]
['line 3, status: GONE is none of CERTIFIED, SUSPENDED, REVOKED, WITHDRAWN, ANNULLED, NOT_SHARED']
"""

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import status_pb2 as status
from service.cli.errors import InputRefused

# A register of 200,000 certificates takes some 20 MB; far more is not a register.
REGISTER_LIMIT: Final = 200_000_000
REQUIRED: Final = ("tin", "certificate", "roles", "status", "valid_from")
OPTIONAL: Final = ("mode", "level", "valid_to", "class", "name", "address", "arrangements")

_STATUSES: Final = tuple(name.removeprefix("STATUS_") for name in status.Status.keys()[1:])
_CLASSES: Final = tuple(
    name.removeprefix("OPERATOR_CLASS_") for name in status.OperatorClass.keys()[1:]
)
_MODES: Final = tuple("12345678")


@dataclass(frozen=True, slots=True)
class Fault:
    """What is wrong with one row."""

    line: int
    column: str
    message: str

    def __str__(self) -> str:
        return f"line {self.line}, {self.column}: {self.message}"


@dataclass(frozen=True, slots=True)
class Row:
    """One certificate as the file states it."""

    line: int
    submission: publishing.Submission
    arrangements: tuple[str, ...]
    name: str = ""
    address: str = ""


@dataclass(frozen=True, slots=True)
class Register:
    """The good rows and the faults of the others."""

    rows: tuple[Row, ...]
    faults: tuple[Fault, ...]


class _Faulty(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def read_register(text: str, time_zone: str) -> Register:
    """Read the text of a register; `InputRefused` where not even the columns can be made out."""
    if len(text) > REGISTER_LIMIT:
        raise InputRefused(f"a register may have at most {REGISTER_LIMIT:,} characters")
    zone = ZoneInfo(time_zone)
    # Not split by hand: a quoted cell may hold line breaks, an address often does.
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    try:
        columns = [name.strip().lower() for name in reader.fieldnames or ()]
    except csv.Error as error:
        raise InputRefused(f"not CSV: {error}") from None
    _check_columns(columns)
    reader.fieldnames = columns
    rows: list[Row] = []
    faults: list[Fault] = []
    lines: dict[tuple[str, str], int] = {}
    try:
        for cells in reader:
            try:
                row = _read_row(reader.line_num, cells, zone)
            except _Faulty as fault:
                faults.append(Fault(reader.line_num, fault.column, str(fault)))
                continue
            key = (row.submission.tin, row.submission.certificate_number)
            if first := lines.get(key):
                again = f"{key[1]} of {key[0]} stands on line {first} already"
                faults.append(Fault(row.line, "certificate", again))
                continue
            lines[key] = row.line
            rows.append(row)
    except csv.Error as error:
        raise InputRefused(f"not CSV after line {reader.line_num}: {error}") from None
    return Register(tuple(rows), tuple(faults))


def _check_columns(columns: list[str]) -> None:
    missing = [name for name in REQUIRED if name not in columns]
    if missing:
        raise InputRefused(f"the register has no column {', '.join(missing)}")
    unknown = [name for name in columns if name not in (*REQUIRED, *OPTIONAL)]
    if unknown:
        raise InputRefused(f"the register has columns that mean nothing here: {', '.join(unknown)}")
    if len(set(columns)) < len(columns):
        raise InputRefused("the register has a column twice")


def _read_row(line: int, cells: Mapping[str | None, str | None], zone: ZoneInfo) -> Row:
    if None in cells:
        raise _Faulty("row", "has more cells than the heading")
    if None in cells.values():
        raise _Faulty("row", "has fewer cells than the heading")
    text = {name: (cell or "").strip() for name, cell in cells.items() if name is not None}
    for column in REQUIRED:
        if not text[column]:
            raise _Faulty(column, "is empty")
    mode = int(_one_of("mode", text.get("mode", ""), _MODES) or 0)
    roles = [
        status.CertifiedRole(code=code, mode=mode) for code in sorted(set(_split(text["roles"])))
    ]
    state = _one_of("status", text["status"].upper(), _STATUSES)
    size = _one_of("class", text.get("class", "").upper(), _CLASSES)
    valid_from = _instant("valid_from", text["valid_from"], zone, days=0)
    valid_to = _instant("valid_to", text.get("valid_to", ""), zone, days=1)
    if valid_to and valid_to <= valid_from:
        raise _Faulty("valid_to", "is before valid_from")
    terms = status.StatusTerms(
        status=f"STATUS_{state}",
        roles=roles,
        level=text.get("level", ""),
        operator_class=f"OPERATOR_CLASS_{size}" if size else None,
    )
    submission = publishing.Submission(
        tin=text["tin"],
        certificate_number=text["certificate"],
        valid_from=valid_from,
        valid_to=valid_to,
        terms=terms,
    )
    name, address = text.get("name", ""), text.get("address", "")
    return Row(line, submission, tuple(_split(text.get("arrangements", ""))), name, address)


def _split(cell: str) -> list[str]:
    return [part.strip() for part in cell.split(";") if part.strip()]


def _one_of(column: str, cell: str, known: tuple[str, ...]) -> str:
    if cell and cell not in known:
        raise _Faulty(column, f"{cell} is none of {', '.join(known)}")
    return cell


def _instant(column: str, cell: str, zone: ZoneInfo, days: int) -> int:
    """Milliseconds at which the civil day begins, `days` later; 0 for an empty cell."""
    if not cell:
        return 0
    try:
        day = date.fromisoformat(cell) + timedelta(days=days)
    except (ValueError, OverflowError):
        raise _Faulty(column, f"{cell} is no date like 2026-12-31") from None
    instant = int(datetime(day.year, day.month, day.day, tzinfo=zone).timestamp() * 1000)
    if instant <= 0:
        raise _Faulty(column, f"{cell} is before 1970")
    return instant
