"""The rows of the house: imports go only to a lower row, neighbours do not import each other."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]

# Higher rows may import lower ones. Parts of one row are each other's neighbours.
ROWS = [
    {"service.aeo"},
    {"service.cli", "service.console", "service.demo", "service.bench"},
    {"service.api", "service.replica"},
    {"service.node"},
    {"service.engine", "service.store", "service.client"},
    {"ledger"},
    {"aeo"},
]
# Plain values that every part of the service may use.
FOUNDATION = {"service.errors", "service.clock", "service.config", "service.keys", "service.logs"}
FORBIDDEN_IN_LEDGER = {
    "asyncio", "datetime", "grpc", "http", "io", "logging", "multiprocessing", "os", "pathlib",
    "random", "requests", "secrets", "select", "shutil", "signal", "socket", "sqlalchemy",
    "sqlite3",
    "sqlmodel", "ssl", "structlog", "subprocess", "tempfile", "threading", "time", "urllib",
}  # fmt: skip


def imports_of(path: Path) -> Iterator[str]:
    """Every module that the file imports, at any depth of its code."""
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def part_of(module: str) -> str | None:
    """The part of the house that a module belongs to; None for other people's."""
    names = module.split(".")
    if names[0] in {"ledger", "aeo"}:
        return names[0]
    return ".".join(names[:2]) if names[0] == "service" else None


def row_of(part: str) -> int:
    return next(i for i, row in enumerate(ROWS) if part in row)


SOURCES = sorted(path for folder in ("ledger", "service") for path in (ROOT / folder).rglob("*.py"))


@pytest.mark.parametrize("path", SOURCES, ids=lambda p: str(p.relative_to(ROOT)))
def test_imports_go_down(path: Path) -> None:
    here = part_of(".".join(path.relative_to(ROOT).with_suffix("").parts))
    if here in {"service", "service.__init__"}:
        return
    assert here is not None
    for module in imports_of(path):
        there = part_of(module)
        if there is None or there == here or there in FOUNDATION:
            continue
        if here in FOUNDATION:
            assert there in {"ledger", "aeo"}, f"{here} is below {there}"
            continue
        assert row_of(there) > row_of(here), f"{here} must not import {module}"


@pytest.mark.parametrize(
    "path", sorted((ROOT / "ledger").rglob("*.py")), ids=lambda p: str(p.relative_to(ROOT))
)
def test_ledger_is_pure(path: Path) -> None:
    found = {module.split(".")[0] for module in imports_of(path)} & FORBIDDEN_IN_LEDGER
    assert not found, f"{path.name} must not use {sorted(found)}"
