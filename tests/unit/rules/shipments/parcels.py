"""What is said of parcels: of their promises, their scans, what is suspicious, and under spans of relief."""

from __future__ import annotations

from typing import Any

import msgspec

from streams.policy import load
from streams.policy.model import Policy
from streams.policy.relief import Relief
from tests.unit.rules.timeline import T0, Timeline, hours, render

LATE, RETURNING, FAILING = "shipment.delivery_late", "shipment.returning", "shipment.delivery_failing"
DESTROYED, SUSPICIOUS, SLOW = "shipment.destroyed", "shipment.suspicious", "shipment.slow"


def promised(at: int) -> dict[str, Any]:
    """What an `order.shipped` tells that promises a delivery."""
    return {"deliver_by": render(T0 + at)}


def grounds(timeline: Timeline, until: int) -> list[tuple[str, int]]:
    """What is suspicious, and when it is told."""
    alerts = timeline.heard(until).every(SUSPICIOUS)
    return sorted((alert.evidence["ground"], alert.time - T0) for alert in alerts)


def changed(policy: Policy | None = None, **shipments: Any) -> Policy:
    """The policy (default: the default one) with other settings of shipments."""
    policy = policy or load.default()
    return msgspec.structs.replace(policy, shipments=msgspec.structs.replace(policy.shipments, **shipments))


def relieved(*spans: dict[str, Any], policy: Policy | None = None, **changes: Any) -> Policy:
    """Relief from 10 h to 20 h for parcels from or to 河南, or as changed; or several of that kind."""
    told = {"name": "flood", "from": render(T0 + hours(10)), "to": render(T0 + hours(20)), "hours": 24}
    made = (msgspec.convert({**told, "regions": ["河南"], **one}, Relief) for one in spans or (changes,))
    return changed(policy, relief=tuple(made))
