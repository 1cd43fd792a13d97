"""`aeo receipt get`: one verdict to take away, with everything it rests on."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.asking.goods_options import (
    AcceptedOption,
    ArrivedOption,
    DispatchedOption,
    ReleasedOption,
    goods_events,
)
from service.cli.asking.question_text import parse_alias, parse_direction, parse_known_at
from service.cli.civil import parse_moment
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.governing.network_facts import NetworkFacts
from service.cli.output import facts, show
from service.cli.profile import Profile, calls_node
from service.client import Question, StatusClient

app = group("Take a verdict away, to be checked anywhere.")


@app.callback()
def receipt() -> None:
    """Take a verdict away, to be checked anywhere."""


@app.command(
    epilog=examples(
        "aeo receipt get KR1234567890 --function EX --mode 1 -o receipt.aeo"
        " --profile clients/NZ/risk-engine.toml",
        "aeo verify receipt receipt.aeo --network-id 9c5a...",
    )
)
@calls_node
def get(
    tin: Annotated[str | None, typer.Argument(help="The trader's number, as declared.")] = None,
    *,
    output: Annotated[
        Path, typer.Option("--output", "-o", help="The file to write; it must not be there yet.")
    ],
    function: Annotated[
        str, typer.Option(help="What the party is in the declaration: EX, CZ, SE, MF, IM, CN, ...")
    ],
    mode: Annotated[int, typer.Option(min=1, max=8, help="Of transport; see `aeo lookup`.")],
    direction: Annotated[str, typer.Option(help="Of the goods, as you see them.")] = "IMPORT",
    alias: Annotated[
        str | None, typer.Option(help="Instead of a number: another identifier, SCHEME:VALUE.")
    ] = None,
    level: Annotated[str, typer.Option(help="Ask for this level of the programme.")] = "",
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
    anchor_height: Annotated[
        int | None,
        typer.Option(
            min=0, help="A header that whoever checks starts from, instead of the network's id."
        ),
    ] = None,
    without_genesis: Annotated[
        bool, typer.Option("--without-genesis", help="Smaller, for whoever has the genesis.")
    ] = False,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Ask as `aeo lookup` does, and write the verdict into a file that anyone can check.

    The file holds the trader's number and whole history; keep it as you keep a declaration.
    """
    if (tin is None) == (alias is None):
        raise InputRefused("give a number, or --alias")
    if output.exists():
        raise InputRefused(f"{output} is there already")
    with profile.connect() as connection:
        zone = NetworkFacts(connection, profile).time_zone(recogniser or profile.economy())
        question = Question(
            tin=tin or "",
            function=function.upper(),
            direction=parse_direction(direction),
            mode=mode,
            alias=None if alias is None else parse_alias(alias),
            level=level,
            as_of=None if as_of is None else parse_moment(as_of, zone),
            known_at=None if known_at is None else parse_known_at(known_at, zone),
            dispatch_economy=dispatch_economy.upper(),
            recognising_economy=recogniser,
            purpose=purpose,
            goods=goods_events(zone, dispatched, accepted, arrived, released),
        )
        data = StatusClient(connection).receipt(
            question, anchor_height=anchor_height, include_genesis=not without_genesis
        )
    with output.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    made: dict[str, Any] = {"path": str(output), "bytes": len(data)}
    show(made, lambda: facts([("written", str(output)), ("bytes", f"{len(data):,}")]), as_json=json)
