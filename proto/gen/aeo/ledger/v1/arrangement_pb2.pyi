from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ArrangementKind(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    ARRANGEMENT_KIND_UNSPECIFIED: _ClassVar[ArrangementKind]
    ARRANGEMENT_KIND_RECOGNITION: _ClassVar[ArrangementKind]
    ARRANGEMENT_KIND_INFORMATION: _ClassVar[ArrangementKind]

class Direction(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    DIRECTION_UNSPECIFIED: _ClassVar[Direction]
    DIRECTION_IMPORT: _ClassVar[Direction]
    DIRECTION_EXPORT: _ClassVar[Direction]
    DIRECTION_TRANSIT: _ClassVar[Direction]

class BenefitCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    BENEFIT_CODE_UNSPECIFIED: _ClassVar[BenefitCode]
    BENEFIT_CODE_FEWER_DOCUMENT_CHECKS: _ClassVar[BenefitCode]
    BENEFIT_CODE_LOWER_INSPECTION_RATE: _ClassVar[BenefitCode]
    BENEFIT_CODE_PRIORITY_INSPECTION: _ClassVar[BenefitCode]
    BENEFIT_CODE_DEDICATED_LANE: _ClassVar[BenefitCode]
    BENEFIT_CODE_RELEASE_BEFORE_ARRIVAL: _ClassVar[BenefitCode]
    BENEFIT_CODE_PERIODIC_PAYMENT: _ClassVar[BenefitCode]
    BENEFIT_CODE_LIAISON_OFFICER: _ClassVar[BenefitCode]
    BENEFIT_CODE_PRIORITY_IN_RECOVERY: _ClassVar[BenefitCode]
    BENEFIT_CODE_PARTNER_RECOGNITION: _ClassVar[BenefitCode]
    BENEFIT_CODE_FEWER_SECURITY_CONTROLS: _ClassVar[BenefitCode]
    BENEFIT_CODE_ADVANCE_NOTICE: _ClassVar[BenefitCode]
    BENEFIT_CODE_SIMPLIFIED_RETURNS: _ClassVar[BenefitCode]
    BENEFIT_CODE_INFORMAL_CLEARANCE: _ClassVar[BenefitCode]

class RelevantEvent(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEVANT_EVENT_UNSPECIFIED: _ClassVar[RelevantEvent]
    RELEVANT_EVENT_ACCEPTANCE: _ClassVar[RelevantEvent]
    RELEVANT_EVENT_ARRIVAL: _ClassVar[RelevantEvent]
    RELEVANT_EVENT_RELEASE: _ClassVar[RelevantEvent]

class GoodsUnderWay(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    GOODS_UNDER_WAY_UNSPECIFIED: _ClassVar[GoodsUnderWay]
    GOODS_UNDER_WAY_HONOURED: _ClassVar[GoodsUnderWay]
    GOODS_UNDER_WAY_NOT_HONOURED: _ClassVar[GoodsUnderWay]
ARRANGEMENT_KIND_UNSPECIFIED: ArrangementKind
ARRANGEMENT_KIND_RECOGNITION: ArrangementKind
ARRANGEMENT_KIND_INFORMATION: ArrangementKind
DIRECTION_UNSPECIFIED: Direction
DIRECTION_IMPORT: Direction
DIRECTION_EXPORT: Direction
DIRECTION_TRANSIT: Direction
BENEFIT_CODE_UNSPECIFIED: BenefitCode
BENEFIT_CODE_FEWER_DOCUMENT_CHECKS: BenefitCode
BENEFIT_CODE_LOWER_INSPECTION_RATE: BenefitCode
BENEFIT_CODE_PRIORITY_INSPECTION: BenefitCode
BENEFIT_CODE_DEDICATED_LANE: BenefitCode
BENEFIT_CODE_RELEASE_BEFORE_ARRIVAL: BenefitCode
BENEFIT_CODE_PERIODIC_PAYMENT: BenefitCode
BENEFIT_CODE_LIAISON_OFFICER: BenefitCode
BENEFIT_CODE_PRIORITY_IN_RECOVERY: BenefitCode
BENEFIT_CODE_PARTNER_RECOGNITION: BenefitCode
BENEFIT_CODE_FEWER_SECURITY_CONTROLS: BenefitCode
BENEFIT_CODE_ADVANCE_NOTICE: BenefitCode
BENEFIT_CODE_SIMPLIFIED_RETURNS: BenefitCode
BENEFIT_CODE_INFORMAL_CLEARANCE: BenefitCode
RELEVANT_EVENT_UNSPECIFIED: RelevantEvent
RELEVANT_EVENT_ACCEPTANCE: RelevantEvent
RELEVANT_EVENT_ARRIVAL: RelevantEvent
RELEVANT_EVENT_RELEASE: RelevantEvent
GOODS_UNDER_WAY_UNSPECIFIED: GoodsUnderWay
GOODS_UNDER_WAY_HONOURED: GoodsUnderWay
GOODS_UNDER_WAY_NOT_HONOURED: GoodsUnderWay

class ArrangementStep(_message.Message):
    __slots__ = ("propose", "sign", "suspend", "resume", "end", "amend", "start", "open_epoch", "republished")
    PROPOSE_FIELD_NUMBER: _ClassVar[int]
    SIGN_FIELD_NUMBER: _ClassVar[int]
    SUSPEND_FIELD_NUMBER: _ClassVar[int]
    RESUME_FIELD_NUMBER: _ClassVar[int]
    END_FIELD_NUMBER: _ClassVar[int]
    AMEND_FIELD_NUMBER: _ClassVar[int]
    START_FIELD_NUMBER: _ClassVar[int]
    OPEN_EPOCH_FIELD_NUMBER: _ClassVar[int]
    REPUBLISHED_FIELD_NUMBER: _ClassVar[int]
    propose: bytes
    sign: ArrangementSignature
    suspend: ArrangementSuspension
    resume: ArrangementResumption
    end: ArrangementEnd
    amend: ArrangementAmendment
    start: StagedStart
    open_epoch: KeyEpoch
    republished: EpochRepublished
    def __init__(self, propose: _Optional[bytes] = ..., sign: _Optional[_Union[ArrangementSignature, _Mapping]] = ..., suspend: _Optional[_Union[ArrangementSuspension, _Mapping]] = ..., resume: _Optional[_Union[ArrangementResumption, _Mapping]] = ..., end: _Optional[_Union[ArrangementEnd, _Mapping]] = ..., amend: _Optional[_Union[ArrangementAmendment, _Mapping]] = ..., start: _Optional[_Union[StagedStart, _Mapping]] = ..., open_epoch: _Optional[_Union[KeyEpoch, _Mapping]] = ..., republished: _Optional[_Union[EpochRepublished, _Mapping]] = ...) -> None: ...

class ArrangementSignature(_message.Message):
    __slots__ = ("arrangement_id", "text_hash")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_HASH_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    text_hash: bytes
    def __init__(self, arrangement_id: _Optional[bytes] = ..., text_hash: _Optional[bytes] = ...) -> None: ...

class ArrangementSuspension(_message.Message):
    __slots__ = ("arrangement_id", "effective_from")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    effective_from: int
    def __init__(self, arrangement_id: _Optional[bytes] = ..., effective_from: _Optional[int] = ...) -> None: ...

class ArrangementResumption(_message.Message):
    __slots__ = ("arrangement_id", "effective_from")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    effective_from: int
    def __init__(self, arrangement_id: _Optional[bytes] = ..., effective_from: _Optional[int] = ...) -> None: ...

class ArrangementEnd(_message.Message):
    __slots__ = ("arrangement_id", "effective_from")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    effective_from: int
    def __init__(self, arrangement_id: _Optional[bytes] = ..., effective_from: _Optional[int] = ...) -> None: ...

class ArrangementAmendment(_message.Message):
    __slots__ = ("arrangement_id", "text", "without")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    TEXT_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    text: bytes
    without: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., text: _Optional[bytes] = ..., without: _Optional[_Iterable[str]] = ...) -> None: ...

class StagedStart(_message.Message):
    __slots__ = ("arrangement_id", "starts")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    STARTS_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    starts: _containers.RepeatedCompositeFieldContainer[StartFor]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., starts: _Optional[_Iterable[_Union[StartFor, _Mapping]]] = ...) -> None: ...

class StartFor(_message.Message):
    __slots__ = ("recognising",)
    RECOGNISING_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    recognising: str
    def __init__(self, recognising: _Optional[str] = ..., **kwargs) -> None: ...

class KeyEpoch(_message.Message):
    __slots__ = ("arrangement_id", "epoch", "lookup_key_commitment", "without")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    LOOKUP_KEY_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    epoch: int
    lookup_key_commitment: bytes
    without: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., epoch: _Optional[int] = ..., lookup_key_commitment: _Optional[bytes] = ..., without: _Optional[_Iterable[str]] = ...) -> None: ...

class EpochRepublished(_message.Message):
    __slots__ = ("arrangement_id", "epoch")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    epoch: int
    def __init__(self, arrangement_id: _Optional[bytes] = ..., epoch: _Optional[int] = ...) -> None: ...

class ArrangementText(_message.Message):
    __slots__ = ("name", "kind", "parties", "rules", "consent_required", "staleness_limit", "notice_days", "supply_chain_roles", "monitoring", "lookup_key_commitment", "nonce", "staged_starts")
    NAME_FIELD_NUMBER: _ClassVar[int]
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    RULES_FIELD_NUMBER: _ClassVar[int]
    CONSENT_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    STALENESS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    NOTICE_DAYS_FIELD_NUMBER: _ClassVar[int]
    SUPPLY_CHAIN_ROLES_FIELD_NUMBER: _ClassVar[int]
    MONITORING_FIELD_NUMBER: _ClassVar[int]
    LOOKUP_KEY_COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    NONCE_FIELD_NUMBER: _ClassVar[int]
    STAGED_STARTS_FIELD_NUMBER: _ClassVar[int]
    name: str
    kind: ArrangementKind
    parties: _containers.RepeatedScalarFieldContainer[str]
    rules: _containers.RepeatedCompositeFieldContainer[Rule]
    consent_required: bool
    staleness_limit: int
    notice_days: int
    supply_chain_roles: _containers.RepeatedScalarFieldContainer[str]
    monitoring: MonitoringClause
    lookup_key_commitment: bytes
    nonce: bytes
    staged_starts: bool
    def __init__(self, name: _Optional[str] = ..., kind: _Optional[_Union[ArrangementKind, str]] = ..., parties: _Optional[_Iterable[str]] = ..., rules: _Optional[_Iterable[_Union[Rule, _Mapping]]] = ..., consent_required: _Optional[bool] = ..., staleness_limit: _Optional[int] = ..., notice_days: _Optional[int] = ..., supply_chain_roles: _Optional[_Iterable[str]] = ..., monitoring: _Optional[_Union[MonitoringClause, _Mapping]] = ..., lookup_key_commitment: _Optional[bytes] = ..., nonce: _Optional[bytes] = ..., staged_starts: _Optional[bool] = ...) -> None: ...

class Rule(_message.Message):
    __slots__ = ("issuing", "recognising", "to", "functions", "certified_roles", "levels", "directions", "transport_modes", "benefits", "party_match_required", "dispatch_from_issuer_required", "relevant_event", "goods_under_way")
    ISSUING_FIELD_NUMBER: _ClassVar[int]
    RECOGNISING_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    FUNCTIONS_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_ROLES_FIELD_NUMBER: _ClassVar[int]
    LEVELS_FIELD_NUMBER: _ClassVar[int]
    DIRECTIONS_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_MODES_FIELD_NUMBER: _ClassVar[int]
    BENEFITS_FIELD_NUMBER: _ClassVar[int]
    PARTY_MATCH_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_FROM_ISSUER_REQUIRED_FIELD_NUMBER: _ClassVar[int]
    RELEVANT_EVENT_FIELD_NUMBER: _ClassVar[int]
    GOODS_UNDER_WAY_FIELD_NUMBER: _ClassVar[int]
    issuing: str
    recognising: str
    to: int
    functions: _containers.RepeatedScalarFieldContainer[str]
    certified_roles: _containers.RepeatedScalarFieldContainer[str]
    levels: _containers.RepeatedScalarFieldContainer[str]
    directions: _containers.RepeatedScalarFieldContainer[Direction]
    transport_modes: _containers.RepeatedScalarFieldContainer[int]
    benefits: _containers.RepeatedCompositeFieldContainer[Benefit]
    party_match_required: bool
    dispatch_from_issuer_required: bool
    relevant_event: RelevantEvent
    goods_under_way: GoodsUnderWay
    def __init__(self, issuing: _Optional[str] = ..., recognising: _Optional[str] = ..., to: _Optional[int] = ..., functions: _Optional[_Iterable[str]] = ..., certified_roles: _Optional[_Iterable[str]] = ..., levels: _Optional[_Iterable[str]] = ..., directions: _Optional[_Iterable[_Union[Direction, str]]] = ..., transport_modes: _Optional[_Iterable[int]] = ..., benefits: _Optional[_Iterable[_Union[Benefit, _Mapping]]] = ..., party_match_required: _Optional[bool] = ..., dispatch_from_issuer_required: _Optional[bool] = ..., relevant_event: _Optional[_Union[RelevantEvent, str]] = ..., goods_under_way: _Optional[_Union[GoodsUnderWay, str]] = ..., **kwargs) -> None: ...

class Benefit(_message.Message):
    __slots__ = ("code", "granted_by")
    CODE_FIELD_NUMBER: _ClassVar[int]
    GRANTED_BY_FIELD_NUMBER: _ClassVar[int]
    code: BenefitCode
    granted_by: str
    def __init__(self, code: _Optional[_Union[BenefitCode, str]] = ..., granted_by: _Optional[str] = ...) -> None: ...

class MonitoringClause(_message.Message):
    __slots__ = ("period_days", "reports")
    PERIOD_DAYS_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    period_days: int
    reports: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, period_days: _Optional[int] = ..., reports: _Optional[_Iterable[str]] = ...) -> None: ...
