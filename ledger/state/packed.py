"""The records of one subject or alias as one bytes object: 62 to 77 bytes each, decoded when asked.

    0    32  head of the history, c_n (ledger-format, *State map*)
    then for each record, oldest first
    0    8   log index of its transaction
    8    2   position in the transaction
    10   2   length n
    12   n   the record's bytes without its first 34, which name the subject (or alias): 0x0a 0x20,
             then the 32 bytes under which the object is kept

Height and time are not stored: both follow from the log index. A million objects of this kind
weigh less than a third of the same as tuples, and the garbage collector never looks inside. A newer
object begins with the entries of an older one, so whoever knows its log size can read either.

>>> key = b"K" * 32
>>> one = append_packed(None, b"1" * 32, 7, 2, b"\\x0a\\x20" + key + b"\\x12\\x01a")
>>> two = append_packed(one, b"2" * 32, 9, 0, b"\\x0a\\x20" + key + b"\\x12\\x01b")
>>> len(one), packed_head(two)[:2], count_packed(two)
(47, b'22', 2)
>>> [(log_index, position, record[34:]) for log_index, position, record in unpack(key, two, 10)]
[(7, 2, b'\\x12\\x01a'), (9, 0, b'\\x12\\x01b')]
>>> len(unpack(key, two, 9)), len(unpack(key, None, 9))
(1, 0)
"""

from struct import Struct
from typing import Final, NamedTuple

HEAD_BYTES: Final = 32
KEY_PREFIX: Final = b"\x0a\x20"
KEY_FIELD_BYTES: Final = 34

PACKED_ENTRY: Final = Struct(">QHH")
ENTRY_BYTES: Final = PACKED_ENTRY.size


class PlacedRecord(NamedTuple):
    """A record's place in the ledger and its exact bytes."""

    log_index: int
    position: int
    record: bytes


def append_packed(
    packed: bytes | None, head: bytes, log_index: int, position: int, record: bytes
) -> bytes:
    """Add `record` (whole) to the entries of `packed`; `head` is that of the history with it."""
    entry = PACKED_ENTRY.pack(log_index, position, len(record) - KEY_FIELD_BYTES)
    if packed is None:
        return head + entry + record[KEY_FIELD_BYTES:]
    return b"".join((head, packed[HEAD_BYTES:], entry, record[KEY_FIELD_BYTES:]))


def packed_head(packed: bytes) -> bytes:
    """The value that the state map holds for this object."""
    return packed[:HEAD_BYTES]


def count_packed(packed: bytes) -> int:
    """How many records there are."""
    offset, size, count = HEAD_BYTES, len(packed), 0
    while offset < size:
        offset += ENTRY_BYTES + (packed[offset + 10] << 8 | packed[offset + 11])
        count += 1
    return count


def unpack(key: bytes, packed: bytes | None, log_size: int) -> list[PlacedRecord]:
    """The records of `key` (32 bytes) in the first `log_size` entries of the log, oldest first."""
    records: list[PlacedRecord] = []
    if packed is None:
        return records
    offset, size = HEAD_BYTES, len(packed)
    first = KEY_PREFIX + key
    while offset < size:
        log_index, position, length = PACKED_ENTRY.unpack_from(packed, offset)
        if log_index >= log_size:
            break
        offset += ENTRY_BYTES
        records.append(PlacedRecord(log_index, position, first + packed[offset : offset + length]))
        offset += length
    return records
