r"""A seal: members of the signing set attest a header at a time.

A member's *share* is its BLS signature over

    H("aeo/v1/seal", network_id || header_hash || attested_time (8))

and a seal adds up the shares of any of them; all carry the same time:

    (1)   0x02
    (32)  header hash
    (8)   attested time, Unix milliseconds
    bitmap in signing-set order: member i is bit 0x80 >> (i mod 8) of byte i div 8, unused bits 0
    (96)  aggregate signature of exactly those members

With w the signers' weight and W the total: *attested* if 3w > W (at least one honest signer),
*sealed* if 3w > 2W; a seal of at most a third is refused.

>>> from ledger.bls.scheme import default_backend
>>> from ledger.chain.signing_set import SigningMember
>>> backend = default_backend()
>>> members = SigningSet(tuple(SigningMember(economy, 1, backend.public_key(secret))
...                            for economy, secret in (("AU", 7), ("SG", 8), ("TH", 9))))
>>> network, header = b"\x01" * 32, b"\x02" * 32
>>> shares = {economy: sign_share(secret, backend, network, header, 1_700_000_000_000)
...           for economy, secret in (("AU", 7), ("TH", 9))}
>>> data = aggregate_seal(members, header, 1_700_000_000_000, shares, backend)
>>> data[0], data[33:42].hex(), len(data)
(2, '0000018bcfe56800a0', 138)
>>> seal = open_seal(data, members, network, backend)
>>> seal.signers, seal.weight, seal.total, seal.level
(('AU', 'TH'), 2, 3, 'attested')
>>> open_seal(data, members, header, backend)
Traceback (most recent call last):
ledger.errors.SignatureError: the seal does not verify
"""

from collections.abc import Mapping
from typing import Final, Literal, NamedTuple, TypeAlias

from ledger.bls.scheme import SIGNATURE_BYTES, BlsBackend
from ledger.chain.signing_set import MAX_MEMBERS, SigningSet
from ledger.errors import FormatError, SignatureError
from ledger.hashing import HASH_BYTES, tagged

MARK: Final = b"\x02"
_FIXED_BYTES: Final = len(MARK) + HASH_BYTES + 8
MIN_SEAL_BYTES: Final = _FIXED_BYTES + 1 + SIGNATURE_BYTES
MAX_SEAL_BYTES: Final = _FIXED_BYTES + (MAX_MEMBERS + 7) // 8 + SIGNATURE_BYTES

Level: TypeAlias = Literal["attested", "sealed"]
ATTESTED: Final[Level] = "attested"
SEALED: Final[Level] = "sealed"

_SHARE: Final = tagged("aeo/v1/seal")


class Seal(NamedTuple):
    """A seal taken apart; only with its signing set can it be judged."""

    header_hash: bytes
    attested_time: int
    bitmap: bytes
    signature: bytes


class SealValue(NamedTuple):
    """A verified seal: what was attested, when (Unix milliseconds), by whom, of what weight."""

    header_hash: bytes
    attested_time: int
    signers: tuple[str, ...]
    weight: int
    total: int
    level: Level


def share_message(network_id: bytes, header_hash: bytes, attested_time: int) -> bytes:
    """What each member signs: 32 bytes."""
    return _SHARE(network_id + header_hash + attested_time.to_bytes(8))


def sign_share(
    secret: int, backend: BlsBackend, network_id: bytes, header_hash: bytes, attested_time: int
) -> bytes:
    """Sign one member's share (96 bytes). First the guard file must have said that it may."""
    return backend.sign(secret, share_message(network_id, header_hash, attested_time))


def check_share(
    share: bytes,
    public_key: bytes,
    network_id: bytes,
    header_hash: bytes,
    attested_time: int,
    backend: BlsBackend,
) -> None:
    """Check one member's share; raises `SignatureError`."""
    if not backend.verify(public_key, share_message(network_id, header_hash, attested_time), share):
        raise SignatureError("the share does not verify")


def aggregate_seal(
    signing_set: SigningSet,
    header_hash: bytes,
    attested_time: int,
    shares: Mapping[str, bytes],
    backend: BlsBackend,
) -> bytes:
    """Write the seal of `shares` by economy, which the caller has checked.

    Raises `FormatError` for a share of somebody outside the set, for none, or for no signature.
    """
    bits = 0
    signatures = []
    for member in signing_set.members:
        bits <<= 1
        if member.economy in shares:
            bits |= 1
            signatures.append(shares[member.economy])
    if len(signatures) != len(shares):
        raise FormatError("a share of an economy outside the signing set")
    size = len(signing_set.members)
    bitmap = (bits << -size % 8).to_bytes((size + 7) // 8)
    return format_seal(Seal(header_hash, attested_time, bitmap, backend.aggregate(signatures)))


def format_seal(seal: Seal) -> bytes:
    """Write the bytes of a seal; raises `FormatError`."""
    if len(seal.header_hash) != HASH_BYTES or not 0 <= seal.attested_time < 1 << 64:
        raise FormatError("a seal of no header or no time")
    data = MARK + seal.header_hash + seal.attested_time.to_bytes(8) + seal.bitmap + seal.signature
    parse_seal(data)
    return data


def parse_seal(data: bytes) -> Seal:
    """Read a seal as far as that goes without its signing set; raises `FormatError`."""
    if not MIN_SEAL_BYTES <= len(data) <= MAX_SEAL_BYTES:
        raise FormatError(f"a seal of {len(data)} bytes")
    if data[:1] != MARK:
        raise FormatError("a seal starts with 2")
    signature_at = len(data) - SIGNATURE_BYTES
    return Seal(
        header_hash=data[1 : 1 + HASH_BYTES],
        attested_time=int.from_bytes(data[1 + HASH_BYTES : _FIXED_BYTES]),
        bitmap=data[_FIXED_BYTES:signature_at],
        signature=data[signature_at:],
    )


def open_seal(
    data: bytes, signing_set: SigningSet, network_id: bytes, backend: BlsBackend
) -> SealValue:
    """Verify a seal by members of `signing_set`; at least *attested*.

    That the set is the one which the header names, and that the header hash is the header's, is
    for the caller, who has the header. Raises `FormatError` or `SignatureError`.
    """
    header_hash, attested_time, bitmap, signature = parse_seal(data)
    members = signing_set.members
    if len(bitmap) != (len(members) + 7) // 8:
        raise FormatError("the bitmap is not as long as the signing set")
    bits = int.from_bytes(bitmap)
    unused = -len(members) % 8
    if bits & ((1 << unused) - 1):
        raise FormatError("an unused bit of the bitmap is set")
    top = len(bitmap) * 8 - 1
    signers = [member for i, member in enumerate(members) if bits >> (top - i) & 1]
    weight = sum(member.weight for member in signers)
    level = level_of(weight, signing_set.total)
    if level is None:
        raise SignatureError(f"signers of {weight} of {signing_set.total} are at most a third")
    message = share_message(network_id, header_hash, attested_time)
    if not backend.fast_aggregate_verify([member.key for member in signers], message, signature):
        raise SignatureError("the seal does not verify")
    return SealValue(
        header_hash,
        attested_time,
        tuple(member.economy for member in signers),
        weight,
        signing_set.total,
        level,
    )


def level_of(weight: int, total: int) -> Level | None:
    """What signers of `weight` out of `total` make of a header; None for at most a third."""
    if 3 * weight > 2 * total:
        return SEALED
    return ATTESTED if 3 * weight > total else None
