r"""The replica inside a risk engine's own process: open a folder, ask. No call leaves the process.

    with open_replica("replica") as replica:
        answer = replica.evaluate("KR1234567890", function="EX", direction="IMPORT", mode=1)

The folder is one that `aeo replica run` keeps, or a node's own on the same machine. Every
`REFRESH_MS`, when a question comes, what has been stored there since is read first; so an answer is
at most that much older than the folder. Where nobody writes there any more, the ledger grows stale
and the answers say so, as a node's would. For one thread; each thread opens its own.

Answers are `evaluate`'s, byte for byte, and are remembered as a node's desk remembers them
(`service.node.lookup.desk`): by question, for as long as every fact that was read is the same
object, within the interval over which the verdict holds, and before anything grows stale. So there
are three kinds of questions about now, measured on 200,000 traders in one thread:

    asked before     found by TIN; nothing is hashed or read
    prepared         new, but `prepare` has evaluated every trader for questions like it: the TIN is
                     hashed to a subject, whose answer is there
    cold             evaluated, then remembered

`prepare` knows no TIN: it goes by subjects (`service.node.replica.prepared`), for pairs with one
arrangement. Where a pair has several, who is who under the other one is not known before a TIN is
asked about, and its questions start cold; so do those about what a later block changed.

Other questions (another time, an alias) are evaluated in full each time. One that declares a name
or an address is refused: a replica holds no profiles, and PARTY_MISMATCH would be untrue.

What is remembered holds TINs, at most `REMEMBERED` of them, and no longer than the process lives;
`forget` drops it. What is prepared holds none. Either is hundreds of thousands of objects that stay
until then. Python's collector is told so by `gc.freeze()`; else it goes through them again and
again, which costs more than the answers. No access log is kept here: whoever embeds a replica notes
in its own records whom it asked about.
"""

from functools import partial
from itertools import islice
from typing import Final, Self, cast

from aeo.exchange.v1.status_service_pb2 import FINALITY_RECORDED
from ledger.customs.evaluate import evaluate
from ledger.customs.profiles import NOTHING_DECLARED
from ledger.customs.tin import Tin, read_canonical
from ledger.customs.verdict import Times
from ledger.state.view import StateView
from service.client.verdicts import Direction, Question
from service.clock import Clock, SystemClock
from service.node.lookup.known_time import KnownTime
from service.node.lookup.pair import Group, Pair, Position
from service.node.lookup.question import read_question
from service.node.lookup.shapes import about
from service.node.lookup.witness import Witness
from service.node.replica.answer import OWN_FIELDS, Answer, Place
from service.node.replica.folder import FollowedLedger
from service.node.replica.nothing_kept import ProfilesElsewhere
from service.node.replica.prepared import NEVER, NOBODYS, prepare_book
from service.node.replica.rows import (
    NO_BOOK,
    ONE_READ,
    Ready,
    Row,
    Shape,
    Single,
    holds,
    is_of_the_pair,
)

REMEMBERED: Final = 1 << 20
"""Answers that are remembered by their TIN, some 0.3 KB each beside what they share."""
DROPPED_AT_ONCE: Final = 16
"""When full, one in so many is dropped."""
MAX_SHAPES: Final = 256
"""Combinations of function, direction, mode, level and dispatch economy asked about."""
REFRESH_MS: Final = 50
"""Between two looks at the folder, which take a third of a millisecond where nothing is new."""
KEYS_REFRESH_MS: Final = 1_000
"""Between two looks at lookup keys and instructions."""


class EmbeddedReplica:
    """Answers for one economy from a folder. Made by `open_replica`; a context manager."""

    def __init__(
        self,
        folder: FollowedLedger,
        remembered: int = REMEMBERED,
        clock: Clock | None = None,
    ) -> None:
        self._folder = folder
        self._limit = remembered
        clock = clock or SystemClock()
        self._clock_ms = clock.now_ms
        self._known_time = KnownTime(clock)
        # How far the clock is behind the ledger, by more than it may be; looked at with the folder.
        self._behind = 0
        self._count = 0
        self._shapes: dict[tuple[str, str, int, str, str], Shape] = {}
        self._look_at = self._look_at_keys = 0
        self._pairs: dict[str, Pair] = {}
        self._begin()

    def close(self) -> None:
        """Close the folder."""
        self._folder.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def __len__(self) -> int:
        """How many answers are remembered by their TIN."""
        return self._count

    @property
    def economy(self) -> str:
        """For whom it answers."""
        return self._folder.economy

    @property
    def height(self) -> int:
        """The ledger's height that was read last."""
        return self._folder.state.height

    def forget(self) -> None:
        """Drop every remembered answer, and the TINs with them."""
        for shape in self._shapes.values():
            shape.rows.clear()
        self._count = 0

    def refresh(self) -> bool:
        """Read what the folder has now, without waiting for the next look; say whether it is new.

        Raises `ChainError` where what follows cannot, and the errors of the store.
        """
        changed = self._folder.refresh()
        known, clock = self._known_time.now_ms(self._folder.state.header_time), self._clock_ms()
        self._behind = max(known - clock, 0)
        now = clock + self._behind
        self._look_at = now + REFRESH_MS
        if now >= self._look_at_keys or now < self._look_at_keys - KEYS_REFRESH_MS:
            self._look_at_keys = now + KEYS_REFRESH_MS
            changed |= self._folder.refresh_keys()
        if changed:
            self._begin()
        return changed

    def evaluate(
        self,
        tin: str,
        function: str,
        direction: Direction = "IMPORT",
        mode: int = 0,
        level: str = "",
        dispatch_economy: str = "",
    ) -> Answer:
        """The verdict on a trader, now. `mode` of transport is required, 1 to 8.

        Raises `QuestionError` for what cannot be asked, `KeyringError` where the lookup key of an
        arrangement is not at hand, and what `refresh` does.
        """
        now = self._clock_ms() + self._behind
        if now >= self._look_at or now < self._look_at - REFRESH_MS:
            self.refresh()
        shape = self._shapes.get((function, direction, mode, level, dispatch_economy))
        if shape is None:
            shape = self._make_shape(function, direction, mode, level, dispatch_economy)
        row = shape.rows.get(tin)
        if row is not None:
            ready = self._ready.get(row[0]) or self._prepare(row[0], now)
            if (
                ready is not None
                and row[1] <= now <= ready[1]
                and now < row[2] >= ready[2]
                # One history, of a pair without numbers that lead on, is the common case.
                and (
                    ready[4](row[5]) is row[6]
                    if len(row) == ONE_READ and not ready[3]
                    else holds(row, ready)
                )
            ):
                return Answer(row[3], ready[0], now, row[4])
        return self._find(shape, tin, now)

    def lookup(self, question: Question) -> Answer:
        """The verdict on any question that needs no profile. Raises as `evaluate`, and
        `ProfilesElsewhere`."""
        self.refresh()
        query = read_question(question.request(), self.economy)
        if query.declared_name or query.declared_address or query.party is not None:
            raise ProfilesElsewhere
        folder, times = self._folder, self._times(self._clock_ms() + self._behind)
        verdict = evaluate(
            query, folder.state, folder.keys, NOTHING_DECLARED, folder.instructions, times
        )
        return Answer.of(verdict, self._finality)

    def prepare(
        self,
        function: str,
        direction: Direction = "IMPORT",
        mode: int = 0,
        level: str = "",
        dispatch_economy: str = "",
    ) -> int:
        """Evaluate every trader on the ledger for questions of this kind; how many there are.

        Takes some 20 us and 0.4 KB for each.
        """
        self.refresh()
        shape = self._make_shape(function, direction, mode, level, dispatch_economy)
        shape.prepared.clear()
        self._held.clear()
        folder, now = self._folder, self._clock_ms() + self._behind
        for prefix in sorted(folder.state.membership.prefixes):
            # The pair is learnt from a question about nobody.
            self._learn(shape, prefix + NOBODYS, now)
            single = self._single(prefix, now)
            if single is None or single.book in shape.prepared:
                continue
            ready = self._prepare(single.group, now)
            if ready is not None:
                shape.prepared[single.book] = prepare_book(
                    about(shape.like, prefix + NOBODYS),
                    folder.state,
                    single.key,
                    list(folder.state.facts.statuses.get(single.book, ())),
                    folder.keys,
                    folder.instructions,
                    self._times(now),
                    partial(is_of_the_pair, ready.head, now),
                )
        return sum(len(book.answers) for book in shape.prepared.values())

    # Under one state, seal, keys and instructions.

    def _begin(self) -> None:
        """Forget what belonged to the state, seal and keys of before."""
        folder = self._folder
        self._finality = "RECORDED"
        if folder.seal is not None and folder.seal.height >= folder.state.height:
            self._finality = "SEALED" if folder.sealed else "ATTESTED"
        self._ready: dict[Group, Ready] = {}
        self._singles: dict[str, Single | None] = {}
        self._held: dict[int, bool] = {}
        self._witnesses: dict[str, tuple[Witness, Pair | None]] = {}

    def _times(self, now: int) -> Times:
        seal = self._folder.seal
        return Times(now, 0 if seal is None else seal.attested_time)

    def _prepare(self, group: Group, now: int) -> Ready | None:
        ready = self._ready.get(group)
        if ready is None:
            folder = self._folder
            position = Position(folder.state, self._times(now), FINALITY_RECORDED)
            prepared = group.prepare(position, folder.keys, folder.instructions)
            if prepared is None:
                return None
            head = prepared[4]
            # Of the books as they are now: one that was not there before may have begun.
            first = head.gets[0] if head.gets else NO_BOOK.get
            place = Place(head.place, folder.state.header_time, self._finality)
            ready = Ready(place, head.fresh_until, head.cache_until, head.renumbered, first, head)
            self._ready[group] = ready
        return ready if now <= ready.fresh_until else None

    def _single(self, prefix: str, now: int) -> Single | None:
        """How the traders of a prefix are found, where their pair has one arrangement."""
        if prefix in self._singles:
            return self._singles[prefix]
        folder, pair = self._folder, self._pairs.get(prefix)
        found = None
        if (
            pair is not None
            and pair.asks_alike(folder.keys, folder.instructions)
            and pair.holds(folder.state)
            and pair.issuer != self.economy
        ):
            told = [
                life
                for (method, *_), life in pair.reads.items()
                if method == "arrangement" and life is not None
            ]
            groups = [group for group in pair.groups.values() if len(group.books) == 1]
            if len(told) == 1 and len(groups) == 1:
                (group,) = groups
                key = folder.keys.get(told[0].arrangement_id)
                epoch = told[0].epoch_at(folder.state.height)
                if key is not None and key.commitment == epoch.commitment:
                    ready = self._prepare(group, now)
                    if ready is not None:
                        found = Single(group, key, group.books[0], ready.head.gets[0])
        self._singles[prefix] = found
        return found

    # Questions that no row answers.

    def _make_shape(
        self, function: str, direction: Direction, mode: int, level: str, dispatch_economy: str
    ) -> Shape:
        name = function, direction, mode, level, dispatch_economy
        shape = self._shapes.get(name)
        if shape is None:
            asked = Question(
                NOBODYS, function, direction, mode, level=level, dispatch_economy=dispatch_economy
            )
            like = read_question(asked.request(), self.economy)
            while len(self._shapes) >= MAX_SHAPES:
                oldest = next(iter(self._shapes))
                self._count -= len(self._shapes.pop(oldest).rows)
            shape = self._shapes[name] = Shape(like)
        return shape

    def _find(self, shape: Shape, tin: str, now: int) -> Answer:
        """From what is prepared, or from `evaluate`."""
        row = self._find_prepared(shape, tin, now) if shape.prepared else None
        if row is not None:
            ready = self._prepare(row[0], now)
            if (
                ready is not None
                and row[1] <= now
                and row[2] >= max(now + 1, ready.cache_until)
                # Its history was compared when it was found.
                and (not ready.renumbered or holds(row, ready))
            ):
                self._remember(shape, tin, row)
                return Answer(row[3], ready.place, now, row[4])
        return self._learn(shape, tin, now)

    def _find_prepared(self, shape: Shape, tin: str, now: int) -> Row | None:
        """A row of what is prepared, still to be looked at as any row is."""
        single = self._singles.get(tin[:2]) or self._single(tin[:2], now)
        if single is None:
            return None
        book, known = shape.prepared.get(single.book), read_canonical(tin)
        if book is None or known is None:
            return None
        held = self._held.get(id(book))
        if held is None:
            folder = self._folder
            held = book.holds(folder.state, folder.keys, folder.instructions)
            self._held[id(book)] = held
        subject = single.key.subject(tin)
        packed = single.get(subject)
        answer = book.answers.get(subject if packed is not None else None)
        if not held or answer is None or answer.packed is not packed:
            return None
        return (single.group, *answer[1:], known, subject, packed)

    def _learn(self, shape: Shape, tin: str, now: int) -> Answer:
        """Evaluate, and remember the answer where that is possible."""
        folder, query = self._folder, about(shape.like, tin)
        witness, pair = self._witnesses.get(tin[:2]) or self._call_witness(tin[:2])
        witness.begin()
        view, times = cast("StateView", witness), self._times(now)
        verdict = evaluate(query, view, folder.keys, NOTHING_DECLARED, folder.instructions, times)
        if not witness.steady or not verdict.arrangements or verdict.tin != tin:
            return Answer.of(verdict, self._finality)
        if pair is None or len(pair.reads) != len(witness.pair_reads):
            pair = Pair(
                verdict.issuing_economy,
                witness.pair_reads,
                folder.state.parameters,
                folder.keys,
                folder.instructions,
            )
            self._pairs[tin[:2]] = pair
            self._witnesses[tin[:2]] = witness, pair
            self._singles.pop(tin[:2], None)
        group = pair.group(self.economy, tuple(witness.books))
        ready = self._prepare(group, now)
        if ready is None or not ready.head.is_of(verdict, now):
            return Answer.of(verdict, self._finality)
        own, known = verdict[:OWN_FIELDS], Tin(*verdict[27:])
        holds_to = verdict.holds_to or NEVER
        row = (group, verdict.holds_from, holds_to, own, known, *witness.histories)
        self._remember(shape, tin, row)
        return Answer(own, ready.place, now, known)

    def _call_witness(self, prefix: str) -> tuple[Witness, Pair | None]:
        folder, pair = self._folder, self._pairs.get(prefix)
        witness = None
        if pair is not None and pair.asks_alike(folder.keys, folder.instructions):
            witness = pair.take_witness(folder.state)
        if witness is None:
            witness, pair = Witness(folder.state, {}), None
        self._witnesses[prefix] = witness, pair
        return witness, pair

    def _remember(self, shape: Shape, tin: str, row: Row) -> None:
        rows = shape.rows
        if tin not in rows:
            if self._count >= self._limit:
                self._drop()
            self._count += 1
        rows[tin] = row

    def _drop(self) -> None:
        """Make room: the oldest answers of the shape that has most."""
        rows = max((shape.rows for shape in self._shapes.values()), key=len)
        for oldest in list(islice(rows, max(1, len(rows) // DROPPED_AT_ONCE))):
            del rows[oldest]
            self._count -= 1
