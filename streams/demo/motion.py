"""Fast motion: a clock on which days pass in a second, and the records that reach the log by it."""

from __future__ import annotations

from collections.abc import Callable

from schemas.times import DAY
from streams.marketplace.market import Plan, market

#: Adds a record to a topic: topic, key, value.
Append = Callable[[str, bytes, bytes], object]


class Motion:
    """Plays a plan. `pace`: days of the plan in a second of the reader's."""

    def __init__(self, plan: Plan, pace: float, append: Append) -> None:
        self.plan = plan
        self.sent = 0
        self._pace = pace
        self._append = append
        self._now = plan.start
        self._records = market(plan)
        self._next = next(self._records, None)

    def now(self) -> int:
        """The clock, in microseconds: everything that was sent before it is in the log."""
        return self._now

    @property
    def over(self) -> bool:
        """Whether the plan has come to its end."""
        return self._now >= self.plan.end

    def step(self, seconds: float) -> None:
        """Lets so much time of the reader's pass, but not beyond the plan's end."""
        until = min(self._now + int(seconds * self._pace * DAY), self.plan.end)
        while self._next is not None and self._next.sent_at < until:
            record = self._next
            self._append(record.topic, record.key.encode(), record.encode())
            self.sent += 1
            self._next = next(self._records, None)
        self._now = until
