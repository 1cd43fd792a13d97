"""Messages on a socket: each behind its length, an unsigned varint (the framing of ABCI).

>>> format_frame(b"x" * 300)[:4].hex()
'ac027878'
>>> frames = Frames()
>>> frames.feed(format_frame(b"one") + format_frame(b"another")[:4])
[b'one']
>>> frames.within, frames.feed(format_frame(b"another")[4:]), frames.within
(True, [b'another'], False)
>>> frames.feed(bytes.fromhex("ffffffffff01"))
Traceback (most recent call last):
ledger.errors.FormatError: a frame of more than 134217728 bytes
"""

from typing import Final

from ledger.errors import FormatError

# A lying proposer's block may have 100 MiB; we are shown it and refuse it, so it must fit.
MAX_FRAME_BYTES: Final = 128 << 20
_MAX_SHIFT: Final = 35


def format_frame(message: bytes) -> bytes:
    """Put a message behind its length."""
    length, head = len(message), bytearray()
    while length > 0x7F:
        head.append(length & 0x7F | 0x80)
        length >>= 7
    head.append(length)
    return bytes(head) + message


class Frames:
    """Splits what comes from a socket, in pieces of any size, into messages."""

    def __init__(self) -> None:
        self._data = bytearray()
        # How long it is at least when the message that has begun is whole.
        self._wanted = 0

    @property
    def within(self) -> bool:
        """Whether a message has begun and not ended."""
        return bool(self._data)

    def feed(self, data: bytes) -> list[bytes]:
        """Take a piece; return the messages that are whole now, in order.

        Raises `FormatError` for a length that no message has.
        """
        self._data += data
        if len(self._data) < self._wanted:
            return []
        messages = []
        at = self._wanted = 0
        while (head := _read_length(self._data, at)) is not None:
            start, length = head
            if start + length > len(self._data):
                self._wanted = start + length - at
                break
            at = start + length
            with memoryview(self._data)[start:at] as message:
                messages.append(bytes(message))
        del self._data[:at]
        return messages


def _read_length(data: bytearray, at: int) -> tuple[int, int] | None:
    """Where the message begins whose head stands at `at`, and its length; None: not all is here."""
    length = shift = 0
    for place in range(at, len(data)):
        byte = data[place]
        length |= (byte & 0x7F) << shift
        shift += 7
        if length > MAX_FRAME_BYTES or shift > _MAX_SHIFT:
            raise FormatError(f"a frame of more than {MAX_FRAME_BYTES} bytes")
        if byte < 0x80:
            return place + 1, length
    return None
