"""Deliveries that are late: not ended at the time that was promised."""

from __future__ import annotations

from typing import Any

from schemas.times import render
from streams.policy.model import Policy
from streams.rules.alert import MERCHANT, RAISED
from streams.rules.reconcile import Expected
from streams.rules.shipments.carrier_feeds import Feed
from streams.rules.shipments.deadlines import Deadline
from streams.rules.shipments.delivery_estimates import estimates
from streams.rules.shipments.parcel import Parcel, Registration
from streams.rules.shipments.shipment_facts import end_of, facts_of, moved_by, state_at
from streams.rules.shipments.uses import Use

DELIVERY_LATE = "shipment.delivery_late"


def promise_of(use: Use) -> Registration | None:
    """The first `order.shipped` that promises a delivery."""
    return next((one for one in use.registrations if one.deliver_by is not None), None)


def until_delivered(use: Use, policy: Policy) -> Deadline | None:
    """The deadline by which a use must end, if a delivery is promised: not before the promise is made."""
    promise = promise_of(use)
    if promise is None or promise.deliver_by is None:
        return None
    end = use.ended[0] if use.ended is not None else None
    given_up = use.last + policy.shipments.given_up
    wait = max(0, promise.deliver_by - promise.time)
    return Deadline(DELIVERY_LATE, promise.time, wait, True, end, given_up, (MERCHANT,))


def delivery_late(parcel: Parcel, use: Use, policy: Policy, feed: Feed | None, alerts: list[Expected]) -> bool:
    """Adds the alert for a use that does not end in time. Returns whether it is held."""
    deadline, promise = until_delivered(use, policy), promise_of(use)
    if deadline is None or promise is None or promise.deliver_by is None:
        return False
    deliver_by = promise.deliver_by
    verdict = deadline.verdict(feed, policy.feed_silence.grace)
    if verdict.outcome != "raises":
        return verdict.outcome == "held"
    raised, first = verdict.time, use.registrations[0]
    resolved, resolution = end_of(use, policy)

    def evidence(status: str) -> dict[str, Any]:
        state = state_at(parcel, use, raised)
        facts = facts_of(use, state, raised, None)
        facts |= {"deliver_by": render(deliver_by), **moved_by(verdict.silent)}
        facts |= estimates(parcel, use, state, raised, policy)
        return facts if status == RAISED else {**facts, "raised_at": render(raised)}

    alerts.append(
        Expected(
            type=DELIVERY_LATE,
            subject=parcel.tracking_no,
            anchor=raised,
            episode=lambda: f"{parcel.carrier}/{render(use.start)}/{render(raised)}",
            raised=raised,
            resolved=resolved,
            resolution=resolution,
            resolved_by_deadline=use.ended is None,
            audiences=deadline.audiences,
            shop_id=first.shop_id,
            order_id=first.order_id,
            carrier=parcel.shown,
            evidence=evidence,
        )
    )
    return False
