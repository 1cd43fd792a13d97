"""A made-up network for vectors and tests, always the same. Its secrets are public: test only."""

from datetime import UTC, datetime
from functools import cache
from hashlib import sha256
from typing import Final, NamedTuple

from cryptography import x509
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding
from cryptography.x509.oid import NameOID

from aeo.ledger.v1.member_pb2 import RegistrationBody
from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.bls.keygen import keygen
from ledger.bls.scheme import default_backend, key_id
from ledger.chain.genesis import Genesis, format_genesis, parse_genesis
from ledger.chain.header import Header, format_header, header_hash
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.registration import FOUNDERS_NETWORK, sign_registration
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.chain.signing_set import SigningMember, SigningSet
from ledger.chain.transaction import format_body, sign_transaction
from ledger.hashing import ZERO_HASH
from ledger.tree.log import EMPTY_ROOT

BACKEND: Final = default_backend()
CREATED_AT: Final = 1_767_225_600_000  # 2026-01-01T00:00:00Z
ZONES: Final = {
    "AU": "Australia/Sydney",
    "JP": "Asia/Tokyo",
    "NZ": "Pacific/Auckland",
    "SG": "Asia/Singapore",
}


class Keys(NamedTuple):
    """One member's secrets."""

    economy: str
    bls_secret: int
    ed25519_seed: bytes
    ca_seed: bytes

    @property
    def bls_public_key(self) -> bytes:
        return BACKEND.public_key(self.bls_secret)


def keys(economy: str) -> Keys:
    """Secrets that follow from the economy's code alone."""

    def secret(use: str) -> bytes:
        return sha256(f"public test secret: {use} of {economy}".encode()).digest()

    return Keys(economy, keygen(secret("BLS")), secret("Ed25519"), secret("CA"))


def certificate(seed: bytes, name: str, *, ca: bool = True) -> bytes:
    """A certificate (DER) that an Ed25519 key signs for itself; the same bytes every time."""
    key = Ed25519PrivateKey.from_private_bytes(seed)
    subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    return (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(1)
        .not_valid_before(datetime(2026, 1, 1, tzinfo=UTC))
        .not_valid_after(datetime(2056, 1, 1, tzinfo=UTC))
        .add_extension(x509.BasicConstraints(ca=ca, path_length=None), critical=True)
        .sign(key, None)
        .public_bytes(Encoding.DER)
    )


def registration_body(economy: str, weight: int = 1) -> RegistrationBody:
    """A founder's data; `sign_registration` adds its public keys."""
    return RegistrationBody(
        network_id=FOUNDERS_NETWORK,
        economy=economy,
        name=f"Customs of {economy}",
        time_zone=ZONES[economy],
        prefixes=[economy],
        weight=weight,
        ca_certificate=certificate(keys(economy).ca_seed, f"CA of {economy}"),
        endpoint=f"{economy.lower()}.example:7443",
    )


@cache
def registration(economy: str, weight: int = 1) -> bytes:
    """A founder's signed registration."""
    secrets = keys(economy)
    return sign_registration(
        registration_body(economy, weight), secrets.bls_secret, secrets.ed25519_seed, BACKEND
    )


@cache
def genesis(economies: tuple[str, ...] = ("AU", "JP", "SG")) -> Genesis:
    """A pilot network of these founders, each of weight 1."""
    data = format_genesis(
        "Sample network",
        CREATED_AT,
        [registration(economy) for economy in economies],
        format_parameters(DEFAULT_PARAMETERS),
        pilot=True,
    )
    return parse_genesis(data)


@cache
def signing_set(economies: tuple[str, ...] = ("AU", "JP", "SG")) -> SigningSet:
    """A set in which each has weight 1."""
    return SigningSet(
        tuple(SigningMember(economy, 1, keys(economy).bls_public_key) for economy in economies)
    )


def first_header(map_root: bytes = b"\x11" * 32) -> Header:
    """Header 0 of the sample genesis, over a made-up map."""
    return Header(
        network_id=genesis().network_id,
        height=0,
        time=CREATED_AT,
        previous=ZERO_HASH,
        earlier_root=EMPTY_ROOT,
        log_size=0,
        log_root=EMPTY_ROOT,
        map_root=map_root,
        signing_set_hash=genesis().signing_set.hash,
    )


def transaction(economy: str, sequence: int, **action: object) -> bytes:
    """A signed transaction of `economy` that has verified the first header."""
    secrets = keys(economy)
    body = Transaction(
        author=economy,
        key_id=key_id(secrets.bls_public_key),
        sequence=sequence,
        verified_height=0,
        verified_header_hash=header_hash(format_header(first_header())),
        **action,  # type: ignore[arg-type]
    )
    return sign_transaction(secrets.bls_secret, BACKEND, genesis().network_id, format_body(body))


def seal(
    header: Header,
    economies: tuple[str, ...],
    attested_time: int | None = None,
    members: SigningSet | None = None,
) -> bytes:
    """A seal by these of `members`, by default the sample signing set."""
    time = header.time if attested_time is None else attested_time
    hashed = header_hash(format_header(header))
    shares = {
        economy: sign_share(keys(economy).bls_secret, BACKEND, header.network_id, hashed, time)
        for economy in economies
    }
    return aggregate_seal(members or signing_set(), hashed, time, shares, BACKEND)
