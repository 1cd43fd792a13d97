"""Instants as people write and read them.

An instant is Unix milliseconds. On the command line it is a civil date, which begins in a time zone
that the command names, or a moment of its own: ISO 8601 with an offset.

>>> format_instant(1_767_225_600_000, "Pacific/Auckland")
'2026-01-01 13:00:00 +1300'
>>> format_instant(0)
''
>>> parse_instant("2026-01-01", "Pacific/Auckland") == parse_instant("2025-12-31T11:00Z")
True
>>> format_last_day(parse_instant("2026-01-01", "Asia/Tokyo"), "Asia/Tokyo")
'2025-12-31'
"""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

from service.cli.errors import InputRefused


def parse_moment(text: str, time_zone: str = "UTC", *, last_day: bool = False) -> datetime:
    """Read a date like 2026-12-31, the moment at which it begins in a zone, or an ISO instant.

    `last_day`: a date is the last one of an interval, so the moment is that at which it ends.
    """
    try:
        if len(text) == len("2026-12-31"):
            day = date.fromisoformat(text) + timedelta(days=last_day)
            return datetime(day.year, day.month, day.day, tzinfo=ZoneInfo(time_zone))
        moment = datetime.fromisoformat(text)
    except (ValueError, OverflowError):
        raise InputRefused(
            f"{text!r} is neither a date like 2026-12-31 nor an instant like "
            "2026-12-31T12:00:00+09:00"
        ) from None
    if moment.tzinfo is None:
        raise InputRefused(f"{text} has no offset: write 2026-12-31T12:00+09:00, or a date")
    return moment


def parse_instant(text: str, time_zone: str = "UTC", *, last_day: bool = False) -> int:
    """The same in Unix milliseconds."""
    return round(parse_moment(text, time_zone, last_day=last_day).timestamp() * 1000)


def format_instant(instant: int, time_zone: str = "UTC") -> str:
    """Write an instant in a zone, to the second; nothing for 0."""
    return _in_zone(instant, time_zone).strftime("%Y-%m-%d %H:%M:%S %z") if instant else ""


def format_day(instant: int, time_zone: str) -> str:
    """Write the civil date of an instant; with the time of day where the date does not begin."""
    if not instant:
        return ""
    moment = _in_zone(instant, time_zone)
    begins = (moment.hour, moment.minute, moment.second, moment.microsecond) == (0, 0, 0, 0)
    return moment.date().isoformat() if begins else format_instant(instant, time_zone)


def format_last_day(instant: int, time_zone: str) -> str:
    """Write the last civil date of an interval that ends, exclusively, at an instant."""
    if not instant:
        return ""
    moment = _in_zone(instant, time_zone)
    if (moment.hour, moment.minute, moment.second, moment.microsecond) != (0, 0, 0, 0):
        return f"{format_instant(instant, time_zone)} (exclusive)"
    return (moment - timedelta(days=1)).date().isoformat()


def _in_zone(instant: int, time_zone: str) -> datetime:
    seconds, milliseconds = divmod(instant, 1000)
    moment = datetime(1970, 1, 1, tzinfo=UTC) + timedelta(
        seconds=seconds, milliseconds=milliseconds
    )
    return moment.astimezone(ZoneInfo(time_zone))
