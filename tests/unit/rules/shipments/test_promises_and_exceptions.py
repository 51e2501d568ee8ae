"""Promised deliveries, what scans say of themselves, suspicious parcels, relief: just before, at, and just after."""

from __future__ import annotations

import pytest

from tests.unit.rules.shipments.parcels import (
    DESTROYED,
    FAILING,
    LATE,
    RETURNING,
    SLOW,
    SUSPICIOUS,
    grounds,
    promised,
    relieved,
)
from tests.unit.rules.timeline import T0, TRIPLE, Said, Timeline, days, hours


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_parcel_that_ends_up_to_the_promised_time_is_not_late(beside: int) -> None:
    due, ended = hours(50), hours(50) + beside
    timeline = Timeline().shipped(0, **promised(due)).scan("picked_up", 1).scan("delivered", ended)
    expected = [Said("delivery_late", due), Said("delivery_late", ended, "delivered")] if beside > 0 else []
    assert timeline.said(LATE, until=days(9)) == expected


def test_a_promise_that_was_broken_when_it_was_made_is_told_at_once() -> None:
    timeline = Timeline().shipped(0).shipped(hours(5), "B", **promised(hours(1)))
    alert = timeline.heard(hours(6)).only(LATE)
    assert (alert.time - T0, alert.order_id) == (hours(5), "A")


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_promise_up_to_the_giving_up_is_told(beside: int) -> None:
    timeline = Timeline().shipped(0, **promised(days(180) + beside))
    assert bool(timeline.said(LATE, until=days(200))) == (beside <= 0)


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_parcel_goes_back_from_the_first_such_scan_with_a_known_order(beside: int) -> None:
    timeline = Timeline().scan("returning", hours(5)).shipped(hours(5) + beside).scan("returned", hours(9))
    raised = hours(9) if beside > 0 else hours(5)
    assert timeline.said(RETURNING, until=days(3)) == [
        Said("returning", raised),
        Said("returning", hours(9), "returned"),
    ]


def test_the_second_failed_delivery_is_one_too_many_though_the_first_came_before_the_order() -> None:
    timeline = Timeline().scan("delivery_failed", 0).shipped(1).scan("delivery_failed", hours(3), facility="F")
    alert = timeline.heard(hours(4)).only(FAILING)
    assert (alert.time - T0, alert.evidence["attempts"], alert.evidence["facility"]) == (hours(3), 2, "F")
    assert Timeline().shipped(0).scan("delivery_failed", 1).said(FAILING, until=days(1)) == []


def test_nothing_resolves_that_a_parcel_was_destroyed() -> None:
    timeline = Timeline().shipped(0).scan("destroyed", hours(2))
    assert timeline.said(DESTROYED, until=days(400)) == [Said("destroyed", hours(2))]


@pytest.mark.parametrize("beside", TRIPLE)
def test_collected_more_than_an_hour_before_the_payment_is_suspicious(beside: int) -> None:
    paid = hours(1) + beside
    timeline = Timeline().scan("picked_up", 0).shipped(1).paid(paid)
    expected = [("scanned_before_payment", paid)] if beside > 0 else []
    assert grounds(timeline, days(1)) == expected


@pytest.mark.parametrize("beside", TRIPLE)
def test_paid_at_the_end_or_later_is_cash_on_delivery(beside: int) -> None:
    paid = hours(30) + beside
    timeline = Timeline().scan("picked_up", 0).shipped(1).paid(paid).scan("delivered", hours(30))
    assert grounds(timeline, days(3)) == ([("scanned_before_payment", paid)] if beside < 0 else [])


@pytest.mark.parametrize(
    ("region", "told"), [("广东省", True), ("浙江", False), ("杭州市", False), (None, False), ("香港特别行政区", True)]
)
def test_delivered_in_another_province_is_suspicious(region: str | None, told: bool) -> None:
    timeline = Timeline().shipped(0, to_region="浙江省").scan("picked_up", 1).scan("delivered", hours(9), region=region)
    assert grounds(timeline, days(3)) == ([("delivered_elsewhere", hours(9))] if told else [])


def test_what_was_on_its_way_back_is_not_delivered_elsewhere() -> None:
    timeline = Timeline().shipped(0, to_region="浙江").scan("returning", 1).scan("delivered", 2, region="广东")
    assert grounds(timeline, days(3)) == []


def test_where_it_goes_may_be_told_by_an_order_that_is_placed_after_the_end() -> None:
    timeline = Timeline().shipped(0).scan("delivered", 2, region="广东").placed(hours(7), ship_to_region="浙江")
    assert grounds(timeline, days(3)) == [("delivered_elsewhere", hours(7))]


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_number_shipped_up_to_90_days_after_its_end_is_suspicious(beside: int) -> None:
    at = days(90) + beside
    timeline = Timeline().scan("delivered", 0).shipped(at)
    assert grounds(timeline, at + 1) == ([("number_reused", at)] if beside <= 0 else [])


def test_a_number_stays_reused_when_its_use_before_is_forgotten() -> None:
    timeline = Timeline().scan("delivered", 0).shipped(days(80)).scan("arrived", days(100)).scan("held", days(190))
    assert timeline.said(SUSPICIOUS, until=days(195)) == [Said("suspicious", days(80))]


@pytest.mark.parametrize("edge", [hours(10), hours(20)])
@pytest.mark.parametrize("beside", TRIPLE)
def test_what_runs_from_an_instant_in_the_span_falls_due_later(edge: int, beside: int) -> None:
    at = edge + beside
    timeline = Timeline(relieved()).shipped(0, from_region="河南省").scan("picked_up", at)
    inside = hours(10) <= at < hours(20)
    alert = timeline.heard(days(6)).only(SLOW)
    assert (alert.time - T0, alert.evidence.get("relief")) == (
        at + hours(96 if inside else 72),
        "flood" if inside else None,
    )
    assert alert.evidence["threshold_hours"] == 72


@pytest.mark.parametrize(("regions", "due"), [(None, days(8)), (["河南"], days(7))])
def test_relief_without_regions_holds_for_parcels_without_an_order(regions: list[str] | None, due: int) -> None:
    timeline = Timeline(relieved(regions=regions)).scan("arrived", hours(12))
    assert timeline.said("shipment.stalled", until=days(20)) == [Said("stalled", hours(12) + due)]


def test_a_deadline_that_relief_puts_behind_the_giving_up_is_none() -> None:
    timeline = Timeline(relieved(hours=24 * 174)).shipped(0, to_region="河南").scan("arrived", hours(12))
    assert timeline.said("shipment.stalled", until=days(300)) == []
