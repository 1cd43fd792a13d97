"""The life of an arrangement: its steps, folded, and whether it is in force.

    arrangement id = first 16 bytes of H("aeo/v1/arrangement", network id || author || sequence (8))
                     of the transaction that proposed it

It takes effect when every party has signed the same bytes; proposing is not signing. Signatures
count by *known at*, the dates of the text by *as of*: a text signed today may say that it began in
2019. Suspension, resumption and end hold, by *as of*, from their recorded time or a later instant
that they state. Any party suspends alone, for all; who suspended resumes, so while several have
suspended, each must resume. Of one party's suspensions and resumptions the newest in ledger order
among those that have begun decides. The end needs the notice of the text; the earliest end counts.

Whether it is in force between two economies is asked in this order: a text signed by all
(NO_ARRANGEMENT), not ended (ARRANGEMENT_ENDED), not suspended (ARRANGEMENT_SUSPENDED), a rule that
runs. Where none runs: ARRANGEMENT_ENDED if there are rules and all are past, else
ARRANGEMENT_NOT_YET (a later rule will run, or a party has named no day).

An *amendment* is a whole new text; it takes the place of the old one when every party of both has
signed it: for whatever is known from then on, whatever instant is asked about. So it carries the
old rules with their ends. Who leaves with it is answered ARRANGEMENT_ENDED, who joins begins.

`arrangement_step` reads steps, `arrangement_check` says which may follow, `arrangement_history`
folds them; `staged_start`, `key_epoch` and `goods` hold the rules that their names say.

>>> arrangement_id(bytes(32), "KR", 1).hex()
'2f9ba63fe7e0d0306014f58cf3331f18'
"""

from typing import Final

from ledger.chain.economy import economy_bytes
from ledger.customs.arrangement_check import amendment_signers, check_step
from ledger.customs.arrangement_history import (
    DAY,
    IN_FORCE,
    MIGRATION_WINDOW,
    Amendment,
    ArrangementEntry,
    ArrangementHistory,
)
from ledger.customs.arrangement_step import STEP_LIMIT, Step, parse_step
from ledger.customs.arrangement_text import (
    ArrangementText,
    Benefit,
    Rule,
    format_arrangement_text,
    parse_arrangement_text,
    text_hash,
)
from ledger.customs.goods import Goods
from ledger.hashing import tagged

__all__ = [
    "DAY",
    "IN_FORCE",
    "MIGRATION_WINDOW",
    "STEP_LIMIT",
    "Amendment",
    "ArrangementEntry",
    "ArrangementHistory",
    "ArrangementText",
    "Benefit",
    "Goods",
    "Rule",
    "Step",
    "amendment_signers",
    "arrangement_id",
    "check_step",
    "format_arrangement_text",
    "parse_arrangement_text",
    "parse_step",
    "text_hash",
]

_ID: Final = tagged("aeo/v1/arrangement")


def arrangement_id(network_id: bytes, author: str, sequence: int) -> bytes:
    """Return the id (16 bytes) of what `author` proposes in its transaction number `sequence`."""
    return _ID(network_id + economy_bytes(author) + sequence.to_bytes(8, "big"))[:16]
