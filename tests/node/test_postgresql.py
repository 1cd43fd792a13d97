"""A whole node on a PostgreSQL server: it publishes, answers, stops, and goes on where it was."""

import logging
import signal
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from aeo.exchange.v1 import verdict_pb2
from commands import Said, run
from ledger.customs.verdict import Query
from ledger_world import BACKEND, bls_secret, registration
from node.node_world import MEMBERS, agree, request, row, wait_recorded
from service.clock import SystemClock
from service.errors import StoreBusy, StoreError
from service.node.founding.network import create_network
from service.node.lookup.desks import Desks
from service.node.node import Node, NodeSettings
from service.store import fence
from service.store.location import parse_stores
from store.postgres import Postgres, own_server


@pytest.fixture(autouse=True)
def _log() -> Iterator[None]:
    """A command's log must not outlive its stderr."""
    handlers = logging.root.handlers[:]
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers


def fsck(where: object) -> Said:
    said = run("fsck", str(where), "--json")
    structlog.reset_defaults()
    return said


@pytest.fixture(scope="module")
def server() -> Iterator[Postgres]:
    with own_server() as server:
        yield server


@pytest.fixture
def settings(server: Postgres, tmp_path: Path) -> NodeSettings:
    name = f"node_{next(server.names)}"
    server.sql(f"CREATE DATABASE {name}")
    stores = parse_stores(server.url(name))
    settings = replace(
        NodeSettings.in_folder(tmp_path / "data", {each: bls_secret(each) for each in MEMBERS}),
        ledger=stores.store("ledger"),
        home_store=stores,
    )
    create_network(
        settings,
        name="test",
        created_at=SystemClock().now_ms() - 1_000,
        founders=[registration(each) for each in MEMBERS],
        backend=BACKEND,
        pilot=True,
    )
    return settings


def rows(first: int, count: int) -> list[object]:
    return [row(f"HK{number:08}") for number in range(first, first + count)]


def reason(node: Node, tin: str) -> str:
    """Why an operator is not recognised; NONE: it is."""
    desk = Desks(node).of("NZ")
    verdict = desk.evaluate(Query("NZ", "EX", 1, 1, tin=tin), desk.position())
    return verdict_pb2.Reason.Name(verdict.reason).removeprefix("REASON_")


def test_it_publishes_looks_up_and_restarts(settings: NodeSettings, tmp_path: Path) -> None:
    with Node.start(settings) as node:
        shared = agree(node, "HK", "NZ")
        publisher = node.hosted["HK"].publisher
        first = publisher.publish(request("k", rows(0, 500)), confirms=False)
        wait_recorded(node, "HK", first.publication_id)
        assert reason(node, "HK00000007") == "NONE"
        assert reason(node, "HK99999999") == "NO_RECORD"
        before = node.state
    # Nothing but the guard, and what is derived, lies in files.
    assert not list(tmp_path.rglob("*.db"))
    with Node.start(settings) as node:
        assert node.state.header_bytes == before.header_bytes
        assert node.hosted["NZ"].keyring.key(shared) is not None
        assert node.newest_seal.height == node.state.height
        assert reason(node, "HK00000499") == "NONE"
        publications = node.hosted["HK"].publications
        assert publications.get(first.publication_id).recorded == 500
        again = node.hosted["HK"].publisher.publish(request("k", rows(0, 500)), confirms=False)
        assert again.publication_id == first.publication_id
    checked = fsck(settings.ledger)
    assert checked.code == 0, checked.err
    assert checked.json["consistent"]
    assert checked.json["height"] == before.height


def test_two_nodes_on_one_database(
    settings: NodeSettings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(fence, "LOCK_SECONDS", 0.2)
    with Node.start(settings) as node:
        with pytest.raises(StoreBusy, match="another node has this store open"):
            Node.start(replace(settings, guard=tmp_path / "other"))
        assert fsck(settings.ledger).code == 3
        agree(node, "HK", "NZ")
    # Nor may a second network be founded where one is.
    with pytest.raises(StoreError, match="has a genesis already"):
        create_network(
            replace(settings, guard=tmp_path / "other"),
            name="second",
            created_at=SystemClock().now_ms(),
            founders=[registration(each) for each in MEMBERS],
            backend=BACKEND,
            pilot=True,
        )


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGINT])
def test_a_server_that_restarts_under_a_node(
    settings: NodeSettings, server: Postgres, how: signal.Signals
) -> None:
    with Node.start(settings) as node:
        agree(node, "HK", "NZ")
        publisher = node.hosted["HK"].publisher
        taken = [publisher.publish(request("a", rows(0, 2_000)), confirms=False)]
        if how == signal.SIGKILL:
            server.kill()
        else:
            server.stop(how)
        server.start()
        taken.append(publisher.publish(request("b", rows(2_000, 500)), confirms=False))
        for each in taken:
            wait_recorded(node, "HK", each.publication_id)
        assert node.engine.failure is None
        height = node.state.height
    assert fsck(settings.ledger).json["height"] >= height


def test_fsck_of_no_store_makes_none(server: Postgres) -> None:
    said = fsck(server.url("template1"))
    assert said.code == 3
    assert "no such store" in said.err
    said = fsck("postgresql://aeo:secret@db/aeo")
    assert said.code != 0
    assert "holds no password" in said.err
    assert "secret" not in said.err
