"""The TIN: two letters and 1 to 15 letters or digits, ASCII, at most 17 characters.

Input is forgiving and says what it forgave, in this order: white space around it is trimmed,
letters are upper-cased, spaces and hyphens inside are dropped, and so is a leading AEO, but only
where the rest is well formed under a member's prefix and the whole is not. The member's prefix is
what makes AEO12345678 a number of the United Arab Emirates where they are a member; where both read
well, the number is ambiguous; where neither does, the whole stands and nobody speaks for it.
Any other character is refused, never dropped: ASCII alone, so that no look-alike becomes another
trader, and no letter is upper-cased out of another alphabet.

A check digit that does not fit is a warning, never a refusal, and only where a TIN is documented to
be the prefix and a national number of that very form: Belgium (enterprise number, 10 digits),
Denmark (CVR, 8), France (SIRET, 14), Romania (CUI, up to 10). Digits of another length are not that
number, and say nothing. No number is remembered: whoever erases a TIN need not look for it here.
Nor does an error quote one, since errors end in logs.

>>> parse_tin(" kr-123 456 ", {"KR"})
Tin(canonical='KR123456', changes=(1, 2, 3), warnings=())
>>> parse_tin("AEOKR123456", {"KR"}).canonical, parse_tin("AEO12345678", {"AE"}).canonical
('KR123456', 'AEO12345678')
>>> parse_tin("AEOKR123456", {"KR", "AE"})
Traceback (most recent call last):
ledger.errors.TinError: it reads well with and without AEO
"""

import re
from collections.abc import Callable, Container
from functools import cache
from importlib import import_module
from typing import Final, NamedTuple

from aeo.exchange.v1 import verdict_pb2 as pb
from ledger.errors import TinError

__all__ = ["INPUT_LIMIT", "TIN_FORM", "Tin", "TinError", "parse_tin", "read_canonical"]

TIN_FORM: Final = re.compile(r"[A-Z]{2}[A-Z0-9]{1,15}", re.ASCII)
# What a person may paste, with separators; nothing longer is worth a second look.
INPUT_LIMIT: Final = 64

_SEPARATORS: Final = str.maketrans("", "", " -")
_WHITE: Final = " \t\r\n\v\f"
# By prefix: the digits of the national number, and the module of python-stdnum that checks them.
_CHECKED: Final = {
    "BE": (re.compile(r"[0-9]{10}"), "stdnum.be.vat"),
    "DK": (re.compile(r"[0-9]{8}"), "stdnum.dk.cvr"),
    "FR": (re.compile(r"[0-9]{14}"), "stdnum.fr.siret"),
    "RO": (re.compile(r"[0-9]{2,10}"), "stdnum.ro.cui"),
}


class Tin(NamedTuple):
    """A canonical TIN, and the TinChanges and TinWarnings (protobuf's ints) that go with it."""

    canonical: str
    changes: tuple[int, ...] = ()
    warnings: tuple[int, ...] = ()


def parse_tin(text: str, prefixes: Container[str]) -> Tin:
    """Read what a person or a declaration gives as TIN; `prefixes` are those members speak for.

    Raises `TinError`, whose `reason` is TIN_MALFORMED or ALIAS_AMBIGUOUS.
    """
    return read_canonical(text) or _forgive(text, prefixes)


def read_canonical(text: str) -> Tin | None:
    """A TIN that is canonical as it stands, whoever is a member; None where more is to be said."""
    if not TIN_FORM.fullmatch(text) or text[:3] == "AEO":
        return None
    return Tin(text, (), _warnings(text)) if text[:2] in _CHECKED else Tin(text)


def _forgive(text: str, prefixes: Container[str]) -> Tin:
    if len(text) > INPUT_LIMIT:
        raise TinError(pb.REASON_TIN_MALFORMED, f"a TIN has at most {INPUT_LIMIT} characters")
    if not text.isascii():
        raise TinError(pb.REASON_TIN_MALFORMED, "it has characters outside ASCII")
    changes: list[int] = []
    trimmed = text.strip(_WHITE)
    if trimmed != text:
        changes.append(pb.TIN_CHANGE_TRIMMED)
    upper = trimmed.upper()
    if upper != trimmed:
        changes.append(pb.TIN_CHANGE_UPPER_CASED)
    whole = upper.translate(_SEPARATORS)
    if whole != upper:
        changes.append(pb.TIN_CHANGE_SEPARATORS_DROPPED)
    if whole.startswith("AEO"):
        rest = whole[3:]
        if _reads_well(rest, prefixes):
            if _reads_well(whole, prefixes):
                message = "it reads well with and without AEO"
                raise TinError(pb.REASON_ALIAS_AMBIGUOUS, message)
            changes.append(pb.TIN_CHANGE_AEO_DROPPED)
            whole = rest
    if not TIN_FORM.fullmatch(whole):
        raise TinError(pb.REASON_TIN_MALFORMED, "two letters, then 1 to 15 letters or digits")
    return Tin(whole, tuple(changes), _warnings(whole))


def _reads_well(tin: str, prefixes: Container[str]) -> bool:
    return TIN_FORM.fullmatch(tin) is not None and tin[:2] in prefixes


def _warnings(tin: str) -> tuple[int, ...]:
    form, module = _CHECKED.get(tin[:2], (None, ""))
    if form is None or not form.fullmatch(tin, 2) or _checker(module)(tin[2:]):
        return ()
    return (pb.TIN_WARNING_CHECK_DIGIT,)


@cache
def _checker(module: str) -> Callable[[str], bool]:
    checker: Callable[[str], bool] = import_module(module).is_valid
    return checker
