"""What one process tells another of a ledger: first all of it, then what each block changed.

One process verifies blocks and keeps the state map. Others, which its own program started, only
answer. They are handed what execution came to, as it is: nothing is executed or verified twice.

    transfer   Beginning, then any number of Parts, then End: the state at one height
    delta      a Delta for each height after it, in order; or, where the follower went on from a
               snapshot, another transfer

A delta is what a block's draft adds to the state below it (`ledger.state.draft`), whole objects by
their keys; what a block leaves alone is not in it, so the objects that a reader holds stay the very
same. Books may run ahead of the height that a transfer is of: a packed history begins with that of
any earlier height, and whoever reads stops at its own log size.

Messages are pickles. They cross pipes that one process made for its own children, which nobody else
can open; what comes from anywhere else is never read by this module.
"""

import pickle
from array import array
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any, Final, NamedTuple, TypeAlias

from ledger.chain.header import parse_header
from ledger.state.block import Block
from ledger.state.draft import Draft
from ledger.state.facts import Book, BookKey, Facts, Successors
from ledger.state.map_updates import MapUpdater
from ledger.state.state import State
from ledger.tree.log import Log

SUBJECTS_OF_A_PART: Final = 20_000
"""About 3 MB: the sender pauses between parts, and other threads of its process have their turn."""

SHIPPED: Final = (
    *("leaves", "refused", "statuses", "aliases", "successors", "authors", "arrangements"),
    *("arrangements_of", "pairs", "reports", "proposals", "membership", "signing_sets"),
    *("pending_since", "current_sets", "parameters", "parameter_bytes"),
)
"""Of a draft, what its block adds."""
WHOLE: Final = frozenset(SHIPPED[SHIPPED.index("membership") :])
"""Of these, what stands in a state as it is, and is left out where it is the parent's object. The
others are collections of what the block adds, left out where they are empty."""
STATE_FIELDS: Final = (
    *("genesis", "header", "header_bytes", "header_hash", "signing_sets", "pending_since"),
    *("current_sets", "parameters", "parameter_bytes", "membership", "proposals", "authors"),
    *("arrangements", "arrangements_of", "pairs", "reports"),
)
"""Of a state, what is small. The rest is facts, and the state map, which is not handed on."""

_BOOKS: Final = ("statuses", "aliases", "successors")


class Delta(NamedTuple):
    """What a block changed: the fields of `SHIPPED` by name, but for what stayed as it was."""

    header_bytes: bytes
    header_hash: bytes
    changed: Mapping[str, Any]


class Beginning(NamedTuple):
    """A state without its books: `STATE_FIELDS` by name, and the facts that are counted."""

    fields: Mapping[str, Any]
    base: int
    times: "array[int]"
    log_sizes: "array[int]"
    log: Log
    headers: Log
    seen: Mapping[str, "array[int]"]
    refused: Mapping[int, tuple[tuple[int, str], ...]]


class Part(NamedTuple):
    """Some objects of one book; `books` is the name in `Facts`."""

    books: str
    key: BookKey
    entries: Book | Successors


class End(NamedTuple):
    """The transfer is complete."""


class Stop(NamedTuple):
    """Nothing more will come: finish and end."""


Transferred: TypeAlias = Beginning | Part | End


def format_message(message: object) -> bytes:
    """A message as it crosses the pipe."""
    return pickle.dumps(message, pickle.HIGHEST_PROTOCOL)


def parse_message(data: bytes) -> Any:
    """Read a message of our own process's parent or child, and of nobody else."""
    return pickle.loads(data)  # noqa: S301 - see above: both ends are ours


def delta_of(block: Block) -> Delta:
    """What a block with a header changed. To be written out before the next block comes: the facts
    have taken the draft's own collections over, and go on adding to them."""
    draft, base = block.draft, block.draft.base
    changed: dict[str, Any] = {}
    for name in SHIPPED:
        value = getattr(draft, name)
        if value is not getattr(base, name) if name in WHOLE else value:
            changed[name] = value
    return Delta(block.header_bytes, block.header_hash, changed)


def block_of(delta: Delta, state: State) -> Block:
    """The block that `delta` tells of, on top of `state`, which must be its parent."""
    header = parse_header(delta.header_bytes)
    draft = Draft(state, header.time, map_changes=False)
    for name, value in delta.changed.items():
        setattr(draft, name, value)
    return Block(
        header,
        delta.header_bytes,
        delta.header_hash,
        state.log_size,
        (),
        (),
        (),
        draft,
        header.height,
    )


def transfer(state: State) -> Iterator[Transferred]:
    """All of a state, while its machine may go on."""
    facts, height = state.facts, state.height
    yield Beginning(
        {name: getattr(state, name) for name in STATE_FIELDS},
        facts.base,
        facts.times[: height + 1],
        facts.log_sizes[: height + 1],
        facts.log.first(state.log_size),
        facts.headers.first(height + 1),
        {
            economy: array("Q", [each for each in heights if each <= height])
            for economy, heights in list(facts.seen.items())
            if heights[0] <= height
        },
        {index: codes for index, codes in list(facts.refused.items()) if index < state.log_size},
    )
    for name in _BOOKS:
        books: dict[BookKey, Any] = getattr(facts, name)
        for key, book in list(books.items()):
            # One step of the interpreter: no block can come in between.
            entries = iter(list(book.items()))
            while part := dict(islice(entries, SUBJECTS_OF_A_PART)):
                yield Part(name, key, part)
    yield End()


class Receiving:
    """Puts a transfer together again."""

    def __init__(self, updates: MapUpdater) -> None:
        self._updates = updates
        self._facts = Facts()
        self._fields: Mapping[str, Any] = {}

    def take(self, message: Transferred) -> State | None:
        """Take the next message; the state with the last one."""
        facts = self._facts
        if isinstance(message, Beginning):
            self._fields = message.fields
            facts.base = message.base
            facts.times, facts.log_sizes = message.times, message.log_sizes
            facts.log, facts.headers = message.log, message.headers
            facts.seen, facts.refused = dict(message.seen), dict(message.refused)
            return None
        if isinstance(message, Part):
            getattr(facts, message.books).setdefault(message.key, {}).update(message.entries)
            return None
        return State(
            **self._fields,
            facts=facts,
            updates=self._updates,
            map_version=self._fields["header"].height,
        )
