"""One connection to a node: how to reach it, deadlines, retries.

A call that got no answer (UNAVAILABLE, RESOURCE_EXHAUSTED) is tried again, after the delay that
the node asked for or a growing one with jitter, as long as the deadline leaves room. Every call of
this exchange may be repeated: reads change nothing, and writes carry an idempotency key or name a
step that can be taken once.
"""

import random
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self, TypeVar

import grpc

from service.client.errors import Unavailable, read_error

DEFAULT_DEADLINE = 5.0
"""Seconds for a whole call, retries included: a declaration waits for it."""
FIRST_BACKOFF = 0.05
"""Seconds before the first retry; doubles, with jitter, up to `LONGEST_BACKOFF`."""
LONGEST_BACKOFF = 1.0
MAX_MESSAGE_BYTES = 16 << 20
"""As a node's own limit on its answers."""

_RETRIED = {grpc.StatusCode.UNAVAILABLE, grpc.StatusCode.RESOURCE_EXHAUSTED}

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Tls:
    """Mutual TLS; all three are PEM. `server_name`: the name in the node's certificate, if not the
    host in the address."""

    authorities: bytes
    certificate: bytes
    key: bytes = field(repr=False)
    server_name: str = ""

    @classmethod
    def files(
        cls,
        authorities: Path | str,
        certificate: Path | str,
        key: Path | str,
        server_name: str = "",
    ) -> Self:
        """Read the three PEM files."""
        return cls(
            Path(authorities).read_bytes(),
            Path(certificate).read_bytes(),
            Path(key).read_bytes(),
            server_name,
        )


@dataclass(frozen=True, slots=True)
class Plaintext:
    """No TLS, for loopback addresses: the caller says who they are."""

    economy: str
    access_role: str
    name: str = "plaintext"


class Connection:
    """A channel to one node, for any number of threads and clients. `open`, then `close`."""

    def __init__(
        self,
        channel: grpc.Channel,
        metadata: Sequence[tuple[str, str]] = (),
        deadline: float = DEFAULT_DEADLINE,
    ) -> None:
        self.channel = channel
        self.metadata = tuple(metadata)
        self.deadline = deadline

    @classmethod
    def open(
        cls, address: str, security: Tls | Plaintext, deadline: float = DEFAULT_DEADLINE
    ) -> Self:
        """Prepare a connection to `host:port`; nothing is sent before the first call."""
        options: list[tuple[str, Any]] = [
            ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
            # Else all that go to one address share one: a replica's other processes would be idle.
            ("grpc.use_local_subchannel_pool", 1),
            # Our own retries know the deadline and the node's wish; gRPC's would multiply them.
            ("grpc.enable_retries", 0),
            # A node that restarts is back in seconds; the default waits up to two minutes.
            ("grpc.max_reconnect_backoff_ms", 2_000),
            ("grpc.initial_reconnect_backoff_ms", 100),
        ]
        if isinstance(security, Plaintext):
            metadata = (
                ("aeo-economy", security.economy),
                ("aeo-access-role", security.access_role),
                ("aeo-name", security.name),
            )
            return cls(grpc.insecure_channel(address, options), metadata, deadline)
        if security.server_name:
            options.append(("grpc.ssl_target_name_override", security.server_name))
        credentials = grpc.ssl_channel_credentials(
            security.authorities, security.key, security.certificate
        )
        return cls(grpc.secure_channel(address, credentials, options), (), deadline)

    def close(self) -> None:
        """Give up calls in progress and the connection."""
        self.channel.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def call(self, method: Callable[..., T], request: Any, deadline: float | None = None) -> T:
        """Make a unary call; `deadline` in seconds for all of it. Raises a `ClientError`."""
        allowed = self.deadline if deadline is None else deadline
        until = time.monotonic() + allowed
        backoff = FIRST_BACKOFF
        while True:
            left = until - time.monotonic()
            if left <= 0:
                raise Unavailable("the deadline has passed")
            try:
                return method(request, timeout=left, metadata=self.metadata)
            except grpc.RpcError as error:
                made = read_error(error)
                wait = getattr(made, "retry_after", 0.0) or backoff * random.uniform(0.5, 1.0)  # noqa: S311 - jitter
                if error.code() not in _RETRIED or time.monotonic() + wait >= until:
                    raise made from error
                time.sleep(wait)
                backoff = min(backoff * 2, LONGEST_BACKOFF)

    def stream(
        self, method: Callable[..., Any], request: Any, deadline: float | None = None
    ) -> Iterator[Any]:
        """Make a call that answers with a stream, once; closing the iterator ends the call.

        Without `deadline` it may last for ever. Raises a `ClientError` where it breaks off.
        """
        call = method(request, timeout=deadline, metadata=self.metadata)
        try:
            yield from call
        except grpc.RpcError as error:
            raise read_error(error) from error
        finally:
            call.cancel()


def resuming(
    start: Callable[[], Iterator[T]], patience: float, sleep: Callable[[float], None] = time.sleep
) -> Iterator[T]:
    """Start a stream again whenever it breaks off as unavailable, for ever if it keeps moving.

    `start` begins where the last message left off. After `patience` seconds without any message in
    spite of trying, the last `Unavailable` is raised.
    """
    backoff = FIRST_BACKOFF
    silent_since = time.monotonic()
    while True:
        try:
            for message in start():
                yield message
                backoff, silent_since = FIRST_BACKOFF, time.monotonic()
        except Unavailable as error:
            if time.monotonic() - silent_since > patience:
                raise
            sleep(max(error.retry_after, backoff * random.uniform(0.5, 1.0)))  # noqa: S311 - jitter
            backoff = min(backoff * 2, LONGEST_BACKOFF)
        else:
            return
