from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetKeyringRequest(_message.Message):
    __slots__ = ("known_digest",)
    KNOWN_DIGEST_FIELD_NUMBER: _ClassVar[int]
    known_digest: bytes
    def __init__(self, known_digest: _Optional[bytes] = ...) -> None: ...

class GetKeyringResponse(_message.Message):
    __slots__ = ("economy", "network_id", "digest", "keys", "instructions")
    class InstructionsEntry(_message.Message):
        __slots__ = ("key", "value")
        KEY_FIELD_NUMBER: _ClassVar[int]
        VALUE_FIELD_NUMBER: _ClassVar[int]
        key: int
        value: str
        def __init__(self, key: _Optional[int] = ..., value: _Optional[str] = ...) -> None: ...
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    DIGEST_FIELD_NUMBER: _ClassVar[int]
    KEYS_FIELD_NUMBER: _ClassVar[int]
    INSTRUCTIONS_FIELD_NUMBER: _ClassVar[int]
    economy: str
    network_id: bytes
    digest: bytes
    keys: _containers.RepeatedCompositeFieldContainer[HeldLookupKey]
    instructions: _containers.ScalarMap[int, str]
    def __init__(self, economy: _Optional[str] = ..., network_id: _Optional[bytes] = ..., digest: _Optional[bytes] = ..., keys: _Optional[_Iterable[_Union[HeldLookupKey, _Mapping]]] = ..., instructions: _Optional[_Mapping[int, str]] = ...) -> None: ...

class HeldLookupKey(_message.Message):
    __slots__ = ("arrangement_id", "epoch", "key")
    ARRANGEMENT_ID_FIELD_NUMBER: _ClassVar[int]
    EPOCH_FIELD_NUMBER: _ClassVar[int]
    KEY_FIELD_NUMBER: _ClassVar[int]
    arrangement_id: bytes
    epoch: int
    key: bytes
    def __init__(self, arrangement_id: _Optional[bytes] = ..., epoch: _Optional[int] = ..., key: _Optional[bytes] = ...) -> None: ...
