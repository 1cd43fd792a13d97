"""A member that runs twice: with the same keys, on a copy of its folder.

Of two votes of one key a third node hears only where both come at once, for nobody sends a vote to
a peer that says it has one of that member. So a copy that does as its original is not caught by its
votes, but by its numbers; one that votes otherwise at every height is caught at once.
"""

import shutil
from collections.abc import Iterator

import pytest

from cometbft.federated import publish
from cometbft.network import MEMBERS, Member, Network, wait_until
from faults import lying
from faults.load import Load, one_chain
from faults.twin import twin_of
from ledger.chain.parameters import DEFAULT_PARAMETERS

PARAMETERS = DEFAULT_PARAMETERS._replace(heartbeat_interval=2_000)
OTHERS = ("AU", "HK", "JP")
COUNTED = 'aeo_verification_failures_total{economy="NZ",kind="equivocations"}'


@pytest.fixture
def twins(network: Network) -> Iterator[list[Member]]:
    """Twins of NZ; at the end NZ is alone again."""
    network.start()
    made: list[Member] = []
    yield made
    for twin in made:
        twin.kill()
        shutil.rmtree(twin.folder)


def copied(network: Network, twins: list[Member], *, known_as_another: bool) -> Member:
    nz = network.member("NZ")
    nz.stop()
    twins.append(twin_of(nz, known_as_another=known_as_another))
    nz.start()
    return twins[-1]


def go_on_with(nz: Member, other: Member) -> None:
    """Whoever goes on is the member's node from now on: its stores, its guard, its votes."""
    nz.stop()
    other.stop()
    if other is not nz:
        for each in ("data", "cometbft/data"):
            shutil.rmtree(nz.folder / each)
            shutil.copytree(other.folder / each, nz.folder / each)


def all_is_one(network: Network, shared: bytes, tin: str) -> None:
    """Without the twin the member publishes again, and all four have one chain."""
    network.start()
    publish(network.member("NZ"), shared, tin)
    network.agreed()
    one_chain(network, MEMBERS)


@pytest.mark.long
def test_a_copy_that_says_it_is_the_same(
    network: Network, shared: bytes, twins: list[Member]
) -> None:
    """The others take each peer's name once: who came second finds nobody."""
    nz, twin = network.member("NZ"), copied(network, twins, known_as_another=False)
    publish(nz, shared, "NZ10")
    begun = nz.height()
    twin.start()
    with Load(network, shared, MEMBERS) as load:
        height = load.goes_on(40)
    assert twin.height() <= begun < height
    assert not twin.logged("caught up with the other members")
    load.check()
    twin.kill()
    all_is_one(network, shared, "NZ11")


@pytest.mark.long
def test_a_copy_that_publishes_too(network: Network, shared: bytes, twins: list[Member]) -> None:
    """One number for two transactions: whose did not enter stops, and the other one goes on."""
    nz, twin = network.member("NZ"), copied(network, twins, known_as_another=True)
    twin.start()
    with Load(network, shared, OTHERS) as load:
        wait_until(lambda: None in (nz.pid_node, twin.pid_node), "one of the two stops")
        stopped = twin if twin.pid_node is None else nz
        assert stopped.process is not None
        assert stopped.process.returncode == 3
        assert stopped.logged("SEQUENCE_USED")
        so_far = len(load.acknowledged)
        wait_until(lambda: len(load.acknowledged) > so_far + 20, "the others go on")
    load.check()
    go_on_with(nz, nz if stopped is twin else twin)
    all_is_one(network, shared, "NZ12")


@pytest.mark.long
def test_a_copy_that_votes_otherwise(network: Network, shared: bytes, twins: list[Member]) -> None:
    """Two votes of one key for one height: proved in a block, so all count it."""
    twin = copied(network, twins, known_as_another=True)
    twin.start(lying.command("nil"), environment=lying.ENVIRONMENT)
    with Load(network, shared, OTHERS) as load:
        for economy in OTHERS:
            member = network.member(economy)
            wait_until(lambda m=member: m.metrics().get(COUNTED, 0) > 0, f"{economy} counts it")
        load.goes_on(20)
    load.check()
    twin.kill()
    all_is_one(network, shared, "NZ13")
