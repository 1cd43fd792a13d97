"""The commands as tests call them: in this process, or in one of their own."""

import json
import logging
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import structlog
from typer.testing import CliRunner

from service.aeo import app

ARRANGEMENT = """
name = "HK-NZ"
kind = "RECOGNITION"
parties = ["HK", "NZ"]
notice_days = 30

[[rule]]
issuing = "HK"
recognising = "NZ"
from = 2024-01-01
functions = ["EX", "CZ"]
certified_roles = ["EX"]
directions = ["IMPORT"]
benefits = ["LOWER_INSPECTION_RATE", "PRIORITY_INSPECTION by MPI"]

[[rule]]
issuing = "NZ"
recognising = "HK"
from = 2024-01-01
to = 2029-12-31
"""


@dataclass(frozen=True)
class Said:
    """What a command printed, and how it ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        return json.loads(self.out)


Aeo = Callable[..., Said]


@dataclass(frozen=True)
class Pilot:
    """A running network of Hong Kong and New Zealand."""

    folder: Path
    address: str
    network_id: str

    def profile(self, economy: str, role: str) -> tuple[str, str]:
        return "--profile", str(self.folder / "clients" / economy / f"{role}.toml")


def run(*arguments: str | Path) -> Said:
    handlers = logging.root.handlers[:]
    result = CliRunner().invoke(app, [str(each) for each in arguments])
    # Its log went to a stream that is closed now.
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers
    if result.exception is not None and not isinstance(result.exception, SystemExit):
        raise result.exception
    return Said(result.exit_code, result.stdout, result.stderr)


def together(pilot: Pilot, economy: str, *arguments: str | Path) -> Said:
    """A command that takes two persons: an officer's, then an approver's; what the second saw."""
    prepared = run(*arguments, *pilot.profile(economy, "officer"), "--json")
    if prepared.code or "pending" not in prepared.json:
        return prepared
    step = prepared.json["pending"]["step_id"]
    return run("approve", step, *pilot.profile(economy, "approver"), "--json")


def process(*arguments: str | Path, **options: Any) -> "subprocess.Popen[str]":
    """The command in a process of its own."""
    command = [sys.executable, "-m", "service.aeo", *map(str, arguments)]
    return subprocess.Popen(
        command, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE, **options
    )
