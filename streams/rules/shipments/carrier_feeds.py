"""Feed silence: if a carrier's scans stop altogether, that is one alert, not thousands.

A carrier is silent at an hour boundary T if it had no scan in the preceding hours but many at the same time on previous
days. From T until its next scan R, its shipments' deadlines are moved. Only distinct scans count, by whole hours.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort
from typing import Any

import msgspec

from schemas.times import DAY, HOUR, render
from streams.policy.shipments import FeedSilence
from streams.rules.alert import PLATFORM, RAISED, RESOLVED, Alert

FEED_SILENT = "carrier.feed_silent"


class Silent(msgspec.Struct, array_like=True, gc=False):
    """One silence of a feed: from the boundary `start` until the scan at `end`, or None. Microseconds.

    `usual`: the mean number of scans in the same hours of the previous days.
    """

    start: int
    end: int | None
    usual: float


class Feed(msgspec.Struct, gc=True):
    """The scans of one carrier by hour, and its silences in order.

    `hours`: by start, the number of distinct scans and the time of the first. `boundary`: the next one to judge, which
    follows from how far the feeds are judged.
    """

    carrier: str
    hours: dict[int, tuple[int, int]] = msgspec.field(default_factory=dict)
    silences: list[Silent] = msgspec.field(default_factory=list)
    boundary: int | None = None
    order: list[int] = msgspec.field(default_factory=list)

    def add(self, hour: int, count: int, first: int) -> None:
        """Counts scans of an hour. Boundaries already judged stand; the scans count for later ones only."""
        known = self.hours.get(hour)
        if known is None:
            self.hours[hour] = (count, first)
            insort(self.order, hour)
        else:
            self.hours[hour] = (known[0] + count, min(known[1], first))

    def covering(self, deadline: int) -> Silent | None:
        """The silence that contains the deadline (start inclusive, end exclusive), or None."""
        place = bisect_right(self.silences, deadline, key=lambda silent: silent.start) - 1
        if place < 0:
            return None
        silent = self.silences[place]
        return silent if silent.end is None or deadline < silent.end else None

    def advance(self, known: int, settled: int, rules: FeedSilence) -> list[tuple[Silent, str]]:
        """Judges the boundaries below `known`, up to which all scans are counted: (silence, raised or resolved).

        A silence ends at the carrier's next scan, once that is below `settled`.
        """
        changes: list[tuple[Silent, str]] = []
        if self.boundary is None:
            if not self.order:
                return changes
            self.boundary = self.order[0] + HOUR
        window = round(rules.hours) * HOUR
        while True:
            current = self.silences[-1] if self.silences and self.silences[-1].end is None else None
            if current is not None:
                end = self._first_at_or_after(current.start)
                if end is None or end >= settled:
                    break
                current.end = end
                changes.append((current, RESOLVED))
                self.boundary = max(self.boundary, end - end % HOUR + HOUR)
                continue
            if self.boundary >= known:
                break
            boundary = self.boundary
            before = bisect_left(self.order, boundary) - 1
            last = self.order[before] if before >= 0 else None
            if last is None or last < boundary - window - rules.days * DAY:
                # No baseline that could be missed: skip to the hour after the next scan, or to `known`.
                following = self.order[before + 1] if before + 1 < len(self.order) else None
                unknown = next_boundary(known)
                self.boundary = min(unknown, following + HOUR) if following is not None else unknown
                continue
            if last >= boundary - window:
                self.boundary = last + window + HOUR
                continue
            usual = self._usual(boundary, window, rules.days)
            self.boundary = boundary + HOUR
            if usual >= rules.min_scans:
                silent = Silent(boundary, None, usual)
                self.silences.append(silent)
                changes.append((silent, RAISED))
        if current is None:
            # Whatever was skipped: other partitions may still count scans before it.
            self.boundary = next_boundary(known)
        return changes

    def forget(self, known: int, looked: int, rules: FeedSilence, keep: int) -> list[int]:
        """Drops hours that no boundary from `known` on needs, and silences older than `keep` at `looked`.

        Returns the hours dropped.
        """
        oldest = known - known % HOUR - round(rules.hours) * HOUR - (rules.days + 1) * DAY
        gone = self.order[: bisect_left(self.order, oldest)]
        if gone:
            del self.order[: len(gone)]
            for hour in gone:
                del self.hours[hour]
        while self.silences and self.silences[0].end is not None and self.silences[0].end < looked - keep:
            del self.silences[0]
        return gone

    def _first_at_or_after(self, time: int) -> int | None:
        """Time of the first scan at or after a boundary."""
        place = bisect_left(self.order, time)
        return self.hours[self.order[place]][1] if place < len(self.order) else None

    def _usual(self, boundary: int, window: int, days: int) -> float:
        total = 0
        for day in range(1, days + 1):
            end = boundary - day * DAY
            total += sum(self.hours[hour][0] for hour in range(end - window, end, HOUR) if hour in self.hours)
        return total / days


def next_boundary(known: int) -> int:
    """The first boundary that is not judged when the scans below `known` (microseconds) are counted."""
    return -(-known // HOUR) * HOUR


def alert(carrier: str, silent: Silent, status: str, rules: FeedSilence) -> Alert:
    """The alert for the start or end of a silence."""
    evidence: dict[str, Any] = {
        "silent_since": render(silent.start - round(rules.hours) * HOUR),
        "hours": rules.hours,
        "usual_scans": round(silent.usual),
    }
    resolved = status == RESOLVED
    if resolved:
        evidence["raised_at"] = render(silent.start)
    time = silent.end if resolved and silent.end is not None else silent.start
    episode = f"{carrier}/{render(silent.start)}"
    return Alert(
        FEED_SILENT, carrier, status, time, (PLATFORM,), None, None, carrier, episode,
        "resumed" if resolved else None, evidence,
    )  # fmt: skip
