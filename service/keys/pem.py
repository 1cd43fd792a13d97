"""Private keys as PKCS#8 in PEM, encrypted under a passphrase wherever they rest with a member.

Ed25519 keys sign consensus votes and registrations; P-256 keys belong to certificates (every TLS
stack takes them; Ed25519 certificates are still refused by some).

>>> text = format_ed25519(bytes(32), "correct horse")
>>> text.splitlines()[0]
b'-----BEGIN ENCRYPTED PRIVATE KEY-----'
>>> parse_ed25519(text, "correct horse") == bytes(32)
True
"""

from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    load_pem_private_key,
)

from ledger.errors import FormatError
from service.keys.keystore import WrongPassphrase, normal_passphrase


def format_ed25519(seed: bytes, passphrase: str) -> bytes:
    """Write an Ed25519 seed (32 bytes) as an encrypted PEM."""
    return _format(Ed25519PrivateKey.from_private_bytes(seed), passphrase)


def parse_ed25519(pem: bytes, passphrase: str) -> bytes:
    """Open an encrypted PEM: the Ed25519 seed (32 bytes). FormatError, WrongPassphrase."""
    key = _parse(pem, passphrase)
    if not isinstance(key, Ed25519PrivateKey):
        raise FormatError("a private key, but not an Ed25519 one")
    return key.private_bytes_raw()


def format_p256(key: ec.EllipticCurvePrivateKey, passphrase: str | None) -> bytes:
    """Write a certificate's key; in the clear without a passphrase, as risk engines read it."""
    return _format(key, passphrase)


def parse_p256(pem: bytes, passphrase: str | None) -> ec.EllipticCurvePrivateKey:
    """Open a certificate's key, encrypted or not. FormatError, WrongPassphrase."""
    key = _parse(pem, passphrase)
    if not isinstance(key, ec.EllipticCurvePrivateKey) or key.curve.name != "secp256r1":
        raise FormatError("a private key, but not a P-256 one")
    return key


def _format(key: Ed25519PrivateKey | ec.EllipticCurvePrivateKey, passphrase: str | None) -> bytes:
    protection = (
        NoEncryption()
        if passphrase is None
        else BestAvailableEncryption(normal_passphrase(passphrase))
    )
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, protection)


def _parse(pem: bytes, passphrase: str | None) -> object:
    password = None if passphrase is None else normal_passphrase(passphrase)
    encrypted = b"ENCRYPTED" in pem
    if encrypted and password is None:
        raise FormatError("the key is encrypted; its passphrase is needed")
    try:
        return load_pem_private_key(pem, password if encrypted else None)
    except (ValueError, TypeError, UnsupportedAlgorithm):
        if encrypted:
            raise WrongPassphrase("the passphrase does not open this key, or it is none") from None
        raise FormatError("not a private key in PEM") from None
