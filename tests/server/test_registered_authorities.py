"""What a member registers as its authority never shuts out the clients of another member."""

import datetime as dt
import random
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor

import grpc
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding

from ledger.chain.certificate import authority_public_key
from ledger.errors import FormatError
from service.api.caller import Authorities
from service.api.registered import usable_authorities
from service.keys.authority import issue_client, issue_node, make_authority
from service.keys.pem import format_p256

NETWORK = "test-network"
NOW = dt.datetime.now(dt.UTC)
AU, NZ = make_authority("AU", NOW), make_authority("NZ", NOW)
NODE = issue_node(NZ, f"spiffe://{NETWORK}/NZ/node/node", ["127.0.0.1"], NOW)
CLIENT = issue_client(NZ, f"spiffe://{NETWORK}/NZ/officer/one", NOW)


def named_like(other: x509.Certificate, subject: x509.Name) -> bytes:
    """An authority with a key of its own, and the name and key identifier of another."""
    key = ec.generate_private_key(ec.SECP256R1())
    identifier = other.extensions.get_extension_for_class(x509.SubjectKeyIdentifier).value
    builder = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(7)
        .not_valid_before(NOW - dt.timedelta(days=1))
        .not_valid_after(NOW + dt.timedelta(days=9_000))
        .add_extension(x509.BasicConstraints(ca=True, path_length=0), critical=True)
        .add_extension(identifier, critical=False)
    )
    return builder.sign(key, hashes.SHA256()).public_bytes(Encoding.DER)


def in_other_letters(name: x509.Name) -> x509.Name:
    """The same name to whoever compares names as TLS libraries do."""
    attributes = (
        x509.NameAttribute(each.oid, f" {str(each.value).lower().replace(' ', '  ')} ")
        for each in name
    )
    return x509.Name(list(attributes))


def exchanged(der: bytes, old: bytes, new: bytes) -> bytes:
    assert old in der
    assert len(old) == len(new)
    return der.replace(old, new, 1)


KEY_USAGE, KEY_IDENTIFIER = bytes.fromhex("0603551d0f"), bytes.fromhex("0603551d0e")
HOSTILE: dict[str, bytes] = {
    "a version that there is not": exchanged(
        AU.der, bytes.fromhex("a003020102"), bytes.fromhex("a003020103")
    ),
    "an extension twice": exchanged(AU.der, KEY_IDENTIFIER, KEY_USAGE),
    "a name that is no text": exchanged(AU.der, b"AU AEO authority", b"AU AEO\xff\xfeuthority"),
    "no authority": CLIENT.der,
    "the name of another": named_like(NZ.certificate, NZ.certificate.subject),
    "the name of another in other letters": named_like(
        NZ.certificate, in_other_letters(NZ.certificate.subject)
    ),
}


@pytest.fixture
def handshake() -> Iterator[Callable[[bytes], grpc.StatusCode]]:
    """What a client of New Zealand gets from a server without methods that trusts a bundle."""
    servers: list[grpc.Server] = []

    def shake(bundle: bytes) -> grpc.StatusCode:
        server = grpc.server(ThreadPoolExecutor(1))
        servers.append(server)
        key = format_p256(NODE.key, None)
        configuration = grpc.ssl_server_certificate_configuration([(key, NODE.pem)], bundle)
        credentials = grpc.dynamic_ssl_server_credentials(
            configuration,
            lambda: None,  # type: ignore[arg-type,return-value]  # the stubs leave out None
            require_client_authentication=True,
        )
        port = server.add_secure_port("127.0.0.1:0", credentials)
        server.start()
        client = grpc.ssl_channel_credentials(NZ.pem, format_p256(CLIENT.key, None), CLIENT.pem)
        with grpc.secure_channel(f"127.0.0.1:{port}", client) as channel:
            nothing = channel.unary_unary("/test.Service/Nothing", bytes, bytes)
            with pytest.raises(grpc.RpcError) as answered:
                nothing(b"", timeout=5.0)
            code = answered.value.code()
        assert isinstance(code, grpc.StatusCode)
        return code

    yield shake
    for server in servers:
        server.stop(0)


@pytest.mark.parametrize("what", HOSTILE)
@pytest.mark.parametrize("first", [True, False])
def test_nobody_else_is_the_worse_for_it(
    what: str, first: bool, handshake: Callable[[bytes], grpc.StatusCode]
) -> None:
    authority_public_key(HOSTILE[what])  # the ledger takes it
    given = {"AU": HOSTILE[what], "NZ": NZ.der}
    certificates = given if first else dict(reversed(given.items()))
    authorities = Authorities.from_ledger(NETWORK, certificates)
    assert handshake(authorities.bundle()) == grpc.StatusCode.UNIMPLEMENTED
    assert authorities.holder(CLIENT.certificate).economy == "NZ"


def test_of_two_with_a_name_that_is_nobodys_the_first_stays() -> None:
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "Customs authority")])
    one, other = named_like(NZ.certificate, name), named_like(NZ.certificate, name)
    assert sorted(usable_authorities({"NZ": one, "AU": other})) == ["NZ"]
    assert sorted(usable_authorities({"AU": other, "NZ": one})) == ["AU"]


def test_no_changed_byte_of_a_certificate_stops_the_others() -> None:
    chance = random.Random(1)
    taken = 0
    for _ in range(3_000):
        changed = bytearray(AU.der)
        changed[chance.randrange(len(changed))] = chance.randrange(256)
        try:
            authority_public_key(bytes(changed))
        except FormatError:
            continue
        taken += 1
        assert "NZ" in usable_authorities({"AU": bytes(changed), "NZ": NZ.der})
    assert taken > 1_000
