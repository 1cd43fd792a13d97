"""All parties of a declaration, asked together, and what they come to.

    chain = client.lookup_chain(
        [ChainParty("CZ", "KR1234567890"), ChainParty("CN", "NZ77"), ChainParty("CA")],
        direction="IMPORT",
        mode=1,
    )
    chain.certified, chain.share, chain.whole_chain_certified, chain.missing

>>> from aeo.exchange.v1.verdict_pb2 import Verdict as VerdictMessage
>>> said = pb.LookupSupplyChainResponse(
...     parties=[pb.PartyAnswer(verdict=VerdictMessage(outcome=1, reason=1)),
...              pb.PartyAnswer(without_identifier=True)],
...     summary=pb.ChainSummary(parties=2, certified=1, recognised=1, without_identifier=1,
...                             missing=[pb.MissingRole(role="IM")]),
... )
>>> chain = Chain(said)
>>> [party and party.reason for party in chain.parties], chain.share, tuple(chain.missing)
(['NONE', None], 0.5, ('IM',))
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from aeo.exchange.v1 import status_service_pb2 as pb
from service.client.goods import NOT_SAID, GoodsEvents
from service.client.verdicts import (
    AliasOf,
    Direction,
    NameAndAddress,
    Verdict,
    finality_name,
    milliseconds,
)


@dataclass(frozen=True, slots=True)
class ChainParty:
    """One party. Give `tin`, `alias` or `party`, or none: declared without an identifier."""

    function: str
    tin: str = ""
    alias: AliasOf | None = None
    level: str = ""
    declared_name: str = ""
    declared_address: str = ""
    party: NameAndAddress | None = None

    def message(self) -> pb.ChainParty:
        """The party as the call has it."""
        message = pb.ChainParty(
            function=self.function,
            level=self.level,
            declared_name=self.declared_name,
            declared_address=self.declared_address,
        )
        if self.alias is not None:
            message.alias.scheme, message.alias.value = self.alias
        elif self.party is not None:
            message.name_and_address.name, message.name_and_address.address = self.party
        elif self.tin:
            message.tin = self.tin
        return message


@dataclass(frozen=True, slots=True)
class Chain:
    """The answer for a whole declaration; the properties read `message`."""

    message: pb.LookupSupplyChainResponse

    @property
    def parties(self) -> tuple[Verdict | None, ...]:
        """Each party's verdict, in order; None for one declared without an identifier."""
        return tuple(
            None if each.without_identifier else Verdict(each.verdict, self.finality)
            for each in self.message.parties
        )

    @property
    def finality(self) -> str:
        """RECORDED, ATTESTED or SEALED."""
        return finality_name(self.message.finality)

    @property
    def certified(self) -> int:
        """Parties that are RECOGNISED or INFORMATION_ONLY."""
        return self.message.summary.certified

    @property
    def share(self) -> float:
        """Of all parties declared, those certified: 0.0 to 1.0."""
        return self.certified / self.message.summary.parties

    @property
    def missing(self) -> Mapping[str, tuple[bytes, ...]]:
        """Roles that nobody was declared in, ascending, and the arrangements that need them."""
        return {each.role: tuple(each.arrangement_ids) for each in self.message.summary.missing}

    @property
    def whole_chain_certified(self) -> bool:
        """Every party is certified, and no role is missing."""
        return self.message.summary.whole_chain_certified

    @property
    def whole_chain_recognised(self) -> bool:
        """Every party is recognised, and no role is missing."""
        return self.message.summary.whole_chain_recognised


def chain_request(
    parties: Sequence[ChainParty],
    direction: Direction,
    mode: int,
    as_of: datetime | None = None,
    known_at: datetime | int | None = None,
    dispatch_economy: str = "",
    recognising_economy: str = "",
    purpose: str = "",
    goods: GoodsEvents = NOT_SAID,
) -> pb.LookupSupplyChainRequest:
    """The message of the call. `known_at` as an int is a height."""
    message = pb.LookupSupplyChainRequest(
        parties=[party.message() for party in parties],
        direction=f"DIRECTION_{direction}",
        transport_mode=mode,
        dispatch_economy=dispatch_economy,
        recognising_economy=recognising_economy,
        purpose=purpose,
    )
    if as_of is not None:
        message.as_of = milliseconds(as_of)
    if isinstance(known_at, int):
        message.known_at_height = known_at
    elif known_at is not None:
        message.known_at_time = milliseconds(known_at)
    goods.put(message)
    return message
