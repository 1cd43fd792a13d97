"""`aeo network init`: a network of founders, and the node that hosts them, in one folder.

What the folder then holds is described in `service.node.founding.folder` and
`service.node.founding.federation`.
"""

from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from ledger.chain.genesis import Genesis
from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.governing.founders import founders_of_codes, founders_of_file
from service.cli.governing.key import HostOption
from service.cli.output import facts, progress, say, show
from service.config import DEFAULT_HEALTH, DEFAULT_LISTEN, DEFAULT_METRICS

if TYPE_CHECKING:
    from service.node.founding.folder import Plan

app = group("Begin a network.")


class EngineKind(StrEnum):
    """Who orders."""

    SOLO = "solo"
    COMETBFT = "cometbft"


@app.command(
    epilog=examples(
        "aeo network init pilot --members HK,NZ",
        "aeo network init four --members AU,HK,JP,NZ --engine cometbft",
        "aeo network init apec --members-file members.csv --name 'APEC pilot' --listen 0.0.0.0:7443"
        " --host exchange.example",
    )
)
def init(
    folder: Annotated[Path, typer.Argument(help="A folder that is not there yet, or is empty.")],
    *,
    members: Annotated[
        str | None, typer.Option(help="The founding members' codes, such as HK,NZ.")
    ] = None,
    members_file: Annotated[
        Path | None,
        typer.Option(
            help="A CSV file instead: economy, time_zone, prefixes (split by semicolons), and if "
            "wanted name, weight, endpoint."
        ),
    ] = None,
    time_zone: Annotated[
        list[str] | None,
        typer.Option(help="The zone of a member's headquarters, such as AU=Australia/Perth."),
    ] = None,
    name: Annotated[str, typer.Option(help="The network's name.")] = "AEO status exchange",
    listen: Annotated[str, typer.Option(help="Where the node answers.")] = DEFAULT_LISTEN,
    health: Annotated[str, typer.Option(help="Where it answers probes.")] = DEFAULT_HEALTH,
    metrics: Annotated[str, typer.Option(help="Where it shows its counts.")] = DEFAULT_METRICS,
    host: HostOption = None,
    passphrase_file: Annotated[
        Path | None,
        typer.Option(help="A file with the passphrase of all keys; else one is made."),
    ] = None,
    pilot: Annotated[
        bool | None,
        typer.Option(
            "--pilot/--no-pilot",
            help="Whether one operator may hold all keys; every verdict repeats it. By default so "
            "under solo.",
        ),
    ] = None,
    engine: Annotated[
        EngineKind,
        typer.Option(
            help="solo: one node hosts all members. cometbft: a folder with a node for each; on "
            "one machine the addresses of the next member are 10 ports further."
        ),
    ] = EngineKind.SOLO,
    json: JsonOption = False,
) -> None:
    """Make a network of its own: keys, genesis, certificates, profiles, the node's configuration.

    Under solo one node hosts all members, for trying out and for pilots. Under CometBFT each member
    has a folder with a node of its own. Start a node with `aeo node run`.
    """
    if (members is None) == (members_file is None):
        raise InputRefused("name the members with --members or with --members-file")
    # A whole node hangs from it, and no other command should wait for that to load.
    from service.node.founding.folder import (  # noqa: PLC0415
        CLIENT_ROLES,
        LOCAL_HOSTS,
        Plan,
        found_network,
    )

    plan = Plan(
        name=name,
        founders=(
            founders_of_file(members_file)
            if members_file is not None
            else founders_of_codes(members or "", _zones(time_zone or ()))
        ),
        listen=listen,
        health=health,
        metrics=metrics,
        hosts=(*LOCAL_HOSTS, *(host or ())),
        passphrase_file=passphrase_file.absolute() if passphrase_file is not None else None,
        pilot=engine is EngineKind.SOLO if pilot is None else pilot,
    )
    if engine is EngineKind.COMETBFT:
        _init_federation(folder, plan, passphrase_file, as_json=json)
        return
    with progress("Making keys", len(plan.founders), "members") as done:
        genesis = found_network(folder, plan, done)
    made = _describe(folder, genesis, CLIENT_ROLES)
    show(
        made,
        lambda: facts([(key.replace("_", " "), _text(made[key])) for key in made]),
        as_json=json,
    )
    if passphrase_file is None:
        say(f"A passphrase was made: {folder / 'passphrase'}. Keep it apart from the keys.")
    say(f"Next: aeo node run --config {folder / 'node.toml'}")


def _init_federation(
    folder: Path, plan: "Plan", passphrase_file: Path | None, *, as_json: bool
) -> None:
    from service.node.founding.federation import found_federation, places_of  # noqa: PLC0415 - as above

    places = places_of(plan)
    with progress("Making keys", len(plan.founders), "members") as done:
        genesis = found_federation(folder, plan, places, done)
    rooms = [folder / founder.economy for founder in plan.founders]
    made = {
        "folder": str(folder),
        "network_id": genesis.network_id.hex(),
        "network_name": genesis.network_name,
        "pilot": genesis.pilot,
        "members": [founder.economy for founder in plan.founders],
        "configurations": [str(room / "node.toml") for room in rooms],
    }
    show(
        made,
        lambda: facts([(key.replace("_", " "), _text(made[key])) for key in made]),
        as_json=as_json,
    )
    if passphrase_file is None:
        say("Each folder has a passphrase of its own. Keep it apart from the keys.")
    say(
        "Give each member its folder, and nobody another's. Next, once for each machine: aeo "
        "cometbft install"
    )
    say(f"Then, at each member: aeo node run --config {rooms[0] / 'node.toml'}")


def _describe(folder: Path, genesis: Genesis, roles: Sequence[str]) -> dict[str, Any]:
    return {
        "folder": str(folder),
        "network_id": genesis.network_id.hex(),
        "network_name": genesis.network_name,
        "pilot": genesis.pilot,
        "members": [founder.economy for founder in genesis.founders],
        "configuration": str(folder / "node.toml"),
        "profiles": [
            str(folder / "clients" / founder.economy / f"{role}.toml")
            for founder in genesis.founders
            for role in roles
        ],
    }


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, list):
        return ("\n" if any("/" in each for each in value) else ", ").join(value)
    return str(value)


def _zones(given: Sequence[str]) -> dict[str, str]:
    zones = {}
    for each in given:
        economy, equals, zone = each.partition("=")
        if not equals:
            raise InputRefused(f"--time-zone {each} is not like AU=Australia/Perth")
        zones[economy.strip()] = zone.strip()
    return zones
