"""`StatusService.Watch`: status changes after a cursor, in ledger order, resumable.

The log is the queue (`service.node.lookup.watch`), and gRPC asks for the next message only when the
last one has left: a slow watcher holds its place and nothing else. *Caught up* is said whenever all
that the ledger held has been delivered, with a cursor to resume from; a quiet ledger says it again
with each block, so that a watcher always knows how fresh it is.
"""

from collections.abc import Iterator, Sequence
from typing import Final

from aeo.exchange.v1 import status_service_pb2 as pb
from aeo.ledger.v1 import status_pb2
from ledger.customs.tin import TinError, parse_tin
from ledger.state.state import State
from service.api.failures import Denied, InvalidField
from service.api.method import Call
from service.keys.spiffe import AccessRole
from service.node.lookup.host import AnsweringHost, AnsweringMember
from service.node.lookup.question import NAME_LIMIT
from service.node.lookup.watch import (
    MAX_REGISTERED,
    Change,
    Place,
    Registered,
    changes_after,
    end_of,
)

WAIT_SECONDS: Final = 1.0
"""How long a quiet watcher sleeps before it asks whether anybody still listens."""


class Watching:
    """Serves watchers of one host."""

    def __init__(self, node: AnsweringHost) -> None:
        self._node = node

    def watch(self, request: pb.WatchRequest, call: Call) -> Iterator[pb.WatchResponse]:
        """Changes as they come, until the caller hangs up or the node stops."""
        node = self._node
        member = self._member(request, call)
        state = node.state
        issuers = _issuers(request.tins, state)
        log = node.hosted[call.caller.economy].access_log
        log.note(call.caller, call.method, request.purpose, state.height, sorted(issuers))
        registered = Registered(issuers, member.keyring.keys())
        place = _after(request, state)
        only, told = request.only_registered, -1
        while call.live():
            seen, state = node.feed.version, node.state
            if state.height > told:
                for change in changes_after(
                    place,
                    state,
                    node.ledger_store,
                    member.economy,
                    registered,
                    only_registered=only,
                ):
                    yield pb.WatchResponse(change=_change(change))
                place, told = end_of(state), state.height
                yield pb.WatchResponse(caught_up=_caught_up(place, state))
            if node.feed.closed:
                return
            node.feed.wait(seen, WAIT_SECONDS)

    def _member(self, request: pb.WatchRequest, call: Call) -> AnsweringMember:
        caller = call.caller
        if caller.access_role is AccessRole.AGENCY and not request.purpose.strip():
            raise InvalidField("purpose", "is required of an agency")
        if len(request.purpose) > NAME_LIMIT:
            raise InvalidField("purpose", f"has at most {NAME_LIMIT} characters")
        economy = request.recognising_economy or caller.economy
        member = self._node.hosted.get(economy)
        if member is None or caller.economy not in self._node.hosted:
            raise Denied("OTHER_ECONOMY", f"this node does not answer for {economy}")
        return member


def _issuers(tins: Sequence[str], state: State) -> dict[str, str]:
    """Canonical TIN to issuer, for those registered."""
    given = list(tins)
    if len(given) > MAX_REGISTERED:
        raise InvalidField("tins", f"at most {MAX_REGISTERED}, not {len(given)}")
    issuers = {}
    for index, text in enumerate(given):
        try:
            tin = parse_tin(text, state.prefixes()).canonical
        except TinError as error:
            raise InvalidField(f"tins[{index}]", str(error)) from None
        speakers = [entry for entry in state.speaker_history(tin[:2]) if entry.begins]
        if speakers:
            issuers[tin] = speakers[-1].economy
    return issuers


def _after(request: pb.WatchRequest, state: State) -> Place | None:
    if not request.HasField("after"):
        return end_of(state)
    after = Place(request.after.log_index, request.after.position)
    newest = end_of(state)
    if newest is None or after > newest:
        raise InvalidField("after", f"the log has {state.log_size} entries")
    return after


def _change(change: Change) -> pb.StatusChange:
    return pb.StatusChange(
        cursor=pb.WatchCursor(log_index=change.place.log_index, position=change.place.position),
        arrangement_id=change.arrangement_id,
        issuer=change.issuer,
        subject=change.subject,
        tin=change.tin,
        entry=pb.HistoryEntry(
            height=change.height,
            time=change.time,
            log_index=change.place.log_index,
            position=change.place.position,
            author=change.issuer,
            record=change.record,
        ),
        record=status_pb2.StatusRecord.FromString(change.record),
    )


def _caught_up(place: Place | None, state: State) -> pb.CaughtUp:
    caught_up = pb.CaughtUp(height=state.height, header_hash=state.header_hash)
    if place is not None:
        caught_up.cursor.log_index, caught_up.cursor.position = place
    return caught_up
