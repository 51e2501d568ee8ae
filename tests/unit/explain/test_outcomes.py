"""What comes of each threshold, and what is said of events that have no effect."""

from __future__ import annotations

import json

import msgspec
import pytest

from streams.policy import load
from streams.policy.model import Policy
from tests.unit.explain import scenes
from tests.unit.explain.telling import Told
from tests.unit.rules.timeline import T0, TRIPLE, Timeline, days, hours, render, tmall

NOT_COLLECTED, SLOW, STALLED = "shipment.not_collected", "shipment.slow", "shipment.stalled"
SOON, LATE, STOCK = "order.ship_due_soon", "order.ship_late", "order.out_of_stock_suspected"
REVIEW, RIGHTS = "aftersales.review", "aftersales.rights_refused"
TICKET_SOON, TIMED_OUT = "ticket.due_soon", "ticket.timed_out"


def rated(**changes: object) -> Policy:
    """The default policy with another way to count."""
    policy = load.default()
    return msgspec.structs.replace(policy, help_rate=msgspec.structs.replace(policy.help_rate, **changes))


# -- shipments


@pytest.mark.parametrize(("beside", "outcome"), [(-1, "prevented"), (0, "prevented"), (1, "raised")])
def test_an_update_up_to_a_strict_threshold_prevents_the_alert(beside: int, outcome: str) -> None:
    timeline = Timeline().scan("arrived", 0).scan("departed", hours(168) + beside)
    assert Told(timeline, "X1").outcomes(STALLED) == [outcome, "pending"]


@pytest.mark.parametrize(("beside", "outcome"), [(-1, "prevented"), (0, "raised"), (1, "raised")])
def test_an_update_at_a_threshold_that_is_not_strict_comes_too_late(beside: int, outcome: str) -> None:
    timeline = Timeline(tmall()).scan("picked_up", 0).scan("departed", hours(72) + beside)
    told = Told(timeline, "X1", hours(73))
    assert told.outcomes(STALLED)[0] == outcome
    assert told.story.checks[1].facts["strict"] is False


@pytest.mark.parametrize(("beside", "outcome"), list(zip(TRIPLE, ["pending", "pending", "raised"], strict=True)))
def test_a_deadline_at_the_end_has_not_passed(beside: int, outcome: str) -> None:
    assert Told(Timeline().scan("arrived", 0), "X1", hours(168) + beside).outcomes(STALLED) == [outcome]


def test_what_prevented_an_alert_is_named_with_its_time() -> None:
    timeline = Timeline().shipped(0).scan("departed", hours(30)).shipped(hours(99), "B")
    told = Told(timeline, "X1")
    assert told.check(SLOW, "prevented")["facts"] == {
        "threshold": 72,
        "strict": True,
        "at": render(T0 + hours(99)),
        "update": "order.shipped",
    }
    assert told.check(NOT_COLLECTED, "raised")["facts"]["resolution"] == "collected"


def test_a_parcel_that_is_not_collected_is_not_slow() -> None:
    told = Told(Timeline().shipped(0).tick(hours(100)), "X1")
    assert told.outcomes(SLOW) == ["awaits_collection"]
    assert told.check(SLOW, "awaits_collection")["due"] == render(T0 + hours(72))


def test_before_its_registration_a_shipment_stalls_for_the_platform_alone() -> None:
    told = Told(Timeline().scan("arrived", 0).shipped(days(8)).tick(days(9)), "X1")
    raised = told.check(STALLED, "raised")["facts"]
    assert raised["platform_only"] is True
    assert raised["audiences"] == ["platform"]
    assert told.outcomes(NOT_COLLECTED) == ["prevented"]


def test_a_deadline_that_moves_past_the_giving_up_raises_nothing() -> None:
    policy = scenes.small_feeds()
    short = msgspec.structs.replace(policy.shipments, given_up_days=7.25)
    timeline = Timeline(msgspec.structs.replace(policy, shipments=short))
    # The feed is silent from 199 h to 210 h; X1 stalls at 202 h, is given up at 208 h, and its deadline moves to 216 h.
    for at in range(0, hours(193), hours(3)):
        timeline.scan("delivered", at, number=f"other-{at}")
    timeline.scan("arrived", hours(34)).scan("delivered", hours(210), number="next")
    timeline.events.sort(key=lambda event: json.loads(event[1])["occurred_at"])
    assert Told(timeline, "X1", hours(230)).outcomes(STALLED) == ["moved_past_giving_up"]


def test_a_number_that_is_used_again_begins_a_second_shipment() -> None:
    timeline = Timeline().shipped(0).scan("delivered", hours(5)).scan("arrived", hours(6)).shipped(days(30), "B")
    told = Told(timeline, "X1", days(40))
    assert told.marks() == {"e0002": ["after_end"], "e0003": ["used_again"]}
    assert told.outcomes(NOT_COLLECTED) == ["prevented", "raised"]
    assert told.story.orders == ["A", "B"]
    assert told.json["stories"][0]["state"]["code"] == "under_way"


def test_a_shipment_that_was_given_up_is_told_to_be() -> None:
    told = Told(Timeline().scan("arrived", 0), "X1", days(200))
    assert told.json["stories"][0]["state"]["code"] == "given_up"
    assert told.check(STALLED, "raised")["facts"]["resolution"] == "given_up"


SUSPICIOUS = "shipment.suspicious"


@pytest.mark.parametrize(
    ("paid", "outcome"), [(hours(1), ["in_time"]), (hours(1) + 1, ["raised"]), (hours(9), ["cash_on_delivery"])]
)
def test_a_payment_after_the_pick_up_is_told_by_when_it_came(paid: int, outcome: list[str]) -> None:
    timeline = Timeline().scan("picked_up", 0).shipped(1).paid(paid).scan("delivered", hours(9))
    assert Told(timeline, "X1", hours(20)).outcomes(SUSPICIOUS) == outcome


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_payment_after_the_giving_up_is_no_cash_on_delivery(beside: int) -> None:
    timeline = Timeline().shipped(0).scan("picked_up", 1).paid(1 + days(180) + beside)
    assert Told(timeline, "X1", days(181)).outcomes(SUSPICIOUS) == (["raised"] if beside <= 0 else [])


@pytest.mark.parametrize(("status", "outcome"), [("returning", "came_back"), ("arrived", "raised")])
def test_a_parcel_that_is_delivered_elsewhere_came_back_only_if_a_scan_says_so(status: str, outcome: str) -> None:
    timeline = Timeline().shipped(0, to_region="浙江").scan(status, 1).scan("delivered", 2, region="广东")
    assert Told(timeline, "X1", hours(1)).outcomes(SUSPICIOUS) == [outcome]


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_destination_that_is_known_when_the_parcel_is_forgotten_tells_nothing_of_it(beside: int) -> None:
    placed = 2 + days(180) + beside
    timeline = Timeline().shipped(0).scan("delivered", 2, region="广东").placed(placed, ship_to_region="浙江")
    assert Told(timeline, "X1", placed + 1).outcomes(SUSPICIOUS) == (["raised"] if beside <= 0 else [])


def test_an_alert_that_a_late_scan_disproves_is_withdrawn() -> None:
    timeline = Timeline().scan("arrived", 0).tick(days(8)).scan("departed", days(3))
    told = Told(timeline, "X1")
    assert told.outcomes(STALLED) == ["prevented", "pending", "withdrawn"]
    assert told.marks() == {"e0002": ["late"]}


def test_an_alert_that_was_resolved_stands_against_a_later_late_event() -> None:
    timeline = Timeline().scan("arrived", 0).scan("departed", days(8)).tick(days(9)).scan("arrived", days(3))
    told = Told(timeline, "X1")
    assert told.outcomes(STALLED) == ["prevented", "prevented", "pending", "stands"]


def test_what_a_late_event_tells_of_a_forgotten_shipment_was_never_sent() -> None:
    timeline = Timeline().shipped(0).scan("picked_up", hours(1)).tick(days(200)).scan("departed", days(20))
    told = Told(timeline, "X1")
    assert told.outcomes(SLOW) == ["raised", "unsent"]
    assert told.outcomes(STALLED) == ["prevented", "raised", "raised"]


def test_two_carriers_with_one_number_have_two_stories() -> None:
    told = Told(Timeline().scan("arrived", 0).scan("delivered", 1, carrier="ZTO"), "X1", days(8))
    assert [(story.name.carrier, len(story.alerts)) for story in told.stories] == [("SF", 1), ("ZTO", 0)]


# -- orders


def test_an_order_without_a_payment_has_no_time_to_ship_by() -> None:
    assert Told(Timeline().placed(0), "A").outcomes(LATE) == ["not_paid"]


@pytest.mark.parametrize(
    ("beside", "outcome"), list(zip(TRIPLE, ["raised", "raised", "paid_after_due_soon"], strict=True))
)
def test_an_order_paid_after_the_reminder_has_none(beside: int, outcome: str) -> None:
    timeline = Timeline().paid(beside, ship_by=hours(12))
    assert Told(timeline, "A", hours(13)).outcomes(SOON) == [outcome]


@pytest.mark.parametrize(("beside", "outcome"), list(zip(TRIPLE, ["pending", "pending", "raised"], strict=True)))
def test_a_time_to_ship_by_or_to_answer_by_at_the_end_has_not_passed(beside: int, outcome: str) -> None:
    timeline = Timeline().paid(0, ship_by=hours(24)).opened(0)
    assert Told(timeline, "A", hours(24) + beside).outcomes(LATE) == [outcome]
    assert Told(timeline, "K", hours(24) + beside).outcomes(TIMED_OUT) == [outcome]


@pytest.mark.parametrize("ended", ["completed", "cancelled"])
def test_what_ended_the_waiting_for_an_order_is_named(ended: str) -> None:
    told = Told(Timeline().paid(0).order(ended, hours(40)), "A")
    assert told.outcomes(SOON) == ["raised"]
    assert told.check(LATE, "prevented")["facts"]["update"] == f"order.{ended}"


def test_requests_are_told_by_what_the_window_was_for_them() -> None:
    timeline = Timeline().placed(0, items=[("i1", "footwear")]).order("completed", 0)
    for number, day in enumerate((15, 16, 91)):
        timeline.order("refund.requested", days(day), refund_id=f"R{number}", kind="exchange", reason="x")
    told = Told(timeline, "A")
    assert told.outcomes(REVIEW) == ["in_base_period", "raised", "window_closed"]
    assert told.check(REVIEW, "raised")["facts"]["ground"] == "statutory_warranty"
    assert told.outcomes(RIGHTS) == ["not_rejected"] * 3


def test_a_promise_past_the_end_of_the_calendar_can_be_told() -> None:
    timeline = Timeline().placed(0, commitment_days=10**9).order("completed", 0)
    timeline.order("refund.requested", days(20), refund_id="R", kind="exchange", reason="x")
    told = Told(timeline, "A")
    assert told.check(REVIEW, "raised")["facts"]["extension_end"] is None
    assert "within the extension (the merchant's promise)" in told.page()


def test_a_rejection_before_its_request_refuses_nothing() -> None:
    timeline = Timeline().placed(0).order("refund.rejected", 1, refund_id="R")
    timeline.order("refund.requested", 2, refund_id="R", kind="return_refund", reason="x")
    assert Told(timeline, "A").outcomes(RIGHTS) == ["rejected_before_request"]


# -- tickets


def test_a_ticket_that_stands_still_does_not_fall_due() -> None:
    told = Told(Timeline().opened(0).paused(hours(1)).tick(days(9)), "K")
    assert told.outcomes(TIMED_OUT) == ["paused"]
    assert told.check(TIMED_OUT, "paused")["facts"]["original_due"] == render(T0 + hours(24))


def test_a_ticket_that_was_never_opened_has_no_clock() -> None:
    assert Told(Timeline().responded(0), "K").outcomes(TIMED_OUT) == ["not_opened"]


# -- escalations


def test_a_ticket_that_timed_out_counts_and_one_that_has_not_does_not_yet() -> None:
    timeline = Timeline().opened(0)
    assert [one.outcome for one in Told(timeline, "K", hours(24)).story.escalations] == ["not_yet"]
    assert [one.outcome for one in Told(timeline, "K", hours(24) + 1).story.escalations] == ["counts"]


def test_an_escalation_that_is_taken_back_counts_no_longer() -> None:
    timeline = Timeline().disputed(0).voided(hours(3), "dispute", "D1", order="A")
    (one,) = Told(timeline, "A").json["stories"][0]["escalations"]
    assert (one["outcome"], one["facts"]) == ("voided", {"voided_at": render(T0 + hours(3))})


@pytest.mark.parametrize(
    ("changes", "outcomes"),
    [
        ({"counted": ("dispute",)}, ["counts", "not_rated", "not_rated"]),
        ({"distinct_orders": True}, ["with_its_order"] * 3),
    ],
)
def test_a_policy_may_count_otherwise(changes: dict[str, object], outcomes: list[str]) -> None:
    timeline = Timeline(rated(**changes)).disputed(0).complained(1, order_id="A").requested(2, order_id="A")
    assert [one.outcome for one in Told(timeline, "A").story.escalations] == outcomes


def test_where_orders_count_once_an_escalation_without_one_does_not() -> None:
    timeline = Timeline(rated(distinct_orders=True)).opened(0).tick(days(2))
    assert [one.outcome for one in Told(timeline, "K").story.escalations] == ["no_order"]


# -- events


def test_events_after_the_end_are_shown_and_left_out() -> None:
    told = Told(Timeline().scan("arrived", 0).scan("delivered", days(8)), "X1", days(8) - 1)
    assert told.marks() == {"e0001": ["left_out"]}
    assert told.outcomes(STALLED) == ["raised"]


def test_of_two_facts_that_disagree_the_one_that_does_not_hold_is_the_repeat() -> None:
    timeline = Timeline().paid(hours(1)).paid(hours(1), ship_by=hours(20), event_id="d0000")
    told = Told(timeline, "A")
    assert told.marks() == {"e0000": ["repeat"]}
    assert told.story.rows[1].marks[0].facts["event"] == "d0000"


def test_a_message_that_comes_again_within_a_day_is_a_repeat_and_later_a_new_one() -> None:
    timeline = Timeline().message(0)
    timeline.again(0, occurred_at=render(T0 + hours(23))).again(0, occurred_at=render(T0 + hours(24)))
    rows = Told(timeline, "C1").story.rows
    assert [[mark.code for mark in row.marks] for row in rows] == [[], ["repeat"], []]


def test_a_resume_of_a_running_ticket_changes_nothing() -> None:
    timeline = Timeline().opened(0).resumed(1).paused(2).resumed(3).paused(4)
    assert Told(timeline, "K").marks() == {"e0001": ["no_effect"]}
