"""Errors that nobody expected, in following one source: the others go on, and it is told."""

import json
import os
import subprocess
import threading
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from commands import process
from replica.lying import Block, LyingNode
from replica.replica_world import World, await_, until
from service.api.replica import FOLLOWING, ReplicaServing, serve_replica
from service.client.connection import Connection
from service.client.replica import NodeAddress
from service.errors import StoreFull
from service.node.founding.ports import free_port
from service.node.replica.follow import Patience
from service.node.replica.refusals import WRONG_SEAL
from service.node.replica.replica import Replica
from service.node.replica.standing import SourceState
from service.store.ledger.ledger_store import LedgerStore

SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("faults"))
    made.grow(2)
    yield made
    made.stop()


class Broken(NodeAddress):
    """A node that something is wrong with which nobody has thought of; until it is mended."""

    mended = threading.Event()

    def connect(self, deadline: float) -> Connection:
        if not self.mended.is_set():
            raise AttributeError("'NoneType' object has no attribute 'height'")
        return super().connect(deadline)


def broken(world: World, address: str = "") -> Broken:
    return Broken(*world.source(address))


@pytest.fixture(autouse=True)
def not_mended() -> None:
    Broken.mended.clear()


def begun(world: World, name: str) -> None:
    """A replica's folder that has all there is now."""
    with world.replica(name) as replica:
        world.caught_up(replica)
        await_(lambda: replica.keyring.content)


def test_the_other_sources_go_on(world: World) -> None:
    bad = broken(world, "127.0.0.1:1")
    with (
        capture_logs() as logs,
        world.replica("others", sources=(bad, world.source())) as replica,
    ):
        world.caught_up(replica)
        world.grow(1)
        world.caught_up(replica)
        first, second = replica.sources
        assert first.state == SourceState.UNREACHABLE
        assert first.detail.startswith("unexpected AttributeError: 'NoneType'")
        assert second.state == SourceState.FOLLOWED
        assert replica.failure is None
        assert replica.standing.faults == {bad.address: 1}
        assert not replica.standing.stuck
        assert replica.refusals.all() == []  # the fault is ours
    told = [each for each in logs if "unexpected error" in each["event"]]
    # Already when it was asked for the genesis; each time with its traceback.
    assert [each["source"] for each in told] == [bad.address] * 2
    assert all(isinstance(each["exc_info"], AttributeError) for each in told)


def test_one_that_raises_at_a_block_goes_on_behind_it(world: World) -> None:
    """What the block changed stands; what is told of it may be lost to whoever raised."""
    with world.replica("listener") as replica:
        world.caught_up(replica)
        at = replica.state.height + 1
        raised = threading.Event()

        def hear(change: object) -> None:
            if change.block is not None and change.state.height == at:
                raised.set()
                raise AttributeError("a listener that is wrong")

        replica.on_block(hear)
        world.grow(2)
        world.caught_up(replica)
        assert raised.is_set()
        assert replica.state.header_bytes == world.node.state.header_bytes
        assert replica.standing.faults == {world.address: 1}
        assert replica.failure is None


def metrics(port: int) -> dict[str, dict[str, float]]:
    with urlopen(f"http://127.0.0.1:{port}/metrics", timeout=10) as answer:
        families = text_string_to_metric_families(answer.read().decode())
        found: dict[str, dict[str, float]] = {}
        for family in families:
            for sample in family.samples:
                labels = " ".join(sample.labels[name] for name in sorted(sample.labels))
                found.setdefault(sample.name, {})[labels] = sample.value
        return found


def health(address: str, service: str) -> int:
    with grpc.insecure_channel(address) as channel:
        asked = health_pb2.HealthCheckRequest(service=service)
        return health_pb2_grpc.HealthStub(channel).Check(asked).status


def serving(replica: Replica, port: int) -> ReplicaServing:
    folder = replica.settings.folder
    return ReplicaServing(
        "127.0.0.1:0",
        folder / "ledger.db",
        folder / "access",
        None,
        health="127.0.0.1:0",
        metrics=f"127.0.0.1:{port}",
        log_level="WARNING",
    )


def test_where_nothing_can_be_followed_that_shows(world: World) -> None:
    begun(world, "stuck")
    port = free_port()
    given = {
        "sources": (broken(world), broken(world, "127.0.0.1:1")),
        "patience": Patience(silence=1.0, stuck=0.3),
    }
    with (
        world.replica("stuck", **given) as replica,
        serve_replica(replica, serving(replica, port)) as server,
    ):
        until(replica, lambda: replica.standing.stuck)
        until(replica, lambda: health(server.health_address, FOLLOWING) == NOT_SERVING)
        # Look-ups are answered from what there is.
        assert health(server.health_address, "") == SERVING
        await_(lambda: metrics(port)["aeo_replica_stuck"][""] == 1)
        shown = metrics(port)
        assert shown["aeo_source_followed"] == {world.address: 0, "127.0.0.1:1": 0}
        assert all(number >= 1 for number in shown["aeo_source_faults_total"].values())
        Broken.mended.set()
        world.grow(1)
        world.caught_up(replica)
        await_(lambda: not replica.standing.stuck)
        await_(lambda: health(server.health_address, FOLLOWING) == SERVING)
        await_(lambda: metrics(port)["aeo_replica_stuck"][""] == 0)
        assert replica.failure is None


def test_a_source_that_is_refused_shows(world: World) -> None:
    begun(world, "refuses")
    world.grow(1)
    port = free_port()

    def forged(message: Block) -> Iterator[Block]:
        if message.seal:
            message.seal = message.seal[:-1] + bytes([message.seal[-1] ^ 1])
        yield message

    with (
        LyingNode(world.address, blocks=forged) as liar,
        world.replica("refuses", liar.address, world.address) as replica,
        serve_replica(replica, serving(replica, port)),
    ):
        world.caught_up(replica)
        await_(lambda: metrics(port)["aeo_source_followed"].get(world.address) == 1)
        shown = metrics(port)
        assert shown["aeo_source_refused"] == {liar.address: 1, world.address: 0}
        # A seal with one bit turned may be no point of the curve at all.
        (code,) = {each["code"] for each in replica.refusals.all()}
        assert code == WRONG_SEAL
        assert shown["aeo_source_refusals_total"] == {f"{code} {liar.address}": 1}
        assert shown["aeo_source_faults_total"] == {liar.address: 0, world.address: 0}
        assert shown["aeo_evidence"] == {"fork": 0, "double number": 0}
        assert shown["aeo_replica_stuck"] == {"": 0}


def pages(path: Path) -> int:
    """As many as an empty ledger's file has, and a few."""
    with LedgerStore(path):
        pass
    return path.stat().st_size // 4096 + 4


def test_a_store_that_can_take_no_more_ends_it(world: World, tmp_path: Path) -> None:
    """No other source would help; what is known stays readable."""
    world.publish(*(f"HKFULL{number}" for number in range(200)))
    room = pages(tmp_path / "empty.db")
    with world.replica("full", world.address, max_page_count=room) as replica:
        until(replica, lambda: replica.failure)
        assert isinstance(replica.failure, StoreFull)
        assert replica.state.height < world.node.state.height
        assert replica.standing.faults == {}


def test_the_command_ends_with_a_code_and_says_why(world: World, tmp_path: Path) -> None:
    config = tmp_path / "replica.toml"
    config.write_text(
        f"""
data = "{tmp_path / "command"}"
network_id = "{world.node.network_id.hex()}"
economy = "NZ"
max_page_count = {pages(tmp_path / "empty.db")}
source = [{{address = "{world.address}"}}]
[tls]
plaintext_loopback = true
[listen]
grpc = "127.0.0.1:{free_port()}"
health = ""
metrics = ""
"""
    )
    world.publish(*(f"HKMORE{number}" for number in range(200)))
    running = process("replica", "run", "--config", config, "--json", env=dict(os.environ))
    try:
        out, err = running.communicate(timeout=60)
    except subprocess.TimeoutExpired:
        running.kill()
        out, err = running.communicate()
        pytest.fail(f"it goes on: {err}")
    assert running.returncode == 3, err
    assert "it could no longer follow" in err
    assert out == "" or json.loads(out.splitlines()[0])
