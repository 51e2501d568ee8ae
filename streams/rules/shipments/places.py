"""Where a shipment comes from and goes to, as known at an instant, and what follows from it: its tier, its relief."""

from __future__ import annotations

from collections.abc import Sequence

from streams.policy.model import Policy
from streams.policy.relief import Relief
from streams.policy.shipments import Tier
from streams.rules.shipments.parcel import Registration
from streams.rules.shipments.routes import is_one_of, route
from streams.rules.shipments.scan_status import PICKED_UP


def origin(registrations: Sequence[Registration]) -> str | None:
    """The region that the first `order.shipped` comes from."""
    return registrations[0].from_region if registrations else None


def destination(registrations: Sequence[Registration], by: int) -> str | None:
    """The region in the first `order.shipped`, else that of its order if placed by then (microseconds)."""
    if not registrations:
        return None
    first = registrations[0]
    if first.to_region is not None:
        return first.to_region
    if first.placed is not None and first.placed <= by:
        return first.ship_to_region
    return None


def tier_of(policy: Policy, status: int | None, registrations: Sequence[Registration], by: int) -> Tier:
    """The tier of a threshold that runs from an instant (microseconds), with the last status as of then."""
    if status == PICKED_UP:
        return "after_pickup"
    if not registrations:
        # As `route` has it where both ends are unknown.
        return "cross_province"
    return route(
        origin(registrations),
        destination(registrations, by),
        policy.shipments.remote_regions,
        policy.shipments.near_groups,
    )


def relief(policy: Policy, registrations: Sequence[Registration], since: int) -> Relief | None:
    """The relief for a threshold that runs from an instant (microseconds): of several the longest, the first listed."""
    found: Relief | None = None
    for span in policy.shipments.relief:
        if span.contains(since) and (found is None or span.hours > found.hours):
            ends = (origin(registrations), destination(registrations, since))
            if span.regions is None or any(is_one_of(end, span.regions) for end in ends):
                found = span
    return found
