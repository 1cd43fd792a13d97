"""What a servicer offers: a table of methods; and what a handler is told: the `Call`.

    listener.register("aeo.exchange.v1.StatusService", {
        "Lookup": Method(Kind.UNARY, lookup, None, None, RIGHTS[Right.LOOK_UP]),
        "Watch": Method(Kind.SERVER_STREAM, watch, WatchRequest.FromString,
                        WatchResponse.SerializeToString, RIGHTS[Right.LOOK_UP]),
    })

A handler takes the request (for streams of requests: their iterator) and the `Call`, and returns
the response (for streams of responses: an iterator). Without a deserializer it is given the bytes
as they came, without a serializer it returns bytes. It refuses by raising an error of
`service.api.failures` or `service.errors`; it never sees gRPC.
"""

import re
import uuid
from collections.abc import Callable
from dataclasses import dataclass
from enum import Enum
from typing import Any, NamedTuple, TypeAlias

import grpc
from google.protobuf.message import Message

from service.api.caller import Caller
from service.keys.spiffe import AccessRole

REQUEST_ID_METADATA = "x-request-id"
_REQUEST_ID = re.compile(r"[A-Za-z0-9._:-]{1,64}")


class Kind(Enum):
    """Which side streams."""

    UNARY = "unary"
    SERVER_STREAM = "server_stream"
    CLIENT_STREAM = "client_stream"
    BOTH_STREAM = "both_stream"


class Pool(Enum):
    """Which threads run a call. Streams always have threads of their own."""

    QUICK = "quick"
    """Answers from memory; few threads, since they would only wait for each other."""
    WAITING = "waiting"
    """Waits for the disk, a signature or another member; many threads, mostly asleep."""
    STREAM = "stream"


class FourEyes(NamedTuple):
    """Which requests of a method take two persons, and what the second one is shown.

    Such a request is stored and answered with `response(pending=...)`; the handler runs when
    somebody else approves it (`service.api.four_eyes`), with the approver as its caller.
    """

    needs: Callable[[Any, Caller], bool]
    summary: Callable[[Any], str]
    """What the request would do, for people; made when it is shown, and never stored."""
    response: type[Message]
    """The message that answers the method; it has a field `pending`."""
    check: Callable[[Any, "Call"], object] | None = None
    """Refuses at once, by raising, what nobody could approve."""
    repeatable: bool = False
    """Running it twice does no more than once, by a key of its own or by the ledger's rules: it may
    be approved again where nobody knows whether it ran."""


@dataclass(frozen=True, slots=True)
class Method:
    """One method of a service.

    `handler` is called with (request or iterator of requests, Call). `roles` are the access roles
    that may call it; an empty set admits nobody. What depends on the request is for the handler
    to check, with `caller.require`. `four_eyes` is for unary methods.
    """

    kind: Kind
    handler: Callable[[Any, "Call"], Any]
    request_deserializer: Callable[[bytes], Any] | None
    response_serializer: Callable[[Any], bytes] | None
    roles: frozenset[AccessRole]
    pool: Pool = Pool.QUICK
    four_eyes: FourEyes | None = None


def unary(
    handler: Callable[[Any, "Call"], Message],
    request: type[Message],
    roles: frozenset[AccessRole],
    four_eyes: FourEyes | None = None,
    *,
    pool: Pool = Pool.WAITING,
) -> Method:
    """A method of one request and one response, both messages; most are."""
    return Method(Kind.UNARY, handler, request.FromString, _format, roles, pool, four_eyes)


class Call:
    """One call in progress: who asks, how long they will wait, and under which id we log it."""

    __slots__ = ("_context", "_draining", "_request_id", "caller", "method")

    caller: Caller

    def __init__(
        self, method: str, context: grpc.ServicerContext, draining: Callable[[], bool]
    ) -> None:
        self.method = method
        self._context = context
        self._draining = draining
        self._request_id: str | None = None

    @property
    def request_id(self) -> str:
        """The caller's `x-request-id` if it is a sane one, else one of our own."""
        if self._request_id is None:
            self._request_id = _request_id(self._context) or uuid.uuid4().hex
        return self._request_id

    def log_fields(self) -> dict[str, str]:
        """What every log line of this call says; `service.logs` asks when a line is written."""
        fields = {"method": self.method, "request_id": self.request_id}
        caller: Caller | None = getattr(self, "caller", None)  # unset until we know
        if caller is not None:
            fields["economy"] = caller.economy
            fields["access_role"] = caller.access_role.value
            fields["name"] = caller.name
        return fields

    def seconds_left(self) -> float:
        """Until the caller's deadline; 0.0 when it has passed; very many when there is none."""
        return self._context.time_remaining()

    def live(self) -> bool:
        """False once nobody waits for more: hung up, deadline passed, or this server is stopping.

        A handler that streams asks before each wait, and waits at most a second at a time.
        """
        return self._context.is_active() and not self._draining()

    def on_end(self, callback: Callable[[], None]) -> bool:
        """Call `callback` when the call ends, however; False when it has already ended."""
        return self._context.add_callback(callback)


def _format(response: Message) -> bytes:
    return response.SerializeToString()


def _request_id(context: grpc.ServicerContext) -> str | None:
    for key, value in context.invocation_metadata() or ():
        if key == REQUEST_ID_METADATA and isinstance(value, str) and _REQUEST_ID.fullmatch(value):
            return value
    return None


Guard: TypeAlias = Callable[[str, Method], Callable[[Any, Call], Any]]
"""The handler to run for a method at a path that may take two persons."""
