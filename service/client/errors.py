"""How a call can fail for its caller. What fails to verify is an error of `ledger.errors`.

    ClientError
    ├── Unavailable     no answer: nothing was learnt about the trader
    ├── Invalid         the request is malformed; names the field
    ├── Denied          the node knows who calls, or cannot tell, and does not let them
    │   └── NotOffered      nobody is let: a replica answers look-ups, and has no other calls
    ├── NoSuchThing     nothing has this id; never said of a trader
    ├── Conflict        well-formed, but not a step that may be taken now; has a reason code
    └── Failure         the node failed to answer; its log has the request id

`Unavailable` is never a verdict and never means *not certified*. It covers a node that cannot be
reached, one that is not ready or full, and a deadline that passed: the retries are already done.
"""

import grpc
from google.rpc import error_details_pb2
from grpc_status import rpc_status

_UNAVAILABLE = {
    grpc.StatusCode.UNAVAILABLE,
    grpc.StatusCode.DEADLINE_EXCEEDED,
    grpc.StatusCode.RESOURCE_EXHAUSTED,
    grpc.StatusCode.CANCELLED,
}


class ClientError(Exception):
    """Root of the tree. `reason` is the node's machine-readable code, empty where it gave none."""

    def __init__(self, message: str, reason: str = "", request_id: str = "") -> None:
        super().__init__(message)
        self.reason = reason
        self.request_id = request_id


class Unavailable(ClientError):
    """No answer came within the deadline. `retry_after`: seconds, 0.0 where the node said none."""

    retry_after: float = 0.0


class Invalid(ClientError):
    """The request is malformed; `field` names where, as in the message of the call."""

    field: str = ""


class Denied(ClientError):
    """The caller may not do this, or the node cannot tell who calls."""


class NotOffered(Denied):
    """Whoever answers has no such call."""


class NoSuchThing(ClientError):
    """Nothing has this id."""


class Conflict(ClientError):
    """Not a step that may be taken now."""


class Failure(ClientError):
    """The node failed to answer; its log has `request_id`."""


_BY_CODE: dict[grpc.StatusCode, type[ClientError]] = {
    grpc.StatusCode.INVALID_ARGUMENT: Invalid,
    grpc.StatusCode.OUT_OF_RANGE: Invalid,
    grpc.StatusCode.PERMISSION_DENIED: Denied,
    grpc.StatusCode.UNAUTHENTICATED: Denied,
    grpc.StatusCode.UNIMPLEMENTED: NotOffered,
    grpc.StatusCode.NOT_FOUND: NoSuchThing,
    grpc.StatusCode.FAILED_PRECONDITION: Conflict,
    grpc.StatusCode.ALREADY_EXISTS: Conflict,
    grpc.StatusCode.ABORTED: Conflict,
    **dict.fromkeys(_UNAVAILABLE, Unavailable),
}


def read_error(error: grpc.RpcError) -> ClientError:
    """What a failed call means to its caller."""
    code, text = error.code(), error.details() or "no answer"
    made = _BY_CODE.get(code, Failure)(text)
    status = rpc_status.from_call(error)
    for detail in status.details if status is not None else ():
        info = error_details_pb2.ErrorInfo()
        request = error_details_pb2.RequestInfo()
        bad = error_details_pb2.BadRequest()
        retry = error_details_pb2.RetryInfo()
        if detail.Unpack(info):
            made.reason = info.reason
        elif detail.Unpack(request):
            made.request_id = request.request_id
        elif isinstance(made, Invalid) and detail.Unpack(bad) and bad.field_violations:
            made.field = bad.field_violations[0].field
        elif isinstance(made, Unavailable) and detail.Unpack(retry):
            made.retry_after = retry.retry_delay.ToMilliseconds() / 1000
    return made
