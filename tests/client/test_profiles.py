"""ProfileService through the client: rights, bad input, two persons, and name and address."""

import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import grpc
import pytest

from aeo.exchange.v1 import profile_service_pb2 as pb
from aeo.exchange.v1.profile_service_pb2_grpc import ProfileServiceStub
from aeo.exchange.v1.status_service_pb2 import GetReceiptRequest, LookupRequest
from aeo.exchange.v1.status_service_pb2_grpc import StatusServiceStub
from aeo.exchange.v1.verdict_pb2 import NAME_MATCH_EXACT
from client.conftest import Exchange, begin, row
from ledger.customs.profile import Address, Name, Profile, open_profile
from ledger.errors import FormatError
from node.node_world import text_between
from service.client import (
    ChainParty,
    Conflict,
    Denied,
    Invalid,
    NameAndAddress,
    ProfileClient,
    Question,
)

PEARL = Profile(
    "HK10000001",
    (Name("Pearl River Trading Ltd", "en"), Name("珠江貿易有限公司", "zh-Hant")),
    (Address("88 Nathan Road, Kowloon", "en", "HK"),),
)
SEA = {"function": "EX", "direction": "IMPORT", "mode": 1}


@pytest.fixture(scope="module")
def exchange(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Exchange]:
    """HK and NZ ask each other for a party match; one trader with a profile is published."""
    made = begin(tmp_path_factory.mktemp("profiles"))
    text = text_between("HK", "NZ", name="match")
    for rule in text.rules:
        rule.party_match_required = True
    made.shared = made.agree(text, "match")
    with made.connection("HK", "officer") as connection:
        assert ProfileClient(connection).put([PEARL]) == []
    made.publish("profiled", row(PEARL.tin), row("HK10000002"))
    until(lambda: list(made.node.hosted["NZ"].home.profiles.partner_profiles()))
    yield made
    made.stop()


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + 20
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def profiles(exchange: Exchange, economy: str = "HK", role: str = "officer") -> ProfileClient:
    return ProfileClient(exchange.connection(economy, role))


class Raw:
    """A service's methods as one caller makes them, with requests that no client would send."""

    def __init__(self, exchange: Exchange, economy: str, role: str, stub: type) -> None:
        self._stub = stub(exchange.connection(economy, role).channel)
        self._who = (("aeo-economy", economy), ("aeo-access-role", role), ("aeo-name", role))

    def __getattr__(self, name: str) -> Callable[[object], object]:
        return partial(getattr(self._stub, name), metadata=self._who, timeout=20)


def stub(exchange: Exchange, economy: str, role: str = "node") -> Raw:
    return Raw(exchange, economy, role, ProfileServiceStub)


def test_put_and_get(exchange: Exchange) -> None:
    kept = profiles(exchange, role="auditor").get("hk-1000 0001")
    assert kept.profile.names[1].text == "珠江貿易有限公司"
    assert kept.commitments == []
    shown = profiles(exchange, "NZ").get(PEARL.tin)
    assert shown.profile == kept.profile
    assert len(shown.commitments) == 1
    assert not profiles(exchange, "SG").get(PEARL.tin).HasField("profile")
    with pytest.raises(Invalid, match="tin"):
        profiles(exchange).get("???")


def test_bad_profiles_are_refused_one_by_one(exchange: Exchange) -> None:
    good = PEARL._replace(tin="HK10000005")
    (fault,) = profiles(exchange).put([good, PEARL._replace(tin="NZ1")])
    assert (fault.index, fault.code) == (1, "TIN_NOT_OURS")
    with pytest.raises(FormatError):
        profiles(exchange).put([PEARL._replace(names=())])
    put = stub(exchange, "HK", "officer").Put
    answer = put(pb.ProfileServicePutRequest(profiles=[{"tin": "hk1"}, {"tin": "HK1"}]))
    assert [fault.code for fault in answer.faults] == ["PROFILE_MALFORMED"] * 2
    for number in (0, 1_001):
        with pytest.raises(grpc.RpcError) as refused:
            put(pb.ProfileServicePutRequest(profiles=[{}] * number))
        assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT


@pytest.mark.parametrize("role", ["risk-engine", "border-officer", "agency", "node", "node-admin"])
def test_who_may_not_put_read_or_erase(exchange: Exchange, role: str) -> None:
    client = profiles(exchange, role=role)
    for call in (lambda: client.put([PEARL]), lambda: client.get("HK1"), client.erasures):
        with pytest.raises(Denied):
            call()
    with pytest.raises(Denied):
        client.erase(PEARL.tin)


def test_only_a_partys_node_fetches_and_what_it_gets_opens_the_commitment(
    exchange: Exchange,
) -> None:
    kept = list(exchange.node.hosted["NZ"].home.profiles.partner_profiles())
    commitment = kept[0][0]
    asked = pb.ProfileServiceFetchRequest(
        arrangement_id=exchange.shared, economy="HK", commitments=[commitment, bytes(32)]
    )
    (given,) = stub(exchange, "NZ").Fetch(asked).profiles
    assert open_profile(commitment, given.nonce, given.profile) == PEARL
    for economy, role in (("SG", "node"), ("NZ", "officer"), ("NZ", "approver"), ("HK", "auditor")):
        with pytest.raises(grpc.RpcError) as refused:
            stub(exchange, economy, role).Fetch(asked)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    for change in (
        {"arrangement_id": b"short"},
        {"arrangement_id": bytes(16)},
        {"commitments": []},
        {"commitments": [b"short"]},
        {"commitments": [bytes(32)] * 501},
        {"economy": "KR"},
    ):
        wrong = pb.ProfileServiceFetchRequest()
        wrong.CopyFrom(asked)
        for field, value in change.items():
            wrong.ClearField(field)
            if isinstance(value, list):
                getattr(wrong, field).extend(value)
            else:
                setattr(wrong, field, value)
        with pytest.raises(grpc.RpcError) as refused:
            stub(exchange, "NZ").Fetch(wrong)
        assert refused.value.code().name in {
            "INVALID_ARGUMENT",
            "NOT_FOUND",
            "FAILED_PRECONDITION",
        }


def test_a_commitment_of_another_arrangement_is_not_opened(exchange: Exchange) -> None:
    other = exchange.agree(text_between("HK", "SG", name="other"), "other")
    commitment = next(exchange.node.hosted["NZ"].home.profiles.partner_profiles())[0]
    asked = pb.ProfileServiceFetchRequest(
        arrangement_id=other, economy="HK", commitments=[commitment]
    )
    assert list(stub(exchange, "SG").Fetch(asked).profiles) == []


def test_a_stranger_cannot_have_anything_erased(exchange: Exchange) -> None:
    commitment = next(exchange.node.hosted["NZ"].home.profiles.partner_profiles())[0]
    notice = pb.NoticeErasureRequest(
        arrangement_id=exchange.shared, economy="NZ", commitments=[commitment]
    )
    for economy, role in (("SG", "node"), ("HK", "officer"), ("HK", "approver")):
        with pytest.raises(grpc.RpcError) as refused:
            stub(exchange, economy, role).NoticeErasure(notice)
        assert refused.value.code() is grpc.StatusCode.PERMISSION_DENIED
    assert exchange.node.hosted["NZ"].home.profiles.partner(commitment)


def test_a_declared_name_is_matched(exchange: Exchange) -> None:
    engine = exchange.engine()
    said = engine.lookup(PEARL.tin, **SEA, declared_name="PEARL RIVER TRADING LIMITED")
    assert (said.reason, said.message.name_match) == ("NONE", NAME_MATCH_EXACT)
    wrong = engine.lookup(PEARL.tin, **SEA, declared_name="Jade River Trading Ltd")
    assert (wrong.reason, wrong.recognised) == ("PARTY_MISMATCH", False)


def test_a_name_and_address_as_identifier(exchange: Exchange) -> None:
    engine = exchange.engine()

    def ask(name: str, address: str = "") -> object:
        party = NameAndAddress(name, address)
        return engine.ask(Question(function="EX", mode=1, party=party))

    found = ask("珠江贸易有限公司", "")
    assert (found.reason, found.tin) == ("NONE", PEARL.tin)
    assert ask("Nobody Ltd").reason == "ALIAS_UNKNOWN"
    with pytest.raises(Invalid, match="name"):
        ask("  ")
    chain = engine.lookup_chain(
        [
            ChainParty("EX", party=NameAndAddress("Pearl River Trading", "88 Nathan Road")),
            ChainParty("CN"),
        ],
        direction="IMPORT",
        mode=1,
    )
    assert chain.parties[0].tin == PEARL.tin
    assert chain.parties[1] is None


def test_a_receipt_is_of_a_number(exchange: Exchange) -> None:
    asked = LookupRequest(function="EX", direction=1, transport_mode=1)
    asked.name_and_address.name = "Pearl River Trading Ltd"
    raw = Raw(exchange, "NZ", "risk-engine", StatusServiceStub)
    with pytest.raises(grpc.RpcError) as refused:
        raw.GetReceipt(GetReceiptRequest(question=asked))
    assert refused.value.code() is grpc.StatusCode.INVALID_ARGUMENT
    assert "TIN" in refused.value.details()


def test_erasing_takes_two_persons_and_is_acknowledged(tmp_path: Path) -> None:
    exchange = begin(tmp_path)
    try:
        profiles(exchange).put([PEARL])
        exchange.publish("profiled", row(PEARL.tin))
        until(lambda: profiles(exchange, "NZ").get(PEARL.tin).HasField("profile"))
        with pytest.raises(Conflict):
            profiles(exchange).erase("HK99")
        made = profiles(exchange).erase(PEARL.tin)
        assert PEARL.tin in made.step.summary
        assert profiles(exchange).get(PEARL.tin).HasField("profile")
        erasure_id = exchange.approved("HK", made)
        until(lambda: profiles(exchange).erasures()[0].notices[0].acknowledged_at)
        (erasure,) = profiles(exchange).erasures()
        assert (erasure.erasure_id, erasure.notices[0].partner) == (erasure_id, "NZ")
        for economy in ("HK", "NZ"):
            assert not profiles(exchange, economy).get(PEARL.tin).HasField("profile")
        assert exchange.engine().lookup(PEARL.tin, **SEA).recognised
        with pytest.raises(Conflict):
            exchange.approved("HK", profiles(exchange).erase(PEARL.tin))
    finally:
        exchange.stop()
