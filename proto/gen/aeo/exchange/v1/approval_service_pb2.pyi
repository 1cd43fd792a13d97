from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PendingStep(_message.Message):
    __slots__ = ("step_id", "economy", "method", "summary", "prepared_by", "prepared_at", "expires_at", "request")
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    PREPARED_BY_FIELD_NUMBER: _ClassVar[int]
    PREPARED_AT_FIELD_NUMBER: _ClassVar[int]
    EXPIRES_AT_FIELD_NUMBER: _ClassVar[int]
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    step_id: str
    economy: str
    method: str
    summary: str
    prepared_by: str
    prepared_at: int
    expires_at: int
    request: bytes
    def __init__(self, step_id: _Optional[str] = ..., economy: _Optional[str] = ..., method: _Optional[str] = ..., summary: _Optional[str] = ..., prepared_by: _Optional[str] = ..., prepared_at: _Optional[int] = ..., expires_at: _Optional[int] = ..., request: _Optional[bytes] = ...) -> None: ...

class ListPendingRequest(_message.Message):
    __slots__ = ("economy", "step_id")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    economy: str
    step_id: str
    def __init__(self, economy: _Optional[str] = ..., step_id: _Optional[str] = ...) -> None: ...

class ListPendingResponse(_message.Message):
    __slots__ = ("steps",)
    STEPS_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[PendingStep]
    def __init__(self, steps: _Optional[_Iterable[_Union[PendingStep, _Mapping]]] = ...) -> None: ...

class ApproveRequest(_message.Message):
    __slots__ = ("step_id", "economy")
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    step_id: str
    economy: str
    def __init__(self, step_id: _Optional[str] = ..., economy: _Optional[str] = ...) -> None: ...

class ApproveResponse(_message.Message):
    __slots__ = ("step", "response")
    STEP_FIELD_NUMBER: _ClassVar[int]
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    step: PendingStep
    response: bytes
    def __init__(self, step: _Optional[_Union[PendingStep, _Mapping]] = ..., response: _Optional[bytes] = ...) -> None: ...

class RejectRequest(_message.Message):
    __slots__ = ("step_id", "economy", "reason")
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    step_id: str
    economy: str
    reason: str
    def __init__(self, step_id: _Optional[str] = ..., economy: _Optional[str] = ..., reason: _Optional[str] = ...) -> None: ...

class RejectResponse(_message.Message):
    __slots__ = ("step",)
    STEP_FIELD_NUMBER: _ClassVar[int]
    step: PendingStep
    def __init__(self, step: _Optional[_Union[PendingStep, _Mapping]] = ...) -> None: ...
