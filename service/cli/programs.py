"""`aeo demo` and `aeo bench`: programs of their own, which the command line only starts.

Neighbours in a row of the house do not import each other, so each is started by its name.
"""

from importlib import import_module
from pathlib import Path
from typing import Annotated, Final

import typer

from service.cli import exits
from service.cli.commands import JsonOption
from service.cli.errors import AnswerIsNo, InputRefused
from service.errors import Failed

_DEMO_FOLDER: Final = Path("var/demo")
_TRADERS: Final = 200_000


def demo(
    folder: Annotated[
        Path, typer.Argument(help="Where the network is made and left to explore.")
    ] = _DEMO_FOLDER,
) -> None:
    """Show a whole network on published figures: publish, look up, suspend, verify.

    Everything runs in this process and ends by itself. An earlier demonstration in the folder is
    replaced; anything else there is left alone, and refused.
    """
    try:
        import_module("service.demo.run").run_demo(folder)
    except Failed as error:
        raise AnswerIsNo(f"the demonstration did not end well: {error}") from error


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
    try:
        met = import_module("service.bench.run").run_bench(
            figures or (), json, traders, quick=quick, large=large
        )
    except ValueError as error:
        raise InputRefused(str(error)) from error
    if not met:
        raise typer.Exit(exits.NO)
