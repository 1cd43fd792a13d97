"""Four members, four nodes, four CometBFT: what one administration does is seen at the others."""

from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from cometbft.federated import arrange, authors, lookup, publish, receipt, suspend
from cometbft.network import MEMBERS, Network, wait_until
from commands import run
from ledger.audit.receipt import check_receipt
from ledger.chain.parameters import DEFAULT_PARAMETERS
from ledger_world import BACKEND
from service.clock import SystemClock


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Members that say every two seconds that they are there."""
    parameters = DEFAULT_PARAMETERS._replace(heartbeat_interval=2_000)
    with Network.make(tmp_path_factory.mktemp("net"), parameters=parameters) as network:
        structlog.reset_defaults()
        yield network
    assert all(member.pid_cometbft is None for member in network.members.values())


@pytest.fixture(scope="module")
def shared(network: Network) -> bytes:
    """An arrangement of all four: proposed at one node, signed at each, its key fetched by TLS."""
    return arrange(network, *MEMBERS)


def test_a_record_of_one_is_a_verdict_at_every_other(network: Network, shared: bytes) -> None:
    published = publish(network.member("AU"), shared, "AU1", "AU2")
    assert [answer.code for answer in published.answers] == ["", ""]
    for asker in ("HK", "JP", "NZ"):
        network.wait_sealed(published.height, [asker])
        verdict = lookup(network, asker, "AU1")
        assert verdict.recognised, verdict.reason
        assert verdict.verified


def test_a_suspension_is_seen_and_sealed_at_all(network: Network, shared: bytes) -> None:
    publish(network.member("JP"), shared, "JP1")
    done = suspend(network.member("JP"), "JP1")
    for economy in MEMBERS:
        network.wait_sealed(done.height, [economy])
        if economy != "JP":
            assert lookup(network, economy, "JP1").reason == "SUSPENDED"


def test_everyone_publishes_at_once_and_all_have_the_same_ledger(
    network: Network, shared: bytes
) -> None:
    for economy in MEMBERS:
        publish(network.member(economy), shared, *(f"{economy}9{n}" for n in range(20)))
    height = network.agreed()
    roots = {network.member(each).root(height) for each in MEMBERS}
    assert len(roots) == 1
    assert all(lookup(network, "HK", f"{each}917").recognised for each in ("AU", "JP", "NZ"))


def test_who_has_nothing_to_say_says_so(network: Network) -> None:
    before = len(authors(network.member("AU")))
    seen = wait_until(
        lambda: set(authors(network.member("NZ"))[before:]) == set(MEMBERS), "heartbeats of all"
    )
    assert seen


def test_a_member_that_was_killed_comes_back_with_all_it_missed(
    network: Network, shared: bytes
) -> None:
    network.member("NZ").kill("both")
    during = publish(network.member("AU"), shared, "AU7")
    network.member("NZ").start()
    network.wait_sealed(during.height, ["NZ"])
    assert lookup(network, "NZ", "AU7").recognised
    publish(network.member("NZ"), shared, "NZ7")
    network.agreed()


def test_cometbft_that_was_killed_is_started_again(network: Network, shared: bytes) -> None:
    member = network.member("HK")
    before = member.pid_cometbft
    member.kill("cometbft")
    wait_until(lambda: member.pid_cometbft not in {None, before}, "another CometBFT")
    publish(member, shared, "HK7")
    network.agreed()


def test_the_ledger_and_a_receipt_are_verified_offline(
    network: Network, shared: bytes, tmp_path: Path
) -> None:
    publish(network.member("AU"), shared, "AU8")
    network.agreed()
    made = receipt(network, "HK", "AU8")
    checked = check_receipt(
        made,
        now=SystemClock().now_ms(),
        backend=BACKEND,
        network_id=network.genesis.network_id,
    )
    assert checked.verdict.tin == "AU8"
    profile = network.member("JP").folder / "clients" / "JP" / "auditor.toml"
    exported = run("ledger", "export", tmp_path / "ledger.aeo", "--profile", profile)
    assert exported.code == 0, exported.err
    said = run(
        "verify", "ledger", tmp_path / "ledger.aeo",
        "--network-id", network.genesis.network_id.hex(),
    )  # fmt: skip
    assert said.code == 0, said.err
