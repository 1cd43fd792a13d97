"""Which event may follow: the table of domain, *Status record*, as one pure check.

Legality is judged on the certificate's newest record in ledger order; a certificate is its keyed
number (16 bytes) under one subject. What a record may state at all is its form (`status`); here is
what may come after what.

    GRANT        no certificate of that number          END_SHARING  any but ANNULLED, NOT_SHARED
    AMEND        CERTIFIED, SUSPENDED; the status stays  SHARE_AGAIN  NOT_SHARED
    SUSPEND      CERTIFIED                               ANNUL        any
    REINSTATE    SUSPENDED, before valid to              REVERSE      SUSPENDED, REVOKED, WITHDRAWN,
    REVOKE       CERTIFIED, SUSPENDED                                 ANNULLED
    WITHDRAW     CERTIFIED, SUSPENDED                    CORRECT      any

An effect lies at most 7 days before the recorded time, but for ANNUL, REVERSE, CORRECT, GRANT and
MIGRATED records; those are accepted until the window closes that the arrangement gives the issuer.

Where the design is silent:

- A suspension that has lapsed is SUSPENDED on its newest record still: nothing in the ledger
  changes by time alone. REINSTATE comes before it is suspended anew or amended as certified.
- REINSTATE is refused once the valid_to of the newest record, or its own, is not after the recorded
  time (for MIGRATED records: not after its effect). To extend a validity first is an AMEND.
- CORRECT undoes a record of its own certificate, once. From NOT_SHARED it may undo only the
  END_SHARING that made it so: the newest record that still stands. Nothing but ANNUL and CORRECT
  may name what is annulled already.

>>> from ledger.customs.status import StatusTerms
>>> grant = StatusTerms(pb.EVENT_GRANT, pb.STATUS_CERTIFIED)
>>> record = StatusRecord(b"s" * 32, b"c" * 16, 0, 0, 10 * DAY, grant)
>>> check_transition(record, [], recorded_time=90 * DAY, migrated_until=0)
>>> past = [StatusEntry(1, 10 * DAY, 1, 0, record)]
>>> check_transition(record, past, recorded_time=90 * DAY, migrated_until=0)
'CERTIFICATE_KNOWN'
>>> suspend = record._replace(terms=StatusTerms(pb.EVENT_SUSPEND, pb.STATUS_SUSPENDED))
>>> check_transition(suspend, past, recorded_time=17 * DAY + 1, migrated_until=0)
'EFFECT_TOO_EARLY'
>>> check_transition(suspend, past, recorded_time=17 * DAY, migrated_until=0)
"""

from collections.abc import Sequence
from typing import Final

from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs.arrangement import DAY
from ledger.customs.holding import undone_places
from ledger.customs.status import StatusRecord
from ledger.state.view import StatusEntry

# How far back an effect may lie; late enough for a long week-end, too short to rewrite a clearance.
EFFECT_WINDOW: Final = 7 * DAY

CERTIFICATE_KNOWN: Final = "CERTIFICATE_KNOWN"
CERTIFICATE_UNKNOWN: Final = "CERTIFICATE_UNKNOWN"
STEP_NOT_ALLOWED: Final = "STEP_NOT_ALLOWED"
STATUS_CHANGED: Final = "STATUS_CHANGED"
AFTER_VALID_TO: Final = "AFTER_VALID_TO"
EFFECT_TOO_EARLY: Final = "EFFECT_TOO_EARLY"
MIGRATION_OVER: Final = "MIGRATION_OVER"
CORRECTED_UNKNOWN: Final = "CORRECTED_UNKNOWN"
CORRECTED_TWICE: Final = "CORRECTED_TWICE"
CORRECTED_NOT_END_SHARING: Final = "CORRECTED_NOT_END_SHARING"

TRANSITION_REFUSALS: Final[dict[str, str]] = {
    CERTIFICATE_KNOWN: "the trader has a certificate of that number already",
    CERTIFICATE_UNKNOWN: "the trader has no certificate of that number",
    STEP_NOT_ALLOWED: "the event may not follow the certificate's newest record",
    STATUS_CHANGED: "AMEND leaves the status as it is",
    AFTER_VALID_TO: "a certificate whose validity is over is not reinstated",
    EFFECT_TOO_EARLY: "the effect lies more than 7 days before the recorded time",
    MIGRATION_OVER: "history is loaded within 90 days of the member's or the arrangement's start",
    CORRECTED_UNKNOWN: "the record to be undone is not one of this certificate",
    CORRECTED_TWICE: "the record to be undone has been undone already",
    CORRECTED_NOT_END_SHARING: "while not shared, only that END_SHARING can be undone",
}

_CERTIFIED: Final[int] = pb.STATUS_CERTIFIED
_SUSPENDED: Final[int] = pb.STATUS_SUSPENDED
_NOT_SHARED: Final[int] = pb.STATUS_NOT_SHARED
_ANY: Final[frozenset[int]] = frozenset(range(1, 7))
_RUNNING: Final[frozenset[int]] = frozenset({_CERTIFIED, _SUSPENDED})

_FOLLOWS: Final[dict[int, frozenset[int]]] = {
    pb.EVENT_AMEND: _RUNNING,
    pb.EVENT_SUSPEND: frozenset({_CERTIFIED}),
    pb.EVENT_REINSTATE: frozenset({_SUSPENDED}),
    pb.EVENT_REVOKE: _RUNNING,
    pb.EVENT_WITHDRAW: _RUNNING,
    pb.EVENT_END_SHARING: _ANY - {pb.STATUS_ANNULLED, _NOT_SHARED},
    pb.EVENT_SHARE_AGAIN: frozenset({_NOT_SHARED}),
    pb.EVENT_ANNUL: _ANY,
    pb.EVENT_REVERSE: _ANY - {_CERTIFIED, _NOT_SHARED},
    pb.EVENT_CORRECT: _ANY,
}
_ANY_EFFECT: Final[frozenset[int]] = frozenset(
    {pb.EVENT_GRANT, pb.EVENT_ANNUL, pb.EVENT_REVERSE, pb.EVENT_CORRECT}
)


def check_transition(
    record: StatusRecord, history: Sequence[StatusEntry], recorded_time: int, migrated_until: int
) -> str | None:
    """Return why `record` is refused, a code of `TRANSITION_REFUSALS`, or None.

    `history` holds the subject's executed records, oldest first; `recorded_time` is that of the
    block, `migrated_until` what `ArrangementHistory.migrated_until` gives for the author.
    """
    terms = record.terms
    if terms.migrated:
        if recorded_time > migrated_until:
            return MIGRATION_OVER
    elif terms.event not in _ANY_EFFECT and record.effective_from < recorded_time - EFFECT_WINDOW:
        return EFFECT_TOO_EARLY
    own = [entry for entry in history if entry.record.certificate == record.certificate]
    if terms.event == pb.EVENT_GRANT:
        return CERTIFICATE_KNOWN if own else None
    if not own:
        return CERTIFICATE_UNKNOWN
    newest = own[-1].record
    allowed = _FOLLOWS[terms.event]
    if newest.terms.status not in allowed:
        return STEP_NOT_ALLOWED
    if terms.event == pb.EVENT_AMEND and terms.status != newest.terms.status:
        return STATUS_CHANGED
    if terms.event == pb.EVENT_REINSTATE:
        moment = record.effective_from if terms.migrated else recorded_time
        ends = [end for end in (newest.valid_to, record.valid_to) if end]
        return AFTER_VALID_TO if any(end <= moment for end in ends) else None
    if record.corrects is not None:
        return _check_correction(record.corrects, own)
    return None


def _check_correction(place: tuple[int, int], own: Sequence[StatusEntry]) -> str | None:
    undone = undone_places(own)
    if all((entry.log_index, entry.position) != place for entry in own):
        return CORRECTED_UNKNOWN
    if place in undone:
        return CORRECTED_TWICE
    if own[-1].record.terms.status == _NOT_SHARED:
        standing = [
            entry
            for entry in own
            if entry.record.corrects is None and (entry.log_index, entry.position) not in undone
        ]
        newest = standing[-1] if standing else None
        if (
            newest is None
            or newest.record.terms.event != pb.EVENT_END_SHARING
            or (newest.log_index, newest.position) != place
        ):
            return CORRECTED_NOT_END_SHARING
    return None
