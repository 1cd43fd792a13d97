"""Our figures beside those of a ledger database on the same kind of machine.

immudb, asked from its Python client on two cores: 359 verified reads a second, 3,189 plain reads,
204,000 reads in batches of 1,000, 71,000 batched writes. It keeps keys and values; what stands
beside it here decides by the rules of an arrangement, and signs what is written. Where we are
slower, the table says so all the same.
"""

from collections.abc import Sequence
from typing import Any, Final, NamedTuple

from service.bench.figures import Figure


class Rival(NamedTuple):
    """What the other reached, and which of our figures stands against it (its name's ends)."""

    what: str
    rate: float
    ours: tuple[str, str]


RIVALS: Final = (
    Rival("verified reads, one at a time", 359, ("proof.", ".rate")),
    Rival("plain reads, one at a time", 3_189, ("lookup.", ".one_caller")),
    Rival("reads in batches of 1,000", 204_000, ("batch.", ".rate")),
    Rival("batched writes", 71_000, ("publish.", ".")),
)


def compared(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    """One row for each of theirs that we have measured: the best of ours, and whether it wins."""
    rows = []
    for rival in RIVALS:
        first, last = rival.ours
        ours = [
            figure
            for figure in figures
            if figure.name.startswith(first)
            and figure.unit == "/s"
            and (figure.name.endswith(last) or last == ".")
        ]
        if ours:
            best = max(ours, key=lambda figure: figure.value)
            rows.append(
                {
                    "what": rival.what,
                    "immudb": rival.rate,
                    "ours": best.value,
                    "figure": best.name,
                    "beaten": best.value > rival.rate,
                }
            )
    return rows
