"""Chooses thresholds: fitted on the first part of a history, judged on the last.

The smallest threshold is chosen from which on alerts are right often enough: by the lower end of the interval there,
and by the share at every longer one that enough parcels reach. A group of too few parcels takes those of its carrier,
else all.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Literal, NamedTuple

import msgspec
import numpy as np

from schemas.times import DAY, HOUR
from streams.carriers import same
from streams.policy.model import Policy
from streams.policy.shipments import Thresholds, Tier
from streams.tune.findings import Choice, Goal, Kind, Outcome, Proposal, Source
from streams.tune.shares import Share, quantile, reached, undelivered
from streams.tune.silences import TIERS, Silences

#: Thresholds that are tried, in hours.
CANDIDATES = range(6, 30 * 24 + 1, 6)


class Parts(NamedTuple):
    """A history in two parts, by the start of a silence; of the first part is known what was at `cut`. Microseconds."""

    silences: Silences
    first: int
    cut: int
    end: int

    @property
    def fitted(self) -> Silences:
        """The silences of the first part."""
        return self.silences.where(self.silences.since < self.cut)

    @property
    def judged(self) -> Silences:
        """The silences of the last part."""
        return self.silences.where(self.silences.since >= self.cut)


class _Fit(NamedTuple):
    hours: float
    share: Share


def row_of(policy: Policy, carrier: str | None) -> Thresholds:
    """The row for a carrier, None: for all others, outside of dated periods."""
    rows = [row for row in policy.shipments.thresholds if row.period is None]
    own = [row for row in rows if carrier is not None and row.carrier is not None and same(row.carrier, carrier)]
    return (own or [row for row in rows if row.carrier is None])[0]


def proposals(parts: Parts, policy: Policy, goals: dict[Kind, Goal], least: int) -> list[Proposal]:
    """A proposal for each carrier, tier and kind; those for all carriers last.

    `least`: parcels of the first part that a group needs to be fitted by itself.
    """
    fitted, judged = parts.fitted, parts.judged
    found: list[Proposal] = []
    for carrier in (*parts.silences.carriers, None):
        row = row_of(policy, carrier)
        for tier in TIERS:
            if not len(parts.silences.of(carrier, tier)):
                continue
            chooser = _Chooser(
                list(_pools(fitted, carrier, tier)), dict(_pools(judged, carrier, tier)), parts, least, carrier, tier
            )
            stalled = chooser.proposal("stalled", row, goals["stalled"], None)
            slow = chooser.proposal("slow", row, goals["slow"], stalled.hours)
            if slow.hours >= stalled.hours:
                # The new `stalled` would overtake the `slow` that stays.
                stalled = msgspec.structs.replace(stalled, outcome="not_in_order")
            found += [slow, stalled]
    return found


def _pools(silences: Silences, carrier: str | None, tier: Tier) -> Iterator[tuple[Source, Silences]]:
    """The group itself, and what it may borrow from."""
    yield "own", silences.of(carrier, tier)
    if carrier is not None:
        yield "carrier", silences.of(carrier, None)
    yield "all", silences


class _Chooser(NamedTuple):
    fitted: list[tuple[Source, Silences]]
    judged: dict[Source, Silences]
    parts: Parts
    least: int
    carrier: str | None
    tier: Tier

    def proposal(self, kind: Kind, row: Thresholds, goal: Goal, below: float | None) -> Proposal:
        """`below`: hours that the threshold must be shorter than."""
        rule = row.slow if kind == "slow" else row.stalled
        now = rule.micros[self.tier] / HOUR
        own = _judged_by(kind, self.judged["own"])
        outcome: Outcome = "too_few"
        choice = None
        for source, fitted in self.fitted:
            pool = _judged_by(kind, fitted)
            if len(np.unique(pool.shipment)) < self.least:
                continue
            fit = self._fit(pool, goal, strict=rule.strict)
            if isinstance(fit, _Fit):
                later = (own, _judged_by(kind, self.judged[source]))
                choice = self._judged(source, fit, goal, later, strict=rule.strict)
                outcome = _outcome(choice, goal, now, below)
                break
            outcome = fit
            if fit == "not_right":
                break
        alerts = self._alerts_a_day(own, now, strict=rule.strict)
        return Proposal(self.carrier, self.tier, kind, now, alerts, outcome, choice)

    def _fit(self, pool: Silences, goal: Goal, *, strict: bool) -> _Fit | Literal["too_few", "not_right"]:
        lasting = pool.where(pool.until - pool.since >= CANDIDATES[0] * HOUR)
        fit: _Fit | None = None
        last: Share | None = None
        for hours in CANDIDATES:
            share = undelivered(reached(lasting, hours, self.parts.cut, strict=strict), goal.days)
            if share is None:
                break
            last = share
            if share.estimate < goal.right:
                fit = None
            elif fit is None and share.low >= goal.right:
                fit = _Fit(float(hours), share)
        if fit is not None:
            return fit
        return "not_right" if last is not None and last.high < goal.right else "too_few"

    def _judged(
        self, source: Source, fit: _Fit, goal: Goal, later: tuple[Silences, Silences], *, strict: bool
    ) -> Choice:
        """What became of it in the last part: in the group's own parcels, else in those that it borrows."""
        found = ahead = None
        for judged in later:
            lasting = reached(judged, fit.hours, self.parts.end, strict=strict)
            found = undelivered(lasting, goal.days)
            if found is not None:
                ahead = quantile(lasting.lasted, lasting.delivered, 0.5)
                break
        alerts = self._alerts_a_day(later[0], fit.hours, strict=strict)
        return Choice(fit.hours, source, fit.share, found, alerts, ahead)

    def _alerts_a_day(self, silences: Silences, hours: float, *, strict: bool) -> float:
        threshold = round(hours * HOUR)
        lasted = np.minimum(silences.until, self.parts.end) - silences.since
        days = (self.parts.end - self.parts.cut) / DAY
        return float((lasted > threshold - (not strict)).sum()) / days if days > 0 else 0.0


def _judged_by(kind: Kind, silences: Silences) -> Silences:
    """Those that a threshold of the kind judges."""
    return silences.where(silences.watched) if kind == "slow" else silences


def _outcome(choice: Choice, goal: Goal, now: float, below: float | None) -> Outcome:
    if choice.hours == now:
        return "as_it_is"
    if below is not None and choice.hours >= below:
        return "not_in_order"
    if choice.found is None:
        return "too_few_judged"
    return "written" if choice.found.estimate >= goal.right else "does_not_hold"
