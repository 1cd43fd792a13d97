"""From a stored ledger to a machine, with everything that is stored checked against itself.

Checked at each start: the genesis and header 0, every later header against the one before and its
transactions, the log root, the newest map root, the newest seal; and that it has every header that
the guard remembers. Signatures of transactions and every map root on the way are `aeo fsck`'s to
check.
"""

from collections.abc import Iterable, Iterator

from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import parse_genesis
from ledger.chain.header import header_hash
from ledger.chain.seal import open_seal
from ledger.errors import ChainError, CheckError, FormatError
from ledger.state.machine import Machine
from ledger.state.map_updates import MapUpdater
from ledger.state.state import State
from service.errors import GuardRefused, StoreCorrupt, StoreError
from service.store.guard import SealGuard
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
    try:
        machine = Machine.restore(genesis, _blocks(store), backend, updates=updates)
    except ChainError as error:
        place, message = error.place, str(error).removeprefix(f"{error.place}: ")
        raise StoreCorrupt(store.path, place, message) from error
    _check_newest_seal(store, machine, backend)
    return machine


def check_guard(
    guard: SealGuard, store: LedgerStore, state: State, key_ids: Iterable[bytes]
) -> None:
    """Refuse a ledger that lacks a header which one of these keys has sealed: an older copy.

    A node on it would give out numbers a second time, and tell callers that their records stand in
    a block that it may never seal. Raises `GuardRefused`.
    """
    for key_id in key_ids:
        mark = guard.last(state.network_id, key_id)
        if mark is None:
            continue
        stored = store.header(mark.height)
        if stored is None or header_hash(stored.header) != mark.header_hash:
            raise GuardRefused(
                key_id,
                state.height + 1,
                f"it has sealed a header {mark.height} that is not in this ledger, which is an "
                "older copy or another one; bring back the newest",
            )


def _blocks(store: LedgerStore) -> Iterator[tuple[bytes, tuple[bytes, ...]]]:
    return ((block.header, block.transactions) for block in store.blocks(1))


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
