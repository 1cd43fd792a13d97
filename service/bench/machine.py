"""The machine that figures were measured on, as far as it decides them."""

import ctypes
import os
import platform
import sqlite3
import ssl
from importlib.metadata import version
from pathlib import Path
from typing import Any, Final

from google.protobuf.internal import api_implementation

_LIBRARIES: Final = ("grpcio", "protobuf", "py-arkworks-bls12381", "py-ecc", "sqlalchemy")


def machine_facts() -> dict[str, Any]:
    """Cores, processor, memory, Python and libraries."""
    return {
        "cores": len(os.sched_getaffinity(0)),
        "processor": _processor(),
        "memory_gb": round(os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 1e9),
        "system": f"{platform.system()} {platform.release()}",
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "sqlite": sqlite3.sqlite_version,
        "tls": ssl.OPENSSL_VERSION,
        "protobuf_backend": api_implementation.Type(),
        "libraries": {name: version(name) for name in _LIBRARIES},
    }


def resident_mb() -> float:
    """Memory of this process in RAM, in MB (10^6 bytes); what it has freed is given back first.

    The C library keeps freed memory for later, on top of what is held: `malloc_trim` returns it.
    """
    trim = getattr(ctypes.CDLL(None), "malloc_trim", None)
    if trim is not None:
        trim(0)
    pages = int(Path("/proc/self/statm").read_text(encoding="ascii").split()[1])
    return pages * os.sysconf("SC_PAGE_SIZE") / 1e6


def peak_mb() -> float:
    """The most memory that this process ever had in RAM, in MB.

    Not `getrusage`: its maximum is handed on by whoever started the process.
    """
    text = Path("/proc/self/status").read_text(encoding="ascii")
    line = next(line for line in text.splitlines() if line.startswith("VmHWM:"))
    return int(line.split()[1]) * 1024 / 1e6


def _processor() -> str:
    try:
        text = Path("/proc/cpuinfo").read_text(encoding="utf-8")
    except OSError:
        return platform.processor() or platform.machine()
    names = [line.partition(":")[2].strip() for line in text.splitlines() if "model name" in line]
    return names[0] if names else platform.machine()
