from aeo.exchange.v1 import approval_service_pb2 as _approval_service_pb2
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
    __slots__ = ("arrangement", "pending", "warnings")
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    pending: _approval_service_pb2.PendingStep
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

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
    __slots__ = ("arrangement", "pending")
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    pending: _approval_service_pb2.PendingStep
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

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
    __slots__ = ("arrangement", "pending")
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    pending: _approval_service_pb2.PendingStep
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

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
    __slots__ = ("arrangement", "pending")
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    pending: _approval_service_pb2.PendingStep
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class ArrangementServiceAmendRequest(_message.Message):
    __slots__ = ("arrangement_id", "text", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    text: _arrangement_pb2.ArrangementText
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., text: _Optional[_Union[_arrangement_pb2.ArrangementText, _Mapping]] = ..., economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceAmendResponse(_message.Message):
    __slots__ = ("arrangement", "pending", "warnings")
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    WARNINGS_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    pending: _approval_service_pb2.PendingStep
    warnings: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ..., warnings: _Optional[_Iterable[str]] = ...) -> None: ...

class ArrangementServiceStartRequest(_message.Message):
    __slots__ = ("arrangement_id", "date", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    DATE_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    date: str
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., date: _Optional[str] = ..., economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceStartResponse(_message.Message):
    __slots__ = ("arrangement", "pending")
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    pending: _approval_service_pb2.PendingStep
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class ArrangementServiceOpenEpochRequest(_message.Message):
    __slots__ = ("arrangement_id", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceOpenEpochResponse(_message.Message):
    __slots__ = ("arrangement", "pending")
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    arrangement: Arrangement
    pending: _approval_service_pb2.PendingStep
    def __init__(self, arrangement: _Optional[_Union[Arrangement, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class ArrangementServiceRepublishRequest(_message.Message):
    __slots__ = ("arrangement_id", "certificates", "complete", "economy", "aliases")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    COMPLETE_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    certificates: _containers.RepeatedCompositeFieldContainer[NamedCertificate]
    complete: bool
    economy: str
    aliases: _containers.RepeatedCompositeFieldContainer[NamedAlias]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., certificates: _Optional[_Iterable[_Union[NamedCertificate, _Mapping]]] = ..., complete: _Optional[bool] = ..., economy: _Optional[str] = ..., aliases: _Optional[_Iterable[_Union[NamedAlias, _Mapping]]] = ...) -> None: ...

class NamedCertificate(_message.Message):
    __slots__ = ("tin", "certificate_number")
    TIN_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    tin: str
    certificate_number: str
    def __init__(self, tin: _Optional[str] = ..., certificate_number: _Optional[str] = ...) -> None: ...

class NamedAlias(_message.Message):
    __slots__ = ("scheme", "value")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    value: str
    def __init__(self, scheme: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class ArrangementServiceRepublishResponse(_message.Message):
    __slots__ = ("certificates", "named", "arrangement", "copied", "aliases", "aliases_copied")
    CERTIFICATES_FIELD_NUMBER: _ClassVar[int]
    NAMED_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    COPIED_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    ALIASES_COPIED_FIELD_NUMBER: _ClassVar[int]
    certificates: int
    named: int
    arrangement: Arrangement
    copied: int
    aliases: int
    aliases_copied: int
    def __init__(self, certificates: _Optional[int] = ..., named: _Optional[int] = ..., arrangement: _Optional[_Union[Arrangement, _Mapping]] = ..., copied: _Optional[int] = ..., aliases: _Optional[int] = ..., aliases_copied: _Optional[int] = ...) -> None: ...

class ArrangementServiceFetchLookupKeyRequest(_message.Message):
    __slots__ = ("arrangement_id", "epoch", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    epoch: int
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., epoch: _Optional[int] = ..., economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceFetchLookupKeyResponse(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    def __init__(self, key: _Optional[bytes] = ...) -> None: ...

class ArrangementServiceSetInstructionsRequest(_message.Message):
    __slots__ = ("instructions", "economy")
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    instructions: _containers.RepeatedCompositeFieldContainer[HandlingInstruction]
    economy: str
    def __init__(self, instructions: _Optional[_Iterable[_Union[HandlingInstruction, _Mapping]]] = ..., economy: _Optional[str] = ...) -> None: ...

class HandlingInstruction(_message.Message):
    __slots__ = ("code", "text")
    CODE_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    code: _arrangement_pb2.BenefitCode
    text: str
    def __init__(self, code: _Optional[_Union[_arrangement_pb2.BenefitCode, str]] = ..., text: _Optional[str] = ...) -> None: ...

class ArrangementServiceSetInstructionsResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ArrangementServiceGetInstructionsRequest(_message.Message):
    __slots__ = ("economy",)
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    economy: str
    def __init__(self, economy: _Optional[str] = ...) -> None: ...

class ArrangementServiceGetInstructionsResponse(_message.Message):
    __slots__ = ("instructions",)
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    instructions: _containers.RepeatedCompositeFieldContainer[HandlingInstruction]
    def __init__(self, instructions: _Optional[_Iterable[_Union[HandlingInstruction, _Mapping]]] = ...) -> None: ...

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
    __slots__ = ("arrangement_id", "text_bytes", "text_hash", "text", "state", "proposer", "signatures", "suspended_by", "ended_from", "amendment_bytes", "amendment_hash", "amendment_signatures", "starts", "epoch", "pending_epoch", "republished")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_BYTES_FIELD_NUMBER: _ClassVar[int]
    TEXT_HASH_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    SUSPENDED_BY_FIELD_NUMBER: _ClassVar[int]
    ENDED_FROM_FIELD_NUMBER: _ClassVar[int]
    AMENDMENT_BYTES_FIELD_NUMBER: _ClassVar[int]
    AMENDMENT_HASH_FIELD_NUMBER: _ClassVar[int]
    AMENDMENT_SIGNATURES_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    PENDING_EPOCH_FIELD_NUMBER: _ClassVar[int]
    REPUBLISHED_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    text_bytes: bytes
    text_hash: bytes
    text: _arrangement_pb2.ArrangementText
    state: ArrangementState
    proposer: str
    signatures: _containers.RepeatedCompositeFieldContainer[PartySignature]
    suspended_by: _containers.RepeatedScalarFieldContainer[str]
    ended_from: int
    amendment_bytes: bytes
    amendment_hash: bytes
    amendment_signatures: _containers.RepeatedCompositeFieldContainer[PartySignature]
    starts: _containers.RepeatedCompositeFieldContainer[PartyStart]
    epoch: int
    pending_epoch: int
    republished: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., text_bytes: _Optional[bytes] = ..., text_hash: _Optional[bytes] = ..., text: _Optional[_Union[_arrangement_pb2.ArrangementText, _Mapping]] = ..., state: _Optional[_Union[ArrangementState, str]] = ..., proposer: _Optional[str] = ..., signatures: _Optional[_Iterable[_Union[PartySignature, _Mapping]]] = ..., suspended_by: _Optional[_Iterable[str]] = ..., ended_from: _Optional[int] = ..., amendment_bytes: _Optional[bytes] = ..., amendment_hash: _Optional[bytes] = ..., amendment_signatures: _Optional[_Iterable[_Union[PartySignature, _Mapping]]] = ..., starts: _Optional[_Iterable[_Union[PartyStart, _Mapping]]] = ..., epoch: _Optional[int] = ..., pending_epoch: _Optional[int] = ..., republished: _Optional[_Iterable[str]] = ...) -> None: ...

class PartyStart(_message.Message):
    __slots__ = ("economy", "starts")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    economy: str
    starts: _containers.RepeatedCompositeFieldContainer[_arrangement_pb2.StartFor]
    def __init__(self, economy: _Optional[str] = ..., starts: _Optional[_Iterable[_Union[_arrangement_pb2.StartFor, _Mapping]]] = ...) -> None: ...

class PartySignature(_message.Message):
    __slots__ = ("economy", "time", "height")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    economy: str
    time: int
    height: int
    def __init__(self, economy: _Optional[str] = ..., time: _Optional[int] = ..., height: _Optional[int] = ...) -> None: ...
