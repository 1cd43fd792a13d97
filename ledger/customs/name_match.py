"""How well a declared name fits the names on file.

    EXACT            equal but for case, accents, width, punctuation, `&` for *and*, small words,
                     simplified or traditional signs, and how one legal form is written
    CLOSE            also: a legal form left out or translated; in alphabets another order of words,
                     usual abbreviations, words written together or apart, one word misspelt
    DIFFERENT        a word or number more, less or another; two national legal forms
    NOT_COMPARABLE   in no script of any name on file

A place, a number, a branch in brackets is part of the name: it tells sister companies apart. Of
several names on file the best counts. One word may be misspelt, if both have `MISSPELT_LETTERS` or
more and are alike by `MISSPELT_SIMILARITY`; `CONFUSABLE` words are never taken for each other. In
Han, Kana and Hangul, where one sign is a word or a syllable, nothing is taken for a slip.

>>> said = lambda one, *others: pb.NameMatch.Name(match_name(one, others))[11:]
>>> said("ACME TRADING CO., LTD", "Acme Trading Company Limited")
'EXACT'
>>> said("Trading Acme", "Acme Trading Ltd"), said("Acme Tradng", "Acme Trading")
('CLOSE', 'CLOSE')
>>> said("Acme Trading (Shanghai)", "Acme Trading (Shenzhen)"), said("Acme", "珠江貿易")
('DIFFERENT', 'NOT_COMPARABLE')
"""

import re
from collections import Counter
from collections.abc import Iterable
from functools import lru_cache
from typing import Final, NamedTuple

from rapidfuzz.distance import OSA

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.customs.legal_forms import forms_agree, strip_form, strip_han_form
from ledger.customs.scripts import SIGNS, comparable, fold, script_of

EXACT: Final[int] = pb.NAME_MATCH_EXACT
CLOSE: Final[int] = pb.NAME_MATCH_CLOSE
DIFFERENT: Final[int] = pb.NAME_MATCH_DIFFERENT
NOT_COMPARABLE: Final[int] = pb.NAME_MATCH_NOT_COMPARABLE

MISSPELT_LETTERS: Final = 5
"""Shorter words differ by a letter too easily: Hunan and Henan have five, and are too far apart by
the next limit."""
MISSPELT_SIMILARITY: Final = 0.85
"""Of edits (insert, drop, replace, swap neighbours) to letters: one in seven, two in fourteen."""
CONFUSABLE: Final = frozenset(
    {
        frozenset({"shanxi", "shaanxi"}),
        frozenset({"eastern", "western"}),
        frozenset({"northern", "southern"}),
        frozenset({"austria", "australia"}),
        frozenset({"import", "export"}),
        frozenset({"slovakia", "slovenia"}),
    }
)
"""Words that tell companies apart though a letter or two does. Folded."""
SMALL_WORDS: Final = frozenset(
    {
        *("the", "and", "of", "for", "und", "et", "y", "e", "og", "och", "en", "i"),
        *("la", "le", "les", "el", "los", "der", "die", "das", "de", "del", "di", "da", "do"),
    }
)
"""May be left out: articles and conjunctions."""
ABBREVIATIONS: Final = {
    "intl": "international",
    "int": "international",
    "natl": "national",
    "mfg": "manufacturing",
    "mfrs": "manufacturers",
    "mfr": "manufacturer",
    "tech": "technology",
    "technologies": "technology",
    "ind": "industry",
    "inds": "industry",
    "industries": "industry",
    "elec": "electronics",
    "engg": "engineering",
    "eng": "engineering",
    "trdg": "trading",
    "imp": "import",
    "exp": "export",
    "bros": "brothers",
    "svcs": "services",
    "svc": "services",
    "service": "services",
    "log": "logistics",
    "transp": "transport",
    "dev": "development",
    "dist": "distribution",
    "pharma": "pharmaceuticals",
    "chem": "chemicals",
    "hldgs": "holdings",
    "holding": "holdings",
    "grp": "group",
    "assoc": "associates",
    "prod": "products",
    "prods": "products",
    "product": "products",
    "enterprise": "enterprises",
    "ent": "enterprises",
    "system": "systems",
    "sys": "systems",
}
_ROMAN: Final = {"ii": "2", "iii": "3", "iv": "4", "vi": "6", "vii": "7", "viii": "8", "ix": "9"}
_BETTER: Final = {EXACT: 3, CLOSE: 2, DIFFERENT: 1, NOT_COMPARABLE: 0}
# A name is compared with many: candidates of a search, names of one profile.
NAMES_REMEMBERED: Final = 4_096
_DROPPED: Final = re.compile(r"[.'’`´·・‧]")
_WORD: Final = re.compile(r"[^\W_]+")


class Folded(NamedTuple):
    """A name made ready. `words` are without legal form; one alone where signs are not parted."""

    text: str
    words: tuple[str, ...]
    form: str
    signs: bool


def match_name(declared: str, on_file: Iterable[str]) -> int:
    """Return the NameMatch of a name with the best of those on file, none of them empty."""
    said = fold_name(declared)
    return best(_match(said, fold_name(name)) for name in on_file)


def best(matches: Iterable[int]) -> int:
    """The best of several matches; NOT_COMPARABLE of none."""
    return max(matches, key=_BETTER.__getitem__, default=NOT_COMPARABLE)


@lru_cache(NAMES_REMEMBERED)
def fold_name(name: str) -> Folded:
    """Fold a name, part it into words and take off its legal form."""
    text = fold(name)
    if script_of(text) in SIGNS:
        # Brackets stand around forms and around places; only the form's are part of it.
        bare, form = strip_han_form("".join(text.split()))
        core = "".join(_WORD.findall(bare))
        again, form = strip_han_form(core) if not form else (core, form)
        return Folded(text, (again,) if again else (), form, signs=True)
    words = _join_letters(_WORD.findall(_DROPPED.sub("", text.replace("&", " and "))))
    left, form = strip_form(words)
    return Folded(text, tuple(_ROMAN.get(word, word) for word in left), form, signs=False)


def essential(words: Iterable[str]) -> list[str]:
    """The words that must be matched, abbreviations written out."""
    long = [ABBREVIATIONS.get(word, word) for word in words if word not in SMALL_WORDS]
    return long or list(words)


def is_misspelt(one: str, other: str) -> bool:
    """Whether one word may be the other with a slip."""
    if min(len(one), len(other)) < MISSPELT_LETTERS or has_digit(one) or has_digit(other):
        return False
    if frozenset((one, other)) in CONFUSABLE:
        return False
    return OSA.normalized_similarity(one, other) >= MISSPELT_SIMILARITY


def has_digit(word: str) -> bool:
    """Whether a word is, or holds, a number."""
    return any(character.isdigit() for character in word)


def _match(one: Folded, other: Folded) -> int:
    if not one.words or not other.words or not comparable(one.text, other.text):
        return NOT_COMPARABLE
    if not forms_agree(one.form, other.form):
        return DIFFERENT
    same_form = one.form == other.form
    if one.signs or other.signs:
        if "".join(one.words) != "".join(other.words):
            return DIFFERENT
        return EXACT if same_form else CLOSE
    if _without_small(one.words) == _without_small(other.words):
        return EXACT if same_form else CLOSE
    first, second = essential(one.words), essential(other.words)
    if Counter(first) == Counter(second) or "".join(first) == "".join(second):
        return CLOSE
    left, right = list((Counter(first) - Counter(second)).elements()), Counter(second)
    missing = list((right - Counter(first)).elements())
    if len(left) == len(missing) == 1 and is_misspelt(left[0], missing[0]):
        return CLOSE
    return DIFFERENT


def _without_small(words: tuple[str, ...]) -> list[str]:
    return [word for word in words if word not in SMALL_WORDS] or list(words)


def _join_letters(words: list[str]) -> list[str]:
    """A B C is ABC, however it is written."""
    joined: list[str] = []
    run = ""
    for word in [*words, "  "]:
        if len(word) == 1 and word.isalpha():
            run += word
            continue
        if run:
            joined.append(run)
            run = ""
        joined.append(word)
    return joined[:-1]
