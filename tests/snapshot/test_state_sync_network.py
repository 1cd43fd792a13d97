"""State sync with real CometBFT: a node with an empty ledger begins with the others' snapshot."""

import tomllib
from pathlib import Path

import pytest
import tomli_w

from cometbft.network import MEMBERS, Network, wait_until
from ledger.chain.header import header_hash
from ledger.chain.parameters import DEFAULT_PARAMETERS
from service.engine.cometbft.rpc import Rpc
from service.store.ledger.ledger_store import LedgerStore

EVERY = 25


def change(folder: Path, **cometbft: object) -> None:
    """Change a node's configuration: many snapshots, and more of CometBFT's own."""
    path = folder / "node.toml"
    config = tomllib.loads(path.read_text())
    config["snapshot_blocks"] = EVERY
    config["engine"]["cometbft"] |= cometbft
    path.write_text(tomli_w.dumps(config))


@pytest.mark.long
def test_a_newcomer_begins_with_a_snapshot(tmp_path: Path) -> None:
    parameters = DEFAULT_PARAMETERS._replace(heartbeat_interval=1_000)
    network = Network.make(tmp_path, MEMBERS[:3], start=False, parameters=parameters)
    with network:
        for member in network.members.values():
            change(member.folder)
        network.start()
        source = network.member(MEMBERS[0])
        network.wait_height(EVERY)
        rpc = Rpc(source.rpc)
        try:
            trusted = rpc.status().height - 1
            hashed = rpc.block_hash(trusted)
        finally:
            rpc.close()
        network.join("SG")
        newcomer = network.member("SG")
        change(
            newcomer.folder,
            state_sync=[network.member(each).rpc for each in MEMBERS[:2]],
            trust_height=trusted,
            trust_hash=hashed,
        )

        def synced() -> int:
            # Not admitted yet, it lets no client in: its CometBFT says where it is.
            status = newcomer.status()
            return 0 if status is None or status.catching_up else status.height

        newcomer.start()
        first = wait_until(synced, f"in step\n{newcomer.log_end()}", 120)
        newcomer.stop()
        with LedgerStore(newcomer.folder / "data" / "ledger.db") as store:
            base, newest = store.base(), store.newest()
            assert base is not None
            assert base.height % EVERY == 0
            assert newest.height > base.height
            assert header_hash(newest.header) == source.root(newest.height)
            assert header_hash(store.header(1).header) == source.root(1)
        # From its base it starts again.
        newcomer.start()
        wait_until(lambda: synced() > first, f"further\n{newcomer.log_end()}", 60)
