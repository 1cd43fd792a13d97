"""A member that has nothing to say, says so: silence must mean that something is wrong.

Each hosted member publishes a heartbeat when its newest transaction is older than the network's
heartbeat interval. One thread looks at the injected clock every so often.
"""

import threading
from collections.abc import Callable, Iterable
from concurrent.futures import Future
from typing import Final

import structlog

from ledger.state.state import State
from service.clock import Clock
from service.engine.protocol import Recorded
from service.errors import ServiceError
from service.node.publishing.publisher import Publisher

# Far below any sensible interval, and nothing to do most times.
LOOK_EVERY_S: Final = 0.5
# A heartbeat that waits behind records is not repeated before this has passed.
PATIENCE_MS: Final = 60_000

_log = structlog.get_logger("aeo.heartbeat")


class Heartbeats:
    """Publishes heartbeats for `publishers` until stopped."""

    def __init__(
        self, publishers: Iterable[Publisher], current: Callable[[], State], clock: Clock
    ) -> None:
        self._publishers = tuple(publishers)
        self._current = current
        self._clock = clock
        self._asked: dict[str, tuple[int, Future[Recorded]]] = {}
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._run, name="aeo-heartbeat")

    def start(self) -> None:
        """Begin to look."""
        self._thread.start()

    def stop(self) -> None:
        """End. Idempotent."""
        self._stopping.set()
        if self._thread.is_alive():
            self._thread.join()

    def beat(self) -> list[str]:
        """Publish for each member that has been silent too long; returns which."""
        state, now = self._current(), self._clock.now_ms()
        due = []
        for publisher in self._publishers:
            economy = publisher.economy
            seen = state.author_seen(economy, state.height)
            spoke = state.genesis_time if seen is None else seen
            asked, under_way = self._asked.get(economy, (0, None))
            if now - spoke < state.heartbeat_interval or not publisher.active:
                continue
            # Not judged by its recorded time: where members order together that is not by our
            # clock, and after a standstill it may be long before it was asked for.
            waits = under_way is not None and not under_way.done()
            if abs(now - asked) < (PATIENCE_MS if waits else state.heartbeat_interval):
                continue
            try:
                self._asked[economy] = now, publisher.heartbeat()
            except ServiceError as error:
                _log.warning("no heartbeat", economy=economy, reason=str(error))
                continue
            due.append(economy)
        return due

    def _run(self) -> None:
        while not self._stopping.wait(LOOK_EVERY_S):
            self.beat()
