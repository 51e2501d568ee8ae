"""Stage 3: clusters of stalls, by facility."""

from __future__ import annotations

from heapq import heappop, heappush

from streams.engine.processor import BEGINNING, Horizon
from streams.policy.model import Policy
from streams.rules.alert import Alert
from streams.rules.shipments.stall_clusters import Facility

#: ("stalled" or "disproved", facility, time, name of the stall)
PointRecord = tuple[str, str, int, str]


class ClusterBook:
    """The state of stage 3 of one partition."""

    def __init__(self, policy: Policy) -> None:
        self.facilities: dict[str, Facility] = {}
        self.horizon = Horizon(BEGINNING)
        self.alerts: list[Alert] = []
        self.changed: set[str] = set()
        self._rules = policy.clusters
        self._unjudged: set[str] = set()
        #: When each facility may be forgotten, at the earliest.
        self._ends: list[tuple[int, str]] = []

    def take(self, record: PointRecord) -> None:
        """Takes a stall, or the news that one was disproved."""
        what, name, time, stall = record
        facility = self.facilities.get(name)
        if what == "stalled":
            if facility is None:
                facility = self.facilities[name] = Facility(name)
                heappush(self._ends, (time, name))
            if time < self.horizon.watermark:
                # Judgements already passed stand.
                facility.judged = max(facility.judged, time + 1)
            if facility.add(time, stall):
                self._unjudged.add(name)
                self.changed.add(name)
        elif facility is not None and facility.remove(time, stall):
            self.changed.add(name)

    def advance(self, horizon: Horizon) -> None:
        """Judges the stalls below the horizon's watermark."""
        if horizon == self.horizon:
            return
        self.horizon = horizon
        for name in sorted(self._unjudged):
            facility = self.facilities[name]
            self.alerts += facility.advance(horizon.watermark, self._rules)
            self.changed.add(name)
            if not facility.points or facility.points[-1][0] < horizon.watermark:
                self._unjudged.discard(name)
        while self._ends and self._ends[0][0] <= horizon.watermark:
            self._end(heappop(self._ends)[1], horizon.watermark)

    def _end(self, name: str, watermark: int) -> None:
        """Forgets a facility, or moves its end."""
        end = self.facilities[name].end(self._rules)
        if end > watermark:
            heappush(self._ends, (end, name))
            return
        del self.facilities[name]
        self._unjudged.discard(name)
        self.changed.add(name)

    def rebuild(self, facilities: dict[str, Facility], horizon: Horizon) -> None:
        """Resumes at that horizon from restored state."""
        self.facilities, self.horizon = facilities, horizon
        self._unjudged = set(facilities)
        self._ends = [(horizon.watermark, name) for name in facilities]
