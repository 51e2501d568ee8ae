"""Fits delivery estimates on the first part of a history, and judges them on the last.

The estimates are those of a parcel that has been silent for so long: of all such parcels, those that are never
delivered included, as `streams.tune.shares` tells of them.
"""

from __future__ import annotations

from collections.abc import Iterator
from math import ceil
from typing import NamedTuple

import numpy as np
from scipy.stats import binomtest

from schemas.times import DAY, HOUR, render
from streams.policy.estimates import DeliveryModel, Group, LastStatus, ModelFile, Point
from streams.policy.model import Policy
from streams.policy.shipments import Tier
from streams.tune.choices import Parts
from streams.tune.findings import Judged
from streams.tune.shares import CONFIDENCE, FEWEST, Reached, Share, delivered_after_all, quantile, reached
from streams.tune.silences import STATUSES, TIERS, Mask, Silences, Times

#: Silences, in hours, of which a model tells: those of usual thresholds.
SILENT_HOURS = (0, 6, 12, 24, 36, 48, 72, 96, 120, 144, 168, 240, 336, 480, 720)
_Key = tuple[str | None, Tier | None, LastStatus | None]


def model_of(parts: Parts, policy: Policy, least: int, horizon_days: float) -> ModelFile | None:
    """The model of the first part. None: it has fewer than `least` parcels, or none that was followed for long enough.

    `least`: parcels that a group needs, else those that it borrows from tell of it.
    """
    fitted = parts.fitted
    groups = [_group(key, fitted.of(*key), parts.cut, least, horizon_days) for key in _keys(fitted)]
    kept = tuple(group for group in groups if group is not None)
    if not kept:
        return None
    hours = tuple(map(float, SILENT_HOURS))
    return ModelFile(1, policy.label, render(parts.first), render(parts.cut), float(horizon_days), hours, kept)


def _keys(silences: Silences) -> Iterator[_Key]:
    """What a parcel may be told of by, with the silences that there are."""
    for carrier in silences.carriers:
        for status in STATUSES:
            yield from ((carrier, tier, status) for tier in TIERS)
            yield carrier, None, status
        yield carrier, None, None
    yield from ((None, None, status) for status in STATUSES)
    yield None, None, None


def _group(key: _Key, silences: Silences, end: int, least: int, horizon_days: float) -> Group | None:
    parcels = len(np.unique(silences.shipment))
    if parcels < least:
        return None
    points = []
    for hours in SILENT_HOURS:
        # A longer silence is one of those that lasted so long.
        silences = silences.where(silences.until - silences.since > hours * HOUR)
        point = _point(hours, reached(silences, hours, end), horizon_days)
        if point is not None:
            points.append(point)
    return Group(*key, parcels, tuple(points)) if points else None


def _point(hours: float, found: Reached, horizon_days: float) -> Point | None:
    p50, p90 = (_within(found, share, horizon_days) for share in (0.5, 0.9))
    share = delivered_after_all(found, horizon_days)
    if share is None and p50 is None:
        return None
    return Point(float(hours), p50, p90, round(share.estimate, 4) if share is not None else None)


def _within(found: Reached, share: float, horizon_days: float) -> float | None:
    """After how many hours so large a share is delivered: None beyond the horizon, or where too few were followed."""
    hours = quantile(found.lasted, found.delivered, share)
    if hours is None or hours > horizon_days * 24 or int((found.followed >= hours * HOUR).sum()) < FEWEST:
        return None
    # Rounded up: by then it is so large a share.
    return ceil(round(hours * 100, 6)) / 100


class _Outcomes(NamedTuple):
    """Of parcels that were followed for as long as an estimate says: how many, and how many were delivered by then."""

    followed: int
    delivered: int

    @property
    def share(self) -> Share | None:
        """The share that was delivered. None: fewer than FEWEST were followed."""
        if self.followed < FEWEST:
            return None
        found = binomtest(self.delivered, self.followed).proportion_ci(CONFIDENCE, method="wilson")
        return Share(self.delivered / self.followed, float(found.low), float(found.high), self.followed)


def judged(model: ModelFile, parts: Parts) -> list[Judged]:
    """What became of the parcels of the last part, by silence; a parcel counts once for each status and tier."""
    lookup, later = DeliveryModel(model), parts.judged
    keys = [(carrier, tier, status) for carrier in later.carriers for tier in TIERS for status in STATUSES]
    pools = [(key, pool) for key in keys if len(pool := later.of(*key))]
    found = []
    for hours in SILENT_HOURS:
        by_half, by_most, after_all = _Outcomes(0, 0), _Outcomes(0, 0), _Outcomes(0, 0)
        promised = 0.0
        for (carrier, tier, status), pool in pools:
            told = lookup.estimate(carrier, tier, status, hours * HOUR)
            so_long = reached(pool, hours, parts.end)
            by_half = _counted(by_half, so_long, told.p50)
            by_most = _counted(by_most, so_long, told.p90)
            if told.delivered_after_all is not None:
                before = after_all.followed
                after_all = _counted(after_all, so_long, round(model.horizon_days * DAY))
                promised += told.delivered_after_all * (after_all.followed - before)
        share = after_all.share
        found.append(
            Judged(
                silent_hours=float(hours),
                by_p50=by_half.share,
                by_p90=by_most.share,
                promised_after_all=promised / after_all.followed if share is not None else None,
                after_all=share,
            )
        )
    return [one for one in found if one.by_p50 is not None or one.by_p90 is not None or one.after_all is not None]


def _counted(outcomes: _Outcomes, found: Reached, within: int | None) -> _Outcomes:
    if within is None:
        return outcomes
    followed: Mask = found.followed >= within
    lasted: Times = found.lasted
    delivered = followed & found.delivered & (lasted <= within)
    return _Outcomes(outcomes.followed + int(followed.sum()), outcomes.delivered + int(delivered.sum()))
