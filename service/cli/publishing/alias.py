"""`aeo alias`: other identifiers that lead to a trader; publish them, and see where one leads."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from service.cli import exits
from service.cli.asking.question_text import parse_alias
from service.cli.civil import format_day, format_instant, format_last_day
from service.cli.commands import JsonOption, examples, group
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, progress, show, table, warn
from service.cli.profile import Profile, calls_node
from service.cli.publishing.alias_file import AliasRow, read_aliases
from service.cli.publishing.publication import describe, follow, new_key
from service.cli.publishing.register_file import Fault
from service.cli.text_file import read_text_file
from service.client import PublishingClient

# Rows of one call; a node takes 3,000 and 4 MiB.
CHUNK: Final = 2_000
# The row's code where the ledger says so already: no fault, and nothing to publish.
_UNCHANGED: Final = "ALIAS_UNCHANGED"

app = group("Other identifiers of traders: EORI, MID, NACCS, OPC and the like.")


@app.command(
    epilog=examples("aeo alias publish aliases.csv --profile clients/HK/officer.toml"),
)
@calls_node
def publish(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV file, one row an alias: tin, scheme (EORI, US-MID, JP-NACCS, KR-OPC, ...), "
            "value, and if wanted valid_from, valid_to, arrangements."
        ),
    ],
    *,
    wait: Annotated[
        bool, typer.Option("--wait/--no-wait", help="Wait until the ledger has every record.")
    ] = True,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Publish aliases: the ledger gets keyed numbers, under each arrangement its own.

    Dates are civil dates in your own time zone, the last day included; the same instant as
    beginning and end takes an alias back. What the ledger says already is left alone.

    Exit code 1: some rows were faulty, or the ledger refused them.
    """
    text = read_text_file(file)
    issuer = profile.economy()
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        read = read_aliases(text, network.time_zone(issuer))
        rows, unknown = _named(read.rows, network.arrangement_ids(issuer))
        faults = [*read.faults, *unknown]
        answers, unchanged = _publish(PublishingClient(connection), rows, faults, wait=wait)
    faults.sort(key=lambda each: each.line)
    result = {
        "file": str(file),
        "economy": issuer,
        "unchanged": unchanged,
        "faults": [
            {"line": each.line, "place": each.column, "message": each.message} for each in faults
        ],
        "publications": answers,
    }
    show(result, lambda: facts(_summary(result)), as_json=json)
    for fault in faults:
        warn(f"{file}: {fault}")
    refused = [each for answer in answers for each in answer["refused"]]
    for each in refused:
        warn(f"{file}: line {each['line']}: the ledger refused it: {each['code']}")
    if faults or refused:
        raise typer.Exit(exits.NO)


@app.command(
    "list",
    epilog=examples(
        "aeo alias list JP-NACCS:P4MY12345000 --tin HK12345678 --profile clients/HK/officer.toml"
    ),
)
@calls_node
def list_records(
    alias: Annotated[str, typer.Argument(help="The other identifier, SCHEME:VALUE.")],
    *,
    tin: Annotated[
        list[str] | None,
        typer.Option(help="A trader that may be meant; repeat it for more."),
    ] = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """List what the ledger holds of one alias, under each arrangement of yours.

    The ledger has keyed numbers only: it shows how many traders share an alias, and names those
    that you ask about. Exit code 1: nobody ever published it.
    """
    scheme, value = parse_alias(alias)
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        entries = PublishingClient(connection).alias(scheme, value, tin or ())
        described = [_describe(entry, network) for entry in entries]
        rows = [_cells(entry, network) for entry in entries]

    def for_people() -> Group:
        headings = ("arrangement", "issuer", "trader", "from", "to", "recorded", "")
        return Group(table(*headings, rows=rows) if rows else Text(f"{alias} is not published"))

    show({"alias": alias, "records": described}, for_people, as_json=json)
    if not entries:
        raise typer.Exit(exits.NO)


def _named(
    rows: Sequence[AliasRow], known: Mapping[str, bytes]
) -> tuple[list[AliasRow], list[Fault]]:
    """Give each submission the ids of the arrangements that its row names; a fault where none."""
    named, faults = [], []
    for row in rows:
        unknown = [name for name in row.arrangements if name not in known]
        if unknown:
            message = f"{', '.join(unknown)} is no arrangement of yours"
            faults.append(Fault(row.line, "arrangements", message))
            continue
        row.submission.arrangement_ids.extend(known[name] for name in row.arrangements)
        named.append(row)
    return named, faults


def _publish(
    client: PublishingClient, rows: Sequence[AliasRow], faults: list[Fault], *, wait: bool
) -> tuple[list[dict[str, Any]], int]:
    """Hand the rows to the node and follow them; adds to `faults`, counts what was there before."""
    answers: list[dict[str, Any]] = []
    unchanged = 0
    with progress("Publishing", len(rows), "rows") as done:
        for start in range(0, len(rows), CHUNK):
            chunk = rows[start : start + CHUNK]
            response = client.publish_aliases(new_key(), [row.submission for row in chunk])
            for row, said in zip(chunk, response.rows, strict=True):
                if said.code == _UNCHANGED:
                    unchanged += 1
                elif said.code:
                    faults.append(Fault(row.line, said.code, said.message))
            answer: dict[str, Any] = {
                "publication_id": response.publication_id,
                "prepared": response.prepared,
                "refused": [],
            }
            if wait and response.prepared:
                lines = [row.line for row in chunk]
                answer |= describe(follow(client, response.publication_id), lines)
            answers.append(answer)
            done(start + len(chunk))
    return answers, unchanged


def _summary(result: Mapping[str, Any]) -> list[tuple[str, str]]:
    answers = result["publications"]
    refused = sum(len(answer["refused"]) for answer in answers)
    return [
        ("aliases published", f"{sum(answer['prepared'] for answer in answers):,}"),
        ("as published", f"{result['unchanged']:,}"),
        ("faulty", f"{len(result['faults']):,}"),
        ("refused", f"{refused:,}" if refused else ""),
        ("ledger", ", ".join(f"height {each['height']}" for each in answers if "height" in each)),
    ]


def _describe(entry: publishing.AliasEntry, network: NetworkFacts) -> dict[str, Any]:
    return {
        "arrangement_id": entry.arrangement_id.hex(),
        "arrangement": network.arrangement_names.get(entry.arrangement_id, ""),
        "issuer": entry.issuer,
        "subject": entry.subject.hex(),
        "tin": entry.tin,
        "valid_from": entry.valid_from or None,
        "valid_to": entry.valid_to or None,
        "height": entry.height,
        "time": entry.time,
        "replaced": entry.replaced,
    }


def _cells(entry: publishing.AliasEntry, network: NetworkFacts) -> tuple[str, ...]:
    zone = network.time_zone(entry.issuer)
    name = network.arrangement_names.get(entry.arrangement_id, "")
    taken_back = entry.valid_to and entry.valid_to <= entry.valid_from
    return (
        name or entry.arrangement_id.hex(),
        entry.issuer,
        entry.tin or f"{entry.subject.hex()[:16]}...",
        "" if taken_back else format_day(entry.valid_from, zone),
        "taken back" if taken_back else format_last_day(entry.valid_to, zone),
        format_instant(entry.time, zone),
        "replaced" if entry.replaced else "",
    )
