"""MembershipService over mutual TLS: who may, what it shows, whose clients count from then on."""

import datetime as dt
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from cryptography import x509

from aeo.exchange.v1 import membership_service_pb2 as pb
from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import governance_pb2
from client.conftest import row
from ledger.audit.receipt import check_receipt
from ledger.chain.registration import parse_registration
from ledger_world import BACKEND
from node.governing_world import HOUR, NETWORK, GovernedWorld, handed_over, until
from node.node_world import agree, wait_recorded
from service.api.caller import Authorities
from service.api.listener import MutualTls
from service.api.serving import Server, ServingSettings, authorities_of, serve
from service.client import (
    ApprovalClient,
    ClientError,
    Conflict,
    Connection,
    Denied,
    Invalid,
    MembershipClient,
    NoSuchThing,
    Pending,
    PublishingClient,
    Question,
    StatusClient,
    Tls,
    Unavailable,
)
from service.keys.authority import issue_client
from service.keys.pem import format_p256
from service.keys.spiffe import AccessRole, SpiffeId, format_spiffe
from service.node.node import Node

ASK = Question("NZ1", function="EX", direction="IMPORT", mode=1)


class Governed:
    """A node of HK, KR and NZ behind mutual TLS; SG is a member that others host."""

    def __init__(self, folder: Path) -> None:
        self.world = GovernedWorld(folder, ("HK", "KR", "NZ", "SG"), ("HK", "KR", "NZ"))
        self._open: list[Connection] = []
        self.address = "127.0.0.1:0"
        self.begin()

    def begin(self) -> None:
        self.node: Node = self.world.start()
        issued = self.world.keys["NZ"].node
        key = format_p256(issued.key, None)
        security = MutualTls(key, issued.pem, authorities_of(self.node))
        self.server: Server = serve(self.node, ServingSettings(self.address, security))
        self.address = self.server.address

    def stop(self) -> None:
        for connection in self._open:
            connection.close()
        self._open.clear()
        self.server.stop(1.0)
        self.node.stop()

    def tls(self, economy: str, role: str) -> Tls:
        keys = self.world.keys[economy]
        holder = SpiffeId(NETWORK, economy, AccessRole(role), role)
        client = issue_client(keys.authority, format_spiffe(holder), dt.datetime.now(dt.UTC))
        return Tls(self.world.keys["NZ"].authority.pem, client.pem, format_p256(client.key, None))

    def connect(self, economy: str, role: str) -> Connection:
        connection = Connection.open(self.address, self.tls(economy, role), 2.0)
        self._open.append(connection)
        return connection

    def member(self, economy: str, role: str = "officer") -> MembershipClient:
        return MembershipClient(self.connect(economy, role))

    def both(self, economy: str, made: object) -> object:
        """What a step comes to once a second person has approved it."""
        assert isinstance(made, Pending)
        return ApprovalClient(self.connect(economy, "approver")).complete(made)

    def decide(self, change: governance_pb2.Proposal, voters: Sequence[str]) -> pb.MemberProposal:
        """Propose by the first, vote by all, each by two persons."""
        change.closes_at = self.node.clock.now_ms() + HOUR
        first = voters[0]
        proposal = self.both(first, self.member(first).propose(change, str(change.closes_at)))
        for economy in voters:
            made = self.member(economy).vote(proposal.proposal_id, in_favour=True)
            proposal = self.both(economy, made)
        return proposal


@pytest.fixture
def governed(tmp_path: Path) -> Iterator[Governed]:
    made = Governed(tmp_path)
    yield made
    made.stop()


THREE = ("HK", "KR", "NZ")


def test_from_a_would_be_member_to_its_first_record_looked_up(governed: Governed) -> None:
    world = governed.world
    world.keys["JP"] = world.make_keys("JP")
    with pytest.raises(Unavailable):
        governed.member("JP", "auditor").list()
    registration = world.registration(governed.node, world.keys["JP"], weight=2)
    height = governed.node.state.height
    decided = governed.decide(governance_pb2.Proposal(admit=registration), THREE)
    assert decided.state == pb.PROPOSAL_STATE_ACCEPTED
    assert list(decided.in_favour) == list(THREE)
    # Its people and programs are let in, by the server that runs.
    listed = governed.member("JP", "auditor").list()
    assert [member.economy for member in listed.members] == ["HK", "JP", "KR", "NZ", "SG"]
    japan = listed.members[1]
    assert (japan.state, japan.weight, list(japan.prefixes)) == (pb.MEMBER_STATE_ACTIVE, 2, ["JP"])
    assert japan.since == governed.node.state.membership.all["JP"].time
    until(lambda: governed.node.state.current_sets[-1][0] > height, "hand-over")
    with pytest.raises(Conflict) as refused:
        governed.both("JP", governed.member("JP").rotate_key())
    assert refused.value.reason == "NOT_HOSTED"

    governed.stop()
    world.hosted = (*THREE, "JP")
    governed.begin()
    shared = agree(governed.node, "JP", "NZ")
    with governed.connect("JP", "officer") as connection:
        answer = PublishingClient(connection).publish("first", [row("JP1")], [shared])
    wait_recorded(governed.node, "JP", int(answer.publication_id))
    with StatusClient.open(
        governed.address,
        governed.tls("NZ", "risk-engine"),
        network_id=governed.node.network_id,
    ) as engine:
        verdict = engine.lookup("JP1", function="EX", direction="IMPORT", mode=1)
        assert str(verdict.outcome) == "RECOGNISED"


def test_a_rotation_by_two_persons_and_old_receipts_still_verify(governed: Governed) -> None:
    node = governed.node
    shared = agree(node, "NZ", "HK")
    with governed.connect("NZ", "officer") as connection:
        answer = PublishingClient(connection).publish("first", [row("NZ1")], [shared])
    wait_recorded(node, "NZ", int(answer.publication_id))
    until(lambda: node.newest_seal.height == node.state.height, "seal")

    def receipt() -> bytes:
        with StatusClient.open(
            governed.address, governed.tls("HK", "risk-engine"), network_id=node.network_id
        ) as engine:
            return engine.receipt(ASK)

    def check(data: bytes) -> None:
        checked = check_receipt(
            data, now=node.clock.now_ms(), backend=BACKEND, network_id=node.network_id
        )
        assert checked.verified
        assert checked.verdict.outcome == verdict_pb2.OUTCOME_RECOGNISED

    old = receipt()
    check(old)
    before = governed.member("NZ", "auditor").get("NZ")
    assert not before.old_key_seals
    after = governed.both("NZ", governed.member("NZ").rotate_key())
    assert after.key_id != before.key_id
    assert after.old_key_seals
    check(old)
    check(receipt())
    height = node.state.height
    governed.decide(governance_pb2.Proposal(weights=governance_pb2.WeightChange()), THREE)
    handed_over(node, height)
    now = governed.member("NZ", "auditor").get("NZ")
    assert not now.old_key_seals
    assert parse_registration(now.registration).key_id == now.key_id == after.key_id
    until(lambda: node.newest_seal.height == node.state.height, "seal")
    check(old)
    check(receipt())


def test_a_removed_members_clients_are_refused_at_their_next_call(governed: Governed) -> None:
    client = governed.member("SG", "auditor")
    assert len(client.list().members) == 4
    other = governed.member("HK", "auditor")
    other.list()
    governed.decide(governance_pb2.Proposal(remove="SG"), THREE)
    with pytest.raises(ClientError) as refused:
        client.list()
    assert refused.value.reason == "WRONG_AUTHORITY"
    with pytest.raises(Unavailable):  # its authority is none for the handshake either
        governed.member("SG", "auditor").list()
    listed = other.list().members
    assert [m.state for m in listed if m.economy == "SG"] == [pb.MEMBER_STATE_REMOVED]
    assert not next(m for m in listed if m.economy == "SG").prefixes


def test_a_suspended_member_looks_on_at_its_own_node_but_takes_no_step(governed: Governed) -> None:
    key_id = governed.node.state.membership.members["KR"].key_id
    suspension = governance_pb2.MemberSuspension(economy="KR", key_id=key_id)
    node_client = governed.connect("KR", "node")
    MembershipClient(node_client).list()
    shared = agree(governed.node, "HK", "KR")
    with governed.connect("HK", "officer") as connection:
        answer = PublishingClient(connection).publish("first", [row("HK1")], [shared])
    wait_recorded(governed.node, "HK", int(answer.publication_id))
    governed.decide(governance_pb2.Proposal(suspend=suspension), THREE)
    listed = governed.member("KR", "auditor").list()
    assert [m.state for m in listed.members if m.economy == "KR"] == [pb.MEMBER_STATE_SUSPENDED]
    # Its officers at the border go on asking, but nobody asks for it as a partner's node.
    with StatusClient.open(
        governed.address, governed.tls("KR", "risk-engine"), network_id=governed.node.network_id
    ) as engine:
        verdict = engine.lookup("HK1", function="EX", direction="IMPORT", mode=1)
        assert str(verdict.outcome) == "RECOGNISED"
    with pytest.raises(ClientError) as refused:
        MembershipClient(node_client).list()
    assert refused.value.reason == "NOT_A_MEMBER"
    with pytest.raises(Conflict) as denied:
        governed.member("KR").rotate_key()
    assert denied.value.reason == "MAY_NOT_PUBLISH"
    # A suspension names the key in force, once.
    with pytest.raises(Conflict) as twice:
        governed.decide(governance_pb2.Proposal(suspend=suspension), ("HK",))
    assert twice.value.reason == "MEMBER_SUSPENDED"


def test_a_new_authority_counts_at_once_and_the_old_one_no_more(governed: Governed) -> None:
    old = governed.connect("HK", "auditor")
    MembershipClient(old).list()
    renewed = governed.world.make_keys("HK", "HK-renewed")
    made = governed.member("HK").rotate_key(ca_certificate=renewed.authority.der)
    governed.both("HK", made)
    with pytest.raises(ClientError) as refused:
        MembershipClient(old).list()
    assert refused.value.reason == "WRONG_AUTHORITY"
    governed.world.keys["HK"] = renewed
    assert governed.member("HK", "auditor").list().members


@pytest.mark.parametrize(
    ("proposal", "reason"),
    [
        (governance_pb2.Proposal(), Invalid),
        (governance_pb2.Proposal(remove="nz"), Invalid),
        (governance_pb2.Proposal(admit=b"nonsense"), "REGISTRATION_MALFORMED"),
        (governance_pb2.Proposal(parameters=b"nonsense"), "PARAMETERS_MALFORMED"),
        (governance_pb2.Proposal(remove="FR"), "MEMBER_UNKNOWN"),
        (governance_pb2.Proposal(reinstate="NZ"), "MEMBER_NOT_SUSPENDED"),
        (
            governance_pb2.Proposal(
                suspend=governance_pb2.MemberSuspension(economy="NZ", key_id=b"12345678")
            ),
            "KEY_NOT_IN_FORCE",
        ),
        (governance_pb2.Proposal(weights=governance_pb2.WeightChange()), "SET_UNCHANGED"),
        (
            governance_pb2.Proposal(
                weights=governance_pb2.WeightChange(
                    members=[
                        governance_pb2.MemberWeight(economy=each)
                        for each in ("HK", "KR", "NZ", "SG")
                    ]
                )
            ),
            "SET_EMPTY",
        ),
    ],
)
def test_a_change_that_cannot_be_is_refused_with_its_reason(
    governed: Governed, proposal: governance_pb2.Proposal, reason: str | type
) -> None:
    given = governance_pb2.Proposal()
    given.CopyFrom(proposal)
    if isinstance(reason, str):
        with pytest.raises(Conflict) as refused:
            governed.decide(given, ("HK",))
        assert refused.value.reason == reason
    else:
        with pytest.raises(reason):
            governed.decide(given, ("HK",))
    assert not any(
        each.state == pb.PROPOSAL_STATE_ACCEPTED for each in governed.member("HK").list().proposals
    )


def test_votes_are_by_members_once_and_in_time(governed: Governed) -> None:
    closes = governed.node.clock.now_ms() + HOUR
    change = governance_pb2.Proposal(remove="SG", closes_at=closes)
    made = governed.both("HK", governed.member("HK").propose(change, "one"))
    again = governed.both("HK", governed.member("HK").propose(change, "one"))
    assert made.proposal_id == again.proposal_id
    assert (made.state, made.proposer, made.proposal) == (pb.PROPOSAL_STATE_OPEN, "HK", change)
    against = governed.both("KR", governed.member("KR").vote(made.proposal_id, in_favour=False))
    assert list(against.against) == ["KR"]
    with pytest.raises(Conflict) as refused:
        governed.both("KR", governed.member("KR").vote(made.proposal_id, in_favour=True))
    assert refused.value.reason == "ALREADY_VOTED"
    with pytest.raises(NoSuchThing):
        governed.member("HK").vote(bytes(16), in_favour=True)
    with pytest.raises(Invalid):
        governed.member("HK").vote(b"short", in_favour=True)
    with pytest.raises(Conflict) as refused:
        governed.member("SG").vote(made.proposal_id, in_favour=True)
    assert refused.value.reason == "NOT_HOSTED"
    governed.world.clock.turn(2 * HOUR)
    (listed,) = governed.member("HK").list().proposals
    assert listed.state == pb.PROPOSAL_STATE_CLOSED
    with pytest.raises(Conflict) as refused:
        governed.both("HK", governed.member("HK").vote(made.proposal_id, in_favour=True))
    assert refused.value.reason == "PROPOSAL_CLOSED"


def test_who_may_call(governed: Governed) -> None:
    for role in ("agency",):
        with pytest.raises(Denied):
            governed.member("HK", role).list()
    for role in ("risk-engine", "auditor", "node-admin"):
        assert governed.member("HK", role).get("NZ").economy == "NZ"
        with pytest.raises(Denied):
            governed.member("HK", role).rotate_key()
    with pytest.raises(Denied):
        MembershipClient(governed.connect("HK", "officer"), "NZ").rotate_key()
    with pytest.raises(NoSuchThing):
        governed.member("HK").get("FR")
    # Who prepared a step does not approve it.
    made = governed.member("HK", "approver").rotate_key()
    with pytest.raises(Denied):
        governed.both("HK", made)
    with pytest.raises(Invalid):
        governed.member("HK").rotate_key(endpoint="no port")


def test_an_authority_that_no_library_reads_shuts_out_its_own_clients_alone(
    governed: Governed,
) -> None:
    """A rotation takes nobody's vote, so nothing in it may touch the others."""
    governed.member("KR").list()
    good = governed.world.keys["HK"].authority.der
    version, no_version = bytes.fromhex("a003020102"), bytes.fromhex("a003020103")
    governed.node.hosted["HK"].governance.rotate(
        10.0, ca_certificate=good.replace(version, no_version, 1)
    )
    assert governed.member("KR").get("HK").economy == "HK"
    with pytest.raises(Unavailable):
        governed.member("HK").list()
    governed.stop()
    governed.begin()
    assert governed.member("KR").get("HK").economy == "HK"


def test_authorities_from_a_file_count_for_members_alone(governed: Governed) -> None:
    keys = governed.world.keys
    stranger = governed.world.make_keys("FR")
    given = Authorities(
        NETWORK,
        {each: [made.authority.certificate] for each, made in (*keys.items(), ("FR", stranger))},
    )
    source = authorities_of(governed.node, given)
    before = source.current()
    assert source.current() is before
    listed = x509.load_pem_x509_certificates(before.bundle())
    assert {each.issuer for each in listed} == {
        made.authority.certificate.issuer for made in keys.values()
    }
    # A rotation that carries on the authority changes nothing for those who call.
    governed.node.hosted["HK"].governance.rotate(10.0)
    assert source.current() is before
    governed.decide(governance_pb2.Proposal(remove="SG"), THREE)
    after = x509.load_pem_x509_certificates(source.current().bundle())
    assert len(after) == len(listed) - 1
