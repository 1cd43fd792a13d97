"""One block in the making, laid over a state that it leaves as it is.

Actions write here: changed objects whole, keyed as in `Facts` and `State`, and the map leaves that
change with them (for subjects only where `map_changes` are wanted: a node's start makes the map
once, at the end). What was not changed is read from the state below. When the block is stored,
`Machine.advance` adds all of it to the facts; when it is not, it is dropped.
"""

from array import array

from ledger.chain.keys import SIGNING_SETS_KEY, AuthorObject, object_value
from ledger.chain.signing_set import SigningSets, format_signing_sets
from ledger.customs.report import ReportName
from ledger.state.facts import Book, BookKey, Successors, merge_books
from ledger.state.membership import Membership
from ledger.state.proposals import ProposalState
from ledger.state.state import Arrangement, Pair, PublishedReport, State, pair_name
from ledger.state.view import SuccessorEntry

# arrangement id, issuer, subject
Touched = tuple[bytes, str, bytes]


class Draft:
    """What one block changes. `height` and `time` (Unix ms) are those of its header."""

    __slots__ = (
        "aliases",
        "arrangements",
        "arrangements_of",
        "authors",
        "base",
        "changes",
        "current_sets",
        "entered",
        "facts",
        "height",
        "leaves",
        "map_changes",
        "membership",
        "pairs",
        "parameter_bytes",
        "parameters",
        "pending_since",
        "proposals",
        "refused",
        "reports",
        "signing_sets",
        "statuses",
        "successors",
        "time",
        "touched",
    )

    def __init__(self, base: State, time: int, *, map_changes: bool = True) -> None:
        self.base = base
        self.facts = base.facts
        self.height = base.header.height + 1
        self.time = max(time, base.header.time + 1)
        self.entered: list[bytes] = []
        self.leaves: list[bytes] = []
        self.refused: dict[int, tuple[tuple[int, str], ...]] = {}
        self.statuses: dict[BookKey, Book] = {}
        self.aliases: dict[BookKey, Book] = {}
        self.successors: dict[BookKey, Successors] = {}
        self.authors: dict[str, AuthorObject] = {}
        self.arrangements: dict[bytes, Arrangement] = {}
        self.arrangements_of: dict[str, tuple[bytes, ...]] = {}
        self.pairs: dict[str, Pair] = {}
        self.reports: dict[ReportName, PublishedReport] = {}
        self.membership = base.membership
        self.signing_sets = base.signing_sets
        self.pending_since = base.pending_since
        self.current_sets = base.current_sets
        self.parameters = base.parameters
        self.parameter_bytes = base.parameter_bytes
        self.proposals: dict[bytes, ProposalState] = {}
        self.map_changes = map_changes
        self.changes: dict[bytes, bytes] = {}
        self.touched: list[Touched] = []

    @property
    def log_index(self) -> int:
        """The log index of the next transaction to enter."""
        return self.base.header.log_size + len(self.entered)

    def author(self, economy: str) -> AuthorObject | None:
        """The author object now."""
        return self.authors.get(economy) or self.base.authors.get(economy)

    def arrangement(self, arrangement_id: bytes) -> Arrangement | None:
        """An arrangement as it is now."""
        return self.arrangements.get(arrangement_id) or self.base.arrangements.get(arrangement_id)

    def own_arrangements(self, economy: str) -> tuple[bytes, ...]:
        """The arrangements proposed with a party, now."""
        return self.arrangements_of.get(economy) or self.base.arrangements_of.get(economy, ())

    def pair(self, a: str, b: str) -> Pair | None:
        """What two economies have agreed, now."""
        name = pair_name(a, b)
        return self.pairs.get(name) or self.base.pairs.get(name)

    def proposal(self, proposal_id: bytes) -> ProposalState | None:
        """A proposal as it is now."""
        return self.proposals.get(proposal_id) or self.base.proposals.get(proposal_id)

    def report(self, name: ReportName) -> PublishedReport | None:
        """A monitoring report as it is now."""
        return self.reports.get(name) or self.base.reports.get(name)

    def own_reports(self, arrangement_id: bytes, reporter: str) -> list[ReportName]:
        """Names of every report of one party on one arrangement, now."""
        return [
            name
            for name in (*self.base.reports, *self.reports)
            if name[:2] == (arrangement_id, reporter)
        ]

    def change_membership(self, membership: Membership) -> None:
        """Replace the membership, and the leaves in which it differs."""
        before = dict(self.membership.leaves())
        self.changes.update(
            (key, value) for key, value in membership.leaves() if before.get(key) != value
        )
        self.membership = membership

    def change_signing_sets(self, sets: SigningSets) -> None:
        """Put other signing sets in force: a pending one beside the current, or in its place."""
        if sets.current != self.signing_sets.current:
            self.current_sets = (*self.current_sets, (self.height, sets.current))
        self.pending_since = 0 if sets.pending is None else self.height
        self.signing_sets = sets
        self.changes[SIGNING_SETS_KEY] = object_value(format_signing_sets(sets))

    def add_successor(self, key: BookKey, predecessor: bytes, entry: SuccessorEntry) -> None:
        """Note that a record names `predecessor` (a subject) as the same person's older number."""
        book = self.successors.setdefault(key, {})
        before = book.get(predecessor) or self.facts.successors.get(key, {}).get(predecessor, ())
        book[predecessor] = (*before, entry)

    def add_to_facts(self, header_hash: bytes) -> None:
        """Make what this block adds part of the shared facts, for views that come after it."""
        facts = self.facts
        merge_books(facts.statuses, self.statuses)
        merge_books(facts.aliases, self.aliases)
        merge_books(facts.successors, self.successors)
        facts.refused.update(self.refused)
        facts.grow(self.leaves, header_hash, self.time)
        for economy in self.authors:
            facts.seen.setdefault(economy, array("Q")).append(self.height)

    def place_of(self, log_index: int) -> tuple[int, int]:
        """Height and time of a log entry, this block's included."""
        if log_index >= self.base.header.log_size:
            return self.height, self.time
        return self.base.place_of(log_index)
