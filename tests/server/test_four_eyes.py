"""Two persons, over gRPC: who may prepare, approve and reject, once, in time, and on record."""

import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import status_pb2
from client.conftest import Exchange, begin, row
from service.api.failures import Expired, Illegal, NotReady
from service.api.four_eyes import did_nothing
from service.api.listener import Listener, PlaintextLoopback
from service.api.metrics import Metrics
from service.api.publishing import SERVICE, PublishingServicer
from service.client import (
    AccessLogClient,
    ApprovalClient,
    ArrangementClient,
    ClientError,
    Conflict,
    Connection,
    Denied,
    Invalid,
    NoSuchThing,
    Pending,
    Plaintext,
    PublishingClient,
    taken,
)
from service.client.approvals import WaitsForApproval
from service.errors import StoreFull
from service.node.approvals import LIFE_MS
from service.store.home.approvals import StepState

REVOKE = status_pb2.EVENT_REVOKE


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    made = begin(tmp_path_factory.mktemp("four-eyes"))
    yield made
    made.stop()


@dataclass
class Person:
    """Somebody of an administration."""

    made: Exchange
    role: str
    name: str
    economy: str = "HK"

    @contextmanager
    def connected(self) -> Iterator[Connection]:
        who = Plaintext(self.economy, self.role, self.name)
        with Connection.open(self.made.address, who) as connection:
            yield connection

    def revoke(self, tin: str, key: str = "", event: int = REVOKE) -> Pending:
        request = publishing.ChangeStatusRequest(
            idempotency_key=key or f"{tin} {event}", tin=tin, event=event
        )
        with self.connected() as connection:
            waiting = PublishingClient(connection).change_status(request)
        assert isinstance(waiting, Pending)
        return waiting

    def approve(self, step_id: str) -> object:
        with self.connected() as connection:
            return ApprovalClient(connection).approve(step_id).response

    def reject(self, step_id: str, reason: str = "") -> object:
        with self.connected() as connection:
            return ApprovalClient(connection).reject(step_id, reason)

    def waiting(self) -> list[str]:
        with self.connected() as connection:
            return [each.step_id for each in ApprovalClient(connection).list()]


def people(made: Exchange) -> tuple[Person, Person, Person]:
    return (
        Person(made, "officer", "Wang"),
        Person(made, "approver", "Li"),
        Person(made, "approver", "Kim"),
    )


def reason_of(error: type[ClientError], call: object) -> str:
    with pytest.raises(error) as caught:
        call()
    return caught.value.reason


def records(made: Exchange, tin: str) -> int:
    key = made.node.hosted["HK"].keyring.key(made.shared)
    return len(made.node.state.subject(made.shared, "HK", key.subject(tin)))


def until(condition: object) -> None:
    for _ in range(500):
        if condition():
            return
        time.sleep(0.01)
    raise AssertionError("it did not come")


def test_one_prepares_and_another_approves(made: Exchange) -> None:
    wang, li, _ = people(made)
    made.publish("a", row("HK401"))
    waiting = wang.revoke("HK401")
    assert (waiting.step.prepared_by, waiting.step.economy) == ("Wang", "HK")
    assert waiting.step.summary.startswith("REVOKE every certificate of HK401")
    assert waiting.step.expires_at - waiting.step.prepared_at == LIFE_MS
    assert records(made, "HK401") == 1
    response = li.approve(waiting.step_id)
    assert [each.code for each in response.rows] == [""]
    until(lambda: records(made, "HK401") == 2)
    assert reason_of(Conflict, lambda: li.approve(waiting.step_id)) == "STEP_DECIDED"


def test_nobody_approves_their_own(made: Exchange) -> None:
    _, li, kim = people(made)
    made.publish("b", row("HK402"))
    waiting = li.revoke("HK402")
    for same in (li, Person(made, "approver", "LI")):
        assert reason_of(Denied, lambda same=same: same.approve(waiting.step_id)) == "SAME_PERSON"
    # Two certificates do not make two persons.
    both = Person(made, "officer", "kim").revoke("HK402", "other")
    assert reason_of(Denied, lambda: kim.approve(both.step_id)) == "SAME_PERSON"
    assert records(made, "HK402") == 1
    kim.approve(waiting.step_id)
    until(lambda: records(made, "HK402") == 2)
    # What it would do is judged again: the trader is revoked already.
    response = li.approve(both.step_id)
    assert [each.code for each in response.rows] == ["STEP_NOT_ALLOWED"]


def test_who_may_not(made: Exchange) -> None:
    wang, li, _ = people(made)
    made.publish("c", row("HK403"))
    step = wang.revoke("HK403").step_id
    assert reason_of(Denied, lambda: Person(made, "officer", "Zhao").approve(step)) == "ACCESS_ROLE"
    stranger = Person(made, "approver", "Smith", "NZ")
    assert reason_of(NoSuchThing, lambda: stranger.approve(step)) == "STEP"
    assert reason_of(NoSuchThing, lambda: stranger.reject(step)) == "STEP"
    assert step not in stranger.waiting()
    with stranger.connected() as connection:
        posing = ApprovalClient(connection, "HK")
        assert reason_of(Denied, lambda: posing.approve(step)) == "OTHER_ECONOMY"
    assert reason_of(NoSuchThing, lambda: li.approve("0" * 16)) == "STEP"
    assert reason_of(NoSuchThing, lambda: li.approve("x" * 5_000)) == "STEP"
    assert reason_of(Denied, lambda: Person(made, "officer", "Zhao").reject(step)) == "NOT_YOURS"
    li.reject(step)


def test_rejecting(made: Exchange) -> None:
    wang, li, kim = people(made)
    made.publish("d", row("HK404"))
    step = wang.revoke("HK404").step_id
    assert reason_of(Invalid, lambda: li.reject(step, "see HK404")) == "INVALID_FIELD"
    assert reason_of(Invalid, lambda: li.reject(step, "x" * 201)) == "INVALID_FIELD"
    assert step in li.waiting()
    li.reject(step, "the holder has appealed")
    assert step not in li.waiting()
    assert reason_of(Conflict, lambda: kim.approve(step)) == "STEP_DECIDED"
    assert reason_of(Conflict, lambda: kim.reject(step)) == "STEP_DECIDED"
    # Whoever prepared a step may take it back.
    mine = wang.revoke("HK404", "again").step_id
    wang.reject(mine)
    assert records(made, "HK404") == 1


def test_what_is_asked_is_shown_whole(made: Exchange) -> None:
    wang, li, _ = people(made)
    made.publish("e", row("HK405"))
    revoked = status_pb2.StatusTerms(event=REVOKE, status=status_pb2.STATUS_REVOKED)
    rows = [row("HK405", terms=revoked), row("HK406")]
    with wang.connected() as connection:
        waiting = PublishingClient(connection).publish("mixed", rows, [made.shared])
        with pytest.raises(WaitsForApproval):
            taken(waiting)
    # The whole request waits: the grant beside the revocation as well.
    assert records(made, "HK406") == 0
    assert "2 rows: 1 GRANT, 1 REVOKE" in waiting.step.summary
    assert "REVOKE HK405, certificate 1" in waiting.step.summary
    with li.connected() as connection:
        _, request = ApprovalClient(connection).get(waiting.step_id)
        assert [each.tin for each in request.submissions] == ["HK405", "HK406"]
        assert not any(each.request for each in ApprovalClient(connection).list())
        ApprovalClient(connection).complete(waiting)
    until(lambda: (records(made, "HK405"), records(made, "HK406")) == (2, 1))


def test_the_same_call_twice_is_one_step(made: Exchange) -> None:
    wang, li, _ = people(made)
    made.publish("f", row("HK407"))
    revoked = status_pb2.StatusTerms(event=REVOKE, status=status_pb2.STATUS_REVOKED)

    def ask() -> Pending:
        with wang.connected() as connection:
            rows = [row("HK407", terms=revoked)]
            return PublishingClient(connection).publish("twice", rows, [made.shared])

    first = ask()
    assert ask().step_id == first.step_id
    answer = li.approve(first.step_id)
    until(lambda: records(made, "HK407") == 2)
    # Prepared anew under its key and approved once more, it does nothing more.
    again = ask()
    assert again.step_id != first.step_id
    repeated = li.approve(again.step_id)
    assert (repeated.repeated_request, repeated.publication_id) == (True, answer.publication_id)
    assert records(made, "HK407") == 2


def test_two_approvers_at_once(made: Exchange) -> None:
    wang, li, kim = people(made)
    made.publish("g", *(row(f"HK41{n}") for n in range(5)))
    for n in range(5):
        step = wang.revoke(f"HK41{n}").step_id

        def approve(who: Person, step: str = step) -> str:
            try:
                who.approve(step)
            except Conflict as error:
                return error.reason
            return "taken"

        with ThreadPoolExecutor(2) as pool:
            assert sorted(pool.map(approve, (li, kim))) == ["STEP_DECIDED", "taken"]
        until(lambda n=n: records(made, f"HK41{n}") == 2)


def test_a_refused_step_waits_on(made: Exchange) -> None:
    wang, li, _ = people(made)
    with wang.connected() as connection, li.connected() as second:
        waiting = ArrangementClient(connection).resume(made.shared)
        approvals = ApprovalClient(second)
        assert reason_of(Conflict, lambda: approvals.complete(waiting)) == "NOT_SUSPENDED"
        # Nothing was done; the facts may change before somebody ends it.
        assert waiting.step_id in li.waiting()
        ArrangementClient(second).suspend(made.shared)
        assert list(approvals.complete(waiting).suspended_by) == []
    assert events(made, waiting.step_id)[1:] == [("refused", "Li"), ("approved", "Li")]


def test_a_step_expires(tmp_path: Path) -> None:
    made = begin(tmp_path)
    try:
        wang, li, _ = people(made)
        step = wang.revoke("HK1").step_id
        made.clock.turn(LIFE_MS - 60_000)
        assert step in li.waiting()
        made.clock.turn(60_000)
        assert reason_of(Conflict, lambda: li.approve(step)) == "STEP_EXPIRED"
        assert reason_of(Conflict, lambda: li.reject(step)) == "STEP_EXPIRED"
        assert li.waiting() == []
        store = made.node.hosted["HK"].home.approvals
        assert (store.find(step).state, store.request(step)) == (StepState.EXPIRED, None)
        assert events(made, step) == [("prepared", "Wang"), ("expired", "")]
    finally:
        made.stop()


def test_a_restart_keeps_what_waits(tmp_path: Path) -> None:
    made = begin(tmp_path)
    try:
        wang, li, _ = people(made)
        step, other = wang.revoke("HK1").step_id, wang.revoke("HK2").step_id
        # As if the node had ended while the second was being taken.
        assert made.node.hosted["HK"].home.approvals.claim(other, "Kim", made.clock.now_ms())
        made.restart()
        assert li.waiting() == [step, other]
        for each in (step, other):
            li.approve(each)
        until(lambda: (records(made, "HK1"), records(made, "HK2")) == (2, 3))
    finally:
        made.stop()


def test_all_of_it_is_in_the_access_log(made: Exchange) -> None:
    wang, li, kim = people(made)
    made.publish("h", row("HK420"), row("HK421"))
    first, second = wang.revoke("HK420").step_id, wang.revoke("HK421").step_id
    li.approve(first)
    kim.reject(second, "not yet")
    assert events(made, first) == [("prepared", "Wang"), ("approved", "Li")]
    assert events(made, second) == [("prepared", "Wang"), ("rejected", "Kim")]


def events(made: Exchange, step: str) -> list[tuple[str, str]]:
    with made.connection("HK", "auditor") as connection:
        found = AccessLogClient(connection).entries()
        return [(each.step_event, each.name) for each in found if each.step_id == step]


def test_what_may_have_been_done() -> None:
    assert did_nothing(Illegal("X", "refused"))
    assert did_nothing(StoreFull(Path("x")))
    for unknown in (Expired(), NotReady("stopping"), RuntimeError("a bug")):
        assert not did_nothing(unknown)


def test_a_listener_without_approvals_serves_none_of_it(made: Exchange) -> None:
    listener = Listener("127.0.0.1:0", PlaintextLoopback(), Metrics())
    with pytest.raises(ValueError, match="takes two persons"):
        listener.register(SERVICE, PublishingServicer(made.node).methods())
    listener.stop(0.0)
