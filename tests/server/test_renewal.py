"""Certificates renewed under a running node: at its port, by name, and on its own calls."""

import datetime as dt
import os
import socket
import ssl
from collections.abc import Iterator
from pathlib import Path

import grpc
import pytest
import structlog
from cryptography import x509
from prometheus_client.parser import text_string_to_metric_families

from service.api.configured import node_settings, serving_settings
from service.api.listener import Listener, MutualTls
from service.api.method import Kind, Method
from service.api.metrics import Metrics
from service.api.serving import Server, serve
from service.client import Connection, Tls
from service.config import load_config
from service.keys import renewal
from service.keys.authority import Issued, issue_node
from service.keys.key_file import KeyFileError, read_secret
from service.keys.keystore import Pbkdf2
from service.keys.member_keys import Founder, open_issued
from service.keys.pem import format_p256
from service.keys.renewal import RenewedCertificate
from service.keys.spiffe import AccessRole, node_host
from service.node.founding.folder import LOCAL_HOSTS, Plan, found_network
from service.node.founding.ports import free_port
from service.node.node import Node

WHO = {
    "Who": Method(
        Kind.UNARY,
        lambda _request, _call: b"here",
        bytes,
        bytes,
        frozenset({AccessRole.RISK_ENGINE}),
    )
}


class Turned:
    """A monotonic clock that tests turn."""

    now = 0.0

    def __call__(self) -> float:
        return self.now

    def second(self) -> None:
        self.now += renewal.LOOK_EVERY_S


def put(folder: Path, issued: Issued, *, at_once: bool = True) -> None:
    """Replace both files, as who renews does: never a half-written one."""
    for name, data in (("node.pem", issued.pem), ("node.key", format_p256(issued.key, None))):
        new = folder / f"{name}.new"
        new.write_bytes(data)
        new.chmod(0o600)
        new.replace(folder / name)
        if not at_once:
            return


def shown_by(port: int, network: object, name: str | None = None) -> x509.Certificate:
    """The certificate that a server shows to who asks for a name."""
    client = network.client("risk-engine")
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    context.set_alpn_protocols(["h2"])
    with (
        socket.create_connection(("127.0.0.1", port), 5.0) as raw,
        context.wrap_socket(raw, server_hostname=name) as channel,
    ):
        der = channel.getpeercert(binary_form=True)
    assert client is not None
    assert der is not None
    return x509.load_der_x509_certificate(der)


@pytest.fixture
def turned() -> Turned:
    return Turned()


@pytest.fixture
def files(tmp_path: Path, network: object, turned: Turned) -> RenewedCertificate:
    put(tmp_path, network.node)
    return RenewedCertificate(tmp_path / "node.pem", tmp_path / "node.key", None, turned)


def renewed_node(network: object) -> Issued:
    now = dt.datetime.now(dt.UTC)
    return issue_node(
        network.authority["NZ"], "spiffe://test-network/NZ/node/node", ["127.0.0.1"], now
    )


def test_the_newest_pair_is_shown_and_the_same_one_while_nothing_changes(
    tmp_path: Path, network: object, turned: Turned, files: RenewedCertificate
) -> None:
    first = files.current()
    turned.second()
    assert files.current() is first
    new = renewed_node(network)
    put(tmp_path, new)
    assert files.current() is first  # not looked at again within a second
    turned.second()
    assert files.current().certificate == new.pem
    assert files.current().expires == new.certificate.not_valid_after_utc
    assert first.key.decode() not in repr(first)


def test_half_a_renewal_is_not_shown_and_the_other_half_ends_the_fault(
    tmp_path: Path, network: object, turned: Turned, files: RenewedCertificate
) -> None:
    first, new = files.current(), renewed_node(network)
    put(tmp_path, new, at_once=False)
    turned.second()
    with structlog.testing.capture_logs() as logs:
        assert files.current() is first
        turned.second()
        assert files.current() is first
    assert [each["log_level"] for each in logs] == ["warning"]  # told once, not each second
    assert "is not the key of node.pem" in files.fault
    put(tmp_path, new)
    turned.second()
    assert files.current().certificate == new.pem
    assert not files.fault


@pytest.mark.parametrize("what", ["away", "empty", "open", "no pem"])
def test_what_cannot_be_read_leaves_the_pair_that_was_good(
    what: str, tmp_path: Path, turned: Turned, files: RenewedCertificate
) -> None:
    first, key = files.current(), tmp_path / "node.key"
    if what == "away":
        key.unlink()
    elif what == "open":
        key.chmod(0o644)
        os.utime(key, ns=(1, 1))
    else:
        key.write_bytes(b"" if what == "empty" else b"-----BEGIN nothing-----\n")
    turned.second()
    assert files.current() is first
    assert str(key) in files.fault
    with pytest.raises(KeyFileError):
        RenewedCertificate(tmp_path / "node.pem", key, None)


def test_a_folder_that_a_link_leads_to_is_replaced_in_one_step(
    tmp_path: Path, network: object, turned: Turned
) -> None:
    """How a volume of Kubernetes renews a secret."""
    for name, issued in (("one", network.node), ("two", renewed_node(network))):
        (tmp_path / name).mkdir()
        put(tmp_path / name, issued)
    (tmp_path / "..data").symlink_to("one")
    for name in ("node.pem", "node.key"):
        (tmp_path / name).symlink_to(f"..data/{name}")
    files = RenewedCertificate(tmp_path / "node.pem", tmp_path / "node.key", None, turned)
    before = files.current()
    (tmp_path / "..new").symlink_to("two")
    (tmp_path / "..new").replace(tmp_path / "..data")
    turned.second()
    assert files.current().certificate == (tmp_path / "two" / "node.pem").read_bytes()
    assert files.current() != before


def test_a_renewed_certificate_is_shown_without_a_restart(
    tmp_path: Path, network: object, turned: Turned, files: RenewedCertificate
) -> None:
    def pairs() -> tuple[tuple[bytes, bytes], ...]:
        shown = files.current()
        return ((shown.key, shown.certificate),)

    security = MutualTls(b"", b"", network.authorities, renewed=pairs)
    listener = Listener("127.0.0.1:0", security, Metrics())
    listener.register("test.Service", WHO)
    port = listener.start()
    try:
        with network.channel(port, network.client("risk-engine")) as before:
            ask = before.unary_unary("/test.Service/Who")
            assert ask(b"", timeout=5) == b"here"
            assert shown_by(port, network) == network.node.certificate
            new = renewed_node(network)
            put(tmp_path, new)
            turned.second()
            assert shown_by(port, network) == new.certificate
            assert ask(b"", timeout=5) == b"here"  # who is connected stays so
            with network.channel(port, network.client("risk-engine")) as after:
                assert after.unary_unary("/test.Service/Who")(b"", timeout=5) == b"here"
    finally:
        listener.stop(0.5)


def test_a_secret_of_root_that_its_group_may_read_is_for_others_than_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    secret = tmp_path / "passphrase"
    secret.write_text("correct horse\n")
    secret.chmod(0o440)
    if secret.stat().st_uid != os.geteuid():
        pytest.fail("a file just written is of somebody else")
    with pytest.raises(KeyFileError, match="open to others"):
        read_secret(secret)
    if os.geteuid() != 0:
        return  # nobody else can make a file of root
    monkeypatch.setattr(os, "geteuid", lambda: 10001)
    assert read_secret(secret) == b"correct horse\n"
    for mode in (0o444, 0o460, 0o450):
        secret.chmod(mode)
        with pytest.raises(KeyFileError, match="open to others"):
            read_secret(secret)


# A whole node from its configuration, with two members behind one port.


@pytest.fixture(scope="module")
def founded(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("renewal") / "network"
    zones = {"HK": "Asia/Hong_Kong", "NZ": "Pacific/Auckland"}
    address = f"127.0.0.1:{free_port()}"
    plan = Plan(
        name="Renewal",
        founders=[
            Founder(economy, economy, zone, (economy,), 1, address)
            for economy, zone in zones.items()
        ],
        listen=address,
        health="",
        metrics="127.0.0.1:0",
        hosts=LOCAL_HOSTS,
        passphrase_file=None,
        pilot=True,
        kdf=Pbkdf2(1 << 12),
    )
    found_network(folder, plan)
    return folder


@pytest.fixture
def running(founded: Path) -> Iterator[tuple[Path, Node, Server]]:
    config = load_config(founded / "node.toml")
    with Node.start(node_settings(config)) as node:
        server = serve(node, serving_settings(config, node))
        with server:
            yield founded, node, server


def renew_member(folder: Path, economy: str) -> Issued:
    """Issue a member's node certificate again, into the files of the running node."""
    keys = folder / "members" / economy
    passphrase = (folder / "passphrase").read_text().strip()
    authority = open_issued(keys / "authority.pem", keys / "authority.key", passphrase)
    new = issue_node(
        authority, f"spiffe://renewal/{economy}/node/node", LOCAL_HOSTS, dt.datetime.now(dt.UTC)
    )
    put(keys, new)
    return new


def test_each_hosted_members_certificate_is_renewed_by_name_and_on_calls_to_partners(
    running: tuple[Path, Node, Server], network: object, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, node, server = running
    monkeypatch.setattr(renewal, "LOOK_EVERY_S", 0.0)
    port = int(server.address.rpartition(":")[2])
    peers = node.hosted["HK"].peers
    first = peers.connection("NZ")
    assert peers.connection("NZ") is first
    before = {each: shown_by(port, network, node_host(each, "renewal")) for each in ("HK", "NZ")}
    for economy in ("NZ", "HK"):
        new = renew_member(folder, economy)
        assert shown_by(port, network, node_host(economy, "renewal")) == new.certificate
        assert new.certificate != before[economy]
        assert expiry_shown(server, economy) == new.certificate.not_valid_after_utc.timestamp()
    second = peers.connection("NZ")
    assert second is not first  # this side shows Hong Kong's new certificate
    assert peers.connection("NZ") is second
    for connection in (first, second):  # calls on the one before still end by themselves
        grpc.channel_ready_future(connection.channel).result(timeout=5)


def test_a_renewed_node_certificate_passes_where_the_old_one_did(
    running: tuple[Path, Node, Server], monkeypatch: pytest.MonkeyPatch
) -> None:
    folder, _, server = running
    monkeypatch.setattr(renewal, "LOOK_EVERY_S", 0.0)
    renew_member(folder, "HK")
    client = folder / "clients" / "NZ" / "risk-engine"
    tls = Tls.files(folder / "authorities.pem", f"{client}.pem", f"{client}.key")
    connection = Connection.open(server.address, tls, 5.0)
    try:
        grpc.channel_ready_future(connection.channel).result(timeout=5)
    finally:
        connection.close()


def expiry_shown(server: Server, economy: str) -> float:
    """What the node's metrics say of a certificate's end."""
    from urllib.request import urlopen

    with urlopen(f"http://{server.metrics_address}/metrics", timeout=5) as answer:
        families = {
            each.name: each for each in text_string_to_metric_families(answer.read().decode())
        }
    samples = families["aeo_certificate_expiry_timestamp_seconds"].samples
    return {sample.labels["economy"]: sample.value for sample in samples}[economy]
