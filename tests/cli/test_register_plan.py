"""From a comparison to what is submitted."""

from aeo.exchange.v1 import publishing_service_pb2 as publishing
from aeo.ledger.v1 import status_pb2 as status
from service.cli.publishing.register_file import Row, read_register
from service.cli.publishing.register_plan import name_arrangements, plan

HEAD = "tin,certificate,roles,level,status,valid_from,valid_to,arrangements\n"
ONE, TWO = b"\x01" * 16, b"\x02" * 16


def rows(*lines: str) -> tuple[Row, ...]:
    register = read_register(HEAD + "\n".join(lines), "UTC")
    assert not register.faults
    return register.rows


def compared(*changes: publishing.CertificateChange) -> publishing.RowComparison:
    return publishing.RowComparison(changes=changes)


def published(**terms: object) -> status.StatusRecord:
    return status.StatusRecord(
        valid_from=1, effective_to=99, terms=status.StatusTerms(**terms)  # type: ignore[arg-type]
    )  # fmt: skip


def test_a_grant_holds_from_its_first_day_under_all_its_arrangements() -> None:
    [row] = rows("SG1,C,EX,,CERTIFIED,2024-01-01,,")
    change = [
        publishing.CertificateChange(arrangement_id=each, event=status.EVENT_GRANT)
        for each in (ONE, TWO)
    ]
    made = plan([row], [compared(*change)])
    [submission] = made.submissions
    assert submission.effective_from == submission.valid_from == 1704067200000
    assert list(submission.arrangement_ids) == [ONE, TWO]
    assert submission.terms.event == status.EVENT_GRANT
    assert [change.event for change in made.changes] == ["GRANT", "GRANT"]
    assert made.lines == (2,)


def test_what_the_register_does_not_state_is_kept_while_suspended() -> None:
    [row] = rows("SG1,C,EX,,SUSPENDED,2024-01-01,,")
    record = published(
        status=status.STATUS_SUSPENDED,
        scope=status.SuspensionScope(levels=["2"]),
        lapses=True,
        criteria_track=status.CRITERIA_TRACK_SME,
        migrated=True,
        reason=status.PUBLIC_REASON_AUTHORITY,
    )
    change = publishing.CertificateChange(
        arrangement_id=ONE, event=status.EVENT_AMEND, published=record
    )
    [submission] = plan([row], [compared(change)]).submissions
    terms = submission.terms
    assert (terms.event, terms.status) == (status.EVENT_AMEND, status.STATUS_SUSPENDED)
    assert (list(terms.scope.levels), terms.lapses, submission.effective_to) == (["2"], True, 99)
    assert terms.criteria_track == status.CRITERIA_TRACK_SME
    assert (terms.migrated, terms.reason, submission.effective_from) == (False, 0, 0)


def test_a_reinstatement_ends_the_suspension_whole() -> None:
    [row] = rows("SG1,C,EX,,CERTIFIED,2024-01-01,,")
    record = published(
        status=status.STATUS_SUSPENDED, scope=status.SuspensionScope(levels=["2"]), lapses=True
    )
    change = publishing.CertificateChange(
        arrangement_id=ONE, event=status.EVENT_REINSTATE, published=record
    )
    [submission] = plan([row], [compared(change)]).submissions
    assert not submission.terms.HasField("scope")
    assert (submission.terms.lapses, submission.effective_to) == (False, 0)


def test_different_steps_of_one_certificate_are_submitted_apart() -> None:
    [row] = rows("SG1,C,EX,,CERTIFIED,2024-01-01,,")
    grant = publishing.CertificateChange(arrangement_id=ONE, event=status.EVENT_GRANT)
    amend = publishing.CertificateChange(
        arrangement_id=TWO,
        event=status.EVENT_AMEND,
        published=published(status=status.STATUS_CERTIFIED),
    )
    made = plan([row], [compared(grant, amend)])
    assert [list(each.arrangement_ids) for each in made.submissions] == [[ONE], [TWO]]
    assert made.lines == (2, 2)


def test_what_is_as_published_is_counted_and_faults_are_told() -> None:
    first, second, third = rows(
        "SG1,C,EX,,CERTIFIED,2024-01-01,,",
        "SG2,C,EX,,REVOKED,2024-01-01,,",
        "SG3,C,EX,,CERTIFIED,2024-01-01,,",
    )
    no_step = publishing.CertificateChange(arrangement_id=ONE, code="STEP_NOT_ALLOWED")
    bad_row = publishing.RowComparison(
        answer=publishing.RowAnswer(code="TIN_NOT_OURS", message="not ours")
    )
    same = publishing.CertificateChange(arrangement_id=ONE)
    made = plan([first, second, third], [compared(same), compared(no_step), bad_row])
    assert (made.unchanged, made.submissions, made.changes) == (1, (), ())
    no_step_fault, bad_row_fault = made.faults
    assert str(no_step_fault).startswith(f"line 3, STEP_NOT_ALLOWED: under arrangement {ONE.hex()}")
    assert "may not follow the certificate's newest record" in no_step_fault.message
    assert str(bad_row_fault) == "line 4, TIN_NOT_OURS: not ours"


def test_arrangements_by_name() -> None:
    known, unknown = rows(
        "SG1,C,EX,,CERTIFIED,2024-01-01,,A;B", "SG2,C,EX,,CERTIFIED,2024-01-01,,A;Z"
    )
    named, faults = name_arrangements([known, unknown], {"A": ONE, "B": TWO})
    assert [list(row.submission.arrangement_ids) for row in named] == [[ONE, TWO]]
    assert [str(fault) for fault in faults] == [
        "line 3, arrangements: Z is no arrangement of yours"
    ]
