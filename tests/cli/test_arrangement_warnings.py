"""Proposing a rule that names levels says so, on stderr."""

import pytest

from aeo.ledger.v1 import arrangement_pb2 as pb
from service.cli.arranging.warnings import warn


def text(*levels: str, to: int = 0) -> pb.ArrangementText:
    rule = pb.Rule(issuing="HK", recognising="NZ", levels=levels, to=to, **{"from": 5})
    return pb.ArrangementText(
        name="A", kind=pb.ARRANGEMENT_KIND_RECOGNITION, parties=["HK", "NZ"], rules=[rule]
    )


def test_levels_are_warned_of(capsys: pytest.CaptureFixture[str]) -> None:
    [warning] = warn(text("ADVANCED"))
    assert warning.code == "LEVELS_NAMED"
    said = " ".join(capsys.readouterr().err.split())
    assert said == f"warning: {warning}"


def test_others_are_not_and_what_is_refused_is_for_the_node_to_say(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert warn(text()) == ()
    assert warn(text("ADVANCED", to=5)) == ()
    assert capsys.readouterr().err == ""
