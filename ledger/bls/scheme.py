"""The signature scheme: BLS12-381 with public keys in G1 and proofs of possession.

Ciphersuite ``BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_`` of draft-irtf-cfrg-bls-signature-05:

    secret key            integer, 1 <= sk < r
    public key    (48)    sk * generator of G1, compressed
    signature     (96)    sk * hash_to_curve(message) in G2, compressed
    possession    (96)    signature over the 48 public-key bytes under a tag of its own
    key id         (8)    first bytes of SHA-256(public key)

An aggregate is the sum of signatures; one check covers all. For one message this is safe only among
keys whose possession was proved, since a key could otherwise be made to cancel another.

Encodings are canonical: a point is decoded, encoded again and compared. A public key or signature
is never the identity, nor outside its subgroup; only `decode_g1` and `decode_g2`, which judge
points as such, and `aggregate`, which adds points, let the identity pass (the vectors want it so).

Whoever asks whether something verifies gets a bool, False for bytes that are no key or signature;
whoever asks for bytes or coordinates gets them or a `FormatError`. Nothing was signed by nobody: an
empty list of keys or signatures never verifies.

>>> backend = default_backend()
>>> key = backend.public_key(7)
>>> backend.verify(key, b"a" * 32, backend.sign(7, b"a" * 32))
True
>>> both = backend.aggregate([backend.sign(7, b"a" * 32), backend.sign(8, b"a" * 32)])
>>> backend.fast_aggregate_verify([key, backend.public_key(8)], b"a" * 32, both)
True
>>> backend.check_possession(key, backend.prove_possession(7))
True
>>> key_id(key).hex()
'fb85dbd6412c68c5'
"""

from collections.abc import Sequence
from functools import cache
from hashlib import sha256
from typing import Final, Protocol, TypeAlias

from ledger.errors import FormatError

SIGNATURE_DST: Final = b"BLS_SIG_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"
POSSESSION_DST: Final = b"BLS_POP_BLS12381G2_XMD:SHA-256_SSWU_RO_POP_"

PUBLIC_KEY_BYTES: Final = 48
SIGNATURE_BYTES: Final = 96
SECRET_KEY_BYTES: Final = 32
KEY_ID_BYTES: Final = 8

# r, the prime order of the subgroups (draft-irtf-cfrg-pairing-friendly-curves-11 section 4.2.1).
ORDER: Final = 0x73EDA753299D7D483339D80809A1D80553BDA402FFFE5BFEFFFFFFFF00000001

# Compression, infinity, then zeros: the one encoding of the identity.
G1_IDENTITY: Final = b"\xc0" + bytes(PUBLIC_KEY_BYTES - 1)
G2_IDENTITY: Final = b"\xc0" + bytes(SIGNATURE_BYTES - 1)

# Affine coordinates; in G2 each is (c0, c1) for c0 + c1 * u. None is the identity.
G1Coordinates: TypeAlias = tuple[int, int] | None
G2Coordinates: TypeAlias = tuple[tuple[int, int], tuple[int, int]] | None


class BlsBackend(Protocol):
    """What every backend does; all of them byte for byte alike."""

    name: str

    def public_key(self, secret: int) -> bytes:
        """Return the public key (48 bytes) of a secret key; `FormatError` if out of range."""
        ...

    def sign(self, secret: int, message: bytes, dst: bytes = SIGNATURE_DST) -> bytes:
        """Sign a message of any length: 96 bytes; `FormatError` if the secret is out of range."""
        ...

    def verify(
        self, public_key: bytes, message: bytes, signature: bytes, dst: bytes = SIGNATURE_DST
    ) -> bool:
        """Tell whether the key's owner signed `message`."""
        ...

    def aggregate(self, signatures: Sequence[bytes]) -> bytes:
        """Add at least one signature to one of 96 bytes; `FormatError` for bytes that are none."""
        ...

    def aggregate_verify(
        self, public_keys: Sequence[bytes], messages: Sequence[bytes], signature: bytes
    ) -> bool:
        """Tell whether `signature` is the sum of one signature for each key and its message."""
        ...

    def fast_aggregate_verify(
        self, public_keys: Sequence[bytes], message: bytes, signature: bytes
    ) -> bool:
        """Tell whether `signature` is the sum of the signatures of all keys over one message."""
        ...

    def batch_verify(
        self, public_keys: Sequence[bytes], messages: Sequence[bytes], signatures: Sequence[bytes]
    ) -> bool:
        """Tell whether each of the signatures, taken alone, verifies."""
        ...

    def verify_one_key(self, public_key: bytes, pairs: Sequence[tuple[bytes, bytes]]) -> bool:
        """Tell whether each (message, signature) verifies under one key: a third of the work.

        On False the caller asks `verify` for each, to learn which.
        """
        ...

    def prove_possession(self, secret: int) -> bytes:
        """Sign the public key of `secret` under the tag for possession: 96 bytes."""
        ...

    def check_possession(self, public_key: bytes, proof: bytes) -> bool:
        """Tell whether `proof` shows that somebody held the secret of a valid public key."""
        ...

    def hash_to_g2(self, message: bytes, dst: bytes = SIGNATURE_DST) -> bytes:
        """Hash a message to a point of G2 (RFC 9380), compressed to 96 bytes."""
        ...

    def decode_g1(self, data: bytes) -> G1Coordinates:
        """Decode 48 bytes to a point of G1, maybe the identity; else `FormatError`."""
        ...

    def decode_g2(self, data: bytes) -> G2Coordinates:
        """Decode 96 bytes to a point of G2, maybe the identity; else `FormatError`."""
        ...


@cache
def default_backend() -> BlsBackend:
    """Return the compiled backend."""
    from ledger.bls.arkworks import ArkworksBackend  # noqa: PLC0415  it imports this module

    return ArkworksBackend()


def key_id(public_key: bytes) -> bytes:
    """Return the 8 bytes that name a public key: the first of its SHA-256."""
    return sha256(public_key).digest()[:KEY_ID_BYTES]


def require_secret(secret: int) -> None:
    """Raise `FormatError` unless 1 <= `secret` < r."""
    if not 1 <= secret < ORDER:
        raise FormatError("a secret key out of range")
