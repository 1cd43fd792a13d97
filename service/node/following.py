"""One event for the certificates that a trader has: what `aeo suspend` and its sisters ask for.

An officer names the trader and the event. What the event does not change (roles, level, class,
validity) is taken from each certificate's newest record, arrangement by arrangement, because they
may differ. A certificate on which the event may not follow is passed over when others take it:
revoking a trader with one certificate suspended and one already withdrawn revokes the first.

GRANT, AMEND and CORRECT state something new or name one record; they are published as they are.
"""

from collections.abc import Callable, Iterator
from dataclasses import replace
from typing import Final

from aeo.exchange.v1.publishing_service_pb2 import ChangeStatusRequest
from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs.arrangement import ArrangementHistory
from ledger.customs.status import Role, Scope, StatusRecord, format_status
from ledger.customs.subject import LookupKey
from ledger.customs.tin import TinError, parse_tin
from ledger.customs.transition import TRANSITION_REFUSALS, check_transition
from ledger.errors import FormatError
from ledger.state.refusals import STEP_REFUSALS
from ledger.state.state import State
from ledger.state.view import StatusEntry
from service.node.submission import CONFIRMED_EVENTS, ROW_CODES, STATUSES, PreparedRows, RowFault
from service.store.prepared import Group

# The status that each event leads to; None where the caller or the history says.
LEADS_TO: Final[dict[int, int | None]] = {
    pb.EVENT_SUSPEND: pb.STATUS_SUSPENDED,
    pb.EVENT_REINSTATE: pb.STATUS_CERTIFIED,
    pb.EVENT_REVOKE: pb.STATUS_REVOKED,
    pb.EVENT_WITHDRAW: pb.STATUS_WITHDRAWN,
    pb.EVENT_END_SHARING: pb.STATUS_NOT_SHARED,
    pb.EVENT_SHARE_AGAIN: None,
    pb.EVENT_ANNUL: pb.STATUS_ANNULLED,
    pb.EVENT_REVERSE: None,
}


class _Faulty(Exception):
    def __init__(self, code: str, detail: str = "") -> None:
        text = ROW_CODES.get(code) or TRANSITION_REFUSALS.get(code) or STEP_REFUSALS[code]
        self.fault = RowFault(code, f"{text}: {detail}" if detail else text)


def prepare_change(
    request: ChangeStatusRequest,
    state: State,
    economy: str,
    key_of: Callable[[bytes], LookupKey | None],
    now: int,
) -> PreparedRows:
    """Make the records of a change that `economy` publishes at `now` (Unix ms), as its row 0.

    The request's event is one of `LEADS_TO`. Where nothing can be made, row 0 has the fault.
    """
    try:
        tin = parse_tin(request.tin, state.prefixes()).canonical
    except TinError as error:
        return PreparedRows((), {0: RowFault(error.reason, str(error))})
    groups: list[Group] = []
    fault = RowFault("CERTIFICATE_UNKNOWN", TRANSITION_REFUSALS["CERTIFICATE_UNKNOWN"])
    named = tuple(request.arrangement_ids)
    for arrangement_id in named or state.own_arrangements(economy):
        try:
            records = _records(request, state, economy, key_of, now, tin, arrangement_id)
        except _Faulty as faulty:
            if named:
                return PreparedRows((), {0: faulty.fault})
            if faulty.fault.code in TRANSITION_REFUSALS and faulty.fault.code != fault.code:
                fault = faulty.fault
            continue
        groups.append(Group(STATUSES, arrangement_id, (0,) * len(records), tuple(records)))
    return PreparedRows(tuple(groups), {} if groups else {0: fault})


def takes_two(event: int) -> bool:
    """Whether a second person must confirm the event."""
    return event in CONFIRMED_EVENTS


def _records(
    request: ChangeStatusRequest,
    state: State,
    economy: str,
    key_of: Callable[[bytes], LookupKey | None],
    now: int,
    tin: str,
    arrangement_id: bytes,
) -> list[bytes]:
    history = _open_arrangement(state, economy, arrangement_id, now)
    key = key_of(arrangement_id)
    if key is None:
        raise _Faulty("LOOKUP_KEY_MISSING", arrangement_id.hex())
    entries = state.subject(arrangement_id, economy, key.subject(tin))
    wanted = key.certificate(request.certificate_number) if request.certificate_number else None
    member_since = next(member.time for member in state.members() if member.economy == economy)
    until = history.migrated_until(economy, member_since)
    made: list[bytes] = []
    refused = "CERTIFICATE_UNKNOWN"
    for own in _certificates(entries):
        if wanted is not None and own[-1].record.certificate != wanted:
            continue
        try:
            record = _follow(request, own, now)
            data = format_status(record)
        except FormatError as error:
            raise _Faulty("RECORD_MALFORMED", str(error)) from None
        code = check_transition(record, own, now, until)
        if code is None:
            made.append(data)
        else:
            refused = code
    if not made:
        raise _Faulty(refused)
    return made


def _open_arrangement(
    state: State, economy: str, arrangement_id: bytes, now: int
) -> ArrangementHistory:
    history = state.arrangement(arrangement_id)
    if history is None:
        raise _Faulty("ARRANGEMENT_UNKNOWN", arrangement_id.hex())
    if economy not in history.text.parties:
        raise _Faulty("NOT_A_PARTY", arrangement_id.hex())
    if history.complete is None:
        raise _Faulty("ARRANGEMENT_NOT_SIGNED", arrangement_id.hex())
    if any(end.instant <= now for end in history.ends):
        raise _Faulty("ARRANGEMENT_HAS_ENDED", arrangement_id.hex())
    return history


def _certificates(
    entries: "list[StatusEntry] | tuple[StatusEntry, ...]",
) -> Iterator[list[StatusEntry]]:
    own: dict[bytes, list[StatusEntry]] = {}
    for entry in entries:
        own.setdefault(entry.record.certificate, []).append(entry)
    yield from own.values()


def _follow(request: ChangeStatusRequest, own: list[StatusEntry], now: int) -> StatusRecord:
    newest = own[-1].record
    status = LEADS_TO[request.event] or request.status or _status_before(request.event, own)
    suspended = status == pb.STATUS_SUSPENDED
    terms = replace(
        newest.terms,
        event=request.event,
        status=status,
        scope=_scope(request) if suspended else None,
        lapses=request.lapses and suspended,
        reason=request.reason,
        migrated=False,
    )
    return newest._replace(
        effective_from=request.effective_from or now,
        effective_to=request.effective_to,
        terms=terms,
        predecessor=None,
        corrects=None,
        reapply_after=request.reapply_after,
    )


def _status_before(event: int, own: list[StatusEntry]) -> int:
    """Sharing again goes back to what was shared; an appeal won gives the certificate back."""
    if event == pb.EVENT_SHARE_AGAIN:
        for entry in reversed(own):
            if entry.record.terms.status != pb.STATUS_NOT_SHARED:
                return entry.record.terms.status
    return pb.STATUS_CERTIFIED


def _scope(request: ChangeStatusRequest) -> Scope | None:
    if not request.HasField("scope"):
        return None
    roles = {Role(role.code, role.mode) for role in request.scope.roles}
    return Scope(tuple(sorted(set(request.scope.levels))), tuple(sorted(roles)))
