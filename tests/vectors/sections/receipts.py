"""Vectors of receipts: what a verifier must accept, what it must say, and what it must refuse."""

from collections.abc import Sequence
from dataclasses import asdict

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import receipt_pb2
from ledger.audit.receipt import check_receipt, format_receipt, parse_receipt
from ledger.audit.receipt_proof import Position, prove_receipt
from ledger.chain import keys
from ledger.chain.anchor import Anchor
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Alias, Query, Times
from tests.ledger_world import BACKEND, World
from tests.vectors.registry import Case, section
from tests.vectors.sections.audit import recognising_world

INSTRUCTIONS = {2: "Release without examination"}


class StoredPast:
    """The headers and blocks of a world."""

    def __init__(self, world: World) -> None:
        self._world = world

    def header(self, height: int) -> bytes:
        return self._world.headers[height]

    def transactions(self, height: int) -> Sequence[bytes]:
        return self._world.blocks[height - 1][1]


class Maker:
    """One network, its keys, and receipts of what New Zealand asks."""

    def __init__(self) -> None:
        self.world, self.shared = recognising_world()
        self.times = Times(self.world.time + 1_000, self.world.time)
        self.key = self.world.lookup_key(self.shared)

    def make(
        self, key: LookupKey | None = None, anchor: int | None = None, **asked: object
    ) -> bytes:
        nz: dict[str, object] = {"function": "EX", "direction": 1, "transport_mode": 1}
        return prove_receipt(
            Query("NZ", **(nz | asked)),  # type: ignore[arg-type]
            Position(self.world.view, self.world.seals[self.world.view.height], self.times),
            {self.shared: key or self.key},
            StoredPast(self.world),
            instructions=INSTRUCTIONS,
            anchor_height=anchor,
        )


@section(
    "receipt",
    "aeo.ledger.v1.Receipt, checked at `now` from network_id, or from an anchor where one is given;"
    " verified: whether it is without any lookup key; with lookup_keys all are. Invalid ones are"
    " refused from network_id without a lookup key",
)
def receipt() -> dict[str, list[Case]]:
    maker = Maker()
    world, shared, key = maker.world, maker.shared, maker.key
    network_id = world.view.network_id
    common = {
        "network_id": network_id,
        "now": maker.times.now,
        "lookup_keys": [{"arrangement_id": shared, "epoch": key.epoch, "key": key.key}],
    }
    asked: dict[str, dict[str, object]] = {
        "recognised": {"tin": "HK1"},
        "suspended": {"tin": "HK2"},
        "suspended, as known before": {"tin": "HK2", "known_at_height": 3},
        "no record": {"tin": "HK9"},
        "by an alias": {"alias": Alias("TEST", "MID-1")},
        "a prefix that nobody speaks for": {"tin": "JP1"},
        "from an anchor": {"tin": "HK1", "anchor": 2},
    }
    valid = []
    for what, fields in asked.items():
        data = maker.make(**fields)  # type: ignore[arg-type]
        checked = check_receipt(data, now=maker.times.now, backend=BACKEND, network_id=network_id)
        case: Case = {"what": what, **common}
        if "anchor" in fields:
            case["anchor"] = Anchor(2, world.header_hash(2))._asdict()
        alias = checked.query.alias
        valid.append(
            {
                **case,
                "query": {**asdict(checked.query), "alias": alias and alias._asdict()},
                "reason": verdict_pb2.Reason.Name(checked.verdict.reason),
                "verified": checked.verified,
                "unopened": [each.identifier for each in checked.unopened],
                "bytes": data,
            }
        )
    return {"valid": valid, "invalid": [{**common, **case} for case in _wrong(maker)]}


def _wrong(maker: Maker) -> list[Case]:
    good = maker.make(tin="HK1")
    other = parse_receipt(maker.make(tin="HK2"))
    past = parse_receipt(maker.make(tin="HK2", known_at_height=3))

    def changed(**parts: object) -> bytes:
        receipt = parse_receipt(good)
        for name, part in parts.items():
            receipt.ClearField(name)
            if isinstance(part, list):
                getattr(receipt, name).extend(part)
            else:
                setattr(receipt, name, part)
        return format_receipt(receipt)

    def without(kind: int) -> list[receipt_pb2.ShownFact]:
        return [fact for fact in parse_receipt(good).facts if fact.kind != kind]

    asking = parse_receipt(good)
    asking.question.CopyFrom(other.question)
    shorter = parse_receipt(good)
    for fact in shorter.facts:
        if fact.kind == keys.PAIR:
            del fact.entries[:]
    speaker = parse_receipt(good)
    for fact in speaker.facts:
        if fact.kind == keys.PREFIX:
            fact.entries[0].record = keys.speaker_record("SG", begins=True)
    wrong = {
        "the verdict of another trader": changed(verdict=other.verdict),
        "the question of another trader": format_receipt(asking),
        "the history of another trader": changed(facts=list(other.facts)),
        "the opening of another trader": changed(openings=list(other.openings)),
        "the arrangements of the pair left out": format_receipt(shorter),
        "the arrangement's life left out": changed(facts=without(keys.ARRANGEMENT)),
        "another issuer named": format_receipt(speaker),
        "a header that nothing rests on": changed(headers=list(past.headers)),
        "a seal by a third of the weight": changed(seal=maker.world.seal(("SG",))),
        "other rules": changed(rules_version=2),
        "cut short": good[:-1],
    }
    maker.world.seal()
    return [{"why": why, "bytes": data} for why, data in wrong.items()]
