"""What members did that they should not have, or left undone: counted, and told in the log.

The log tells the 1st, 2nd, 4th, 8th ... time, so that a member that lies with every block does not
fill a disk.

>>> [times for times in range(1, 20) if is_told(times)]
[1, 2, 4, 8, 16]
"""

from collections import Counter
from collections.abc import Mapping
from typing import Final

import structlog

# A share that does not verify under the member's key: of another header or time, or somebody's.
WRONG_SHARE: Final = "wrong_share"
# No good share of a header came from the member while it was voted on.
MISSING_SHARE: Final = "missing_share"
# A proposal of the member was refused: too large, or with a wrong seal.
REFUSED_PROPOSAL: Final = "refused_proposals"
# In a block that the member proposed stood a transaction that may not enter the log.
USELESS_TRANSACTION: Final = "useless_transactions"
# A vote with a vote extension longer than any share.
REFUSED_EXTENSION: Final = "refused_extensions"
# CometBFT proved that the member's validator voted for two blocks.
EQUIVOCATION: Final = "equivocations"

KINDS: Final = (
    WRONG_SHARE,
    MISSING_SHARE,
    REFUSED_PROPOSAL,
    USELESS_TRANSACTION,
    REFUSED_EXTENSION,
    EQUIVOCATION,
)
# Where the member behind a validator is not known.
UNKNOWN: Final = "unknown"

_log = structlog.get_logger("aeo.engine")


class Tally:
    """Plain counts by kind and member. One thread counts; any may read."""

    def __init__(self) -> None:
        self._counts: dict[str, Counter[str]] = {kind: Counter() for kind in KINDS}

    @property
    def counts(self) -> Mapping[str, Counter[str]]:
        """How often, by kind and member."""
        return self._counts

    def count(self, kind: str, economy: str | None, **details: object) -> None:
        """Count once, and tell the log now and then."""
        counter, who = self._counts[kind], economy or UNKNOWN
        counter[who] += 1
        times = counter[who]
        if is_told(times):
            _log.warning(kind.replace("_", " "), economy=who, times=times, **details)


def is_told(times: int) -> bool:
    """Whether the log is told of this time."""
    return times & (times - 1) == 0
