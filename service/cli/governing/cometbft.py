"""`aeo cometbft install` and `home`: the program beside a node, and what it starts from."""

from pathlib import Path
from typing import Annotated

import typer

from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.output import facts, show
from service.config import load_config

app = group("CometBFT, which orders for networks of several nodes.")


@app.command(
    epilog=examples("aeo cometbft install", "aeo cometbft install --cache /opt/cometbft --json")
)
def install(
    *,
    cache: Annotated[
        Path | None,
        typer.Option(help="Where it is built to; by default .cache/cometbft of the project."),
    ] = None,
    json: JsonOption = False,
) -> None:
    """Build the pinned version of CometBFT, once: a minute, and a Go module proxy to fetch it from.

    A version that is there already is left as it is, and needs no network.
    """
    # Nothing else needs it, and a look-up should not wait for it to load.
    from service.engine.cometbft import install as installing  # noqa: PLC0415

    program = installing.install(cache)
    made = {"program": str(program), "version": installing.VERSION}
    show(made, lambda: facts(list(made.items())), as_json=json)


@app.command(epilog=examples("aeo cometbft home --config /etc/aeo/node.toml"))
def home(
    *,
    config: Annotated[
        Path | None, typer.Option(envvar="AEO_CONFIG", help="The node's TOML file.")
    ] = None,
    json: JsonOption = False,
) -> None:
    """Write all files that CometBFT starts from, its key included, where somebody else starts it.

    A node that runs its own CometBFT does this by itself.
    """
    settings = load_config(config)
    if settings.engine.kind != "cometbft":
        raise InputRefused("engine.kind is not cometbft in this configuration")
    # A whole node hangs from it.
    from service.api.configured import write_engine_home  # noqa: PLC0415

    folder = write_engine_home(settings)
    made = {"home": str(folder)}
    show(made, lambda: facts(list(made.items())), as_json=json)
