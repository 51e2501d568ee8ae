"""The help rate and its levels: a shop's last 30 days against its category's baseline."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

from streams.policy.model import HelpRate
from streams.rules.cases.case import DISTINCT_ORDER, KINDS, ORDER

INSUFFICIENT = "insufficient"
OK = "ok"
ELEVATED = "elevated"
CAMPAIGN_BLOCKED = "campaign_blocked"
DELISTING_RISK = "delisting_risk"
#: From the lowest to the highest; a shop's flags are bits in this order.
LEVELS = (ELEVATED, CAMPAIGN_BLOCKED, DELISTING_RISK)
ITEM_DELISTING_RISK = "item.delisting_risk"

#: One rate exceeds another only by more than this.
MARGIN = 1e-9


class Judgement(NamedTuple):
    """A state, and the flags of the levels reached or held (bit n: `LEVELS[n]`)."""

    state: str
    flags: int


def alert_of(level: str) -> str:
    """The alert type for a shop at `level`, one of LEVELS."""
    return f"help_rate.{level}"


def numerator(rules: HelpRate) -> tuple[int, ...]:
    """The indexes in a row of counts (by kind, `KINDS`) whose sum is the rate's numerator."""
    if rules.distinct_orders:
        return (DISTINCT_ORDER,)
    return tuple(place for place, kind in enumerate(KINDS) if kind in rules.counted)


def escalations(counts: Sequence[int], places: Sequence[int]) -> int:
    """The numerator of a row or window: escalations, or orders with at least one."""
    return sum([counts[place] for place in places])


def rate(counts: Sequence[int], places: Sequence[int]) -> float | None:
    """Escalations over orders, unrounded; None without orders."""
    return escalations(counts, places) / counts[ORDER] if counts[ORDER] else None


def multiples(rules: HelpRate) -> tuple[float, float, float]:
    """The multiple of the baseline for each level."""
    return rules.elevated, rules.campaign_blocked, rules.delisting_risk


def judge(
    flags: int, orders: int, escalations: int, rate: float | None, baseline: float | None, rules: HelpRate
) -> Judgement:
    """The state at a boundary, given the flags at the previous one.

    A level, once reached, holds for as long as the rate exceeds `hold` times its threshold.
    """
    if orders < rules.min_orders or rate is None or baseline is None:
        return Judgement(INSUFFICIENT, 0)
    result = 0
    for number, multiple in enumerate(multiples(rules)):
        threshold = multiple * baseline
        reached = rate - threshold > MARGIN
        if number == 2 and escalations < rules.delisting_min_escalations:
            reached = False
        if reached or (flags >> number & 1 and rate - rules.hold * threshold > MARGIN):
            result |= 1 << number
    return Judgement(LEVELS[result.bit_length() - 1] if result else OK, result)


def escalations_left(state: str, orders: int, escalations: int, baseline: float | None, rules: HelpRate) -> int | None:
    """How many more escalations would reach the next level, all else being equal; None at the highest."""
    if baseline is None or orders <= 0 or state in (INSUFFICIENT, DELISTING_RISK):
        return None
    number = LEVELS.index(state) + 1 if state in LEVELS else 0
    threshold = multiples(rules)[number] * baseline
    wanted = max(escalations, int(threshold * orders))
    if number == 2:
        wanted = max(wanted, rules.delisting_min_escalations)
    while wanted / orders - threshold <= MARGIN:
        wanted += 1
    # The estimate from the product may be one too high.
    lowest = max(escalations, rules.delisting_min_escalations if number == 2 else 0)
    while wanted > lowest and (wanted - 1) / orders - threshold > MARGIN:
        wanted -= 1
    return wanted - escalations
