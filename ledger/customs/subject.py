"""Keyed identifiers: what the ledger holds in place of a trader, an alias, a certificate number.

    context      = arrangement id (16) || epoch (4)
    commitment   = H("aeo/v1/lookup-key", network id || arrangement id || epoch (4) || key)
    tin_mac      = HMAC-SHA256(key, "aeo/v1/tin" || context || TIN)
    subject      = H("aeo/v1/subject", context || tin_mac || TIN)
    alias        = HMAC-SHA256(key, "aeo/v1/alias" || context || scheme || 0x00 || value)
    certificate  = HMAC-SHA256(key, "aeo/v1/certificate" || context || number), first 16 bytes

National numbers are few enough to try them all, so a plain hash would hide nothing: only parties
have the arrangement's key. Whoever is shown (TIN, tin_mac) opens that one subject without the key.
TINs are canonical ASCII; values and numbers are UTF-8, trimmed and NFC, otherwise as the issuer
wrote them. A `LookupKey` hashes key and context once and copies that state for each identifier.

>>> key = LookupKey(bytes(32), bytes(32), bytes(16))
>>> key.commitment.hex()[:16], key.subject("KR1234567890").hex()[:16]
('d17f8d4a378e3728', '740b0ba5f8f8fee4')
>>> mac = key.tin_mac("KR1234567890")
>>> subject_from_mac(key.context, "KR1234567890", mac) == key.subject("KR1234567890")
True
"""

import unicodedata
from hashlib import sha256
from typing import Final

from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, tagged

KEY_BYTES: Final = 32
SUBJECT_BYTES: Final = 32
ALIAS_BYTES: Final = 32
CERTIFICATE_BYTES: Final = 16
ARRANGEMENT_ID_BYTES: Final = 16
# Longer than any known certificate number or foreign identifier; caps what is normalised.
TEXT_LIMIT: Final = 256
SCHEME_LIMIT: Final = 32

_LOOKUP_KEY = tagged("aeo/v1/lookup-key")
_SUBJECT = tagged("aeo/v1/subject")
_HMAC_BLOCK: Final = 64
_INNER_PAD: Final = bytes(byte ^ 0x36 for byte in range(256))
_OUTER_PAD: Final = bytes(byte ^ 0x5C for byte in range(256))


def lookup_key_commitment(
    network_id: bytes, arrangement_id: bytes, epoch: int, key: bytes
) -> bytes:
    """Return the 32 bytes that bind an arrangement's text to its lookup `key` of `epoch`."""
    _require(network_id, HASH_BYTES, "a network id")
    _require(key, KEY_BYTES, "a lookup key")
    return _LOOKUP_KEY(network_id + key_context(arrangement_id, epoch) + key)


def key_context(arrangement_id: bytes, epoch: int) -> bytes:
    """Return the 20 bytes that tie every identifier to one arrangement and epoch."""
    _require(arrangement_id, ARRANGEMENT_ID_BYTES, "an arrangement id")
    if not 1 <= epoch < 1 << 32:
        raise FormatError(f"epochs count from 1 in 4 bytes, not {epoch}")
    return arrangement_id + epoch.to_bytes(4, "big")


def subject_from_mac(context: bytes, tin: str, tin_mac: bytes) -> bytes:
    """Open one trader: the subject (32 bytes) that a canonical TIN and its 32-byte mac lead to."""
    _require(context, ARRANGEMENT_ID_BYTES + 4, "a context")
    _require(tin_mac, HASH_BYTES, "a TIN's mac")
    return _SUBJECT(context + tin_mac + _ascii(tin))


def normalise_text(text: str) -> bytes:
    """Return a certificate number or alias value as it is hashed: trimmed, NFC, UTF-8."""
    if len(text) > TEXT_LIMIT:
        raise FormatError(f"a number or value has at most {TEXT_LIMIT} characters")
    text = unicodedata.normalize("NFC", text.strip())
    if not text:
        raise FormatError("a number or value is empty")
    try:
        return text.encode()
    except UnicodeEncodeError:
        raise FormatError("a number or value is not Unicode text") from None


class LookupKey:
    """The lookup key of one arrangement and epoch, ready to make identifiers. Never logged.

    `key` and `network_id` have 32 bytes, `arrangement_id` 16; anything else raises `FormatError`.
    """

    __slots__ = (
        "_alias",
        "_certificate",
        "_outer",
        "_tin",
        "arrangement_id",
        "commitment",
        "context",
        "epoch",
        "key",
        "network_id",
    )

    def __init__(
        self, key: bytes, network_id: bytes, arrangement_id: bytes, epoch: int = 1
    ) -> None:
        self.commitment = lookup_key_commitment(network_id, arrangement_id, epoch, key)
        self.context = key_context(arrangement_id, epoch)
        self.key = key
        self.network_id = network_id
        self.arrangement_id = arrangement_id
        self.epoch = epoch
        # RFC 2104: both pads fill one block, so their states can be kept and copied.
        block = key.ljust(_HMAC_BLOCK, b"\x00")
        inner = sha256(block.translate(_INNER_PAD))
        self._outer = sha256(block.translate(_OUTER_PAD))
        self._tin = inner.copy()
        self._tin.update(b"aeo/v1/tin" + self.context)
        self._alias = inner.copy()
        self._alias.update(b"aeo/v1/alias" + self.context)
        self._certificate = inner
        self._certificate.update(b"aeo/v1/certificate" + self.context)

    def __repr__(self) -> str:
        return f"LookupKey(arrangement {self.arrangement_id.hex()}, epoch {self.epoch})"

    def tin_mac(self, tin: str) -> bytes:
        """Return the mac (32 bytes) of a canonical TIN."""
        return self._mac(_ascii(tin))

    def _mac(self, tin: bytes) -> bytes:
        inner = self._tin.copy()
        inner.update(tin)
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def subject(self, tin: str) -> bytes:
        """Return the subject (32 bytes) of a canonical TIN."""
        data = _ascii(tin)
        return _SUBJECT(self.context + self._mac(data) + data)

    def subject_of(self, tin: str, tin_mac: bytes) -> bytes:
        """Return the subject (32 bytes) that (TIN, mac) opens, whoever made the mac."""
        return subject_from_mac(self.context, tin, tin_mac)

    def alias(self, scheme: str, value: str) -> bytes:
        """Return the alias (32 bytes) of `value` under a `scheme` such as US-MID."""
        if not 1 <= len(scheme) <= SCHEME_LIMIT or not scheme.isascii() or "\x00" in scheme:
            raise FormatError(f"a scheme is a code of 1 to {SCHEME_LIMIT} ASCII characters")
        inner = self._alias.copy()
        inner.update(scheme.encode() + b"\x00" + normalise_text(value))
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()

    def certificate(self, number: str) -> bytes:
        """Return the keyed form (16 bytes) of a certificate number."""
        inner = self._certificate.copy()
        inner.update(normalise_text(number))
        outer = self._outer.copy()
        outer.update(inner.digest())
        return outer.digest()[:CERTIFICATE_BYTES]


def _ascii(tin: str) -> bytes:
    try:
        return tin.encode("ascii")
    except UnicodeEncodeError:
        raise FormatError("a canonical TIN is ASCII") from None


def _require(value: bytes, length: int, name: str) -> None:
    if len(value) != length:
        raise FormatError(f"{name} has {length} bytes, not {len(value)}")
