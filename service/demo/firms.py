"""Made-up firms that hold certificates in the published numbers.

The figures count certificates by economy and role; they name nobody. Names and numbers here are
drawn from a seed, so two runs make the same firms. Where an economy's figures list several roles,
about a third of its certificates go to firms that already hold another one. Members without figures
get three firms each. Where a rule asks for a level and the figures have none, every second firm of
the issuer gets that level.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from random import Random
from typing import Final

from service.demo.figures import Figures, HoldingFigure

SEED: Final = 20190522
FIRMS_WHERE_NONE_ARE_COUNTED: Final = 3
# Share of certificates that go to a firm which holds one already, where figures list several roles.
SEVERAL_ROLES_SHARE: Final = 0.35
# Share of firms that agree to be named under an arrangement that operators opt in to.
CONSENT_SHARE: Final = 0.85

_FIRST = (
    "Amber", "Azure", "Banyan", "Bright", "Cedar", "Coral", "Delta", "East", "Evergreen", "Fair",
    "Golden", "Grand", "Harbour", "High", "Island", "Jade", "Kauri", "Lotus", "Maple", "Mountain",
    "New", "North", "Ocean", "Orchid", "Pacific", "Pearl", "Pine", "Prime", "River", "Silver",
    "South", "Star", "Summit", "Swift", "True", "United", "Valley", "West", "White", "Zenith",
)  # fmt: skip
_SECOND = (
    "Anchor", "Bay", "Bridge", "Coast", "Crown", "Dragon", "Field", "Forest", "Gate", "Horizon",
    "Lake", "Lion", "Link", "Moon", "Peak", "Plain", "Point", "Port", "Rock", "Sail",
    "Sea", "Shore", "Sky", "Spring", "Stone", "Stream", "Sun", "Tide", "Tower", "Wind",
)  # fmt: skip
_TRADE = (
    "Agro", "Chemicals", "Electronics", "Foods", "Furniture", "Instruments", "Machinery", "Marine",
    "Materials", "Medical", "Metals", "Optics", "Paper", "Plastics", "Precision", "Textiles",
    "Tools", "Toys", "Trading", "Vehicles",
)  # fmt: skip


@dataclass(slots=True)
class Certificate:
    """One made-up grant of AEO status."""

    number: str
    roles: tuple[tuple[str, int], ...]
    level: str


@dataclass(slots=True)
class Firm:
    """One made-up operator with all its certificates."""

    economy: str
    tin: str
    name: str
    small: bool = False
    certificates: list[Certificate] = field(default_factory=list)
    declined: set[str] = field(default_factory=set)

    def roles(self) -> set[str]:
        """Codes of every role it is certified for."""
        return {code for certificate in self.certificates for code, _ in certificate.roles}


def make_firms(figures: Figures, seed: int = SEED) -> dict[str, list[Firm]]:
    """Firms by economy, ascending by TIN within each."""
    random = Random(seed)  # noqa: S311 - made-up names, nothing secret
    firms: dict[str, list[Firm]] = {}
    for economy in sorted(figures.members):
        rows = [row for row in figures.holdings if row.economy == economy]
        rows = rows or [
            HoldingFigure(economy, "made up", ("EX", "IM"), 0, "", FIRMS_WHERE_NONE_ARE_COUNTED)
        ]
        members_firms = _firms_of(figures, economy, rows, random)
        _give_levels(figures, economy, members_firms)
        for firm in members_firms[: figures.certified_smes.get(economy, 0)]:
            firm.small = True
        _ask_consent(figures, economy, members_firms, random)
        firms[economy] = sorted(members_firms, key=lambda firm: firm.tin)
    return firms


def _firms_of(
    figures: Figures, economy: str, rows: list[HoldingFigure], random: Random
) -> list[Firm]:
    numbers = _numbers(economy, random)
    prefixes = figures.members[economy].prefixes
    firms: list[Firm] = []
    for row in rows:
        roles = tuple(sorted((code, row.transport_mode) for code in row.roles))
        earlier = len(firms)
        for _ in range(row.count):
            holder = _earlier_firm(firms[:earlier], roles, random) if not row.level else None
            if holder is None:
                number = next(numbers)
                prefix = prefixes[len(firms) % len(prefixes)]
                holder = Firm(economy, f"{prefix}{number}", _name(random))
                firms.append(holder)
            ordinal = len(holder.certificates) + 1
            holder.certificates.append(Certificate(f"{holder.tin}-AEO-{ordinal}", roles, row.level))
    return firms


def _earlier_firm(
    firms: list[Firm], roles: tuple[tuple[str, int], ...], random: Random
) -> Firm | None:
    if not firms or random.random() >= SEVERAL_ROLES_SHARE:
        return None
    firm = firms[random.randrange(len(firms))]
    return None if firm.roles() & {code for code, _ in roles} else firm


def _give_levels(figures: Figures, economy: str, firms: list[Firm]) -> None:
    """Every second firm gets a level that a rule asks of this issuer, where figures name none."""
    wanted = sorted(
        {
            level
            for arrangement in figures.arrangements.values()
            for rule in arrangement.rules
            if rule.issuing == economy
            for level in rule.levels
        }
    )
    if not wanted or any(c.level for firm in firms for c in firm.certificates):
        return
    for number, firm in enumerate(firms[::2]):
        for certificate in firm.certificates:
            certificate.level = wanted[number % len(wanted)]


def _ask_consent(figures: Figures, economy: str, firms: list[Firm], random: Random) -> None:
    for arrangement in figures.arrangements.values():
        if arrangement.operators_opt_in and economy in arrangement.parties:
            for firm in firms:
                if random.random() >= CONSENT_SHARE:
                    firm.declined.add(arrangement.name)


def _numbers(economy: str, random: Random) -> Iterator[str]:
    """Different numbers of one length for an economy; the length differs, as it does in life."""
    digits = 8 + sum(economy.encode()) % 5
    seen: set[int] = set()
    while True:
        number = random.randrange(10**digits)
        if number not in seen:
            seen.add(number)
            yield f"{number:0{digits}d}"


def _name(random: Random) -> str:
    words = random.choice(_FIRST), random.choice(_SECOND), random.choice(_TRADE)
    return " ".join((*words, random.choice(("Co", "Ltd", "Corp", "Group"))))
