"""Vectors of strict protobuf: encodings that readers treat differently."""

from aeo.ledger.v1.arrangement_pb2 import Rule
from aeo.ledger.v1.status_pb2 import CertifiedRole, StatusTerms
from aeo.ledger.v1.transaction_pb2 import Heartbeat, StatusBatch, Transaction
from ledger.wire import format_strict
from tests.vectors.registry import Case, section


@section(
    "strict_protobuf",
    "encodings of messages of aeo.ledger.v1: each valid one is the only one of its value",
)
def strict_protobuf() -> dict[str, list[Case]]:
    valid = (
        CertifiedRole(),
        CertifiedRole(code="CA", mode=4),
        StatusTerms(event=1, status=1, roles=[CertifiedRole(), CertifiedRole(code="IM")]),
        StatusBatch(records=[b"", b""]),
        Transaction(arrangement=b""),
        Transaction(author="SG", heartbeat=Heartbeat()),
        Rule(directions=[1, 3], transport_modes=[0, 300]),
        Rule(**{"from": 1}),
    )
    invalid = (
        ("CertifiedRole", "an overlong tag", "8a00024341"),
        ("CertifiedRole", "an overlong length", "0a82004341"),
        ("CertifiedRole", "an overlong varint", "108400"),
        ("CertifiedRole", "a field twice", "0a0243410a024341"),
        ("CertifiedRole", "descending fields", "10040a024341"),
        ("CertifiedRole", "a default carried", "1000"),
        ("CertifiedRole", "an empty string carried", "0a00"),
        ("CertifiedRole", "invalid UTF-8", "0a02c080"),
        ("CertifiedRole", "a surrogate in UTF-8", "0a03eda080"),
        ("CertifiedRole", "an unknown field", "1801"),
        ("CertifiedRole", "a group", "1b1c"),
        ("CertifiedRole", "another wire type", "1504000000"),
        ("CertifiedRole", "a value beyond uint32", "108080808010"),
        ("CertifiedRole", "cut short", "0a0243"),
        ("CertifiedRole", "field number zero", "0001"),
        ("StatusTerms", "a bool of 2", "3802"),
        ("StatusTerms", "an unknown enum value", "0863"),
        ("StatusTerms", "an enum value of 0", "0800"),
        ("StatusTerms", "a nested unknown field", "1a021801"),
        ("Rule", "not packed", "40014003"),
        ("Rule", "packed twice", "420101420103"),
        ("Rule", "packed, but empty", "4200"),
        ("Rule", "a packed enum value of 0", "420100"),
        ("Rule", "a time of 0 carried", "190000000000000000"),
        ("Transaction", "two members of a oneof", "52006a00"),
        ("Transaction", "one member of a oneof twice", "6a006a00"),
    )
    return {
        "valid": [
            {"message": message.DESCRIPTOR.name, "bytes": format_strict(message)}
            for message in valid
        ],
        "invalid": [
            {"message": message, "why": why, "bytes": data} for message, why, data in invalid
        ],
    }
