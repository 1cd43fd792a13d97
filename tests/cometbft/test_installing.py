"""The program beside a node: built once, and a clear message where it cannot be."""

import os
import subprocess
from pathlib import Path

import pytest

from commands import run
from service.engine.cometbft.install import (
    CACHE_VARIABLE,
    PROGRAM_VARIABLE,
    VERSION,
    NotInstalled,
    default_cache,
    install,
    installed,
)


def test_the_program_is_the_pinned_version() -> None:
    program = install()
    said = subprocess.run([program, "version"], capture_output=True, text=True, check=True)
    assert said.stdout.strip() in VERSION
    assert install() == installed() == program


def test_without_a_network_it_says_what_would_help(tmp_path: Path) -> None:
    # No proxy answers there, and Go may not go past it.
    alone = dict(os.environ) | {"GOPROXY": "http://127.0.0.1:9", "GOSUMDB": "off"}
    with pytest.raises(NotInstalled) as refused:
        install(tmp_path, alone)
    assert VERSION in str(refused.value)
    assert "GOPROXY" in str(refused.value)
    assert PROGRAM_VARIABLE in str(refused.value)
    assert CACHE_VARIABLE in str(refused.value)
    assert installed(tmp_path) is None


def test_without_a_place_for_it(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(NotInstalled, match="cannot be built there"):
        install(tmp_path / "file")


def test_a_program_built_elsewhere_is_named(tmp_path: Path) -> None:
    program = tmp_path / "cometbft"
    program.write_text("#!/bin/sh\n")
    assert installed(None, {PROGRAM_VARIABLE: str(program)}) == program
    assert default_cache({CACHE_VARIABLE: "/opt/cometbft"}) == Path("/opt/cometbft")


def test_the_command_tells_where_it_is() -> None:
    said = run("cometbft", "install", "--json")
    assert said.code == 0, said.err
    assert said.json == {"program": str(installed()), "version": VERSION}


def test_a_solo_node_has_no_home_of_cometbft(tmp_path: Path) -> None:
    run("network", "init", tmp_path / "pilot", "--members", "HK")
    said = run("cometbft", "home", "--config", tmp_path / "pilot" / "node.toml")
    assert said.code == 2
    assert "engine.kind is not cometbft" in said.err
