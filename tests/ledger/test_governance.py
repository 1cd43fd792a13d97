"""Governance on the wire: one form for each step, and vectors that a verifier can run."""

import json
from itertools import pairwise
from typing import Any

import pytest

from aeo.ledger.v1 import governance_pb2 as pb
from ledger.audit.replay import verify_export
from ledger.bls.scheme import default_backend
from ledger.chain.export import HEADER, TRANSACTION, parse_export
from ledger.chain.genesis import parse_genesis
from ledger.chain.governance import (
    PROPOSAL_LIMIT,
    Admission,
    MemberSuspension,
    Proposal,
    Propose,
    Reinstatement,
    Removal,
    Vote,
    WeightChange,
    format_governance_step,
    format_proposal,
    parse_governance_step,
    parse_proposal,
    proposal_id,
)
from ledger.chain.header import parse_header
from ledger.chain.keys import map_key
from ledger.errors import CheckError, FormatError
from ledger.state.machine import Machine
from ledger.tree.map_proof import check_map_proof
from ledger.wire import format_strict
from tests.vectors.generate import FOLDER

Case = dict[str, Any]
BACKEND = default_backend()


def vectors(name: str, kind: str) -> list[Case]:
    return json.loads((FOLDER / f"{name}.json").read_text())[kind]  # type: ignore[no-any-return]


def as_json(value: object) -> object:
    """A value as the vectors write it."""
    if isinstance(value, bytes):
        return value.hex()
    if isinstance(value, tuple):
        return [as_json(each) for each in value]
    return value


def says(value: Any) -> dict[str, object]:
    return {name: as_json(each) for name, each in value._asdict().items()}


@pytest.mark.parametrize("case", vectors("governance_step", "valid"), ids=lambda case: case["kind"])
def test_steps_say_what_the_vectors_say(case: Case) -> None:
    data = bytes.fromhex(case["bytes"])
    step = parse_governance_step(data)
    assert format_governance_step(step) == data
    if isinstance(step, Propose):
        change = step.proposal.change
        assert step.proposal.closes_at == case["closes_at"]
        assert (type(change).__name__, says(change)) == (case["change"], case["says"])
        network = bytes.fromhex(case["network_id"])
        identity = proposal_id(network, case["author"], case["sequence"])
        assert identity.hex() == case["proposal_id"]
    else:
        assert says(step) == case["says"]


@pytest.mark.parametrize(
    "case", vectors("governance_step", "invalid"), ids=lambda case: case["why"]
)
def test_steps_that_are_none(case: Case) -> None:
    with pytest.raises(FormatError):
        parse_governance_step(bytes.fromhex(case["bytes"]))


def test_every_truncation_and_addition_is_refused() -> None:
    for step in (
        Propose(Proposal(1, WeightChange((("AU", 1), ("NZ", 2))))),
        Propose(Proposal(1, MemberSuspension("AU", bytes(8)))),
        Vote(bytes(16), in_favour=True),
    ):
        data = format_governance_step(step)
        for size in range(len(data)):
            with pytest.raises(FormatError):
                parse_governance_step(data[:size])
        for more in (b"\x00", b"\x08\x01", data):
            with pytest.raises(FormatError):
                parse_governance_step(data + more)


def test_what_cannot_be_read_cannot_be_written() -> None:
    for change in (
        Removal("nz"),
        Reinstatement(""),
        MemberSuspension("NZ", b"short"),
        MemberSuspension("", bytes(8)),
        WeightChange((("NZ", 1), ("AU", 1))),
        WeightChange((("AU", 1), ("AU", 2))),
        WeightChange((("AU", 1 << 31),)),
        Admission(bytes(PROPOSAL_LIMIT)),
    ):
        with pytest.raises(FormatError):
            format_proposal(Proposal(1, change))
    for closes_at in (0, 1 << 63):
        with pytest.raises(FormatError):
            format_proposal(Proposal(closes_at, Removal("NZ")))


def test_the_largest_proposal_fits_a_step_and_a_transaction() -> None:
    overhead = len(format_strict(pb.Proposal(closes_at=1, admit=bytes(PROPOSAL_LIMIT - 100)))) + 100
    largest = Proposal(1, Admission(bytes(2 * PROPOSAL_LIMIT - overhead)))
    data = format_proposal(largest)
    assert len(data) == PROPOSAL_LIMIT
    assert parse_proposal(data) == largest
    assert parse_governance_step(format_governance_step(Propose(largest))) == Propose(largest)
    with pytest.raises(FormatError):
        format_proposal(Proposal(1, Admission(largest.change.registration + b"\x00")))  # type: ignore[union-attr]


def test_a_governed_ledger_replays_to_what_the_vectors_say() -> None:
    (case,) = vectors("governance", "valid")
    export, network_id = bytes.fromhex(case["bytes"]), bytes.fromhex(case["network_id"])
    *_, report = verify_export([export], now=case["now"], backend=BACKEND, network_id=network_id)
    assert report.verified

    genesis, *items = parse_export([export])
    machine = Machine(parse_genesis(genesis[1]), BACKEND)
    headers = [parse_header(data) for kind, data in items if kind == HEADER]
    entries = [data for kind, data in items if kind == TRANSACTION]
    results: list[object] = []
    for before, header in pairwise(headers):
        block = machine.execute(entries[before.log_size : header.log_size], header.time)
        results += [list(result) for result in block.results]
        machine.advance(block)
        assert machine.state.header == header
    assert results == case["results"]
    state = machine.state
    assert state.parameter_bytes.hex() == case["parameters"]
    assert {
        economy: [member.standing, member.weight, member.registration.key_id.hex()]
        for economy, member in state.membership.all.items()
    } == case["members"]
    assert {
        prefix: state.membership.speaker(prefix) for prefix in state.membership.speakers
    } == case["speakers"]
    assert [
        {"proposal_id": identity.hex(), "result": each.result, "votes": each.votes}
        for identity, each in state.proposals.items()
    ] == case["proposals"]
    for proof in case["proofs"]:
        key = map_key(proof["kind"], *[bytes.fromhex(part) for part in proof["parts"]])
        assert key.hex() == proof["key"]
        value, data = bytes.fromhex(proof["value"]), bytes.fromhex(proof["bytes"])
        check_map_proof(state.header.map_root, key, value, data)


@pytest.mark.parametrize("case", vectors("governance", "invalid"), ids=lambda case: case["why"])
def test_governed_ledgers_that_do_not_replay(case: Case) -> None:
    export = bytes.fromhex(case["bytes"])
    with pytest.raises(CheckError, match=r"^(header|height|byte) \d+: .*set"):
        list(verify_export([export], now=case["now"], backend=BACKEND))
