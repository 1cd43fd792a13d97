from aeo.ledger.v1 import arrangement_pb2 as _arrangement_pb2
from aeo.ledger.v1 import governance_pb2 as _governance_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Receipt(_message.Message):
    __slots__ = ("genesis", "anchor", "header", "seal", "question", "now", "verdict", "rules_version", "facts", "openings", "headers", "transactions", "profiles", "set_changes")
    GENESIS_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    QUESTION_FIELD_NUMBER: _ClassVar[int]
    NOW_FIELD_NUMBER: _ClassVar[int]
    VERDICT_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    FACTS_FIELD_NUMBER: _ClassVar[int]
    OPENINGS_FIELD_NUMBER: _ClassVar[int]
    HEADERS_FIELD_NUMBER: _ClassVar[int]
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    PROFILES_FIELD_NUMBER: _ClassVar[int]
    SET_CHANGES_FIELD_NUMBER: _ClassVar[int]
    genesis: bytes
    anchor: EarlierHeader
    header: bytes
    seal: bytes
    question: ReceiptQuestion
    now: int
    verdict: bytes
    rules_version: int
    facts: _containers.RepeatedCompositeFieldContainer[ShownFact]
    openings: _containers.RepeatedCompositeFieldContainer[Opening]
    headers: _containers.RepeatedCompositeFieldContainer[EarlierHeader]
    transactions: _containers.RepeatedCompositeFieldContainer[ShownTransaction]
    profiles: _containers.RepeatedCompositeFieldContainer[ProfileFound]
    set_changes: _containers.RepeatedCompositeFieldContainer[_governance_pb2.SetChange]
    def __init__(self, genesis: _Optional[bytes] = ..., anchor: _Optional[_Union[EarlierHeader, _Mapping]] = ..., header: _Optional[bytes] = ..., seal: _Optional[bytes] = ..., question: _Optional[_Union[ReceiptQuestion, _Mapping]] = ..., now: _Optional[int] = ..., verdict: _Optional[bytes] = ..., rules_version: _Optional[int] = ..., facts: _Optional[_Iterable[_Union[ShownFact, _Mapping]]] = ..., openings: _Optional[_Iterable[_Union[Opening, _Mapping]]] = ..., headers: _Optional[_Iterable[_Union[EarlierHeader, _Mapping]]] = ..., transactions: _Optional[_Iterable[_Union[ShownTransaction, _Mapping]]] = ..., profiles: _Optional[_Iterable[_Union[ProfileFound, _Mapping]]] = ..., set_changes: _Optional[_Iterable[_Union[_governance_pb2.SetChange, _Mapping]]] = ...) -> None: ...

class ReceiptQuestion(_message.Message):
    __slots__ = ("tin", "alias", "function", "direction", "transport_mode", "level", "as_of", "known_at_height", "known_at_time", "dispatch_economy", "declared_name", "declared_address", "recognising_economy", "dispatched_at", "accepted_at", "arrived_at", "released_at")
    TIN_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
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
    DISPATCHED_AT_FIELD_NUMBER: _ClassVar[int]
    ACCEPTED_AT_FIELD_NUMBER: _ClassVar[int]
    ARRIVED_AT_FIELD_NUMBER: _ClassVar[int]
    RELEASED_AT_FIELD_NUMBER: _ClassVar[int]
    tin: str
    alias: ReceiptAlias
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
    dispatched_at: int
    accepted_at: int
    arrived_at: int
    released_at: int
    def __init__(self, tin: _Optional[str] = ..., alias: _Optional[_Union[ReceiptAlias, _Mapping]] = ..., function: _Optional[str] = ..., direction: _Optional[_Union[_arrangement_pb2.Direction, str]] = ..., transport_mode: _Optional[int] = ..., level: _Optional[str] = ..., as_of: _Optional[int] = ..., known_at_height: _Optional[int] = ..., known_at_time: _Optional[int] = ..., dispatch_economy: _Optional[str] = ..., declared_name: _Optional[str] = ..., declared_address: _Optional[str] = ..., recognising_economy: _Optional[str] = ..., dispatched_at: _Optional[int] = ..., accepted_at: _Optional[int] = ..., arrived_at: _Optional[int] = ..., released_at: _Optional[int] = ...) -> None: ...

class ReceiptAlias(_message.Message):
    __slots__ = ("scheme", "value")
    SCHEME_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    scheme: str
    value: str
    def __init__(self, scheme: _Optional[str] = ..., value: _Optional[str] = ...) -> None: ...

class ShownFact(_message.Message):
    __slots__ = ("kind", "parts", "entries", "object", "map_proof")
    KIND_FIELD_NUMBER: _ClassVar[int]
    PARTS_FIELD_NUMBER: _ClassVar[int]
    ENTRIES_FIELD_NUMBER: _ClassVar[int]
    OBJECT_FIELD_NUMBER: _ClassVar[int]
    MAP_PROOF_FIELD_NUMBER: _ClassVar[int]
    kind: int
    parts: _containers.RepeatedScalarFieldContainer[bytes]
    entries: _containers.RepeatedCompositeFieldContainer[ShownEntry]
    object: bytes
    map_proof: bytes
    def __init__(self, kind: _Optional[int] = ..., parts: _Optional[_Iterable[bytes]] = ..., entries: _Optional[_Iterable[_Union[ShownEntry, _Mapping]]] = ..., object: _Optional[bytes] = ..., map_proof: _Optional[bytes] = ...) -> None: ...

class ShownEntry(_message.Message):
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

class Opening(_message.Message):
    __slots__ = ("arrangement_id", "epoch", "tin_mac", "alias")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    TIN_MAC_FIELD_NUMBER: _ClassVar[int]
    ALIAS_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    epoch: int
    tin_mac: bytes
    alias: bytes
    def __init__(self, arrangement_id: _Optional[bytes] = ..., epoch: _Optional[int] = ..., tin_mac: _Optional[bytes] = ..., alias: _Optional[bytes] = ...) -> None: ...

class EarlierHeader(_message.Message):
    __slots__ = ("header", "proof")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, header: _Optional[bytes] = ..., proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ShownTransaction(_message.Message):
    __slots__ = ("log_index", "transaction", "proof")
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    log_index: int
    transaction: bytes
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, log_index: _Optional[int] = ..., transaction: _Optional[bytes] = ..., proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class ProfileFound(_message.Message):
    __slots__ = ("commitment", "name_match")
    COMMITMENT_FIELD_NUMBER: _ClassVar[int]
    NAME_MATCH_FIELD_NUMBER: _ClassVar[int]
    commitment: bytes
    name_match: int
    def __init__(self, commitment: _Optional[bytes] = ..., name_match: _Optional[int] = ...) -> None: ...
