r"""What stands inside the items of a snapshot: places, entries, histories of fixed names.

    entry     log index (8)   position (2)   author (2)   length (4)   record
    packed    key (32)        length (4)     records as `ledger.state.packed` has them, no head

An entry is a `ledger.chain.history.HistoryEntry` without height and time, which follow from its log
index.

>>> entry = PlacedEntry(41, 0, "SG", b"record")
>>> data = format_entry(entry)
>>> data.hex()
'000000000000002900005347000000067265636f7264'
>>> parse_entries(data + data) == [entry, entry]
True
>>> parse_entries(data[:-1])
Traceback (most recent call last):
ledger.errors.FormatError: an entry ends early
>>> list(split_packed(format_packed(b"K" * 32, b"records")))
[(b'KKKKKKKKKKKKKKKKKKKKKKKKKKKKKKKK', b'records')]
"""

from collections.abc import Iterator
from struct import Struct
from typing import Final, NamedTuple

from ledger.chain.economy import economy_bytes, parse_economy
from ledger.errors import FormatError

_ENTRY: Final = Struct(">QH2sI")
_PACKED: Final = Struct(">32sI")
PACKED_BYTES: Final = _PACKED.size
_REPORT: Final = Struct(">16s2sQQ")
REPORT_NAME_BYTES: Final = _REPORT.size


class PlacedEntry(NamedTuple):
    """One entry of a history, placed by log index and position."""

    log_index: int
    position: int
    author: str
    record: bytes


def format_entry(entry: PlacedEntry) -> bytes:
    """Write one entry."""
    log_index, position, author, record = entry
    return _ENTRY.pack(log_index, position, economy_bytes(author), len(record)) + record


def parse_entries(data: bytes, offset: int = 0) -> list[PlacedEntry]:
    """Read all entries from `offset` on, at least one; raises `FormatError`."""
    entries: list[PlacedEntry] = []
    size = len(data)
    while offset < size or not entries:
        start = offset + _ENTRY.size
        if start > size:
            raise FormatError("an entry ends early")
        log_index, position, author, length = _ENTRY.unpack_from(data, offset)
        offset = start + length
        if offset > size:
            raise FormatError("an entry ends early")
        economy = parse_economy(author)
        entries.append(PlacedEntry(log_index, position, economy, data[start:offset]))
    return entries


def format_packed(key: bytes, records: bytes) -> bytes:
    """Write the records of one subject or alias."""
    return _PACKED.pack(key, len(records)) + records


def split_packed(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Read keys (32 bytes) with their records; raises `FormatError`."""
    offset, size = 0, len(data)
    unpack = _PACKED.unpack_from
    while offset < size:
        start = offset + PACKED_BYTES
        if start > size:
            raise FormatError("the records of a key end early")
        key, length = unpack(data, offset)
        offset = start + length
        if not length or offset > size:
            raise FormatError("the records of a key end early")
        yield key, data[start:offset]


def format_report_name(arrangement_id: bytes, reporter: str, begin: int, end: int) -> bytes:
    """Write which report a history is of."""
    return _REPORT.pack(arrangement_id, economy_bytes(reporter), begin, end)


def parse_report_name(data: bytes) -> tuple[bytes, str, int, int]:
    """Read what `format_report_name` wrote at the start of `data`; raises `FormatError`."""
    if len(data) < REPORT_NAME_BYTES:
        raise FormatError("a report's name ends early")
    arrangement_id, reporter, begin, end = _REPORT.unpack_from(data)
    return arrangement_id, parse_economy(reporter), begin, end
