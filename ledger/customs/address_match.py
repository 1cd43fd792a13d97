"""How well a declared address fits the addresses on file, and what name and address come to.

Numbers must agree: of the two sets of numbers (house, floor, unit, postcode) one holds the other,
and neither is empty alone. Then

    EXACT            the same words, but for case, accents, punctuation, usual abbreviations, order
    CLOSE            all words of the one among those of the other, or alike by `ADDRESS_SIMILARITY`
    DIFFERENT        numbers or words that do not agree
    NOT_COMPARABLE   in no script of any address on file

Where name and address are both declared, the worse of the two counts, from EXACT through CLOSE and
NOT_COMPARABLE to DIFFERENT. A profile that has no address is judged by the name alone; a question
that declares only an address, by the address. Nothing to compare is NOT_CHECKED.

>>> said = lambda one, *others: pb.NameMatch.Name(match_address(one, others))[11:]
>>> said("12 Queen St., Auckland", "12 Queen Street, Auckland")
'EXACT'
>>> said("12 Queen St, Auckland", "12 Queen Street, Auckland 1010, New Zealand")
'CLOSE'
>>> said("14 Queen Street, Auckland", "12 Queen Street, Auckland")
'DIFFERENT'
"""

import re
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz import fuzz

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.name_match import (
    CLOSE,
    DIFFERENT,
    EXACT,
    NAMES_REMEMBERED,
    NOT_COMPARABLE,
    best,
    match_name,
)
from ledger.customs.profile import Profile
from ledger.customs.scripts import SIGNS, comparable, fold, script_of

NOT_CHECKED: Final[int] = pb.NAME_MATCH_NOT_CHECKED

ADDRESS_SIMILARITY: Final = 85.0
"""Of the words in order, percent: *Quen Street Auckland* still is *Queen Street Auckland*, and
*Queen Street Wellington* is not."""
SIGNS_SIMILARITY: Final = 90.0
"""The same for Han, Kana and Hangul, where each sign says more."""
SHORTEST_SHARED: Final = 4
"""Characters that the one must have to stand for the other that holds it."""
ADDRESS_WORDS: Final = {
    "st": "street",
    "str": "street",
    "strasse": "street",
    "rd": "road",
    "ave": "avenue",
    "av": "avenue",
    "blvd": "boulevard",
    "dr": "drive",
    "ln": "lane",
    "hwy": "highway",
    "sq": "square",
    "pl": "place",
    "bldg": "building",
    "flr": "floor",
    "fl": "floor",
    "f": "floor",
    "apt": "apartment",
    "ste": "suite",
    "ctr": "centre",
    "center": "centre",
    "dist": "district",
    "prov": "province",
    "ind": "industrial",
    "mt": "mount",
    "tce": "terrace",
    "cres": "crescent",
}
_NOISE: Final = frozenset({"no", "number", "nr", "the", "of", "and"})
_NUMBER: Final = re.compile(r"[0-9]+(?:[a-z](?![a-z]))?")
_ORDINAL: Final = re.compile(r"(?<=[0-9])(?:st|nd|rd|th|f|fl)\b")
_WORD: Final = re.compile(r"[^\W_]+")
_WORSE: Final = {EXACT: 0, CLOSE: 1, NOT_COMPARABLE: 2, DIFFERENT: 3}


class FoldedAddress(NamedTuple):
    """An address made ready: its numbers, and its words in order."""

    text: str
    numbers: frozenset[str]
    words: tuple[str, ...]
    signs: bool


def match_address(declared: str, on_file: Iterable[str]) -> int:
    """Return the NameMatch of an address with the best of those on file."""
    said = fold_address(declared)
    return best(_match(said, fold_address(address)) for address in on_file)


def match_party(name: str, address: str, profile: Profile) -> int:
    """Return the NameMatch of what is declared (empty: not) with a profile."""
    found = []
    if name.strip():
        found.append(match_name(name, (each.text for each in profile.names)))
    if address.strip() and profile.addresses:
        found.append(match_address(address, (each.text for each in profile.addresses)))
    return max(found, key=_WORSE.__getitem__, default=NOT_CHECKED)


@lru_cache(NAMES_REMEMBERED)
def fold_address(address: str) -> FoldedAddress:
    """Fold an address and part it into numbers and words."""
    text = _ORDINAL.sub(" ", fold(address).replace("'", "").replace("’", ""))
    numbers = frozenset(number.lstrip("0") or "0" for number in _NUMBER.findall(text))
    rest = _NUMBER.sub(" ", text)
    signs = script_of(text) in SIGNS
    words = [ADDRESS_WORDS.get(word, word) for word in _WORD.findall(rest) if word not in _NOISE]
    # Every floor is one, whether the word stands there or only the letter.
    words = ["".join(words)] if signs else [word for word in words if word != "floor"]
    return FoldedAddress(text, numbers, tuple(words), signs)


def _match(one: FoldedAddress, other: FoldedAddress) -> int:
    if not comparable(one.text, other.text):
        return NOT_COMPARABLE
    if bool(one.numbers) != bool(other.numbers):
        return DIFFERENT
    if not (one.numbers <= other.numbers or other.numbers <= one.numbers):
        return DIFFERENT
    if not one.words or not other.words:
        return DIFFERENT
    if one.signs or other.signs:
        return _match_signs(one, other)
    same = sorted(one.words) == sorted(other.words)
    if same and one.numbers == other.numbers:
        return EXACT
    first, second = set(one.words), set(other.words)
    if first <= second or second <= first:
        return CLOSE
    alike = fuzz.token_sort_ratio(" ".join(one.words), " ".join(other.words))
    return CLOSE if alike >= ADDRESS_SIMILARITY else DIFFERENT


def _match_signs(one: FoldedAddress, other: FoldedAddress) -> int:
    first, second = "".join(one.words), "".join(other.words)
    if first == second:
        return EXACT if one.numbers == other.numbers else CLOSE
    shorter, longer = sorted((first, second), key=len)
    if len(shorter) >= SHORTEST_SHARED and shorter in longer:
        return CLOSE
    return CLOSE if fuzz.ratio(first, second) >= SIGNS_SIMILARITY else DIFFERENT
