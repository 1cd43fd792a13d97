"""How a replica stands with its sources: what its metrics and its health are made of.

The follower makes a `Standing` whenever something of it has changed; serving processes are handed
it as they are handed seals. It is about sources alone: what is verified shows in the ledger.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple


class SourceState(StrEnum):
    """What has become of a source."""

    WAITING = "waiting"
    FOLLOWED = "followed"
    LEFT = "left"
    UNREACHABLE = "unreachable"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class SourceView:
    """One source as it stands: `height` is the highest that it has shown, -1 for none."""

    address: str
    state: SourceState = SourceState.WAITING
    detail: str = ""
    height: int = -1


class Standing(NamedTuple):
    """All of it at one time. Counts are since the start of the follower.

    `stuck`: for long nothing could be followed, for an error of this program's own.
    """

    states: Mapping[str, SourceState]
    refusals: Mapping[tuple[str, str], int]
    """By the source's address and the code."""
    faults: Mapping[str, int]
    """Unexpected errors while a source was followed, by its address."""
    evidence: Mapping[str, int]
    """Kept, by kind."""
    stuck: bool = False


NOTHING_YET = Standing({}, {}, {}, {})
