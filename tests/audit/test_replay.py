"""Offline verification: what is right passes, what was changed is named."""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache

import pytest

from ledger.audit.replay import (
    ANCHORED,
    MAPS_UNDER_WAY,
    TOO_LONG_AGO,
    Report,
    verify_export,
    verify_items,
)
from ledger.bls.arkworks import ArkworksBackend
from ledger.chain.anchor import Anchor
from ledger.chain.export import HEADER, SEAL, SIGNING_SETS, TRANSACTION, format_export
from ledger.chain.header import format_header, header_hash, parse_header
from ledger.chain.keys import SIGNING_SETS_KEY
from ledger.chain.signing_set import SigningMember, SigningSet, SigningSets, format_signing_sets
from ledger.errors import AnchorError, ChainError, LedgerError
from ledger.state.map_updates import MapHere, MapVersion
from ledger_world import BACKEND, DAY, START, World

SOON = START + DAY


@pytest.fixture(scope="module")
def world() -> World:
    world = World(("HK", "NZ", "SG"))
    world.seal()
    shared = world.agree("HK", "NZ")
    world.publish("HK", shared, [world.grant(shared, "HK1"), world.grant(shared, "HK1")])
    world.seal(["HK", "NZ"])
    world.commit(
        world.transaction("SG"), world.statuses("NZ", shared, [world.grant(shared, "NZ1")])
    )
    world.seal()
    for _ in range(2 * MAPS_UNDER_WAY):
        world.commit(world.transaction("SG"))
    world.seal(["HK", "SG"])
    return world


def final(data: bytes, **given: object) -> Report:
    chunks = [data[at : at + 1000] for at in range(0, len(data), 1000)]
    fields = {"now": SOON, "backend": BACKEND} | given
    reports = list(verify_export(chunks, **fields))  # type: ignore[arg-type]
    assert [report.complete for report in reports] == [False] * (len(reports) - 1) + [True]
    return reports[-1]


def refused(world: World, items: list[tuple[int, bytes]]) -> ChainError:
    with pytest.raises(ChainError) as caught:
        list(verify_items(items, now=SOON, backend=BACKEND))
    return caught.value


def test_a_whole_ledger_passes(world: World) -> None:
    report = final(world.export())
    view = world.view
    assert report.verified
    assert (report.height, report.header_hash, report.header_time) == (
        view.height,
        view.header_hash,
        view.header_time,
    )
    assert (report.transactions, report.records, report.executed, report.refused) == (
        view.log_size,
        6,  # three steps and three records; the heartbeats have none
        5,
        1,
    )
    assert report.seals == 4
    # Two of three are not more than two thirds.
    assert (report.sealed_height, report.attested_time) == (4, view.time_of(4))
    assert report.pilot


def test_progress_goes_height_by_height(world: World) -> None:
    heights = [report.height for report in verify_items(world.items(), now=SOON, backend=BACKEND)]
    assert heights == [*range(world.view.height + 1), world.view.height]


def test_trust_ends_with_the_period(world: World) -> None:
    later = START + 31 * DAY
    data, view = world.export(), world.view
    assert final(data, now=later).trust == TOO_LONG_AGO
    assert not final(data, now=later).verified
    assert final(data, now=later, network_id=view.network_id).trust == ANCHORED
    old = Anchor(2, world.header_hash(2))
    assert final(data, anchor=old).trust == ANCHORED
    assert final(data, now=later, anchor=old).trust == TOO_LONG_AGO
    with pytest.raises(AnchorError):
        final(data, anchor=Anchor(2, bytes(32)))
    with pytest.raises(AnchorError):
        final(data, anchor=Anchor(view.height + 1, bytes(32)))
    with pytest.raises(ChainError, match="genesis"):
        final(data, network_id=bytes(32))


def test_a_seal_from_the_future(world: World) -> None:
    with pytest.raises(AnchorError):
        final(world.export(), now=world.view.header_time - 60_001)
    assert final(world.export(), now=world.view.header_time - 60_000).verified


def test_each_changed_item_is_named(world: World) -> None:
    items = world.items()
    for index, (kind, data) in enumerate(items):
        at = {HEADER: 170, SEAL: 50}.get(kind, len(data) // 2)
        changed = data[:at] + bytes([data[at] ^ 4]) + data[at + 1 :]
        error = refused(world, [*items[:index], (kind, changed), *items[index + 1 :]])
        headers = sum(1 for each, _ in items[: index + 1] if each == HEADER)
        height = headers - 1
        if kind == SEAL:
            assert error.place == f"seal of height {height}"
        elif kind == TRANSACTION:
            assert error.place.startswith("transaction ")
            assert error.place.endswith(f"of height {height}")
        elif kind == HEADER:
            # A map root is compared late; the next header's link may show it first.
            assert error.place in {
                f"header {height}",
                f"header {height + 1}",
                f"seal of height {height}",
            }
        else:
            assert error.place in {"genesis", "header 0"}


def test_left_out_and_moved_items_are_refused(world: World) -> None:
    items = world.items()
    for index in range(len(items)):
        kind = items[index][0]
        if kind == SEAL and index != len(items) - 1:
            continue
        refused(world, [*items[:index], *items[index + 1 :]])
    for index in range(1, len(items) - 1):
        refused(world, [*items[:index], items[index + 1], items[index], *items[index + 2 :]])


def test_a_store_may_lack_the_newest_seal(world: World) -> None:
    items = world.items()[:-1]
    *_, report = verify_items(items, now=SOON, backend=BACKEND, unsealed=True)
    assert report.complete
    assert report.height == world.view.height


def test_seals_by_too_few_or_at_a_wrong_time() -> None:
    world = World(("HK", "NZ", "SG"))
    world.seal(["SG"])
    assert refused(world, world.items()).place == "seal of height 0"
    world = World()
    world.seal(attested_time=START + 5_000)
    world.commit(world.transaction("HK"), time=START + 4_000)
    world.seal()
    assert refused(world, world.items()).place == "header 1"
    world = World()
    world.commit(world.transaction("HK"))
    world.seal(attested_time=START)
    assert refused(world, world.items()).place == "seal of height 1"


def test_a_seal_of_another_set(world: World) -> None:
    other = World(("HK", "NZ", "TH"))
    other.seal()
    items = world.items()
    assert items[2][0] == SEAL
    error = refused(world, [*items[:2], (SEAL, other.seals[0]), *items[3:]])
    assert error.place == "seal of height 0"


def test_signing_sets_only_where_they_change(world: World) -> None:
    view = world.view
    sets = format_signing_sets(view.signing_sets)
    item = (SIGNING_SETS, sets + view.prove(SIGNING_SETS_KEY))
    items = world.items()
    newest = max(index for index, (kind, _) in enumerate(items) if kind == HEADER)
    place = f"signing sets before header {view.height}"
    assert refused(world, [*items[:newest], item, *items[newest:]]).place == place

    # A header that hands over to a set which no sealed header's map holds.
    thief = SigningSet((SigningMember("HK", 1, world.genesis.founders[0].bls_public_key),))
    header = parse_header(items[newest][1])
    changed = (HEADER, format_header(replace(header, signing_set_hash=thief.hash)))
    pending = format_signing_sets(SigningSets(view.signing_sets.current, thief))
    for object_bytes in (pending, sets):
        forged = (SIGNING_SETS, object_bytes + view.prove(SIGNING_SETS_KEY))
        assert (
            refused(world, [*items[:newest], forged, changed, *items[newest + 1 :]]).place == place
        )
    assert (
        refused(world, [*items[:newest], changed, *items[newest + 1 :]]).place
        == f"header {view.height}"
    )
    unsealed = [each for each in items[:newest] if each[0] != SEAL]
    assert "two thirds" in str(refused(world, [*unsealed, forged, changed, *items[newest + 1 :]]))


class LateMaps(MapHere):
    """Counts the versions whose root nobody has asked for yet."""

    def __init__(self) -> None:
        self.open: list[MapVersion] = []
        self.most = 0

    def submit(self, base: MapVersion, changes: object) -> MapVersion:
        version = super().submit(base, changes)  # type: ignore[arg-type]
        self.open.append(version)
        self.most = max(self.most, len(self.open))
        return version

    def root(self, version: MapVersion) -> bytes:
        if version in self.open:
            self.open.remove(version)
        return super().root(version)


def test_maps_are_compared_late_but_all(world: World) -> None:
    maps = LateMaps()
    assert final(world.export(), map_factory=lambda: maps).verified
    assert maps.most == MAPS_UNDER_WAY + 1
    assert maps.open == []


def test_a_wrong_map_root_is_found() -> None:
    """Everything signed and linked, but the map root of one header is not what records make."""
    world = World()
    block = world.machine.execute([world.transaction("HK")], START + 1)
    assert block.header is not None
    wrong = format_header(replace(block.header, map_root=bytes(32)))
    world.machine.advance(
        replace(
            block, header=parse_header(wrong), header_bytes=wrong, header_hash=header_hash(wrong)
        )
    )
    world.headers.append(wrong)
    world.blocks.append((wrong, block.transactions))
    world.seal()
    error = refused(world, world.items())
    assert (error.place, "map root" in str(error)) == ("header 1", True)


def test_each_bit_of_a_one_block_export_counts() -> None:
    world = World(("HK",))
    world.commit(world.transaction("HK"))
    world.seal()
    data = world.export()
    assert final(data).verified
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(LedgerError):
            _run(bytes(changed))
    for at in _sensitive(data):
        for bit in range(8):
            changed = bytearray(data)
            changed[at] ^= 1 << bit
            with pytest.raises(LedgerError):
                _run(bytes(changed))


def _sensitive(data: bytes) -> Iterator[int]:
    """Everything behind the genesis: headers, the transaction, the seal, the end."""
    size = int.from_bytes(data[9:13])
    return iter([*range(13), *range(13 + size, len(data))])


class RemembersAnswers(ArkworksBackend):
    """The compiled backend; what was asked with the very same bytes is not computed again."""

    verify = lru_cache(maxsize=1 << 16)(ArkworksBackend.verify)


REMEMBERING = RemembersAnswers()


def _run(data: bytes) -> None:
    list(verify_export([data], now=SOON, backend=REMEMBERING))


def test_every_truncation_is_refused(world: World) -> None:
    data = b"".join(format_export(world.items()[:3]))
    for size in range(0, len(data), 7):
        with pytest.raises(LedgerError):
            _run(data[:size])
    with pytest.raises(ChainError, match="byte"):
        _run(data + b"\x00")
