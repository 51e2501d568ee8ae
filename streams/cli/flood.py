"""Keeps floods out of the log: of any one event a number of lines at once, and after them one now and then."""

from __future__ import annotations

import time
from collections.abc import Callable

import structlog
from structlog.typing import EventDict, WrappedLogger

#: Lines of one event at once: a worker has one for each of its tasks when it starts. Then one in so many seconds.
AT_ONCE, EVERY = 500, 10.0
#: Different events that are counted; there are far fewer, unless one is made of what it tells.
_EVENTS = 1_000


class Flood:
    """A processor of structlog that drops what is too much; the next line of that event has the number as `left_out`.

    It is what holds where nobody has thought of a limit; who expects a flood says it seldom himself.
    """

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        self._now = now
        #: By logger and event: lines that may be written yet, as of when, and how many were left out.
        self._events: dict[tuple[object, object], tuple[float, float, int]] = {}

    def __call__(self, _logger: WrappedLogger, _name: str, event: EventDict) -> EventDict:
        key = event.get("logger"), event.get("event")
        now = self._now()
        left, then, left_out = self._events.pop(key, (float(AT_ONCE), now, 0))
        left = min(AT_ONCE, left + max(0.0, now - then) / EVERY)
        told = left >= 1
        # Behind the others: the one that was heard of least recently is forgotten.
        self._events[key] = (left - 1, now, 0) if told else (left, now, left_out + 1)
        if len(self._events) > _EVENTS:
            del self._events[next(iter(self._events))]
        if not told:
            raise structlog.DropEvent
        if left_out:
            event["left_out"] = left_out
        return event
