"""Alerts for a shipment's silences: not collected, slow, and stalled with its likely causes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

from schemas.times import HOUR, render
from streams.policy.model import Policy, Tier
from streams.rules.alert import MERCHANT, PLATFORM, RAISED
from streams.rules.reconcile import Expected
from streams.rules.shipments.carrier_feeds import Feed, Silent
from streams.rules.shipments.deadlines import Deadline, Verdict
from streams.rules.shipments.parcel import Parcel, Registration, Silence, Use
from streams.rules.shipments.routes import is_remote, province, route
from streams.rules.shipments.scan_status import NAMES, PICKED_UP, WITH_RECIPIENT

NOT_COLLECTED = "shipment.not_collected"
SLOW = "shipment.slow"
STALLED = "shipment.stalled"
GIVEN_UP = "given_up"
#: Most orders of a parcel that an alert lists; ids have at most 128 characters, so a record stays small.
MOST_ORDER_IDS = 100
#: Likely causes of a stall, most likely first.
NOT_HANDED_OVER = "not_handed_over"
RECIPIENT_OR_ADDRESS = "recipient_or_address"
REMOTE_AREA = "remote_area"
PEAK_SEASON = "peak_season"
LOST_SUSPECTED = "lost_suspected"


class Given(NamedTuple):
    """All alerts for a parcel's uses, past and future.

    `held`: some deadline is unknown yet, as it lies in a silence of the carrier's feed that has not ended.
    """

    alerts: list[Expected]
    held: bool


def given(parcel: Parcel, found: Sequence[Use], policy: Policy, feed: Feed | None) -> Given:
    """The alerts for the uses of a parcel; `feed` is its carrier's."""
    alerts: list[Expected] = []
    held = False
    for use in found:
        if use.registrations:
            held |= _not_collected(parcel, use, policy, feed, alerts)
        for silence in use.silences:
            # Most silences are short: a shipment under way is scanned several times a day.
            if silence.end is None or silence.end - silence.since > policy.shipments.shortest:
                held |= _silent(parcel, use, silence, policy, feed, alerts)
    return Given(alerts, held)


def until_collected(use: Use, policy: Policy) -> Deadline:
    """The deadline by which a registered use must be collected."""
    first = use.registrations[0]
    rule = policy.shipments.not_collected
    threshold = rule.micros[_tier(policy, None, use.registrations, first.time)]
    end = use.collected[0] if use.collected is not None else None
    given_up = use.last + policy.shipments.given_up
    return Deadline(NOT_COLLECTED, first.time, threshold, rule.strict, end, given_up, (MERCHANT,))


def until_update(carrier: str, use: Use, silence: Silence, policy: Policy, *, collected: bool) -> list[Deadline]:
    """The deadlines for the next update: for `stalled`, and for `slow` if the use is registered and collected."""
    since, end = silence.since, silence.end
    row = policy.thresholds(carrier, since)
    registrations = use.registrations[: silence.orders]
    tier = _tier(policy, silence.status, registrations, since)
    given_up = since + policy.shipments.given_up
    to = (MERCHANT, PLATFORM) if registrations else (PLATFORM,)
    found = [Deadline(STALLED, since, row.stalled.micros[tier], row.stalled.strict, end, given_up, to)]
    if registrations and collected:
        found.append(Deadline(SLOW, since, row.slow.micros[tier], row.slow.strict, end, given_up, (MERCHANT,)))
    return found


def _not_collected(parcel: Parcel, use: Use, policy: Policy, feed: Feed | None, alerts: list[Expected]) -> bool:
    """Adds the alert for a use that is not collected in time. Returns whether it is held."""
    first = use.registrations[0]
    deadline = until_collected(use, policy)
    verdict = deadline.verdict(feed, policy.feed_silence.grace)
    if verdict.outcome != "raises":
        return verdict.outcome == "held"
    if use.collected is None:
        resolved, resolution = deadline.given_up, GIVEN_UP
    else:
        resolved, rank = use.collected
        resolution = NAMES[rank] if use.ended is not None and use.ended[0] == resolved else "collected"
    raised = verdict.time

    def evidence(status: str) -> dict[str, Any]:
        silence = max((s for s in use.silences if s.since <= raised), key=lambda s: s.since, default=None)
        facts = _facts(use, silence, deadline.threshold, raised, verdict.silent)
        facts["shipped_at"] = render(first.time)
        return facts if status == RAISED else {**facts, "raised_at": render(raised)}

    alerts.append(
        Expected(
            type=NOT_COLLECTED,
            subject=parcel.tracking_no,
            anchor=first.time,
            episode=lambda: f"{parcel.carrier}/{render(use.start)}/{render(first.time)}",
            raised=raised,
            resolved=resolved,
            resolution=resolution,
            resolved_by_deadline=resolution == GIVEN_UP,
            audiences=deadline.audiences,
            shop_id=first.shop_id,
            order_id=first.order_id,
            carrier=parcel.shown,
            evidence=evidence,
        )
    )
    return False


def _silent(
    parcel: Parcel, use: Use, silence: Silence, policy: Policy, feed: Feed | None, alerts: list[Expected]
) -> bool:
    """Adds the alerts for a silence. Returns whether one is held."""
    since = silence.since
    registrations = use.registrations[: silence.orders]
    first = registrations[0] if registrations else None
    held = False
    for deadline in until_update(parcel.carrier, use, silence, policy, collected=silence.collected):
        verdict = deadline.verdict(feed, policy.feed_silence.grace)
        if verdict.outcome != "raises":
            held |= verdict.outcome == "held"
            continue
        if silence.end is None:
            resolved, resolution = deadline.given_up, GIVEN_UP
        else:
            resolved = silence.end
            resolution = NAMES[silence.end_rank] if silence.end_rank is not None else "resumed"
        stalled = deadline.type == STALLED
        alerts.append(
            Expected(
                type=deadline.type,
                subject=parcel.tracking_no,
                anchor=since,
                episode=lambda: f"{parcel.carrier}/{render(use.start)}/{render(since)}",
                raised=verdict.time,
                resolved=resolved,
                resolution=resolution,
                resolved_by_deadline=resolution == GIVEN_UP,
                audiences=deadline.audiences,
                shop_id=first.shop_id if first else None,
                order_id=first.order_id if first else None,
                carrier=parcel.shown,
                evidence=_evidence(use, silence, deadline, verdict, policy),
                # A moved deadline says nothing about the facility.
                place=silence.facility if stalled and verdict.silent is None else None,
                orders=tuple(dict.fromkeys(r.order_id for r in registrations)) if stalled else (),
            )
        )
    return held


def _evidence(
    use: Use, silence: Silence, deadline: Deadline, verdict: Verdict, policy: Policy
) -> Callable[[str], dict[str, Any]]:
    def evidence(status: str) -> dict[str, Any]:
        facts = _facts(use, silence, deadline.threshold, silence.since, verdict.silent)
        if deadline.type == STALLED:
            facts["causes"] = _causes(use, silence, verdict.time, policy)
        return facts if status == RAISED else {**facts, "raised_at": render(verdict.time)}

    return evidence


def _facts(use: Use, silence: Silence | None, threshold: int, by: int, moved: Silent | None) -> dict[str, Any]:
    since = silence.since if silence is not None else use.start
    registrations = use.registrations[: silence.orders] if silence is not None else use.registrations[:1]
    status = silence.status if silence is not None else None
    hours = threshold / HOUR
    facts: dict[str, Any] = {
        "last_update": render(since),
        "last_status": NAMES[status] if status is not None else None,
        "facility": silence.facility if silence is not None else None,
        "threshold_hours": int(hours) if hours == int(hours) else hours,
        **_orders(registrations),
        "destination": _destination(registrations, by),
        "use_since": render(use.start),
    }
    if moved is not None and moved.end is not None:
        # Explains the delay: the feed was silent when the deadline passed.
        facts["feed_silent"] = {"from": render(moved.start), "until": render(moved.end)}
    return facts


def _orders(registrations: Sequence[Registration]) -> dict[str, Any]:
    """The orders in the parcel: the first of them, and how many there are where that is not all."""
    orders = list(dict.fromkeys(r.order_id for r in registrations))
    facts: dict[str, Any] = {"order_ids": orders[:MOST_ORDER_IDS]}
    if len(orders) > MOST_ORDER_IDS:
        facts["order_count"] = len(orders)
    return facts


def _causes(use: Use, silence: Silence, raised: int, policy: Policy) -> list[dict[str, Any]]:
    registrations = use.registrations[: silence.orders]
    causes: list[dict[str, Any]] = []
    if not silence.collected:
        shipped_at = render(registrations[0].time) if registrations else None
        causes.append({"code": NOT_HANDED_OVER, "shipped_at": shipped_at})
    if silence.status in WITH_RECIPIENT:
        causes.append({"code": RECIPIENT_OR_ADDRESS, "status": NAMES[silence.status]})
    destination = _destination(registrations, silence.since)
    if destination is not None and is_remote(destination, policy.shipments.remote_regions):
        causes.append({"code": REMOTE_AREA, "region": province(destination)})
    season = policy.peak_season(silence.since)
    if season is not None:
        causes.append({"code": PEAK_SEASON, "period": season.name})
    causes.append({"code": LOST_SUSPECTED, "silent_hours": round((raised - silence.since) / HOUR, 2)})
    return causes


def _destination(registrations: Sequence[Registration], by: int) -> str | None:
    """The region in the first `order.shipped`, else that of its order if placed by then."""
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
