"""Look-ups through gRPC: one at a time against the bare echo, and a thousand at a time."""

from collections import Counter
from dataclasses import dataclass, field
from statistics import median
from time import sleep
from typing import Final

import grpc

from aeo.exchange.v1 import verdict_pb2
from aeo.exchange.v1.status_service_pb2 import BatchLookupRequest, BatchLookupResponse
from service.bench.calls import BATCH_LOOKUP, LOOKUP, Timed, one, open_channel, timed
from service.bench.figures import FULL_SIZE, AtLeast, Figure
from service.bench.process import CLIENT_CORE, measured
from service.bench.server import ECHO, FORGET, SET_ECHO, UNLOGGED
from service.bench.traders import question
from service.bench.world import World

BATCH: Final = 1_000
# Calls under way at once: enough that the server never waits for the client.
CALLERS: Final = 8
BATCH_CALLERS: Final = 2
# In which the access log has written everything that was noted.
WRITTEN_S: Final = 0.5


@dataclass(slots=True)
class LookupMeasures:
    """What the client's process measured; one entry a round."""

    echo: list[Timed] = field(default_factory=list)
    cold: list[Timed] = field(default_factory=list)
    warm: list[Timed] = field(default_factory=list)
    batch_cold: list[Timed] = field(default_factory=list)
    batch_warm: list[Timed] = field(default_factory=list)
    batch_logged: list[Timed] = field(default_factory=list)
    batch_unlogged: list[Timed] = field(default_factory=list)
    unlogged: list[Timed] = field(default_factory=list)
    alone: Timed | None = None
    answer_bytes: int = 0
    mix: Counter[str] = field(default_factory=Counter)


@dataclass(frozen=True, slots=True)
class Effort:
    """How much is asked: seconds and rounds, questions in batches, questions one by one."""

    seconds: float
    rounds: int
    batches: int
    questions: int


def lookup_figures(address: str, world: World, effort: Effort) -> list[Figure]:
    """Unary look-ups."""
    found = measured(CLIENT_CORE, measure_lookups, address, world, effort)
    name, title = f"lookup.{world.traders}", f"Lookup, {world.traders:,} traders"
    warm = [w.rate / e.rate for w, e in zip(found.warm, found.echo, strict=True)]
    cold = [c.rate / e.rate for c, e in zip(found.cold, found.echo, strict=True)]
    assert found.alone is not None, "measured"
    return [
        Figure.of(
            f"{name}.ratio",
            f"{title}: against a bare echo",
            warm,
            "",
            AtLeast(0.8) if world.traders >= FULL_SIZE else None,
            f"questions asked before; answers of {found.answer_bytes} bytes, {CALLERS} callers",
        ),
        Figure.of(f"{name}.ratio_new", f"{title}: the same, each question new", cold, ""),
        Figure.of(
            f"{name}.log_ratio",
            f"{title}: with the access log against without",
            [w.rate / u.rate for w, u in zip(found.warm, found.unlogged, strict=True)],
            "",
            AtLeast(0.9) if world.traders >= FULL_SIZE else None,
            "in turns, the same questions",
        ),
        _rate(f"{name}.echo", "bare echo", found.echo),
        _rate(f"{name}.rate", f"{title}: calls", found.warm),
        _rate(f"{name}.rate_new", f"{title}: calls, each question new", found.cold),
        Figure(
            f"{name}.one_caller",
            f"{title}: calls, one caller",
            found.alone.rate,
            "/s",
            note="each waits for the last; plain reads",
        ),
        Figure(f"{name}.p50", f"{title}: median, one caller", found.alone.percentile(0.5), "ms"),
        Figure(
            f"{name}.p99",
            f"{title}: 99th percentile, one caller",
            found.alone.percentile(0.99),
            "ms",
        ),
    ]


def batch_figures(address: str, world: World, effort: Effort) -> tuple[list[Figure], Counter[str]]:
    """Batches of a thousand; and the mix, counted from the answers."""
    found = measured(CLIENT_CORE, measure_batches, address, world, effort)
    name, title = f"batch.{world.traders}", f"BatchLookup of {BATCH:,}, {world.traders:,} traders"
    asked = f"{effort.batches * BATCH:,} questions"
    bound = AtLeast(200_000) if world.traders >= FULL_SIZE else None
    figures = [
        _rate(f"{name}.rate", f"{title}: verdicts", found.batch_warm, BATCH, bound, asked),
        _rate(f"{name}.rate_new", f"{title}: verdicts, each question new", found.batch_cold, BATCH),
        Figure.of(
            f"{name}.log_ratio",
            f"{title}: with the access log against without",
            [
                w.rate / u.rate
                for w, u in zip(found.batch_logged, found.batch_unlogged, strict=True)
            ],
            "",
            AtLeast(0.9) if world.traders >= FULL_SIZE else None,
            "in turns, the same questions",
        ),
    ]
    return figures, found.mix


def measure_lookups(address: str, world: World, effort: Effort) -> LookupMeasures:
    """Echo, new questions and known questions in turns, in this process."""
    found = LookupMeasures()
    with open_channel(address, world, world.engine) as channel:
        known = _questions(0, effort.questions, world)
        answers = [one(channel, LOOKUP, request) for request in known[:BATCH]]
        found.answer_bytes = int(median(map(len, answers)))
        one(channel, SET_ECHO, bytes(found.answer_bytes))
        first = effort.questions
        for _ in range(effort.rounds):
            new = _questions(first, effort.questions, world)
            first += effort.questions
            found.echo.append(_unary(channel, ECHO, known, effort.seconds))
            found.cold.append(timed(channel, LOOKUP, new, callers=CALLERS))
            timed(channel, LOOKUP, known, callers=CALLERS)  # known from here on
            found.warm.append(_unary(channel, LOOKUP, known, effort.seconds))
            path = f"/{UNLOGGED}/Lookup"
            found.unlogged.append(_unary(channel, path, known, effort.seconds))
        found.alone = timed(channel, LOOKUP, known, callers=1, seconds=effort.seconds)
    return found


def measure_batches(address: str, world: World, effort: Effort) -> LookupMeasures:
    """All questions new, then again known, in turns."""
    found = LookupMeasures()
    with open_channel(address, world, world.engine) as channel:
        batches = [
            BatchLookupRequest(
                requests=[question(at + number, world.traders) for number in range(BATCH)]
            ).SerializeToString()
            for at in range(0, effort.batches * BATCH, BATCH)
        ]
        for _ in range(effort.rounds):
            one(channel, FORGET)
            for rounds in (found.batch_cold, found.batch_warm):
                rounds.append(timed(channel, BATCH_LOOKUP, batches, callers=BATCH_CALLERS))
            # What the log still writes of new questions is not the known ones' cost.
            sleep(WRITTEN_S)
            for rounds, path in (
                (found.batch_logged, BATCH_LOOKUP),
                (found.batch_unlogged, f"/{UNLOGGED}/BatchLookup"),
            ):
                rounds.append(_batches(channel, path, batches, effort.seconds))
        for request in batches[:50]:
            found.mix += _mix(one(channel, BATCH_LOOKUP, request))
    return found


def _unary(channel: grpc.Channel, path: str, requests: list[bytes], seconds: float) -> Timed:
    return timed(channel, path, requests, callers=CALLERS, seconds=seconds)


def _batches(channel: grpc.Channel, path: str, batches: list[bytes], seconds: float) -> Timed:
    return timed(channel, path, batches, callers=BATCH_CALLERS, seconds=seconds)


def _questions(first: int, count: int, world: World) -> list[bytes]:
    return [
        question(number, world.traders).SerializeToString()
        for number in range(first, first + count)
    ]


def _mix(response: bytes) -> Counter[str]:
    return Counter(
        verdict_pb2.Outcome.Name(verdict.outcome).removeprefix("OUTCOME_")
        + " "
        + verdict_pb2.Reason.Name(verdict.reason).removeprefix("REASON_")
        for verdict in BatchLookupResponse.FromString(response).verdicts
    )


def _rate(
    name: str,
    title: str,
    rounds: list[Timed],
    each: int = 1,
    bound: AtLeast | None = None,
    note: str = "",
) -> Figure:
    busy = f"server's core {median(one.busy for one in rounds):.0%} busy"
    note = f"{note}; {busy}" if note else busy
    return Figure.of(name, title, [one.rate * each for one in rounds], "/s", bound, note)
