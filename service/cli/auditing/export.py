"""`aeo ledger export`: the whole chain in one file, to verify anywhere."""

import os
from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.commands import JsonOption, examples, group
from service.cli.errors import InputRefused
from service.cli.output import BYTES, facts, progress, show
from service.cli.profile import Profile, calls_node
from service.client import LedgerClient

app = group("Take the ledger away.")


@app.callback()
def ledger() -> None:
    """Take the ledger away."""


@app.command(
    epilog=examples(
        "aeo ledger export chain.aeo --profile clients/NZ/auditor.toml",
        "aeo verify ledger chain.aeo --network-id 9c5a...",
    )
)
@calls_node
def export(
    path: Annotated[Path, typer.Argument(help="The file to write; it must not be there yet.")],
    *,
    json: JsonOption = False,
    profile: Profile,
) -> None:
    """Write the ledger, up to its newest sealed header, into a file that anyone can verify.

    The file appears whole or not at all.
    """
    if path.exists():
        raise InputRefused(f"{path} is there already")
    begun = path.with_name(f"{path.name}.part")
    size = 0
    try:
        with (
            profile.connect() as connection,
            begun.open("wb") as file,
            progress("Exporting", unit=BYTES) as done,
        ):
            for chunk in LedgerClient(connection).export():
                file.write(chunk)
                size += len(chunk)
                done(size)
            file.flush()
            os.fsync(file.fileno())
        begun.rename(path)
    finally:
        begun.unlink(missing_ok=True)
    made: dict[str, Any] = {"path": str(path), "bytes": size}
    show(made, lambda: facts([("written", str(path)), ("bytes", f"{size:,}")]), as_json=json)
