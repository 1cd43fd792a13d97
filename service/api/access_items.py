"""Whom a call was about, as the access log notes it: canonical numbers, where they can be read.

>>> alias_name("EORI", "DE123") == identifier_of(
...     pb.LookupRequest(alias=pb.Alias(scheme="EORI", value="DE123")), None)
True
>>> purpose_of(pb.LookupRequest(tin="KR1", purpose="licence").SerializeToString())
'licence'
"""

from google.protobuf.message import DecodeError

from aeo.exchange.v1 import status_service_pb2 as pb
from ledger.customs.tin import TinError, parse_tin
from ledger.state.state import State
from service.api.method import Call
from service.node.access_log import AccessLog, Item, alias_name
from service.node.lookup.desk import Position

__all__ = ["alias_name", "identifier_of", "named", "note_chain", "purpose_of"]


def named(tin: str, state: State) -> str:
    """The canonical form of a number; where it has none, the number as it was given."""
    try:
        return parse_tin(tin, state.prefixes()).canonical
    except TinError:
        return tin


def identifier_of(request: pb.LookupRequest | pb.ChainParty, state: State | None) -> str:
    """What a question names: a number in canonical form, or an alias."""
    if request.WhichOneof("identifier") == "alias":
        return alias_name(request.alias.scheme, request.alias.value)
    return request.tin if state is None else named(request.tin, state)


def purpose_of(question: bytes) -> str:
    """The purpose that `LookupRequest` bytes state."""
    try:
        return pb.LookupRequest.FromString(question).purpose
    except (DecodeError, UnicodeDecodeError):
        return ""


def note_chain(
    log: AccessLog,
    call: Call,
    request: pb.LookupSupplyChainRequest,
    response: pb.LookupSupplyChainResponse,
    position: Position,
) -> None:
    """Note the parties of a declaration that had an identifier."""
    items = []
    for party, answer in zip(request.parties, response.parties, strict=True):
        if not answer.without_identifier:
            verdict = answer.verdict
            asked = verdict.tin or identifier_of(party, position.state)
            items.append(Item(asked, verdict.outcome, verdict.reason))
    log.note(call.caller, call.method, request.purpose, position.state.height, items)
