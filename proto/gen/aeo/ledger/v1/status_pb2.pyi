from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Event(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    EVENT_UNSPECIFIED: _ClassVar[Event]
    EVENT_GRANT: _ClassVar[Event]
    EVENT_AMEND: _ClassVar[Event]
    EVENT_SUSPEND: _ClassVar[Event]
    EVENT_REINSTATE: _ClassVar[Event]
    EVENT_REVOKE: _ClassVar[Event]
    EVENT_WITHDRAW: _ClassVar[Event]
    EVENT_END_SHARING: _ClassVar[Event]
    EVENT_SHARE_AGAIN: _ClassVar[Event]
    EVENT_ANNUL: _ClassVar[Event]
    EVENT_REVERSE: _ClassVar[Event]
    EVENT_CORRECT: _ClassVar[Event]

class Status(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    STATUS_UNSPECIFIED: _ClassVar[Status]
    STATUS_CERTIFIED: _ClassVar[Status]
    STATUS_SUSPENDED: _ClassVar[Status]
    STATUS_REVOKED: _ClassVar[Status]
    STATUS_WITHDRAWN: _ClassVar[Status]
    STATUS_ANNULLED: _ClassVar[Status]
    STATUS_NOT_SHARED: _ClassVar[Status]

class OperatorClass(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OPERATOR_CLASS_UNSPECIFIED: _ClassVar[OperatorClass]
    OPERATOR_CLASS_MICRO: _ClassVar[OperatorClass]
    OPERATOR_CLASS_SMALL: _ClassVar[OperatorClass]
    OPERATOR_CLASS_MEDIUM: _ClassVar[OperatorClass]
    OPERATOR_CLASS_LARGE: _ClassVar[OperatorClass]

class CriteriaTrack(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CRITERIA_TRACK_UNSPECIFIED: _ClassVar[CriteriaTrack]
    CRITERIA_TRACK_STANDARD: _ClassVar[CriteriaTrack]
    CRITERIA_TRACK_SME: _ClassVar[CriteriaTrack]

class PublicReason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PUBLIC_REASON_UNSPECIFIED: _ClassVar[PublicReason]
    PUBLIC_REASON_AUTHORITY: _ClassVar[PublicReason]
    PUBLIC_REASON_HOLDER_REQUEST: _ClassVar[PublicReason]
    PUBLIC_REASON_RENEWAL_PENDING: _ClassVar[PublicReason]
    PUBLIC_REASON_ADMINISTRATIVE: _ClassVar[PublicReason]
    PUBLIC_REASON_APPEAL: _ClassVar[PublicReason]

class PredecessorKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PREDECESSOR_KIND_UNSPECIFIED: _ClassVar[PredecessorKind]
    PREDECESSOR_KIND_RENUMBERED: _ClassVar[PredecessorKind]
    PREDECESSOR_KIND_SUCCEEDED: _ClassVar[PredecessorKind]
EVENT_UNSPECIFIED: Event
EVENT_GRANT: Event
EVENT_AMEND: Event
EVENT_SUSPEND: Event
EVENT_REINSTATE: Event
EVENT_REVOKE: Event
EVENT_WITHDRAW: Event
EVENT_END_SHARING: Event
EVENT_SHARE_AGAIN: Event
EVENT_ANNUL: Event
EVENT_REVERSE: Event
EVENT_CORRECT: Event
STATUS_UNSPECIFIED: Status
STATUS_CERTIFIED: Status
STATUS_SUSPENDED: Status
STATUS_REVOKED: Status
STATUS_WITHDRAWN: Status
STATUS_ANNULLED: Status
STATUS_NOT_SHARED: Status
OPERATOR_CLASS_UNSPECIFIED: OperatorClass
OPERATOR_CLASS_MICRO: OperatorClass
OPERATOR_CLASS_SMALL: OperatorClass
OPERATOR_CLASS_MEDIUM: OperatorClass
OPERATOR_CLASS_LARGE: OperatorClass
CRITERIA_TRACK_UNSPECIFIED: CriteriaTrack
CRITERIA_TRACK_STANDARD: CriteriaTrack
CRITERIA_TRACK_SME: CriteriaTrack
PUBLIC_REASON_UNSPECIFIED: PublicReason
PUBLIC_REASON_AUTHORITY: PublicReason
PUBLIC_REASON_HOLDER_REQUEST: PublicReason
PUBLIC_REASON_RENEWAL_PENDING: PublicReason
PUBLIC_REASON_ADMINISTRATIVE: PublicReason
PUBLIC_REASON_APPEAL: PublicReason
PREDECESSOR_KIND_UNSPECIFIED: PredecessorKind
PREDECESSOR_KIND_RENUMBERED: PredecessorKind
PREDECESSOR_KIND_SUCCEEDED: PredecessorKind

class StatusRecord(_message.Message):
    __slots__ = ("subject", "certificate", "valid_from", "valid_to", "effective_from", "effective_to", "terms", "profile_commitment", "predecessor", "corrects", "reapply_after")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TO_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    PROFILE_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    PREDECESSOR_FIELD_NUMBER: _ClassVar[int]
    CORRECTS_FIELD_NUMBER: _ClassVar[int]
    REAPPLY_AFTER_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    certificate: bytes
    valid_from: int
    valid_to: int
    effective_from: int
    effective_to: int
    terms: StatusTerms
    profile_commitment: bytes
    predecessor: Predecessor
    corrects: RecordPlace
    reapply_after: int
    def __init__(self, subject: _Optional[bytes] = ..., certificate: _Optional[bytes] = ..., valid_from: _Optional[int] = ..., valid_to: _Optional[int] = ..., effective_from: _Optional[int] = ..., effective_to: _Optional[int] = ..., terms: _Optional[_Union[StatusTerms, _Mapping]] = ..., profile_commitment: _Optional[bytes] = ..., predecessor: _Optional[_Union[Predecessor, _Mapping]] = ..., corrects: _Optional[_Union[RecordPlace, _Mapping]] = ..., reapply_after: _Optional[int] = ...) -> None: ...

class StatusTerms(_message.Message):
    __slots__ = ("event", "status", "roles", "level", "scope", "operator_class", "e_commerce", "criteria_track", "lapses", "reason", "migrated")
    EVENT_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_CLASS_FIELD_NUMBER: _ClassVar[int]
    E_COMMERCE_FIELD_NUMBER: _ClassVar[int]
    CRITERIA_TRACK_FIELD_NUMBER: _ClassVar[int]
    LAPSES_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    MIGRATED_FIELD_NUMBER: _ClassVar[int]
    event: Event
    status: Status
    roles: _containers.RepeatedCompositeFieldContainer[CertifiedRole]
    level: str
    scope: SuspensionScope
    operator_class: OperatorClass
    e_commerce: bool
    criteria_track: CriteriaTrack
    lapses: bool
    reason: PublicReason
    migrated: bool
    def __init__(self, event: _Optional[_Union[Event, str]] = ..., status: _Optional[_Union[Status, str]] = ..., roles: _Optional[_Iterable[_Union[CertifiedRole, _Mapping]]] = ..., level: _Optional[str] = ..., scope: _Optional[_Union[SuspensionScope, _Mapping]] = ..., operator_class: _Optional[_Union[OperatorClass, str]] = ..., e_commerce: _Optional[bool] = ..., criteria_track: _Optional[_Union[CriteriaTrack, str]] = ..., lapses: _Optional[bool] = ..., reason: _Optional[_Union[PublicReason, str]] = ..., migrated: _Optional[bool] = ...) -> None: ...

class CertifiedRole(_message.Message):
    __slots__ = ("code", "mode")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MODE_FIELD_NUMBER: _ClassVar[int]
    code: str
    mode: int
    def __init__(self, code: _Optional[str] = ..., mode: _Optional[int] = ...) -> None: ...

class SuspensionScope(_message.Message):
    __slots__ = ("levels", "roles")
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    ROLES_FIELD_NUMBER: _ClassVar[int]
    levels: _containers.RepeatedScalarFieldContainer[str]
    roles: _containers.RepeatedCompositeFieldContainer[CertifiedRole]
    def __init__(self, levels: _Optional[_Iterable[str]] = ..., roles: _Optional[_Iterable[_Union[CertifiedRole, _Mapping]]] = ...) -> None: ...

class Predecessor(_message.Message):
    __slots__ = ("subject", "kind")
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    subject: bytes
    kind: PredecessorKind
    def __init__(self, subject: _Optional[bytes] = ..., kind: _Optional[_Union[PredecessorKind, str]] = ...) -> None: ...

class RecordPlace(_message.Message):
    __slots__ = ("log_index", "position")
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    log_index: int
    position: int
    def __init__(self, log_index: _Optional[int] = ..., position: _Optional[int] = ...) -> None: ...

class AliasRecord(_message.Message):
    __slots__ = ("alias", "subject", "valid_from", "valid_to")
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    alias: bytes
    subject: bytes
    valid_from: int
    valid_to: int
    def __init__(self, alias: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., valid_from: _Optional[int] = ..., valid_to: _Optional[int] = ...) -> None: ...
