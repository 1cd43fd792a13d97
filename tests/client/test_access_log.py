"""Who asked about whom is on record at home, keyed, chained, and nowhere in clear."""

import base64
import sqlite3
import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from aeo.exchange.v1 import access_log_service_pb2 as pb
from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1 import verdict_pb2
from aeo.exchange.v1.access_log_service_pb2_grpc import AccessLogServiceStub
from aeo.ledger.v1 import status_pb2
from client.conftest import Exchange, begin, row
from commands import run
from service.client import (
    AccessLogClient,
    ApprovalClient,
    Connection,
    Denied,
    Invalid,
    Plaintext,
    PublishingClient,
    Question,
    StatusClient,
)
from service.client.chain import ChainParty
from service.errors import StoreError
from service.store.home.access_log import check_file

ASK = {"function": "EX", "direction": "IMPORT", "mode": 1}


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    made = begin(tmp_path_factory.mktemp("access-log"))
    yield made
    made.stop()


def entries(made: Exchange, tin: str = "", economy: str = "NZ") -> list[pb.AccessEntry]:
    with made.connection(economy, "auditor") as connection:
        return list(AccessLogClient(connection).entries(tin=tin))


def newest(made: Exchange, method: str) -> pb.AccessEntry:
    return [each for each in entries(made) if each.method == method][-1]


def said(entry: pb.AccessEntry) -> list[tuple[str, str]]:
    return [
        (verdict_pb2.Outcome.Name(each.outcome)[8:], verdict_pb2.Reason.Name(each.reason)[7:])
        for each in entry.items
    ]


RECOGNISED = ("RECOGNISED", "NONE")
SUSPENDED = ("NOT_RECOGNISED", "SUSPENDED")
NO_RECORD = ("NOT_RECOGNISED", "NO_RECORD")
NOTHING = ("UNSPECIFIED", "UNSPECIFIED")


def subject(made: Exchange, tin: str) -> bytes:
    return made.node.hosted["NZ"].access_log.subject(tin)


def test_every_call_that_reveals_a_status(made: Exchange) -> None:
    with made.engine() as client:
        for tin in ("HK1", "hk 2", "HK1"):  # asked anew, not canonical, remembered
            client.lookup(tin, **ASK)
            entry = newest(made, "StatusService/Lookup")
            assert said(entry) == [SUSPENDED if "2" in tin else RECOGNISED]
            assert entry.items[0].subject == subject(made, tin.upper().replace(" ", ""))
        assert (entry.caller_economy, entry.access_role, entry.name) == (
            *("NZ", "risk-engine", "risk-engine"),
        )
        assert entry.height == made.node.state.height
        assert abs(entry.time - made.clock.now_ms()) < 10_000

        batch = [Question(tin, **ASK) for tin in ("HK1", "HK2", "HK777", "HK1")]
        for _ in range(2):
            list(client.lookup_many([*batch, Question("HK3", "EX", "IMPORT", 9)]))
            entry = newest(made, "StatusService/BatchLookup")
            assert said(entry) == [RECOGNISED, SUSPENDED, NO_RECORD, RECOGNISED, NOTHING]
            asked = ("HK1", "HK2", "HK777", "HK1", "HK3")
            assert [each.subject for each in entry.items] == [subject(made, tin) for tin in asked]

        parties = (ChainParty("EX", "HK2"), ChainParty("CB"))
        client.lookup_chain(parties, direction="IMPORT", mode=1)
        assert said(newest(made, "StatusService/LookupSupplyChain")) == [SUSPENDED]
        client.history("HK1")
        assert said(newest(made, "StatusService/GetHistory")) == [NOTHING]
        client.receipt(Question("HK1", **ASK))
        entry = newest(made, "StatusService/GetReceipt")
        assert [each.subject for each in entry.items] == [subject(made, "HK1")]


def test_only_what_concerns_one_trader(made: Exchange) -> None:
    with made.engine() as client:
        client.lookup("HK3", **ASK)
    found = entries(made, "hk-3")
    assert found
    assert {item.subject for each in found for item in each.items} == {subject(made, "HK3")}
    assert entries(made, "HK123456") == []
    # Another administration's key is another: its log names nobody to this one.
    other = made.node.hosted["HK"].access_log.subject("HK3")
    assert other != subject(made, "HK3")


def test_an_agency_and_its_purpose(made: Exchange) -> None:
    with StatusClient(made.connection("NZ", "agency")) as client:
        client.lookup("HK1", purpose="phytosanitary licence", **ASK)
    entry = newest(made, "StatusService/Lookup")
    assert (entry.access_role, entry.purpose) == ("agency", "phytosanitary licence")


def test_who_reads_it(made: Exchange) -> None:
    for role in ("officer", "approver", "risk-engine", "node-admin"):
        with made.connection("NZ", role) as connection, pytest.raises(Denied):
            list(AccessLogClient(connection).entries())
    with made.connection("HK", "auditor") as connection, pytest.raises(Denied):
        list(AccessLogClient(connection, "NZ").entries())
    with made.connection("NZ", "auditor") as connection, pytest.raises(Invalid):
        list(AccessLogClient(connection).entries(tin="X" * 300))
    hk = entries(made, economy="HK")
    assert all(each.caller_economy in ("", "HK") for each in hk)


def test_pages(made: Exchange) -> None:
    whole = entries(made)
    assert [each.number for each in whole] == list(range(1, len(whole) + 1))
    with made.connection("NZ", "auditor") as connection:
        stub = AccessLogServiceStub(connection.channel)
        request = pb.ListAccessRequest(from_number=2, page_size=3)
        page = connection.call(stub.ListAccess, request)
        assert [each.number for each in page.entries] == [2, 3, 4]
        assert page.next_number == 5
        for wrong in ({"page_size": 1_001}, {"from_number": 1 << 63}):
            with pytest.raises(Invalid):
                connection.call(stub.ListAccess, pb.ListAccessRequest(**wrong))


def test_within_a_fifth_of_a_second_it_is_on_the_disk(made: Exchange) -> None:
    store = made.node.hosted["NZ"].home.access_log
    before = store.head().number
    with made.engine() as client:
        client.lookup("HK1", **ASK)
        began = time.monotonic()
    while store.head().number == before:
        assert time.monotonic() - began < 2.0  # this machine may be busy; alone it takes 0.2
        time.sleep(0.005)
    assert check_file(made.settings.home("NZ")) == store.head()


def test_a_stop_loses_nothing_and_a_start_goes_on(tmp_path: Path) -> None:
    made = begin(tmp_path)
    with made.engine() as client:
        for _ in range(5):
            client.lookup("HK1", **ASK)
    made.restart()
    with made.engine() as client:
        client.lookup("HK1", **ASK)
    found = [each for each in entries(made) if each.method == "StatusService/Lookup"]
    assert len(found) == 6
    assert len({each.items[0].subject for each in found}) == 1
    head = f"{entries(made)[-1].number}:{entries(made)[-1].hash.hex()}"
    made.stop()
    home = made.settings.home("NZ")
    told = run("access-log", "verify", home, "--head", head, "--json")
    assert (told.code, told.json["verified"], told.json["head"]) == (0, True, head)
    other = f"{head.partition(':')[0]}:{'00' * 32}"
    assert run("access-log", "verify", home, "--head", other).code == 1
    assert run("access-log", "verify", home, "--head", "5").code == 2
    with sqlite3.connect(home) as connection:
        connection.execute("DROP TRIGGER access_page_no_delete")
        connection.execute("DELETE FROM access_page WHERE first = 1")
    connection.close()
    told = run("access-log", "verify", home)
    assert (told.code, "should follow" in told.err) == (1, True)
    structlog.reset_defaults()


def test_a_disk_that_fails_never_blocks_a_lookup(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = begin(tmp_path)
    log, store = made.node.hosted["NZ"].access_log, made.node.hosted["NZ"].home.access_log
    with made.engine() as client:
        client.lookup("HK1", **ASK)
        assert log.flush()
        kept, append = store.head().number, type(store).append

        def fails(*_: object) -> None:
            raise StoreError(made.settings.home("NZ"), "disk I/O error")

        monkeypatch.setattr(type(store), "append", fails)
        monkeypatch.setattr("service.node.access_log.MAX_WAITING_BYTES", 0)
        for _ in range(3):
            assert client.lookup("HK1", **ASK).recognised
            log.flush()
        assert log.failing
        assert log.lost == 2
        monkeypatch.setattr(type(store), "append", append)
        assert log.flush()
        assert not log.failing
        monkeypatch.undo()
    written = [entry for _, entry, _ in store.entries(kept + 1)]
    assert [pb.LoggedAccess.FromString(each).lost for each in written] == [2, 0]
    assert check_file(made.settings.home("NZ")) == store.head()
    made.stop()


def test_no_trader_stands_in_clear(tmp_path: Path) -> None:
    made = begin(tmp_path)
    tins = ("HK8812345677", "HK8812345678", "HK8812345679")
    made.publish("k", *(row(tin, f"CERT-{tin}") for tin in tins))
    with made.engine() as client:
        for tin in tins:
            client.lookup(tin, **ASK)
            client.lookup(tin.lower(), **ASK)
            client.history(tin)
        list(client.lookup_many([Question(tin, **ASK) for tin in tins]))
    with made.connection("HK", "officer") as connection:
        client = PublishingClient(connection)
        client.compare([row(tin, f"CERT-{tin}") for tin in tins])
        waiting = [
            client.change_status(
                publishing.ChangeStatusRequest(
                    idempotency_key=f"revoke {n}", tin=tin, event=status_pb2.EVENT_REVOKE
                )
            )
            for n, tin in enumerate(tins)
        ]
    made.approved("HK", waiting[0])
    with Connection.open(made.address, Plaintext("HK", "officer", "officer")) as connection:
        ApprovalClient(connection).reject(waiting[1].step_id)
    made.clock.turn(8 * 86_400_000)  # the third expires
    with made.connection("HK", "officer") as connection:
        assert list(ApprovalClient(connection).list()) == []
    made.node.hosted["HK"].access_log.flush()
    found = b"".join(
        path.read_bytes() for path in made.settings.homes.iterdir() if path.name.startswith("home-")
    )
    made.stop()
    after = b"".join(
        path.read_bytes() for path in made.settings.homes.iterdir() if path.name.startswith("home-")
    )
    for tin in tins:
        for clear in (tin, tin.lower(), tin[2:], f"CERT-{tin}"):
            plain = clear.encode()
            for form in (plain, clear.encode("utf-16-le"), plain.hex().encode()):
                assert form not in found, clear
                assert form not in after, clear
            assert base64.b64encode(plain)[:-4] not in after, clear
