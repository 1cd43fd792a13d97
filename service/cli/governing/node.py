"""`aeo node run`: a node until it is told to stop."""

from pathlib import Path
from typing import Annotated, Any

import tomli_w
import typer
from rich.text import Text

from service.cli.commands import JsonOption, examples, group
from service.cli.governing.joining import join
from service.cli.governing.preparing import prepare
from service.cli.output import show_json, show_text
from service.config import load_config
from service.logs import set_up_logs

app = group("Run a node.")


app.command(
    epilog=examples("aeo node join au --economy AU --genesis genesis.bin --network-id 9c5a...")
)(join)
app.command(epilog=examples("aeo node prepare genesis.bin --config node.toml --if-missing"))(
    prepare
)


@app.callback()
def node() -> None:
    """Run a node."""


@app.command(
    epilog=examples(
        "aeo node run --config pilot/node.toml",
        "AEO_LISTEN__GRPC=0.0.0.0:7443 aeo node run --config pilot/node.toml --check",
    )
)
def run(
    *,
    config: Annotated[
        Path | None,
        typer.Option(
            envvar="AEO_CONFIG",
            help="The node's TOML file; without it all settings are AEO_ variables.",
        ),
    ] = None,
    check: Annotated[
        bool,
        typer.Option("--check", help="Print the configuration in force, secrets masked, and end."),
    ] = False,
    json: JsonOption = False,
) -> None:
    """Run a node: its members' outboxes, the ledger, and every service, until SIGTERM or SIGINT.

    Stopping finishes what was accepted. The log goes to stderr.
    """
    settings = load_config(config)
    if check:
        described = settings.describe()
        if json:
            show_json(described)
        else:
            show_text(Text(tomli_w.dumps(without_none(described))))
        return
    set_up_logs(settings.log.level)
    # Only this command loads the whole of a node; a look-up should not wait for it.
    from service.cli.governing.running import run_node  # noqa: PLC0415

    run_node(settings, as_json=json)


def without_none(value: Any) -> Any:
    """What can be written as TOML, which has no word for nothing."""
    if isinstance(value, dict):
        return {name: without_none(each) for name, each in value.items() if each is not None}
    return [without_none(each) for each in value] if isinstance(value, list) else value
