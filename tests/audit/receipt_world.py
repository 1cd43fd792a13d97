"""A small network that gives receipts: the ledger's own world, a clock, seals and a stored past."""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from aeo.ledger.v1 import receipt_pb2 as pb
from ledger.audit.receipt import Checked, check_receipt, format_receipt, parse_receipt
from ledger.audit.receipt_proof import Position, prove_receipt
from ledger.customs.evaluate import evaluate
from ledger.customs.profiles import NOTHING_DECLARED
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Query, Times, format_verdict
from ledger_hand_over import set_changes
from ledger_world import BACKEND, World


class StoredPast:
    """What a node's store holds, out of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def header(self, height: int) -> bytes:
        return self._world.headers[height]

    def transactions(self, height: int) -> Sequence[bytes]:
        return self._world.blocks[height - 1][1]


class Receipts:
    """A node of one recogniser over a world. Its clock stands at the newest header unless moved."""

    def __init__(self, world: World, recogniser: str = "NZ") -> None:
        self.world = world
        self.recogniser = recogniser
        self.later = 0
        self.attested_later = 0
        self.profiles: dict[bytes, int] | None = None
        self.instructions: dict[int, str] = {}

    @property
    def keys(self) -> Mapping[bytes, LookupKey]:
        return {each: self.world.lookup_key(each) for each in self.world.view.arrangements}

    @property
    def times(self) -> Times:
        time = self.world.view.header_time
        return Times(time + self.later, time + self.attested_later)

    def query(self, tin: str | None = "HK1", **fields: Any) -> Query:
        asked = Query(self.recogniser, "EX", 1, 1, tin=tin)
        return replace(asked, **fields)

    def verdict(self, query: Query) -> bytes:
        """What the node says."""
        view = self.world.view
        profiles = self.profiles or NOTHING_DECLARED
        verdict = evaluate(query, view, self.keys, profiles, self.instructions, self.times)
        return format_verdict(verdict)

    def make(self, query: Query, **given: Any) -> bytes:
        """Its receipt for that."""
        seal = self.world.seal(attested_time=self.times.attested_time)
        position = Position(self.world.view, seal, self.times)
        return prove_receipt(
            query,
            position,
            self.keys,
            StoredPast(self.world),
            profiles=self.profiles or NOTHING_DECLARED,
            instructions=self.instructions,
            set_changes=set_changes(self.world),
            **given,
        )

    def check(self, data: bytes, **given: Any) -> Checked:
        """Check as a stranger does who has the network id and a clock that is right."""
        given.setdefault("network_id", self.world.view.network_id)
        given.setdefault("now", self.times.now)
        return check_receipt(data, backend=BACKEND, **given)

    def prove(self, query: Query, **given: Any) -> Checked:
        """Make and check; the verdict is the node's own, byte for byte."""
        checked = self.check(self.make(query), **given)
        assert checked.verdict_bytes == self.verdict(query)
        assert checked.query == query
        return checked


def changed(data: bytes, **parts: Any) -> bytes:
    """The same receipt with other parts."""
    receipt = parse_receipt(data)
    for name, part in parts.items():
        receipt.ClearField(name)
        if part is None:
            continue
        if isinstance(part, int | bytes):
            setattr(receipt, name, part)
        elif isinstance(part, Sequence):
            getattr(receipt, name).extend(part)
        else:
            getattr(receipt, name).CopyFrom(part)
    return format_receipt(receipt)


def parts_of(receipt: pb.Receipt) -> dict[str, Any]:
    """Every part by name; absent ones as None or empty."""
    return {
        field.name: (
            None
            if field.has_presence and not receipt.HasField(field.name)
            else getattr(receipt, field.name)
        )
        for field in receipt.DESCRIPTOR.fields
    }
