"""A node's store as the items of an export, so that the offline verifier can read it."""

from collections.abc import Iterator
from pathlib import Path

from ledger.chain.export import GENESIS, HEADER, SEAL, TRANSACTION, Item
from ledger.chain.seal import parse_seal
from ledger.errors import FormatError
from service.errors import StoreCorrupt
from service.store.guard import SealGuard
from service.store.ledger_store import LedgerStore, StoredSeal


def read_items(store: LedgerStore) -> Iterator[Item]:
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


def check_guard(data: Path) -> None:
    """Whether the guard, where it lies with the store, can be read."""
    if (data / "guard").exists():
        SealGuard.open(data / "guard").close()
