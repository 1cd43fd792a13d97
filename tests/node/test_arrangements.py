"""ArrangementService over gRPC: the life of a text, its lookup key, and every refused step."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from ledger.customs.subject import LookupKey
from node.node_world import DAY, agree, text_between
from service.clock import OffsetClock
from service.node.keys.keyring import Keyring, WrongLookupKey
from service.node.node import Node

Call = Callable[[str, str], Any]


def propose(caller: Any, *parties: str, key: str = "k", **fields: object) -> Any:
    request = pb.ArrangementServiceProposeRequest(
        text=text_between(*parties, **fields), idempotency_key=key
    )
    return caller.arrange("Propose", request).arrangement


def sign(caller: Any, arrangement: Any) -> Any:
    request = pb.ArrangementServiceSignRequest(
        arrangement_id=arrangement.arrangement_id, text_hash=arrangement.text_hash
    )
    return caller.arrange("Sign", request).arrangement


def step(caller: Any, name: str, arrangement: Any, effective_from: int = 0) -> Any:
    message = getattr(pb, f"ArrangementService{name}Request")
    request = message(arrangement_id=arrangement.arrangement_id, effective_from=effective_from)
    return caller.arrange(name, request).arrangement


def refusal(call: Callable[[], object]) -> tuple[grpc.StatusCode, str]:
    with pytest.raises(grpc.RpcError) as caught:
        call()
    return caught.value.code(), caught.value.details()


def test_the_life_of_an_arrangement(node: Node, caller: Call, clock: OffsetClock) -> None:
    hk, nz = caller("HK", "approver"), caller("NZ", "approver")
    proposed = propose(hk, "HK", "NZ", notice_days=30)
    assert (proposed.state, proposed.proposer) == (pb.ARRANGEMENT_STATE_NEGOTIATING, "HK")
    assert not proposed.signatures
    assert len(proposed.text.lookup_key_commitment) == 32
    assert sign(nz, proposed).state == pb.ARRANGEMENT_STATE_NEGOTIATING
    signed = sign(hk, proposed)
    assert signed.state == pb.ARRANGEMENT_STATE_IN_OPERATION
    assert [signature.economy for signature in signed.signatures] == ["NZ", "HK"]

    suspended = step(nz, "Suspend", proposed)
    assert (suspended.state, list(suspended.suspended_by)) == (
        pb.ARRANGEMENT_STATE_SUSPENDED,
        ["NZ"],
    )
    # Only who suspended resumes.
    code, details = refusal(lambda: step(hk, "Resume", proposed))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "NOT_SUSPENDED" in details
    assert step(nz, "Resume", proposed).state == pb.ARRANGEMENT_STATE_IN_OPERATION

    code, details = refusal(lambda: step(hk, "End", proposed))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert "NOTICE_TOO_SHORT" in details
    last_day = clock.now_ms() + 31 * DAY
    ended = step(hk, "End", proposed, last_day)
    assert (ended.state, ended.ended_from) == (pb.ARRANGEMENT_STATE_IN_OPERATION, last_day)
    clock.turn(32 * DAY)
    found = caller("NZ", "border-officer").arrange(
        "Get", pb.ArrangementServiceGetRequest(arrangement_id=proposed.arrangement_id)
    )
    assert found.arrangement.state == pb.ARRANGEMENT_STATE_ENDED
    assert found.arrangement.text_bytes == proposed.text_bytes


def test_a_proposal_is_made_once(node: Node, caller: Call) -> None:
    hk = caller("HK", "approver")
    first = propose(hk, "HK", "NZ", key="once")
    height = node.state.height
    again = propose(hk, "HK", "NZ", key="once")
    assert (again.arrangement_id, node.state.height) == (first.arrangement_id, height)
    other = propose(hk, "HK", "NZ", key="another")
    assert other.arrangement_id != first.arrangement_id
    code, _ = refusal(lambda: propose(hk, "HK", "NZ", key="once", name="Another text"))
    assert code is grpc.StatusCode.ALREADY_EXISTS


def test_a_text_that_nobody_may_propose(caller: Call) -> None:
    hk = caller("HK", "approver")
    code, _ = refusal(lambda: propose(hk, "KR", "NZ"))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    code, details = refusal(lambda: propose(hk, "HK", "NZ", name=""))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith("text")
    code, _ = refusal(lambda: propose(hk, "HK", "NZ", lookup_key_commitment=bytes(32)))
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    code, details = refusal(lambda: propose(hk, "HK", "SG"))
    assert (code, "PARTY_UNKNOWN" in details) == (grpc.StatusCode.FAILED_PRECONDITION, True)


def test_nobody_signs_another_text(node: Node, caller: Call) -> None:
    proposed = propose(caller("HK", "approver"), "HK", "NZ")
    height = node.state.height
    proposed.text_hash = bytes(32)
    code, _ = refusal(lambda: sign(caller("NZ", "approver"), proposed))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    code, _ = refusal(lambda: sign(caller("KR", "approver"), proposed))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert node.state.height == height


def test_nobody_signs_twice(caller: Call) -> None:
    hk = caller("HK", "approver")
    proposed = propose(hk, "HK", "NZ")
    sign(hk, proposed)
    code, details = refusal(lambda: sign(hk, proposed))
    assert (code, "ALREADY_SIGNED" in details) == (grpc.StatusCode.FAILED_PRECONDITION, True)


def test_a_wrong_lookup_key_is_not_signed_for(node: Node, caller: Call) -> None:
    proposed = propose(caller("HK", "approver"), "HK", "NZ")
    shared, commitment = proposed.arrangement_id, proposed.text.lookup_key_commitment
    theirs = node.hosted["NZ"].keyring
    with pytest.raises(WrongLookupKey):
        theirs.keep(shared, b"x" * 32, commitment)
    assert theirs.key(shared) is None
    # A key that came some other way and is wrong: the party opens it before it signs.
    node.hosted["NZ"].home.put_lookup_key(shared, 1, b"x" * 32)
    home = node.hosted["NZ"].home
    theirs._held = Keyring(home, node.network_id, lambda: node.state)._held
    height = node.state.height
    code, _ = refusal(lambda: sign(caller("NZ", "approver"), proposed))
    assert code is grpc.StatusCode.FAILED_PRECONDITION
    assert node.state.height == height


def test_the_key_passes_to_who_signs_and_no_further(node: Node) -> None:
    shared = agree(node, "HK", "NZ")
    ours, theirs = (node.hosted[economy].keyring.key(shared) for economy in ("HK", "NZ"))
    assert isinstance(ours, LookupKey)
    assert ours.key == theirs.key
    assert node.hosted["KR"].keyring.key(shared) is None
    assert ours.commitment == node.state.arrangement(shared).text.lookup_key_commitment
    assert node.hosted["NZ"].home.lookup_keys() == {(shared, 1): ours.key}


@pytest.mark.parametrize("role", ["risk-engine", "auditor", "node-admin"])
def test_steps_take_an_officer(caller: Call, role: str) -> None:
    code, _ = refusal(lambda: propose(caller("HK", role), "HK", "NZ"))
    assert code is grpc.StatusCode.PERMISSION_DENIED


def test_listing(node: Node, caller: Call) -> None:
    first, second = agree(node, "HK", "NZ"), agree(node, "HK", "KR", key="second")
    reader = caller("NZ", "auditor")

    def ids(party: str) -> list[bytes]:
        answer = reader.arrange("List", pb.ArrangementServiceListRequest(party=party))
        return [found.arrangement_id for found in answer.arrangements]

    assert ids("") == [first, second]
    assert ids("KR") == [second]
    assert ids("SG") == []
    code, _ = refusal(
        lambda: reader.arrange("Get", pb.ArrangementServiceGetRequest(arrangement_id=bytes(16)))
    )
    assert code is grpc.StatusCode.NOT_FOUND
