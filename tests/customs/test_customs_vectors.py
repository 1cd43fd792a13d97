"""Our readers agree with the vectors of the customs side that others may use."""

import json
from typing import Any

import pytest

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import status_pb2
from ledger.customs.arrangement import arrangement_id, parse_arrangement_text
from ledger.customs.profile import format_profile, open_profile, parse_profile
from ledger.customs.status import format_status, parse_status
from ledger.customs.subject import LookupKey
from ledger.customs.tin import parse_tin
from ledger.errors import FormatError, TinError
from tests.vectors.generate import FOLDER


def vectors(name: str, kind: str = "valid") -> list[dict[str, Any]]:
    content: dict[str, list[dict[str, Any]]] = json.loads((FOLDER / f"{name}.json").read_text())
    assert content[kind]
    return content[kind]


def test_keyed_identifiers() -> None:
    for case in vectors("keyed_identifiers"):
        network, identity, secret = (
            bytes.fromhex(case[name]) for name in ("network_id", "arrangement_id", "key")
        )
        key = LookupKey(secret, network, identity, case["epoch"])
        assert key.commitment.hex() == case["commitment"]
        assert key.tin_mac(case["tin"]).hex() == case["tin_mac"]
        assert key.subject(case["tin"]).hex() == case["subject"]
        assert key.alias(case["scheme"], case["value"]).hex() == case["alias"]
        assert key.certificate(case["number"]).hex() == case["certificate"]


def test_tins() -> None:
    for case in vectors("tin"):
        tin = parse_tin(case["text"], set(case["prefixes"]))
        assert tin.canonical == case["canonical"]
        assert list(tin.changes) == [verdict_pb2.TinChange.Value(name) for name in case["changes"]]
    for case in vectors("tin", "invalid"):
        with pytest.raises(TinError) as caught:
            parse_tin(case["text"], set(case["prefixes"]))
        assert caught.value.reason == verdict_pb2.Reason.Value(case["reason"])


def test_status_records() -> None:
    for case in vectors("status_record"):
        data = bytes.fromhex(case["bytes"])
        record = parse_status(data)
        assert format_status(record) == data
        assert record.subject.hex() == case["subject"]
        assert record.terms.event == status_pb2.Event.Value(case["event"])
        assert record.terms.status == status_pb2.Status.Value(case["status"])
        for name in ("valid_from", "valid_to", "effective_from", "effective_to"):
            assert getattr(record, name) == case[name]
    for case in vectors("status_record", "invalid"):
        with pytest.raises(FormatError):
            parse_status(bytes.fromhex(case["bytes"]))


def test_arrangement_texts() -> None:
    for case in vectors("arrangement_text"):
        text = parse_arrangement_text(bytes.fromhex(case["bytes"]))
        assert text.text_hash.hex() == case["text_hash"]
        network = bytes.fromhex(case["network_id"])
        identity = arrangement_id(network, case["author"], case["sequence"])
        assert identity.hex() == case["arrangement_id"]
    for case in vectors("arrangement_text", "invalid"):
        with pytest.raises(FormatError):
            parse_arrangement_text(bytes.fromhex(case["bytes"]))


def test_profiles() -> None:
    for case in vectors("profile"):
        data, nonce, commitment = (
            bytes.fromhex(case[name]) for name in ("profile", "nonce", "commitment")
        )
        profile = open_profile(commitment, nonce, data)
        assert profile.tin == case["tin"]
        assert [list(name) for name in profile.names] == case["names"]
        assert format_profile(profile) == data
    for case in vectors("profile", "invalid"):
        with pytest.raises(FormatError):
            parse_profile(bytes.fromhex(case["profile"]))
