"""The machinery itself: a cut is a cut for members, not for the test, and heals."""

import socket
import subprocess
import sys
from collections.abc import Iterator

import pytest

from faults.namespaces import Machines, why_not

PORT = 7999
SERVE = """
import socket, sys
with socket.create_server(("0.0.0.0", int(sys.argv[1]))) as listening:
    print("ready", flush=True)
    while True:
        listening.accept()[0].close()
"""


@pytest.fixture
def machines() -> Iterator[Machines]:
    if why_not():
        pytest.skip(why_not())
    with Machines(("AU", "HK", "NZ")) as made:
        yield made


def reaches(machines: Machines, one: str, other: str) -> bool:
    """Whether a program on one machine can open a connection to the other."""
    code = f"import socket; socket.create_connection(({machines.address(other)!r}, {PORT}), 0.5)"
    command = [*machines.command(one), sys.executable, "-c", code]
    return subprocess.run(command, capture_output=True, check=False).returncode == 0


def test_a_partition_and_its_healing(machines: Machines) -> None:
    command = [*machines.command("NZ"), sys.executable, "-c", SERVE, str(PORT)]
    with subprocess.Popen(command, stdout=subprocess.PIPE) as serving:
        try:
            assert serving.stdout is not None
            assert serving.stdout.readline() == b"ready\n"
            assert reaches(machines, "AU", "NZ")
            machines.partition({"AU", "HK"}, {"NZ"})
            assert not reaches(machines, "AU", "NZ")
            assert reaches(machines, "NZ", "NZ")
            socket.create_connection((machines.managed("NZ"), PORT), 2).close()
            machines.heal()
            assert reaches(machines, "AU", "NZ")
            assert reaches(machines, "HK", "NZ")
        finally:
            serving.kill()
