"""`aeo backup`: a copy of a node's stores, the node may be running."""

from pathlib import Path
from typing import Annotated, Any

import typer

from service.cli.auditing.fsck import data_folder
from service.cli.commands import JsonOption
from service.cli.output import facts, say, show


def backup(
    folder: Annotated[
        Path, typer.Argument(help="A node's data folder, or the folder of a whole network.")
    ],
    target: Annotated[Path, typer.Argument(help="The folder to make; it must not be there yet.")],
    *,
    json: JsonOption = False,
) -> None:
    """Copy a node's stores into a new folder, also while the node runs.

    Copied are ledger.db and the members' own stores. Not the guard file, of which there must never
    be an older copy in use, and not the keys. The folder appears whole or not at all.
    """
    # Databases take longer to import than most commands to run.
    from service.store.backup import back_up  # noqa: PLC0415

    copied = back_up(data_folder(folder), target)
    made: dict[str, Any] = {
        "folder": str(target),
        "files": [{"name": each.name, "bytes": each.size} for each in copied],
    }
    rows = [("folder", str(target)), *((each.name, f"{each.size:,} bytes") for each in copied)]
    show(made, lambda: facts(rows), as_json=json)
    say("It holds lookup keys and profiles: keep it as closely as the node's own folder.")
