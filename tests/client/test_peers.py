"""Nodes that call each other over mutual TLS: how a lookup key travels, and to whom it does not."""

import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import ExitStack, closing
from dataclasses import replace
from pathlib import Path

import grpc
import pytest
import tomli_w

from aeo.exchange.v1 import arrangement_service_pb2 as pb
from aeo.exchange.v1.arrangement_service_pb2_grpc import ArrangementServiceStub
from ledger.audit.replay import verify_export
from ledger.bls.scheme import default_backend
from ledger.customs.evaluate import evaluate
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Times
from ledger.errors import KeyringError
from node.node_world import WAIT_S, agree, request, row, text_between, wait_recorded
from service.api.configured import node_settings, serving_settings
from service.api.failures import format_status
from service.api.serving import serve
from service.client import Connection, Denied, LedgerClient, Tls
from service.config import load_config
from service.errors import NoEndpoint, PeerRefused, PeerUnreachable
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import Founder
from service.node.arrangements.agreements import Agreements
from service.node.founding.folder import LOCAL_HOSTS, Plan, found_network
from service.node.founding.ports import free_port
from service.node.keys.delivery import NoLookupKey
from service.node.keys.keyring import WrongLookupKey
from service.node.keys.peers import Peers
from service.node.node import Node

MEMBERS = {"HK": "Asia/Hong_Kong", "KR": "Asia/Seoul", "NZ": "Pacific/Auckland"}


class Apart:
    """One network whose members' nodes run apart: each has its own copy of the ledger."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder / "network"
        self.running = ExitStack()
        self.endpoints = {economy: f"127.0.0.1:{free_port()}" for economy in MEMBERS}
        founders = [
            Founder(economy, f"{economy} customs", zone, (economy,), 1, self.endpoints[economy])
            for economy, zone in MEMBERS.items()
        ]
        plan = Plan(
            name="Apart",
            founders=founders,
            listen=f"127.0.0.1:{free_port()}",
            health="",
            metrics="",
            hosts=LOCAL_HOSTS,
            passphrase_file=None,
            pilot=True,
            kdf=Pbkdf2(1 << 12),
        )
        found_network(self.folder, plan)

    def config(self, name: str, listen: str, *economies: str, shows: str = "") -> Path:
        """The configuration of a node of these members; it shows the certificate of `shows`."""
        keys = self.folder / "members"
        shown = keys / (shows or economies[0])
        passphrase = str(self.folder / "passphrase")
        path = self.folder / f"{name}.toml"
        config = {
            "data": f"data-{name}",
            "listen": {"grpc": listen, "health": "", "metrics": ""},
            "tls": {
                "certificate": str(shown / "node.pem"),
                "key": str(shown / "node.key"),
                "passphrase_file": passphrase,
            },
            "member": [
                {
                    "economy": economy,
                    "bls_keystore": str(keys / economy / "bls-keystore.json"),
                    "ed25519_key": str(keys / economy / "ed25519.pem"),
                    "passphrase_file": passphrase,
                }
                for economy in economies
            ],
        }
        path.write_text(tomli_w.dumps(config))
        folder = self.folder / f"data-{name}"
        folder.mkdir()
        shutil.copy(self.folder / "data" / "guard", folder / "guard")
        return path

    def start(self, economy: str, ledger: Path | None = None, *, serving: str = "") -> Node:
        """Start a member's node on a copy of a ledger, showing another's certificate if told."""
        path = self.config(economy, self.endpoints[economy], economy, shows=serving)
        copy_ledger(ledger or self.folder / "data" / "ledger.db", self.folder / f"data-{economy}")
        return self.run(path, shows_own=not serving)

    def run(self, path: Path, *, shows_own: bool = True) -> Node:
        config = load_config(path)
        node = self.running.enter_context(Node.start(node_settings(config)))
        serving = serving_settings(config, node)
        if not shows_own:
            serving = replace(serving, security=replace(serving.security, others=(), renewed=None))
        self.running.enter_context(serve(node, serving))
        return node

    def ledger_of(self, economy: str) -> Path:
        return self.folder / f"data-{economy}" / "ledger.db"

    def connection(self, economy: str, caller: str, role: str) -> Connection:
        """How a member's client calls another member's node, by an address that all know."""
        own = self.folder / "clients" / caller
        tls = Tls.files(self.folder / "authorities.pem", own / f"{role}.pem", own / f"{role}.key")
        return self.running.enter_context(Connection.open(self.endpoints[economy], tls))


def copy_ledger(source: Path, folder: Path) -> None:
    """What the source's log has by now, while its node may be at work."""
    copied = folder / "ledger.db"
    with closing(sqlite3.connect(source)) as old, closing(sqlite3.connect(copied)) as new:
        old.backup(new)


@pytest.fixture
def apart(tmp_path: Path) -> Iterator[Apart]:
    made = Apart(tmp_path)
    with made.running:
        yield made


def propose(node: Node, *parties: str) -> bytes:
    """Proposed and signed by the first."""
    agreements: Agreements = node.hosted[parties[0]].agreements
    shared = agreements.propose(text_between(*parties), "first", WAIT_S)
    agreements.sign(shared, hash_of(node, shared), WAIT_S)
    return shared


def hash_of(node: Node, shared: bytes) -> bytes:
    return node.state.arrangement(shared).text.text_hash


def sign(node: Node, economy: str, shared: bytes) -> None:
    node.hosted[economy].agreements.sign(shared, hash_of(node, shared), WAIT_S)


def fetch(
    shared: bytes, economy: str, epoch: int = 1
) -> pb.ArrangementServiceFetchLookupKeyRequest:
    return pb.ArrangementServiceFetchLookupKeyRequest(
        arrangement_id=shared, epoch=epoch, economy=economy
    )


def stub_method(channel: grpc.Channel) -> object:
    return ArrangementServiceStub(channel).FetchLookupKey


def test_the_key_travels_to_who_signs(apart: Apart) -> None:
    hk = apart.start("HK")
    shared = propose(hk, "HK", "KR")
    kr = apart.start("KR", apart.ledger_of("HK"))
    assert kr.hosted["KR"].keyring.key(shared) is None
    sign(kr, "KR", shared)
    assert kr.state.arrangement(shared).complete is not None
    assert kr.hosted["KR"].keyring.key(shared).key == hk.hosted["HK"].keyring.key(shared).key
    assert list(kr.hosted["KR"].home.lookup_keys()) == [(shared, 1)]


def test_a_false_key_is_not_signed_for(apart: Apart) -> None:
    hk = apart.start("HK")
    shared = propose(hk, "HK", "KR")
    held = hk.hosted["HK"].keyring
    held._held = {(shared, 1): LookupKey(b"x" * 32, hk.network_id, shared)}
    kr = apart.start("KR", apart.ledger_of("HK"))
    height = kr.state.height
    with pytest.raises(WrongLookupKey):
        sign(kr, "KR", shared)
    assert kr.state.height == height
    assert kr.hosted["KR"].home.lookup_keys() == {}


def test_whoever_has_signed_gives_it_where_the_proposer_is_silent(apart: Apart) -> None:
    hk = apart.start("HK")
    shared = propose(hk, "HK", "KR", "NZ")
    kr = apart.start("KR", apart.ledger_of("HK"))
    sign(kr, "KR", shared)
    true = hk.hosted["HK"].keyring.key(shared).key
    # The proposer's node gives a false key; that of the other party which has signed the true one.
    hk.hosted["HK"].keyring._held = {(shared, 1): LookupKey(b"x" * 32, hk.network_id, shared)}
    nz = apart.start("NZ", apart.ledger_of("KR"))
    sign(nz, "NZ", shared)
    assert nz.hosted["NZ"].keyring.key(shared).key == true


def test_nobody_answers(apart: Apart) -> None:
    with apart.running:
        shared = propose(apart.start("HK"), "HK", "KR")
    kr = apart.start("KR", apart.ledger_of("HK"))
    height = kr.state.height
    with pytest.raises(PeerUnreachable, match="HK"):
        sign(kr, "KR", shared)
    assert kr.state.height == height
    # To whoever asked it is no verdict on the step: the caller tries again.
    said = format_status(PeerUnreachable("HK", "connection refused"), None)
    assert said.code is grpc.StatusCode.UNAVAILABLE


def test_a_node_that_holds_no_key(apart: Apart) -> None:
    hk = apart.start("HK")
    shared = propose(hk, "HK", "KR")
    hk.hosted["HK"].keyring._held = {}
    kr = apart.start("KR", apart.ledger_of("HK"))
    with pytest.raises(NoLookupKey):
        sign(kr, "KR", shared)


def test_who_is_given_the_key(apart: Apart) -> None:
    hk = apart.start("HK")
    shared = propose(hk, "HK", "KR")
    kr, nz = apart.start("KR", apart.ledger_of("HK")), apart.start("NZ", apart.ledger_of("HK"))
    party, outsider = kr.hosted["KR"].peers, nz.hosted["NZ"].peers

    def refused(peers: Peers, asked: pb.ArrangementServiceFetchLookupKeyRequest) -> str:
        with pytest.raises(PeerRefused) as caught:
            peers.call("HK", stub_method, asked)
        return caught.value.reason

    assert party.call("HK", stub_method, fetch(shared, "HK")).key
    assert refused(outsider, fetch(shared, "HK")) == "NOT_A_PARTY"
    assert refused(outsider, fetch(shared, "HK", 7)) == "NOT_A_PARTY"
    assert refused(party, fetch(shared, "KR")) == "NOT_HOSTED"
    assert refused(party, fetch(shared, "HK", 2)) == "LOOKUP_KEY_MISSING"
    assert refused(party, fetch(shared, "HK", 0)) == "INVALID_FIELD"
    assert refused(party, fetch(b"k" * 16, "HK")) == "ARRANGEMENT"
    assert refused(party, fetch(b"k", "HK")) == "INVALID_FIELD"
    # A person of a party is no node of it.
    for role in ("approver", "officer", "auditor", "risk-engine"):
        person = apart.connection("HK", "KR", role)
        with pytest.raises(Denied) as caught:
            person.call(stub_method(person.channel), fetch(shared, "HK"))
        assert caught.value.reason == "ACCESS_ROLE"


def test_a_partner_is_known_by_its_own_authority(apart: Apart) -> None:
    """Who answers at Hong Kong's address with New Zealand's certificate is not Hong Kong."""
    apart.start("HK", serving="NZ")
    kr = apart.start("KR")
    peers = kr.hosted["KR"].peers
    with pytest.raises(PeerUnreachable, match="HK"):
        peers.call("HK", stub_method, fetch(bytes(16), "HK"), 1.0)


def test_one_node_of_several_members_shows_each_certificate(apart: Apart) -> None:
    copied = apart.config("both", apart.endpoints["HK"], "HK", "NZ")
    copy_ledger(apart.folder / "data" / "ledger.db", apart.folder / "data-both")
    both = apart.run(copied)
    kr = apart.start("KR")
    peers = kr.hosted["KR"].peers
    with pytest.raises(PeerRefused) as caught:
        peers.call("HK", stub_method, fetch(bytes(16), "HK"))
    assert caught.value.reason == "ARRANGEMENT"
    # New Zealand's own endpoint is elsewhere, and nobody listens there.
    with pytest.raises(PeerUnreachable):
        peers.call("NZ", stub_method, fetch(bytes(16), "NZ"), 1.0)
    assert both.hosted["NZ"].peers.call("KR", *_unknown(), 5.0) == "ARRANGEMENT"


def _unknown() -> tuple[object, object]:
    """A call that says why it was refused, to be compared with."""

    def method(channel: grpc.Channel) -> object:
        fetch_key = ArrangementServiceStub(channel).FetchLookupKey

        def call(asked: object, **options: object) -> str:
            try:
                fetch_key(asked, **options)
            except grpc.RpcError as error:
                return "ARRANGEMENT" if error.code() is grpc.StatusCode.NOT_FOUND else "other"
            return ""

        return call

    return method, fetch(bytes(16), "KR")


def test_a_node_answers_at_the_endpoint_that_its_founding_registers(tmp_path: Path) -> None:
    listen = f"127.0.0.1:{free_port()}"
    founders = [
        Founder(economy, f"{economy} customs", zone, (economy,), 1)
        for economy, zone in MEMBERS.items()
    ]
    plan = Plan("Whole", founders, listen, "", "", LOCAL_HOSTS, None, True, Pbkdf2(1 << 12))
    genesis = found_network(tmp_path / "whole", plan)
    assert {founder.endpoint for founder in genesis.founders} == {listen}
    config = load_config(tmp_path / "whole" / "node.toml")
    with Node.start(node_settings(config)) as node, serve(node, serving_settings(config, node)):
        # One port for all, and to each caller the certificate of whom it asked for.
        for economy in MEMBERS:
            with pytest.raises(PeerRefused) as caught:
                node.hosted["HK"].peers.call(economy, stub_method, fetch(bytes(16), economy))
            assert caught.value.reason == "ARRANGEMENT"
        shared = agree(node, "HK", "KR", "NZ")
        assert len({node.hosted[each].keyring.key(shared).key for each in MEMBERS}) == 1
    unknown = Plan("Any", founders, "127.0.0.1:0", "", "", LOCAL_HOSTS, None, True, plan.kdf)
    genesis = found_network(tmp_path / "any", unknown)
    assert {founder.endpoint for founder in genesis.founders} == {""}


def test_no_way_to_call(apart: Apart) -> None:
    kr = apart.start("KR")
    peers = kr.hosted["KR"].peers
    assert peers.connection("HK") is peers.connection("HK")
    with pytest.raises(NoEndpoint, match="XX"):
        peers.connection("XX")
    bare = Peers("KR", None, lambda: kr.state)
    assert not bare.reaches("HK")
    with pytest.raises(NoEndpoint, match="certificate"):
        bare.connection("HK")
    peers.close()
    with pytest.raises(PeerUnreachable):
        peers.connection("HK")


def test_who_is_no_party_can_prove_the_chain_but_not_tell_who_is_on_it(apart: Apart) -> None:
    whole = apart.folder / "node.toml"
    with apart.running:
        together = apart.run(whole)
        # Nobody answers at the endpoints on the ledger: here keys pass within the process.
        shared = agree(together, "HK", "KR")
        answer = together.hosted["HK"].publisher.publish(
            request("one", [row("HKTRADER77")], shared), confirms=True
        )
        wait_recorded(together, "HK", answer.publication_id)
    nz = apart.start("NZ", apart.folder / "data" / "ledger.db")
    keys = nz.hosted["NZ"].keyring.keys()
    assert keys == {}
    query = Query("KR", "EX", 1, 1, tin="HKTRADER77")
    times = Times(nz.clock.now_ms(), nz.newest_seal.attested_time)
    with pytest.raises(KeyringError):
        evaluate(query, nz.state, keys, None, {}, times)
    # With the key, which it has not, the same ledger tells.
    true = together.hosted["KR"].keyring.keys()
    assert evaluate(query, nz.state, true, None, {}, times).status
    # The record is there for anybody to prove, under a subject that nobody else can open.
    ledger = LedgerClient(apart.connection("NZ", "NZ", "auditor"))
    export = b"".join(ledger.export())
    *_, report = verify_export(
        [export], now=nz.clock.now_ms(), backend=default_backend(), network_id=nz.network_id
    )
    assert report.verified
    assert (report.records, report.refused) == (4, 0)  # three steps of the text, and the trader
    for secret in (b"HKTRADER77", true[shared].key, true[shared].tin_mac("HKTRADER77")):
        assert secret not in export
