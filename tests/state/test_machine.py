"""The machine as a whole: blocks, time, snapshots, replay."""

import threading

import pytest

from ledger.chain.header import parse_header
from ledger.chain.history import HistoryEntry, history_head
from ledger.chain.keys import (
    AuthorObject,
    arrangement_key,
    author_key,
    format_author_object,
    member_key,
    object_value,
    pair_key,
    prefix_key,
    speaker_record,
    subject_key,
)
from ledger.chain.seal import open_seal
from ledger.errors import ChainError
from ledger.state.leaves import all_leaves
from ledger.state.machine import Machine
from ledger.state.state import State
from ledger.tree.log import leaf_hash
from ledger.tree.log_proof import check_consistency, check_inclusion
from ledger.tree.map import StateMap
from ledger.tree.map_proof import check_map_proof
from ledger_world import BACKEND, DAY, START, World


@pytest.fixture
def world() -> World:
    """Two arrangements, records of two issuers, an alias, refusals, a heartbeat."""
    world = World(("HK", "NZ", "SG"))
    shared = world.agree("HK", "NZ")
    other = world.agree("SG", "HK")
    world.publish("HK", shared, [world.grant(shared, "HK1"), world.grant(shared, "HK2")])
    world.commit(
        world.statuses("HK", shared, [world.suspend(shared, "HK1"), world.grant(shared, "HK2")]),
        world.statuses("SG", other, [world.grant(other, "SG1", number=str(n)) for n in range(3)]),
        world.aliases(
            "HK", shared, [world.alias(shared, "a", "HK1"), world.alias(shared, "a", "HK2")]
        ),
        world.transaction("NZ"),
    )
    return world


def shared_of(world: World) -> bytes:
    return world.view.pair_history("HK", "NZ")[0].arrangement_id


def same(one: State, other: State) -> bool:
    """Whether two states of two machines say the same, the map and all facts included."""
    return (
        one.header_bytes == other.header_bytes
        and one.updates.root(one.map_version) == other.updates.root(other.map_version)
        and dict(all_leaves(one)) == dict(all_leaves(other))
        and one.facts.statuses == other.facts.statuses
        and one.facts.aliases == other.facts.aliases
        and one.facts.successors == other.facts.successors
        and one.facts.refused == other.facts.refused
        and one.facts.seen == other.facts.seen
        and one.facts.times == other.facts.times
        and one.facts.log_sizes == other.facts.log_sizes
        and one.arrangements == other.arrangements
        and one.arrangements_of == other.arrangements_of
        and one.pairs == other.pairs
        and one.authors == other.authors
    )


def test_height_0_follows_from_the_genesis(world: World) -> None:
    fresh = Machine(world.genesis, BACKEND).state
    assert fresh.height == fresh.log_size == 0
    assert fresh.header_time == fresh.genesis_time == START
    registered = HistoryEntry(0, START, 0, 0, "HK", world.genesis.founders[0].data)
    check_map_proof(
        fresh.header.map_root,
        member_key("HK"),
        history_head([registered]),
        fresh.prove(member_key("HK")),
    )
    speaks = HistoryEntry(0, START, 0, 0, "HK", speaker_record("HK", begins=True))
    check_map_proof(
        fresh.header.map_root,
        prefix_key("HK"),
        history_head([speaks]),
        fresh.prove(prefix_key("HK")),
    )
    assert [member.economy for member in fresh.members()] == ["HK", "NZ", "SG"]
    assert "NZ" in fresh.prefixes()
    assert fresh.speaker_history("SG")[0].economy == "SG"
    assert fresh.speaker_history("XX") == ()
    # Kinds 3 and 10 for three founders, 4 and 7.
    assert len(list(all_leaves(fresh))) == 8


def test_execute_leaves_the_machine_as_it_is(world: World) -> None:
    shared = shared_of(world)
    before, leaves = world.view, dict(all_leaves(world.view))
    batch = world.statuses("HK", shared, [world.grant(shared, "HK9"), world.suspend(shared, "HK2")])
    blocks = [world.machine.execute([batch], world.time + 5) for _ in range(2)]
    assert world.view is before
    assert dict(all_leaves(world.view)) == leaves
    assert blocks[0].header_bytes == blocks[1].header_bytes
    assert blocks[0].touched == blocks[1].touched
    world.machine.advance(blocks[0])
    assert world.view.header_bytes == blocks[1].header_bytes
    with pytest.raises(ChainError):
        world.machine.advance(blocks[1])


def test_a_block_without_entries_has_no_header(world: World) -> None:
    before = world.view
    block = world.machine.execute([b"nothing"], world.time)
    assert (block.header, block.header_bytes, block.transactions) == (None, b"", ())
    world.machine.advance(block)
    assert world.view is before


def test_time_never_stands_still(world: World) -> None:
    before = world.view.header_time
    assert world.commit(world.transaction("HK"), time=0).header.time == before + 1  # type: ignore[union-attr]
    later = before + DAY
    assert world.commit(world.transaction("HK"), time=later).header.time == later  # type: ignore[union-attr]
    assert world.view.time_of(world.view.height) == later
    assert world.view.height_at(later - 1) == world.view.height - 1
    assert world.view.height_at(START - 1) == -1


def test_the_map_follows_from_the_facts(world: World) -> None:
    view = world.view
    assert StateMap.build(all_leaves(view)).root == view.header.map_root


def test_histories_can_be_rebuilt_and_proved(world: World) -> None:
    view, shared = world.view, shared_of(world)
    subject = world.subject(shared, "HK1")
    entries = [
        HistoryEntry(*view.place_of(index), index, position, "HK", record)
        for index, position, record in view.subject_records(shared, "HK", subject)
    ]
    key = subject_key(shared, "HK", subject)
    assert len(entries) == 2
    check_map_proof(view.header.map_root, key, history_head(entries), view.prove(key))
    absent = subject_key(shared, "NZ", subject)
    check_map_proof(view.header.map_root, absent, None, view.prove(absent))
    for key, records in (
        (arrangement_key(shared), view.arrangements[shared].records),
        (pair_key("NZ", "HK"), view.pairs["HKNZ"].records),
    ):
        check_map_proof(view.header.map_root, key, history_head(records), view.prove(key))
    author = view.authors["HK"]
    assert author == AuthorObject(
        author.sequence, view.height, view.header_time, 5, world.header_hash(5)
    )
    key = author_key("HK")
    check_map_proof(
        view.header.map_root, key, object_value(format_author_object(author)), view.prove(key)
    )


def test_log_and_headers_are_proved(world: World) -> None:
    view = world.view
    entries = [data for _, block in world.blocks for data in block]
    for index, data in enumerate(entries):
        proof = view.prove_entry(index)
        check_inclusion(leaf_hash(data), index, view.log_size, proof, view.header.log_root)
    for height in range(view.height):
        proof = view.prove_header(height)
        leaf = leaf_hash(world.header_hash(height))
        check_inclusion(leaf, height, view.height, proof, view.header.earlier_root)
        old = parse_header(world.headers[height])
        if height:
            check_consistency(
                old.log_size,
                view.log_size,
                old.log_root,
                view.header.log_root,
                view.prove_log(old.log_size),
            )


def test_replay_equals_live(world: World) -> None:
    restored = Machine.restore(world.genesis, iter(world.blocks), BACKEND)
    assert same(restored.state, world.view)
    followed = Machine(world.genesis, BACKEND)
    for header_bytes, transactions in world.blocks:
        block = followed.follow(header_bytes, transactions)
        assert followed.map_root(block) == parse_header(header_bytes).map_root
        followed.advance(block)
    assert same(followed.state, world.view)
    restored.advance(restored.execute([world.transaction("NZ")], world.time + 1))
    assert restored.state.height == world.view.height + 1


def test_restore_names_what_was_changed(world: World) -> None:
    blocks = list(world.blocks)
    header, transactions = blocks[3]
    for at, place in ((40, "header 4"), (55, "header 4"), (60, "header 4"), (130, "header 4")):
        changed = bytearray(header)
        changed[at] ^= 1
        with pytest.raises(ChainError) as caught:
            Machine.restore(
                world.genesis, [*blocks[:3], (bytes(changed), transactions), *blocks[4:]], BACKEND
            )
        assert caught.value.place in {place, "header 5"}
    newest, last = blocks[-1]
    changed = bytearray(newest)
    changed[161] ^= 1
    with pytest.raises(ChainError, match=f"header {len(blocks)}: the map root"):
        Machine.restore(world.genesis, [*blocks[:-1], (bytes(changed), last)], BACKEND)
    with pytest.raises(ChainError, match="transaction 0 of height 4"):
        Machine.restore(world.genesis, [*blocks[:3], (header, (b"?", *transactions[1:]))], BACKEND)
    with pytest.raises(ChainError):
        Machine.restore(world.genesis, [*blocks[:3], *blocks[4:]], BACKEND)


def test_an_old_view_stays_as_it_was(world: World) -> None:
    shared, view = shared_of(world), world.view
    subject, fresh = world.subject(shared, "HK1"), world.subject(shared, "HK7")
    alias = world.lookup_key(shared).alias("TEST", "a")

    def seen() -> tuple[object, ...]:
        return (
            view.subject(shared, "HK", subject),
            view.subject(shared, "HK", fresh),
            view.subjects(shared, "HK"),
            view.alias(shared, "HK", alias),
            view.successors(shared, "HK", subject),
            view.author_seen("HK", 1 << 62),
            view.author_verified("HK"),
            view.pair_history("NZ", "SG"),
            view.own_arrangements("NZ"),
            view.next_sequence("HK"),
            view.height_at(1 << 62),
            view.prove(subject_key(shared, "HK", subject)),
        )

    before = seen()
    world.publish(
        "HK",
        shared,
        [world.record(shared, "HK1", 4, 1), world.grant(shared, "HK7", predecessor=(subject, 1))],
    )
    world.commit(world.aliases("HK", shared, [world.alias(shared, "a", "HK7")]))
    world.agree("NZ", "SG")
    assert seen() == before
    assert len(world.view.subject(shared, "HK", subject)) == 3
    assert world.view.successors(shared, "HK", subject)[0].subject == fresh
    assert [entry.subject for entry in world.view.alias(shared, "HK", alias)][-1] == fresh


def test_readers_beside_a_writer() -> None:
    world = World()
    shared = world.agree("HK", "NZ")
    tins = [f"HK{n}" for n in range(40)]
    subjects = [world.subject(shared, tin) for tin in tins]
    wrong: list[str] = []
    done = threading.Event()

    def read() -> None:
        while not done.is_set():
            view = world.view
            counts = {len(view.subject(shared, "HK", subject)) for subject in subjects}
            listed = len(view.subjects(shared, "HK"))
            if len(counts) != 1 or listed not in (0, len(tins)):
                wrong.append(f"height {view.height}: {counts}, {listed}")

    readers = [threading.Thread(target=read) for _ in range(2)]
    for reader in readers:
        reader.start()
    # Every block gives every subject one more record: all or none is right at any height.
    world.publish("HK", shared, [world.grant(shared, tin) for tin in tins])
    for _ in range(15):
        world.publish("HK", shared, [world.record(shared, tin, 2) for tin in tins])
    done.set()
    for reader in readers:
        reader.join()
    assert not wrong
    assert len(world.view.subject(shared, "HK", subjects[0])) == 16


def test_what_delivery_reports_ask(world: World) -> None:
    view = world.view
    seen = view.author_verified("NZ")
    assert seen is not None
    assert (seen.height, seen.header_hash, seen.time) == (5, world.header_hash(5), view.time_of(5))
    assert view.author_verified("XX") is None
    assert view.author_seen("NZ", 1) is None
    assert view.author_seen("NZ", 3) == view.time_of(2)
    assert view.author_seen("NZ", view.height) == view.header_time


def test_results_are_known_after_a_restart(world: World) -> None:
    index = world.view.log_size_of(world.view.height - 1)
    assert world.view.results(index) == ((1, "CERTIFICATE_KNOWN"),)
    restored = Machine.restore(world.genesis, world.blocks, BACKEND).state
    assert [restored.results(n) for n in range(restored.log_size)] == [
        world.view.results(n) for n in range(world.view.log_size)
    ]
    with pytest.raises(IndexError):
        restored.results(restored.log_size)


def test_seals_name_their_set(world: World) -> None:
    seal = open_seal(world.seal(), world.view.signing_sets.current, world.view.network_id, BACKEND)
    assert (seal.header_hash, seal.level) == (world.view.header_hash, "sealed")
