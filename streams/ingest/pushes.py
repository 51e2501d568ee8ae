"""What a push holds: a pure function of its bytes, how they are to be read, and the time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import NamedTuple

import orjson
import structlog

from schemas.decode import Invalid, decode
from schemas.events import record_key
from schemas.times import DAY
from streams.adapt import Format, Report, Settings, adapt_body

log = structlog.get_logger(__name__)

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


class PushEvent(NamedTuple):
    """One valid event. `topic`: as the program knows it."""

    topic: str
    key: bytes
    value: bytes


class Unread(NamedTuple):
    """Why a push, or a part of it, is a dead letter. `code` is stable; `detail` quotes nothing of the push."""

    code: str
    detail: str


class Reading(NamedTuple):
    """What a push holds: its events, and why there are not more."""

    events: Sequence[PushEvent]
    unread: Unread | None


#: The codes of `Unread`: nothing of the format is in it; parts are not of the format; an event breaks the contract;
#: a fault of ours.
UNREADABLE, PARTLY, INVALID, FAULT = "unreadable", "partly_unreadable", "invalid_event", "fault"


def read_push(chosen: Format, content: bytes, settings: Settings, now: int) -> Reading:
    """Reads what a sender vouches for. `now`: microseconds; what is more than a day ahead of it is none."""
    report = Report()
    settings = replace(settings, latest=_EPOCH + timedelta(microseconds=now + DAY))
    events: list[PushEvent] = []
    refused: list[str] = []
    try:
        for line in adapt_body(chosen, content, settings, report):
            value = orjson.dumps(line.value)
            try:
                event, _ = decode(line.topic, value, now)
            except Invalid as invalid:
                refused.append(str(invalid))
            else:
                events.append(PushEvent(line.topic, record_key(event).encode(), value))
    except Exception as error:
        # Not the platform's fault; but the same push would meet it again.
        log.exception("a fault in reading a push", format=chosen.name)
        return Reading((), Unread(FAULT, type(error).__name__))
    return Reading(events, _unread(report, refused))


def _unread(report: Report, refused: Sequence[str]) -> Unread | None:
    if not report.readable:
        return Unread(UNREADABLE, "nothing of the format in it")
    if refused:
        return Unread(INVALID, f"{len(refused):,} events, the first: {refused[0]}")
    if pieces := len(report.problems) + report.lacking.total():
        return Unread(PARTLY, f"{pieces:,} pieces could not be read")
    return None
