from aeo.exchange.v1 import approval_service_pb2 as _approval_service_pb2
from aeo.ledger.v1 import profile_pb2 as _profile_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ProfileServicePutRequest(_message.Message):
    __slots__ = ("profiles", "economy", "from_register")
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    FROM_REGISTER_FIELD_NUMBER: _ClassVar[int]
    profiles: _containers.RepeatedCompositeFieldContainer[_profile_pb2.Profile]
    economy: str
    from_register: bool
    def __init__(self, profiles: _Optional[_Iterable[_Union[_profile_pb2.Profile, _Mapping]]] = ..., economy: _Optional[str] = ..., from_register: _Optional[bool] = ...) -> None: ...

class ProfileServicePutResponse(_message.Message):
    __slots__ = ("faults",)
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    faults: _containers.RepeatedCompositeFieldContainer[ProfileFault]
    def __init__(self, faults: _Optional[_Iterable[_Union[ProfileFault, _Mapping]]] = ...) -> None: ...

class ProfileFault(_message.Message):
    __slots__ = ("index", "code", "message")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    index: int
    code: str
    message: str
    def __init__(self, index: _Optional[int] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class ProfileServiceGetRequest(_message.Message):
    __slots__ = ("tin", "economy", "purpose")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    tin: str
    economy: str
    purpose: str
    def __init__(self, tin: _Optional[str] = ..., economy: _Optional[str] = ..., purpose: _Optional[str] = ...) -> None: ...

class ProfileServiceGetResponse(_message.Message):
    __slots__ = ("profile", "commitments")
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    profile: _profile_pb2.Profile
    commitments: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, profile: _Optional[_Union[_profile_pb2.Profile, _Mapping]] = ..., commitments: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ProfileServiceFetchRequest(_message.Message):
    __slots__ = ("arrangement_id", "economy", "commitments")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    economy: str
    commitments: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., economy: _Optional[str] = ..., commitments: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ProfileServiceFetchResponse(_message.Message):
    __slots__ = ("profiles",)
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    profiles: _containers.RepeatedCompositeFieldContainer[OpenedProfile]
    def __init__(self, profiles: _Optional[_Iterable[_Union[OpenedProfile, _Mapping]]] = ...) -> None: ...

class OpenedProfile(_message.Message):
    __slots__ = ("commitment", "nonce", "profile")
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    PROFILE_FIELD_NUMBER: _ClassVar[int]
    commitment: bytes
    nonce: bytes
    profile: bytes
    def __init__(self, commitment: _Optional[bytes] = ..., nonce: _Optional[bytes] = ..., profile: _Optional[bytes] = ...) -> None: ...

class ProfileServiceEraseRequest(_message.Message):
    __slots__ = ("tin", "arrangement_ids", "economy")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    tin: str
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    economy: str
    def __init__(self, tin: _Optional[str] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ..., economy: _Optional[str] = ...) -> None: ...

class ProfileServiceEraseResponse(_message.Message):
    __slots__ = ("erasure_id", "pending")
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    erasure_id: str
    pending: _approval_service_pb2.PendingStep
    def __init__(self, erasure_id: _Optional[str] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class NoticeErasureRequest(_message.Message):
    __slots__ = ("arrangement_id", "economy", "commitments")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    economy: str
    commitments: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., economy: _Optional[str] = ..., commitments: _Optional[_Iterable[bytes]] = ...) -> None: ...

class NoticeErasureResponse(_message.Message):
    __slots__ = ("commitments", "erased_at")
    COMMITMENTS_FIELD_NUMBER: _ClassVar[int]
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    commitments: _containers.RepeatedScalarFieldContainer[bytes]
    erased_at: int
    def __init__(self, commitments: _Optional[_Iterable[bytes]] = ..., erased_at: _Optional[int] = ...) -> None: ...

class ListErasuresRequest(_message.Message):
    __slots__ = ("economy",)
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    economy: str
    def __init__(self, economy: _Optional[str] = ...) -> None: ...

class ListErasuresResponse(_message.Message):
    __slots__ = ("erasures",)
    ERASURES_FIELD_NUMBER: _ClassVar[int]
    erasures: _containers.RepeatedCompositeFieldContainer[Erasure]
    def __init__(self, erasures: _Optional[_Iterable[_Union[Erasure, _Mapping]]] = ...) -> None: ...

class Erasure(_message.Message):
    __slots__ = ("erasure_id", "erased_at", "notices")
    ERASURE_ID_FIELD_NUMBER: _ClassVar[int]
    ERASED_AT_FIELD_NUMBER: _ClassVar[int]
    NOTICES_FIELD_NUMBER: _ClassVar[int]
    erasure_id: str
    erased_at: int
    notices: _containers.RepeatedCompositeFieldContainer[ErasureNotice]
    def __init__(self, erasure_id: _Optional[str] = ..., erased_at: _Optional[int] = ..., notices: _Optional[_Iterable[_Union[ErasureNotice, _Mapping]]] = ...) -> None: ...

class ErasureNotice(_message.Message):
    __slots__ = ("partner", "arrangement_id", "acknowledged_at")
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_AT_FIELD_NUMBER: _ClassVar[int]
    partner: str
    arrangement_id: bytes
    acknowledged_at: int
    def __init__(self, partner: _Optional[str] = ..., arrangement_id: _Optional[bytes] = ..., acknowledged_at: _Optional[int] = ...) -> None: ...
