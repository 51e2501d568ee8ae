"""Histories whose true curves are known.

A parcel is silent from its pick-up on. It is lost with probability `lost`, else it is delivered after a time from an
exponential distribution of mean `mean` hours: so a parcel that has been silent for h hours is not delivered within
d hours more with the probability of `truth`.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import orjson

from schemas.times import DAY, HOUR, parse, render
from streams.rules.shipments.scan_status import RANK
from streams.tune.silences import NEVER, Silences

T0 = parse("2026-03-01T00:00:00Z")


def truth(lost: float, mean: float, hours: float, days: float) -> float:
    """The true share of parcels, silent for `hours`, that is not delivered within `days` more."""
    silent = lost + (1 - lost) * np.exp(-hours / mean)
    late = lost + (1 - lost) * np.exp(-(hours + 24 * days) / mean)
    return float(late / silent)


def silences(
    seed: int,
    parcels: int,
    lost: float = 0.1,
    mean: float = 48.0,
    *,
    days: float = 60,
    from_day: float = 0,
    status: str = "departed",
) -> Silences:
    """Silences of one carrier, all of one tier and status, that begin at random within `days`."""
    random = np.random.default_rng(seed)
    since = np.sort(T0 + ((from_day + random.random(parcels) * days) * DAY).astype(np.int64))
    until = since + (random.exponential(mean, parcels) * HOUR).astype(np.int64)
    until[random.random(parcels) < lost] = NEVER
    zeros = np.zeros(parcels, dtype=np.int64)
    shipments = np.arange(parcels) + seed * parcels
    return Silences(["ZTO"], zeros, zeros + 2, shipments, since, until, until, zeros == 0, zeros + RANK[status])


def joined(*parts: Silences) -> Silences:
    """The silences of all parts, of one and the same carrier."""
    return Silences(
        parts[0].carriers,
        *(np.concatenate([getattr(part, name) for part in parts]) for name in (
            "carrier", "tier", "shipment", "since", "until", "delivered", "watched", "status"
        )),
    )  # fmt: skip


def shipped(number: str, hours: float, carrier: str = "ZTO", order: str | None = None, **more: Any) -> dict[str, Any]:
    """An `order.shipped`, so many hours after T0."""
    value = {
        "event_id": f"s-{number}-{order or number}",
        "type": "order.shipped",
        "occurred_at": render(T0 + round(hours * HOUR)),
        "order_id": order or f"o-{number}",
        "shop_id": "shop",
        "tracking_no": number,
        "carrier": carrier,
        **more,
    }
    return {"topic": "orders", "value": value}


def scan(number: str, hours: float, status: str, carrier: str = "ZTO") -> dict[str, Any]:
    """A scan, so many hours after T0."""
    value = {
        "event_id": f"c-{number}-{hours}-{status}",
        "type": "scan",
        "occurred_at": render(T0 + round(hours * HOUR)),
        "tracking_no": number,
        "carrier": carrier,
        "status": status,
    }
    return {"topic": "logistics-scans", "value": value}


def lines(events: list[dict[str, Any]]) -> bytes:
    """A file's content."""
    return b"".join(orjson.dumps(event) + b"\n" for event in events)
