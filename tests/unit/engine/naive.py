"""What one reader of the sorted history finds: the same rules as in `toy`, without any stream."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from tests.unit.engine.toy import HOUR, SILENCE

History = Mapping[str, Sequence[Sequence[Any]]]


def naive(history: History, until: int) -> Counter[tuple[Any, ...]]:
    """All results of the events up to `until`, deadlines before it."""
    kept = {
        topic: sorted(list(event) for event in events if event[0] <= until and event[1] != "tick")
        for topic, events in history.items()
    }
    found: Counter[tuple[Any, ...]] = Counter()
    orders: dict[str, list[Any]] = {}
    parcels: dict[str, list[Any]] = {}
    updates: defaultdict[str, set[int]] = defaultdict(set)
    for time, _, order, parcel, shop in kept["orders"]:
        orders[order] = min(orders.get(order, [time, shop]), [time, shop])
        parcels[parcel] = min(parcels.get(parcel, [time, order]), [time, order])
        updates[parcel].add(time)
    hours: Counter[int] = Counter()
    for time, _, parcel in kept["scans"]:
        updates[parcel].add(time)
        hours[time // HOUR] += 1
    silences = sorted(
        (time + SILENCE, parcel)
        for parcel, times in updates.items()
        for time in times
        if time + SILENCE < until and not any(time < other <= time + SILENCE for other in times)
    )
    links: defaultdict[str, list[int]] = defaultdict(list)
    seen: Counter[str] = Counter()
    for deadline, parcel in silences:
        found["silent", deadline, parcel, hours[deadline // HOUR - 1]] += 1
        seen[parcel[-1]] += 1
        found["depot", deadline, parcel[-1], parcel, seen[parcel[-1]]] += 1
        if parcel in parcels and parcels[parcel][0] < deadline:
            links[parcels[parcel][1]].append(deadline)
    shops: defaultdict[int, dict[str, list[int]]] = defaultdict(dict)
    for time, _, order in kept["calls"]:
        placed, shop = orders.get(order, [time + 1, ""])
        shop = shop if placed <= time else "nobody"
        linked = sum(1 for link in links[order] if link < time)
        found["call", time, order, shop, linked] += 1
        count = shops[time // HOUR + 1].setdefault(shop, [0, 0])
        count[0] += 1
        count[1] += linked > 0
    for boundary, counts in shops.items():
        if boundary * HOUR < until:
            total = sum(count for count, _ in counts.values())
            for shop, (count, linked) in counts.items():
                found["judged", boundary, shop, count, linked, total] += 1
    return found
