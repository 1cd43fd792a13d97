"""Ways around two persons, around the access log, and into the node's own log."""

import io
from collections.abc import Iterator
from pathlib import Path

import pytest

from aeo.exchange.v1 import profile_service_pb2, status_service_pb2
from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1.profile_service_pb2_grpc import ProfileServiceStub
from aeo.exchange.v1.status_service_pb2_grpc import StatusServiceStub
from aeo.ledger.v1 import status_pb2
from client.conftest import Exchange, begin, row
from node.node_world import text_between
from service.client import AccessLogClient, ClientError, Denied, Invalid, Pending, PublishingClient
from service.logs import set_up_logs
from service.node.arrangements.amending import amend
from service.store.home.access_log import check_file
from service.store.home.profiles import PartnerProfile, Wanted

REVOKED = status_pb2.STATUS_REVOKED
SHARE_AGAIN = status_pb2.EVENT_SHARE_AGAIN


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    made = begin(tmp_path_factory.mktemp("around"))
    yield made
    made.stop()


def change(made: Exchange, tin: str, event: int, key: str, **fields: object) -> object:
    request = publishing.ChangeStatusRequest(idempotency_key=key, tin=tin, event=event, **fields)
    with made.connection("HK", "officer") as connection:
        return PublishingClient(connection).change_status(request)


def hide(made: Exchange, tin: str, key: str) -> None:
    """End sharing, which an officer may, and wait for it."""
    answer = change(made, tin, status_pb2.EVENT_END_SHARING, key)
    with made.connection("HK", "officer") as connection:
        for publication in PublishingClient(connection).watch(answer.publication_id):
            if publication.state >= publishing.PUBLICATION_STATE_SEALED:
                return


def test_nobody_alone_revokes_by_sharing_again(made: Exchange) -> None:
    """Or lifts a revocation: END_SHARING, then SHARE_AGAIN with whatever status."""
    made.publish("a", row("HK501"), row("HK502"))
    hide(made, "HK501", "b")
    hide(made, "HK502", "c")
    stated = change(made, "HK501", SHARE_AGAIN, "d", status=REVOKED)
    assert isinstance(stated, Pending)
    assert "REVOKED" in stated.step.summary
    terms = status_pb2.StatusTerms(event=SHARE_AGAIN, status=REVOKED)
    with made.connection("HK", "officer") as connection:
        published = PublishingClient(connection).publish("e", [row("HK502", terms=terms)])
    assert isinstance(published, Pending)
    # As it was before takes one.
    assert not isinstance(change(made, "HK501", SHARE_AGAIN, "f"), Pending)


LONG = "x" * (1 << 21)


def check(made: Exchange) -> None:
    """The log can be read and verified."""
    member = made.node.hosted["NZ"]
    assert member.access_log.flush()
    assert not member.access_log.lost
    with made.connection("NZ", "auditor") as connection:
        entries = list(AccessLogClient(connection).entries())
    assert max(len(each.purpose) for each in entries) <= 512
    check_file(member.home.path)


def test_a_long_purpose_does_not_break_the_access_log(made: Exchange) -> None:
    one = status_service_pb2.LookupRequest(
        tin="HK1", function="EX", direction=1, transport_mode=1, purpose=LONG
    )
    batch = status_service_pb2.BatchLookupRequest(requests=[one])
    with made.connection("NZ", "agency") as connection:
        answer = connection.call(StatusServiceStub(connection.channel).BatchLookup, batch)
        assert [each.field for each in answer.problems] == ["purpose"]
    check(made)
    with made.connection("NZ", "risk-engine") as connection:
        watch = status_service_pb2.WatchRequest(tins=["HK1"], purpose=LONG)
        with pytest.raises(Invalid, match="purpose"):
            next(connection.stream(StatusServiceStub(connection.channel).Watch, watch))
    check(made)
    with made.connection("NZ", "officer") as connection:
        asked = profile_service_pb2.ProfileServiceGetRequest(tin="HK1", purpose=LONG)
        connection.call(ProfileServiceStub(connection.channel).Get, asked)
    check(made)


def test_no_number_enters_the_nodes_log(made: Exchange, tmp_path: Path) -> None:
    out = io.StringIO()
    set_up_logs("DEBUG", out)
    try:
        for tin, event in (
            ("HK77777777é", status_pb2.EVENT_REVOKE),
            ("HK88888888?", status_pb2.EVENT_REVOKE),
            ("HK99999999", 0),
        ):
            with pytest.raises(ClientError):
                change(made, tin, event, tin)
    finally:
        set_up_logs("INFO")
    logged = out.getvalue()
    assert "refused" in logged
    for number in ("77777777", "88888888", "99999999"):
        assert number not in logged


def test_who_left_may_still_have_its_own_erased(made: Exchange) -> None:
    """And nothing else: it fetches no more, and of others' profiles it erases none."""
    node = made.node
    shared = made.agree(text_between("HK", "NZ", "SG"), "three")
    amend(node.hosted["HK"].agreements, node.state, shared, text_between("HK", "NZ"), 10)
    text_hash = node.state.arrangement(shared).amendment.text.text_hash
    for party in ("HK", "NZ", "SG"):
        node.hosted[party].agreements.sign(shared, text_hash, 10)
    hk = node.hosted["HK"].home.profiles
    kept = [Wanted(bytes([number]) * 32, shared, of) for number, of in ((1, "SG"), (2, "NZ"))]
    hk.want(kept, 1)
    hk.keep([PartnerProfile(each, "SG1", bytes(32), b"data") for each in kept], [], 0)
    named = {"arrangement_id": shared, "economy": "HK", "commitments": [bytes([1]) * 32]}
    with made.connection("SG", "node") as connection:
        stub = ProfileServiceStub(connection.channel)
        with pytest.raises(Denied):
            connection.call(stub.Fetch, profile_service_pb2.ProfileServiceFetchRequest(**named))
        named["commitments"] = [each.commitment for each in kept]
        told = connection.call(
            stub.NoticeErasure, profile_service_pb2.NoticeErasureRequest(**named)
        )
    assert list(told.commitments) == [bytes([1]) * 32]
    assert [hk.partner(each.commitment) for each in kept] == [None, b"data"]
