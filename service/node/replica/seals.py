"""The seals of a ledger that is followed: the newest one, and how final each header is by them."""

from aeo.exchange.v1 import status_service_pb2 as exchange
from ledger.chain.seal import SEALED, SealValue
from service.node.lookup.host import SealView
from service.store.ledger.ledger_store import LedgerStore, SealLevel


class KeptSeals:
    """Over one store. One thread keeps, any may ask."""

    def __init__(self, store: LedgerStore) -> None:
        self._store = store
        newest = store.newest_seal()
        # Replaced as a whole.
        self.newest: SealView | None = (
            None
            if newest is None
            else SealView(newest.height, newest.seal, _finality(newest.level), newest.attested_time)
        )

    def keep(self, height: int, data: bytes, value: SealValue) -> SealView | None:
        """Keep a verified seal if it is better than the one kept; it as a view if it is."""
        level = SealLevel.SEALED if value.level == SEALED else SealLevel.ATTESTED
        better = self._store.put_seal(
            height, data, level, attested_time=value.attested_time, weight=value.weight
        )
        if not better:
            return None
        view = SealView(height, data, _finality(level), value.attested_time)
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

    def of(self, height: int) -> SealView:
        """The best seal of a header; its finality by later seals too."""
        newest = self.newest
        if newest is not None and newest.height == height:
            return newest
        stored = self._store.seal(height)
        data, attested = (stored.seal, stored.attested_time) if stored else (b"", 0)
        return SealView(height, data, self.finality_of(height), attested)

    def finality_of(self, height: int) -> exchange.Finality:
        """How final a header is: a sealed descendant seals its ancestors."""
        newest = self.newest
        if newest is None or height > newest.height:
            return exchange.FINALITY_RECORDED
        if newest.finality == exchange.FINALITY_SEALED:
            return newest.finality
        sealed = self._store.newest_sealed()
        if sealed is not None and height <= sealed.height:
            return exchange.FINALITY_SEALED
        return exchange.FINALITY_ATTESTED


def _finality(level: SealLevel) -> exchange.Finality:
    return exchange.FINALITY_SEALED if level == SealLevel.SEALED else exchange.FINALITY_ATTESTED
