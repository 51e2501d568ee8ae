"""Late facts of shipments, orders and tickets: what they disprove is resolved, what they lacked is raised."""

from __future__ import annotations

import pytest

from tests.unit.rules.timeline import HOUR, MINUTE, Heard, Said, Timeline, days, hours

LATE = "late_event"


def one_episode_each(heard: Heard) -> bool:
    """Whether no episode is raised or resolved twice for one audience, and none resolved that was not raised."""
    raised: set[tuple[str, str, str]] = set()
    resolved: set[tuple[str, str, str]] = set()
    for alert in heard.alerts:
        for audience in alert.audiences:
            name = alert.type, alert.episode, audience
            seen = raised if alert.status == "raised" else resolved
            if name in seen:
                return False
            seen.add(name)
    return resolved <= raised


def told(timeline: Timeline, until: int, *kinds: str, late: int = 1) -> list[Said]:
    heard = timeline.heard(until)
    assert heard.late == late
    assert one_episode_each(heard)
    return heard.said(*kinds)


# -- what is late


@pytest.mark.parametrize(
    ("add", "lateness"),
    [
        (lambda timeline, at: timeline.scan("departed", at), HOUR),
        (lambda timeline, at: timeline.paid(at), MINUTE),
        (lambda timeline, at: timeline.responded(at), MINUTE),
    ],
    ids=["logistics-scans", "orders", "chats"],
)
def test_an_event_is_late_when_it_is_older_than_its_topics_watermark(add: object, lateness: int) -> None:
    for beside, late in ((-1, 1), (0, 0), (1, 0)):
        timeline = Timeline().tick(days(1))
        add(timeline, days(1) - lateness + beside)  # type: ignore[operator]
        assert timeline.heard().late == late


# -- shipments


def test_a_late_scan_disproves_the_silence_and_begins_another() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 0).tick(days(5)).scan("departed", hours(20))
    assert told(timeline, days(5), "shipment") == [
        Said("slow", hours(72)),
        Said("slow", hours(72), LATE),
        Said("slow", hours(92)),
    ]


def test_a_late_scan_that_leaves_no_silence_long_enough_only_disproves() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 0).tick(hours(76)).scan("departed", hours(70))
    assert told(timeline, hours(100), "shipment") == [Said("slow", hours(72)), Said("slow", hours(72), LATE)]


def test_a_late_scan_behind_the_deadline_resolves_what_is_open_at_its_own_time() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 0).tick(days(5)).scan("departed", hours(80))
    assert told(timeline, days(5), "shipment") == [Said("slow", hours(72)), Said("slow", hours(80), "resumed")]


def test_a_late_scan_does_not_correct_what_is_resolved_already() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 0).scan("arrived", hours(80)).tick(hours(90))
    timeline.scan("departed", hours(76))
    assert told(timeline, hours(91), "shipment") == [Said("slow", hours(72)), Said("slow", hours(80), "resumed")]


def test_a_late_scan_that_disproves_what_is_resolved_changes_nothing_sent() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 0).scan("arrived", hours(80)).tick(hours(90))
    timeline.scan("departed", hours(50))
    assert told(timeline, hours(91), "shipment") == [Said("slow", hours(72)), Said("slow", hours(80), "resumed")]


def test_a_silence_that_a_late_scan_begins_may_be_over_already() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 0).scan("arrived", hours(80)).tick(hours(90))
    timeline.scan("departed", hours(5))
    assert told(timeline, hours(91), "shipment") == [
        Said("slow", hours(72)),
        Said("slow", hours(77)),
        Said("slow", hours(80), "resumed"),
        Said("slow", hours(80), "resumed"),
    ]


def test_a_late_collecting_scan_disproves_not_collected() -> None:
    timeline = Timeline().shipped(0).tick(days(2)).scan("picked_up", hours(10))
    assert told(timeline, days(2), "shipment") == [
        Said("not_collected", hours(24)),
        Said("not_collected", hours(24), LATE),
    ]


def test_a_late_collecting_scan_behind_the_deadline_resolves_not_collected() -> None:
    timeline = Timeline().shipped(0).tick(days(2)).scan("picked_up", hours(30))
    assert told(timeline, days(2), "shipment") == [
        Said("not_collected", hours(24)),
        Said("not_collected", hours(30), "collected"),
    ]


def test_a_late_terminal_scan_ends_the_shipment_and_all_its_silences() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 0).tick(days(9)).scan("delivered", hours(100))
    assert told(timeline, days(30), "shipment") == [
        Said("slow", hours(72)),
        Said("slow", hours(100), "delivered"),
        Said("stalled", hours(168)),
        Said("stalled", hours(168), LATE),
    ]


def test_a_late_registration_gives_the_merchant_the_stall_that_the_platform_has() -> None:
    timeline = Timeline().scan("departed", hours(1)).tick(days(9)).shipped(0).scan("arrived", days(9))
    heard = timeline.heard(days(9) + hours(1))
    stalls = heard.every("shipment.stalled")
    assert [(alert.audiences, alert.shop_id, alert.time) for alert in stalls] == [
        (("platform",), None, stalls[0].time),
        (("merchant",), "S1", stalls[0].time),
    ]
    assert len({alert.episode for alert in stalls}) == 1
    assert heard.said("shipment.slow") == [Said("slow", hours(73)), Said("slow", days(9), "resumed")]
    resolved = heard.every("shipment.stalled", "resolved")
    # Each resolution goes where its raise went, with the same shop and order.
    assert sorted((alert.audiences, alert.shop_id, alert.order_id) for alert in resolved) == [
        (("merchant",), "S1", "A"),
        (("platform",), None, None),
    ]
    assert one_episode_each(heard)


def test_a_late_registration_of_a_stall_that_is_resolved_gives_nobody_anything() -> None:
    timeline = Timeline().scan("departed", hours(1)).scan("arrived", days(8)).tick(days(9)).shipped(0)
    heard = timeline.heard(days(9) + 1)
    assert [alert.audiences for alert in heard.alerts if alert.type == "shipment.stalled"] == [("platform",)] * 2


def test_a_late_earlier_shipping_takes_the_place_of_the_known_one() -> None:
    timeline = Timeline().shipped(hours(10)).tick(days(2)).shipped(0)
    assert told(timeline, days(2), "shipment") == [
        Said("not_collected", hours(24)),
        Said("not_collected", hours(34)),
        Said("not_collected", hours(34), LATE),
    ]


def test_a_late_later_shipping_of_the_same_order_changes_nothing() -> None:
    timeline = Timeline().shipped(0).tick(days(2)).shipped(hours(10))
    heard = timeline.heard(days(2))
    assert heard.said("shipment") == [Said("not_collected", hours(24))]
    assert (heard.late, heard.repeated) == (1, 1)


def test_a_late_end_before_another_order_makes_it_a_use_of_its_own() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 1).shipped(days(3) - 1, "B").tick(days(8))
    timeline.scan("delivered", days(2) - 2)
    heard = timeline.heard(days(8))
    # What B's shipping began as an update of the first shipment it begins as a shipment of its own.
    assert Said("slow", days(6) - 1, LATE) in heard.said("shipment")
    assert Said("not_collected", days(4) - 1) in heard.said("shipment")
    assert one_episode_each(heard)


def test_an_alert_raised_again_behind_two_late_scans_is_another_episode_each_time() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 0).tick(hours(200))
    timeline.scan("departed", hours(10)).scan("arrived", hours(5)).scan("in_transit", hours(90))
    heard = timeline.heard(hours(201))
    assert one_episode_each(heard)
    assert Said("slow", hours(82)) in heard.said("shipment.slow")
    assert Said("slow", hours(90), "resumed") in heard.said("shipment.slow")


def test_a_scan_as_late_as_the_end_of_the_shipment_before_is_its_own_history() -> None:
    timeline = Timeline().scan("departed", 0).scan("delivered", hours(10)).tick(days(20)).scan("arrived", hours(5))
    assert told(timeline, days(20), "shipment") == []


# -- orders


def test_a_late_shipping_in_time_disproves_that_the_order_is_late() -> None:
    timeline = Timeline().paid(0).tick(hours(60)).shipped(hours(47))
    assert told(timeline, hours(60), "order") == [
        Said("ship_due_soon", hours(36)),
        Said("ship_due_soon", hours(47), "shipped"),
        Said("ship_late", hours(48)),
        Said("ship_late", hours(48), LATE),
    ]


@pytest.mark.parametrize("how", ["completed", "cancelled"])
def test_a_late_completion_or_cancellation_does_so_too(how: str) -> None:
    timeline = Timeline().paid(0).tick(hours(60)).order(how, hours(30))
    assert told(timeline, hours(60), "order") == [
        Said("ship_due_soon", hours(36)),
        Said("ship_due_soon", hours(36), LATE),
        Said("ship_late", hours(48)),
        Said("ship_late", hours(48), LATE),
    ]


def test_a_late_payment_raises_what_it_should_have_raised_at_its_own_time() -> None:
    timeline = Timeline().tick(hours(60)).paid(0)
    assert told(timeline, hours(60), "order") == [Said("ship_due_soon", hours(36)), Said("ship_late", hours(48))]


def test_a_late_payment_of_a_shipped_order_is_raised_together_with_its_resolution() -> None:
    timeline = Timeline().shipped(hours(50)).tick(hours(60)).paid(0)
    assert told(timeline, hours(60), "order.ship_late") == [
        Said("ship_late", hours(48)),
        Said("ship_late", hours(50), "shipped"),
    ]


def test_a_late_earlier_payment_takes_the_known_ones_place() -> None:
    timeline = Timeline().paid(hours(10)).tick(hours(60)).paid(0)
    assert told(timeline, hours(60), "order") == [
        Said("ship_due_soon", hours(36)),
        Said("ship_due_soon", hours(46)),
        Said("ship_due_soon", hours(46), LATE),
        Said("ship_late", hours(48)),
        Said("ship_late", hours(58)),
        Said("ship_late", hours(58), LATE),
    ]


def test_a_late_payment_at_the_known_ones_instant_changes_nothing() -> None:
    timeline = Timeline().paid(0, ship_by=hours(50)).tick(hours(60)).paid(0, ship_by=hours(20), event_id="a")
    assert told(timeline, hours(60), "order.ship_late") == [Said("ship_late", hours(50))]


def test_a_payment_with_another_ship_time_that_moves_no_alert_leaves_it_as_sent() -> None:
    timeline = Timeline().paid(hours(1), ship_by=hours(48), shop_id="S1").tick(hours(60))
    timeline.paid(0, ship_by=hours(48), shop_id="S2")
    heard = timeline.heard(hours(60))
    assert heard.said("order") == [Said("ship_due_soon", hours(36)), Said("ship_late", hours(48))]
    assert heard.only("order.ship_late").shop_id == "S1"


# -- tickets


def test_a_late_answer_in_time_disproves_the_timeout() -> None:
    timeline = Timeline().opened(0).tick(hours(30)).responded(hours(20))
    assert told(timeline, hours(30), "ticket") == [
        Said("due_soon", hours(18)),
        Said("due_soon", hours(20), "responded"),
        Said("timed_out", hours(24)),
        Said("timed_out", hours(24), LATE),
    ]


def test_a_late_pause_disproves_and_a_late_resume_moves_what_is_due() -> None:
    timeline = Timeline().opened(0).tick(hours(40)).paused(hours(10))
    assert told(timeline, hours(40), "ticket") == [
        Said("due_soon", hours(18)),
        Said("due_soon", hours(18), LATE),
        Said("timed_out", hours(24)),
        Said("timed_out", hours(24), LATE),
    ]
    timeline.resumed(hours(15))
    assert told(timeline, hours(40), "ticket", late=2) == [
        Said("due_soon", hours(18)),
        Said("due_soon", hours(18), LATE),
        Said("due_soon", hours(23)),
        Said("timed_out", hours(24)),
        Said("timed_out", hours(24), LATE),
        Said("timed_out", hours(29)),
    ]


def test_what_is_true_again_behind_a_late_event_is_another_episode() -> None:
    timeline = Timeline().opened(0).tick(hours(40)).paused(hours(10), event_id="a").resumed(hours(10), event_id="b")
    heard = timeline.heard(hours(40))
    assert heard.said("ticket.timed_out") == [
        Said("timed_out", hours(24)),
        Said("timed_out", hours(24)),
        Said("timed_out", hours(24), LATE),
    ]
    assert one_episode_each(heard)


def test_a_late_opening_is_due_at_its_own_times() -> None:
    timeline = Timeline().tick(hours(30)).opened(0)
    assert told(timeline, hours(30), "ticket") == [Said("due_soon", hours(18)), Said("timed_out", hours(24))]
