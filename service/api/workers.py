"""Threads that run calls, and how many calls may wait for them.

gRPC's own limit on concurrent calls answers RESOURCE_EXHAUSTED without saying when to come back.
So the count is kept here, and `Admission` (in `listener`) hands calls above it to a handler that
refuses properly. Long streams, calls that wait for the disk and look-ups have separate threads:
none can use up those of another.
"""

import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from typing import Any


class Workers(ThreadPoolExecutor):
    """A thread pool that knows how many calls it holds, waiting or running.

    gRPC reads the attribute `experimental_thread_pool` of a handler and insists on this base class.
    """

    def __init__(self, name: str, threads: int, limit: int) -> None:
        super().__init__(threads, thread_name_prefix=f"aeo-{name}")
        self.limit = limit
        self.held = 0
        self._changed = threading.Condition(threading.Lock())

    @property
    def full(self) -> bool:
        """True when one more call is one too many."""
        return self.held >= self.limit

    def held_now(self) -> int:
        """How many calls it holds, for a gauge."""
        return self.held

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        """Queue a call; counted until it has been run."""
        with self._changed:
            self.held += 1
        return super().submit(self._run, fn, *args, **kwargs)

    def _run(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Any:
        try:
            return fn(*args, **kwargs)
        finally:
            with self._changed:
                self.held -= 1
                if not self.held:
                    self._changed.notify_all()

    def wait_idle(self, seconds: float) -> bool:
        """Wait until no call is held; False when some still are after `seconds`."""
        with self._changed:
            return self._changed.wait_for(lambda: not self.held, seconds)
