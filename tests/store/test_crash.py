"""kill -9 at every step of every write: what was acknowledged is there, nothing is half there."""

import multiprocessing
import os
import signal
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import pytest

from store import postgres, scripts

Cases = Iterator[tuple[str, str, int]]


def all_cases() -> Cases:
    """Each step of each store, at its first time and its second where there is one."""
    for name, script in scripts.SCRIPTS.items():
        for step in script.steps:
            for time in (1, 2):
                if (step.split(":")[0], time) != ("genesis", 2):
                    yield name, step, time
        if name != "guard":
            # On a server the steps around the commit are those that could differ.
            for step in script.steps:
                if step.endswith((":committed", ":entries", ":counts", ":carried", ":written")):
                    yield f"{name} on PostgreSQL", step, 1


@pytest.fixture(scope="module")
def processes() -> Iterator[multiprocessing.context.ForkServerContext]:
    """A process without threads that has imported everything: forking it takes no time."""
    context = multiprocessing.get_context("forkserver")
    context.set_forkserver_preload(["pytest", "store.scripts"])
    with pytest.MonkeyPatch.context() as patch:
        # The server of Python 3.11 does not take over sys.path, and would preload nothing.
        patch.setenv("PYTHONPATH", os.pathsep.join(sys.path))
        yield context


@pytest.fixture(scope="module")
def states(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[object]]:
    """For each store what is seen before the first call and after each one, undisturbed."""
    found = {}
    for name, script in scripts.SCRIPTS.items():
        steps: Counter[str] = Counter()
        path = tmp_path_factory.mktemp("undisturbed") / name
        store = script.open(path, lambda step, steps=steps: steps.update([step]))
        found[name] = [script.snapshot(store)]
        for call in script.calls:
            call(store)
            found[name].append(script.snapshot(store))
        store.close()
        assert set(steps) == set(script.steps), "every named step is passed, and no other"
    return found


@pytest.mark.parametrize(("name", "step", "time"), list(all_cases()))
def test_killed_at_a_step(
    name: str,
    step: str,
    time: int,
    tmp_path: Path,
    states: dict[str, list[object]],
    processes: multiprocessing.context.ForkServerContext,
) -> None:
    name, _, server = name.partition(" on ")
    script = scripts.SCRIPTS[name]
    path = postgres.shared().place(name) if server else tmp_path / name
    answers = tmp_path / "answers"
    victim = processes.Process(
        target=scripts.run, args=(name, str(path), str(answers), (step, time))
    )
    victim.start()
    victim.join(60)
    assert victim.exitcode == -signal.SIGKILL

    acknowledged = len(answers.read_bytes())
    store = script.open(path, lambda _: None)
    survived = script.snapshot(store)
    # Written and renamed is there, though the folder was not synced yet: only a power cut tells.
    durable = step.endswith((":committed", ":renamed", ":synced"))
    assert survived == states[name][acknowledged + durable]

    # The next process takes it up from there as if nothing had happened.
    for call in script.calls[acknowledged + durable :]:
        call(store)
    assert script.snapshot(store) == states[name][-1]
    store.close()
