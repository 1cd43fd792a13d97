"""All keys of a member in one folder: made once, opened at each start.

    bls-keystore.json    seals and transactions (EIP-2335)
    ed25519.pem          consensus key, PKCS#8, encrypted
    authority.pem        certificate of the member's authority: goes on the ledger
    authority.key        its key, encrypted; needed only to issue certificates: keep it elsewhere
    node.pem             certificate of the node
    node.key             its key, encrypted

All secrets of a folder are under one passphrase. The folder has mode 0700, secrets have 0600.
"""

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives.serialization import Encoding

from aeo.ledger.v1.member_pb2 import RegistrationBody
from ledger.bls.keygen import keygen
from ledger.bls.scheme import BlsBackend, key_id
from ledger.chain.registration import FOUNDERS_NETWORK, sign_registration
from ledger.ed25519 import SEED_BYTES
from ledger.errors import FormatError
from service.keys.authority import (
    Issued,
    issue_client,
    issue_node,
    issue_replica,
    make_authority,
)
from service.keys.key_file import PUBLIC_MODE, KeyFileError, read_public, read_secret, write_new
from service.keys.keystore import Pbkdf2, Scrypt, format_keystore, parse_keystore
from service.keys.pem import format_ed25519, format_p256, parse_ed25519, parse_p256
from service.keys.spiffe import AccessRole, SpiffeId, format_spiffe, format_trust_domain

BLS_FILE = "bls-keystore.json"
ED25519_FILE = "ed25519.pem"
AUTHORITY_FILE, AUTHORITY_KEY_FILE = "authority.pem", "authority.key"
NODE_FILE, NODE_KEY_FILE = "node.pem", "node.key"


@dataclass(frozen=True, slots=True)
class Founder:
    """What a member says of itself, in the genesis or when it asks to be admitted."""

    economy: str
    name: str
    time_zone: str
    prefixes: tuple[str, ...]
    weight: int
    endpoint: str = ""


@dataclass(frozen=True, slots=True)
class MemberKeys:
    """A member's secrets, open. `authority` is None when its key is not kept with the node."""

    economy: str
    bls_secret: int = field(repr=False)
    bls_public_key: bytes
    ed25519_seed: bytes = field(repr=False)
    authority_certificate: x509.Certificate
    authority: Issued | None
    node: Issued

    @property
    def key_id(self) -> bytes:
        """The 8 bytes that name the BLS key."""
        return key_id(self.bls_public_key)


def make_member_keys(
    folder: Path,
    economy: str,
    *,
    network_name: str,
    hosts: Sequence[str],
    passphrase: str,
    now: datetime,
    backend: BlsBackend,
    kdf: Scrypt | Pbkdf2 | None = None,
) -> MemberKeys:
    """Make all keys of a member in a new folder. `hosts`: names and addresses of its node.

    Raises KeyFileError when the folder has any of the files.
    """
    secret = keygen(secrets.token_bytes(32))
    seed = secrets.token_bytes(SEED_BYTES)
    authority = make_authority(economy, now)
    domain = format_trust_domain(network_name)
    spiffe_id = format_spiffe(SpiffeId(domain, economy, AccessRole.NODE, "node"))
    node = issue_node(authority, spiffe_id, hosts, now)
    keys = MemberKeys(
        economy, secret, backend.public_key(secret), seed, authority.certificate, authority, node
    )
    _make_folder(folder)
    keystore = format_keystore(
        secret,
        passphrase,
        public_key=keys.bls_public_key,
        kdf=kdf,
        description=f"{economy} {network_name}",
    )
    write_new(folder / BLS_FILE, keystore.encode())
    write_new(folder / ED25519_FILE, format_ed25519(seed, passphrase))
    write_new(folder / AUTHORITY_KEY_FILE, format_p256(authority.key, passphrase))
    write_new(folder / NODE_KEY_FILE, format_p256(node.key, passphrase))
    write_new(folder / AUTHORITY_FILE, authority.pem, mode=PUBLIC_MODE)
    write_new(folder / NODE_FILE, node.pem, mode=PUBLIC_MODE)
    return keys


def open_member_keys(
    folder: Path, economy: str, passphrase: str, backend: BlsBackend
) -> MemberKeys:
    """Open all keys of a folder. KeyFileError names the file that is missing, wrong or locked."""
    certificate = _certificate(folder / AUTHORITY_FILE)
    authority = None
    if (folder / AUTHORITY_KEY_FILE).exists():
        authority = open_issued(folder / AUTHORITY_FILE, folder / AUTHORITY_KEY_FILE, passphrase)
    secret = open_bls_key(folder / BLS_FILE, passphrase)
    return MemberKeys(
        economy,
        secret,
        backend.public_key(secret),
        open_ed25519_key(folder / ED25519_FILE, passphrase),
        certificate,
        authority,
        open_issued(folder / NODE_FILE, folder / NODE_KEY_FILE, passphrase),
    )


def register_founder(founder: Founder, keys: MemberKeys, backend: BlsBackend) -> bytes:
    """A founder's registration, signed by both its keys, as a genesis carries it. FormatError."""
    return register_member(founder, keys, FOUNDERS_NETWORK, backend)


def register_member(
    member: Founder, keys: MemberKeys, network_id: bytes, backend: BlsBackend
) -> bytes:
    """A registration for the network of an id (32 bytes), to be handed to who proposes it."""
    body = RegistrationBody(
        network_id=network_id,
        economy=member.economy,
        name=member.name,
        time_zone=member.time_zone,
        prefixes=member.prefixes,
        weight=member.weight,
        ca_certificate=keys.authority_certificate.public_bytes(Encoding.DER),
        endpoint=member.endpoint,
    )
    return sign_registration(body, keys.bls_secret, keys.ed25519_seed, backend)


def make_client(
    folder: Path,
    authority: Issued,
    holder: SpiffeId,
    now: datetime,
    passphrase: str | None = None,
    *,
    hosts: Sequence[str] = (),
) -> Issued:
    """Issue a client's certificate into `<name>.pem` and `<name>.key` of a folder.

    The key is in the clear (mode 0600) unless a passphrase is given: programs start unattended.
    With `hosts` it is a replica's, which answers there besides.
    """
    if hosts:
        issued = issue_replica(authority, format_spiffe(holder), hosts, now)
    else:
        issued = issue_client(authority, format_spiffe(holder), now)
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    write_new(folder / f"{holder.name}.key", format_p256(issued.key, passphrase))
    write_new(folder / f"{holder.name}.pem", issued.pem, mode=PUBLIC_MODE)
    return issued


def open_bls_key(path: Path, passphrase: str) -> int:
    """Open a BLS keystore: the secret key. KeyFileError."""
    try:
        return parse_keystore(read_secret(path).decode("utf-8", "replace"), passphrase)
    except FormatError as error:
        raise KeyFileError(path, str(error)) from None


def open_ed25519_key(path: Path, passphrase: str) -> bytes:
    """Open an Ed25519 key file: the seed. KeyFileError."""
    try:
        return parse_ed25519(read_secret(path), passphrase)
    except FormatError as error:
        raise KeyFileError(path, str(error)) from None


def open_issued(certificate: Path, key: Path, passphrase: str | None) -> Issued:
    """Open a certificate and its key. KeyFileError, also when the two do not belong together."""
    parsed = _certificate(certificate)
    try:
        private = parse_p256(read_secret(key), passphrase)
    except FormatError as error:
        raise KeyFileError(key, str(error)) from None
    if private.public_key() != parsed.public_key():
        raise KeyFileError(key, f"is not the key of {certificate.name}")
    return Issued(private, parsed)


def _certificate(path: Path) -> x509.Certificate:
    try:
        return x509.load_pem_x509_certificate(read_public(path))
    except ValueError:
        raise KeyFileError(path, "not a certificate in PEM") from None


def _make_folder(folder: Path) -> None:
    try:
        folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    except OSError as error:
        raise KeyFileError(folder, f"cannot be made: {error.strerror}") from None
    for name in (BLS_FILE, ED25519_FILE, AUTHORITY_KEY_FILE, AUTHORITY_FILE, NODE_KEY_FILE):
        if (folder / name).exists():
            raise KeyFileError(folder / name, "is there already; a key is never overwritten")
