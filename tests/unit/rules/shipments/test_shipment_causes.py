"""Why a shipment is stalled: each cause where it holds, in the order of the rule, the last one always."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.times import parse
from tests.unit.rules.timeline import T0, TRIPLE, Timeline, days, hours, tmall

STALLED = "shipment.stalled"


def causes(timeline: Timeline, until: int = days(9)) -> list[str]:
    """The codes of the one stall."""
    return [cause["code"] for cause in timeline.heard(until).only(STALLED).evidence["causes"]]


def test_a_stall_with_nothing_else_to_say_is_suspected_to_be_lost() -> None:
    assert causes(Timeline().scan("departed", 0)) == ["lost_suspected"]


@pytest.mark.parametrize(
    "timeline",
    [Timeline().shipped(0), Timeline().scan("info_received", 0), Timeline().shipped(0).scan("info_received", hours(1))],
    ids=["shipped alone", "announced alone", "both"],
)
def test_a_parcel_that_was_not_collected_was_not_handed_over(timeline: Timeline) -> None:
    assert causes(timeline) == ["not_handed_over", "lost_suspected"]


@pytest.mark.parametrize("status", ["delivery_failed", "out_for_delivery", "held"])
def test_a_last_status_at_the_recipient_points_to_recipient_or_address(status: str) -> None:
    assert causes(Timeline().scan("arrived", 0).scan(status, 1)) == ["recipient_or_address", "lost_suspected"]


@pytest.mark.parametrize(
    "status", ["picked_up", "departed", "arrived", "in_transit", "exception", "customs", "returning"]
)
def test_no_other_last_status_does(status: str) -> None:
    assert causes(Timeline().scan("held", 0).scan(status, 1)) == ["lost_suspected"]


@pytest.mark.parametrize(
    "region",
    ["新疆", "新疆维吾尔自治区", "西藏自治区", "内蒙古自治区", "内蒙古", "甘肃省", "青海", "宁夏回族自治区"],
)
def test_a_destination_of_the_policys_list_is_remote(region: str) -> None:
    assert causes(Timeline().shipped(0, to_region=region).scan("departed", 1)) == ["remote_area", "lost_suspected"]


@pytest.mark.parametrize("region", ["浙江省", "广西壮族自治区", "香港特别行政区", "重庆市", "新", "西", ""])
def test_any_other_destination_is_not(region: str) -> None:
    assert causes(Timeline().shipped(0, to_region=region).scan("departed", 1)) == ["lost_suspected"]


@pytest.mark.parametrize("beside", TRIPLE)
def test_without_a_region_of_the_shipping_its_orders_counts_if_placed_by_the_last_update(beside: int) -> None:
    timeline = Timeline().shipped(0).scan("departed", hours(1)).placed(hours(1) + beside, ship_to_region="新疆")
    assert causes(timeline) == (["lost_suspected"] if beside > 0 else ["remote_area", "lost_suspected"])


def test_the_region_of_the_first_shipping_goes_before_that_of_its_order() -> None:
    timeline = Timeline().placed(-1, ship_to_region="新疆").shipped(0, to_region="浙江").scan("departed", 1)
    assert causes(timeline) == ["lost_suspected"]


def test_the_destination_is_that_of_the_first_shipping_alone() -> None:
    timeline = Timeline().shipped(0, "A").shipped(1, "B", to_region="新疆").placed(2, "B", ship_to_region="新疆")
    assert causes(timeline.scan("departed", 3)) == ["lost_suspected"]


def test_a_later_registration_of_another_order_leaves_the_destination() -> None:
    timeline = Timeline().shipped(0, "A", to_region="青海").shipped(1, "B", to_region="浙江").scan("departed", 3)
    assert causes(timeline) == ["remote_area", "lost_suspected"]


PEAKS = [
    ("2025-06-01T00:00:00+08:00", True),
    ("2025-06-20T23:59:59.999999+08:00", True),
    ("2025-06-21T00:00:00+08:00", False),
    ("2025-05-31T23:59:59.999999+08:00", False),
    ("2025-11-01T00:00:00+08:00", True),
    ("2025-10-31T23:59:59.999999+08:00", False),
    ("2025-11-20T23:59:59.999999+08:00", True),
    ("2025-11-21T00:00:00+08:00", False),
    ("2031-06-10T00:00:00Z", True),
    ("2026-02-12T00:00:00+08:00", False),
]


@pytest.mark.parametrize(("last_update", "peak"), PEAKS)
def test_a_last_update_in_june_or_november_is_in_a_peak_season_by_the_clock_of_china(
    last_update: str, peak: bool
) -> None:
    at = parse(last_update) - T0
    expected = ["peak_season", "lost_suspected"] if peak else ["lost_suspected"]
    assert causes(Timeline().scan("departed", at), at + days(8)) == expected


@pytest.mark.parametrize(
    ("last_update", "peak"),
    [
        ("2026-02-09T23:59:59.999999+08:00", False),
        ("2026-02-10T00:00:00+08:00", True),
        ("2026-02-23T23:59:59.999999+08:00", True),
        ("2026-02-24T00:00:00+08:00", False),
        ("2027-02-12T00:00:00+08:00", False),
        ("2026-06-01T00:00:00+08:00", True),
    ],
)
def test_the_spring_festival_of_2026_is_a_peak_season_of_its_profile(last_update: str, peak: bool) -> None:
    at = parse(last_update) - T0
    expected = ["peak_season", "lost_suspected"] if peak else ["lost_suspected"]
    assert causes(Timeline(tmall()).scan("departed", at), at + days(8)) == expected


def test_the_time_of_the_stall_itself_makes_no_peak_season() -> None:
    at = parse("2025-05-30T00:00:00+08:00") - T0
    assert causes(Timeline().scan("departed", at), at + days(8)) == ["lost_suspected"]


def test_all_causes_at_once_are_ranked() -> None:
    at = parse("2025-06-05T00:00:00Z") - T0
    timeline = Timeline().shipped(at, to_region="西藏").scan("info_received", at + 1)
    assert causes(timeline, at + days(8)) == ["not_handed_over", "remote_area", "peak_season", "lost_suspected"]
    timeline.scan("delivery_failed", at + 2)
    assert causes(timeline, at + days(8)) == ["recipient_or_address", "remote_area", "peak_season", "lost_suspected"]


def test_each_cause_carries_its_evidence() -> None:
    at = parse("2025-06-05T00:00:00Z") - T0
    timeline = Timeline().shipped(at, to_region="西藏自治区").scan("held", at + 2)
    found: list[dict[str, Any]] = timeline.heard(at + days(8)).only(STALLED).evidence["causes"]
    assert all(len(cause) > 1 for cause in found)
    assert found[0]["status"] == "held"
    assert found[1]["region"] == "西藏"
    assert found[2]["period"] == "618"
