"""Dated periods: whole days of every year or of one, by their own clock."""

from __future__ import annotations

import pytest

from schemas.times import parse
from streams.policy.periods import Period


def inside(period: Period, at: str) -> bool:
    return period.contains(parse(at))


@pytest.mark.parametrize(
    ("at", "held"),
    [
        ("2025-06-01T00:00:00+08:00", True),
        ("2025-05-31T23:59:59.999999+08:00", False),
        ("2025-06-20T23:59:59.999999+08:00", True),
        ("2025-06-21T00:00:00+08:00", False),
        ("1999-06-10T12:00:00Z", True),
        ("1960-06-10T12:00:00Z", True),
        ("2025-07-10T12:00:00Z", False),
    ],
)
def test_a_period_of_every_year_holds_from_its_first_day_to_the_end_of_its_last(at: str, held: bool) -> None:
    assert inside(Period(name="618", first="06-01", last="06-20"), at) == held


@pytest.mark.parametrize(
    ("at", "held"),
    [
        ("2026-12-20T00:00:00Z", True),
        ("2026-12-19T23:59:59Z", False),
        ("2027-01-05T23:59:59Z", True),
        ("2027-01-06T00:00:00Z", False),
        ("2026-07-01T00:00:00Z", False),
    ],
)
def test_a_yearly_period_may_run_over_the_new_year(at: str, held: bool) -> None:
    assert inside(Period(name="turn", first="12-20", last="01-05", utc_offset_hours=0), at) == held


def test_a_period_of_one_year_is_of_that_year_alone() -> None:
    period = Period(name="once", first="2026-02-10", last="2026-02-23")
    assert inside(period, "2026-02-10T00:00:00+08:00")
    assert not inside(period, "2025-02-15T00:00:00+08:00")
    assert not inside(period, "2027-02-15T00:00:00+08:00")


def test_a_leap_day_is_a_day() -> None:
    period = Period(name="leap", first="02-29", last="02-29", utc_offset_hours=0)
    assert period.problem() is None
    assert inside(period, "2024-02-29T12:00:00Z")
    assert not inside(period, "2025-02-28T12:00:00Z")
    assert not inside(period, "2025-03-01T12:00:00Z")


@pytest.mark.parametrize(
    ("offset", "first"), [(8, "2026-05-31T16:00:00Z"), (0, "2026-06-01T00:00:00Z"), (-5.5, "2026-06-01T05:30:00Z")]
)
def test_its_days_are_those_of_its_own_clock(offset: float, first: str) -> None:
    period = Period(name="p", first="06-01", last="06-01", utc_offset_hours=offset)
    start = parse(first)
    day = 24 * 3_600_000_000
    found = [period.contains(start + beside) for beside in (-1, 0, day - 1, day)]
    assert found == [False, True, True, False]
