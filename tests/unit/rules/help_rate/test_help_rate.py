"""The levels' rows one by one: reached by more than a margin, held down to nine tenths, forgotten when insufficient."""

from __future__ import annotations

import pytest

from streams.policy import load
from streams.rules.help_rate.levels import escalations_left, judge

RULES = load.default().help_rate
ELEVATED, BLOCKED, RISK = 1, 2, 4
#: Far less than the margin, at it, and more.
UNDER, OVER = 5e-10, 2e-9


def judged(rate: float, flags: int = 0, *, orders: int = 100, escalations: int = 99, baseline: float = 0.1) -> str:
    return judge(flags, orders, escalations, rate, baseline, RULES).state


@pytest.mark.parametrize(
    ("threshold", "below", "level"),
    [(0.12, "ok", "elevated"), (0.15, "elevated", "campaign_blocked"), (0.3, "campaign_blocked", "delisting_risk")],
)
def test_a_level_is_reached_by_more_than_the_margin(threshold: float, below: str, level: str) -> None:
    assert judged(threshold - OVER) == below
    assert judged(threshold) == below
    assert judged(threshold + UNDER) == below
    assert judged(threshold + OVER) == level


@pytest.mark.parametrize(
    ("flag", "threshold", "level", "otherwise"),
    [
        (ELEVATED, 0.108, "elevated", "ok"),
        (BLOCKED, 0.135, "campaign_blocked", "elevated"),
        (RISK, 0.27, "delisting_risk", "campaign_blocked"),
    ],
)
def test_a_level_once_reached_holds_above_nine_tenths_of_its_threshold(
    flag: int, threshold: float, level: str, otherwise: str
) -> None:
    assert judged(threshold + OVER, flag) == level
    assert judged(threshold + UNDER, flag) == otherwise
    assert judged(threshold, flag) == otherwise
    assert judged(threshold + OVER) == otherwise


def test_a_higher_level_that_falls_leaves_the_lower_ones_to_hold_by_themselves() -> None:
    assert judged(0.11, ELEVATED | BLOCKED) == "elevated"
    # The lower one was never reached by itself: nothing holds.
    assert judged(0.11, BLOCKED) == "ok"
    assert judge(ELEVATED | BLOCKED | RISK, 100, 99, 0.28, 0.1, RULES).flags == ELEVATED | BLOCKED | RISK


@pytest.mark.parametrize(("escalations", "state"), [(4, "campaign_blocked"), (5, "delisting_risk")])
def test_the_risk_of_delisting_is_reached_with_five_escalations(escalations: int, state: str) -> None:
    assert judged(0.5, escalations=escalations) == state


def test_the_count_of_five_is_not_needed_to_hold() -> None:
    assert judged(0.28, RISK, escalations=1) == "delisting_risk"


@pytest.mark.parametrize(("orders", "state"), [(29, "insufficient"), (30, "delisting_risk")])
def test_fewer_than_30_orders_are_insufficient(orders: int, state: str) -> None:
    assert judged(9.0, orders=orders) == state


def test_without_a_baseline_it_is_insufficient_and_forgets() -> None:
    found = judge(ELEVATED | BLOCKED | RISK, 100, 99, 0.9, None, RULES)
    assert (found.state, found.flags) == ("insufficient", 0)
    assert judge(ELEVATED, 0, 5, None, 0.1, RULES).state == "insufficient"


def test_a_baseline_of_nothing_is_exceeded_by_anything() -> None:
    assert judged(0.01, baseline=0.0) == "delisting_risk"
    assert judged(0.0, baseline=0.0) == "ok"


@pytest.mark.parametrize(
    ("state", "orders", "escalations", "baseline", "left"),
    [
        # More than 0.12 of 100: 13. More than 0.15: 16. More than 0.3: 31.
        ("ok", 100, 3, 0.1, 10),
        ("ok", 100, 12, 0.1, 1),
        ("elevated", 100, 13, 0.1, 3),
        ("elevated", 100, 15, 0.1, 1),
        ("campaign_blocked", 100, 16, 0.1, 15),
        ("campaign_blocked", 100, 30, 0.1, 1),
        # Three would do for the rate, five are needed.
        ("campaign_blocked", 30, 2, 0.02, 3),
        ("delisting_risk", 100, 31, 0.1, None),
        ("insufficient", 10, 3, 0.1, None),
        ("ok", 30, 0, 0.0, 1),
    ],
)
def test_how_many_more_escalations_reach_the_next_level(
    state: str, orders: int, escalations: int, baseline: float, left: int | None
) -> None:
    assert escalations_left(state, orders, escalations, baseline, RULES) == left


@pytest.mark.parametrize("state", ["ok", "elevated", "campaign_blocked"])
@pytest.mark.parametrize("baseline", [0.0, 0.01, 1 / 30, 0.1, 1 / 3, 0.5, 1.7])
@pytest.mark.parametrize("orders", [30, 31, 97, 300, 7919])
def test_so_many_more_reach_it_and_one_less_does_not(state: str, baseline: float, orders: int) -> None:
    levels = ("ok", "elevated", "campaign_blocked", "delisting_risk")
    following = levels[levels.index(state) + 1 :]
    for escalations in (0, 1, 4, 5, 29):
        here = judge(0, orders, escalations, escalations / orders, baseline, RULES).state
        if here != state:
            continue
        left = escalations_left(state, orders, escalations, baseline, RULES)
        assert left is not None
        more, less = escalations + left, escalations + left - 1
        assert judge(0, orders, more, more / orders, baseline, RULES).state in following
        assert judge(0, orders, less, less / orders, baseline, RULES).state not in following
