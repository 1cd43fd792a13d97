from google.protobuf.internal import containers as _containers
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class GovernanceStep(_message.Message):
    __slots__ = ("propose", "vote", "rotate_key", "hand_over")
    PROPOSE_FIELD_NUMBER: _ClassVar[int]
    VOTE_FIELD_NUMBER: _ClassVar[int]
    ROTATE_KEY_FIELD_NUMBER: _ClassVar[int]
    HAND_OVER_FIELD_NUMBER: _ClassVar[int]
    propose: bytes
    vote: Vote
    rotate_key: bytes
    hand_over: HandOver
    def __init__(self, propose: _Optional[bytes] = ..., vote: _Optional[_Union[Vote, _Mapping]] = ..., rotate_key: _Optional[bytes] = ..., hand_over: _Optional[_Union[HandOver, _Mapping]] = ...) -> None: ...

class Proposal(_message.Message):
    __slots__ = ("closes_at", "admit", "suspend", "reinstate", "remove", "weights", "parameters")
    CLOSES_AT_FIELD_NUMBER: _ClassVar[int]
    ADMIT_FIELD_NUMBER: _ClassVar[int]
    SUSPEND_FIELD_NUMBER: _ClassVar[int]
    REINSTATE_FIELD_NUMBER: _ClassVar[int]
    REMOVE_FIELD_NUMBER: _ClassVar[int]
    WEIGHTS_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    closes_at: int
    admit: bytes
    suspend: MemberSuspension
    reinstate: str
    remove: str
    weights: WeightChange
    parameters: bytes
    def __init__(self, closes_at: _Optional[int] = ..., admit: _Optional[bytes] = ..., suspend: _Optional[_Union[MemberSuspension, _Mapping]] = ..., reinstate: _Optional[str] = ..., remove: _Optional[str] = ..., weights: _Optional[_Union[WeightChange, _Mapping]] = ..., parameters: _Optional[bytes] = ...) -> None: ...

class MemberSuspension(_message.Message):
    __slots__ = ("economy", "key_id")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    economy: str
    key_id: bytes
    def __init__(self, economy: _Optional[str] = ..., key_id: _Optional[bytes] = ...) -> None: ...

class WeightChange(_message.Message):
    __slots__ = ("members",)
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[MemberWeight]
    def __init__(self, members: _Optional[_Iterable[_Union[MemberWeight, _Mapping]]] = ...) -> None: ...

class MemberWeight(_message.Message):
    __slots__ = ("economy", "weight")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    economy: str
    weight: int
    def __init__(self, economy: _Optional[str] = ..., weight: _Optional[int] = ...) -> None: ...

class Vote(_message.Message):
    __slots__ = ("proposal_id", "in_favour")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    IN_FAVOUR_FIELD_NUMBER: _ClassVar[int]
    proposal_id: bytes
    in_favour: bool
    def __init__(self, proposal_id: _Optional[bytes] = ..., in_favour: _Optional[bool] = ...) -> None: ...

class HandOver(_message.Message):
    __slots__ = ("header", "seal")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    seal: bytes
    def __init__(self, header: _Optional[bytes] = ..., seal: _Optional[bytes] = ...) -> None: ...

class SetChange(_message.Message):
    __slots__ = ("header", "seal", "signing_sets", "map_proof")
    HEADER_FIELD_NUMBER: _ClassVar[int]
    SEAL_FIELD_NUMBER: _ClassVar[int]
    SIGNING_SETS_FIELD_NUMBER: _ClassVar[int]
    MAP_PROOF_FIELD_NUMBER: _ClassVar[int]
    header: bytes
    seal: bytes
    signing_sets: bytes
    map_proof: bytes
    def __init__(self, header: _Optional[bytes] = ..., seal: _Optional[bytes] = ..., signing_sets: _Optional[bytes] = ..., map_proof: _Optional[bytes] = ...) -> None: ...
