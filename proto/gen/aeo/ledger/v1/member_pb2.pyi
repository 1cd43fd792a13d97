from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable
from typing import ClassVar as _ClassVar, Optional as _Optional

DESCRIPTOR: _descriptor.FileDescriptor

class Registration(_message.Message):
    __slots__ = ("body", "proof_of_possession", "bls_signature", "ed25519_signature")
    BODY_FIELD_NUMBER: _ClassVar[int]
    PROOF_OF_POSSESSION_FIELD_NUMBER: _ClassVar[int]
    BLS_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    ED25519_SIGNATURE_FIELD_NUMBER: _ClassVar[int]
    body: bytes
    proof_of_possession: bytes
    bls_signature: bytes
    ed25519_signature: bytes
    def __init__(self, body: _Optional[bytes] = ..., proof_of_possession: _Optional[bytes] = ..., bls_signature: _Optional[bytes] = ..., ed25519_signature: _Optional[bytes] = ...) -> None: ...

class RegistrationBody(_message.Message):
    __slots__ = ("network_id", "economy", "name", "time_zone", "prefixes", "weight", "bls_public_key", "consensus_public_key", "ca_certificate", "endpoint")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    PREFIXES_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    BLS_PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    CONSENSUS_PUBLIC_KEY_FIELD_NUMBER: _ClassVar[int]
    CA_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    network_id: bytes
    economy: str
    name: str
    time_zone: str
    prefixes: _containers.RepeatedScalarFieldContainer[str]
    weight: int
    bls_public_key: bytes
    consensus_public_key: bytes
    ca_certificate: bytes
    endpoint: str
    def __init__(self, network_id: _Optional[bytes] = ..., economy: _Optional[str] = ..., name: _Optional[str] = ..., time_zone: _Optional[str] = ..., prefixes: _Optional[_Iterable[str]] = ..., weight: _Optional[int] = ..., bls_public_key: _Optional[bytes] = ..., consensus_public_key: _Optional[bytes] = ..., ca_certificate: _Optional[bytes] = ..., endpoint: _Optional[str] = ...) -> None: ...
