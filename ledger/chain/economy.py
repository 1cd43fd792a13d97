"""Two upper-case ASCII letters: the name of an economy, and the prefix of a TIN.

ISO 3166-1 alpha-2, and EU; which of the 676 codes are in use is for the members to say, so the
ledger takes any. A table of them all is the quickest check and the quickest encoding.

>>> economy_bytes("SG")
b'SG'
>>> parse_economy(b"EU")
'EU'
>>> economy_bytes("sg")
Traceback (most recent call last):
ledger.errors.FormatError: 'sg' is not two upper-case letters
"""

from string import ascii_uppercase
from typing import Final

from ledger.errors import FormatError

ECONOMY_BYTES: Final = 2
# Every code there can be: no signing set and no list of prefixes is longer.
CODES: Final = {
    first + second: (first + second).encode("ascii")
    for first in ascii_uppercase
    for second in ascii_uppercase
}
_TEXTS: Final = {code: text for text, code in CODES.items()}


def economy_bytes(economy: str) -> bytes:
    """Return the two bytes of `economy`; raises `FormatError`."""
    code = CODES.get(economy)
    if code is None:
        raise FormatError(f"{economy!r} is not two upper-case letters")
    return code


def parse_economy(data: bytes) -> str:
    """Return the economy of these two bytes; raises `FormatError`."""
    text = _TEXTS.get(data)
    if text is None:
        raise FormatError(f"{data!r} is not two upper-case letters")
    return text
