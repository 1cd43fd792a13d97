"""Checking a store that began with a snapshot: the snapshot, then every block since.

The snapshot is rebuilt and compared with its header (`ledger.state.rebuilding`), and every header
before it with the chain that leads there; set changes are followed from the founders. From there on
all is as for a whole ledger: signatures, each map root, seals. Records of before the snapshot are
not counted again.
"""

from collections.abc import Iterator
from dataclasses import replace

from ledger.audit.replay import Report
from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import Genesis, parse_genesis
from ledger.chain.header import header_hash
from ledger.chain.seal import SEALED, open_seal
from ledger.chain.set_change import check_set_changes
from ledger.errors import ChainError, CheckError, FormatError
from ledger.state.machine import Machine
from service.errors import StoreCorrupt
from service.node.governance.set_changes import SetChanges
from service.node.restoring import check_headers_before_base, machine_at
from service.store.ledger.base_rows import StoredBase
from service.store.ledger.ledger_store import LedgerStore


def verify_from_base(store: LedgerStore, base: StoredBase, backend: BlsBackend) -> Iterator[Report]:
    """Check everything that the store has; reports as `ledger.audit.replay.verify_items` gives.

    Raises `StoreCorrupt` and `CheckError`, which name the place.
    """
    genesis = _genesis(store)
    machine = machine_at(store, genesis, base.height, backend)
    check_headers_before_base(store, machine.state)
    report = Report(genesis.network_id, genesis.network_name, genesis.pilot)
    for stored in store.blocks(base.height + 1):
        yield _so_far(report, machine)
        machine.verify_ahead(stored.transactions)
        block = machine.follow(stored.header, stored.transactions)
        if block.header is None or machine.map_root(block) != block.header.map_root:
            raise ChainError(f"header {stored.height}", "the map root is not that of the records")
        refused = sum(map(len, block.draft.refused.values()))
        codes = sum(len(result) for result in block.results if not isinstance(result, str))
        report = replace(
            report, executed=report.executed + codes - refused, refused=report.refused + refused
        )
        machine.advance(block)
    changes = SetChanges(store, genesis, backend, read_only=True).all()
    sets = check_set_changes(genesis.signing_set, changes, genesis.network_id, backend)
    if sets != [each for _, each in machine.state.current_sets]:
        raise StoreCorrupt(store.path, "set changes", "they lead to other sets than the headers")
    for seal in store.seals():
        report = _with_seal(report, store, machine, seal.height, backend)
        yield _so_far(report, machine)
    yield replace(_so_far(report, machine), complete=True)


def _genesis(store: LedgerStore) -> Genesis:
    try:
        return parse_genesis(store.genesis() or b"")
    except FormatError as error:
        raise StoreCorrupt(store.path, "genesis", str(error)) from error


def _so_far(report: Report, machine: Machine) -> Report:
    state = machine.state
    return replace(
        report,
        height=state.height,
        header_hash=state.header_hash,
        header_time=state.header_time,
        transactions=state.log_size,
    )


def _with_seal(
    report: Report, store: LedgerStore, machine: Machine, height: int, backend: BlsBackend
) -> Report:
    """The report with the seal at `height`, which must be good."""
    stored, header, state = store.seal(height), store.header(height), machine.state
    place = f"seal of height {height}"
    if stored is None or header is None:
        raise StoreCorrupt(store.path, place, "there is no such header")
    try:
        seal = open_seal(stored.seal, state.signing_set_of(height), state.network_id, backend)
    except (FormatError, CheckError) as error:
        raise ChainError(place, str(error)) from error
    after = state.time_of(height + 1) if height < state.height else seal.attested_time
    if seal.header_hash != header_hash(header.header):
        raise ChainError(place, "it is a seal of another header")
    if not state.time_of(height) <= seal.attested_time <= after:
        raise ChainError(place, "attested before its header's time, or after the next header's")
    if seal.attested_time != stored.attested_time:
        raise StoreCorrupt(store.path, place, "its time is not the one noted beside it")
    report = replace(report, seals=report.seals + 1)
    if seal.level == SEALED:
        report = replace(report, sealed_height=height, attested_time=seal.attested_time)
    return report
