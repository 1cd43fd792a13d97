"""The commands of docs/operations.md, run as they stand there.

`Drill.run("backup")` runs the block under the comment of that name, line by line. `aeo` runs in
this process; everything else in a shell. `STEP` and `PROPOSAL` stand for what the last commands
printed, `NETWORK_ID` for the network's, `BACKUPS` for a folder. A line that fails ends the drill.
"""

import json
import os
import re
import shlex
import signal
import subprocess
import time
from collections.abc import Sequence
from pathlib import Path

import structlog

from commands import Pilot, Said, process, run, together

PAGE = Path(__file__).resolve().parents[2] / "docs" / "operations.md"
BLOCK = re.compile(r"<!-- drill: (\w+) -->\n```sh\n(.*?)^```$", re.MULTILINE | re.DOTALL)
WAIT_S = 30.0


def blocks() -> dict[str, list[str]]:
    """The lines of every drill by its name."""
    found = BLOCK.findall(PAGE.read_text(encoding="utf-8"))
    return {name: text.splitlines() for name, text in found}


class Drill:
    """A network in a folder, whose node may be started, stopped and killed."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.backups = folder.parent / "backups"
        self.network_id = (folder / "network-id").read_text().strip()
        self.words = {"NETWORK_ID": self.network_id, "BACKUPS": str(self.backups)}
        self._node: subprocess.Popen[str] | None = None
        self.address = ""

    # The node.

    def start(self) -> None:
        """Start the node; returns once it answers."""
        node = process("node", "run", "--config", self.folder / "node.toml", "--json")
        assert node.stdout is not None
        line = node.stdout.readline()
        if not line:
            raise AssertionError(f"the node did not start: {node.communicate()[1]}")
        self._node, self.address = node, json.loads(line)["address"]

    def refused(self) -> str:
        """Start a node that must not start; what it said."""
        node = process("node", "run", "--config", self.folder / "node.toml")
        _, errors = node.communicate(timeout=WAIT_S)
        assert node.returncode == 3, errors
        return errors

    def stop(self) -> None:
        """Stop it as an operator does; it has nothing to say against it."""
        if self._node is None:
            return
        node, self._node = self._node, None
        node.send_signal(signal.SIGTERM)
        _, errors = node.communicate(timeout=WAIT_S)
        assert node.returncode == 0, errors

    def kill(self) -> None:
        """As when the machine is gone."""
        if self._node is None:
            return
        node, self._node = self._node, None
        node.kill()
        node.communicate(timeout=WAIT_S)

    # Commands.

    def profile(self, economy: str, role: str) -> tuple[str, str]:
        return "--profile", str(self.folder / "clients" / economy / f"{role}.toml")

    def aeo(self, *arguments: str | Path) -> Said:
        """Any command, which must succeed; its JSON."""
        said = run(*arguments, "--json")
        structlog.reset_defaults()
        assert said.code == 0, f"aeo {shlex.join(map(str, arguments))}: {said.err}"
        return said

    def both(self, economy: str, *arguments: str | Path) -> Said:
        """A command that takes two persons."""
        pilot = Pilot(self.folder, self.address, self.network_id)
        return together(pilot, economy, *arguments)

    def run(self, name: str) -> list[Said]:
        """Run the drill of a name, in the network's folder; what its `aeo` commands said."""
        said = []
        before = Path.cwd()
        os.chdir(self.folder)
        try:
            for line in blocks()[name]:
                words = [self._filled(word) for word in shlex.split(line)]
                if words[0] == "aeo":
                    said.append(self.aeo(*words[1:]))
                    self._remember(said[-1])
                else:
                    subprocess.run(["sh", "-ec", self._filled(line)], check=True)
        finally:
            os.chdir(before)
        return said

    def _filled(self, text: str) -> str:
        for word, value in self.words.items():
            text = re.sub(rf"\b{word}\b", value, text)
        return text

    def _remember(self, said: Said) -> None:
        found = said.json
        if "pending" in found:
            self.words["STEP"] = found["pending"]["step_id"]
        if found.get("proposals"):
            self.words["PROPOSAL"] = found["proposals"][0]["proposal_id"]

    # What is so now.

    def members(self) -> dict[str, dict[str, object]]:
        listed = self.aeo("member", "list", *self.profile("AU", "auditor")).json
        return {each["economy"]: each for each in listed["members"]}

    def handed_over(self) -> None:
        """Wait until no signing set is pending."""
        until = time.monotonic() + WAIT_S
        while self.aeo("member", "list", *self.profile("AU", "auditor")).json["set_pending"]:
            assert time.monotonic() < until, "not handed over"
            time.sleep(0.1)

    def export(self, path: Path) -> dict[str, object]:
        """An export, verified; its report."""
        self.aeo("ledger", "export", path, *self.profile("NZ", "auditor"))
        return dict(self.aeo("verify", "ledger", path, "--network-id", self.network_id).json)

    def publish(self, folder: Path, rows: Sequence[str], economy: str = "HK") -> Said:
        """Publish the certificates of these traders, which one person may."""
        register = write_register(folder / "register.csv", rows)
        return run("publish", register, *self.profile(economy, "officer"), "--json")

    def verdict(self, tin: str) -> str:
        """What New Zealand's risk engine is told of one of Hong Kong's traders."""
        question = ("--function", "EX", "--direction", "IMPORT", "--mode", "1")
        said = run("lookup", tin, *question, *self.profile("NZ", "risk-engine"), "--json")
        structlog.reset_defaults()
        assert said.code in (0, 1), said.err
        return str(said.json["outcome"])


def write_register(path: Path, traders: Sequence[str]) -> Path:
    """A register of one certificate for each trader."""
    lines = [f"{tin},AEO-{tin},EX,CERTIFIED,2025-01-01,2029-12-31" for tin in traders]
    head = "tin,certificate,roles,status,valid_from,valid_to"
    path.write_text("\n".join([head, *lines]) + "\n")
    return path
