"""What a member's outbox holds: publications, their records, and the transactions that carry them.

    NewPublication -> Publication      prepared: its records are `Waiting`
    Signed                             they stand in signed transactions
    Recorded -> RecordAnswer           the ledger has them, executed or refused

>>> group = Group(11, bytes(16), submissions=(0, 1, 2), records=(b"a", b"b", b"c"))
>>> [(waiting.numbers, waiting.records) for waiting in split_waiting(7, [group], signed={1})]
[((0, 2), (b'a', b'c'))]
"""

from collections.abc import Container, Iterator, Sequence
from dataclasses import dataclass, field
from enum import IntEnum

from service.store.home.prepared import Carries, Group


class PublicationState(IntEnum):
    """How far all records of a publication have come; what follows is the ledger's to say."""

    PREPARED = 1
    SIGNED = 2
    RECORDED = 3


@dataclass(frozen=True, slots=True)
class NewPublication:
    """A request to publish, ready to be stored.

    `digest` (32 bytes) stands for all that the caller sent; `answer` is what it will be told, now
    and each time it repeats the request; `groups` are the records, not yet signed.
    """

    idempotency_key: str
    digest: bytes
    created_at: int
    answer: bytes
    groups: tuple[Group, ...]


@dataclass(frozen=True, slots=True)
class Publication:
    """A stored publication: counts of its records, and the last block that recorded one."""

    publication_id: int
    idempotency_key: str
    digest: bytes
    created_at: int
    records: int
    signed: int
    recorded: int
    refused: int
    height: int | None
    recorded_time: int | None

    @property
    def state(self) -> PublicationState:
        """The step that every record has reached; one without records is through."""
        if self.recorded == self.records:
            return PublicationState.RECORDED
        if self.signed == self.records:
            return PublicationState.SIGNED
        return PublicationState.PREPARED


@dataclass(frozen=True, slots=True)
class Waiting:
    """Records of one publication and group that are in no signed transaction yet."""

    publication_id: int
    action: int
    arrangement_id: bytes
    numbers: tuple[int, ...]
    records: tuple[bytes, ...]


@dataclass(frozen=True, slots=True)
class Signed:
    """A signed transaction: the author's sequence number, its bytes, and what it carries."""

    sequence: int
    data: bytes
    carries: Carries = field(default_factory=Carries)


@dataclass(frozen=True, slots=True)
class Recorded:
    """Where a transaction entered the log; `refusals` gives position and code of those refused."""

    sequence: int
    log_index: int
    height: int
    time: int
    refusals: dict[int, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class RecordAnswer:
    """What became of one record: its place in the ledger, and a code if it was refused."""

    submission: int
    arrangement_id: bytes
    log_index: int
    position: int
    code: str


def split_waiting(
    publication_id: int, groups: Sequence[Group], signed: Container[int] = frozenset()
) -> Iterator[Waiting]:
    """Yield the records of a publication, by group, without the numbers in `signed`.

    With nothing signed: what a publication just stored leaves to be signed.
    """
    first = 0
    for group in groups:
        end = first + len(group.records)
        numbers = tuple(number for number in range(first, end) if number not in signed)
        records = tuple(group.records[number - first] for number in numbers)
        if numbers:
            yield Waiting(publication_id, group.action, group.arrangement_id, numbers, records)
        first = end
