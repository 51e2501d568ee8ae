"""What scans say of themselves, where several come at one instant, before the order, again, or late."""

from __future__ import annotations

import pytest

from tests.unit.rules.shipments.parcels import DESTROYED, FAILING, RETURNING, changed
from tests.unit.rules.timeline import T0, TRIPLE, Said, Timeline, days, hours


def test_a_parcel_goes_back_once_however_often_it_is_said() -> None:
    timeline = Timeline().shipped(0).scan("returning", 1).scan("arrived", 2).scan("returning", 3).scan("returned", 4)
    assert timeline.said(RETURNING, until=days(1)) == [Said("returning", 1), Said("returning", 4, "returned")]


def test_the_next_use_of_the_number_goes_back_anew() -> None:
    timeline = Timeline().shipped(0).scan("returned", 1).shipped(days(9), "B").scan("returned", days(10))
    alerts = timeline.heard(days(11)).every(RETURNING)
    assert [(alert.time - T0, alert.order_id) for alert in alerts] == [(1, "A"), (days(10), "B")]
    assert len({alert.episode for alert in alerts}) == 2


@pytest.mark.parametrize(("other", "end"), [("delivered", "delivered"), ("destroyed", "destroyed"), ("held", None)])
def test_of_scans_at_one_instant_each_says_what_it_says_and_one_ends_it(other: str, end: str | None) -> None:
    timeline = Timeline().shipped(0).scan("returning", 5, facility="F1").scan(other, 5, facility="F2")
    heard = timeline.heard(days(1))
    resolved = [Said("returning", 5, end)] if end else []
    assert heard.said(RETURNING) == [Said("returning", 5), *resolved]
    # "returning" is the greatest name of those that are not terminal.
    assert heard.only(RETURNING).evidence["facility"] == ("F2" if end else "F1")
    assert bool(heard.every(DESTROYED)) == (other == "destroyed")


@pytest.mark.parametrize("registered", [1, hours(24)])
def test_what_was_said_before_the_order_is_not_told_when_it_is_registered_late(registered: int) -> None:
    for status in ("destroyed", "returned"):
        timeline = Timeline().scan("delivery_failed", -2).scan("delivery_failed", -1).scan(status, 0)
        assert timeline.shipped(registered).said(RETURNING, FAILING, DESTROYED, until=days(9)) == []


@pytest.mark.parametrize("status", ["returning", "returned", "destroyed"])
def test_nothing_after_the_end_is_told(status: str) -> None:
    timeline = Timeline().shipped(0).scan("delivered", 5).scan(status, 6)
    assert timeline.said(RETURNING, DESTROYED, until=days(9)) == []


@pytest.mark.parametrize("beside", TRIPLE)
def test_the_order_may_come_at_the_instant_of_the_second_failure(beside: int) -> None:
    timeline = Timeline().scan("delivery_failed", 0).scan("delivery_failed", hours(5)).shipped(hours(5) + beside)
    timeline.scan("delivery_failed", hours(9))
    alert = timeline.heard(days(1)).only(FAILING)
    found = (alert.time - T0, alert.evidence["attempts"])
    assert found == ((hours(9), 3) if beside > 0 else (hours(5), 2))


def test_one_failure_told_twice_is_one() -> None:
    timeline = Timeline().shipped(0).scan("delivery_failed", 5, facility="F1").scan("delivery_failed", 5, facility="F2")
    assert timeline.said(FAILING, until=days(1)) == []


def test_failures_of_the_use_before_do_not_count() -> None:
    timeline = Timeline().shipped(0).scan("delivery_failed", 1).scan("delivered", 2)
    timeline.shipped(days(9), "B").scan("delivery_failed", days(10))
    assert timeline.said(FAILING, until=days(11)) == []


@pytest.mark.parametrize(("limit", "raised"), [(1, 1), (2, 2), (3, 3), (4, None)])
def test_the_policy_says_which_failure_is_one_too_many(limit: int, raised: int | None) -> None:
    timeline = Timeline(changed(failed_attempts=limit)).shipped(0)
    for at in (1, 2, 3):
        timeline.scan("delivery_failed", at)
    alerts = timeline.heard(days(1)).every(FAILING)
    assert [(alert.time - T0, alert.evidence["attempts"]) for alert in alerts] == ([(raised, raised)] if raised else [])


def test_failing_and_going_back_are_given_up_and_destruction_is_not() -> None:
    timeline = Timeline().shipped(0).scan("delivery_failed", 1).scan("delivery_failed", 2).scan("returning", 3)
    assert timeline.said(FAILING, RETURNING, until=days(200)) == [
        Said("delivery_failing", 2),
        Said("returning", 3),
        Said("delivery_failing", 3 + days(180), "given_up"),
        Said("returning", 3 + days(180), "given_up"),
    ]


def test_destruction_is_told_to_both_and_the_others_to_the_merchant() -> None:
    timeline = Timeline().shipped(0).scan("delivery_failed", 1).scan("delivery_failed", 2).scan("returning", 3)
    heard = timeline.scan("destroyed", 4).heard(days(1))
    assert heard.only(DESTROYED).audiences == ("merchant", "platform")
    assert {heard.only(kind).audiences for kind in (FAILING, RETURNING)} == {("merchant",)}


def test_a_late_earlier_scan_is_told_at_its_own_time_and_what_was_told_is_disproved() -> None:
    timeline = Timeline().shipped(0).scan("returning", hours(9)).tick(days(1)).scan("returning", hours(5))
    assert timeline.said(RETURNING, until=days(2)) == [
        Said("returning", hours(5)),
        Said("returning", hours(9)),
        Said("returning", hours(9), "late_event"),
    ]


def test_a_late_end_before_it_disproves_what_a_scan_said() -> None:
    timeline = Timeline().shipped(0).scan("destroyed", hours(9)).tick(days(1)).scan("delivered", hours(8))
    assert timeline.said(DESTROYED, until=days(2)) == [
        Said("destroyed", hours(9)),
        Said("destroyed", hours(9), "late_event"),
    ]


def test_a_late_order_from_before_the_scan_raises_what_the_scan_said() -> None:
    timeline = Timeline().scan("destroyed", hours(9)).tick(days(1)).shipped(hours(8))
    assert timeline.said(DESTROYED, until=days(2)) == [Said("destroyed", hours(9))]
