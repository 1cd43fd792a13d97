"""Validators come, go, weigh more and change their keys by votes; the chain goes on meanwhile."""

from collections.abc import Iterator
from contextlib import suppress

import pytest

from aeo.ledger.v1 import governance_pb2
from cometbft.federated import (
    approved,
    arrange,
    decide,
    handed_over,
    listed,
    lookup,
    publish,
    receipt,
)
from cometbft.network import MEMBERS, Network, wait_until
from ledger.audit.receipt import check_receipt
from ledger.ed25519 import public_key
from ledger_world import BACKEND
from service.client import MembershipClient
from service.clock import SystemClock
from service.engine.cometbft.rpc import Rpc
from service.keys.key_file import read_passphrase
from service.keys.member_keys import BLS_FILE
from service.keys.pem import parse_ed25519


@pytest.fixture(scope="module")
def network(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Network]:
    with Network.make(tmp_path_factory.mktemp("net")) as network:
        yield network


@pytest.fixture(scope="module")
def shared(network: Network) -> bytes:
    return arrange(network, *MEMBERS)


@pytest.fixture(scope="module")
def old_receipt(network: Network, shared: bytes) -> bytes:
    """Of a verdict from before anything changed."""
    publish(network.member("AU"), shared, "AU1")
    network.agreed()
    return receipt(network, "NZ", "AU1")


def validators(network: Network, economy: str) -> dict[bytes, int]:
    """Whom CometBFT lets vote on the coming block, and their weight."""
    rpc = Rpc(network.member(economy).rpc)
    try:
        return rpc.validators()
    finally:
        rpc.close()


def consensus_keys(network: Network, economy: str) -> list[bytes]:
    """The public halves of the Ed25519 keys that lie in a member's folder."""
    folder = network.member(economy).folder
    passphrase = read_passphrase(folder / "passphrase")
    found = []
    for path in sorted((folder / "members" / economy).glob("ed25519*.pem")):
        with suppress(FileNotFoundError):  # the node destroys an old one meanwhile
            found.append(public_key(parse_ed25519(path.read_bytes(), passphrase)))
    return found


def still_verifies(network: Network, data: bytes) -> None:
    """A receipt is checked offline, from the network's id alone."""
    checked = check_receipt(
        data,
        now=SystemClock().now_ms(),
        backend=BACKEND,
        network_id=network.genesis.network_id,
    )
    assert checked.verdict.tin == "AU1"


def test_a_key_is_replaced_and_the_validator_votes_with_the_new_one(
    network: Network, shared: bytes, old_receipt: bytes
) -> None:
    (before,) = consensus_keys(network, "HK")
    assert before in validators(network, "AU")
    member = network.member("HK")
    with member.client("officer", 60) as connection:
        rotated = MembershipClient(connection).rotate_key()
    approved(member, rotated)
    publish(member, shared, "HK1")
    change = governance_pb2.Proposal(weights=governance_pb2.WeightChange())
    decide(network, "HK", change, "AU", "HK", "JP")
    handed_over(network, MEMBERS)
    publish(network.member("AU"), shared, "AU2")
    (after,) = wait_until(
        lambda: keys if len(keys := consensus_keys(network, "HK")) == 1 else None, "old destroyed"
    )
    assert after != before
    assert not (member.folder / "members" / "HK" / BLS_FILE).exists()
    assert set(validators(network, "AU")) & {before, after} == {after}
    # Its own CometBFT has started again and votes with it.
    votes = wait_until(
        lambda: (status := member.status()) is not None and status.voting_power == 1, "HK votes"
    )
    assert votes
    publish(member, shared, "HK2")
    network.agreed()
    still_verifies(network, old_receipt)


def test_a_member_weighs_more(network: Network, shared: bytes, old_receipt: bytes) -> None:
    weights = governance_pb2.WeightChange(
        members=[governance_pb2.MemberWeight(economy="JP", weight=2)]
    )
    decide(network, "AU", governance_pb2.Proposal(weights=weights), "AU", "HK", "JP")
    handed_over(network, MEMBERS)
    publish(network.member("AU"), shared, "AU3")
    (key,) = consensus_keys(network, "JP")
    wait_until(lambda: validators(network, "NZ")[key] == 2, "JP weighs 2")
    still_verifies(network, old_receipt)


def test_a_member_is_admitted_and_votes(
    network: Network, shared: bytes, old_receipt: bytes
) -> None:
    registration = network.join("SG")
    applicant = network.member("SG")
    applicant.start()
    # It has all blocks before it is anybody; nobody's certificates of its own count there yet.
    reached = network.member("AU").status()
    wait_until(
        lambda: (own := applicant.status()) is not None and own.height >= reached.height,
        f"SG has the blocks\n{applicant.log_end()}",
    )
    change = governance_pb2.Proposal(admit=registration)
    decide(network, "AU", change, "AU", "HK", "JP")
    handed_over(network, [*MEMBERS, "SG"])
    publish(network.member("AU"), shared, "AU4")
    (key,) = consensus_keys(network, "SG")
    wait_until(lambda: key in validators(network, "AU"), "SG is a validator")
    network.agreed()
    still_verifies(network, old_receipt)
    # Four of five weigh five of six: without NZ and with SG the chain goes on.
    network.member("NZ").kill("both")
    among = arrange(network, "SG", "AU")
    publish(applicant, among, "SG1")
    network.agreed([*MEMBERS[:3], "SG"])
    assert lookup(network, "AU", "SG1").recognised
    network.member("NZ").start()
    network.agreed()


def test_a_member_leaves_and_the_others_go_on(
    network: Network, shared: bytes, old_receipt: bytes
) -> None:
    (key,) = consensus_keys(network, "NZ")
    rest = ("AU", "HK", "JP", "SG")
    decide(network, "AU", governance_pb2.Proposal(remove="NZ"), *rest)
    handed_over(network, rest)
    publish(network.member("AU"), shared, "AU5")
    wait_until(lambda: key not in validators(network, "AU"), "NZ is no validator")
    assert network.member("NZ").stop() == 0
    publish(network.member("JP"), shared, "JP5")
    network.agreed(rest)
    states = {each.economy: each.state for each in listed(network.member("SG")).members}
    assert len({states[each] for each in rest}) == 1
    assert states["NZ"] != states["AU"]
    still_verifies(network, old_receipt)
