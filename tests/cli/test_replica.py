"""`aeo replica run`, as an administration runs it: over mutual TLS, by the files of `network init`.

The client that asks a node asks the replica; nothing but the address is another.
"""

import json
import os
import signal
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import Aeo, Pilot, process, run
from service.node.founding.ports import free_port

REGISTER = """tin,certificate,roles,status,valid_from,valid_to
HK12345678,AEO-1,EX;IM,CERTIFIED,2024-01-01,2029-12-31
"""


class Running:
    """A replica in a process of its own, with the two that answer."""

    def __init__(self, pilot: Pilot) -> None:
        self.folder = pilot.folder / "clients" / "NZ" / "replica"
        self.pilot = pilot
        self.start()

    def start(self, **given: str) -> None:
        config = self.pilot.folder / "clients" / "NZ" / "replica.toml"
        settings = {
            "AEO_PROCESSES": "2",
            "AEO_LISTEN__GRPC": f"127.0.0.1:{free_port()}",
            "AEO_LISTEN__HEALTH": "127.0.0.1:0",
            "AEO_LISTEN__METRICS": "",
        }
        self.process = process(
            *("replica", "run", "--config", config, "--json"), env=os.environ | settings | given
        )
        line = self.process.stdout.readline()
        if not line:
            pytest.fail(f"the replica did not start: {self.process.communicate()[1]}")
        self.told = json.loads(line)

    def stop(self) -> str:
        self.process.send_signal(signal.SIGTERM)
        _, log = self.process.communicate(timeout=60)
        assert self.process.returncode == 0, log
        return log


@pytest.fixture(scope="module")
def published(pilot: Pilot, tmp_path_factory: pytest.TempPathFactory) -> Pilot:
    register = tmp_path_factory.mktemp("register") / "register.csv"
    register.write_text(REGISTER)
    said = run("publish", register, *pilot.profile("HK", "officer"))
    assert said.code == 0, said.err
    return pilot


@pytest.fixture(scope="module")
def replica(published: Pilot) -> Iterator[Running]:
    running = Running(published)
    yield running
    running.stop()


def asked(aeo: Aeo, pilot: Pilot, running: Running, *options: object) -> object:
    profile = pilot.folder / "clients" / "NZ" / "risk-engine.toml"
    where = ("--profile", profile, "--address", running.told["address"])
    question = ("lookup", "HK12345678", "--function", "EX", "--mode", "1", "--json")
    return aeo(*question, *where, *options)


def test_a_replica_answers_the_client_of_a_node(
    aeo: Aeo, published: Pilot, replica: Running
) -> None:
    assert replica.told["network_id"] == published.network_id
    assert replica.told["processes"] == 2
    said = asked(aeo, published, replica)
    assert (said.code, said.json["outcome"]) == (0, "RECOGNISED"), said.err
    proved = asked(aeo, published, replica, "--proof")
    assert proved.code == 0, proved.err


def test_a_suspension_reaches_it(aeo: Aeo, published: Pilot, replica: Running) -> None:
    officer = published.folder / "clients" / "HK" / "officer.toml"
    said = aeo("suspend", "HK12345678", "--reason", "AUTHORITY", "--profile", officer)
    assert said.code == 0, said.err
    for _ in range(200):
        said = asked(aeo, published, replica)
        if said.code == 1:
            break
    assert said.json["reason"] == "SUSPENDED"


def test_it_is_killed_and_goes_on(aeo: Aeo, published: Pilot, replica: Running) -> None:
    height = replica.told["height"]
    os.kill(replica.process.pid, signal.SIGKILL)
    replica.process.communicate(timeout=20)
    replica.start()
    assert replica.told["height"] >= height
    assert asked(aeo, published, replica).code == 1


def test_without_a_node_it_answers_from_what_it_has(
    aeo: Aeo, published: Pilot, replica: Running
) -> None:
    replica.stop()
    replica.start(AEO_SOURCE=json.dumps([{"address": f"127.0.0.1:{free_port()}"}]))
    assert asked(aeo, published, replica).code == 1


def test_its_folder_is_its_owners(published: Pilot, replica: Running) -> None:
    assert stat.S_IMODE(replica.folder.stat().st_mode) == 0o700
    assert stat.S_IMODE((replica.folder / "keyring.json").stat().st_mode) == 0o600


def test_the_configuration_in_force(aeo: Aeo, founded: Path) -> None:
    config = founded / "clients" / "NZ" / "replica.toml"
    said = aeo("replica", "run", "--check", "--config", config, "--json")
    assert said.code == 0
    assert said.json["economy"] == "NZ"
    assert said.json["network_id"] == (founded / "network-id").read_text().strip()


@pytest.mark.parametrize(
    ("change", "why"),
    [
        ("sources = 1", "sources: no such setting"),
        ('network_id = "00"', "network_id"),
        ('economy = "Z"', "economy"),
        ("source = []", "source"),
        ("processes = 0", "processes"),
        ('source = [{address = "hk.example:1"}]\n#client', "client is needed"),
        ('source = [{address = "127.0.0.1:1"}, {address = "127.0.0.1:1"}]', "stands twice"),
        ("silence_seconds = 0", "silence_seconds"),
        ('anchor = "none.json"', "no such file"),
    ],
)
def test_a_configuration_that_cannot_be_is_refused(
    aeo: Aeo, tmp_path: Path, change: str, why: str
) -> None:
    lines = {
        "data": '"replica"', "network_id": f'"{"0" * 64}"', "economy": '"NZ"',
        "source": '[{address = "127.0.0.1:1"}]', "tls": "{plaintext_loopback = true}",
    }  # fmt: skip
    lines.pop(change.partition(" ")[0], None)
    text = "\n".join([f"{name} = {value}" for name, value in lines.items()] + [change])
    path = tmp_path / "replica.toml"
    path.write_text(text)
    said = aeo("replica", "run", "--config", path)
    assert said.code == 2
    assert why in said.err
