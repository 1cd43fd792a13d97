from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class Evidence(_message.Message):
    __slots__ = ("genesis", "fork")
    GENESIS_FIELD_NUMBER: _ClassVar[int]
    FORK_FIELD_NUMBER: _ClassVar[int]
    genesis: bytes
    fork: Fork
    def __init__(self, genesis: _Optional[bytes] = ..., fork: _Optional[_Union[Fork, _Mapping]] = ...) -> None: ...

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
