"""`aeo`: all commands in one tree."""

from importlib.metadata import PackageNotFoundError, version
from typing import Annotated

import typer

from service.cli import arrangement, export, key, network, node, steps, verify
from service.cli.commands import Commands, examples
from service.cli.fsck import fsck
from service.cli.lookup import lookup
from service.cli.output import stdout
from service.cli.programs import bench, demo
from service.cli.publish import publish

app = typer.Typer(
    name="aeo",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.command(epilog=examples("aeo demo"))(demo)
app.add_typer(key.app, name="key")
app.add_typer(network.app, name="network")
app.add_typer(node.app, name="node")
app.command(
    epilog=examples(
        "aeo lookup KR1234567890 --function EX --direction IMPORT --mode 1"
        " --profile clients/NZ/risk-engine.toml",
        "aeo lookup --file declared.csv --function EX --mode 1 --json",
        "aeo lookup KR1234567890 --function EX --mode 4 --as-of 2026-01-31 --proof",
    )
)(lookup)
app.command(
    epilog=examples(
        "aeo publish register.csv --dry-run --profile clients/HK/officer.toml",
        "aeo publish register.csv --json",
    )
)(publish)
steps.register(app)
app.add_typer(arrangement.app, name="arrangement")
app.add_typer(export.app, name="ledger")
app.add_typer(verify.app, name="verify")
app.command(epilog=examples("aeo fsck pilot"))(fsck)
app.command(epilog=examples("aeo bench", "aeo bench lookup batch --json", "aeo bench --quick"))(
    bench
)


def _print_version(asked: bool) -> None:
    if asked:
        try:
            stdout().print(version("aeo-status-exchange"))
        except PackageNotFoundError:
            stdout().print("not installed: run from its sources")
        raise typer.Exit


@app.callback()
def aeo(
    *,
    _version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print the version and end."
        ),
    ] = False,
) -> None:
    """AEO status exchange: publish, look up and verify the status of certified traders.

    Exit codes: 0 fine; 1 the verification failed or the answer is no; 2 wrong usage or input;
    3 no node answers; 4 evidence of misbehaviour.
    """


def main() -> None:
    """Run the command line."""
    app()


if __name__ == "__main__":
    main()
