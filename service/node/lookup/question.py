"""A look-up request read into a `Query`, checked by hand at the edge.

What is malformed is told by field and is the caller's mistake: a missing function, a mode of 9.
What is well-formed but leads nowhere (no TIN at all, an unknown alias) is for `evaluate` to answer.

>>> read_question(LookupRequest(tin="KR123", function="EX", direction=1, transport_mode=1), "NZ")
Query(recognising='NZ', function='EX', direction=1, transport_mode=1, tin='KR123', alias=None, \
level='', as_of=None, known_at_height=None, known_at_time=None, dispatch_economy='', \
declared_name='', declared_address='', party=None, dispatched_at=None, accepted_at=None, \
arrived_at=None, released_at=None)
>>> read_question(LookupRequest(tin="KR123", direction=1, transport_mode=1), "NZ")
Traceback (most recent call last):
service.node.lookup.question.QuestionError: function: is required
"""

import re
from typing import Final

from aeo.exchange.v1.status_service_pb2 import LookupRequest
from ledger.customs.status import INSTANT_LIMIT, LEVEL_FORM, ROLE_FORM
from ledger.customs.verdict import Alias, NameAndAddress, Query
from service.errors import Refused

NAME_LIMIT: Final = 512
"""Characters of a declared name, a purpose."""
ADDRESS_LIMIT: Final = 1_024
"""Characters of a declared address."""
HEIGHT_LIMIT: Final = 1 << 63
"""What a verdict can say again."""
TIN_INPUT_LIMIT: Final = 256
"""Characters of an identifier as given; what is longer is not a number that somebody declared."""

_ECONOMY = re.compile(r"[A-Z]{2}", re.ASCII)
_SCHEME = re.compile(r"[!-~]{1,32}", re.ASCII)


class QuestionError(Refused):
    """A question cannot be read; `field` is the path in the request, `description` for people."""

    def __init__(self, field: str, description: str) -> None:
        super().__init__(f"{field}: {description}")
        self.field = field
        self.description = description


def read_question(request: LookupRequest, recognising: str) -> Query:
    """Read one request for the member `recognising`; raises `QuestionError`."""
    alias = party = None
    identifier = request.WhichOneof("identifier")
    if identifier == "tin":
        _text("tin", request.tin, TIN_INPUT_LIMIT)
    elif identifier == "alias":
        alias = _alias(request.alias.scheme, request.alias.value)
    elif identifier == "name_and_address":
        party = _party(request.name_and_address.name, request.name_and_address.address)
    else:
        raise QuestionError("identifier", "is required: a tin, an alias, or a name and address")
    if not request.function:
        raise QuestionError("function", "is required")
    if not ROLE_FORM.fullmatch(request.function):
        raise QuestionError("function", "is a code of two or three capitals or digits, or X-...")
    if not 1 <= request.direction <= 3:
        raise QuestionError("direction", "is required: import, export or transit")
    if not 1 <= request.transport_mode <= 8:
        raise QuestionError("transport_mode", "is required: 1 to 8 (UN/ECE Recommendation 19)")
    if request.level and not LEVEL_FORM.fullmatch(request.level):
        raise QuestionError("level", "is a code of at most 32 printable ASCII characters")
    if request.dispatch_economy and not _ECONOMY.fullmatch(request.dispatch_economy):
        raise QuestionError("dispatch_economy", "is two capitals")
    _text("declared_name", request.declared_name, NAME_LIMIT)
    _text("declared_address", request.declared_address, ADDRESS_LIMIT)
    known_at = request.WhichOneof("known_at")
    if request.known_at_height >= HEIGHT_LIMIT:
        raise QuestionError("known_at_height", "no ledger is that high")
    return Query(
        recognising,
        request.function,
        request.direction,
        request.transport_mode,
        request.tin if identifier == "tin" else None,
        alias,
        request.level,
        _instant("as_of", request.as_of) if request.HasField("as_of") else None,
        request.known_at_height if known_at == "known_at_height" else None,
        _instant("known_at_time", request.known_at_time) if known_at == "known_at_time" else None,
        request.dispatch_economy,
        request.declared_name,
        request.declared_address,
        party=party,
        dispatched_at=_event("dispatched_at", request),
        accepted_at=_event("accepted_at", request),
        arrived_at=_event("arrived_at", request),
        released_at=_event("released_at", request),
    )


def _party(name: str, address: str) -> NameAndAddress:
    if not name.strip():
        raise QuestionError("name_and_address.name", "is required")
    _text("name_and_address.name", name, NAME_LIMIT)
    _text("name_and_address.address", address, ADDRESS_LIMIT)
    return NameAndAddress(name, address)


def _alias(scheme: str, value: str) -> Alias:
    if not _SCHEME.fullmatch(scheme):
        raise QuestionError("alias.scheme", "is a code of at most 32 printable ASCII characters")
    if not value.strip():
        raise QuestionError("alias.value", "is required")
    _text("alias.value", value, TIN_INPUT_LIMIT)
    return Alias(scheme, value)


def _text(field: str, text: str, limit: int) -> None:
    if len(text) > limit:
        raise QuestionError(field, f"has at most {limit} characters")


def _event(field: str, request: LookupRequest) -> int | None:
    """When an event of the goods was, where the request says so."""
    return _instant(field, getattr(request, field)) if request.HasField(field) else None


def _instant(field: str, value: int) -> int:
    if not 0 < value < INSTANT_LIMIT:
        raise QuestionError(field, "is in Unix milliseconds, after 1970")
    return value
