"""Free ports lie where no outgoing connection takes one."""

import socket
import subprocess
import sys
from contextlib import closing

import pytest

from service.node.founding import ports


def test_they_are_free_all_different_and_none_is_one_of_a_connection() -> None:
    found = ports.free_ports(200)
    assert len(set(found)) == 200
    assert set(found).isdisjoint(ports.free_ports(200))
    for port in found:
        with closing(socket.socket()) as taken:
            taken.bind(("127.0.0.1", port))
    first_of_connections = int(ports._RANGE_FILE.read_text().split()[0])
    assert max(found) < first_of_connections


def test_one_that_is_taken_is_passed_over() -> None:
    with closing(socket.socket()) as taken:
        (port,) = ports.free_ports(1)
        taken.bind(("127.0.0.1", port))
        around = ports._end() - ports._FIRST
        assert port not in {ports.free_port() for _ in range(around)}


def test_two_processes_begin_elsewhere() -> None:
    command = "from service.node.founding.ports import free_ports; print(*free_ports(100))"
    running = [
        subprocess.Popen([sys.executable, "-c", command], stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    one, other = (each.communicate(timeout=60)[0].split() for each in running)
    assert len(one) == len(other) == 100
    assert set(one).isdisjoint(other)


def test_a_host_that_is_not_here_has_none() -> None:
    with pytest.raises(OSError, match="no 1 free ports"):
        ports.free_ports(1, host="192.0.2.1")
