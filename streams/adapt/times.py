"""Parses times as carriers write them; output is RFC 3339 with an offset."""

from __future__ import annotations

import re
import unicodedata
from datetime import MAXYEAR, UTC, datetime, timedelta, timezone, tzinfo
from decimal import Decimal
from html import unescape
from math import inf, isfinite
from zoneinfo import ZoneInfo, available_timezones

from schemas.did_you_mean import did_you_mean

#: Before this no carrier's feed existed; such dates are placeholders (0001-01-01, 1900-01-01, 1970-01-01).
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_LAST_YEAR = MAXYEAR
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
_USUAL = re.compile(r"\d{4}-\d\d-\d\d[ T]\d\d:\d\d:\d\d", re.ASCII)
"""How most platforms write a time, which is read at once."""
_FORMS = tuple(re.compile(date + _CLOCK + _ZONE) for date in _DATES)
_DIGITS = re.compile(r"(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)?")
_COMPACT_CLOCK = re.compile(r"^(\d{8}|\d{4}-\d\d-\d\d) (\d{2})(\d{2})(\d{2})?(?=$| )")
_DOTNET = re.compile(r"\\?/date\((?P<number>-?\d{1,15})(?:[+-]\d{4})?\)\\?/")
"""Milliseconds since 1970 as .NET writes them; the offset behind them is only for display."""
_WEEKDAY = re.compile(r"(?:星期|周|週)[一二三四五六日天]|\b(?:mon|tue|wed|thu|fri|sat|sun)[a-z]*\b,?")
_OFFSET = re.compile(r"(?P<sign>[+-])(?P<hours>\d{1,2}):?(?P<minutes>\d{2})?")
_AFTERNOON = frozenset({"下午", "晚上", "pm"})
_NORTH_AMERICAN = {
    **dict.fromkeys(("et", "est", "edt"), ZoneInfo("America/New_York")),
    **dict.fromkeys(("ct", "cst", "cdt"), ZoneInfo("America/Chicago")),
    **dict.fromkeys(("mt", "mst", "mdt"), ZoneInfo("America/Denver")),
    **dict.fromkeys(("pt", "pst", "pdt"), ZoneInfo("America/Los_Angeles")),
}
"""What a zone's letters mean in data of North America; elsewhere CST is China's as well, and EST Australia's."""
_WINTER = datetime(2024, 1, 15)  # noqa: DTZ001  asked of each zone


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}{did_you_mean(name, available_timezones())}") from error


def zone_of_text(name: str) -> tzinfo | None:
    """The zone that a platform gives beside a time: `GMT+08:00`, `+8`, an IANA name; None for anything else."""
    if not name:
        return None
    text = unicodedata.normalize("NFKC", name).strip()
    offset = _OFFSET.search(text)
    if offset and not text[: offset.start()].strip(" (").casefold().strip("utcgm"):
        return _offset(offset)
    try:
        # Not by `zone`, which looks for one that may be meant.
        return ZoneInfo(text) if "/" in text or text.casefold() in ("utc", "gmt") else None
    except (KeyError, ValueError, OSError):
        return None


def _offset(found: re.Match[str]) -> timezone:
    span = timedelta(hours=int(found["hours"]), minutes=int(found["minutes"] or 0))
    if span > timedelta(hours=14):
        raise ValueError("no offset of a time zone")
    return timezone(-span if found["sign"] == "-" else span)


def read_time(value: object, tz: tzinfo, day_first: bool | None = None) -> datetime:
    """The aware time for a carrier's spelling; a naive time is in `tz`.

    Accepts every unambiguous spelling: ISO 8601 and its variants, one-digit months, 年月日 and 上午/下午,
    AM and PM, names of months, 8 and 14 digits, full-width signs, numbers (seconds or milliseconds since 1970,
    or a spreadsheet's days). 24:00 is the next day's midnight; a time that a clock change repeats is the first
    of the two; digits of a second after the sixth are cut. `day_first` says how 01/04/2016 is read, which is
    ambiguous otherwise. ValueError if it is not a time, or is ambiguous.
    """
    if isinstance(value, datetime):
        return _checked(value if value.tzinfo else value.replace(tzinfo=tz), value)
    if isinstance(value, str):
        if _USUAL.fullmatch(value):
            try:
                return _checked(datetime.fromisoformat(value).replace(tzinfo=tz), value)
            except ValueError:
                pass  # 24:00:00, or said below
        text = _plain(value)
        if not text:
            raise ValueError("no time")
        dotnet = _DOTNET.fullmatch(text)
        number = float(dotnet["number"]) if dotnet else _number(text)
        return _checked(_from_text(text, value, tz, day_first) if number is None else _from_number(number, tz), value)
    if isinstance(value, int | float | Decimal) and not isinstance(value, bool):
        return _checked(_from_number(_real(value), tz), value)
    raise ValueError("no time")


def _real(number: float | Decimal) -> float:
    try:
        return float(number)
    except OverflowError:
        return inf


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
    if not isfinite(number):
        raise ValueError("no time: no number within a calendar")
    if int(number) in _EXCEL:
        return (_EXCEL_EPOCH + timedelta(seconds=round(number * 86_400))).replace(tzinfo=tz)
    try:
        return datetime.fromtimestamp(number / 1000 if number >= _MILLISECONDS else number, tz)
    except (OverflowError, OSError, ValueError) as error:
        raise ValueError(f"no time: {number!s:.40}") from error


def _from_text(text: str, written: str, tz: tzinfo, day_first: bool | None) -> datetime:
    digits = _DIGITS.fullmatch(text)
    if digits:
        text = "{}-{}-{} {}:{}:{}".format(*(part or "00" for part in digits.groups()))
    text = _COMPACT_CLOCK.sub(lambda found: f"{found[1]} {found[2]}:{found[3]}:{found[4] or '00'}", text)
    for form in _FORMS:
        found = form.fullmatch(text)
        if found is None:
            continue
        try:
            return _lettered(found["doubtful"], _made(found, tz, day_first), tz)
        except ValueError as error:
            raise ValueError(f"no time: {written[:40]!r}: {error}") from error
    raise ValueError(f"no time: {written[:40]!r}")


def _made(found: re.Match[str], tz: tzinfo, day_first: bool | None) -> datetime:
    named = found.groupdict()
    year, month, day = _date(named, day_first)
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


def _lettered(letters: str | None, moment: datetime, tz: tzinfo) -> datetime:
    """`moment` in the zone that letters behind it (ET, PST) name; ValueError where they may be several zones.

    They name one only in data of a North American zone, and only where they fit the season: EST in July is either.
    """
    if not letters:
        return moment
    named = _NORTH_AMERICAN.get(letters)
    if named is not None and _is_north_american(tz):
        moments = [moment.replace(tzinfo=zone) for zone in (tz, named)]
        fits = moments[1:] if len(letters) == 2 else [one for one in moments if one.tzname() == letters.upper()]
        if fits:
            return fits[0]
    hint = (
        "; --tz with a zone of North America makes it one" if named is not None and not _is_north_american(tz) else ""
    )
    raise ValueError(f"{letters.upper()} may be several zones{hint}")


def _is_north_american(tz: tzinfo) -> bool:
    letters = (tz.tzname(_WINTER) or "").casefold()
    named = _NORTH_AMERICAN.get(letters)
    return named is not None and tz.utcoffset(_WINTER) == named.utcoffset(_WINTER)


def _date(named: dict[str, str | None], day_first: bool | None) -> tuple[int, int, int]:
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
    if day_first is None:
        raise ValueError("which is the month? --dates says it")
    return (year, second, first) if day_first else (year, first, second)


def _written_zone(written: str | None, tz: tzinfo) -> tzinfo:
    if not written:
        return tz
    offset = _OFFSET.search(written)
    return _offset(offset) if offset else UTC


def _checked(moment: datetime, value: object) -> datetime:
    if _EARLIEST.year < moment.year < _LAST_YEAR:
        return moment
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
