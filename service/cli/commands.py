"""The root of the commands: expected failures become an exit code and one line on stderr."""

import os
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Annotated, Any, Final, TypeAlias

import typer
from typer.core import TyperGroup

from ledger.errors import Misbehaviour
from service.cli.errors import keep_evidence, told
from service.cli.output import warn
from service.logs import set_up_logs

# Bash's way to say that a signal ended a command: 128 and the signal's number.
INTERRUPTED: Final = 130

JsonOption: TypeAlias = Annotated[
    bool, typer.Option("--json", help="Print JSON on stdout; its names never change.")
]


class Commands(TyperGroup):
    """A group at the root: whatever its commands raise is told by `service.cli.errors`."""

    def invoke(self, ctx: Any) -> Any:
        """Run a command. Only `node run` logs below warnings."""
        set_up_logs("WARNING")
        try:
            return super().invoke(ctx)
        except BrokenPipeError:
            # Whoever read us has seen enough; Python must not flush into the closed pipe at exit.
            with suppress(OSError):
                os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(0) from None
        except KeyboardInterrupt:
            raise typer.Exit(INTERRUPTED) from None
        except Exception as error:
            found = told(error)
            if found is None:
                raise
            code, message = found
            warn(message)
            if isinstance(error, Misbehaviour):
                warn(f"the evidence is in {keep_evidence(error, Path.cwd())}")
            raise typer.Exit(code) from None


def group(help_text: str) -> typer.Typer:
    """A group of commands under one name."""
    return typer.Typer(help=help_text, no_args_is_help=True, rich_markup_mode=None)


def examples(*lines: Iterable[str]) -> str:
    """An epilog that shows how a command is called."""
    return "\n\n".join(["Examples:", *(f"  {line}" for line in lines)])
