"""Quiet hours and digest times at their boundaries, and where clocks are put forward and back."""

from __future__ import annotations

import pytest

from schemas.times import parse, render
from streams.notify.local_times import next_of, quiet_until

NIGHT = (22 * 60, 8 * 60)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-03T13:59:59.999999Z", None),  # 21:59:59 in Shanghai
        ("2026-11-03T14:00:00Z", "2026-11-04T00:00:00Z"),
        ("2026-11-03T14:00:00.000001Z", "2026-11-04T00:00:00Z"),
        ("2026-11-03T23:59:59.999999Z", "2026-11-04T00:00:00Z"),
        ("2026-11-04T00:00:00Z", None),
        ("2026-11-04T00:00:00.000001Z", None),
    ],
)
def test_it_is_quiet_from_ten_at_night_to_eight_in_the_morning(now: str, until: str | None) -> None:
    found = quiet_until(parse(now), "Asia/Shanghai", *NIGHT)
    assert (None if found is None else render(found)) == until


def test_quiet_hours_within_a_day() -> None:
    noon = (12 * 60, 14 * 60)
    assert quiet_until(parse("2026-11-03T03:59:59Z"), "Asia/Shanghai", *noon) is None
    assert quiet_until(parse("2026-11-03T04:00:00Z"), "Asia/Shanghai", *noon) == parse("2026-11-03T06:00:00Z")
    assert quiet_until(parse("2026-11-03T06:00:00Z"), "Asia/Shanghai", *noon) is None


def test_a_night_in_which_the_clock_is_put_forward_is_an_hour_shorter() -> None:
    # Berlin, 29 March 2026: 02:00 becomes 03:00.
    begun = parse("2026-03-28T21:00:00Z")
    assert quiet_until(begun, "Europe/Berlin", *NIGHT) == parse("2026-03-29T06:00:00Z")


def test_a_night_in_which_the_clock_is_put_back_is_an_hour_longer() -> None:
    # Berlin, 25 October 2026: 03:00 becomes 02:00.
    begun = parse("2026-10-24T20:00:00Z")
    assert quiet_until(begun, "Europe/Berlin", *NIGHT) == parse("2026-10-25T07:00:00Z")


def test_quiet_hours_that_end_in_a_skipped_hour_end_with_the_jump() -> None:
    until = quiet_until(parse("2026-03-28T23:00:00Z"), "Europe/Berlin", 22 * 60, 2 * 60 + 30)
    assert until == parse("2026-03-29T01:00:00Z")


def test_quiet_hours_that_end_in_a_repeated_hour_hold_for_what_the_clock_shows() -> None:
    times = (22 * 60, 2 * 60 + 30)
    assert quiet_until(parse("2026-10-24T22:00:00Z"), "Europe/Berlin", *times) == parse("2026-10-25T00:30:00Z")
    # 02:59 is shown, then 02:00 again.
    assert quiet_until(parse("2026-10-25T00:59:00Z"), "Europe/Berlin", *times) is None
    assert quiet_until(parse("2026-10-25T01:00:00Z"), "Europe/Berlin", *times) == parse("2026-10-25T01:30:00Z")


@pytest.mark.parametrize(
    ("after", "due"),
    [
        ("2026-11-03T00:59:59.999999Z", "2026-11-03T01:00:00Z"),
        ("2026-11-03T01:00:00Z", "2026-11-03T10:00:00Z"),
        ("2026-11-03T01:00:00.000001Z", "2026-11-03T10:00:00Z"),
        ("2026-11-03T10:00:00Z", "2026-11-04T01:00:00Z"),
    ],
)
def test_a_digest_is_due_at_the_next_of_its_times(after: str, due: str) -> None:
    assert render(next_of(parse(after), (9 * 60, 18 * 60), "Asia/Shanghai")) == due


def test_a_digest_in_a_skipped_hour_is_due_with_the_jump() -> None:
    assert next_of(parse("2026-03-28T12:00:00Z"), (150,), "Europe/Berlin") == parse("2026-03-29T01:00:00Z")
    assert next_of(parse("2026-03-29T01:00:00Z"), (150,), "Europe/Berlin") == parse("2026-03-30T00:30:00Z")


def test_midnight_is_a_time_like_any_other() -> None:
    assert next_of(parse("2026-11-03T15:59:59Z"), (0,), "Asia/Shanghai") == parse("2026-11-03T16:00:00Z")
    assert next_of(parse("2026-11-03T16:00:00Z"), (0,), "Asia/Shanghai") == parse("2026-11-04T16:00:00Z")
