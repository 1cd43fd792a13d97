"""Why the ledger refused a record or a step, for people; programs act on the codes.

>>> refusal_text("NOTICE_TOO_SHORT")
'the end comes sooner than the notice of the text allows'
>>> refusal_text("SOMETHING_NEWER")
''
"""

from ledger.state.refusal_texts import RECORD_REFUSALS


def refusal_text(code: str) -> str:
    """The meaning of a code; empty for one that this version does not know."""
    return RECORD_REFUSALS.get(code, "")
