"""`aeo`: all commands in one tree, and the two programs that it only starts."""

import sys
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Annotated, Final

import typer
from rich.console import Console

from service.cli import exits
from service.cli.arranging import arrangement
from service.cli.asking import receipt
from service.cli.asking.chain import chain
from service.cli.asking.lookup import lookup
from service.cli.auditing import access_log, export, verify
from service.cli.auditing.backup import backup
from service.cli.auditing.fsck import fsck
from service.cli.auditing.restore import restore
from service.cli.auditing.verify_evidence import verify_evidence
from service.cli.auditing.verify_receipt import verify_receipt
from service.cli.commands import Commands, JsonOption, examples
from service.cli.errors import AnswerIsNo, InputRefused
from service.cli.governing import cometbft, key, member, network, node, replica
from service.cli.governing.joining import join
from service.cli.governing.key_register import register
from service.cli.monitoring import report
from service.cli.output import stdout
from service.cli.publishing import alias, approve, consent, steps, trader_profile
from service.cli.publishing.publish import publish
from service.errors import Failed

_DEMO_FOLDER: Final = Path("var/demo")
_NETWORK_FOLDER: Final = Path("var/network")
_TRADERS: Final = 200_000
# The demonstration's widest table, where there is no terminal to ask.
_PIPE_WIDTH: Final = 150

app = typer.Typer(
    name="aeo",
    cls=Commands,
    no_args_is_help=True,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)
app.add_typer(key.app, name="key")
key.app.command(
    epilog=examples(
        "aeo key register keys/JP --economy JP --network 'APEC pilot' --network-id 9c5a..."
        " --endpoint jp-node.example:7443 --host jp-node.example",
    )
)(register)
app.add_typer(member.app, name="member")
app.add_typer(network.app, name="network")
app.add_typer(node.app, name="node")
node.app.command(
    epilog=examples(
        "aeo node join jp --economy JP --genesis genesis.bin --network-id 9c5a..."
        " --peer 213d...@au-node.example:26656 --listen 0.0.0.0:7443 --host jp-node.example",
    )
)(join)
app.add_typer(cometbft.app, name="cometbft")
app.add_typer(replica.app, name="replica")
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
        "aeo chain parties.csv --mode 1 --profile clients/NZ/risk-engine.toml",
        "aeo chain parties.csv --mode 4 --direction EXPORT --json",
    )
)(chain)
app.command(
    epilog=examples(
        "aeo publish register.csv --dry-run --profile clients/HK/officer.toml",
        "aeo publish register.csv --json",
    )
)(publish)
steps.register(app)
approve.register(app)
app.add_typer(access_log.app, name="access-log")
app.add_typer(alias.app, name="alias")
app.add_typer(arrangement.app, name="arrangement")
app.add_typer(consent.app, name="consent")
app.add_typer(export.app, name="ledger")
export.app.command(
    epilog=examples(
        "aeo ledger restore chain.aeo --config node.toml --network-id 9c5a...",
        "aeo ledger restore chain.aeo --config node.toml --network-id 9c5a... --new-guard",
    )
)(restore)
app.add_typer(trader_profile.app, name="profile")
app.add_typer(receipt.app, name="receipt")
app.add_typer(verify.app, name="verify")
verify.app.command(
    "receipt",
    epilog=examples(
        "aeo verify receipt receipt.aeo --network-id 9c5a...",
        "aeo verify receipt receipt.aeo --anchor risk-engine.anchor.json --json",
    ),
)(verify_receipt)
verify.app.command(
    "evidence",
    epilog=examples("aeo verify evidence aeo-evidence-0a1b2c3d4e5f6071.bin --network-id 9c5a..."),
)(verify_evidence)
app.add_typer(report.app, name="report")
app.command(epilog=examples("aeo fsck pilot"))(fsck)
app.command(epilog=examples("aeo backup pilot /var/backups/pilot-2026-11-21"))(backup)


@app.command(epilog=examples("aeo demo", "aeo demo --network --keep"))
def demo(
    folder: Annotated[
        Path, typer.Argument(help="Where the network is made and left to explore.")
    ] = _DEMO_FOLDER,
    *,
    network: Annotated[
        bool,
        typer.Option("--network", help="Four members with a node and a CometBFT each, instead."),
    ] = False,
    keep: Annotated[
        bool, typer.Option("--keep", help="With --network: it runs on until interrupted.")
    ] = False,
) -> None:
    """Show a whole network on published figures: publish, look up, suspend, verify.

    Everything runs on this machine and ends by itself. An earlier demonstration in the folder is
    replaced; anything else there is left alone, and refused.
    """
    # Only this command loads a whole network; a look-up should not wait for it.
    from service.demo.run import run_demo  # noqa: PLC0415

    console = Console(width=None if sys.stdout.isatty() else _PIPE_WIDTH)
    try:
        if network:
            from service.demo.network import run_network  # noqa: PLC0415 - as above

            run_network(_NETWORK_FOLDER if folder == _DEMO_FOLDER else folder, console, keep=keep)
        else:
            run_demo(folder, console)
    except Failed as error:
        raise AnswerIsNo(f"the demonstration did not end well: {error}") from error


@app.command(epilog=examples("aeo bench", "aeo bench lookup batch --json", "aeo bench --quick"))
def bench(
    figures: Annotated[
        list[str] | None, typer.Argument(help="Which figures; without any, all of them.")
    ] = None,
    *,
    traders: Annotated[int, typer.Option(min=1, help="Traders on the ledger.")] = _TRADERS,
    quick: Annotated[
        bool, typer.Option("--quick", help="Small sizes: does it work, not how fast is it.")
    ] = False,
    large: Annotated[
        bool, typer.Option("--large", help="Also a million traders, and ten million leaves.")
    ] = False,
    json: JsonOption = False,
) -> None:
    """Measure this machine: look-ups, publishing, verification, the state map.

    Exit code 1: a figure missed its bound.
    """
    from service.bench.run import run_bench  # noqa: PLC0415 - as above

    try:
        met = run_bench(figures or (), json, traders, quick=quick, large=large)
    except ValueError as error:
        raise InputRefused(str(error)) from error
    if not met:
        raise typer.Exit(exits.NO)


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
