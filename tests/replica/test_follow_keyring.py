"""The lookup keys of a replica: from its own administration's node alone, kept, and kept secret."""

import json
import stat
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from aeo.exchange.v1 import replica_service_pb2 as pb
from ledger.errors import FormatError
from node.node_world import agree
from replica.replica_world import World, await_, until
from service.client.connection import Connection, Plaintext
from service.client.errors import Denied, Invalid
from service.client.replica import NodeAddress, ReplicaClient
from service.errors import WrongStore
from service.keys.key_file import KeyFileError
from service.keys.spiffe import AccessRole
from service.node.replica.keyring_file import (
    KeyringContent,
    KeyringFile,
    format_keyring,
    parse_keyring,
)


@pytest.fixture(scope="module")
def world(tmp_path_factory: pytest.TempPathFactory) -> Iterator[World]:
    made = World(tmp_path_factory.mktemp("keyring"))
    made.node.hosted["NZ"].home.put_instruction(1, "Wave through")
    yield made
    made.stop()


def ask(world: World, economy: str, role: str, digest: bytes = b"") -> pb.GetKeyringResponse:
    with Connection.open(world.address, Plaintext(economy, role, "test")) as connection:
        return ReplicaClient(connection).keyring(digest)


@pytest.mark.parametrize("role", [each for each in AccessRole if each != AccessRole.REPLICA])
def test_nobody_but_a_replica_is_given_the_keys(world: World, role: str) -> None:
    with pytest.raises(Denied):
        ask(world, "NZ", role)


def test_a_replica_is_given_its_own_economys_keys_alone(world: World) -> None:
    own = {(key.arrangement_id, key.epoch): key.key for key in ask(world, "NZ", "replica").keys}
    held = world.node.hosted["NZ"].keyring.held()
    assert own == {place: key.key for place, key in held.items()} != {}
    assert not ask(world, "SG", "replica").keys


def test_a_replica_may_do_nothing_else(world: World) -> None:
    from service.client import PublishingClient, StatusClient

    with Connection.open(world.address, Plaintext("NZ", "replica", "test")) as connection:
        engine = StatusClient(connection, network_id=world.node.network_id)
        with pytest.raises(Denied):
            engine.lookup("HK1", function="EX", direction="IMPORT", mode=1)
        with pytest.raises(Denied):
            PublishingClient(connection).publish("no", [])


def test_keys_that_are_known_are_not_sent_again(world: World) -> None:
    said = ask(world, "NZ", "replica")
    again = ask(world, "NZ", "replica", said.digest)
    assert again.digest == said.digest
    assert not again.keys
    with pytest.raises(Invalid):
        ask(world, "NZ", "replica", b"short")


def test_the_keyring_is_there_and_follows_new_arrangements(world: World) -> None:
    with world.replica("grows") as replica:
        until(replica, lambda: replica.keyring.content)
        world.caught_up(replica)
        assert dict(replica.instructions("NZ")) == {1: "Wave through"}
        assert set(replica.keyring.keys()) == {world.shared}
        assert replica.keyring.keys() is replica.keyring.keys()
        fresh = agree(world.node, "NZ", "SG", key="second")
        await_(lambda: replica.keyring.keys().get(fresh))
        own = world.node.hosted["NZ"].keyring
        assert {name: key.key for name, key in replica.keyring.keys().items()} == {
            name: key.key for name, key in own.keys().items()
        }


def test_it_is_kept_for_its_owner_and_read_without_the_node(world: World) -> None:
    with world.replica("kept") as replica:
        until(replica, lambda: replica.keyring.content)
        content = replica.keyring.content
    path = world.folder / "kept" / "keyring.json"
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    gone = NodeAddress("127.0.0.1:1", Plaintext("NZ", "replica", "test"))
    with world.replica("kept", home=gone) as replica:
        assert replica.keyring.content == content
        assert replica.keyring.keys()
        await_(lambda: replica.keyring.failing)
        assert replica.keyring.content == content


def test_a_file_that_others_may_read_is_refused(world: World) -> None:
    with world.replica("open") as replica:
        until(replica, lambda: replica.keyring.content)
    (world.folder / "open" / "keyring.json").chmod(0o640)
    with pytest.raises(KeyFileError, match="is open to others"):
        world.replica("open").__enter__()


def test_a_file_of_another_economy_is_refused(world: World) -> None:
    with world.replica("moved") as replica:
        until(replica, lambda: replica.keyring.content)
    settings = world.replica_settings("moved")
    with pytest.raises(WrongStore, match="keyring of NZ"):
        type(replica).start(replace(settings, economy="SG"))


def test_no_key_is_told_by_a_repr() -> None:
    content = KeyringContent(b"n" * 32, "NZ", {(b"a" * 16, 1): b"\x07" * 32}, {})
    assert "07" not in repr(content)
    assert "\\x07" not in repr(content)


@pytest.mark.parametrize(
    "change",
    [
        {"network_id": "00"},
        {"network_id": "x"},
        {"keys": [{"arrangement_id": "00" * 16, "epoch": 0, "key": "00" * 32}]},
        {"keys": [{"arrangement_id": "00" * 16, "epoch": 1, "key": "00"}]},
        {"keys": [{"arrangement_id": "00", "epoch": 1, "key": "00" * 32}]},
        {"keys": 7},
        {"instructions": {"x": "y"}},
        {"instructions": []},
    ],
)
def test_a_file_that_is_no_keyring_is_refused(tmp_path: Path, change: dict[str, object]) -> None:
    content = KeyringContent(b"n" * 32, "NZ", {(b"a" * 16, 1): b"k" * 32}, {1: "Wave through"})
    file = KeyringFile(tmp_path / "keyring.json", content.network_id, "NZ")
    file.write(content)
    assert file.read() == content
    file.path.write_bytes(json.dumps(json.loads(format_keyring(content)) | change).encode())
    with pytest.raises(FormatError):
        parse_keyring(file.path.read_bytes())
    with pytest.raises(KeyFileError):
        file.read()
