"""A pilot network made and run by the commands themselves, once for each file of tests."""

import json
import logging
import os
import signal
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from commands import ARRANGEMENT, Aeo, Pilot, process, run, together
from service.node.founding.ports import free_port


@pytest.fixture(autouse=True)
def _settings_of_this_process(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variables of ours from outside; a command's log must not outlive its stderr."""
    # A worker of parallel tests sets COLUMNS, which no pipe of a person has.
    for name in [name for name in os.environ if name.startswith("AEO_") or name == "COLUMNS"]:
        monkeypatch.delenv(name)
    handlers = logging.root.handlers[:]
    yield
    structlog.reset_defaults()
    logging.root.handlers[:] = handlers


@pytest.fixture
def aeo() -> Aeo:
    return run


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A network's folder, made by `aeo network init`; its node is not running."""
    folder = tmp_path_factory.mktemp("cli") / "pilot"
    ports = ("--listen", f"127.0.0.1:{free_port()}", "--health", "127.0.0.1:0")
    said = run("network", "init", folder, "--members", "HK,NZ", *ports, "--metrics", "127.0.0.1:0")
    structlog.reset_defaults()
    assert said.code == 0, said.err
    return folder


@pytest.fixture(scope="module")
def pilot(founded: Path) -> Iterator[Pilot]:
    """Its node in a process of its own, and an arrangement signed by both."""
    node = process("node", "run", "--config", founded / "node.toml", "--json")
    assert node.stdout is not None
    line = node.stdout.readline()
    if not line:
        pytest.fail(f"the node did not start: {node.communicate()[1]}")
    told = json.loads(line)
    pilot = Pilot(founded, told["address"], told["network_id"])
    text = founded / "hk-nz.toml"
    text.write_text(ARRANGEMENT)
    made = together(pilot, "HK", "arrangement", "propose", text).json["arrangement"]
    for economy in ("HK", "NZ"):
        options = (made["arrangement_id"], "--text-hash", made["text_hash"])
        assert together(pilot, economy, "arrangement", "sign", *options).code == 0
    structlog.reset_defaults()
    yield pilot
    node.send_signal(signal.SIGTERM)
    _, log = node.communicate(timeout=60)
    assert node.returncode == 0, log
    assert '"event": "stopping"' in log
