"""A member that lies when it proposes, on real processes: refused or without effect, and counted.

The chain goes on, the others' records are committed in time, and nothing that it proposed is in
anybody's log.
"""

from collections.abc import Iterator

import pytest
import structlog

from cometbft import lying_proposer
from cometbft.federated import arrange, lookup, publish
from cometbft.network import MEMBERS, Network

HONEST = ("AU", "HK", "JP")
KINDS = {
    "seal": "refused_proposals",
    "large": "refused_proposals",
    "useless": "useless_transactions",
}


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network.make(tmp_path_factory.mktemp("proposer")) as network:
        structlog.reset_defaults()
        yield network


@pytest.fixture(scope="module")
def shared(network: Network) -> bytes:
    return arrange(network, *MEMBERS)


def counted(network: Network, economy: str, kind: str) -> float:
    """How often a member has seen NZ do this."""
    name = f'aeo_engine_faults_total{{economy="NZ",kind="{kind}"}}'
    return network.member(economy).metrics().get(name, 0.0)


@pytest.mark.parametrize(
    "lie",
    [
        "seal",
        pytest.param("large", marks=pytest.mark.long),
        pytest.param("useless", marks=pytest.mark.long),
    ],
)
def test_a_lying_proposer_is_counted_and_stops_nobody(
    network: Network, shared: bytes, lie: str
) -> None:
    nz, kind = network.member("NZ"), KINDS[lie]
    nz.stop()
    before = {each: counted(network, each, kind) for each in HONEST}
    nz.start(lying_proposer.command(lie), environment=lying_proposer.ENVIRONMENT)

    def seen_by_all() -> bool:
        return all(counted(network, each, kind) > before[each] for each in HONEST)

    number = 0
    while not seen_by_all():
        number += 1
        assert number < 40, "it proposes one block of four"
        publisher = HONEST[number % len(HONEST)]
        done = publish(network.member(publisher), shared, f"{publisher}{lie}{number}")
        assert [answer.code for answer in done.answers] == [""]
    network.wait_sealed(done.height, HONEST)  # by it too: it votes as it should
    nz.stop()
    nz.start()
    network.agreed()
    assert lookup(network, "NZ", f"{publisher}{lie}{number}").recognised
