"""The bench measures what it says. How fast anything is, no test asks."""

import json
from io import StringIO
from pathlib import Path

import pytest
from rich.console import Console

from service.bench.comparison import compared
from service.bench.figures import AtLeast, AtMost, Figure
from service.bench.growth import growth_figures
from service.bench.lookup import Effort
from service.bench.machine import machine_facts
from service.bench.process import Child, ChildFailed, measured, wait_for_end
from service.bench.run import NAMES, Plan, Run, run_bench
from service.bench.show import show_report
from service.bench.traders import ISSUER, question, submissions, trader

SMALL = Plan((300,), (2_000,), 1, Effort(0.2, 1, 1, 50), 0.2, 100, 1)


def figures_of(run: Run, names: set[str]) -> list[Figure]:
    figures = list(run.figures(names))
    assert len({figure.name for figure in figures}) == len(figures)
    assert {figure.name.partition(".")[0] for figure in figures} == names
    assert all(figure.value > 0 for figure in figures)
    return figures


@pytest.mark.long
def test_four_members_and_two_processes_of_a_replica() -> None:
    figures_of(Run(SMALL, lambda _: None), {"network", "replica"})


def test_every_figure_of_a_small_ledger() -> None:
    """Everything but BLS, whose reference backend takes seconds, on 300 traders."""
    run = Run(SMALL, lambda _: None)
    figures = figures_of(run, set(NAMES) - {"bls", "network", "replica"})
    assert {row["what"] for row in compared(figures)} == {
        "verified reads, one at a time",
        "plain reads, one at a time",
        "reads in batches of 1,000",
        "batched writes",
    }
    shares = run.shares()
    assert sum(shares.values()) == pytest.approx(1)
    assert 0.45 < shares["RECOGNISED NONE"] < 0.55
    assert len(shares) >= 8
    assert json.loads(json.dumps([figure.as_json() for figure in figures]))


def test_an_unknown_name_is_refused() -> None:
    with pytest.raises(ValueError, match="'speed' is none of map, bls"):
        run_bench(["speed"])


def test_the_mix_of_traders_and_questions() -> None:
    made = [trader(number) for number in range(5_000)]
    assert len({each.tin for each in made}) == len(made)
    several = sum(each.records > 1 for each in made) / len(made)
    assert 0.23 < several < 0.27
    assert max(each.records for each in made) == 3
    assert all(len(submissions(each, 1_790_000_000_000)) == each.records for each in made[:50])
    asked = [question(number, 5_000).tin for number in range(2_000)]
    known = {each.tin for each in made}
    assert 0.80 < sum(tin in known for tin in asked) / len(asked) < 0.88
    assert sum(tin.startswith(ISSUER) for tin in asked) > 1_800


def test_a_bound_of_each_kind() -> None:
    rate = Figure.of("a.rate", "a", [3.0, 1.0, 2.0], "/s", AtLeast(2))
    assert (rate.value, rate.low, rate.high, rate.met) == (2.0, 1.0, 3.0, True)
    assert Figure("b", "b", 2.0, "s", AtMost(1)).met is False
    assert Figure("c", "c", 2.0, "s").as_json()["met"] is None


def test_growth_is_of_the_first_and_the_last_size() -> None:
    rates = [Figure("batch.10.rate", "", 300.0, "/s"), Figure("batch.1000.rate", "", 200.0, "/s")]
    (slower,) = growth_figures(rates, (10, 1_000))
    assert (slower.name, slower.value, slower.met) == ("batch.slowdown", 1.5, False)
    assert growth_figures(rates, (10,)) == []


def test_the_table_says_what_is_missed() -> None:
    out = StringIO()
    figures = [Figure("a", "too slow", 1.0, "/s", AtLeast(2)), Figure("b", "fine", 1.0, "s")]
    console = Console(file=out, width=160, color_system=None)
    show_report(console, machine_facts(), figures, {"RECOGNISED NONE": 0.5}, [])
    text = out.getvalue()
    assert "MISSED" in text
    assert "RECOGNISED NONE 50.0%" in text
    assert "0 bounds met, 1 missed." in text


def test_a_child_answers_and_a_failed_one_is_told(tmp_path: Path) -> None:
    assert measured(0, str.upper, "x") == "X"
    with Child(1, _echo) as child:
        assert child.ask("again") == "again"
    with pytest.raises(ChildFailed, match="ended with 1"):
        measured(0, (tmp_path / "nothing").read_bytes)


def _echo(pipe: object) -> None:
    pipe.send(pipe.recv())  # type: ignore[attr-defined]
    wait_for_end(pipe)  # type: ignore[arg-type]
