from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class RecordConsentsRequest(_message.Message):
    __slots__ = ("steps", "economy")
    STEPS_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    steps: _containers.RepeatedCompositeFieldContainer[ConsentStep]
    economy: str
    def __init__(self, steps: _Optional[_Iterable[_Union[ConsentStep, _Mapping]]] = ..., economy: _Optional[str] = ...) -> None: ...

class ConsentStep(_message.Message):
    __slots__ = ("tin", "arrangement_id", "given", "stated_at")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    STATED_AT_FIELD_NUMBER: _ClassVar[int]
    tin: str
    arrangement_id: bytes
    given: bool
    stated_at: int
    def __init__(self, tin: _Optional[str] = ..., arrangement_id: _Optional[bytes] = ..., given: _Optional[bool] = ..., stated_at: _Optional[int] = ...) -> None: ...

class RecordConsentsResponse(_message.Message):
    __slots__ = ("faults", "ended_certificates")
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    ENDED_CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    faults: _containers.RepeatedCompositeFieldContainer[ConsentFault]
    ended_certificates: int
    def __init__(self, faults: _Optional[_Iterable[_Union[ConsentFault, _Mapping]]] = ..., ended_certificates: _Optional[int] = ...) -> None: ...

class ConsentFault(_message.Message):
    __slots__ = ("index", "code", "message")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    index: int
    code: str
    message: str
    def __init__(self, index: _Optional[int] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ListConsentsRequest(_message.Message):
    __slots__ = ("tin", "economy")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    tin: str
    economy: str
    def __init__(self, tin: _Optional[str] = ..., economy: _Optional[str] = ...) -> None: ...

class ListConsentsResponse(_message.Message):
    __slots__ = ("consents",)
    CONSENTS_FIELD_NUMBER: _ClassVar[int]
    consents: _containers.RepeatedCompositeFieldContainer[Consent]
    def __init__(self, consents: _Optional[_Iterable[_Union[Consent, _Mapping]]] = ...) -> None: ...

class Consent(_message.Message):
    __slots__ = ("arrangement_id", "given", "stated_at", "recorded_at", "recorded_by")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    STATED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_BY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    given: bool
    stated_at: int
    recorded_at: int
    recorded_by: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., given: _Optional[bool] = ..., stated_at: _Optional[int] = ..., recorded_at: _Optional[int] = ..., recorded_by: _Optional[str] = ...) -> None: ...
