"""Thresholds: fitted on the first part of a history, judged on the last."""

from __future__ import annotations

import msgspec
import pytest

from schemas.times import DAY
from streams.policy import load
from streams.policy.model import Policy
from streams.tune.choices import Parts, proposals
from streams.tune.findings import Goal, Kind, Proposal
from streams.tune.silences import Silences
from tests.unit.tune.histories import T0, joined, silences, truth

GOALS: dict[Kind, Goal] = {"slow": Goal(0.5, 3), "stalled": Goal(0.8, 7)}
POLICY = load.load("default")
CUT, END = T0 + 60 * DAY, T0 + 100 * DAY


def proposed(
    found: Silences, policy: Policy = POLICY, goals: dict[Kind, Goal] = GOALS, least: int = 200
) -> dict[tuple[str | None, str], Proposal]:
    return {(one.carrier, one.kind): one for one in proposals(Parts(found, T0, CUT, END), policy, goals, least)}


def alike(seed: int = 1, lost: float = 0.1, mean: float = 48.0) -> Silences:
    """A history whose parts are alike."""
    return silences(seed, 20_000, lost, mean, days=100)


def test_a_threshold_is_where_alerts_become_right_often_enough() -> None:
    found = proposed(alike())

    for kind, goal in GOALS.items():
        one = found["ZTO", kind]
        assert one.choice is not None
        assert one.outcome == "written"
        assert truth(0.1, 48, one.choice.hours, goal.days) >= goal.right
        # Not far from the first that is.
        assert truth(0.1, 48, one.choice.hours - 12, goal.days) < goal.right
        assert one.choice.found is not None
        assert one.choice.promised.low >= goal.right
        wanted = truth(0.1, 48, one.choice.hours, goal.days)
        assert all(share.low <= wanted <= share.high for share in (one.choice.promised, one.choice.found))


def test_what_does_not_hold_later_is_not_written() -> None:
    # Of late fewer are lost.
    changed = joined(silences(1, 12_000, 0.1, days=60), silences(2, 8_000, 0.005, days=40, from_day=60))
    one = proposed(changed)["ZTO", "stalled"]

    assert one.outcome == "does_not_hold"
    assert one.choice is not None
    assert one.choice.found is not None
    assert one.choice.found.estimate < 0.8
    assert one.hours == one.hours_now == 168


def test_what_was_not_known_at_the_cut_is_not_fitted_on() -> None:
    # Nothing of before the cut is delivered before it: at that time all of it was right.
    late = silences(1, 4_000, 0.0, 1e7, days=60)
    one = proposed(joined(late, silences(2, 4_000, 0.0, 20.0, days=40, from_day=60)))["ZTO", "stalled"]

    assert one.choice is not None
    assert one.choice.promised.estimate == 1
    assert one.outcome == "does_not_hold"


def test_none_is_right_where_everything_is_delivered_soon() -> None:
    assert proposed(alike(lost=0, mean=30))["ZTO", "stalled"].outcome == "not_right"


@pytest.mark.parametrize(("least", "source"), [(100, "own"), (5_000, "all")])
def test_a_group_of_too_few_parcels_borrows(least: int, source: str) -> None:
    few = silences(3, 1_000, 0.1, days=100)
    both = joined(alike(), few)
    both.carriers.append("YTO")
    both.carrier[-1_000:] = 1
    one = proposed(both, least=least)["YTO", "stalled"]

    assert one.choice is not None
    assert one.choice.parcels_from == source


def test_too_few_parcels_for_everyone_leave_the_present_threshold() -> None:
    assert {one.outcome for one in proposed(silences(1, 150, days=100)).values()} == {"too_few"}


def test_too_few_parcels_later_leave_it_too() -> None:
    one = proposed(joined(alike().where(alike().since < CUT), silences(2, 20, days=40, from_day=60)))["ZTO", "stalled"]

    assert one.outcome == "too_few_judged"


def test_a_slow_that_would_not_be_shorter_than_its_stalled_is_not_written() -> None:
    goals: dict[Kind, Goal] = {"slow": Goal(0.8, 7), "stalled": Goal(0.5, 3)}
    found = proposed(alike(), goals=goals)

    assert found["ZTO", "slow"].outcome == "not_in_order"
    assert found["ZTO", "slow"].hours < found["ZTO", "stalled"].hours


def test_a_stalled_that_would_overtake_the_slow_that_stays_is_not_written() -> None:
    goals: dict[Kind, Goal] = {"slow": Goal(0.999, 60), "stalled": Goal(0.15, 1)}
    found = proposed(alike(), goals=goals)

    assert found["ZTO", "stalled"].outcome == "not_in_order"
    assert found["ZTO", "slow"].hours < found["ZTO", "stalled"].hours


def test_what_is_there_already_is_said_to_be() -> None:
    first = proposed(alike())["ZTO", "stalled"]
    content = msgspec.to_builtins(POLICY)
    content["shipments"]["thresholds"][0]["stalled"]["hours"] = first.hours
    again = proposed(alike(), msgspec.convert(content, Policy))["ZTO", "stalled"]

    assert again.outcome == "as_it_is"


def test_alerts_a_day_are_those_of_the_last_part() -> None:
    found = alike()
    one = proposed(found)["ZTO", "stalled"]
    later = found.where(found.since >= CUT)
    wanted = sum(
        1 for since, until in zip(later.since.tolist(), later.until.tolist(), strict=True)
        if min(until, END) - since > 7 * DAY
    )  # fmt: skip

    assert one.alerts_a_day_now == pytest.approx(wanted / 40)
