"""What the embedded replica remembers: answers by TIN, and what must be so for them to hold.

A row is an answer to one question, with everything that it rests on: the group of its pair
(`service.node.lookup.pair`), an interval, and the packed histories that were read. `Ready` is a
group under the state and seal of now.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple, TypeAlias

from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Verdict
from ledger.state.facts import BookKey
from service.node.lookup.pair import BookGet, Group, Head
from service.node.replica.answer import Place
from service.node.replica.prepared import PreparedBook

# Group, holds from, holds to, own fields, TIN, then subject and packed history for each book read.
Row: TypeAlias = tuple[Any, ...]
NO_BOOK: Final[dict[bytes, bytes]] = {}
FIRST_READ: Final = 5
ONE_READ: Final = FIRST_READ + 2


@dataclass(slots=True)
class Shape:
    """Questions that differ by their TIN alone."""

    like: Query
    rows: dict[str, Row] = field(default_factory=dict)
    prepared: dict[BookKey, PreparedBook] = field(default_factory=dict)


class Ready(NamedTuple):
    """A group under the state and seal of now."""

    place: Place
    fresh_until: int
    cache_until: int
    renumbered: Sequence[Mapping[bytes, object]]
    first_get: BookGet
    head: Head


class Single(NamedTuple):
    """How a prefix whose pair has one arrangement leads to histories."""

    group: Group
    key: LookupKey
    book: BookKey
    get: BookGet


def holds(row: Row, ready: Ready) -> bool:
    """Whether every history that a row rests on is the same object, and none leads on."""
    reads = row[FIRST_READ:]
    for get, subject, packed in zip(ready.head.gets, reads[::2], reads[1::2], strict=True):
        if get(subject) is not packed or any(subject in book for book in ready.renumbered):
            return False
    return True


def is_of_the_pair(head: Head, now: int, verdict: Verdict) -> bool:
    """Whether a verdict, asked now, says of the pair what all of its answers do."""
    return head.is_of(verdict, now)
