"""Consents: who may be shared, what the end of a consent does, and that nothing of it is lost."""

import sqlite3
import time
from pathlib import Path

import pytest

from aeo.exchange.v1 import consent_service_pb2 as pb
from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import status_pb2
from ledger.customs.profile import Name, Profile
from node.node_world import (
    SUSPEND,
    WAIT_S,
    make_network,
    request,
    row,
    text_between,
    wait_recorded,
)
from service.clock import OffsetClock, SystemClock
from service.node.node import Node
from service.node.profiles import consents as consents_module
from service.node.publishing import publisher as publisher_module
from service.node.publishing.aliases import prepare_aliases
from service.node.publishing.following import prepare_change
from service.node.publishing.targets import RowRefused

TIN = "HK12345678"
OTHER = "HK87654321"


@pytest.fixture(autouse=True)
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    """A keeper that looks again at once."""
    monkeypatch.setattr(consents_module, "SETTLED_MS", 0)
    monkeypatch.setattr(consents_module, "_AGAIN_S", 0.05)


def agree(node: Node, key: str, **fields: object) -> bytes:
    proposer = node.hosted["HK"].agreements
    shared = proposer.propose(text_between("HK", "NZ", **fields), key, WAIT_S)
    text_hash = node.state.arrangement(shared).text.text_hash
    for party in ("HK", "NZ"):
        node.hosted[party].agreements.sign(shared, text_hash, WAIT_S)
    return shared


@pytest.fixture
def opt_in(node: Node) -> bytes:
    """An arrangement of HK and NZ under which operators opt in."""
    return agree(node, "opt-in", name="opt in", consent_required=True)


def give(tin: str, shared: bytes, given: bool = True, stated_at: int = 0) -> pb.ConsentStep:
    return pb.ConsentStep(tin=tin, arrangement_id=shared, given=given, stated_at=stated_at)


def publish(node: Node, key: str, rows: list[object], *arrangements: bytes) -> list[str]:
    """Publish and wait; the code of each row."""
    answer = node.hosted["HK"].publisher.publish(request(key, rows, *arrangements), confirms=True)
    response = publishing.PublishResponse.FromString(answer.response)
    if response.prepared:
        wait_recorded(node, "HK", answer.publication_id)
    return [each.code for each in response.rows]


def statuses(node: Node, shared: bytes, tin: str) -> list[int]:
    subject = node.hosted["HK"].keyring.key(shared).subject(tin)
    return [each.record.terms.status for each in node.state.subject(shared, "HK", subject)]


def wait_for(what: object) -> None:
    deadline = time.monotonic() + WAIT_S
    while not what():
        assert time.monotonic() < deadline, "it never happened"
        time.sleep(0.02)


CERTIFIED, NOT_SHARED = status_pb2.STATUS_CERTIFIED, status_pb2.STATUS_NOT_SHARED


def test_without_consent_nothing_is_shared(node: Node, opt_in: bytes) -> None:
    desk = node.hosted["HK"].consents
    assert publish(node, "a", [row(TIN)], opt_in) == ["CONSENT_MISSING"]
    assert desk.record([give(TIN, opt_in)], "officer/o") == ({}, 0)
    assert publish(node, "b", [row(TIN), row(OTHER)], opt_in) == ["", "CONSENT_MISSING"]
    assert statuses(node, opt_in, TIN) == [CERTIFIED]
    assert statuses(node, opt_in, OTHER) == []


def test_bad_news_needs_no_consent(node: Node, opt_in: bytes) -> None:
    node.hosted["HK"].consents.record([give(TIN, opt_in)], "officer/o")
    publish(node, "a", [row(TIN)], opt_in)
    node.hosted["HK"].home.consents._newest[opt_in].clear()  # as if it had never been given
    assert publish(node, "b", [row(TIN, terms=SUSPEND)], opt_in) == [""]
    assert statuses(node, opt_in, TIN)[-1] == status_pb2.STATUS_SUSPENDED


def test_where_no_arrangement_is_named_those_without_consent_are_left_out(
    node: Node, opt_in: bytes
) -> None:
    usual = agree(node, "usual")
    assert publish(node, "a", [row(TIN)]) == [""]
    assert statuses(node, usual, TIN) == [CERTIFIED]
    assert statuses(node, opt_in, TIN) == []
    assert publish(node, "b", [row(OTHER)], usual, opt_in) == ["CONSENT_MISSING"]
    assert statuses(node, usual, OTHER) == []


def test_the_end_of_a_consent_ends_sharing(node: Node, opt_in: bytes) -> None:
    desk = node.hosted["HK"].consents
    erased: list[tuple[str, list[bytes]]] = []
    desk._erase = lambda tin, ids: erased.append((tin, list(ids)))
    usual = agree(node, "usual")
    desk.record([give(TIN, opt_in)], "officer/o")
    publish(node, "a", [row(TIN, "1"), row(TIN, "2")], opt_in, usual)

    assert desk.record([give(TIN, opt_in, given=False)], "officer/o") == ({}, 2)
    wait_for(lambda: statuses(node, opt_in, TIN)[-2:] == [NOT_SHARED, NOT_SHARED])
    assert statuses(node, usual, TIN) == [CERTIFIED, CERTIFIED]
    assert erased == [(TIN, [opt_in])]
    wait_for(lambda: not node.hosted["HK"].home.consents.endings())
    last = node.state.subject(opt_in, "HK", node.hosted["HK"].keyring.key(opt_in).subject(TIN))[-1]
    assert last.record.terms.reason == status_pb2.PUBLIC_REASON_HOLDER_REQUEST
    assert publish(node, "b", [row(TIN, "3")], opt_in) == ["CONSENT_MISSING"]
    # Given again, it may be shared again: by the officer's step, not by itself.
    desk.record([give(TIN, opt_in)], "officer/o")
    assert statuses(node, opt_in, TIN)[-1] == NOT_SHARED
    assert publish(node, "c", [row(TIN, "3")], opt_in) == [""]


def test_sharing_again_and_aliases_take_consent(node: Node, opt_in: bytes) -> None:
    member = node.hosted["HK"]
    member.consents.record([give(TIN, opt_in)], "officer/o")
    publish(node, "a", [row(TIN)], opt_in)
    member.consents.record([give(TIN, opt_in, given=False)], "officer/o")
    wait_for(lambda: statuses(node, opt_in, TIN)[-1] == NOT_SHARED)
    shared = {"arrangement_ids": [opt_in], "idempotency_key": "k", "economy": "HK"}
    change = publishing.ChangeStatusRequest(tin=TIN, event=status_pb2.EVENT_SHARE_AGAIN, **shared)
    alias = publishing.PublishAliasesRequest(
        aliases=[publishing.AliasSubmission(tin=TIN, scheme="EORI", value="X1")], **shared
    )
    how = node.state, "HK", member.keyring.key, node.clock.now_ms(), member.home.consents
    assert prepare_change(change, *how).faults[0].code == "CONSENT_MISSING"
    assert prepare_aliases(alias, *how).faults[0].code == "CONSENT_MISSING"
    alias.aliases[0].valid_from = alias.aliases[0].valid_to = 1
    assert not prepare_aliases(alias, *how).faults  # taking an alias back
    member.consents.record([give(TIN, opt_in)], "officer/o")
    assert not prepare_change(change, *how).faults


def test_whoever_takes_consent_back_is_not_shared_where_none_is_asked(node: Node) -> None:
    usual = agree(node, "usual")
    desk = node.hosted["HK"].consents
    publish(node, "a", [row(TIN)], usual)
    assert desk.record([give(TIN, usual, given=False)], "officer/o").ended_certificates == 1
    wait_for(lambda: statuses(node, usual, TIN)[-1] == NOT_SHARED)
    assert publish(node, "b", [row(TIN, "2"), row(OTHER)], usual) == ["CONSENT_MISSING", ""]


def test_a_certificate_that_was_waiting_when_its_holder_changed_its_mind(
    node: Node, opt_in: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It is recorded after the consent ended, and still does not stay shared."""
    member = node.hosted["HK"]
    member.consents.record([give(TIN, opt_in)], "officer/o")
    pack = member.publisher._pack
    held = [True]
    monkeypatch.setattr(member.publisher, "_pack", lambda: None if held[0] else pack())
    # Held back: the publisher's thread finds nothing to sign for a moment.
    member.publisher.publish(request("a", [row(TIN)], opt_in), confirms=True)
    assert member.consents.record([give(TIN, opt_in, given=False)], "officer/o") == ({}, 0)
    assert statuses(node, opt_in, TIN) == []
    held[0] = False
    wait_for(lambda: statuses(node, opt_in, TIN) == [CERTIFIED, NOT_SHARED])


def test_an_end_that_was_recorded_and_not_published_is_taken_up(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The process ends between the two."""
    settings = make_network(tmp_path, ("HK", "NZ"))
    with Node.start(settings) as node:
        shared = agree(node, "opt-in", consent_required=True)
        desk = node.hosted["HK"].consents
        desk.record([give(TIN, shared)], "officer/o")
        publish(node, "a", [row(TIN)], shared)
        monkeypatch.setattr(desk, "_end", lambda endings: 0)
        monkeypatch.setattr(desk, "_keep", lambda: None)
        desk.record([give(TIN, shared, given=False)], "officer/o")
        assert statuses(node, shared, TIN) == [CERTIFIED]
    with Node.start(settings) as node:
        wait_for(lambda: statuses(node, shared, TIN) == [CERTIFIED, NOT_SHARED])
        wait_for(lambda: not node.hosted["HK"].home.consents.endings())
        assert publish(node, "b", [row(TIN, "2")], shared) == ["CONSENT_MISSING"]
        # Once, however often somebody looked.
        assert statuses(node, shared, TIN) == [CERTIFIED, NOT_SHARED]


@pytest.fixture
def faulty(node: Node, opt_in: bytes) -> list[tuple[pb.ConsentStep, str]]:
    strangers = node.hosted["KR"].agreements.propose(text_between("KR", "NZ"), "k", WAIT_S)
    now = node.clock.now_ms()
    return [
        (give("", opt_in), "TIN_MALFORMED"),
        (give("HK\u0660\u0661", opt_in), "TIN_MALFORMED"),
        (give("NZ123", opt_in), "TIN_NOT_OURS"),
        (give(TIN, b""), "ARRANGEMENT_UNKNOWN"),
        (give(TIN, b"x" * 16), "ARRANGEMENT_UNKNOWN"),
        (give(TIN, b"x" * 70_000), "ARRANGEMENT_UNKNOWN"),
        (give(TIN, strangers), "NOT_A_PARTY"),
        (give(TIN, opt_in, stated_at=now + 3_600_000), "STATED_LATER"),
    ]


def test_a_faulty_step_leaves_the_others(
    node: Node, opt_in: bytes, faulty: list[tuple[pb.ConsentStep, str]]
) -> None:
    steps = [each for each, _ in faulty] + [give(TIN, opt_in), give(TIN, opt_in)]
    taken = node.hosted["HK"].consents.record(steps, "officer/o")
    codes = [code for _, code in faulty]
    found = {number: fault.code for number, fault in taken.faults.items()}
    assert [found.get(number, "") for number in range(len(steps))] == [
        *codes,
        "",
        "CONSENT_UNCHANGED",
    ]


def test_the_history_is_kept_for_ever_and_names_nobody(tmp_path: Path) -> None:
    clock = OffsetClock(SystemClock())
    settings = make_network(tmp_path, ("HK", "NZ"), clock=clock)
    with Node.start(settings, clock) as node:
        shared = agree(node, "opt-in", consent_required=True)
        desk = node.hosted["HK"].consents
        first = clock.now_ms()
        desk.record([give(TIN, shared, stated_at=first - 5_000)], "officer/mei")
        clock.turn(60_000)
        desk.record([give(TIN, shared, given=False)], "officer/lee")
        with pytest.raises(RowRefused):
            desk.history("NZ1")
    with Node.start(settings, clock) as node:
        history = node.hosted["HK"].consents.history("hk 1234-5678")
        assert [(each.given, each.recorded_by) for each in history] == [
            (True, "officer/mei"),
            (False, "officer/lee"),
        ]
        assert history[0].stated_at == first - 5_000
        assert history[1].recorded_at >= history[0].recorded_at + 60_000
        assert node.hosted["HK"].consents.history(OTHER) == []
    content = b"".join(path.read_bytes() for path in tmp_path.glob("home-HK.db*"))
    for word in (TIN, TIN[2:]):
        assert word.encode() not in content
    with sqlite3.connect(tmp_path / "home-HK.db") as connection:
        assert connection.execute("SELECT count(*) FROM consent").fetchone() == (2,)


def test_an_erasure_that_did_not_begin_is_taken_up(
    node: Node, opt_in: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Between END_SHARING and the erasure something broke; a profile still knows the TIN."""
    desk = node.hosted["HK"].consents
    desk.record([give(TIN, opt_in)], "officer/o")
    publish(node, "a", [row(TIN)], opt_in)
    erased: list[tuple[str, list[bytes]]] = []
    broken = [True]

    def erase(tin: str, arrangement_ids: list[bytes]) -> None:
        if broken[0]:
            broken[0] = False
            raise OSError("the disk is gone")
        erased.append((tin, list(arrangement_ids)))

    monkeypatch.setattr(desk, "_erase", erase)
    monkeypatch.setattr(desk, "_tins", lambda: iter([OTHER, TIN]))
    with pytest.raises(OSError, match="gone"):
        desk.record([give(TIN, opt_in, given=False)], "officer/o")
    wait_for(lambda: not node.hosted["HK"].home.consents.endings())
    assert erased == [(TIN, [opt_in])]
    assert statuses(node, opt_in, TIN)[-1] == NOT_SHARED


def test_what_cannot_be_published_at_once_is_published_later(
    node: Node, opt_in: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A full outbox, when a consent ends and when the keeper looks, ends nothing for good."""
    desk = node.hosted["HK"].consents
    erased: list[str] = []
    desk._erase = lambda tin, _ids: erased.append(tin)
    desk.record([give(TIN, opt_in), give(OTHER, opt_in)], "officer/o")
    publish(node, "a", [row(TIN)], opt_in)
    room = publisher_module.MAX_WAITING
    monkeypatch.setattr(publisher_module, "MAX_WAITING", -1)
    assert desk.record([give(TIN, opt_in, given=False)], "officer/o").faults == {}
    assert erased == [TIN]
    time.sleep(0.3)
    assert statuses(node, opt_in, TIN) == [CERTIFIED]
    monkeypatch.setattr(publisher_module, "MAX_WAITING", room)
    wait_for(lambda: statuses(node, opt_in, TIN)[-1] == NOT_SHARED)
    wait_for(lambda: not node.hosted["HK"].home.consents.endings())


def test_a_profile_committed_to_while_consent_ends_is_erased_too(
    node: Node, opt_in: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A request judged before the end makes its nonces after the erasure."""
    monkeypatch.setattr(consents_module, "SETTLED_MS", 1_000)
    member = node.hosted["HK"]
    member.profiles.put([Profile(TIN, (Name("Pearl River Trading Ltd"),))])
    member.consents.record([give(TIN, opt_in)], "officer/o")
    profiles = member.home.profiles
    commit = profiles.commit

    def late(wanted: list[tuple[str, bytes]]) -> list[bytes]:
        del profiles.commit
        member.consents.record([give(TIN, opt_in, given=False)], "officer/o")
        return commit(wanted)

    profiles.commit = late
    publish(node, "a", [row(TIN)], opt_in)
    wait_for(lambda: statuses(node, opt_in, TIN)[-1] == NOT_SHARED)
    wait_for(lambda: not member.home.consents.endings())
    key = member.keyring.key(opt_in).subject(TIN)
    made = [each.record.profile_commitment for each in node.state.subject(opt_in, "HK", key)]
    assert made[0]
    assert profiles.opened(opt_in, made) == []
    wait_for(lambda: not list(node.hosted["NZ"].home.profiles.partner_profiles()))
    assert member.profiles.get(TIN)[0] is not None
