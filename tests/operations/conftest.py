"""One network of four members, made once; every drill has a copy of its folder."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from commands import ARRANGEMENT
from operations.drills import Drill
from service.cli.governing.founders import founders_of_codes
from service.keys.keystore import Pbkdf2
from service.node.founding.folder import LOCAL_HOSTS, Plan, found_network
from service.node.founding.ports import free_port

TRADERS = ("HK11111111", "HK22222222", "HK33333333")


@pytest.fixture(scope="session")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four members, an arrangement of two of them, a register; the node is stopped."""
    folder = tmp_path_factory.mktemp("operations") / "network"
    plan = Plan(
        name="AEO status exchange",
        founders=founders_of_codes("AU,HK,NZ,SG", {}),
        listen=f"127.0.0.1:{free_port()}",
        health="",
        metrics="",
        hosts=LOCAL_HOSTS,
        passphrase_file=None,
        pilot=True,
        kdf=Pbkdf2(iterations=2),  # a keystore should take long to open; not in each of these
    )
    found_network(folder, plan)
    drill = Drill(folder)
    drill.start()
    try:
        text = folder / "hk-nz.toml"
        text.write_text(ARRANGEMENT)
        made = drill.both("HK", "arrangement", "propose", text).json["arrangement"]
        for economy in ("HK", "NZ"):
            options = (made["arrangement_id"], "--text-hash", made["text_hash"])
            assert drill.both(economy, "arrangement", "sign", *options).code == 0
        assert drill.publish(folder, TRADERS).code == 0
        drill.export(folder.parent / "chain.aeo")
    finally:
        drill.stop()
    return folder


@pytest.fixture(scope="session")
def chain(founded: Path) -> Path:
    """Its ledger as an export, made while the node ran."""
    return founded.parent / "chain.aeo"


@pytest.fixture
def stopped(founded: Path, tmp_path: Path) -> Drill:
    """The network in a folder of its own, its node not running."""
    shutil.copytree(founded, tmp_path / "network")
    return Drill(tmp_path / "network")


@pytest.fixture
def drill(stopped: Drill) -> Iterator[Drill]:
    """The same, its node running."""
    stopped.start()
    yield stopped
    stopped.kill()
