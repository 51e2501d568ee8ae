"""How many alerts of a task are open, for metrics. Kept with its horizons: counting the state would take long."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping

from streams.rules.alert import RAISED, Alert
from streams.rules.alert_types import ALERT_TYPES

#: Type, audience, number.
OpenRow = tuple[str, str, int]


class OpenAlerts:
    """Open alerts by type and audience; one for two audiences counts for each. Types that no event resolves do not."""

    def __init__(self) -> None:
        self.counts: Counter[tuple[str, str]] = Counter()

    def take(self, alert: Alert) -> None:
        """Counts an alert that is sent."""
        if ALERT_TYPES[alert.type].is_resolved_by_events:
            step = 1 if alert.status == RAISED else -1
            for audience in alert.audiences:
                self.counts[alert.type, audience] += step

    def count(self, found: Iterable[tuple[str, str]]) -> None:
        """Counts anew, by type and audience of each open alert: for a state without counts."""
        self.counts = Counter(one for one in found if ALERT_TYPES[one[0]].is_resolved_by_events)

    def abandon(self, evicted: Mapping[tuple[str, str], int]) -> None:
        """Leaves out alerts whose state was evicted while they were open: nothing resolves them any more."""
        for (type_, audience), number in evicted.items():
            if ALERT_TYPES[type_].is_resolved_by_events:
                self.counts[type_, audience] -= number

    @property
    def rows(self) -> list[OpenRow]:
        """What to keep of it."""
        return sorted((type_, audience, number) for (type_, audience), number in self.counts.items() if number)

    def restore(self, rows: Iterable[OpenRow]) -> None:
        """Resumes from what was kept."""
        self.counts = Counter({(type_, audience): number for type_, audience, number in rows})
