"""Receipts: a verdict made anew, with everything it rests on, out of a state and its store.

Nothing here touches what look-ups remember: a receipt is asked for seldom, takes some milliseconds
and rests on the seal that it shows, not on a newer one.
"""

from collections.abc import Sequence

from ledger.audit.receipt_proof import Position as ReceiptPosition
from ledger.audit.receipt_proof import prove_receipt
from ledger.customs.profiles import Profiles
from ledger.customs.verdict import Query
from service.errors import StoreCorrupt
from service.node.lookup.desk import Position
from service.node.lookup.host import AnsweringHost, SealView
from service.store.ledger.ledger_store import LedgerStore


class StoredPast:
    """A `ledger.audit.receipt_proof.Past` over the ledger's store."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def header(self, height: int) -> bytes:
        """The header at a height."""
        stored = self._store.header(height)
        if stored is None:
            raise StoreCorrupt(self._store.path, f"height {height}", "it is missing")
        return stored.header

    def transactions(self, height: int) -> Sequence[bytes]:
        """The transactions that entered the log with it; raises `BeforeBase` without them."""
        for block in self._store.blocks(height, height):
            return block.transactions
        raise StoreCorrupt(self._store.path, f"height {height}", "it is missing")


def make_receipt(
    host: AnsweringHost,
    economy: str,
    query: Query,
    position: Position,
    seal: SealView,
    *,
    profiles: Profiles,
    anchor_height: int | None = None,
    include_genesis: bool = True,
) -> bytes:
    """The receipt of what `economy`, hosted here, asks at a position with a `seal` of its header.

    Raises `FormatError` or `KeyringError`, as `evaluate` does.
    """
    times = position.times._replace(attested_time=seal.attested_time)
    return prove_receipt(
        query,
        ReceiptPosition(position.state, seal.data, times),
        host.hosted[economy].keyring.keys(),
        StoredPast(host.ledger_store),
        profiles=profiles,
        instructions=host.instructions(economy),
        anchor_height=anchor_height,
        include_genesis=include_genesis,
        set_changes=host.set_changes_until(position.state.height),
    )
