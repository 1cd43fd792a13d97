"""A member's certificate authority: X.509 in DER, of which the ledger needs the public key.

The authority issues the certificates of the member's nodes and clients. Its SubjectPublicKeyInfo
(DER, the bytes as they stand in the certificate) may enter a network once. Dates are not looked at:
a rule of the ledger knows no clock; the TLS library judges them on each connection.

Accepted keys: RSA of 2048 to 8192 bits, elliptic curves P-256, P-384, P-521, and Ed25519.
"""

from typing import Final

from cryptography import x509
from cryptography.exceptions import UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ec import EllipticCurvePublicKey
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from ledger.errors import FormatError

CERTIFICATE_LIMIT: Final = 8192
_RSA_BITS: Final = range(2048, 8192 + 1)
_CURVES: Final = frozenset({"secp256r1", "secp384r1", "secp521r1"})


def authority_public_key(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of an authority's certificate; or `FormatError`."""
    if not 1 <= len(certificate) <= CERTIFICATE_LIMIT:
        raise FormatError(f"a CA certificate of {len(certificate)} bytes")
    try:
        parsed = x509.load_der_x509_certificate(certificate)
        constraints = parsed.extensions.get_extension_for_class(x509.BasicConstraints).value
        key = parsed.public_key()
    except (ValueError, UnsupportedAlgorithm, x509.ExtensionNotFound) as error:
        raise FormatError(f"not a CA certificate: {error}") from error
    except (x509.DuplicateExtension, x509.UnsupportedGeneralNameType, x509.InvalidVersion) as error:
        raise FormatError(f"not a CA certificate: {error}") from error
    if not constraints.ca:
        raise FormatError("the certificate is not one of an authority")
    if isinstance(key, RSAPublicKey):
        strong = key.key_size in _RSA_BITS
    elif isinstance(key, EllipticCurvePublicKey):
        strong = key.curve.name in _CURVES
    else:
        strong = isinstance(key, Ed25519PublicKey)
    if not strong:
        raise FormatError("the authority's key is not of an accepted kind")
    info = key.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    # One key must not enter twice by being written differently, such as a compressed point.
    if info not in parsed.tbs_certificate_bytes or parsed.public_bytes(Encoding.DER) != certificate:
        raise FormatError("the certificate does not stand in its canonical encoding")
    return info
