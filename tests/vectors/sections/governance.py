"""Vectors of governance: its steps in their one form, and a ledger that governs itself."""

from dataclasses import replace

from aeo.ledger.v1 import governance_pb2 as pb
from ledger.chain import keys
from ledger.chain.export import HEADER, MAGIC, SEAL, SIGNING_SETS, TRANSACTION, Item
from ledger.chain.governance import (
    Admission,
    GovernanceStep,
    HandOver,
    MemberSuspension,
    ParameterChange,
    Proposal,
    Propose,
    Reinstatement,
    Removal,
    Rotation,
    Vote,
    WeightChange,
    format_governance_step,
    format_proposal,
    proposal_id,
)
from ledger.chain.header import format_header, header_hash, parse_header
from ledger.chain.parameters import DEFAULT_PARAMETERS, format_parameters
from ledger.chain.seal import aggregate_seal, sign_share
from ledger.chain.signing_set import format_signing_sets
from ledger.wire import format_strict
from tests.ledger_world import BACKEND, World, bls_secret, registration
from tests.vectors import sample
from tests.vectors.registry import Case, section
from tests.vectors.sections.customs import JANUARY, NETWORK

FOUNDERS = ("AU", "HK", "NZ", "SG")


@section(
    "governance_step",
    "aeo.ledger.v1.GovernanceStep: its kind and what it says; of a proposal also the id that it has"
    " as transaction `sequence` of `author`. Bytes inside a proposal are read where it is executed",
)
def governance_steps() -> dict[str, list[Case]]:
    identity = proposal_id(NETWORK, "KR", 7)
    key = sample.registration("AU")
    changes = (
        Admission(key),
        MemberSuspension("NZ", bytes(range(8))),
        Reinstatement("NZ"),
        Removal("NZ"),
        WeightChange((("AU", 2**31 - 1), ("NZ", 0))),
        WeightChange(()),
        ParameterChange(format_parameters(DEFAULT_PARAMETERS)),
        ParameterChange(b""),
    )
    valid: list[Case] = [
        {
            "kind": "propose",
            "closes_at": JANUARY,
            "change": type(change).__name__,
            "says": change._asdict(),
            "network_id": NETWORK,
            "author": "KR",
            "sequence": 7,
            "proposal_id": identity,
            "bytes": format_governance_step(Propose(Proposal(JANUARY, change))),
        }
        for change in changes
    ]
    others: list[tuple[str, GovernanceStep]] = [
        ("vote", Vote(identity, in_favour=True)),
        ("vote", Vote(identity, in_favour=False)),
        ("rotate_key", Rotation(key)),
        ("hand_over", HandOver(format_header(sample.first_header()), bytes(138))),
    ]
    for kind, step in others:
        data = format_governance_step(step)
        valid.append({"kind": kind, "says": step._asdict(), "bytes": data})

    def bad(why: str, **step: object) -> Case:
        return {"why": why, "bytes": format_strict(pb.GovernanceStep(**step))}

    def bad_proposal(why: str, **fields: object) -> Case:
        proposal = pb.Proposal(**({"closes_at": JANUARY, "remove": "NZ"} | fields))
        return bad(why, propose=format_strict(proposal))

    removal = format_proposal(Proposal(JANUARY, Removal("NZ")))
    vote = valid[-4]["bytes"]
    weights = [pb.MemberWeight(economy=each, weight=1) for each in ("NZ", "AU")]
    return {
        "valid": valid,
        "invalid": [
            {"why": "a step that does nothing", "bytes": b""},
            {"why": "two steps", "bytes": vote + valid[-2]["bytes"]},
            bad("a proposal that changes nothing", propose=removal[:9]),
            bad("two changes", propose=removal + format_proposal(Proposal(1, Removal("AU")))[9:]),
            bad_proposal("a proposal that never closes", closes_at=0),
            bad_proposal("a proposal that closes at 2^63", closes_at=2**63),
            bad_proposal("an economy in lower case", remove="nz"),
            bad(
                "a key id of 7 bytes",
                propose=format_strict(
                    pb.Proposal(
                        closes_at=1, suspend=pb.MemberSuspension(economy="NZ", key_id=bytes(7))
                    )
                ),
            ),
            bad(
                "weights that descend",
                propose=format_strict(
                    pb.Proposal(closes_at=1, weights=pb.WeightChange(members=weights))
                ),
            ),
            bad(
                "a weight of 2^31",
                propose=format_strict(
                    pb.Proposal(
                        closes_at=1,
                        weights=pb.WeightChange(
                            members=[pb.MemberWeight(economy="AU", weight=2**31)]
                        ),
                    )
                ),
            ),
            bad("a proposal id of 15 bytes", vote=pb.Vote(proposal_id=identity[:15])),
            bad("a header of 223 bytes", hand_over=pb.HandOver(header=bytes(223), seal=bytes(138))),
            bad("a hand-over without seal", hand_over=pb.HandOver(header=bytes(224))),
            {"why": "a vote against written out", "bytes": vote[:-1] + b"\x00"},
            {"why": "cut short", "bytes": vote[:-1]},
        ],
    }


@section(
    "governance",
    "a ledger whose members admit, rotate, suspend, reinstate, reweigh, change parameters and"
    " remove, as an export in `bytes`; `results` has the code of each record by log entry (empty:"
    " executed), `proofs` what the map of the newest header then holds. Invalid ones do not replay",
)
def governance() -> dict[str, list[Case]]:
    world, results = _governed_world()
    view = world.view
    places = [
        (keys.MEMBER, [b"NZ"]),
        (keys.MEMBER, [b"SG"]),
        (keys.MEMBER, [b"TH"]),
        (keys.SIGNING_SETS, []),
        (keys.PARAMETERS, []),
        (keys.PREFIX, [b"SG"]),
        (keys.PREFIX, [b"XT"]),
        *((keys.PROPOSAL, [identity]) for identity in view.proposals),
    ]
    proofs = []
    for kind, parts in places:
        key = keys.map_key(kind, *parts)
        value = view.updates.get(view.map_version, key)
        proof = view.prove(key)
        proofs.append({"kind": kind, "parts": parts, "key": key, "value": value, "bytes": proof})
    items = world.items()
    at = next(index for index, (kind, _) in enumerate(items) if kind == SIGNING_SETS)
    later = next(index for index in range(at + 2, len(items)) if items[index][0] == HEADER)
    incoming, outgoing = parse_header(items[at + 1][1]), world.genesis.signing_set.hash
    stale = format_header(replace(incoming, signing_set_hash=outgoing))
    wrong = {
        "no item 5 before the header that changes the set": items[:at] + items[at + 1 :],
        "item 5 one header too late": [
            *items[:at],
            *items[at + 1 : later],
            items[at],
            *items[later:],
        ],
        "the block of the hand-over still names the outgoing set": [
            *items[:at],
            (HEADER, stale),
            *(item for item in items[at + 2 : later] if item[0] == TRANSACTION),
            (SEAL, _sealed(world, stale)),
        ],
    }
    return {
        "valid": [
            {
                "now": world.time,
                "network_id": view.network_id,
                "bytes": world.export(),
                "results": results,
                "signing_sets": format_signing_sets(view.signing_sets),
                "parameters": view.parameter_bytes,
                "members": {
                    economy: [member.standing, member.weight, member.registration.key_id]
                    for economy, member in view.membership.all.items()
                },
                "speakers": {
                    prefix: view.membership.speaker(prefix) for prefix in view.membership.speakers
                },
                "proposals": [
                    {"proposal_id": identity, "result": each.result, "votes": dict(each.votes)}
                    for identity, each in view.proposals.items()
                ],
                "proofs": proofs,
            }
        ],
        "invalid": [
            {"why": why, "now": world.time, "bytes": _framed(changed)}
            for why, changed in wrong.items()
        ],
    }


def _sealed(world: World, header: bytes) -> bytes:
    """A seal of a header by all founders."""
    time, hashed = parse_header(header).time, header_hash(header)
    founders = world.genesis.signing_set
    shares = {
        economy: sign_share(bls_secret(economy), BACKEND, world.view.network_id, hashed, time)
        for economy in FOUNDERS
    }
    return aggregate_seal(founders, hashed, time, shares, BACKEND)


def _framed(items: list[Item]) -> bytes:
    """An export that need not be one."""
    parts = [kind.to_bytes(1) + len(data).to_bytes(4) + data for kind, data in items]
    return MAGIC + b"".join(parts) + bytes(5)


def _governed_world() -> tuple[World, list[list[str]]]:
    """A network that has done all there is to do, and the code of each record by log entry."""
    world = World(FOUNDERS, name="governance")
    results: list[list[str]] = []

    def commit(*transactions: bytes) -> None:
        for result in world.commit(*transactions).results:
            if isinstance(result, str):
                raise AssertionError(result)
            results.append(list(result))

    def decide(change: object, *voters: str) -> None:
        identity, proposing = world.proposing(change)  # type: ignore[arg-type]
        commit(proposing)
        commit(*world.votes(identity, *voters))

    def hand_over() -> None:
        seal = world.seal()
        commit(world.govern("AU", HandOver(world.view.header_bytes, seal)))

    network = world.view.network_id
    thailand = registration("TH", 2, network_id=network, prefixes=("TH", "XT"))
    decide(Admission(thailand), "AU", "AU", "HK", "NZ", "SG")
    commit(
        *(
            world.govern("AU", Propose(Proposal(world.time + 10**6, each)))
            for each in (WeightChange(()), Admission(thailand), Removal("JP"))
        )
    )
    hand_over()
    commit(world.govern("NZ", Rotation(registration("NZ", network_id=network, bls=1))))
    commit(world.transaction("NZ"), world.transaction("TH"))
    key_id = world.view.membership.members["SG"].key_id
    decide(MemberSuspension("SG", key_id), "AU", "HK", "NZ", "TH")
    hand_over()
    decide(Reinstatement("SG"), "AU", "HK", "TH")
    decide(WeightChange((("AU", 3),)), "AU", "HK", "TH")
    hand_over()
    faster = DEFAULT_PARAMETERS._replace(heartbeat_interval=60_000)
    against, proposing = world.proposing(ParameterChange(format_parameters(faster)))
    commit(proposing)
    commit(*world.votes(against, "NZ", "TH", in_favour=False))
    decide(ParameterChange(format_parameters(faster)), "AU", "NZ", "TH")
    decide(Removal("SG"), "AU", "HK", "TH")
    hand_over()
    world.seal()
    return world, results
