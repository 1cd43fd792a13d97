r"""Traders' profiles as a file: CSV, one row a name, or JSON as `aeo profile get --json` writes it.

    tin,name,language,address,address_language,country,contacts,certificates,validated,scope

`tin` and `name` must be there. Further rows of one TIN add names, addresses, numbers and
validations; lists are separated by semicolons. A faulty trader is told and leaves the others.

>>> profiles, faults, lines = read_profiles(
...     "tin,name,language,country,address\n"
...     "hk-12345678,Pearl River Trading Ltd,en,HK,1 Queen's Road\n"
...     "HK12345678,珠江貿易有限公司,zh-Hant,,\n"
...     "HK12345679,,en,HK,\n"
... )
>>> [(each.tin, len(each.names), len(each.addresses)) for each in profiles]
[('HK12345678', 2, 1)]
>>> [str(fault) for fault in faults]
['line 4, name: is empty']
>>> lines
{'HK12345678': 2}
"""

import csv
import io
import json
import unicodedata
from collections.abc import Mapping, Sequence
from typing import Any, Final, NamedTuple

from ledger.customs.profile import Address, Name, Profile, Validation, format_profile
from ledger.errors import FormatError
from service.cli.errors import InputRefused
from service.cli.publishing.register_file import Fault, Row

FILE_LIMIT: Final = 200_000_000
COLUMNS: Final = (
    *("tin", "name", "language", "address", "address_language", "country"),
    *("contacts", "certificates", "validated", "scope"),
)
_SEPARATORS: Final = str.maketrans("", "", " -")


class Read(NamedTuple):
    """What a file says of traders, what is wrong in it, and each trader's first line.

    In JSON, which has no lines that people see, the trader's place counts.
    """

    profiles: list[Profile]
    faults: list[Fault]
    lines: Mapping[str, int]


def read_profiles(text: str) -> Read:
    """Read the text of a file; `InputRefused` where it is none of the two kinds."""
    if len(text) > FILE_LIMIT:
        raise InputRefused(f"a file of profiles may have at most {FILE_LIMIT:,} characters")
    text = text.removeprefix("\ufeff")
    return _read_json(text) if text.lstrip()[:1] in {"[", "{"} else _read_csv(text)


def profiles_of(rows: Sequence[Row]) -> Read:
    """The profiles that a register's names and addresses make, one for each trader named."""
    made: dict[str, Profile] = {}
    lines: dict[str, int] = {}
    nameless: list[Fault] = []
    for row in rows:
        if not row.name:
            if row.address:
                nameless.append(Fault(row.line, "name", "is empty, and there is an address"))
            continue
        tin = canonical(row.submission.tin)
        number = row.submission.certificate_number
        addresses = (Address(clean(row.address)),) if row.address else ()
        new = Profile(tin, (Name(clean(row.name)),), addresses, (), (clean(number),))
        made[tin] = _join(made.get(tin), new)
        lines.setdefault(tin, row.line)
    profiles, faults = _checked(made, lines)
    return Read(profiles, [*nameless, *faults], lines)


def profile_object(profile: Any) -> dict[str, Any]:
    """A profile's message as `read_profiles` reads it again."""
    return {
        "tin": profile.tin,
        "names": [{"text": each.text, "language": each.language} for each in profile.names],
        "addresses": [
            {"text": each.text, "language": each.language, "country": each.country}
            for each in profile.addresses
        ],
        "contacts": list(profile.contacts),
        "certificate_numbers": list(profile.certificate_numbers),
        "validations": [{"date": each.date, "scope": each.scope} for each in profile.validations],
    }


def canonical(tin: str) -> str:
    """What people write, as the node reads it again: capitals, no blanks, no hyphens."""
    return tin.strip().upper().translate(_SEPARATORS)


def clean(text: str) -> str:
    """One line, NFC, no blanks around it."""
    return unicodedata.normalize("NFC", " ".join(text.split()))


def _read_csv(text: str) -> Read:
    reader = csv.DictReader(io.StringIO(text, newline=""), strict=True)
    made: dict[str, Profile] = {}
    lines: dict[str, int] = {}
    faults: list[Fault] = []
    try:
        columns = [name.strip().lower() for name in reader.fieldnames or ()]
        missing = [name for name in ("tin", "name") if name not in columns]
        unknown = [name for name in columns if name not in COLUMNS]
        if missing or unknown or len(set(columns)) < len(columns):
            raise InputRefused(
                f"a file of profiles has the columns tin and name, and of {', '.join(COLUMNS[2:])} "
                "those that are wanted"
            )
        reader.fieldnames = columns
        for cells in reader:
            said = {name: (cell or "").strip() for name, cell in cells.items() if name}
            empty = next((name for name in ("tin", "name") if not said[name]), "")
            if empty or None in cells:
                column, message = (empty, "is empty") if empty else ("row", "has too many cells")
                faults.append(Fault(reader.line_num, column, message))
                continue
            new = _row(said)
            made[new.tin] = _join(made.get(new.tin), new)
            lines.setdefault(new.tin, reader.line_num)
    except csv.Error as error:
        raise InputRefused(f"not CSV after line {reader.line_num}: {error}") from None
    profiles, wrong = _checked(made, lines)
    return Read(profiles, sorted([*faults, *wrong], key=lambda fault: fault.line), lines)


def _row(said: Mapping[str, str]) -> Profile:
    def listed(column: str) -> tuple[str, ...]:
        return tuple(clean(each) for each in said.get(column, "").split(";") if each.strip())

    address, day = said.get("address", ""), said.get("validated", "")
    language = said.get("address_language", "") or said.get("language", "")
    return Profile(
        canonical(said["tin"]),
        (Name(clean(said["name"]), said.get("language", "")),),
        (Address(clean(address), language, said.get("country", "").upper()),) if address else (),
        listed("contacts"),
        listed("certificates"),
        (Validation(day, clean(said.get("scope", ""))),) if day else (),
    )


def _read_json(text: str) -> Read:
    try:
        given = json.loads(text)
    except (ValueError, RecursionError):
        raise InputRefused("neither CSV nor JSON") from None
    made: dict[str, Profile] = {}
    lines: dict[str, int] = {}
    faults: list[Fault] = []
    for number, each in enumerate(given if isinstance(given, list) else [given], 1):
        try:
            profile = _object(each)
        except (KeyError, TypeError, AttributeError):
            faults.append(Fault(number, "profile", "is not a profile's object"))
            continue
        made[profile.tin] = profile
        lines[profile.tin] = number
    profiles, wrong = _checked(made, lines)
    return Read(profiles, sorted([*faults, *wrong], key=lambda fault: fault.line), lines)


def _object(said: Any) -> Profile:
    """A profile's object; another form raises KeyError, TypeError or AttributeError."""
    return Profile(
        canonical(_said(said["tin"])),
        tuple(
            Name(clean(_said(each["text"])), _said(each.get("language", "")))
            for each in _listed(said["names"])
        ),
        tuple(
            Address(
                clean(_said(each["text"])),
                _said(each.get("language", "")),
                _said(each.get("country", "")),
            )
            for each in _listed(said.get("addresses", []))
        ),
        tuple(clean(_said(each)) for each in _listed(said.get("contacts", []))),
        tuple(clean(_said(each)) for each in _listed(said.get("certificate_numbers", []))),
        tuple(
            Validation(_said(each["date"]), clean(_said(each.get("scope", ""))))
            for each in _listed(said.get("validations", []))
        ),
    )


def _said(value: Any) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value


def _listed(value: Any) -> list[Any]:
    if not isinstance(value, list):
        raise TypeError
    return value


def _join(before: Profile | None, new: Profile) -> Profile:
    """What two rows of one trader say together, each thing once."""
    if before is None:
        return new
    return Profile(
        before.tin,
        tuple(dict.fromkeys(before.names + new.names)),
        tuple(dict.fromkeys(before.addresses + new.addresses)),
        tuple(dict.fromkeys(before.contacts + new.contacts)),
        tuple(dict.fromkeys(before.certificate_numbers + new.certificate_numbers)),
        tuple(dict.fromkeys(before.validations + new.validations)),
    )


def _checked(
    made: Mapping[str, Profile], lines: Mapping[str, int]
) -> tuple[list[Profile], list[Fault]]:
    good: list[Profile] = []
    faults: list[Fault] = []
    for tin, profile in made.items():
        try:
            format_profile(profile)
        except FormatError as error:
            column, _, message = str(error).rpartition(": ")
            faults.append(Fault(lines[tin], column or "profile", message))
            continue
        good.append(profile)
    return good, faults
