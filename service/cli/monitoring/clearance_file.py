r"""Declarations as they were cleared, as a CSV file, one row a declaration.

    declaration,operator,partner,mode,clearance,lodged,released          must be there
    arrived,delivered,arrangement,certified,benefits,value,direct_trade,sme,parties,
    certified_parties,customs_seconds,agency_seconds,trader_seconds,port_seconds    may be

`clearance` is free, paper review or cargo examination; `arrangement` (name or id) is the one under
which the trader was recognised, empty for none; `benefits` are codes with their grantor, separated
by semicolons (`LOWER_INSPECTION_RATE:CUSTOMS`); yes and no say what is so. Times are instants with
an offset. An empty cell is not known, never zero. A faulty row leaves the others as they are.

>>> rows, faults = read_clearances(
...     "declaration,operator,partner,mode,clearance,lodged,released\n"
...     "D-1,TW1,KR,4,free,2026-03-01T10:00+08:00,2026-03-01T10:05+08:00\n"
...     "D-2,TW1,KR,air,free,2026-03-01T10:00+08:00,2026-03-01T10:05+08:00\n", {}, "Asia/Taipei")
>>> rows[0].clearance.released_at - rows[0].clearance.lodged_at, str(faults[0])
(300000, 'line 3, mode: air is no whole number')
"""

import csv
import io
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, cast

from aeo.exchange.v1 import reporting_service_pb2 as pb
from aeo.ledger.v1 import arrangement_pb2, report_pb2
from service.cli.civil import parse_instant
from service.cli.errors import InputRefused
from service.cli.publishing.register_file import REGISTER_LIMIT, Fault

_REQUIRED: Final = (
    *("declaration", "operator", "partner", "mode", "clearance", "lodged", "released"),
)
_TIMES: Final = {
    "lodged": "lodged_at",
    "arrived": "arrived_at",
    "released": "released_at",
    "delivered": "delivered_at",
}
_NUMBERS: Final = {
    "mode": "transport_mode",
    "value": "value",
    "parties": "parties",
    "certified_parties": "certified_parties",
}
_SECONDS: Final = {
    "customs_seconds": "taken_by_customs",
    "agency_seconds": "taken_by_agency",
    "trader_seconds": "taken_by_trader",
    "port_seconds": "taken_by_port",
}
_FACTS: Final = {
    "certified": "certified",
    "direct_trade": "direct_trade",
    "sme": "small_or_medium",
}
_COLUMNS: Final = (*_REQUIRED, *_TIMES, *_NUMBERS, *_SECONDS, *_FACTS, "arrangement", "benefits")
_MODES: Final = {
    "free": report_pb2.CLEARANCE_MODE_FREE,
    "paper review": report_pb2.CLEARANCE_MODE_PAPER_REVIEW,
    "cargo examination": report_pb2.CLEARANCE_MODE_CARGO_EXAMINATION,
}
_YES: Final = {"yes": True, "no": False, "": False}
_DIGITS: Final = 18


class ClearanceLine(NamedTuple):
    """A declaration and its line in the file."""

    line: int
    clearance: pb.Clearance


class _Faulty(Exception):
    def __init__(self, column: str, message: str) -> None:
        super().__init__(message)
        self.column = column


def read_clearances(
    text: str, known: Mapping[str, bytes], time_zone: str
) -> tuple[list[ClearanceLine], list[Fault]]:
    """Read the text of a file; `InputRefused` where not even the columns can be made out.

    `known` are one's own arrangements by name and id.
    """
    if len(text) > REGISTER_LIMIT:
        raise InputRefused(f"clearances may have at most {REGISTER_LIMIT:,} characters")
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[ClearanceLine] = []
    faults: list[Fault] = []
    try:
        columns = reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in _REQUIRED if name not in columns]
        unknown = [name for name in columns if name not in _COLUMNS]
        if missing or unknown or len(set(columns)) < len(columns):
            named = ", ".join(missing or unknown or ["a column twice"])
            raise InputRefused(f"{'no column ' if missing else 'columns: '}{named}")
        for cells in reader:
            try:
                rows.append(ClearanceLine(reader.line_num, _read_row(cells, known, time_zone)))
            except _Faulty as faulty:
                faults.append(Fault(reader.line_num, faulty.column, str(faulty)))
    except csv.Error as error:
        raise InputRefused(f"not CSV after line {reader.line_num}: {error}") from None
    return rows, faults


def _read_row(cells: Mapping[Any, Any], known: Mapping[str, bytes], time_zone: str) -> pb.Clearance:
    if None in cells or None in cells.values():
        raise _Faulty("row", "has more or fewer cells than the heading")
    said = {name: (cell or "").strip() for name, cell in cells.items()}
    for column in _REQUIRED:
        if not said[column]:
            raise _Faulty(column, "is empty")
    clearance = pb.Clearance(
        declaration=said["declaration"],
        operator=said["operator"],
        partner=said["partner"].upper(),
    )
    if said["clearance"].lower() not in _MODES:
        raise _Faulty("clearance", f"{said['clearance']} is none of {', '.join(_MODES)}")
    clearance.clearance_mode = _MODES[said["clearance"].lower()]
    for column, field in _TIMES.items():
        if said.get(column):
            try:
                setattr(clearance, field, parse_instant(said[column], time_zone))
            except (InputRefused, ValueError) as error:
                raise _Faulty(column, str(error)) from None
    for column, field in _NUMBERS.items():
        if said.get(column):
            limit = 1 << 31 if column != "value" else 1 << 62
            setattr(clearance, field, _number(column, said[column], limit))
    for column, field in _SECONDS.items():
        if said.get(column):
            setattr(clearance, field, 1_000 * _number(column, said[column], 1 << 40))
    for column, field in _FACTS.items():
        if said.get(column, "").lower() not in _YES:
            raise _Faulty(column, f"{said[column]} is neither yes nor no")
        setattr(clearance, field, _YES[said.get(column, "").lower()])
    arrangement = said.get("arrangement", "")
    if arrangement:
        if arrangement not in known:
            raise _Faulty("arrangement", f"{arrangement} is no arrangement of yours")
        clearance.recognised_under = known[arrangement]
    for benefit in said.get("benefits", "").split(";"):
        if benefit.strip():
            clearance.benefits_given.append(_benefit(benefit.strip()))
    return clearance


def _number(column: str, text: str, limit: int) -> int:
    if not (text.isascii() and text.isdecimal() and len(text) <= _DIGITS):
        raise _Faulty(column, f"{text} is no whole number")
    if int(text) >= limit:
        raise _Faulty(column, f"{text} is too large")
    return int(text)


def _benefit(text: str) -> arrangement_pb2.Benefit:
    code, _, granted_by = text.partition(":")
    name = f"BENEFIT_CODE_{code.strip().upper().replace(' ', '_')}"
    if name not in arrangement_pb2.BenefitCode.keys()[1:]:
        raise _Faulty("benefits", f"{code} is no benefit")
    return arrangement_pb2.Benefit(
        code=cast("arrangement_pb2.BenefitCode", arrangement_pb2.BenefitCode.Value(name)),
        granted_by=granted_by.strip() or "CUSTOMS",
    )
