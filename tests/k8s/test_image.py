"""The Dockerfile: what it promises, its steps executed, and its processes as a pod runs them."""

import datetime as dt
import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
from grpc_health.v1 import health_pb2, health_pb2_grpc

from k8s.image import USER, as_a_pod, copy, instructions, prepare, run, stages, variables, wheels
from k8s.rendered import containers, named
from k8s.tools import ROOT
from service.engine.cometbft.install import install
from service.keys.authority import issue_node
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import Founder, open_issued
from service.keys.pem import format_p256
from service.node.founding.folder import LOCAL_HOSTS, Plan, found_network
from service.node.founding.ports import free_port

VOLUMES = ("/tmp", "/var/lib/aeo/data", "/var/lib/aeo/guard")
START_S = 60.0

as_root = pytest.mark.skipif(
    os.geteuid() != 0 and "CI" not in os.environ, reason="a root of its own takes root"
)


# What it says.


def test_it_runs_as_a_user_by_number_who_is_not_root() -> None:
    assert dict(stages()[-1])["USER"] == f"{USER}:{USER}"
    assert [word for word, _ in stages()[-1]].index("USER") > 0


def test_nothing_comes_from_elsewhere_but_by_hash_or_through_the_lock() -> None:
    for word, told in instructions():
        assert word != "ADD"
        assert not re.search(r"\b(curl|wget|apt-get|git clone)\b", told)
        if "pip install" in told:
            assert "--require-hashes" in told or {"--no-deps", "--no-index"} <= set(told.split())
    assert all(told.startswith("${PYTHON}") for word, told in instructions() if word == "FROM")
    assert not any(word == "ENV" and "latest" in told for word, told in instructions())


def test_what_is_sent_to_the_builder_is_what_it_copies() -> None:
    lines = [
        line for line in (ROOT / ".dockerignore").read_text().splitlines() if line[:1] not in "#"
    ]
    assert lines[0] == "*"
    sent = {line[1:] for line in lines if line.startswith("!")}
    copied = {name for word, told in stages()[0] if word == "COPY" for name in told.split()[:-1]}
    assert sent == copied
    assert all((ROOT / name).exists() for name in copied)
    sources = {"ledger", "service", "proto/gen"}
    assert {name for name in sent if (ROOT / name).is_dir()} == sources


def pins(path: Path) -> dict[str, str]:
    return dict(re.findall(r"^([a-z0-9-]+)==(\S+)", path.read_text(), re.MULTILINE))


def test_the_images_lock_is_part_of_the_lock_and_has_hashes_only() -> None:
    whole, image = pins(ROOT / "requirements.txt"), pins(ROOT / "k8s" / "requirements.txt")
    assert image.items() <= whole.items(), set(image.items()) - set(whole.items())
    assert "pytest" not in image
    text = (ROOT / "k8s" / "requirements.txt").read_text()
    assert text.count("--hash=sha256:") >= len(image)
    assert "://" not in text


def test_it_serves_at_the_ports_of_the_manifests() -> None:
    exposed = {int(port) for port in dict(stages()[-1])["EXPOSE"].split()}
    writer = named("production", "StatefulSet", "aeo-writer")
    ports = {port["containerPort"] for one in containers(writer) for port in one.get("ports", ())}
    assert ports == exposed


# Built and run.


@pytest.fixture(scope="module")
def image() -> Iterator[Path]:
    """The root that the Dockerfile's first stage leaves, as the last stage takes it over."""
    folder = Path(tempfile.mkdtemp(prefix="aeo-image-", dir="/var/tmp"))
    try:
        root = folder / "root"
        prepare(root)
        shutil.copytree(wheels(), root / "wheels")
        # The test of the installation builds it; here it only has to come to its place.
        (root / "opt" / "build").mkdir(parents=True)
        program = install()
        shutil.copy(program, root / "opt" / "build" / program.name)
        for word, told in stages()[0]:
            if word == "COPY":
                copy(root, told)
            elif word == "RUN":
                run(root, told)
        for left in ("src", "wheels", "opt/build"):
            shutil.rmtree(root / left)
        yield root
    finally:
        shutil.rmtree(folder)


@pytest.fixture(scope="module")
def mounted(image: Path) -> Path:
    """Configuration and secrets as a pod's volumes show them: root's, readable by the group."""
    network = image.parent / "network"
    founder = Founder("NZ", "NZ", "Pacific/Auckland", ("NZ",), 1)
    plan = Plan(
        name="AEO status exchange",
        founders=[founder],
        listen="127.0.0.1:7443",
        health="",
        metrics="",
        hosts=LOCAL_HOSTS,
        passphrase_file=None,
        pilot=True,
        kdf=Pbkdf2(1 << 12),
    )
    found_network(network, plan)
    keys = network / "members" / "NZ"
    passphrase = (network / "passphrase").read_text().strip()
    authority = open_issued(keys / "authority.pem", keys / "authority.key", passphrase)
    node = issue_node(
        authority,
        "spiffe://aeo-status-exchange/NZ/node/node",
        LOCAL_HOSTS,
        dt.datetime.now(dt.UTC),
    )
    etc = image / "etc" / "aeo"
    for name, data in {
        "node.toml": named("development", "ConfigMap", "aeo-node")["data"]["node.toml"].encode(),
        "genesis/genesis.bin": (network / "genesis.bin").read_bytes(),
        "keys/bls-keystore.json": (keys / "bls-keystore.json").read_bytes(),
        "keys/ed25519.pem": (keys / "ed25519.pem").read_bytes(),
        "keys/passphrase": (network / "passphrase").read_bytes(),
        "tls/tls.crt": node.pem,
        "tls/tls.key": format_p256(node.key, None),
    }.items():
        path = etc / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
        os.chown(path, 0, USER)
        path.chmod(0o440)
    return image


def ended(process: "subprocess.Popen[str]", seconds: float = START_S) -> tuple[int, str, str]:
    out, err = process.communicate(timeout=seconds)
    return process.returncode, out, err


@as_root
def test_aeo_answers_in_a_read_only_root_as_nobody_special(image: Path) -> None:
    code, out, err = ended(as_a_pod(image, ["--help"]))
    assert code == 0, err
    assert "replica" in out
    code, out, err = ended(as_a_pod(image, ["node", "run", "--config", "/nowhere.toml"]))
    assert code != 0
    assert "/nowhere.toml" in err
    for left in ("pip", "go", "uv", "pytest"):
        assert not (image / "opt" / "aeo" / "bin" / left).exists()
    program = image / variables()["AEO_COMETBFT_PROGRAM"].lstrip("/")
    assert os.access(program, os.X_OK)


@as_root
def test_a_writer_makes_its_stores_runs_is_probed_and_stops_as_a_pod(mounted: Path) -> None:
    [prepare_stores] = [
        one
        for one in containers(named("development", "StatefulSet", "aeo-writer"))
        if one["name"] == "prepare"
    ]
    for told in ("made", "there already"):  # a second start finds the stores
        code, out, err = ended(as_a_pod(mounted, prepare_stores["args"], VOLUMES))
        assert code == 0, err
        assert told in out
    writer = named("development", "StatefulSet", "aeo-writer")
    [main] = writer["spec"]["template"]["spec"]["containers"]
    ports = {name: f"127.0.0.1:{free_port()}" for name in ("GRPC", "HEALTH", "METRICS")}
    elsewhere = {f"AEO_LISTEN__{name}": address for name, address in ports.items()}
    process = as_a_pod(mounted, main["args"], VOLUMES, elsewhere)
    try:
        with grpc.insecure_channel(ports["HEALTH"]) as channel:
            probe = health_pb2_grpc.HealthStub(channel)
            answer = probe.Check(
                health_pb2.HealthCheckRequest(), timeout=START_S, wait_for_ready=True
            )
        assert answer.status == health_pb2.HealthCheckResponse.SERVING
        status = Path(f"/proc/{process.pid}/status").read_text()
        assert re.search(rf"^Uid:\t{USER}\t{USER}\t{USER}\t{USER}$", status, re.MULTILINE)
        assert re.search(r"^CapBnd:\t0+$", status, re.MULTILINE)
        assert re.search(r"^CapEff:\t0+$", status, re.MULTILINE)
        assert re.search(r"^NoNewPrivs:\t1$", status, re.MULTILINE)
        process.send_signal(signal.SIGTERM)
        code, _, err = ended(process)
        assert code == 0, err
    finally:
        if process.poll() is None:
            process.kill()
            process.communicate()
