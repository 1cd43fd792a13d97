"""The members that a new network begins with: from codes alone, or from a CSV file.

    economy,time_zone,prefixes,name,weight,endpoint
    NZ,Pacific/Auckland,NZ,New Zealand Customs Service,1,nz-node.example:7443

`economy` must be there; prefixes are separated by semicolons. What a row, or a bare code, leaves
out is filled in: a plain name, the zone where the economy has only one or its customs headquarters
are known here, the economy's own code as its prefix, weight 1, no endpoint.

>>> [(f.economy, f.time_zone, f.prefixes) for f in founders_of_codes("HK, NZ")]
[('HK', 'Asia/Hong_Kong', ('HK',)), ('NZ', 'Pacific/Auckland', ('NZ',))]
>>> founders_of_codes("BR")
Traceback (most recent call last):
service.cli.errors.InputRefused: BR has 16 time zones: name the one of its customs headquarters
"""

import csv
import importlib.resources
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pycountry

from service.cli.errors import InputRefused
from service.keys.member_keys import Founder

# Where the customs headquarters are, for economies of several zones that take part in APEC.
_HEADQUARTERS: Final[Mapping[str, str]] = {
    "AU": "Australia/Sydney",
    "CA": "America/Toronto",
    "CL": "America/Santiago",
    "CN": "Asia/Shanghai",
    "EU": "Europe/Brussels",
    "ID": "Asia/Jakarta",
    "MX": "America/Mexico_City",
    "MY": "Asia/Kuala_Lumpur",
    "NZ": "Pacific/Auckland",
    "PG": "Pacific/Port_Moresby",
    "RU": "Europe/Moscow",
    "US": "America/New_York",
}
_COLUMNS: Final = ("economy", "time_zone", "prefixes", "name", "weight", "endpoint")
_ECONOMY: Final = re.compile("[A-Z]{2}")


def founders_of_codes(codes: str, zones: Mapping[str, str] | None = None) -> list[Founder]:
    """Founders from ``HK,NZ``; `zones` names the zones of some of them."""
    given = dict(zones or {})
    listed = [code.strip().upper() for code in codes.split(",") if code.strip()]
    founders = [founder_of({"economy": code, "time_zone": given.pop(code, "")}) for code in listed]
    if given:
        raise InputRefused(f"a time zone for {', '.join(given)}, which is not a member")
    return _checked(founders)


def founders_of_file(path: Path) -> list[Founder]:
    """Founders from a CSV file; `InputRefused` names the line at fault."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        reader = csv.DictReader(file, strict=True)
        unknown = [name for name in reader.fieldnames or () if name not in _COLUMNS]
        if unknown or "economy" not in (reader.fieldnames or ()):
            raise InputRefused(f"{path}: its columns must be among {', '.join(_COLUMNS)}")
        try:
            founders = [founder_of({name: row[name] or "" for name in row}) for row in reader]
        except (csv.Error, InputRefused) as error:
            raise InputRefused(f"{path}, line {reader.line_num}: {error}") from None
    return _checked(founders)


def founder_of(row: Mapping[str | None, str]) -> Founder:
    """What one member says of itself; an empty cell is filled in."""
    if None in row:
        raise InputRefused("more cells than the heading")
    economy = _economy(row["economy"].strip())
    weight = row.get("weight") or "1"
    if not weight.isdecimal():
        raise InputRefused(f"{weight} is not a weight")
    return Founder(
        economy=economy,
        name=row.get("name") or f"{economy} customs",
        time_zone=_zone(economy, row.get("time_zone", "")),
        prefixes=_prefixes(economy, row.get("prefixes", "")),
        weight=int(weight),
        endpoint=row.get("endpoint", ""),
    )


def _checked(founders: list[Founder]) -> list[Founder]:
    if not founders:
        raise InputRefused("a network needs at least one member")
    economies = [founder.economy for founder in founders]
    twice = sorted({code for code in economies if economies.count(code) > 1})
    if twice:
        raise InputRefused(f"{', '.join(twice)} is there twice")
    return founders


def _economy(code: str) -> str:
    if code != "EU" and (len(code) != 2 or pycountry.countries.get(alpha_2=code) is None):
        raise InputRefused(f"{code!r} is neither an ISO 3166-1 alpha-2 code nor EU")
    return code


def _zone(economy: str, named: str) -> str:
    known = (named,) if named else _zones().get(economy, ())
    if economy in _HEADQUARTERS and not named:
        known = (_HEADQUARTERS[economy],)
    if len(known) != 1:
        raise InputRefused(
            f"{economy} has {len(known)} time zones: name the one of its customs headquarters"
        )
    try:
        return ZoneInfo(known[0]).key
    except (ZoneInfoNotFoundError, ValueError, OSError):
        raise InputRefused(f"{known[0]!r} is not an IANA time zone") from None


def _prefixes(economy: str, cell: str) -> tuple[str, ...]:
    listed = sorted({part.strip() for part in cell.split(";") if part.strip()}) or [economy]
    for prefix in listed:
        if not _ECONOMY.fullmatch(prefix):
            raise InputRefused(f"{prefix!r} is not a TIN prefix: two letters")
    return tuple(listed)


@cache
def _zones() -> Mapping[str, tuple[str, ...]]:
    """The zones of each country, from the table that comes with the time zone database."""
    zones: dict[str, tuple[str, ...]] = {}
    table = importlib.resources.files("tzdata").joinpath("zoneinfo", "zone.tab")
    for line in table.read_text(encoding="utf-8").splitlines():
        if not line.startswith("#"):
            country, _, zone, *_ = line.split("\t")
            zones[country] = (*zones.get(country, ()), zone)
    return zones
