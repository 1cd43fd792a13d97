"""From a stored ledger to a machine, with everything that is stored checked against itself.

A ledger that began with a snapshot is taken up from there (`stored_base`). Checked at each start:
the genesis and header 0, every later header against the one before and its transactions, those
before a snapshot against its chain, the log root, the newest map root, the newest seal; and that it
has every header that the guard remembers. Signatures of transactions and every map root on the way
are `aeo fsck`'s to check.
"""

from collections.abc import Iterable

from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import Genesis, parse_genesis
from ledger.chain.header import header_hash
from ledger.chain.seal import open_seal
from ledger.chain.snapshot import checked_chunks, parse_manifest, parse_snapshot
from ledger.errors import ChainError, CheckError, FormatError
from ledger.state.machine import Machine
from ledger.state.map_updates import MapUpdater
from ledger.state.rebuilding import Base
from ledger.state.state import State
from ledger.tree.log import leaf_hash
from service.errors import BeforeBase, GuardRefused, StoreCorrupt, StoreError
from service.store.guard import SealGuard
from service.store.ledger.base_rows import StoredBase
from service.store.ledger.ledger_store import LedgerStore


def restore(store: LedgerStore, backend: BlsBackend, updates: MapUpdater) -> Machine:
    """The machine at the newest stored header.

    Raises `StoreCorrupt`, which names the place, and `StoreError` for a store without a network.
    """
    data = store.genesis()
    if data is None:
        raise StoreError(store.path, "has no network in it; make one with `aeo network init`")
    try:
        genesis = parse_genesis(data)
    except FormatError as error:
        raise StoreCorrupt(store.path, "genesis", str(error)) from error
    first = store.header(0)
    expected = Machine(genesis, backend).state.header_bytes
    if first is None or first.header != expected:
        raise StoreCorrupt(store.path, "header 0", "it is not the header of the genesis")
    machine = machine_at(store, genesis, None, backend, updates)
    check_headers_before_base(store, machine.state)
    _check_newest_seal(store, machine, backend)
    return machine


def machine_at(
    store: LedgerStore,
    genesis: Genesis,
    height: int | None,
    backend: BlsBackend,
    updates: MapUpdater | None = None,
) -> Machine:
    """The machine at a stored height, by default the newest; nothing but the chain is checked.

    Raises `StoreCorrupt`, and `BeforeBase` for a height below the snapshot that the ledger began
    with.
    """
    base = store.base()
    if base is not None and height is not None and height < base.height:
        raise BeforeBase(store.path, base.height)
    first = 1 if base is None else base.height + 1
    blocks = ((each.header, each.transactions) for each in store.blocks(first, height))
    try:
        return Machine.restore(
            genesis,
            blocks,
            backend,
            updates=updates,
            base=None if base is None else stored_base(store, base),
        )
    except ChainError as error:
        place, message = error.place, str(error).removeprefix(f"{error.place}: ")
        raise StoreCorrupt(store.path, place, message) from error
    except FormatError as error:
        raise StoreCorrupt(store.path, "base", str(error)) from error


def stored_base(store: LedgerStore, base: StoredBase) -> Base:
    """The snapshot that a ledger began with, read chunk by chunk as it is wanted.

    Raises `StoreCorrupt`.
    """
    place = f"base of height {base.height}"
    try:
        manifest = parse_manifest(base.manifest)
    except FormatError as error:
        raise StoreCorrupt(store.path, place, str(error)) from error
    stored = store.header(base.height)
    if stored is None or stored.header != manifest.header_bytes:
        raise StoreCorrupt(store.path, place, "it is of another header")
    chunks = checked_chunks(manifest, store.base_chunks(base.height))
    return Base(stored.header, parse_snapshot(chunks))


def check_guard(
    guard: SealGuard,
    store: LedgerStore,
    state: State,
    key_ids: Iterable[bytes],
    *,
    others_order: bool = False,
) -> None:
    """Refuse a ledger that lacks a header which one of these keys has sealed: an older copy.

    A node on it would give out numbers a second time, and tell callers that their records stand in
    a block that it may never seal. Raises `GuardRefused`. Where `others_order` too, they bring what
    is missing before anything is signed; then only another header of the same height is refused.
    """
    for key_id in key_ids:
        mark = guard.last(state.network_id, key_id)
        if mark is None:
            continue
        if others_order and mark.height > state.height:
            continue
        stored = store.header(mark.height)
        if stored is None or header_hash(stored.header) != mark.header_hash:
            raise GuardRefused(
                key_id,
                state.height + 1,
                f"it has sealed a header {mark.height} that is not in this ledger, which is an "
                "older copy or another one; bring back the newest",
            )


def check_headers_before_base(store: LedgerStore, state: State) -> None:
    """Compare the headers that nothing was executed for with what the newest one says of them."""
    for stored in store.headers(1, state.base_height) if state.base_height else ():
        known = state.facts.headers.leaf(stored.height)
        if (
            leaf_hash(header_hash(stored.header)) != known
            or stored.log_size != state.facts.log_sizes[stored.height]
        ):
            raise StoreCorrupt(
                store.path, f"header {stored.height}", "it is not the one in the ledger's chain"
            )


def _check_newest_seal(store: LedgerStore, machine: Machine, backend: BlsBackend) -> None:
    newest = store.newest_seal()
    if newest is None:
        return
    place = f"seal of header {newest.height}"
    header = store.header(newest.height)
    try:
        seal = open_seal(
            newest.seal,
            machine.state.signing_set_of(newest.height),
            machine.state.network_id,
            backend,
        )
    except (FormatError, CheckError, IndexError) as error:
        raise StoreCorrupt(store.path, place, str(error)) from error
    if header is None or seal.header_hash != header_hash(header.header):
        raise StoreCorrupt(store.path, place, "it is the seal of another header")
    if (seal.attested_time, seal.weight) != (newest.attested_time, newest.weight):
        raise StoreCorrupt(store.path, place, "its time or weight is not the one noted beside it")
