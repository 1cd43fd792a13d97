"""Waiting records, and how they come together in transactions.

A transaction carries records of one arrangement. It takes what waits, oldest first, until it has
`RECORDS` or `RECORD_BYTES`; it never waits for more. So a lone record goes at once, and under load
one signature serves hundreds.

Within a transaction records stand in the order of their subjects. A subject is a keyed hash,
another under each arrangement: to whoever has no key that order is a random one, it tells nothing
about the order in which the records came, and so batches do not link a trader across arrangements.
Records of one trader stay in the order in which they were submitted, as the state machine needs.

A publication of a few records, a suspension say, goes ahead of the thousands of a register that
was handed in before it, unless one of those is about the same trader. Only so many go ahead; who
publishes many small ones publishes a lot.

>>> packing = Packing()
>>> packing.add(7, [Group(11, bytes(16), (0, 1), (b"b" * 40, b"a" * 40))])
>>> load = packing.take()
>>> [record[:1] for record in load.records], load.carries.publications, load.carries.numbers
([b'a', b'b'], (7, 7), (1, 0))
>>> packing.take() is None
True
>>> packing.add(8, [Group(11, bytes(16), tuple(range(900)), (b"m" * 40,) * 900)])
>>> packing.add(9, [Group(11, bytes(16), (0,), (b"a suspension of another trader, urgently",))])
>>> packing.add(10, [Group(11, bytes(16), (0,), (b"m" * 40,))])
>>> sorted({*packing.take().carries.publications}), sorted({*packing.take().carries.publications})
([8, 9], [8])
>>> sorted({*packing.take().carries.publications})
[8, 10]
"""

from collections import deque
from collections.abc import Iterable
from itertools import islice
from typing import Final, NamedTuple

from aeo.ledger.v1.transaction_pb2 import Transaction
from ledger.customs.subject import SUBJECT_BYTES
from service.store.home.prepared import Carries, Group

# One signature (1 ms) for so many makes its cost vanish (2.5 us each) and 56 KB of common records;
# more would only make one suspension wait longer for its neighbours.
RECORDS: Final = 400
# Records of one publication that may go ahead: a trader's certificates under one arrangement.
URGENT_RECORDS: Final = 16
# Publications that may go ahead at a time. Each costs a look at all that waits, 15 ms at the most.
URGENT: Final = 16
# Of 60,000 bytes: room for the frame, the signature, and the body's other fields.
RECORD_BYTES: Final = 59_500

# Tag and length of `subject`, the first field of every record.
_SUBJECT: Final = slice(0, 2 + SUBJECT_BYTES)


class Load(NamedTuple):
    """What one transaction will carry: the action's field number, and records by position."""

    action: int
    arrangement_id: bytes
    records: list[bytes]
    carries: Carries


class _Chunk:
    """Records of one publication under one arrangement, taken from the front."""

    __slots__ = ("numbers", "publication_id", "records", "taken")

    def __init__(
        self, publication_id: int, numbers: tuple[int, ...] | range, records: tuple[bytes, ...]
    ) -> None:
        self.publication_id = publication_id
        self.numbers = numbers
        self.records = records
        self.taken = 0


class _Queue:
    """Chunks in the order in which they go; the first `urgent` have gone ahead of others."""

    __slots__ = ("chunks", "urgent")

    def __init__(self) -> None:
        self.chunks: deque[_Chunk] = deque()
        self.urgent = 0

    def put(self, chunk: _Chunk) -> None:
        """Add a chunk where it belongs."""
        ahead = (
            len(chunk.records) <= URGENT_RECORDS
            and self.urgent < URGENT
            and self.urgent < len(self.chunks)
            and not self._has_any({record[_SUBJECT] for record in chunk.records})
        )
        if ahead or not self.chunks:
            self.chunks.insert(self.urgent, chunk)
            self.urgent += len(chunk.records) <= URGENT_RECORDS
        else:
            self.chunks.append(chunk)

    def pop(self) -> None:
        """Drop the first chunk."""
        self.chunks.popleft()
        self.urgent = max(0, self.urgent - 1)

    def _has_any(self, subjects: set[bytes]) -> bool:
        """Whether records about any of these wait among those that would be overtaken."""
        return any(
            record[_SUBJECT] in subjects
            for chunk in islice(self.chunks, self.urgent, None)
            for record in chunk.records[chunk.taken :]
        )


class Packing:
    """Records that wait, by action and arrangement. Not for several threads at once."""

    def __init__(self) -> None:
        self.waiting = 0
        self._queues: dict[tuple[int, bytes], _Queue] = {}

    def add(self, publication_id: int, groups: Iterable[Group]) -> None:
        """Queue all records of a publication; its records are numbered through its groups."""
        first = 0
        for group in groups:
            numbers = range(first, first + len(group.records))
            self.add_some(
                publication_id, group.action, group.arrangement_id, numbers, group.records
            )
            first = numbers.stop

    def add_some(
        self,
        publication_id: int,
        action: int,
        arrangement_id: bytes,
        numbers: tuple[int, ...] | range,
        records: tuple[bytes, ...],
    ) -> None:
        """Queue records of a publication whose numbers in it are `numbers`."""
        if records:
            queue = self._queues.setdefault((action, arrangement_id), _Queue())
            queue.put(_Chunk(publication_id, numbers, records))
            self.waiting += len(records)

    def take(self) -> Load | None:
        """The next transaction's load, None when nothing waits; arrangements take turns."""
        if not self._queues:
            return None
        name = next(iter(self._queues))
        queue = self._queues.pop(name)
        taken: list[tuple[bytes, int, int]] = []
        room = RECORD_BYTES
        while queue.chunks and len(taken) < RECORDS:
            chunk = queue.chunks[0]
            size = room
            end = min(len(chunk.records), chunk.taken + RECORDS - len(taken))
            at = chunk.taken
            while at < end:
                # A tag, and a length of at most two bytes, as records are below 16,384.
                size -= len(chunk.records[at]) + 3
                if size < 0:
                    break
                room = size
                at += 1
            publication_id = chunk.publication_id
            taken += [
                (record, publication_id, number)
                for record, number in zip(
                    chunk.records[chunk.taken : at], chunk.numbers[chunk.taken : at], strict=True
                )
            ]
            chunk.taken = at
            if at < len(chunk.records):
                break
            queue.pop()
        if queue.chunks:
            self._queues[name] = queue
        self.waiting -= len(taken)
        # Stable: equal subjects keep their order.
        taken.sort(key=_subject_of)
        records, publications, numbers = zip(*taken, strict=True)
        return Load(*name, list(records), Carries(publications, numbers))


def format_batch_body(head: Transaction, load: Load) -> bytes:
    """The body of a transaction that carries `load`; `head` has every field but the action.

    The same bytes as the message would serialize to, joined without making it.
    """
    parts = [b"\x0a\x10", load.arrangement_id]
    for record in load.records:
        parts += (b"\x12", _varint(len(record)), record)
    batch = b"".join(parts)
    tag = _varint(load.action << 3 | 2)
    return b"".join((head.SerializeToString(deterministic=True), tag, _varint(len(batch)), batch))


def _subject_of(taken: tuple[bytes, int, int]) -> bytes:
    return taken[0][_SUBJECT]


def _varint(value: int) -> bytes:
    if value < 128:
        return _SHORT[value]
    parts = bytearray()
    while value >= 128:
        parts.append(value & 127 | 128)
        value >>= 7
    parts.append(value)
    return bytes(parts)


_SHORT: Final = tuple(bytes([value]) for value in range(128))
