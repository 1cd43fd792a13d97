"""From the certificate that the ledger has to the one a register states: which event it takes."""

from dataclasses import replace

import pytest

from aeo.exchange.v1.publishing_service_pb2 import Submission
from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs.status import Role, StatusRecord, StatusTerms
from service.node.publishing.comparison import compare

FROM, TO = 1_700_000_000_000, 1_800_000_000_000
NOW = 1_750_000_000_000
STATUSES = ("CERTIFIED", "SUSPENDED", "REVOKED", "WITHDRAWN", "ANNULLED", "NOT_SHARED")

# The newest record's status, the status wanted, the event; '' for the same state, - for no step.
STEPS = """
           CERTIFIED   SUSPENDED REVOKED WITHDRAWN ANNULLED NOT_SHARED
CERTIFIED  .           SUSPEND   REVOKE  WITHDRAW  ANNUL    END_SHARING
SUSPENDED  REINSTATE   .         REVOKE  WITHDRAW  ANNUL    END_SHARING
REVOKED    -           -         .       -         ANNUL    END_SHARING
WITHDRAWN  -           -         -       .         ANNUL    END_SHARING
ANNULLED   -           -         -       -         .        -
NOT_SHARED SHARE_AGAIN SHARE_AGAIN SHARE_AGAIN SHARE_AGAIN ANNUL .
"""


def published(status: str) -> StatusRecord:
    terms = StatusTerms(
        event=pb.EVENT_GRANT,
        status=pb.Status.Value(f"STATUS_{status}"),
        roles=(Role("EX"), Role("IM")),
        level="AEO-S",
        operator_class=pb.OPERATOR_CLASS_SMALL,
    )
    return StatusRecord(b"s" * 32, b"c" * 16, FROM, TO, FROM, terms)


def wanted(status: str, **changed: object) -> Submission:
    given = {"valid_from": FROM, "valid_to": TO, "level": "AEO-S", "roles": ("EX", "IM")} | changed
    return Submission(
        tin="HK12345678",
        certificate_number="AEO-1",
        valid_from=given["valid_from"],
        valid_to=given["valid_to"],
        terms=pb.StatusTerms(
            status=f"STATUS_{status}",
            level=given["level"],
            roles=[pb.CertifiedRole(code=code) for code in given["roles"]],
            operator_class=given.get("operator_class"),
        ),
    )


def steps() -> list[tuple[str, str, str]]:
    heading, *rows = [line.split() for line in STEPS.strip().splitlines()]
    return [(row[0], to, event) for row in rows for to, event in zip(heading, row[1:], strict=True)]


@pytest.mark.parametrize(("held", "to", "event"), steps())
def test_every_pair_of_statuses(held: str, to: str, event: str) -> None:
    found = compare(wanted(to), published(held), NOW)
    if event == ".":
        assert (found.event, found.code, found.fields) == (0, "", ())
    elif event == "-":
        assert (found.event, found.code) == (0, "STEP_NOT_ALLOWED")
    else:
        assert pb.Event.Name(found.event) == f"EVENT_{event}"
        assert found.fields == ("status",)


@pytest.mark.parametrize("status", STATUSES)
def test_a_certificate_that_is_new(status: str) -> None:
    found = compare(wanted(status), None, NOW)
    if status == "CERTIFIED":
        assert (found.event, found.code) == (pb.EVENT_GRANT, "")
    else:
        assert (found.event, found.code) == (0, "CERTIFICATE_UNKNOWN")


@pytest.mark.parametrize(
    ("changed", "fields"),
    [
        ({"valid_to": TO + 1}, ("valid_to",)),
        ({"valid_from": FROM - 1}, ("valid_from",)),
        ({"valid_to": 0}, ("valid_to",)),
        ({"level": "AEO-C"}, ("level",)),
        ({"roles": ("EX",)}, ("roles",)),
        ({"operator_class": pb.OPERATOR_CLASS_LARGE}, ("class",)),
        ({"roles": ("EX",), "level": ""}, ("roles", "level")),
    ],
)
def test_other_fields_are_amended_while_the_certificate_runs(
    changed: dict[str, object], fields: tuple[str, ...]
) -> None:
    for status in ("CERTIFIED", "SUSPENDED"):
        found = compare(wanted(status, **changed), published(status), NOW)
        assert (found.event, found.fields) == (pb.EVENT_AMEND, fields)
    found = compare(wanted("REVOKED", **changed), published("REVOKED"), NOW)
    assert found.code == "STEP_NOT_ALLOWED"


def test_a_register_without_classes_leaves_them_alone() -> None:
    assert compare(wanted("CERTIFIED"), published("CERTIFIED"), NOW).fields == ()


@pytest.mark.parametrize(
    ("to", "event"),
    [("SUSPENDED", "SUSPEND"), ("CERTIFIED", "UNSPECIFIED"), ("REVOKED", "REVOKE")],
)
def test_a_suspension_that_lapsed_is_over(to: str, event: str) -> None:
    suspended = published("SUSPENDED")
    terms = replace(suspended.terms, lapses=True)
    lapsed = suspended._replace(effective_to=NOW, terms=terms)
    assert pb.Event.Name(compare(wanted(to), lapsed, NOW).event) == f"EVENT_{event}"
    before = compare(wanted(to), lapsed, NOW - 1)
    assert before == compare(wanted(to), suspended, NOW)._replace(published=lapsed)
    amended = compare(wanted("CERTIFIED", level="AEO-C"), lapsed, NOW)
    assert (amended.event, amended.fields) == (pb.EVENT_AMEND, ("level",))
