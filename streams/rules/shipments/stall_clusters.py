"""Stall clusters: many shipments, last seen at the same facility, that stall within a day."""

from __future__ import annotations

from bisect import bisect_left, bisect_right, insort

import msgspec

from schemas.times import BEFORE_ALL, DAY, HOUR, render
from streams.policy.shipments import Clusters
from streams.rules.alert import PLATFORM, RAISED, Alert

STALL_CLUSTER = "facility.stall_cluster"


class Facility(msgspec.Struct, array_like=True):
    """The stalls at one facility: (time, name) in order; `days`: UTC days already alerted.

    `judged`: stalls before this time (microseconds) are judged; just after the last of them.
    """

    facility: str
    points: list[tuple[int, str]] = msgspec.field(default_factory=list)
    days: list[int] = msgspec.field(default_factory=list)
    judged: int = BEFORE_ALL

    def add(self, time: int, name: str) -> bool:
        """Adds a stall at `time`. Returns False if it is already known."""
        place = bisect_left(self.points, (time, name))
        if place < len(self.points) and self.points[place] == (time, name):
            return False
        self.points.insert(place, (time, name))
        return True

    def remove(self, time: int, name: str) -> bool:
        """Removes a stall that a late event disproved. Returns False if it is not known."""
        if (time, name) not in self.points:
            return False
        self.points.remove((time, name))
        return True

    def advance(self, settled: int, rules: Clusters) -> list[Alert]:
        """Judges the stalls below `settled`; earlier judgements stand."""
        alerts = []
        window = round(rules.hours * HOUR)
        first = bisect_left(self.points, (self.judged, ""))
        for time, _ in self.points[first : bisect_left(self.points, (settled, ""))]:
            # Includes all stalls at the same instant.
            count = self._until(time) - self._until(time - window)
            if count >= rules.stalls and (day := time // DAY) not in self.days:
                insort(self.days, day)
                alerts.append(self._alert(time, count, rules))
            self.judged = max(self.judged, time + 1)
        oldest = self.judged - window - DAY
        del self.points[: bisect_left(self.points, (oldest, ""))]
        self.days = [day for day in self.days if (day + 2) * DAY > oldest]
        return alerts

    def end(self, rules: Clusters) -> int:
        """Stalls from this time on (microseconds) need nothing of what is here."""
        latest = max([self.judged, *(time for time, _ in self.points[-1:])])
        return latest + round(rules.hours * HOUR) + 2 * DAY

    def _until(self, time: int) -> int:
        """The number of stalls up to and including `time`."""
        return bisect_right(self.points, time, key=lambda point: point[0])

    def _alert(self, time: int, count: int, rules: Clusters) -> Alert:
        evidence = {
            "stalls": count,
            "hours": int(rules.hours) if rules.hours == int(rules.hours) else rules.hours,
            "since": render(time - round(rules.hours * HOUR)),
            "facility": self.facility,
        }
        episode = render(time - time % DAY)[:10]
        return Alert(STALL_CLUSTER, self.facility, RAISED, time, (PLATFORM,), None, None, None, episode, None, evidence)
