"""One number, several uses: shared, used again, given up, remembered, forgotten."""

from __future__ import annotations

import msgspec
import pytest

from streams.policy import load
from streams.policy.shipments import Hours
from tests.unit.rules.timeline import TRIPLE, Said, Timeline, days, hours

NOT_COLLECTED, STALLED = "shipment.not_collected", "shipment.stalled"


def orders_told(timeline: Timeline, until: int, kind: str = NOT_COLLECTED) -> list[str | None]:
    """The orders of what was raised, by time."""
    alerts = sorted(timeline.heard(until).every(kind), key=lambda alert: alert.time)
    return [alert.order_id for alert in alerts]


def test_orders_share_a_parcel_and_the_first_gives_shop_and_order() -> None:
    timeline = Timeline().shipped(hours(1), "B", shop_id="S2").shipped(0, "A").shipped(hours(2), "C")
    alert = timeline.heard(hours(30)).only(NOT_COLLECTED)
    assert (alert.shop_id, alert.order_id) == ("S1", "A")
    stall = timeline.heard(days(8)).only(STALLED)
    assert stall.evidence["order_ids"] == ["A", "B", "C"]
    assert stall.time - hours(2) == timeline.heard(days(8)).only(NOT_COLLECTED).time - hours(24) + hours(168)


def test_of_shippings_at_one_instant_the_first_by_event_id_gives_the_order() -> None:
    timeline = Timeline().shipped(0, "B", event_id="z").shipped(0, "A", event_id="a")
    assert orders_told(timeline, hours(25)) == ["A"]


@pytest.mark.parametrize("terminal", ["delivered", "returned", "destroyed"])
def test_another_order_a_day_behind_the_terminal_scan_uses_the_number_again(terminal: str) -> None:
    timeline = Timeline().shipped(0, "A").scan(terminal, hours(1)).shipped(hours(26), "B", shop_id="S2")
    heard = timeline.heard(hours(51))
    assert heard.said(NOT_COLLECTED) == [Said("not_collected", hours(50))]
    assert heard.only(NOT_COLLECTED).shop_id == "S2"


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_order_up_to_24_hours_behind_the_terminal_scan_is_of_the_shipment_that_ended(beside: int) -> None:
    at = hours(25) + beside
    timeline = Timeline().shipped(0, "A").scan("delivered", hours(1)).shipped(at, "B")
    expected = [Said("not_collected", at + hours(24))] if beside > 0 else []
    assert timeline.said(NOT_COLLECTED, until=days(4)) == expected


@pytest.mark.parametrize("beside", TRIPLE)
def test_the_policy_says_how_late_a_shipment_may_be_registered(beside: int) -> None:
    policy = load.default()
    late = msgspec.structs.replace(policy.shipments, late_registration=Hours(hours=2))
    timeline = Timeline(msgspec.structs.replace(policy, shipments=late))
    timeline.scan("delivered", hours(1)).shipped(hours(3) + beside, "A")
    assert bool(timeline.said(NOT_COLLECTED, until=days(4))) == (beside > 0)


def test_a_shipping_at_the_instant_of_the_terminal_scan_is_part_of_the_shipment_that_ends() -> None:
    # Orders sort before scans: at that instant the shipment has not ended yet when the order joins it.
    timeline = Timeline().scan("departed", 0).scan("returned", hours(1)).shipped(hours(1), "B")
    assert timeline.said("shipment", until=days(30)) == [
        Said("returning", hours(1)),
        Said("returning", hours(1), "returned"),
    ]
    # A microsecond later it was registered when that was past.
    timeline = Timeline().scan("departed", 0).scan("returned", hours(1)).shipped(hours(1) + 1, "B")
    assert timeline.said("shipment", until=days(30)) == []


def test_scans_behind_the_terminal_one_do_not_reopen_it() -> None:
    timeline = Timeline().scan("delivered", 0).scan("arrived", hours(1)).scan("returning", days(10))
    assert timeline.said("shipment", until=days(60)) == []


def test_another_terminal_scan_behind_the_terminal_one_resolves_nothing() -> None:
    timeline = Timeline().scan("departed", 0).scan("delivered", days(8)).scan("returned", days(9))
    assert timeline.said("shipment", until=days(60)) == [
        Said("stalled", days(7)),
        Said("stalled", days(8), "delivered"),
    ]


def test_an_order_that_a_use_held_does_not_use_the_number_again() -> None:
    timeline = Timeline().shipped(0, "A").scan("delivered", hours(1))
    timeline.shipped(days(1) + hours(2), "B").scan("delivered", days(2))
    timeline.shipped(days(3) + 1, "A").shipped(days(3) + 1, "B").shipped(days(4), "C")
    assert orders_told(timeline, days(6)) == ["C"]


def test_each_use_is_another_episode_of_the_same_subject() -> None:
    timeline = Timeline().shipped(0, "A").scan("departed", 1).scan("delivered", days(8))
    timeline.shipped(days(10), "B").scan("departed", days(10) + 1)
    stalls = timeline.heard(days(18)).every(STALLED)
    assert [alert.subject for alert in stalls] == ["X1", "X1"]
    assert len({alert.episode for alert in stalls}) == 2
    assert [alert.evidence["order_ids"] for alert in sorted(stalls, key=lambda alert: alert.time)] == [["A"], ["B"]]


def test_an_open_alert_of_a_use_is_not_resolved_by_the_next_use() -> None:
    timeline = Timeline().shipped(0, "A").scan("delivered", hours(30)).shipped(hours(55), "B")
    timeline.scan("picked_up", hours(80))
    assert timeline.said(NOT_COLLECTED, until=hours(81)) == [
        Said("not_collected", hours(24)),
        Said("not_collected", hours(30), "delivered"),
        Said("not_collected", hours(79)),
        Said("not_collected", hours(80), "collected"),
    ]


def test_a_shipment_is_given_up_180_days_after_its_last_update() -> None:
    timeline = Timeline().shipped(0)
    gone = days(180)
    assert timeline.said("shipment", until=gone) == [Said("not_collected", hours(24)), Said("stalled", days(7))]
    assert timeline.said("shipment", until=gone + 1) == [
        Said("not_collected", hours(24)),
        Said("stalled", days(7)),
        Said("not_collected", gone, "given_up"),
        Said("stalled", gone, "given_up"),
    ]


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_update_180_days_after_the_last_one_is_just_in_time(beside: int) -> None:
    at = days(180) + beside
    timeline = Timeline().shipped(0).scan("departed", 0).scan("arrived", at)
    said = timeline.said("shipment", until=days(188))
    resolution, resolved = ("given_up", days(180)) if beside > 0 else ("resumed", at)
    assert said[2:4] == [Said("slow", resolved, resolution), Said("stalled", resolved, resolution)]
    # Behind the giving up the scan begins a new shipment, which nobody has registered.
    assert said[4:] == ([] if beside > 0 else [Said("slow", at + hours(72))]) + [Said("stalled", at + hours(168))]
    assert timeline.heard(days(188)).every(STALLED)[-1].shop_id == (None if beside > 0 else "S1")


def test_an_order_for_a_number_given_up_begins_a_new_shipment() -> None:
    timeline = Timeline().shipped(0, "A").shipped(days(181), "B")
    assert orders_told(timeline, days(183)) == ["A", "B"]


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_terminal_shipment_is_remembered_for_180_days(beside: int) -> None:
    at = days(180) + beside
    timeline = Timeline().shipped(-hours(1), "A").scan("delivered", 0).scan("arrived", at)
    assert timeline.said("shipment", until=at + days(8)) == ([Said("stalled", at + hours(168))] if beside > 0 else [])


def test_a_shipment_used_again_is_remembered_from_its_own_end() -> None:
    timeline = Timeline().shipped(0, "A").scan("delivered", days(1)).shipped(days(100), "B")
    timeline.scan("delivered", days(100) + 1)
    # The first use is forgotten, the second is not: the scan belongs to it and raises nothing.
    timeline.scan("arrived", days(200))
    assert timeline.said("shipment", until=days(210)) == []


def test_order_b_holds_its_use_though_the_first_use_is_forgotten() -> None:
    timeline = Timeline().shipped(0, "A").scan("delivered", days(1)).shipped(days(100), "B")
    timeline.scan("delivered", days(100) + 1).shipped(days(200), "B").shipped(days(201), "C")
    assert orders_told(timeline, days(203)) == ["C"]


@pytest.mark.parametrize(("status", "told"), [("info_received", ["A"]), ("picked_up", [])])
def test_scans_before_the_registration_belong_to_the_use(status: str, told: list[str]) -> None:
    timeline = Timeline().scan(status, 0).shipped(hours(1), "A").scan("departed", hours(30))
    assert orders_told(timeline, hours(40)) == told


def test_a_parcel_that_nobody_registered_stalls_is_registered_and_stalls_again() -> None:
    timeline = Timeline().scan("departed", 0).shipped(days(8), "A")
    heard = timeline.heard(days(16))
    assert [(alert.audiences, alert.shop_id) for alert in heard.every(STALLED)] == [
        (("platform",), None),
        (("merchant", "platform"), "S1"),
    ]
    assert heard.said("shipment")[1:3] == [Said("stalled", days(8), "resumed"), Said("slow", days(11))]
