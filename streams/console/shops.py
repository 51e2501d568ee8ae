"""Shops: how their help rate has gone, and what it would take to reach or to leave a level."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import msgspec

from schemas.times import DAY
from streams.console.store import Store
from streams.policy.model import HelpRate
from streams.rules.help_rate.levels import (
    INSUFFICIENT,
    LEVELS,
    MARGIN,
    OK,
    escalations_left,
    multiples,
)

Shares = list[tuple[int, float]]
#: How far back a chart goes, and how many shops a page lists.
_BACK, _MOST = 90 * DAY, 500
#: The gravest level first.
_ORDER = (*reversed(LEVELS), OK, INSUFFICIENT)


@dataclass(frozen=True, slots=True)
class Outlook:
    """What it would take, all else being equal. None: it cannot be reached, or there is nothing to leave.

    `reach`: the next level, and how many more escalations lead to it. `fewer`, `orders`: how many escalations fewer, or
    how many more orders without one, end the present level.
    """

    reach: tuple[str, int] | None
    fewer: int | None
    orders: int | None


@dataclass(frozen=True, slots=True)
class ShopFigures:
    """One shop as it stands, and its shares over time as (microseconds, share).

    `record`: its row of `help-rates`. `baseline`: its category's mean as it is now. `until`: how far all shops are.
    """

    shop: str
    state: str
    category: str | None
    baseline: float | None
    as_of: int
    until: int
    record: dict[str, Any]
    week: Shares
    month: Shares
    means: Shares
    outlook: Outlook


def outlook(state: str, orders: int, escalations: int, baseline: float | None, rules: HelpRate) -> Outlook:
    """The outlook of a shop with these figures of its 30 days."""
    left = escalations_left(state, orders, escalations, baseline, rules)
    reach = None
    if left is not None:
        reach = (LEVELS[LEVELS.index(state) + 1 if state in LEVELS else 0], left)
    if state not in LEVELS or not baseline or orders <= 0:
        return Outlook(reach, None, None)
    # It holds while the rate exceeds this.
    bound = rules.hold * multiples(rules)[LEVELS.index(state)] * baseline + MARGIN
    return Outlook(
        reach, max(0, escalations - math.floor(bound * orders)), max(0, math.ceil(escalations / bound) - orders)
    )


def shops(store: Store, text: str) -> list[dict[str, Any]]:
    """Shops as they stand, the gravest level first, then the highest rate; `text`: a part of the name."""
    rank = " ".join(f"WHEN '{level}' THEN {number}" for number, level in enumerate(_ORDER))
    rows = store.rows(
        # The names of levels are our own.
        f"SELECT shop, state, category, baseline, rate_7, rate_30, as_of FROM shops WHERE instr(lower(shop), ?) > 0"  # noqa: S608
        f" ORDER BY CASE state {rank} ELSE {len(_ORDER)} END, rate_30 DESC, shop LIMIT {_MOST}",
        (text.lower(),),
    )
    return [dict(row) for row in rows]


def shop(store: Store, shop_id: str, rules: HelpRate) -> ShopFigures | None:
    """One shop; None where the table has no row of it."""
    rows = store.rows("SELECT * FROM shops WHERE shop = ?", (shop_id,))
    if not rows:
        return None
    row = rows[0]
    means = means_of(store, row["category"])
    baseline = means[-1][1] if means and means[-1][0] >= row["as_of"] else row["baseline"]
    record = msgspec.json.decode(row["record"])
    month = record["30d"]
    latest = store.rows("SELECT max(as_of) FROM rates")[0][0]
    points = store.rows(
        "SELECT as_of, rate_7, rate_30, baseline FROM rates WHERE shop = ? AND as_of > ? ORDER BY as_of",
        (shop_id, latest - _BACK),
    )
    if not means:
        means = [(each["as_of"], each["baseline"]) for each in points if each["baseline"] is not None]
    return ShopFigures(
        shop=shop_id,
        state=row["state"],
        category=row["category"],
        baseline=baseline,
        as_of=row["as_of"],
        until=latest,
        record=record,
        week=[(each["as_of"], each["rate_7"]) for each in points if each["rate_7"] is not None],
        month=[(each["as_of"], each["rate_30"]) for each in points if each["rate_30"] is not None],
        means=[(max(at, points[0]["as_of"]), mean) for at, mean in means] if points else means,
        outlook=outlook(row["state"], month["orders"], month["escalations"], baseline, rules),
    )


def means_of(store: Store, category: str | None) -> Shares:
    """A category's means over time."""
    rows = store.rows(
        "SELECT as_of, rate FROM baselines WHERE category = ? AND rate IS NOT NULL ORDER BY as_of", (category,)
    )
    return [(row["as_of"], row["rate"]) for row in rows]


def thresholds(means: Shares, rules: HelpRate) -> dict[str, Shares]:
    """Where each level begins, over time."""
    factors = dict(zip(LEVELS, multiples(rules), strict=True))
    return {level: [(at, mean * factor) for at, mean in means] for level, factor in factors.items()}
