"""`aeo report`: does an arrangement deliver what it promises?"""

from pathlib import Path
from typing import Annotated, Final

import typer

from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.monitoring import figures as monitoring
from service.cli.monitoring import release_times_text
from service.cli.monitoring.release_times_file import FILE_LIMIT, published_tables, read_tables
from service.cli.output import show
from service.cli.profile import Profile, calls_node
from service.cli.text_file import read_text_file

PUBLISHED: Final = "APEC#221-CT-01.2, tables 2 to 7"

app = group("Monitor arrangements.")


@app.callback()
def report() -> None:
    """Monitor arrangements."""


@app.command(
    "release-times",
    epilog=examples(
        "aeo report release-times",
        "aeo report release-times study.csv --json",
        "aeo report release-times --arrangement CN-NZ --from 2026-01-01 --to 2026-03-31",
    ),
)
@calls_node
def release_times(
    file: Annotated[
        Path | None,
        typer.Argument(help="CSV of the same columns; without it, the published tables."),
    ] = None,
    *,
    arrangement: Annotated[
        str | None,
        typer.Option(help="Instead: your node's own figures of an arrangement and period."),
    ] = None,
    first: Annotated[str, typer.Option("--from", help="First day, with --arrangement.")] = "",
    last: Annotated[str, typer.Option("--to", help="Last day, with --arrangement.")] = "",
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Compare mean release times before and after arrangements took effect.

    Changes are computed from the times, never copied; where the source prints another figure,
    both are shown. A time (zero is one), no records and not available are three different things.
    Needs no node; but with --arrangement it shows what your own node has measured, small cells
    withheld.
    """
    if arrangement is not None:
        if file is not None or not (first and last):
            raise InputRefused("--arrangement goes with --from and --to, and with no file")
        monitoring.own_release_times(profile, arrangement, first, last, json=json)
        return
    if first or last:
        raise InputRefused("--from and --to go with --arrangement")
    if file is None:
        tables, source = published_tables(), PUBLISHED
    else:
        try:
            tables, source = read_tables(read_text_file(file, FILE_LIMIT)), str(file)
        except InputRefused as error:
            lines = str(error).splitlines()
            raise InputRefused("\n".join(f"{file}: {line}" for line in lines)) from None
    show(
        release_times_text.describe(tables, source),
        lambda: release_times_text.text(tables, source),
        as_json=json,
    )


monitoring.register(app)
