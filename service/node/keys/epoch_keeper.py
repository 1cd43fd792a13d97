"""One thread that keeps every hosted member's change of lookup keys going (`Epochs.keep_up`).

It looks with each block, since a suspension under the old key must have its copy at once, and
otherwise every so often. Where nothing changes its keys, a look costs a few microseconds.
"""

import threading
import time
from collections.abc import Iterable
from typing import Final

import structlog

from service.engine.feed import BlockFeed
from service.errors import ServiceError
from service.node.keys.epochs import Epochs

LOOK_EVERY_S: Final = 0.5
# A node that does not answer, or an outbox that is full, is not asked again at once.
PATIENCE_S: Final = 2.0

_log = structlog.get_logger("aeo.epochs")


class EpochKeeper:
    """Keeps `epochs` going until stopped."""

    def __init__(self, epochs: Iterable[Epochs], feed: BlockFeed) -> None:
        self._epochs = tuple(epochs)
        self._feed = feed
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aeo-epochs")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End after the round under way. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def _run(self) -> None:
        seen = -1
        while not self._stopping.is_set():
            seen = self._feed.wait(seen, LOOK_EVERY_S)
            if self._feed.closed:
                return
            began = time.monotonic()
            for each in self._epochs:
                try:
                    each.keep_up()
                except ServiceError as error:
                    _log.warning("keys are not changed now", reason=str(error))
                    self._stopping.wait(PATIENCE_S)
            # Half of the time at most: while keys change, look-ups go on.
            self._stopping.wait(min(LOOK_EVERY_S, time.monotonic() - began))
