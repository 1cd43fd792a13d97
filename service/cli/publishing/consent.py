"""`aeo consent`: whether traders agree that their status is shared under an arrangement."""

import csv
import io
from collections.abc import Mapping
from pathlib import Path
from typing import Annotated, Any, Final, NamedTuple

import typer
from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import consent_service_pb2 as pb
from service.api.counted import counted
from service.cli import exits
from service.cli.civil import format_instant, parse_instant
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, progress, show, table, warn
from service.cli.profile import Profile, calls_node
from service.cli.publishing.register_file import REGISTER_LIMIT, Fault
from service.cli.text_file import read_text_file
from service.client import ConsentClient

# Steps of one call; a node takes 3,000.
CHUNK: Final = 2_000
_UNCHANGED: Final = "CONSENT_UNCHANGED"
_REQUIRED: Final = ("tin", "arrangement", "consent")
_COLUMNS: Final = (*_REQUIRED, "stated")
_SAID: Final = {"given": True, "withdrawn": False}

app = group("Consents of traders to be shared under an arrangement.")

Tin = Annotated[str, typer.Argument(help="The trader, a TIN of yours.")]
Named = Annotated[str, typer.Argument(help="The arrangement, by name or id.")]
Stated = Annotated[
    str | None, typer.Option(help="When the trader said so: a day in your zone, or an instant.")
]


class ConsentRow(NamedTuple):
    """One step as a file states it, and its line."""

    line: int
    step: pb.ConsentStep


@app.command(epilog=examples("aeo consent record consents.csv --profile clients/HK/officer.toml"))
@calls_node
def record(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV file, one row a step: tin, arrangement (name or id), consent (given or "
            "withdrawn), and if wanted stated."
        ),
    ],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Record consents given and taken back.

    What is taken back ends sharing at once, and the trader's profile is erased at the partners.
    What was recorded before is left alone. Exit code 1: some rows were faulty.
    """
    text = read_text_file(file)
    economy = profile.economy()
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        known = network.arrangement_ids(economy)
        rows, faults = read_consents(text, known, network.time_zone(economy))
        client = ConsentClient(connection)
        recorded = unchanged = ended = 0
        with progress("Recording", len(rows), "rows") as done:
            for start in range(0, len(rows), CHUNK):
                chunk = rows[start : start + CHUNK]
                said = client.record([row.step for row in chunk])
                new = [each for each in said.faults if each.code != _UNCHANGED]
                unchanged += len(said.faults) - len(new)
                faults += [Fault(chunk[each.index].line, each.code, each.message) for each in new]
                recorded += len(chunk) - len(said.faults)
                ended += said.ended_certificates
                done(start + len(chunk))
    faults.sort(key=lambda each: each.line)
    result = {
        "file": str(file),
        "economy": economy,
        "recorded": recorded,
        "unchanged": unchanged,
        "ended_certificates": ended,
        "faults": [
            {"line": each.line, "place": each.column, "message": each.message} for each in faults
        ],
    }
    show(
        result,
        lambda: facts(
            [
                ("consents recorded", f"{recorded:,}"),
                ("as recorded", f"{unchanged:,}"),
                ("certificates no longer shared", f"{ended:,}"),
                ("faulty", f"{len(faults):,}"),
            ]
        ),
        as_json=json,
    )
    for fault in faults:
        warn(f"{file}: {fault}")
    if faults:
        raise typer.Exit(exits.NO)


@app.command(epilog=examples("aeo consent give HK12345678 AAMRA --profile clients/HK/officer.toml"))
@calls_node
def give(
    tin: Tin,
    arrangement: Named,
    *,
    stated: Stated = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Record that a trader agrees to be shared under an arrangement.

    Nothing is published by it: certificates that are no longer shared take a step of their own.
    """
    _one(tin, arrangement, stated, profile, given=True, json=json)


@app.command(
    epilog=examples(
        "aeo consent withdraw HK12345678 AAMRA --stated 2026-03-01"
        " --profile clients/HK/officer.toml"
    )
)
@calls_node
def withdraw(
    tin: Tin,
    arrangement: Named,
    *,
    stated: Stated = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Record that a trader takes its consent back: sharing ends at once, for all certificates.

    Its profile is erased at the arrangement's other parties.
    """
    _one(tin, arrangement, stated, profile, given=False, json=json)


@app.command("list", epilog=examples("aeo consent list HK12345678"))
@calls_node
def list_consents(tin: Tin, *, json: JsonOption = False, profile: Profile) -> None:
    """List all that a trader ever said, oldest first. Exit code 1: it never said anything."""
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        zone = network.time_zone(profile.economy())
        history = ConsentClient(connection).history(tin)
        names = network.arrangement_names
        described = [
            {
                "arrangement_id": each.arrangement_id.hex(),
                "arrangement": names.get(each.arrangement_id, ""),
                "given": each.given,
                "stated_at": each.stated_at,
                "recorded_at": each.recorded_at,
                "recorded_by": each.recorded_by,
            }
            for each in history
        ]
        rows = [
            (
                names.get(each.arrangement_id) or each.arrangement_id.hex(),
                "given" if each.given else "withdrawn",
                format_instant(each.stated_at, zone),
                format_instant(each.recorded_at, zone),
                each.recorded_by,
            )
            for each in history
        ]

    def for_people() -> Group:
        headings = ("arrangement", "consent", "stated", "recorded", "by")
        return Group(table(*headings, rows=rows) if rows else Text(f"{tin} has said nothing"))

    show({"tin": tin, "consents": described}, for_people, as_json=json)
    if not history:
        raise typer.Exit(exits.NO)


def read_consents(
    text: str, known: Mapping[str, bytes], time_zone: str
) -> tuple[list[ConsentRow], list[Fault]]:
    """Read the text of a file: good rows, and the faults of the others.

    `known` are the caller's arrangements by name and id. `InputRefused` where not even the columns
    can be made out.

    >>> rows, faults = read_consents(
    ...     "tin,arrangement,consent,stated\\nHK1,AAMRA,given,2026-01-31\\nHK2,AAMRA,perhaps,\\n",
    ...     {"AAMRA": bytes(16)}, "Asia/Hong_Kong")
    >>> [(row.line, row.step.given) for row in rows], [str(fault) for fault in faults]
    ([(2, True)], ['line 3, consent: perhaps is neither given nor withdrawn'])
    """
    if len(text) > REGISTER_LIMIT:
        raise InputRefused(f"a list of consents may have at most {REGISTER_LIMIT:,} characters")
    reader = csv.DictReader(io.StringIO(text.removeprefix("\ufeff"), newline=""), strict=True)
    rows: list[ConsentRow] = []
    faults: list[Fault] = []
    try:
        columns = reader.fieldnames = [name.strip().lower() for name in reader.fieldnames or ()]
        if not set(_REQUIRED) <= set(columns) <= set(_COLUMNS) or len(set(columns)) < len(columns):
            raise InputRefused(f"the columns must be {', '.join(_REQUIRED)}, and if wanted stated")
        for cells in reader:
            found = _read_row(reader.line_num, cells, known, time_zone)
            if isinstance(found, Fault):
                faults.append(found)
            else:
                rows.append(found)
    except csv.Error as error:
        raise InputRefused(f"not CSV after line {reader.line_num}: {error}") from None
    return rows, faults


def _read_row(
    line: int, cells: Mapping[Any, Any], known: Mapping[str, bytes], time_zone: str
) -> ConsentRow | Fault:
    if None in cells or None in cells.values():
        return Fault(line, "row", "has more or fewer cells than the heading")
    said = {name: (cell or "").strip() for name, cell in cells.items()}
    for column in _REQUIRED:
        if not said[column]:
            return Fault(line, column, "is empty")
    if said["arrangement"] not in known:
        return Fault(line, "arrangement", f"{said['arrangement']} is no arrangement of yours")
    if said["consent"].lower() not in _SAID:
        return Fault(line, "consent", f"{said['consent']} is neither given nor withdrawn")
    try:
        stated = parse_instant(said["stated"], time_zone) if said.get("stated") else 0
    except InputRefused as error:
        return Fault(line, "stated", str(error))
    step = pb.ConsentStep(
        tin=said["tin"],
        arrangement_id=known[said["arrangement"]],
        given=_SAID[said["consent"].lower()],
        stated_at=stated,
    )
    return ConsentRow(line, step)


def _one(
    tin: str, arrangement: str, stated: str | None, profile: Any, *, given: bool, json: bool
) -> None:
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        zone = network.time_zone(profile.economy())
        step = pb.ConsentStep(
            tin=tin,
            arrangement_id=network.arrangement_id(arrangement),
            given=given,
            stated_at=parse_instant(stated, zone) if stated else 0,
        )
        said = ConsentClient(connection).record([step])
    fault = said.faults[0] if said.faults else None
    show(
        {
            "tin": tin,
            "arrangement_id": step.arrangement_id.hex(),
            "given": given,
            "code": fault.code if fault else "",
            "ended_certificates": said.ended_certificates,
        },
        lambda: Text(
            f"{fault.code}: {fault.message}"
            if fault
            else f"{'given' if given else 'withdrawn'}; "
            f"{counted(said.ended_certificates, 'certificate')} no longer shared"
        ),
        as_json=json,
    )
    if fault:
        raise typer.Exit(exits.NO)
