"""A replica of four members under CometBFT: seals come later than their blocks, and from others."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from aeo.exchange.v1 import status_service_pb2 as exchange
from cometbft.federated import arrange, publish
from cometbft.network import MEMBERS, Network
from ledger.chain.header import header_hash
from ledger.chain.parameters import DEFAULT_PARAMETERS
from replica.replica_world import await_, until
from service.node.replica.config import load_replica_config, replica_settings
from service.node.replica.follow import Patience, SourceState
from service.node.replica.replica import Replica


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    """Members that say every two seconds that they are there."""
    parameters = DEFAULT_PARAMETERS._replace(heartbeat_interval=2_000)
    with Network.make(tmp_path_factory.mktemp("net"), parameters=parameters) as made:
        structlog.reset_defaults()
        yield made


def test_it_follows_one_member_and_goes_on_with_another(network: Network, tmp_path: Path) -> None:
    shared = arrange(network, *MEMBERS)
    own, other, author = (network.member(each) for each in MEMBERS[:3])
    clients = own.folder / "clients" / own.economy
    settings = replica_settings(load_replica_config(clients / "replica.toml"))
    mine = settings.sources[0]
    settings = replace(
        settings,
        folder=tmp_path,
        sources=(mine, mine._replace(address=other.address)),
        patience=Patience(silence=10.0),
    )
    assert mine.address == own.address
    with Replica.start(settings) as replica:
        first = publish(author, shared, f"{author.economy}1").height
        until(replica, lambda: replica.state.height >= first)
        assert replica.ledger_store.header(first).header
        # Sealed by itself or by a later header, as the members' votes come.
        until(replica, lambda: replica.finality_of(first) == exchange.FINALITY_SEALED)
        await_(lambda: replica.keyring.keys().get(shared))

        own.kill("node")
        second = publish(author, shared, f"{author.economy}2").height
        until(replica, lambda: replica.state.height >= second)
        until(replica, lambda: replica.finality_of(second) == exchange.FINALITY_SEALED)
        assert replica.sources[1].state == SourceState.FOLLOWED
        assert not replica.refusals.all()
        height = other.height()
        until(replica, lambda: replica.state.height >= height)
        kept = replica.ledger_store.header(height)
        assert header_hash(kept.header) == other.root(height)
