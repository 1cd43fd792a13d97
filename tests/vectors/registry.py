"""Where the sections of the generated vectors register.

A section is a function without arguments that returns what its JSON file says:

    {"valid": [case, ...], "invalid": [case, ...]}

It stands in a module of the folder `sections`, under ``@section(name, what)``, and must give the
same every time: no clock, no randomness; secrets come from `tests.vectors.sample`.
"""

from collections.abc import Callable
from typing import Any, Final

Case = dict[str, Any]
Section = Callable[[], dict[str, list[Case]]]

# By name: the text that describes the format, and the function.
SECTIONS: Final[dict[str, tuple[str, Section]]] = {}


def section(name: str, description: str) -> Callable[[Section], Section]:
    """Register a section that is written to ``ledger/{name}.json``."""

    def register(function: Section) -> Section:
        SECTIONS[name] = (description, function)
        return function

    return register
