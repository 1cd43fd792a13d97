r"""A transaction: one signed entry of the log, 98 to 60,000 bytes.

     0   1   0x01
     1   96  author's signature over H("aeo/v1/transaction", network_id || body)
     97  n   body: aeo.ledger.v1.Transaction

The body names the author, its key id, its own sequence number (from 1), the height and hash of the
header that it has verified, and one action. Records inside an action are bytes, so that what was
signed is hashed again without being written anew; a batch has 1 to 1,000 of them.

>>> from aeo.ledger.v1.transaction_pb2 import Heartbeat
>>> from ledger.bls.scheme import default_backend, key_id
>>> backend = default_backend()
>>> body = format_body(Transaction(
...     author="SG", key_id=key_id(backend.public_key(7)), sequence=1,
...     verified_header_hash=b"\x01" * 32, heartbeat=Heartbeat()))
>>> data = sign_transaction(7, backend, b"\x02" * 32, body)
>>> data[:9].hex(), len(data)
('0188fd5cdc6e0bd7c7', 149)
>>> parts = parse_transaction(data)
>>> parts.body.author, parts.body.WhichOneof("action")
('SG', 'heartbeat')
>>> check_transaction(parts, b"\x02" * 32, backend.public_key(7), backend)
>>> check_transaction(parts, b"\x03" * 32, backend.public_key(7), backend)
Traceback (most recent call last):
ledger.errors.SignatureError: the author SG did not sign this for this network
"""

from typing import Final, NamedTuple

from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.bls.scheme import KEY_ID_BYTES, SIGNATURE_BYTES, BlsBackend
from ledger.chain.economy import CODES
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.errors import FormatError, SignatureError
from ledger.hashing import HASH_BYTES, tagged
from ledger.wire import format_strict, parse_strict

FRAME: Final = b"\x01"
MIN_TRANSACTION_BYTES: Final = 98
# A leaf fits a 16-bit length, as C2SP tiles want, with room for what may stand around it.
MAX_TRANSACTION_BYTES: Final = 60_000
# One signature for a few hundred records makes its cost vanish; a thousand small ones fit the size.
MAX_RECORDS: Final = 1_000

_BODY_AT: Final = len(FRAME) + SIGNATURE_BYTES
_MAX_BODY: Final = MAX_TRANSACTION_BYTES - _BODY_AT
_MESSAGE: Final = tagged("aeo/v1/transaction")


class TransactionParts(NamedTuple):
    """A well-formed transaction: its signature (96 bytes), the exact body bytes and the body."""

    signature: bytes
    body_bytes: bytes
    body: Transaction

    def message_hash(self, network_id: bytes) -> bytes:
        """What the author signs: 32 bytes."""
        return _MESSAGE(network_id + self.body_bytes)


def transaction_message(network_id: bytes, body_bytes: bytes) -> bytes:
    """What the author of a body signs: 32 bytes."""
    return _MESSAGE(network_id + body_bytes)


def format_body(body: Transaction) -> bytes:
    """Write a transaction's body; raises `FormatError` for one that may not enter the log."""
    data = format_strict(body)
    if len(data) > _MAX_BODY:
        raise FormatError(f"a transaction's body of {len(data)} bytes, more than {_MAX_BODY}")
    _check_body(body)
    return data


def sign_transaction(
    secret: int, backend: BlsBackend, network_id: bytes, body_bytes: bytes
) -> bytes:
    """Frame and sign the bytes that `format_body` wrote."""
    if not 1 <= len(body_bytes) <= _MAX_BODY:
        raise FormatError(f"a transaction's body of {len(body_bytes)} bytes")
    return FRAME + backend.sign(secret, transaction_message(network_id, body_bytes)) + body_bytes


def parse_transaction(data: bytes) -> TransactionParts:
    """Read a transaction, its signature unchecked, its records left as bytes; or `FormatError`."""
    if not MIN_TRANSACTION_BYTES <= len(data) <= MAX_TRANSACTION_BYTES:
        raise FormatError(f"a transaction of {len(data)} bytes")
    if data[:1] != FRAME:
        raise FormatError("a transaction starts with 1")
    body_bytes = data[_BODY_AT:]
    body = parse_strict(Transaction, body_bytes, _MAX_BODY)
    _check_body(body)
    return TransactionParts(data[1:_BODY_AT], body_bytes, body)


def check_transaction(
    parts: TransactionParts, network_id: bytes, public_key: bytes, backend: BlsBackend
) -> None:
    """Check the author's signature; raises `SignatureError`."""
    if not backend.verify(public_key, parts.message_hash(network_id), parts.signature):
        raise SignatureError(f"the author {parts.body.author} did not sign this for this network")


def _check_body(body: Transaction) -> None:
    if body.author not in CODES:
        raise FormatError(f"the author {body.author!r} is not two upper-case letters")
    if len(body.key_id) != KEY_ID_BYTES:
        raise FormatError(f"a key id has {KEY_ID_BYTES} bytes, not {len(body.key_id)}")
    if body.sequence < 1:
        raise FormatError("an author counts from 1")
    if len(body.verified_header_hash) != HASH_BYTES:
        raise FormatError(f"a header hash has {HASH_BYTES} bytes")
    action = body.WhichOneof("action")
    if action is None:
        raise FormatError("a transaction without an action")
    if action == "statuses":
        _check_batch(body.statuses.arrangement_id, len(body.statuses.records))
    elif action == "aliases":
        _check_batch(body.aliases.arrangement_id, len(body.aliases.records))


def _check_batch(arrangement_id: bytes, records: int) -> None:
    if len(arrangement_id) != ARRANGEMENT_ID_BYTES:
        raise FormatError(f"an arrangement id has {ARRANGEMENT_ID_BYTES} bytes")
    if not 1 <= records <= MAX_RECORDS:
        raise FormatError(f"a batch of {records} records")
