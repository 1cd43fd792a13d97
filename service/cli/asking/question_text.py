"""The words in which a question is put on the command line.

>>> parse_alias("us-mid:HKEXA123HON")
AliasOf(scheme='US-MID', value='HKEXA123HON')
>>> parse_direction("import"), parse_known_at("12", "UTC")
('IMPORT', 12)
"""

from datetime import datetime
from typing import Final, cast

from service.cli.civil import parse_moment
from service.cli.errors import InputRefused
from service.client.verdicts import AliasOf, Direction

_DIRECTIONS: Final = ("IMPORT", "EXPORT", "TRANSIT")


def parse_direction(text: str) -> Direction:
    """IMPORT, EXPORT or TRANSIT, in any case."""
    if text.upper() not in _DIRECTIONS:
        raise InputRefused(f"direction: {text} is none of {', '.join(_DIRECTIONS)}")
    return cast("Direction", text.upper())


def parse_alias(text: str) -> AliasOf:
    """SCHEME:VALUE; schemes are capitals, and the value, as it is, may itself have colons."""
    scheme, colon, value = text.partition(":")
    if not colon or not scheme or not value:
        raise InputRefused(f"alias {text} is not SCHEME:VALUE")
    return AliasOf(scheme.upper(), value)


def parse_known_at(text: str, zone: str) -> datetime | int:
    """A height, a date in a zone, or an instant."""
    return int(text) if text.isdecimal() else parse_moment(text, zone)
