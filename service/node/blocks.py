"""The ledger's store as the engine wants it, and as a node starts from it."""

from collections.abc import Sequence

from ledger.chain.seal import SEALED
from service.engine.protocol import Sealed
from service.store.ledger.ledger_store import LedgerStore, SealLevel


class LedgerBlocks:
    """A `service.engine.protocol.BlockStore` over `ledger.db`."""

    __slots__ = ("_store",)

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def append_block(self, height: int, header: bytes, transactions: Sequence[bytes]) -> None:
        """Keep the header and the transactions of the next height, all or nothing."""
        self._store.append_block(height, header, transactions)

    def keep_seal(self, height: int, seal: Sealed) -> None:
        """Keep a seal of the header at `height` unless a better one is there."""
        level = SealLevel.SEALED if seal.level == SEALED else SealLevel.ATTESTED
        self._store.put_seal(
            height, seal.data, level, attested_time=seal.attested_time, weight=seal.weight
        )
