"""Faults of processes: killed at random, one of four away, two away, a member that lies."""

import random
import urllib.request
from collections.abc import Iterator

import pytest
import structlog

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from cometbft.federated import arrange, lookup, publish
from cometbft.network import MEMBERS, Network, wait_until
from faults import lying
from faults.load import Load
from ledger.chain.parameters import DEFAULT_PARAMETERS
from node.node_world import row
from service.client import PublishingClient

STALE_MS = 8_000
PARAMETERS = DEFAULT_PARAMETERS._replace(heartbeat_interval=2_000, default_staleness_limit=STALE_MS)
SEALED = 3
KILLS = 5
MANY_KILLS = 50


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network.make(tmp_path_factory.mktemp("faults"), parameters=PARAMETERS) as network:
        structlog.reset_defaults()
        yield network


@pytest.fixture(scope="module")
def shared(network: Network) -> bytes:
    return arrange(network, *MEMBERS)


def metrics(network: Network, economy: str) -> dict[str, float]:
    """What a member's node shows to its monitoring, by name and labels."""
    address = network.member(economy).config["listen"]["metrics"]
    with urllib.request.urlopen(f"http://{address}/metrics", timeout=10) as answer:
        lines = answer.read().decode().splitlines()
    pairs = (line.rpartition(" ") for line in lines if not line.startswith("#"))
    return {name: float(value) for name, _, value in pairs}


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
        wait_until(lambda: len(load.acknowledged) > 20, "the three go on")
        height = network.member("AU").height()
        wait_until(lambda: network.member("AU").finality(height) == SEALED, "and seal")
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
    assert lookup(network, "AU", "HK4711").recognised
    stale = wait_until(
        lambda: (said := lookup(network, "AU", "HK4711")) and not said.recognised and said,
        "the answer turns stale",
    )
    assert (stale.outcome, stale.reason) in {
        ("UNDETERMINED", "LEDGER_STALE"),
        ("UNDETERMINED", "ISSUER_STALE"),
    }
    assert au.height() <= before + 1, "two of four decide nothing"
    shown = metrics(network, "AU")
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


@pytest.mark.parametrize("lie", ["junk", "other", "copied", "none"])
def test_a_member_that_lies_in_its_votes(network: Network, shared: bytes, lie: str) -> None:
    nz = network.member("NZ")
    nz.stop()
    nz.start(lying.command(lie), environment=lying.ENVIRONMENT)
    name = (
        'aeo_missing_shares_total{economy="NZ"}'
        if lie == "none"
        else 'aeo_verification_failures_total{economy="NZ",kind="wrong_share"}'
    )
    counted = max(metrics(network, each).get(name, 0) for each in ("AU", "HK", "JP"))
    with Load(network, shared, ("AU", "HK")) as load:
        wait_until(lambda: len(load.acknowledged) > 10, "the others go on")
        height = network.member("AU").height()
        wait_until(lambda: network.member("AU").finality(height) == SEALED, "the others seal")
    load.check()
    for economy in ("AU", "HK", "JP"):
        wait_until(lambda e=economy: metrics(network, e).get(name, 0) > counted, f"{lie}: counted")
    nz.stop()
    nz.start()
    network.agreed()


@pytest.mark.long
@pytest.mark.timeout(1_800)
def test_killed_at_random_many_times(network: Network, shared: bytes) -> None:
    kill_at_random(network, shared, MANY_KILLS, 4711)
