"""A replica answers from several processes on one port, while blocks come in, as its node does."""

import os
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path
from typing import Self

import grpc
import pytest

from aeo.exchange.v1 import status_service_pb2 as exchange
from aeo.exchange.v1.status_service_pb2_grpc import StatusServiceStub
from ledger.audit.receipt import check_receipt
from ledger.bls.scheme import default_backend
from replica.replica_world import World, await_
from service.api.replica import ReplicaServer, ReplicaServing, serve_replica
from service.client import Connection, Plaintext, StatusClient
from service.node.replica.replica import Replica
from service.store.home.home_store import HomeStore

PROCESSES = 2


class Served:
    """A node, its replica, and two processes that answer."""

    def __init__(self, folder: Path, keep: ExitStack) -> None:
        self.world = World(folder)
        keep.callback(self.world.stop)
        self.world.grow(3)
        self.replica: Replica = keep.enter_context(self.world.replica())
        await_(lambda: self.replica.keyring.content)
        self.world.caught_up(self.replica)
        self.access_logs = folder / "replica" / "access"
        self.server: ReplicaServer = keep.enter_context(
            serve_replica(
                self.replica,
                ReplicaServing(
                    "127.0.0.1:0",
                    folder / "replica" / "ledger.db",
                    self.access_logs,
                    None,
                    PROCESSES,
                    health="127.0.0.1:0",
                    log_level="WARNING",
                ),
            )
        )
        # Each connection is one process's: these are many, so each process has some.
        self.engines = [
            keep.enter_context(self.engine(self.server.address, number)) for number in range(12)
        ]

    def engine(self, address: str, number: int = 0, role: str = "risk-engine") -> StatusClient:
        connection = Connection.open(address, Plaintext("NZ", role, f"engine-{number}"))
        return StatusClient(connection, None, self.world.node.network_id)

    def publish(self, *tins: str) -> None:
        self.world.publish(*tins)
        self.world.caught_up(self.replica)


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Served]:
    with ExitStack() as keep:
        yield Served(tmp_path_factory.mktemp("served"), keep)


class Raw:
    """Calls of the generated stub, as one economy's risk engine."""

    def __init__(self, served: Served, economy: str = "NZ") -> None:
        self._channel = grpc.insecure_channel(served.server.address)
        self._stub = StatusServiceStub(self._channel)
        self._metadata = (("aeo-economy", economy), ("aeo-access-role", "risk-engine"))

    def __getattr__(self, method: str):
        return lambda request: getattr(self._stub, method)(request, metadata=self._metadata)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._channel.close()


def refused(method: Callable[[object], object], request: object) -> tuple[str, str]:
    """The code and the words of a refusal."""
    with pytest.raises(grpc.RpcError) as caught:
        method(request)
    return caught.value.code().name, caught.value.details()


PLAIN = {"tin": "HK00000001", "function": "EX", "direction": 1, "transport_mode": 1}


def ask(engine: StatusClient, tin: str):
    return engine.lookup(tin, function="EX", direction="IMPORT", mode=1)


def everywhere(served: Served, true: Callable[[StatusClient], object]) -> None:
    """Wait until it is so at every process."""
    await_(lambda: all(true(engine) for engine in served.engines))


def test_both_processes_answer_as_the_node_does(served: Served) -> None:
    served.publish("HK-A1")
    height = served.world.node.state.height
    everywhere(served, lambda engine: ask(engine, "HKA1").height == height)
    assert served.server.processes.ready == PROCESSES
    assert len(set(served.server.processes.pids)) == PROCESSES
    with served.engine(served.world.address) as node:
        for tin in ("HKA1", "HK00000001", "HK99", "SG1", "?"):
            own = ask(node, tin).message
            for engine in served.engines:
                said = ask(engine, tin).message
                for moving in ("as_of", "attested_time"):
                    said.ClearField(moving)
                    own.ClearField(moving)
                assert said == own


def test_every_process_is_asked(served: Served) -> None:
    for engine in served.engines:
        ask(engine, "HK1")
    network_id = served.world.node.network_id

    def entries(number: int) -> int:
        path = served.access_logs / f"access-{number}.db"
        with HomeStore(path, "NZ", network_id, read_only=True) as home:
            return home.access_log.head().number

    # Each keeps its own access log: who asked it is there, and not in the other's.
    await_(lambda: all(entries(number) for number in range(PROCESSES)))


def test_news_reaches_every_process(served: Served) -> None:
    assert ask(served.engines[0], "HK777").reason == "NO_RECORD"
    served.publish("HK777")
    everywhere(served, lambda engine: ask(engine, "HK777").recognised)
    everywhere(served, lambda engine: ask(engine, "HK777").finality == "SEALED")


def test_a_watcher_is_told(served: Served) -> None:
    seen: list[str] = []
    told = threading.Event()

    def watch() -> None:
        for news in served.engines[0].watch(tins=["HKW1"], only_registered=True):
            tin = getattr(news, "tin", None)
            if tin:
                seen.append(tin)
                return
            told.set()

    thread = threading.Thread(target=watch, daemon=True)
    thread.start()
    assert told.wait(10)
    served.publish("HKW1")
    thread.join(10)
    assert seen == ["HKW1"]


def test_a_proved_answer_checks(served: Served) -> None:
    """Header and seal from the view, proofs from the follower: checked as a node's are."""
    for engine in served.engines[:6]:
        verdict = engine.lookup("HK00000001", function="EX", direction="IMPORT", mode=1, prove=True)
        assert verdict.checked is not None
        assert len(verdict.checked.histories) == 1


def test_a_receipt_and_a_history(served: Served) -> None:
    question = exchange.LookupRequest(**PLAIN)
    with Raw(served) as raw:
        receipt = raw.GetReceipt(exchange.GetReceiptRequest(question=question)).receipt
        history = raw.GetHistory(exchange.GetHistoryRequest(tin="HK00000001"))
    assert len(history.histories[0].entries) == 1
    checked = check_receipt(
        receipt,
        now=served.world.clock.now_ms(),
        backend=default_backend(),
        network_id=served.world.node.network_id,
    )
    assert checked.verdict.tin == "HK00000001"


def test_a_question_about_a_name_is_sent_to_the_node(served: Served) -> None:
    plain = exchange.LookupRequest(**PLAIN)
    named = exchange.LookupRequest(**PLAIN, declared_name="Acme")
    party = exchange.ChainParty(tin="HK00000001", function="EX", declared_name="Acme")
    chain = exchange.LookupSupplyChainRequest(parties=[party], direction=1, transport_mode=1)
    receipt = exchange.GetReceiptRequest(question=named)
    with Raw(served) as raw:
        for method, request in (
            (raw.Lookup, named),
            (raw.LookupSupplyChain, chain),
            (raw.GetReceipt, receipt),
        ):
            code, words = refused(method, request)
            assert code == "FAILED_PRECONDITION"
            assert "ask the administration's node" in words
        said = raw.BatchLookup(exchange.BatchLookupRequest(requests=[plain, named, plain]))
    assert [each.outcome for each in said.verdicts] == [1, 0, 1]
    assert [each.index for each in said.problems] == [1]


def test_only_the_own_economy_is_answered(served: Served) -> None:
    with Raw(served, "HK") as raw:
        code, _ = refused(raw.Lookup, exchange.LookupRequest(**PLAIN))
    assert code == "PERMISSION_DENIED"


def test_a_killed_process_is_started_again_and_catches_up(served: Served) -> None:
    processes = served.server.processes
    victim, other = processes.pids
    before = processes.restarts
    os.kill(victim, signal.SIGKILL)
    served.publish("HKK1")
    await_(lambda: processes.restarts > before and processes.ready == PROCESSES)
    assert victim not in processes.pids
    assert other in processes.pids
    served.publish("HKK2")

    def sees(engine: StatusClient) -> bool:
        try:
            return all(ask(engine, tin).recognised for tin in ("HKK1", "HKK2"))
        except Exception:
            return False

    everywhere(served, sees)


def test_a_taken_port_is_told(served: Served) -> None:
    import socket

    from service.api.listener import ListenError

    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        address = f"127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(ListenError, match="cannot listen on"):
            serve_replica(
                served.replica,
                replace(
                    ReplicaServing("", served.access_logs, served.access_logs, None),
                    listen=address,
                ),
            )
