"""The reference backend, on py-ecc (plain Python, some 0.3 s a check): what the other must equal.

It follows the definitions one by one, where the compiled backend takes short cuts: a batch verifies
if each of its signatures does. Only py-ecc's points, pairings and hash to the curve are used, not
its signature classes, which answer False also when they are called wrongly.

>>> ReferenceBackend().public_key(1).hex()[:16]
'97f1d3a73197d794'
"""

from collections.abc import Sequence
from hashlib import sha256

from eth_typing import BLSPubkey, BLSSignature
from py_ecc.bls.g2_primitives import (
    G1_to_pubkey,
    G2_to_signature,
    pubkey_to_G1,
    signature_to_G2,
    subgroup_check,
)
from py_ecc.bls.hash_to_curve import hash_to_G2
from py_ecc.fields import optimized_bls12_381_FQ as FQ
from py_ecc.fields import optimized_bls12_381_FQ2 as FQ2
from py_ecc.fields import optimized_bls12_381_FQ12 as FQ12
from py_ecc.optimized_bls12_381.optimized_curve import (
    G1,
    Z1,
    Z2,
    add,
    is_inf,
    multiply,
    neg,
    normalize,
)
from py_ecc.optimized_bls12_381.optimized_pairing import final_exponentiate, pairing
from py_ecc.typing import Optimized_Point3D

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

_G1 = Optimized_Point3D[FQ]
_G2 = Optimized_Point3D[FQ2]


class ReferenceBackend:
    """`BlsBackend` on py-ecc. It holds no state."""

    name = "reference"

    def public_key(self, secret: int) -> bytes:
        """Return the public key (48 bytes) of a secret key."""
        require_secret(secret)
        return bytes(G1_to_pubkey(multiply(G1, secret)))

    def sign(self, secret: int, message: bytes, dst: bytes = SIGNATURE_DST) -> bytes:
        """Sign a message: 96 bytes."""
        require_secret(secret)
        return bytes(G2_to_signature(multiply(_hash(message, dst), secret)))

    def verify(
        self, public_key: bytes, message: bytes, signature: bytes, dst: bytes = SIGNATURE_DST
    ) -> bool:
        """Tell whether the key's owner signed `message`."""
        try:
            key, point = _public_key(public_key), _signature(signature)
        except FormatError:
            return False
        return _paired([(key, _hash(message, dst))], point)

    def aggregate(self, signatures: Sequence[bytes]) -> bytes:
        """Add at least one signature to one of 96 bytes."""
        if not signatures:
            raise FormatError("no signatures to aggregate")
        total = Z2
        for signature in signatures:
            total = add(total, _g2(signature))
        return bytes(G2_to_signature(total))

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
        hashes = [_hash(message, SIGNATURE_DST) for message in messages]
        return _paired(list(zip(keys, hashes, strict=True)), point)

    def fast_aggregate_verify(
        self, public_keys: Sequence[bytes], message: bytes, signature: bytes
    ) -> bool:
        """Tell whether `signature` is the sum of the signatures of all keys over one message."""
        if not public_keys:
            return False
        try:
            point = _signature(signature)
            total = Z1
            for key in public_keys:
                total = add(total, _public_key(key))
        except FormatError:
            return False
        return _paired([(total, _hash(message, SIGNATURE_DST))], point)

    def batch_verify(
        self, public_keys: Sequence[bytes], messages: Sequence[bytes], signatures: Sequence[bytes]
    ) -> bool:
        """Tell whether each of the signatures, taken alone, verifies."""
        if not signatures or not len(public_keys) == len(messages) == len(signatures):
            return False
        return all(map(self.verify, public_keys, messages, signatures))

    def verify_one_key(self, public_key: bytes, pairs: Sequence[tuple[bytes, bytes]]) -> bool:
        """Tell whether each (message, signature) verifies under one key."""
        return bool(pairs) and all(
            self.verify(public_key, message, signature) for message, signature in pairs
        )

    def prove_possession(self, secret: int) -> bytes:
        """Sign the public key of `secret` under the tag for possession: 96 bytes."""
        return self.sign(secret, self.public_key(secret), POSSESSION_DST)

    def check_possession(self, public_key: bytes, proof: bytes) -> bool:
        """Tell whether `proof` shows that somebody held the secret of a valid public key."""
        return self.verify(public_key, public_key, proof, POSSESSION_DST)

    def hash_to_g2(self, message: bytes, dst: bytes = SIGNATURE_DST) -> bytes:
        """Hash a message to a point of G2, compressed to 96 bytes."""
        return bytes(G2_to_signature(_hash(message, dst)))

    def decode_g1(self, data: bytes) -> G1Coordinates:
        """Decode 48 bytes to a point of G1, maybe the identity."""
        point = _g1(data)
        if is_inf(point):
            return None
        x, y = normalize(point)
        return int(x), int(y)

    def decode_g2(self, data: bytes) -> G2Coordinates:
        """Decode 96 bytes to a point of G2, maybe the identity."""
        point = _g2(data)
        if is_inf(point):
            return None
        (x0, x1), (y0, y1) = (coordinate.coeffs for coordinate in normalize(point))
        return (int(x0), int(x1)), (int(y0), int(y1))


def _g1(data: bytes) -> _G1:
    """Decode a point of G1, maybe the identity."""
    if len(data) != PUBLIC_KEY_BYTES:
        raise FormatError(f"a point of G1 has {PUBLIC_KEY_BYTES} bytes, not {len(data)}")
    try:
        point = pubkey_to_G1(BLSPubkey(data))
    except ValueError as error:
        raise FormatError("not a point of G1") from error
    if not subgroup_check(point):
        raise FormatError("not a point of G1")
    if G1_to_pubkey(point) != data:
        raise FormatError("not the canonical encoding of a point of G1")
    return point


def _g2(data: bytes) -> _G2:
    """Decode a point of G2, maybe the identity."""
    if len(data) != SIGNATURE_BYTES:
        raise FormatError(f"a point of G2 has {SIGNATURE_BYTES} bytes, not {len(data)}")
    try:
        point = signature_to_G2(BLSSignature(data))
    except ValueError as error:
        raise FormatError("not a point of G2") from error
    if not subgroup_check(point):
        raise FormatError("not a point of G2")
    if G2_to_signature(point) != data:
        raise FormatError("not the canonical encoding of a point of G2")
    return point


def _public_key(data: bytes) -> _G1:
    if data == G1_IDENTITY:
        raise FormatError("the identity is no public key")
    return _g1(data)


def _signature(data: bytes) -> _G2:
    if data == G2_IDENTITY:
        raise FormatError("the identity is no signature")
    return _g2(data)


def _hash(message: bytes, dst: bytes) -> _G2:
    # py-ecc annotates the hash object where it takes the constructor.
    return hash_to_G2(message, dst, sha256)  # type: ignore[arg-type]


def _paired(pairs: list[tuple[_G1, _G2]], signature: _G2) -> bool:
    """Tell whether the product of e(key, hash) is e(generator, signature)."""
    product = pairing(signature, neg(G1), final_exponentiate=False)
    for key, point in pairs:
        product *= pairing(point, key, final_exponentiate=False)
    return bool(final_exponentiate(product) == FQ12.one())
