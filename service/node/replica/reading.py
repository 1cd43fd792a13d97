"""A stream of blocks, read ahead by a thread while what came before is being verified.

What has come is taken together, so that signatures of several blocks are checked in one batch. A
silence is an empty answer after the time one is ready to wait.
"""

import queue
import threading
from collections.abc import Iterator
from contextlib import suppress
from typing import Final

from aeo.exchange.v1.ledger_service_pb2 import StreamBlocksResponse
from service.client.connection import Connection
from service.client.errors import ClientError, Unavailable
from service.client.replica import ReplicaClient

MESSAGES_AHEAD: Final = 32
"""Each has at most 16 MiB, of an honest node 4 MiB, most of them some KB."""
_LOOK_SECONDS: Final = 0.5

# A message, or why nothing follows: a `ClientError`, or whatever else reading came to.
_Item = StreamBlocksResponse | Exception


class BlockReader:
    """Reads from a height on. `close` ends it and closes the connection."""

    def __init__(self, connection: Connection, from_height: int) -> None:
        self._connection = connection
        self._items: queue.Queue[_Item] = queue.Queue(MESSAGES_AHEAD)
        self._closed = threading.Event()
        self._failure: Exception | None = None
        stream = ReplicaClient(connection).follow(from_height)
        self._thread = threading.Thread(
            target=self._run, args=(stream,), name="aeo-block-reader", daemon=True
        )
        self._thread.start()

    def take(self, patience: float) -> list[StreamBlocksResponse]:
        """All messages that are there, waiting up to `patience` seconds for the first.

        Empty: nothing came. Raises what the stream ended with, a `ClientError` as a rule, after
        the last message before it.
        """
        if self._failure is not None:
            raise self._failure
        taken: list[StreamBlocksResponse] = []
        try:
            item = self._items.get(timeout=patience)
            while True:
                if isinstance(item, Exception):
                    self._failure = item
                    break
                taken.append(item)
                item = self._items.get_nowait()
        except queue.Empty:
            pass
        if not taken and self._failure is not None:
            raise self._failure
        return taken

    def close(self) -> None:
        """End the stream, from any thread. Idempotent."""
        self._closed.set()
        with suppress(queue.Full):  # then nobody waits
            self._items.put_nowait(Unavailable("the connection was closed"))
        self._connection.close()

    def join(self) -> None:
        """Wait for the end of the thread, after `close`."""
        self._thread.join()

    def _run(self, stream: Iterator[StreamBlocksResponse]) -> None:
        try:
            for message in stream:
                if not self._put(message):
                    return
            self._put(Unavailable("the node ended the stream"))
        except ClientError as error:
            self._put(error)
        except ValueError:
            # The channel was closed before the call began.
            self._put(Unavailable("the connection was closed"))
        except Exception as error:  # noqa: BLE001 - raised again where it is taken
            self._put(error)

    def _put(self, item: _Item) -> bool:
        while not self._closed.is_set():
            try:
                self._items.put(item, timeout=_LOOK_SECONDS)
            except queue.Full:
                continue
            return True
        return False
