"""Four members whose processes are about to suffer; the module's `PARAMETERS` are the network's."""

from collections.abc import Iterator

import pytest
import structlog

from cometbft.federated import arrange
from cometbft.network import MEMBERS, Network


@pytest.fixture(scope="module")
def network(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Network]:
    folder = tmp_path_factory.mktemp(request.module.__name__.rpartition(".")[2])
    with Network.make(folder, parameters=request.module.PARAMETERS) as network:
        structlog.reset_defaults()
        yield network


@pytest.fixture(scope="module")
def shared(network: Network) -> bytes:
    """The arrangement of all four."""
    return arrange(network, *MEMBERS)
