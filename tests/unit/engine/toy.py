"""A small dataflow with every shape of edge: two kinds, a loop between them, broadcasts, an edge to the own
kind.

A *parcel* is silent when no update of it comes for more than a day; *calls* about an order count as linked
when a parcel of the order has been silent by then; shops are judged at each hour against the sum over all
shops.
"""

from __future__ import annotations

import heapq
from bisect import bisect_left, bisect_right, insort
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from streams.engine.partitioner import partition_for
from streams.engine.processor import (
    BEGINNING,
    Dataflow,
    Edge,
    Effects,
    ExternalInput,
    Horizon,
    Output,
    PartitionClock,
    Record,
    TaskKind,
)

SECOND = 1_000_000
HOUR = 3600 * SECOND
SILENCE = 24 * HOUR
LATENESS = {"orders": 60 * SECOND, "calls": 60 * SECOND, "scans": HOUR}
RESULTS = "results"

DATAFLOW = Dataflow(
    kinds=(
        TaskKind(
            "desk",
            (ExternalInput("orders", LATENESS["orders"]), ExternalInput("calls", LATENESS["calls"])),
            {"calls": ("orders", "calls", "links"), "shops": ("shop-deltas",), "judge": ("sums",)},
        ),
        TaskKind(
            "road",
            (ExternalInput("scans", LATENESS["scans"]),),
            {"parcels": ("scans", "registrations", "scan-hours"), "points": ("points",)},
        ),
    ),
    edges=(
        Edge("registrations", "desk", "road", ("orders",), SECOND),
        Edge("scan-hours", "road", "road", ("scans",), HOUR, broadcast=True),
        Edge("points", "road", "road", ("scans", "registrations", "scan-hours"), HOUR),
        Edge("links", "road", "desk", ("scans", "registrations", "scan-hours"), HOUR),
        Edge("shop-deltas", "desk", "desk", ("orders", "calls", "links"), HOUR),
        Edge("sums", "desk", "desk", ("shop-deltas",), HOUR, broadcast=True),
    ),
)

pack = msgspec.msgpack.encode
unpack = msgspec.msgpack.decode


def result(*fields: Any) -> Output:
    return Output(RESULTS, str(fields[0]).encode(), pack(fields))


class Toy:
    """What both processors share: buffers of effects, sending by key, and that no horizon ever goes back."""

    def __init__(self, partition: int, counts: Mapping[str, int]) -> None:
        self.partition = partition
        self.counts = counts
        self.effects = Effects()
        self.last: dict[str, Horizon] = {}

    def accepted(self, records: Sequence[Record], clock: PartitionClock) -> Iterable[list[Any]]:
        for record in records:
            event = unpack(record.value or b"")
            if clock.until is not None and event[0] > clock.until:
                clock.left_out += 1
                continue
            if clock.passed(event[0]):
                clock.late += 1
            if event[1] != "tick":
                yield event

    def send(self, edge: str, kind: str, key: str, record: list[Any]) -> None:
        target = partition_for(key.encode(), self.counts[kind])
        self.effects.sends.setdefault(edge, {}).setdefault(target, []).append(record)

    def broadcast(self, edge: str, record: list[Any]) -> None:
        self.effects.sends.setdefault(edge, {}).setdefault(-1, []).append(record)

    def check(self, horizons: Mapping[str, Horizon]) -> None:
        for name, horizon in horizons.items():
            assert horizon >= self.last.get(name, Horizon(BEGINNING)), (name, horizon, self.last)
            self.last[name] = horizon
            self.effects.rows[b"last"] = pack(self.last)

    def row(self, kind: str, key: Any, value: Any) -> None:
        self.effects.rows[pack([kind, key])] = pack(value)

    def collect(self) -> Effects:
        effects, self.effects = self.effects, Effects()
        return effects

    def restore(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        for raw, value in rows:
            if raw == b"last":
                self.last = {name: Horizon(*item) for name, item in unpack(value).items()}
            else:
                kind, key = unpack(raw)
                self.load(kind, tuple(key) if isinstance(key, list) else key, unpack(value))

    def load(self, kind: str, key: Any, value: Any) -> None:
        raise AssertionError(kind)


class Road(Toy):
    """Parcels: silences, the hours' scans of all, and how many silences a depot has had."""

    def __init__(self, partition: int, counts: Mapping[str, int]) -> None:
        super().__init__(partition, counts)
        self.updates: defaultdict[str, list[int]] = defaultdict(list)
        self.orders: dict[str, list[Any]] = {}
        self.due: list[tuple[int, str]] = []
        self.cursor: list[Any] = [BEGINNING, ""]
        self.hours: Counter[int] = Counter()
        self.points: list[list[Any]] = []
        self.seen: Counter[str] = Counter()

    def update(self, parcel: str, time: int) -> None:
        insort(self.updates[parcel], time)
        heapq.heappush(self.due, (time + SILENCE, parcel))
        self.row("updates", parcel, self.updates[parcel])

    def events(self, topic: str, partition: int, records: Sequence[Record], clock: PartitionClock) -> None:
        hours: Counter[int] = Counter()
        for time, _, parcel in self.accepted(records, clock):
            self.update(parcel, time)
            hours[time // HOUR] += 1
        for hour, count in hours.items():
            self.broadcast("scan-hours", [hour, count])

    def envelope(self, edge: str, source: int, records: Sequence[Any]) -> None:
        for record in records:
            if edge == "registrations":
                time, parcel, order = record
                self.orders[parcel] = min(self.orders.get(parcel, [time, order]), [time, order])
                self.row("order", parcel, self.orders[parcel])
                self.update(parcel, time)
            elif edge == "scan-hours":
                self.hours[record[0]] += record[1]
                self.row("hour", record[0], self.hours[record[0]])
            else:
                insort(self.points, record)
                self.row("points", 0, self.points)

    def advance(self, horizons: Mapping[str, Horizon]) -> bool:
        self.check(horizons)
        judged = 0
        while self.due and self.due[0][0] < horizons["parcels"].watermark:
            if judged == 3:
                return True  # slices as small as can be: a crash may fall between any two
            deadline, parcel = heapq.heappop(self.due)
            if [deadline, parcel] == self.cursor:
                continue
            self.cursor = [deadline, parcel]
            self.row("cursor", 0, self.cursor)
            judged += 1
            updates = self.updates[parcel]
            if bisect_right(updates, deadline) > bisect_right(updates, deadline - SILENCE):
                continue
            traffic = self.hours[deadline // HOUR - 1]
            self.effects.outputs.append(result("silent", deadline, parcel, traffic))
            self.send("points", "road", parcel[-1], [deadline, parcel[-1], parcel])
            if parcel in self.orders and self.orders[parcel][0] < deadline:
                self.send("links", "desk", self.orders[parcel][1], [deadline, self.orders[parcel][1]])
        while self.points and self.points[0][0] < horizons["points"].watermark:
            time, depot, parcel = self.points.pop(0)
            self.seen[depot] += 1
            self.effects.outputs.append(result("depot", time, depot, parcel, self.seen[depot]))
            self.row("points", 0, self.points)
            self.row("seen", depot, self.seen[depot])
        return False

    def load(self, kind: str, key: Any, value: Any) -> None:
        if kind == "updates":
            self.updates[key] = value
            for time in value:
                heapq.heappush(self.due, (time + SILENCE, key))
        elif kind == "cursor":
            self.cursor = value
        elif kind == "points":
            self.points = value
        else:
            {"order": self.orders, "hour": self.hours, "seen": self.seen}[kind][key] = value

    def restore(self, rows: Iterable[tuple[bytes, bytes]]) -> None:
        super().restore(rows)
        self.due = [item for item in self.due if list(item) > self.cursor]
        heapq.heapify(self.due)


class Desk(Toy):
    """Orders and calls: links, the shops' hours, and the judging of each hour against the sum of all."""

    def __init__(self, partition: int, counts: Mapping[str, int]) -> None:
        super().__init__(partition, counts)
        self.orders: dict[str, list[Any]] = {}
        self.calls: list[list[Any]] = []
        self.links: defaultdict[str, list[int]] = defaultdict(list)
        self.shops: defaultdict[int, dict[str, list[int]]] = defaultdict(dict)
        self.sums: defaultdict[int, int] = defaultdict(int)
        self.mine: dict[int, dict[str, list[int]]] = {}

    def events(self, topic: str, partition: int, records: Sequence[Record], clock: PartitionClock) -> None:
        for event in self.accepted(records, clock):
            if topic == "orders":
                time, _, order, parcel, shop = event
                self.orders[order] = min(self.orders.get(order, [time, shop]), [time, shop])
                self.row("order", order, self.orders[order])
                self.send("registrations", "road", parcel, [time, parcel, order])
            else:
                insort(self.calls, event)
                self.row("calls", 0, self.calls)

    def envelope(self, edge: str, source: int, records: Sequence[Any]) -> None:
        for record in records:
            if edge == "links":
                time, order = record
                insort(self.links[order], time)
                self.row("links", order, self.links[order])
            elif edge == "shop-deltas":
                time, shop, linked = record
                count = self.shops[time // HOUR + 1].setdefault(shop, [0, 0])
                count[0] += 1
                count[1] += linked
                self.row("shops", time // HOUR + 1, self.shops[time // HOUR + 1])
            else:
                boundary, count = record
                self.sums[boundary] += count
                self.row("sums", boundary, self.sums[boundary])

    def advance(self, horizons: Mapping[str, Horizon]) -> bool:
        self.check(horizons)
        settled = 0
        while self.calls and self.calls[0][0] < horizons["calls"].settled:
            if settled == 2:
                return True
            settled += 1
            time, _, order = self.calls.pop(0)
            placed, shop = self.orders.get(order, [time + 1, ""])
            shop = shop if placed <= time else "nobody"
            linked = bisect_left(self.links[order], time)
            self.effects.outputs.append(result("call", time, order, shop, linked))
            self.send("shop-deltas", "desk", shop, [time, shop, int(linked > 0)])
            self.row("calls", 0, self.calls)
        for boundary in sorted(self.shops):
            if boundary * HOUR < horizons["shops"].watermark:
                self.mine[boundary] = self.shops.pop(boundary)
                self.broadcast("sums", [boundary, sum(count for count, _ in self.mine[boundary].values())])
                self.row("mine", boundary, self.mine[boundary])
                self.row("shops", boundary, {})
        for boundary in sorted(self.mine):
            if boundary * HOUR < horizons["judge"].watermark:
                for shop, (count, linked) in self.mine.pop(boundary).items():
                    total = self.sums[boundary]
                    self.effects.outputs.append(result("judged", boundary, shop, count, linked, total))
                self.row("mine", boundary, {})
        return False

    def load(self, kind: str, key: Any, value: Any) -> None:
        if kind == "calls":
            self.calls = value
        elif kind in ("shops", "mine"):
            if value:
                (self.shops if kind == "shops" else self.mine)[key] = value
        else:
            {"order": self.orders, "links": self.links, "sums": self.sums}[kind][key] = value


def processor(kind: str, partition: int, counts: Mapping[str, int]) -> Toy:
    return (Desk if kind == "desk" else Road)(partition, counts)
