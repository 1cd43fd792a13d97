"""The generated vectors are unchanged, and every reader agrees with them."""

import json
from collections.abc import Callable, Iterator
from importlib import import_module
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest

from aeo.exchange.v1 import verdict_pb2
from ledger.audit.evidence import judge_evidence
from ledger.audit.receipt import check_receipt
from ledger.audit.replay import verify_export
from ledger.bls.reference import ReferenceBackend
from ledger.bls.scheme import default_backend
from ledger.chain.anchor import Anchor, check_attested_time, check_descends
from ledger.chain.export import HEADER, TRANSACTION, parse_export
from ledger.chain.genesis import check_genesis, parse_genesis
from ledger.chain.header import format_header, header_hash, parse_header
from ledger.chain.history import history_step
from ledger.chain.keys import map_key, object_value, report_key
from ledger.chain.registration import open_registration
from ledger.chain.seal import open_seal
from ledger.chain.set_change import check_set_changes, format_set_change, parse_set_change
from ledger.chain.signing_set import (
    SigningSet,
    format_signing_set,
    format_signing_sets,
    parse_signing_set,
    parse_signing_sets,
)
from ledger.chain.transaction import check_transaction, parse_transaction
from ledger.customs.arrangement import parse_step
from ledger.customs.evaluate import evaluate
from ledger.customs.report import Report, ReportName, parse_report_step
from ledger.customs.small_cells import small_figure
from ledger.customs.subject import LookupKey
from ledger.customs.verdict import Alias, Query, Times, format_verdict
from ledger.errors import FormatError, LedgerError
from ledger.hashing import ZERO_HASH, tagged
from ledger.state.alias import AliasRecord, format_alias, parse_alias
from ledger.state.machine import Machine
from ledger.state.state import State
from ledger.tree.log import Log, leaf_hash
from ledger.tree.log_proof import check_consistency, check_inclusion
from ledger.tree.map import StateMap
from ledger.tree.map_proof import check_map_proof
from ledger.wire import format_strict, parse_strict
from tests.vectors import sample
from tests.vectors.generate import FOLDER, generate

Case = dict[str, Any]
BACKEND = default_backend()
FORKED_NETWORK = sample.genesis(("AU", "JP", "NZ", "SG")).network_id


def vectors(name: str, kind: str) -> list[Case]:
    content = json.loads((FOLDER / f"{name}.json").read_text())
    return content[kind]  # type: ignore[no-any-return]


def unhex(case: Case, *names: str) -> Iterator[bytes]:
    for name in names:
        yield bytes.fromhex(case[name])


def message_type(name: str) -> Any:
    for module in ("arrangement", "genesis", "member", "status", "transaction"):
        found = getattr(import_module(f"aeo.ledger.v1.{module}_pb2"), name, None)
        if found is not None:
            return found
    raise AssertionError(name)


def test_generating_again_gives_the_same_bytes() -> None:
    texts = generate()
    assert texts == {path.name: path.read_text() for path in FOLDER.glob("*.json")}
    assert generate() == texts


def test_no_secret_or_path_of_a_machine_is_in_them() -> None:
    for path in FOLDER.glob("*.json"):
        assert str(Path.home()) not in path.read_text()


def test_hashes() -> None:
    for case in vectors("tagged_hash", "valid"):
        assert tagged(case["tag"])(bytes.fromhex(case["input"])).hex() == case["hash"]
    for case in vectors("map_key", "valid"):
        assert map_key(case["kind"], *map(bytes.fromhex, case["parts"])).hex() == case["key"]
    for case in vectors("object", "valid"):
        data, value = unhex(case, "bytes", "value")
        assert object_value(data) == value
    for case in vectors("history", "valid"):
        head = ZERO_HASH
        for n, entry in enumerate(case["entries"], 1):
            head = history_step(head, n, **{**entry, "record": bytes.fromhex(entry["record"])})
        assert head.hex() == case["head"]


def test_headers() -> None:
    for case in vectors("header", "valid"):
        data, hashed = unhex(case, "bytes", "header_hash")
        header = parse_header(data)
        assert format_header(header) == data
        assert header_hash(data) == hashed
        for name in ("height", "time", "log_size"):
            assert getattr(header, name) == case[name]
        for name in ("network_id", "previous", "earlier_root", "log_root", "map_root"):
            assert getattr(header, name).hex() == case[name]
        assert header.signing_set_hash.hex() == case["signing_set_hash"]


def test_signing_sets() -> None:
    for case in vectors("signing_set", "valid"):
        if "object" in case:
            data, value = unhex(case, "object", "value")
            assert format_signing_sets(parse_signing_sets(data)) == data
            assert object_value(data) == value
        else:
            data, hashed = unhex(case, "bytes", "hash")
            assert format_signing_set(parse_signing_set(data)) == data
            assert parse_signing_set(data).hash == hashed
            assert parse_signing_set(data).total == case["total"]


def test_strict_protobuf() -> None:
    for case in vectors("strict_protobuf", "valid"):
        data = bytes.fromhex(case["bytes"])
        assert format_strict(parse_strict(message_type(case["message"]), data, 1000)) == data
    for case in vectors("strict_protobuf", "invalid"):
        with pytest.raises(FormatError):
            parse_strict(message_type(case["message"]), bytes.fromhex(case["bytes"]), 1000)


def test_genesis_and_registrations() -> None:
    for case in vectors("genesis", "valid"):
        data, network_id, set_hash = unhex(case, "bytes", "network_id", "signing_set_hash")
        genesis = parse_genesis(data)
        check_genesis(genesis, BACKEND)
        assert genesis.network_id == network_id
        assert genesis.signing_set.hash == set_hash
        assert [founder.data.hex() for founder in genesis.founders] == case["founders"]
        assert genesis.parameters._asdict() == case["parameter_values"]
    for case in vectors("registration", "valid"):
        registration = open_registration(bytes.fromhex(case["bytes"]), BACKEND)
        assert registration.economy == case["economy"]
        assert registration.bls_public_key.hex() == case["bls_public_key"]


@pytest.mark.parametrize("backend", [BACKEND, ReferenceBackend()], ids=lambda each: each.name)
def test_signatures(backend: Any) -> None:
    # The reference takes a third of a second for each check: one case of a kind is enough for it.
    some = slice(None) if backend is BACKEND else slice(1)
    for case in vectors("transaction", "valid")[some]:
        data, network_id, key = unhex(case, "bytes", "network_id", "public_key")
        parts = parse_transaction(data)
        check_transaction(parts, network_id, key, backend)
        assert parts.message_hash(network_id).hex() == case["message"]
    for case in vectors("seal", "valid")[some]:
        data, network_id, members = unhex(case, "bytes", "network_id", "set")
        value = open_seal(data, parse_signing_set(members), network_id, backend)
        assert list(value.signers) == case["signers"]
        assert value.level == case["level"]
    for case in vectors("registration", "valid")[some]:
        open_registration(bytes.fromhex(case["bytes"]), backend)


def test_exports() -> None:
    for case in vectors("export", "valid"):
        data = bytes.fromhex(case["bytes"])
        items = [(item["type"], bytes.fromhex(item["bytes"])) for item in case["items"]]
        assert list(parse_export([data])) == items
        assert list(parse_export(data[at : at + 1] for at in range(len(data)))) == items


def check_state_map_proof(root: str, case: Case) -> None:
    value = None if case["value"] is None else bytes.fromhex(case["value"])
    key, proof = unhex(case, "key", "bytes")
    check_map_proof(bytes.fromhex(root), key, value, proof)


def test_state_map() -> None:
    for case in vectors("state_map", "valid"):
        leaves = [tuple(unhex(leaf, "key", "value")) for leaf in case["leaves"]]
        state = StateMap.empty()
        for key, value in reversed(leaves):
            state = state.update({key: value})
        assert state.root.hex() == case["root"]
        for proof in case["proofs"]:
            assert state.prove(bytes.fromhex(proof["key"])).hex() == proof["bytes"]
            check_state_map_proof(case["root"], proof)


def check_log_case(case: Case) -> None:
    proof = [bytes.fromhex(each) for each in case["proof"]]
    root, size = bytes.fromhex(case["root"]), case["size"]
    if case["what"] == "inclusion":
        check_inclusion(bytes.fromhex(case["leaf"]), case["index"], size, proof, root)
    else:
        check_consistency(case["old_size"], size, bytes.fromhex(case["old_root"]), root, proof)


def test_log() -> None:
    for case in vectors("log", "valid"):
        if case["what"] == "root":
            leaves = [leaf_hash(bytes.fromhex(entry)) for entry in case["entries"]]
            assert [leaf.hex() for leaf in leaves] == case["leaves"]
            assert Log(leaves).root().hex() == case["root"]
        else:
            check_log_case(case)


def check_anchor_case(case: Case) -> None:
    data, anchor_hash = unhex(case, "bytes", "anchor_hash")
    proof = [bytes.fromhex(each) for each in case["proof"]]
    check_descends(Anchor(case["anchor_height"], anchor_hash), parse_header(data), proof)
    check_attested_time(case["attested_time"], case["now"])


def test_anchors() -> None:
    for case in vectors("anchor", "valid"):
        check_anchor_case(case)


PROOFS: dict[str, Callable[[Case], None]] = {
    "anchor": check_anchor_case,
    "log": check_log_case,
    "state_map": lambda case: check_state_map_proof(case["root"], case),
}


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in PROOFS for case in vectors(name, "invalid")],
    ids=lambda each: each if isinstance(each, str) else each["why"],
)
def test_invalid_proofs_are_refused(name: str, case: Case) -> None:
    with pytest.raises(LedgerError):
        PROOFS[name](case)


def test_publications() -> None:
    for case in vectors("alias_record", "valid"):
        data, alias, subject = unhex(case, "bytes", "alias", "subject")
        record = AliasRecord(alias, subject, case["valid_from"], case["valid_to"])
        assert parse_alias(data) == record
        assert format_alias(record) == data
    for case in vectors("arrangement_step", "valid"):
        data, identity, agreed = unhex(case, "bytes", "arrangement_id", "text_hash")
        step = parse_step(data)
        assert step[:2] == (case["kind"], identity)
        assert (step.text_hash, step.effective_from) == (agreed, case["effective_from"])


def test_report_steps() -> None:
    for case in vectors("report_step", "valid"):
        data, shared, hashed, key = unhex(case, "bytes", "arrangement_id", "report_hash", "key")
        name = ReportName(shared, case["reporter"], case["from"], case["to"])
        assert report_key(*name) == key
        step = parse_report_step(data)
        assert step.report_hash == hashed
        if isinstance(step, Report):
            assert (case["kind"], step[:3]) == ("publish", (shared, name.begin, name.end))
            assert (small_figure(step.message) is not None) == case["small"]
        else:
            assert (case["kind"], step.name) == ("co_sign", name)


def test_evidence() -> None:
    for case in vectors("evidence", "valid"):
        data, network_id = unhex(case, "bytes", "network_id")
        judged = judge_evidence(data, network_id, BACKEND)
        assert judged == (case["kind"], tuple(case["convicts"]), case["number"])


def test_set_changes() -> None:
    for case in vectors("set_change", "valid"):
        data, incoming = unhex(case, "bytes", "incoming")
        assert format_set_change(parse_set_change(data)) == data
        assert format_signing_set(follow(case)) == incoming
    for case in vectors("set_change", "invalid"):
        with pytest.raises(LedgerError):
            follow(case)


def follow(case: Case) -> SigningSet:
    data, network_id, first = unhex(case, "bytes", "network_id", "signing_set")
    outgoing = parse_signing_set(first)
    return check_set_changes(outgoing, [parse_set_change(data)], network_id, BACKEND)[-1]


def test_verdicts() -> None:
    for case in vectors("verdict", "valid"):
        state = replay(bytes.fromhex(case["ledger"]), case["questions"][0]["times"]["now"])
        network_id = bytes.fromhex(case["network_id"])
        keyring = {}
        for each in case["lookup_keys"]:
            identity, secret = unhex(each, "arrangement_id", "key")
            keyring[identity] = LookupKey(secret, network_id, identity, each["epoch"])
        instructions = {each["benefit"]: each["words"] for each in case["instructions"]}
        for question in case["questions"]:
            alias = question["query"]["alias"]
            query = Query(**{**question["query"], "alias": alias and Alias(**alias)})
            times = Times(**question["times"])
            verdict = evaluate(query, state, keyring, None, instructions, times)
            assert format_verdict(verdict).hex() == question["bytes"], question["what"]
            assert verdict_pb2.Outcome.Name(verdict.outcome) == question["outcome"]
            assert verdict_pb2.Reason.Name(verdict.reason) == question["reason"]


def test_receipts() -> None:
    for case in vectors("receipt", "valid"):
        data, network_id = unhex(case, "bytes", "network_id")
        checked = check_receipt(data, now=case["now"], backend=BACKEND, network_id=network_id)
        assert checked.verified == case["verified"], case["what"]
        assert verdict_pb2.Reason.Name(checked.verdict.reason) == case["reason"]
        assert [each.identifier.hex() for each in checked.unopened] == case["unopened"]
        alias = case["query"]["alias"]
        assert checked.query == Query(**{**case["query"], "alias": alias and Alias(**alias)})
        (said,) = case["lookup_keys"]
        identity, secret = unhex(said, "arrangement_id", "key")
        lookup_keys = {identity: LookupKey(secret, network_id, identity, said["epoch"])}
        anchor = case.get("anchor")
        whole = check_receipt(
            data,
            now=case["now"],
            backend=BACKEND,
            anchor=anchor and Anchor(anchor["height"], bytes.fromhex(anchor["header_hash"])),
            network_id=network_id,
            lookup_keys=lookup_keys,
        )
        assert whole.verified


def check_as_said(data: bytes) -> None:
    case = vectors("receipt", "valid")[0]
    (network_id,) = unhex(case, "network_id")
    check_receipt(data, now=case["now"], backend=BACKEND, network_id=network_id)


def replay(ledger: bytes, now: int) -> State:
    """Verify an export, then make the state that it leads to."""
    reports = list(verify_export([ledger], now=now, backend=BACKEND))
    assert reports[-1].complete
    genesis, *items = parse_export([ledger])
    headers = [parse_header(data) for kind, data in items if kind == HEADER]
    entries = [data for kind, data in items if kind == TRANSACTION]
    machine = Machine(parse_genesis(genesis[1]), BACKEND)
    for before, header in pairwise(headers):
        machine.advance(machine.execute(entries[before.log_size : header.log_size], header.time))
        assert machine.state.header == header
    return machine.state


READERS: dict[str, Callable[[bytes], object]] = {
    "alias_record": parse_alias,
    "arrangement_step": parse_step,
    "evidence": lambda data: judge_evidence(data, FORKED_NETWORK, BACKEND),
    "export": lambda data: list(parse_export([data])),
    "genesis": parse_genesis,
    "header": parse_header,
    "receipt": check_as_said,
    "report_step": parse_report_step,
    "registration": lambda data: open_registration(data, BACKEND),
    "seal": lambda data: open_seal(
        data, sample.signing_set(), sample.genesis().network_id, BACKEND
    ),
    "signing_set": parse_signing_set,
    "transaction": parse_transaction,
}


@pytest.mark.parametrize(
    ("name", "case"),
    [(name, case) for name in READERS for case in vectors(name, "invalid")],
    ids=lambda each: each if isinstance(each, str) else each["why"],
)
def test_invalid_ones_are_refused(name: str, case: Case) -> None:
    with pytest.raises(LedgerError):
        READERS[name](bytes.fromhex(case["bytes"]))
