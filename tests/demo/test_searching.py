"""The search finds what it is to find: a search that finds nothing proves something only then."""

import base64
import os
import zlib
from collections.abc import Callable

import pytest

from tests.demo.searching import Words

WORD = "NZ123456789"
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "text": bytes,
    "lower": bytes.lower,
    "UTF-16, little": lambda word: word.decode().encode("utf-16-le"),
    "UTF-16, big": lambda word: word.decode().encode("utf-16-be"),
    "hexadecimal": lambda word: word.hex().encode(),
    "base64": base64.b64encode,
    "base64, shifted": lambda word: base64.b64encode(b"x" + word + b"yz"),
    "base64, for addresses": lambda word: base64.urlsafe_b64encode(b"??" + word),
    "zlib": lambda word: zlib.compress(b"padding " * 9 + word),
}


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_word_is_found_in_every_encoding(encoding: str) -> None:
    data = os.urandom(5_000) + b"\x00" + ENCODINGS[encoding](WORD.encode()) + b"\x00\x01"
    data += os.urandom(5_000)
    assert WORD in {found for found, _ in Words([WORD, "NZ999999999"]).find(data)}


def test_random_bytes_hold_no_word() -> None:
    assert list(Words(f"NZ{number:09}" for number in range(1_000)).find(os.urandom(200_000))) == []
