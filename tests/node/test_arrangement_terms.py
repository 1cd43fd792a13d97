"""Amendments, starts, new keys and instructions over gRPC, and every refusal of them."""

import time
from collections.abc import Callable
from typing import Any

import grpc
import pytest

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import arrangement_pb2 as text_pb
from aeo.ledger.v1 import status_pb2
from node.node_world import GRANT, WAIT_S, agree, text_between
from service.node.node import Node

Call = Callable[[str, str], Any]


def refused(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def amend(caller: Any, shared: bytes, *parties: str, **fields: object) -> Any:
    request = pb.ArrangementServiceAmendRequest(
        arrangement_id=shared, text=text_between(*parties, **fields)
    )
    return caller.arrange("Amend", request).arrangement


def sign(caller: Any, shared: bytes, text_hash: bytes) -> Any:
    request = pb.ArrangementServiceSignRequest(arrangement_id=shared, text_hash=text_hash)
    return caller.arrange("Sign", request).arrangement


def start(caller: Any, shared: bytes, day: str) -> Any:
    request = pb.ArrangementServiceStartRequest(arrangement_id=shared, date=day)
    return caller.arrange("Start", request).arrangement


def open_epoch(caller: Any, shared: bytes) -> Any:
    request = pb.ArrangementServiceOpenEpochRequest(arrangement_id=shared)
    return caller.arrange("OpenEpoch", request).arrangement


def republish(caller: Any, shared: bytes, *named: tuple[str, str], complete: bool = False) -> Any:
    request = pb.ArrangementServiceRepublishRequest(
        arrangement_id=shared,
        certificates=[pb.NamedCertificate(tin=tin, certificate_number=one) for tin, one in named],
        complete=complete,
    )
    return caller.arrange("Republish", request)


def test_a_party_joins_by_amendment(node: Node, caller: Call) -> None:
    shared = agree(node, "HK", "NZ")
    officers = {economy: caller(economy, "officer") for economy in ("HK", "KR", "NZ")}
    waits = amend(officers["HK"], shared, "HK", "KR", "NZ")
    assert list(waits.text.parties) == ["HK", "NZ"]
    new = text_pb.ArrangementText.FromString(waits.amendment_bytes)
    assert list(new.parties) == ["HK", "KR", "NZ"]
    assert new.lookup_key_commitment == waits.text.lookup_key_commitment
    # Put again, it is the one that waits.
    height = node.state.height
    assert amend(officers["HK"], shared, "HK", "KR", "NZ").amendment_hash == waits.amendment_hash
    assert node.state.height == height
    assert node.hosted["KR"].keyring.key(shared) is None
    signed = sign(officers["KR"], shared, waits.amendment_hash)
    # Who joins has opened the key before it signs.
    assert node.hosted["KR"].keyring.key(shared) is not None
    assert [each.economy for each in signed.amendment_signatures] == ["KR"]
    sign(officers["HK"], shared, waits.amendment_hash)
    whole = sign(officers["NZ"], shared, waits.amendment_hash)
    assert list(whole.text.parties) == ["HK", "KR", "NZ"]
    assert (whole.text_hash, whole.amendment_bytes) == (waits.amendment_hash, b"")
    assert whole.text_bytes == waits.amendment_bytes
    assert whole.proposer == "HK"


def test_amendments_that_are_refused(node: Node, caller: Call) -> None:
    hk, nz, kr = (caller(economy, "officer") for economy in ("HK", "NZ", "KR"))
    request = pb.ArrangementServiceProposeRequest(
        text=text_between("HK", "NZ"), idempotency_key="k"
    )
    proposed = hk.arrange("Propose", request).arrangement.arrangement_id
    _, details = refused(lambda: amend(hk, proposed, "HK", "NZ", name="Other"))
    assert "every party has signed" in details
    shared = agree(node, "HK", "NZ")
    for fields, expected in (
        ({"name": ""}, "text"),
        ({"lookup_key_commitment": bytes(32)}, "text"),
    ):
        code, details = refused(lambda fields=fields: amend(hk, shared, "HK", "NZ", **fields))
        assert (code, details[:4]) == (grpc.StatusCode.INVALID_ARGUMENT, expected)
    code, details = refused(lambda: amend(kr, shared, "HK", "NZ", name="Other"))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "not a party" in details
    _, details = refused(lambda: amend(hk, shared, "HK", "NZ", "SG"))
    assert "PARTY_UNKNOWN" in details
    code, _ = refused(lambda: amend(hk, b"k" * 16, "HK", "NZ"))
    assert code is grpc.StatusCode.NOT_FOUND
    for role in ("risk-engine", "auditor", "node"):
        code, _ = refused(lambda role=role: amend(caller("HK", role), shared, "HK", "NZ", name="O"))
        assert code is grpc.StatusCode.PERMISSION_DENIED
    # A party that signs other bytes than those that wait.
    waits = amend(hk, shared, "HK", "NZ", name="Other")
    _, details = refused(lambda: sign(nz, shared, waits.text_hash))
    assert "another text" in details
    _, details = refused(lambda: sign(kr, shared, waits.amendment_hash))
    assert "not asked to sign" in details


def test_a_text_that_may_shut_out_small_operators_is_warned_of(node: Node, caller: Call) -> None:
    text = text_between("HK", "NZ")
    text.rules[0].levels.append("AEO-S")
    hk = caller("HK", "officer")
    request = pb.ArrangementServiceProposeRequest(text=text, idempotency_key="levels")
    (said,) = hk.arrange("Propose", request).warnings
    assert "small operators" in said
    shared = agree(node, "HK", "NZ")
    request = pb.ArrangementServiceAmendRequest(arrangement_id=shared, text=text)
    assert list(hk.arrange("Amend", request).warnings) == [said]
    request = pb.ArrangementServiceProposeRequest(
        text=text_between("HK", "NZ"), idempotency_key="any level"
    )
    assert not hk.arrange("Propose", request).warnings


def test_staged_starts(node: Node, caller: Call) -> None:
    hk, nz = caller("HK", "officer"), caller("NZ", "officer")
    request = pb.ArrangementServiceProposeRequest(
        text=text_between("HK", "NZ", staged_starts=True), idempotency_key="staged"
    )
    proposed = hk.arrange("Propose", request).arrangement
    shared = proposed.arrangement_id
    _, details = refused(lambda: start(hk, shared, "2019-01-01"))
    assert "every party has signed" in details
    for officer in (hk, nz):
        whole = sign(officer, shared, proposed.text_hash)
    # No rule runs for a party that has named no day.
    assert whole.state == pb.ARRANGEMENT_STATE_SIGNED
    began = start(hk, shared, "2026-10-01")
    days = {each.recognising: getattr(each, "from") for each in began.starts[0].starts}
    zones = {economy: node.state.membership.members[economy].time_zone for economy in ("HK", "NZ")}
    assert set(days) == {"HK", "NZ"}
    if zones["HK"] != zones["NZ"]:
        assert days["HK"] != days["NZ"]
    assert start(nz, shared, "2019-01-01").state == pb.ARRANGEMENT_STATE_IN_OPERATION
    for day in ("1 October", "20261001", "2026-13-01", ""):
        code, details = refused(lambda day=day: start(nz, shared, day))
        assert (code, details[:5]) == (grpc.StatusCode.INVALID_ARGUMENT, "date:")
    _, details = refused(lambda: start(nz, shared, "2030-01-01"))
    assert "START_HAS_BEGUN" in details
    _, details = refused(lambda: start(hk, agree(node, "HK", "NZ"), "2026-10-01"))
    assert "no staged starts" in details


def test_a_new_key_over_grpc(node: Node, caller: Call) -> None:
    shared = agree(node, "HK", "NZ")
    hk, nz = caller("HK", "officer"), caller("NZ", "officer")
    row = publishing.Submission(
        tin="HK1", certificate_number="1", terms=GRANT, valid_from=1_735_689_600_000
    )

    def publish(key: str, *rows: publishing.Submission) -> None:
        request = publishing.PublishRequest(
            idempotency_key=key, submissions=rows, arrangement_ids=[shared]
        )
        hk.approved(hk.publish("Publish", request))

    publish("one", row)
    _, details = refused(lambda: republish(hk, shared))
    assert "no epoch waits" in details
    opened = open_epoch(hk, shared)
    assert (opened.epoch, opened.pending_epoch) == (1, 2)
    _, details = refused(lambda: open_epoch(nz, shared))
    assert "waits already" in details
    said = republish(nz, shared, complete=True)
    assert list(said.arrangement.republished) == ["NZ"]
    code, details = refused(lambda: republish(hk, shared, complete=True))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "of 1 certificates 0 are named" in details
    code, details = refused(lambda: republish(hk, shared, ("H?", "1")))
    assert (code, "certificates[0]" in details) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    code, _ = refused(lambda: republish(hk, shared, *[("HK1", "1")] * 3_001))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    # What is published meanwhile names itself.
    other = publishing.Submission()
    other.CopyFrom(row)
    other.tin = "HK2"
    publish("two", other)
    suspended = publishing.ChangeStatusRequest(
        idempotency_key="three",
        tin="HK1",
        event=status_pb2.EVENT_SUSPEND,
        reason=status_pb2.PUBLIC_REASON_AUTHORITY,
        arrangement_ids=[shared],
    )
    hk.publish("ChangeStatus", suspended)
    deadline = time.monotonic() + WAIT_S
    said = republish(hk, shared, ("HK1", "1"))
    while said.copied < 2:
        assert time.monotonic() < deadline, said
        time.sleep(0.05)
        said = republish(hk, shared)
    assert (said.certificates, said.named, said.copied) == (2, 2, 2)
    done = republish(hk, shared, complete=True).arrangement
    assert (done.epoch, done.pending_epoch, list(done.republished)) == (2, 0, [])
    new = node.hosted["NZ"].keyring.key(shared)
    assert new.epoch == 2
    history = node.state.subject(shared, "HK", new.subject("HK1"))
    assert history[-1].record.terms.status == status_pb2.STATUS_SUSPENDED
    code, _ = refused(lambda: republish(caller("KR", "officer"), shared))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    code, _ = refused(lambda: republish(caller("HK", "risk-engine"), shared))
    assert code is grpc.StatusCode.PERMISSION_DENIED


def test_records_under_an_arrangement_that_takes_none(node: Node, caller: Call) -> None:
    """Not signed by all, ended, not the publisher's: refused with a reason of its own each."""
    hk = caller("HK", "officer")
    row = publishing.Submission(
        tin="HK1", certificate_number="1", terms=GRANT, valid_from=1_735_689_600_000
    )

    def code(key: str, shared: bytes) -> str:
        request = publishing.PublishRequest(
            idempotency_key=key, submissions=[row], arrangement_ids=[shared]
        )
        return str(hk.publish("Publish", request).rows[0].code)

    request = pb.ArrangementServiceProposeRequest(
        text=text_between("HK", "NZ"), idempotency_key="k"
    )
    unsigned = hk.arrange("Propose", request).arrangement.arrangement_id
    assert code("a", unsigned) == "ARRANGEMENT_NOT_SIGNED"
    assert code("b", agree(node, "KR", "NZ")) == "NOT_A_PARTY"
    ended = agree(node, "HK", "KR")
    end = pb.ArrangementServiceEndRequest(arrangement_id=ended)
    hk.arrange("End", end)
    assert code("c", ended) == "ARRANGEMENT_HAS_ENDED"
    assert code("d", b"k" * 16) == "ARRANGEMENT_UNKNOWN"


def test_instructions(node: Node, caller: Call) -> None:
    nz = caller("NZ", "officer")
    given = pb.HandlingInstruction(
        code=text_pb.BENEFIT_CODE_PRIORITY_INSPECTION, text="Counter 3, before the others"
    )
    request = pb.ArrangementServiceSetInstructionsRequest(instructions=[given])
    nz.arrange("SetInstructions", request)
    asked = pb.ArrangementServiceGetInstructionsRequest()
    assert list(caller("NZ", "border-officer").arrange("GetInstructions", asked).instructions) == [
        given
    ]
    assert not caller("HK", "officer").arrange("GetInstructions", asked).instructions
    assert node.hosted["NZ"].home.instructions() == {given.code: given.text}
    for bad, field in (
        (pb.HandlingInstruction(code=99, text="x"), "instructions[0].code"),
        (pb.HandlingInstruction(text="x"), "instructions[0].code"),
        (pb.HandlingInstruction(code=1, text="x" * 2_001), "instructions[0].text"),
    ):
        request = pb.ArrangementServiceSetInstructionsRequest(instructions=[bad])
        code, details = refused(lambda request=request: nz.arrange("SetInstructions", request))
        assert (code, details.startswith(field)) == (grpc.StatusCode.INVALID_ARGUMENT, True)
    taken_back = pb.HandlingInstruction(code=given.code)
    nz.arrange(
        "SetInstructions", pb.ArrangementServiceSetInstructionsRequest(instructions=[taken_back])
    )
    assert not nz.arrange("GetInstructions", asked).instructions
