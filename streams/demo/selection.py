"""Selects which of many alerts to show: the most important first, and a little of everything."""

from __future__ import annotations

from collections import Counter

from schemas.outputs import AlertEvent
from streams.alerts.cloudevents import name_of
from streams.rules.alert_types import ALERT_TYPES, types_about

#: The rarer a line of that severity is to be, the greater; what is resolved counts three times as much.
WEIGHTS = {"critical": 1, "warning": 2, "info": 6}
_RESOLVED = 3
#: What the demonstration leads up to is never left out for the shop that is watched.
_ALWAYS = frozenset(name for name in types_about("shop", "item") if ALERT_TYPES[name].severity != "info")


class Selection:
    """Takes all alerts and gives back some at a time.

    The next is one of the type whose lines, with it, weigh least: of what has not been seen yet the gravest, then a
    mixture. What must be seen is about the shop `watched`.
    """

    def __init__(self, watched: str) -> None:
        self._watched = watched
        self._offered: list[AlertEvent] = []
        self._weight: Counter[tuple[str, str]] = Counter()
        #: How many were never given back.
        self.left_out = 0

    def offer(self, event: AlertEvent) -> None:
        """One more alert to choose from."""
        self._offered.append(event)

    def take(self, at_most: int) -> list[AlertEvent]:
        """So many of the alerts offered since the last call, in the order of their times, and what must be seen."""
        taken = []
        left = self._offered
        self._offered = []
        for event in [event for event in left if self._must(event)]:
            left.remove(event)
            taken.append(self._note(event))
        while left and len(taken) < at_most:
            event = min(left, key=lambda event: self._weight[_kind(event)] + _weight_of(event))
            left.remove(event)
            taken.append(self._note(event))
        self.left_out += len(left)
        return sorted(taken, key=lambda event: event.time)

    def _must(self, event: AlertEvent) -> bool:
        data = event.data
        return data.status == "raised" and data.shop_id == self._watched and name_of(event.type) in _ALWAYS

    def _note(self, event: AlertEvent) -> AlertEvent:
        self._weight[_kind(event)] += _weight_of(event)
        return event


def _weight_of(event: AlertEvent) -> int:
    weight = WEIGHTS[event.data.severity]
    return weight if event.data.status == "raised" else weight * _RESOLVED


def _kind(event: AlertEvent) -> tuple[str, str]:
    return name_of(event.type), event.data.status
