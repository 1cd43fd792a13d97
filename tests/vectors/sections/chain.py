"""Vectors of the formats of `ledger.chain` and of what they stand on."""

from dataclasses import asdict, replace

from google.protobuf.json_format import MessageToDict

from aeo.ledger.v1.genesis_pb2 import Genesis
from aeo.ledger.v1.member_pb2 import Registration, RegistrationBody
from aeo.ledger.v1.transaction_pb2 import AliasBatch, Heartbeat, StatusBatch, Transaction
from ledger.chain import export, keys
from ledger.chain.header import Header, format_header, header_hash
from ledger.chain.history import HistoryEntry, history_head
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.registration import registration_message
from ledger.chain.seal import open_seal, share_message
from ledger.chain.signing_set import (
    SigningMember,
    SigningSet,
    SigningSets,
    format_signing_set,
    format_signing_sets,
)
from ledger.chain.transaction import parse_transaction
from ledger.hashing import tagged
from ledger.tree.log import Log, leaf_hash
from ledger.tree.map import StateMap
from tests.vectors import sample
from tests.vectors.registry import Case, section

ALL = ("AU", "JP", "SG")
TWO = ("AU", "SG")


def cases(*invalid: tuple[str, bytes]) -> list[Case]:
    return [{"why": why, "bytes": data} for why, data in invalid]


@section("tagged_hash", "H(tag, x) = SHA-256(SHA-256(tag) || SHA-256(tag) || x)")
def tagged_hash() -> dict[str, list[Case]]:
    inputs = [b"", b"abc", bytes(range(256))]
    tags = ("network", "registration", "transaction", "key", "value", "history", "header", "seal")
    return {
        "valid": [
            {"tag": f"aeo/v1/{tag}", "input": data, "hash": tagged(f"aeo/v1/{tag}")(data)}
            for tag in tags
            for data in inputs
        ]
    }


@section("registration", "aeo.ledger.v1.Registration of founders; message is what the keys sign")
def registration() -> dict[str, list[Case]]:
    valid = []
    for economy in ALL:
        data = sample.registration(economy)
        outer = Registration.FromString(data)
        body = RegistrationBody.FromString(outer.body)
        valid.append(
            {
                "bytes": data,
                "body": outer.body,
                "message": registration_message(outer.body),
                "economy": economy,
                "bls_public_key": body.bls_public_key,
                "consensus_public_key": body.consensus_public_key,
                "ca_certificate": body.ca_certificate,
            }
        )
    good, other = (Registration.FromString(sample.registration(each)) for each in TWO)
    copied = Registration()
    copied.CopyFrom(good)
    copied.proof_of_possession = other.proof_of_possession
    swapped = Registration()
    swapped.CopyFrom(good)
    swapped.bls_signature = other.bls_signature
    data = good.SerializeToString(deterministic=True)
    return {
        "valid": valid,
        "invalid": cases(
            ("a copied proof of possession", copied.SerializeToString(deterministic=True)),
            ("another member's signature", swapped.SerializeToString(deterministic=True)),
            ("cut short", data[:-1]),
            ("an unknown field", data + b"\x28\x01"),
        ),
    }


@section("genesis", "aeo.ledger.v1.Genesis; network_id = H(aeo/v1/network, bytes)")
def genesis() -> dict[str, list[Case]]:
    value = sample.genesis()
    message = Genesis.FromString(value.data)

    def changed(**fields: object) -> bytes:
        other = Genesis()
        other.CopyFrom(message)
        for name, field in fields.items():
            other.ClearField(name)  # type: ignore[arg-type]
            if isinstance(field, list):
                getattr(other, name).extend(field)
            else:
                setattr(other, name, field)
        return other.SerializeToString(deterministic=True)

    founders = list(message.founders)
    return {
        "valid": [
            {
                "bytes": value.data,
                "network_id": value.network_id,
                "network_name": value.network_name,
                "created_at": value.created_at,
                "pilot": value.pilot,
                "founders": founders,
                "parameters": value.parameter_bytes,
                "parameter_values": DEFAULT_PARAMETERS._asdict(),
                "signing_set_hash": value.signing_set.hash,
            }
        ],
        "invalid": cases(
            ("no founder", changed(founders=[])),
            ("founders that descend", changed(founders=founders[::-1])),
            ("one founder twice", changed(founders=[founders[0], *founders])),
            ("no name", changed(network_name="")),
            ("no creation time", changed(created_at=0)),
            ("no parameters", changed(parameters=b"")),
            ("pilot of 2", value.data.replace(b"\x18\x01", b"\x18\x02", 1)),
        ),
    }


@section(
    "transaction",
    "0x01 || signature over H(aeo/v1/transaction, network_id || body) || body;"
    " leaf = SHA-256(0x00 || bytes)",
)
def transaction() -> dict[str, list[Case]]:
    arrangement_id = b"\xa0" * 16
    made = {
        "heartbeat": sample.transaction("SG", 1, heartbeat=Heartbeat()),
        "statuses": sample.transaction(
            "AU", 300, statuses=StatusBatch(arrangement_id=arrangement_id, records=[b"one", b"two"])
        ),
        "aliases": sample.transaction(
            "JP", 2, aliases=AliasBatch(arrangement_id=arrangement_id, records=[b"alias"])
        ),
        "arrangement": sample.transaction("SG", 2, arrangement=b"\x0a\x00"),
    }
    network_id = sample.genesis().network_id
    valid = []
    for action, data in made.items():
        parts = parse_transaction(data)
        valid.append(
            {
                "action": action,
                "network_id": network_id,
                "public_key": sample.keys(parts.body.author).bls_public_key,
                "bytes": data,
                "message": parts.message_hash(network_id),
                "leaf": leaf_hash(data),
                "body": MessageToDict(parts.body, preserving_proto_field_name=True),
            }
        )
    good = made["heartbeat"]

    def body(**fields: object) -> bytes:
        other = Transaction()
        other.CopyFrom(parse_transaction(good).body)
        for name, field in fields.items():
            setattr(other, name, field)
        return good[:97] + other.SerializeToString(deterministic=True)

    none = Transaction()
    none.CopyFrom(parse_transaction(good).body)
    none.ClearField("heartbeat")
    return {
        "valid": valid,
        "invalid": cases(
            ("another frame", b"\x02" + good[1:]),
            ("97 bytes", good[:97]),
            ("an author in lower case", body(author="sg")),
            ("a key id of 7 bytes", body(key_id=bytes(7))),
            ("number 0", body(sequence=0)),
            ("a header hash of 31 bytes", body(verified_header_hash=bytes(31))),
            ("no action", good[:97] + none.SerializeToString(deterministic=True)),
            ("two actions", good + b"\x6a\x00"),
            ("an overlong tag", good[:97] + b"\x8a\x00" + good[98:]),
            ("an unknown field", good + b"\xf8\x01\x01"),
            ("an empty batch", good[:-2] + b"\x5a\x12\x0a\x10" + bytes(16)),
        ),
    }


@section("history", "c_n = H(aeo/v1/history, c_(n-1) || n || entry); heads after each entry")
def history() -> dict[str, list[Case]]:
    entries = [
        HistoryEntry(0, sample.CREATED_AT, 0, 0, "SG", b""),
        HistoryEntry(7, sample.CREATED_AT + 9, 41, 3, "AU", b"a record"),
        HistoryEntry(2**40, 2**63, 2**64 - 1, 999, "SG", bytes(300)),
    ]
    return {
        "valid": [
            {
                "entries": [entry._asdict() for entry in entries[:count]],
                "head": history_head(entries[:count]),
            }
            for count in range(len(entries) + 1)
        ]
    }


@section("map_key", "key = H(aeo/v1/key, kind (1) || for each part: length (2) || part)")
def map_key() -> dict[str, list[Case]]:
    arrangement, other = b"\xa0" * 16, b"\x5b" * 32
    made = [
        (keys.SUBJECT, [arrangement, b"SG", other], keys.subject_key(arrangement, "SG", other)),
        (keys.ARRANGEMENT, [arrangement], keys.arrangement_key(arrangement)),
        (keys.MEMBER, [b"SG"], keys.member_key("SG")),
        (keys.SIGNING_SETS, [], keys.SIGNING_SETS_KEY),
        (keys.AUTHOR, [b"SG"], keys.author_key("SG")),
        (keys.ALIAS, [arrangement, b"SG", other], keys.alias_key(arrangement, "SG", other)),
        (keys.PARAMETERS, [], keys.PARAMETERS_KEY),
        (keys.PROPOSAL, [arrangement], keys.proposal_key(arrangement)),
        (
            keys.REPORT,
            [arrangement, b"SG", (1).to_bytes(8), (2).to_bytes(8)],
            keys.report_key(arrangement, "SG", 1, 2),
        ),
        (keys.PREFIX, [b"SG"], keys.prefix_key("SG")),
        (keys.PAIR, [b"AU", b"SG"], keys.pair_key("SG", "AU")),
    ]
    return {"valid": [{"kind": kind, "parts": parts, "key": key} for kind, parts, key in made]}


@section("object", "value = H(aeo/v1/value, bytes): an author object, and parameters")
def objects() -> dict[str, list[Case]]:
    author = keys.AuthorObject(5, 7, sample.CREATED_AT, 6, b"\x22" * 32)
    data = keys.format_author_object(author)
    parameters = format_parameters(DEFAULT_PARAMETERS)
    return {
        "valid": [
            {
                "kind": keys.AUTHOR,
                **author._asdict(),
                "bytes": data,
                "value": keys.object_value(data),
            },
            {
                "kind": keys.PARAMETERS,
                **DEFAULT_PARAMETERS._asdict(),
                "bytes": parameters,
                "value": keys.object_value(parameters),
            },
        ]
    }


@section("header", "224 bytes; header_hash = H(aeo/v1/header, bytes)")
def header() -> dict[str, list[Case]]:
    first = sample.first_header()
    second = _after(first)
    valid = []
    for each in (first, second):
        data = format_header(each)
        valid.append({**asdict(each), "bytes": data, "header_hash": header_hash(data)})
    data = format_header(second)
    zero = format_header(first)
    return {
        "valid": valid,
        "invalid": cases(
            ("223 bytes", data[:-1]),
            ("225 bytes", data + b"\x00"),
            ("another magic", b"AEO-HDR2" + data[8:]),
            ("a first header with one before it", zero[:56] + b"\x01" * 32 + zero[88:]),
            ("a first header with log entries", zero[:127] + b"\x01" + zero[128:]),
            ("a later header with an empty log", data[:120] + bytes(8) + data[128:]),
        ),
    }


def _after(first: Header) -> Header:
    hashed = header_hash(format_header(first))
    data = sample.transaction("SG", 1, heartbeat=Heartbeat())
    return Header(
        network_id=first.network_id,
        height=1,
        time=first.time + 1_500,
        previous=hashed,
        earlier_root=Log([leaf_hash(hashed)]).root(),
        log_size=1,
        log_root=Log([leaf_hash(data)]).root(),
        map_root=b"\x12" * 32,
        signing_set_hash=first.signing_set_hash,
    )


@section(
    "signing_set", "set bytes and their hash; the object of kind 4 without and with a pending set"
)
def signing_set() -> dict[str, list[Case]]:
    current, pending = sample.signing_set(), sample.signing_set(("AU", "JP", "NZ", "SG"))
    large = SigningSet(
        tuple(
            SigningMember(economy, weight, sample.keys(economy).bls_public_key)
            for economy, weight in (("AU", 1), ("SG", 2**31 - 2))
        )
    )
    valid: list[Case] = [
        {
            "members": [member._asdict() for member in each.members],
            "bytes": format_signing_set(each),
            "hash": each.hash,
            "total": each.total,
        }
        for each in (current, pending, large)
    ]
    for sets in (SigningSets(current, None), SigningSets(current, pending)):
        data = format_signing_sets(sets)
        valid.append(
            {
                "current_hash": sets.current.hash,
                "pending_hash": sets.pending and sets.pending.hash,
                "object": data,
                "value": keys.object_value(data),
            }
        )
    data = format_signing_set(current)
    first, second = data[2:56], data[56:110]
    return {
        "valid": valid,
        "invalid": cases(
            ("no members", b"\x00\x00"),
            ("members that descend", b"\x00\x02" + second + first),
            ("one member twice", b"\x00\x02" + first + first),
            ("one key twice", b"\x00\x02" + first + second[:6] + first[6:]),
            ("weight 0", b"\x00\x01" + first[:2] + bytes(4) + first[6:]),
            ("a total of 2^31", b"\x00\x01" + first[:2] + b"\x80\0\0\0" + first[6:]),
            ("an economy in lower case", b"\x00\x01au" + first[2:]),
            ("cut short", data[:-1]),
            ("a byte too many", data + b"\x00"),
        ),
    }


@section(
    "seal",
    "shares over H(aeo/v1/seal, network_id || header_hash || attested_time) by a set of AU, JP, SG"
    " of weight 1 each; invalid ones are refused with this set",
)
def seal() -> dict[str, list[Case]]:
    first = sample.first_header()
    members = sample.signing_set()
    time = sample.CREATED_AT + 250
    valid = []
    for signers in (ALL, TWO, ("JP", "SG")):
        data = sample.seal(first, signers, time)
        value = open_seal(data, members, first.network_id, sample.BACKEND)
        valid.append(
            {
                "network_id": first.network_id,
                "set": format_signing_set(members),
                "message": share_message(first.network_id, value.header_hash, time),
                **value._asdict(),
                "bytes": data,
            }
        )
    good = sample.seal(first, TWO, time)
    return {
        "valid": valid,
        "invalid": cases(
            ("a third of the weight", sample.seal(first, ("JP",), time)),
            ("one signer more than signed", good[:41] + b"\xe0" + good[42:]),
            ("an unused bit", good[:41] + b"\xb0" + good[42:]),
            ("a longer bitmap", good[:42] + b"\x00" + good[42:]),
            ("another time", good[:40] + bytes([good[40] ^ 1]) + good[41:]),
            ("another mark", b"\x03" + good[1:]),
            ("cut short", good[:-1]),
        ),
    }


@section(
    "export",
    "the form of an export; map roots are made up, so that the files show where items stand,"
    " with seals and the proof of item 5 that hold, but cannot be replayed",
)
def exported() -> dict[str, list[Case]]:
    old, new = sample.signing_set(), sample.signing_set(("AU", "JP", "NZ", "SG"))
    sets = format_signing_sets(SigningSets(old, new))
    state = StateMap.build(
        [(keys.SIGNING_SETS_KEY, keys.object_value(sets)), (b"\x77" * 32, b"\x78" * 32)]
    )
    first = sample.first_header(state.root)
    same = _after(first)
    second = replace(same, signing_set_hash=new.hash)
    transaction_bytes = sample.transaction("SG", 1, heartbeat=Heartbeat())
    zero = (export.GENESIS, sample.genesis().data)
    opening = [zero, (export.HEADER, format_header(first)), (export.SEAL, sample.seal(first, ALL))]
    change = (export.SIGNING_SETS, sets + state.prove(keys.SIGNING_SETS_KEY))
    closing = [
        (export.HEADER, format_header(second)),
        (export.TRANSACTION, transaction_bytes),
        (export.SEAL, sample.seal(second, ALL, members=new)),
    ]
    unchanged = [
        (export.HEADER, format_header(same)),
        (export.TRANSACTION, transaction_bytes),
        (export.SEAL, sample.seal(same, ALL)),
    ]
    files = {
        "genesis alone": opening,
        "the same set seals again": [*opening, *unchanged],
        "a second set seals": [*opening, change, *closing],
    }
    wrong = {
        "no genesis": opening[1:],
        "no seal of the newest header": opening[:2],
        "a set changed without item 5": [*opening, *closing],
        "item 5 where nothing changes": [*opening, change, *unchanged],
        "a transaction missing": [*opening, change, closing[0], closing[2]],
        "a transaction too many": [*opening, change, *closing[:2], *closing[1:]],
        "two seals": [*opening, opening[2]],
        "an unknown type": [*opening, (6, b"")],
    }
    good = _file(opening)
    return {
        "valid": [
            {
                "what": what,
                "items": [{"type": kind, "bytes": data} for kind, data in items],
                "bytes": b"".join(export.format_export(items)),
            }
            for what, items in files.items()
        ],
        "invalid": cases(
            *((why, _file(items)) for why, items in wrong.items()),
            ("no end", good[:-5]),
            ("an end that is not empty", good[:-1] + b"\x01\x00"),
            ("a byte after the end", good + b"\x00"),
            ("another magic", b"AEO-EXP2" + good[8:]),
        ),
    }


def _file(items: list[export.Item]) -> bytes:
    """An export of whatever items, allowed or not."""
    framed = [kind.to_bytes(1) + len(data).to_bytes(4) + data for kind, data in items]
    return export.MAGIC + b"".join(framed) + bytes(5)
