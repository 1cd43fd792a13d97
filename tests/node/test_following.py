"""ChangeStatus: every event on every status, what it keeps, and every refusal with its code."""

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import grpc
import pytest

from aeo.exchange.v1 import publishing_service_pb2 as pb
from aeo.ledger.v1 import status_pb2
from ledger.customs.status import Role, Scope, StatusRecord
from node.conftest import Caller
from node.node_world import DAY, GRANT, agree, make_network, wait_recorded
from service.api.approvals import SERVICE as APPROVALS
from service.api.approvals import ApprovalServicer
from service.api.four_eyes import ApprovalDesk
from service.api.listener import Listener, PlaintextLoopback
from service.api.metrics import Metrics
from service.api.publishing import SERVICE, PublishingServicer
from service.client.errors import read_error
from service.clock import OffsetClock, SystemClock
from service.node.node import Node
from service.node.publishing.following import LEADS_TO

FROM, TO = 1_735_689_600_000, 1_893_456_000_000
EXPORTS = status_pb2.SuspensionScope(roles=[status_pb2.CertifiedRole(code="EX")])

# The newest record's status, the event, the status that it leads to; - where it may not follow.
STEPS = """
           SUSPEND   REINSTATE REVOKE  WITHDRAW  END_SHARING SHARE_AGAIN ANNUL    REVERSE
CERTIFIED  SUSPENDED -         REVOKED WITHDRAWN NOT_SHARED  -           ANNULLED -
SUSPENDED  -         CERTIFIED REVOKED WITHDRAWN NOT_SHARED  -           ANNULLED CERTIFIED
REVOKED    -         -         -       -         NOT_SHARED  -           ANNULLED CERTIFIED
WITHDRAWN  -         -         -       -         NOT_SHARED  -           ANNULLED CERTIFIED
ANNULLED   -         -         -       -         -           -           ANNULLED CERTIFIED
NOT_SHARED -         -         -       -         -           CERTIFIED   ANNULLED -
"""
MADE_BY = {
    "SUSPENDED": "SUSPEND",
    "REVOKED": "REVOKE",
    "WITHDRAWN": "WITHDRAW",
    "ANNULLED": "ANNUL",
    "NOT_SHARED": "END_SHARING",
}


class World:
    """HK's approver and officer, one arrangement with NZ and one with KR, on a clock to turn."""

    def __init__(self, node: Node, clock: OffsetClock, channel: grpc.Channel) -> None:
        self.node, self.clock = node, clock
        self.shared = agree(node, "HK", "NZ")
        self.other = agree(node, "HK", "KR", key="second")
        self.approver = Caller(channel, "HK", "approver")
        self.officer = Caller(channel, "HK", "officer")
        self._calls = 0

    def key(self) -> str:
        self._calls += 1
        return f"call {self._calls}"

    def grant(self, *tins: str, numbers: tuple[str, ...] = ("1",), **fields: Any) -> None:
        """Certificates under the first arrangement, or those given."""
        given = {"valid_from": FROM, "valid_to": TO, "terms": GRANT} | fields
        rows = [
            pb.Submission(tin=tin, certificate_number=number, **given)
            for tin in tins
            for number in numbers
        ]
        ids = fields.get("arrangement_ids") or [self.shared]
        asked = pb.PublishRequest(idempotency_key=self.key(), submissions=rows, arrangement_ids=ids)
        answer = self.approver.approved(self.approver.publish("Publish", asked))
        assert wait_recorded(self.node, "HK", int(answer.publication_id)).refused == 0

    def change(self, tin: str, event: str, **fields: Any) -> list[str]:
        """The codes of the records made, or the row's own code."""
        asked = pb.ChangeStatusRequest(
            idempotency_key=self.key(), tin=tin, event=f"EVENT_{event}", **fields
        )
        try:
            answer = self.officer.approved(self.officer.publish("ChangeStatus", asked))
        except grpc.RpcError as error:
            if error.code() is not grpc.StatusCode.FAILED_PRECONDITION:
                raise
            # What nobody could approve is refused at once.
            return [read_error(error).reason]
        if answer.rows[0].code:
            return [answer.rows[0].code]
        done = wait_recorded(self.node, "HK", int(answer.publication_id))
        return [record.code for record in done.answers]

    def records(self, tin: str, arrangement: bytes | None = None) -> list[StatusRecord]:
        key = self.node.hosted["HK"].keyring.key(arrangement or self.shared)
        entries = self.node.state.subject(key.arrangement_id, "HK", key.subject(tin))
        return [entry.record for entry in entries]

    def newest(self, tin: str) -> StatusRecord:
        return self.records(tin)[-1]


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    clock = OffsetClock(SystemClock())
    folder: Path = tmp_path_factory.mktemp("following")
    with Node.start(make_network(folder, ("HK", "KR", "NZ")), clock) as node:
        desk = ApprovalDesk(node)
        listener = Listener("127.0.0.1:0", PlaintextLoopback(), Metrics(), guard=desk.guard)
        listener.register(APPROVALS, ApprovalServicer(desk).methods())
        listener.register(SERVICE, PublishingServicer(node).methods())
        with grpc.insecure_channel(f"127.0.0.1:{listener.start()}") as channel:
            yield World(node, clock, channel)
        listener.stop(1.0)


def steps() -> list[tuple[str, str, str]]:
    heading, *rows = [line.split() for line in STEPS.strip().splitlines()]
    return [(row[0], event, to) for row in rows for event, to in zip(heading, row[1:], strict=True)]


def test_the_table_has_every_event() -> None:
    assert {event for _, event, _ in steps()} == {
        status_pb2.Event.Name(event).removeprefix("EVENT_") for event in LEADS_TO
    }


def test_every_event_on_every_status(world: World) -> None:
    tins = {(held, event): f"HK{at:03}" for at, (held, event, _) in enumerate(steps())}
    world.grant(*tins.values())
    for (held, _), tin in tins.items():
        if held in MADE_BY:
            assert world.change(tin, MADE_BY[held]) == [""]
    for held, event, to in steps():
        tin = tins[held, event]
        before = world.newest(tin)
        said = world.change(tin, event)
        after = world.newest(tin)
        if to == "-":
            assert (said, after) == (["STEP_NOT_ALLOWED"], before), (held, event)
            continue
        assert said == [""], (held, event)
        assert status_pb2.Status.Name(after.terms.status) == f"STATUS_{to}", (held, event)
        kept = [(*each.terms.roles, each.terms.level, each.valid_to) for each in (before, after)]
        assert kept[0] == kept[1], "what the event does not change"


def test_sharing_again_states_what_was_shared(world: World) -> None:
    until = world.clock.now_ms() + 10 * DAY
    lapsing = {"lapses": True, "effective_to": until}
    held = {
        "HK201": {"scope": EXPORTS},
        "HK202": {"scope": EXPORTS, **lapsing},
        "HK203": {"effective_to": until},
    }
    world.grant(*held)
    for tin, fields in held.items():
        assert world.change(tin, "SUSPEND", **fields) == [""]
        suspended = world.newest(tin)
        assert world.change(tin, "END_SHARING") == [""]
        assert world.newest(tin).terms.scope is None
        assert world.change(tin, "SHARE_AGAIN") == [""]
        again = world.newest(tin)
        for name in ("status", "scope", "lapses", "roles", "level"):
            assert getattr(again.terms, name) == getattr(suspended.terms, name), (tin, name)
        assert again.effective_to == suspended.effective_to


def test_a_suspension_that_ended_while_nothing_was_shared(world: World) -> None:
    world.grant("HK211", "HK212")
    until = world.clock.now_ms() + DAY
    assert world.change("HK211", "SUSPEND", lapses=True, effective_to=until, scope=EXPORTS) == [""]
    assert world.change("HK212", "SUSPEND", effective_to=until) == [""]
    for tin in ("HK211", "HK212"):
        assert world.change(tin, "END_SHARING") == [""]
    # Said of a day to come, since the nodes of a test should not outrun the clock for good.
    later = {"effective_from": until + 1}
    assert world.change("HK211", "SHARE_AGAIN", **later) == [""]
    assert world.change("HK212", "SHARE_AGAIN", **later) == [""]
    lapsed, expected = world.newest("HK211"), world.newest("HK212")
    assert (lapsed.terms.status, lapsed.terms.scope, lapsed.effective_to) == (1, None, 0)
    assert (expected.terms.status, expected.effective_to) == (2, 0), "only a person lifts it"


def test_what_a_caller_may_say_of_the_outcome(world: World) -> None:
    world.grant("HK221", "HK222", "HK223")
    scope = {"scope": status_pb2.SuspensionScope(levels=["B", "A", "B"])}
    assert world.change("HK221", "SUSPEND", **scope, reason="PUBLIC_REASON_AUTHORITY") == [""]
    said = world.newest("HK221").terms
    assert (said.scope, said.reason) == (Scope(("A", "B")), status_pb2.PUBLIC_REASON_AUTHORITY)
    assert world.change("HK222", "REVOKE", reapply_after=TO) == [""]
    assert world.newest("HK222").reapply_after == TO
    assert world.change("HK222", "REVERSE", status="STATUS_SUSPENDED", **scope) == [""]
    said = world.newest("HK222").terms
    assert (said.status, said.scope) == (status_pb2.STATUS_SUSPENDED, Scope(("A", "B")))
    assert world.newest("HK222").reapply_after == 0
    assert world.change("HK223", "END_SHARING") == [""]
    assert world.change("HK223", "SHARE_AGAIN", status="STATUS_REVOKED") == [""]
    assert world.newest("HK223").terms.status == status_pb2.STATUS_REVOKED


def test_certificates_and_arrangements_of_one_trader(world: World) -> None:
    world.grant("HK231", numbers=("1", "2"), arrangement_ids=[world.shared, world.other])
    assert world.change("HK231", "WITHDRAW", certificate_number=" 1 ") == ["", ""]
    assert world.change("HK231", "SUSPEND", arrangement_ids=[world.other]) == [""]
    # The first has both withdrawn and running ones, the second withdrawn and suspended ones.
    assert world.change("HK231", "REVOKE") == ["", ""]
    for arrangement in (world.shared, world.other):
        newest = {
            each.certificate: each.terms.status for each in world.records("HK231", arrangement)
        }
        assert sorted(newest.values()) == [status_pb2.STATUS_REVOKED, status_pb2.STATUS_WITHDRAWN]
    assert world.records("HK231")[-1].terms.roles == (Role("EX"), Role("IM"))
    assert world.change("HK231", "REVOKE") == ["STEP_NOT_ALLOWED"]


@pytest.mark.parametrize(
    ("tin", "fields", "code"),
    [
        ("HK?", {}, "TIN_MALFORMED"),
        ("NZ1", {}, "TIN_NOT_OURS"),
        ("HK999", {}, "CERTIFICATE_UNKNOWN"),
        ("HK240", {"certificate_number": "9"}, "CERTIFICATE_UNKNOWN"),
        ("HK240", {"certificate_number": "9" * 257}, "CERTIFICATE_MALFORMED"),
        ("HK240", {"arrangement_ids": [bytes(16)]}, "ARRANGEMENT_UNKNOWN"),
        ("HK240", {"effective_from": 1}, "EFFECT_TOO_EARLY"),
        ("HK240", {"effective_from": 1 << 63}, "RECORD_MALFORMED"),
        ("HK240", {"effective_to": 1}, "RECORD_MALFORMED"),
        ("HK240", {"lapses": True}, "RECORD_MALFORMED"),
        ("HK240", {"reapply_after": TO}, "RECORD_MALFORMED"),
        ("HK240", {"scope": status_pb2.SuspensionScope()}, "RECORD_MALFORMED"),
        ("HK240", {"scope": status_pb2.SuspensionScope(levels=["\n"])}, "RECORD_MALFORMED"),
        ("HK240", {"reason": 99}, "RECORD_MALFORMED"),
    ],
)
def test_refusals(world: World, tin: str, fields: dict[str, Any], code: str) -> None:
    if not world.records("HK240"):
        world.grant("HK240")
    assert world.change(tin, "SUSPEND", **fields) == [code]
    assert len(world.records("HK240")) == 1


def test_a_certificate_that_has_run_out_is_not_reinstated(world: World) -> None:
    world.grant("HK250", valid_to=world.clock.now_ms() - DAY)
    assert world.change("HK250", "SUSPEND") == [""]
    assert world.change("HK250", "REINSTATE") == ["AFTER_VALID_TO"]


@pytest.mark.parametrize("event", ["UNSPECIFIED", "GRANT", "AMEND", "CORRECT"])
def test_events_that_state_something_new(world: World, event: str) -> None:
    with pytest.raises(grpc.RpcError) as caught:
        world.change("HK1", event)
    assert caught.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert caught.value.details().startswith("event: ")


def by(who: Caller, **fields: Any) -> Callable[[], Any]:
    asked = {"idempotency_key": "x", "tin": "HK1"} | fields
    return lambda: who.publish("ChangeStatus", pb.ChangeStatusRequest(**asked))


@pytest.mark.parametrize("event", ["REVOKE", "ANNUL", "REVERSE"])
def test_what_takes_two(world: World, event: str) -> None:
    tin = f"HK27{event}"
    world.grant(tin)
    if event == "REVERSE":
        assert world.change(tin, "SUSPEND") == [""]
    for who in (world.officer, world.approver):
        waiting = by(who, event=f"EVENT_{event}", tin=tin)()
        assert waiting.pending.summary.startswith(f"{event} every certificate of {tin}")
    assert len(world.records(tin)) == (2 if event == "REVERSE" else 1)


def test_the_same_call_twice(world: World) -> None:
    world.grant("HK260")
    asked = {"idempotency_key": "once", "tin": "HK260", "event": "EVENT_SUSPEND"}
    first, second = by(world.officer, **asked)(), by(world.officer, **asked)()
    assert first.publication_id == second.publication_id
    wait_recorded(world.node, "HK", int(first.publication_id))
    assert len(world.records("HK260")) == 2
    with pytest.raises(grpc.RpcError) as caught:
        by(world.officer, **asked | {"lapses": True})()
    assert caught.value.code() is grpc.StatusCode.ALREADY_EXISTS
