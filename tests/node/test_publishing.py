"""PublishingService over gRPC: every row answered, what was accepted recorded, rights respected."""

from collections.abc import Callable
from typing import Any

import grpc
import pytest

from aeo.exchange.v1 import publishing_service_pb2 as pb
from aeo.exchange.v1 import status_service_pb2 as exchange
from aeo.ledger.v1 import status_pb2
from node.node_world import DAY, GRANT, SUSPEND, agree, wait_recorded
from service.clock import OffsetClock
from service.node.node import Node

Call = Callable[[str, str], Any]
FROM, TO = 1_735_689_600_000, 1_893_456_000_000


def submission(tin: str, terms: status_pb2.StatusTerms = GRANT, **fields: object) -> pb.Submission:
    given: dict[str, Any] = {
        "tin": tin,
        "certificate_number": "AEO-1",
        "valid_from": FROM,
        "valid_to": TO,
        "terms": terms,
    }
    return pb.Submission(**(given | fields))


def terms(event: int, status: int, **fields: object) -> status_pb2.StatusTerms:
    return status_pb2.StatusTerms(event=event, status=status, level="AEO-S", **fields)


REVOKE = terms(status_pb2.EVENT_REVOKE, status_pb2.STATUS_REVOKED)


def refused(caught: pytest.ExceptionInfo[grpc.RpcError]) -> tuple[grpc.StatusCode, str]:
    return caught.value.code(), caught.value.details()


def test_a_publication_is_recorded_sealed_and_seen(node: Node, caller: Call) -> None:
    shared = agree(node, "HK", "NZ")
    officer = caller("HK", "officer")
    request = pb.PublishRequest(
        idempotency_key="list-1", submissions=[submission(f"HK{i:08}") for i in range(900)]
    )
    answer = officer.publish("Publish", request)
    assert (len(answer.rows), answer.prepared, answer.repeated_request) == (900, 900, False)
    assert not any(row.code for row in answer.rows)

    watch = pb.WatchPublicationRequest(publication_id=answer.publication_id)
    states, beaten = [], False
    for news in officer.publish("WatchPublication", watch):
        states.append(news.publication.state)
        if news.publication.state == pb.PUBLICATION_STATE_SEALED and not beaten:
            node.hosted["NZ"].publisher.heartbeat()
            beaten = True
        last = news.publication
    assert states == sorted(states)
    assert states[-1] == pb.PUBLICATION_STATE_SEALED
    assert last.finality == exchange.FINALITY_SEALED
    assert (last.records, last.recorded, last.refused) == (900, 900, 0)
    assert [answer.submission for answer in last.answers] == list(range(900))
    assert {answer.arrangement_id for answer in last.answers} == {shared}
    assert [ack.economy for ack in last.acknowledged_by] == ["NZ"]
    assert last.acknowledged_by[0].height >= last.height

    key = node.hosted["NZ"].keyring.key(shared)
    (entry,) = node.state.subject(shared, "HK", key.subject("HK00000007"))
    assert entry.record.certificate == key.certificate("AEO-1")
    assert (entry.record.valid_from, entry.record.valid_to) == (FROM, TO)
    place = last.answers[7]
    assert (entry.log_index, entry.position) == (place.log_index, place.position)


def test_every_bad_row_has_its_code_and_the_good_ones_stand(node: Node, caller: Call) -> None:
    shared, unsigned = agree(node, "HK", "NZ"), bytes(16)
    bad_level = status_pb2.StatusTerms()
    bad_level.CopyFrom(GRANT)
    bad_level.level = "a level"
    rows = [
        (submission("hk 1234-5678"), ""),
        (submission("HK?"), "TIN_MALFORMED"),
        (submission("NZ12345678"), "TIN_NOT_OURS"),
        (submission("XX12345678"), "TIN_NOT_OURS"),
        (submission("HK2", certificate_number="  "), "CERTIFICATE_MALFORMED"),
        (submission("HK2", certificate_number="x" * 300), "CERTIFICATE_MALFORMED"),
        (submission("HK3", terms=status_pb2.StatusTerms()), "TERMS_MALFORMED"),
        (submission("HK3", terms=bad_level), "TERMS_MALFORMED"),
        (submission("HK4", valid_to=FROM), "RECORD_MALFORMED"),
        (submission("HK4", effective_to=TO), "RECORD_MALFORMED"),
        (submission("HK4", reapply_after=TO), "RECORD_MALFORMED"),
        (submission("HK4", predecessor_tin="HK4", predecessor_kind=1), "RECORD_MALFORMED"),
        (submission("HK5", arrangement_ids=[unsigned]), "ARRANGEMENT_UNKNOWN"),
        (submission("HK6", valid_to=0), ""),
        (submission("HK7", predecessor_tin="HK6", predecessor_kind=1), ""),
    ]
    request = pb.PublishRequest(idempotency_key="mixed", submissions=[row for row, _ in rows])
    answer = caller("HK", "officer").publish("Publish", request)
    assert [row.code for row in answer.rows] == [code for _, code in rows]
    assert all(row.message for row in answer.rows if row.code)
    assert answer.prepared == 3
    done = wait_recorded(node, "HK", int(answer.publication_id))
    assert (done.records, done.refused) == (3, 0)
    assert [answer.submission for answer in done.answers] == [0, 13, 14]
    key = node.hosted["HK"].keyring.key(shared)
    assert node.state.subject(shared, "HK", key.subject("HK12345678"))
    assert node.state.successors(shared, "HK", key.subject("HK6"))


def test_what_the_state_machine_refuses_has_its_code(node: Node, caller: Call) -> None:
    agree(node, "HK", "NZ")
    officer = caller("HK", "officer")
    rows = [submission("HK1"), submission("HK1"), submission("HK2", SUSPEND)]
    answer = officer.publish("Publish", pb.PublishRequest(idempotency_key="k", submissions=rows))
    done = wait_recorded(node, "HK", int(answer.publication_id))
    codes = {answer.submission: answer.code for answer in done.answers}
    assert codes[0] == ""
    assert codes[1]
    assert codes[2]
    assert done.refused == 2


def test_an_idempotency_key(node: Node, caller: Call) -> None:
    agree(node, "HK", "NZ")
    officer = caller("HK", "officer")
    request = pb.PublishRequest(
        idempotency_key="once", submissions=[submission("HK1"), submission("??")]
    )
    first = officer.publish("Publish", request)
    again = officer.publish("Publish", request)
    assert again.repeated_request
    assert not first.repeated_request
    assert again.publication_id == first.publication_id
    assert (list(again.rows), again.prepared) == (list(first.rows), first.prepared)
    request.economy = "HK"  # the same thing, said
    assert officer.publish("Publish", request).repeated_request
    request.submissions[0].valid_to += 1
    with pytest.raises(grpc.RpcError) as caught:
        officer.publish("Publish", request)
    assert refused(caught)[0] is grpc.StatusCode.ALREADY_EXISTS
    done = wait_recorded(node, "HK", int(first.publication_id))
    assert (done.records, done.refused) == (1, 0)


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({"idempotency_key": ""}, "idempotency_key"),
        ({"idempotency_key": "k" * 65}, "idempotency_key"),
        ({"submissions": []}, "submissions"),
        ({"submissions": [submission("HK1")] * 3001}, "submissions"),
        ({"arrangement_ids": [b"short"]}, "arrangement_ids"),
    ],
)
def test_a_malformed_request(caller: Call, change: dict[str, Any], field: str) -> None:
    given = {"idempotency_key": "k", "submissions": [submission("HK1")]} | change
    with pytest.raises(grpc.RpcError) as caught:
        caller("HK", "officer").publish("Publish", pb.PublishRequest(**given))
    code, details = refused(caught)
    assert code is grpc.StatusCode.INVALID_ARGUMENT
    assert details.startswith(field)


def test_a_comparison_has_as_many_rows_as_a_publication(node: Node, caller: Call) -> None:
    agree(node, "HK", "NZ")
    officer, rows = caller("HK", "officer"), [submission("HK1")] * 3001
    assert len(officer.publish("Compare", pb.CompareRequest(submissions=rows[1:])).rows) == 3000
    for wrong in ([], rows):
        with pytest.raises(grpc.RpcError) as caught:
            officer.publish("Compare", pb.CompareRequest(submissions=wrong))
        code, details = refused(caught)
        assert code is grpc.StatusCode.INVALID_ARGUMENT
        assert details.startswith("submissions: 1 to 3000")


@pytest.mark.parametrize("role", ["risk-engine", "auditor", "node-admin", "node", "agency"])
def test_who_may_not_publish(caller: Call, role: str) -> None:
    request = pb.PublishRequest(idempotency_key="k", submissions=[submission("HK1")])
    with pytest.raises(grpc.RpcError) as caught:
        caller("HK", role).publish("Publish", request)
    assert refused(caught)[0] is grpc.StatusCode.PERMISSION_DENIED


def test_nobody_acts_for_another_economy(node: Node, caller: Call) -> None:
    request = pb.PublishRequest(idempotency_key="k", submissions=[submission("NZ1")], economy="NZ")
    with pytest.raises(grpc.RpcError) as caught:
        caller("HK", "officer").publish("Publish", request)
    assert refused(caught)[0] is grpc.StatusCode.PERMISSION_DENIED
    with pytest.raises(grpc.RpcError) as caught:
        caller("SG", "officer").publish("Publish", pb.PublishRequest(idempotency_key="k"))
    assert refused(caught)[0] is grpc.StatusCode.FAILED_PRECONDITION


def test_revocation_takes_two_persons(node: Node, caller: Call) -> None:
    agree(node, "HK", "NZ")
    rows = [submission("HK1"), submission("HK1", REVOKE)]
    request = pb.PublishRequest(idempotency_key="k", submissions=rows)
    approver = caller("HK", "approver")
    waiting = approver.publish("Publish", request)
    assert (waiting.pending.prepared_by, waiting.publication_id) == ("approver", "")
    assert "1 REVOKE" in waiting.pending.summary
    assert node.hosted["HK"].publications.page(10, None) == []
    answer = approver.approved(waiting)
    assert not answer.repeated_request
    assert wait_recorded(node, "HK", int(answer.publication_id)).refused == 0


def test_one_event_for_a_trader(node: Node, caller: Call) -> None:
    agree(node, "HK", "NZ")
    agree(node, "HK", "KR", key="second")
    officer = caller("HK", "officer")
    answer = officer.publish(
        "Publish", pb.PublishRequest(idempotency_key="k", submissions=[submission("HK1")])
    )
    assert wait_recorded(node, "HK", int(answer.publication_id)).records == 2
    change = pb.ChangeStatusRequest(
        idempotency_key="suspend", tin="HK1", event=status_pb2.EVENT_SUSPEND
    )
    answer = officer.publish("ChangeStatus", change)
    done = wait_recorded(node, "HK", int(answer.publication_id))
    assert (done.records, done.refused) == (2, 0)
    change = pb.ChangeStatusRequest(
        idempotency_key="revoke", tin="HK1", event=status_pb2.EVENT_REVOKE
    )
    answer = officer.approved(officer.publish("ChangeStatus", change))
    assert wait_recorded(node, "HK", int(answer.publication_id)).refused == 0


def test_compare_tells_what_publishing_would_change(node: Node, caller: Call) -> None:
    shared = agree(node, "HK", "NZ")
    officer = caller("HK", "officer")
    rows = [submission("HK1"), submission("HK2")]
    answer = officer.publish("Publish", pb.PublishRequest(idempotency_key="k", submissions=rows))
    wait_recorded(node, "HK", int(answer.publication_id))
    rows = [
        submission("HK1"),
        submission("HK2", SUSPEND),
        submission("HK3"),
        submission("NZ3"),
    ]
    found = officer.publish("Compare", pb.CompareRequest(submissions=rows)).rows
    events = [[change.event for change in row.changes] for row in found]
    assert events == [[0], [status_pb2.EVENT_SUSPEND], [status_pb2.EVENT_GRANT], []]
    assert found[3].answer.code == "TIN_NOT_OURS"
    assert found[1].changes[0].arrangement_id == shared
    assert found[1].changes[0].published.terms.event == status_pb2.EVENT_GRANT


def test_pages_of_publications(node: Node, caller: Call) -> None:
    agree(node, "HK", "NZ")
    officer = caller("HK", "officer")
    keys = [f"key-{i}" for i in range(5)]
    for i, key in enumerate(keys):
        officer.publish(
            "Publish", pb.PublishRequest(idempotency_key=key, submissions=[submission(f"HK{i}")])
        )
    seen: list[str] = []
    token = ""
    while True:
        page = officer.publish(
            "ListPublications", pb.ListPublicationsRequest(page_size=2, page_token=token)
        )
        seen += [found.idempotency_key for found in page.publications]
        assert not any(found.answers for found in page.publications)
        token = page.next_page_token
        if not token:
            break
    assert seen == keys[::-1]
    # Another member's publications are its own.
    mine = caller("NZ", "officer").publish("ListPublications", pb.ListPublicationsRequest())
    assert not mine.publications
    for wrong in ("99", "x", "-1", ""):
        with pytest.raises(grpc.RpcError) as caught:
            officer.publish("GetPublication", pb.GetPublicationRequest(publication_id=wrong))
        assert refused(caught)[0] is grpc.StatusCode.NOT_FOUND


def test_records_of_the_past_need_their_mark(node: Node, caller: Call, clock: OffsetClock) -> None:
    agree(node, "HK", "NZ")
    officer = caller("HK", "officer")
    month_ago = clock.now_ms() - 30 * DAY
    grant = submission("HK1", effective_from=month_ago)
    suspend = submission("HK1", SUSPEND, effective_from=month_ago)
    marked = status_pb2.StatusTerms()
    marked.CopyFrom(SUSPEND)
    marked.migrated = True
    rows = [grant, suspend, submission("HK1", marked, effective_from=month_ago)]
    answer = officer.publish("Publish", pb.PublishRequest(idempotency_key="k", submissions=rows))
    done = wait_recorded(node, "HK", int(answer.publication_id))
    assert [bool(answer.code) for answer in done.answers] == [False, True, False]
