"""Which alerts the silences of a shipment give: not collected, slow, stalled and why."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from schemas.times import HOUR, render
from streams.policy.model import Policy, Tier
from streams.rules.alert import MERCHANT, PLATFORM, RAISED
from streams.rules.reconcile import Expected
from streams.rules.regions import is_remote, province, route
from streams.rules.shipments import Parcel, Registration, Silence, Use
from streams.rules.statuses import NAMES, PICKED_UP, WITH_RECIPIENT

NOT_COLLECTED = "shipment.not_collected"
SLOW = "shipment.slow"
STALLED = "shipment.stalled"


def expected(parcel: Parcel, found: Sequence[Use], policy: Policy) -> list[Expected]:
    """All alerts that the uses of a parcel give, past and to come."""
    alerts: list[Expected] = []
    for use in found:
        if use.registrations:
            _not_collected(parcel, use, policy, alerts)
        for silence in use.silences:
            # Most silences are short: a shipment under way is scanned several times a day.
            if silence.end is None or silence.end - silence.since > policy.shipments.shortest:
                _silent(parcel, use, silence, policy, alerts)
    return alerts


def _not_collected(parcel: Parcel, use: Use, policy: Policy, alerts: list[Expected]) -> None:
    first = use.registrations[0]
    rule = policy.shipments.not_collected
    threshold = rule.micros[_tier(policy, None, use.registrations, first.time)]
    deadline = first.time + threshold
    resolved: int | None = None
    resolution: str | None = None
    if use.collected is not None:
        resolved, rank = use.collected
        in_time = resolved <= deadline if rule.strict else resolved < deadline
        if in_time:
            return
        resolution = NAMES[rank] if use.ended is not None and use.ended[0] == resolved else "collected"
    else:
        resolved, resolution = use.last + policy.shipments.given_up, "given_up"

    def evidence(status: str) -> dict[str, Any]:
        silence = max((s for s in use.silences if s.since <= deadline), key=lambda s: s.since, default=None)
        facts = {
            **_facts(use, silence, threshold, deadline),
            "shipped_at": render(first.time),
        }
        return facts if status == RAISED else {**facts, "raised_at": render(deadline)}

    alerts.append(
        Expected(
            NOT_COLLECTED,
            parcel.tracking_no,
            first.time,
            f"{parcel.carrier}/{render(use.start)}/{render(first.time)}",
            deadline,
            resolved,
            resolution,
            resolution == "given_up",
            (MERCHANT,),
            first.shop_id,
            first.order_id,
            parcel.carrier,
            evidence,
        )
    )


def _silent(parcel: Parcel, use: Use, silence: Silence, policy: Policy, alerts: list[Expected]) -> None:
    since = silence.since
    row = policy.thresholds(parcel.carrier, since)
    registrations = use.registrations[: silence.orders]
    tier = _tier(policy, silence.status, registrations, since)
    first = registrations[0] if registrations else None
    kinds = [(STALLED, row.stalled)]
    if first is not None and silence.collected:
        kinds.append((SLOW, row.slow))
    for kind, rule in kinds:
        threshold = rule.micros[tier]
        deadline = since + threshold
        if silence.end is None:
            resolved, resolution = since + policy.shipments.given_up, "given_up"
        else:
            if silence.end < deadline or (rule.strict and silence.end == deadline):
                continue
            resolved = silence.end
            resolution = NAMES[silence.end_rank] if silence.end_rank is not None else "resumed"
        if kind == SLOW:
            audiences: tuple[str, ...] = (MERCHANT,)
        else:
            audiences = (MERCHANT, PLATFORM) if first is not None else (PLATFORM,)
        alerts.append(
            Expected(
                kind,
                parcel.tracking_no,
                since,
                f"{parcel.carrier}/{render(use.start)}/{render(since)}",
                deadline,
                resolved,
                resolution,
                resolution == "given_up",
                audiences,
                first.shop_id if first else None,
                first.order_id if first else None,
                parcel.carrier,
                _evidence(kind, use, silence, threshold, deadline, policy),
            )
        )


def _evidence(
    kind: str, use: Use, silence: Silence, threshold: int, deadline: int, policy: Policy
) -> Callable[[str], dict[str, Any]]:
    def evidence(status: str) -> dict[str, Any]:
        facts = _facts(use, silence, threshold, silence.since)
        if kind == STALLED:
            facts["causes"] = _causes(use, silence, threshold, policy)
        return facts if status == RAISED else {**facts, "raised_at": render(deadline)}

    return evidence


def _facts(use: Use, silence: Silence | None, threshold: int, by: int) -> dict[str, Any]:
    since = silence.since if silence is not None else use.start
    registrations = use.registrations[: silence.orders] if silence is not None else use.registrations[:1]
    status = silence.status if silence is not None else None
    hours = threshold / HOUR
    return {
        "last_update": render(since),
        "last_status": NAMES[status] if status is not None else None,
        "facility": silence.facility if silence is not None else None,
        "threshold_hours": int(hours) if hours == int(hours) else hours,
        "order_ids": list(dict.fromkeys(r.order_id for r in registrations)),
        "destination": _destination(registrations, by),
        "use_since": render(use.start),
    }


def _causes(use: Use, silence: Silence, threshold: int, policy: Policy) -> list[dict[str, Any]]:
    registrations = use.registrations[: silence.orders]
    causes: list[dict[str, Any]] = []
    if not silence.collected:
        shipped_at = render(registrations[0].time) if registrations else None
        causes.append({"code": "not_handed_over", "shipped_at": shipped_at})
    if silence.status in WITH_RECIPIENT:
        causes.append({"code": "recipient_or_address", "status": NAMES[silence.status]})
    destination = _destination(registrations, silence.since)
    if destination is not None and is_remote(destination, policy.shipments.remote_regions):
        causes.append({"code": "remote_area", "region": province(destination)})
    season = policy.peak_season(silence.since)
    if season is not None:
        causes.append({"code": "peak_season", "period": season.name})
    causes.append({"code": "lost_suspected", "silent_hours": round(threshold / HOUR, 2)})
    return causes


def _destination(registrations: Sequence[Registration], by: int) -> str | None:
    """The first shipping event's region, else its order's, if that was placed by then."""
    if not registrations:
        return None
    first = registrations[0]
    if first.to_region is not None:
        return first.to_region
    if first.placed is not None and first.placed <= by:
        return first.ship_to_region
    return None


def _tier(policy: Policy, status: int | None, registrations: Sequence[Registration], by: int) -> Tier:
    if status == PICKED_UP:
        return "after_pickup"
    return route(
        registrations[0].from_region if registrations else None,
        _destination(registrations, by),
        policy.shipments.remote_regions,
        policy.shipments.near_groups,
    )
