"""Faults of machines: a lost disk, a full and a slow one, clocks that are wrong."""

import os
import shutil
import subprocess
import time
from pathlib import Path

import pytest

from cometbft.federated import publish
from cometbft.network import MEMBERS, Network, wait_until
from faults import bent
from faults.load import Load
from ledger.chain.parameters import DEFAULT_PARAMETERS
from service.client import LedgerClient
from service.node.founding.network import join_network
from service.node.node import NodeSettings
from service.store.backup import back_up

PARAMETERS = DEFAULT_PARAMETERS._replace(heartbeat_interval=2_000)
HOUR_MS = 3_600_000
TWO_DAYS_MS = 48 * HOUR_MS
SLOW_MS = 40
OTHERS = ("AU", "HK", "JP")


def evidence(network: Network, economy: str) -> list[bytes]:
    with network.member(economy).client("auditor") as connection:
        return LedgerClient(connection).evidence()


def test_a_disk_is_lost(network: Network, shared: bytes, tmp_path: Path) -> None:
    nz = network.member("NZ")
    publish(nz, shared, "NZ1")
    back_up(nz.folder / "data", tmp_path / "backup")
    publish(nz, shared, "NZ2")  # the backup knows nothing of it, nor of the number it took
    nz.kill()
    shutil.rmtree(nz.folder / "data")
    shutil.rmtree(nz.folder / "cometbft" / "data")
    settings = NodeSettings.in_folder(nz.folder / "data", {"NZ": 1})
    join_network(settings, network.genesis.data, None)
    shutil.copy(tmp_path / "backup" / "home-NZ.db", nz.folder / "data")
    with Load(network, shared, OTHERS):
        nz.start()
    publish(nz, shared, "NZ3")
    network.agreed()
    assert all(not evidence(network, each) for each in MEMBERS), "no number was signed twice"


@pytest.mark.long
def test_a_full_disk(network: Network, shared: bytes) -> None:
    if os.geteuid():
        pytest.skip("only root may make a small disk")
    nz = network.member("NZ")
    nz.stop()
    data, aside = nz.folder / "data", nz.folder / "aside"
    data.rename(aside)
    data.mkdir()
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=12m", "tmpfs", data], check=True)
    try:
        shutil.copytree(aside, data, dirs_exist_ok=True)
        nz.start()
        with Load(network, shared, OTHERS) as load:
            free = shutil.disk_usage(data).free
            (data / "filler").write_bytes(bytes(free - (64 << 10)))
            wait_until(lambda: nz.pid_node is None, "the node stops")
            assert nz.process is not None
            assert nz.process.returncode == 3
            assert nz.logged("the store is full") or nz.logged("No space left")
            so_far = len(load.acknowledged)
            wait_until(lambda: len(load.acknowledged) > so_far + 10, "the others go on")
            (data / "filler").unlink()
            nz.stop()
            nz.start()
        load.check(MEMBERS)
        publish(nz, shared, "NZ4")
        network.agreed()
        nz.stop()
        shutil.copytree(data, aside, dirs_exist_ok=True)
    finally:
        nz.stop()
        subprocess.run(["umount", data], check=True)
        data.rmdir()
        aside.rename(data)
    nz.start()
    network.agreed()


@pytest.mark.long
def test_a_slow_disk(network: Network, shared: bytes) -> None:
    nz = network.member("NZ")
    nz.stop()
    nz.start(bent.command(slow_ms=SLOW_MS), environment=bent.environment(0))
    with Load(network, shared, MEMBERS) as load:
        load.goes_on(60)
    load.check()
    nz.stop()
    nz.start()
    network.agreed()


@pytest.mark.long
def test_one_clock_is_an_hour_ahead(network: Network, shared: bytes) -> None:
    nz = network.member("NZ")
    nz.stop()
    nz.start(bent.command(HOUR_MS), environment=bent.environment(HOUR_MS))
    with Load(network, shared, MEMBERS) as load:
        load.goes_on(60)
    load.check()
    recorded = network.member("AU").header().time
    assert abs(time.time() * 1000 - recorded) < 60_000, "the others' clocks are the chain's"
    nz.stop()
    nz.start()
    network.agreed()


@pytest.mark.long
def test_two_days_behind(network: Network, shared: bytes) -> None:
    """Two days of the others' clocks, of which one member has seen no block.

    Its own clock is right when it comes back: with one that is more than a minute behind, CometBFT
    takes no block of the others, and the member stays away until somebody sets the clock.
    """
    network.member("NZ").kill()
    for economy in OTHERS:
        network.member(economy).stop()
    for economy in OTHERS:
        network.member(economy).start(
            bent.command(TWO_DAYS_MS), environment=bent.environment(TWO_DAYS_MS), wait=False
        )
    for economy in OTHERS:
        network.member(economy).wait_started()
    with Load(network, shared, OTHERS) as load:
        two_days_on = time.time() * 1000 + TWO_DAYS_MS - HOUR_MS
        wait_until(lambda: network.member("AU").header().time > two_days_on, "two days pass")
        so_far = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > so_far + 200, "the others go on")
        network.member("NZ").start(
            bent.command(TWO_DAYS_MS), environment=bent.environment(TWO_DAYS_MS)
        )
    load.check(MEMBERS)
    publish(network.member("NZ"), shared, "NZ5")
    network.agreed()
