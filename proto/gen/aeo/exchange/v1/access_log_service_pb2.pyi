from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ListAccessRequest(_message.Message):
    __slots__ = ("economy", "from_number", "page_size", "tin")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    FROM_NUMBER_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    TIN_FIELD_NUMBER: _ClassVar[int]
    economy: str
    from_number: int
    page_size: int
    tin: str
    def __init__(self, economy: _Optional[str] = ..., from_number: _Optional[int] = ..., page_size: _Optional[int] = ..., tin: _Optional[str] = ...) -> None: ...

class ListAccessResponse(_message.Message):
    __slots__ = ("entries", "next_number")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    NEXT_NUMBER_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AccessEntry]
    next_number: int
    def __init__(self, entries: _Optional[_Iterable[_Union[AccessEntry, _Mapping]]] = ..., next_number: _Optional[int] = ...) -> None: ...

class LoggedAccess(_message.Message):
    __slots__ = ("time", "caller_economy", "access_role", "name", "method", "purpose", "height", "items", "step_id", "step_event", "lost")
    TIME_FIELD_NUMBER: _ClassVar[int]
    CALLER_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    ACCESS_ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_EVENT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    time: int
    caller_economy: str
    access_role: str
    name: str
    method: str
    purpose: str
    height: int
    items: bytes
    step_id: str
    step_event: str
    lost: int
    def __init__(self, time: _Optional[int] = ..., caller_economy: _Optional[str] = ..., access_role: _Optional[str] = ..., name: _Optional[str] = ..., method: _Optional[str] = ..., purpose: _Optional[str] = ..., height: _Optional[int] = ..., items: _Optional[bytes] = ..., step_id: _Optional[str] = ..., step_event: _Optional[str] = ..., lost: _Optional[int] = ...) -> None: ...

class AccessEntry(_message.Message):
    __slots__ = ("number", "entry", "hash", "time", "caller_economy", "access_role", "name", "method", "purpose", "height", "items", "step_id", "step_event", "lost")
    NUMBER_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    HASH_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CALLER_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    ACCESS_ROLE_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    METHOD_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ITEMS_FIELD_NUMBER: _ClassVar[int]
    STEP_ID_FIELD_NUMBER: _ClassVar[int]
    STEP_EVENT_FIELD_NUMBER: _ClassVar[int]
    LOST_FIELD_NUMBER: _ClassVar[int]
    number: int
    entry: bytes
    hash: bytes
    time: int
    caller_economy: str
    access_role: str
    name: str
    method: str
    purpose: str
    height: int
    items: _containers.RepeatedCompositeFieldContainer[AccessItem]
    step_id: str
    step_event: str
    lost: int
    def __init__(self, number: _Optional[int] = ..., entry: _Optional[bytes] = ..., hash: _Optional[bytes] = ..., time: _Optional[int] = ..., caller_economy: _Optional[str] = ..., access_role: _Optional[str] = ..., name: _Optional[str] = ..., method: _Optional[str] = ..., purpose: _Optional[str] = ..., height: _Optional[int] = ..., items: _Optional[_Iterable[_Union[AccessItem, _Mapping]]] = ..., step_id: _Optional[str] = ..., step_event: _Optional[str] = ..., lost: _Optional[int] = ...) -> None: ...

class AccessItem(_message.Message):
    __slots__ = ("subject", "outcome", "reason")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    outcome: int
    reason: int
    def __init__(self, subject: _Optional[bytes] = ..., outcome: _Optional[int] = ..., reason: _Optional[int] = ...) -> None: ...
