"""Every code that a transaction, record or step can get, with its text for people.

>>> describe("SEQUENCE_USED")
'the author has already used this number'
>>> describe("CERTIFICATE_KNOWN")
'the trader has a certificate of that number already'
>>> describe("ALREADY_VOTED")
'the member has voted on this proposal before'
"""

from typing import Final

from ledger.customs.transition import TRANSITION_REFUSALS
from ledger.state.governance_refusals import GOVERNANCE_REFUSALS
from ledger.state.refusals import NOT_ENTERED, STEP_REFUSALS

RECORD_REFUSALS: Final[dict[str, str]] = {
    **STEP_REFUSALS,
    **TRANSITION_REFUSALS,
    **GOVERNANCE_REFUSALS,
}


def describe(code: str) -> str:
    """The text for people of a code of either list; `KeyError` for any other string."""
    text = NOT_ENTERED.get(code)
    return RECORD_REFUSALS[code] if text is None else text
