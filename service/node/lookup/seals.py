"""How final each header of a ledger is: by the newest seal, and by those that the store has."""

from collections.abc import Callable

from aeo.exchange.v1 import status_service_pb2 as exchange
from service.node.lookup.host import SealView
from service.store.ledger.ledger_store import LedgerStore, SealLevel, StoredSeal


class Seals:
    """Of one store; `newest_seal` is the newest that is at least attested. Any thread may ask."""

    def __init__(self, store: LedgerStore, newest_seal: Callable[[], SealView | None]) -> None:
        self._store = store
        self._newest_seal = newest_seal

    def of(self, height: int) -> SealView:
        """The best seal of a header, as stored; its finality by later seals too."""
        newest = self._newest_seal()
        if newest is not None and newest.height == height:
            return newest  # what every look-up with a proof asks for: no statement to the store
        stored = self._store.seal(height)
        data, attested = (stored.seal, stored.attested_time) if stored else (b"", 0)
        return SealView(height, data, self.finality_of(height), attested)

    def finality_of(self, height: int) -> exchange.Finality:
        """How final a header is: a sealed descendant seals its ancestors."""
        newest = self._newest_seal()
        if newest is None or height > newest.height:
            return exchange.FINALITY_RECORDED
        if newest.finality == exchange.FINALITY_SEALED:
            return newest.finality
        sealed = self._store.newest_sealed()
        if sealed is not None and height <= sealed.height:
            return exchange.FINALITY_SEALED
        return exchange.FINALITY_ATTESTED


def finality_by(level: SealLevel) -> exchange.Finality:
    """What a header is by a seal of its own."""
    return exchange.FINALITY_SEALED if level == SealLevel.SEALED else exchange.FINALITY_ATTESTED


def newest_stored(store: LedgerStore) -> SealView | None:
    """The newest seal that a store has; None without any."""
    found: StoredSeal | None = store.newest_seal()
    if found is None:
        return None
    return SealView(found.height, found.seal, finality_by(found.level), found.attested_time)
