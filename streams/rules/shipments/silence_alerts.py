"""Alerts for a shipment's silences: not collected, slow, and stalled with its likely causes."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from schemas.times import HOUR, render
from streams.policy.model import Policy
from streams.rules.alert import MERCHANT, PLATFORM, RAISED
from streams.rules.reconcile import Expected
from streams.rules.shipments.carrier_feeds import Feed
from streams.rules.shipments.deadlines import Deadline, Verdict
from streams.rules.shipments.delivery_estimates import estimates
from streams.rules.shipments.parcel import Parcel
from streams.rules.shipments.places import destination, relief, tier_of
from streams.rules.shipments.routes import is_one_of, province
from streams.rules.shipments.scan_status import NAMES, WITH_RECIPIENT
from streams.rules.shipments.shipment_facts import GIVEN_UP, State, facts_of, moved_by
from streams.rules.shipments.uses import Silence, Use

NOT_COLLECTED = "shipment.not_collected"
SLOW = "shipment.slow"
STALLED = "shipment.stalled"
#: Likely causes of a stall, most likely first.
NOT_HANDED_OVER = "not_handed_over"
RECIPIENT_OR_ADDRESS = "recipient_or_address"
REMOTE_AREA = "remote_area"
PEAK_SEASON = "peak_season"
LOST_SUSPECTED = "lost_suspected"


def until_collected(use: Use, policy: Policy) -> Deadline:
    """The deadline by which a registered use must be collected."""
    first = use.registrations[0]
    rule = policy.shipments.not_collected
    threshold = rule.micros[tier_of(policy, None, use.registrations, first.time)]
    end = use.collected[0] if use.collected is not None else None
    given_up = use.last + policy.shipments.given_up
    given = relief(policy, use.registrations, first.time)
    return Deadline(NOT_COLLECTED, first.time, threshold, rule.strict, end, given_up, (MERCHANT,), given)


def until_update(carrier: str, use: Use, silence: Silence, policy: Policy, *, collected: bool) -> list[Deadline]:
    """The deadlines for the next update: for `stalled`, and for `slow` if the use is registered and collected."""
    since, end = silence.since, silence.end
    row = policy.thresholds(carrier, since)
    registrations = use.registrations[: silence.orders]
    tier = tier_of(policy, silence.status, registrations, since)
    given = relief(policy, registrations, since)
    given_up = since + policy.shipments.given_up
    to = (MERCHANT, PLATFORM) if registrations else (PLATFORM,)
    found = [Deadline(STALLED, since, row.stalled.micros[tier], row.stalled.strict, end, given_up, to, given)]
    if registrations and collected:
        slow = row.slow
        found.append(Deadline(SLOW, since, slow.micros[tier], slow.strict, end, given_up, (MERCHANT,), given))
    return found


def not_collected(parcel: Parcel, use: Use, policy: Policy, feed: Feed | None, alerts: list[Expected]) -> bool:
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
        facts = _facts(parcel, use, silence, deadline, raised, verdict, policy)
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


def silent(
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
                evidence=_evidence(parcel, use, silence, deadline, verdict, policy),
                # A moved deadline says nothing about the facility.
                place=silence.facility if stalled and verdict.silent is None else None,
                orders=tuple(dict.fromkeys(r.order_id for r in registrations)) if stalled else (),
            )
        )
    return held


def _evidence(
    parcel: Parcel, use: Use, silence: Silence, deadline: Deadline, verdict: Verdict, policy: Policy
) -> Callable[[str], dict[str, Any]]:
    def evidence(status: str) -> dict[str, Any]:
        facts = _facts(parcel, use, silence, deadline, silence.since, verdict, policy)
        if deadline.type == STALLED:
            facts["causes"] = _causes(use, silence, verdict.time, policy)
        return facts if status == RAISED else {**facts, "raised_at": render(verdict.time)}

    return evidence


def _facts(
    parcel: Parcel, use: Use, silence: Silence | None, deadline: Deadline, by: int, verdict: Verdict, policy: Policy
) -> dict[str, Any]:
    if silence is None:
        state = State(use.start, None, None, use.registrations[:1])
    else:
        state = State(silence.since, silence.status, silence.facility, use.registrations[: silence.orders])
    hours = deadline.threshold / HOUR
    facts = facts_of(use, state, by, int(hours) if hours == int(hours) else hours)
    if deadline.relief is not None:
        facts |= {"relief": deadline.relief.name, "relief_hours": deadline.relief.hours}
    return facts | moved_by(verdict.silent) | estimates(parcel, use, state, verdict.time, policy)


def _causes(use: Use, silence: Silence, raised: int, policy: Policy) -> list[dict[str, Any]]:
    registrations = use.registrations[: silence.orders]
    causes: list[dict[str, Any]] = []
    if not silence.collected:
        shipped_at = render(registrations[0].time) if registrations else None
        causes.append({"code": NOT_HANDED_OVER, "shipped_at": shipped_at})
    if silence.status in WITH_RECIPIENT:
        causes.append({"code": RECIPIENT_OR_ADDRESS, "status": NAMES[silence.status]})
    target = destination(registrations, silence.since)
    if target is not None and is_one_of(target, policy.shipments.remote_regions):
        causes.append({"code": REMOTE_AREA, "region": province(target)})
    season = policy.peak_season(silence.since)
    if season is not None:
        causes.append({"code": PEAK_SEASON, "period": season.name})
    causes.append({"code": LOST_SUSPECTED, "silent_hours": round((raised - silence.since) / HOUR, 2)})
    return causes
