"""RFC 3339 times with an offset to and from integer microseconds since 1970-01-01T00:00:00Z.

Parsing is on the path of every event, so the three parts of the usual forms (minute, second, offset) are looked up
in tables that the slow, strict path fills.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
#: Enough for a year of minutes; cleared when full, so that no input can make it grow without bound.
_MOST_MINUTES = 600_000
_minutes: dict[str, int] = {}
_seconds = {f"{second:02d}": second * SECOND for second in range(60)}
_offsets: dict[str, int] = {"Z": 0}


def parse(text: str) -> int:
    """The instant that `text` names, in microseconds; digits of a second after the sixth are cut.

    Raises ValueError where `text` is not an RFC 3339 time with an offset, or lies outside of the years 1 to 9999 UTC.
    """
    try:
        return _minutes[text[:17]] + _seconds[text[17:19]] + _offsets[text[19:]]
    except KeyError:
        return _parse_strictly(text)


def _parse_strictly(text: str) -> int:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time with an offset")
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    try:
        start = datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC)
    except ValueError as error:
        raise ValueError(f"no such time: {error}") from None
    if int(second) > 59:
        raise ValueError("no such time: second must be in 0..59")
    offset = 0
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            raise ValueError("no such offset")
        offset = (int(offset_hours) * 60 + int(offset_minutes)) * MINUTE * (1 if sign == "+" else -1)
    at_minute = (start - _EPOCH) // _MICROSECOND
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    result = at_minute - offset + int(second) * SECOND + micros
    if not _FIRST <= result <= _LAST:
        raise ValueError("outside of the years 1 to 9999 in UTC")
    if fraction is None:
        if len(_minutes) >= _MOST_MINUTES:
            _minutes.clear()
        if text[19:] not in _offsets and len(_offsets) < 4_096:
            _offsets[text[19:]] = -offset
        # Safe for any offset only away from the ends of the calendar, where the sum could leave it unnoticed.
        if 1 < int(year) < 9999:
            _minutes[text[:17]] = at_minute
    return result


_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def render(micros: int) -> str:
    """The instant as RFC 3339 in UTC with `Z`, fractions only where there are any, without trailing zeros."""
    moment = _EPOCH + timedelta(microseconds=micros)
    text = moment.strftime("%Y-%m-%dT%H:%M:%S") if moment.year >= 1000 else moment.isoformat()[:19]
    if moment.microsecond:
        text += f".{moment.microsecond:06d}".rstrip("0")
    return text + "Z"
