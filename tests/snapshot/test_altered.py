"""Nothing of a snapshot can be altered: it is refused, whoever made a fitting manifest for it."""

from random import Random

import pytest

from ledger.chain.snapshot import (
    CHUNK_BYTES,
    Manifest,
    check_chunk,
    check_extent,
    checked_chunks,
    chunk_hash,
    format_manifest,
    format_snapshot,
    parse_manifest,
    parse_snapshot,
)
from ledger.errors import ChainError, FormatError
from ledger.state.snapshotting import make_snapshot
from ledger_world import World
from snapshot.restored import everything, restore

FLIPS = 2_000


def attempt(world: World, data: bytes) -> None:
    """Restore from these bytes, which claim to be the snapshot of the newest header."""
    chunks = [data[at : at + CHUNK_BYTES] for at in range(0, len(data), CHUNK_BYTES)]
    items = list(parse_snapshot(chunks))
    restore(world, world.view.header_bytes, items, world.machine.verified)


def refused(world: World, data: bytes) -> bool:
    try:
        attempt(world, data)
    except (ChainError, FormatError):
        return True
    return False


def whole(world: World) -> bytes:
    _, chunks = make_snapshot(world.view, world.headers)
    return b"".join(chunks)


def test_any_bit() -> None:
    world = everything()
    data = whole(world)
    attempt(world, data)
    random = Random(5)
    for position in sorted(random.sample(range(8 * len(data)), FLIPS)):
        altered = bytearray(data)
        altered[position // 8] ^= 0x80 >> position % 8
        assert refused(world, bytes(altered)), f"bit {position} of {8 * len(data)}"


def test_items_left_out_repeated_or_swapped() -> None:
    world = everything()
    items = list(parse_snapshot([whole(world)]))
    altered = [[*items[:n], *items[n + 1 :]] for n in range(len(items))]
    altered += [[*items[: n + 1], *items[n:]] for n in range(len(items))]
    altered += [
        [*items[:n], items[n + 1], items[n], *items[n + 2 :]] for n in range(len(items) - 1)
    ]
    # A book in two halves, a header batch in two: the same content in other bytes.
    for n, (kind, data) in enumerate(items):
        if kind in (2, 3):
            size = 48 if kind == 2 else 32
            altered.append([*items[:n], (kind, data[:size]), (kind, data[size:]), *items[n + 1 :]])
        if kind == 13 and len(data) > 2_000:
            first = 36 + int.from_bytes(data[32:36])
            parts = [(kind, data[:first]), (kind, data[first:])]
            altered.append([*items[:n], *parts, *items[n + 1 :]])
    for each in altered:
        with pytest.raises((ChainError, FormatError)):
            attempt(world, b"".join(format_snapshot(each)))


def test_another_header_and_another_network() -> None:
    world = everything()
    items = list(parse_snapshot([whole(world)]))
    with pytest.raises(ChainError, match="headers in it do not lead"):
        restore(world, world.headers[-2], items, world.machine.verified)
    other = World(("HK", "NZ"), name="another")
    with pytest.raises(ChainError, match="another network"):
        restore(other, world.view.header_bytes, items, world.machine.verified)


def test_cut_short_and_longer() -> None:
    world = everything()
    data = whole(world)
    for end in (0, 1, 8, 13, len(data) // 2, len(data) - 1):
        with pytest.raises((ChainError, FormatError)):
            attempt(world, data[:end])
    with pytest.raises(FormatError, match="after the end"):
        attempt(world, data + b"\0")


def test_chunks_against_the_manifest() -> None:
    world = everything()
    manifest, chunks = make_snapshot(world.view, world.headers)
    assert list(checked_chunks(manifest, chunks)) == chunks
    with pytest.raises(ChainError, match="chunk 0 of the snapshot of height"):
        check_chunk(manifest, 0, chunks[0][:-1])
    with pytest.raises(ChainError, match="chunk 1"):
        check_chunk(manifest, 1, chunks[0])
    with pytest.raises(ChainError, match="0 chunks came, not 1"):
        list(checked_chunks(manifest, []))
    data = format_manifest(manifest)
    for wrong in (b"", data[:-1], data + b"\0", b"X" + data[1:], data[:232] + bytes(4)):
        with pytest.raises(FormatError):
            parse_manifest(wrong)
    more = Manifest(manifest.header_bytes, (*manifest.chunk_hashes, chunk_hash(b"")))
    assert more.hash != manifest.hash


def test_no_more_chunks_than_its_header_allows() -> None:
    world = everything()
    manifest, _ = make_snapshot(world.view, world.headers)
    check_extent(manifest)
    room = (world.view.log_size * 120_000 + world.view.height * 256 + (32 << 20)) // CHUNK_BYTES + 1
    check_extent(Manifest(manifest.header_bytes, (bytes(32),) * room))
    with pytest.raises(ChainError, match=f"{room + 1} chunks are more than a log of"):
        check_extent(Manifest(manifest.header_bytes, (bytes(32),) * (room + 1)))


def test_chunks_of_another_size() -> None:
    items = [(1, b"g" * 900_000), (5, b"s" * 3_000_000)]
    chunks = list(format_snapshot(items))
    assert [len(chunk) for chunk in chunks[:-1]] == [CHUNK_BYTES] * (len(chunks) - 1)
    assert list(parse_snapshot(chunks)) == items
    for wrong in (
        [chunks[0][:-1], chunks[0][-1:] + chunks[1]],
        [b"".join(chunks)],
        [*chunks, b""],
        [b"", *chunks],
    ):
        with pytest.raises(FormatError):
            list(parse_snapshot(wrong))
