"""Not collected, slow, stalled: raised just behind the threshold, resolved by the next update."""

from __future__ import annotations

import pytest

from tests.unit.rules.timeline import MINUTE, TRIPLE, Said, Timeline, days, hours

COLLECTING = (
    "picked_up", "departed", "arrived", "in_transit", "out_for_delivery", "delivery_failed", "held", "exception",
    "customs", "returning",
)  # fmt: skip
TERMINAL = ("delivered", "returned", "destroyed")
NOT_COLLECTED, SLOW, STALLED = SILENCES = "shipment.not_collected", "shipment.slow", "shipment.stalled"


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_parcel_collected_within_24_hours_is_not_told_of(beside: int) -> None:
    at = hours(24) + beside
    said = Timeline().shipped(0).scan("picked_up", at).said("shipment", until=hours(40))
    expected = [Said("not_collected", hours(24)), Said("not_collected", at, "collected")]
    assert said == (expected if beside > 0 else [])


@pytest.mark.parametrize("status", COLLECTING)
def test_every_scan_but_info_received_collects(status: str) -> None:
    said = Timeline().shipped(0).scan(status, hours(25)).said(NOT_COLLECTED, until=hours(30))
    assert said == [Said("not_collected", hours(24)), Said("not_collected", hours(25), "collected")]


@pytest.mark.parametrize("status", TERMINAL)
def test_a_terminal_scan_resolves_not_collected_by_its_name(status: str) -> None:
    said = Timeline().shipped(0).scan(status, hours(25)).said(*SILENCES, until=days(30))
    assert said == [Said("not_collected", hours(24)), Said("not_collected", hours(25), status)]


def test_information_received_collects_nothing_but_is_an_update() -> None:
    timeline = Timeline().shipped(0).scan("info_received", hours(30))
    assert timeline.said("shipment", until=hours(30) + hours(168) + 1) == [
        Said("not_collected", hours(24)),
        Said("stalled", hours(198)),
    ]


def test_not_collected_counts_from_the_first_shipping_and_not_from_a_later_one() -> None:
    timeline = Timeline().shipped(0).shipped(hours(20), "B").shipped(hours(30), "C")
    assert timeline.said("shipment", until=hours(60)) == [Said("not_collected", hours(24))]


def test_a_parcel_scanned_before_it_is_shipped_was_collected() -> None:
    assert Timeline().scan("picked_up", 0).shipped(hours(1)).said("shipment", until=hours(60)) == []


def test_a_parcel_shipped_and_collected_at_one_instant_is_slow_after_it() -> None:
    timeline = Timeline().scan("picked_up", 0).shipped(0)
    assert timeline.said("shipment", until=hours(73)) == [Said("slow", hours(72))]


@pytest.mark.parametrize("beside", TRIPLE)
def test_silence_of_72_hours_is_not_slow_and_a_microsecond_more_is(beside: int) -> None:
    next_update = hours(1) + hours(72) + beside
    timeline = Timeline().shipped(0).scan("departed", hours(1)).scan("arrived", next_update)
    expected = [Said("slow", hours(73)), Said("slow", next_update, "resumed")]
    assert timeline.said("shipment", until=hours(100)) == (expected if beside > 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
def test_silence_of_a_week_is_not_stalled_and_a_microsecond_more_is(beside: int) -> None:
    next_update = hours(168) + beside
    timeline = Timeline().scan("departed", 0).scan("arrived", next_update)
    expected = [Said("stalled", hours(168)), Said("stalled", next_update, "resumed")]
    assert timeline.said("shipment", until=hours(200)) == (expected if beside > 0 else [])


@pytest.mark.parametrize("status", TERMINAL)
def test_a_terminal_scan_resolves_slow_and_stalled_by_its_name_and_ends_it(status: str) -> None:
    timeline = Timeline().shipped(0).scan("departed", 0).scan(status, days(8)).scan("arrived", days(9))
    assert timeline.said(*SILENCES, until=days(100)) == [
        Said("slow", hours(72)),
        Said("stalled", hours(168)),
        Said("slow", days(8), status),
        Said("stalled", days(8), status),
    ]


def test_another_order_in_the_parcel_is_an_update_and_resolves_what_is_open() -> None:
    timeline = Timeline().shipped(0).scan("departed", 0).shipped(hours(80), "B")
    assert timeline.said("shipment", until=hours(81)) == [Said("slow", hours(72)), Said("slow", hours(80), "resumed")]


def test_each_silence_raises_once_and_is_another_episode() -> None:
    timeline = Timeline().shipped(0)
    for at in (0, hours(80), hours(160)):
        timeline.scan("arrived", at, facility=f"F{at}")
    heard = timeline.heard(until=hours(170))
    assert heard.said("shipment") == [
        Said("slow", hours(72)),
        Said("slow", hours(80), "resumed"),
        Said("slow", hours(152)),
        Said("slow", hours(160), "resumed"),
    ]
    episodes = [alert.episode for alert in heard.alerts if alert.type == SLOW]
    assert episodes[0] == episodes[1] != episodes[2] == episodes[3]


def test_slow_needs_a_registration_by_the_last_update() -> None:
    assert Timeline().scan("departed", 0).said("shipment", until=hours(100)) == []
    # The registration is an update itself.
    timeline = Timeline().scan("departed", 0).shipped(hours(10))
    assert timeline.said("shipment", until=hours(100)) == [Said("slow", hours(82))]


def test_slow_needs_a_collected_parcel() -> None:
    timeline = Timeline().shipped(0).scan("info_received", hours(1))
    assert timeline.said(SLOW, until=hours(100)) == []


def test_a_stall_of_a_registered_parcel_goes_to_both_with_shop_and_order() -> None:
    heard = Timeline().shipped(0, "A", shop_id="S7").scan("departed", 0).scan("arrived", days(8)).heard(days(9))
    for status in ("raised", "resolved"):
        alert = heard.only(STALLED, status)
        assert alert.audiences == ("merchant", "platform")
        assert (alert.subject, alert.shop_id, alert.order_id, alert.carrier) == ("X1", "S7", "A", "SF")
    assert heard.only(SLOW).audiences == ("merchant",)


def test_a_stall_of_a_parcel_that_nobody_registered_goes_to_the_platform_alone() -> None:
    alert = Timeline().scan("departed", 0).heard(days(8)).only(STALLED)
    assert (alert.audiences, alert.shop_id, alert.order_id) == (("platform",), None, None)


def test_a_resolution_goes_where_the_raise_went_though_the_update_registers_the_parcel() -> None:
    heard = Timeline().scan("departed", 0).shipped(days(8)).heard(days(9))
    raised, resolved = heard.only(STALLED), heard.only(STALLED, "resolved")
    assert resolved.audiences == raised.audiences == ("platform",)
    assert (resolved.shop_id, resolved.order_id, resolved.resolution) == (None, None, "resumed")


def test_the_evidence_is_what_a_person_needs_to_check_a_stall() -> None:
    timeline = Timeline().shipped(0, "A").shipped(hours(1), "B").scan("arrived", hours(2), facility="杭州转运中心")
    evidence = timeline.heard(days(8)).only(STALLED).evidence
    assert evidence["last_update"] == "2025-03-03T02:00:00Z"
    assert evidence["last_status"] == "arrived"
    assert evidence["facility"] == "杭州转运中心"
    assert evidence["threshold_hours"] == 168
    assert evidence["order_ids"] == ["A", "B"]


def test_the_evidence_is_as_of_the_alert_and_not_of_what_came_later() -> None:
    timeline = Timeline().shipped(0, "A").scan("arrived", hours(2)).shipped(days(8), "B").scan("held", days(8) + 1)
    evidence = timeline.heard(days(9)).only(STALLED).evidence
    assert (evidence["order_ids"], evidence["last_status"]) == (["A"], "arrived")


def test_of_scans_at_one_instant_the_greatest_status_name_is_the_state() -> None:
    for statuses in (("arrived", "held"), ("held", "arrived")):
        timeline = Timeline().scan(statuses[0], 0, facility="F1").scan(statuses[1], 0, facility="F2")
        evidence = timeline.heard(days(8)).only(STALLED).evidence
        assert evidence["last_status"] == "held"
        assert evidence["facility"] == ("F2" if statuses[1] == "held" else "F1")


def test_of_scans_at_one_instant_a_terminal_one_is_the_state() -> None:
    for statuses in (("delivered", "returning"), ("returning", "delivered")):
        timeline = Timeline().scan("departed", 0)
        for status in statuses:
            timeline.scan(status, days(8))
        assert timeline.said("shipment", until=days(40)) == [
            Said("stalled", days(7)),
            Said("stalled", days(8), "delivered"),
        ]


def test_an_instant_with_several_updates_is_one_update() -> None:
    timeline = Timeline().shipped(0).scan("departed", 0)
    timeline.shipped(hours(80), "B").scan("arrived", hours(80)).scan("held", hours(80))
    assert timeline.said("shipment", until=hours(153)) == [
        Said("slow", hours(72)),
        Said("slow", hours(80), "resumed"),
        Said("slow", hours(152)),
    ]


def test_a_scan_again_by_time_and_status_changes_nothing() -> None:
    timeline = Timeline().scan("departed", 0, facility="F1")
    timeline.again(event_id="zz", facility="F9").again()
    heard = timeline.heard(days(8))
    assert heard.repeated == 2
    assert heard.only(STALLED).evidence["facility"] == "F1"


def test_of_two_scans_by_time_and_status_the_first_by_event_id_holds_whatever_the_arrival() -> None:
    timeline = Timeline().scan("departed", 0, facility="F1", event_id="b")
    timeline.again(event_id="a", facility="F2").again(event_id="c", facility="F3")
    assert timeline.heard(days(8)).only(STALLED).evidence["facility"] == "F2"


def test_a_shipping_again_by_order_carrier_and_number_is_no_update() -> None:
    timeline = Timeline().shipped(0).scan("departed", hours(1)).shipped(hours(50), shop_id="S9")
    heard = timeline.heard(hours(75))
    assert heard.said("shipment") == [Said("slow", hours(73))]
    assert (heard.repeated, heard.only(SLOW).shop_id) == (1, "S1")


def test_the_same_number_at_another_carrier_is_another_shipment() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", hours(1), carrier="ZTO")
    assert sorted((alert.type, alert.carrier) for alert in timeline.heard(days(7) + hours(2)).alerts) == [
        (NOT_COLLECTED, "SF"),
        (STALLED, "SF"),
        (STALLED, "ZTO"),
    ]


def test_scans_before_the_shipping_join_its_parcel_when_it_arrives_on_time() -> None:
    timeline = Timeline().scan("picked_up", MINUTE).shipped(0).scan("arrived", hours(2))
    heard = timeline.heard(hours(75))
    assert heard.late == 0
    assert heard.said("shipment") == [Said("slow", hours(74))]
