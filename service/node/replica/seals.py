"""The seals of a ledger that is followed."""

from ledger.chain.seal import SealValue
from service.node.lookup.host import SealView
from service.node.lookup.seals import Seals, finality_by, newest_stored
from service.store.ledger.ledger_store import LedgerStore, SealLevel


class KeptSeals(Seals):
    """Over one store. One thread keeps, any may ask."""

    def __init__(self, store: LedgerStore) -> None:
        super().__init__(store, lambda: self.newest)
        # Replaced as a whole.
        self.newest: SealView | None = newest_stored(store)

    def keep(self, height: int, data: bytes, value: SealValue) -> SealView | None:
        """Keep a verified seal if it is better than the one kept; it as a view if it is."""
        level = SealLevel.of(value.level)
        better = self._store.put_seal(
            height, data, level, attested_time=value.attested_time, weight=value.weight
        )
        if not better:
            return None
        view = SealView(height, data, finality_by(level), value.attested_time)
        if self.newest is None or height >= self.newest.height:
            self.newest = view
        return view

    def known(self, height: int, data: bytes) -> bool:
        """Whether these very bytes are kept already."""
        newest = self.newest
        if newest is not None and newest.height == height:
            return newest.data == data
        stored = self._store.seal(height)
        return stored is not None and stored.seal == data
