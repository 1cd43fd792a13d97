"""The news of a ledger: a count that grows with each block and each seal, and who waits for it.

A reader remembers the version it has seen and waits for another. It then reads the state and the
store, so a slow reader never holds anything up and never misses anything.

>>> feed = BlockFeed()
>>> feed.announce()
>>> feed.wait(0, timeout=1.0), feed.wait(1, timeout=0.0)
(1, 1)
"""

import threading
from collections.abc import Callable

from ledger.state.machine import Block


class BlockFeed:
    """Wakes readers when there is news. Any thread may call."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._version = 0
        self._closed = False
        self._listeners: list[Callable[[Block], None]] = []
        self._refused: list[Callable[[bytes, str], None]] = []

    @property
    def version(self) -> int:
        """How many blocks and seals have been announced."""
        return self._version

    @property
    def closed(self) -> bool:
        """No more news will come."""
        return self._closed

    def wait(self, seen: int, timeout: float) -> int:
        """Return the version as soon as it differs from `seen`, at the latest after `timeout` s.

        Returns at once when the feed is closed.
        """
        with self._changed:
            self._changed.wait_for(lambda: self._version != seen or self._closed, timeout)
            return self._version

    def listen(self, listener: Callable[[Block], None]) -> Callable[[], None]:
        """Call `listener` with each block right after it became current; returns how to end it.

        It runs on the writer's thread: it must be quick and must not raise.
        """
        self._listeners.append(listener)
        return lambda: self._listeners.remove(listener)

    def listen_refused(self, listener: Callable[[bytes, str], None]) -> None:
        """Call `listener` with each transaction that does not enter the log, and its code.

        As `listen` does.
        """
        self._refused.append(listener)

    def tell(self, block: Block) -> None:
        """Pass a block that has become current to the listeners. The writer calls this."""
        for listener in tuple(self._listeners):
            listener(block)

    def tell_refused(self, transaction: bytes, code: str) -> None:
        """Pass on a transaction that did not enter. The writer calls this."""
        for listener in tuple(self._refused):
            listener(transaction, code)

    def announce(self) -> None:
        """Wake whoever waits. The writer calls this after each block and each seal."""
        with self._changed:
            self._version += 1
            self._changed.notify_all()

    def close(self) -> None:
        """Wake whoever waits, for the last time."""
        with self._changed:
            self._closed = True
            self._changed.notify_all()
