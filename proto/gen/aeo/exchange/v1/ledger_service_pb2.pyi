from aeo.exchange.v1 import status_service_pb2 as _status_service_pb2
from aeo.ledger.v1 import governance_pb2 as _governance_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GetSnapshotRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetSnapshotResponse(_message.Message):
    __slots__ = ("manifest", "header", "seal", "ancestor_proof", "changes")
    MANIFEST_FIELD_NUMBER: _ClassVar[int]
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    ANCESTOR_PROOF_FIELD_NUMBER: _ClassVar[int]
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    manifest: bytes
    header: bytes
    seal: bytes
    ancestor_proof: _containers.RepeatedScalarFieldContainer[bytes]
    changes: _containers.RepeatedCompositeFieldContainer[_governance_pb2.SetChange]
    def __init__(self, manifest: _Optional[bytes] = ..., header: _Optional[bytes] = ..., seal: _Optional[bytes] = ..., ancestor_proof: _Optional[_Iterable[bytes]] = ..., changes: _Optional[_Iterable[_Union[_governance_pb2.SetChange, _Mapping]]] = ...) -> None: ...

class GetSnapshotChunkRequest(_message.Message):
    __slots__ = ("height", "index")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    INDEX_FIELD_NUMBER: _ClassVar[int]
    height: int
    index: int
    def __init__(self, height: _Optional[int] = ..., index: _Optional[int] = ...) -> None: ...

class GetSnapshotChunkResponse(_message.Message):
    __slots__ = ("chunk",)
    CHUNK_FIELD_NUMBER: _ClassVar[int]
    chunk: bytes
    def __init__(self, chunk: _Optional[bytes] = ...) -> None: ...

class GetTrustChainRequest(_message.Message):
    __slots__ = ("signing_set_hash",)
    SIGNING_SET_HASH_FIELD_NUMBER: _ClassVar[int]
    signing_set_hash: bytes
    def __init__(self, signing_set_hash: _Optional[bytes] = ...) -> None: ...

class GetTrustChainResponse(_message.Message):
    __slots__ = ("changes",)
    CHANGES_FIELD_NUMBER: _ClassVar[int]
    changes: _containers.RepeatedCompositeFieldContainer[_governance_pb2.SetChange]
    def __init__(self, changes: _Optional[_Iterable[_Union[_governance_pb2.SetChange, _Mapping]]] = ...) -> None: ...

class ListEvidenceRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class ListEvidenceResponse(_message.Message):
    __slots__ = ("evidence",)
    EVIDENCE_FIELD_NUMBER: _ClassVar[int]
    evidence: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, evidence: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetNetworkRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class GetNetworkResponse(_message.Message):
    __slots__ = ("network_id", "genesis", "signing_sets", "hosted")
    NETWORK_ID_FIELD_NUMBER: _ClassVar[int]
    GENESIS_FIELD_NUMBER: _ClassVar[int]
    SIGNING_SETS_FIELD_NUMBER: _ClassVar[int]
    HOSTED_FIELD_NUMBER: _ClassVar[int]
    network_id: bytes
    genesis: bytes
    signing_sets: bytes
    hosted: _containers.RepeatedScalarFieldContainer[str]
    def __init__(self, network_id: _Optional[bytes] = ..., genesis: _Optional[bytes] = ..., signing_sets: _Optional[bytes] = ..., hosted: _Optional[_Iterable[str]] = ...) -> None: ...

class GetLatestRequest(_message.Message):
    __slots__ = ("anchor_height",)
    ANCHOR_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    anchor_height: int
    def __init__(self, anchor_height: _Optional[int] = ...) -> None: ...

class GetLatestResponse(_message.Message):
    __slots__ = ("header", "seal", "finality", "ancestor_proof")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    ANCESTOR_PROOF_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    seal: bytes
    finality: _status_service_pb2.Finality
    ancestor_proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, header: _Optional[bytes] = ..., seal: _Optional[bytes] = ..., finality: _Optional[_Union[_status_service_pb2.Finality, str]] = ..., ancestor_proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class GetHeaderRequest(_message.Message):
    __slots__ = ("height", "anchor_height")
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    ANCHOR_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    height: int
    anchor_height: int
    def __init__(self, height: _Optional[int] = ..., anchor_height: _Optional[int] = ...) -> None: ...

class GetHeaderResponse(_message.Message):
    __slots__ = ("header", "seal", "finality", "ancestor_proof")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    ANCESTOR_PROOF_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    seal: bytes
    finality: _status_service_pb2.Finality
    ancestor_proof: _containers.RepeatedScalarFieldContainer[bytes]
    def __init__(self, header: _Optional[bytes] = ..., seal: _Optional[bytes] = ..., finality: _Optional[_Union[_status_service_pb2.Finality, str]] = ..., ancestor_proof: _Optional[_Iterable[bytes]] = ...) -> None: ...

class StreamBlocksRequest(_message.Message):
    __slots__ = ("from_height", "stop_at_latest")
    FROM_HEIGHT_FIELD_NUMBER: _ClassVar[int]
    STOP_AT_LATEST_FIELD_NUMBER: _ClassVar[int]
    from_height: int
    stop_at_latest: bool
    def __init__(self, from_height: _Optional[int] = ..., stop_at_latest: _Optional[bool] = ...) -> None: ...

class StreamBlocksResponse(_message.Message):
    __slots__ = ("header", "transactions", "seal")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    TRANSACTIONS_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    transactions: _containers.RepeatedScalarFieldContainer[bytes]
    seal: bytes
    def __init__(self, header: _Optional[bytes] = ..., transactions: _Optional[_Iterable[bytes]] = ..., seal: _Optional[bytes] = ...) -> None: ...

class GetInclusionProofRequest(_message.Message):
    __slots__ = ("log_index", "log_size")
    LOG_INDEX_FIELD_NUMBER: _ClassVar[int]
    LOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    log_index: int
    log_size: int
    def __init__(self, log_index: _Optional[int] = ..., log_size: _Optional[int] = ...) -> None: ...

class GetInclusionProofResponse(_message.Message):
    __slots__ = ("transaction", "proof", "log_size")
    TRANSACTION_FIELD_NUMBER: _ClassVar[int]
    PROOF_FIELD_NUMBER: _ClassVar[int]
    LOG_SIZE_FIELD_NUMBER: _ClassVar[int]
    transaction: bytes
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    log_size: int
    def __init__(self, transaction: _Optional[bytes] = ..., proof: _Optional[_Iterable[bytes]] = ..., log_size: _Optional[int] = ...) -> None: ...

class GetConsistencyProofRequest(_message.Message):
    __slots__ = ("old_size", "new_size")
    OLD_SIZE_FIELD_NUMBER: _ClassVar[int]
    NEW_SIZE_FIELD_NUMBER: _ClassVar[int]
    old_size: int
    new_size: int
    def __init__(self, old_size: _Optional[int] = ..., new_size: _Optional[int] = ...) -> None: ...

class GetConsistencyProofResponse(_message.Message):
    __slots__ = ("proof", "new_size")
    PROOF_FIELD_NUMBER: _ClassVar[int]
    NEW_SIZE_FIELD_NUMBER: _ClassVar[int]
    proof: _containers.RepeatedScalarFieldContainer[bytes]
    new_size: int
    def __init__(self, proof: _Optional[_Iterable[bytes]] = ..., new_size: _Optional[int] = ...) -> None: ...

class GetStateProofRequest(_message.Message):
    __slots__ = ("key",)
    KEY_FIELD_NUMBER: _ClassVar[int]
    key: bytes
    def __init__(self, key: _Optional[bytes] = ...) -> None: ...

class GetStateProofResponse(_message.Message):
    __slots__ = ("header", "value", "map_proof")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    VALUE_FIELD_NUMBER: _ClassVar[int]
    MAP_PROOF_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    value: bytes
    map_proof: bytes
    def __init__(self, header: _Optional[bytes] = ..., value: _Optional[bytes] = ..., map_proof: _Optional[bytes] = ...) -> None: ...

class GetSealRequest(_message.Message):
    __slots__ = ("height",)
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    height: int
    def __init__(self, height: _Optional[int] = ...) -> None: ...

class GetSealResponse(_message.Message):
    __slots__ = ("seal", "finality")
    SEAL_FIELD_NUMBER: _ClassVar[int]
    FINALITY_FIELD_NUMBER: _ClassVar[int]
    seal: bytes
    finality: _status_service_pb2.Finality
    def __init__(self, seal: _Optional[bytes] = ..., finality: _Optional[_Union[_status_service_pb2.Finality, str]] = ...) -> None: ...
