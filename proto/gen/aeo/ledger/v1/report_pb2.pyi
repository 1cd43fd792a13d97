from aeo.ledger.v1 import arrangement_pb2 as _arrangement_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class FigureState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FIGURE_STATE_UNSPECIFIED: _ClassVar[FigureState]
    FIGURE_STATE_GIVEN: _ClassVar[FigureState]
    FIGURE_STATE_NO_RECORDS: _ClassVar[FigureState]
    FIGURE_STATE_NOT_AVAILABLE: _ClassVar[FigureState]
    FIGURE_STATE_WITHHELD: _ClassVar[FigureState]

class Coverage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COVERAGE_UNSPECIFIED: _ClassVar[Coverage]
    COVERAGE_CENSUS: _ClassVar[Coverage]
    COVERAGE_SAMPLE: _ClassVar[Coverage]

class ReleaseStage(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEASE_STAGE_UNSPECIFIED: _ClassVar[ReleaseStage]
    RELEASE_STAGE_LODGEMENT_TO_RELEASE: _ClassVar[ReleaseStage]
    RELEASE_STAGE_ARRIVAL_TO_DELIVERY: _ClassVar[ReleaseStage]

class ClearanceMode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    CLEARANCE_MODE_UNSPECIFIED: _ClassVar[ClearanceMode]
    CLEARANCE_MODE_FREE: _ClassVar[ClearanceMode]
    CLEARANCE_MODE_PAPER_REVIEW: _ClassVar[ClearanceMode]
    CLEARANCE_MODE_CARGO_EXAMINATION: _ClassVar[ClearanceMode]

class ReleaseGroup(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    RELEASE_GROUP_UNSPECIFIED: _ClassVar[ReleaseGroup]
    RELEASE_GROUP_WITH_RECOGNITION: _ClassVar[ReleaseGroup]
    RELEASE_GROUP_OTHER_AEO: _ClassVar[ReleaseGroup]
    RELEASE_GROUP_WITHOUT: _ClassVar[ReleaseGroup]

class TakenBy(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    TAKEN_BY_UNSPECIFIED: _ClassVar[TakenBy]
    TAKEN_BY_CUSTOMS: _ClassVar[TakenBy]
    TAKEN_BY_AGENCY: _ClassVar[TakenBy]
    TAKEN_BY_TRADER: _ClassVar[TakenBy]
    TAKEN_BY_PORT: _ClassVar[TakenBy]

class ShareCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    SHARE_CODE_UNSPECIFIED: _ClassVar[ShareCode]
    SHARE_CODE_PARTICIPATION: _ClassVar[ShareCode]
    SHARE_CODE_TRADE_BY_DECLARATIONS: _ClassVar[ShareCode]
    SHARE_CODE_TRADE_BY_VALUE: _ClassVar[ShareCode]
    SHARE_CODE_EXAMINATION: _ClassVar[ShareCode]
    SHARE_CODE_USE: _ClassVar[ShareCode]
    SHARE_CODE_CHAIN_PARTIES: _ClassVar[ShareCode]

class CountCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    COUNT_CODE_UNSPECIFIED: _ClassVar[CountCode]
    COUNT_CODE_LOOK_UPS: _ClassVar[CountCode]
    COUNT_CODE_BENEFITS_GIVEN: _ClassVar[CountCode]
    COUNT_CODE_APPLICATIONS_SUBMITTED: _ClassVar[CountCode]
    COUNT_CODE_APPLICATIONS_GRANTED: _ClassVar[CountCode]
    COUNT_CODE_APPLICATIONS_REFUSED: _ClassVar[CountCode]
FIGURE_STATE_UNSPECIFIED: FigureState
FIGURE_STATE_GIVEN: FigureState
FIGURE_STATE_NO_RECORDS: FigureState
FIGURE_STATE_NOT_AVAILABLE: FigureState
FIGURE_STATE_WITHHELD: FigureState
COVERAGE_UNSPECIFIED: Coverage
COVERAGE_CENSUS: Coverage
COVERAGE_SAMPLE: Coverage
RELEASE_STAGE_UNSPECIFIED: ReleaseStage
RELEASE_STAGE_LODGEMENT_TO_RELEASE: ReleaseStage
RELEASE_STAGE_ARRIVAL_TO_DELIVERY: ReleaseStage
CLEARANCE_MODE_UNSPECIFIED: ClearanceMode
CLEARANCE_MODE_FREE: ClearanceMode
CLEARANCE_MODE_PAPER_REVIEW: ClearanceMode
CLEARANCE_MODE_CARGO_EXAMINATION: ClearanceMode
RELEASE_GROUP_UNSPECIFIED: ReleaseGroup
RELEASE_GROUP_WITH_RECOGNITION: ReleaseGroup
RELEASE_GROUP_OTHER_AEO: ReleaseGroup
RELEASE_GROUP_WITHOUT: ReleaseGroup
TAKEN_BY_UNSPECIFIED: TakenBy
TAKEN_BY_CUSTOMS: TakenBy
TAKEN_BY_AGENCY: TakenBy
TAKEN_BY_TRADER: TakenBy
TAKEN_BY_PORT: TakenBy
SHARE_CODE_UNSPECIFIED: ShareCode
SHARE_CODE_PARTICIPATION: ShareCode
SHARE_CODE_TRADE_BY_DECLARATIONS: ShareCode
SHARE_CODE_TRADE_BY_VALUE: ShareCode
SHARE_CODE_EXAMINATION: ShareCode
SHARE_CODE_USE: ShareCode
SHARE_CODE_CHAIN_PARTIES: ShareCode
COUNT_CODE_UNSPECIFIED: CountCode
COUNT_CODE_LOOK_UPS: CountCode
COUNT_CODE_BENEFITS_GIVEN: CountCode
COUNT_CODE_APPLICATIONS_SUBMITTED: CountCode
COUNT_CODE_APPLICATIONS_GRANTED: CountCode
COUNT_CODE_APPLICATIONS_REFUSED: CountCode

class ReportStep(_message.Message):
    __slots__ = ("publish", "co_sign")
    PUBLISH_FIELD_NUMBER: _ClassVar[int]
    CO_SIGN_FIELD_NUMBER: _ClassVar[int]
    publish: bytes
    co_sign: ReportSignature
    def __init__(self, publish: _Optional[bytes] = ..., co_sign: _Optional[_Union[ReportSignature, _Mapping]] = ...) -> None: ...

class ReportSignature(_message.Message):
    __slots__ = ("arrangement_id", "reporter", "to", "report_hash")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    REPORT_HASH_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    reporter: str
    to: int
    report_hash: bytes
    def __init__(self, arrangement_id: _Optional[bytes] = ..., reporter: _Optional[str] = ..., to: _Optional[int] = ..., report_hash: _Optional[bytes] = ..., **kwargs) -> None: ...

class MonitoringReport(_message.Message):
    __slots__ = ("arrangement_id", "to", "coverage", "release_times", "shares", "counts")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    RELEASE_TIMES_FIELD_NUMBER: _ClassVar[int]
    SHARES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    to: int
    coverage: Coverage
    release_times: _containers.RepeatedCompositeFieldContainer[ReleaseTimes]
    shares: _containers.RepeatedCompositeFieldContainer[Share]
    counts: _containers.RepeatedCompositeFieldContainer[Count]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., to: _Optional[int] = ..., coverage: _Optional[_Union[Coverage, str]] = ..., release_times: _Optional[_Iterable[_Union[ReleaseTimes, _Mapping]]] = ..., shares: _Optional[_Iterable[_Union[Share, _Mapping]]] = ..., counts: _Optional[_Iterable[_Union[Count, _Mapping]]] = ..., **kwargs) -> None: ...

class ReleaseTimes(_message.Message):
    __slots__ = ("stage", "transport_mode", "clearance_mode", "group", "state", "measured")
    STAGE_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_MODE_FIELD_NUMBER: _ClassVar[int]
    CLEARANCE_MODE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    MEASURED_FIELD_NUMBER: _ClassVar[int]
    stage: ReleaseStage
    transport_mode: int
    clearance_mode: ClearanceMode
    group: ReleaseGroup
    state: FigureState
    measured: MeasuredTimes
    def __init__(self, stage: _Optional[_Union[ReleaseStage, str]] = ..., transport_mode: _Optional[int] = ..., clearance_mode: _Optional[_Union[ClearanceMode, str]] = ..., group: _Optional[_Union[ReleaseGroup, str]] = ..., state: _Optional[_Union[FigureState, str]] = ..., measured: _Optional[_Union[MeasuredTimes, _Mapping]] = ...) -> None: ...

class MeasuredTimes(_message.Message):
    __slots__ = ("declarations", "operators", "sum", "median", "percentile_90", "before_arrival", "taken_by")
    DECLARATIONS_FIELD_NUMBER: _ClassVar[int]
    OPERATORS_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    MEDIAN_FIELD_NUMBER: _ClassVar[int]
    PERCENTILE_90_FIELD_NUMBER: _ClassVar[int]
    BEFORE_ARRIVAL_FIELD_NUMBER: _ClassVar[int]
    TAKEN_BY_FIELD_NUMBER: _ClassVar[int]
    declarations: int
    operators: int
    sum: int
    median: int
    percentile_90: int
    before_arrival: int
    taken_by: _containers.RepeatedCompositeFieldContainer[TimeTaken]
    def __init__(self, declarations: _Optional[int] = ..., operators: _Optional[int] = ..., sum: _Optional[int] = ..., median: _Optional[int] = ..., percentile_90: _Optional[int] = ..., before_arrival: _Optional[int] = ..., taken_by: _Optional[_Iterable[_Union[TimeTaken, _Mapping]]] = ...) -> None: ...

class TimeTaken(_message.Message):
    __slots__ = ("who", "declarations", "sum")
    WHO_FIELD_NUMBER: _ClassVar[int]
    DECLARATIONS_FIELD_NUMBER: _ClassVar[int]
    SUM_FIELD_NUMBER: _ClassVar[int]
    who: TakenBy
    declarations: int
    sum: int
    def __init__(self, who: _Optional[_Union[TakenBy, str]] = ..., declarations: _Optional[int] = ..., sum: _Optional[int] = ...) -> None: ...

class Share(_message.Message):
    __slots__ = ("code", "group", "benefit", "granted_by", "state", "given")
    CODE_FIELD_NUMBER: _ClassVar[int]
    GROUP_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_FIELD_NUMBER: _ClassVar[int]
    GRANTED_BY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    GIVEN_FIELD_NUMBER: _ClassVar[int]
    code: ShareCode
    group: ReleaseGroup
    benefit: _arrangement_pb2.BenefitCode
    granted_by: str
    state: FigureState
    given: ShareFigures
    def __init__(self, code: _Optional[_Union[ShareCode, str]] = ..., group: _Optional[_Union[ReleaseGroup, str]] = ..., benefit: _Optional[_Union[_arrangement_pb2.BenefitCode, str]] = ..., granted_by: _Optional[str] = ..., state: _Optional[_Union[FigureState, str]] = ..., given: _Optional[_Union[ShareFigures, _Mapping]] = ...) -> None: ...

class ShareFigures(_message.Message):
    __slots__ = ("numerator", "denominator")
    NUMERATOR_FIELD_NUMBER: _ClassVar[int]
    DENOMINATOR_FIELD_NUMBER: _ClassVar[int]
    numerator: int
    denominator: int
    def __init__(self, numerator: _Optional[int] = ..., denominator: _Optional[int] = ...) -> None: ...

class Count(_message.Message):
    __slots__ = ("code", "benefit", "granted_by", "reason", "state", "count")
    CODE_FIELD_NUMBER: _ClassVar[int]
    BENEFIT_FIELD_NUMBER: _ClassVar[int]
    GRANTED_BY_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    code: CountCode
    benefit: _arrangement_pb2.BenefitCode
    granted_by: str
    reason: str
    state: FigureState
    count: int
    def __init__(self, code: _Optional[_Union[CountCode, str]] = ..., benefit: _Optional[_Union[_arrangement_pb2.BenefitCode, str]] = ..., granted_by: _Optional[str] = ..., reason: _Optional[str] = ..., state: _Optional[_Union[FigureState, str]] = ..., count: _Optional[int] = ...) -> None: ...
