"""Suspicious parcels, where orders share one, facts come late or after the end, and numbers are used again."""

from __future__ import annotations

from itertools import product
from typing import Any

import msgspec
import pytest

from streams.policy import load
from streams.policy.model import Policy
from streams.policy.shipments import Days, Hours, Suspicious
from streams.rules.shipments.routes import PROVINCES
from tests.unit.rules.shipments.parcels import SUSPICIOUS, changed, grounds
from tests.unit.rules.timeline import TRIPLE, Said, Timeline, days, hours

BEFORE, ELSEWHERE, REUSED = "scanned_before_payment", "delivered_elsewhere", "number_reused"


def limited(hours: float = 1, days: float = 90) -> Policy:
    return msgspec.structs.replace(
        load.default(), suspicious=Suspicious(paid_slack=Hours(hours=hours), reuse=Days(days=days))
    )


def test_the_payment_of_the_first_order_counts_alone() -> None:
    timeline = Timeline().scan("picked_up", 0).shipped(1).shipped(2, "B").paid(hours(5), "B")
    assert grounds(timeline, days(1)) == []
    assert grounds(timeline.paid(hours(6)), days(1)) == [(BEFORE, hours(6))]


def test_the_first_payment_counts_alone() -> None:
    timeline = Timeline().scan("picked_up", 0).shipped(1).paid(hours(1)).paid(hours(9), ship_by=hours(99))
    assert grounds(timeline, days(1)) == []


def test_the_first_scan_that_collects_counts() -> None:
    timeline = Timeline().scan("info_received", 0).scan("picked_up", hours(5)).scan("arrived", hours(7)).shipped(1)
    assert grounds(timeline.paid(hours(6)), days(1)) == []
    assert grounds(timeline.paid(hours(6)), days(1)) == []


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_payment_is_told_at_the_registration_that_comes_after_it(beside: int) -> None:
    timeline = Timeline().scan("picked_up", 0).paid(hours(5)).shipped(hours(5) + beside)
    assert grounds(timeline, days(1)) == [(BEFORE, hours(5) + max(beside, 0))]


def test_a_payment_before_the_end_is_told_by_an_order_that_registers_late() -> None:
    timeline = Timeline().scan("picked_up", 0).paid(hours(5)).scan("delivered", hours(9)).shipped(hours(33))
    assert grounds(timeline, days(3)) == [(BEFORE, hours(33))]


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_payment_after_the_giving_up_tells_nothing(beside: int) -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 1).paid(1 + days(180) + beside)
    assert grounds(timeline, days(190)) == ([(BEFORE, 1 + days(180) + beside)] if beside <= 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
@pytest.mark.parametrize("slack", [0, 3])
def test_the_policy_says_how_long_before_the_payment(slack: int, beside: int) -> None:
    timeline = Timeline(limited(hours=slack)).scan("picked_up", hours(1)).shipped(1).paid(hours(1 + slack) + beside)
    assert bool(grounds(timeline, days(1))) == (beside > 0)


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_late_payment_from_before_disproves_it(beside: int) -> None:
    timeline = Timeline().scan("picked_up", 0).shipped(1).paid(hours(9)).tick(days(1)).paid(hours(1) + beside)
    again = [Said("suspicious", hours(1) + beside)] if beside > 0 else []
    assert timeline.said(SUSPICIOUS, until=days(2)) == [
        *again,
        Said("suspicious", hours(9)),
        Said("suspicious", hours(9), "late_event"),
    ]


WRITTEN = [
    *(name for name in PROVINCES),
    *("广西壮族自治区", "新疆维吾尔自治区", "宁夏回族自治区", "内蒙古自治区", "西藏自治区", "澳门特别行政区"),
    *("黑龙江省", "重庆市", "台湾省"),
]


def test_each_province_is_another_one_than_all_others_and_the_same_as_itself() -> None:
    timeline, wanted = Timeline(), set()
    for target, region in product(WRITTEN, WRITTEN):
        timeline.shipped(0, to_region=target, number=f"{target}-{region}")
        if target[:2] != region[:2]:
            wanted.add(f"{target}-{region}")
    for target, region in product(WRITTEN, WRITTEN):
        timeline.scan("delivered", 1, region=region, number=f"{target}-{region}")
    assert {alert.subject for alert in timeline.heard(2).every(SUSPICIOUS)} == wanted


def delivered(timeline: Timeline, **fields: Any) -> list[tuple[str, int]]:
    return grounds(timeline.scan("delivered", hours(9), region="广东", **fields), days(170))


def test_where_the_first_order_goes_counts_alone() -> None:
    assert delivered(Timeline().shipped(0, to_region="广东").shipped(1, "B", to_region="浙江")) == []
    assert delivered(Timeline().shipped(0).placed(1, "B", ship_to_region="浙江").shipped(2, "B")) == []


def test_where_the_order_goes_counts_where_its_shipping_says_nothing() -> None:
    placed = Timeline().placed(0, ship_to_region="浙江省")
    assert delivered(placed.shipped(1)) == [(ELSEWHERE, hours(9))]
    named = Timeline().placed(0, ship_to_region="浙江省").shipped(1, to_region="广州市")
    assert delivered(named) == []


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_order_placed_after_the_parcel_is_forgotten_tells_nothing(beside: int) -> None:
    timeline = (
        Timeline().shipped(0).scan("delivered", 1, region="广东").placed(1 + days(180) + beside, ship_to_region="浙江")
    )
    assert grounds(timeline, days(190)) == ([(ELSEWHERE, 1 + days(180) + beside)] if beside <= 0 else [])


def test_a_delivery_elsewhere_is_told_at_the_registration_that_comes_after_it() -> None:
    timeline = Timeline().scan("delivered", 1, region="广东").shipped(hours(3), to_region="浙江")
    assert grounds(timeline, days(2)) == [(ELSEWHERE, hours(3))]


def test_a_parcel_that_was_going_back_before_its_order_was_known_is_not_elsewhere() -> None:
    assert delivered(Timeline().scan("returning", 0).shipped(1, to_region="浙江")) == []
    assert delivered(Timeline().shipped(1, to_region="浙江").scan("returning", hours(9))) == []


def test_a_parcel_that_is_delivered_and_returned_at_once_is_where_it_was_delivered() -> None:
    assert delivered(Timeline().shipped(0, to_region="浙江").scan("returned", hours(9))) == [(ELSEWHERE, hours(9))]


def test_a_later_delivery_tells_nothing() -> None:
    timeline = Timeline().shipped(0, to_region="浙江").scan("delivered", hours(8), region="浙江")
    assert delivered(timeline) == []


def test_two_grounds_of_one_parcel_are_two_alerts_of_two_episodes() -> None:
    timeline = Timeline().scan("picked_up", 0).shipped(1, to_region="浙江").paid(hours(5))
    heard = timeline.scan("delivered", hours(9), region="广东").heard(days(1))
    assert len({alert.episode for alert in heard.every(SUSPICIOUS)}) == 2


@pytest.mark.parametrize("registered", [True, False])
def test_a_number_is_reused_whether_its_use_before_was_registered_or_not(registered: bool) -> None:
    timeline = Timeline().shipped(0, "Z") if registered else Timeline()
    assert grounds(timeline.scan("returned", 1).shipped(days(2)), days(3)) == [(REUSED, days(2))]


@pytest.mark.parametrize("first", ["order", "scan"])
def test_a_use_that_a_scan_begins_reuses_nothing_and_one_that_an_order_begins_at_the_instant_does(first: str) -> None:
    # Forgotten after 90 days, a number may begin with a scan; at one instant the order comes first.
    timeline = Timeline(changed(keep_days=90)).scan("delivered", 0)
    at = days(90) if first == "order" else days(90) + 1
    timeline.scan("arrived", at).shipped(at)
    assert grounds(timeline, days(95)) == ([(REUSED, at)] if first == "order" else [])


def test_a_number_that_was_given_up_is_free() -> None:
    timeline = Timeline().shipped(0).scan("arrived", 1).shipped(days(200), "B")
    assert grounds(timeline, days(201)) == []


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_order_within_a_day_of_the_end_is_of_the_parcel_that_ended(beside: int) -> None:
    at = 1 + hours(24) + beside
    timeline = Timeline().shipped(0).scan("delivered", 1).shipped(at, "B")
    assert grounds(timeline, days(5)) == ([(REUSED, at)] if beside > 0 else [])


@pytest.mark.parametrize("beside", [1, hours(1)])
def test_without_late_registration_the_next_order_reuses_the_number(beside: int) -> None:
    policy = changed(late_registration=Hours(hours=0))
    timeline = Timeline(policy).shipped(0).scan("delivered", 1).shipped(1 + beside, "B")
    assert grounds(timeline, days(5)) == [(REUSED, 1 + beside)]


@pytest.mark.parametrize(("limit", "beside", "told"), [(5, 0, True), (5, 1, False), (0, -1, False)])
def test_the_policy_says_for_how_long_a_number_is_not_to_be_used_again(limit: int, beside: int, told: bool) -> None:
    at = days(max(limit, 2)) + beside
    timeline = Timeline(limited(days=limit)).scan("delivered", 0).shipped(at)
    assert bool(grounds(timeline, at + 1)) == told


def test_a_late_end_of_the_use_before_tells_that_the_number_is_reused() -> None:
    timeline = Timeline().shipped(0).shipped(days(5), "B").tick(days(6)).scan("delivered", days(2))
    assert grounds(timeline, days(7)) == [(REUSED, days(5))]
