"""Profiles in running nodes: committed to, fetched, opened, matched, erased without a trace."""

import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.exchange.v1.publishing_service_pb2 import ChangeStatusRequest
from aeo.exchange.v1.status_service_pb2 import LookupRequest
from aeo.ledger.v1 import status_pb2
from ledger.customs.profile import Address, Name, Profile, Validation, format_profile
from ledger.customs.verdict import NameAndAddress, Query, Verdict
from node.node_world import (
    GRANT,
    SUSPEND,
    WAIT_S,
    make_network,
    request,
    row,
    text_between,
    wait_recorded,
)
from service.clock import OffsetClock, SystemClock
from service.node.lookup.desks import Desks
from service.node.lookup.question import read_question
from service.node.node import Node
from service.node.profiles.desk import NoProfile
from service.node.profiles.exchange import Partners, ProfileExchange, Side
from service.node.publishing.following import prepare_change
from service.store.home.profiles import Opened

END_SHARING = status_pb2.StatusTerms(
    event=status_pb2.EVENT_END_SHARING, status=status_pb2.STATUS_NOT_SHARED
)
PEARL = Profile(
    "HK10000001",
    (Name("Pearl River Trading Ltd", "en"), Name("珠江貿易有限公司", "zh-Hant")),
    (Address("88 Nathan Road, Kowloon", "en", "HK"),),
    ("trade@pearl.example",),
    ("HK-AEO-4711-X",),
    (Validation("2026-01-15", "premises"),),
)
STAR = Profile("HK10000002", (Name("Star Ferry Freight Ltd"),), (Address("1 Star House, Tsim"),))


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Node]:
    """HK, KR and NZ; the rules of HK and NZ ask for a party match."""
    settings = make_network(tmp_path, ("HK", "KR", "NZ"))
    with Node.start(settings, OffsetClock(SystemClock())) as node:
        yield node


def agree(node: Node, *parties: str, party_match: bool = True) -> bytes:
    text = text_between(*parties)
    for rule in text.rules:
        rule.party_match_required = party_match
    proposer = node.hosted[parties[0]].agreements
    shared = proposer.propose(text, "-".join(parties), WAIT_S)
    text_hash = node.state.arrangement(shared).text.text_hash
    for party in parties:
        node.hosted[party].agreements.sign(shared, text_hash, WAIT_S)
    return shared


def publish(node: Node, key: str, *rows: object) -> None:
    made = node.hosted["HK"].publisher.publish(request(key, rows), confirms=True)
    wait_recorded(node, "HK", made.publication_id)


def until(true: Callable[[], object]) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline
        time.sleep(0.02)


def commitments(node: Node, shared: bytes, tin: str) -> list[bytes]:
    subject = node.hosted["HK"].keyring.key(shared).subject(tin)
    return [entry.record.profile_commitment for entry in node.state.subject(shared, "HK", subject)]


def ask(node: Node, name: str = "", address: str = "", **more: object) -> Verdict:
    desk = Desks(node).of("NZ")
    asked = {"tin": PEARL.tin} if "party" not in more else {}
    query = Query("NZ", "EX", 1, 1, declared_name=name, declared_address=address, **(asked | more))
    return desk.evaluate(query, desk.position())


def said(verdict: Verdict) -> tuple[str, str]:
    return (
        verdict_pb2.Reason.Name(verdict.reason).removeprefix("REASON_"),
        verdict_pb2.NameMatch.Name(verdict.name_match).removeprefix("NAME_MATCH_"),
    )


def home(node: Node, economy: str) -> object:
    return node.hosted[economy].home.profiles


def test_each_record_commits_with_a_nonce_of_its_own(node: Node) -> None:
    shared, other = agree(node, "HK", "NZ"), agree(node, "HK", "KR")
    assert node.hosted["HK"].profiles.put([PEARL]) == []
    publish(node, "one", row(PEARL.tin), row(STAR.tin))
    publish(node, "two", row(PEARL.tin, terms=SUSPEND))
    made = commitments(node, shared, PEARL.tin) + commitments(node, other, PEARL.tin)
    assert len(made) == len(set(made)) == 4
    assert all(len(each) == 32 for each in made)
    assert commitments(node, shared, STAR.tin) == [b""]
    publish(node, "three", row(PEARL.tin, terms=END_SHARING))
    assert commitments(node, shared, PEARL.tin)[-1] == b""


def test_a_change_of_status_commits_anew(node: Node) -> None:
    shared = agree(node, "HK", "NZ")
    node.hosted["HK"].profiles.put([PEARL])
    publish(node, "one", row(PEARL.tin))
    asked = ChangeStatusRequest(tin=PEARL.tin, event=status_pb2.EVENT_SUSPEND)
    member = node.hosted["HK"]
    answer = member.publisher.accept(
        "change",
        b"change",
        1,
        lambda state, now: prepare_change(
            asked, state, "HK", member.keyring.key, now, None, member.home.profiles
        ),
    )
    wait_recorded(node, "HK", answer.publication_id)
    first, second = commitments(node, shared, PEARL.tin)
    assert first != second
    assert {len(first), len(second)} == {32}


def test_a_partner_matches_what_is_declared(node: Node) -> None:
    shared = agree(node, "HK", "NZ")
    node.hosted["HK"].profiles.put([PEARL])
    publish(node, "one", row(PEARL.tin), row(STAR.tin))
    (commitment,) = commitments(node, shared, PEARL.tin)
    until(lambda: home(node, "NZ").partner(commitment))
    assert home(node, "KR").partner(commitment) is None

    exact = ask(node, "PEARL RIVER TRADING LIMITED", "88 Nathan Rd., Kowloon")
    assert said(exact) == ("NONE", "EXACT")
    assert exact.profile_commitment == commitment
    assert said(ask(node, "Pearl River Tradng")) == ("NONE", "CLOSE")
    assert said(ask(node, "珠江贸易有限公司")) == ("NONE", "EXACT")
    assert said(ask(node, "Pearl River Holdings")) == ("PARTY_MISMATCH", "DIFFERENT")
    assert said(ask(node, "Жемчуг")) == ("PARTY_MISMATCH", "NOT_COMPARABLE")
    wrong_house = ask(node, "Pearl River Trading Ltd", "86 Nathan Road, Kowloon")
    assert said(wrong_house) == ("PARTY_MISMATCH", "DIFFERENT")
    nothing = ask(node)
    assert said(nothing) == ("PARTY_MISMATCH", "NOT_CHECKED")
    assert nothing.profile_commitment == b""
    no_profile = ask(node, "Star Ferry Freight Ltd", tin=STAR.tin)
    assert said(no_profile) == ("PARTY_MISMATCH", "NOT_CHECKED")


def test_the_memory_of_look_ups_says_the_same_before_and_after(node: Node) -> None:
    """A remembered question declares nothing, so profiles that come or go change nothing in it."""
    agree(node, "HK", "NZ")
    publish(node, "one", row(PEARL.tin))
    desk = Desks(node).of("NZ")
    asked = LookupRequest(tin=PEARL.tin, function="EX", direction=1, transport_mode=1)
    question = asked.SerializeToString()

    def reasons() -> set[int]:
        position = desk.position()
        answers = [desk.learn(question, read_question(asked, "NZ"), position)]
        answers += [found for found in desk.recall([question], position) if found]
        return {verdict_pb2.Verdict.FromString(found).reason for found in answers}

    mismatch = {verdict_pb2.REASON_PARTY_MISMATCH}
    assert reasons() == mismatch
    node.hosted["HK"].profiles.put([PEARL])
    publish(node, "two", row(PEARL.tin, "2"))
    until(lambda: not home(node, "NZ").wanted(1, 10) and len(commitments_kept(node)))
    assert reasons() == mismatch
    node.hosted["HK"].profiles.erase(PEARL.tin)
    until(lambda: not commitments_kept(node))
    assert reasons() == mismatch


def commitments_kept(node: Node, economy: str = "NZ") -> list[bytes]:
    return [commitment for commitment, _ in home(node, economy).partner_profiles()]


def test_a_name_and_address_lead_to_one_trader(node: Node) -> None:
    agree(node, "HK", "NZ")
    twin = STAR._replace(tin="HK10000003")
    node.hosted["HK"].profiles.put([PEARL, STAR, twin])
    publish(node, "one", row(PEARL.tin), row(STAR.tin), row(twin.tin))
    until(lambda: len(commitments_kept(node)) == 3)
    found = ask(node, party=NameAndAddress("Pearl River Trading", "88 Nathan Road, Kowloon"))
    assert (said(found), found.tin) == (("NONE", "CLOSE"), PEARL.tin)
    assert said(ask(node, party=NameAndAddress("Nobody Ltd")))[0] == "ALIAS_UNKNOWN"
    assert said(ask(node, party=NameAndAddress("Pearl River Trading", "9 Elsewhere")))[0] == (
        "ALIAS_UNKNOWN"
    )
    assert said(ask(node, party=NameAndAddress("Star Ferry Freight Ltd")))[0] == "ALIAS_AMBIGUOUS"
    # What came after the first search is found too, and what is declared beside it is compared.
    late = PEARL._replace(tin="HK10000009", names=(Name("Late Comer Ltd"),))
    node.hosted["HK"].profiles.put([late])
    publish(node, "two", row(late.tin))
    until(lambda: len(commitments_kept(node)) == 4)
    beside = ask(node, "Other Name Ltd", party=NameAndAddress("Late Comer Ltd"))
    assert (said(beside), beside.tin) == (("PARTY_MISMATCH", "DIFFERENT"), late.tin)


def bytes_left(folder: Path, *texts: str, more: tuple[bytes, ...] = ()) -> list[tuple[str, str]]:
    """Where any of the texts stands in any file, in UTF-8 or UTF-16."""
    codings = ("utf-8", "utf-16-le", "utf-16-be")
    forms = {text.encode(coding) for text in texts for coding in codings} | set(more)
    return [
        (path.name, form.hex())
        for path in folder.rglob("*")
        if path.is_file()
        for form in forms
        if form in path.read_bytes()
    ]


PERSONAL = (
    PEARL.names[0].text,
    PEARL.names[1].text,
    PEARL.addresses[0].text,
    PEARL.contacts[0],
    PEARL.certificate_numbers[0],
    PEARL.tin,
)


def test_nothing_is_left_of_what_was_erased_in_any_file(node: Node, tmp_path: Path) -> None:
    shared = agree(node, "HK", "NZ")
    others = [
        PEARL._replace(tin=f"HK2{number:07}", names=(Name(f"Company {number} Ltd"),))._replace(
            addresses=(Address(f"{number} Other Road"),), contacts=(), certificate_numbers=()
        )
        for number in range(300)
    ]
    node.hosted["HK"].profiles.put([*others[:150], PEARL, *others[150:]])
    publish(node, "one", *(row(each.tin) for each in [*others, PEARL]))
    publish(node, "two", row(PEARL.tin, terms=SUSPEND))
    until(lambda: len(commitments_kept(node)) == 302)
    made = commitments(node, shared, PEARL.tin)
    nonces = tuple(each.nonce for each in home(node, "HK").opened(shared, made))
    assert len(nonces) == 2
    assert bytes_left(tmp_path, *PERSONAL)
    ask(node, party=NameAndAddress("Pearl River Trading Ltd"))

    node.hosted["HK"].profiles.erase(PEARL.tin)
    until(lambda: all(n.acknowledged_at for n in home(node, "HK").erasures()[0].notices))
    until(lambda: not home(node, "HK").scrub_due() and not home(node, "NZ").scrub_due())
    assert bytes_left(tmp_path, *PERSONAL, more=nonces) == []
    assert len(commitments_kept(node)) == 300
    assert node.hosted["NZ"].profiles.get(PEARL.tin) == (None, [])
    assert node.hosted["HK"].profiles.get(PEARL.tin) == (None, [])
    assert said(ask(node, party=NameAndAddress("Pearl River Trading Ltd")))[0] == "ALIAS_UNKNOWN"
    # The status stays.
    suspended = ask(node)
    assert said(suspended) == ("SUSPENDED", "NOT_CHECKED")
    with pytest.raises(NoProfile):
        node.hosted["HK"].profiles.erase(PEARL.tin)


def test_erased_under_one_arrangement_it_stays_for_the_other(node: Node) -> None:
    shared, other = agree(node, "HK", "NZ"), agree(node, "HK", "KR")
    node.hosted["HK"].profiles.put([PEARL])
    publish(node, "one", row(PEARL.tin))
    until(lambda: commitments_kept(node) and commitments_kept(node, "KR"))
    node.hosted["HK"].profiles.erase(PEARL.tin, [shared])
    until(lambda: not commitments_kept(node))
    (erasure,) = node.hosted["HK"].profiles.erasures()
    assert [notice.partner for notice in erasure.notices] == ["NZ"]
    assert commitments_kept(node, "KR") == commitments(node, other, PEARL.tin)
    assert node.hosted["HK"].profiles.get(PEARL.tin)[0] == PEARL


class Liar:
    """A partner's node that answers with another profile, or with none of what was asked."""

    def __init__(self, answer: Callable[[bytes], list[Opened]]) -> None:
        self.answer = answer

    def open_for(self, _arrangement_id: bytes, commitments: list[bytes]) -> list[Opened]:
        return [each for commitment in commitments for each in self.answer(commitment)]

    def erase_for(self, *_: object) -> tuple[list[bytes], int]:
        return [], 1


def exchange(node: Node, hosted: dict[str, object], economy: str = "NZ") -> ProfileExchange:
    """The exchange of one member, with other partners than the node's own."""
    member = node.hosted[economy]
    partners = Partners(economy, member.peers, lambda: hosted)
    desk = member.profiles
    side = Side(economy, member.home.profiles, partners, desk.load, desk.keep)
    return ProfileExchange([side], node.ledger_store, lambda: node.state, node.clock)


def test_what_does_not_open_its_commitment_is_refused_and_counted(node: Node) -> None:
    shared = agree(node, "HK", "NZ")
    node._profile_exchange.stop()
    node.hosted["HK"].profiles.put([PEARL])
    publish(node, "one", row(PEARL.tin))
    (commitment,) = commitments(node, shared, PEARL.tin)
    (true,) = home(node, "HK").opened(shared, [commitment])
    other = format_profile(STAR)
    for answer in (
        [Opened(commitment, true.nonce, other)],
        [Opened(commitment, bytes(32), true.data)],
        [Opened(commitment, true.nonce, true.data + b"\x00")],
        [Opened(bytes(32), true.nonce, true.data)],
        [],
    ):
        before = home(node, "NZ").refused()
        exchange(node, {"HK": Liar(lambda _, said=answer: said)}).round()
        assert commitments_kept(node) == []
        false = bool(answer) and answer[0].commitment == commitment
        assert home(node, "NZ").refused() == before + false
    # It is asked for again, and the truth is kept.
    exchange(node, {"HK": node.hosted["HK"].profiles}).round()
    assert commitments_kept(node) == [commitment]


def test_a_partner_that_is_away_is_told_later(node: Node) -> None:
    agree(node, "HK", "NZ")
    node.hosted["HK"].profiles.put([PEARL])
    publish(node, "one", row(PEARL.tin))
    until(lambda: commitments_kept(node))
    node._profile_exchange.stop()
    erasure_id = node.hosted["HK"].profiles.erase(PEARL.tin)
    exchange(node, {}, "HK").round()
    (erasure,) = node.hosted["HK"].profiles.erasures()
    assert (erasure.erasure_id, erasure.notices[0].acknowledged_at) == (erasure_id, 0)
    # One that says it erased nothing has not acknowledged it.
    exchange(node, {"NZ": Liar(lambda _: [])}, "HK").round()
    assert not node.hosted["HK"].profiles.erasures()[0].notices[0].acknowledged_at
    assert commitments_kept(node)
    exchange(node, {"NZ": node.hosted["NZ"].profiles}, "HK").round()
    assert node.hosted["HK"].profiles.erasures()[0].notices[0].acknowledged_at
    assert commitments_kept(node) == []


def test_an_erased_profile_never_comes_back(node: Node) -> None:
    """A fetch that was under way while the notice came keeps nothing."""
    shared = agree(node, "HK", "NZ")
    node._profile_exchange.stop()
    node.hosted["HK"].profiles.put([PEARL])
    publish(node, "one", row(PEARL.tin))
    made = commitments(node, shared, PEARL.tin)
    true = home(node, "HK").opened(shared, made)

    def late(_: bytes) -> list[Opened]:
        node.hosted["NZ"].profiles.erase_for(shared, "HK", made)
        return true

    exchange(node, {"HK": Liar(late)}).round()
    assert commitments_kept(node) == []
    assert home(node, "NZ").wanted(10, 10) == []
    assert node.hosted["NZ"].profiles.find("Pearl River Trading Ltd", "") == []


def test_nobody_erases_what_another_shared(node: Node) -> None:
    shared = agree(node, "HK", "KR", "NZ", party_match=False)
    node.hosted["HK"].profiles.put([PEARL])
    publish(node, "one", row(PEARL.tin))
    until(lambda: commitments_kept(node))
    made = commitments(node, shared, PEARL.tin)
    gone, _ = node.hosted["NZ"].profiles.erase_for(shared, "KR", made)
    assert (gone, commitments_kept(node)) == ([], made)


def test_a_restart_goes_on_where_it_was(tmp_path: Path) -> None:
    settings = make_network(tmp_path, ("HK", "NZ"))
    with Node.start(settings, OffsetClock(SystemClock())) as node:
        agree(node, "HK", "NZ")
        node._profile_exchange.stop()
        node.hosted["HK"].profiles.put([PEARL])
        publish(node, "one", row(PEARL.tin))
    with Node.start(settings, OffsetClock(SystemClock())) as node:
        until(lambda: commitments_kept(node))
        assert node.hosted["HK"].profiles.get("hk-10000001")[0] == PEARL
        assert said(ask(node, "Pearl River Trading Ltd")) == ("NONE", "EXACT")
        publish(node, "two", row(PEARL.tin, terms=SUSPEND))
        until(lambda: len(commitments_kept(node)) == 2)


def test_profiles_of_other_traders_are_not_ours(node: Node) -> None:
    faults = node.hosted["HK"].profiles.put(
        [PEARL._replace(tin="NZ1"), PEARL._replace(names=()), PEARL]
    )
    assert [(fault.place, fault.code) for fault in faults] == [
        (0, "TIN_NOT_OURS"),
        (1, "PROFILE_MALFORMED"),
    ]
    assert node.hosted["HK"].profiles.get(PEARL.tin)[0] == PEARL


def test_an_older_profile_opens_older_records(node: Node) -> None:
    shared = agree(node, "HK", "NZ")
    desk = node.hosted["HK"].profiles
    desk.put([PEARL])
    publish(node, "one", row(PEARL.tin))
    renamed = PEARL._replace(names=(Name("Jade River Trading Ltd"),))
    desk.put([renamed])
    assert said(ask(node, "Jade River Trading Ltd"))[0] == "PARTY_MISMATCH"
    publish(node, "two", row(PEARL.tin, terms=GRANT_AGAIN))
    until(lambda: len(commitments_kept(node)) == 2)
    assert said(ask(node, "Jade River Trading Ltd")) == ("NONE", "EXACT")
    assert said(ask(node, "Pearl River Trading Ltd"))[0] == "PARTY_MISMATCH"
    first, _ = commitments(node, shared, PEARL.tin)
    assert desk.match(first, "Pearl River Trading Ltd", "") == verdict_pb2.NAME_MATCH_EXACT


GRANT_AGAIN = status_pb2.StatusTerms(
    event=status_pb2.EVENT_AMEND,
    status=status_pb2.STATUS_CERTIFIED,
    roles=GRANT.roles,
    level=GRANT.level,
)
