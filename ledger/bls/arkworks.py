"""The compiled backend, on arkworks (Rust): the default.

Two thirds of a check are pairings and the rest is hashing and decoding; so many signatures are
checked with few pairings. For signatures s_i of one key P over messages m_i, and coefficients r_i,

    e(P, sum r_i * H(m_i)) = e(G, sum r_i * s_i)

holds if all verify. A forger who knew the coefficients could make wrong signatures cancel out; here
they are 128-bit hashes of the whole batch, so that changing anything changes all of them:

    seed = H("aeo/v1/bls-batch", for each: key (48) || SHA-256(message) || signature (96))
    r_i  = first 16 bytes of SHA-256(seed || i (8))

The same batch always gives the same answer, and a wrong one passes with chance 2^-128.

The library takes some encodings that are not canonical, and the identity: both are refused here.
Decoded public keys are remembered, as few keys sign much.

>>> ArkworksBackend().sign(1, b"").hex()[:16]
'83b633b06dd88b63'
"""

from collections.abc import Sequence
from functools import lru_cache
from hashlib import sha256
from typing import Final

from py_arkworks_bls12381 import GT, G1Point, G2Point, Scalar

from ledger.bls.scheme import (
    G1_IDENTITY,
    G2_IDENTITY,
    POSSESSION_DST,
    PUBLIC_KEY_BYTES,
    SIGNATURE_BYTES,
    SIGNATURE_DST,
    G1Coordinates,
    G2Coordinates,
    require_secret,
)
from ledger.errors import FormatError
from ledger.hashing import tagged

# Each economy of the largest signing set (676) with a few rotated keys; about 400 bytes each.
REMEMBERED_KEYS: Final = 4096

_GENERATOR: Final = G1Point()
_MINUS_GENERATOR: Final = -G1Point()
_BATCH: Final = tagged("aeo/v1/bls-batch")
_FIELD_BYTES: Final = 48


class ArkworksBackend:
    """`BlsBackend` on py-arkworks-bls12381. It holds no state of its own."""

    name = "arkworks"

    def public_key(self, secret: int) -> bytes:
        """Return the public key (48 bytes) of a secret key."""
        require_secret(secret)
        return (_GENERATOR * Scalar(secret)).to_compressed_bytes()

    def sign(self, secret: int, message: bytes, dst: bytes = SIGNATURE_DST) -> bytes:
        """Sign a message: 96 bytes."""
        require_secret(secret)
        return (G2Point.hash_to_curve(message, dst) * Scalar(secret)).to_compressed_bytes()

    def verify(
        self, public_key: bytes, message: bytes, signature: bytes, dst: bytes = SIGNATURE_DST
    ) -> bool:
        """Tell whether the key's owner signed `message`."""
        try:
            key, point = _public_key(public_key), _signature(signature)
        except FormatError:
            return False
        return _paired([key], [G2Point.hash_to_curve(message, dst)], point)

    def aggregate(self, signatures: Sequence[bytes]) -> bytes:
        """Add at least one signature to one of 96 bytes."""
        if not signatures:
            raise FormatError("no signatures to aggregate")
        total = G2Point.identity()
        for signature in signatures:
            total += _g2(signature)
        return total.to_compressed_bytes()

    def aggregate_verify(
        self, public_keys: Sequence[bytes], messages: Sequence[bytes], signature: bytes
    ) -> bool:
        """Tell whether `signature` is the sum of one signature for each key and its message."""
        if not public_keys or len(public_keys) != len(messages):
            return False
        try:
            keys, point = [_public_key(key) for key in public_keys], _signature(signature)
        except FormatError:
            return False
        hashes = [G2Point.hash_to_curve(message, SIGNATURE_DST) for message in messages]
        return _paired(keys, hashes, point)

    def fast_aggregate_verify(
        self, public_keys: Sequence[bytes], message: bytes, signature: bytes
    ) -> bool:
        """Tell whether `signature` is the sum of the signatures of all keys over one message."""
        if not public_keys:
            return False
        try:
            point = _signature(signature)
            total = G1Point.identity()
            for key in public_keys:
                total += _public_key(key)
        except FormatError:
            return False
        return _paired([total], [G2Point.hash_to_curve(message, SIGNATURE_DST)], point)

    def batch_verify(
        self, public_keys: Sequence[bytes], messages: Sequence[bytes], signatures: Sequence[bytes]
    ) -> bool:
        """Tell whether each of the signatures, taken alone, verifies."""
        if not signatures or not len(public_keys) == len(messages) == len(signatures):
            return False
        try:
            keys = [_public_key(key) for key in public_keys]
            points = [_signature(signature) for signature in signatures]
        except FormatError:
            return False
        factors = _coefficients(public_keys, messages, signatures)
        return _paired(
            [key * factor for key, factor in zip(keys, factors, strict=True)],
            [G2Point.hash_to_curve(message, SIGNATURE_DST) for message in messages],
            G2Point.multiexp_unchecked(points, factors),
        )

    def verify_one_key(self, public_key: bytes, pairs: Sequence[tuple[bytes, bytes]]) -> bool:
        """Tell whether each (message, signature) verifies under one key."""
        if not pairs:
            return False
        messages = [message for message, _ in pairs]
        signatures = [signature for _, signature in pairs]
        if len(pairs) == 1:
            return self.verify(public_key, messages[0], signatures[0])
        try:
            key = _public_key(public_key)
            points = [_signature(signature) for signature in signatures]
        except FormatError:
            return False
        factors = _coefficients([public_key] * len(pairs), messages, signatures)
        hashes = [G2Point.hash_to_curve(message, SIGNATURE_DST) for message in messages]
        return _paired(
            [key],
            [G2Point.multiexp_unchecked(hashes, factors)],
            G2Point.multiexp_unchecked(points, factors),
        )

    def prove_possession(self, secret: int) -> bytes:
        """Sign the public key of `secret` under the tag for possession: 96 bytes."""
        return self.sign(secret, self.public_key(secret), POSSESSION_DST)

    def check_possession(self, public_key: bytes, proof: bytes) -> bool:
        """Tell whether `proof` shows that somebody held the secret of a valid public key."""
        return self.verify(public_key, public_key, proof, POSSESSION_DST)

    def hash_to_g2(self, message: bytes, dst: bytes = SIGNATURE_DST) -> bytes:
        """Hash a message to a point of G2, compressed to 96 bytes."""
        return G2Point.hash_to_curve(message, dst).to_compressed_bytes()

    def decode_g1(self, data: bytes) -> G1Coordinates:
        """Decode 48 bytes to a point of G1, maybe the identity."""
        point = _g1(data)
        if data == G1_IDENTITY:
            return None
        x, y = _integers(point.to_xy_bytes_be())
        return x, y

    def decode_g2(self, data: bytes) -> G2Coordinates:
        """Decode 96 bytes to a point of G2, maybe the identity."""
        point = _g2(data)
        if data == G2_IDENTITY:
            return None
        x0, x1, y0, y1 = _integers(point.to_xy_bytes_be())
        return (x0, x1), (y0, y1)


def _g1(data: bytes) -> G1Point:
    """Decode a point of G1, maybe the identity."""
    if len(data) != PUBLIC_KEY_BYTES:
        raise FormatError(f"a point of G1 has {PUBLIC_KEY_BYTES} bytes, not {len(data)}")
    try:
        point = G1Point.from_compressed_bytes(data)
    except ValueError as error:
        raise FormatError("not a point of G1") from error
    if point.to_compressed_bytes() != data:
        raise FormatError("not the canonical encoding of a point of G1")
    return point


def _g2(data: bytes) -> G2Point:
    """Decode a point of G2, maybe the identity."""
    if len(data) != SIGNATURE_BYTES:
        raise FormatError(f"a point of G2 has {SIGNATURE_BYTES} bytes, not {len(data)}")
    try:
        point = G2Point.from_compressed_bytes(data)
    except ValueError as error:
        raise FormatError("not a point of G2") from error
    if point.to_compressed_bytes() != data:
        raise FormatError("not the canonical encoding of a point of G2")
    return point


@lru_cache(maxsize=REMEMBERED_KEYS)
def _public_key(data: bytes) -> G1Point:
    if data == G1_IDENTITY:
        raise FormatError("the identity is no public key")
    return _g1(data)


def _signature(data: bytes) -> G2Point:
    if data == G2_IDENTITY:
        raise FormatError("the identity is no signature")
    return _g2(data)


def _paired(keys: list[G1Point], hashes: list[G2Point], signature: G2Point) -> bool:
    """Tell whether the product of e(key, hash) is e(generator, signature)."""
    return GT.pairing_check([*keys, _MINUS_GENERATOR], [*hashes, signature])


def _coefficients(
    public_keys: Sequence[bytes], messages: Sequence[bytes], signatures: Sequence[bytes]
) -> list[Scalar]:
    """One 128-bit coefficient for each signature, hashed from the whole batch."""
    seed = _BATCH(
        b"".join(
            part
            for key, message, signature in zip(public_keys, messages, signatures, strict=True)
            for part in (key, sha256(message).digest(), signature)
        )
    )
    return [
        Scalar(int.from_bytes(sha256(seed + index.to_bytes(8)).digest()[:16]))
        for index in range(len(signatures))
    ]


def _integers(data: bytes) -> list[int]:
    return [
        int.from_bytes(data[offset : offset + _FIELD_BYTES])
        for offset in range(0, len(data), _FIELD_BYTES)
    ]
