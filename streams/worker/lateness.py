"""How much of what came in the last minute was late: a past stream that is read into running workers shows here."""

from __future__ import annotations

import time
from collections import Counter, deque
from collections.abc import Callable, Mapping

import structlog

log = structlog.get_logger(__name__)

#: Seconds that are looked back over, and between two lines about one topic.
WINDOW = 60.0
#: Late events, and their share of all records, from which on something is wrong.
MANY, MUCH = 100, 0.1

DO = (
    "a past stream is read into workers that have come to the present: its alerts are raised and withdrawn. Stop the "
    "workers and its producers, run `parcelwatch reset`, and start the workers with --catch-up before it is produced"
)


class Lateness:
    """Records and late events of the last minute, by topic. `clock` gives seconds that only grow."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        #: (when, topic, records, late), and the sums of what is in it.
        self._seen: deque[tuple[float, str, int, int]] = deque()
        self._records: Counter[str] = Counter()
        self._late: Counter[str] = Counter()
        self._told: dict[str, float] = {}

    def take(self, topic: str, records: int, late: int) -> None:
        """Counts what was read, and what of it was late."""
        if records or late:
            self._seen.append((self._clock(), topic, records, late))
            self._records[topic] += records
            self._late[topic] += late

    def shares(self) -> Mapping[str, float]:
        """The share of late events by topic, 0 to 1; says in the log, once in a while, where it is high."""
        now = self._clock()
        while self._seen and self._seen[0][0] <= now - WINDOW:
            _, topic, records, late = self._seen.popleft()
            self._records[topic] -= records
            self._late[topic] -= late
        shares = {topic: self._share(topic) for topic in self._records}
        for topic, share in shares.items():
            if self._late[topic] >= MANY and share >= MUCH and now - self._told.get(topic, -WINDOW) >= WINDOW:
                self._told[topic] = now
                late, records = self._late[topic], self._records[topic]
                log.error("late events", topic=topic, share=f"{share:.0%}", late=late, records=records, do=DO)
        return shares

    def _share(self, topic: str) -> float:
        # What was read a moment ago may not have been judged yet, and the other way round.
        return min(self._late[topic] / max(self._records[topic], 1), 1.0)
