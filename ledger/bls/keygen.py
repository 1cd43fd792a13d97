"""Secret keys: derived from key material as the BLS standard says, or read from 32 bytes.

    salt   SHA-256("BLS-SIG-KEYGEN-SALT-"), hashed once more each time the result is 0
    prk    HKDF-Extract(salt, material || 0x00)
    okm    HKDF-Expand(prk, info || 0x0030, 48)
    sk     okm mod r

(draft-irtf-cfrg-bls-signature-05 section 2.3, HKDF of RFC 5869 with SHA-256; EIP-2333 uses the same
for its master key, whence this example.) The material is secret and has at least 32 bytes.

>>> seed = "c55257c360c07c72029aebc1b53c05ed0362ada38ead3e3e9efa3708e5349553" + (
...     "1f09a6987599d18264c1e1c92f2cf141630c7a3c4ab7c81b2f001698e7463b04")
>>> keygen(bytes.fromhex(seed))
6083874454709270928345386274498605044986640685124978867557563392430687146096
>>> secret_key_from_bytes(bytes(31) + b"\\x07")
7
>>> secret_key_from_bytes(bytes(32))
Traceback (most recent call last):
ledger.errors.FormatError: a secret key out of range
"""

from hashlib import sha256
from hmac import digest
from typing import Final

from ledger.bls.scheme import ORDER, SECRET_KEY_BYTES, require_secret
from ledger.errors import FormatError

MIN_MATERIAL_BYTES: Final = 32
_OUTPUT_BYTES: Final = 48  # ceil(1.5 * bits of r / 8): the remainder is as good as uniform


def keygen(material: bytes, info: bytes = b"") -> int:
    """Derive a secret key from at least 32 bytes of secret material; `FormatError` for fewer."""
    if len(material) < MIN_MATERIAL_BYTES:
        raise FormatError(f"key material has at least {MIN_MATERIAL_BYTES} bytes")
    salt = b"BLS-SIG-KEYGEN-SALT-"
    secret = 0
    while secret == 0:
        salt = sha256(salt).digest()
        prk = digest(salt, material + b"\x00", "sha256")
        secret = int.from_bytes(_expand(prk, info + _OUTPUT_BYTES.to_bytes(2))) % ORDER
    return secret


def secret_key_from_bytes(data: bytes) -> int:
    """Read a secret key, 32 bytes big-endian, 1 <= key < r; `FormatError` otherwise."""
    if len(data) != SECRET_KEY_BYTES:
        raise FormatError(f"a secret key has {SECRET_KEY_BYTES} bytes, not {len(data)}")
    secret = int.from_bytes(data)
    require_secret(secret)
    return secret


def secret_key_to_bytes(secret: int) -> bytes:
    """Write a secret key as 32 bytes; `FormatError` if it is out of range."""
    require_secret(secret)
    return secret.to_bytes(SECRET_KEY_BYTES)


def _expand(prk: bytes, info: bytes) -> bytes:
    """HKDF-Expand of RFC 5869 to 48 bytes."""
    first = digest(prk, info + b"\x01", "sha256")
    return (first + digest(prk, first + info + b"\x02", "sha256"))[:_OUTPUT_BYTES]
