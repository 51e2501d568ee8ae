"""Stage 2b: the carriers' feeds. Every shipments task tracks all feeds; one task per carrier emits its alerts."""

from __future__ import annotations

from collections.abc import Callable

from schemas.times import HOUR
from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules.alert import RESOLVED, Alert
from streams.rules.shipments import carrier_feeds
from streams.rules.shipments.carrier_feeds import Feed, next_boundary

#: (carrier, start of the hour, distinct scans, time of the first)
HourRecord = tuple[str, int, int, int]


class ScanCounter:
    """Counts the scans of one partition by carrier and hour since the last drain."""

    def __init__(self) -> None:
        #: Number of scans, time of the first, by carrier and start of the hour.
        self._hours: dict[tuple[str, int], list[int]] = {}
        #: By carrier, the hour of its last scan: entry, start, end.
        self._last: dict[str, tuple[list[int], int, int]] = {}

    def scan(self, carrier: str, time: int) -> None:
        """Counts one scan that is not a repeat."""
        last = self._last.get(carrier)
        if last is None or not last[1] <= time < last[2]:
            hour = time - time % HOUR
            entry = self._hours.setdefault((carrier, hour), [0, time])
            self._last[carrier] = entry, hour, hour + HOUR
        else:
            entry = last[0]
        entry[0] += 1
        if time < entry[1]:
            entry[1] = time

    def scans(self, carrier: str, hour: int, count: int, first: int) -> None:
        """Counts scans of one hour, the first of them at `first`."""
        entry = self._hours.setdefault((carrier, hour), [0, first])
        entry[0] += count
        entry[1] = min(entry[1], first)

    def drain(self) -> list[HourRecord]:
        """Returns the counts and resets them."""
        records = [(carrier, hour, count, first) for (carrier, hour), (count, first) in self._hours.items()]
        self._hours.clear()
        self._last.clear()
        return records


class FeedBook:
    """The state of stage 2b. `speaks`: whether this task emits the alerts of a carrier."""

    def __init__(self, policy: Policy, speaks: Callable[[str], bool] = lambda _: True) -> None:
        self.feeds: dict[str, Feed] = {}
        self.horizon = Horizon(BEGINNING)
        self.alerts: list[Alert] = []
        self.changed_hours: set[tuple[str, int]] = set()
        self.changed: set[str] = set()
        self._policy = policy
        self._speaks = speaks
        # A parcel is kept as long after its end as it may be silent before it; nothing looks back twice that far.
        self._keep = 2 * (policy.shipments.given_up + policy.shipments.keep)

    @property
    def judged(self) -> int:
        """The feed watermark: deadlines below it are known to fall in a feed silence or not."""
        watermark = self.horizon.watermark
        if watermark == BEGINNING:
            return BEGINNING
        return (watermark - 1) // HOUR * HOUR + HOUR

    def hear(self, record: HourRecord) -> None:
        """Takes the counts of one partition."""
        carrier, hour, count, first = record
        feed = self.feeds.get(carrier)
        if feed is None:
            feed = self.feeds[carrier] = Feed(carrier)
            self.changed.add(carrier)
        feed.add(hour, count, first)
        self.changed_hours.add((carrier, hour))

    def advance(self, horizon: Horizon) -> set[str]:
        """Judges the boundaries passed. Returns the carriers whose silence ended."""
        if horizon == self.horizon:
            return set()
        # Silences are forgotten by the previous horizon: deadlines up to the new one are still to be judged.
        before_now = self.horizon.watermark
        passed = next_boundary(horizon.watermark) > next_boundary(before_now)
        self.horizon = horizon
        rules = self._policy.feed_silence
        ended: set[str] = set()
        for carrier, feed in self.feeds.items():
            for silent, status in feed.advance(horizon.watermark, horizon.settled, rules):
                if status == RESOLVED:
                    ended.add(carrier)
                if self._speaks(carrier):
                    self.alerts.append(carrier_feeds.alert(carrier, silent, status, rules))
                self.changed.add(carrier)
            if passed:
                gone = feed.forget(horizon.watermark, before_now, rules, self._keep)
                self.changed_hours.update((carrier, hour) for hour in gone)
        return ended

    def rebuild(self, horizon: Horizon) -> None:
        """Resumes at that horizon from restored feeds."""
        self.horizon = horizon
        if horizon.watermark != BEGINNING:
            for feed in self.feeds.values():
                feed.boundary = next_boundary(horizon.watermark)

    def silent(self, *, own: bool = False) -> set[str]:
        """The carriers whose feed is silent now; `own`: of those whose alerts this task emits."""
        silent = {carrier for carrier, feed in self.feeds.items() if feed.silences and feed.silences[-1].end is None}
        return {carrier for carrier in silent if self._speaks(carrier)} if own else silent
