"""`aeo node prepare`: the stores of a node, made from its network's genesis.

`aeo network init` and `aeo node join` make stores with the rest of a node's folder. A cluster
starts with empty volumes, or with an empty database, and a configuration that says where they are.
There a node makes its own: an empty ledger that follows the network from its first bytes on, a
guard, and the member's own store. Whatever is there already is never touched.
"""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.output import facts, say, show
from service.config import load_config


def prepare(
    genesis: Annotated[Path, typer.Argument(help="The network's genesis.bin.")],
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="AEO_CONFIG",
            help="The node's TOML file; without it all settings are AEO_ variables.",
        ),
    ] = None,
    network_id: Annotated[
        str | None, typer.Option(help="The network's id, by hand: another genesis is refused.")
    ] = None,
    if_missing: Annotated[
        bool,
        typer.Option("--if-missing", help="Be content with the stores of this network, if any."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Make the stores of a node from a network's genesis, where there are none.

    With --if-missing it may run before each start. A ledger of another network is refused, and so
    is a guard without a ledger: a lost ledger is made anew with `aeo ledger restore`.
    """
    from ledger.bls.scheme import default_backend  # noqa: PLC0415
    from ledger.chain.genesis import GENESIS_LIMIT, check_genesis, parse_genesis  # noqa: PLC0415
    from service.api.configured import node_settings  # noqa: PLC0415
    from service.node.founding.network import genesis_kept, join_network  # noqa: PLC0415

    try:
        with genesis.open("rb") as file:
            data = file.read(GENESIS_LIMIT + 1)
    except OSError as error:
        raise InputRefused(f"{genesis}: cannot be read: {error.strerror}") from None
    backend = default_backend()
    given = parse_genesis(data)
    check_genesis(given, backend)
    if network_id is not None and given.network_id.hex() != network_id.strip().lower():
        raise InputRefused(f"{genesis} is of the network {given.network_id.hex()}")
    settings = node_settings(load_config(config))
    kept = genesis_kept(settings) if if_missing else None
    if kept is not None and kept != data:
        other = parse_genesis(kept).network_id.hex()
        raise InputRefused(f"{settings.ledger} is of another network: {other}")
    if kept is None:
        join_network(settings, data, backend)
    made = {
        "network_id": given.network_id.hex(),
        "network_name": given.network_name,
        "members": sorted(settings.members),
        "made": kept is None,
    }
    show(
        made,
        lambda: facts(
            [
                ("network", f"{given.network_name} ({made['network_id']})"),
                ("stores", "made" if kept is None else "there already"),
            ]
        ),
        as_json=json,
    )
    if kept is None:
        say("Next: aeo node run with the same configuration")
