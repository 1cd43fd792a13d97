"""The register of certificates: what is read, and what is said of each faulty row."""

import csv
import io
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aeo.ledger.v1 import status_pb2 as status
from service.cli.errors import InputRefused
from service.cli.publishing import register_file
from service.cli.publishing.register_file import read_register

HEAD = "tin,certificate,roles,mode,level,status,valid_from,valid_to,class,name,address,arrangements"
GOOD = "NZ123,C-1,EX;IM,,2,CERTIFIED,2024-01-01,2026-06-30,SMALL,Firm,Road,HK-NZ;KR-NZ"


def faults(*rows: str, head: str = HEAD) -> list[str]:
    return [
        str(fault) for fault in read_register("\n".join([head, *rows]), "Pacific/Auckland").faults
    ]


def test_a_full_row() -> None:
    register = read_register(f"{HEAD}\n{GOOD}\n", "Pacific/Auckland")
    assert not register.faults
    [row] = register.rows
    submission = row.submission
    assert (row.line, row.arrangements) == (2, ("HK-NZ", "KR-NZ"))
    assert (submission.tin, submission.certificate_number) == ("NZ123", "C-1")
    assert [role.code for role in submission.terms.roles] == ["EX", "IM"]
    assert submission.terms.level == "2"
    assert submission.terms.status == status.STATUS_CERTIFIED
    assert submission.terms.operator_class == status.OPERATOR_CLASS_SMALL
    # Summer time on 1 January (UTC+13); the day after 30 June begins in winter time (UTC+12).
    begins = datetime(2023, 12, 31, 11, tzinfo=UTC)
    ends = datetime(2026, 6, 30, 12, tzinfo=UTC)
    assert submission.valid_from == begins.timestamp() * 1000
    assert submission.valid_to == ends.timestamp() * 1000


def test_names_and_addresses_do_not_leave_the_file() -> None:
    [row] = read_register(f"{HEAD}\n{GOOD}", "UTC").rows
    assert b"Firm" not in row.submission.SerializeToString()
    assert b"Road" not in row.submission.SerializeToString()


def test_columns_in_any_order_and_case_after_a_byte_order_mark() -> None:
    text = "\ufeffStatus, VALID_FROM,tin,roles,certificate\nCERTIFIED,2024-01-01,NZ1,EX,C\n"
    [row] = read_register(text, "UTC").rows
    assert row.submission.valid_to == 0
    assert row.arrangements == ()


def test_a_mode_belongs_to_each_role() -> None:
    [row] = read_register(f"{HEAD}\nNZ1,C,IM;CA,4,,CERTIFIED,2024-01-01,,,,,", "UTC").rows
    assert [(role.code, role.mode) for role in row.submission.terms.roles] == [("CA", 4), ("IM", 4)]


def test_a_line_break_inside_a_cell_and_the_line_that_is_named() -> None:
    two_lines = '"Road 1\nTown"'
    text = (
        f"{HEAD}\nNZ1,C,EX,,,CERTIFIED,2024-01-01,,,,{two_lines},\nNZ2,C,EX,,,GONE,2024-01-01,,,,,"
    )
    register = read_register(text, "UTC")
    assert [row.line for row in register.rows] == [3]
    assert [fault.line for fault in register.faults] == [4]


@pytest.mark.parametrize(
    ("row", "said"),
    [
        (",C,EX,,,CERTIFIED,2024-01-01,,,,,", "tin: is empty"),
        ("NZ1,,EX,,,CERTIFIED,2024-01-01,,,,,", "certificate: is empty"),
        ("NZ1,C,,,,CERTIFIED,2024-01-01,,,,,", "roles: is empty"),
        ("NZ1,C,EX,9,,CERTIFIED,2024-01-01,,,,,", "mode: 9 is none of 1, 2"),
        ("NZ1,C,EX,,,FINE,2024-01-01,,,,,", "status: FINE is none of CERTIFIED"),
        ("NZ1,C,EX,,,CERTIFIED,1.1.2024,,,,,", "valid_from: 1.1.2024 is no date like 2026-12-31"),
        ("NZ1,C,EX,,,CERTIFIED,2024-02-30,,,,,", "valid_from: 2024-02-30 is no date"),
        ("NZ1,C,EX,,,CERTIFIED,1969-01-01,,,,,", "valid_from: 1969-01-01 is before 1970"),
        ("NZ1,C,EX,,,CERTIFIED,2024-01-01,9999-12-31,,,,", "valid_to: 9999-12-31 is no date"),
        ("NZ1,C,EX,,,CERTIFIED,2024-01-02,2023-12-31,,,,", "valid_to: is before valid_from"),
        ("NZ1,C,EX,,,CERTIFIED,2024-01-01,,HUGE,,,", "class: HUGE is none of MICRO"),
        ("NZ1,C,EX", "row: has fewer cells than the heading"),
        (GOOD + ",more", "row: has more cells than the heading"),
    ],
)
def test_a_faulty_row_is_told_and_leaves_the_others(row: str, said: str) -> None:
    register = read_register(f"{HEAD}\n{row}\n{GOOD}", "UTC")
    assert [r.submission.tin for r in register.rows] == ["NZ123"]
    [fault] = register.faults
    assert str(fault).startswith(f"line 2, {said}")


def test_one_certificate_twice() -> None:
    assert faults(GOOD, GOOD) == ["line 3, certificate: C-1 of NZ123 stands on line 2 already"]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "no column tin, certificate, roles, status, valid_from"),
        ("tin,certificate\n", "no column roles, status, valid_from"),
        (HEAD + ",colour\n", "mean nothing here: colour"),
        (HEAD + ",tin\n", "a column twice"),
        (HEAD + '\n"open', "not CSV after line 1"),
    ],
)
def test_a_file_that_is_no_register(text: str, said: str) -> None:
    with pytest.raises(InputRefused, match=said):
        read_register(text, "UTC")


def test_a_file_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(register_file, "REGISTER_LIMIT", 10)
    with pytest.raises(InputRefused, match="at most 10 characters"):
        read_register(HEAD, "UTC")


@given(st.lists(st.lists(st.text(), min_size=12, max_size=12), max_size=5))
def test_whatever_the_cells_hold_every_row_is_answered(rows: list[list[str]]) -> None:
    text = io.StringIO(newline="")
    writer = csv.writer(text)
    writer.writerow(HEAD.split(","))
    writer.writerows(rows)
    register = read_register(text.getvalue(), "UTC")
    assert len(register.rows) + len(register.faults) == len(rows)
