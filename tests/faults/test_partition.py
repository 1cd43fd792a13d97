"""A partition and its healing: four members in network namespaces of their own."""

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import pytest
import structlog

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from cometbft.federated import lookup, publish
from cometbft.network import MEMBERS, Member, Network, wait_until
from faults.load import Load, one_chain, records
from faults.namespaces import Machines, why_not
from ledger.chain.parameters import DEFAULT_PARAMETERS
from node.node_world import row
from service.client import PublishingClient, Tls

PARAMETERS = DEFAULT_PARAMETERS._replace(heartbeat_interval=2_000, default_staleness_limit=15_000)
CI = "CI"


class Placed(Member):
    """A member on a machine of its own, which this test reaches by another cable than members."""

    managed = ""
    shared = ""

    @property
    def address(self) -> str:
        return f"{self.managed}:{self.config['listen']['grpc'].rpartition(':')[2]}"

    def tls(self, role: str) -> Tls:
        return replace(super().tls(role), server_name=self.shared)


@pytest.fixture(scope="module")
def machines() -> Iterator[Machines]:
    if why_not():
        if os.environ.get(CI):
            pytest.fail(f"no partition can be tried: {why_not()}")
        pytest.skip(why_not())
    with Machines(MEMBERS) as made:
        yield made


@pytest.fixture(scope="module")
def network(machines: Machines, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    hosts = {each: machines.address(each) for each in MEMBERS}
    folder = tmp_path_factory.mktemp("partition")
    network = Network.make(folder, start=False, parameters=PARAMETERS, hosts=hosts)
    structlog.reset_defaults()
    for economy in MEMBERS:
        member = Placed(network.folder / economy, economy)
        member.managed, member.shared = machines.managed(economy), machines.address(economy)
        network.members[economy] = member
        listen_anywhere(member.folder / "node.toml", member.shared)
    try:
        for economy in MEMBERS:
            command = [*machines.command(economy), sys.executable, "-m", "service.aeo"]
            network.member(economy).start([*command, "node", "run"], wait=False)
        for economy in MEMBERS:
            network.member(economy).wait_started()
        yield network
    finally:
        network.stop()


def listen_anywhere(config: Path, address: str) -> None:
    """What a node shows others, it shows on both cables."""
    text = config.read_text()
    for name in ("grpc", "health", "metrics"):
        text = text.replace(f'{name} = "{address}:', f'{name} = "0.0.0.0:')
    config.write_text(text)


def hand_in(member: Member, shared: bytes, tins: Sequence[str]) -> str:
    """Hand certificates in, and wait for no more than the promise."""
    rows = [publishing.Submission.FromString(row(tin).SerializeToString()) for tin in tins]
    with member.client("officer") as connection:
        answer = PublishingClient(connection).publish("-".join(tins), rows, [shared])
    return str(answer.publication_id)


def is_recorded(member: Member, publication_id: str) -> bool:
    with member.client("officer") as connection:
        found = PublishingClient(connection).get(publication_id)
    return bool(found.state >= publishing.PUBLICATION_STATE_RECORDED)


def test_one_is_cut_off_and_comes_back(machines: Machines, network: Network, shared: bytes) -> None:
    others = ("AU", "HK", "JP")
    machines.partition(others, {"NZ"})
    alone = network.member("NZ")
    promised = hand_in(alone, shared, ["NZ4711"])
    with Load(network, shared, others) as load:
        load.goes_on(20)
        assert not is_recorded(alone, promised), "one of four decides nothing"
        machines.heal()
        wait_until(lambda: is_recorded(alone, promised), "what waited is recorded")
    load.check(MEMBERS)


@pytest.mark.long
def test_halves_decide_nothing_and_become_one_again(
    machines: Machines, network: Network, shared: bytes
) -> None:
    publish(network.member("NZ"), shared, "NZ4710")
    before = network.agreed()
    assert lookup(network, "HK", "NZ4710").recognised
    machines.partition({"AU", "HK"}, {"JP", "NZ"})
    promised = {
        each: hand_in(network.member(each), shared, [f"{each}4712"]) for each in ("AU", "NZ")
    }
    stale = wait_until(
        lambda: (said := lookup(network, "HK", "NZ4710")) and not said.recognised and said,
        "a half notices that it hears nothing",
    )
    assert stale.outcome == "UNDETERMINED"
    heights = [network.member(each).height() for each in MEMBERS]
    # What was on its way when the line was cut may still have been decided; then there is silence,
    # in which each of four members would have said seven times that it is there.
    assert max(heights) <= before + 4
    one_chain(network, MEMBERS)
    machines.heal()
    for economy, publication_id in promised.items():
        member = network.member(economy)
        wait_until(lambda m=member, p=publication_id: is_recorded(m, p), f"{economy} goes on")
    network.agreed()
    one_chain(network, MEMBERS)
    assert len({tuple(sorted(records(network, each).items())) for each in MEMBERS}) == 1
    wait_until(lambda: lookup(network, "HK", "NZ4712").recognised, "answers are fresh again")
