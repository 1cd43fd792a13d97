"""What proposers should think twice about: rules that small operators cannot meet."""

import pytest

from aeo.ledger.v1 import arrangement_pb2 as pb
from aeo.ledger.v1 import status_pb2
from ledger.customs.arrangement import format_arrangement_text, parse_arrangement_text
from ledger.customs.status import Role, StatusTerms
from ledger.customs.text_warnings import Certificate, warnings_of
from ledger.errors import FormatError

LARGE = Certificate("KR", ("EX", "IM"), "AAA")
SMALL = Certificate("KR", ("EX",), "A", small=True)
BROKER = Certificate("KR", ("CB",), "AAA", small=True)
FOREIGN = Certificate("JP", ("EX",), "AAA", small=True)
SHUT_OUT, NAMED = "SMALL_OPERATORS_SHUT_OUT", "LEVELS_NAMED"


@pytest.mark.parametrize(
    ("roles", "levels", "known", "codes"),
    [
        ([], [], [], []),
        ([], [], [LARGE, SMALL], []),
        (["EX"], ["AAA"], [], [NAMED]),
        (["EX"], ["AAA"], [LARGE], [NAMED]),
        (["EX"], ["AAA"], [FOREIGN, LARGE], [NAMED]),
        (["EX"], ["AAA"], [LARGE, SMALL], [SHUT_OUT]),
        (["EX"], ["A", "AAA"], [LARGE, SMALL], []),
        (["EX"], ["AAA"], [LARGE, SMALL, SMALL._replace(level="AAA")], []),
        # A level that nobody holds yet.
        (["EX"], ["B"], [LARGE, SMALL], [NAMED]),
        # By role: small brokers, large importers.
        (["IM"], [], [LARGE, BROKER], [SHUT_OUT]),
        (["CB", "IM"], [], [LARGE, BROKER], []),
        ([], ["AAA"], [LARGE, BROKER], []),
    ],
)
def test_rules(
    roles: list[str], levels: list[str], known: list[Certificate], codes: list[str]
) -> None:
    rule = pb.Rule(issuing="KR", recognising="TW", certified_roles=roles, levels=levels)
    back = pb.Rule(issuing="TW", recognising="KR")
    text = pb.ArrangementText(
        name="A",
        kind=pb.ARRANGEMENT_KIND_RECOGNITION,
        parties=["KR", "TW"],
        rules=[rule, back],
        lookup_key_commitment=bytes(32),
    )
    found = warnings_of(parse_arrangement_text(format_arrangement_text(text)), known)
    assert [warning.code for warning in found] == codes
    for warning in found:
        assert (warning.place, warning.issuing, warning.recognising) == (0, "KR", "TW")
        assert "TFA 7.7" in str(warning)


@pytest.mark.parametrize(
    ("operator_class", "small"),
    [
        (status_pb2.OPERATOR_CLASS_UNSPECIFIED, False),
        (status_pb2.OPERATOR_CLASS_MICRO, True),
        (status_pb2.OPERATOR_CLASS_SMALL, True),
        (status_pb2.OPERATOR_CLASS_MEDIUM, False),
        (status_pb2.OPERATOR_CLASS_LARGE, False),
    ],
)
def test_who_is_small(operator_class: int, small: bool) -> None:
    terms = StatusTerms(1, 1, (Role("EX"), Role("CA", 3)), "A", operator_class=operator_class)
    assert Certificate.of("KR", terms) == Certificate("KR", ("EX", "CA"), "A", small)


def test_a_rule_with_an_empty_period_is_refused_by_name() -> None:
    rule = pb.Rule(issuing="KR", recognising="TW", to=5, **{"from": 5})  # type: ignore[arg-type]
    text = pb.ArrangementText(
        name="A", kind=1, parties=["KR", "TW"], rules=[rule], lookup_key_commitment=bytes(32)
    )
    with pytest.raises(FormatError, match="from KR to TW has an empty period"):
        format_arrangement_text(text)
