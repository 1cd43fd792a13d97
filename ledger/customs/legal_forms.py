"""Legal forms: what a company's name ends or begins with, and what kind of company that makes it.

Forms of English speech (Ltd, Co., Inc, Corp) stand in translations for nearly any company limited
by shares: a Japanese K.K. calls itself Co., Ltd. abroad. So they agree with each other and with
every form, while two forms of national law that differ (GmbH and AG, Pte and Pty) are two
companies, sisters perhaps. A form left out says nothing.

>>> strip_form(["acme", "trading", "co", "ltd"]), strip_form(["pt", "acme", "tbk"])
((['acme', 'trading'], 'ltd'), (['acme'], 'pt'))
>>> strip_han_form(fold("株式会社珠江")), strip_han_form("珠江貿易有限公司")
(('珠江', 'kk'), ('珠江貿易', '有限公司'))
>>> forms_agree("ltd", "kk"), forms_agree("kk", "gmbh"), forms_agree("", "gmbh")
(True, False, True)
"""

from collections.abc import Sequence
from typing import Final

from ledger.customs.scripts import fold

# Without dots; one line is one kind.
_ENDINGS: Final[dict[str, tuple[str, ...]]] = {
    "ltd": ("ltd", "limited", "co ltd", "coltd", "company limited", "co limited", "company ltd"),
    "co": ("co", "company", "coy"),
    "inc": ("inc", "incorporated", "co inc"),
    "corp": ("corp", "corporation"),
    "llc": ("llc", "limited liability company", "ooo", "ооо", "тоо", "тов"),
    "plc": ("plc", "public limited company", "pcl", "public company limited", "public co ltd"),
    "llp": ("llp",),
    "lp": ("lp",),
    "private": (
        *("pte ltd", "pte", "pte limited", "private limited", "private ltd"),
        *("pvt ltd", "pvt limited", "pvt"),
    ),
    "pty": ("pty ltd", "pty", "pty limited", "proprietary limited"),
    "sdn-bhd": ("sdn bhd", "sendirian berhad"),
    "bhd": ("bhd", "berhad"),
    "gmbh": ("gmbh", "ges mbh", "gesmbh", "mbh"),
    "gmbh-kg": ("gmbh co kg", "gmbh and co kg", "gmbh und co kg", "gmbh cokg"),
    "ag": ("ag", "aktiengesellschaft"),
    "kg": ("kg", "co kg", "and co kg"),
    "ohg": ("ohg",),
    "ug": ("ug",),
    "se": ("se",),
    "sa": ("sa", "sociedad anonima", "societe anonyme"),
    "sa-de-cv": ("sa de cv", "sab de cv", "sapi de cv"),
    "s-de-rl": ("s de rl de cv", "sde rl de cv", "s de rl", "srl de cv"),
    "sas": ("sas",),
    "sarl": ("sarl",),
    "srl": ("srl",),
    "sac": ("sac",),
    "eirl": ("eirl",),
    "spa": ("spa",),
    "ltda": ("ltda", "limitada", "cia ltda"),
    "bv": ("bv",),
    "nv": ("nv",),
    "ab": ("ab", "aktiebolag"),
    "as": ("as",),
    "aps": ("aps",),
    "asa": ("asa",),
    "oy": ("oy",),
    "oyj": ("oyj",),
    "ou": ("ou", "osauhing"),
    "uab": ("uab",),
    "sia": ("sia",),
    "sp-z-oo": ("sp z oo", "sp zoo", "spz oo", "spzoo", "spolka z oo"),
    "doo": ("doo",),
    "sro": ("sro",),
    "kft": ("kft",),
    "zrt": ("zrt",),
    "kk": ("kk", "kabushiki kaisha", "kabushiki gaisha", "kabushikikaisha"),
    "yk": ("yk", "yugen kaisha", "yugen gaisha"),
    "gk": ("gk", "godo kaisha"),
    "pt": ("tbk",),
    "jsc": ("jsc", "ojsc", "pjsc", "cjsc", "оао", "зао", "пао", "ао"),
    "fze": ("fze", "fzco", "fz llc"),
    "wll": ("wll",),
}
# What stands before the name.
_BEGINNINGS: Final[dict[str, tuple[str, ...]]] = {
    "pt": ("pt",),
    "llc": ("ooo", "ооо", "тоо", "тов"),
    "jsc": ("оао", "зао", "пао", "ао"),
    "tnhh": ("cong ty tnhh", "cong ty trach nhiem huu han"),
    "cty-cp": ("cong ty co phan",),
}
_HAN_FORMS: Final[dict[str, tuple[str, ...]]] = {
    "股份有限公司": ("股份有限公司", "股份公司", "有限股份公司"),
    "有限公司": ("有限責任公司", "有限公司"),
    "公司": ("公司",),
    "kk": ("株式会社", "(株)", "주식회사", "(주)"),
    "yk": ("有限会社", "(有)", "유한회사", "(유)"),
    "gk": ("合同会社", "(同)"),
}
GENERIC: Final = frozenset({"", "ltd", "co", "inc", "corp", "公司"})
"""Kinds that agree with every other."""

_ENDING_KINDS: Final = {tuple(f.split()): kind for kind, of in _ENDINGS.items() for f in of}
_BEGINNING_KINDS: Final = {tuple(f.split()): kind for kind, of in _BEGINNINGS.items() for f in of}
_LONGEST: Final = max(map(len, (*_ENDING_KINDS, *_BEGINNING_KINDS)))
_HAN_KINDS: Final = sorted(
    ((fold(form), kind) for kind, of in _HAN_FORMS.items() for form in of),
    key=lambda pair: (-len(pair[0]), pair[0]),
)


def strip_form(words: Sequence[str]) -> tuple[list[str], str]:
    """Return a name's words without its legal form, and the form's kind; "" where it has none.

    `words` are folded (lower case, no accents, no dots). A name of forms alone keeps its words.
    """
    left, kind = list(words), ""
    for length in range(min(_LONGEST, len(left) - 1), 0, -1):
        known = _BEGINNING_KINDS.get(tuple(left[:length]))
        if known is not None:
            left, kind = left[length:], known
            break
    while True:
        for length in range(min(_LONGEST, len(left) - 1), 0, -1):
            known = _ENDING_KINDS.get(tuple(left[-length:]))
            if known is not None:
                left = left[:-length]
                # Of "Acme GmbH Co., Ltd." the national form says more.
                kind = known if kind in GENERIC else kind
                break
        else:
            return left, kind


def strip_han_form(name: str) -> tuple[str, str]:
    """The same for a folded name in Han, Kana or Hangul, written without blanks."""
    for form, kind in _HAN_KINDS:
        if name == form:
            continue
        if name.endswith(form):
            return name[: -len(form)], kind
        if name.startswith(form):
            return name[len(form) :], kind
    return name, ""


def forms_agree(one: str, other: str) -> bool:
    """Whether two kinds may be one company's."""
    return one == other or one in GENERIC or other in GENERIC
