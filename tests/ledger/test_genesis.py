"""Genesis, registrations and authorities' certificates: who may found a network, and with what."""

from datetime import UTC, datetime

import pytest
from cryptography import x509
from cryptography.hazmat.primitives.asymmetric import ec, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import NameOID

from aeo.ledger.v1.genesis_pb2 import Genesis as GenesisMessage
from aeo.ledger.v1.member_pb2 import Registration as RegistrationMessage
from aeo.ledger.v1.member_pb2 import RegistrationBody
from ledger.bls.scheme import default_backend, key_id
from ledger.chain.certificate import CERTIFICATE_LIMIT, authority_public_key
from ledger.chain.genesis import (
    GENESIS_LIMIT,
    MAX_TIME,
    Genesis,
    check_genesis,
    format_genesis,
    parse_genesis,
)
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.registration import open_registration, parse_registration, sign_registration
from ledger.errors import FormatError, LedgerError, SignatureError
from tests.vectors import sample

BACKEND = default_backend()
PARAMETERS = format_parameters(DEFAULT_PARAMETERS)


def founder(economy: str, /, keys_of: str = "", **changes: object) -> bytes:
    """A founder's registration, with the keys of `keys_of` if given."""
    body = sample.registration_body(economy)
    for name, value in changes.items():
        body.ClearField(name)  # type: ignore[arg-type]
        if isinstance(value, list):
            getattr(body, name).extend(value)
        else:
            setattr(body, name, value)
    secrets = sample.keys(keys_of or economy)
    return sign_registration(body, secrets.bls_secret, secrets.ed25519_seed, BACKEND)


def network(*founders: bytes, **changes: object) -> Genesis:
    message = GenesisMessage(
        network_name="n", created_at=1, founders=founders, parameters=PARAMETERS
    )
    for name, value in changes.items():
        setattr(message, name, value)
    return parse_genesis(message.SerializeToString(deterministic=True))


# --- registration ---


def test_a_registration_says_what_was_registered() -> None:
    registration = open_registration(sample.registration("SG"), BACKEND)
    secrets = sample.keys("SG")
    assert registration.economy == "SG"
    assert registration.prefixes == ("SG",)
    assert registration.bls_public_key == secrets.bls_public_key
    assert registration.key_id == key_id(secrets.bls_public_key)
    assert registration.data == sample.registration("SG")
    certificate = x509.load_der_x509_certificate(registration.ca_certificate)
    spki = certificate.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    assert registration.ca_public_key == spki


@pytest.mark.parametrize(
    "changes",
    [
        {"network_id": bytes(31)},
        {"economy": "sg"},
        {"economy": ""},
        {"name": ""},
        {"name": " Customs"},
        {"name": "Customs\n"},
        {"name": "x" * 201},
        {"time_zone": ""},
        {"time_zone": "Asia/"},
        {"time_zone": "../etc/passwd"},
        {"time_zone": "Asia/Singapore "},
        {"time_zone": "a/b/c/d"},
        {"prefixes": ["sg"]},
        {"prefixes": ["SG", "SG"]},
        {"prefixes": ["SG", "AU"]},
        {"weight": 1 << 31},
        {"ca_certificate": b""},
        {"ca_certificate": b"\x30\x00"},
        {"endpoint": "host"},
        {"endpoint": "host:0"},
        {"endpoint": "host:123456"},
        {"endpoint": "https://host:1"},
    ],
    ids=str,
)
def test_data_that_is_none(changes: dict[str, object]) -> None:
    with pytest.raises(FormatError):
        founder("SG", **changes)


@pytest.mark.parametrize(
    "changes",
    [
        {"time_zone": "UTC"},
        {"time_zone": "Etc/GMT+8"},
        {"time_zone": "America/Argentina/Buenos_Aires"},
        {"name": "海關"},
        {"prefixes": []},
        {"prefixes": ["AT", "BE", "FR"]},
        {"weight": 0},
        {"endpoint": ""},
        {"endpoint": "[::1]:7443"},
        {"endpoint": "127.0.0.1:65535"},
    ],
    ids=str,
)
def test_data_that_is_fine(changes: dict[str, object]) -> None:
    open_registration(founder("SG", **changes), BACKEND)


def test_a_copied_proof_of_possession_is_refused() -> None:
    mine = RegistrationMessage.FromString(sample.registration("SG"))
    mine.proof_of_possession = RegistrationMessage.FromString(
        sample.registration("AU")
    ).proof_of_possession
    with pytest.raises(SignatureError, match="possession"):
        open_registration(mine.SerializeToString(deterministic=True), BACKEND)


def test_somebody_elses_key_needs_somebody_elses_signature() -> None:
    theirs = RegistrationMessage.FromString(sample.registration("AU"))
    body = RegistrationBody.FromString(theirs.body)
    body.economy = "SG"
    theirs.body = body.SerializeToString(deterministic=True)
    with pytest.raises(SignatureError, match="BLS key did not sign"):
        open_registration(theirs.SerializeToString(deterministic=True), BACKEND)


def test_each_bit_of_a_registration_is_refused() -> None:
    data = sample.registration("SG")
    # One bit of each byte: all eight would take as long as the rest of the tests together.
    for at in range(len(data)):
        changed = bytearray(data)
        changed[at] ^= 1 << at % 8
        with pytest.raises(LedgerError):
            open_registration(bytes(changed), BACKEND)


# --- certificate ---


def certificate(key: object, *, ca: bool | None = True) -> bytes:
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "CA")])
    builder = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())  # type: ignore[attr-defined]
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2027, 1, 1, tzinfo=UTC))
    )
    if ca is not None:
        builder = builder.add_extension(x509.BasicConstraints(ca, None), critical=True)
    return builder.sign(key, SHA256()).public_bytes(Encoding.DER)  # type: ignore[arg-type]


def test_the_key_is_found_where_an_x509_library_finds_it() -> None:
    made = [ec.generate_private_key(curve) for curve in (ec.SECP256R1(), ec.SECP384R1())]
    for key in [
        *made,
        rsa.generate_private_key(65537, 2048),
        rsa.generate_private_key(65537, 4096),
    ]:
        info = key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        for ca in (True, False, None):
            assert authority_public_key(certificate(key, ca=ca)) == info


def sequence(*parts: bytes) -> bytes:
    content = b"".join(parts)
    assert len(content) < 128
    return b"\x30" + bytes([len(content)]) + content


VERSION, SERIAL, EMPTY = bytes.fromhex("a003020102"), bytes.fromhex("020101"), b"\x30\x00"
KEY, SIGNATURE = bytes.fromhex("3006300206000300"), bytes.fromhex("030100")
BODY = (VERSION, SERIAL, EMPTY, EMPTY, EMPTY, EMPTY, KEY)


def test_certificates_that_are_none() -> None:
    good = sequence(sequence(*BODY), EMPTY, SIGNATURE)
    assert authority_public_key(good) == KEY
    assert authority_public_key(sequence(sequence(*BODY, b"\xa3\x00"), EMPTY, SIGNATURE)) == KEY
    for wrong in (
        b"",
        good + b"\x00",
        *(good[:end] for end in range(len(good))),
        sequence(sequence(*BODY), EMPTY),
        sequence(sequence(*BODY), EMPTY, SIGNATURE, EMPTY),
        sequence(sequence(*BODY[1:]), EMPTY, SIGNATURE),  # version 1
        sequence(sequence(*BODY[:6]), EMPTY, SIGNATURE),
        sequence(sequence(*BODY[:6], SIGNATURE), EMPTY, SIGNATURE),
        b"\x30\x81" + good[1:],  # a long form where the short one does
        b"\x30\x82\x00" + good[1:],
        b"\x30\x80" + good[2:] + b"\x00\x00",  # indefinite
        b"\x31" + good[1:],
        sequence(b"\x1f\x01\x00" + EMPTY, EMPTY, SIGNATURE),
        bytes(CERTIFICATE_LIMIT + 1),
    ):
        with pytest.raises(FormatError):
            authority_public_key(wrong)


# --- genesis ---


def test_a_network_is_named_by_its_first_bytes() -> None:
    founders = [sample.registration(economy) for economy in ("SG", "AU")]
    one, other = (
        parse_genesis(format_genesis("Net", 5, founders, PARAMETERS, pilot=pilot))
        for pilot in (True, False)
    )
    check_genesis(one, BACKEND)
    assert one.network_id != other.network_id
    assert [founder.economy for founder in one.founders] == ["AU", "SG"]
    assert (one.pilot, other.pilot) == (True, False)
    assert one.signing_set.total == 2
    assert one.parameters == DEFAULT_PARAMETERS


def test_members_without_weight_do_not_sign() -> None:
    genesis = network(founder("AU"), founder("SG", weight=0))
    assert [member.economy for member in genesis.signing_set.members] == ["AU"]


AU_CA = sample.registration_body("AU").ca_certificate


@pytest.mark.parametrize(
    ("why", "founders"),
    [
        ("no founder", []),
        ("nobody seals", [founder("AU", weight=0)]),
        ("descending", [founder("SG"), founder("AU")]),
        ("one economy twice", [founder("AU"), founder("AU")]),
        ("one BLS key twice", [founder("AU"), founder("SG", keys_of="AU")]),
        ("one authority twice", [founder("AU"), founder("SG", ca_certificate=AU_CA)]),
        ("one prefix twice", [founder("AU"), founder("SG", prefixes=["AU"])]),
        ("another network", [founder("AU", network_id=b"\x01" * 32)]),
        (
            "too much weight",
            [founder("AU", weight=(1 << 31) - 1), founder("SG", weight=1)],
        ),
    ],
)
def test_founders_that_found_nothing(why: str, founders: list[bytes]) -> None:
    with pytest.raises(FormatError):
        network(*founders)


def test_one_ed25519_key_twice() -> None:
    shared = sample.keys("AU").ed25519_seed
    second = sign_registration(
        sample.registration_body("SG"), sample.keys("SG").bls_secret, shared, BACKEND
    )
    with pytest.raises(FormatError, match="Ed25519"):
        network(founder("AU"), second)


@pytest.mark.parametrize(
    "changes",
    [
        {"network_name": ""},
        {"network_name": "x" * 65},
        {"created_at": 0},
        {"created_at": MAX_TIME + 1},
        {"parameters": b""},
        {"parameters": PARAMETERS + b"\x38\x01"},
    ],
    ids=str,
)
def test_a_genesis_that_is_none(changes: dict[str, object]) -> None:
    network(founder("AU"))
    with pytest.raises(FormatError):
        network(founder("AU"), **changes)


def test_limits_come_first() -> None:
    with pytest.raises(FormatError, match="at most"):
        parse_genesis(bytes(GENESIS_LIMIT + 1))
    with pytest.raises(FormatError):
        parse_genesis(b"")
    with pytest.raises(FormatError, match="at most"):
        parse_registration(bytes(16_385))


def test_founders_signatures_are_a_check_of_their_own() -> None:
    message = RegistrationMessage.FromString(sample.registration("AU"))
    message.ed25519_signature = bytes(64)
    genesis = network(message.SerializeToString(deterministic=True))
    with pytest.raises(SignatureError, match="Ed25519"):
        check_genesis(genesis, BACKEND)
