"""kill -9 at every named step of a commit, and at random moments, with two members publishing.

What was acknowledged is there after the restart and ends in the ledger, once; nothing is half
there; the chain continues; nothing is signed twice.
"""

import random
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.chain.transaction import parse_transaction
from ledger.tree.log import leaf_hash
from node.crashing import rows_of
from node.node_world import MEMBERS, agree, make_network, request, wait_recorded
from service.engine import solo
from service.node.node import Node, NodeSettings
from service.store import guard
from service.store.home import home_store
from service.store.ledger import ledger_store

STEPS = (
    *(step for step in ledger_store.STEPS if not step.startswith("genesis")),
    *home_store.STEPS,
    *guard.STEPS,
    *solo.STEPS,
)
ROOT = Path(__file__).resolve().parents[2]
RANDOM_KILLS = 20

Kill = Callable[[Path, int, str, int], None]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> NodeSettings:
    """A network with one arrangement signed by both members, stopped."""
    settings = make_network(tmp_path_factory.mktemp("network"))
    with Node.start(settings) as node:
        agree(node, *MEMBERS)
    return settings


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Run a node that is killed; returns when it is dead."""
    process = subprocess.Popen(
        [sys.executable, "-m", "node.crashing"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'proto/gen'}:{ROOT / 'tests'}"},
    )

    def run(folder: Path, number: int, step: str, occurrence: int) -> None:
        process.stdin.write(f"{folder} {number} {step} {occurrence}\n")
        process.stdin.flush()
        # Other lines are the node's own log.
        signals = (line for line in iter(process.stdout.readline, "") if line.strip().isdigit())
        assert next(signals, "").strip() == "9", f"the node was not killed at {step}"

    yield run
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


def copy_of(network: NodeSettings, folder: Path) -> NodeSettings:
    shutil.copytree(network.homes, folder, dirs_exist_ok=True)
    return NodeSettings.in_folder(folder, network.members)


def acknowledged(folder: Path) -> list[tuple[str, str, int]]:
    path = folder / "acknowledged"
    lines = path.read_text().splitlines() if path.exists() else []
    return [(economy, key, int(rows)) for economy, key, rows in map(str.split, lines)]


def check_after(settings: NodeSettings, run: int) -> None:
    """Start again, and look at everything that was promised."""
    with Node.start(settings) as node:
        (shared,) = node.state.own_arrangements(MEMBERS[0])
        for economy, key, rows in acknowledged(settings.homes):
            stored = node.hosted[economy].home.outbox.find(key)
            assert stored is not None, f"{economy} was told that {key} is stored"
            assert stored.records == rows
        for economy in MEMBERS:
            # The chain goes on.
            more = request(f"after-{run}", rows_of(economy, 900 + run, 1), shared)
            answer = node.hosted[economy].publisher.publish(more, confirms=False)
            wait_recorded(node, economy, answer.publication_id)
            check_member(node, economy, shared)
        heights = node.state.height
        node.stop()
    check_signatures(settings)
    with ledger_store.LedgerStore(settings.ledger, read_only=True) as store:
        assert store.newest_sealed().height == heights


def check_member(node: Node, economy: str, shared: bytes) -> None:
    """Every publication stored is in the ledger whole, each record once."""
    publications = []
    while page := node.hosted[economy].home.outbox.publications(
        500, publications[-1].publication_id if publications else None
    ):
        publications += page
    for stored in publications:
        assert stored.recorded == stored.records, stored
        assert stored.refused == 0, "a record came twice, or out of order"
    subjects = node.state.subjects(shared, economy)
    assert len(subjects) == sum(stored.records for stored in publications)
    for subject in subjects:
        assert len(node.state.subject_records(shared, economy, subject)) == 1


def check_signatures(settings: NodeSettings) -> None:
    """What each outbox signed is what the ledger has, number by number."""
    with ledger_store.LedgerStore(settings.ledger, read_only=True) as store:
        entries = [(parse_transaction(data).body, data) for data in store.transactions()]
    for economy in MEMBERS:
        in_ledger = {body.sequence: data for body, data in entries if body.author == economy}
        with closing(sqlite3.connect(settings.home(economy))) as home:
            signed = dict(home.execute("SELECT sequence, data FROM signed"))
        assert signed == in_ledger
        assert sorted(signed) == list(range(1, len(signed) + 1))
    assert len({leaf_hash(data) for _, data in entries}) == len(entries)


@pytest.mark.parametrize("step", STEPS)
def test_killed_at_a_step(network: NodeSettings, kill: Kill, tmp_path: Path, step: str) -> None:
    settings = copy_of(network, tmp_path)
    kill(tmp_path, 1, step, 2)
    check_after(settings, 1)


def test_killed_at_random_moments(network: NodeSettings, kill: Kill, tmp_path: Path) -> None:
    settings = copy_of(network, tmp_path)
    moments = random.Random(2026)
    for run in range(RANDOM_KILLS):
        moment = moments.choice(("starting", "loaded", "loaded"))
        kill(tmp_path, run, moment, moments.randrange(30, 400))
        check_after(settings, run)
    assert len(acknowledged(tmp_path)) > RANDOM_KILLS, "the nodes were killed before any work"
