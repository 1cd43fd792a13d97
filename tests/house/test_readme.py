"""What the README shows works: its blocks run in order in an empty folder."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from service.node.founding.ports import free_ports

ROOT = Path(__file__).resolve().parents[2]
BLOCK = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
ADDRESS = "127.0.0.1:7443"


def blocks() -> list[tuple[str, str]]:
    """Language and text of every fenced block."""
    return BLOCK.findall((ROOT / "README.md").read_text(encoding="utf-8"))


def script_of(folder: Path, address: str) -> str:
    """One shell script of all blocks; each Python block becomes a process of its own."""
    parts = ["set -euo pipefail", "trap 'kill $(jobs -p) && wait || true' EXIT"]
    for number, (language, text) in enumerate(blocks()):
        assert language in {"sh", "python"}, f"a block in {language} is not run"
        if language == "python":
            assert "import" in text
            (folder / f"block{number}.py").write_text(text.replace(ADDRESS, address))
            parts.append(f"{sys.executable} block{number}.py\n")
        else:
            parts.append(text)
            if text.rstrip().endswith("&"):
                # A reader's next command is typed seconds later; a script has to wait for the port.
                port = address.rpartition(":")[2]
                parts.append(
                    f"until (: < /dev/tcp/127.0.0.1/{port}) 2> /dev/null; do sleep 0.1; done"
                )
    return "\n".join(parts)


@pytest.mark.timeout(280)
def test_blocks_run_in_order(tmp_path: Path) -> None:
    listen, health, metrics = (f"127.0.0.1:{each}" for each in free_ports(3))
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("AEO_")},
        "PATH": f"{Path(sys.executable).parent}:{os.environ['PATH']}",
        "PYTHONPATH": f"{ROOT}:{ROOT / 'proto' / 'gen'}",
        "AEO_ADDRESS": listen,
        "AEO_LISTEN__GRPC": listen,
        "AEO_LISTEN__HEALTH": health,
        "AEO_LISTEN__METRICS": metrics,
    }
    running = subprocess.Popen(
        ["bash", "-c", script_of(tmp_path, listen)],
        cwd=tmp_path,
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        start_new_session=True,
    )
    try:
        output, _ = running.communicate(timeout=150)
    finally:
        if running.poll() is None:
            os.killpg(running.pid, signal.SIGKILL)
            running.communicate()
    assert running.returncode == 0, output
    print(output)  # shown where one of the next lines fails
    assert "RECOGNISED NONE True" in output
    assert "RECOGNISED NONE SEALED" in output
    assert "['LOWER_INSPECTION_RATE', 'PRIORITY_INSPECTION']" in output
    assert "suspended" in output.lower()
    assert "no benefit today" in output
    assert len(re.findall(r"trust +verified", output)) == 2  # the chain, and the receipt
    assert re.search(r"proved +by header \d+, sealed at .*: 2 records", output)


def test_the_ten_line_lookups_have_ten_lines() -> None:
    """One by a call, one without."""
    called, embedded = [text for language, text in blocks() if language == "python"]
    for python in (called, embedded):
        assert len([line for line in python.splitlines() if line.strip()]) <= 10
