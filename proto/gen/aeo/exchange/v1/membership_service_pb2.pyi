from aeo.exchange.v1 import approval_service_pb2 as _approval_service_pb2
from aeo.ledger.v1 import governance_pb2 as _governance_pb2
from google.protobuf.internal import containers as _containers
from google.protobuf.internal import enum_type_wrapper as _enum_type_wrapper
from google.protobuf import descriptor as _descriptor
from google.protobuf import message as _message
from collections.abc import Iterable as _Iterable, Mapping as _Mapping
from typing import ClassVar as _ClassVar, Optional as _Optional, Union as _Union

DESCRIPTOR: _descriptor.FileDescriptor

class MemberState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    MEMBER_STATE_UNSPECIFIED: _ClassVar[MemberState]
    MEMBER_STATE_ACTIVE: _ClassVar[MemberState]
    MEMBER_STATE_SUSPENDED: _ClassVar[MemberState]
    MEMBER_STATE_REMOVED: _ClassVar[MemberState]

class ProposalState(int, metaclass=_enum_type_wrapper.EnumTypeWrapper):
    __slots__ = ()
    PROPOSAL_STATE_UNSPECIFIED: _ClassVar[ProposalState]
    PROPOSAL_STATE_OPEN: _ClassVar[ProposalState]
    PROPOSAL_STATE_ACCEPTED: _ClassVar[ProposalState]
    PROPOSAL_STATE_REFUSED: _ClassVar[ProposalState]
    PROPOSAL_STATE_CLOSED: _ClassVar[ProposalState]
MEMBER_STATE_UNSPECIFIED: MemberState
MEMBER_STATE_ACTIVE: MemberState
MEMBER_STATE_SUSPENDED: MemberState
MEMBER_STATE_REMOVED: MemberState
PROPOSAL_STATE_UNSPECIFIED: ProposalState
PROPOSAL_STATE_OPEN: ProposalState
PROPOSAL_STATE_ACCEPTED: ProposalState
PROPOSAL_STATE_REFUSED: ProposalState
PROPOSAL_STATE_CLOSED: ProposalState

class MembershipServiceListRequest(_message.Message):
    __slots__ = ()
    def __init__(self) -> None: ...

class MembershipServiceListResponse(_message.Message):
    __slots__ = ("members", "proposals", "height", "set_pending", "parameters", "proposals_left_out")
    MEMBERS_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    SET_PENDING_FIELD_NUMBER: _ClassVar[int]
    PARAMETERS_FIELD_NUMBER: _ClassVar[int]
    PROPOSALS_LEFT_OUT_FIELD_NUMBER: _ClassVar[int]
    members: _containers.RepeatedCompositeFieldContainer[Member]
    proposals: _containers.RepeatedCompositeFieldContainer[MemberProposal]
    height: int
    set_pending: bool
    parameters: bytes
    proposals_left_out: int
    def __init__(self, members: _Optional[_Iterable[_Union[Member, _Mapping]]] = ..., proposals: _Optional[_Iterable[_Union[MemberProposal, _Mapping]]] = ..., height: _Optional[int] = ..., set_pending: _Optional[bool] = ..., parameters: _Optional[bytes] = ..., proposals_left_out: _Optional[int] = ...) -> None: ...

class MembershipServiceGetRequest(_message.Message):
    __slots__ = ("economy",)
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    economy: str
    def __init__(self, economy: _Optional[str] = ...) -> None: ...

class MembershipServiceGetResponse(_message.Message):
    __slots__ = ("member",)
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    member: Member
    def __init__(self, member: _Optional[_Union[Member, _Mapping]] = ...) -> None: ...

class Member(_message.Message):
    __slots__ = ("economy", "name", "time_zone", "prefixes", "weight", "key_id", "endpoint", "state", "since", "old_key_seals", "registration")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    NAME_FIELD_NUMBER: _ClassVar[int]
    TIME_ZONE_FIELD_NUMBER: _ClassVar[int]
    PREFIXES_FIELD_NUMBER: _ClassVar[int]
    WEIGHT_FIELD_NUMBER: _ClassVar[int]
    KEY_ID_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    SINCE_FIELD_NUMBER: _ClassVar[int]
    OLD_KEY_SEALS_FIELD_NUMBER: _ClassVar[int]
    REGISTRATION_FIELD_NUMBER: _ClassVar[int]
    economy: str
    name: str
    time_zone: str
    prefixes: _containers.RepeatedScalarFieldContainer[str]
    weight: int
    key_id: bytes
    endpoint: str
    state: MemberState
    since: int
    old_key_seals: bool
    registration: bytes
    def __init__(self, economy: _Optional[str] = ..., name: _Optional[str] = ..., time_zone: _Optional[str] = ..., prefixes: _Optional[_Iterable[str]] = ..., weight: _Optional[int] = ..., key_id: _Optional[bytes] = ..., endpoint: _Optional[str] = ..., state: _Optional[_Union[MemberState, str]] = ..., since: _Optional[int] = ..., old_key_seals: _Optional[bool] = ..., registration: _Optional[bytes] = ...) -> None: ...

class MembershipServiceProposeRequest(_message.Message):
    __slots__ = ("proposal", "economy", "idempotency_key")
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    IDEMPOTENCY_KEY_FIELD_NUMBER: _ClassVar[int]
    proposal: _governance_pb2.Proposal
    economy: str
    idempotency_key: str
    def __init__(self, proposal: _Optional[_Union[_governance_pb2.Proposal, _Mapping]] = ..., economy: _Optional[str] = ..., idempotency_key: _Optional[str] = ...) -> None: ...

class MembershipServiceProposeResponse(_message.Message):
    __slots__ = ("proposal", "pending")
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    proposal: MemberProposal
    pending: _approval_service_pb2.PendingStep
    def __init__(self, proposal: _Optional[_Union[MemberProposal, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class MembershipServiceVoteRequest(_message.Message):
    __slots__ = ("proposal_id", "in_favour", "economy")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    IN_FAVOUR_FIELD_NUMBER: _ClassVar[int]
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    proposal_id: bytes
    in_favour: bool
    economy: str
    def __init__(self, proposal_id: _Optional[bytes] = ..., in_favour: _Optional[bool] = ..., economy: _Optional[str] = ...) -> None: ...

class MembershipServiceVoteResponse(_message.Message):
    __slots__ = ("proposal", "pending")
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    proposal: MemberProposal
    pending: _approval_service_pb2.PendingStep
    def __init__(self, proposal: _Optional[_Union[MemberProposal, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class MembershipServiceRotateKeyRequest(_message.Message):
    __slots__ = ("economy", "endpoint", "ca_certificate")
    ECONOMY_FIELD_NUMBER: _ClassVar[int]
    ENDPOINT_FIELD_NUMBER: _ClassVar[int]
    CA_CERTIFICATE_FIELD_NUMBER: _ClassVar[int]
    economy: str
    endpoint: str
    ca_certificate: bytes
    def __init__(self, economy: _Optional[str] = ..., endpoint: _Optional[str] = ..., ca_certificate: _Optional[bytes] = ...) -> None: ...

class MembershipServiceRotateKeyResponse(_message.Message):
    __slots__ = ("member", "pending")
    MEMBER_FIELD_NUMBER: _ClassVar[int]
    PENDING_FIELD_NUMBER: _ClassVar[int]
    member: Member
    pending: _approval_service_pb2.PendingStep
    def __init__(self, member: _Optional[_Union[Member, _Mapping]] = ..., pending: _Optional[_Union[_approval_service_pb2.PendingStep, _Mapping]] = ...) -> None: ...

class MemberProposal(_message.Message):
    __slots__ = ("proposal_id", "proposer", "proposal", "state", "in_favour", "against", "height")
    PROPOSAL_ID_FIELD_NUMBER: _ClassVar[int]
    PROPOSER_FIELD_NUMBER: _ClassVar[int]
    PROPOSAL_FIELD_NUMBER: _ClassVar[int]
    STATE_FIELD_NUMBER: _ClassVar[int]
    IN_FAVOUR_FIELD_NUMBER: _ClassVar[int]
    AGAINST_FIELD_NUMBER: _ClassVar[int]
    HEIGHT_FIELD_NUMBER: _ClassVar[int]
    proposal_id: bytes
    proposer: str
    proposal: _governance_pb2.Proposal
    state: ProposalState
    in_favour: _containers.RepeatedScalarFieldContainer[str]
    against: _containers.RepeatedScalarFieldContainer[str]
    height: int
    def __init__(self, proposal_id: _Optional[bytes] = ..., proposer: _Optional[str] = ..., proposal: _Optional[_Union[_governance_pb2.Proposal, _Mapping]] = ..., state: _Optional[_Union[ProposalState, str]] = ..., in_favour: _Optional[_Iterable[str]] = ..., against: _Optional[_Iterable[str]] = ..., height: _Optional[int] = ...) -> None: ...
