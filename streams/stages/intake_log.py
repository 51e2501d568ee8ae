"""Rate-limited log of dead letters and late events: where each record is, never what it holds."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from schemas.times import SECOND
from streams.engine.seldom import PAUSE as SECONDS
from streams.engine.seldom import Seldom

log = structlog.get_logger(__name__)

#: Least time between two lines for the same topic and reason, in microseconds.
PAUSE = round(SECONDS * SECOND)
_LATE = "late"


class IntakeLog:
    """The intake log of a worker. `now` gives the wall clock in microseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._seldom = Seldom[tuple[str, str]](lambda: now() / SECOND)
        #: By topic and reason: where the last one was that was left out.
        self._left_out: dict[tuple[str, str], tuple[int, int]] = {}

    def dead(self, topic: str, partition: int, offset: int, reason: str) -> None:
        """Logs a dead letter."""
        self._take(topic, partition, offset, reason)

    def late(self, topic: str, partition: int, offset: int) -> None:
        """Logs an event behind its watermark."""
        self._take(topic, partition, offset, _LATE)

    def catch_up(self) -> None:
        """Tells of what was left out, once the pause is over: the last line of a flood has the rest of its count."""
        if self._left_out:
            for what, count in self._seldom.overdue():
                self._say(*what, *self._left_out.pop(what), count - 1)

    def _take(self, topic: str, partition: int, offset: int, reason: str) -> None:
        others = self._seldom.due((topic, reason))
        if others is None:
            self._left_out[topic, reason] = partition, offset
        else:
            self._left_out.pop((topic, reason), None)
            self._say(topic, reason, partition, offset, others)

    @staticmethod
    def _say(topic: str, reason: str, partition: int, offset: int, others: int) -> None:
        where = {"topic": topic, "partition": partition, "offset": offset}
        if reason == _LATE:
            log.info("late event", **where, others_since=others)
        else:
            log.warning("dead letter", **where, reason=reason, others_since=others)
