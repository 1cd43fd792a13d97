"""`aeo fsck`: a node's own store executed again, every signature, root and seal."""

from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.audit.replay import verify_items
from ledger.bls.scheme import default_backend
from ledger.errors import ChainError, CheckError
from service.cli import exits
from service.cli.auditing.verify import describe, report_text
from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.output import progress, show, show_json, warn
from service.clock import SystemClock
from service.errors import StoreCorrupt

_LEDGER: Final = "ledger.db"


def fsck(
    folder: Annotated[
        str,
        typer.Argument(
            help="A node's data folder, or the folder of a whole network; or postgresql://... as "
            "in the node's ledger_store, where the guard file is not looked at."
        ),
    ],
    *,
    json: JsonOption = False,
) -> None:
    """Re-derive every root of a store and check every signature and seal. The node must be stopped.

    Exit code 1 names the first place that contradicts the rest; 3: a node has the store open.
    """
    # Only this command loads the store; a look-up should not wait for it.
    from service.cli.auditing.store_from_base import verify_from_base  # noqa: PLC0415
    from service.cli.auditing.store_items import (  # noqa: PLC0415
        check_evidence,
        check_guard,
        read_items,
    )
    from service.store.ledger.ledger_store import LedgerStore  # noqa: PLC0415
    from service.store.location import Server, parse_stores  # noqa: PLC0415

    backend, place = default_backend(), parse_stores(folder)
    if isinstance(place, Server):
        data, ledger = None, place if place.schema else place.store("ledger")
        # Opening to write would make a store where there is none.
        LedgerStore(ledger, read_only=True).open().close()
        store = LedgerStore(ledger)
    else:
        data = data_folder(place.path)
        store = LedgerStore(data / _LEDGER)
    try:
        with store:
            newest = store.newest()
            with progress("Checking", newest.log_size if newest else 0, "transactions") as done:
                base = store.base()
                for report in (
                    verify_items(
                        read_items(store, backend),
                        now=SystemClock().now_ms(),
                        backend=backend,
                        unsealed=True,
                    )
                    if base is None
                    else verify_from_base(store, base, backend)
                ):
                    done(report.transactions)
            check_evidence(store, backend)
        if data is not None:
            check_guard(data)
    except (CheckError, StoreCorrupt) as error:
        item = error.place if isinstance(error, ChainError | StoreCorrupt) else ""
        if json:
            show_json({"consistent": False, "place": item, "problem": str(error)})
        warn(f"{place} is damaged: {error}")
        raise typer.Exit(exits.NO) from None
    found = describe(report)
    # Trust is a question between parties; a store is only asked whether it agrees with itself.
    del found["verified"], found["trust"]
    show({"consistent": True, **found}, lambda: report_text(report), as_json=json)


def data_folder(folder: Path) -> Path:
    """Where the stores lie: the folder itself, or its folder data."""
    for each in (folder, folder / "data"):
        if (each / _LEDGER).is_file():
            return each
    raise InputRefused(f"{folder}: there is no {_LEDGER} in it, nor in its folder data")
