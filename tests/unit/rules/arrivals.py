"""In which order events arrive, where what is due is looked at, and where a stream ends."""

from __future__ import annotations

import os
from random import Random
from typing import Any

from hypothesis import HealthCheck, settings

from tests.oracle.policy import DAY, HOUR
from tests.oracle.streams import random_until
from tests.oracle.timeline import microseconds

Events = list[dict[str, Any]]


#: Locally each run looks elsewhere; where runs are compared with one another they look at the same.
FIXED = "CI" in os.environ


QUICK = settings(
    deadline=None, derandomize=FIXED, max_examples=120, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)


def some(random: Random, count: int) -> list[int]:
    """Places at which what is due is looked at: none, some, or all."""
    share = random.choice((0, 0.1, 1))
    return [place for place in range(count) if random.random() < share]


def ends(random: Random, events: Events) -> int | None:
    return random.choice((None, random_until(random, events)))


def told_apart(events: Events) -> Events:
    """Without those that the arrival decides between: of two facts of one id and time the first to come holds."""
    seen = set()
    kept = []
    for event in events:
        value = event["value"]
        place = event["topic"], value["type"], microseconds(value["occurred_at"])
        if place not in seen:
            seen.add(place)
            kept.append(event)
    return kept


def in_any_order(events: Events, random: Random) -> Events:
    """Mostly in order, with some that come much later, or in no order at all."""
    if random.random() < 0.3:
        return random.sample(events, len(events))
    waits = (0, 0, 0, HOUR, 3 * DAY, 30 * DAY)
    times = [microseconds(event["value"]["occurred_at"]) + random.choice(waits) for event in events]
    return [events[place] for place in sorted(range(len(events)), key=lambda place: times[place])]
