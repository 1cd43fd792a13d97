"""Offline verification of a whole export: every signature, every root, every seal."""

import resource
import time
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from statistics import median
from typing import Final, NamedTuple

from ledger.audit.replay import verify_export
from ledger.bls.scheme import default_backend
from ledger.chain.export import GENESIS, HEADER, SEAL, TRANSACTION, Item, format_export
from ledger.state.map_updates import MapHere, MapUpdater
from service.bench.figures import FULL_SIZE, AtLeast, Figure
from service.bench.process import CLIENT_CORE, SERVER_CORE, measured, move_children
from service.bench.world import World
from service.clock import SystemClock
from service.node.map_process import MapProcess
from service.store.ledger.ledger_store import LedgerStore

_CHUNK: Final = 1 << 20


class Verified(NamedTuple):
    """Records a second; processor time (us) for each, of this process and of its child."""

    rate: float
    used_us: float
    child_us: float


def verify_figures(world: World, rounds: int) -> list[Figure]:
    """Records a second in one process, and with the map in a second one."""
    path = world.folder / "bench.aeo"
    write_export(world, path)
    try:
        times = [
            (
                measured(SERVER_CORE, verify_file, path, world.network_id, 1),
                measured(SERVER_CORE, verify_file, path, world.network_id, 2),
            )
            for _ in range(rounds)
        ]
        size = path.stat().st_size / 1e6
    finally:
        path.unlink()
    name, title = f"verify.{world.traders}", f"offline verification, {world.traders:,} leaves"
    full = world.traders >= FULL_SIZE
    used = median(one.used_us for one, _ in times)
    here = median(two.used_us for _, two in times)
    there = median(two.child_us for _, two in times)
    note = f"{used:.1f} us of processor time a record; {world.records:,} records in {size:,.0f} MB"
    return [
        Figure.of(
            f"{name}.one",
            f"{title}: one process",
            [one.rate for one, _ in times],
            "/s",
            AtLeast(30_000) if full else None,
            note,
        ),
        Figure.of(
            f"{name}.two",
            f"{title}: two processes",
            [two.rate for _, two in times],
            "/s",
            AtLeast(50_000) if full else None,
            f"the state map in the second; {here:.1f} and {there:.1f} us a record",
        ),
    ]


def write_export(world: World, path: Path) -> None:
    """The whole ledger of a stopped node in one file."""
    with LedgerStore(world.settings().ledger, read_only=True) as store, path.open("wb") as file:
        for part in format_export(_items(store)):
            file.write(part)


def verify_file(path: Path, network_id: bytes, processes: int) -> Verified:
    """Verify in this process. The program's start is not counted, a second process's is."""
    backend = default_backend()
    started, used_before = time.perf_counter(), time.process_time()
    with ExitStack() as stack, path.open("rb") as file:

        def updater() -> MapUpdater:
            if processes == 1:
                return MapHere()
            made = stack.enter_context(MapProcess())
            move_children(CLIENT_CORE)
            return made

        for report in verify_export(
            iter(lambda: file.read(_CHUNK), b""),
            now=SystemClock().now_ms(),
            backend=backend,
            network_id=network_id,
            map_factory=updater,
        ):
            last = report
        seconds = time.perf_counter() - started
        used = time.process_time() - used_before
    assert last.verified, "made by ourselves"
    assert not last.refused, "every record made is lawful"
    child = resource.getrusage(resource.RUSAGE_CHILDREN)
    return Verified(
        last.records / seconds,
        used * 1e6 / last.records,
        (child.ru_utime + child.ru_stime) * 1e6 / last.records,
    )


def _items(store: LedgerStore) -> Iterator[Item]:
    genesis = store.genesis()
    assert genesis is not None, "it is a world's"
    yield GENESIS, genesis
    seals = {seal.height: seal.seal for seal in store.seals()}
    for block in store.blocks():
        yield HEADER, block.header
        for transaction in block.transactions:
            yield TRANSACTION, transaction
        if block.height in seals:
            yield SEAL, seals[block.height]
