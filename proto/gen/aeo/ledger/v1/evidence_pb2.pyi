from aeo.ledger.v1 import governance_pb2 as _governance_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Evidence(_message.Message):
    __slots__ = ("genesis", "fork", "double_number", "set_changes")
    GENESIS_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    DOUBLE_NUMBER_FIELD_NUMBER: _ClassVar[int]
    SET_CHANGES_FIELD_NUMBER: _ClassVar[int]
    genesis: bytes
    fork: Fork
    double_number: DoubleNumber
    set_changes: _containers.RepeatedCompositeFieldContainer[_governance_pb2.SetChange]
    def __init__(self, genesis: _Optional[bytes] = ..., fork: _Optional[_Union[Fork, _Mapping]] = ..., double_number: _Optional[_Union[DoubleNumber, _Mapping]] = ..., set_changes: _Optional[_Iterable[_Union[_governance_pb2.SetChange, _Mapping]]] = ...) -> None: ...

class Fork(_message.Message):
    __slots__ = ("header", "seal", "other_header", "other_seal")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    OTHER_HEADER_FIELD_NUMBER: _ClassVar[int]
    OTHER_SEAL_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    seal: bytes
    other_header: bytes
    other_seal: bytes
    def __init__(self, header: _Optional[bytes] = ..., seal: _Optional[bytes] = ..., other_header: _Optional[bytes] = ..., other_seal: _Optional[bytes] = ...) -> None: ...

class DoubleNumber(_message.Message):
    __slots__ = ("transaction", "other_transaction")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    OTHER_TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    transaction: bytes
    other_transaction: bytes
    def __init__(self, transaction: _Optional[bytes] = ..., other_transaction: _Optional[bytes] = ...) -> None: ...
