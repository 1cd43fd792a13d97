"""Ed25519 (RFC 8032), strict: everyone gives the same answer about every signature.

    public key A  (32)   y coordinate little-endian, top bit the sign of x
    signature     (64)   R (32, a point like A) || S (32, little-endian)
    valid                S < L; A and R canonical; A not of small order; S*B = R + k*A, no cofactor

OpenSSL, below `cryptography`, refuses S >= L, and compares the encoding of S*B - k*A with R, which
leaves no room for an R that is not canonical. It accepts an A whose y is p or more, and one of
small order, under which one signature may hold for many messages: both are refused here.

>>> key = public_key(bytes(32))
>>> key.hex()[:16], verify(key, b"message", sign(bytes(32), b"message"))
('3b6a27bcceb6a42d', True)
>>> verify(key, b"other", sign(bytes(32), b"message"))
False
"""

from typing import Final

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import (
    Ed25519PrivateKey,
    Ed25519PublicKey,
)

from ledger.errors import FormatError

SEED_BYTES: Final = 32
PUBLIC_KEY_BYTES: Final = 32
SIGNATURE_BYTES: Final = 64

_FIELD: Final = 2**255 - 19
_SIGN_BIT: Final = 1 << 255

# y of the eight points of order 4 (0), 1, 2 (-1) and 8: for these x^2 = -y^2, which on the curve
# -x^2 + y^2 = 1 + d*x^2*y^2 makes y a root of d*y^4 + 2*y^2 - 1; the other root is -y.
_ORDER_8: Final = 0x7A03AC9277FDC74EC6CC392CFA53202A0F67100D760B3CBA4FD84D3D706A17C7
_SMALL_ORDER: Final = frozenset({0, 1, _FIELD - 1, _ORDER_8, _FIELD - _ORDER_8})


def public_key(seed: bytes) -> bytes:
    """Return the public key (32 bytes) of a seed (32 bytes); `FormatError` for another length."""
    return _private_key(seed).public_key().public_bytes_raw()


def sign(seed: bytes, message: bytes) -> bytes:
    """Sign a message of any length: 64 bytes; `FormatError` for a seed of another length."""
    return _private_key(seed).sign(message)


def verify(public_key: bytes, message: bytes, signature: bytes) -> bool:
    """Tell whether the key's owner signed `message`; False also for bytes that are no key."""
    if len(public_key) != PUBLIC_KEY_BYTES or len(signature) != SIGNATURE_BYTES:
        return False
    y = int.from_bytes(public_key, "little") & ~_SIGN_BIT
    if y >= _FIELD or y in _SMALL_ORDER:
        return False
    try:
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, message)
    except InvalidSignature:
        return False
    return True


def _private_key(seed: bytes) -> Ed25519PrivateKey:
    if len(seed) != SEED_BYTES:
        raise FormatError(f"an Ed25519 seed has {SEED_BYTES} bytes, not {len(seed)}")
    return Ed25519PrivateKey.from_private_bytes(seed)
