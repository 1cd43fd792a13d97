"""Vectors of the customs side: keyed identifiers, TINs, status records, arrangement texts."""

from contextlib import suppress
from hashlib import sha256

from aeo.exchange.v1 import verdict_pb2
from aeo.ledger.v1 import arrangement_pb2, status_pb2
from ledger.customs.arrangement import (
    arrangement_id,
    format_arrangement_text,
    parse_arrangement_text,
)
from ledger.customs.profile import (
    Address,
    Name,
    Profile,
    Validation,
    format_profile,
    parse_profile,
    profile_commitment,
)
from ledger.customs.status import (
    Predecessor,
    RecordPlace,
    Role,
    Scope,
    StatusRecord,
    StatusTerms,
    format_status,
)
from ledger.customs.subject import LookupKey
from ledger.customs.tin import parse_tin
from ledger.errors import FormatError, TinError
from ledger.wire import format_strict
from tests.vectors.registry import Case, section

NETWORK = sha256(b"public test value: network").digest()
KEY = sha256(b"public test value: lookup key").digest()
JANUARY = 1_767_225_600_000


@section(
    "keyed_identifiers",
    "subject, tin_mac, alias and certificate under a lookup key, and the commitment to the key",
)
def keyed_identifiers() -> dict[str, list[Case]]:
    valid = []
    for epoch, tin, scheme, value, number in (
        (1, "KR1234567890", "US-MID", "KRSEOCOM123SEO", "KR-AEO-0001"),
        (2, "AEO12345678", "JP-NACCS", "P0012345", " 2026/17 "),
        (2**32 - 1, "SG1", "X", "  e\u0301tat\u00a0civil ", "\u58f9\u53f7"),
    ):
        identity = arrangement_id(NETWORK, "KR", epoch)
        key = LookupKey(KEY, NETWORK, identity, epoch)
        valid.append(
            {
                "network_id": NETWORK,
                "arrangement_id": identity,
                "epoch": epoch,
                "key": KEY,
                "commitment": key.commitment,
                "tin": tin,
                "tin_mac": key.tin_mac(tin),
                "subject": key.subject(tin),
                "scheme": scheme,
                "value": value,
                "alias": key.alias(scheme, value),
                "number": number,
                "certificate": key.certificate(number),
            }
        )
    return {"valid": valid, "invalid": []}


@section(
    "tin", "what people write, the TIN it is where some prefixes have a member, and what changed"
)
def tins() -> dict[str, list[Case]]:
    valid: list[Case] = []
    invalid: list[Case] = []
    for text, prefixes in (
        ("KR1234567890", ["KR"]),
        ("\tkr-123 456 ", ["KR"]),
        ("AEOKR123", ["KR"]),
        ("AEO12345678", ["AE", "KR"]),
        ("AEOKR123", []),
        ("AEOKR123456789012345", ["AE", "KR"]),
        ("FR73282932000075", ["FR"]),
        ("AEOKR123", ["AE", "KR"]),
        ("KR", ["KR"]),
        ("KR1234567890123456", ["KR"]),
        ("KR/123", ["KR"]),
        ("KR\u2010123", ["KR"]),
        ("\u0131R123", ["IR"]),
    ):
        asked = {"text": text, "prefixes": prefixes}
        try:
            tin = parse_tin(text, set(prefixes))
        except TinError as error:
            reason = verdict_pb2.Reason.Name(error.reason)  # type: ignore[arg-type]
            invalid.append({**asked, "reason": reason})
        else:
            changes = [verdict_pb2.TinChange.Name(change) for change in tin.changes]  # type: ignore[arg-type]
            warnings = [verdict_pb2.TinWarning.Name(one) for one in tin.warnings]  # type: ignore[arg-type]
            valid.append(
                {**asked, "canonical": tin.canonical, "changes": changes, "warnings": warnings}
            )
    return {"valid": valid, "invalid": invalid}


def record(
    event: int, status: int, terms: dict[str, object] | None = None, **fields: object
) -> StatusRecord:
    made = StatusTerms(event, status, (Role("EX"),), **(terms or {}))  # type: ignore[arg-type]
    base = StatusRecord(
        subject=sha256(b"subject").digest(),
        certificate=sha256(b"certificate").digest()[:16],
        valid_from=JANUARY,
        valid_to=0,
        effective_from=JANUARY,
        terms=made,
    )
    return base._replace(**fields)


@section("status_record", "status records in their only form, and bytes that are none")
def status_records() -> dict[str, list[Case]]:
    pb = status_pb2
    valid = [
        record(pb.EVENT_GRANT, pb.STATUS_CERTIFIED, {"level": "AEO-S"}, valid_to=JANUARY + 1),
        record(
            pb.EVENT_SUSPEND,
            pb.STATUS_SUSPENDED,
            {"scope": Scope(("A",), (Role("CA", 4),)), "lapses": True},
            effective_to=JANUARY + 1,
            profile_commitment=sha256(b"profile").digest(),
        ),
        record(pb.EVENT_REVOKE, pb.STATUS_REVOKED, {"reason": 1}, reapply_after=JANUARY + 9),
        record(pb.EVENT_CORRECT, pb.STATUS_CERTIFIED, corrects=RecordPlace(0, 0)),
        record(
            pb.EVENT_GRANT,
            pb.STATUS_CERTIFIED,
            {"migrated": True, "e_commerce": True, "operator_class": 2, "criteria_track": 2},
            predecessor=Predecessor(sha256(b"old").digest(), pb.PREDECESSOR_KIND_RENUMBERED),
        ),
    ]
    base = pb.StatusRecord(
        subject=sha256(b"subject").digest(),
        certificate=sha256(b"certificate").digest()[:16],
        valid_from=2,
        effective_from=2,
        terms=pb.StatusTerms(event=pb.EVENT_GRANT, status=pb.STATUS_CERTIFIED),
    )

    def bad(why: str, **fields: object) -> Case:
        message = pb.StatusRecord()
        message.CopyFrom(base)
        message.MergeFrom(pb.StatusRecord(**fields))  # type: ignore[arg-type]
        return {"why": why, "bytes": format_strict(message)}

    terms = pb.StatusTerms
    invalid = [
        bad("GRANT states CERTIFIED", terms=terms(status=pb.STATUS_REVOKED)),
        bad("a validity that is empty", valid_to=2),
        bad("an expected end without a suspension", effective_to=3),
        bad("a role in small letters", terms=terms(roles=[pb.CertifiedRole(code="ex")])),
        bad(
            "roles that descend",
            terms=terms(roles=[pb.CertifiedRole(code="IM"), pb.CertifiedRole(code="EX")]),
        ),
        bad("a mode beyond 8", terms=terms(roles=[pb.CertifiedRole(code="CA", mode=9)])),
        bad("a GRANT that undoes", corrects=pb.RecordPlace()),
        bad("a CORRECT that undoes nothing", terms=terms(event=pb.EVENT_CORRECT)),
        bad("an instant of 2^63", valid_to=1 << 63),
        {"why": "no terms", "bytes": format_strict(pb.StatusRecord(subject=bytes(32)))},
    ]
    return {
        "valid": [
            {
                "bytes": format_status(one),
                "subject": one.subject,
                "event": status_pb2.Event.Name(one.terms.event),  # type: ignore[arg-type]
                "status": status_pb2.Status.Name(one.terms.status),  # type: ignore[arg-type]
                "valid_from": one.valid_from,
                "valid_to": one.valid_to,
                "effective_from": one.effective_from,
                "effective_to": one.effective_to,
            }
            for one in valid
        ],
        "invalid": invalid,
    }


@section("arrangement_text", "texts that parties may sign, their hash, and the id of a proposal")
def arrangement_texts() -> dict[str, list[Case]]:
    rule = arrangement_pb2.Rule(
        issuing="KR",
        recognising="TW",
        functions=["EX", "SE"],
        certified_roles=["EX"],
        directions=[arrangement_pb2.DIRECTION_IMPORT],
        transport_modes=[1, 4],
        benefits=[arrangement_pb2.Benefit(code=2, granted_by="CUSTOMS")],
        **{"from": JANUARY},  # type: ignore[arg-type]
    )
    text = arrangement_pb2.ArrangementText(
        name="KR-TW",
        kind=arrangement_pb2.ARRANGEMENT_KIND_RECOGNITION,
        parties=["KR", "TW"],
        rules=[rule],
        notice_days=30,
        lookup_key_commitment=sha256(b"commitment").digest(),
    )
    data = format_arrangement_text(text)

    def bad(why: str, **fields: object) -> Case:
        message = arrangement_pb2.ArrangementText()
        message.CopyFrom(text)
        for name, value in fields.items():
            message.ClearField(name)  # type: ignore[arg-type]
            message.MergeFrom(arrangement_pb2.ArrangementText(**{name: value}))  # type: ignore[arg-type]
        return {"why": why, "bytes": format_strict(message)}

    def with_rule(**fields: object) -> list[arrangement_pb2.Rule]:
        message = arrangement_pb2.Rule()
        message.CopyFrom(rule)
        message.MergeFrom(arrangement_pb2.Rule(**fields))  # type: ignore[arg-type]
        return [message]

    return {
        "valid": [
            {
                "bytes": data,
                "text_hash": parse_arrangement_text(data).text_hash,
                "network_id": NETWORK,
                "author": "KR",
                "sequence": 7,
                "arrangement_id": arrangement_id(NETWORK, "KR", 7),
            }
        ],
        "invalid": [
            bad("a rule of an economy that is no party", parties=["JP", "KR"]),
            bad("parties that descend", parties=["TW", "KR"]),
            bad("a commitment that is too short", lookup_key_commitment=b"c"),
            bad("a rule to oneself", rules=with_rule(recognising="KR")),
            bad("a period that is empty", rules=with_rule(to=JANUARY)),
            bad("a list that does not ascend", rules=with_rule(functions=["EX"])),
        ],
    }


@section("profile", "profiles (aeo.ledger.v1.Profile, strict), and commitments to them by nonce")
def profile() -> dict[str, list[Case]]:
    bare = Profile("KR1234567890", (Name("Hangang Trading Co., Ltd."),))
    full = Profile(
        "HK12345678",
        (Name("Pearl River Trading Ltd", "en"), Name("\u73e0\u6c5f\u8cbf\u6613", "zh-Hant")),
        (Address("1 Queen's Road Central", "en", "HK"),),
        ("trade@example.org",),
        ("HK-AEO-0001",),
        (Validation("2026-02-28", "premises"),),
    )
    valid: list[Case] = [
        {
            "tin": each.tin,
            "names": [list(name) for name in each.names],
            "profile": format_profile(each),
            "nonce": nonce,
            "commitment": profile_commitment(nonce, format_profile(each)),
        }
        for each, nonce in ((bare, bytes(32)), (full, KEY), (full, NETWORK))
    ]
    data = format_profile(full)
    spoilt = {
        "a field that is not known": data + b"\x38\x01",
        "cut short": data[:-1],
        "a TIN that is not canonical": data.replace(b"HK12345678", b"hk12345678"),
        "a blank before a name": data.replace(b"Pearl River", b" earl River"),
        "a language in capitals": data.replace(b"\x12\x02en", b"\x12\x02EN"),
        "a day that there is not": data.replace(b"2026-02-28", b"2026-02-29"),
        "no name": b"\n\x03HK1",
        "too long": b"\x0a\x03HK1" + bytes(16_384),
    }
    invalid: list[Case] = []
    for why, bad in spoilt.items():
        with suppress(FormatError):
            parse_profile(bad)
            raise AssertionError(why)
        invalid.append({"profile": bad, "why": why})
    return {"valid": valid, "invalid": invalid}
