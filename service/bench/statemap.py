"""The state map: how long it takes to build, how much memory it holds, how large its proofs are."""

import gc
from dataclasses import dataclass
from hashlib import sha256
from time import thread_time
from typing import Final

from ledger.tree.map import StateMap
from ledger.tree.map_proof import check_map_proof
from service.bench.figures import AtMost, Figure
from service.bench.machine import resident_mb
from service.bench.process import SERVER_CORE, measured
from service.bench.timing import microseconds_each

_PROOFS: Final = 2_000
_CHANGES: Final = 4_000
_VALUE: Final = b"\x11" * 32


@dataclass(frozen=True, slots=True)
class MapMeasures:
    """What one process measured; times of rounds in microseconds a piece."""

    build_s: float
    memory_mb: float
    prove_us: list[float]
    check_us: list[float]
    update_us: list[float]
    proof_bytes: list[int]


def map_figures(leaves: int, rounds: int) -> list[Figure]:
    """Figures of a map of so many leaves; the bounds are those for 1,000,000 and above."""
    result = measured(SERVER_CORE, measure_map, leaves, rounds)
    name, size = f"map.{leaves}", f"state map of {leaves:,} leaves"
    million = leaves == 1_000_000
    large = leaves >= 1_000_000
    present_and_absent = "half of the keys present, half absent"
    return [
        Figure(
            f"{name}.build",
            f"{size}: built",
            result.build_s,
            "s",
            AtMost(4) if million else None,
            "leaves in random order, sorting included",
        ),
        Figure(
            f"{name}.memory",
            f"{size}: memory",
            result.memory_mb,
            "MB",
            AtMost(120) if million else None,
            "growth of the process, the map alone kept",
        ),
        Figure.of(
            f"{name}.prove",
            f"{size}: a proof made",
            result.prove_us,
            "us",
            AtMost(30) if large else None,
            present_and_absent,
        ),
        Figure.of(f"{name}.check", f"{size}: a proof checked", result.check_us, "us"),
        Figure.of(
            f"{name}.proof_bytes",
            f"{size}: size of a proof",
            result.proof_bytes,
            "bytes",
            AtMost(1024) if large else None,
            f"median; the largest of {len(result.proof_bytes):,} has {max(result.proof_bytes):,}",
        ),
        Figure.of(
            f"{name}.update",
            f"{size}: a leaf changed",
            result.update_us,
            "us",
            note=f"{_CHANGES:,} leaves in one update",
        ),
    ]


def measure_map(leaves: int, rounds: int) -> MapMeasures:
    """Build, prove, check and update, in this process."""
    keys = [_key(number) for number in range(leaves)]
    gc.collect()
    gc.freeze()
    before = resident_mb()
    started = thread_time()
    state = StateMap.build(zip(keys, (_VALUE for _ in keys), strict=True))
    build_s = thread_time() - started
    gc.collect()
    memory_mb = resident_mb() - before

    step = max(1, leaves // _PROOFS)
    asked = keys[::step] + [_key(leaves + number) for number in range(_PROOFS)]
    prove_us = microseconds_each(state.prove, asked, rounds)
    proofs = [(key, state.get(key), state.prove(key)) for key in asked]
    root = state.root
    check_us = microseconds_each(lambda proof: check_map_proof(root, *proof), proofs, rounds)
    changed = dict.fromkeys(keys[:: max(1, leaves // _CHANGES)], b'"' * 32)
    update_us = [each / len(changed) for each in microseconds_each(state.update, [changed], rounds)]
    sizes = [len(proof) for _, _, proof in proofs]
    return MapMeasures(build_s, memory_mb, prove_us, check_us, update_us, sizes)


def _key(number: int) -> bytes:
    return sha256(number.to_bytes(8)).digest()
