from aeo.exchange.v1 import verdict_pb2 as _verdict_pb2
from aeo.ledger.v1 import arrangement_pb2 as _arrangement_pb2
from aeo.ledger.v1 import status_pb2 as _status_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Finality(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    FINALITY_UNSPECIFIED: _ClassVar[Finality]
    FINALITY_RECORDED: _ClassVar[Finality]
    FINALITY_ATTESTED: _ClassVar[Finality]
    FINALITY_SEALED: _ClassVar[Finality]
FINALITY_UNSPECIFIED: Finality
FINALITY_RECORDED: Finality
FINALITY_ATTESTED: Finality
FINALITY_SEALED: Finality

class LookupRequest(_message.Message):
    __slots__ = ("tin", "alias", "name_and_address", "function", "direction", "transport_mode", "level", "as_of", "known_at_height", "known_at_time", "dispatch_economy", "declared_name", "declared_address", "recognising_economy", "include_proof", "purpose", "dispatched_at", "accepted_at", "arrived_at", "released_at")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    NAME_AND_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_MODE_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    KNOWN_AT_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_AT_TIME_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    DECLARED_NAME_FIELD_NUMBER: _ClassVar[int]
    DECLARED_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    RECOGNISING_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    INCLUDE_PROOF_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    DISPATCHED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    RELEASED_AT_FIELD_NUMBER: _ClassVar[int]
    tin: str
    alias: Alias
    name_and_address: NameAndAddress
    function: str
    direction: _arrangement_pb2.Direction
    transport_mode: int
    level: str
    as_of: int
    known_at_height: int
    known_at_time: int
    dispatch_economy: str
    declared_name: str
    declared_address: str
    recognising_economy: str
    include_proof: bool
    purpose: str
    dispatched_at: int
    accepted_at: int
    arrived_at: int
    released_at: int
    def __init__(self, tin: _Optional[str] = ..., alias: _Optional[_Union[Alias, _Mapping]] = ..., name_and_address: _Optional[_Union[NameAndAddress, _Mapping]] = ..., function: _Optional[str] = ..., direction: _Optional[_Union[_arrangement_pb2.Direction, str]] = ..., transport_mode: _Optional[int] = ..., level: _Optional[str] = ..., as_of: _Optional[int] = ..., known_at_height: _Optional[int] = ..., known_at_time: _Optional[int] = ..., dispatch_economy: _Optional[str] = ..., declared_name: _Optional[str] = ..., declared_address: _Optional[str] = ..., recognising_economy: _Optional[str] = ..., include_proof: _Optional[bool] = ..., purpose: _Optional[str] = ..., dispatched_at: _Optional[int] = ..., accepted_at: _Optional[int] = ..., arrived_at: _Optional[int] = ..., released_at: _Optional[int] = ...) -> None: ...

class NameAndAddress(_message.Message):
    __slots__ = ("name", "address")
    NAME_FIELD_NUMBER: _ClassVar[int]
    ADDRESS_FIELD_NUMBER: _ClassVar[int]
    name: str
    address: str
    def __init__(self, name: _Optional[str] = ..., address: _Optional[str] = ...) -> None: ...

class Alias(_message.Message):
    __slots__ = ("scheme", "value")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    value: str
    def __init__(self, scheme: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class LookupResponse(_message.Message):
    __slots__ = ("verdict", "finality", "proof", "problem")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    PROBLEM_FIELD_NUMBER: _ClassVar[int]
    verdict: _verdict_pb2.Verdict
    finality: Finality
    proof: LookupProof
    problem: QuestionProblem
    def __init__(self, verdict: _Optional[_Union[_verdict_pb2.Verdict, _Mapping]] = ..., finality: _Optional[_Union[Finality, str]] = ..., proof: _Optional[_Union[LookupProof, _Mapping]] = ..., problem: _Optional[_Union[QuestionProblem, _Mapping]] = ...) -> None: ...

class QuestionProblem(_message.Message):
    __slots__ = ("index", "field", "description")
    INDEX_FIELD_NUMBER: _ClassVar[int]
    FIELD_FIELD_NUMBER: _ClassVar[int]
    DESCRIPTION_FIELD_NUMBER: _ClassVar[int]
    index: int
    field: str
    description: str
    def __init__(self, index: _Optional[int] = ..., field: _Optional[str] = ..., description: _Optional[str] = ...) -> None: ...

class LookupProof(_message.Message):
    __slots__ = ("header", "seal", "subjects")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    SUBJECTS_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    seal: bytes
    subjects: _containers.RepeatedCompositeFieldContainer[SubjectProof]
    def __init__(self, header: _Optional[bytes] = ..., seal: _Optional[bytes] = ..., subjects: _Optional[_Iterable[_Union[SubjectProof, _Mapping]]] = ...) -> None: ...

class SubjectProof(_message.Message):
    __slots__ = ("arrangement_id", "issuer", "subject", "tin_mac", "epoch", "history", "map_proof")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TIN_MAC_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    HISTORY_FIELD_NUMBER: _ClassVar[int]
    MAP_PROOF_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    issuer: str
    subject: bytes
    tin_mac: bytes
    epoch: int
    history: _containers.RepeatedCompositeFieldContainer[HistoryEntry]
    map_proof: bytes
    def __init__(self, arrangement_id: _Optional[bytes] = ..., issuer: _Optional[str] = ..., subject: _Optional[bytes] = ..., tin_mac: _Optional[bytes] = ..., epoch: _Optional[int] = ..., history: _Optional[_Iterable[_Union[HistoryEntry, _Mapping]]] = ..., map_proof: _Optional[bytes] = ...) -> None: ...

class HistoryEntry(_message.Message):
    __slots__ = ("height", "time", "log_index", "position", "author", "record")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    TIME_FIELD_NUMBER: _ClassVar[int]
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    height: int
    time: int
    log_index: int
    position: int
    author: str
    record: bytes
    def __init__(self, height: _Optional[int] = ..., time: _Optional[int] = ..., log_index: _Optional[int] = ..., position: _Optional[int] = ..., author: _Optional[str] = ..., record: _Optional[bytes] = ...) -> None: ...

class BatchLookupRequest(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedCompositeFieldContainer[LookupRequest]
    def __init__(self, requests: _Optional[_Iterable[_Union[LookupRequest, _Mapping]]] = ...) -> None: ...

class BatchLookupResponse(_message.Message):
    __slots__ = ("verdicts", "finality", "problems")
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedCompositeFieldContainer[_verdict_pb2.Verdict]
    finality: Finality
    problems: _containers.RepeatedCompositeFieldContainer[QuestionProblem]
    def __init__(self, verdicts: _Optional[_Iterable[_Union[_verdict_pb2.Verdict, _Mapping]]] = ..., finality: _Optional[_Union[Finality, str]] = ..., problems: _Optional[_Iterable[_Union[QuestionProblem, _Mapping]]] = ...) -> None: ...

class StreamLookupRequest(_message.Message):
    __slots__ = ("request",)
    REQUEST_FIELD_NUMBER: _ClassVar[int]
    request: LookupRequest
    def __init__(self, request: _Optional[_Union[LookupRequest, _Mapping]] = ...) -> None: ...

class StreamLookupResponse(_message.Message):
    __slots__ = ("response",)
    RESPONSE_FIELD_NUMBER: _ClassVar[int]
    response: LookupResponse
    def __init__(self, response: _Optional[_Union[LookupResponse, _Mapping]] = ...) -> None: ...

class LookupSupplyChainRequest(_message.Message):
    __slots__ = ("parties", "direction", "transport_mode", "as_of", "known_at_height", "known_at_time", "dispatch_economy", "recognising_economy", "purpose", "dispatched_at", "accepted_at", "arrived_at", "released_at")
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    DIRECTION_FIELD_NUMBER: _ClassVar[int]
    TRANSPORT_MODE_FIELD_NUMBER: _ClassVar[int]
    AS_OF_FIELD_NUMBER: _ClassVar[int]
    KNOWN_AT_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    KNOWN_AT_TIME_FIELD_NUMBER: _ClassVar[int]
    DISPATCH_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    RECOGNISING_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    DISPATCHED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    RELEASED_AT_FIELD_NUMBER: _ClassVar[int]
    parties: _containers.RepeatedCompositeFieldContainer[ChainParty]
    direction: _arrangement_pb2.Direction
    transport_mode: int
    as_of: int
    known_at_height: int
    known_at_time: int
    dispatch_economy: str
    recognising_economy: str
    purpose: str
    dispatched_at: int
    accepted_at: int
    arrived_at: int
    released_at: int
    def __init__(self, parties: _Optional[_Iterable[_Union[ChainParty, _Mapping]]] = ..., direction: _Optional[_Union[_arrangement_pb2.Direction, str]] = ..., transport_mode: _Optional[int] = ..., as_of: _Optional[int] = ..., known_at_height: _Optional[int] = ..., known_at_time: _Optional[int] = ..., dispatch_economy: _Optional[str] = ..., recognising_economy: _Optional[str] = ..., purpose: _Optional[str] = ..., dispatched_at: _Optional[int] = ..., accepted_at: _Optional[int] = ..., arrived_at: _Optional[int] = ..., released_at: _Optional[int] = ...) -> None: ...

class ChainParty(_message.Message):
    __slots__ = ("tin", "alias", "name_and_address", "function", "level", "declared_name", "declared_address")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    NAME_AND_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    FUNCTION_FIELD_NUMBER: _ClassVar[int]
    LEVEL_FIELD_NUMBER: _ClassVar[int]
    DECLARED_NAME_FIELD_NUMBER: _ClassVar[int]
    DECLARED_ADDRESS_FIELD_NUMBER: _ClassVar[int]
    tin: str
    alias: Alias
    name_and_address: NameAndAddress
    function: str
    level: str
    declared_name: str
    declared_address: str
    def __init__(self, tin: _Optional[str] = ..., alias: _Optional[_Union[Alias, _Mapping]] = ..., name_and_address: _Optional[_Union[NameAndAddress, _Mapping]] = ..., function: _Optional[str] = ..., level: _Optional[str] = ..., declared_name: _Optional[str] = ..., declared_address: _Optional[str] = ...) -> None: ...

class LookupSupplyChainResponse(_message.Message):
    __slots__ = ("parties", "summary", "finality")
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    SUMMARY_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    parties: _containers.RepeatedCompositeFieldContainer[PartyAnswer]
    summary: ChainSummary
    finality: Finality
    def __init__(self, parties: _Optional[_Iterable[_Union[PartyAnswer, _Mapping]]] = ..., summary: _Optional[_Union[ChainSummary, _Mapping]] = ..., finality: _Optional[_Union[Finality, str]] = ...) -> None: ...

class PartyAnswer(_message.Message):
    __slots__ = ("without_identifier", "verdict")
    WITHOUT_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    without_identifier: bool
    verdict: _verdict_pb2.Verdict
    def __init__(self, without_identifier: _Optional[bool] = ..., verdict: _Optional[_Union[_verdict_pb2.Verdict, _Mapping]] = ...) -> None: ...

class ChainSummary(_message.Message):
    __slots__ = ("parties", "certified", "recognised", "without_identifier", "missing", "whole_chain_certified", "whole_chain_recognised")
    PARTIES_FIELD_NUMBER: _ClassVar[int]
    CERTIFIED_FIELD_NUMBER: _ClassVar[int]
    RECOGNISED_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_IDENTIFIER_FIELD_NUMBER: _ClassVar[int]
    MISSING_FIELD_NUMBER: _ClassVar[int]
    WHOLE_CHAIN_CERTIFIED_FIELD_NUMBER: _ClassVar[int]
    WHOLE_CHAIN_RECOGNISED_FIELD_NUMBER: _ClassVar[int]
    parties: int
    certified: int
    recognised: int
    without_identifier: int
    missing: _containers.RepeatedCompositeFieldContainer[MissingRole]
    whole_chain_certified: bool
    whole_chain_recognised: bool
    def __init__(self, parties: _Optional[int] = ..., certified: _Optional[int] = ..., recognised: _Optional[int] = ..., without_identifier: _Optional[int] = ..., missing: _Optional[_Iterable[_Union[MissingRole, _Mapping]]] = ..., whole_chain_certified: _Optional[bool] = ..., whole_chain_recognised: _Optional[bool] = ...) -> None: ...

class MissingRole(_message.Message):
    __slots__ = ("role", "arrangement_ids")
    ROLE_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    role: str
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, role: _Optional[str] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetHistoryRequest(_message.Message):
    __slots__ = ("tin", "arrangement_id", "recognising_economy", "purpose")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    RECOGNISING_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    tin: str
    arrangement_id: bytes
    recognising_economy: str
    purpose: str
    def __init__(self, tin: _Optional[str] = ..., arrangement_id: _Optional[bytes] = ..., recognising_economy: _Optional[str] = ..., purpose: _Optional[str] = ...) -> None: ...

class GetHistoryResponse(_message.Message):
    __slots__ = ("tin", "issuing_economy", "histories", "height", "header_hash")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ISSUING_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    HISTORIES_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEADER_HASH_FIELD_NUMBER: _ClassVar[int]
    tin: str
    issuing_economy: str
    histories: _containers.RepeatedCompositeFieldContainer[TraderHistory]
    height: int
    header_hash: bytes
    def __init__(self, tin: _Optional[str] = ..., issuing_economy: _Optional[str] = ..., histories: _Optional[_Iterable[_Union[TraderHistory, _Mapping]]] = ..., height: _Optional[int] = ..., header_hash: _Optional[bytes] = ...) -> None: ...

class TraderHistory(_message.Message):
    __slots__ = ("arrangement_id", "subject", "entries", "records")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    subject: bytes
    entries: _containers.RepeatedCompositeFieldContainer[HistoryEntry]
    records: _containers.RepeatedCompositeFieldContainer[_status_pb2.StatusRecord]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., subject: _Optional[bytes] = ..., entries: _Optional[_Iterable[_Union[HistoryEntry, _Mapping]]] = ..., records: _Optional[_Iterable[_Union[_status_pb2.StatusRecord, _Mapping]]] = ...) -> None: ...

class GetReceiptRequest(_message.Message):
    __slots__ = ("question", "anchor_height", "without_genesis")
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    WITHOUT_GENESIS_FIELD_NUMBER: _ClassVar[int]
    question: LookupRequest
    anchor_height: int
    without_genesis: bool
    def __init__(self, question: _Optional[_Union[LookupRequest, _Mapping]] = ..., anchor_height: _Optional[int] = ..., without_genesis: _Optional[bool] = ...) -> None: ...

class GetReceiptResponse(_message.Message):
    __slots__ = ("receipt",)
    RECEIPT_FIELD_NUMBER: _ClassVar[int]
    receipt: bytes
    def __init__(self, receipt: _Optional[bytes] = ...) -> None: ...

class WatchRequest(_message.Message):
    __slots__ = ("after", "tins", "only_registered", "recognising_economy", "purpose")
    AFTER_FIELD_NUMBER: _ClassVar[int]
    TINS_FIELD_NUMBER: _ClassVar[int]
    ONLY_REGISTERED_FIELD_NUMBER: _ClassVar[int]
    RECOGNISING_ECONOMY_FIELD_NUMBER: _ClassVar[int]
    PURPOSE_FIELD_NUMBER: _ClassVar[int]
    after: WatchCursor
    tins: _containers.RepeatedScalarFieldContainer[str]
    only_registered: bool
    recognising_economy: str
    purpose: str
    def __init__(self, after: _Optional[_Union[WatchCursor, _Mapping]] = ..., tins: _Optional[_Iterable[str]] = ..., only_registered: _Optional[bool] = ..., recognising_economy: _Optional[str] = ..., purpose: _Optional[str] = ...) -> None: ...

class WatchCursor(_message.Message):
    __slots__ = ("log_index", "position")
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    POSITION_FIELD_NUMBER: _ClassVar[int]
    log_index: int
    position: int
    def __init__(self, log_index: _Optional[int] = ..., position: _Optional[int] = ...) -> None: ...

class WatchResponse(_message.Message):
    __slots__ = ("change", "caught_up")
    CHANGE_FIELD_NUMBER: _ClassVar[int]
    CAUGHT_UP_FIELD_NUMBER: _ClassVar[int]
    change: StatusChange
    caught_up: CaughtUp
    def __init__(self, change: _Optional[_Union[StatusChange, _Mapping]] = ..., caught_up: _Optional[_Union[CaughtUp, _Mapping]] = ...) -> None: ...

class StatusChange(_message.Message):
    __slots__ = ("cursor", "arrangement_id", "issuer", "subject", "tin", "entry", "record")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    ISSUER_FIELD_NUMBER: _ClassVar[int]
    SUBJECT_FIELD_NUMBER: _ClassVar[int]
    TIN_FIELD_NUMBER: _ClassVar[int]
    ENTRY_FIELD_NUMBER: _ClassVar[int]
    RECORD_FIELD_NUMBER: _ClassVar[int]
    cursor: WatchCursor
    arrangement_id: bytes
    issuer: str
    subject: bytes
    tin: str
    entry: HistoryEntry
    record: _status_pb2.StatusRecord
    def __init__(self, cursor: _Optional[_Union[WatchCursor, _Mapping]] = ..., arrangement_id: _Optional[bytes] = ..., issuer: _Optional[str] = ..., subject: _Optional[bytes] = ..., tin: _Optional[str] = ..., entry: _Optional[_Union[HistoryEntry, _Mapping]] = ..., record: _Optional[_Union[_status_pb2.StatusRecord, _Mapping]] = ...) -> None: ...

class CaughtUp(_message.Message):
    __slots__ = ("cursor", "height", "header_hash")
    CURSOR_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    HEADER_HASH_FIELD_NUMBER: _ClassVar[int]
    cursor: WatchCursor
    height: int
    header_hash: bytes
    def __init__(self, cursor: _Optional[_Union[WatchCursor, _Mapping]] = ..., height: _Optional[int] = ..., header_hash: _Optional[bytes] = ...) -> None: ...
