"""What a scan says of itself: the parcel goes back, its delivery keeps failing, or it was destroyed."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from schemas.times import render
from streams.policy.model import Policy
from streams.rules.alert import MERCHANT, PLATFORM, RAISED
from streams.rules.reconcile import Expected
from streams.rules.shipments.delivery_estimates import estimates
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.scan_status import DELIVERY_FAILED, DESTROYED, RETURNED, RETURNING
from streams.rules.shipments.shipment_facts import end_of, facts_of, state_at
from streams.rules.shipments.uses import Use

SHIPMENT_RETURNING = "shipment.returning"
DELIVERY_FAILING = "shipment.delivery_failing"
SHIPMENT_DESTROYED = "shipment.destroyed"


class Exceptional(NamedTuple):
    """The scan, by its time in microseconds, that raises an alert of `type`. `attempts`: failed deliveries up to it."""

    type: str
    time: int
    attempts: int | None = None


def exceptional(use: Use, policy: Policy) -> list[Exceptional]:
    """Of each type the first such scan as of which the use is registered."""
    if not use.told or not use.registrations:
        return []
    registered = use.registrations[0].time
    found: dict[str, Exceptional] = {}
    attempts = 0
    for time, rank in use.told:
        if rank == DELIVERY_FAILED:
            attempts += 1
            if attempts >= policy.shipments.failed_attempts and time >= registered:
                found.setdefault(DELIVERY_FAILING, Exceptional(DELIVERY_FAILING, time, attempts))
        elif time >= registered:
            if rank in (RETURNING, RETURNED):
                found.setdefault(SHIPMENT_RETURNING, Exceptional(SHIPMENT_RETURNING, time))
            elif rank == DESTROYED:
                found.setdefault(SHIPMENT_DESTROYED, Exceptional(SHIPMENT_DESTROYED, time))
    return list(found.values())


def exception_alerts(parcel: Parcel, use: Use, policy: Policy) -> list[Expected]:
    """The alerts for what the scans of a use say; nothing resolves that it was destroyed."""
    alerts = []
    for one in exceptional(use, policy):
        forever = one.type == SHIPMENT_DESTROYED
        resolved, resolution = (None, None) if forever else end_of(use, policy)
        first = use.registrations[0]
        alerts.append(
            Expected(
                type=one.type,
                subject=parcel.tracking_no,
                anchor=one.time,
                episode=_episode(parcel, use, one),
                raised=one.time,
                resolved=resolved,
                resolution=resolution,
                resolved_by_deadline=use.ended is None and not forever,
                audiences=(MERCHANT, PLATFORM) if forever else (MERCHANT,),
                shop_id=first.shop_id,
                order_id=first.order_id,
                carrier=parcel.shown,
                evidence=_evidence(parcel, use, one, policy),
                by_event=True,
            )
        )
    return alerts


def _episode(parcel: Parcel, use: Use, one: Exceptional) -> Callable[[], str]:
    return lambda: f"{parcel.carrier}/{render(use.start)}/{render(one.time)}"


def _evidence(parcel: Parcel, use: Use, one: Exceptional, policy: Policy) -> Callable[[str], dict[str, Any]]:
    def evidence(status: str) -> dict[str, Any]:
        state = state_at(parcel, use, one.time)
        facts = facts_of(use, state, one.time, None) | estimates(parcel, use, state, one.time, policy)
        if one.attempts is not None:
            facts["attempts"] = one.attempts
        return facts if status == RAISED else {**facts, "raised_at": render(one.time)}

    return evidence
