"""Vectors of evidence, and of verdicts on a ledger that is given whole."""

from dataclasses import asdict, replace

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2, evidence_pb2
from aeo.ledger.v1.transaction_pb2 import Heartbeat, Transaction
from ledger.audit.evidence import format_double_number, format_fork, judge_evidence
from ledger.bls.scheme import key_id
from ledger.chain.header import Header, format_header
from ledger.chain.keys import PARAMETERS, PREFIX, SIGNING_SETS_KEY, map_key, object_value
from ledger.chain.set_change import SetChange, check_set_changes, format_set_change
from ledger.chain.signing_set import (
    SigningSet,
    SigningSets,
    format_signing_set,
    format_signing_sets,
)
from ledger.chain.transaction import format_body, sign_transaction
from ledger.customs.evaluate import evaluate
from ledger.customs.verdict import Alias, Query, Times, format_verdict
from ledger.tree.map import StateMap
from ledger.wire import format_strict
from tests.ledger_world import DAY, START, World
from tests.vectors import sample
from tests.vectors.registry import Case, section

MEMBERS = ("AU", "JP", "NZ", "SG")


def sealed(header: Header, *signers: str) -> tuple[bytes, bytes]:
    """A header's bytes and a seal by some of the members."""
    return format_header(header), sample.seal(header, signers, members=sample.signing_set(MEMBERS))


@section(
    "evidence",
    "aeo.ledger.v1.Evidence of a fork or a number used twice, in a network that AU, JP, NZ, SG of"
    " weight 1 each founded; convicts: who signed both; number: the height of the two headers, or"
    " the number of the two transactions; invalid ones convict nobody in the network of network_id",
)
def evidence() -> dict[str, list[Case]]:
    genesis = sample.genesis(MEMBERS)
    network_id = genesis.network_id
    one = replace(
        sample.first_header(),
        network_id=network_id,
        height=1,
        previous=b"\x21" * 32,
        log_size=2,
        signing_set_hash=genesis.signing_set.hash,
    )
    other = replace(one, map_root=b"\x13" * 32)
    a, b = sealed(one, "AU", "JP"), sealed(other, "JP", "NZ", "SG")

    def fork(first: tuple[bytes, bytes], second: tuple[bytes, bytes], *changes: SetChange) -> bytes:
        return format_fork(genesis.data, *first, *second, changes)

    def double(first: bytes, second: bytes, *changes: SetChange) -> bytes:
        return format_double_number(genesis.data, first, second, changes)

    # NZ leaves; then a header of the three that stay, and two that only some of them sealed.
    change, staying = leaving(one)
    late = replace(one, height=9, log_size=9, signing_set_hash=staying.hash)
    c = format_header(late), sample.seal(late, ("AU", "JP", "SG"), members=staying)
    twin = replace(late, map_root=b"\x13" * 32)
    d = format_header(twin), sample.seal(twin, ("JP", "SG"), members=staying)
    old = replace(late, signing_set_hash=genesis.signing_set.hash)
    e = sealed(old, "AU", "NZ")
    x, y = (transaction(network_id, "NZ", verified) for verified in (1, 2))

    valid = []
    for what, data in (
        ("two headers", fork(a, b)),
        ("the same, the other way round", fork(b, a)),
        ("everybody signed the second", fork(a, sealed(other, *MEMBERS))),
        ("two headers of a later set", fork(c, d, change)),
        ("headers of two sets", fork(c, e, change)),
        ("one number twice", double(x, y)),
    ):
        kind, convicts, number = judge_evidence(data, network_id, sample.BACKEND)
        valid.append(
            {
                "what": what,
                "network_id": network_id,
                "kind": kind,
                "convicts": list(convicts),
                "number": number,
                "bytes": data,
            }
        )

    good = fork(a, b)
    wrong = {
        "one header twice": fork(a, sealed(one, "JP", "SG")),
        "headers of two heights": fork(a, sealed(replace(other, height=2), "JP", "SG")),
        "nobody signed both": fork(a, sealed(other, "NZ", "SG")),
        "the seals exchanged": fork((a[0], b[1]), (b[0], a[1])),
        "a seal by a quarter of the weight": fork(a, sealed(other, "JP")),
        "a header of another network": fork(
            a, sealed(replace(other, network_id=sample.genesis().network_id), "JP", "SG")
        ),
        "a header of a set that is not given": fork(c, d),
        "a set change that no header needs": fork(a, b, change),
        "a set change twice": fork(c, d, change, change),
        "a set change that is only attested": fork(c, d, leaving(one, "AU", "JP")[0]),
        "the genesis of another network": format_fork(sample.genesis().data, *a, *b),
        "a signature changed": good[:-1] + bytes([good[-1] ^ 1]),
        "one transaction twice": double(x, x),
        "transactions of two numbers": double(x, transaction(network_id, "NZ", 2, sequence=8)),
        "transactions of two authors": double(x, transaction(network_id, "SG", 2)),
        "a transaction of another network": double(
            x, transaction(sample.genesis().network_id, "NZ", 2)
        ),
        "a key that is not shown to be the author's": double(
            *(transaction(network_id, "NZ", verified, signer="TH") for verified in (1, 2))
        ),
        "no statement": format_strict(evidence_pb2.Evidence(genesis=genesis.data)),
        "an unknown field": good + b"\x78\x01",
        "cut short": good[:-1],
    }
    return {
        "valid": valid,
        "invalid": [
            {"why": why, "network_id": network_id, "bytes": data} for why, data in wrong.items()
        ],
    }


@section(
    "set_change",
    "aeo.ledger.v1.SetChange, as trust passes on from signing_set (set bytes) in the network of"
    " network_id; incoming: the bytes of the set that it leads to",
)
def set_change() -> dict[str, list[Case]]:
    genesis = sample.genesis(MEMBERS)
    network_id, outgoing = genesis.network_id, genesis.signing_set
    common = {"network_id": network_id, "signing_set": format_signing_set(outgoing)}
    first = replace(sample.first_header(), network_id=network_id, height=4, log_size=4)
    change, staying = leaving(first)
    assert check_set_changes(outgoing, [change], network_id, sample.BACKEND)[-1] == staying
    elsewhere = leaving(replace(first, network_id=sample.genesis().network_id))[0]
    later = leaving(replace(first, height=5, log_size=5, map_root=bytes(32)))[0]
    wrong = {
        "a seal by half of the weight": leaving(first, "AU", "JP")[0],
        "a seal by a quarter of the weight": leaving(first, "AU")[0],
        "of another network": elsewhere,
        "the header exchanged": change._replace(header=later.header),
        "the seal exchanged": change._replace(seal=later.seal),
        "the map proof exchanged": change._replace(map_proof=later.map_proof),
        "no set is pending": change._replace(
            signing_sets=format_signing_sets(SigningSets(outgoing, None))
        ),
        "another set is pending": change._replace(
            signing_sets=format_signing_sets(SigningSets(outgoing, sample.signing_set(("AU",))))
        ),
    }
    cases = [{"why": why, **common, "bytes": format_set_change(bad)} for why, bad in wrong.items()]
    good = format_set_change(change)
    cases += [
        {"why": "cut short", **common, "bytes": good[:-1]},
        {"why": "an unknown field", **common, "bytes": good + b"\x78\x01"},
        {
            "why": "from the set that it leads to",
            "network_id": network_id,
            "signing_set": format_signing_set(staying),
            "bytes": good,
        },
    ]
    return {
        "valid": [{**common, "incoming": format_signing_set(staying), "bytes": good}],
        "invalid": cases,
    }


def leaving(header: Header, *signers: str) -> tuple[SetChange, SigningSet]:
    """The set change by which NZ leaves, at a header with a map that holds it; all but NZ sign."""
    outgoing = sample.signing_set(MEMBERS)
    staying = sample.signing_set(("AU", "JP", "SG"))
    sets = format_signing_sets(SigningSets(outgoing, staying))
    others = {map_key(PARAMETERS): bytes([header.height]) * 32, map_key(PREFIX, b"AU"): b"x" * 32}
    held = StateMap.build({SIGNING_SETS_KEY: object_value(sets), **others})
    at = replace(header, map_root=held.root, signing_set_hash=outgoing.hash)
    data, seal = sealed(at, *(signers or ("AU", "JP", "SG")))
    return SetChange(data, seal, sets, held.prove(SIGNING_SETS_KEY)), staying


def transaction(
    network_id: bytes, author: str, verified: int, *, sequence: int = 7, signer: str = ""
) -> bytes:
    """A heartbeat that says it has verified a made-up header of that height."""
    secrets = sample.keys(signer or author)
    body = Transaction(
        author=author,
        key_id=key_id(secrets.bls_public_key),
        sequence=sequence,
        verified_height=verified,
        verified_header_hash=bytes([verified]) * 32,
        heartbeat=Heartbeat(),
    )
    return sign_transaction(secrets.bls_secret, sample.BACKEND, network_id, format_body(body))


@section(
    "verdict",
    "verdicts (aeo.exchange.v1.Verdict, bytes) on a ledger: ledger is an export that can be"
    " replayed whole, lookup_keys open its arrangements, instructions are the recogniser's words"
    " by benefit; in a query null is 'not given'. There are no profiles: no name was declared",
)
def verdict() -> dict[str, list[Case]]:
    world, shared = recognising_world()
    instructions = {2: "Release without examination"}
    now = Times(world.time + 1_000, world.time)
    nz = {"recognising": "NZ", "function": "EX", "direction": 1, "transport_mode": 1}
    asked: list[tuple[str, dict[str, object], Times]] = [
        ("recognised", {"tin": "HK1"}, now),
        ("written as people write it", {"tin": " hk-1 "}, now),
        ("by an alias", {"alias": Alias("TEST", "MID-1")}, now),
        ("an alias that nobody published", {"alias": Alias("TEST", "MID-9")}, now),
        ("suspended", {"tin": "HK2"}, now),
        ("suspended, as of the day before", {"tin": "HK2", "as_of": world.time - DAY}, now),
        ("suspended, as known before", {"tin": "HK2", "known_at_height": 3}, now),
        ("a role that the rule does not name", {"tin": "HK3"}, now),
        ("no record", {"tin": "HK9"}, now),
        ("a function that no rule covers", {"tin": "HK1", "function": "CB"}, now),
        ("a direction that no rule covers", {"tin": "HK1", "direction": 2}, now),
        ("before the rule begins", {"tin": "HK1", "as_of": START - 400 * DAY}, now),
        ("a prefix that nobody speaks for", {"tin": "JP1"}, now),
        ("no TIN", {"tin": "HK/1"}, now),
        ("no arrangement of the two", {"tin": "HK1", "recognising": "SG"}, now),
        ("one's own trader", {"tin": "HK1", "recognising": "HK"}, now),
        ("known at before genesis", {"tin": "HK1", "known_at_time": START - 1}, now),
        ("the ledger is stale", {"tin": "HK1"}, Times(world.time + DAY, world.time)),
        ("the issuer is stale", {"tin": "HK1"}, Times(world.time + DAY, world.time + DAY)),
        ("bad news does not turn stale", {"tin": "HK2"}, Times(world.time + DAY, world.time)),
    ]
    questions = []
    for what, fields, times in asked:
        query = Query(**{**nz, **fields})
        keyring = {shared: world.lookup_key(shared)}
        answer = evaluate(query, world.view, keyring, None, instructions, times)
        alias = query.alias and query.alias._asdict()
        questions.append(
            {
                "what": what,
                "query": {**asdict(query), "alias": alias},
                "times": times._asdict(),
                "outcome": verdict_pb2.Outcome.Name(answer.outcome),
                "reason": verdict_pb2.Reason.Name(answer.reason),
                "bytes": format_verdict(answer),
            }
        )
    key = world.lookup_key(shared)
    return {
        "valid": [
            {
                "network_id": world.view.network_id,
                "ledger": world.export(),
                "lookup_keys": [{"arrangement_id": shared, "epoch": key.epoch, "key": key.key}],
                "instructions": [
                    {"benefit": benefit, "words": words} for benefit, words in instructions.items()
                ],
                "questions": questions,
            }
        ]
    }


def recognising_world() -> tuple[World, bytes]:
    """New Zealand recognises exporters of Hong Kong; 1 is certified, 2 suspended, 3 an importer."""
    world = World(("HK", "NZ", "SG"))
    rule = arrangement_pb2.Rule(
        issuing="HK",
        recognising="NZ",
        functions=["EX", "SE"],
        certified_roles=["EX"],
        directions=[arrangement_pb2.DIRECTION_IMPORT],
        benefits=[arrangement_pb2.Benefit(code=2, granted_by="CUSTOMS")],
        **{"from": START - 365 * DAY},
    )
    shared = world.agree("HK", "NZ", rules=[rule])
    granted = [
        world.grant(shared, tin, roles=roles, level="AEO-S", effective_from=START - 30 * DAY)
        for tin, roles in (("HK1", ("EX",)), ("HK2", ("EX", "IM")), ("HK3", ("IM",)))
    ]
    world.publish("HK", shared, granted)
    world.commit(
        world.aliases("HK", shared, [world.alias(shared, "MID-1", "HK1")]),
        world.statuses("HK", shared, [world.suspend(shared, "HK2", roles=("EX", "IM"))]),
    )
    world.commit(world.transaction("NZ"))
    world.seal()
    return world, shared
