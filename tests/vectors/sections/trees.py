"""Vectors of the two trees under a header, and of descent from an anchor."""

from hashlib import sha256

from ledger.chain.anchor import MAX_CLOCK_LEAD
from ledger.chain.header import Header, format_header, header_hash
from ledger.hashing import ZERO_HASH
from ledger.tree.log import Log, leaf_hash
from ledger.tree.map import StateMap
from ledger.tree.map_proof import (
    EMPTY,
    OTHER_LEAF,
    PRESENT,
    MapProof,
    format_map_proof,
    parse_map_proof,
)
from tests.vectors import sample
from tests.vectors.registry import Case, section

TERMINALS = {EMPTY: "empty", PRESENT: "present", OTHER_LEAF: "other leaf"}


def key(bits: str) -> bytes:
    """A map key that begins with `bits`; all others are 0."""
    return int(bits.ljust(256, "0"), 2).to_bytes(32)


def flipped(data: bytes, at: int, bit: int = 1) -> bytes:
    changed = bytearray(data)
    changed[at] ^= bit
    return bytes(changed)


@section(
    "state_map",
    "the root of small sets, and for a key the proof of its value, or (value null) of its absence;"
    " bytes is the proof",
)
def state_map() -> dict[str, list[Case]]:
    def value(name: str) -> bytes:
        return sha256(f"value of {name}".encode()).digest()

    deep, twin = b"\x5a" * 32, b"\x5a" * 31 + b"\x5b"
    sets: list[tuple[dict[bytes, bytes], list[bytes]]] = [
        ({}, [key("0")]),
        ({key("0"): value("one")}, [key("0"), key("1")]),
        (
            {key("00"): value("one"), key("01"): value("two")},
            [key("00"), key("011"), key("1")],
        ),
        ({deep: value("one"), twin: value("two")}, [deep, twin, key("0"), key("11")]),
        (
            {sha256(bytes([n])).digest(): value(str(n)) for n in range(20)},
            [sha256(bytes([n])).digest() for n in (0, 7, 19, 20, 21)],
        ),
    ]
    valid = []
    for leaves, asked in sets:
        state = StateMap.build(leaves)
        proofs = []
        for each in asked:
            proof = state.prove(each)
            terminal = TERMINALS[parse_map_proof(proof).terminal]
            proofs.append(
                {"key": each, "value": state.get(each), "terminal": terminal, "bytes": proof}
            )
        valid.append(
            {
                "leaves": [{"key": each, "value": leaves[each]} for each in sorted(leaves)],
                "root": state.root,
                "proofs": proofs,
            }
        )
    return {"valid": valid, "invalid": _wrong_map_proofs()}


def _wrong_map_proofs() -> list[Case]:
    """Proofs in a map of three keys: 00..., 010..., 0110..., and nothing under 1."""
    one, two, three = key("00"), key("010"), key("0110")
    values = {each: sha256(each).digest() for each in (one, two, three)}
    state = StateMap.build(values)
    mine, absent, free = state.prove(one), state.prove(key("001")), state.prove(key("1"))
    leaf = parse_map_proof(absent).leaf
    stolen = format_map_proof(MapProof((), OTHER_LEAF, one + values[one]))
    # The parts of a present proof: depth (2), bitmap (1), one sibling (32), terminal (1).
    wrong: list[tuple[str, bytes, bytes | None, bytes]] = [
        ("another value", one, values[two], mine),
        ("another key", two, values[one], mine),
        ("presence shown for absence", one, None, mine),
        ("absence shown for presence", key("001"), values[one], absent),
        ("the other leaf is the asked one", one, None, absent),
        ("the other leaf is not on the asked path", key("1"), None, absent),
        ("an empty place that is not the asked one", key("001"), None, free),
        ("a terminal above where the paths part", key("11"), None, stolen),
        ("a sibling changed", one, values[one], flipped(mine, 3)),
        ("an unused bit of the bitmap", one, values[one], flipped(mine, 2)),
        ("the deepest sibling empty", one, values[one], b"\x00\x03" + mine[2:]),
        (
            "a sibling of 32 zero bytes",
            one,
            values[one],
            b"\x00\x02\xc0" + ZERO_HASH + mine[3:],
        ),
        ("a depth of 257", one, values[one], b"\x01\x01" + bytes(32) + b"\x80" + mine[3:]),
        ("a terminal of kind 3", one, values[one], mine[:-1] + b"\x03"),
        ("another leaf at depth 256", key("001"), None, _at_depth_256(leaf)),
        ("cut short", one, values[one], mine[:-1]),
        ("a byte too many", one, values[one], mine + b"\x00"),
        ("a leaf where none belongs", one, values[one], mine + leaf),
        ("siblings in the other order", three, values[three], _swapped(state.prove(three))),
    ]
    return [
        {"why": why, "root": state.root, "key": asked, "value": value, "bytes": proof}
        for why, asked, value, proof in wrong
    ]


def _at_depth_256(leaf: bytes) -> bytes:
    return format_map_proof(MapProof((ZERO_HASH,) * 255 + (b"\x01" * 32,), OTHER_LEAF, leaf))


def _swapped(proof: bytes) -> bytes:
    siblings, terminal, leaf = parse_map_proof(proof)
    first, *between, last = [each for each in siblings if each != ZERO_HASH]
    order = iter((last, *between, first))
    mixed = tuple(next(order) if each != ZERO_HASH else each for each in siblings)
    return format_map_proof(MapProof(mixed, terminal, leaf))


ENTRIES = [sha256(bytes([n])).digest()[: 3 * n] for n in range(9)]


@section(
    "log",
    "the RFC 6962 tree over entries (transactions in the ledger): roots of its first n, inclusion"
    " and consistency proofs, from the leaves upwards; what: root, inclusion or consistency",
)
def log() -> dict[str, list[Case]]:
    hashes = [leaf_hash(entry) for entry in ENTRIES]
    tree = Log(hashes)
    valid: list[Case] = [
        {
            "what": "root",
            "entries": ENTRIES[:size],
            "leaves": hashes[:size],
            "size": size,
            "root": tree.root_at(size),
        }
        for size in range(len(ENTRIES) + 1)
    ]
    valid += [_inclusion(tree, index, size) for size in (1, 2, 3, 7, 8, 9) for index in range(size)]
    valid += [
        _consistency(tree, old, new)
        for old, new in ((1, 2), (2, 3), (3, 7), (4, 8), (6, 8), (7, 9), (8, 9), (9, 9), (0, 0))
    ]
    return {"valid": valid, "invalid": _wrong_log_proofs(tree)}


def _inclusion(tree: Log, index: int, size: int) -> Case:
    return {
        "what": "inclusion",
        "leaf": tree.leaf(index),
        "index": index,
        "size": size,
        "root": tree.root_at(size),
        "proof": tree.prove_inclusion(index, size),
    }


def _consistency(tree: Log, old: int, new: int) -> Case:
    return {
        "what": "consistency",
        "old_size": old,
        "old_root": tree.root_at(old),
        "size": new,
        "root": tree.root_at(new),
        "proof": tree.prove_consistency(old, new),
    }


def _wrong_log_proofs(tree: Log) -> list[Case]:
    inside, grown = _inclusion(tree, 5, 9), _consistency(tree, 6, 9)
    first, *rest = inside["proof"]
    return [
        {"why": why, **case, **changed}
        for why, case, changed in (
            ("another leaf", inside, {"leaf": tree.leaf(4)}),
            ("another index", inside, {"index": 4}),
            ("an index outside the log", inside, {"index": 9}),
            ("another size", inside, {"size": 8}),
            ("another root", inside, {"root": tree.root_at(8)}),
            ("a hash too few", inside, {"proof": [first, *rest[:-1]]}),
            ("a hash too many", inside, {"proof": [first, *rest, first]}),
            ("hashes in the other order", inside, {"proof": inside["proof"][::-1]}),
            ("a hash of 31 bytes", inside, {"proof": [first[:31], *rest]}),
            ("an entry hashed without 0x00", inside, {"leaf": sha256(ENTRIES[5]).digest()}),
            ("another old root", grown, {"old_root": tree.root_at(5)}),
            ("another new root", grown, {"root": tree.root_at(8)}),
            ("another old size", grown, {"old_size": 5}),
            ("a hash too few", grown, {"proof": grown["proof"][:-1]}),
            ("a hash too many", grown, {"proof": [*grown["proof"], first]}),
            (
                "a log that shrank",
                grown,
                {
                    "old_size": 9,
                    "old_root": grown["root"],
                    "size": 6,
                    "root": grown["old_root"],
                },
            ),
            ("a proof where sizes are equal", _consistency(tree, 9, 9), {"proof": [first]}),
            (
                "two roots for one size",
                _consistency(tree, 9, 9),
                {"old_root": tree.root_at(8)},
            ),
            (
                "from size 0, where nothing could fail",
                _consistency(tree, 0, 9),
                {},
            ),
        )
    ]


@section(
    "anchor",
    "a header that is believed, and that a later one descends from it: proof is the inclusion proof"
    " of the anchor's hash in the log of the header hashes before header (bytes), empty where the"
    " header is the anchor's own; attested_time may be at most 60 s ahead of now",
)
def anchor() -> dict[str, list[Case]]:
    chain = _chain(7)
    hashes = [header_hash(format_header(each)) for each in chain]
    earlier = Log(leaf_hash(each) for each in hashes)

    def case(at: int, tip: int, **changed: object) -> Case:
        made = {
            "anchor_height": at,
            "anchor_hash": hashes[at],
            "proof": earlier.prove_inclusion(at, tip) if at < tip else [],
            "now": chain[tip].time,
            "attested_time": chain[tip].time,
            "bytes": format_header(chain[tip]),
        }
        return made | changed

    late = chain[6].time + MAX_CLOCK_LEAD
    return {
        "valid": [
            case(0, 0),
            *(case(at, 6) for at in range(7)),
            case(2, 6, attested_time=late),
        ],
        "invalid": [
            {"why": "another header at that height", **case(2, 6, anchor_hash=hashes[3])},
            {"why": "another height", **case(2, 6, anchor_height=3)},
            {"why": "the proof of another header", **case(2, 6, proof=case(3, 6)["proof"])},
            {"why": "no proof", **case(2, 6, proof=[])},
            {"why": "an anchor above the header", **case(6, 6, bytes=format_header(chain[5]))},
            {
                "why": "another hash at the header's own height",
                **case(6, 6, anchor_hash=hashes[5]),
            },
            {
                "why": "a proof for the anchor's own header",
                **case(6, 6, proof=case(5, 6)["proof"]),
            },
            {
                "why": "an attested time more than 60 s ahead",
                **case(2, 6, attested_time=late + 1),
            },
        ],
    }


def _chain(count: int) -> list[Header]:
    """Headers that follow each other, each with one log entry; what they say of it is made up."""
    chain = [sample.first_header()]
    earlier = Log()
    entries = Log()
    while len(chain) < count:
        before = chain[-1]
        previous = header_hash(format_header(before))
        earlier.append(leaf_hash(previous))
        entries.append(leaf_hash(bytes([before.height])))
        chain.append(
            Header(
                network_id=before.network_id,
                height=before.height + 1,
                time=before.time + 1_500,
                previous=previous,
                earlier_root=earlier.root(),
                log_size=entries.size,
                log_root=entries.root(),
                map_root=b"\x12" * 32,
                signing_set_hash=before.signing_set_hash,
            )
        )
    return chain
