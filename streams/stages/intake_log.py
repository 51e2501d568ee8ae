"""Rate-limited log of dead letters and late events: where each record is, never what it holds."""

from __future__ import annotations

from collections.abc import Callable

import structlog

from schemas.times import SECOND

log = structlog.get_logger(__name__)

#: Least time between two lines for the same topic and reason, in microseconds.
PAUSE = 30 * SECOND


class IntakeLog:
    """The intake log of one task. `now` gives the wall clock in microseconds."""

    def __init__(self, now: Callable[[], int]) -> None:
        self._now = now
        #: By topic and reason: the time of the last line, and how many were suppressed since.
        self._said: dict[tuple[str, str], tuple[int, int]] = {}

    def dead(self, topic: str, partition: int, offset: int, reason: str) -> None:
        """Logs a dead letter."""
        unsaid = self._due(topic, reason)
        if unsaid is not None:
            log.warning(
                "dead letter", topic=topic, partition=partition, offset=offset, reason=reason, others_since=unsaid
            )

    def late(self, topic: str, partition: int, offset: int) -> None:
        """Logs an event behind its watermark."""
        unsaid = self._due(topic, "late")
        if unsaid is not None:
            log.info("late event", topic=topic, partition=partition, offset=offset, others_since=unsaid)

    def _due(self, topic: str, reason: str) -> int | None:
        """How many were suppressed since the last line; None if this one is suppressed too."""
        now = self._now()
        last, unsaid = self._said.get((topic, reason), (None, 0))
        if last is not None and 0 <= now - last < PAUSE:
            self._said[topic, reason] = last, unsaid + 1
            return None
        self._said[topic, reason] = now, 0
        return unsaid
