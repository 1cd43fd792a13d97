"""How a transaction travels between validators: compressed, where that makes it shorter.

    0x01 ...   a transaction as it is
    0x03 ...   a zlib stream (RFC 1950) of one, with its window of 32 KiB, and nothing after it

Records of one register are alike but for the hashes in them, so half of their bytes go: half of
what members send each other, three times over, and of what CometBFT's own log and store hold. The
ledger never sees it: what enters the log, is signed, hashed and counted is the transaction.

Whoever reads must come to the same result wherever it runs, and cheaply, since a proposer may lie.
So a form is a transaction's only if it is the shorter of the two, ends where its stream ends, and
gives no more than a transaction may have. Any other stands for itself: the state machine refuses
whatever does not begin with 0x01. A window that is declared smaller is none, because some readers
would hold a stream to it and others would not.

>>> form = compress_transaction(b"\\x01" + bytes(500))
>>> form[:1], len(form) < 30, transaction_of(form) == b"\\x01" + bytes(500)
(b'\\x03', True, True)
>>> compress_transaction(b"\\x01short"), transaction_of(b"\\x01short"), transaction_of(b"\\x03")
(b'\\x01short', b'\\x01short', b'\\x03')
"""

import zlib
from functools import lru_cache
from typing import Final

from ledger.chain.transaction import MAX_TRANSACTION_BYTES

MARK: Final = b"\x03"
REMEMBERED: Final = 256
"""Of those that were read last, 30 MB at most: each is asked for at every step to the log."""
_HEAD: Final = MARK + b"\x78"
# The quickest: higher ones save a tenth more and take three times as long.
_LEVEL: Final = 1


def compress_transaction(transaction: bytes) -> bytes:
    """The form in which a transaction travels: compressed, or itself if that is no shorter."""
    form = MARK + zlib.compress(transaction, _LEVEL)
    return form if len(form) < len(transaction) else transaction


def transaction_of(form: bytes) -> bytes:
    """The transaction that travels as `form`; the form itself, where it is no other one's."""
    # What is no shorter than any transaction is not even looked at, nor remembered.
    compressed = form[:2] == _HEAD and len(form) < MAX_TRANSACTION_BYTES
    return _decompressed(form) if compressed else form


@lru_cache(maxsize=REMEMBERED)
def _decompressed(form: bytes) -> bytes:
    stream = zlib.decompressobj()
    try:
        # One byte more than may be: who is cut off there is too long, and not at its end.
        data = stream.decompress(form[len(MARK) :], MAX_TRANSACTION_BYTES + 1)
    except zlib.error:
        return form
    ends = stream.eof and not stream.unused_data
    return data if ends and len(form) < len(data) <= MAX_TRANSACTION_BYTES else form
