"""A whole supply chain: the verdicts on all parties of one declaration, summed up.

A party is *certified* where its verdict is RECOGNISED (at home, too) or INFORMATION_ONLY, and
*recognised* where it is RECOGNISED. Shares are over all parties declared: one without an identifier
has no verdict and counts as not certified, and a trader declared in two functions counts in each.

An arrangement's text may name the roles that a whole chain needs. Those texts are asked that are in
force, at the instant asked and by what is known, from the issuers of the parties to the recogniser.
A role is *missing* where nobody was declared in it: a function stands for the role of its own code
and, as at home, CZ and SE for EX and CN for IM. Whoever was declared without an identifier, or has
no certificate, was declared. The whole chain is certified where every party is and no role is
missing. At home no text is asked, and no parties make no whole chain.

>>> recognised = Verdict(outcome=pb.OUTCOME_RECOGNISED, reason=pb.REASON_NONE)
>>> unknown = Verdict(outcome=pb.OUTCOME_NOT_RECOGNISED, reason=pb.REASON_NO_RECORD)
>>> parties = [Party("CZ", recognised), Party("CN", unknown), Party("CA", None)]
>>> chain = sum_up(parties, {b"text one": ("EX", "IM", "WH"), b"text two": ("CB", "WH")})
>>> chain.certified, chain.parties, chain.without_identifier, chain.whole_chain_certified
(1, 3, 1, False)
>>> [(role, len(texts)) for role, texts in chain.missing]
[('CB', 1), ('WH', 2)]
>>> sum_up(parties[:1], {b"text one": ("EX",)}).whole_chain_certified
True
"""

from collections.abc import Iterable, Mapping, Sequence
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.arrangement import IN_FORCE
from ledger.customs.case import Case
from ledger.customs.cover import HOME_ROLES
from ledger.customs.verdict import Query, Times, Verdict
from ledger.state.view import StateView

_RECOGNISED: Final[int] = pb.OUTCOME_RECOGNISED
_CERTIFIED: Final = frozenset({_RECOGNISED, pb.OUTCOME_INFORMATION_ONLY})


class Party(NamedTuple):
    """A party by its declared function; `verdict` None where it was declared without identifier."""

    function: str
    verdict: Verdict | None


class MissingRole(NamedTuple):
    """A role that nobody was declared in, and the arrangements that need it, ascending."""

    role: str
    arrangement_ids: tuple[bytes, ...]


class Chain(NamedTuple):
    """How many parties there are, how many of them hold, and what is missing, by role."""

    parties: int
    certified: int
    recognised: int
    without_identifier: int
    missing: tuple[MissingRole, ...]

    @property
    def whole_chain_certified(self) -> bool:
        """Whether every party is certified and no role is missing."""
        return 0 < self.parties == self.certified and not self.missing

    @property
    def whole_chain_recognised(self) -> bool:
        """Whether every party is recognised and no role is missing."""
        return 0 < self.parties == self.recognised and not self.missing


def sum_up(parties: Sequence[Party], templates: Mapping[bytes, Iterable[str]]) -> Chain:
    """Sum up a chain; `templates` are the roles that each arrangement in force needs, by its id."""
    outcomes = [party.verdict.outcome for party in parties if party.verdict is not None]
    declared = {party.function for party in parties}
    declared |= {HOME_ROLES.get(function, function) for function in declared}
    needed: dict[str, list[bytes]] = {}
    for arrangement_id in sorted(templates):
        for role in templates[arrangement_id]:
            if role not in declared:
                needed.setdefault(role, []).append(arrangement_id)
    return Chain(
        parties=len(parties),
        certified=sum(outcome in _CERTIFIED for outcome in outcomes),
        recognised=outcomes.count(_RECOGNISED),
        without_identifier=len(parties) - len(outcomes),
        missing=tuple(MissingRole(role, tuple(texts)) for role, texts in sorted(needed.items())),
    )


def templates_in_force(
    issuers: Iterable[str], query: Query, state: StateView, times: Times
) -> dict[bytes, tuple[str, ...]]:
    """What the texts in force from `issuers` to the query's recogniser need of a whole chain.

    Of the query only the recogniser, as of, known at and the events of the goods are read.
    """
    case = Case(query, state, times)
    found: dict[bytes, tuple[str, ...]] = {}
    for issuer in set(issuers) - {"", query.recognising}:
        for pair in state.pair_history(issuer, query.recognising):
            arrangement = state.arrangement(pair.arrangement_id)
            if arrangement is None or pair.height > case.known:
                continue
            text = arrangement.text_at(case.known)
            standing, _ = arrangement.standing(
                issuer, query.recognising, case.as_of, case.known, case.goods
            )
            if standing == IN_FORCE:
                found[pair.arrangement_id] = text.supply_chain_roles
    return found
