"""A change of lookup keys: named, copied, taken over and destroyed, without a gap for look-ups."""

import threading
import time
from collections.abc import Callable
from pathlib import Path

import pytest

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import status_pb2
from ledger.customs.evaluate import evaluate
from ledger.customs.profile import Name, Profile, format_profile
from ledger.customs.verdict import Alias, Query, Times, Verdict
from ledger.errors import FormatError
from node.node_world import (
    GRANT,
    SUSPEND,
    WAIT_S,
    agree,
    make_network,
    request,
    row,
    wait_recorded,
)
from service.clock import OffsetClock
from service.node.arrangements.agreements import StepRefused
from service.node.keys.epochs import SETTLED_MS, EpochIncomplete
from service.node.node import Node
from service.node.publishing.aliases import prepare_aliases

REINSTATE = status_pb2.StatusTerms(
    event=status_pb2.EVENT_REINSTATE,
    status=status_pb2.STATUS_CERTIFIED,
    roles=GRANT.roles,
    level="AEO-S",
)


class Exchange:
    """HK publishes to NZ under one arrangement."""

    def __init__(self, node: Node) -> None:
        self.node = node
        self.shared = agree(node, "HK", "NZ")
        self.epochs = {economy: node.hosted[economy].epochs for economy in ("HK", "NZ")}
        self.count = 0

    def publish(self, *rows: object) -> None:
        self.count += 1
        asked = request(f"publication {self.count}", rows, self.shared)
        publisher = self.node.hosted["HK"].publisher
        answer = publisher.publish(asked, confirms=True)
        found = wait_recorded(self.node, "HK", answer.publication_id)
        assert not found.refused, found

    def verdict(self, tin: str, node: Node | None = None, **asked: object) -> Verdict:
        node = node or self.node
        query = Query("NZ", "EX", 1, 1, tin=tin or None, **asked)
        times = Times(node.clock.now_ms(), node.newest_seal.attested_time)
        keys = node.hosted["NZ"].keyring.keys()
        return evaluate(query, node.state, keys, None, {}, times)

    def names(self, *tins: str) -> None:
        self.epochs["HK"].name(self.shared, [(tin, "1") for tin in tins])

    def copied(self) -> int:
        return self.epochs["HK"].counts(self.shared).copied

    def history(self) -> object:
        return self.node.state.arrangement(self.shared)

    def take_over(self) -> None:
        for economy in ("HK", "NZ"):
            self.epochs[economy].complete(self.shared, WAIT_S)
        assert self.history().epoch_at(self.node.state.height).number == 2


def until(true: Callable[[], object], what: str) -> None:
    deadline = time.monotonic() + WAIT_S
    while not true():
        assert time.monotonic() < deadline, what
        time.sleep(0.02)


@pytest.fixture
def exchange(node: Node) -> Exchange:
    return Exchange(node)


def test_a_new_key_takes_over(exchange: Exchange, clock: OffsetClock) -> None:
    node, shared = exchange.node, exchange.shared
    exchange.publish(row("HK1"), row("HK2"), row("HK3"))
    exchange.publish(row("HK2", terms=SUSPEND))
    old = node.hosted["HK"].keyring.key(shared)
    exchange.epochs["HK"].open(shared, WAIT_S)
    # The other party's node fetches the key by itself and opens it against the ledger.
    until(lambda: node.hosted["NZ"].keyring.key(shared, 2), "the key has not come")
    new = node.hosted["NZ"].keyring.key(shared, 2)
    assert new.commitment == exchange.history().waiting_epoch.commitment
    assert new.key != old.key
    assert node.hosted["NZ"].keyring.key(shared) == node.hosted["NZ"].keyring.key(shared, 1)

    with pytest.raises(EpochIncomplete) as caught:
        exchange.epochs["HK"].complete(shared, WAIT_S)
    assert caught.value.counts[:3] == (3, 0, 0)
    exchange.names("HK1", "HK2")
    until(lambda: exchange.copied() == 2, "two are named")
    counts = exchange.epochs["HK"].counts(shared)
    assert (counts.certificates, counts.named) == (3, 2)
    with pytest.raises(EpochIncomplete):
        exchange.epochs["HK"].complete(shared, WAIT_S)
    exchange.names("HK3")
    until(lambda: exchange.copied() == 3, "all are named")
    copy = node.state.subject(shared, "HK", new.subject("HK2"))
    assert [entry.record.terms.event for entry in copy] == [
        status_pb2.EVENT_GRANT,
        status_pb2.EVENT_SUSPEND,
    ]
    assert all(entry.record.terms.migrated for entry in copy)

    exchange.take_over()
    assert node.hosted["NZ"].keyring.key(shared) is new
    assert exchange.verdict("HK1").outcome == verdict_pb2.OUTCOME_RECOGNISED
    assert exchange.verdict("HK2").reason == verdict_pb2.REASON_SUSPENDED
    assert exchange.verdict("HK9").reason == verdict_pb2.REASON_NO_RECORD

    # Once nothing waits, the old key is gone, and with it which name became which.
    assert set(node.hosted["HK"].home.lookup_keys()) == {(shared, 1), (shared, 2)}
    clock.turn(SETTLED_MS + 1)
    for economy in ("HK", "NZ"):
        home = node.hosted[economy].home
        until(lambda home=home: set(home.lookup_keys()) == {(shared, 2)}, "the old key is here")
    home = node.hosted["HK"].home
    assert home.epochs.names() == {}
    files = list(home.path.parent.glob("home-*"))
    until(
        lambda: all(old.key not in path.read_bytes() for path in files),
        "the old key's bytes are on the disk",
    )
    assert exchange.verdict("HK1").outcome == verdict_pb2.OUTCOME_RECOGNISED


def test_a_trader_is_recognised_at_every_height_through_the_switch(exchange: Exchange) -> None:
    node = exchange.node
    exchange.publish(row("HK1"), row("HK2"))
    first = node.state.height
    exchange.epochs["HK"].open(exchange.shared, WAIT_S)
    until(lambda: node.hosted["NZ"].keyring.key(exchange.shared, 2), "the key has not come")
    exchange.names("HK1", "HK2")
    until(lambda: exchange.copied() == 2, "copied")
    exchange.publish(row("HK2", terms=SUSPEND))
    suspended = node.state.height
    assert exchange.verdict("HK2").reason == verdict_pb2.REASON_SUSPENDED
    until(lambda: exchange.copied() == 2, "the suspension has its copy")
    exchange.take_over()
    assert exchange.verdict("HK2").reason == verdict_pb2.REASON_SUSPENDED
    exchange.publish(row("HK2", terms=REINSTATE))
    for height in range(first, node.state.height + 1):
        said = exchange.verdict("HK1", known_at_height=height)
        assert said.outcome == verdict_pb2.OUTCOME_RECOGNISED, height
        said = exchange.verdict("HK2", known_at_height=height)
        held = suspended <= height < node.state.height
        assert (said.reason == verdict_pb2.REASON_SUSPENDED) == held, height


def test_look_ups_never_miss_a_beat(exchange: Exchange) -> None:
    """Asked without a pause while keys change: never anything but RECOGNISED."""
    node = exchange.node
    exchange.publish(row("HK1"))
    stop, bad, asked = threading.Event(), [], []

    def ask() -> None:
        while not stop.is_set():
            try:
                said = exchange.verdict("HK1")
            except Exception as error:
                bad.append(error)
                return
            asked.append(said.height)
            if said.outcome != verdict_pb2.OUTCOME_RECOGNISED:
                bad.append(said)

    thread = threading.Thread(target=ask)
    thread.start()
    try:
        exchange.epochs["HK"].open(exchange.shared, WAIT_S)
        until(lambda: node.hosted["NZ"].keyring.key(exchange.shared, 2), "the key has not come")
        exchange.names("HK1")
        until(lambda: exchange.copied() == 1, "copied")
        exchange.take_over()
        height = node.state.height
        until(lambda: asked and asked[-1] >= height, "asked after the switch")
    finally:
        stop.set()
        thread.join()
    assert bad == []


def test_corrections_and_renumbering_are_copied(exchange: Exchange) -> None:
    node, shared = exchange.node, exchange.shared
    exchange.publish(row("HK1"))
    exchange.publish(row("HK1", terms=SUSPEND))
    old = node.hosted["HK"].keyring.key(shared)
    wrong = node.state.subject(shared, "HK", old.subject("HK1"))[1]
    correct = status_pb2.StatusTerms(
        event=status_pb2.EVENT_CORRECT,
        status=status_pb2.STATUS_CERTIFIED,
        roles=GRANT.roles,
        level="AEO-S",
    )
    place = status_pb2.RecordPlace(log_index=wrong.log_index, position=wrong.position)
    exchange.publish(row("HK1", terms=correct, corrects=place.SerializeToString()))
    exchange.publish(
        row("HK7", predecessor_tin="HK1", predecessor_kind=status_pb2.PREDECESSOR_KIND_RENUMBERED)
    )
    before = exchange.verdict("HK1")
    exchange.epochs["HK"].open(shared, WAIT_S)
    exchange.names("HK7", "HK1")
    until(lambda: exchange.copied() == 2, "all are named")
    new = node.hosted["HK"].keyring.key(shared, 2)
    copies = node.state.subject(shared, "HK", new.subject("HK1"))
    assert len(copies) == 3
    assert copies[2].record.corrects == (copies[1].log_index, copies[1].position)
    exchange.take_over()
    after = exchange.verdict("HK1")
    assert (after.outcome, after.status) == (before.outcome, before.status)


def test_aliases_are_copied_once_they_are_named(exchange: Exchange) -> None:
    node, shared = exchange.node, exchange.shared
    exchange.publish(row("HK1"))
    member = node.hosted["HK"]
    asked = publishing.PublishAliasesRequest(
        aliases=[publishing.AliasSubmission(tin="HK1", scheme="US-MID", value="HKFIRM1")],
        arrangement_ids=[shared],
    )
    answer = member.publisher.accept(
        "alias",
        b"alias",
        1,
        lambda state, now: prepare_aliases(asked, state, "HK", member.keyring.key, now),
    )
    wait_recorded(node, "HK", answer.publication_id)
    alias = Alias("US-MID", "HKFIRM1")
    assert exchange.verdict("", alias=alias).outcome == verdict_pb2.OUTCOME_RECOGNISED
    exchange.epochs["HK"].open(shared, WAIT_S)
    exchange.names("HK1")
    until(lambda: exchange.copied() == 1, "copied")
    with pytest.raises(EpochIncomplete) as caught:
        exchange.epochs["HK"].complete(shared, WAIT_S)
    assert caught.value.counts[3:] == (1, 0)
    exchange.epochs["HK"].name(shared, [], [("US-MID", "HKFIRM1")])
    until(lambda: exchange.epochs["HK"].counts(shared).complete, "the alias has its copy")
    exchange.take_over()
    assert exchange.verdict("", alias=alias).outcome == verdict_pb2.OUTCOME_RECOGNISED


def test_what_was_on_its_way_follows(exchange: Exchange, monkeypatch: pytest.MonkeyPatch) -> None:
    """A suspension that was judged under the old key, and recorded after the takeover."""
    node, shared = exchange.node, exchange.shared
    exchange.publish(row("HK1"))
    member = node.hosted["HK"]
    exchange.epochs["HK"].open(shared, WAIT_S)
    exchange.names("HK1")
    until(lambda: exchange.copied() == 1, "copied")
    old = member.keyring.key(shared, 1)
    exchange.take_over()
    monkeypatch.setattr(member.keyring, "key", lambda _id, _epoch=None: old)
    exchange.publish(row("HK1", terms=SUSPEND))
    monkeypatch.undo()
    until(
        lambda: exchange.verdict("HK1").reason == verdict_pb2.REASON_SUSPENDED,
        "the suspension has not followed",
    )
    new = member.keyring.key(shared)
    entries = node.state.subject(shared, "HK", new.subject("HK1"))
    assert [entry.record.terms.migrated for entry in entries] == [True, False]


def test_over_restarts(tmp_path: Path, clock: OffsetClock) -> None:
    settings = make_network(tmp_path, ("HK", "NZ"))
    with Node.start(settings, clock) as node:
        exchange = Exchange(node)
        shared = exchange.shared
        exchange.publish(*(row(f"HK{number}") for number in range(300)))
        exchange.epochs["HK"].open(shared, WAIT_S)
        exchange.names(*(f"HK{number}" for number in range(200)))
    with Node.start(settings, clock) as node:
        epochs = node.hosted["HK"].epochs
        until(lambda: epochs.counts(shared).copied == 200, "200 are named")
        epochs.name(shared, [(f"HK{number}", "1") for number in range(200, 300)])
    with Node.start(settings, clock) as node:
        epochs = node.hosted["HK"].epochs
        until(lambda: epochs.counts(shared).complete, "all are named")
        new = node.hosted["HK"].keyring.key(shared, 2)
        for number in range(300):
            # Once each, whatever was under way when a process ended.
            assert len(node.state.subject(shared, "HK", new.subject(f"HK{number}"))) == 1
        for economy in ("HK", "NZ"):
            node.hosted[economy].epochs.complete(shared, WAIT_S)
        clock.turn(SETTLED_MS + 1)
        until(lambda: len(node.hosted["HK"].home.lookup_keys()) == 1, "the old key is here")
    with Node.start(settings, clock) as node:
        # A second change begins from the second key: the first key's subjects are nobody's now.
        epochs = node.hosted["NZ"].epochs
        epochs.open(shared, WAIT_S)
        counts = node.hosted["HK"].epochs.counts(shared)
        assert (counts.certificates, counts.named) == (300, 0)


def test_steps_that_are_refused(exchange: Exchange) -> None:
    shared, hk = exchange.shared, exchange.epochs["HK"]
    for take in (
        lambda: hk.name(shared, [("HK1", "1")]),
        lambda: hk.complete(shared, WAIT_S),
        lambda: hk.counts(shared),
    ):
        with pytest.raises(StepRefused) as caught:
            take()
        assert caught.value.code == "EPOCH_WRONG"
    with pytest.raises(StepRefused) as caught:
        exchange.node.hosted["KR"].epochs.open(shared, WAIT_S)
    assert caught.value.code == "NOT_A_PARTY"
    hk.open(shared, WAIT_S)
    with pytest.raises(StepRefused) as caught:
        exchange.epochs["NZ"].open(shared, WAIT_S)
    assert caught.value.code == "EPOCH_PENDING"
    with pytest.raises(FormatError, match=r"certificates\[1\]"):
        hk.name(shared, [("HK1", "1"), ("H?", "1")])
    with pytest.raises(FormatError, match=r"aliases\[0\]"):
        hk.name(shared, [], [("", "x")])
    hk.complete(shared, WAIT_S)  # it has published nobody
    with pytest.raises(StepRefused) as caught:
        hk.complete(shared, WAIT_S)
    assert caught.value.code == "ALREADY_REPUBLISHED"


def test_a_record_that_a_state_does_not_know_yet_is_not_passed_over(
    exchange: Exchange, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Histories run ahead of the state that is being replaced: a look in between must not count."""
    node, shared, hk = exchange.node, exchange.shared, exchange.epochs["HK"]
    exchange.publish(row("HK1"))
    hk.open(shared, WAIT_S)
    exchange.names("HK1")
    until(lambda: exchange.copied() == 1, "copied")
    before = node.state
    monkeypatch.setattr(hk, "_current", lambda: before)
    exchange.publish(row("HK1", terms=SUSPEND))
    assert not hk.counts(shared).complete
    hk.keep_up()
    monkeypatch.undo()
    new = node.hosted["HK"].keyring.key(shared, 2).subject("HK1")
    until(lambda: len(node.state.subject(shared, "HK", new)) == 2, "the suspension has no copy")


def test_whose_profile_is_kept_need_not_be_named(exchange: Exchange) -> None:
    shared, hk = exchange.shared, exchange.epochs["HK"]
    exchange.publish(row("HK1"), row("HK2", "2"))
    kept = Profile("HK1", (Name("Harbour Toys Ltd", "en"),), certificate_numbers=("1",))
    exchange.node.hosted["HK"].home.profiles.put([("HK1", format_profile(kept))])
    hk.open(shared, WAIT_S)
    until(lambda: exchange.copied() == 1, "its profile names it")
    late = Profile("HK2", (Name("Peak Tools Ltd", "en"),), certificate_numbers=("2",))
    exchange.node.hosted["HK"].home.profiles.put([("HK2", format_profile(late))])
    with pytest.raises(EpochIncomplete):
        hk.complete(shared, WAIT_S)
    until(lambda: exchange.copied() == 2, "its profile names it")
    hk.complete(shared, WAIT_S)


def test_names_are_taken_from_what_is_published_meanwhile(exchange: Exchange) -> None:
    shared, hk = exchange.shared, exchange.epochs["HK"]
    exchange.publish(row("HK1"))
    hk.open(shared, WAIT_S)
    hk.heard(lambda: [("HK1", "1"), ("not a number", ""), ("HK2", "")])
    exchange.publish(row("HK2", "2"))
    until(lambda: exchange.copied() == 1, "HK1 is named")
    counts = hk.counts(shared)
    assert (counts.certificates, counts.named) == (2, 1)
