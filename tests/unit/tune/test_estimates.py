"""Delivery estimates: fitted on the first part of a history whose true curves are known, judged on the last."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from schemas.times import DAY, HOUR
from streams.policy import load
from streams.policy.estimates import Group, ModelFile, Point
from streams.tune import estimates
from streams.tune.choices import Parts
from streams.tune.estimates import judged, model_of
from streams.tune.shares import FEWEST
from streams.tune.silences import NEVER, Silences
from tests.unit.tune.histories import T0, joined, silences, truth

TRIALS = 80
CUT, END = T0 + 60 * DAY, T0 + 100 * DAY


def fitted(found: Silences, least: int = 50, cut: int = CUT) -> ModelFile:
    model = model_of(Parts(found, T0, cut, END), load.default(), least, 30)
    assert model is not None
    return model


def of(model: ModelFile, *key: str | None) -> Group | None:
    return next((one for one in model.groups if (one.carrier, one.tier, one.status) == key), None)


def at(model: ModelFile, hours: float) -> Point:
    """What is told of all parcels, silent for so long."""
    group = of(model, None, None, None)
    assert group is not None
    return next(point for point in group.points if point.silent_hours == hours)


@pytest.fixture
def few_hours(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(estimates, "SILENT_HOURS", (0, 24, 72))


@pytest.mark.usefixtures("few_hours")
@pytest.mark.parametrize(("lost", "mean", "hours"), [(0.05, 48, 0), (0.05, 48, 24), (0.02, 48, 72), (0.3, 60, 24)])
def test_the_percentiles_are_those_of_the_truth_as_often_as_their_error_says(
    lost: float, mean: float, hours: float
) -> None:
    found: dict[str, list[float]] = {"p50": [], "p90": []}
    inside: dict[str, list[bool]] = {"p50": [], "p90": []}
    for seed in range(TRIALS):
        made = silences(seed, 400, lost, mean)
        lasted = int(((made.until - made.since > hours * HOUR) & (made.since + hours * HOUR < CUT)).sum())
        point = at(fitted(made), hours)
        for name, wanted, told in (("p50", 0.5, point.p50_hours), ("p90", 0.9, point.p90_hours)):
            if told is not None:
                share = 1 - truth(lost, mean, hours, told / 24)
                found[name].append(share)
                inside[name].append(abs(share - wanted) <= 1.645 * (wanted * (1 - wanted) / lasted) ** 0.5)
    for name, wanted in (("p50", 0.5), ("p90", 0.9)):
        if 1 - truth(lost, mean, hours, 30) < wanted:
            # So many are never delivered.
            assert len(found[name]) <= 0.05 * TRIALS
        elif 1 - truth(lost, mean, hours, 30) > wanted + 0.03:
            assert len(found[name]) >= 0.95 * TRIALS
            assert np.mean(found[name]) == pytest.approx(wanted, abs=0.02)
            # 90 % of all, within three standard errors of the trials; a few parcels are censored.
            assert np.mean(inside[name]) >= 0.9 - 3 * (0.09 / TRIALS) ** 0.5


@pytest.mark.usefixtures("few_hours")
def test_the_share_delivered_after_all_is_that_of_the_truth() -> None:
    model = fitted(joined(silences(1, 8_000, 0.2, 48, days=28), silences(2, 10, from_day=30)))

    for hours in (0, 24, 72):
        assert at(model, hours).delivered_after_all == pytest.approx(1 - truth(0.2, 48, hours, 30), abs=0.02)


@pytest.mark.usefixtures("few_hours")
def test_where_fewer_are_ever_delivered_there_is_no_such_time() -> None:
    third, most = (at(fitted(silences(3, 2_000, lost, 20, days=28)), 24) for lost in (0.15, 0.5))

    assert (third.p50_hours is None, third.p90_hours) == (False, None)
    assert (most.p50_hours, most.p90_hours) == (None, None)
    assert most.delivered_after_all is not None


def rows(count: int, delivered: float | None, *, carrier: int = 0, tier: int = 2, status: int = 3) -> Silences:
    """So many parcels of which each is silent from T0 on and delivered after so many hours."""
    zeros = np.zeros(count, dtype=np.int64)
    until = zeros + (NEVER if delivered is None else T0 + round(delivered * HOUR))
    numbers = np.arange(count) + 1_000 * carrier + 100_000 * status
    return Silences(
        ["SF", "ZTO"], zeros + carrier, zeros + tier, numbers, zeros + T0, until, until, zeros == 0, zeros + status
    )


@pytest.mark.parametrize(("hours", "told"), [(719.99, True), (720, True), (720.01, False)])
def test_a_time_beyond_the_horizon_is_not_told(hours: float, told: bool) -> None:
    assert (at(fitted(rows(60, hours)), 0).p50_hours == hours) is told


@pytest.mark.parametrize(("followed", "told"), [(-1, False), (0, True), (1, True)])
def test_a_time_for_which_too_few_were_followed_is_not_told(followed: int, told: bool) -> None:
    known = rows(FEWEST + followed, 100)
    # These are under way, and followed for 90 hours.
    late = rows(20, None, status=4)
    late = replace(late, since=late.since + CUT - T0 - 90 * HOUR)

    # Half of all are delivered no sooner than after 100 hours.
    model = model_of(Parts(joined(known, late), T0, CUT, END), load.default(), 40, 30)
    assert (model is not None and at(model, 0).p50_hours == 100) is told


def test_a_time_is_rounded_up_so_that_by_then_it_is_so_large_a_share() -> None:
    assert at(fitted(rows(60, 100 + 1 / 3_600_000)), 0).p50_hours == 100.01
    assert at(fitted(rows(60, 100)), 0).p50_hours == 100


@pytest.mark.parametrize(("parcels", "own"), [(49, False), (50, True)])
def test_a_group_of_too_few_parcels_is_left_to_those_that_tell_of_it(parcels: int, own: bool) -> None:
    arrived = 0
    model = fitted(joined(rows(parcels, 10, carrier=1, status=arrived), rows(60, 20, carrier=0, status=arrived)))
    status = "arrived"

    assert (of(model, "ZTO", "cross_province", status) is not None) is own
    assert (of(model, "ZTO", None, None) is not None) is own
    assert of(model, "SF", "cross_province", status) is not None
    group = of(model, None, None, status)
    assert group is not None
    assert group.parcels == parcels + 60


def test_of_too_few_parcels_in_all_there_is_no_model() -> None:
    assert model_of(Parts(rows(49, 10), T0, CUT, END), load.default(), 50, 30) is None
    assert model_of(Parts(rows(60, 10), T0, T0, END), load.default(), 50, 30) is None


def test_nothing_is_known_that_came_later() -> None:
    found = silences(5, 2_000, days=60)
    later = np.where(found.delivered > CUT, NEVER, found.delivered)

    assert fitted(found) == fitted(replace(found, delivered=later))


@pytest.mark.usefixtures("few_hours")
def test_what_is_told_holds_later_where_nothing_changes_and_does_not_where_it_does() -> None:
    past = silences(6, 4_000, 0.02, 48, days=60)
    same, slower = (joined(past, silences(7, 4_000, 0.02, mean, days=20, from_day=60)) for mean in (48, 96))

    held = {one.silent_hours: one for one in judged(fitted(same), Parts(same, T0, CUT, END))}
    missed = {one.silent_hours: one for one in judged(fitted(slower), Parts(slower, T0, CUT, END))}

    for hours in (0, 24):
        of_half, of_most = held[hours].by_p50, held[hours].by_p90
        assert of_half is not None
        assert of_most is not None
        assert of_half.low - 0.02 <= 0.5 <= of_half.high + 0.02
        assert of_most.low - 0.02 <= 0.9 <= of_most.high + 0.02
        after_all, promised = held[hours].after_all, held[hours].promised_after_all
        assert after_all is not None
        assert promised is not None
        assert after_all.low - 0.02 <= promised <= after_all.high + 0.02
        late = missed[hours].by_p50
        assert late is not None
        assert late.high < 0.4
