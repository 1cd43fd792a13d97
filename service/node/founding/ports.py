"""Free ports of this machine, for whole networks on it: a demonstration, a measurement, a test.

A port that the system picks comes from the range that outgoing connections take theirs from, so it
may be gone before a server that starts seconds later binds it. These lie below that range. Each
process begins elsewhere, by its process id, and gives no port twice until it has been around.
"""

import os
import socket
from itertools import cycle
from pathlib import Path
from typing import Final

_FIRST: Final = 10_240
_RANGE_FILE: Final = Path("/proc/sys/net/ipv4/ip_local_port_range")
_USUAL_END: Final = 32_768
_STRIDE: Final = 977
"""Between the beginnings of neighbouring process ids: more ports than one process takes."""


def free_ports(count: int, host: str = "127.0.0.1") -> list[int]:
    """So many ports, all different, on which nobody listens now. Raises `OSError` without any."""
    found: list[int] = []
    for _ in range(_end() - _FIRST):
        port = next(_PORTS)
        with socket.socket() as asked:
            try:
                asked.bind((host, port))
            except OSError:
                continue
        found.append(port)
        if len(found) == count:
            return found
    raise OSError(f"no {count} free ports between {_FIRST} and {_end()}")


def free_port() -> int:
    """One port on which nobody listens now."""
    return free_ports(1)[0]


def _end() -> int:
    """Where the range of outgoing connections begins."""
    try:
        begin = int(_RANGE_FILE.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return _USUAL_END
    return begin if begin > _FIRST + _STRIDE else _USUAL_END


def _around() -> "cycle[int]":
    span = _end() - _FIRST
    begin = os.getpid() * _STRIDE % span
    return cycle([_FIRST + (begin + step) % span for step in range(span)])


_PORTS: Final = _around()
