"""RFC 3339 times with an offset to and from integer microseconds since 1970-01-01T00:00:00Z.

Parsing is on the path of every event, so the two parts of the usual forms (up to the hour, and the rest) are looked
up in tables that the slow, strict path fills.
"""

from __future__ import annotations

import re
from datetime import UTC, date, datetime, timedelta
from functools import lru_cache

SECOND = 1_000_000
MINUTE = 60 * SECOND
HOUR = 60 * MINUTE
DAY = 24 * HOUR
#: China's clock is ahead of UTC by this; it has one zone, and no summer time.
CHINA = 8 * HOUR
#: Before and after every time that can be parsed.
BEFORE_ALL, AFTER_ALL = -(1 << 62), 1 << 62

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MICROSECOND = timedelta(microseconds=1)
_FORM = re.compile(r"(\d{4})-(\d\d)-(\d\d)[Tt](\d\d):(\d\d):(\d\d)(?:\.(\d+))?(?:[Zz]|([+-])(\d\d):(\d\d))", re.ASCII)
#: Enough for seven years of hours and for a thousand offsets; a table is cleared when it is full, so that no input can
#: make it grow without bound.
_MOST = 65_536
#: By what stands before the first colon, as if in UTC: `2026-11-03T08`.
_hours: dict[str, int] = {}
#: By what follows it: `:15`.
_MINUTES = {f":{minute:02d}": minute * MINUTE for minute in range(60)}
#: By what is left, without a fraction: `:00+08:00`. The offset is taken off.
_ends: dict[str, int] = {}


def parse(text: str) -> int:
    """The instant that `text` names, in microseconds; digits of a second after the sixth are cut.

    Raises ValueError where `text` is not an RFC 3339 time with an offset, or lies outside of the years 1 to 9999 UTC.
    """
    try:
        return _hours[text[:13]] + _MINUTES[text[13:16]] + _ends[text[16:]]
    except KeyError:
        return _parse_fraction(text)


def _parse_fraction(text: str) -> int:
    if text[19:20] == ".":
        zone = len(text) - (1 if text[-1] in "Zz" else 6)
        digits = text[20:zone]
        if digits.isdecimal() and digits.isascii():
            try:
                whole = _hours[text[:13]] + _MINUTES[text[13:16]] + _ends[text[16:19] + text[zone:]]
            except KeyError:
                return _parse_strictly(text)
            return whole + int(digits[:6].ljust(6, "0"))
    return _parse_strictly(text)


def _parse_strictly(text: str) -> int:
    match = _FORM.fullmatch(text)
    if match is None:
        raise ValueError("not an RFC 3339 time with an offset")
    year, month, day, hour, minute, second, fraction, sign, offset_hours, offset_minutes = match.groups()
    try:
        start = (datetime(int(year), int(month), int(day), int(hour), int(minute), tzinfo=UTC) - _EPOCH) // _MICROSECOND
    except ValueError as error:
        raise ValueError(f"no such time: {error}") from None
    if int(second) > 59:
        raise ValueError("no such time: second must be in 0..59")
    offset = 0
    if sign:
        if int(offset_hours) > 23 or int(offset_minutes) > 59:
            raise ValueError("no such offset")
        offset = (int(offset_hours) * 60 + int(offset_minutes)) * MINUTE * (1 if sign == "+" else -1)
    micros = int(fraction[:6].ljust(6, "0")) if fraction else 0
    result = start - offset + int(second) * SECOND + micros
    if not _FIRST <= result <= _LAST:
        raise ValueError("outside of the years 1 to 9999 in UTC")
    # Safe for any offset only away from the ends of the calendar, where the sum could leave it unnoticed.
    if 1 < int(year) < 9999:
        _note(_hours, text[:13], start // HOUR * HOUR)
    zone = text[match.end(7) :] if fraction else text[19:]
    _note(_ends, text[16:19] + zone, int(second) * SECOND - offset)
    return result


def _note(table: dict[str, int], key: str, micros: int) -> None:
    if len(table) >= _MOST:
        table.clear()
    table[key] = micros


_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MICROSECOND
_LAST = (datetime(9999, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC) - _EPOCH) // _MICROSECOND


def render(micros: int) -> str:
    """The instant as RFC 3339 in UTC with `Z`, fractions only where there are any, without trailing zeros.

    What lies before the year 1 or behind 9999, as a deadline may, is the first or the last instant that can be written.
    """
    if not _FIRST <= micros <= _LAST:
        micros = _FIRST if micros < _FIRST else _LAST
    day, rest = divmod(micros, DAY)
    seconds, fraction = divmod(rest, SECOND)
    text = f"{_date(day)}T{seconds // 3600:02d}:{seconds // 60 % 60:02d}:{seconds % 60:02d}"
    if fraction:
        text += f".{fraction:06d}".rstrip("0")
    return text + "Z"


def date_of(day: int) -> date:
    """The date of a day since 1970-01-01; before the year 1 or behind 9999 the first or the last that there is."""
    return _EPOCH.date() + timedelta(days=min(max(day, _FIRST // DAY), _LAST // DAY))


@lru_cache(1_024)
def _date(day: int) -> str:
    return date_of(day).isoformat()
