"""Partners that mean harm with profiles: others' traders named, others' erasures hindered."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.customs.profile import Name, Profile, format_profile, profile_commitment
from node.node_world import WAIT_S, make_network, request, row, text_between, wait_recorded
from service.clock import OffsetClock, SystemClock
from service.node.arrangements.amending import amend
from service.node.node import Node
from service.node.profiles.exchange import Partners, ProfileExchange, Side
from service.store.home.profiles import Opened, PartnerProfile, Wanted

PEARL = Profile("HK10000001", (Name("Pearl River Trading Ltd", "en"),))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    settings = make_network(tmp_path, ("HK", "KR", "NZ"))
    with Node.start(settings, OffsetClock(SystemClock())) as node:
        yield node


def agree(node: Node, *parties: str) -> bytes:
    proposer = node.hosted[parties[0]].agreements
    shared = proposer.propose(text_between(*parties), "-".join(parties), WAIT_S)
    text_hash = node.state.arrangement(shared).text.text_hash
    for party in parties:
        node.hosted[party].agreements.sign(shared, text_hash, WAIT_S)
    return shared


def publish(node: Node, economy: str, key: str, *rows: object) -> None:
    made = node.hosted[economy].publisher.publish(request(key, rows), confirms=True)
    wait_recorded(node, economy, made.publication_id)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


class Partner:
    """A partner's node that shows one thing, whatever it is asked."""

    def __init__(self, *shown: Opened) -> None:
        self.shown = list(shown)

    def open_for(self, _arrangement_id: bytes, _commitments: list[bytes]) -> list[Opened]:
        return self.shown

    def erase_for(self, *_: object) -> tuple[list[bytes], int]:
        return [], 1


def exchange(node: Node, economy: str, **hosted: object) -> ProfileExchange:
    member = node.hosted[economy]
    partners = Partners(economy, member.peers, lambda: hosted)
    desk = member.profiles
    side = Side(economy, member.home.profiles, partners, desk.load, desk.keep)
    return ProfileExchange([side], node.ledger_store, lambda: node.state, node.clock)


@pytest.mark.parametrize("tin", ["HK10000001", "NZ10000001", "XX10000001"])
def test_an_issuer_names_no_trader_of_others(node: Node, tin: str) -> None:
    """KR commits to a profile of a trader that it does not speak for, and shows it."""
    shared = agree(node, "KR", "NZ")
    node._profile_exchange.stop()
    kr = node.hosted["KR"]
    kr.profiles.put([Profile("KR10000001", (Name("Honest Ltd"),))])
    false, nonce = format_profile(Profile(tin, (Name("Pearl River Trading Ltd"),))), bytes(32)
    commitment = profile_commitment(nonce, false)
    kr.home.profiles.commit = lambda wanted: [commitment for _ in wanted]
    publish(node, "KR", "one", row("KR10000001"))
    exchange(node, "NZ", KR=Partner(Opened(commitment, nonce, false))).round()
    nz = node.hosted["NZ"]
    assert list(nz.profiles.find("Pearl River Trading", "")) == []
    assert nz.profiles.get(tin) == (None, [])
    assert nz.home.profiles.refused() == 1
    del kr.home.profiles.commit
    assert shared


def test_nobody_holds_up_anothers_erasure(node: Node) -> None:
    """KR logs a record that says HK's commitment, and never shows what it is of."""
    nz = node.hosted["NZ"].home.profiles
    node._profile_exchange.stop()
    data = format_profile(PEARL)
    commitment = profile_commitment(bytes(32), data)
    own, other = Wanted(commitment, b"a" * 16, "HK"), Wanted(commitment, b"b" * 16, "KR")
    nz.want([own], 1)
    assert nz.keep([PartnerProfile(own, PEARL.tin, bytes(32), data)], [], 0) == 1
    nz.want([other], 2)
    assert nz.erase_partners(b"a" * 16, "HK", [commitment], 5) == ([commitment], [commitment])
    assert nz.partner(commitment) is None


def test_nor_prevents_that_a_profile_comes(node: Node) -> None:
    """KR's record with HK's commitment enters the log first."""
    nz = node.hosted["NZ"].home.profiles
    node._profile_exchange.stop()
    data = format_profile(PEARL)
    commitment = profile_commitment(bytes(32), data)
    own, other = Wanted(commitment, b"a" * 16, "HK"), Wanted(commitment, b"b" * 16, "KR")
    nz.want([other], 1)
    nz.want([own], 2)
    assert own in nz.wanted(9, 9)


def test_who_left_an_arrangement_erases_too_and_is_heard(node: Node) -> None:
    """NZ leaves an arrangement of three: it forgets HK's traders when told, and HK forgets its."""
    shared = agree(node, "HK", "KR", "NZ")
    for economy, tin in (("HK", PEARL.tin), ("NZ", "NZ10000001")):
        node.hosted[economy].profiles.put([PEARL._replace(tin=tin)])
        publish(node, economy, f"one {economy}", row(tin))
    kept = [node.hosted[each].home.profiles for each in ("HK", "KR", "NZ")]
    until(lambda: [len(list(each.partner_profiles())) for each in kept] == [1, 2, 1])

    hk = node.hosted["HK"]
    text = text_between("HK", "KR")
    amend(hk.agreements, node.state, shared, text, WAIT_S)
    text_hash = node.state.arrangement(shared).amendment.text.text_hash
    for party in ("HK", "KR", "NZ"):
        node.hosted[party].agreements.sign(shared, text_hash, WAIT_S)
    assert node.state.arrangement(shared).text.parties == ("HK", "KR")

    hk.profiles.erase(PEARL.tin)
    node.hosted["NZ"].profiles.erase("NZ10000001")
    for economy, told in (("HK", ["KR", "NZ"]), ("NZ", ["HK", "KR"])):
        (erasure,) = node.hosted[economy].profiles.erasures()
        assert [each.partner for each in erasure.notices] == told
    until(lambda: [len(list(each.partner_profiles())) for each in kept] == [0, 0, 0])
