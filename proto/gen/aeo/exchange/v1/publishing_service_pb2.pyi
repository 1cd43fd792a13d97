from aeo.exchange.v1 import approval_service_pb2 as _approval_service_pb2
from aeo.exchange.v1 import status_service_pb2 as _status_service_pb2
from aeo.ledger.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class PublicationState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PUBLICATION_STATE_UNSPECIFIED: _ClassVar[PublicationState]
    PUBLICATION_STATE_PREPARED: _ClassVar[PublicationState]
    PUBLICATION_STATE_QUEUED: _ClassVar[PublicationState]
    PUBLICATION_STATE_RECORDED: _ClassVar[PublicationState]
    PUBLICATION_STATE_ATTESTED: _ClassVar[PublicationState]
    PUBLICATION_STATE_SEALED: _ClassVar[PublicationState]
PUBLICATION_STATE_UNSPECIFIED: PublicationState
PUBLICATION_STATE_PREPARED: PublicationState
PUBLICATION_STATE_QUEUED: PublicationState
PUBLICATION_STATE_RECORDED: PublicationState
PUBLICATION_STATE_ATTESTED: PublicationState
PUBLICATION_STATE_SEALED: PublicationState

class PublishRequest(_message.Message):
    __slots__ = ("idempotency_key", "submissions", "arrangement_ids", "economy")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    SUBMISSIONS_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    submissions: _containers.RepeatedCompositeFieldContainer[Submission]
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    economy: str
    def __init__(self, idempotency_key: _Optional[str] = ..., submissions: _Optional[_Iterable[_Union[Submission, _Mapping]]] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ..., economy: _Optional[str] = ...) -> None: ...

class Submission(_message.Message):
    __slots__ = ("tin", "certificate_number", "valid_from", "valid_to", "effective_from", "effective_to", "terms", "predecessor_tin", "predecessor_kind", "corrects", "reapply_after", "arrangement_ids")
    TIN_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TO_FIELD_NUMBER: _ClassVar[int]
    TERMS_FIELD_NUMBER: _ClassVar[int]
    PREDECESSOR_TIN_FIELD_NUMBER: _ClassVar[int]
    PREDECESSOR_KIND_FIELD_NUMBER: _ClassVar[int]
    CORRECTS_FIELD_NUMBER: _ClassVar[int]
    REAPPLY_AFTER_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    tin: str
    certificate_number: str
    valid_from: int
    valid_to: int
    effective_from: int
    effective_to: int
    terms: _status_pb2.StatusTerms
    predecessor_tin: str
    predecessor_kind: _status_pb2.PredecessorKind
    corrects: _status_pb2.RecordPlace
    reapply_after: int
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, tin: _Optional[str] = ..., certificate_number: _Optional[str] = ..., valid_from: _Optional[int] = ..., valid_to: _Optional[int] = ..., effective_from: _Optional[int] = ..., effective_to: _Optional[int] = ..., terms: _Optional[_Union[_status_pb2.StatusTerms, _Mapping]] = ..., predecessor_tin: _Optional[str] = ..., predecessor_kind: _Optional[_Union[_status_pb2.PredecessorKind, str]] = ..., corrects: _Optional[_Union[_status_pb2.RecordPlace, _Mapping]] = ..., reapply_after: _Optional[int] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ChangeStatusRequest(_message.Message):
    __slots__ = ("idempotency_key", "economy", "tin", "event", "certificate_number", "arrangement_ids", "effective_from", "effective_to", "lapses", "scope", "reason", "reapply_after", "status")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    TIN_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    CERTIFICATE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_FROM_FIELD_NUMBER: _ClassVar[int]
    EFFECTIVE_TO_FIELD_NUMBER: _ClassVar[int]
    LAPSES_FIELD_NUMBER: _ClassVar[int]
    SCOPE_FIELD_NUMBER: _ClassVar[int]
    REASON_FIELD_NUMBER: _ClassVar[int]
    REAPPLY_AFTER_FIELD_NUMBER: _ClassVar[int]
    STATUS_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    economy: str
    tin: str
    event: _status_pb2.Event
    certificate_number: str
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    effective_from: int
    effective_to: int
    lapses: bool
    scope: _status_pb2.SuspensionScope
    reason: _status_pb2.PublicReason
    reapply_after: int
    status: _status_pb2.Status
    def __init__(self, idempotency_key: _Optional[str] = ..., economy: _Optional[str] = ..., tin: _Optional[str] = ..., event: _Optional[_Union[_status_pb2.Event, str]] = ..., certificate_number: _Optional[str] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ..., effective_from: _Optional[int] = ..., effective_to: _Optional[int] = ..., lapses: _Optional[bool] = ..., scope: _Optional[_Union[_status_pb2.SuspensionScope, _Mapping]] = ..., reason: _Optional[_Union[_status_pb2.PublicReason, str]] = ..., reapply_after: _Optional[int] = ..., status: _Optional[_Union[_status_pb2.Status, str]] = ...) -> None: ...

class PublishAliasesRequest(_message.Message):
    __slots__ = ("idempotency_key", "aliases", "arrangement_ids", "economy")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    aliases: _containers.RepeatedCompositeFieldContainer[AliasSubmission]
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    economy: str
    def __init__(self, idempotency_key: _Optional[str] = ..., aliases: _Optional[_Iterable[_Union[AliasSubmission, _Mapping]]] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ..., economy: _Optional[str] = ...) -> None: ...

class AliasSubmission(_message.Message):
    __slots__ = ("tin", "scheme", "value", "valid_from", "valid_to", "arrangement_ids")
    TIN_FIELD_NUMBER: _ClassVar[int]
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    tin: str
    scheme: str
    value: str
    valid_from: int
    valid_to: int
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, tin: _Optional[str] = ..., scheme: _Optional[str] = ..., value: _Optional[str] = ..., valid_from: _Optional[int] = ..., valid_to: _Optional[int] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetAliasRequest(_message.Message):
    __slots__ = ("scheme", "value", "tins", "economy")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    TINS_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    value: str
    tins: _containers.RepeatedScalarFieldContainer[str]
    economy: str
    def __init__(self, scheme: _Optional[str] = ..., value: _Optional[str] = ..., tins: _Optional[_Iterable[str]] = ..., economy: _Optional[str] = ...) -> None: ...

class GetAliasResponse(_message.Message):
    __slots__ = ("entries", "height")
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    entries: _containers.RepeatedCompositeFieldContainer[AliasEntry]
    height: int
    def __init__(self, entries: _Optional[_Iterable[_Union[AliasEntry, _Mapping]]] = ..., height: _Optional[int] = ...) -> None: ...

class AliasEntry(_message.Message):
    __slots__ = ("arrangement_id", "issuer", "subject", "tin", "valid_from", "valid_to", "height", "time", "replaced")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TIN_FIELD_NUMBER: _ClassVar[int]
    VALID_FROM_FIELD_NUMBER: _ClassVar[int]
    VALID_TO_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    REPLACED_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    issuer: str
    subject: bytes
    tin: str
    valid_from: int
    valid_to: int
    height: int
    time: int
    replaced: bool
    def __init__(self, arrangement_id: _Optional[bytes] = ..., issuer: _Optional[str] = ..., subject: _Optional[bytes] = ..., tin: _Optional[str] = ..., valid_from: _Optional[int] = ..., valid_to: _Optional[int] = ..., height: _Optional[int] = ..., time: _Optional[int] = ..., replaced: _Optional[bool] = ...) -> None: ...

class CompareRequest(_message.Message):
    __slots__ = ("submissions", "arrangement_ids", "economy")
    SUBMISSIONS_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    submissions: _containers.RepeatedCompositeFieldContainer[Submission]
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    economy: str
    def __init__(self, submissions: _Optional[_Iterable[_Union[Submission, _Mapping]]] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ..., economy: _Optional[str] = ...) -> None: ...

class CompareResponse(_message.Message):
    __slots__ = ("rows",)
    ROWS_FIELD_NUMBER: _ClassVar[int]
    rows: _containers.RepeatedCompositeFieldContainer[RowComparison]
    def __init__(self, rows: _Optional[_Iterable[_Union[RowComparison, _Mapping]]] = ...) -> None: ...

class RowComparison(_message.Message):
    __slots__ = ("answer", "changes")
    ANSWER_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    answer: RowAnswer
    changes: _containers.RepeatedCompositeFieldContainer[CertificateChange]
    def __init__(self, answer: _Optional[_Union[RowAnswer, _Mapping]] = ..., changes: _Optional[_Iterable[_Union[CertificateChange, _Mapping]]] = ...) -> None: ...

class CertificateChange(_message.Message):
    __slots__ = ("arrangement_id", "event", "published", "fields", "code")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EVENT_FIELD_NUMBER: _ClassVar[int]
    PUBLISHED_FIELD_NUMBER: _ClassVar[int]
    FIELDS_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    event: _status_pb2.Event
    published: _status_pb2.StatusRecord
    fields: _containers.RepeatedScalarFieldContainer[str]
    code: str
    def __init__(self, arrangement_id: _Optional[bytes] = ..., event: _Optional[_Union[_status_pb2.Event, str]] = ..., published: _Optional[_Union[_status_pb2.StatusRecord, _Mapping]] = ..., fields: _Optional[_Iterable[str]] = ..., code: _Optional[str] = ...) -> None: ...

class PublishResponse(_message.Message):
    __slots__ = ("publication_id", "rows", "prepared", "repeated_request", "pending")
    PUBLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    ROWS_FIELD_NUMBER: _ClassVar[int]
    PREPARED_FIELD_NUMBER: _ClassVar[int]
    REPEATED_REQUEST_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    publication_id: str
    rows: _containers.RepeatedCompositeFieldContainer[RowAnswer]
    prepared: int
    repeated_request: bool
    pending: _approval_service_pb2.PendingStep
    def __init__(self, publication_id: _Optional[str] = ..., rows: _Optional[_Iterable[_Union[RowAnswer, _Mapping]]] = ..., prepared: _Optional[int] = ..., repeated_request: _Optional[bool] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class RowAnswer(_message.Message):
    __slots__ = ("code", "message")
    CODE_FIELD_NUMBER: _ClassVar[int]
    MESSAGE_FIELD_NUMBER: _ClassVar[int]
    code: str
    message: str
    def __init__(self, code: _Optional[str] = ..., message: _Optional[str] = ...) -> None: ...

class GetPublicationRequest(_message.Message):
    __slots__ = ("publication_id", "economy")
    PUBLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    publication_id: str
    economy: str
    def __init__(self, publication_id: _Optional[str] = ..., economy: _Optional[str] = ...) -> None: ...

class GetPublicationResponse(_message.Message):
    __slots__ = ("publication",)
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    publication: Publication
    def __init__(self, publication: _Optional[_Union[Publication, _Mapping]] = ...) -> None: ...

class ListPublicationsRequest(_message.Message):
    __slots__ = ("economy", "page_size", "page_token")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    PAGE_SIZE_FIELD_NUMBER: _ClassVar[int]
    PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    economy: str
    page_size: int
    page_token: str
    def __init__(self, economy: _Optional[str] = ..., page_size: _Optional[int] = ..., page_token: _Optional[str] = ...) -> None: ...

class ListPublicationsResponse(_message.Message):
    __slots__ = ("publications", "next_page_token")
    PUBLICATIONS_FIELD_NUMBER: _ClassVar[int]
    NEXT_PAGE_TOKEN_FIELD_NUMBER: _ClassVar[int]
    publications: _containers.RepeatedCompositeFieldContainer[Publication]
    next_page_token: str
    def __init__(self, publications: _Optional[_Iterable[_Union[Publication, _Mapping]]] = ..., next_page_token: _Optional[str] = ...) -> None: ...

class WatchPublicationRequest(_message.Message):
    __slots__ = ("publication_id", "economy")
    PUBLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    publication_id: str
    economy: str
    def __init__(self, publication_id: _Optional[str] = ..., economy: _Optional[str] = ...) -> None: ...

class WatchPublicationResponse(_message.Message):
    __slots__ = ("publication",)
    PUBLICATION_FIELD_NUMBER: _ClassVar[int]
    publication: Publication
    def __init__(self, publication: _Optional[_Union[Publication, _Mapping]] = ...) -> None: ...

class Publication(_message.Message):
    __slots__ = ("publication_id", "idempotency_key", "state", "created_at", "records", "recorded", "refused", "answers", "height", "recorded_time", "finality", "acknowledged_by")
    PUBLICATION_ID_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    RECORDED_FIELD_NUMBER: _ClassVar[int]
    REFUSED_FIELD_NUMBER: _ClassVar[int]
    ANSWERS_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    RECORDED_TIME_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    ACKNOWLEDGED_BY_FIELD_NUMBER: _ClassVar[int]
    publication_id: str
    idempotency_key: str
    state: PublicationState
    created_at: int
    records: int
    recorded: int
    refused: int
    answers: _containers.RepeatedCompositeFieldContainer[RecordAnswer]
    height: int
    recorded_time: int
    finality: _status_service_pb2.Finality
    acknowledged_by: _containers.RepeatedCompositeFieldContainer[Acknowledgement]
    def __init__(self, publication_id: _Optional[str] = ..., idempotency_key: _Optional[str] = ..., state: _Optional[_Union[PublicationState, str]] = ..., created_at: _Optional[int] = ..., records: _Optional[int] = ..., recorded: _Optional[int] = ..., refused: _Optional[int] = ..., answers: _Optional[_Iterable[_Union[RecordAnswer, _Mapping]]] = ..., height: _Optional[int] = ..., recorded_time: _Optional[int] = ..., finality: _Optional[_Union[_status_service_pb2.Finality, str]] = ..., acknowledged_by: _Optional[_Iterable[_Union[Acknowledgement, _Mapping]]] = ...) -> None: ...

class RecordAnswer(_message.Message):
    __slots__ = ("submission", "arrangement_id", "log_index", "position", "code")
    SUBMISSION_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    CODE_FIELD_NUMBER: _ClassVar[int]
    submission: int
    arrangement_id: bytes
    log_index: int
    position: int
    code: str
    def __init__(self, submission: _Optional[int] = ..., arrangement_id: _Optional[bytes] = ..., log_index: _Optional[int] = ..., position: _Optional[int] = ..., code: _Optional[str] = ...) -> None: ...

class Acknowledgement(_message.Message):
    __slots__ = ("economy", "height", "time")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    economy: str
    height: int
    time: int
    def __init__(self, economy: _Optional[str] = ..., height: _Optional[int] = ..., time: _Optional[int] = ...) -> None: ...
