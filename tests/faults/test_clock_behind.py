"""One clock that is behind: a little, and an hour."""

import time
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from cometbft.federated import RECORDED, publish
from cometbft.network import MEMBERS, Network, wait_until
from faults import bent
from faults.load import Load, one_chain
from faults.skewed import VARIABLE, skewed_cometbft
from ledger.chain.parameters import DEFAULT_PARAMETERS
from node.node_world import row
from service.client import PublishingClient, StatusClient, Verdict
from service.client.verdicts import Outcome
from service.engine.cometbft.engine import STANDSTILL_S
from service.engine.cometbft.install import PROGRAM_VARIABLE
from service.engine.cometbft.process import LOG_FILE as COMETBFT_LOG

STALE_MS = 8_000
PARAMETERS = DEFAULT_PARAMETERS._replace(heartbeat_interval=2_000, default_staleness_limit=STALE_MS)
HOUR_MS = 3_600_000
HALF_A_MINUTE_MS = 30_000
OTHERS = ("AU", "HK", "JP")


def refusals(log: Path) -> int:
    """How often a CometBFT has taken a block for one of the future."""
    return log.read_text().count("too far in the future")


def unproved(network: Network, tin: str) -> Verdict:
    """What NZ's own node says, by its own clock."""
    member = network.member("NZ")
    with StatusClient.open(member.address, member.tls("risk-engine"), deadline=20.0) as client:
        return client.lookup(tin, function="EX", direction="IMPORT", mode=1)


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    # CometBFT waits for the genesis time by its own clock.
    begun = time.time_ns() // 1_000_000 - 2 * HOUR_MS
    folder = tmp_path_factory.mktemp("behind")
    with Network.make(folder, parameters=PARAMETERS, created_at=begun) as network:
        structlog.reset_defaults()
        yield network


@pytest.mark.long
def test_half_a_minute_behind(network: Network, shared: bytes) -> None:
    """Within a minute a member takes part as any other, and its monitoring shows the clock."""
    nz = network.member("NZ")
    nz.stop()
    nz.start(bent.command(-HALF_A_MINUTE_MS), environment=bent.environment(-HALF_A_MINUTE_MS))
    with Load(network, shared, MEMBERS) as load:
        load.goes_on(40)
    load.check()
    recorded = network.member("AU").header().time
    assert abs(time.time() * 1000 - recorded) < 20_000, "the others' clocks are the chain's"
    assert 10 < nz.metrics()["aeo_clock_behind_seconds"] < 31
    nz.stop()
    nz.start()
    network.agreed()


@pytest.mark.long
def test_an_hour_behind(network: Network, shared: bytes) -> None:
    """It takes no block, and knows it: its look-ups grow stale in time, whatever its clock says."""
    nz = network.member("NZ")
    publish(network.member("HK"), shared, "HK4711")
    network.agreed()
    nz.stop()
    nz.start(bent.command(-HOUR_MS), environment=bent.environment(-HOUR_MS))
    with nz.client("officer") as connection:
        rows = [publishing.Submission.FromString(row("NZ4711").SerializeToString())]
        promised = PublishingClient(connection).publish("behind", rows, [shared]).publication_id
    with Load(network, shared, OTHERS) as load:
        # By the newest header's time, which may lie a moment before what that header records.
        stale = wait_until(
            lambda: (said := unproved(network, "HK4711")).outcome is Outcome.UNDETERMINED and said,
            "its answers turn stale",
        )
        assert stale.reason in {"LEDGER_STALE", "ISSUER_STALE"}
        height = load.goes_on(40)
        assert nz.height() < height
    load.check()
    recorded = network.member("AU").header().time
    assert abs(time.time() * 1000 - recorded) < 20_000, "the others' clocks are the chain's"
    wait_until(lambda: nz.metrics()["aeo_head_age_seconds"] > STALE_MS / 1000, "the head grows old")
    assert 3_590 < nz.metrics()["aeo_clock_behind_seconds"] < 3_601
    assert nz.logged("the clock is behind the ledger")
    nz.stop()
    nz.start()  # the clock is right
    with nz.client("officer") as connection:
        client = PublishingClient(connection)
        wait_until(lambda: client.get(promised).state >= RECORDED, "what waited is recorded")
    wait_until(lambda: unproved(network, "HK4711").recognised, "answers are fresh again")
    network.agreed()
    one_chain(network, MEMBERS)


@pytest.mark.long
def test_a_clock_that_is_set_while_the_node_runs(
    network: Network, shared: bytes, tmp_path: Path
) -> None:
    """Its CometBFT is started again, after the longest standstill at the latest, and it is back."""
    nz = network.member("NZ")
    nz.stop()
    clock, program = tmp_path / "clock", tmp_path / "cometbft"
    clock.write_text(str(-HOUR_MS))
    program.write_text(f'#!/bin/sh\n{VARIABLE}=$(cat {clock}) exec {skewed_cometbft()} "$@"\n')
    program.chmod(0o700)
    log = nz.folder / "cometbft" / COMETBFT_LOG
    before = refusals(log)
    nz.start(environment={PROGRAM_VARIABLE: str(program)})
    with Load(network, shared, OTHERS) as load:
        wait_until(lambda: refusals(log) > before, "it takes no block")
        clock.write_text("0")
        wait_until(lambda: len(load.acknowledged) > 20, "the others go on")
    load.check()
    network.wait_height(network.member("AU").height(), ["NZ"], STANDSTILL_S + 60.0)
    publish(nz, shared, "NZ4712")
    network.agreed()
