"""CometBFT with a wrong clock: the pinned sources, with its own clock replaced.

A Go program asks the kernel for the time, past every library, and no namespace turns the civil
clock. So one is built whose own function for it (`types/time`, which stamps votes and proposals)
adds the milliseconds in `COMETBFT_TEST_CLOCK_MS`. All else is the program that members run.
"""

import fcntl
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Final

from service.engine.cometbft.install import PACKAGE, VERSION, default_cache, install

VARIABLE: Final = "COMETBFT_TEST_CLOCK_MS"
_NOW: Final = re.compile(r"func Now\(\) time\.Time \{\n\treturn Canonical\(time\.Now\(\)\)\n\}")
_SKEWED: Final = f"""var offset = func() time.Duration {{
	given, _ := strconv.ParseInt(os.Getenv("{VARIABLE}"), 10, 64)
	return time.Duration(given) * time.Millisecond
}}()

func Now() time.Time {{
	return Canonical(time.Now().Add(offset))
}}"""


def skewed_cometbft() -> Path:
    """The program, built now if it is not here yet: the first time takes a minute."""
    install()
    cache = default_cache().absolute()
    program = cache / f"cometbft-{VERSION}-skewed"
    with (cache / ".skewed.lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not program.is_file():
            _build(cache, program)
    return program


def _build(cache: Path, program: Path) -> None:
    module = PACKAGE.removesuffix("/cmd/cometbft")
    fetched = cache / "go" / "pkg" / "mod" / f"{module}@{VERSION}"
    # What was fetched may not be replaced where it lies, even for one build.
    sources = cache / "skewed"
    shutil.rmtree(sources, ignore_errors=True)
    shutil.copytree(fetched, sources)
    clock = sources / "types" / "time" / "time.go"
    text, found = _NOW.subn(_SKEWED, clock.read_text())
    assert found == 1, "the function to replace is not as it was"
    clock.write_text(
        text.replace('import (\n\t"sort"\n', 'import (\n\t"os"\n\t"sort"\n\t"strconv"\n')
    )
    # Whether a block is from the future is asked of the kernel's clock by itself.
    judging = sources / "state" / "validation.go"
    text = judging.read_text().replace("time.Now()", "cmttime.Now()")
    imported = f'"{module}/types"\n'
    assert imported in text, "the imports are not as they were"
    judging.write_text(text.replace(imported, f'{imported}\tcmttime "{module}/types/time"\n', 1))
    environment = os.environ | {
        "GOPATH": str(cache / "go"),
        "GOCACHE": str(cache / "go-build"),
        "GOTOOLCHAIN": "local",
        "GOFLAGS": "-mod=mod -modcacherw",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    environment.pop("GOROOT", None)
    go = Path(sys.executable).parent / "go"
    try:
        done = subprocess.run(
            [go, "build", "-trimpath", "-buildvcs=false", "-o", "built", "./cmd/cometbft"],
            env=environment,
            cwd=sources,
            capture_output=True,
            text=True,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        (sources / "built").replace(program)
    finally:
        shutil.rmtree(sources, ignore_errors=True)
