"""`aeo replica run`: a verified copy of the ledger, and look-ups answered from it."""

from pathlib import Path
from typing import Annotated

import tomli_w
import typer
from rich.text import Text

from service.cli.commands import JsonOption, examples, group
from service.cli.governing.node import without_none
from service.cli.output import show_json, show_text
from service.logs import set_up_logs

app = group("Run a replica.")


@app.callback()
def replica() -> None:
    """Run a replica."""


@app.command(
    epilog=examples(
        "aeo replica run --config pilot/clients/NZ/replica.toml",
        "AEO_PROCESSES=4 aeo replica run --config replica.toml --check",
    )
)
def run(
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="AEO_CONFIG",
            help="The replica's TOML file; without it all settings are AEO_ variables.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Print the configuration in force, secrets masked, and end."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Follow the ledger from any node, verify all of it, and answer look-ups from the copy.

    Runs until SIGTERM or SIGINT, and goes on where it stopped. A node that shows what cannot be so
    is left for the next one; what it showed is kept in the replica's folder. The log goes to
    stderr.
    """
    # Only this command loads a replica; a look-up should not wait for it.
    from service.node.replica.config import load_replica_config  # noqa: PLC0415

    settings = load_replica_config(config)
    if check:
        described = settings.describe()
        if json:
            show_json(described)
        else:
            show_text(Text(tomli_w.dumps(without_none(described))))
        return
    set_up_logs(settings.log.level)
    from service.cli.governing.running_replica import run_replica  # noqa: PLC0415

    run_replica(settings, as_json=json)
