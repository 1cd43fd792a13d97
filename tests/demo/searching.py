"""Searches bytes for many words at once, in every encoding that could carry them.

Plain text (ASCII, UTF-8), UTF-16 of both orders, hexadecimal, base64 (both alphabets, from any of
the four places where a word may start), and what zlib packed. One pass over the bytes for each
encoding: whatever looks like text is cut out first, so that words need not be sought one by one.
"""

import base64
import binascii
import re
import zlib
from collections.abc import Iterable, Iterator

SHORTEST = 6
"""Shorter words stand in random bytes by chance."""

_RUN = re.compile(rb"[\x20-\x7e\x80-\xf4]{%d,}" % SHORTEST)
_WIDE = (
    re.compile(rb"(?:[\x20-\x7e]\x00){%d,}" % SHORTEST),
    re.compile(rb"(?:\x00[\x20-\x7e]){%d,}" % SHORTEST),
)
_HEX = re.compile(rb"(?:[0-9A-Fa-f]{2}){%d,}" % SHORTEST)
_BASE64 = re.compile(rb"[A-Za-z0-9+/_-]{%d,}" % (SHORTEST * 4 // 3))
_ZLIB = re.compile(rb"\x78[\x01\x5e\x9c\xda]")


class Words:
    """Words to be found, as bytes in UTF-8; case does not count."""

    def __init__(self, words: Iterable[str]) -> None:
        self._words = {word.upper().encode() for word in words if len(word) >= SHORTEST}
        self._lengths = sorted({len(word) for word in self._words})
        # Most windows are ruled out by their first letters.
        self._beginnings = {word[:SHORTEST] for word in self._words}

    def __len__(self) -> int:
        return len(self._words)

    def find(self, data: bytes) -> Iterator[tuple[str, str]]:
        """Each word found, with the encoding it was found in."""
        for encoding, text in _texts(data):
            upper = text.upper()
            for start in range(len(upper) - SHORTEST + 1):
                if upper[start : start + SHORTEST] not in self._beginnings:
                    continue
                for length in self._lengths:
                    word = upper[start : start + length]
                    if len(word) == length and word in self._words:
                        yield word.decode(), encoding


def _texts(data: bytes) -> Iterator[tuple[str, bytes]]:
    for run in _RUN.finditer(data):
        yield "text", run[0]
    for wide in _WIDE:
        for run in wide.finditer(data):
            yield "UTF-16", run[0].replace(b"\x00", b"")
    for run in _HEX.finditer(data):
        digits = run[0]
        for start in (0, 1):
            part = digits[start:]
            yield "hexadecimal", binascii.unhexlify(part[: len(part) & ~1])
    for run in _BASE64.finditer(data):
        letters = run[0].replace(b"-", b"+").replace(b"_", b"/")
        for start in range(4):
            part = letters[start:]
            # The last letters may be fewer than four: the word's padding is not among them.
            yield "base64", base64.b64decode(part + b"A" * (-len(part) % 4))
    for begin in _ZLIB.finditer(data):
        unpacked = _unpack(data[begin.start() :][: 1 << 20])
        if unpacked:
            yield from (("zlib", run[0]) for run in _RUN.finditer(unpacked))


def _unpack(data: bytes) -> bytes:
    try:
        return zlib.decompressobj().decompress(data, 1 << 22)
    except zlib.error:
        return b""
