"""One member's node as other programs see it: a folder, and a process that runs on it.

    node = MemberNode(folder, "AU")
    node.start()
    with node.connection("officer") as connection: ...
    node.stop()

The node starts its own CometBFT. Both processes can be named, stopped and killed.
"""

import json
import os
import select
import signal
import subprocess
import sys
import time
import tomllib
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from service.client import Connection, Tls
from service.engine.cometbft.process import LOG_FILE as COMETBFT_LOG
from service.errors import Failed

START_WITHIN_S: Final = 180.0
"""Opening keystores takes a second each, on a machine where all members start at once."""
STOP_WITHIN_S: Final = 60.0
LOG_FILE: Final = "node.log"
_DEADLINE_S: Final = 20.0
_COMMAND: Final = (sys.executable, "-m", "service.aeo", "node", "run")


class NodeNotStarted(Failed):
    """A node ended before it answered, or took too long; the message has the end of its log."""


class MemberNode:
    """The node of `economy` in the folder that `found_federation` made for it."""

    def __init__(self, folder: Path, economy: str) -> None:
        self.folder = folder
        self.economy = economy
        self.process: subprocess.Popen[str] | None = None

    @property
    def config(self) -> dict[str, Any]:
        """The configuration as its file has it."""
        return tomllib.loads((self.folder / "node.toml").read_text())

    @property
    def address(self) -> str:
        """Where the node answers."""
        return str(self.config["listen"]["grpc"])

    @property
    def rpc(self) -> str:
        """Where its CometBFT answers."""
        return str(self.config["engine"]["cometbft"]["rpc"])

    @property
    def pid_node(self) -> int | None:
        """The node's process, while it runs."""
        running = self.process is not None and self.process.poll() is None
        return self.process.pid if self.process is not None and running else None

    @property
    def pid_cometbft(self) -> int | None:
        """Its CometBFT's process, while it runs; also one that has outlived its node."""
        home = self.folder / self.config["engine"]["cometbft"]["home"]
        try:
            pid = int((home / "cometbft.pid").read_text())
            command = Path(f"/proc/{pid}/cmdline").read_bytes()
        except (OSError, ValueError):
            return None
        return pid if str(home).encode() in command else None

    def start(
        self,
        command: Sequence[str] = _COMMAND,
        *,
        environment: Mapping[str, str] | None = None,
        wait: bool = True,
    ) -> None:
        """Start the node; `command` is another way to run one. Raises `NodeNotStarted`."""
        with (self.folder / LOG_FILE).open("ab") as log:
            self.process = subprocess.Popen(  # noqa: S603 - this very program
                [*command, "--config", str(self.folder / "node.toml"), "--json"],
                text=True,
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=log,
                env={**os.environ, **(environment or {})},
                start_new_session=True,
            )
        if wait:
            self.wait_started()

    def wait_started(self, within_s: float = START_WITHIN_S) -> dict[str, Any]:
        """Wait until the node answers; what it says of itself. Raises `NodeNotStarted`."""
        assert self.process is not None, "started"
        assert self.process.stdout is not None, "a pipe"
        ready, _, _ = select.select([self.process.stdout], [], [], within_s)
        line = self.process.stdout.readline() if ready else ""
        if not line:
            raise NodeNotStarted(f"the node of {self.economy} did not start:\n{self.log_end()}")
        told: dict[str, Any] = json.loads(line)
        return told

    def log_end(self, lines: int = 8) -> str:
        """The last lines of its log, and of its CometBFT's."""
        home = self.folder / self.config["engine"]["cometbft"]["home"]
        logs = [each for each in (self.folder / LOG_FILE, home / COMETBFT_LOG) if each.exists()]
        ends = (each.read_text(errors="replace").splitlines()[-lines:] for each in logs)
        return "\n".join(line for end in ends for line in end)

    def signal(self, number: int, which: str = "node") -> None:
        """Send a signal to the `node`, its `cometbft`, or `both`."""
        pids = {"node": [self.pid_node], "cometbft": [self.pid_cometbft]}
        for pid in pids.get(which, [self.pid_node, self.pid_cometbft]):
            if pid is not None:
                os.kill(pid, number)

    def kill(self, which: str = "both") -> None:
        """kill -9 of the `node`, its `cometbft`, or `both`; returns when they are gone."""
        cometbft = self.pid_cometbft if which != "node" else None
        self.signal(signal.SIGKILL, which)
        if which != "cometbft":
            self._gone()
        until = time.monotonic() + STOP_WITHIN_S
        while cometbft is not None and self.pid_cometbft == cometbft and time.monotonic() < until:
            time.sleep(0.01)

    def stop(self) -> int:
        """End the node as an operator does, and its CometBFT with it; the exit code."""
        if self.process is None:
            return 0
        if self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(STOP_WITHIN_S)
            except subprocess.TimeoutExpired:
                self.process.kill()
        return self._gone()

    def _gone(self) -> int:
        """Wait for the end of the node's process; its exit code."""
        process, self.process = self.process, None
        if process is None:
            return 0
        code = process.wait()
        if process.stdout is not None:
            process.stdout.close()
        return code

    def tls(self, role: str) -> Tls:
        """What a client of one access role shows."""
        own = self.folder / "clients" / self.economy
        return Tls.files(self.folder / "authorities.pem", own / f"{role}.pem", own / f"{role}.key")

    def connection(self, role: str, deadline: float = _DEADLINE_S) -> Connection:
        """A connection as a client of one access role."""
        return Connection.open(self.address, self.tls(role), deadline)
