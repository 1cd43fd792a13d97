"""The question of a receipt, as the message says it and as `evaluate` takes it.

>>> asked = Query("NZ", "EX", 1, 4, tin="KR123", known_at_height=0)
>>> question_message(asked).SerializeToString().hex()
'0a054b523132331a0245582001280440006a024e5a'
>>> read_question(question_message(asked)) == asked
True
"""

from typing import Any

from aeo.ledger.v1 import receipt_pb2 as pb
from ledger.customs.verdict import Alias, Query

# Fields that the message and `Query` share, without presence.
_PLAIN = (
    "function",
    "direction",
    "transport_mode",
    "level",
    "dispatch_economy",
    "declared_name",
    "declared_address",
)
# Those that may be absent; absent is None.
_OPTIONAL = (
    "as_of",
    "known_at_height",
    "known_at_time",
    "dispatched_at",
    "accepted_at",
    "arrived_at",
    "released_at",
)


def question_message(query: Query) -> pb.ReceiptQuestion:
    """Write a question."""
    fields: dict[str, Any] = {name: getattr(query, name) for name in (*_PLAIN, *_OPTIONAL)}
    message = pb.ReceiptQuestion(recognising_economy=query.recognising, **fields)
    if query.tin is not None:
        message.tin = query.tin
    elif query.alias is not None:
        message.alias.CopyFrom(pb.ReceiptAlias(scheme=query.alias.scheme, value=query.alias.value))
    return message


def read_question(message: pb.ReceiptQuestion) -> Query:
    """Read a question; whether it is one, `evaluate` says."""
    said = {name: getattr(message, name) for name in _PLAIN}
    for name in _OPTIONAL:
        said[name] = getattr(message, name) if message.HasField(name) else None
    identifier = message.WhichOneof("identifier")
    return Query(
        recognising=message.recognising_economy,
        tin=message.tin if identifier == "tin" else None,
        alias=Alias(message.alias.scheme, message.alias.value) if identifier == "alias" else None,
        **said,
    )
