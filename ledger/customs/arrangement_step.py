"""One step in the life of an arrangement, read: `aeo.ledger.v1.ArrangementStep`, strict protobuf.

    propose      a whole text; its id follows from the transaction
    sign         the hash of the text proposed, or of the amendment that waits
    suspend, resume, end      an instant, or none for at once
    amend        a whole new text; and who was a party and is no member any more
    start        the day on which a party begins, where the text has staged starts
    open_epoch   the number and the commitment of a new lookup key
    republished  the number of the epoch under which the author has loaded its traders again

>>> from ledger.wire import format_strict
>>> end = pb.ArrangementEnd(arrangement_id=b"a" * 16, effective_from=9)
>>> step = parse_step(format_strict(pb.ArrangementStep(end=end)))
>>> step.kind, step.arrangement_id == b"a" * 16, step.effective_from
('end', True, 9)
"""

from collections.abc import Iterable
from typing import Final, NamedTuple

from aeo.ledger.v1 import arrangement_pb2 as pb
from ledger.chain.economy import economy_bytes
from ledger.customs.arrangement_text import ArrangementText, parse_arrangement_text
from ledger.customs.staged_start import StartFor, parse_starts
from ledger.customs.status import INSTANT_LIMIT, is_ascending
from ledger.customs.subject import ARRANGEMENT_ID_BYTES, key_context
from ledger.errors import FormatError
from ledger.hashing import HASH_BYTES
from ledger.wire import parse_strict

STEP_LIMIT: Final = 59_500


class Step(NamedTuple):
    """One step, read: `kind` names the oneof field.

    `arrangement_id` is empty for a proposal, whose id follows from its transaction; `text` stands
    in proposals and amendments, `text_hash` in those and signatures; `effective_from` is 0 when
    absent; `starts` are a notice's, `epoch` and `commitment` a key epoch's; `without` names parties
    of the text in force that are no members any more, so that nothing waits for them.
    """

    kind: str
    arrangement_id: bytes = b""
    text: ArrangementText | None = None
    text_hash: bytes = b""
    effective_from: int = 0
    starts: tuple[StartFor, ...] = ()
    epoch: int = 0
    commitment: bytes = b""
    without: tuple[str, ...] = ()


def parse_step(data: bytes) -> Step:
    """Read a step of at most `STEP_LIMIT` bytes and any text in it; raises `FormatError`."""
    message = parse_strict(pb.ArrangementStep, data, STEP_LIMIT)
    kind = message.WhichOneof("step")
    if kind is None:
        raise FormatError("a step does something")
    if kind == "propose":
        text = parse_arrangement_text(message.propose)
        return Step(kind, text=text, text_hash=text.text_hash)
    body = getattr(message, kind)
    if len(body.arrangement_id) != ARRANGEMENT_ID_BYTES:
        raise FormatError(f"an arrangement id has {ARRANGEMENT_ID_BYTES} bytes")
    step = Step(kind, body.arrangement_id)
    if kind == "sign":
        return step._replace(text_hash=_hash(body.text_hash, "a text hash"))
    if kind == "amend":
        text = parse_arrangement_text(body.text)
        without = _economies(body.without)
        return step._replace(text=text, text_hash=text.text_hash, without=without)
    if kind == "start":
        return step._replace(starts=parse_starts(body))
    if kind in {"open_epoch", "republished"}:
        key_context(body.arrangement_id, body.epoch)
        if kind == "republished":
            return step._replace(epoch=body.epoch)
        commitment = _hash(body.lookup_key_commitment, "a lookup key commitment")
        without = _economies(body.without)
        return step._replace(epoch=body.epoch, commitment=commitment, without=without)
    if body.effective_from >= INSTANT_LIMIT:
        raise FormatError("an instant is later than 64-bit Unix milliseconds reach")
    return step._replace(effective_from=body.effective_from)


def _hash(value: bytes, name: str) -> bytes:
    if len(value) != HASH_BYTES:
        raise FormatError(f"{name} has {HASH_BYTES} bytes")
    return value


def _economies(economies: Iterable[str]) -> tuple[str, ...]:
    found = tuple(economies)
    for economy in found:
        economy_bytes(economy)
    if not is_ascending(found):
        raise FormatError("economies ascend without repeats")
    return found
