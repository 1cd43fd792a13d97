from aeo.exchange.v1 import approval_service_pb2 as _approval_service_pb2
from aeo.ledger.v1 import arrangement_pb2 as _arrangement_pb2
from aeo.ledger.v1 import report_pb2 as _report_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class ReportedCode(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    REPORTED_CODE_UNSPECIFIED: _ClassVar[ReportedCode]
    REPORTED_CODE_LOOK_UPS: _ClassVar[ReportedCode]
    REPORTED_CODE_APPLICATIONS_SUBMITTED: _ClassVar[ReportedCode]
    REPORTED_CODE_APPLICATIONS_GRANTED: _ClassVar[ReportedCode]
    REPORTED_CODE_APPLICATIONS_REFUSED: _ClassVar[ReportedCode]
    REPORTED_CODE_CERTIFIED_SMES: _ClassVar[ReportedCode]
    REPORTED_CODE_SMES_TRADING_DIRECTLY: _ClassVar[ReportedCode]
REPORTED_CODE_UNSPECIFIED: ReportedCode
REPORTED_CODE_LOOK_UPS: ReportedCode
REPORTED_CODE_APPLICATIONS_SUBMITTED: ReportedCode
REPORTED_CODE_APPLICATIONS_GRANTED: ReportedCode
REPORTED_CODE_APPLICATIONS_REFUSED: ReportedCode
REPORTED_CODE_CERTIFIED_SMES: ReportedCode
REPORTED_CODE_SMES_TRADING_DIRECTLY: ReportedCode

class RecordClearancesRequest(_message.Message):
    __slots__ = ("idempotency_key", "clearances", "economy")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    CLEARANCES_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    clearances: _containers.RepeatedCompositeFieldContainer[Clearance]
    economy: str
    def __init__(self, idempotency_key: _Optional[str] = ..., clearances: _Optional[_Iterable[_Union[Clearance, _Mapping]]] = ..., economy: _Optional[str] = ...) -> None: ...

class Clearance(_message.Message):
    __slots__ = ("declaration", "operator", "lodged_at", "arrived_at", "released_at", "delivered_at", "transport_mode", "clearance_mode", "recognised_under", "certified", "benefits_given", "value", "direct_trade", "small_or_medium", "parties", "certified_parties", "taken_by_customs", "taken_by_agency", "taken_by_trader", "taken_by_port", "partner")
    DECLARATION_FIELD_NUMBER: _ClassVar[int]
    OPERATOR_FIELD_NUMBER: _ClassVar[int]
    LODGED_AT_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    RELEASED_AT_FIELD_NUMBER: _ClassVar[int]
    DELIVERED_AT_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_MODE_FIELD_NUMBER: _ClassVar[int]
    CLEARANCE_MODE_FIELD_NUMBER: _ClassVar[int]
    RECOGNISED_UNDER_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_FIELD_NUMBER: _ClassVar[int]
    BENEFITS_GIVEN_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    DIRECT_TRADE_FIELD_NUMBER: _ClassVar[int]
    SMALL_OR_MEDIUM_FIELD_NUMBER: _ClassVar[int]
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_PARTIES_FIELD_NUMBER: _ClassVar[int]
    TAKEN_BY_CUSTOMS_FIELD_NUMBER: _ClassVar[int]
    TAKEN_BY_AGENCY_FIELD_NUMBER: _ClassVar[int]
    TAKEN_BY_TRADER_FIELD_NUMBER: _ClassVar[int]
    TAKEN_BY_PORT_FIELD_NUMBER: _ClassVar[int]
    PARTNER_FIELD_NUMBER: _ClassVar[int]
    declaration: str
    operator: str
    lodged_at: int
    arrived_at: int
    released_at: int
    delivered_at: int
    transport_mode: int
    clearance_mode: _report_pb2.ClearanceMode
    recognised_under: bytes
    certified: bool
    benefits_given: _containers.RepeatedCompositeFieldContainer[_arrangement_pb2.Benefit]
    value: int
    direct_trade: bool
    small_or_medium: bool
    parties: int
    certified_parties: int
    taken_by_customs: int
    taken_by_agency: int
    taken_by_trader: int
    taken_by_port: int
    partner: str
    def __init__(self, declaration: _Optional[str] = ..., operator: _Optional[str] = ..., lodged_at: _Optional[int] = ..., arrived_at: _Optional[int] = ..., released_at: _Optional[int] = ..., delivered_at: _Optional[int] = ..., transport_mode: _Optional[int] = ..., clearance_mode: _Optional[_Union[_report_pb2.ClearanceMode, str]] = ..., recognised_under: _Optional[bytes] = ..., certified: _Optional[bool] = ..., benefits_given: _Optional[_Iterable[_Union[_arrangement_pb2.Benefit, _Mapping]]] = ..., value: _Optional[int] = ..., direct_trade: _Optional[bool] = ..., small_or_medium: _Optional[bool] = ..., parties: _Optional[int] = ..., certified_parties: _Optional[int] = ..., taken_by_customs: _Optional[int] = ..., taken_by_agency: _Optional[int] = ..., taken_by_trader: _Optional[int] = ..., taken_by_port: _Optional[int] = ..., partner: _Optional[str] = ...) -> None: ...

class RecordClearancesResponse(_message.Message):
    __slots__ = ("recorded", "faults", "repeated_call")
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    FAULTS_FIELD_NUMBER: _ClassVar[int]
    REPEATED_CALL_FIELD_NUMBER: _ClassVar[int]
    recorded: int
    faults: _containers.RepeatedCompositeFieldContainer[ClearanceFault]
    repeated_call: bool
    def __init__(self, recorded: _Optional[int] = ..., faults: _Optional[_Iterable[_Union[ClearanceFault, _Mapping]]] = ..., repeated_call: _Optional[bool] = ...) -> None: ...

class ClearanceFault(_message.Message):
    __slots__ = ("index", "code", "message")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    index: int
    code: str
    message: str
    def __init__(self, index: _Optional[int] = ..., code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class RecordFiguresRequest(_message.Message):
    __slots__ = ("arrangement_id", "to", "figures", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    FIGURES_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    to: int
    figures: _containers.RepeatedCompositeFieldContainer[ReportedFigure]
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., to: _Optional[int] = ..., figures: _Optional[_Iterable[_Union[ReportedFigure, _Mapping]]] = ..., economy: _Optional[str] = ..., **kwargs) -> None: ...

class ReportedFigure(_message.Message):
    __slots__ = ("code", "reason", "count")
    CODE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    COUNT_FIELD_NUMBER: _ClassVar[int]
    code: ReportedCode
    reason: str
    count: int
    def __init__(self, code: _Optional[_Union[ReportedCode, str]] = ..., reason: _Optional[str] = ..., count: _Optional[int] = ...) -> None: ...

class RecordFiguresResponse(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetReleaseTimesRequest(_message.Message):
    __slots__ = ("arrangement_id", "to", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    to: int
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., to: _Optional[int] = ..., economy: _Optional[str] = ..., **kwargs) -> None: ...

class GetReleaseTimesResponse(_message.Message):
    __slots__ = ("release_times", "declarations")
    RELEASE_TIMES_FIELD_NUMBER: _ClassVar[int]
    DECLARATIONS_FIELD_NUMBER: _ClassVar[int]
    release_times: _containers.RepeatedCompositeFieldContainer[_report_pb2.ReleaseTimes]
    declarations: int
    def __init__(self, release_times: _Optional[_Iterable[_Union[_report_pb2.ReleaseTimes, _Mapping]]] = ..., declarations: _Optional[int] = ...) -> None: ...

class GetIndicatorsRequest(_message.Message):
    __slots__ = ("arrangement_id", "to", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    to: int
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., to: _Optional[int] = ..., economy: _Optional[str] = ..., **kwargs) -> None: ...

class GetIndicatorsResponse(_message.Message):
    __slots__ = ("shares", "counts")
    SHARES_FIELD_NUMBER: _ClassVar[int]
    COUNTS_FIELD_NUMBER: _ClassVar[int]
    shares: _containers.RepeatedCompositeFieldContainer[_report_pb2.Share]
    counts: _containers.RepeatedCompositeFieldContainer[_report_pb2.Count]
    def __init__(self, shares: _Optional[_Iterable[_Union[_report_pb2.Share, _Mapping]]] = ..., counts: _Optional[_Iterable[_Union[_report_pb2.Count, _Mapping]]] = ...) -> None: ...

class PublishReportRequest(_message.Message):
    __slots__ = ("arrangement_id", "to", "coverage", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    COVERAGE_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    to: int
    coverage: _report_pb2.Coverage
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., to: _Optional[int] = ..., coverage: _Optional[_Union[_report_pb2.Coverage, str]] = ..., economy: _Optional[str] = ..., **kwargs) -> None: ...

class PublishReportResponse(_message.Message):
    __slots__ = ("report", "pending")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    report: PublishedReport
    pending: _approval_service_pb2.PendingStep
    def __init__(self, report: _Optional[_Union[PublishedReport, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class SignReportRequest(_message.Message):
    __slots__ = ("arrangement_id", "reporter", "to", "report_hash", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    REPORT_HASH_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    reporter: str
    to: int
    report_hash: bytes
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., reporter: _Optional[str] = ..., to: _Optional[int] = ..., report_hash: _Optional[bytes] = ..., economy: _Optional[str] = ..., **kwargs) -> None: ...

class SignReportResponse(_message.Message):
    __slots__ = ("report", "pending")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    report: PublishedReport
    pending: _approval_service_pb2.PendingStep
    def __init__(self, report: _Optional[_Union[PublishedReport, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class ListReportsRequest(_message.Message):
    __slots__ = ("arrangement_id", "economy")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    economy: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., economy: _Optional[str] = ...) -> None: ...

class ListReportsResponse(_message.Message):
    __slots__ = ("reports", "owed")
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    OWED_FIELD_NUMBER: _ClassVar[int]
    reports: _containers.RepeatedCompositeFieldContainer[PublishedReport]
    owed: _containers.RepeatedCompositeFieldContainer[OwedReport]
    def __init__(self, reports: _Optional[_Iterable[_Union[PublishedReport, _Mapping]]] = ..., owed: _Optional[_Iterable[_Union[OwedReport, _Mapping]]] = ...) -> None: ...

class PublishedReport(_message.Message):
    __slots__ = ("report", "reporter", "report_bytes", "report_hash", "height", "time", "corrected", "signed_by")
    REPORT_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    REPORT_BYTES_FIELD_NUMBER: _ClassVar[int]
    REPORT_HASH_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    CORRECTED_FIELD_NUMBER: _ClassVar[int]
    SIGNED_BY_FIELD_NUMBER: _ClassVar[int]
    report: _report_pb2.MonitoringReport
    reporter: str
    report_bytes: bytes
    report_hash: bytes
    height: int
    time: int
    corrected: int
    signed_by: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, report: _Optional[_Union[_report_pb2.MonitoringReport, _Mapping]] = ..., reporter: _Optional[str] = ..., report_bytes: _Optional[bytes] = ..., report_hash: _Optional[bytes] = ..., height: _Optional[int] = ..., time: _Optional[int] = ..., corrected: _Optional[int] = ..., signed_by: _Optional[_Iterable[str]] = ...) -> None: ...

class OwedReport(_message.Message):
    __slots__ = ("arrangement_id", "reporter", "to", "reports", "overdue")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    REPORTER_FIELD_NUMBER: _ClassVar[int]
    FROM_FIELD_NUMBER: _ClassVar[int]
    TO_FIELD_NUMBER: _ClassVar[int]
    REPORTS_FIELD_NUMBER: _ClassVar[int]
    OVERDUE_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    reporter: str
    to: int
    reports: _containers.RepeatedScalarFieldContainer[str]
    overdue: bool
    def __init__(self, arrangement_id: _Optional[bytes] = ..., reporter: _Optional[str] = ..., to: _Optional[int] = ..., reports: _Optional[_Iterable[str]] = ..., overdue: _Optional[bool] = ..., **kwargs) -> None: ...
