"""The figures for people: one table, the machine above it, what was asked below."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from service.bench.figures import Figure, format_number


def show_report(
    console: Console,
    machine: Mapping[str, Any],
    figures: Sequence[Figure],
    mix: Mapping[str, float],
    rows: Sequence[Mapping[str, Any]],
) -> None:
    """Print everything; nothing is coloured where the console has no colour."""
    libraries = ", ".join(f"{name} {version}" for name, version in machine["libraries"].items())
    console.print(
        Text(
            f"{machine['cores']} cores, {machine['processor']}, {machine['memory_gb']} GB; "
            f"{machine['system']}; Python {machine['python']}; {libraries}; "
            f"SQLite {machine['sqlite']}"
        )
    )
    if machine["load_before"] > 1:
        console.print(Text(f"The machine was busy (load {machine['load_before']}): expect less."))
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("figure", overflow="fold")
    table.add_column("bound", justify="right", no_wrap=True)
    table.add_column("measured", justify="right", no_wrap=True)
    table.add_column("rounds", justify="right", no_wrap=True)
    table.add_column("", no_wrap=True)
    table.add_column("how", overflow="fold", style="dim")
    for figure in figures:
        table.add_row(*map(Text, _cells(figure)), style="bold red" if figure.met is False else None)
    console.print(table)
    if mix:
        shares = ", ".join(f"{name} {share:.1%}" for name, share in mix.items())
        console.print(Text(f"\nQuestions, by answer: {shares}"))
    if rows:
        beside = Table(box=None, pad_edge=False, header_style="bold")
        beside.add_column("beside immudb's Python client")
        for heading in ("immudb", "ours", ""):
            beside.add_column(heading, justify="right", no_wrap=True)
        for row in rows:
            beside.add_row(
                Text(row["what"]),
                Text(f"{format_number(row['immudb'])}/s"),
                Text(f"{format_number(row['ours'])}/s"),
                Text("faster" if row["beaten"] else "slower"),
            )
        console.print()
        console.print(beside)
    missed = sum(figure.met is False for figure in figures)
    met = sum(figure.met is True for figure in figures)
    console.print(Text(f"\n{met} bounds met, {missed} missed."))


def _cells(figure: Figure) -> tuple[str, ...]:
    measured = _with_unit(figure.value, figure.unit)
    spread = (
        f"{format_number(figure.low)} - {format_number(figure.high)}"
        if figure.low is not None and figure.high is not None and figure.low != figure.high
        else ""
    )
    bound = "" if figure.bound is None else str(figure.bound)
    verdict = {True: "met", False: "MISSED", None: ""}[figure.met]
    return figure.title, bound, measured, spread, verdict, figure.note


def _with_unit(value: float, unit: str) -> str:
    number = format_number(value)
    return f"{number}{unit}" if unit.startswith("/") else f"{number} {unit}".rstrip()
