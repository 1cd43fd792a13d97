"""The same bytes everywhere: hash seeds, time zones, locales, protobuf backends."""

import os
import subprocess
import sys
from hashlib import sha256
from itertools import product
from pathlib import Path

from ledger.chain.governance import Admission, Removal
from ledger_world import World, registration

ROOT = Path(__file__).resolve().parents[2]


def digest() -> str:
    """The hash of every header, every result and every seal of a small ledger."""
    world = World(("HK", "NZ", "SG"))
    shared = world.agree("SG", "HK", "NZ")
    said = sha256()
    for block in (
        world.publish(
            "HK",
            shared,
            [
                world.grant(shared, "HK1", level="Ünique"[1:], roles=("CB", "EX")),
                world.suspend(shared, "HK1"),
                world.grant(shared, "HK1"),
                b"\x0a\x00",
            ],
        ),
        world.commit(
            *[
                world.aliases(author, shared, [world.alias(shared, "a", "HK1")])
                for author in ("NZ", "SG")
            ],
            b"\x01" + bytes(97),
            world.transaction("HK"),
        ),
    ):
        said.update(repr((block.results, block.touched, sorted(block.changes.items()))).encode())
    new = registration("TH", 3, network_id=world.view.network_id, prefixes=("TH", "XA", "XB"))
    world.decide(Admission(new))
    world.hand_over()
    world.decide(Removal("TH"))
    world.hand_over()
    for header in world.headers:
        said.update(header)
    said.update(world.seal())
    said.update(world.export())
    return said.hexdigest()


def test_the_same_bytes_everywhere() -> None:
    settings = [
        {
            "PYTHONHASHSEED": seed,
            "TZ": zone,
            "LC_ALL": locale,
            "PROTOCOL_BUFFERS_PYTHON_IMPLEMENTATION": proto,
        }
        for seed, (zone, locale), proto in product(
            "01", (("UTC", "C"), ("Pacific/Auckland", "C.UTF-8")), ("upb", "python")
        )
    ]
    paths = os.pathsep.join(str(ROOT / part) for part in (".", "proto/gen", "tests"))
    command = [sys.executable, "-W", "ignore", str(Path(__file__))]
    running = []
    found = set()
    for setting in settings:
        environment = {**os.environ, **setting, "PYTHONPATH": paths}
        running.append(
            subprocess.Popen(
                command, env=environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
            )
        )
        # Two at a time: there may be two cores.
        if len(running) == 2:
            found |= {_outcome(process) for process in running}
            running.clear()
    assert found == {digest()}


def _outcome(process: "subprocess.Popen[str]") -> str:
    output, errors = process.communicate(timeout=120)
    assert process.returncode == 0, errors
    return output.strip()


if __name__ == "__main__":
    print(digest())
