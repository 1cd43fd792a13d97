"""What the rules may ask of profiles, which lie off the ledger.

`get` says how the name and address declared fit the profile that a commitment opens: a NameMatch,
or None where no such profile is kept here (never exchanged, erased) or nothing was declared. `find`
gives the traders whom a name and address lead to, as canonical TINs; it searches what was exchanged
up to now, whatever time is asked about.

Passing None in place of all this says that no profiles exist yet. Only then does NOT_CHECKED pass
where a rule asks for a match. `NOTHING_DECLARED` is for questions that declare no name: profiles
exist, and nothing was compared.

>>> StatedMatches({b"c" * 32: 1}).get(b"c" * 32), NOTHING_DECLARED.get(b"c" * 32)
(1, None)
"""

from collections.abc import Mapping, Sequence
from typing import Final, Protocol

from ledger.errors import FormatError


class Profiles(Protocol):
    """How what one question declares fits the profiles that were exchanged."""

    def get(self, commitment: bytes, /) -> int | None:
        """The NameMatch with the profile of a commitment (32 bytes); None where there is none."""

    def find(self, name: str, address: str, /) -> Sequence[str]:
        """The canonical TINs that a name and address lead to, ascending, each once."""


class StatedMatches:
    """Matches as somebody states them: a receipt, a table of cases. Nothing can be searched."""

    __slots__ = ("_matches",)

    def __init__(self, matches: Mapping[bytes, int]) -> None:
        self._matches = matches

    def get(self, commitment: bytes, /) -> int | None:
        """As stated."""
        return self._matches.get(commitment)

    def find(self, _name: str, _address: str, /) -> Sequence[str]:
        """Raise `FormatError`: who is meant by a name cannot be told from matches."""
        raise FormatError("a name and address can be searched only where profiles are kept")


NOTHING_DECLARED: Final = StatedMatches({})
