r"""A member's certificate authority: X.509 in DER, of which the ledger needs the public key.

The authority issues the certificates of the member's nodes and clients. Its SubjectPublicKeyInfo
may enter a network once. Every node and every verifier must find the same bytes in it for ever, so
no X.509 library is asked: they differ, and change, in what they accept. What is read is only where
the key stands (RFC 5280 section 4.1, X.690 DER):

    Certificate ::= SEQUENCE { tbsCertificate SEQUENCE, algorithm SEQUENCE, signature BIT STRING }
    TBSCertificate ::= SEQUENCE { [0] version, INTEGER serial, SEQUENCE algorithm, SEQUENCE issuer,
                                  SEQUENCE validity, SEQUENCE subject, SEQUENCE publicKeyInfo, ... }

Lengths are definite and minimal, the elements fill the sequence around them, and nothing follows
the certificate. Whether it is a good authority (its key, dates and extensions) is for the TLS
library of each node to judge, on each connection.

>>> body = "a003020102 020101" + 4 * "3000" + "3006300206000300"
>>> issued = bytes.fromhex("301f 3018 " + body + " 3000 030100")
>>> authority_public_key(issued).hex()
'3006300206000300'
>>> authority_public_key(issued[:-1])
Traceback (most recent call last):
ledger.errors.FormatError: the CA certificate ends early
"""

from typing import Final, NamedTuple

from ledger.errors import FormatError

CERTIFICATE_LIMIT: Final = 8192

_INTEGER: Final = 0x02
_BIT_STRING: Final = 0x03
_SEQUENCE: Final = 0x30
_VERSION: Final = 0xA0
# Up to the public key; what follows it in a TBSCertificate has context-specific tags.
_BEFORE_KEY: Final = (_VERSION, _INTEGER, _SEQUENCE, _SEQUENCE, _SEQUENCE, _SEQUENCE)


class _Element(NamedTuple):
    """One DER element within the certificate: its tag, and where it and its content lie."""

    tag: int
    start: int
    content: int
    end: int


def authority_public_key(certificate: bytes) -> bytes:
    """Return the SubjectPublicKeyInfo (DER) of an authority's certificate; or `FormatError`."""
    if not 1 <= len(certificate) <= CERTIFICATE_LIMIT:
        raise FormatError(f"a CA certificate of {len(certificate)} bytes")
    outer = _element(certificate, 0, len(certificate))
    if outer.tag != _SEQUENCE or outer.end != len(certificate):
        raise FormatError("a CA certificate is one DER sequence")
    parts = _elements(certificate, outer)
    if [part.tag for part in parts] != [_SEQUENCE, _SEQUENCE, _BIT_STRING]:
        raise FormatError("a CA certificate has a body, an algorithm and a signature")
    body = _elements(certificate, parts[0])
    tags = tuple(element.tag for element in body[:7])
    if tags != (*_BEFORE_KEY, _SEQUENCE):
        raise FormatError("the body of a CA certificate has no public key in its place")
    key = body[6]
    return certificate[key.start : key.end]


def _elements(data: bytes, around: _Element) -> list[_Element]:
    """The elements that fill a sequence."""
    found = []
    at = around.content
    while at < around.end:
        element = _element(data, at, around.end)
        found.append(element)
        at = element.end
    return found


def _element(data: bytes, start: int, limit: int) -> _Element:
    """The element at `start`, which ends at `limit` at the latest."""
    if start + 2 > limit:
        raise FormatError("the CA certificate ends early")
    tag, length = data[start], data[start + 1]
    content = start + 2
    if tag & 0x1F == 0x1F:
        raise FormatError("a CA certificate has tags of one byte")
    if length & 0x80:
        count = length & 0x7F
        # 8,192 bytes need two; 0 is the indefinite form, which DER does not have.
        if not 1 <= count <= 2 or content + count > limit:
            raise FormatError("a length in the CA certificate is not in its one DER form")
        length = int.from_bytes(data[content : content + count])
        content += count
        if length < 0x80 or (count == 2 and length < 0x100):
            raise FormatError("a length in the CA certificate is not in its one DER form")
    if content + length > limit:
        raise FormatError("the CA certificate ends early")
    return _Element(tag, start, content, content + length)
