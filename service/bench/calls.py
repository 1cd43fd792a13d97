"""A client that costs little: bytes out, bytes in, several calls under way at once.

What a call costs on the client's core is not what is asked, so nothing is parsed here; what an
application sees through `service.client` is measured on its own.
"""

import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import Any, Final

import grpc

from service.bench.server import BUSY
from service.bench.world import Credential, World

LOOKUP: Final = "/aeo.exchange.v1.StatusService/Lookup"
BATCH_LOOKUP: Final = "/aeo.exchange.v1.StatusService/BatchLookup"
PUBLISH: Final = "/aeo.exchange.v1.PublishingService/Publish"
LIST_PUBLICATIONS: Final = "/aeo.exchange.v1.PublishingService/ListPublications"
APPROVE: Final = "/aeo.exchange.v1.ApprovalService/Approve"
CHANGE_STATUS: Final = "/aeo.exchange.v1.PublishingService/ChangeStatus"
GET_NETWORK: Final = "/aeo.exchange.v1.LedgerService/GetNetwork"
GET_HEADER: Final = "/aeo.exchange.v1.LedgerService/GetHeader"

_MESSAGE_BYTES: Final = 64 << 20
_DEADLINE_S: Final = 60.0


@dataclass(slots=True)
class Timed:
    """Calls in a stretch of time. `busy`: the server's share of its core, 0 to 1."""

    calls: int
    seconds: float
    busy: float
    latencies_ms: list[float] = field(default_factory=list)

    @property
    def rate(self) -> float:
        """Calls a second."""
        return self.calls / self.seconds

    def percentile(self, share: float) -> float:
        """The latency (ms) that a share of the calls does not exceed."""
        ordered = sorted(self.latencies_ms)
        return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def open_channel(address: str, world: World, credential: Credential) -> grpc.Channel:
    """A channel with a client certificate."""
    return grpc.secure_channel(
        address,
        grpc.ssl_channel_credentials(world.authorities, credential.key, credential.certificate),
        [("grpc.max_receive_message_length", _MESSAGE_BYTES)],
    )


def method(channel: grpc.Channel, path: str) -> Callable[[bytes], bytes]:
    """A unary method whose messages are left as bytes."""
    call: Any = channel.unary_unary(path, request_serializer=None, response_deserializer=None)

    def once(request: bytes) -> bytes:
        answer: bytes = call(request, timeout=_DEADLINE_S)
        return answer

    return once


def timed(
    channel: grpc.Channel,
    path: str,
    requests: Sequence[bytes],
    *,
    callers: int,
    seconds: float | None = None,
) -> Timed:
    """Call with each request in turn from so many threads; for `seconds`, or once through.

    A caller sends its next request when its last one is answered.
    """
    numbers = count()
    until = None if seconds is None else time.perf_counter() + seconds
    size = len(requests)
    latencies: list[list[float]] = []
    failures: list[BaseException] = []

    def run() -> None:
        call, mine, clock = method(channel, path), [], time.perf_counter
        try:
            while (number := next(numbers)) < size or until is not None:
                began = clock()
                if until is not None and began >= until:
                    break
                call(requests[number % size])
                mine.append((clock() - began) * 1e3)
        except BaseException as error:  # noqa: BLE001 - told to whoever waits
            failures.append(error)
        latencies.append(mine)

    threads = [threading.Thread(target=run) for _ in range(callers)]
    before = busy_ns(channel)
    started = time.perf_counter()
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    passed = time.perf_counter() - started
    used = busy_ns(channel) - before
    if failures:
        raise failures[0]
    every: list[float] = [each for mine in latencies for each in mine]
    return Timed(len(every), passed, used / 1e9 / passed, every)


def busy_ns(channel: grpc.Channel) -> int:
    """Nanoseconds of processor time that the server's process has used."""
    return int.from_bytes(one(channel, BUSY))


def one(channel: grpc.Channel, path: str, request: Any = b"") -> bytes:
    """One call."""
    return method(channel, path)(request)
