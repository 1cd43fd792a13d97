"""`aeo node join`: the folder of a node whose member asks to be admitted to a network."""

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.governing.founders import founder_of
from service.cli.governing.key import HostOption
from service.cli.output import facts, say, show
from service.config import DEFAULT_LISTEN
from service.keys.key_file import read_public


def join(
    folder: Annotated[
        Path, typer.Argument(help="Its folder; members/XX in it has the keys already.")
    ],
    *,
    economy: Annotated[str, typer.Option(help="Whose node: two letters.")],
    genesis: Annotated[Path, typer.Option(help="The network's genesis.bin, from any member.")],
    network_id: Annotated[
        str, typer.Option(help="The network's id, 64 hex digits, told by a way of its own.")
    ],
    peer: Annotated[
        list[str], typer.Option(help="CometBFT of a member, as id@host:port; repeat it for more.")
    ],
    listen: Annotated[str, typer.Option(help="Where the node answers.")] = DEFAULT_LISTEN,
    external: Annotated[
        str, typer.Option(help="Where the CometBFT of others finds this one's, host:port.")
    ] = "",
    host: HostOption = None,
    passphrase_file: Annotated[Path, typer.Option(help="The file that opens the keys.")] = Path(
        "passphrase"
    ),
    json: JsonOption = False,
) -> None:
    """Make the node of a would-be member: its stores, configuration and clients' certificates.

    Keys first: `aeo key register FOLDER/members/XX`. The node follows the chain as soon as it runs,
    and takes part once its member was admitted and the others have handed over.
    """
    # A whole node hangs from it, and no other command should wait for that to load.
    from dataclasses import replace  # noqa: PLC0415

    from ledger.chain.genesis import parse_genesis  # noqa: PLC0415
    from service.node.founding.federation import Place, join_federation  # noqa: PLC0415
    from service.node.founding.folder import LOCAL_HOSTS, Plan  # noqa: PLC0415

    data = read_public(genesis)
    parsed = parse_genesis(data)
    if parsed.network_id.hex() != network_id.strip().lower():
        raise InputRefused(f"{genesis}: is the genesis of network {parsed.network_id.hex()}")
    place = Place.beside(listen, 0)
    if external:
        place = replace(place, reached=external)
    plan = Plan(
        name=parsed.network_name,
        founders=[founder_of({"economy": economy})],
        listen=place.listen,
        health=place.health,
        metrics=place.metrics,
        hosts=(*LOCAL_HOSTS, *(host or ())),
        passphrase_file=passphrase_file.absolute(),
        pilot=parsed.pilot,
    )
    node_id = join_federation(folder, plan, place, data, peer)
    made: dict[str, Any] = {
        "configuration": str(folder / "node.toml"),
        "peer": f"{node_id}@{place.reached}",
        "network_id": parsed.network_id.hex(),
    }
    show(made, lambda: facts([(key.replace("_", " "), made[key]) for key in made]), as_json=json)
    say(f"Next: aeo node run --config {folder / 'node.toml'}")
