"""Signatures that this process has made or checked itself, so that none is checked twice.

A check costs more than a hundred records. What is remembered is SHA-256(public key || message ||
signature), successes only; that the key is in force is read from the state each time. Two
generations bound it: when the younger is full, the older is dropped.

>>> seen = VerifiedSignatures(generation=1)
>>> seen.add(b"key", b"message", b"signature")
>>> (seen.has(b"key", b"message", b"signature"), seen.has(b"key", b"other", b"signature"))
(True, False)
>>> seen.add(b"key", b"other", b"signature")
>>> seen.add(b"key", b"third", b"signature")
>>> seen.has(b"key", b"message", b"signature"), seen.has(b"key", b"other", b"signature")
(False, True)
"""

from hashlib import sha256
from typing import Final

# Some minutes of the busiest queue, at about 120 bytes each.
GENERATION: Final = 10_000


class VerifiedSignatures:
    """A bounded set. Several threads may use it: each step is one step of a dict."""

    __slots__ = ("_generation", "_older", "_younger")

    def __init__(self, generation: int = GENERATION) -> None:
        self._generation = generation
        self._younger: set[bytes] = set()
        self._older: set[bytes] = set()

    def add(self, public_key: bytes, message: bytes, signature: bytes) -> None:
        """Remember that the key's owner signed `message` (fixed lengths: 48, 32, 96 bytes)."""
        if len(self._younger) >= self._generation:
            self._older = self._younger
            self._younger = set()
        self._younger.add(_name(public_key, message, signature))

    def has(self, public_key: bytes, message: bytes, signature: bytes) -> bool:
        """Tell whether this signature was remembered."""
        name = _name(public_key, message, signature)
        return name in self._younger or name in self._older


def _name(public_key: bytes, message: bytes, signature: bytes) -> bytes:
    return sha256(public_key + message + signature).digest()
