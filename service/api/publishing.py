"""PublishingService: what is accepted is in the outbox, on the disk, before the answer.

`Publish` is read as its byte-level twin `PublishRequestBytes`, and its answer is written by the
node: thousands of rows a call, some microseconds each, leave no time for a message object a row.

Preparing takes an officer. A call with a revocation, annulment, reversal or correction anywhere in
it waits, whole, for a second person (`service.api.four_eyes`), whoever prepared it.
"""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from aeo.exchange.v1 import publishing_service_pb2 as pb
from aeo.exchange.wire.v1.wire_pb2 import PublishRequestBytes
from ledger.chain.keys import ARRANGEMENT_ID_BYTES
from ledger.customs.subject import normalise_text
from ledger.customs.tin import parse_tin
from ledger.state.state import State
from service.api.access_items import alias_name, named
from service.api.caller import RIGHTS, Right
from service.api.failures import Denied, Illegal, InvalidField, NotFound, naming
from service.api.hosted import failures, hosted_member
from service.api.method import Call, FourEyes, Kind, Method, Pool, unary
from service.api.publishing_summary import (
    change_takes_two,
    rows_take_two,
    summarise_change,
    summarise_rows,
)
from service.node.node import HostedMember, Node
from service.node.publishing.aliases import find_alias, prepare_aliases
from service.node.publishing.following import LEADS_TO, prepare_change, takes_two
from service.node.publishing.register import compare_rows
from service.node.publishing.submission import MAX_ROWS, PreparedRows
from service.store.home.outbox import PAGE_LIMIT

SERVICE: Final = "aeo.exchange.v1.PublishingService"
KEY_CHARACTERS: Final = 64
PAGE_SIZE: Final = 50


class PublishingServicer:
    """Writes for the members that one node hosts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        prepare, read = RIGHTS[Right.PREPARE], RIGHTS[Right.READ_PUBLICATIONS]

        return {
            "Publish": Method(
                Kind.UNARY,
                self.publish,
                PublishRequestBytes.FromString,
                None,
                prepare,
                Pool.WAITING,
                FourEyes(
                    rows_take_two,
                    summarise_rows,
                    pb.PublishResponse,
                    self._check_publish,
                    repeatable=True,
                ),
            ),
            "ChangeStatus": Method(
                Kind.UNARY,
                self.change_status,
                pb.ChangeStatusRequest.FromString,
                None,
                prepare,
                Pool.WAITING,
                FourEyes(
                    change_takes_two,
                    summarise_change,
                    pb.PublishResponse,
                    self._check_change,
                    repeatable=True,
                ),
            ),
            "PublishAliases": Method(
                Kind.UNARY,
                self.publish_aliases,
                pb.PublishAliasesRequest.FromString,
                None,
                prepare,
                Pool.WAITING,
            ),
            "Compare": unary(self.compare, pb.CompareRequest, prepare),
            "GetAlias": unary(self.get_alias, pb.GetAliasRequest, read),
            "GetPublication": unary(self.get_publication, pb.GetPublicationRequest, read),
            "ListPublications": unary(self.list_publications, pb.ListPublicationsRequest, read),
            "WatchPublication": Method(
                Kind.SERVER_STREAM,
                self.watch_publication,
                pb.WatchPublicationRequest.FromString,
                pb.WatchPublicationResponse.SerializeToString,
                read,
            ),
        }

    def publish(self, request: PublishRequestBytes, call: Call) -> bytes:
        """Judge every row, store the good ones; PublishResponse bytes."""
        member = self._check_publish(request, call)
        request.economy = member.economy  # said or not, the same content
        rows = request.submissions
        member.epochs.heard(lambda: [(row.tin, row.certificate_number) for row in rows])
        with failures("submissions"):
            return member.publisher.publish(request, confirms=_confirms(call)).response

    def change_status(self, request: pb.ChangeStatusRequest, call: Call) -> bytes:
        """One event for the certificates of one trader; PublishResponse bytes."""
        member = self._readable_change(request, call)
        if takes_two(request) and not _confirms(call):
            raise Denied("APPROVER_REQUIRED", "this event takes an approver")
        request.economy = member.economy
        member.epochs.heard(lambda: [(request.tin, request.certificate_number)])

        def prepare(state: State, now: int) -> PreparedRows:
            return prepare_change(
                request,
                state,
                member.economy,
                member.keyring.key,
                now,
                member.home.consents,
                member.home.profiles,
            )

        with failures("event"):
            return member.publisher.accept(
                request.idempotency_key,
                request.SerializeToString(deterministic=True),
                1,
                prepare,
            ).response

    def _check_publish(self, request: PublishRequestBytes, call: Call) -> HostedMember:
        member = hosted_member(self._node, call, request.economy)
        _check_key(request.idempotency_key)
        rows = request.submissions
        if not 1 <= len(rows) <= MAX_ROWS:
            raise InvalidField("submissions", f"1 to {MAX_ROWS}, not {len(rows)}")
        _check_ids("arrangement_ids", request.arrangement_ids)
        return member

    def _readable_change(self, request: pb.ChangeStatusRequest, call: Call) -> HostedMember:
        member = hosted_member(self._node, call, request.economy)
        _check_key(request.idempotency_key)
        _check_ids("arrangement_ids", request.arrangement_ids)
        if request.event not in LEADS_TO:
            raise InvalidField("event", "not one that follows from a certificate's newest record")
        return member

    def _check_change(self, request: pb.ChangeStatusRequest, call: Call) -> None:
        """Refuse what could not be taken now either: nobody should approve it in vain."""
        member = self._readable_change(request, call)
        state, now = self._node.state, self._node.clock.now_ms()
        with failures("event"):
            rows = prepare_change(
                request, state, member.economy, member.keyring.key, now, member.home.consents
            )
        for fault in rows.faults.values():
            raise Illegal(fault.code, fault.message)

    def publish_aliases(self, request: pb.PublishAliasesRequest, call: Call) -> bytes:
        """Judge every alias, store the good ones; PublishResponse bytes."""
        member = hosted_member(self._node, call, request.economy)
        _check_key(request.idempotency_key)
        if not 1 <= len(request.aliases) <= MAX_ROWS:
            raise InvalidField("aliases", f"1 to {MAX_ROWS}, not {len(request.aliases)}")
        _check_ids("arrangement_ids", request.arrangement_ids)
        request.economy = member.economy
        rows = request.aliases
        member.epochs.heard(
            lambda: [(row.tin, "") for row in rows],
            lambda: [(row.scheme, row.value) for row in rows],
        )

        def prepare(state: State, now: int) -> PreparedRows:
            return prepare_aliases(
                request,
                state,
                member.economy,
                member.keyring.key,
                now,
                member.home.consents,
            )

        with failures("aliases"):
            return member.publisher.accept(
                request.idempotency_key,
                request.SerializeToString(deterministic=True),
                len(request.aliases),
                prepare,
            ).response

    def get_alias(self, request: pb.GetAliasRequest, call: Call) -> pb.GetAliasResponse:
        """What the ledger holds of one alias; the TINs that the caller gives name its traders."""
        member = hosted_member(self._node, call, request.economy)
        if len(request.tins) > MAX_ROWS:
            raise InvalidField("tins", f"at most {MAX_ROWS}, not {len(request.tins)}")
        with naming("value"):
            normalise_text(request.value)
        state, keys = self._node.state, member.keyring.keys()
        with naming("tins"):
            tins = [parse_tin(text, state.prefixes()).canonical for text in request.tins]
        with naming("scheme"):
            alias = request.scheme, request.value
            entries = find_alias(*alias, tins, state, member.economy, keys)
        found = sorted({entry.tin for entry in entries if entry.tin})
        asked = (alias_name(*alias), *found)
        member.access_log.note(call.caller, call.method, "", state.height, asked)
        return pb.GetAliasResponse(entries=entries, height=state.height)

    def compare(self, request: pb.CompareRequest, call: Call) -> pb.CompareResponse:
        """What publishing these certificates would change."""
        member = hosted_member(self._node, call, request.economy)
        if not 1 <= len(request.submissions) <= MAX_ROWS:
            raise InvalidField("submissions", f"1 to {MAX_ROWS}, not {len(request.submissions)}")
        _check_ids("arrangement_ids", request.arrangement_ids)
        state, now = self._node.state, self._node.clock.now_ms()
        rows = compare_rows(request, state, member.economy, member.keyring.key, now)
        asked = [named(row.tin, state) for row in request.submissions]
        member.access_log.note(call.caller, call.method, "", state.height, asked)
        return pb.CompareResponse(rows=rows)

    def get_publication(
        self, request: pb.GetPublicationRequest, call: Call
    ) -> pb.GetPublicationResponse:
        """One publication, with every record that has a place in the ledger."""
        member = hosted_member(self._node, call, request.economy)
        found = member.publications.get(_number(request.publication_id))
        if found is None:
            raise NotFound("PUBLICATION", f"no publication {request.publication_id!r}")
        return pb.GetPublicationResponse(publication=found)

    def list_publications(
        self, request: pb.ListPublicationsRequest, call: Call
    ) -> pb.ListPublicationsResponse:
        """A page, newest first."""
        member = hosted_member(self._node, call, request.economy)
        size = request.page_size or PAGE_SIZE
        if size > PAGE_LIMIT:
            raise InvalidField("page_size", f"at most {PAGE_LIMIT}")
        before = None
        if request.page_token:
            if not request.page_token.isdecimal() or len(request.page_token) > 18:
                raise InvalidField("page_token", "not one that this node gave")
            before = int(request.page_token)
        page = member.publications.page(size, before)
        more = len(page) == size
        return pb.ListPublicationsResponse(
            publications=page, next_page_token=page[-1].publication_id if more else ""
        )

    def watch_publication(
        self, request: pb.WatchPublicationRequest, call: Call
    ) -> Iterator[pb.WatchPublicationResponse]:
        """Each step as it happens."""
        member = hosted_member(self._node, call, request.economy)
        number = _number(request.publication_id)
        if member.publications.get(number) is None:
            raise NotFound("PUBLICATION", f"no publication {request.publication_id!r}")
        return self._watch(member, number, call)

    def _watch(
        self, member: HostedMember, number: int, call: Call
    ) -> Iterator[pb.WatchPublicationResponse]:
        for publication in member.publications.watch(number, call.live):
            yield pb.WatchPublicationResponse(publication=publication)


def _confirms(call: Call) -> bool:
    return call.caller.access_role in RIGHTS[Right.CONFIRM]


def _check_key(key: str) -> None:
    if not 1 <= len(key) <= KEY_CHARACTERS:
        raise InvalidField("idempotency_key", f"1 to {KEY_CHARACTERS} characters")


def _check_ids(field: str, arrangement_ids: Any) -> None:
    for arrangement_id in arrangement_ids:
        if len(arrangement_id) != ARRANGEMENT_ID_BYTES:
            raise InvalidField(field, f"an arrangement id has {ARRANGEMENT_ID_BYTES} bytes")


def _number(publication_id: str) -> int:
    if not publication_id.isdecimal() or not publication_id.isascii() or len(publication_id) > 18:
        raise NotFound("PUBLICATION", f"no publication {publication_id[:64]!r}")
    return int(publication_id)
