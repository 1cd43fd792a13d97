from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class BatchLookupRequestBytes(_message.Message):
    __slots__ = ("requests",)
    REQUESTS_FIELD_NUMBER: _ClassVar[int]
    requests: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, requests: _Optional[_Iterable[bytes]] = ...) -> None: ...

class LookupResponseBytes(_message.Message):
    __slots__ = ("verdict", "finality", "proof")
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    verdict: bytes
    finality: int
    proof: bytes
    def __init__(self, verdict: _Optional[bytes] = ..., finality: _Optional[int] = ..., proof: _Optional[bytes] = ...) -> None: ...

class BatchLookupResponseBytes(_message.Message):
    __slots__ = ("verdicts", "finality", "problems")
    VERDICTS_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    PROBLEMS_FIELD_NUMBER: _ClassVar[int]
    verdicts: _containers.RepeatedScalarFieldContainer[bytes]
    finality: int
    problems: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, verdicts: _Optional[_Iterable[bytes]] = ..., finality: _Optional[int] = ..., problems: _Optional[_Iterable[bytes]] = ...) -> None: ...

class PublishRequestBytes(_message.Message):
    __slots__ = ("idempotency_key", "submissions", "arrangement_ids", "economy")
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    SUBMISSIONS_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_IDS_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    idempotency_key: str
    submissions: _containers.RepeatedCompositeFieldContainer[SubmissionBytes]
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    economy: str
    def __init__(self, idempotency_key: _Optional[str] = ..., submissions: _Optional[_Iterable[_Union[SubmissionBytes, _Mapping]]] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ..., economy: _Optional[str] = ...) -> None: ...

class SubmissionBytes(_message.Message):
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
    terms: bytes
    predecessor_tin: str
    predecessor_kind: int
    corrects: bytes
    reapply_after: int
    arrangement_ids: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, tin: _Optional[str] = ..., certificate_number: _Optional[str] = ..., valid_from: _Optional[int] = ..., valid_to: _Optional[int] = ..., effective_from: _Optional[int] = ..., effective_to: _Optional[int] = ..., terms: _Optional[bytes] = ..., predecessor_tin: _Optional[str] = ..., predecessor_kind: _Optional[int] = ..., corrects: _Optional[bytes] = ..., reapply_after: _Optional[int] = ..., arrangement_ids: _Optional[_Iterable[bytes]] = ...) -> None: ...
