"""The look-ups that the demonstration shows, each with what it is there to show."""

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from operator import itemgetter
from typing import Final

from aeo.ledger.v1 import arrangement_pb2
from service.demo.figures import Figures
from service.demo.firms import Firm
from service.demo.questions import AIR, SEA, Asked, certified
from service.demo.texts import INFORMATION_BEGINS, INFORMATION_NAME, rule_begins

# Arrangements of many parties are shown by these two pairs.
_SHOWN_OF_MANY: Final = (("TH", "SG"), ("PH", "SG"))


@dataclass(frozen=True, slots=True)
class Beginning:
    """A rule that begins: who asks about whom, and when it does (Unix ms, the asker's midnight)."""

    arrangement: str
    asked: Asked
    begins: int


@dataclass(frozen=True, slots=True)
class Scene:
    """One look-up and what it shows."""

    shows: str
    asked: Asked
    expected: str


def beginnings(
    figures: Figures,
    firms: Mapping[str, Sequence[Firm]],
    texts: Mapping[str, arrangement_pb2.ArrangementText],
) -> Iterator[Beginning]:
    """The first rule of every pair of an arrangement, in both directions."""
    for name, text in texts.items():
        if name == INFORMATION_NAME:
            continue
        shown: set[tuple[str, str]] = set()
        dated = [(rule_begins(figures, text, rule), rule) for rule in text.rules]
        for begins, rule in sorted(
            ((begins, rule) for begins, rule in dated if begins is not None), key=itemgetter(0)
        ):
            pair = (rule.issuing, rule.recognising)
            if pair in shown or (len(text.parties) > 2 and pair not in _SHOWN_OF_MANY):
                continue
            shown.add(pair)
            firm = certified(firms[rule.issuing], "EX", name, tuple(rule.levels))
            mode = rule.transport_modes[0] if rule.transport_modes else SEA
            asked = Asked(rule.recognising, firm.tin, "EX", "IMPORT", mode, name=firm.name)
            yield Beginning(name, asked, begins)


def scenes(
    figures: Figures, firms: Mapping[str, Sequence[Firm]], suspended: Firm
) -> Iterator[Scene]:
    """Every outcome, and the reasons that people ask about."""
    hk, cn, us = firms["HK"], firms["CN"], firms["US"]
    exporter = certified(hk, "EX", "HK-NZ", skip=suspended.tin)
    general = next(firm for firm in cn if firm.certificates[0].level == "GENERAL")
    advanced = next(firm for firm in cn if firm.certificates[0].level == "ADVANCED")
    broker = next(firm for firm in firms["TW"] if firm.roles() == {"CB"})
    unknown = _unused(hk)

    by_name = Asked("NZ", exporter.tin, name=exporter.name)
    yield Scene("a certified exporter, by its name", by_name, "RECOGNISED")
    yield Scene("the same, no name declared", Asked("NZ", exporter.tin), "PARTY_MISMATCH")
    yield Scene(
        "suspended as exporter ...", Asked("CN", suspended.tin, "EX", "IMPORT", AIR), "SUSPENDED"
    )
    yield Scene(
        "... and still a certified importer",
        Asked("CN", suspended.tin, "IM", "EXPORT", AIR),
        "RECOGNISED",
    )
    yield Scene("nobody has that number, provably", Asked("NZ", unknown), "NO_RECORD")
    yield Scene("advanced level, which counts", Asked("HK", advanced.tin, mode=AIR), "RECOGNISED")
    yield Scene(
        "general level, which does not", Asked("HK", general.tin, mode=AIR), "LEVEL_NOT_COVERED"
    )
    yield Scene(
        "sea, before sea was covered",
        Asked("HK", advanced.tin, mode=SEA, as_of=figures.instant(date(2014, 8, 15), "HK")),
        "MODE_NOT_COVERED",
    )
    philippine = certified(firms["PH"], "EX", "AAMRA", ("2",))
    yield Scene(
        "a Philippine firm before its day",
        Asked("SG", philippine.tin, as_of=figures.instant(date(2025, 2, 27), "SG")),
        "ARRANGEMENT_NOT_YET",
    )
    yield Scene("and today", Asked("SG", philippine.tin), "RECOGNISED")
    yield Scene(
        "a party that has named no day",
        Asked("KH", certified(firms["TH"], "EX", "AAMRA").tin),
        "ARRANGEMENT_NOT_YET",
    )
    yield Scene(
        "information, no recognition",
        Asked("JP", certified(us, "EX", INFORMATION_NAME).tin),
        "NO_RECOGNITION",
    )
    yield Scene(
        "the same before that began",
        Asked("JP", us[0].tin, as_of=figures.instant(INFORMATION_BEGINS, "JP") - 1),
        "ARRANGEMENT_NOT_YET",
    )
    yield Scene("no arrangement between the two", Asked("EU", us[0].tin), "NO_ARRANGEMENT")
    yield Scene("a broker is no exporter", Asked("JP", broker.tin), "ROLE_NOT_COVERED")
    yield Scene(
        "imports only",
        Asked("KR", certified(firms["TW"], "EX", "KR-TW").tin, direction="EXPORT"),
        "DIRECTION_NOT_COVERED",
    )
    yield Scene(
        "a function that is not covered",
        Asked("NZ", exporter.tin, "IM"),
        "FUNCTION_NOT_COVERED",
    )
    yield Scene("nobody speaks for that prefix", Asked("NZ", "ZZ12345678"), "ISSUER_UNKNOWN")
    yield Scene("not a number at all", Asked("NZ", "HK/123"), "TIN_MALFORMED")
    yield Scene("at home", Asked("HK", exporter.tin), "RECOGNISED")


def _unused(firms: Sequence[Firm]) -> str:
    """A well-formed number of the same form that no firm has."""
    taken = {firm.tin for firm in firms}
    digits = len(firms[0].tin) - 2
    return next(tin for n in range(len(firms) + 1) if (tin := f"HK{n:0{digits}d}") not in taken)
