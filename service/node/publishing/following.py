"""One event for the certificates that a trader has: what `aeo suspend` and its sisters ask for.

An officer names the trader and the event. What the event does not change (roles, level, class,
validity) is taken from each certificate's newest record, arrangement by arrangement, because they
may differ. A certificate on which the event may not follow is passed over when others take it:
revoking a trader with one certificate suspended and one already withdrawn revokes the first.
SHARE_AGAIN without a status states what was shared last, a suspension with its reach and its end.

GRANT, AMEND and CORRECT state something new or name one record; they are published as they are.
"""

from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import Final

from aeo.exchange.v1.publishing_service_pb2 import ChangeStatusRequest
from aeo.ledger.v1 import status_pb2 as pb
from ledger.customs.status import Role, Scope, StatusRecord, format_status
from ledger.customs.subject import LookupKey
from ledger.customs.transition import CERTIFICATE_UNKNOWN, TRANSITION_REFUSALS, check_transition
from ledger.errors import FormatError
from ledger.state.state import State
from ledger.state.view import StatusEntry
from service.node.profiles.own import NO_PROFILES, OwnProfiles, commit_all, commits
from service.node.publishing.confirmed import CONFIRMED_EVENTS
from service.node.publishing.submission import NEEDS_NO_CONSENT, STATUSES, PreparedRows
from service.node.publishing.targets import Consents, RowFault, RowRefused, RowTargets
from service.store.home.prepared import Group

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


class _NoneFollows(Exception):
    """The event may not follow on any certificate there; `code` says why."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def prepare_change(
    request: ChangeStatusRequest,
    state: State,
    economy: str,
    key_of: Callable[[bytes], LookupKey | None],
    now: int,
    consents: Consents | None = None,
    profiles: OwnProfiles = NO_PROFILES,
) -> PreparedRows:
    """Make the records of a change that `economy` publishes at `now` (Unix ms), as its row 0.

    The request's event is one of `LEADS_TO`. Where nothing can be made, row 0 has the fault.
    """
    targets = RowTargets(state, economy, now, consents)
    groups: list[Group] = []
    refused = CERTIFICATE_UNKNOWN
    try:
        tin = targets.tin(request.tin)
        wanted = tuple(request.arrangement_ids)
        found = targets.arrangements(wanted)
        if request.event not in NEEDS_NO_CONSENT:
            found = targets.shared(found, tin, named=bool(wanted))
        for arrangement_id in found:
            try:
                key = _key(key_of, arrangement_id)
                records = _records(request, state, economy, key, tin, now)
            except _NoneFollows as none:
                if none.code != CERTIFICATE_UNKNOWN:
                    refused = none.code
                continue
            if tin in profiles.tins and commits(request.event):
                commit_all(profiles, tin, arrangement_id, records)
            groups.append(Group(STATUSES, arrangement_id, (0,) * len(records), tuple(records)))
    except RowRefused as error:
        return PreparedRows((), {0: error.fault})
    if not groups:
        return PreparedRows((), {0: RowFault(refused, TRANSITION_REFUSALS[refused])})
    return PreparedRows(tuple(groups), {})


def prepare_ends(
    subjects: Sequence[tuple[bytes, bytes]], state: State, economy: str, now: int
) -> PreparedRows:
    """Make END_SHARING for every certificate of each (arrangement id, subject) that is shared.

    Rows are the subjects. One under an arrangement that takes no more records gives none.
    """
    request = ChangeStatusRequest(
        event=pb.EVENT_END_SHARING, reason=pb.PUBLIC_REASON_HOLDER_REQUEST
    )
    targets = RowTargets(state, economy, now)
    books: dict[bytes, list[tuple[int, bytes]]] = {}
    for row, (arrangement_id, subject) in enumerate(subjects):
        try:
            targets.arrangements((arrangement_id,))
        except RowRefused:
            continue
        for own in _certificates(state.subject(arrangement_id, economy, subject)):
            record = _follow(request, own, now)
            if check_transition(record, own, now, 0) is None:  # 0: only MIGRATED asks
                books.setdefault(arrangement_id, []).append((row, format_status(record)))
    return PreparedRows(
        tuple(
            Group(STATUSES, arrangement_id, *(tuple(each) for each in zip(*rows, strict=True)))
            for arrangement_id, rows in books.items()
        ),
        {},
    )


def takes_two(request: ChangeStatusRequest) -> bool:
    """Whether a second person must confirm it; not where what was shared last is shared again."""
    if request.event == pb.EVENT_SHARE_AGAIN and not request.status:
        return False
    return request.event in CONFIRMED_EVENTS


def _key(key_of: Callable[[bytes], LookupKey | None], arrangement_id: bytes) -> LookupKey:
    key = key_of(arrangement_id)
    if key is None:
        raise RowRefused("LOOKUP_KEY_MISSING", arrangement_id.hex())
    return key


def _records(
    request: ChangeStatusRequest, state: State, economy: str, key: LookupKey, tin: str, now: int
) -> list[bytes]:
    """One record for each certificate under the key's arrangement on which the event may follow."""
    history = state.arrangement(key.arrangement_id)
    assert history is not None, "it was looked at as a target"
    until = history.migrated_until(economy, state.member_since(economy))
    number = request.certificate_number
    try:
        wanted = key.certificate(number) if number else None
    except FormatError as error:
        raise RowRefused("CERTIFICATE_MALFORMED", str(error)) from None
    made: list[bytes] = []
    refused = CERTIFICATE_UNKNOWN
    entries = state.subject(key.arrangement_id, economy, key.subject(tin))
    for own in _certificates(entries):
        if wanted is not None and own[-1].record.certificate != wanted:
            continue
        try:
            record = _follow(request, own, now)
            data = format_status(record)
        except FormatError as error:
            raise RowRefused("RECORD_MALFORMED", str(error)) from None
        code = check_transition(record, own, now, until)
        if code is None:
            made.append(data)
        else:
            refused = code
    if not made:
        raise _NoneFollows(refused)
    return made


def _certificates(entries: Sequence[StatusEntry]) -> Iterable[list[StatusEntry]]:
    own: dict[bytes, list[StatusEntry]] = {}
    for entry in entries:
        own.setdefault(entry.record.certificate, []).append(entry)
    return own.values()


def _follow(request: ChangeStatusRequest, own: list[StatusEntry], now: int) -> StatusRecord:
    if request.event == pb.EVENT_SHARE_AGAIN and not request.status:
        return _as_shared(request, own, request.effective_from or now)
    newest = own[-1].record
    status = LEADS_TO[request.event] or request.status or pb.STATUS_CERTIFIED
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
        profile_commitment=b"",  # each record has a nonce of its own
        predecessor=None,
        corrects=None,
        reapply_after=request.reapply_after,
    )


def _as_shared(
    request: ChangeStatusRequest, own: list[StatusEntry], effective_from: int
) -> StatusRecord:
    """Sharing again goes back to what was shared: a suspension with its reach and its end.

    One whose end has passed meanwhile is over if it lapses, and without an end if it does not.
    """
    shared = [entry.record for entry in own if entry.record.terms.status != pb.STATUS_NOT_SHARED]
    last = shared[-1]  # a certificate begins with a GRANT
    terms, end = last.terms, last.effective_to
    if end <= effective_from:
        end = 0
        if terms.lapses:
            terms = replace(terms, status=pb.STATUS_CERTIFIED, scope=None, lapses=False)
    terms = replace(terms, event=request.event, reason=request.reason, migrated=False)
    return last._replace(
        effective_from=effective_from,
        effective_to=end,
        terms=terms,
        profile_commitment=b"",  # each record has a nonce of its own
        predecessor=None,
        corrects=None,
        reapply_after=request.reapply_after,
    )


def _scope(request: ChangeStatusRequest) -> Scope | None:
    if not request.HasField("scope"):
        return None
    roles = {Role(role.code, role.mode) for role in request.scope.roles}
    return Scope(tuple(sorted(set(request.scope.levels))), tuple(sorted(roles)))
