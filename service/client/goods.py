"""When the goods of a question were dispatched, and when the events of their declaration were.

>>> from datetime import UTC
>>> asked = exchange.LookupRequest()
>>> GoodsEvents(arrived_at=datetime(2026, 1, 1, tzinfo=UTC)).put(asked)
>>> asked.arrived_at, asked.HasField("released_at")
(1767225600000, False)
"""

from datetime import datetime
from typing import NamedTuple

from aeo.exchange.v1 import status_service_pb2 as exchange


class GoodsEvents(NamedTuple):
    """Aware datetimes, None where not known. A rule goes by its relevant event."""

    dispatched_at: datetime | None = None
    accepted_at: datetime | None = None
    arrived_at: datetime | None = None
    released_at: datetime | None = None

    def put(self, message: exchange.LookupRequest | exchange.LookupSupplyChainRequest) -> None:
        """Say them in a call."""
        for name, moment in self._asdict().items():
            if moment is not None:
                setattr(message, name, round(moment.timestamp() * 1000))


NOT_SAID = GoodsEvents()
