from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Genesis(_message.Message):
    __slots__ = ("network_name", "created_at", "pilot", "founders", "parameters")
    NETWORK_NAME_FIELD_NUMBER: _ClassVar[int]
    CREATED_AT_FIELD_NUMBER: _ClassVar[int]
    PILOT_FIELD_NUMBER: _ClassVar[int]
    FOUNDERS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    network_name: str
    created_at: int
    pilot: bool
    founders: _containers.RepeatedScalarFieldContainer[bytes]
    parameters: bytes
    def __init__(self, network_name: _Optional[str] = ..., created_at: _Optional[int] = ..., pilot: _Optional[bool] = ..., founders: _Optional[_Iterable[bytes]] = ..., parameters: _Optional[bytes] = ...) -> None: ...

class Parameters(_message.Message):
    __slots__ = ("heartbeat_interval", "default_staleness_limit", "trust_period", "rules_version", "max_block_transactions", "max_block_bytes")
    HEARTBEAT_INTERVAL_FIELD_NUMBER: _ClassVar[int]
    DEFAULT_STALENESS_LIMIT_FIELD_NUMBER: _ClassVar[int]
    TRUST_PERIOD_FIELD_NUMBER: _ClassVar[int]
    RULES_VERSION_FIELD_NUMBER: _ClassVar[int]
    MAX_BLOCK_TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    MAX_BLOCK_BYTES_FIELD_NUMBER: _ClassVar[int]
    heartbeat_interval: int
    default_staleness_limit: int
    trust_period: int
    rules_version: int
    max_block_transactions: int
    max_block_bytes: int
    def __init__(self, heartbeat_interval: _Optional[int] = ..., default_staleness_limit: _Optional[int] = ..., trust_period: _Optional[int] = ..., rules_version: _Optional[int] = ..., max_block_transactions: _Optional[int] = ..., max_block_bytes: _Optional[int] = ...) -> None: ...
