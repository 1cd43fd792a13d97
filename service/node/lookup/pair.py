"""What rows about one pair have in common: what was read about it, and the head of their verdicts.

A row (`service.node.lookup.desk`) holds while the facts of its pair do. They are checked once for
each state, and the middle of the verdict is made with it: which header, how fresh the issuer is,
until when the answer may be kept, who asks whom. Rows that read the same books form a group.
"""

from collections.abc import Callable, Mapping
from struct import Struct
from typing import Any, Final, NamedTuple, TypeAlias

from aeo.exchange.v1.status_service_pb2 import Finality
from ledger.chain.parameters import Parameters
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Times, Verdict, format_verdict
from ledger.state.facts import BookKey
from ledger.state.state import State
from service.node.lookup.verdict_parts import cut_before
from service.node.lookup.witness import PairReads, Witness, still_so

MAX_GROUPS: Final = 256
"""Combinations of books of one pair; beyond it they are learnt anew."""

MAX_IDLE: Final = 64
"""Witnesses kept of one pair: as many as calls that may be under way at once."""

_AS_OF: Final = Struct("<2sq")
_AS_OF_TAG: Final = b"\x81\x02"
_VERDICT_TIN_TAG: Final = b"\x92\x02"
_FIELD_AS_OF: Final = 32
# Fields 20 to 31 of a verdict: where the ledger stood, and who asked whom.
_PLACE: Final = slice(Verdict._fields.index("height"), Verdict._fields.index("as_of"))

BookGet: TypeAlias = Callable[[bytes], bytes | None]
Keys: TypeAlias = Mapping[bytes, LookupKey]
Instructions: TypeAlias = Mapping[int, str]


class Position(NamedTuple):
    """Where the ledger stands for one call, and when the call came."""

    state: State
    times: Times
    finality: Finality


class Pair:
    """What was read for the traders of one prefix, apart from their histories. Never changes."""

    __slots__ = (
        "_idle",
        "groups",
        "instructions",
        "issuer",
        "keys",
        "limit",
        "parameters",
        "reads",
    )

    def __init__(
        self,
        issuer: str,
        reads: PairReads,
        parameters: Parameters,
        keys: Keys,
        instructions: Instructions,
    ) -> None:
        self.issuer = issuer
        self.reads = dict(reads)
        self.parameters = parameters
        self.keys = keys
        self.instructions = dict(instructions)
        # Of the pair's staleness limits the shortest: while that is kept, so are all.
        default = parameters.default_staleness_limit
        told = [found for (method, *_), found in reads.items() if method == "arrangement"]
        limits = [found.text.staleness_limit or default for found in told if found is not None]
        self.limit = min(limits, default=0)
        self.groups: dict[tuple[BookKey, ...], Group] = {}
        # Witnesses that no call is using; the newest is taken first.
        self._idle: list[Witness] = []

    def holds(self, state: State) -> bool:
        """Whether all that was read is so in `state`."""
        return self.parameters is state.parameters and still_so(self.reads, state)

    def take_witness(self, state: State) -> Witness | None:
        """A witness under `state` that was told what this pair holds; None where that is not so.

        One that was given back under the same state needs no second check.
        """
        try:
            witness = self._idle.pop()
        except IndexError:
            witness = None
        if witness is not None and witness.state is state:
            return witness
        return Witness(state, self.reads) if self.holds(state) else None

    def give_back(self, witness: Witness) -> None:
        """Keep a witness for the next call, unless it has been told more than this pair holds."""
        if len(witness.pair_reads) == len(self.reads) and len(self._idle) < MAX_IDLE:
            witness.begin()
            self._idle.append(witness)

    def asks_alike(self, keys: Keys, instructions: Instructions) -> bool:
        """Whether a call has the same keys and instructions."""
        return keys is self.keys and instructions == self.instructions

    def group(self, recogniser: str, books: tuple[BookKey, ...]) -> "Group":
        """The rows of those who read these books, in this order."""
        group = self.groups.get(books)
        if group is None:
            if len(self.groups) >= MAX_GROUPS:
                self.groups.clear()
            group = self.groups[books] = Group(self, recogniser, books)
        return group


class Head(NamedTuple):
    """A group under one state and attested time: what follows and precedes the time of the call.

    `fresh_until`: the last instant at which nothing is stale; 0 where rows cannot be used.
    """

    state: State
    attested_time: int
    fresh_until: int
    cache_until: int
    before_as_of: bytes
    after_as_of: bytes
    gets: tuple[BookGet, ...]
    renumbered: tuple[Mapping[bytes, object], ...]
    place: tuple[Any, ...]

    def is_of(self, verdict: Verdict, now: int) -> bool:
        """Whether fields 20 to 33 of a verdict are those of this head, asked now."""
        return (
            verdict[_PLACE] == self.place
            and verdict.as_of == now
            and verdict.known_at == self.state.header_time
        )


# What one call needs of a group: the bytes between row and TIN, the least end of an interval, then
# of the head the books and the numbers that lead on, and the head itself.
Prepared: TypeAlias = tuple[
    bytes, int, tuple[BookGet, ...], tuple[Mapping[bytes, object], ...], Head
]


class Group:
    """Rows that read the same facts about a pair, from the same books. Only `head` moves."""

    __slots__ = ("books", "head", "pair", "recogniser")

    def __init__(self, pair: Pair, recogniser: str, books: tuple[BookKey, ...]) -> None:
        self.pair = pair
        self.recogniser = recogniser
        self.books = books
        self.head: Head | None = None

    def prepare(
        self, position: Position, keys: Keys, instructions: Instructions
    ) -> Prepared | None:
        """What a call needs to use the group's rows; None where it must not."""
        state, (now, attested_time), _ = position
        if not self.pair.asks_alike(keys, instructions):
            return None
        head = self.head
        if head is None or head.state is not state or head.attested_time != attested_time:
            head = self.head = self._make_head(state, attested_time)
        if now > head.fresh_until:
            return None
        middle = head.before_as_of + _AS_OF.pack(_AS_OF_TAG, now) + head.after_as_of
        end = max(now + 1, head.cache_until)
        return middle, end, head.gets, head.renumbered, head

    def _make_head(self, state: State, attested_time: int) -> Head:
        pair = self.pair
        seen = state.author_seen(pair.issuer, state.height)
        fresh_until = 0
        cache_until = state.header_time + state.heartbeat_interval
        if seen is not None and pair.holds(state):
            fresh_until = min(seen, attested_time) + pair.limit
            if cache_until > fresh_until + 1:
                fresh_until = 0
        said = Verdict(
            name_match=0,
            height=state.height,
            header_hash=state.header_hash,
            issuer_seen=seen or 0,
            attested_time=attested_time,
            cache_until=cache_until,
            issuing_economy=pair.issuer,
            recognising_economy=self.recogniser,
            known_at=state.header_time,
        )
        data = format_verdict(said)
        cut = cut_before(data, _FIELD_AS_OF)
        facts = state.facts
        return Head(
            state,
            attested_time,
            fresh_until,
            cache_until,
            data[:cut],
            data[cut:] + _VERDICT_TIN_TAG,
            tuple([facts.statuses.get(book, {}).get for book in self.books]),
            tuple([found for book in self.books if (found := facts.successors.get(book))]),
            tuple(said)[_PLACE],
        )
