"""Who may call what: every method of every service against every access role; whom one acts for."""

from typing import Any

import grpc
import pytest

from aeo.exchange.v1 import (
    access_log_service_pb2,
    approval_service_pb2,
    arrangement_service_pb2,
    ledger_service_pb2,
    membership_service_pb2,
    publishing_service_pb2,
    replica_service_pb2,
    status_service_pb2,
)
from node.node_world import agree
from service.api.listener import PlaintextLoopback
from service.api.serving import ServingSettings, serve
from service.keys.spiffe import AccessRole
from service.node.node import Node

# + may call it; columns as in the domain's table of access roles.
TABLE = """
                                    risk  border agency officer approver auditor admin node replica
StatusService/Lookup                 +     +      +      .       .        .       .     .     .
StatusService/BatchLookup            +     +      +      .       .        .       .     .     .
StatusService/StreamLookup           +     +      +      .       .        .       .     .     .
StatusService/LookupSupplyChain      +     +      +      .       .        .       .     .     .
StatusService/GetHistory             +     +      +      .       .        .       .     .     .
StatusService/GetReceipt             +     +      +      .       .        .       .     .     .
StatusService/Watch                  +     +      +      .       .        .       .     .     .
PublishingService/Publish            .     .      .      +       +        .       .     .     .
PublishingService/ChangeStatus       .     .      .      +       +        .       .     .     .
PublishingService/PublishAliases     .     .      .      +       +        .       .     .     .
PublishingService/GetAlias           .     .      .      +       +        +       .     .     .
PublishingService/Compare            .     .      .      +       +        .       .     .     .
PublishingService/GetPublication     .     .      .      +       +        +       .     .     .
PublishingService/ListPublications   .     .      .      +       +        +       .     .     .
PublishingService/WatchPublication   .     .      .      +       +        +       .     .     .
ArrangementService/Propose           .     .      .      +       +        .       .     .     .
ArrangementService/Sign              .     .      .      +       +        .       .     .     .
ArrangementService/Suspend           .     .      .      .       +        .       .     .     .
ArrangementService/Resume            .     .      .      +       +        .       .     .     .
ArrangementService/End               .     .      .      +       +        .       .     .     .
ArrangementService/Amend             .     .      .      +       +        .       .     .     .
ArrangementService/Start             .     .      .      +       +        .       .     .     .
ArrangementService/OpenEpoch         .     .      .      +       +        .       .     .     .
ArrangementService/Republish         .     .      .      +       +        .       .     .     .
ArrangementService/FetchLookupKey    .     .      .      .       .        .       .     +     .
ArrangementService/SetInstructions   .     .      .      +       +        .       .     .     .
ArrangementService/GetInstructions   +     +      .      +       +        +       +     +     .
ArrangementService/Get               +     +      .      +       +        +       +     +     .
ArrangementService/List              +     +      .      +       +        +       +     +     .
AccessLogService/ListAccess          .     .      .      .       .        +       .     .     .
ApprovalService/ListPending          .     .      .      +       +        +       .     .     .
ApprovalService/Approve              .     .      .      .       +        .       .     .     .
ApprovalService/Reject               .     .      .      +       +        .       .     .     .
MembershipService/List               +     +      .      +       +        +       +     +     .
MembershipService/Get                +     +      .      +       +        +       +     +     .
MembershipService/Propose            .     .      .      +       +        .       .     .     .
MembershipService/Vote               .     .      .      +       +        .       .     .     .
MembershipService/RotateKey          .     .      .      +       +        .       .     .     .
LedgerService/GetNetwork             +     +      +      +       +        +       +     +     +
LedgerService/GetLatest              +     +      +      +       +        +       +     +     +
LedgerService/GetHeader              +     +      +      +       +        +       +     +     +
LedgerService/GetInclusionProof      +     +      +      +       +        +       +     +     +
LedgerService/GetConsistencyProof    +     +      +      +       +        +       +     +     +
LedgerService/GetStateProof          +     +      +      +       +        +       +     +     +
LedgerService/GetSeal                +     +      +      +       +        +       +     +     +
LedgerService/GetTrustChain          +     +      +      +       +        +       +     +     +
LedgerService/ListEvidence           +     +      +      +       +        +       +     +     +
LedgerService/StreamBlocks           +     +      +      +       +        +       +     +     +
LedgerService/GetSnapshot            +     +      +      +       +        +       +     +     +
LedgerService/GetSnapshotChunk       +     +      +      +       +        +       +     +     +
ReplicaService/GetKeyring            .     .      .      .       .        .       .     .     +
"""
ROLES = ("risk-engine", "border-officer", "agency", "officer")
ROLES += ("approver", "auditor", "node-admin", "node", "replica")
WRITING = {"PublishingService", "ArrangementService", "ApprovalService", "MembershipService"}
FILES = {
    "StatusService": status_service_pb2,
    "PublishingService": publishing_service_pb2,
    "AccessLogService": access_log_service_pb2,
    "ApprovalService": approval_service_pb2,
    "ArrangementService": arrangement_service_pb2,
    "LedgerService": ledger_service_pb2,
    "MembershipService": membership_service_pb2,
    "ReplicaService": replica_service_pb2,
}


def table() -> dict[str, dict[str, bool]]:
    _, *rows = [line.split() for line in TABLE.strip().splitlines()]
    return {
        row[0]: {role: mark == "+" for role, mark in zip(ROLES, row[1:], strict=True)}
        for row in rows
    }


def test_the_table_has_every_method_and_every_role() -> None:
    assert set(ROLES) == {role.value for role in AccessRole}
    assert set(table()) == {
        f"{name}/{method.name}"
        for name, file in FILES.items()
        for method in file.DESCRIPTOR.services_by_name[name].methods
    }


def call(channel: grpc.Channel, path: str, economy: str, role: str, request: bytes = b"") -> Any:
    """The status code of a call; OK as soon as an answer, or the stream, is there."""
    service, name = path.split("/")
    method = FILES[service].DESCRIPTOR.services_by_name[service].methods_by_name[name]
    given: dict[str, Any] = {
        "metadata": (("aeo-economy", economy), ("aeo-access-role", role)),
        "timeout": 0.3 if method.server_streaming else 10,
    }
    full = f"/aeo.exchange.v1.{path}"
    try:
        if method.client_streaming:
            list(channel.stream_stream(full)(iter([request]), **given))
        elif method.server_streaming:
            next(channel.unary_stream(full)(request, **given), None)
        else:
            channel.unary_unary(full)(request, **given)
    except grpc.RpcError as error:
        return error.code(), error.details()
    return grpc.StatusCode.OK, ""


@pytest.fixture
def channel(node: Node) -> Any:
    agree(node, "HK", "NZ")
    with (
        serve(node, ServingSettings("127.0.0.1:0", PlaintextLoopback())) as server,
        grpc.insecure_channel(server.address) as channel,
    ):
        yield channel


def test_every_method_for_every_role(channel: grpc.Channel) -> None:
    for path, rights in table().items():
        for role, may in rights.items():
            code, details = call(channel, path, "NZ", role)
            assert (code is grpc.StatusCode.PERMISSION_DENIED) is not may, (path, role, details)
            assert code not in {grpc.StatusCode.INTERNAL, grpc.StatusCode.UNKNOWN}, (path, details)


def test_nobody_writes_for_another_economy(node: Node, channel: grpc.Channel) -> None:
    shared = node.state.own_arrangements("NZ")[0]
    height = node.state.height
    for path in table():
        service, name = path.split("/")
        if service not in WRITING or name in {"Get", "List"}:
            continue
        method = FILES[service].DESCRIPTOR.services_by_name[service].methods_by_name[name]
        request = getattr(FILES[service], method.input_type.name)(economy="NZ")
        if "arrangement_id" in method.input_type.fields_by_name:
            request.arrangement_id = shared
        for caller in ("HK", "KR"):
            code, _ = call(channel, path, caller, "approver", request.SerializeToString())
            assert code is grpc.StatusCode.PERMISSION_DENIED, (path, caller)
    assert node.state.height == height


def test_who_is_not_hosted_gets_no_answer(channel: grpc.Channel) -> None:
    for path, rights in table().items():
        if path.startswith("LedgerService") or path.endswith(("Service/Get", "Service/List")):
            continue  # the chain, and the texts and members on it, are everyone's
        if path.endswith(("StreamLookup", "FetchLookupKey")):
            continue  # answers each question with its problem; is for nodes of elsewhere
        role = next(role for role, may in rights.items() if may)
        code, details = call(channel, path, "SG", role)
        wanted = {grpc.StatusCode.PERMISSION_DENIED, grpc.StatusCode.FAILED_PRECONDITION}
        assert code in wanted, (path, code, details)
