"""The read view: everything known at one height, unchanging while the machine moves on.

A `State` is two things. Its own fields are immutable and small: the header, the version of the map,
the members, the arrangements, what each author has verified. The large rest lies in `Facts`, which
only grow and which all states of a machine share; a state reads from them no further than its own
height and log size. So a state costs nothing to keep, needs no lock, and always answers the same.

It implements `ledger.state.view.StateView`, the questions that `evaluate` asks, and adds what
proofs, receipts and delivery reports need.
"""

from bisect import bisect_right
from collections.abc import Container, Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

from ledger.chain.economy import CODES
from ledger.chain.genesis import Genesis
from ledger.chain.header import Header
from ledger.chain.history import HistoryEntry
from ledger.chain.keys import AuthorObject
from ledger.chain.parameters import Parameters
from ledger.chain.signing_set import SigningSet, SigningSets
from ledger.customs.arrangement import ArrangementHistory
from ledger.customs.report import ReportName
from ledger.customs.status import parse_status_of
from ledger.errors import NotKept
from ledger.state.alias import parse_alias
from ledger.state.facts import Book, BookKey, Facts
from ledger.state.map_updates import MapUpdater, MapVersion
from ledger.state.membership import REMOVED, Membership
from ledger.state.packed import ENTRY_BYTES, HEAD_BYTES, PACKED_ENTRY, PlacedRecord, unpack
from ledger.state.proposals import ProposalState
from ledger.state.view import (
    AliasEntry,
    MemberEntry,
    PairEntry,
    SpeakerEntry,
    StatusEntry,
    SuccessorEntry,
)

_NO_BOOK: Book = {}


class Arrangement(NamedTuple):
    """An arrangement's life; the head (32 bytes) and the entries of its history on the ledger."""

    head: bytes
    history: ArrangementHistory
    records: tuple[HistoryEntry, ...]


class Pair(NamedTuple):
    """What two economies have agreed; the head and the entries of that history on the ledger."""

    head: bytes
    entries: tuple[PairEntry, ...]
    records: tuple[HistoryEntry, ...]


class PublishedReport(NamedTuple):
    """A monitoring report; the head and the entries of its history on the ledger.

    `report_hash` is of the newest version, which `signed_by` have signed and which `corrected`
    versions came before.
    """

    name: ReportName
    head: bytes
    records: tuple[HistoryEntry, ...]
    report_hash: bytes
    corrected: int
    signed_by: tuple[str, ...]


class VerifiedBy(NamedTuple):
    """The header that a member's newest transaction says it has verified. Time: Unix ms."""

    height: int
    header_hash: bytes
    time: int


@dataclass(frozen=True, slots=True, eq=False)
class State:
    """The ledger at one height. Hashes have 32 bytes, times are Unix milliseconds."""

    genesis: Genesis
    header: Header
    header_bytes: bytes
    header_hash: bytes
    signing_sets: SigningSets
    # The height from which on the map holds the pending set; 0 while none is pending.
    pending_since: int
    # Every set that was current, each with the height of the first header that names it.
    current_sets: tuple[tuple[int, SigningSet], ...]
    parameters: Parameters
    parameter_bytes: bytes
    membership: Membership
    # By id (16 bytes), in the order of their proposing.
    proposals: Mapping[bytes, ProposalState]
    authors: Mapping[str, AuthorObject]
    arrangements: Mapping[bytes, Arrangement]
    # By the party; by the two economies, ascending, joined.
    arrangements_of: Mapping[str, tuple[bytes, ...]]
    pairs: Mapping[str, Pair]
    facts: Facts
    updates: MapUpdater
    map_version: MapVersion
    reports: Mapping[ReportName, PublishedReport] = field(default_factory=dict)

    @property
    def network_id(self) -> bytes:
        """The network's id, 32 bytes."""
        return self.genesis.network_id

    @property
    def pilot(self) -> bool:
        """Whether one operator may hold all keys."""
        return self.genesis.pilot

    @property
    def rules_version(self) -> int:
        """Version of the rules in force."""
        return self.parameters.rules_version

    @property
    def default_staleness_limit(self) -> int:
        """How long, in ms, a status stays fresh where an arrangement says nothing."""
        return self.parameters.default_staleness_limit

    @property
    def heartbeat_interval(self) -> int:
        """How often, in ms, a member that has nothing to say says so."""
        return self.parameters.heartbeat_interval

    @property
    def height(self) -> int:
        """This view's height."""
        return self.header.height

    @property
    def base_height(self) -> int:
        """Where this ledger's knowledge begins: 0, or the height of the snapshot it began with.

        What was known at an earlier height is not for this state to say: see `Facts.base`.
        """
        return self.facts.base

    @property
    def base_log_size(self) -> int:
        """The log's size at `base_height`."""
        return self.facts.log_sizes[self.facts.base]

    @property
    def header_time(self) -> int:
        """Time of this view's header."""
        return self.header.time

    @property
    def genesis_time(self) -> int:
        """When the network began."""
        return self.genesis.created_at

    @property
    def log_size(self) -> int:
        """How many log entries there are."""
        return self.header.log_size

    def members(self) -> Sequence[MemberEntry]:
        """Everyone who ever was a member, ascending by economy."""
        return self.membership.entries

    def member_since(self, economy: str) -> int:
        """Since when a member is one without a break; 0 for anybody else."""
        member = self.membership.all.get(economy)
        return 0 if member is None or member.standing == REMOVED else member.time

    def member_records(self, economy: str) -> tuple[HistoryEntry, ...]:
        """The history of a member (kind 3), oldest first; empty for who never was one."""
        return self.membership.records(economy)

    def prefix_records(self, prefix: str) -> tuple[HistoryEntry, ...]:
        """The history of a prefix (kind 10), oldest first; empty when nobody ever spoke for it."""
        return self.membership.prefix_records(prefix)

    def signing_set_of(self, height: int) -> SigningSet:
        """The set that seals the header at `height`, from 0 to this one's."""
        if not 0 <= height <= self.height:
            raise IndexError(f"no header {height} below {self.height}")
        return next(each for first, each in reversed(self.current_sets) if first <= height)

    def prefixes(self) -> Container[str]:
        """The TIN prefixes that some member speaks for now."""
        return self.membership.prefixes

    def speaker_history(self, prefix: str) -> Sequence[SpeakerEntry]:
        """Who spoke for `prefix`, oldest first; empty when nobody ever did."""
        return self.membership.speakers.get(prefix, ())

    def pair_history(self, a: str, b: str) -> Sequence[PairEntry]:
        """The arrangements that all parties have signed between `a` and `b`, in either order."""
        pair = self.pairs.get(pair_name(a, b))
        return () if pair is None else pair.entries

    def own_arrangements(self, economy: str) -> Sequence[bytes]:
        """Ids of every arrangement proposed with `economy` as a party, itself alone included."""
        return self.arrangements_of.get(economy, ())

    def arrangement(self, arrangement_id: bytes) -> ArrangementHistory | None:
        """The life of one arrangement, or None where nobody proposed it."""
        found = self.arrangements.get(arrangement_id)
        return None if found is None else found.history

    def subject(self, arrangement_id: bytes, issuer: str, subject: bytes) -> Sequence[StatusEntry]:
        """All executed records of one subject (32 bytes), oldest first; empty when absent."""
        packed = self.facts.statuses.get(book_key(arrangement_id, issuer), _NO_BOOK).get(subject)
        return [] if packed is None else self.read_subject(subject, packed)[0]

    def read_subject(self, subject: bytes, packed: bytes) -> tuple[list[StatusEntry], bool]:
        """The records in `packed` that this state knows, and whether that is all of them."""
        times, log_sizes, log_size = self.facts.times, self.facts.log_sizes, self.header.log_size
        entries: list[StatusEntry] = []
        # As `unpack`, in one pass and without a second copy of the subject: a look-up reads this.
        offset, size = HEAD_BYTES, len(packed)
        while offset < size:
            log_index, position, length = PACKED_ENTRY.unpack_from(packed, offset)
            if log_index >= log_size:
                return entries, False
            start = offset + ENTRY_BYTES
            offset = start + length
            height = bisect_right(log_sizes, log_index)
            record = parse_status_of(subject, packed[start:offset])
            entries.append(StatusEntry(height, times[height], log_index, position, record))
        return entries, True

    def subject_records(
        self, arrangement_id: bytes, issuer: str, subject: bytes
    ) -> Sequence[PlacedRecord]:
        """The same as exact bytes, to hash a history again."""
        book = self.facts.statuses.get(book_key(arrangement_id, issuer), _NO_BOOK)
        return unpack(subject, book.get(subject), self.log_size)

    def subjects(self, arrangement_id: bytes, issuer: str) -> list[bytes]:
        """Every subject with an executed record, in order of their first record."""
        book = self.facts.statuses.get(book_key(arrangement_id, issuer), _NO_BOOK)
        size = self.log_size
        # One step of the interpreter: no record can come in between.
        items = list(book.items())
        return [subject for subject, packed in items if unpack(subject, packed, size)]

    def successors(
        self, arrangement_id: bytes, issuer: str, subject: bytes
    ) -> Sequence[SuccessorEntry]:
        """Executed records that name `subject` as RENUMBERED predecessor, oldest first."""
        book = self.facts.successors.get(book_key(arrangement_id, issuer))
        if book is None:
            return []
        height = self.height
        return [entry for entry in book.get(subject, ()) if entry.height <= height]

    def alias(self, arrangement_id: bytes, issuer: str, alias: bytes) -> Sequence[AliasEntry]:
        """All executed records of one alias (32 bytes), oldest first; empty when absent."""
        entries = []
        for log_index, position, data in self.alias_records(arrangement_id, issuer, alias):
            height, time = self.place_of(log_index)
            record = parse_alias(data)
            entries.append(
                AliasEntry(
                    height,
                    time,
                    log_index,
                    position,
                    record.subject,
                    record.valid_from,
                    record.valid_to,
                )
            )
        return entries

    def alias_records(
        self, arrangement_id: bytes, issuer: str, alias: bytes
    ) -> Sequence[PlacedRecord]:
        """The same as exact bytes."""
        book = self.facts.aliases.get(book_key(arrangement_id, issuer), _NO_BOOK)
        return unpack(alias, book.get(alias), self.log_size)

    def author_seen(self, economy: str, height: int) -> int | None:
        """Time of the newest transaction of `economy` at or below `height`; None if it has none.

        Raises `NotKept` where a snapshot that the ledger began with does not tell.
        """
        heights = self.facts.seen.get(economy)
        if heights is None:
            return None
        index = bisect_right(heights, min(height, self.height))
        if index:
            return self.facts.times[heights[index - 1]]
        if heights[0] <= self.base_height:
            raise NotKept(
                f"what was known at height {height} of {economy} is not kept here: this ledger"
                f" began with a snapshot of height {self.base_height}; ask a node that has it all"
            )
        return None

    def author_verified(self, economy: str) -> VerifiedBy | None:
        """What the newest transaction of `economy` says it has verified; None if it has none."""
        author = self.authors.get(economy)
        if author is None:
            return None
        return VerifiedBy(
            author.verified_height,
            author.verified_header_hash,
            self.facts.times[author.verified_height],
        )

    def next_sequence(self, economy: str) -> int:
        """The number that the next transaction of `economy` must have."""
        author = self.authors.get(economy)
        return 1 if author is None else author.sequence + 1

    def time_of(self, height: int) -> int:
        """Time of the header at `height`, from 0 to this one's."""
        if not 0 <= height <= self.height:
            raise IndexError(f"no header {height} below {self.height}")
        return self.facts.times[height]

    def height_at(self, time: int) -> int:
        """Newest height whose header is not later than `time`; -1 before genesis."""
        return bisect_right(self.facts.times, time, 0, self.height + 1) - 1

    def log_size_of(self, height: int) -> int:
        """How many log entries the first `height` blocks have."""
        if not 0 <= height <= self.height:
            raise IndexError(f"no header {height} below {self.height}")
        return self.facts.log_sizes[height]

    def place_of(self, log_index: int) -> tuple[int, int]:
        """Height and time at which log entry `log_index` was recorded."""
        height = self.facts.height_of_entry(log_index)
        return height, self.facts.times[height]

    def results(self, log_index: int) -> tuple[tuple[int, str], ...]:
        """The refused records of a log entry, as (position, code); all others were executed."""
        if not 0 <= log_index < self.log_size:
            raise IndexError(f"no log entry {log_index} below {self.log_size}")
        if log_index < self.base_log_size:
            raise IndexError(f"of log entry {log_index} a snapshot does not tell the results")
        return self.facts.refused.get(log_index, ())

    def prove(self, key: bytes) -> bytes:
        """The map proof of the value of `key`, or of its absence, under this header."""
        return self.updates.prove(self.map_version, key)

    def prove_entry(self, log_index: int) -> list[bytes]:
        """Inclusion proof of a log entry under this header's log root."""
        return self.facts.log.prove_inclusion(log_index, self.log_size)

    def prove_log(self, earlier_size: int) -> list[bytes]:
        """Consistency proof from the log of `earlier_size` to this header's."""
        return self.facts.log.prove_consistency(earlier_size, self.log_size)

    def prove_header(self, height: int) -> list[bytes]:
        """Inclusion proof of an earlier header's hash under this header's root over them."""
        return self.facts.headers.prove_inclusion(height, self.height)


def book_key(arrangement_id: bytes, issuer: str) -> BookKey:
    """Where the records of `issuer` under an arrangement are kept."""
    return arrangement_id + CODES.get(issuer, b"")


def pair_name(a: str, b: str) -> str:
    """Where the arrangements of two economies are kept."""
    return a + b if a < b else b + a
