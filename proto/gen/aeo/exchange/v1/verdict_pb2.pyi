from aeo.ledger.v1 import arrangement_pb2 as _arrangement_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Outcome(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    OUTCOME_UNSPECIFIED: _ClassVar[Outcome]
    OUTCOME_RECOGNISED: _ClassVar[Outcome]
    OUTCOME_INFORMATION_ONLY: _ClassVar[Outcome]
    OUTCOME_NOT_RECOGNISED: _ClassVar[Outcome]
    OUTCOME_UNDETERMINED: _ClassVar[Outcome]

class Reason(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REASON_UNSPECIFIED: _ClassVar[Reason]
    REASON_NONE: _ClassVar[Reason]
    REASON_TIN_MALFORMED: _ClassVar[Reason]
    REASON_ALIAS_UNKNOWN: _ClassVar[Reason]
    REASON_ALIAS_AMBIGUOUS: _ClassVar[Reason]
    REASON_KNOWN_AT_BEFORE_GENESIS: _ClassVar[Reason]
    REASON_ISSUER_UNKNOWN: _ClassVar[Reason]
    REASON_NO_ARRANGEMENT: _ClassVar[Reason]
    REASON_ARRANGEMENT_NOT_YET: _ClassVar[Reason]
    REASON_ARRANGEMENT_SUSPENDED: _ClassVar[Reason]
    REASON_ARRANGEMENT_ENDED: _ClassVar[Reason]
    REASON_DIRECTION_NOT_COVERED: _ClassVar[Reason]
    REASON_MODE_NOT_COVERED: _ClassVar[Reason]
    REASON_FUNCTION_NOT_COVERED: _ClassVar[Reason]
    REASON_NO_RECORD: _ClassVar[Reason]
    REASON_ROLE_NOT_COVERED: _ClassVar[Reason]
    REASON_NOT_YET_VALID: _ClassVar[Reason]
    REASON_ANNULLED: _ClassVar[Reason]
    REASON_REVOKED: _ClassVar[Reason]
    REASON_WITHDRAWN: _ClassVar[Reason]
    REASON_NOT_SHARED: _ClassVar[Reason]
    REASON_EXPIRED: _ClassVar[Reason]
    REASON_SUSPENDED: _ClassVar[Reason]
    REASON_LEVEL_NOT_COVERED: _ClassVar[Reason]
    REASON_DISPATCH_NOT_COVERED: _ClassVar[Reason]
    REASON_PARTY_MISMATCH: _ClassVar[Reason]
    REASON_LEDGER_STALE: _ClassVar[Reason]
    REASON_ISSUER_STALE: _ClassVar[Reason]
    REASON_NO_RECOGNITION: _ClassVar[Reason]

class Basis(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BASIS_UNSPECIFIED: _ClassVar[Basis]
    BASIS_ARRANGEMENT: _ClassVar[Basis]
    BASIS_HOME: _ClassVar[Basis]

class HeldStatus(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    HELD_STATUS_UNSPECIFIED: _ClassVar[HeldStatus]
    HELD_STATUS_CERTIFIED: _ClassVar[HeldStatus]
    HELD_STATUS_SUSPENDED: _ClassVar[HeldStatus]
    HELD_STATUS_REVOKED: _ClassVar[HeldStatus]
    HELD_STATUS_WITHDRAWN: _ClassVar[HeldStatus]
    HELD_STATUS_ANNULLED: _ClassVar[HeldStatus]
    HELD_STATUS_NOT_SHARED: _ClassVar[HeldStatus]
    HELD_STATUS_EXPIRED: _ClassVar[HeldStatus]
    HELD_STATUS_NOT_YET_VALID: _ClassVar[HeldStatus]

class NameMatch(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    NAME_MATCH_UNSPECIFIED: _ClassVar[NameMatch]
    NAME_MATCH_NOT_CHECKED: _ClassVar[NameMatch]
    NAME_MATCH_EXACT: _ClassVar[NameMatch]
    NAME_MATCH_CLOSE: _ClassVar[NameMatch]
    NAME_MATCH_DIFFERENT: _ClassVar[NameMatch]
    NAME_MATCH_NOT_COMPARABLE: _ClassVar[NameMatch]

class TinChange(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIN_CHANGE_UNSPECIFIED: _ClassVar[TinChange]
    TIN_CHANGE_TRIMMED: _ClassVar[TinChange]
    TIN_CHANGE_UPPER_CASED: _ClassVar[TinChange]
    TIN_CHANGE_SEPARATORS_DROPPED: _ClassVar[TinChange]
    TIN_CHANGE_AEO_DROPPED: _ClassVar[TinChange]

class TinWarning(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TIN_WARNING_UNSPECIFIED: _ClassVar[TinWarning]
    TIN_WARNING_CHECK_DIGIT: _ClassVar[TinWarning]
OUTCOME_UNSPECIFIED: Outcome
OUTCOME_RECOGNISED: Outcome
OUTCOME_INFORMATION_ONLY: Outcome
OUTCOME_NOT_RECOGNISED: Outcome
OUTCOME_UNDETERMINED: Outcome
REASON_UNSPECIFIED: Reason
REASON_NONE: Reason
REASON_TIN_MALFORMED: Reason
REASON_ALIAS_UNKNOWN: Reason
REASON_ALIAS_AMBIGUOUS: Reason
REASON_KNOWN_AT_BEFORE_GENESIS: Reason
REASON_ISSUER_UNKNOWN: Reason
REASON_NO_ARRANGEMENT: Reason
REASON_ARRANGEMENT_NOT_YET: Reason
REASON_ARRANGEMENT_SUSPENDED: Reason
REASON_ARRANGEMENT_ENDED: Reason
REASON_DIRECTION_NOT_COVERED: Reason
REASON_MODE_NOT_COVERED: Reason
REASON_FUNCTION_NOT_COVERED: Reason
REASON_NO_RECORD: Reason
REASON_ROLE_NOT_COVERED: Reason
REASON_NOT_YET_VALID: Reason
REASON_ANNULLED: Reason
REASON_REVOKED: Reason
REASON_WITHDRAWN: Reason
REASON_NOT_SHARED: Reason
REASON_EXPIRED: Reason
REASON_SUSPENDED: Reason
REASON_LEVEL_NOT_COVERED: Reason
REASON_DISPATCH_NOT_COVERED: Reason
REASON_PARTY_MISMATCH: Reason
REASON_LEDGER_STALE: Reason
REASON_ISSUER_STALE: Reason
REASON_NO_RECOGNITION: Reason
BASIS_UNSPECIFIED: Basis
BASIS_ARRANGEMENT: Basis
BASIS_HOME: Basis
HELD_STATUS_UNSPECIFIED: HeldStatus
HELD_STATUS_CERTIFIED: HeldStatus
HELD_STATUS_SUSPENDED: HeldStatus
HELD_STATUS_REVOKED: HeldStatus
HELD_STATUS_WITHDRAWN: HeldStatus
HELD_STATUS_ANNULLED: HeldStatus
HELD_STATUS_NOT_SHARED: HeldStatus
HELD_STATUS_EXPIRED: HeldStatus
HELD_STATUS_NOT_YET_VALID: HeldStatus
NAME_MATCH_UNSPECIFIED: NameMatch
NAME_MATCH_NOT_CHECKED: NameMatch
NAME_MATCH_EXACT: NameMatch
NAME_MATCH_CLOSE: NameMatch
NAME_MATCH_DIFFERENT: NameMatch
NAME_MATCH_NOT_COMPARABLE: NameMatch
TIN_CHANGE_UNSPECIFIED: TinChange
TIN_CHANGE_TRIMMED: TinChange
TIN_CHANGE_UPPER_CASED: TinChange
TIN_CHANGE_SEPARATORS_DROPPED: TinChange
TIN_CHANGE_AEO_DROPPED: TinChange
TIN_WARNING_UNSPECIFIED: TinWarning
TIN_WARNING_CHECK_DIGIT: TinWarning

class Verdict(_message.Message):
    __slots__ = ("outcome", "reason", "basis", "arrangement_id", "status", "level", "valid_from", "valid_to", "benefits", "informed", "arrangements", "name_match", "profile_commitment", "pilot", "rules_version", "holds_from", "holds_to", "followed_subject", "height", "header_hash", "issuer_seen", "attested_time", "cache_until", "issuing_economy", "recognising_economy", "as_of", "known_at", "tin", "tin_changes", "tin_warnings")
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    BASIS_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    BENEFITS_FIELD_NUMBER: _ClassVar[int]
    INFORMED_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENTS_FIELD_NUMBER: _ClassVar[int]
    NAME_MATCH_FIELD_NUMBER: _ClassVar[int]
    PROFILE_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    PILOT_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    HOLDS_FROM_FIELD_NUMBER: _ClassVar[int]
    HOLDS_TO_FIELD_NUMBER: _ClassVar[int]
    FOLLOWED_SUBJECT_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEADER_HASH_FIELD_NUMBER: _ClassVar[int]
    ISSUER_SEEN_FIELD_NUMBER: _ClassVar[int]
    ATTESTED_TIME_FIELD_NUMBER: _ClassVar[int]
    CACHE_UNTIL_FIELD_NUMBER: _ClassVar[int]
    ISSUING_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    RECOGNISING_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    KNOWN_AT_FIELD_NUMBER: _ClassVar[int]
    TIN_FIELD_NUMBER: _ClassVar[int]
    TIN_CHANGES_FIELD_NUMBER: _ClassVar[int]
    TIN_WARNINGS_FIELD_NUMBER: _ClassVar[int]
    outcome: Outcome
    reason: Reason
    basis: Basis
    arrangement_id: bytes
    status: HeldStatus
    level: str
    valid_from: int
    valid_to: int
    benefits: _containers.RepeatedCompositeFieldContainer[GrantedBenefit]
    informed: bool
    arrangements: _containers.RepeatedCompositeFieldContainer[ArrangementOutcome]
    name_match: NameMatch
    profile_commitment: bytes
    pilot: bool
    rules_version: int
    holds_from: int
    holds_to: int
    followed_subject: bytes
    height: int
    header_hash: bytes
    issuer_seen: int
    attested_time: int
    cache_until: int
    issuing_economy: str
    recognising_economy: str
    as_of: int
    known_at: int
    tin: str
    tin_changes: _containers.RepeatedScalarFieldContainer[TinChange]
    tin_warnings: _containers.RepeatedScalarFieldContainer[TinWarning]
    def __init__(self, outcome: _Optional[_Union[Outcome, str]] = ..., reason: _Optional[_Union[Reason, str]] = ..., basis: _Optional[_Union[Basis, str]] = ..., arrangement_id: _Optional[bytes] = ..., status: _Optional[_Union[HeldStatus, str]] = ..., level: _Optional[str] = ..., valid_from: _Optional[int] = ..., valid_to: _Optional[int] = ..., benefits: _Optional[_Iterable[_Union[GrantedBenefit, _Mapping]]] = ..., informed: _Optional[bool] = ..., arrangements: _Optional[_Iterable[_Union[ArrangementOutcome, _Mapping]]] = ..., name_match: _Optional[_Union[NameMatch, str]] = ..., profile_commitment: _Optional[bytes] = ..., pilot: _Optional[bool] = ..., rules_version: _Optional[int] = ..., holds_from: _Optional[int] = ..., holds_to: _Optional[int] = ..., followed_subject: _Optional[bytes] = ..., height: _Optional[int] = ..., header_hash: _Optional[bytes] = ..., issuer_seen: _Optional[int] = ..., attested_time: _Optional[int] = ..., cache_until: _Optional[int] = ..., issuing_economy: _Optional[str] = ..., recognising_economy: _Optional[str] = ..., as_of: _Optional[int] = ..., known_at: _Optional[int] = ..., tin: _Optional[str] = ..., tin_changes: _Optional[_Iterable[_Union[TinChange, str]]] = ..., tin_warnings: _Optional[_Iterable[_Union[TinWarning, str]]] = ...) -> None: ...

class GrantedBenefit(_message.Message):
    __slots__ = ("code", "granted_by", "instruction")
    CODE_FIELD_NUMBER: _ClassVar[int]
    GRANTED_BY_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTION_FIELD_NUMBER: _ClassVar[int]
    code: _arrangement_pb2.BenefitCode
    granted_by: str
    instruction: str
    def __init__(self, code: _Optional[_Union[_arrangement_pb2.BenefitCode, str]] = ..., granted_by: _Optional[str] = ..., instruction: _Optional[str] = ...) -> None: ...

class ArrangementOutcome(_message.Message):
    __slots__ = ("arrangement_id", "kind", "outcome", "reason")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    OUTCOME_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    kind: _arrangement_pb2.ArrangementKind
    outcome: Outcome
    reason: Reason
    def __init__(self, arrangement_id: _Optional[bytes] = ..., kind: _Optional[_Union[_arrangement_pb2.ArrangementKind, str]] = ..., outcome: _Optional[_Union[Outcome, str]] = ..., reason: _Optional[_Union[Reason, str]] = ...) -> None: ...
