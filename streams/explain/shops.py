"""A shop's help rate: its windows, each change of its level and what it was judged on, and what counts now."""

from __future__ import annotations

from collections import Counter
from typing import Any

import msgspec

from schemas.times import HOUR, render
from streams.explain.escalations import Counting, countings
from streams.explain.facts import Coded, Facts, Share
from streams.explain.watch import Level, ShopWatch, Watch
from streams.policy.model import HelpRate
from streams.rules.alert import RAISED
from streams.rules.alert_types import types_about
from streams.rules.help_rate import levels
from streams.rules.help_rate.levels import DELISTING_RISK, INSUFFICIENT, LEVELS
from streams.rules.windows import WINDOWS

#: What is judged of a shop; the other alerts of the shop are counted alone.
_LEVELS = types_about("shop", "item")
FEW_ORDERS, NO_BASELINE, HELD, FEW_ESCALATIONS = "few_orders", "no_baseline", "held", "few_escalations"


class Judged(msgspec.Struct, frozen=True):
    """A shop as of a boundary. `window`: its 30 days as published.

    `why`: a code, where the figures alone do not say it.
    """

    boundary: int
    state: str
    category: str | None
    shops: int
    window: dict[str, Any]
    baseline: float | None
    left: int | None
    why: str | None
    thresholds: dict[str, float]

    def told(self) -> dict[str, Any]:
        """As JSON, but for its sentence."""
        window = self.window
        return {
            "as_of": render(self.boundary),
            "state": self.state,
            "why": self.why,
            "category_id": self.category,
            "shops_in_baseline": self.shops,
            "orders": window["orders"],
            "escalations": window["escalations"],
            "rate": window["rate"],
            "baseline": _rounded(self.baseline),
            "thresholds": {level: _rounded(value) for level, value in self.thresholds.items()},
            "escalations_left": self.left,
        }

    def sentence(self) -> Facts:
        """The facts of its sentence."""
        window = self.window
        rate = window["rate"]
        facts: Facts = {
            "state": Coded("levels", self.state),
            "orders": window["orders"],
            "escalations": window["escalations"],
            "rate": Share(rate) if rate is not None else None,
            "baseline": Share(self.baseline) if self.baseline is not None else None,
            "category": self.category,
            "shops": self.shops,
            "left": self.left,
            "why": Coded("level_reasons", self.why) if self.why is not None else None,
        }
        return facts | {level: Share(value) for level, value in self.thresholds.items()}


class ShopFigures(msgspec.Struct, frozen=True):
    """`changes`: whenever the state became another one; `now`: as of the last boundary judged.

    `escalations`: those whose hours are in the 30 days of `now`. `alerts`: of the shop's orders, parcels, tickets and
    conversations, how many were raised, and how many are open, by type.
    """

    changes: list[Judged]
    now: Judged | None
    record: dict[str, Any] | None
    escalations: list[Counting]
    alerts: dict[str, tuple[int, int]]


def figures(watch: Watch, shop: ShopWatch) -> ShopFigures:
    """What the reading says of the shop."""
    rules = watch.policy.help_rate
    changes, state = [], ""
    for level in shop.levels:
        if level.state != state:
            changes.append(_judged(level, rules))
            state = level.state
    known = shop.shops.get(watch.scope.subject)
    now = None
    if known is not None and shop.levels and shop.boundary is not None:
        # A new baseline alone is not published, and may be what counts now.
        baseline, members = shop.baseline(shop.levels[-1].record["main_category"])
        level = msgspec.structs.replace(shop.levels[-1], baseline=baseline, shops=members)
        now = _judged(level, rules)
    return ShopFigures(changes, now, shop.levels[-1].record if now else None, _counted(watch), _alerts(watch))


def _judged(level: Level, rules: HelpRate) -> Judged:
    window = level.record["30d"]
    baseline = level.baseline
    orders, escalations = window["orders"], window["escalations"]
    left = levels.escalations_left(level.state, orders, escalations, baseline, rules)
    multiples = dict(zip(LEVELS, levels.multiples(rules), strict=True))
    thresholds = {name: baseline * multiple for name, multiple in multiples.items()} if baseline is not None else {}
    why = None
    rate = window["rate"] or 0.0
    if level.state == INSUFFICIENT:
        why = FEW_ORDERS if orders < rules.min_orders else NO_BASELINE
    elif level.state in LEVELS and rate <= thresholds[level.state]:
        why = HELD
    elif level.state != DELISTING_RISK and rate > thresholds[DELISTING_RISK]:
        why = FEW_ESCALATIONS
    category = level.record["main_category"]
    return Judged(level.boundary, level.state, category, level.shops, window, baseline, left, why, thresholds)


def _counted(watch: Watch) -> list[Counting]:
    """The escalations of the last 30 days, as of the last boundary passed."""
    boundary = (watch.end - 1) // HOUR * HOUR
    found = countings(watch.reader.orders.cases.values(), watch.policy, watch.end)
    inside = [one for one in found if boundary - WINDOWS[-1] <= one.time - one.time % HOUR < boundary]
    return [one for one in inside if one.shop_id == watch.scope.subject]


def _alerts(watch: Watch) -> dict[str, tuple[int, int]]:
    raised: Counter[str] = Counter()
    open_: Counter[str] = Counter()
    subject = watch.scope.subject
    for alert in watch.alerts:
        if alert.shop_id != subject or alert.type in _LEVELS:
            continue
        raised[alert.type] += alert.status == RAISED
        open_[alert.type] += 1 if alert.status == RAISED else -1
    return {type_: (count, open_[type_]) for type_, count in sorted(raised.items())}


def _rounded(rate: float | None) -> float | None:
    return round(rate, 6) if rate is not None else None
