"""Times as carriers write them, into RFC 3339 with an offset."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

#: Before this no carrier's feed existed; such dates are placeholders (0001-01-01, 1900-01-01, 1970-01-01).
_EARLIEST = datetime(1990, 1, 1, tzinfo=UTC)
_MILLISECONDS = 100_000_000_000
"""An integer time from here on is milliseconds: as seconds it would be the year 5138."""


def zone(name: str) -> ZoneInfo:
    """The zone of an IANA name; ValueError where there is none."""
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError) as error:
        raise ValueError(f"unknown time zone {name!r}") from error


def read_time(value: object, tz: ZoneInfo) -> datetime:
    """The aware time of what a carrier wrote.

    Takes ISO 8601 and the usual variants (a space for the T, `/` for `-`, no seconds, an offset or none)
    and integers (seconds or milliseconds since 1970). A naive time is of `tz`; one that a clock change
    repeats is the first of the two. Digits of a second after the sixth are cut. ValueError where it is no
    time.
    """
    if isinstance(value, str) and value.strip().isdigit() and len(value.strip()) in (10, 13):
        value = int(value)
    if isinstance(value, int) and not isinstance(value, bool):
        seconds = value / 1000 if value >= _MILLISECONDS else value
        try:
            moment = datetime.fromtimestamp(seconds, tz)
        except (OverflowError, OSError, ValueError) as error:
            raise ValueError(f"no time: {value}") from error
    elif isinstance(value, str) and value.strip():
        try:
            moment = datetime.fromisoformat(value.strip().replace("/", "-"))
        except ValueError as error:
            raise ValueError(f"no time: {value[:40]!r}") from error
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=tz)
    else:
        raise ValueError("no time")
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
