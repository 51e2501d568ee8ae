"""Promised deliveries where several orders, silent feeds, late events and the giving up come together."""

from __future__ import annotations

import pytest

from tests.unit.rules.shipments.outage import MOVED, NEXT, TOLD, fed, resuming
from tests.unit.rules.shipments.parcels import LATE, promised
from tests.unit.rules.timeline import T0, TRIPLE, Said, Timeline, days, hours


def late(at: int, resolved: int | None = None, how: str = "delivered") -> list[Said]:
    raised = [Said("delivery_late", at)]
    return raised if resolved is None else [*raised, Said("delivery_late", resolved, how)]


def test_the_first_order_with_a_promise_gives_it_though_a_later_one_promises_less() -> None:
    timeline = Timeline().shipped(0).shipped(1, "B", **promised(hours(60))).shipped(2, "C", **promised(hours(9)))
    assert timeline.said(LATE, until=days(4)) == late(hours(60))
    alert = timeline.heard(days(4)).only(LATE)
    assert (alert.order_id, alert.evidence["order_ids"]) == ("A", ["A", "B", "C"])


def test_of_two_shippings_at_one_instant_the_first_by_event_id_promises() -> None:
    timeline = Timeline().shipped(0, "A", **promised(hours(30))).shipped(0, "B", **promised(hours(10)))
    assert timeline.said(LATE, until=days(3)) == late(hours(30))


def test_the_same_shipping_told_again_with_a_promise_promises_nothing() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 1)
    assert timeline.again(0, event_id="later", **promised(hours(3))).said(LATE, until=days(1)) == []


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_promise_up_to_the_shipping_is_told_at_it(beside: int) -> None:
    timeline = Timeline().shipped(hours(5), **promised(hours(5) + beside))
    assert timeline.said(LATE, until=hours(9)) == late(hours(5) + max(beside, 0))


def test_a_parcel_that_ends_as_it_is_shipped_is_not_late() -> None:
    timeline = Timeline().shipped(hours(5), **promised(hours(1))).scan("delivered", hours(5))
    assert timeline.said(LATE, until=days(2)) == []


def test_an_order_that_comes_when_the_parcel_has_ended_promises_nothing() -> None:
    timeline = Timeline().scan("delivered", 0).shipped(hours(3), **promised(hours(2)))
    assert timeline.said(LATE, until=days(9)) == []


@pytest.mark.parametrize("end", ["delivered", "returned", "destroyed"])
def test_any_end_resolves_a_broken_promise_and_no_other_scan_does(end: str) -> None:
    timeline = Timeline().shipped(0, **promised(hours(9))).scan("returning", hours(10)).scan(end, hours(11))
    assert timeline.said(LATE, until=days(2)) == late(hours(9), hours(11), end)


def test_a_broken_promise_is_given_up_180_days_after_the_last_update() -> None:
    timeline = Timeline().shipped(0, **promised(hours(9))).scan("arrived", days(20))
    assert timeline.said(LATE, until=days(201)) == late(hours(9), days(200), "given_up")


@pytest.mark.parametrize("beside", TRIPLE)
def test_updates_put_off_the_giving_up_and_with_it_the_last_promise_that_is_told(beside: int) -> None:
    timeline = Timeline().shipped(0, **promised(days(190) + beside)).scan("arrived", days(10))
    found = timeline.heard(days(300)).every(LATE)
    assert [alert.time for alert in found] == ([T0 + days(190) + beside] if beside <= 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_promise_from_the_telling_of_a_silence_on_moves(beside: int) -> None:
    timeline = resuming().shipped(hours(189), **promised(TOLD + beside))
    assert timeline.said(LATE, until=days(10)) == late(MOVED if beside >= 0 else TOLD + beside)


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_promise_up_to_the_next_scan_moves_and_one_at_it_does_not(beside: int) -> None:
    timeline = resuming().shipped(hours(189), **promised(NEXT + beside))
    assert timeline.said(LATE, until=days(10)) == late(NEXT + beside if beside >= 0 else MOVED)


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_end_within_six_hours_of_the_next_scan_keeps_a_promise_that_moved(beside: int) -> None:
    timeline = resuming().shipped(hours(189), **promised(TOLD)).scan("delivered", MOVED + beside)
    assert timeline.said(LATE, until=days(10)) == (late(MOVED, MOVED + beside) if beside > 0 else [])


def test_an_update_that_does_not_end_it_keeps_no_promise_that_moved() -> None:
    timeline = resuming().shipped(hours(189), **promised(TOLD)).scan("arrived", MOVED - 1)
    assert timeline.said(LATE, until=days(10)) == late(MOVED)


def test_a_promise_made_in_a_silence_for_before_it_falls_at_its_making_and_moves() -> None:
    timeline = resuming().shipped(TOLD + hours(1), **promised(hours(3)))
    assert timeline.said(LATE, until=days(10)) == late(MOVED)


def test_without_a_next_scan_no_promise_is_told_to_be_broken() -> None:
    assert fed().shipped(hours(189), **promised(TOLD)).said(LATE, until=days(400)) == []


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_promise_that_moves_past_the_giving_up_is_not_told(beside: int) -> None:
    given_up = hours(189) + days(180)
    timeline = (
        fed().shipped(hours(189), **promised(days(20))).scan("delivered", given_up - hours(6) + beside, number="n")
    )
    assert bool(timeline.said(LATE, until=given_up + days(1))) == (beside <= 0)


def test_a_late_end_disproves_that_it_was_late() -> None:
    timeline = Timeline().shipped(0, **promised(hours(9))).tick(days(1)).scan("delivered", hours(8))
    assert timeline.said(LATE, until=days(2)) == late(hours(9), hours(9), "late_event")


def test_a_late_earlier_order_with_a_promise_takes_the_known_ones_place() -> None:
    timeline = Timeline().shipped(2, **promised(hours(20))).tick(days(1)).shipped(1, "B", **promised(hours(30)))
    assert timeline.said(LATE, until=days(2)) == sorted(
        [*late(hours(20), hours(20), "late_event"), *late(hours(30))], key=lambda one: (one.at, one.resolution or "")
    )
