"""Vectors of what members publish beside status records: alias records and arrangement steps."""

from hashlib import sha256

from aeo.ledger.v1 import arrangement_pb2 as pb
from aeo.ledger.v1 import status_pb2
from ledger.customs.arrangement import arrangement_id, format_arrangement_text, parse_step
from ledger.state.alias import AliasRecord, format_alias
from ledger.wire import format_strict
from tests.vectors.registry import Case, section
from tests.vectors.sections.customs import JANUARY, NETWORK

LATEST = 2**63 - 1


@section("alias_record", "aeo.ledger.v1.AliasRecord in its only form, and bytes that are none")
def alias_records() -> dict[str, list[Case]]:
    alias, subject = sha256(b"alias").digest(), sha256(b"subject").digest()
    valid = [
        AliasRecord(alias, subject, JANUARY, 0),
        AliasRecord(alias, subject, JANUARY, JANUARY + 1),
        AliasRecord(alias, subject, JANUARY, JANUARY),
        AliasRecord(alias, subject, 0, LATEST),
    ]

    def bad(why: str, **fields: object) -> Case:
        message = status_pb2.AliasRecord(**{**valid[1]._asdict(), **fields})
        return {"why": why, "bytes": format_strict(message)}

    data = format_alias(valid[1])
    return {
        "valid": [{**record._asdict(), "bytes": format_alias(record)} for record in valid],
        "invalid": [
            bad("an alias of 31 bytes", alias=alias[:31]),
            bad("no subject", subject=b""),
            bad("an end before the beginning", valid_to=JANUARY - 1),
            bad("an instant of 2^63", valid_to=LATEST + 1),
            {"why": "an end of 0 carried", "bytes": data[:-8] + bytes(8)},
            {"why": "an unknown field", "bytes": format_alias(valid[0]) + b"\x28\x01"},
            {"why": "cut short", "bytes": data[:-1]},
        ],
    }


@section(
    "arrangement_step",
    "aeo.ledger.v1.ArrangementStep: kind, and what follows from it; whether a step may be taken"
    " then is for the rules of the arrangement's life",
)
def arrangement_steps() -> dict[str, list[Case]]:
    identity = arrangement_id(NETWORK, "KR", 7)
    text = format_arrangement_text(
        pb.ArrangementText(
            name="KR-TW",
            kind=pb.ARRANGEMENT_KIND_INFORMATION,
            parties=["KR", "TW"],
            lookup_key_commitment=sha256(b"commitment").digest(),
        )
    )
    agreed = parse_step(format_strict(pb.ArrangementStep(propose=text))).text_hash
    valid: list[Case] = []
    for step in (
        pb.ArrangementStep(propose=text),
        pb.ArrangementStep(sign=pb.ArrangementSignature(arrangement_id=identity, text_hash=agreed)),
        pb.ArrangementStep(suspend=pb.ArrangementSuspension(arrangement_id=identity)),
        pb.ArrangementStep(
            resume=pb.ArrangementResumption(arrangement_id=identity, effective_from=JANUARY)
        ),
        pb.ArrangementStep(end=pb.ArrangementEnd(arrangement_id=identity, effective_from=LATEST)),
    ):
        data = format_strict(step)
        read = parse_step(data)
        valid.append(
            {
                "kind": read.kind,
                "arrangement_id": read.arrangement_id,
                "text_hash": read.text_hash,
                "effective_from": read.effective_from,
                "bytes": data,
            }
        )

    def bad(why: str, **step: object) -> Case:
        return {"why": why, "bytes": format_strict(pb.ArrangementStep(**step))}

    signature, suspension = valid[1]["bytes"], valid[2]["bytes"]
    return {
        "valid": valid,
        "invalid": [
            {"why": "a step that does nothing", "bytes": b""},
            {"why": "two steps", "bytes": signature + suspension},
            bad("a text that is none", propose=text[:-1]),
            bad("an empty text", propose=b""),
            bad(
                "an arrangement id of 15 bytes",
                sign=pb.ArrangementSignature(arrangement_id=identity[:15], text_hash=agreed),
            ),
            bad(
                "a text hash of 31 bytes",
                sign=pb.ArrangementSignature(arrangement_id=identity, text_hash=agreed[:31]),
            ),
            bad("a signature of no text", sign=pb.ArrangementSignature(arrangement_id=identity)),
            bad("an end of no arrangement", end=pb.ArrangementEnd(effective_from=JANUARY)),
            bad(
                "an instant of 2^63",
                end=pb.ArrangementEnd(arrangement_id=identity, effective_from=LATEST + 1),
            ),
            {"why": "cut short", "bytes": suspension[:-1]},
        ],
    }
