"""Why the ledger refused a record or a step, for people; programs act on the codes.

>>> refusal_text("NOTICE_TOO_SHORT")
'the end comes sooner than the notice of the text allows'
>>> refusal_text("SOMETHING_NEWER")
''
"""

from typing import Final

from ledger.customs.transition import TRANSITION_REFUSALS
from ledger.state.refusals import STEP_REFUSALS

_TEXTS: Final = {**STEP_REFUSALS, **TRANSITION_REFUSALS}


def refusal_text(code: str) -> str:
    """The meaning of a code; empty for one that this version does not know."""
    return _TEXTS.get(code, "")
