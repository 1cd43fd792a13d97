from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Transaction(_message.Message):
    __slots__ = ("author", "key_id", "sequence", "verified_height", "verified_header_hash", "heartbeat", "statuses", "aliases", "arrangement", "governance", "report")
    AUTHOR_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    SEQUENCE_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    VERIFIED_HEADER_HASH_FIELD_NUMBER: _ClassVar[int]
    HEARTBEAT_FIELD_NUMBER: _ClassVar[int]
    STATUSES_FIELD_NUMBER: _ClassVar[int]
    ALIASES_FIELD_NUMBER: _ClassVar[int]
    ARRANGEMENT_FIELD_NUMBER: _ClassVar[int]
    GOVERNANCE_FIELD_NUMBER: _ClassVar[int]
    REPORT_FIELD_NUMBER: _ClassVar[int]
    author: str
    key_id: bytes
    sequence: int
    verified_height: int
    verified_header_hash: bytes
    heartbeat: Heartbeat
    statuses: StatusBatch
    aliases: AliasBatch
    arrangement: bytes
    governance: bytes
    report: bytes
    def __init__(self, author: _Optional[str] = ..., key_id: _Optional[bytes] = ..., sequence: _Optional[int] = ..., verified_height: _Optional[int] = ..., verified_header_hash: _Optional[bytes] = ..., heartbeat: _Optional[_Union[Heartbeat, _Mapping]] = ..., statuses: _Optional[_Union[StatusBatch, _Mapping]] = ..., aliases: _Optional[_Union[AliasBatch, _Mapping]] = ..., arrangement: _Optional[bytes] = ..., governance: _Optional[bytes] = ..., report: _Optional[bytes] = ...) -> None: ...

class Heartbeat(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class StatusBatch(_message.Message):
    __slots__ = ("arrangement_id", "records")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    records: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., records: _Optional[_Iterable[bytes]] = ...) -> None: ...

class AliasBatch(_message.Message):
    __slots__ = ("arrangement_id", "records")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    RECORDS_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    records: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, arrangement_id: _Optional[bytes] = ..., records: _Optional[_Iterable[bytes]] = ...) -> None: ...
