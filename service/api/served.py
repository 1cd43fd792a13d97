"""Around every handler: who calls, may they, what happened, how long it took.

This is a function around the handler and not a gRPC interceptor, because an interceptor sees a call
before its request and builds a handler anew for each one. A unary call pays about 15 us of
processor time for all of it, beside the 90 to 115 of gRPC and TLS: 5 to fetch the certificate of
its connection, 2 for the metrics, the rest in small change.

The request is read here as well: gRPC answers a request that it cannot read with INTERNAL, though
it is the caller's mistake. A deadline needs no look: gRPC starts no handler after it has passed.
"""

import itertools
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from time import perf_counter
from typing import Any, TypeAlias

import grpc
import structlog
from google.protobuf.message import DecodeError

from ledger.errors import FormatError
from service.api.caller import Identify
from service.api.failures import CallError, Denied, InvalidField, format_status
from service.api.method import Call, Guard, Kind, Method
from service.api.metrics import Metrics
from service.api.workers import Workers
from service.config import LOG_EVERY
from service.logs import CURRENT

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"
"""Generic in its stubs alone, hence quoted."""

_log = structlog.get_logger("aeo.api")


@dataclass(frozen=True, slots=True)
class Surroundings:
    """What every method of one listener shares."""

    identify: Identify
    metrics: Metrics
    draining: Callable[[], bool]
    guard: Guard | None = None
    """Stands before methods of which some requests take two persons; without it none is served."""
    log_every: int = LOG_EVERY
    silent: set[grpc.ServicerContext] = field(default_factory=set)
    """Streams that owe no answer: they wait for their clients' next question. A stop ends them."""


def served(path: str, method: Method, around: Surroundings, workers: Workers | None) -> Handler:
    """The gRPC handler of one method; `path` is `/service/method`."""
    behaviour = _BEHAVIOURS[method.kind](path, method, around)
    if workers is not None:
        behaviour.experimental_thread_pool = workers  # type: ignore[attr-defined]
    return _HANDLERS[method.kind](behaviour)


def refusing(kind: Kind, refuse: Callable[[], CallError], workers: Workers) -> Handler:
    """A gRPC handler that refuses every call, whatever it asks."""

    def behaviour(_request: Any, context: grpc.ServicerContext) -> Any:
        context.abort_with_status(format_status(refuse(), None))

    behaviour.experimental_thread_pool = workers  # type: ignore[attr-defined]
    return _HANDLERS[kind](behaviour)


class _Around:
    """One method's half of the work before and after its handler."""

    __slots__ = (
        *("count", "draining", "identify", "log_next", "path", "read", "roles", "silent"),
        "write",
    )

    def __init__(self, path: str, method: Method, around: Surroundings) -> None:
        self.path = path
        self.identify = around.identify
        self.draining = around.draining
        self.silent = around.silent
        self.roles = method.roles
        self.read = method.request_deserializer or _as_it_is
        self.write = method.response_serializer or _as_it_is
        self.count = around.metrics.finished(path)
        every = around.log_every
        ticks = itertools.cycle(itertools.chain((True,), itertools.repeat(False, every - 1)))
        self.log_next: Callable[[], bool] = ticks.__next__ if every else _never

    def admit(self, call: Call, context: grpc.ServicerContext) -> None:
        """Raise a CallError unless this call may run."""
        call.caller = caller = self.identify(context)
        CURRENT.set(call)
        if caller.access_role not in self.roles:
            raise Denied(
                "ACCESS_ROLE",
                f"{self.path} takes {' or '.join(sorted(self.roles))};"
                f" the caller is {caller.access_role}",
            )

    def request(self, data: bytes) -> Any:
        try:
            return self.read(data)
        except (DecodeError, FormatError, UnicodeDecodeError) as error:
            raise InvalidField("request", f"cannot be read: {error}", "MALFORMED") from None

    def requests(self, questions: Iterator[bytes], context: grpc.ServicerContext) -> Iterator[Any]:
        """What a client streams, one after the other."""
        while True:
            self.silent.add(context)
            try:
                data = next(questions)
            except StopIteration:
                return
            finally:
                self.silent.discard(context)
            yield self.request(data)

    def succeeded(self, started: float) -> None:
        seconds = perf_counter() - started
        self.count("OK", seconds)
        if self.log_next():
            _log.info("call", code="OK", milliseconds=round(seconds * 1000, 3))

    def failed(self, call: Call, error: Exception, started: float) -> grpc.Status:
        """Log and count a failure; what to tell the caller."""
        seconds = perf_counter() - started
        CURRENT.set(call)
        status = format_status(error, call.request_id)
        code = status.code.name
        self.count(code, seconds)
        if isinstance(error, InvalidField):
            # Not its message: that may quote what was asked, and so a TIN.
            _log.info("refused", code=code, reason=error.reason, field=error.field)
        elif isinstance(error, CallError):
            _log.info("refused", code=code, reason=error.reason, message=str(error))
        elif code == "INTERNAL":
            _log.error("failed", code=code, exc_info=error)
        else:
            _log.info("refused", code=code, message=str(error))
        return status


def _unary_response(path: str, method: Method, around: Surroundings) -> Callable[..., bytes]:
    a = _Around(path, method, around)
    handler = method.handler
    if method.four_eyes is not None:
        if around.guard is None or method.kind is not Kind.UNARY:
            raise ValueError(f"{path} takes two persons, and nothing here sees to it")
        handler = around.guard(path, method)
    streams = method.kind is Kind.CLIENT_STREAM

    def behaviour(request: Any, context: grpc.ServicerContext) -> bytes:
        started = perf_counter()
        call = Call(path, context, a.draining)
        try:
            a.admit(call, context)
            asked = a.requests(request, context) if streams else a.request(request)
            response: bytes = a.write(handler(asked, call))
        except grpc.RpcError:
            a.count("CANCELLED", perf_counter() - started)
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: nothing gets past
            status = a.failed(call, error, started)
        else:
            a.succeeded(started)
            return response
        finally:
            CURRENT.set(None)
        return context.abort_with_status(status)  # raises

    return behaviour


def _stream_response(
    path: str, method: Method, around: Surroundings
) -> Callable[..., Iterator[bytes]]:
    a = _Around(path, method, around)
    handler = method.handler
    streams = method.kind is Kind.BOTH_STREAM

    def behaviour(request: Any, context: grpc.ServicerContext) -> Iterator[bytes]:
        started = perf_counter()
        call = Call(path, context, a.draining)
        try:
            a.admit(call, context)
            asked = a.requests(request, context) if streams else a.request(request)
            yield from map(a.write, handler(asked, call))
        except (grpc.RpcError, GeneratorExit):
            a.count("CANCELLED", perf_counter() - started)
            raise
        except Exception as error:  # noqa: BLE001 - the boundary: nothing gets past
            status = a.failed(call, error, started)
        else:
            a.succeeded(started)
            return
        finally:
            CURRENT.set(None)
        context.abort_with_status(status)

    return behaviour


def _as_it_is(value: Any) -> Any:
    return value


def _never() -> bool:
    return False


_BEHAVIOURS: dict[Kind, Callable[[str, Method, Surroundings], Callable[..., Any]]] = {
    Kind.UNARY: _unary_response,
    Kind.CLIENT_STREAM: _unary_response,
    Kind.SERVER_STREAM: _stream_response,
    Kind.BOTH_STREAM: _stream_response,
}
_HANDLERS: dict[Kind, Callable[[Callable[..., Any]], Handler]] = {
    Kind.UNARY: grpc.unary_unary_rpc_method_handler,
    Kind.CLIENT_STREAM: grpc.stream_unary_rpc_method_handler,
    Kind.SERVER_STREAM: grpc.unary_stream_rpc_method_handler,
    Kind.BOTH_STREAM: grpc.stream_stream_rpc_method_handler,
}
