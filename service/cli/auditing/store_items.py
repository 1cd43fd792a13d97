"""A node's store as the items of an export, so that the offline verifier can read it."""

from collections.abc import Iterator
from pathlib import Path

from ledger.audit.evidence import judge_evidence
from ledger.bls.scheme import BlsBackend
from ledger.chain.export import GENESIS, HEADER, SEAL, TRANSACTION, Item
from ledger.chain.export_order import order_items
from ledger.chain.genesis import Genesis, parse_genesis
from ledger.chain.header import header_hash, parse_header
from ledger.chain.seal import open_seal, parse_seal
from ledger.chain.set_change import SetChange
from ledger.errors import ChainError, CheckError, FormatError
from service.errors import StoreCorrupt
from service.node.governance.set_changes import SetChanges
from service.store.guard import SealGuard
from service.store.ledger.ledger_store import LedgerStore, StoredSeal


def read_items(store: LedgerStore, backend: BlsBackend) -> Iterator[Item]:
    """The store in the order of an export, with its set changes where they belong.

    Raises `StoreCorrupt` and `ChainError`. A seal that an export leaves out, because it stands
    between a set change and its hand-over, is checked here.
    """
    data = store.genesis()
    try:
        genesis = None if data is None else parse_genesis(data)
    except FormatError as error:
        raise StoreCorrupt(store.path, "genesis", str(error)) from error
    changes = [] if genesis is None else _set_changes(store, genesis, backend)

    def on_left_out(header: bytes, seal: bytes, change: SetChange) -> None:
        _check_left_out(header, seal, change, backend)

    return order_items(_plain_items(store), changes, on_left_out)


def check_evidence(store: LedgerStore, backend: BlsBackend) -> None:
    """Whether all evidence that is kept convicts somebody; raises `StoreCorrupt`."""
    data = store.genesis()
    for number, evidence in enumerate(store.evidence()):
        try:
            judge_evidence(evidence, parse_genesis(data or b"").network_id, backend)
        except (FormatError, CheckError) as error:
            raise StoreCorrupt(store.path, f"evidence {number}", str(error)) from error


def _set_changes(store: LedgerStore, genesis: Genesis, backend: BlsBackend) -> list[SetChange]:
    try:
        return SetChanges(store, genesis, backend, read_only=True).all()
    except FormatError:
        return []  # a header that is none: the verifier names it


def _check_left_out(data: bytes, seal_bytes: bytes, change: SetChange, backend: BlsBackend) -> None:
    header = parse_header(data)
    place = f"seal of height {header.height}"
    try:
        seal = open_seal(seal_bytes, change.sets.current, header.network_id, backend)
    except (FormatError, CheckError) as error:
        raise ChainError(place, str(error)) from error
    if seal.header_hash != header_hash(data):
        raise ChainError(place, "it is a seal of another header")
    if seal.attested_time < header.time:
        raise ChainError(place, "attested before its header's time")


def _plain_items(store: LedgerStore) -> Iterator[Item]:
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
