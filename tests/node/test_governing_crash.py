"""kill -9 at every step of a rotation and of the hand-over that takes it up.

After a restart the member signs with the key that the ledger names, nothing is signed twice, and
rotation and hand-over can be brought to their end; only then is the old key gone.
"""

import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path

import pytest

from ledger.chain.governance import WeightChange
from ledger.chain.set_change import check_set_changes
from ledger.chain.transaction import parse_transaction
from ledger_world import BACKEND
from node.governing_crash import VOTERS
from node.governing_world import GovernedWorld, KeyedNetwork, handed_over, until
from node.node_world import WAIT_S
from service.engine import solo
from service.node.governance import hand_over
from service.node.governance import steps as governing
from service.node.node import Node
from service.store.ledger.ledger_store import LedgerStore

ROOT = Path(__file__).resolve().parents[2]
# Blocks: the rotation, the proposal, three votes, the hand-over.
HAND_OVER_BLOCK = 6

CASES = [
    *((step, 1) for step in governing.STEPS),
    # The first that is signed is the rotation.
    *((f"signed:{at}", 1) for at in ("before", "transactions", "committed")),
    *((f"recorded:{at}", 1) for at in ("before", "committed")),
    *((step, 1) for step in solo.STEPS[:4]),
    ("engine:sealed", 2),  # the first is of genesis
    *((step, 1) for step in hand_over.STEPS),
    *((step, HAND_OVER_BLOCK) for step in solo.STEPS[:4]),
    ("guard:written", HAND_OVER_BLOCK + 1),
    ("engine:sealed", HAND_OVER_BLOCK + 1),
]

Kill = Callable[[Path, str, int], None]


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of a network that nobody has started yet."""
    return GovernedWorld(tmp_path_factory.mktemp("network"), VOTERS).folder


@pytest.fixture(scope="module")
def kill() -> Iterator[Kill]:
    """Run a node that is killed; returns when it is dead."""
    process = subprocess.Popen(
        [sys.executable, "-m", "node.governing_crash"],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
        env={"PYTHONPATH": f"{ROOT}:{ROOT / 'proto/gen'}:{ROOT / 'tests'}"},
    )

    def run(folder: Path, step: str, occurrence: int) -> None:
        process.stdin.write(f"{folder} {step} {occurrence}\n")
        process.stdin.flush()
        # Other lines are the node's own log.
        ended = (line for line in iter(process.stdout.readline, "") if line.strip("-\n").isdigit())
        assert next(ended, "").strip() == "9", f"the node was not killed at {step}"

    yield run
    process.stdin.close()
    process.wait(10)
    process.stdout.close()


@pytest.mark.parametrize(("step", "occurrence"), CASES)
def test_killed_at_a_step(
    network: Path, kill: Kill, tmp_path: Path, step: str, occurrence: int
) -> None:
    shutil.copytree(network, tmp_path, dirs_exist_ok=True)
    kill(tmp_path, step, occurrence)
    keyed = KeyedNetwork(tmp_path, VOTERS)
    with keyed.start() as node:
        finish(keyed, node)
        now = node.state.membership.members["NZ"].bls_public_key
        until(
            lambda: [key.public_key for key in node.hosted["NZ"].keys.all] == [now],
            "the old key destroyed",
        )
        changes = node.set_changes.all()
        sets = check_set_changes(node.genesis.signing_set, changes, node.network_id, BACKEND)
        assert sets[-1] == node.state.signing_sets.current
    check_signatures(keyed)
    keyed.start().stop()


def finish(keyed: KeyedNetwork, node: Node) -> None:
    """Bring rotation and hand-over to their end; what waits comes by itself."""
    for economy in VOTERS:  # what the killed node had signed is in by then
        node.hosted[economy].publisher.heartbeat().result(WAIT_S)
    governance = node.hosted["NZ"].governance
    founder = node.genesis.signing_set.members[-1].key
    if node.state.membership.members["NZ"].bls_public_key == founder:
        governance.rotate(WAIT_S)
    # A pair made before the crash is the one that was registered.
    assert len(node.hosted["NZ"].keys.all) <= 2
    until(lambda: node.state.signing_sets.pending is None, "hand-over")
    if any(member.key == founder for member in node.state.signing_sets.current.members):
        height = node.state.height
        keyed.decide(node, WeightChange(()), *VOTERS)
        handed_over(node, height)
    node.hosted["NZ"].publisher.heartbeat().result(WAIT_S)


def check_signatures(keyed: KeyedNetwork) -> None:
    """What each outbox signed is what the ledger has, number by number."""
    settings = keyed.settings()
    with LedgerStore(settings.ledger, read_only=True) as store:
        entries = [(parse_transaction(data).body, data) for data in store.transactions()]
    for economy in VOTERS:
        in_ledger = {body.sequence: data for body, data in entries if body.author == economy}
        with closing(sqlite3.connect(settings.home(economy))) as home:
            signed = dict(home.execute("SELECT sequence, data FROM signed"))
        assert signed == in_ledger
        assert sorted(signed) == list(range(1, len(signed) + 1))
