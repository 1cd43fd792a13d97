"""What a question may read: one position of the ledger and everything recorded up to it.

Facts are only ever added, each with the height and time at which it was recorded. So one view
answers every *known at*: whoever asks about height k reads the entries whose height is at most k. A
view itself never shows an entry above its own `height`, even while the machine moves on.

`Machine` implements this protocol over the whole state; the tests implement it over a handful of
facts; an offline verifier can implement it over what proofs have shown.

Two indexes are not in the state map but follow from it: the arrangements an economy is a party of,
and, for each subject, the later numbers that name it as their RENUMBERED predecessor.

>>> from types import SimpleNamespace
>>> from ledger.customs.case import speaker_of
>>> history = [SpeakerEntry(0, 1_000, "KR", True), SpeakerEntry(5, 9_000, "KR", False),
...            SpeakerEntry(6, 9_500, "TW", True)]
>>> view = SimpleNamespace(speaker_history=lambda prefix: history)
>>> [speaker_of(view, "KR", known_height) for known_height in (4, 5, 6)]
['KR', '', 'TW']
"""

from collections.abc import Container, Sequence
from typing import NamedTuple, Protocol

from ledger.customs.arrangement import ArrangementHistory
from ledger.customs.status import StatusRecord


class MemberEntry(NamedTuple):
    """Who is or was a member, and when it became one (founders: height 0, time of genesis).

    Of one that was removed and came back, the height and time are those of its coming back; name
    and time zone are the newest.
    """

    economy: str
    height: int
    time: int
    name: str
    time_zone: str


class SpeakerEntry(NamedTuple):
    """From here on `economy` speaks for the prefix (`begins`), or no longer does."""

    height: int
    time: int
    economy: str
    begins: bool


class PairEntry(NamedTuple):
    """The signature that completed an arrangement between two economies."""

    height: int
    time: int
    arrangement_id: bytes


class StatusEntry(NamedTuple):
    """A status record that was executed, at its place in the ledger. Time: recorded, Unix ms."""

    height: int
    time: int
    log_index: int
    position: int
    record: StatusRecord


class AliasEntry(NamedTuple):
    """An alias that leads to a subject (32 bytes) from `valid_from` to `valid_to` (0: no end).

    Of several entries for one subject the newest in ledger order counts.
    """

    height: int
    time: int
    log_index: int
    position: int
    subject: bytes
    valid_from: int
    valid_to: int


class SuccessorEntry(NamedTuple):
    """A record of the new number `subject` that named an older one as RENUMBERED predecessor.

    `log_index` and `position` are that record's place in the history of the new subject.
    """

    height: int
    log_index: int
    position: int
    subject: bytes


class StateView(Protocol):
    """Everything known at one position of the ledger. Times are Unix milliseconds."""

    @property
    def network_id(self) -> bytes:
        """The network, 32 bytes."""

    @property
    def pilot(self) -> bool:
        """Whether one operator may hold all keys."""

    @property
    def rules_version(self) -> int:
        """Version of the rules of recognition in force."""

    @property
    def default_staleness_limit(self) -> int:
        """Milliseconds, for arrangements whose text names no limit."""

    @property
    def heartbeat_interval(self) -> int:
        """Milliseconds."""

    @property
    def height(self) -> int:
        """Of the newest header."""

    @property
    def header_hash(self) -> bytes:
        """Of the newest header, 32 bytes."""

    @property
    def header_time(self) -> int:
        """Of the newest header."""

    @property
    def genesis_time(self) -> int:
        """Of header 0."""

    def members(self) -> Sequence[MemberEntry]:
        """Everyone who ever was a member, ascending by economy."""

    def prefixes(self) -> Container[str]:
        """The TIN prefixes that some member speaks for now."""

    def speaker_history(self, prefix: str) -> Sequence[SpeakerEntry]:
        """Who spoke for `prefix`, oldest first; empty when nobody ever did."""

    def pair_history(self, a: str, b: str) -> Sequence[PairEntry]:
        """The arrangements that all parties have signed between `a` and `b`, in either order."""

    def own_arrangements(self, economy: str) -> Sequence[bytes]:
        """Ids of every arrangement proposed with `economy` as a party, itself alone included."""

    def arrangement(self, arrangement_id: bytes) -> ArrangementHistory | None:
        """The life of one arrangement, or None where nobody proposed it."""

    def subject(self, arrangement_id: bytes, issuer: str, subject: bytes) -> Sequence[StatusEntry]:
        """All executed records of one subject (32 bytes), oldest first; empty when absent."""

    def successors(
        self, arrangement_id: bytes, issuer: str, subject: bytes
    ) -> Sequence[SuccessorEntry]:
        """Executed records that name `subject` as RENUMBERED predecessor, oldest first.

        SUCCEEDED is not among them: after a merger nothing leads on. Mostly empty.
        """

    def alias(self, arrangement_id: bytes, issuer: str, alias: bytes) -> Sequence[AliasEntry]:
        """All executed records of one alias (32 bytes), oldest first; empty when absent."""

    def author_seen(self, economy: str, height: int) -> int | None:
        """Time of the newest transaction of `economy` at or below `height`; None if it has none."""

    def time_of(self, height: int) -> int:
        """Time of the header at `height`, from 0 to the view's own."""

    def height_at(self, time: int) -> int:
        """Newest height whose header is not later than `time`; -1 before genesis."""
