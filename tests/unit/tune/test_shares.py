"""Shares of parcels that are not delivered in time, and their intervals."""

from __future__ import annotations

import numpy as np
import pytest
from scipy.stats import binomtest

from schemas.times import DAY, HOUR
from streams.tune import shares
from streams.tune.shares import Reached, delivered_after_all, quantile, reached, undelivered
from streams.tune.silences import NEVER, Silences
from tests.unit.tune.histories import T0, silences, truth


def of(*rows: tuple[int, float, float | None, float | None]) -> Silences:
    """Silences: (shipment, since, until, delivered), in hours after T0; None: never."""

    def times(place: int) -> np.ndarray:
        return np.array(
            [NEVER if row[place] is None else T0 + round(row[place] * HOUR) for row in rows], dtype=np.int64
        )

    shipment = np.array([row[0] for row in rows], dtype=np.int64)
    zeros = np.zeros(len(rows), dtype=np.int64)
    return Silences(["ZTO"], zeros, zeros, shipment, times(1), times(2), times(3), zeros == 0, zeros)


def days(*lasted: tuple[float, bool], followed: float = 100) -> Reached:
    """Parcels: days from the raise to the delivery, or to the end of what is known."""
    return Reached(
        np.array([round(one * DAY) for one, _ in lasted], dtype=np.int64),
        np.array([delivered for _, delivered in lasted]),
        np.array([round((followed if delivered else one) * DAY) for one, delivered in lasted], dtype=np.int64),
    )


@pytest.fixture
def of_few(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "FEWEST", 1)


@pytest.mark.usefixtures("of_few")
def test_without_censoring_it_is_the_plain_share() -> None:
    share = undelivered(days(*[(1, True)] * 60, *[(50, True)] * 40), 3)

    assert share is not None
    assert share.estimate == pytest.approx(0.4)
    wilson = binomtest(40, 100).proportion_ci(shares.CONFIDENCE, method="wilson")
    assert (share.low, share.high) == pytest.approx((wilson.low, wilson.high))
    assert share.parcels == 100


@pytest.mark.usefixtures("of_few")
def test_who_is_followed_for_a_shorter_time_counts_for_as_long_as_that() -> None:
    # One of four is delivered on day 1, one is known for a day and a half; of the two others one on day 2.
    share = undelivered(days((1, True), (1.5, False), (2, True), (9, False)), 3)

    assert share is not None
    assert share.estimate == pytest.approx(3 / 4 * 1 / 2)


@pytest.mark.usefixtures("of_few")
@pytest.mark.parametrize(("within", "wanted"), [(1.999, 1.0), (2, 0.0), (2.001, 0.0)])
def test_a_delivery_at_the_very_end_is_in_time(within: float, wanted: float) -> None:
    share = undelivered(days((2, True)), within)

    assert share is not None
    assert share.estimate == wanted


@pytest.mark.usefixtures("of_few")
@pytest.mark.parametrize("delivered", [True, False])
def test_a_share_of_nothing_or_of_all_has_an_interval_that_says_of_how_few(delivered: bool) -> None:
    parcels = days(*[(1 if delivered else 50, True)] * 20)
    share = undelivered(parcels, 3)

    assert share is not None
    assert share.estimate == (0 if delivered else 1)
    assert share.high - share.low == pytest.approx(1.645**2 / (20 + 1.645**2), abs=1e-3)


def test_of_too_few_that_were_followed_for_the_whole_time_nothing_is_said() -> None:
    enough = [(9.0, False)] * shares.FEWEST

    assert undelivered(days(*enough), 9) is not None
    assert undelivered(days(*enough[1:], (8.99, False)), 9) is None


def test_who_was_returned_is_never_delivered() -> None:
    end = T0 + 100 * DAY
    rows = [(number, 0.0, 200.0, None) for number in range(50)] + [
        (99 + number, 0.0, 200.0, 200.0) for number in range(50)
    ]
    share = delivered_after_all(reached(of(*rows), 100, end), 30)

    assert share is not None
    assert share.estimate == pytest.approx(0.5)


@pytest.mark.parametrize(("hours", "strict", "parcels"), [
    (23.9, True, 1), (24, True, 0), (24, False, 1), (24.1, False, 0),
])  # fmt: skip
def test_a_silence_reaches_a_threshold_as_the_rules_say(hours: float, strict: bool, parcels: int) -> None:
    found = reached(of((1, 0, 24, 24)), hours, T0 + 9 * DAY, strict=strict)

    assert len(found.lasted) == parcels


@pytest.mark.parametrize(("end", "parcels"), [(24.1, 1), (24, 0)])
def test_what_is_not_due_when_the_history_ends_counts_for_nothing(end: float, parcels: int) -> None:
    assert len(reached(of((1, 0, None, None)), 24, T0 + round(end * HOUR)).lasted) == parcels


def test_a_parcel_counts_once_by_its_first_silence_that_lasts_so_long() -> None:
    rows = ((1, 0, 10, 300), (1, 10, 100, 300), (1, 100, 300, 300), (2, 50, 200, 200))
    found = reached(of(*rows), 48, T0 + 30 * DAY)

    assert sorted(found.lasted.tolist()) == [(200 - 98) * HOUR, (300 - 58) * HOUR]


def test_what_comes_after_the_end_is_not_known() -> None:
    found = reached(of((1, 0, 90, 90)), 24, T0 + 72 * HOUR)

    assert found.delivered.tolist() == [False]
    assert found.lasted.tolist() == [48 * HOUR]


@pytest.mark.parametrize(("share", "hours"), [(0.25, 1), (0.5, 2), (0.75, 3), (0.76, None)])
def test_quantiles_of_silences_of_which_the_last_goes_on(share: float, hours: float | None) -> None:
    lasted = np.array([1, 2, 3, 4], dtype=np.int64) * HOUR

    assert quantile(lasted, np.array([True, True, True, False]), share) == hours


@pytest.mark.parametrize(("lost", "mean", "hours", "within"), [
    (0.1, 48, 24, 3), (0.1, 48, 96, 7), (0.02, 30, 48, 5), (0.5, 60, 72, 10), (0.3, 48, 120, 1),
])  # fmt: skip
def test_the_intervals_cover_the_truth_as_often_as_they_say(
    lost: float, mean: float, hours: float, within: float
) -> None:
    wanted = truth(lost, mean, hours, within)
    covered = told = 0
    for seed in range(400):
        # The history ends while many are under way: a third of those that raise is followed for less than `within`.
        share = undelivered(reached(silences(seed, 500, lost, mean, days=30), hours, T0 + 30 * DAY), within)
        if share is not None:
            told += 1
            covered += share.low <= wanted <= share.high
    assert told > 200
    # Three standard errors of 400 trials below, and a little generosity above: small shares of few parcels are coarse.
    assert 0.9 - 3 * (0.09 / told) ** 0.5 <= covered / told <= 0.97
