"""AccessLogService: the own administration's access log, for its auditors.

A page of entries from a number on, at most some megabytes. With a TIN only the entries about that
trader, and of those only its own items; a page then ends after so many entries looked through.
"""

from collections.abc import Mapping
from typing import Final

from aeo.exchange.v1 import access_log_service_pb2 as pb
from service.api.access_items import named
from service.api.caller import RIGHTS, Right
from service.api.failures import InvalidField, NotReady
from service.api.hosted import hosted_member
from service.api.method import Call, Method, unary
from service.node.access_log import SUBJECT_BYTES
from service.node.node import Node

SERVICE: Final = "aeo.exchange.v1.AccessLogService"
PAGE_SIZE: Final = 100
MAX_PAGE_SIZE: Final = 1_000
MAX_PAGE_BYTES: Final = 512 << 10
"""Of entries, each of whose items is told again as a message: some 2 MB in all."""
MAX_LOOKED_THROUGH: Final = 20_000
"""Entries of one call that asks for one trader: about a second."""
TIN_CHARACTERS: Final = 256
NUMBER_LIMIT: Final = 1 << 63

_ITEM_BYTES: Final = SUBJECT_BYTES + 2


class AccessLogServicer:
    """Reads the access logs of the members that one node hosts."""

    def __init__(self, node: Node) -> None:
        self._node = node

    def methods(self) -> Mapping[str, Method]:
        """What to register under `SERVICE`."""
        roles = RIGHTS[Right.READ_ACCESS_LOG]
        return {"ListAccess": unary(self.list_access, pb.ListAccessRequest, roles)}

    def list_access(self, request: pb.ListAccessRequest, call: Call) -> pb.ListAccessResponse:
        """Entries from a number on, with all that was noted before the call."""
        member = hosted_member(self._node, call, request.economy)
        size = request.page_size or PAGE_SIZE
        if size > MAX_PAGE_SIZE:
            raise InvalidField("page_size", f"at most {MAX_PAGE_SIZE}")
        if len(request.tin) > TIN_CHARACTERS:
            raise InvalidField("tin", f"has at most {TIN_CHARACTERS} characters")
        if request.from_number >= NUMBER_LIMIT:
            raise InvalidField("from_number", "no log is that long")
        log = member.access_log
        if not log.flush():
            raise NotReady("the newest entries cannot be written now", reason="ACCESS_LOG_FAILING")
        wanted = log.subject(named(request.tin, self._node.state)) if request.tin else None
        response = pb.ListAccessResponse()
        taken, first = 0, max(1, request.from_number)
        for number, data, digest in member.home.access_log.entries(first):
            full = len(response.entries) >= size or taken > MAX_PAGE_BYTES
            if full or number >= first + MAX_LOOKED_THROUGH:
                response.next_number = number
                break
            entry = _read(number, data, digest, wanted)
            if entry is not None:
                response.entries.append(entry)
                taken += len(data)
        return response


def _read(number: int, data: bytes, digest: bytes, wanted: bytes | None) -> pb.AccessEntry | None:
    """An entry as told; None where it is not about `wanted`."""
    said = pb.LoggedAccess.FromString(data)
    items = [
        pb.AccessItem(
            subject=said.items[at : at + SUBJECT_BYTES],
            outcome=said.items[at + SUBJECT_BYTES],
            reason=said.items[at + SUBJECT_BYTES + 1],
        )
        for at in range(0, len(said.items), _ITEM_BYTES)
        if wanted is None or said.items.startswith(wanted, at)
    ]
    if wanted is not None and not items:
        return None
    return pb.AccessEntry(
        number=number,
        entry=data,
        hash=digest,
        time=said.time,
        caller_economy=said.caller_economy,
        access_role=said.access_role,
        name=said.name,
        method=said.method,
        purpose=said.purpose,
        height=said.height,
        items=items,
        step_id=said.step_id,
        step_event=said.step_event,
        lost=said.lost,
    )
