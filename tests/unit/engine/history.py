"""Random histories of the toy dataflow, and orders of arrival within the lateness."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from random import Random
from typing import Any

from streams.engine.partitioner import partition_for
from tests.unit.engine.toy import HOUR, LATENESS, SECOND

#: 2026-03-02T00:00:00Z.
T0 = 1_772_409_600_000_000
UNTIL = T0 + 100 * HOUR

Events = dict[str, list[list[Any]]]


def history(random: Random, size: int = 60) -> Events:
    """Some days of a few orders, parcels and calls; many at equal instants, some on borders, some after the end."""
    orders = [f"o{number}" for number in range(6)]
    parcels = [f"p{number}" for number in range(8)]
    shops = ["s1", "s2", "s3"]

    def time() -> int:
        step = random.choice((HOUR, HOUR // 2, 7 * SECOND))
        return T0 + random.randrange(102 * HOUR // step) * step

    return {
        "orders": [
            [time(), "order", random.choice(orders), random.choice(parcels), random.choice(shops)]
            for _ in range(size // 6)
        ],
        "calls": [[time(), "call", random.choice(orders)] for _ in range(size // 3)],
        "scans": [[time(), "scan", random.choice(parcels)] for _ in range(size // 2)],
    }


def key_of(event: Sequence[Any]) -> bytes:
    return str(event[2]).encode()


def arrival(random: Random, events: Events) -> dict[str, list[list[Any]]]:
    """The same events, disordered by less than the lateness of their topic."""
    return {
        topic: sorted(listed, key=lambda event: (event[0] + random.randrange(LATENESS[topic]), event[0]))
        for topic, listed in events.items()
    }


def partitions_used(events: Events, counts: Mapping[str, int]) -> dict[str, set[int]]:
    """Which partitions of each topic have any record."""
    return {
        topic: {partition_for(key_of(event), counts[topic]) for event in listed} for topic, listed in events.items()
    }
