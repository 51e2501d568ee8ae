"""Quiet hours and times of digests, by a shop's own clock.

A clock that is put forward skips minutes and one that is put back repeats them: what holds is what the clock shows.
Times of day are minutes since midnight, instants microseconds since 1970.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from functools import lru_cache
from zoneinfo import ZoneInfo

from schemas.times import MINUTE

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
#: Minutes of two days: in a day of 25 hours every time of the day is shown, or skipped, within it.
_MOST = 2 * 1440


def quiet_until(now: int, zone: str, begin: int, end: int) -> int | None:
    """The first instant from `now` on at which the clock shows no time in [begin, end); None: it shows none now.

    `begin` after `end` goes past midnight.
    """
    if not _within(_minute_of_day(now // MINUTE, zone), begin, end):
        return None
    return _first_beyond(now // MINUTE + 1, zone, begin, end) * MINUTE


def next_of(after: int, times: tuple[int, ...], zone: str) -> int:
    """The first instant behind `after` at which the clock reaches, or skips, one of the times."""
    return _next(after // MINUTE + 1, times, zone) * MINUTE


@lru_cache(maxsize=4_096)
def _first_beyond(minute: int, zone: str, begin: int, end: int) -> int:
    last = minute + _MOST
    while minute < last and _within(_minute_of_day(minute, zone), begin, end):
        minute += 1
    return minute


@lru_cache(maxsize=4_096)
def _next(minute: int, times: tuple[int, ...], zone: str) -> int:
    before = _minute_of_day(minute - 1, zone)
    for each in range(minute, minute + _MOST):
        now = _minute_of_day(each, zone)
        # What lies between two minutes that follow each other has been skipped; a clock put back passes nothing.
        passed = (now - before) % 1440
        if passed < 720 and any(0 <= (now - time) % 1440 < passed for time in times):
            return each
        before = now
    raise AssertionError("every time of the day comes within two days")


def _minute_of_day(minute: int, zone: str) -> int:
    local = (_EPOCH + timedelta(minutes=minute)).astimezone(ZoneInfo(zone))
    return local.hour * 60 + local.minute


def _within(time: int, begin: int, end: int) -> bool:
    return begin <= time < end if begin <= end else time >= begin or time < end


def minute_shown(now: int, zone: str) -> str:
    """What the clock shows, as YYYY-MM-DD HH:MM with the offset from UTC."""
    return (_EPOCH + timedelta(microseconds=now)).astimezone(ZoneInfo(zone)).strftime("%Y-%m-%d %H:%M %z")
