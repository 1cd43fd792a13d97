"""`aeo profile`: who the traders are; kept off the ledger, shown to partners, erased for good."""

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.console import Group
from rich.text import Text

from aeo.exchange.v1 import profile_service_pb2 as pb
from service.cli import exits
from service.cli.civil import format_instant
from service.cli.commands import JsonOption, examples, group
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, show, table, warn
from service.cli.profile import Profile, calls_node
from service.cli.publishing.pending import show_pending
from service.cli.publishing.profile_file import profile_object, read_profiles
from service.cli.publishing.register_file import Fault
from service.cli.text_file import read_text_file
from service.client import Pending, ProfileClient

app = group("Names and addresses of traders: off the ledger, shown to partners, erasable.")


@app.command(epilog=examples("aeo profile put traders.csv --profile clients/HK/officer.toml"))
@calls_node
def put(
    file: Annotated[
        Path,
        typer.Argument(
            help="CSV with the columns tin and name and, if wanted, language, address, "
            "address_language, country, contacts, certificates, validated, scope; or JSON as "
            "`aeo profile get --json` writes it."
        ),
    ],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Put profiles in force: what is published of these traders from now on commits to them.

    Exit code 1: some were faulty, and were not taken.
    """
    good, faults, lines = read_profiles(read_text_file(file))
    with profile.connect() as connection:
        refused = ProfileClient(connection).put(good) if good else []
    faults += [
        Fault(lines[good[each.index].tin], good[each.index].tin, f"{each.message} ({each.code})")
        for each in refused
    ]
    faults.sort(key=lambda each: each.line)
    result = {
        "file": str(file),
        "taken": len(good) - len(refused),
        "faults": [
            {"line": each.line, "place": each.column, "message": each.message} for each in faults
        ],
    }
    show(result, lambda: facts([("profiles in force", f"{result['taken']:,}")]), as_json=json)
    for fault in faults:
        warn(f"{file}: {fault}")
    if faults:
        raise typer.Exit(exits.NO)


@app.command(epilog=examples("aeo profile get HK12345678 --profile clients/HK/officer.toml"))
@calls_node
def get(
    tin: Annotated[str, typer.Argument(help="The trader's number.")],
    *,
    purpose: Annotated[str, typer.Option(help="What for.")] = "",
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Show what is kept of a trader, your own or a partner's. Exit code 1: nothing is."""
    with profile.connect() as connection:
        answer = ProfileClient(connection).get(tin, purpose)
    if not answer.HasField("profile"):
        show(None, lambda: Text(f"no profile of {tin} is kept here"), as_json=json)
        raise typer.Exit(exits.NO)
    shown = profile_object(answer.profile)
    if answer.commitments:
        shown["commitments"] = [each.hex() for each in answer.commitments]
    show(shown, lambda: facts(_facts(shown)), as_json=json)


@app.command(epilog=examples("aeo profile erase HK12345678 --profile clients/HK/officer.toml"))
@calls_node
def erase(
    tin: Annotated[str, typer.Argument(help="The trader's number.")],
    *,
    arrangement: Annotated[
        list[str] | None,
        typer.Option(help="Only what was shared under this arrangement; repeat it for more."),
    ] = None,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Erase a trader's profile for good, here and at every partner. Its status stays.

    A second person approves it. The node tells each partner until it acknowledges the erasure:
    see `aeo profile erasures`.
    """
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        ids = [network.arrangement_id(each) for each in arrangement or ()]
        made = ProfileClient(connection).erase(tin, ids)
    if isinstance(made, Pending):
        show_pending(made.step, as_json=json, erasure_id=None)
        return
    shown = {"erasure_id": made, "pending": None}
    show(shown, lambda: facts([("erasure", made)]), as_json=json)


@app.command(epilog=examples("aeo profile erasures --profile clients/HK/officer.toml"))
@calls_node
def erasures(*, json: JsonOption = False, profile: Profile) -> None:
    """List erasures and what each partner has acknowledged.

    Exit code 1: some partner has not acknowledged one yet; the node goes on telling it.
    """
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        found = ProfileClient(connection).erasures()
        zone = network.time_zone(profile.economy())
        rows = [cells for each in found for cells in _cells(each, network, zone)]
    shown = [_erasure(each) for each in found]

    def for_people() -> Group:
        headings = ("erasure", "erased", "partner", "arrangement", "acknowledged")
        return Group(table(*headings, rows=rows) if rows else Text("nothing was erased"))

    show(shown, for_people, as_json=json)
    if any(not notice.acknowledged_at for each in found for notice in each.notices):
        raise typer.Exit(exits.NO)


def _facts(shown: dict[str, Any]) -> list[tuple[str, str]]:
    return [
        ("TIN", shown["tin"]),
        *(("name", _with(each["text"], each["language"])) for each in shown["names"]),
        *(
            ("address", _with(each["text"], each["country"] or each["language"]))
            for each in shown["addresses"]
        ),
        *(("contact", each) for each in shown["contacts"]),
        ("certificates", ", ".join(shown["certificate_numbers"])),
        *(("validated", _with(each["date"], each["scope"])) for each in shown["validations"]),
    ]


def _with(text: str, more: str) -> str:
    return f"{text} ({more})" if more else text


def _erasure(each: pb.Erasure) -> dict[str, Any]:
    return {
        "erasure_id": each.erasure_id,
        "erased_at": each.erased_at,
        "notices": [
            {
                "partner": notice.partner,
                "arrangement_id": notice.arrangement_id.hex(),
                "acknowledged_at": notice.acknowledged_at or None,
            }
            for notice in each.notices
        ],
    }


def _cells(each: pb.Erasure, network: NetworkFacts, zone: str) -> list[tuple[str, ...]]:
    """A row for each partner; one for an erasure that concerned nobody else."""
    erased = (each.erasure_id, format_instant(each.erased_at, zone))
    return [
        (
            *erased,
            notice.partner,
            network.arrangement_names.get(notice.arrangement_id, notice.arrangement_id.hex()),
            format_instant(notice.acknowledged_at, zone) if notice.acknowledged_at else "not yet",
        )
        for notice in each.notices
    ] or [(*erased, "none", "", "nothing was shared")]
