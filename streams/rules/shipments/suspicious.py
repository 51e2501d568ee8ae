"""Suspicious shipments (虚假发货): scanned before the order was paid, delivered elsewhere, or under a used number."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, NamedTuple

from schemas.times import render
from streams.policy.model import Policy
from streams.rules.alert import PLATFORM
from streams.rules.reconcile import Emitted, Expected
from streams.rules.shipments.delivery_estimates import estimates
from streams.rules.shipments.parcel import AlertKey, Parcel
from streams.rules.shipments.routes import are_different_provinces
from streams.rules.shipments.scan_status import BITS, DELIVERED, RETURNING
from streams.rules.shipments.shipment_facts import facts_of, state_at
from streams.rules.shipments.uses import Use, over

SUSPICIOUS = "shipment.suspicious"
SCANNED_BEFORE_PAYMENT = "scanned_before_payment"
DELIVERED_ELSEWHERE = "delivered_elsewhere"
NUMBER_REUSED = "number_reused"


class Suspicion(NamedTuple):
    """A ground, raised at the latest of its facts (microseconds); `facts`: those for the evidence."""

    ground: str
    time: int
    facts: dict[str, Any]

    @property
    def anchor(self) -> str:
        """Tells it apart from the same ground of another use, whether that is forgotten by then or not."""
        return f"{self.ground}/{self.time}"


def suspicions(parcel: Parcel, use: Use, policy: Policy) -> list[Suspicion]:
    """What is suspicious about a use, known before it is given up or forgotten."""
    if not use.registrations:
        return []
    found = (_before_payment(use, policy), _elsewhere(parcel, use), _reused(use, policy))
    limit = over(use, policy.shipments)
    return [one for one in found if one is not None and one.time <= limit]


def suspicious_alerts(parcel: Parcel, use: Use, policy: Policy) -> list[Expected]:
    """One alert for each ground; nothing resolves it."""
    alerts = []
    for one in suspicions(parcel, use, policy):
        first = use.registrations[0]
        alerts.append(
            Expected(
                type=SUSPICIOUS,
                subject=parcel.tracking_no,
                anchor=one.anchor,
                episode=f"{parcel.carrier}/{render(use.start)}/{one.ground}/{render(one.time)}",
                raised=one.time,
                resolved=None,
                resolution=None,
                resolved_by_deadline=False,
                audiences=(PLATFORM,),
                shop_id=first.shop_id,
                order_id=first.order_id,
                carrier=parcel.shown,
                evidence=_evidence(parcel, use, one, policy),
                by_event=True,
            )
        )
    return alerts


def keys_of(parcel: Parcel, use: Use, policy: Policy) -> set[AlertKey]:
    """What tells the alerts of a use apart: they may be raised when the next use has begun."""
    return {(SUSPICIOUS, one.anchor, one.time) for one in suspicions(parcel, use, policy)}


def is_on(sent: Emitted, ground: str) -> bool:
    """Whether it was sent on that ground."""
    return sent.type == SUSPICIOUS and str(sent.anchor).startswith(f"{ground}/")


def _before_payment(use: Use, policy: Policy) -> Suspicion | None:
    """Collected long before the order was paid; paid at the end or later is cash on delivery."""
    first = use.registrations[0]
    if first.paid is None or use.collected is None:
        return None
    collected = use.collected[0]
    if first.paid - collected <= policy.suspicious.paid_slack.micros:
        return None
    if use.ended is not None and first.paid >= use.ended[0]:
        return None
    facts = {"paid_at": render(first.paid), "collected_at": render(collected)}
    return Suspicion(SCANNED_BEFORE_PAYMENT, max(first.paid, first.time), facts)


def _elsewhere(parcel: Parcel, use: Use) -> Suspicion | None:
    """Delivered in another province than it was sent to, and not on its way back."""
    if use.ended is None:
        return None
    ended = use.ended[0]
    region = parcel.delivered_in.get(ended << BITS | DELIVERED)
    if region is None or any(rank == RETURNING for _, rank in use.told):
        return None
    first = use.registrations[0]
    target, time = first.to_region, max(ended, first.time)
    if target is None and first.placed is not None:
        target, time = first.ship_to_region, max(time, first.placed)
    if not are_different_provinces(region, target):
        return None
    return Suspicion(DELIVERED_ELSEWHERE, time, {"region": region, "destination": target})


def _reused(use: Use, policy: Policy) -> Suspicion | None:
    """Shipped under a number whose last parcel ended not long ago."""
    begun, before = use.registrations[0].time, use.ended_before
    if begun != use.start or before is None or before >= begun:
        return None
    if begun - before > min(policy.suspicious.reuse.micros, policy.shipments.keep):
        return None
    return Suspicion(NUMBER_REUSED, begun, {"previous_end": render(before)})


def _evidence(parcel: Parcel, use: Use, one: Suspicion, policy: Policy) -> Callable[[str], dict[str, Any]]:
    def evidence(_: str) -> dict[str, Any]:
        state = state_at(parcel, use, one.time)
        facts = facts_of(use, state, one.time, None)
        return {**facts, "ground": one.ground, **one.facts, **estimates(parcel, use, state, one.time, policy)}

    return evidence
