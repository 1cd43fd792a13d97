"""How a call fails, in the words of google.rpc.

| raised | status | details |
|---|---|---|
| InvalidField | INVALID_ARGUMENT | BadRequest naming the field |
| Unauthenticated | UNAUTHENTICATED | |
| Denied | PERMISSION_DENIED | |
| NotFound | NOT_FOUND (things addressed by id, never a trader) | |
| Illegal | FAILED_PRECONDITION | |
| Full | RESOURCE_EXHAUSTED | RetryInfo |
| NotReady | UNAVAILABLE | RetryInfo |
| Expired | DEADLINE_EXCEEDED | |
| service.errors.KeyReused | ALREADY_EXISTS | |
| other service.errors.Refused, ledger NotEntered | FAILED_PRECONDITION | |
| service.errors.BeforeBase | NOT_FOUND | |
| ledger.errors.NotKept | FAILED_PRECONDITION | |
| service.errors.Overloaded | RESOURCE_EXHAUSTED | RetryInfo |
| PeerUnreachable | UNAVAILABLE | RetryInfo |
| StoreBusy, StoreFull, ClockWentBack, ... | UNAVAILABLE, without file names | RetryInfo |
| anything else | INTERNAL: a request id and nothing else | |

Every status carries ErrorInfo (domain `aeo.exchange.v1`, a machine-readable reason) and RequestInfo
(the id under which this node logged it). A client decides by code and reason and never parses text.
"""

import re
from collections.abc import Iterator
from contextlib import contextmanager

import grpc
from google.protobuf.message import Message
from google.rpc import error_details_pb2, status_pb2
from grpc_status import rpc_status

from ledger.errors import FormatError, NotEntered, NotKept
from service.config import RETRY_MS
from service.errors import (
    BeforeBase,
    ClockWentBack,
    EngineStopped,
    KeyReused,
    MapProcessFailed,
    OutOfTurn,
    Overloaded,
    PeerUnreachable,
    Refused,
    StoreAway,
    StoreBusy,
    StoreFull,
)

ERROR_DOMAIN = "aeo.exchange.v1"
NOT_READY_RETRY_MS = 1_000
"""When to ask a node again that is starting, stopping or waiting for its disk or clock."""

_PASSING = (
    *(ClockWentBack, EngineStopped, MapProcessFailed, OutOfTurn),
    *(StoreAway, StoreBusy, StoreFull),
)


class CallError(Exception):
    """Root of what a servicer may raise; the message is for people."""

    code = grpc.StatusCode.INTERNAL
    retry_ms: int | None = None
    field: str | None = None

    def __init__(self, reason: str, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class InvalidField(CallError):
    """A field of the request is missing, malformed or out of range. `field` as in the message."""

    code = grpc.StatusCode.INVALID_ARGUMENT

    def __init__(self, field: str, message: str, reason: str = "INVALID_FIELD") -> None:
        super().__init__(reason, f"{field}: {message}")
        self.field = field


class Unauthenticated(CallError):
    """We cannot tell who calls."""

    code = grpc.StatusCode.UNAUTHENTICATED


class Denied(CallError):
    """We know who calls, and they may not."""

    code = grpc.StatusCode.PERMISSION_DENIED


class NotFound(CallError):
    """Nothing has this id. Never for a trader: not certified is an answer."""

    code = grpc.StatusCode.NOT_FOUND


class AlreadyExists(CallError):
    """The id given is taken by something else."""

    code = grpc.StatusCode.ALREADY_EXISTS


class Illegal(CallError):
    """Well-formed, but not a step that may be taken now; `reason` from a closed list."""

    code = grpc.StatusCode.FAILED_PRECONDITION


class Full(CallError):
    """More work than we take at once; try again in `retry_ms`."""

    code = grpc.StatusCode.RESOURCE_EXHAUSTED

    def __init__(self, message: str, retry_ms: int, reason: str = "FULL") -> None:
        super().__init__(reason, message)
        self.retry_ms = retry_ms


class NotReady(CallError):
    """The node cannot answer yet, or no longer."""

    code = grpc.StatusCode.UNAVAILABLE

    def __init__(
        self, message: str, retry_ms: int = NOT_READY_RETRY_MS, reason: str = "NOT_READY"
    ) -> None:
        super().__init__(reason, message)
        self.retry_ms = retry_ms


class Expired(CallError):
    """The caller's deadline passed while we waited for something; the work is dropped."""

    code = grpc.StatusCode.DEADLINE_EXCEEDED

    def __init__(self) -> None:
        super().__init__("EXPIRED", "the deadline passed before there was an answer")


@contextmanager
def naming(field: str) -> Iterator[None]:
    """Turn a FormatError raised inside into InvalidField of this field."""
    try:
        yield
    except FormatError as error:
        raise InvalidField(field, str(error)) from None


def format_status(error: Exception, request_id: str | None) -> grpc.Status:
    """What to tell the caller about `error`; nothing of an error that we did not foresee."""
    failure = _as_call_error(error)
    said = status_pb2.Status(code=failure.code.value[0], message=str(failure))
    details: list[Message] = [
        error_details_pb2.ErrorInfo(reason=failure.reason, domain=ERROR_DOMAIN)
    ]
    if failure.field is not None:
        violation = error_details_pb2.BadRequest.FieldViolation(
            field=failure.field, description=str(failure), reason=failure.reason
        )
        details.append(error_details_pb2.BadRequest(field_violations=[violation]))
    if failure.retry_ms is not None:
        retry = error_details_pb2.RetryInfo()
        retry.retry_delay.FromMilliseconds(failure.retry_ms)
        details.append(retry)
    if request_id is not None:
        details.append(error_details_pb2.RequestInfo(request_id=request_id))
    for detail in details:
        said.details.add().Pack(detail)
    status: grpc.Status = rpc_status.to_status(said)
    return status


def _as_call_error(error: Exception) -> CallError:
    if isinstance(error, CallError):
        return error
    if isinstance(error, NotEntered):
        return Illegal(error.code, str(error))
    if isinstance(error, KeyReused):
        return AlreadyExists("IDEMPOTENCY_KEY_REUSED", str(error))
    if isinstance(error, Refused):
        return Illegal(_reason(error), str(error))
    if isinstance(error, Overloaded):
        return Full(str(error), RETRY_MS, "OVERLOADED")
    if isinstance(error, NotKept):
        return Illegal("BEFORE_SNAPSHOT", str(error))
    if isinstance(error, BeforeBase):
        return NotFound("BEFORE_SNAPSHOT", f"this node's ledger begins at height {error.height}")
    if isinstance(error, PeerUnreachable):
        return NotReady(str(error), NOT_READY_RETRY_MS, "PEER_UNREACHABLE")
    if isinstance(error, _PASSING):
        # The message names files of this machine: it is for the log.
        return NotReady("the node cannot write now", NOT_READY_RETRY_MS, _reason(error))
    return CallError("INTERNAL", "internal error; the node's log has it under the request id")


def _reason(error: Exception) -> str:
    """The error's class in the letters of a reason: StoreFull is STORE_FULL."""
    return re.sub(r"(?<!^)(?=[A-Z])", "_", type(error).__name__).upper()
