"""What publishing a register would change: each certificate as it should be, against the ledger.

A register states certificates; the ledger records events. Between the two stands one step, from the
certificate's newest record to the state wanted:

| newest record          | wanted                | event       |
|------------------------|-----------------------|-------------|
| none                   | CERTIFIED             | GRANT       |
| the same in all fields |                       | none        |
| the same status        | other fields differ   | AMEND       |
| CERTIFIED              | SUSPENDED             | SUSPEND     |
| SUSPENDED              | CERTIFIED             | REINSTATE   |
| NOT_SHARED             | any other             | SHARE_AGAIN |
| any other              | REVOKED ...           | REVOKE, WITHDRAW, ANNUL, END_SHARING |

A suspension that lapsed counts as CERTIFIED: a register that still says SUSPENDED suspends anew.

Nothing else follows from a register. A certificate that is new to the ledger and no longer
certified is granted first, and one that was revoked comes back only by a decision (REVERSE) or a
correction: those are steps that a person takes.
"""

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from aeo.exchange.v1.publishing_service_pb2 import Submission
from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs.status import Role, StatusRecord
from ledger.customs.subject import LookupKey
from ledger.state.state import State

NEW_NOT_CERTIFIED: Final = "CERTIFICATE_UNKNOWN"
NO_STEP: Final = "STEP_NOT_ALLOWED"

_RUNNING: Final = frozenset({pb.STATUS_CERTIFIED, pb.STATUS_SUSPENDED})
_STEPS: Final[dict[tuple[int, int], int]] = {
    (pb.STATUS_CERTIFIED, pb.STATUS_SUSPENDED): pb.EVENT_SUSPEND,
    (pb.STATUS_SUSPENDED, pb.STATUS_CERTIFIED): pb.EVENT_REINSTATE,
}
_ENDS: Final[dict[int, int]] = {
    pb.STATUS_REVOKED: pb.EVENT_REVOKE,
    pb.STATUS_WITHDRAWN: pb.EVENT_WITHDRAW,
    pb.STATUS_ANNULLED: pb.EVENT_ANNUL,
    pb.STATUS_NOT_SHARED: pb.EVENT_END_SHARING,
}


class Difference(NamedTuple):
    """One certificate under one arrangement; `event` is 0 where none leads there (`code`: why)."""

    event: int
    fields: tuple[str, ...]
    published: StatusRecord | None
    code: str


def newest_record(
    state: State, economy: str, key: LookupKey, tin: str, number: str
) -> StatusRecord | None:
    """The newest record of a certificate under the key's arrangement; None where it has none."""
    certificate = key.certificate(number)
    for entry in reversed(state.subject(key.arrangement_id, economy, key.subject(tin))):
        if entry.record.certificate == certificate:
            return entry.record
    return None


def compare(wanted: Submission, published: StatusRecord | None, now: int) -> Difference:
    """The step from a certificate's newest record to the state wanted, at `now` (Unix ms)."""
    status = wanted.terms.status
    if published is None:
        if status != pb.STATUS_CERTIFIED:
            return Difference(0, ("status",), None, NEW_NOT_CERTIFIED)
        return Difference(pb.EVENT_GRANT, (), None, "")
    held = _held(published, now)
    fields = _differing(wanted, published, held)
    if not fields:
        return Difference(0, (), published, "")
    if status == held:
        event = pb.EVENT_AMEND if held in _RUNNING else 0
    elif status == pb.STATUS_ANNULLED:
        event = pb.EVENT_ANNUL
    elif held == pb.STATUS_NOT_SHARED:
        event = pb.EVENT_SHARE_AGAIN
    elif status == pb.STATUS_NOT_SHARED:
        event = pb.EVENT_END_SHARING if held != pb.STATUS_ANNULLED else 0
    elif held in _RUNNING:
        event = _STEPS.get((held, status)) or _ENDS.get(status, 0)
    else:
        event = 0
    return Difference(event, fields, published, "" if event else NO_STEP)


def compare_under(
    wanted: Submission,
    tin: str,
    state: State,
    economy: str,
    key_of: Callable[[bytes], LookupKey | None],
    arrangements: Sequence[bytes],
    now: int,
) -> list[tuple[bytes, Difference]]:
    """Compare one certificate under each arrangement whose key is held; the others have a code."""
    found = []
    for arrangement_id in arrangements:
        key = key_of(arrangement_id)
        if key is None:
            difference = Difference(0, (), None, "LOOKUP_KEY_MISSING")
        else:
            published = newest_record(state, economy, key, tin, wanted.certificate_number)
            difference = compare(wanted, published, now)
        found.append((arrangement_id, difference))
    return found


def _held(published: StatusRecord, now: int) -> int:
    if published.terms.lapses and published.effective_to <= now:
        return pb.STATUS_CERTIFIED
    return published.terms.status


def _differing(wanted: Submission, published: StatusRecord, held: int) -> tuple[str, ...]:
    terms = published.terms
    roles = tuple(Role(role.code, role.mode) for role in wanted.terms.roles)
    pairs = [
        ("status", wanted.terms.status, held),
        ("roles", roles, terms.roles),
        ("level", wanted.terms.level, terms.level),
        ("valid_from", wanted.valid_from, published.valid_from),
        ("valid_to", wanted.valid_to, published.valid_to),
    ]
    if wanted.terms.operator_class:
        pairs.append(("class", wanted.terms.operator_class, terms.operator_class))
    return tuple(name for name, new, old in pairs if new != old)
