"""`aeo chain`: all parties of one declaration, and whether the whole chain is certified."""

import csv
from pathlib import Path
from typing import Annotated, Any, Final

import typer
from rich.console import Group
from rich.text import Text

from service.cli import exits
from service.cli.asking.goods_options import (
    AcceptedOption,
    ArrivedOption,
    DispatchedOption,
    ReleasedOption,
    goods_events,
)
from service.cli.asking.question_text import parse_alias, parse_direction, parse_known_at
from service.cli.asking.verdict_text import REASONS, describe
from service.cli.civil import parse_moment
from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, show, table
from service.cli.profile import Profile, calls_node
from service.client import StatusClient, Verdict
from service.client.chain import Chain, ChainParty

_COLUMNS: Final = ("function", "tin", "alias", "level", "declared_name", "declared_address")


@calls_node
def chain(
    file: Annotated[
        Path,
        typer.Argument(
            help="A CSV file, one row a party of the declaration: function, tin, and if wanted "
            "alias (SCHEME:VALUE, instead of a tin), level, declared_name, declared_address."
        ),
    ],
    *,
    mode: Annotated[int, typer.Option(min=1, max=8, help="Of transport, as for aeo lookup.")],
    direction: Annotated[str, typer.Option(help="Of the goods, as you see them.")] = "IMPORT",
    as_of: Annotated[
        str | None, typer.Option(help="When it should hold: a date or an instant. Default: now.")
    ] = None,
    known_at: Annotated[
        str | None,
        typer.Option(help="By what the ledger said then: a height, a date or an instant."),
    ] = None,
    dispatch_economy: Annotated[str, typer.Option(help="Where the goods were dispatched.")] = "",
    dispatched: DispatchedOption = None,
    accepted: AcceptedOption = None,
    arrived: ArrivedOption = None,
    released: ReleasedOption = None,
    recogniser: Annotated[
        str, typer.Option(help="For this member instead of your own, where the node hosts it.")
    ] = "",
    purpose: Annotated[str, typer.Option(help="What for; agencies must say.")] = "",
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Look up all parties of a declaration: how many are certified, and is the whole chain?

    Your own traders are parties like any other. A party without a number is listed as such. A role
    is missing where an arrangement needs it in a whole chain and nobody was declared in it.

    Exit code 0: the whole chain is certified; 1: it is not.
    """
    parties = _read(file)
    with profile.connect() as connection:
        network = NetworkFacts(connection, profile)
        zone = network.time_zone(recogniser or profile.economy())
        answer = StatusClient(connection).lookup_chain(
            parties,
            direction=parse_direction(direction),
            mode=mode,
            as_of=None if as_of is None else parse_moment(as_of, zone),
            known_at=None if known_at is None else parse_known_at(known_at, zone),
            dispatch_economy=dispatch_economy.upper(),
            recognising_economy=recogniser,
            purpose=purpose,
            goods=goods_events(zone, dispatched, accepted, arrived, released),
        )
        described = _describe(parties, answer, network)
    show(described, lambda: _text(parties, answer, described), as_json=json)
    if not answer.whole_chain_certified:
        raise typer.Exit(exits.NO)


def _read(file: Path) -> list[ChainParty]:
    with file.open(encoding="utf-8-sig", newline="") as stream:
        reader = csv.DictReader(stream, strict=True)
        try:
            names = reader.fieldnames or ()
            if "function" not in names or any(name not in _COLUMNS for name in names):
                raise InputRefused(
                    f"{file}: its columns must be function, and among {', '.join(_COLUMNS)}"
                )
            return [_party(file, reader.line_num, cells) for cells in reader]
        except csv.Error as error:
            raise InputRefused(f"{file}: not CSV after line {reader.line_num}: {error}") from None


def _party(file: Path, line: int, cells: dict[str | Any, str | Any]) -> ChainParty:
    if None in cells:
        raise InputRefused(f"{file}: line {line}: more cells than the heading")
    said = {name: (cell or "").strip() for name, cell in cells.items()}
    tin, alias = said.get("tin", ""), said.get("alias", "")
    if tin and alias:
        raise InputRefused(f"{file}: line {line}: a tin or an alias, not both")
    return ChainParty(
        said["function"].upper(),
        tin,
        parse_alias(alias) if alias else None,
        said.get("level", ""),
        said.get("declared_name", ""),
        said.get("declared_address", ""),
    )


def _describe(parties: list[ChainParty], answer: Chain, network: NetworkFacts) -> dict[str, Any]:
    summary = answer.message.summary
    names = network.arrangement_names
    return {
        "parties": [
            {
                "function": party.function,
                "asked": _asked(party),
                "verdict": None
                if verdict is None
                else describe(verdict.message, answer.finality, names),
            }
            for party, verdict in zip(parties, answer.parties, strict=True)
        ],
        "declared": summary.parties,
        "certified": summary.certified,
        "recognised": summary.recognised,
        "without_identifier": summary.without_identifier,
        "missing": [
            {
                "role": role,
                "arrangements": [
                    {"arrangement_id": each.hex(), "arrangement": names.get(each, "")}
                    for each in texts
                ],
            }
            for role, texts in answer.missing.items()
        ],
        "whole_chain_certified": answer.whole_chain_certified,
        "whole_chain_recognised": answer.whole_chain_recognised,
        "finality": answer.finality,
    }


def _text(parties: list[ChainParty], answer: Chain, described: dict[str, Any]) -> Group:
    whole = answer.whole_chain_certified
    heading = "WHOLE CHAIN CERTIFIED" if whole else "NOT THE WHOLE CHAIN"
    rows = [_cells(party, verdict) for party, verdict in zip(parties, answer.parties, strict=True)]
    declared = described["declared"]
    summary = [
        ("certified", f"{answer.certified} of {declared} parties ({answer.share:.0%})"),
        ("recognised", f"{described['recognised']} of {declared} parties"),
        ("no number", str(described["without_identifier"] or "")),
    ]
    summary += [
        (
            "missing",
            f"{each['role']}, which "
            + ", ".join(
                text["arrangement"] or text["arrangement_id"] for text in each["arrangements"]
            )
            + " asks for",
        )
        for each in described["missing"]
    ]
    return Group(
        Text(heading, style="bold green" if whole else "bold yellow"),
        Text(),
        table("function", "party", "outcome", "status", "why", rows=rows),
        Text(),
        facts(summary),
    )


def _cells(party: ChainParty, verdict: Verdict | None) -> tuple[str, ...]:
    if verdict is None:
        return party.function, "", "", "", "declared without an identifier"
    why = REASONS.get(verdict.message.reason, "")
    asked = verdict.tin or _asked(party)
    return party.function, asked, str(verdict.outcome), verdict.status, why


def _asked(party: ChainParty) -> str:
    return ":".join(party.alias) if party.alias is not None else party.tin
