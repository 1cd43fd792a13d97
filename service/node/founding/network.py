"""Making a network: its genesis from the founders' registrations, and the stores of its first node.

Nothing is overwritten: a folder that has a ledger, or a guard, is refused.
"""

from collections.abc import Iterable
from pathlib import Path

from ledger.bls.scheme import BlsBackend
from ledger.chain.genesis import Genesis, check_genesis, format_genesis, parse_genesis
from ledger.chain.parameters import DEFAULT_PARAMETERS, Parameters, format_parameters
from ledger.state.machine import Machine
from service.node.node import NodeSettings
from service.store.guard import SealGuard
from service.store.home.home_store import HomeStore
from service.store.ledger.ledger_store import LedgerStore


def create_network(
    settings: NodeSettings,
    *,
    name: str,
    created_at: int,
    founders: Iterable[bytes],
    backend: BlsBackend,
    parameters: Parameters = DEFAULT_PARAMETERS,
    pilot: bool,
) -> Genesis:
    """Make a network of `founders` (Registration messages) and the stores of its first node.

    `created_at` is in Unix milliseconds. Raises `FormatError` or `SignatureError` for founders that
    make no network, `StoreError` where there are stores already.
    """
    data = format_genesis(name, created_at, founders, format_parameters(parameters), pilot=pilot)
    check_genesis(parse_genesis(data), backend)
    return join_network(settings, data, backend)


def join_network(settings: NodeSettings, data: bytes, backend: BlsBackend) -> Genesis:
    """Make the stores of a node for the network of these genesis bytes."""
    genesis = parse_genesis(data)
    for place in (settings.ledger, settings.guard):
        if isinstance(place, Path):
            place.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    settings.homes.mkdir(mode=0o700, parents=True, exist_ok=True)
    with LedgerStore(settings.ledger, max_page_count=settings.max_page_count) as store:
        store.put_genesis(data, Machine(genesis, backend).state.header_bytes)
    SealGuard.create(settings.guard).close()
    for economy in settings.members:
        with HomeStore(settings.home(economy), economy, genesis.network_id):
            pass  # opening makes it, and writes whose it is
    return genesis


def genesis_kept(settings: NodeSettings) -> bytes | None:
    """The genesis of the ledger that the settings name; None where there is no ledger yet."""
    if isinstance(settings.ledger, Path) and not settings.ledger.exists():
        return None
    with LedgerStore(settings.ledger, max_page_count=settings.max_page_count) as store:
        return store.genesis()
