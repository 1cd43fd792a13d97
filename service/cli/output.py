"""What commands print: data on stdout, messages and progress on stderr.

With ``--json`` stdout holds one JSON document (commands that answer row by row: one a line), whose
names and values never change their meaning; instants are Unix milliseconds, bytes are hex. Without
it, text for people: colour only on a terminal and never under ``NO_COLOR``. Nothing that came over
the network is read as markup, and control characters do not reach the terminal (`plain`).
"""

import json
import os
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from typing import Any, Final

from rich.console import Console, RenderableType
from rich.progress import (
    BarColumn,
    DownloadColumn,
    Progress,
    ProgressColumn,
    SpinnerColumn,
    Task,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
    TransferSpeedColumn,
)
from rich.table import Table
from rich.text import Text

# Columns of text that goes to a file or pipe: there is no window, so nothing is wrapped.
_PIPE_WIDTH: Final = 10_000
# What could move a terminal's cursor or turn the order of its letters: controls but for the line
# break, and the embeddings, overrides and isolates of bidirectional text.
_UNSAFE: Final = {
    code: "\N{REPLACEMENT CHARACTER}"
    for first, last in ((0, 0x09), (0x0B, 0x1F), (0x7F, 0x9F), (0x202A, 0x202E), (0x2066, 0x2069))
    for code in range(first, last + 1)
}
# The unit of `progress` that is shown as KB and MB.
BYTES: Final = "bytes"


def plain(text: str) -> str:
    r"""Text from anywhere, made harmless for a terminal.

    >>> plain("wave\x1b[2Jthrough")
    'wave\ufffd[2Jthrough'
    """
    return text.translate(_UNSAFE)


def stdout() -> Console:
    """Where data goes."""
    return _console(stderr=False)


def stderr() -> Console:
    """Where messages go."""
    return _console(stderr=True)


def say(message: str) -> None:
    """Tell people something that is not data."""
    stderr().print(Text(plain(message)), soft_wrap=True)


def warn(message: str) -> None:
    """Tell people what went wrong."""
    stderr().print(Text.assemble(("aeo: ", "bold red"), plain(message)), soft_wrap=True)


def show_json(value: Any, *, line: bool = False) -> None:
    """Print a JSON document; `line`: on one line, as one of many."""
    text = json.dumps(value, indent=None if line else 2)
    sys.stdout.write(text + "\n")
    sys.stdout.flush()


def show(value: Any, text: Callable[[], RenderableType], *, as_json: bool) -> None:
    """Print `value` as JSON, or what `text` makes of it for people."""
    if as_json:
        show_json(value)
    else:
        show_text(text())


def show_text(text: RenderableType) -> None:
    """Print data for people, without the blanks that fill up the columns of a table."""
    console = stdout()
    with console.capture() as capture:
        console.print(text)
    for line in capture.get().splitlines():
        sys.stdout.write(line.rstrip() + "\n")
    sys.stdout.flush()


def table(*headings: str, rows: Sequence[Sequence[str]]) -> Table:
    """Rows under headings, without lines around them, so that they paste well."""
    made = Table(*headings, box=None, pad_edge=False, header_style="bold")
    for row in rows:
        made.add_row(*(Text(plain(cell)) for cell in row))
    return made


def facts(rows: Sequence[tuple[str, str]]) -> Table:
    """Names and values beneath each other; those without a value are left out."""
    made = Table.grid(padding=(0, 2))
    made.add_column(style="dim", no_wrap=True)
    made.add_column()
    for name, value in rows:
        if value:
            made.add_row(Text(plain(name)), Text(plain(value)))
    return made


@contextmanager
def progress(
    what: str, total: int | None = None, unit: str = ""
) -> Iterator[Callable[[int], None]]:
    """Show how far a long work is, at which rate, and the time left, on a terminal.

    Yields a function that is called with how much is done in all.
    """
    console = stderr()
    if not console.is_terminal:
        yield lambda _: None
        return
    columns: list[ProgressColumn] = [SpinnerColumn(), TextColumn(what, markup=False)]
    if total is not None:
        columns.append(BarColumn())
    if unit == BYTES:
        columns += [DownloadColumn(), TransferSpeedColumn()]
    else:
        columns += [_Done(unit, total), _Rate(unit)]
    columns.append(TimeRemainingColumn() if total is not None else TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as shown:
        task = shown.add_task(what, total=total)
        yield lambda done: shown.update(task, completed=done)


class _Rate(ProgressColumn):
    def __init__(self, unit: str) -> None:
        super().__init__()
        self._unit = unit

    def render(self, task: Task) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {self._unit}/s" if speed else "")


class _Done(ProgressColumn):
    def __init__(self, unit: str, total: int | None) -> None:
        super().__init__()
        self._of = f"{unit}" if total is None else f"of {total:,} {unit}"

    def render(self, task: Task) -> Text:
        return Text(f"{task.completed:,.0f} {self._of}")


def _console(*, stderr: bool) -> Console:
    stream = sys.stderr if stderr else sys.stdout
    width = None if stream.isatty() or "COLUMNS" in os.environ else _PIPE_WIDTH
    return Console(file=stream, markup=False, highlight=False, emoji=False, width=width)
