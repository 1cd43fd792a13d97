"""Messages on a socket: each behind its length, an unsigned varint (the framing of ABCI).

>>> format_frame(b"x" * 300)[:4].hex()
'ac027878'
>>> import asyncio
>>> async def both(data: bytes) -> list[bytes | None]:
...     reader = asyncio.StreamReader()
...     reader.feed_data(data)
...     reader.feed_eof()
...     return [await read_frame(reader), await read_frame(reader)]
>>> asyncio.run(both(format_frame(b"one")))
[b'one', None]
>>> asyncio.run(both(bytes.fromhex("ffffffffff01")))
Traceback (most recent call last):
ledger.errors.FormatError: a frame of more than 134217728 bytes
"""

import asyncio
from typing import Final

from ledger.errors import FormatError

# A lying proposer's block may have 100 MiB; we are shown it and refuse it, so it must fit.
MAX_FRAME_BYTES: Final = 128 << 20


def format_frame(message: bytes) -> bytes:
    """Put a message behind its length."""
    length, head = len(message), bytearray()
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + message


async def read_frame(reader: asyncio.StreamReader) -> bytes | None:
    """Read the next message; None at the end between two.

    Raises `FormatError` for a length that no message has, and for an end within a message.
    """
    length = shift = 0
    try:
        while True:
            byte = (await reader.readexactly(1))[0]
            length |= (byte & 0x7F) << shift
            shift += 7
            if length > MAX_FRAME_BYTES or shift > 35:
                raise FormatError(f"a frame of more than {MAX_FRAME_BYTES} bytes")
            if byte < 0x80:
                return await reader.readexactly(length)
    except asyncio.IncompleteReadError as error:
        if shift == 0 and not error.partial:
            return None
        raise FormatError("a frame ends early") from error
