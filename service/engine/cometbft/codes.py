"""Why a transaction has no effect, as a number: the closed list that all validators share.

CometBFT hashes the results of a block into the next header, so they are numbers of a fixed list and
nothing else: no text, no data, no gas. 0: it entered the log. The order is for ever; a code that is
new goes to the end.

>>> number_of("SEQUENCE_USED"), code_of(6)
(6, 'SEQUENCE_USED')
>>> number_of(()), code_of(0)
(0, '')
"""

from collections.abc import Sequence
from typing import Final

from ledger.state.refusals import NOT_ENTERED

# Only a mempool says these; none of them is the result of a block.
AUTHOR_WAITS: Final = "AUTHOR_WAITS"
NUMBER_WAITS: Final = "NUMBER_WAITS"

WAITING: Final[dict[str, str]] = {
    AUTHOR_WAITS: "as much of this author waits as may wait",
    NUMBER_WAITS: "another transaction of this number, or another form of it, waits",
}

ENTERED: Final = 0
CODES: Final = (
    "OVERSIZED",
    "MALFORMED",
    "AUTHOR_UNKNOWN",
    "AUTHOR_SUSPENDED",
    "KEY_UNKNOWN",
    "SEQUENCE_USED",
    "SEQUENCE_AHEAD",
    "VERIFIED_HEADER_UNKNOWN",
    "SIGNATURE_INVALID",
    "BLOCK_FULL",
    AUTHOR_WAITS,
    NUMBER_WAITS,
)
_NUMBERS: Final = {code: number for number, code in enumerate(CODES, 1)}
assert set(CODES) == {*NOT_ENTERED, *WAITING}, "every code has its number"


def number_of(result: str | Sequence[str]) -> int:
    """The number of a result of the state machine: 0 for whatever entered the log."""
    return _NUMBERS[result] if isinstance(result, str) else ENTERED


def code_of(number: int) -> str:
    """The code of a number, '' for 0. Raises IndexError for a number of no code."""
    if not 0 <= number <= len(CODES):
        raise IndexError(f"no code has the number {number}")
    return CODES[number - 1] if number else ""
