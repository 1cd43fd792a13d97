"""`StatusService.LookupSupplyChain`: all parties of one declaration, by one position of the ledger.

Each party is asked at the recogniser's look-up desk like any single question, and the verdicts are
summed up by `ledger.customs.chain`. A declaration is one question: where a party cannot be read the
call is refused, naming the field (`parties[3].function`), since a share of half a declaration would
mislead. Whoever was declared without an identifier is listed as such; that is no error.
"""

from typing import Final

from aeo.exchange.v1 import status_service_pb2 as pb
from ledger.customs.chain import Chain, Party, sum_up, templates_in_force
from ledger.customs.verdict import Query, verdict_message
from service.api.failures import InvalidField, naming
from service.node.lookup.desk import LookupDesk, Position
from service.node.lookup.question import QuestionError, read_question

MAX_PARTIES: Final = 100
"""Parties of one declaration; far more than any has, and answered in 3 ms."""

_GOODS_EVENTS: Final = ("dispatched_at", "accepted_at", "arrived_at", "released_at")
_OF_A_PARTY: Final = frozenset(
    {
        *("tin", "alias.scheme", "alias.value", "name_and_address.name"),
        *("name_and_address.address", "function", "level", "declared_name", "declared_address"),
    }
)


def look_up_chain(
    request: pb.LookupSupplyChainRequest, desk: LookupDesk, position: Position
) -> pb.LookupSupplyChainResponse:
    """Every party's verdict, and their sum; raises `InvalidField` or `KeyringError`."""
    if not 1 <= len(request.parties) <= MAX_PARTIES:
        raise InvalidField("parties", f"1 to {MAX_PARTIES}, not {len(request.parties)}")
    # All are read before the first is answered: a refusal costs nothing.
    asked = [_read(request, index, desk.economy) for index in range(len(request.parties))]
    parties = []
    for index, query in enumerate(asked):
        with naming(f"parties[{index}]"):
            named = query.tin is None or bool(query.tin.strip())
            verdict = desk.evaluate(query, position) if named else None
        parties.append(Party(query.function, verdict))
    issuers = {party.verdict.issuing_economy for party in parties if party.verdict is not None}
    templates = templates_in_force(issuers, asked[0], position.state, position.times)
    return pb.LookupSupplyChainResponse(
        parties=[_answer(party) for party in parties],
        summary=_summary(sum_up(parties, templates)),
        finality=position.finality,
    )


def _read(request: pb.LookupSupplyChainRequest, index: int, recognising: str) -> Query:
    party = request.parties[index]
    question = pb.LookupRequest(
        function=party.function,
        direction=request.direction,
        transport_mode=request.transport_mode,
        level=party.level,
        dispatch_economy=request.dispatch_economy,
        declared_name=party.declared_name,
        declared_address=party.declared_address,
    )
    identifier = party.WhichOneof("identifier")
    if identifier == "alias":
        question.alias.CopyFrom(party.alias)
    elif identifier == "name_and_address":
        question.name_and_address.CopyFrom(party.name_and_address)
    else:
        question.tin = party.tin
    if request.HasField("as_of"):
        question.as_of = request.as_of
    _copy_goods_events(request, question)
    match request.WhichOneof("known_at"):
        case "known_at_height":
            question.known_at_height = request.known_at_height
        case "known_at_time":
            question.known_at_time = request.known_at_time
    try:
        return read_question(question, recognising)
    except QuestionError as error:
        own = error.field in _OF_A_PARTY
        field = f"parties[{index}].{error.field}" if own else error.field
        raise InvalidField(field, error.description) from None


def _copy_goods_events(request: pb.LookupSupplyChainRequest, question: pb.LookupRequest) -> None:
    """What the declaration says of its goods holds for each of its parties."""
    for name in _GOODS_EVENTS:
        if request.HasField(name):
            setattr(question, name, getattr(request, name))


def _answer(party: Party) -> pb.PartyAnswer:
    if party.verdict is None:
        return pb.PartyAnswer(without_identifier=True)
    return pb.PartyAnswer(verdict=verdict_message(party.verdict))


def _summary(chain: Chain) -> pb.ChainSummary:
    return pb.ChainSummary(
        parties=chain.parties,
        certified=chain.certified,
        recognised=chain.recognised,
        without_identifier=chain.without_identifier,
        missing=[pb.MissingRole(role=role, arrangement_ids=texts) for role, texts in chain.missing],
        whole_chain_certified=chain.whole_chain_certified,
        whole_chain_recognised=chain.whole_chain_recognised,
    )
