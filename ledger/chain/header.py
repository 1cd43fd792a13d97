r"""A header: 224 bytes that bind the whole ledger at one height.

     0    8   "AEO-HDR1"
     8    32  network id
     40   8   height: 0 for genesis (empty log), then one for each block with at least one log entry
     48   8   time = max(engine's time, previous + 1); genesis: creation time
     56   32  previous header hash (zeros at height 0)
     88   32  RFC 6962 root over all earlier header hashes (each a leaf)
     120  8   log size, all entries since height 0
     128  32  log root
     160  32  map root
     192  32  signing-set hash: of the set that seals this header

    header_hash = H("aeo/v1/header", header)

The root over earlier headers lets one recent header prove any old one.

>>> first = Header(b"\x01" * 32, 0, 1_700_000_000_000, ZERO_HASH, EMPTY_ROOT, 0, EMPTY_ROOT,
...                map_root=b"\x02" * 32, signing_set_hash=b"\x03" * 32)
>>> data = format_header(first)
>>> data[:8], data[40:56].hex(), header_hash(data).hex()[:16]
(b'AEO-HDR1', '00000000000000000000018bcfe56800', '1465098d3804d7a6')
>>> parse_header(data) == first
True
>>> parse_header(data[:-1])
Traceback (most recent call last):
ledger.errors.FormatError: a header has 224 bytes, not 223
"""

from dataclasses import dataclass
from struct import Struct, error
from typing import Final

from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES, ZERO_HASH, tagged
from ledger.tree.log import EMPTY_ROOT

MAGIC: Final = b"AEO-HDR1"
_FIELDS: Final = Struct(">8s32sQQ32s32sQ32s32s32s")
HEADER_BYTES: Final = _FIELDS.size

_HASH: Final = tagged("aeo/v1/header")


@dataclass(frozen=True, slots=True)
class Header:
    """One height of the ledger. Hashes and roots have 32 bytes, `time` is in Unix milliseconds."""

    network_id: bytes
    height: int
    time: int
    previous: bytes
    earlier_root: bytes
    log_size: int
    log_root: bytes
    map_root: bytes
    signing_set_hash: bytes


def format_header(header: Header) -> bytes:
    """Write the 224 bytes; raises `FormatError` for a value that is no header."""
    _check(header)
    try:
        return _FIELDS.pack(
            MAGIC,
            header.network_id,
            header.height,
            header.time,
            header.previous,
            header.earlier_root,
            header.log_size,
            header.log_root,
            header.map_root,
            header.signing_set_hash,
        )
    except error as wrong:
        raise FormatError(f"a header's number is out of range: {wrong}") from wrong


def parse_header(data: bytes) -> Header:
    """Read a header; raises `FormatError`."""
    if len(data) != HEADER_BYTES:
        raise FormatError(f"a header has {HEADER_BYTES} bytes, not {len(data)}")
    magic, *fields = _FIELDS.unpack(data)
    if magic != MAGIC:
        raise FormatError("no header: it does not start with AEO-HDR1")
    header = Header(*fields)
    _check(header)
    return header


def header_hash(data: bytes) -> bytes:
    """Hash the 224 bytes of a header to what is sealed, linked and anchored."""
    return _HASH(data)


def _check(header: Header) -> None:
    """What one header alone can show to be wrong."""
    for value in (
        header.network_id,
        header.previous,
        header.earlier_root,
        header.log_root,
        header.map_root,
        header.signing_set_hash,
    ):
        if len(value) != HASH_BYTES:
            raise FormatError(f"a header's hash has {HASH_BYTES} bytes, not {len(value)}")
    if header.height == 0:
        if (header.previous, header.earlier_root) != (ZERO_HASH, EMPTY_ROOT):
            raise FormatError("the first header has none before it")
        if (header.log_size, header.log_root) != (0, EMPTY_ROOT):
            raise FormatError("at height 0 the log is empty")
    elif header.log_size < header.height:
        raise FormatError("every later header adds at least one log entry")
