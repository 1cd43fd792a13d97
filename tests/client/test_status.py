"""Look-ups through the client, the listener and the node."""

import io
import threading
import time
from datetime import UTC, datetime, timedelta
from pathlib import Path

import grpc
import pytest

from aeo.exchange.v1 import status_service_pb2 as pb
from aeo.exchange.v1.status_service_pb2_grpc import StatusServiceStub
from client.conftest import Exchange, row, suspend
from ledger.audit.receipt import parse_receipt
from ledger.chain.header import parse_header
from node.node_world import agree, make_network, text_between
from service.api.listener import PlaintextLoopback
from service.api.serving import ServingSettings, serve
from service.api.status import SEAL_WAIT_SECONDS, SERVICE
from service.client import (
    ArrangementClient,
    Denied,
    Invalid,
    NoSuchThing,
    Question,
    StatusClient,
    Unavailable,
)
from service.client.status import CaughtUp, Cursor, StatusNews
from service.client.verdicts import AliasOf, Outcome
from service.clock import OffsetClock, SystemClock
from service.logs import set_up_logs
from service.node.governance.sealer import HostedSealer
from service.node.node import Node

ASK = {"function": "EX", "direction": "IMPORT", "mode": 1}
ON_THE_WIRE = {"tin": "HK1", "function": "EX", "direction": 1, "transport_mode": 1}


def test_a_certified_trader(exchange: Exchange):
    with exchange.engine() as client:
        verdict = client.lookup("HK1", **ASK)
        assert verdict.recognised
        assert verdict.outcome is Outcome.RECOGNISED
        assert (verdict.reason, verdict.status, verdict.level) == ("NONE", "CERTIFIED", "AEO-S")
        assert (verdict.tin, verdict.issuing_economy) == ("HK1", "HK")
        assert verdict.valid_to == datetime(2030, 1, 1, tzinfo=UTC)
        assert verdict.finality == "SEALED"
        assert [each.arrangement_id for each in verdict.arrangements] == [exchange.shared]
        assert not verdict.verified


def test_the_answer_remembered_is_the_answer(exchange: Exchange):
    with exchange.engine() as client:
        first, second = (client.lookup("HK2", **ASK).message for _ in range(2))
        second.as_of = first.as_of
        assert second == first
        assert len(exchange.server.node.hosted) == 3


def test_an_unknown_trader_gets_a_verdict(exchange: Exchange):
    with exchange.engine() as client:
        assert client.lookup("HK999", **ASK).reason == "NO_RECORD"
        assert client.lookup("XX999", **ASK).reason == "ISSUER_UNKNOWN"
        assert client.lookup("?", **ASK).reason == "TIN_MALFORMED"
        assert client.lookup("SG1", **ASK).reason == "NO_ARRANGEMENT"
        forgiven = client.lookup(" hk-1 ", **ASK)
        assert forgiven.recognised
        assert forgiven.changes == ("TRIMMED", "UPPER_CASED", "SEPARATORS_DROPPED")
        alias = client.lookup(alias=AliasOf("NACCS", "1"), **ASK)
        assert alias.reason == "ALIAS_UNKNOWN"


def test_other_times(exchange: Exchange):
    with exchange.engine() as client:
        before = client.lookup("HK1", as_of=datetime(2024, 1, 1, tzinfo=UTC), **ASK)
        assert before.reason == "NOT_YET_VALID"
        unknown = client.lookup("HK1", known_at=1, **ASK)
        assert unknown.outcome is Outcome.NOT_RECOGNISED
        early = client.lookup("HK1", known_at=datetime(2020, 1, 1, tzinfo=UTC), **ASK)
        assert early.reason == "KNOWN_AT_BEFORE_GENESIS"


@pytest.mark.parametrize(
    ("fields", "field"),
    [
        ({"function": ""}, "function"),
        ({"function": "lower"}, "function"),
        ({"mode": 9}, "transport_mode"),
        ({"mode": 0}, "transport_mode"),
        ({"tin": "x" * 1000}, "tin"),
        ({"level": "\n"}, "level"),
        ({"dispatch_economy": "nz"}, "dispatch_economy"),
        ({"alias": AliasOf("", "1")}, "alias.scheme"),
        ({"alias": AliasOf("NACCS", " ")}, "alias.value"),
        ({"declared_name": "x" * 1000}, "declared_name"),
        ({"as_of": datetime(1969, 1, 1, tzinfo=UTC)}, "as_of"),
    ],
)
def test_a_malformed_question_names_its_field(exchange: Exchange, fields: dict, field: str):
    with exchange.engine() as client:
        with pytest.raises(Invalid) as error:
            client.ask(Question(**({"tin": "HK1", "function": "EX", "mode": 1} | fields)))
        assert error.value.field == field
        assert error.value.reason == "INVALID_FIELD"


def test_a_request_without_identifier_or_direction(exchange: Exchange):
    with exchange.engine() as client:
        for request, field in (
            (pb.LookupRequest(function="EX", direction=1, transport_mode=1), "identifier"),
            (pb.LookupRequest(tin="HK1", function="EX", transport_mode=1), "direction"),
            (pb.LookupRequest(known_at_height=1 << 63, **ON_THE_WIRE), "known_at_height"),
        ):
            with pytest.raises(Invalid) as error:
                client._connection.call(client._stub.Lookup, request)
            assert error.value.field == field


def test_bytes_that_are_no_request(exchange: Exchange):
    with exchange.connection("NZ") as connection:
        for name in ("Lookup", "BatchLookup", "GetHistory"):
            call = connection.channel.unary_unary(f"/aeo.exchange.v1.StatusService/{name}")
            with pytest.raises(Invalid):
                connection.call(call, b"\x0a\xff")


def test_whose_officer_asks(exchange: Exchange):
    with exchange.engine("SG") as client:
        assert client.lookup("HK1", **ASK).reason == "NO_ARRANGEMENT"
        assert client.lookup("HK1", recognising_economy="NZ", **ASK).recognised
        with pytest.raises(Denied):
            client.lookup("HK1", recognising_economy="JP", **ASK)
    with exchange.engine("JP") as client, pytest.raises(Denied) as error:
        client.lookup("HK1", **ASK)
    assert error.value.reason == "NOT_HOSTED"
    with StatusClient(exchange.connection("NZ", "officer")) as client, pytest.raises(Denied):
        client.lookup("HK1", **ASK)


def test_an_agency_says_why(exchange: Exchange):
    with StatusClient(exchange.connection("NZ", "agency")) as client:
        with pytest.raises(Invalid) as error:
            client.lookup("HK1", **ASK)
        assert error.value.field == "purpose"
        assert client.lookup("HK1", purpose="biosecurity", **ASK).recognised
        assert client.lookup_many([Question("HK1", **ASK)])[0].problem
        (said,) = client.lookup_many([Question("HK1", purpose="biosecurity", **ASK)])
        assert said.recognised
        for purpose in ("", " "):
            with pytest.raises(Invalid) as error:
                client.history("HK1", purpose=purpose)
            assert error.value.field == "purpose"
            with pytest.raises(Invalid) as error:
                next(client.watch(purpose=purpose))
            assert error.value.field == "purpose"
        assert client.history("HK1", purpose="biosecurity").tin == "HK1"
        assert isinstance(next(client.watch(purpose="biosecurity")), CaughtUp)


def test_home(exchange: Exchange):
    with exchange.engine("HK") as client:
        verdict = client.lookup("HK1", **ASK)
        assert verdict.recognised
        assert verdict.message.basis == 2


def test_a_batch_answers_for_every_row(exchange: Exchange):
    bad = Question("HK1", function="", mode=1)
    rows = [Question("HK1", **ASK), bad, Question("HK9", **ASK), Question("nobody!", **ASK)]
    with exchange.engine() as client:
        for _ in range(2):
            said = client.lookup_many(rows)
            assert [each.reason for each in said] == ["NONE", "", "NO_RECORD", "TIN_MALFORMED"]
            assert said[1].outcome is Outcome.NO_VERDICT
            assert "function" in said[1].problem
            assert [bool(each.problem) for each in said] == [False, True, False, False]
        alone = client.lookup("HK1", **ASK).message
        alone.as_of = said[0].message.as_of
        assert said[0].message == alone
        assert client.lookup_many([]) == []


def test_a_batch_has_at_most_3000_rows(exchange: Exchange):
    one = Question("HK1", **ASK).request()
    with exchange.engine() as client:
        said = client._connection.call(
            client._stub.BatchLookup, pb.BatchLookupRequest(requests=[one] * 3000)
        )
        assert len(said.verdicts) == 3000
        with pytest.raises(Invalid) as error:
            client._connection.call(
                client._stub.BatchLookup, pb.BatchLookupRequest(requests=[one] * 3001)
            )
        assert error.value.field == "requests"
        assert len(client.lookup_many([Question("HK1", **ASK)] * 3001)) == 3001


def test_a_stream_answers_in_order(exchange: Exchange):
    rows = [Question("HK1", **ASK), Question("HK1", function="", mode=1), Question("HK7", **ASK)]
    with exchange.engine() as client:
        said = list(client.lookup_stream(rows))
        assert [each.reason for each in said] == ["NONE", "", "NO_RECORD"]
        assert "function" in said[1].problem


def test_a_stream_answers_while_questions_still_come(exchange: Exchange):
    answered = threading.Event()

    def questions():
        yield Question("HK1", **ASK)
        assert answered.wait(10)
        yield Question("HK7", **ASK)

    with exchange.engine() as client:
        answers = client.lookup_stream(questions(), deadline=10)
        assert next(answers).recognised
        answered.set()
        assert next(answers).reason == "NO_RECORD"


def test_a_history(exchange: Exchange):
    with exchange.engine() as client:
        said = client.history("hk 2")
        assert (said.tin, said.issuing_economy) == ("HK2", "HK")
        (history,) = said.histories
        assert history.arrangement_id == exchange.shared
        assert [record.terms.event for record in history.records] == [1, 3]
        assert all(e.record.startswith(b"\x0a\x20" + history.subject) for e in history.entries)
        assert client.history("HK2", exchange.shared).histories == said.histories
        with pytest.raises(NoSuchThing):
            client.history("HK2", bytes(16))
        with pytest.raises(Invalid) as error:
            client.history("?")
        assert error.value.field == "tin"


def test_a_deadline_that_passes_is_unavailable(exchange: Exchange):
    with exchange.engine() as client:
        with pytest.raises(Unavailable):
            client.lookup("HK1", deadline=0.0, **ASK)
        # 3,000 questions not asked before take longer than two milliseconds.
        questions = [Question(f"HK5{n:08d}", **ASK) for n in range(3000)]
        with pytest.raises(Unavailable):
            client.lookup_many(questions, deadline=0.002)


def test_no_node_is_unavailable_and_nothing_else(own_exchange: Exchange):
    client = own_exchange.engine()
    assert client.lookup("HK1", **ASK).recognised
    own_exchange.stop()
    with pytest.raises(Unavailable):
        client.lookup("HK1", deadline=0.5, **ASK)
    with pytest.raises(Unavailable):
        client.lookup_many([Question("HK1", **ASK)], deadline=0.2)
    own_exchange.restart()
    assert client.lookup("HK1", deadline=10, **ASK).recognised


def test_a_suspension_is_seen_at_once(exchange: Exchange):
    exchange.publish("to suspend", row("HK20"), row("HK21"))
    with exchange.engine() as client:
        for _ in range(2):
            assert client.lookup("HK20", **ASK).recognised
            assert client.lookup("HK21", **ASK).recognised
        exchange.publish("suspends", suspend("HK20"))
        assert client.lookup("HK20", **ASK).reason == "SUSPENDED"
        assert client.lookup("HK21", **ASK).recognised


def test_news_from_the_beginning_and_as_they_come(exchange: Exchange):
    with exchange.engine() as client:
        news = client.watch(after=Cursor(0, 0), tins=["HK2", "HK30"])
        told = []
        while not isinstance(event := next(news), CaughtUp):
            told.append(event)
        mine = [each.record.terms.event for each in told if each.tin == "HK2"]
        assert mine == [1, 3]
        assert [each.cursor for each in told] == sorted({each.cursor for each in told})
        assert event.cursor is not None
        exchange.publish("news", row("HK30"), row("HK31"))
        seen = {}
        while len(seen) < 2:
            event = next(news)
            if isinstance(event, StatusNews):
                seen[event.tin] = event
        assert set(seen) == {"HK30", ""}
        assert seen["HK30"].issuer == "HK"
        news.close()


def test_only_registered(exchange: Exchange):
    with exchange.engine() as client:
        news = client.watch(after=Cursor(0, 0), tins=["HK2"], only_registered=True)
        told = []
        while not isinstance(event := next(news), CaughtUp):
            told.append(event.tin)
        assert told == ["HK2", "HK2"]
        news.close()


def test_who_is_not_a_party_hears_nothing(exchange: Exchange):
    with exchange.engine("SG") as client:
        news = client.watch(after=Cursor(0, 0))
        assert isinstance(next(news), CaughtUp)
        news.close()


def test_a_cursor_ahead_of_the_log(exchange: Exchange):
    with exchange.engine() as client, pytest.raises(Invalid) as error:
        next(client.watch(after=Cursor(10**9, 0)))
    assert error.value.field == "after"


def test_news_go_on_after_a_restart(own_exchange: Exchange):
    client = own_exchange.engine()
    news = client.watch(tins=["HK40", "HK41"])
    assert isinstance(next(news), CaughtUp)
    own_exchange.publish("one", row("HK40"))
    seen = []
    while len(seen) < 1:
        event = next(news)
        seen += [event.tin] if isinstance(event, StatusNews) else []
    own_exchange.restart()
    own_exchange.publish("two", row("HK41"))
    while len(seen) < 2:
        event = next(news)
        seen += [event.tin] if isinstance(event, StatusNews) else []
    assert seen == ["HK40", "HK41"]
    news.close()


def test_silence_makes_stale(own_exchange: Exchange):
    with own_exchange.engine() as client:
        assert client.lookup("HK1", **ASK).recognised
        own_exchange.clock.turn(int(timedelta(hours=3).total_seconds() * 1000))
        verdict = client.lookup("HK1", **ASK)
        assert verdict.outcome is Outcome.UNDETERMINED
        assert verdict.reason in {"ISSUER_STALE", "LEDGER_STALE"}


def test_no_tin_is_logged(own_exchange: Exchange):
    log = io.StringIO()
    set_up_logs(stream=log)
    try:
        with own_exchange.engine() as client:
            with pytest.raises(Invalid, match="two letters"):
                client.history("HK_4711")
            with pytest.raises(Invalid, match="two letters"):
                next(client.watch(tins=["HK_4711"]))
            assert client.lookup("HK_4711", **ASK).reason == "TIN_MALFORMED"
    finally:
        set_up_logs()
    assert log.getvalue().count("refused") == 2
    assert "4711" not in log.getvalue()


def test_a_strangers_draft_hides_no_history(own_exchange: Exchange):
    with own_exchange.connection("SG", "approver") as sg:
        made = ArrangementClient(sg).propose(text_between("HK", "SG"), "draft")
        drafted = own_exchange.approved("SG", made)
    with own_exchange.engine("HK") as client:
        (history,) = client.history("HK2").histories
        assert history.arrangement_id == own_exchange.shared
        with pytest.raises(NoSuchThing):
            client.history("HK2", drafted.arrangement_id)
        assert client.lookup("HK1", **ASK).recognised


def test_a_question_that_cannot_be_read_does_not_end_the_stream(exchange: Exchange):
    request = pb.LookupRequest(**ON_THE_WIRE)
    good = pb.StreamLookupRequest(request=request).SerializeToString()
    not_utf_8 = b"\x0a\x04\x0a\x02\xff\xfe"
    with grpc.insecure_channel(exchange.address) as channel:
        ask = channel.stream_stream(
            f"/{SERVICE}/StreamLookup", response_deserializer=pb.StreamLookupResponse.FromString
        )
        who = (("aeo-economy", "NZ"), ("aeo-access-role", "risk-engine"))
        answers = ask(iter([good, not_utf_8, b"\xff", good]), metadata=who, timeout=10)
        said = [answer.response for answer in answers]
    assert [each.problem.field for each in said] == ["", "request", "request", ""]
    assert [each.problem.index for each in said] == [0, 1, 2, 0]
    assert [each.verdict.tin for each in said] == ["HK1", "", "", "HK1"]


class StandingClock(OffsetClock):
    """Durations are zero: whoever waits for time to pass, waits for ever."""

    def monotonic_ns(self) -> int:
        return 1


def test_a_proof_without_a_writer_is_of_the_state_before(tmp_path: Path):
    def stop_at(step: str) -> None:
        if step == "seal:before" and armed.is_set():
            raise OSError("the disk is gone")

    armed = threading.Event()
    settings = make_network(tmp_path, ("HK", "NZ"))
    clock = StandingClock(SystemClock())
    with Node.start(settings, clock, on_step=stop_at) as node:
        agree(node, "HK", "NZ")
        armed.set()
        node.hosted["HK"].publisher.heartbeat().exception(10)
        while not node.feed.closed:
            node.feed.wait(node.feed.version, 0.1)
        assert node.newest_seal.height < node.state.height
        with serve(node, ServingSettings("127.0.0.1:0", PlaintextLoopback())) as server:
            who = (("aeo-economy", "NZ"), ("aeo-access-role", "risk-engine"))
            with grpc.insecure_channel(server.address) as channel:
                lookup = StatusServiceStub(channel).Lookup
                asked = pb.LookupRequest(include_proof=True, **ON_THE_WIRE)
                said = lookup(asked, metadata=who, timeout=5)
        newest = node.state.height
    assert said.finality == pb.FINALITY_SEALED
    assert said.proof.seal
    assert parse_header(said.proof.header).height == newest - 1


def test_what_is_proved_while_no_seal_comes_is_the_state_before(
    own_exchange: Exchange, monkeypatch: pytest.MonkeyPatch
):
    sealed = own_exchange.node.state.height
    with own_exchange.engine() as client:
        assert client.lookup("HK3", prove=True, **ASK).verified
        with monkeypatch.context() as away:
            away.setattr(HostedSealer, "seal", lambda *_: None)
            for number in range(3):
                own_exchange.node.hosted["HK"].publisher.heartbeat().result(10)
                began = time.monotonic()
                first = client.lookup("HK3", prove=True, **ASK)
                waited = time.monotonic() - began
                began = time.monotonic()
                again = client.lookup("HK3", prove=True, **ASK)
                assert waited >= SEAL_WAIT_SECONDS > time.monotonic() - began, "one waits for all"
                for verdict in (first, again):
                    assert verdict.verified
                    assert verdict.finality == "SEALED"
                    assert verdict.checked.height == sealed
                receipt = client.receipt(Question("HK3", **ASK))
                assert parse_header(parse_receipt(receipt).header).height == sealed
                assert own_exchange.node.state.height == sealed + number + 1
                assert client.lookup("HK3", **ASK).finality == "RECORDED"
        own_exchange.node.hosted["HK"].publisher.heartbeat().result(10)
        assert client.lookup("HK3", prove=True, **ASK).checked.height == sealed + 4


def test_nothing_is_proved_after_a_start_between_a_header_and_its_seal(
    own_exchange: Exchange, monkeypatch: pytest.MonkeyPatch
):
    with monkeypatch.context() as away:
        away.setattr(HostedSealer, "seal", lambda *_: None)
        own_exchange.node.hosted["HK"].publisher.heartbeat().result(10)
        own_exchange.restart()
        with own_exchange.engine() as client:
            unproved = client.lookup("HK3", **ASK)
            assert (unproved.recognised, unproved.finality) == (True, "RECORDED")
            for ask in (
                lambda: client.lookup("HK3", prove=True, deadline=2.0, **ASK),
                lambda: client.receipt(Question("HK3", **ASK), deadline=2.0),
            ):
                with pytest.raises(Unavailable) as error:
                    ask()
                assert error.value.reason == "NOT_SEALED"
            question = Question("HK3", **ASK).request(include_proof=True)
            streamed = pb.StreamLookupRequest(request=question)
            stub = StatusServiceStub(client._connection.channel)
            metadata = client._connection.metadata
            (said,) = stub.StreamLookup(iter([streamed]), timeout=10, metadata=metadata)
            assert "no seal yet" in said.response.problem.description
            assert not said.response.proof.header
    with own_exchange.engine() as client:
        own_exchange.node.hosted["HK"].publisher.heartbeat().result(10)
        assert client.lookup("HK3", prove=True, **ASK).verified


def test_what_the_ledger_refused_is_no_news(exchange: Exchange):
    # Two in one transaction: the second has no certificate to suspend.
    done = exchange.publish("half refused", row("HK60"), suspend("HK61"))
    assert (done.recorded, done.refused) == (2, 1)
    with exchange.engine() as client:
        news = client.watch(after=Cursor(0, 0), tins=["HK60", "HK61"], only_registered=True)
        told = []
        while not isinstance(event := next(news), CaughtUp):
            told.append(event.tin)
        assert told == ["HK60"]
        news.close()
