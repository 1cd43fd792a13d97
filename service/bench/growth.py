"""How much slower look-ups are on the larger of two ledgers."""

from collections.abc import Sequence

from service.bench.figures import AtMost, Figure

_SLOWDOWN = AtMost(1.2)
_RATES = (("lookup", "ratio", "Lookup against the echo"), ("batch", "rate", "BatchLookup"))


def growth_figures(figures: Sequence[Figure], sizes: Sequence[int]) -> list[Figure]:
    """One figure for each kind of look-up that was measured at the first and the last size."""
    values = {figure.name: figure.value for figure in figures}
    small, large = sizes[0], sizes[-1]
    grown = []
    for kind, rate, title in _RATES:
        before = values.get(f"{kind}.{small}.{rate}")
        after = values.get(f"{kind}.{large}.{rate}")
        if small != large and before is not None and after is not None:
            grown.append(
                Figure(
                    f"{kind}.slowdown",
                    f"{title}: {large:,} traders against {small:,}",
                    before / after,
                    "x",
                    _SLOWDOWN,
                )
            )
    return grown
