"""Small builders for comparisons: episodes, and lines of an input."""

from __future__ import annotations

import json
from typing import Any

import msgspec

from schemas.times import HOUR, parse, render
from streams.compare.episodes import Episode
from streams.compare.trial import Run
from streams.policy import load
from streams.policy.model import Policy
from streams.replay.reading import Line

#: A Monday, at midnight, in no period of any policy.
T0 = parse("2025-03-03T00:00:00Z")


def hours(count: float) -> int:
    return T0 + round(count * HOUR)


def episode(type_: str = "shipment.stalled", subject: str = "P1", *, raised: int, **more: Any) -> Episode:
    """An episode of shop S about one thing, which `about` may change; `raised`, `resolved` in microseconds."""
    fields: dict[str, Any] = {"shop_id": "S", "order_id": "O1", "carrier": "ZTO", "about": ("x",), **more}
    return Episode(type=type_, subject=subject, raised=raised, **fields)


class Input:
    """An input, line by line; the calls are the arrival order. `at`: hours after T0."""

    def __init__(self) -> None:
        self.lines: list[Line] = []

    def scan(self, at: float, parcel: str = "P1", status: str = "departed", **more: Any) -> None:
        self._add("logistics-scans", at, "scan", tracking_no=parcel, carrier="ZTO", status=status, **more)

    def order(self, at: float, type_: str, order: str = "O1", shop: str = "S", **more: Any) -> None:
        self._add("orders", at, f"order.{type_}", order_id=order, shop_id=shop, **more)

    def dispute(self, at: float, dispute: str, *, order: str, shop: str) -> None:
        self._add("orders", at, "dispute.opened", order_id=order, shop_id=shop, dispute_id=dispute)

    def _add(self, topic: str, at: float, type_: str, **more: Any) -> None:
        number = len(self.lines) + 1
        value = {"event_id": f"e{number}", "type": type_, "occurred_at": render(hours(at)), **more}
        self.lines.append(Line(number, topic, json.dumps(value).encode()))

    def run(self, a: Policy, b: Policy, until: float | None = None) -> Run:
        """Both policies over the lines."""
        run = Run([a, b])
        run.take(self.lines, hours(until) if until is not None else None)
        return run


def stalls_after(count: float, *, slow_after: float = 24) -> Policy:
    """The default policy with other hours until a parcel is slow, and stalled."""
    policy = load.default()
    (row,) = policy.shipments.thresholds
    other = msgspec.structs.replace(
        row,
        slow=msgspec.structs.replace(row.slow, hours=slow_after),
        stalled=msgspec.structs.replace(row.stalled, hours=count),
    )
    shipments = msgspec.structs.replace(policy.shipments, thresholds=(other,))
    return msgspec.structs.replace(policy, name=f"after-{count:g}", shipments=shipments)


def help_rates(**changes: Any) -> Policy:
    """The default policy with another help rate: by default so low that a few orders are enough."""
    policy = load.default()
    few = {"min_orders": 2, "min_shops": 2, **changes}
    rate = msgspec.structs.replace(policy.help_rate, **few)
    return msgspec.structs.replace(policy, name="few", help_rate=rate)
