"""The facts of a receipt: each proved under its header, each asked for.

A fact is what the state map holds under one key (ledger-format, *State map*): the whole history, an
object, or nothing. Its proof is checked before anything is read from it. Whoever reads asks by kind
and parts; a fact that is not there is a `ProofError`, never an empty answer. What nobody asked for
in the end is refused too, so a receipt holds exactly what its verdict rests on.

>>> from ledger.tree.map import StateMap
>>> key = map_key(keys.PARAMETERS)
>>> held = StateMap.build({key: keys.object_value(b"rules")})
>>> shown = pb.ShownFact(kind=keys.PARAMETERS, object=b"rules", map_proof=held.prove(key))
>>> facts = ShownFacts([shown], held.root)
>>> facts.object(keys.PARAMETERS)
b'rules'
>>> facts.history(keys.PREFIX, b"KR")
Traceback (most recent call last):
ledger.errors.ProofError: the receipt does not show the prefix KR
"""

from collections.abc import Sequence
from typing import Final, TypeAlias

from aeo.ledger.v1 import receipt_pb2 as pb
from ledger.chain import keys
from ledger.chain.economy import parse_economy
from ledger.chain.history import HistoryEntry, history_head
from ledger.chain.keys import map_key, object_value
from ledger.errors import FormatError, ProofError
from ledger.hashing import HASH_BYTES
from ledger.tree.map_proof import check_map_proof

# A fact's kind and the parts of its key.
Place: TypeAlias = tuple[int, tuple[bytes, ...]]

_OBJECTS: Final = frozenset({keys.AUTHOR, keys.PARAMETERS})
_NAMES: Final = {
    keys.SUBJECT: "the trader",
    keys.ARRANGEMENT: "the arrangement",
    keys.AUTHOR: "when it was last heard of",
    keys.ALIAS: "the alias",
    keys.PARAMETERS: "the parameters",
    keys.PREFIX: "the prefix",
    keys.PAIR: "the arrangements between",
}
_MAX_POSITION: Final = 0xFFFF
# Written once, in the key, not again in each entry: who published, and the record's first field.
_ISSUED: Final = frozenset({keys.SUBJECT, keys.ALIAS})
_ISSUED_PARTS: Final = ("arrangement id", "issuer", "subject or alias")
_SUBJECT_FIELD: Final = b"\x0a\x20"
_SUBJECT_FIELD_BYTES: Final = len(_SUBJECT_FIELD) + HASH_BYTES


class ShownFacts:
    """Facts proved under one map root. Raises `FormatError` or `ProofError`."""

    def __init__(self, facts: Sequence[pb.ShownFact], map_root: bytes) -> None:
        self._facts: dict[Place, pb.ShownFact] = {}
        self._asked: set[Place] = set()
        newest: Place = 0, ()
        for fact in facts:
            place = fact.kind, tuple(fact.parts)
            if fact.kind not in _NAMES or any(len(part) > HASH_BYTES for part in fact.parts):
                raise FormatError(f"a fact of kind {fact.kind} in a receipt")
            if place <= newest:
                raise FormatError("the facts of a receipt ascend")
            newest = place
            check_map_proof(map_root, map_key(fact.kind, *place[1]), _value(fact), fact.map_proof)
            self._facts[place] = fact

    def history(self, kind: int, *parts: bytes) -> list[HistoryEntry]:
        """A whole history, oldest first; empty where its absence is proved."""
        return _entries(self._ask(kind, parts))

    def object(self, kind: int, *parts: bytes) -> bytes:
        """An object's bytes; empty where its absence is proved."""
        return self._ask(kind, parts).object

    def holds(self, kind: int, *parts: bytes) -> bool:
        """Whether there is an entry or object; asks for the fact."""
        fact = self._ask(kind, parts)
        return bool(fact.entries or fact.object)

    def shown(self, kind: int, *first: bytes) -> list[tuple[bytes, ...]]:
        """The parts of all facts of a kind whose parts begin so, ascending; asks for none."""
        return [
            place[1]
            for place in self._facts
            if place[0] == kind and place[1][: len(first)] == first
        ]

    def peek(self, kind: int, *parts: bytes) -> list[HistoryEntry]:
        """A history without asking for it."""
        return _entries(self._facts[kind, parts])

    @property
    def traders(self) -> bool:
        """Whether a trader's history, or its absence, is among the facts."""
        return any(kind == keys.SUBJECT for kind, _ in self._facts)

    @property
    def records(self) -> int:
        """How many status records the facts hold."""
        return sum(
            len(fact.entries) for (kind, _), fact in self._facts.items() if kind == keys.SUBJECT
        )

    def check_all_asked(self) -> None:
        """Raise `ProofError` where a fact is shown that nothing rests on."""
        for kind, parts in self._facts.keys() - self._asked:
            raise ProofError(f"nothing rests on {_name(kind, parts)}, which the receipt shows")

    def _ask(self, kind: int, parts: tuple[bytes, ...]) -> pb.ShownFact:
        fact = self._facts.get((kind, parts))
        if fact is None:
            raise ProofError(f"the receipt does not show {_name(kind, parts)}")
        self._asked.add((kind, parts))
        return fact


def shown_fact(
    place: Place, held: Sequence[HistoryEntry] | bytes, map_proof: bytes
) -> pb.ShownFact:
    """The message of one fact: a history's entries, or an object's bytes; empty is absence."""
    kind, parts = place
    fact = pb.ShownFact(kind=kind, parts=parts, map_proof=map_proof)
    if isinstance(held, bytes):
        fact.object = held
    else:
        issued, subject = kind in _ISSUED, kind == keys.SUBJECT
        for entry in held:
            fact.entries.add(
                height=entry.height,
                time=entry.time,
                log_index=entry.log_index,
                position=entry.position,
                author="" if issued else entry.author,
                record=entry.record[_SUBJECT_FIELD_BYTES:] if subject else entry.record,
            )
    return fact


def _value(fact: pb.ShownFact) -> bytes | None:
    """The value of the fact in the map, 32 bytes; None for absence."""
    if fact.entries and (fact.object or fact.kind in _OBJECTS):
        raise FormatError("a fact is a history or an object")
    if fact.object:
        return object_value(fact.object)
    return history_head(_entries(fact)) if fact.entries else None


def _entries(fact: pb.ShownFact) -> list[HistoryEntry]:
    if any(entry.position > _MAX_POSITION for entry in fact.entries):
        raise FormatError("a history's entry out of range")
    author, first = "", b""
    if fact.kind in _ISSUED and fact.entries:
        if len(fact.parts) != len(_ISSUED_PARTS) or any(entry.author for entry in fact.entries):
            raise FormatError("the author of a subject's or an alias's entries is the issuer")
        author = parse_economy(fact.parts[1])
        if fact.kind == keys.SUBJECT:
            first = _SUBJECT_FIELD + fact.parts[2]
    return [
        HistoryEntry(
            entry.height,
            entry.time,
            entry.log_index,
            entry.position,
            author or entry.author,
            first + entry.record,
        )
        for entry in fact.entries
    ]


def _name(kind: int, parts: tuple[bytes, ...]) -> str:
    said = " ".join(
        part.decode("ascii", "replace") if len(part) == 2 else part.hex()[:16] for part in parts
    )
    return f"{_NAMES[kind]} {said}".strip()
