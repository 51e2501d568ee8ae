"""The whole study of a history: its groups, and the thresholds for them."""

from __future__ import annotations

import numpy as np

from schemas.times import render
from streams.policy.model import Policy
from streams.policy.shipments import Tier
from streams.tune.choices import Parts, proposals
from streams.tune.findings import Findings, Goal, Group, Kind, Point
from streams.tune.shares import CONFIDENCE, delivered_after_all, quantile, reached
from streams.tune.silences import NEVER, TIERS, History, Silences

#: Within how many days a parcel is delivered after all, or not.
HORIZON_DAYS = 30
#: Silences, in hours, of which the groups' curves tell.
CURVE = (12, 24, 36, 48, 72, 96, 120, 144, 168, 240, 336, 480)
_SHARES = {"p50": 0.5, "p90": 0.9, "p99": 0.99}


class NothingToStudy(Exception):
    """The history has no events, or all are of one instant."""


def parts_of(history: History, fit: float) -> Parts:
    """The history in two parts. `fit`: the share of its time that is fitted on. Raises NothingToStudy."""
    if history.first is None or history.end is None or history.first == history.end:
        raise NothingToStudy("no events from which anything could be learnt")
    cut = history.first + round((history.end - history.first) * fit)
    return Parts(history.silences, history.first, cut, history.end)


def study(history: History, policy: Policy, goals: dict[Kind, Goal], fit: float, least: int) -> Findings:
    """What the history tells; `fit` as in `parts_of`. Raises NothingToStudy."""
    parts = parts_of(history, fit)
    named = [(carrier, tier) for carrier in parts.silences.carriers for tier in (*TIERS, None)]
    groups = [_group(parts.silences, carrier, tier, parts.end) for carrier, tier in (*named, (None, None))]
    return Findings(
        policy=policy.label,
        events=history.events,
        dead=history.dead,
        first=render(parts.first),
        cut=render(parts.cut),
        end=render(parts.end),
        confidence=CONFIDENCE,
        horizon_days=HORIZON_DAYS,
        goals=goals,
        groups=[group for group in groups if group.silences],
        proposals=proposals(parts, policy, goals, least),
    )


def _group(silences: Silences, carrier: str | None, tier: Tier | None, end: int) -> Group:
    of = silences.of(carrier, tier)
    lasted = np.minimum(of.until, end) - of.since
    curve = []
    for hours in CURVE:
        share = delivered_after_all(reached(of, hours, end), HORIZON_DAYS)
        if share is not None:
            curve.append(Point(hours, share))
    hours_of = {name: quantile(lasted, of.until != NEVER, share) for name, share in _SHARES.items()}
    return Group(carrier, tier, len(np.unique(of.shipment)), len(of), hours_of, curve)
