"""`aeo bench`: which figures, at which sizes, one after the other; then the table or the JSON.

A run makes one ledger in a temporary folder and grows it: each size is measured when the ledger has
it, and publishing, which makes it larger, comes last. The folder is removed whatever happens.
"""

import json
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Final

from rich.console import Console

from service.bench.comparison import compared
from service.bench.figures import Figure
from service.bench.growth import growth_figures
from service.bench.lookup import Effort, batch_figures, lookup_figures
from service.bench.machine import machine_facts
from service.bench.network import network_figures
from service.bench.process import SERVER_CORE, Child, measured
from service.bench.proof import proof_figures
from service.bench.publish import publish_figures, suspension_figures
from service.bench.replica import replica_figures
from service.bench.server import serve_world
from service.bench.show import show_report
from service.bench.signatures import signature_figures
from service.bench.start import start_figures
from service.bench.statemap import map_figures
from service.bench.traders import trader
from service.bench.verify import verify_figures
from service.bench.world import World, grow, make_world

NAMES: Final = (
    "map", "bls", "lookup", "batch", "proof", "suspension", "replica", "start", "verify", "publish",
    "network",
)  # fmt: skip
"""What may be selected, in the order in which it is measured."""

TRADERS: Final = 200_000
_MILLION: Final = 1_000_000
_SERVED: Final = frozenset({"lookup", "batch", "proof", "suspension"})

_PIPE_WIDTH: Final = 200

Told = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """Sizes and efforts of one run. `traders`: sizes of the ledger, ascending."""

    traders: tuple[int, ...]
    maps: tuple[int, ...]
    rounds: int
    effort: Effort
    proof_seconds: float
    publish_records: int
    suspensions: int


QUICK: Final = Plan((5_000,), (20_000,), 1, Effort(0.5, 1, 10, 1_000), 0.5, 6_000, 3)
"""Does everything work? Too small to say how fast."""


def plan(traders: int = TRADERS, *, quick: bool = False, large: bool = False) -> Plan:
    """The sizes of a run; `large` adds a million traders and a map of ten million leaves."""
    if quick:
        return QUICK
    more = (_MILLION,) if large and traders < _MILLION else ()
    return Plan(
        (traders, *more),
        (_MILLION, 10 * _MILLION) if large else (_MILLION,),
        3,
        Effort(3.0, 5, 200, 10_000),
        3.0,
        60_000,
        20,
    )


def run_bench(
    selection: Sequence[str] = (),
    json_output: bool = False,
    traders: int = TRADERS,
    *,
    quick: bool = False,
    large: bool = False,
) -> bool:
    """Measure what is selected (nothing: everything) and print it; True if every bound is met.

    Data goes to stdout, what is going on to stderr. Raises `ValueError` for a name that is none.
    """
    chosen = _chosen(selection)
    console = Console(stderr=True, highlight=False)
    machine = machine_facts()
    sizes = plan(traders, quick=quick, large=large)
    run = Run(sizes, console.print)
    figures = list(run.figures(chosen))
    figures += growth_figures(figures, sizes.traders)
    rows = compared(figures)
    if json_output:
        report = {
            "machine": machine,
            "figures": [figure.as_json() for figure in figures],
            "mix": run.shares(),
            "records_of_traders": run.records_of_traders(),
            "immudb": rows,
        }
        sys.stdout.write(json.dumps(report, indent=2) + "\n")
    else:
        show_report(_wide(), machine, figures, run.shares(), rows)
    return all(figure.met is not False for figure in figures)


class Run:
    """One run of a plan; `tell` hears what is being measured."""

    def __init__(self, plan: Plan, tell: Told) -> None:
        self._plan = plan
        self._tell = tell
        self._mix: Counter[str] = Counter()
        self._traders = 0

    def figures(self, chosen: Iterable[str]) -> Iterator[Figure]:
        """Measure, in the order of `NAMES`."""
        names = set(chosen)
        plan = self._plan
        if "map" in names:
            for leaves in plan.maps:
                self._tell(f"state map of {leaves:,} leaves")
                yield from map_figures(leaves, plan.rounds)
        if "bls" in names:
            self._tell("signatures")
            yield from signature_figures(plan.rounds)
        if names - {"map", "bls", "network"}:
            with TemporaryDirectory(prefix="aeo-bench-") as folder:
                yield from self._of_ledger(names, Path(folder))
        if "network" in names:
            self._tell("four members with a node and a CometBFT each")
            yield from network_figures(
                plan.publish_records,
                plan.rounds,
                10 * plan.effort.seconds,
                5 * plan.suspensions,
            )

    def shares(self) -> dict[str, float]:
        """The questions that were asked, by what was answered; most frequent first."""
        total = self._mix.total()
        return {name: count / total for name, count in self._mix.most_common()}

    def records_of_traders(self) -> dict[str, float]:
        """Shares of the traders with 1, 2 and 3 records, counted."""
        sample = min(self._traders, 10_000)
        counts = Counter(trader(number).records for number in range(sample))
        return {str(records): counts[records] / sample for records in sorted(counts)}

    def _of_ledger(self, names: set[str], folder: Path) -> Iterator[Figure]:
        world = measured(None, make_world, folder)
        for traders in self._plan.traders:
            if "start" in names and traders >= _MILLION:
                # The bound is for a million records, which fewer traders have.
                world = self._grow(world, _traders_with(_MILLION))
                self._tell(f"node start at {world.records:,} records")
                yield from start_figures(world)
            world = self._grow(world, traders)
            if names & _SERVED:
                yield from self._served(names, world)
            if "replica" in names:
                plan = self._plan
                yield from replica_figures(world, plan.effort, plan.publish_records, self._tell)
            if "start" in names and traders < _MILLION:
                self._tell(f"node start at {world.records:,} records")
                yield from start_figures(world)
            if "verify" in names:
                self._tell(f"offline verification of {world.records:,} records")
                yield from verify_figures(world, self._plan.rounds)
            if "publish" in names:
                self._tell(f"publishing on {world.traders:,} leaves")
                figures, world = publish_figures(
                    world, self._plan.publish_records, self._plan.rounds
                )
                yield from figures

    def _grow(self, world: World, traders: int) -> World:
        self._traders = max(self._traders, traders)
        if traders <= world.traders:
            return world
        self._tell(f"making a ledger of {traders:,} traders")
        return measured(None, grow, world, traders, True)

    def _served(self, names: set[str], world: World) -> Iterator[Figure]:
        plan = self._plan
        with Child(SERVER_CORE, serve_world, world, False) as server:
            address = server.receive()
            if "lookup" in names:
                self._tell(f"look-ups one by one, {world.traders:,} traders")
                yield from lookup_figures(address, world, plan.effort)
            if "batch" in names:
                self._tell(f"look-ups in batches, {world.traders:,} traders")
                figures, mix = batch_figures(address, world, plan.effort)
                self._mix += mix
                yield from figures
            if "proof" in names:
                self._tell("look-ups with proofs")
                yield from proof_figures(address, world, plan.rounds, plan.proof_seconds)
            if "suspension" in names:
                self._tell("suspensions")
                yield from suspension_figures(address, world, plan.suspensions)


def _wide() -> Console:
    """stdout; a pipe or file is as wide as the table asks."""
    return Console(highlight=False, width=None if sys.stdout.isatty() else _PIPE_WIDTH)


def _chosen(selection: Sequence[str]) -> Sequence[str]:
    for name in selection:
        if name not in NAMES:
            raise ValueError(f"{name!r} is none of {', '.join(NAMES)}")
    return selection or NAMES


def _traders_with(records: int) -> int:
    """How many traders have so many records."""
    number = 0
    while records > 0:
        records -= trader(number).records
        number += 1
    return number
