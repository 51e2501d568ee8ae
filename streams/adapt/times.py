"""Parses times as carriers write them; output is RFC 3339 with an offset."""

from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from html import unescape
from zoneinfo import ZoneInfo

#: Before this no carrier's feed existed; such dates are placeholders (0001-01-01, 1900-01-01, 1970-01-01).
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MILLISECONDS = 100_000_000_000
"""A number from here on is milliseconds: as seconds it would be the year 5138."""
_EXCEL = range(20_000, 80_000)
"""Numbers that are days of a spreadsheet: the years 1954 to 2119. As seconds they are within a day of 1970."""
_EXCEL_EPOCH = datetime(1899, 12, 30)  # noqa: DTZ001  spreadsheets know no zones

_NAMES = ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec")
_MONTHS = {name: number for number, name in enumerate(_NAMES, 1)}
_MONTH = rf"(?P<word>{'|'.join(_NAMES)})[a-z]*\.?"
_CLOCK = (
    r"(?:[t ,]*(?P<before>上午|下午|中午|晚上|凌晨|早上|am|pm)? ?"
    r"(?P<hour>\d{1,2})[:时h](?P<minute>\d{1,2})(?:[:分](?P<second>\d{1,2})(?P<fraction>[.,]\d+)?)?[分秒]?"
    r" ?(?P<half>[ap]\.?m\.?)?)?"
)
_ZONE = r" ?(?P<zone>z|utc|gmt|\(?(?:utc|gmt)? ?[+-]\d{1,2}(?::?\d{2})?\)?)? ?(?P<doubtful>[a-z]{2,5})?"
_DATES = (
    r"(?P<year>\d{4})[-/.年](?P<month>\d{1,2})[-/.月](?P<day>\d{1,2})日?",
    r"(?P<year>\d{4})(?P<month>\d{2})(?P<day>\d{2})",
    rf"{_MONTH} (?P<day>\d{{1,2}})(?:st|nd|rd|th)?,? (?P<year>\d{{4}})",
    rf"(?P<day>\d{{1,2}})[ -]{_MONTH}[ -,]+(?P<year>\d{{4}})",
    r"(?P<first>\d{1,2})(?P<mark>[-/. ])(?P<next>\d{1,2})(?P=mark)(?P<year>\d{4})",
)
_FORMS = tuple(re.compile(date + _CLOCK + _ZONE) for date in _DATES)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?")
_COMPACT_CLOCK = re.compile(r"^(\d{8}|\d{4}-\d\d-\d\d) (\d{2})(\d{2})(\d{2})?(?=$| )")
_WEEKDAY = re.compile(r"(?:星期|周|週)[一二三四五六日天]|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b,?")
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?")
_AFTERNOON = frozenset({"下午", "晚上", "pm"})


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def zone_of_text(name: str) -> tzinfo | None:
    """The zone that a platform gives beside a time: `GMT+08:00`, `+8`, an IANA name; None for anything else."""
    text = unicodedata.normalize("NFKC", name).strip()
    offset = _OFFSET.search(text)
    if offset and not text[: offset.start()].strip(" (").casefold().strip("utcgm"):
        return _offset(offset)
    try:
        return zone(text) if "/" in text or text.casefold() in ("utc", "gmt") else None
    except ValueError:
        return None


def _offset(found: re.Match[str]) -> timezone:
    span = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    if span > timedelta(hours=14):
        raise ValueError("no offset of a time zone")
    return timezone(-span if found["sign"] == "-" else span)


def read_time(value: object, tz: tzinfo) -> datetime:
    """The aware time for a carrier's spelling; a naive time is in `tz`.

    Accepts every unambiguous spelling: ISO 8601 and its variants, one-digit months, 年月日 and 上午/下午,
    AM and PM, names of months, 8 and 14 digits, full-width signs, numbers (seconds or milliseconds since 1970,
    or a spreadsheet's days). 24:00 is the next day's midnight; a time that a clock change repeats is the first
    of the two; digits of a second after the sixth are cut. ValueError if it is not a time, or is ambiguous.
    """
    if isinstance(value, datetime):
        return _checked(value if value.tzinfo else value.replace(tzinfo=tz), value)
    if isinstance(value, str):
        text = _plain(value)
        if not text:
            raise ValueError("no time")
        number = _number(text)
        return _checked(_from_text(text, value, tz) if number is None else _from_number(number, tz), value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _checked(_from_number(float(value), tz), value)
    raise ValueError("no time")


def _plain(text: str) -> str:
    folded = unicodedata.normalize("NFKC", unescape(text)).casefold()
    return " ".join(_WEEKDAY.sub(" ", folded).split())


def _number(text: str) -> float | None:
    """The number that a text is, where it stands for a time: 10 or 13 digits, or a spreadsheet's days."""
    whole, _, part = text.partition(".")
    if not whole.isdecimal() or (part and not part.isdecimal()):
        return None
    return float(text) if len(whole) in (10, 13) or (len(whole) == 5 and int(whole) in _EXCEL) else None


def _from_number(number: float, tz: tzinfo) -> datetime:
    if int(number) in _EXCEL:
        return (_EXCEL_EPOCH + timedelta(seconds=round(number * 86_400))).replace(tzinfo=tz)
    try:
        return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS else number, tz)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(f"no time: {number!s:.40}") from error


def _from_text(text: str, written: str, tz: tzinfo) -> datetime:
    digits = _DIGITS.fullmatch(text)
    if digits:
        text = "{}-{}-{} {}:{}:{}".format(*(part or "00" for part in digits.groups()))
    text = _COMPACT_CLOCK.sub(lambda found: f"{found[1]} {found[2]}:{found[3]}:{found[4] or '00'}", text)
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is None:
            continue
        if found["doubtful"]:
            raise ValueError(f"no time: {written[:40]!r}: {found['doubtful'].upper()} may be several zones")
        try:
            return _made(found, tz)
        except ValueError as error:
            raise ValueError(f"no time: {written[:40]!r}: {error}") from error
    raise ValueError(f"no time: {written[:40]!r}")


def _made(found: re.Match[str], tz: tzinfo) -> datetime:
    named = found.groupdict()
    year, month, day = _date(named)
    hour, minute, second = (int(named[name] or 0) for name in ("hour", "minute", "second"))
    half = (named["half"] or "").replace(".", "") or named["before"]
    if half and hour <= 12:
        if half in ("中午",):
            hour = hour + 12 if hour < 3 else hour
        elif half in _AFTERNOON:
            hour = hour + 12 if hour < 12 else 12
        elif hour == 12:
            hour = 0
    days = 0
    if (hour, minute, second) == (24, 0, 0):
        hour, days = 0, 1
    fraction = int((named["fraction"] or "")[1:7].ljust(6, "0") or 0)
    moment = datetime(year, month, day, hour, minute, second, fraction) + timedelta(days=days)  # noqa: DTZ001
    return moment.replace(tzinfo=_written_zone(named["zone"], tz))


def _date(named: dict[str, str | None]) -> tuple[int, int, int]:
    year = int(named["year"] or 0)
    if named.get("word"):
        return year, _MONTHS[str(named["word"])], int(named["day"] or 0)
    if named.get("month"):
        return year, int(named["month"] or 0), int(named["day"] or 0)
    first, second = int(named["first"] or 0), int(named["next"] or 0)
    if named["mark"] == ".":
        # Nobody who writes dots begins with the month.
        return year, second, first
    if first > 12 >= second:
        return year, second, first
    if second > 12 >= first or first == second:
        return year, first, second
    raise ValueError("which is the month?")


def _written_zone(written: str | None, tz: tzinfo) -> tzinfo:
    if not written:
        return tz
    offset = _OFFSET.search(written)
    return _offset(offset) if offset else UTC


def _checked(moment: datetime, value: object) -> datetime:
    try:
        if moment.astimezone(UTC) < _EARLIEST:
            raise ValueError(f"no time of a parcel: {value!s:.40}")
    except OverflowError as error:
        raise ValueError(f"no time of a parcel: {value!s:.40}") from error
    return moment


def rfc3339(moment: datetime) -> str:
    """RFC 3339 with the offset of `moment`, a fraction only where there is any."""
    offset = moment.utcoffset()
    if offset is None or offset % timedelta(minutes=1):
        moment = moment.astimezone(UTC)
    return moment.isoformat()
