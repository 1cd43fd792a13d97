"""How the demonstration is told: tables, progress, and what it says when a scene goes wrong."""

from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import contextmanager

from rich.console import Console, JustifyMethod
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from service.client import Verdict
from service.errors import Failed

_COLOURS = {"RECOGNISED": "green", "INFORMATION_ONLY": "cyan", "UNDETERMINED": "yellow"}


class Unexpected(Failed):
    """A scene ended otherwise than it must."""


def answer_words(verdict: Verdict) -> str:
    """The outcome, and the reason where there is one to give."""
    reason = verdict.reason
    return str(verdict.outcome) if reason == "NONE" else f"{verdict.outcome}  {reason}"


def styled(verdict: Verdict) -> str:
    """The same in the outcome's colour."""
    return f"[{_COLOURS.get(str(verdict.outcome), 'red')}]{answer_words(verdict)}[/]"


def show_table(
    console: Console, title: str, headings: Sequence[str], rows: Iterable[Sequence[str]]
) -> None:
    """A table without lines; a heading that ends in # is of numbers."""
    table = Table(box=None, pad_edge=False)
    for heading in headings:
        justify: JustifyMethod = "right" if heading.endswith("#") else "left"
        table.add_column(heading.rstrip("#"), justify=justify, no_wrap=True)
    for row in rows:
        table.add_row(*row)
    console.print(f"\n[bold]{title}[/]", highlight=False)
    console.print(table)


@contextmanager
def progress(console: Console, title: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar; what it yields is told how many are done."""
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        MofNCompleteColumn(),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=console) as bar:
        task = bar.add_task(title, total=total)
        yield lambda made: bar.update(task, completed=made)
