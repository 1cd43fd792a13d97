"""The arrangement texts of the demonstration, made from the published figures.

Two things are made up, and the demonstration says so: the benefits of each rule, and one exchange
of information among the economies that the figures count operators for, since the workshops ask for
such an exchange whether or not there is an arrangement to recognise.
"""

from collections.abc import Iterator
from datetime import date
from itertools import permutations
from typing import Final

from aeo.ledger.v1 import arrangement_pb2 as pb
from service.demo.figures import ArrangementFigure, Figures, RuleFigure

INFORMATION_NAME: Final = "INFO-18"
INFORMATION_BEGINS: Final = date(2026, 1, 1)

_DIRECTIONS: Final = {
    "IMPORT": pb.DIRECTION_IMPORT,
    "EXPORT": pb.DIRECTION_EXPORT,
    "TRANSIT": pb.DIRECTION_TRANSIT,
}
_BENEFITS: Final = (
    pb.BENEFIT_CODE_FEWER_DOCUMENT_CHECKS,
    pb.BENEFIT_CODE_LOWER_INSPECTION_RATE,
    pb.BENEFIT_CODE_PRIORITY_INSPECTION,
)


def arrangement_texts(figures: Figures) -> dict[str, pb.ArrangementText]:
    """Every arrangement by its name, the made-up exchange of information last.

    Where each party starts on its own day the text says no more than that: each then gives notice
    of its day (`staged_days`).
    """
    texts = {figure.name: _text(figures, figure) for figure in figures.arrangements.values()}
    texts[INFORMATION_NAME] = _information_text(figures)
    return texts


def staged_days(figures: Figures) -> dict[str, dict[str, date]]:
    """By arrangement of staged starts: each party that has named a day, and its day."""
    return {
        figure.name: {rule.issuing: rule.begins for rule in figure.rules}
        for figure in figures.arrangements.values()
        if _is_staged(figure)
    }


def rule_begins(figures: Figures, text: pb.ArrangementText, rule: pb.Rule) -> int | None:
    """When a rule begins (Unix ms), by the text or the days named; None where one is missing."""
    begins: int = getattr(rule, "from")
    if not text.staged_starts:
        return begins
    days = staged_days(figures)[text.name]
    named = [days[party] for party in (rule.issuing, rule.recognising) if party in days]
    if len(named) < 2:
        return None
    return max(begins, figures.instant(max(named), rule.recognising))


def _is_staged(figure: ArrangementFigure) -> bool:
    return any(rule.recognising == "*" for rule in figure.rules)


def _text(figures: Figures, figure: ArrangementFigure) -> pb.ArrangementText:
    return pb.ArrangementText(
        name=figure.name,
        kind=pb.ARRANGEMENT_KIND_RECOGNITION,
        parties=figure.parties,
        consent_required=figure.operators_opt_in,
        staged_starts=_is_staged(figure),
        rules=[made for rule in figure.rules for made in _rules(figures, figure, rule)],
    )


def _rules(figures: Figures, figure: ArrangementFigure, rule: RuleFigure) -> Iterator[pb.Rule]:
    """One rule; for ``*`` one for every other party, whether it has named its day or not."""
    if rule.recognising == "*":
        for party in figure.parties:
            if party != rule.issuing:
                yield _rule(rule, party)
        return
    made = _rule(rule, rule.recognising)
    setattr(made, "from", figures.instant(rule.begins, rule.recognising))
    yield made


def _rule(rule: RuleFigure, recogniser: str) -> pb.Rule:
    return pb.Rule(
        issuing=rule.issuing,
        recognising=recogniser,
        functions=sorted(rule.functions),
        certified_roles=sorted(rule.certified_roles),
        levels=sorted(rule.levels),
        directions=sorted(_DIRECTIONS[name] for name in rule.directions),
        transport_modes=sorted(rule.transport_modes),
        benefits=[pb.Benefit(code=code, granted_by="CUSTOMS") for code in _BENEFITS],
        party_match_required=rule.party_match_required,
    )


def _information_text(figures: Figures) -> pb.ArrangementText:
    parties = figures.economies_with_holdings()
    text = pb.ArrangementText(
        name=INFORMATION_NAME, kind=pb.ARRANGEMENT_KIND_INFORMATION, parties=parties
    )
    for issuing, recognising in permutations(parties, 2):
        rule = text.rules.add(issuing=issuing, recognising=recognising)
        setattr(rule, "from", figures.instant(INFORMATION_BEGINS, recognising))
    return text
