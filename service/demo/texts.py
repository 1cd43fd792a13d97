"""The arrangement texts of the demonstration, made from the published figures.

Two things are made up, and the demonstration says so: the benefits of each rule, and one exchange
of information among the economies that the figures count operators for, since the workshops ask for
such an exchange whether or not there is an arrangement to recognise.
"""

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
    """Every arrangement by its name, the made-up exchange of information last."""
    texts = {figure.name: _text(figures, figure) for figure in figures.arrangements.values()}
    texts[INFORMATION_NAME] = _information_text(figures)
    return texts


def _text(figures: Figures, figure: ArrangementFigure) -> pb.ArrangementText:
    return pb.ArrangementText(
        name=figure.name,
        kind=pb.ARRANGEMENT_KIND_RECOGNITION,
        parties=figure.parties,
        consent_required=figure.operators_opt_in,
        rules=[
            _rule(figures, rule, recogniser, begins)
            for rule in figure.rules
            for recogniser, begins in _recognisers(figure, rule)
        ],
    )


def _recognisers(figure: ArrangementFigure, rule: RuleFigure) -> list[tuple[str, date]]:
    """For ``*`` every other party that has named a day, from the later of the two days."""
    if rule.recognising != "*":
        return [(rule.recognising, rule.begins)]
    days = {other.issuing: other.begins for other in figure.rules}
    return [
        (party, max(rule.begins, day))
        for party, day in sorted(days.items())
        if party != rule.issuing
    ]


def _rule(figures: Figures, rule: RuleFigure, recogniser: str, begins: date) -> pb.Rule:
    made = pb.Rule(
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
    setattr(made, "from", figures.instant(begins, recogniser))
    return made


def _information_text(figures: Figures) -> pb.ArrangementText:
    parties = figures.economies_with_holdings()
    text = pb.ArrangementText(
        name=INFORMATION_NAME, kind=pb.ARRANGEMENT_KIND_INFORMATION, parties=parties
    )
    for issuing, recognising in permutations(parties, 2):
        rule = text.rules.add(issuing=issuing, recognising=recognising)
        setattr(rule, "from", figures.instant(INFORMATION_BEGINS, recognising))
    return text
