"""`aeo fsck`: a node's own store executed again, every signature, root and seal."""

from collections.abc import Iterator
from pathlib import Path
from typing import Annotated, Final

import typer

from ledger.audit.replay import verify_items
from ledger.bls.scheme import default_backend
from ledger.chain.export import GENESIS, HEADER, SEAL, TRANSACTION, Item
from ledger.chain.seal import parse_seal
from ledger.errors import ChainError, CheckError, FormatError
from service.cli import exits
from service.cli.commands import JsonOption
from service.cli.errors import InputRefused
from service.cli.output import progress, show, show_json, warn
from service.cli.verify import describe, report_text
from service.clock import SystemClock
from service.errors import StoreCorrupt
from service.store.guard import SealGuard
from service.store.ledger_store import LedgerStore, StoredSeal

_LEDGER: Final = "ledger.db"


def fsck(
    folder: Annotated[
        Path, typer.Argument(help="A node's data folder, or the folder of a whole network.")
    ],
    *,
    json: JsonOption = False,
) -> None:
    """Re-derive every root of a store and check every signature and seal. The node must be stopped.

    Exit code 1 names the first place that contradicts the rest; 3: a node has the store open.
    """
    data = _data_folder(folder)
    store = LedgerStore(data / _LEDGER)
    try:
        with store:
            newest = store.newest()
            with progress("Checking", newest.log_size if newest else 0, "transactions") as done:
                for report in verify_items(
                    _items(store),
                    now=SystemClock().now_ms(),
                    backend=default_backend(),
                    unsealed=True,
                ):
                    done(report.transactions)
        _check_guard(data)
    except (CheckError, StoreCorrupt) as error:
        place = error.place if isinstance(error, ChainError | StoreCorrupt) else ""
        if json:
            show_json({"consistent": False, "place": place, "problem": str(error)})
        warn(f"{folder} is damaged: {error}")
        raise typer.Exit(exits.NO) from None
    found = describe(report)
    # Trust is a question between parties; a store is only asked whether it agrees with itself.
    del found["verified"], found["trust"]
    show({"consistent": True, **found}, lambda: report_text(report), as_json=json)


def _data_folder(folder: Path) -> Path:
    for each in (folder, folder / "data"):
        if (each / _LEDGER).is_file():
            return each
    raise InputRefused(f"{folder}: there is no {_LEDGER} in it, nor in its folder data")


def _items(store: LedgerStore) -> Iterator[Item]:
    """The store in the order of an export."""
    genesis = store.genesis()
    if genesis is not None:
        yield GENESIS, genesis
    seals = store.seals()
    seal = next(seals, None)
    for block in store.blocks():
        yield HEADER, block.header
        for transaction in block.transactions:
            yield TRANSACTION, transaction
        if seal is not None and seal.height == block.height:
            _check_note(store, seal)
            yield SEAL, seal.seal
            seal = next(seals, None)
    if seal is not None:
        raise StoreCorrupt(store.path, f"seal of height {seal.height}", "there is no such header")


def _check_note(store: LedgerStore, seal: StoredSeal) -> None:
    """Whether the time noted beside a seal is the seal's own."""
    place = f"seal of height {seal.height}"
    try:
        attested_time = parse_seal(seal.seal).attested_time
    except FormatError as error:
        raise StoreCorrupt(store.path, place, str(error)) from error
    if attested_time != seal.attested_time:
        raise StoreCorrupt(store.path, place, "its time is not the one noted beside it")


def _check_guard(data: Path) -> None:
    """Whether the guard, where it lies with the store, can be read."""
    if (data / "guard").exists():
        SealGuard.open(data / "guard").close()
