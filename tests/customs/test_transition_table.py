"""The event table, exhaustively, and each rule beside it at its edges."""

from dataclasses import replace

import pytest

from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs import transition
from ledger.customs.holding import EXPIRED, NOT_YET_VALID, holdings
from ledger.customs.status import STATED, RecordPlace, Role, StatusRecord, StatusTerms
from ledger.customs.transition import TRANSITION_REFUSALS, check_transition
from ledger.state.view import StatusEntry

DAY = 86_400_000
NOW = 2_000 * DAY
STATUSES = [status for status in pb.Status.values() if status]
EVENTS = [event for event in pb.Event.values() if event]

# domain, *Status record*, copied as a table: from which statuses an event may follow.
C, S, R, W, A, N = STATUSES
TABLE = {
    pb.EVENT_AMEND: {C, S},
    pb.EVENT_SUSPEND: {C},
    pb.EVENT_REINSTATE: {S},
    pb.EVENT_REVOKE: {C, S},
    pb.EVENT_WITHDRAW: {C, S},
    pb.EVENT_END_SHARING: {C, S, R, W},
    pb.EVENT_SHARE_AGAIN: {N},
    pb.EVENT_ANNUL: {C, S, R, W, A, N},
    pb.EVENT_REVERSE: {S, R, W, A},
    pb.EVENT_CORRECT: {C, S, R, W, A, N},
}
EVENT_OF = {
    C: pb.EVENT_GRANT,
    S: pb.EVENT_SUSPEND,
    R: pb.EVENT_REVOKE,
    W: pb.EVENT_WITHDRAW,
    A: pb.EVENT_ANNUL,
    N: pb.EVENT_END_SHARING,
}


def record(event: int, status: int, effect: int = NOW, **fields: object) -> StatusRecord:
    terms = {name: fields.pop(name) for name in list(fields) if name in StatusTerms.__slots__}
    base = StatusTerms(event, status, (Role("EX"),))
    made = StatusRecord(b"s" * 32, b"c" * 16, 0, 0, effect, replace(base, **terms))
    return made._replace(**fields)


def history(*records: StatusRecord) -> list[StatusEntry]:
    return [StatusEntry(i + 1, i * DAY, i + 1, 0, one) for i, one in enumerate(records)]


def check(one: StatusRecord, past: list[StatusEntry], until: int = 0) -> str | None:
    refusal = check_transition(one, past, NOW, until)
    assert refusal is None or refusal in TRANSITION_REFUSALS
    return refusal


@pytest.mark.parametrize("event", EVENTS)
@pytest.mark.parametrize("before", [0, *STATUSES])
def test_the_table(event: int, before: int) -> None:
    past = history(record(EVENT_OF[before], before, 0)) if before else []
    place = RecordPlace(1, 0) if event == pb.EVENT_CORRECT else None
    for status in STATED[event] - {0}:
        refusal = check(record(event, status, corrects=place), past)
        if event == pb.EVENT_GRANT:
            assert (refusal is None) is (not before)
        elif event == pb.EVENT_AMEND and before in TABLE[event]:
            assert (refusal is None) is (status == before)
        else:
            assert (refusal is None) is (before in TABLE[event])


def test_another_certificate_or_number_does_not_count() -> None:
    past = history(record(pb.EVENT_GRANT, C, 0)._replace(certificate=b"d" * 16))
    assert check(record(pb.EVENT_SUSPEND, S), past) == transition.CERTIFICATE_UNKNOWN
    assert check(record(pb.EVENT_GRANT, C), past) is None


def test_the_newest_in_ledger_order_counts_not_the_newest_effect() -> None:
    past = history(record(pb.EVENT_GRANT, C, 0), record(pb.EVENT_SUSPEND, S, NOW + DAY))
    assert check(record(pb.EVENT_SUSPEND, S), past) == transition.STEP_NOT_ALLOWED
    assert check(record(pb.EVENT_REINSTATE, C), past) is None


@pytest.mark.parametrize("event", EVENTS)
def test_seven_days(event: int) -> None:
    status = next(iter(STATED[event] & {C, S} or STATED[event] - {0}))
    free = {pb.EVENT_GRANT, pb.EVENT_ANNUL, pb.EVENT_REVERSE, pb.EVENT_CORRECT}
    late = record(event, status, NOW - 7 * DAY - 1)
    just = record(event, status, NOW - 7 * DAY)
    assert check(just, []) != transition.EFFECT_TOO_EARLY
    assert (check(late, []) == transition.EFFECT_TOO_EARLY) is (event not in free)
    migrated = record(event, status, 0, migrated=True)
    assert check(migrated, [], until=NOW) != transition.EFFECT_TOO_EARLY
    assert check(migrated, [], until=NOW - 1) == transition.MIGRATION_OVER


def test_reinstate_before_valid_to_only() -> None:
    def past(valid_to: int) -> list[StatusEntry]:
        return history(record(pb.EVENT_SUSPEND, S, 0, valid_to=valid_to))

    assert check(record(pb.EVENT_REINSTATE, C), past(NOW + 1)) is None
    assert check(record(pb.EVENT_REINSTATE, C), past(NOW)) == transition.AFTER_VALID_TO
    longer = record(pb.EVENT_REINSTATE, C, valid_to=NOW + DAY)
    assert check(longer, past(NOW)) == transition.AFTER_VALID_TO
    shorter = record(pb.EVENT_REINSTATE, C, valid_to=NOW)
    assert check(shorter, past(0)) == transition.AFTER_VALID_TO
    migrated = record(pb.EVENT_REINSTATE, C, NOW - 30 * DAY, migrated=True)
    assert check(migrated, past(NOW - 29 * DAY), until=NOW) is None
    assert check(migrated, past(NOW - 30 * DAY), until=NOW) == transition.AFTER_VALID_TO


@pytest.mark.parametrize("ends", [NOW - DAY, NOW, NOW + 1])
def test_time_alone_reinstates_nobody(ends: int) -> None:
    suspended = history(record(pb.EVENT_SUSPEND, S, 0, lapses=True, effective_to=ends))
    assert check(record(pb.EVENT_SUSPEND, S), suspended) == transition.STEP_NOT_ALLOWED
    assert check(record(pb.EVENT_AMEND, C), suspended) == transition.STATUS_CHANGED
    assert check(record(pb.EVENT_REINSTATE, C), suspended) is None


def correct(log_index: int, status: int = C, effect: int = NOW) -> StatusRecord:
    return record(pb.EVENT_CORRECT, status, effect, corrects=RecordPlace(log_index, 0))


def test_correct_names_a_record_of_its_own_certificate_once() -> None:
    past = history(
        record(pb.EVENT_GRANT, C, 0),
        record(pb.EVENT_GRANT, C, 0)._replace(certificate=b"d" * 16),
        record(pb.EVENT_SUSPEND, S, 0),
    )
    assert check(correct(3), past) is None
    assert check(correct(2), past) == transition.CORRECTED_UNKNOWN
    assert check(correct(9), past) == transition.CORRECTED_UNKNOWN
    past = history(*[entry.record for entry in past], correct(3))
    assert check(correct(3), past) == transition.CORRECTED_TWICE
    # A correction may be corrected; then what it undid stands again, and may be undone again.
    past = history(*[entry.record for entry in past], correct(4, S))
    assert check(correct(3), past) is None


def test_while_not_shared_only_that_end_sharing_can_be_undone() -> None:
    past = history(record(pb.EVENT_GRANT, C, 0), record(pb.EVENT_END_SHARING, N, 0))
    assert check(correct(1), past) == transition.CORRECTED_NOT_END_SHARING
    assert check(correct(2), past) is None
    again = record(pb.EVENT_SHARE_AGAIN, C, 0)
    past = history(*[entry.record for entry in past], again, record(pb.EVENT_END_SHARING, N, 0))
    assert check(correct(2), past) == transition.CORRECTED_NOT_END_SHARING
    assert check(correct(4), past) is None


def status_at(as_of: int, *records: StatusRecord) -> int:
    (held,) = holdings(history(*records), as_of)
    return held.status


def test_what_holds_when() -> None:
    grant = record(pb.EVENT_GRANT, C, 10, valid_from=20, valid_to=100)
    assert [status_at(day, grant) for day in (9, 19, 20, 99, 100)] == [
        NOT_YET_VALID,
        NOT_YET_VALID,
        C,
        C,
        EXPIRED,
    ]
    suspend = record(pb.EVENT_SUSPEND, S, 30, valid_from=20, valid_to=100)
    assert [status_at(day, grant, suspend) for day in (29, 30, 100)] == [C, S, EXPIRED]
    # Undone, the suspension never was; undoing the correction brings it back.
    undo = correct(2, C, 60)._replace(valid_from=20, valid_to=100)
    assert [status_at(day, grant, suspend, undo) for day in (30, 59, 60)] == [C, C, C]
    redo = correct(3, S, 70)._replace(valid_from=20, valid_to=100)
    assert [status_at(day, grant, suspend, undo, redo) for day in (29, 30, 65)] == [C, S, S]


def test_annulled_is_void_from_the_beginning_until_reversed() -> None:
    grant = record(pb.EVENT_GRANT, C, 10)
    annul = record(pb.EVENT_ANNUL, A, 50)
    reverse = record(pb.EVENT_REVERSE, C, 70)
    assert [status_at(day, grant, annul) for day in (0, 20, 60)] == [A, A, A]
    assert [status_at(day, grant, annul, reverse) for day in (0, 69, 70)] == [A, A, C]


def test_from_not_shared_only_the_record_that_made_it_so_is_undone() -> None:
    ended = record(pb.EVENT_END_SHARING, N, 0)
    by_appeal = history(
        record(pb.EVENT_GRANT, C, 0),
        ended,
        record(pb.EVENT_SHARE_AGAIN, C, 0),
        record(pb.EVENT_REVOKE, pb.STATUS_REVOKED, 0),
        record(pb.EVENT_REVERSE, N, 0),
    )
    for place in (2, 5):
        assert check(correct(place), by_appeal) == transition.CORRECTED_NOT_END_SHARING
    assert check(correct(2), by_appeal[:2]) is None
