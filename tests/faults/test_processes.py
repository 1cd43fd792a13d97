"""Faults of processes: killed at random, one of four away, two away, a member that lies."""

import random
import time
from contextlib import closing

import pytest

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1.transaction_pb2 import Heartbeat, Transaction
from cometbft.federated import lookup, publish
from cometbft.network import MEMBERS, Network, wait_until
from faults import lying
from faults.load import Load, transactions
from ledger.audit.evidence import judge_evidence
from ledger.bls.scheme import key_id
from ledger.chain.header import Header, format_header, header_hash
from ledger.chain.parameters import DEFAULT_PARAMETERS
from ledger.chain.transaction import format_body, parse_transaction, sign_transaction
from ledger.state.entering import SEQUENCE_REACH
from ledger_world import BACKEND
from node.node_world import row
from service.client import LedgerClient, PublishingClient
from service.engine.cometbft.rpc import Rpc
from service.keys.key_folder import KeyFolder
from service.keys.member_keys import BLS_FILE

STALE_MS = 8_000
PARAMETERS = DEFAULT_PARAMETERS._replace(heartbeat_interval=2_000, default_staleness_limit=STALE_MS)
KILLS = 5
MANY_KILLS = 50
FLOOD = 300
IN_TIME_S = 30.0


@pytest.fixture(autouse=True)
def everybody_is_back(network: Network) -> None:
    """A test that failed half-way leaves nobody away for the next."""
    network.start()


def kill_at_random(network: Network, shared: bytes, kills: int, seed: int) -> None:
    """Under load: kill -9 of a node, a CometBFT, or both; then start again what does not itself."""
    chance = random.Random(seed)
    with Load(network, shared, MEMBERS) as load:
        for _ in range(kills):
            victim = network.member(chance.choice(MEMBERS))
            before = len(load.acknowledged)
            victim.kill(chance.choice(("node", "cometbft", "both")))
            if victim.pid_node is None:
                victim.start()
            wait_until(lambda seen=before: len(load.acknowledged) > seen, "somebody publishes")
            wait_until(lambda v=victim: v.pid_cometbft is not None, f"CometBFT\n{victim.log_end()}")
    load.check()


def test_killed_at_random_under_load(network: Network, shared: bytes) -> None:
    kill_at_random(network, shared, KILLS, 2026)


def test_one_of_four_is_away(network: Network, shared: bytes) -> None:
    network.member("NZ").kill()
    others = ("AU", "HK", "JP")
    with Load(network, shared, others) as load:
        load.goes_on(20)
    load.check()
    network.member("NZ").start()
    network.agreed()


def test_two_of_four_are_away(network: Network, shared: bytes) -> None:
    au = network.member("AU")
    publish(network.member("HK"), shared, "HK4711")
    network.agreed()
    assert lookup(network, "AU", "HK4711").recognised
    for economy in ("JP", "NZ"):
        network.member(economy).kill()
    before = au.height()
    # What is handed in now is promised, and waits.
    with au.client("officer") as connection:
        rows = [publishing.Submission.FromString(row("AU4711").SerializeToString())]
        promised = PublishingClient(connection).publish("while two are away", rows, [shared])
    # Look-ups answer, at first as before, then that they are stale: no benefit, and no refusal.
    # Two may have gone between a header and its seal: then the proof is of the header before.
    answer = lookup(network, "AU", "HK4711")
    assert answer.recognised
    assert answer.finality == "SEALED"
    stale = wait_until(
        lambda: (said := lookup(network, "AU", "HK4711")) and not said.recognised and said,
        "the answer turns stale",
    )
    assert (stale.outcome, stale.reason) in {
        ("UNDETERMINED", "LEDGER_STALE"),
        ("UNDETERMINED", "ISSUER_STALE"),
    }
    assert au.height() <= before + 1, "two of four decide nothing"
    shown = network.member("AU").metrics()
    assert shown["aeo_head_age_seconds"] >= STALE_MS / 1000 - 1
    assert shown['aeo_member_silence_seconds{economy="NZ"}'] > 2
    for economy in ("JP", "NZ"):
        network.member(economy).start(wait=False)
    for economy in ("JP", "NZ"):
        network.member(economy).wait_started()
    with au.client("officer") as connection:
        client = PublishingClient(connection)
        wait_until(
            lambda: client.get(promised.publication_id).state >= 3, "what waited is recorded"
        )
    wait_until(lambda: lookup(network, "AU", "HK4711").recognised, "answers are fresh again")
    network.agreed()


@pytest.mark.long
def test_each_in_turn_is_stopped_and_started_again(network: Network, shared: bytes) -> None:
    """As for a new version: the next is stopped once the one before publishes again."""
    with Load(network, shared, MEMBERS) as load:
        for economy in MEMBERS:
            member = network.member(economy)
            others = [each for each in MEMBERS if each != economy]
            assert member.stop() == 0, member.log_end()
            so_far, height = len(load.acknowledged), network.member(others[0]).height()
            wait_until(lambda seen=so_far: len(load.acknowledged) > seen + 15, "the three go on")
            network.wait_height(height + 1, others)
            sealed = network.member(others[0]).height()
            network.wait_sealed(sealed, others[:1])
            assert economy not in {each.economy for each in load.acknowledged[so_far:]}
            so_far = len(load.acknowledged)
            member.start()
            wait_until(
                lambda e=economy, seen=so_far: any(
                    each.economy == e for each in load.acknowledged[seen:]
                ),
                f"{economy} takes publications again",
            )
            network.wait_height(sealed, [economy])
    load.check()


@pytest.mark.parametrize(
    "lie",
    ["other", *(pytest.param(lie, marks=pytest.mark.long) for lie in ("junk", "copied", "none"))],
)
def test_a_member_that_lies_in_its_votes(network: Network, shared: bytes, lie: str) -> None:
    nz = network.member("NZ")
    nz.stop()
    nz.start(lying.command(lie), environment=lying.ENVIRONMENT)
    name = (
        'aeo_missing_shares_total{economy="NZ"}'
        if lie == "none"
        else 'aeo_verification_failures_total{economy="NZ",kind="wrong_share"}'
    )
    counted = max(network.member(each).metrics().get(name, 0) for each in ("AU", "HK", "JP"))
    with Load(network, shared, ("AU", "HK")) as load:
        load.goes_on(10)
    load.check()
    for economy in ("AU", "HK", "JP"):
        wait_until(
            lambda e=economy: network.member(e).metrics().get(name, 0) > counted, f"{lie}: counted"
        )
    nz.stop()
    nz.start()
    network.agreed()


class Thief:
    """Whoever has a member's key signs what it likes."""

    def __init__(self, network: Network, economy: str) -> None:
        folder = network.member(economy).folder
        passphrase = (folder / "passphrase").read_text().strip()
        keys = KeyFolder.open(economy, passphrase, folder / "members" / economy / BLS_FILE)
        self._network = network
        self._economy = economy
        self._secret = keys.secrets[-1]

    def heartbeat(self, sequence: int, seen: Header) -> bytes:
        """A heartbeat of a number, which says that `seen` was verified."""
        body = Transaction(
            author=self._economy,
            key_id=key_id(BACKEND.public_key(self._secret)),
            sequence=sequence,
            verified_height=seen.height,
            verified_header_hash=header_hash(format_header(seen)),
            heartbeat=Heartbeat(),
        )
        network_id = self._network.genesis.network_id
        return sign_transaction(self._secret, BACKEND, network_id, format_body(body))


def next_number(network: Network, asked: str, author: str) -> int:
    bodies = (parse_transaction(each).body for each in transactions(network, asked))
    return 1 + max((body.sequence for body in bodies if body.author == author), default=0)


def test_a_member_that_floods_with_future_numbers(network: Network, shared: bytes) -> None:
    nz, au = network.member("NZ"), network.member("AU")
    nz.stop()
    thief, seen = Thief(network, "NZ"), au.header()
    first = next_number(network, "AU", "NZ") + 1  # the one that could enter is left out
    flood = [thief.heartbeat(first + number, seen) for number in range(FLOOD)]
    with closing(Rpc(network.member("HK").rpc)) as rpc, Load(network, shared, ("AU",)) as load:
        taken = sum(rpc.broadcast(each) == 0 for each in flood)
        began, so_far = time.monotonic(), len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > so_far + 5, "the others go on")
    load.check(("HK", "JP"))
    assert time.monotonic() - began < IN_TIME_S
    assert 0 < taken <= SEQUENCE_REACH, "only the next numbers may wait"
    assert next_number(network, "AU", "NZ") == first - 1, "nothing of it entered"
    # The missing number lets in what waits, and the member goes on behind it.
    with closing(Rpc(network.member("HK").rpc)) as rpc:
        assert rpc.broadcast(thief.heartbeat(first - 1, seen)) == 0
    wait_until(lambda: next_number(network, "AU", "NZ") >= first + taken, "what waited entered")
    nz.start()
    publish(nz, shared, "NZ4713")
    network.agreed()


def test_a_number_signed_twice_is_evidence(network: Network, shared: bytes) -> None:
    nz = network.member("NZ")
    nz.stop()
    thief, au = Thief(network, "NZ"), network.member("AU")
    number, seen = next_number(network, "AU", "NZ"), au.header()
    two = thief.heartbeat(number, seen), thief.heartbeat(number, au.header(seen.height - 1))
    for economy, transaction in zip(("HK", "JP"), two, strict=True):
        with closing(Rpc(network.member(economy).rpc)) as rpc:
            assert rpc.broadcast(transaction) == 0

    def convicted(economy: str) -> bool:
        with network.member(economy).client("auditor") as connection:
            found = LedgerClient(connection).evidence()
        network_id = network.genesis.network_id
        return any(judge_evidence(each, network_id, BACKEND).economies == ("NZ",) for each in found)

    kept = wait_until(
        lambda: [each for each in ("AU", "HK", "JP") if convicted(each)], "somebody keeps evidence"
    )
    assert network.member(kept[0]).metrics()['aeo_evidence{kind="double number"}'] == 1
    publish(au, shared, "AU4714")
    nz.start()
    publish(nz, shared, "NZ4714")
    network.agreed()


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_killed_at_random_many_times(network: Network, shared: bytes) -> None:
    kill_at_random(network, shared, MANY_KILLS, 4711)
