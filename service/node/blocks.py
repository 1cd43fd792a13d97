"""The ledger's store as the engine wants it, and as a node starts from it."""

from collections.abc import Sequence

from service.engine.cometbft.protocol import BlockMark
from service.engine.protocol import Sealed
from service.store.ledger.engine_mark import EngineMark
from service.store.ledger.ledger_store import LedgerStore, SealLevel


class LedgerBlocks:
    """A `BlockStore` of the engines over `ledger.db`, and the `EngineStore` of CometBFT's."""

    __slots__ = ("_store",)

    def __init__(self, store: LedgerStore) -> None:
        self._store = store

    def append_block(self, height: int, header: bytes, transactions: Sequence[bytes]) -> None:
        """Keep the header and the transactions of the next height, all or nothing."""
        self._store.append_block(height, header, transactions)

    def keep_seal(self, height: int, seal: Sealed) -> bool:
        """Keep a seal of the header at `height` unless a better one is there; say whether."""
        level = SealLevel.of(seal.level)
        return self._store.put_seal(
            height, seal.data, level, attested_time=seal.attested_time, weight=seal.weight
        )

    def append_marked(
        self, height: int, header: bytes, transactions: Sequence[bytes], mark: BlockMark
    ) -> None:
        """As `append_block`, with how far CometBFT has come in the same database transaction."""
        self._store.append_block(height, header, transactions, EngineMark(*mark))

    def keep_mark(self, mark: BlockMark) -> None:
        """Keep how far CometBFT has come with a block that changed nothing here."""
        self._store.keep_engine_mark(EngineMark(*mark))

    def mark(self) -> BlockMark | None:
        """How far CometBFT had come; None before its first block."""
        kept = self._store.engine_mark()
        return None if kept is None else BlockMark(*kept)
