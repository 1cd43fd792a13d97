from aeo.ledger.v1 import arrangement_pb2 as _arrangement_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ArrangementState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARRANGEMENT_STATE_UNSPECIFIED: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_NEGOTIATING: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_SIGNED: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_IN_OPERATION: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_SUSPENDED: _ClassVar[ArrangementState]
    ARRANGEMENT_STATE_ENDED: _ClassVar[ArrangementState]
ARRANGEMENT_STATE_UNSPECIFIED: ArrangementState
ARRANGEMENT_STATE_NEGOTIATING: ArrangementState
ARRANGEMENT_STATE_SIGNED: ArrangementState
ARRANGEMENT_STATE_IN_OPERATION: ArrangementState
ARRANGEMENT_STATE_SUSPENDED: ArrangementState
ARRANGEMENT_STATE_ENDED: ArrangementState

class ArrangementServiceProposeRequest(_message.Message):
    __slots__ = ("text", "economy", "idempotency_key")
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    text: _arrangement_pb2.ArrangementText
    economy: str
    idempotency_key: str
    def __init__(self, text: _Optional[_Union[_arrangement_pb2.ArrangementText, _Mapping]] = ..., economy: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class ArrangementServiceProposeResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class ArrangementServiceSignRequest(_message.Message):
    __slots__ = ("arrangement_id", "text_hash", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_HASH_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    text_hash: bytes
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., text_hash: _Optional[bytes] = ..., economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceSignResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class ArrangementServiceSuspendRequest(_message.Message):
    __slots__ = ("arrangement_id", "effective_from", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    effective_from: int
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., effective_from: _Optional[int] = ..., economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceSuspendResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class ArrangementServiceResumeRequest(_message.Message):
    __slots__ = ("arrangement_id", "effective_from", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    effective_from: int
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., effective_from: _Optional[int] = ..., economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceResumeResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class ArrangementServiceEndRequest(_message.Message):
    __slots__ = ("arrangement_id", "effective_from", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    effective_from: int
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., effective_from: _Optional[int] = ..., economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceEndResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class ArrangementServiceGetRequest(_message.Message):
    __slots__ = ("arrangement_id",)
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    def __init__(self, arrangement_id: _Optional[bytes] = ...) -> None: ...

class ArrangementServiceGetResponse(_message.Message):
    __slots__ = ("arrangement",)
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ...) -> None: ...

class ArrangementServiceListRequest(_message.Message):
    __slots__ = ("party",)
    PARTY_FIELD_NUMBER: _ClassVar[int]
    party: str
    def __init__(self, party: _Optional[str] = ...) -> None: ...

class ArrangementServiceListResponse(_message.Message):
    __slots__ = ("arrangements",)
    ARRANGEMENTS_FIELD_NUMBER: _ClassVar[int]
    arrangements: _containers.RepeatedCompositeFieldContainer[Arrangement]
    def __init__(self, arrangements: _Optional[_Iterable[_Union[Arrangement, _Mapping]]] = ...) -> None: ...

class Arrangement(_message.Message):
    __slots__ = ("arrangement_id", "text_bytes", "text_hash", "text", "state", "proposer", "signatures", "suspended_by", "ended_from")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_BYTES_FIELD_NUMBER: _ClassVar[int]
    TEXT_HASH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_BY_FIELD_NUMBER: _ClassVar[int]
    ENDED_FROM_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    text_bytes: bytes
    text_hash: bytes
    text: _arrangement_pb2.ArrangementText
    state: ArrangementState
    proposer: str
    signatures: _containers.RepeatedCompositeFieldContainer[PartySignature]
    suspended_by: _containers.RepeatedScalarFieldContainer[str]
    ended_from: int
    def __init__(self, arrangement_id: _Optional[bytes] = ..., text_bytes: _Optional[bytes] = ..., text_hash: _Optional[bytes] = ..., text: _Optional[_Union[_arrangement_pb2.ArrangementText, _Mapping]] = ..., state: _Optional[_Union[ArrangementState, str]] = ..., proposer: _Optional[str] = ..., signatures: _Optional[_Iterable[_Union[PartySignature, _Mapping]]] = ..., suspended_by: _Optional[_Iterable[str]] = ..., ended_from: _Optional[int] = ...) -> None: ...

class PartySignature(_message.Message):
    __slots__ = ("economy", "time", "height")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    economy: str
    time: int
    height: int
    def __init__(self, economy: _Optional[str] = ..., time: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...
