"""Feed silence: when a carrier's feed is told to be silent, and what becomes of the deadlines that fall into it."""

from __future__ import annotations

import pytest

from tests.unit.rules.shipments.outage import LAST, MOVED, NEXT, TOLD, again, fed, lowered, resuming
from tests.unit.rules.timeline import TRIPLE, Said, Timeline, days, hours

FEED = "carrier.feed_silent"

# -- the silence itself


@pytest.mark.parametrize(("beside", "told"), [(-1, 198), (0, 199), (1, 199)])
def test_a_feed_is_silent_at_the_first_full_hour_behind_six_hours_without_a_scan(beside: int, told: int) -> None:
    timeline = fed(last=LAST - 1).scan("arrived", LAST + beside, number="last")
    assert timeline.said(FEED, until=hours(230)) == [Said("feed_silent", hours(told))]


def test_a_silent_feed_is_told_to_the_platform_about_the_carrier() -> None:
    alert = resuming().heard().only(FEED)
    assert (alert.subject, alert.carrier, alert.shop_id, alert.order_id) == ("SF", "SF", None, None)
    assert tuple(alert.audiences) == ("platform",)


@pytest.mark.parametrize(("last", "told"), [(0, []), (1, [Said("feed_silent", TOLD)])])
def test_a_boundary_at_the_end_is_not_passed(last: int, told: list[Said]) -> None:
    assert fed().said(FEED, until=TOLD + last) == told


@pytest.mark.parametrize("beside", TRIPLE)
def test_the_next_scan_resolves_it_also_at_the_very_boundary(beside: int) -> None:
    said = resuming(TOLD + beside).said(FEED, until=TOLD + hours(1))
    expected = [Said("feed_silent", TOLD), Said("feed_silent", TOLD + beside, "resumed")]
    assert said == (expected if beside >= 0 else [])


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_silence_that_ends_at_a_later_boundary_is_told_once(beside: int) -> None:
    said = resuming(TOLD + hours(4) + beside).said(FEED, until=TOLD + hours(5))
    assert said == [Said("feed_silent", TOLD), Said("feed_silent", TOLD + hours(4) + beside, "resumed")]


def test_each_silence_is_told_anew() -> None:
    said = resuming().said(FEED, until=hours(240))
    again_at = NEXT + hours(7)
    assert said == [
        Said("feed_silent", TOLD),
        Said("feed_silent", NEXT, "resumed"),
        Said("feed_silent", again_at),
    ]
    assert len({alert.episode for alert in resuming().heard(hours(240)).every(FEED)}) == 2


def test_any_scan_of_the_carrier_ends_the_silence_also_one_that_says_nothing_new() -> None:
    timeline = fed().scan("arrived", NEXT, number="SF-0")
    assert timeline.said("carrier", "shipment", until=NEXT + hours(1)) == [
        Said("feed_silent", TOLD),
        Said("feed_silent", NEXT, "resumed"),
    ]


def test_a_shipping_is_no_scan() -> None:
    timeline = fed().shipped(hours(195)).shipped(hours(205), "B")
    assert timeline.said(FEED, until=NEXT) == [Said("feed_silent", TOLD)]


def test_another_carrier_is_another_feed() -> None:
    timeline = fed().scan("arrived", hours(195), number="other", carrier="ZTO")
    assert [alert.subject for alert in timeline.heard(NEXT).every(FEED)] == ["SF"]


# -- the mean of the days before

# Of TOLD: 3 h and an hour before the end of the same six hours, three days earlier.
SAME_HOURS = hours(195 - 72), hours(198 - 72)


def test_a_mean_below_the_number_is_no_feed() -> None:
    assert fed(lowered(3)).said(FEED, until=hours(230)) == []


def test_one_scan_less_in_the_same_hours_of_seven_days_is_below_the_mean() -> None:
    # An hour later another six hours are looked at: at 202 h those before the missing scan's.
    timeline = fed(leave_out=SAME_HOURS[0])
    assert timeline.said(FEED, until=hours(230)) == [Said("feed_silent", hours(202))]


def test_a_scan_told_again_does_not_count_and_another_status_does() -> None:
    less = SAME_HOURS[0]
    repeated = fed(leave_out=less).scan("delivered", less + hours(3), number=f"SF-{(less + hours(3)) // hours(1)}")
    assert repeated.said(FEED, until=hours(201)) == []
    another = fed(leave_out=less).scan("departed", less + hours(3), number=f"SF-{(less + hours(3)) // hours(1)}")
    assert another.said(FEED, until=hours(201)) == [Said("feed_silent", TOLD)]


@pytest.mark.parametrize(("at", "counts"), [(193, True), (199, False)])
@pytest.mark.parametrize("beside", TRIPLE)
def test_the_same_hours_of_a_day_before_have_their_start_and_not_their_end(at: int, counts: bool, beside: int) -> None:
    # 13 scans are in the hours looked at at TOLD; one more about the start or the end, five days earlier.
    inside = counts if beside == 0 else (beside > 0) == counts
    timeline = fed(leave_out=SAME_HOURS[0]).scan("delivered", hours(at - 120) + beside, number="edge")
    assert (timeline.said(FEED, until=TOLD + 1) != []) == inside


@pytest.mark.parametrize(("day", "counts"), [(7, True), (8, False), (0, False)])
def test_the_seven_days_before_count_and_no_other(day: int, counts: bool) -> None:
    timeline = fed(leave_out=SAME_HOURS[0])
    at = hours(195 - 24 * day) if day else LAST
    assert (timeline.scan("delivered", at, number="one more").said(FEED, until=TOLD + 1) != []) == counts


def test_a_mean_that_is_reached_later_in_a_silence_is_told_then() -> None:
    # Two scans a day, at 12:00 and 13:00: at night and in the morning the mean is 0.
    timeline = Timeline(lowered())
    for day in range(8):
        timeline.scan("delivered", days(day) + hours(12), number=f"a{day}")
        timeline.scan("delivered", days(day) + hours(13), number=f"b{day}")
    assert timeline.said(FEED, until=days(20)) == [Said("feed_silent", days(8) + hours(14))]


# -- the deadlines


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_deadline_from_the_boundary_on_moves(beside: int) -> None:
    due = TOLD + beside
    timeline = resuming().shipped(due - hours(24))
    assert timeline.said("shipment", until=days(10)) == [Said("not_collected", MOVED if beside >= 0 else due)]


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_deadline_up_to_the_next_scan_moves_and_one_at_it_does_not(beside: int) -> None:
    due = NEXT + beside
    timeline = resuming().shipped(due - hours(24))
    assert timeline.said("shipment", until=days(10)) == [Said("not_collected", due if beside >= 0 else MOVED)]


def test_a_deadline_after_six_silent_hours_but_before_their_full_hour_does_not_move() -> None:
    due = LAST + hours(6.5)
    assert resuming().shipped(due - hours(24)).said("shipment", until=days(10)) == [Said("not_collected", due)]


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_scan_at_the_boundary_leaves_nothing_to_move(beside: int) -> None:
    due = TOLD + beside
    timeline = resuming(TOLD).shipped(due - hours(24))
    assert timeline.said("shipment", until=days(9)) == [Said("not_collected", due)]


@pytest.mark.parametrize(("status", "resolution"), [("picked_up", "collected"), ("delivered", "delivered")])
@pytest.mark.parametrize("beside", TRIPLE)
def test_a_collecting_scan_within_six_hours_of_the_next_prevents(beside: int, status: str, resolution: str) -> None:
    timeline = resuming().shipped(hours(180)).scan(status, MOVED + beside)
    expected = [Said("not_collected", MOVED), Said("not_collected", MOVED + beside, resolution)]
    assert timeline.said("shipment.not_collected", until=days(10)) == (expected if beside > 0 else [])


def test_updates_that_do_not_collect_prevent_nothing_of_not_collected() -> None:
    timeline = resuming().shipped(hours(180)).scan("info_received", NEXT + hours(1)).shipped(NEXT + hours(2), "B")
    assert timeline.said("shipment.not_collected", until=days(10)) == [Said("not_collected", MOVED)]


@pytest.mark.parametrize("beside", TRIPLE)
@pytest.mark.parametrize(("kind", "threshold"), [("slow", 72), ("stalled", 168)])
def test_an_update_within_six_hours_of_the_next_prevents_slow_and_stalled(
    kind: str, threshold: int, beside: int
) -> None:
    update = NEXT - hours(1) - hours(threshold)
    timeline = resuming().shipped(update).scan("departed", update).scan("arrived", MOVED + beside)
    expected = [Said(kind, MOVED), Said(kind, MOVED + beside, "resumed")]
    assert timeline.said(f"shipment.{kind}", until=days(10)) == (expected if beside > 0 else [])


@pytest.mark.parametrize("at", [TOLD - hours(1), TOLD, NEXT - hours(2), NEXT - hours(1), NEXT, MOVED])
def test_a_shipping_is_an_update_too(at: int) -> None:
    update = NEXT - hours(1) - hours(168)
    timeline = resuming().scan("departed", update).shipped(at)
    assert timeline.said("shipment.stalled", until=days(10)) == []


def test_each_deadline_moves_by_itself() -> None:
    # Slow falls into the silence; stalled falls due behind it, and before the end of the grace.
    slow, stalled = NEXT - hours(1), NEXT + hours(2)
    timeline = resuming().shipped(stalled - hours(168)).scan("departed", slow - hours(72))
    assert timeline.said("shipment.slow", until=days(10)) == [Said("slow", MOVED)]
    timeline = resuming().scan("departed", stalled - hours(168))
    assert timeline.said("shipment.stalled", until=days(10)) == [Said("stalled", stalled)]


def test_the_parcels_of_another_carrier_are_as_late_as_ever() -> None:
    timeline = resuming().shipped(hours(180), carrier="ZTO")
    assert timeline.said("shipment", until=days(10)) == [Said("not_collected", hours(204))]


def test_without_a_next_scan_nothing_is_raised() -> None:
    timeline = fed().shipped(hours(180)).scan("departed", hours(190), number="X2").shipped(hours(190), "B", number="X2")
    assert timeline.said("carrier", "shipment", until=days(400)) == [Said("feed_silent", TOLD)]


@pytest.mark.parametrize(("after", "raised"), [(0, []), (1, [Said("not_collected", MOVED)])])
def test_a_moved_deadline_at_the_end_is_not_passed(after: int, raised: list[Said]) -> None:
    assert resuming().shipped(hours(180)).said("shipment", until=MOVED + after) == raised


@pytest.mark.parametrize("beside", TRIPLE)
def test_past_the_giving_up_nothing_is_raised(beside: int) -> None:
    given_up = hours(190) + days(180)
    resumed = given_up - hours(6) + beside
    timeline = fed().scan("arrived", hours(190), number="X2").scan("delivered", resumed, number="next")
    expected = [Said("stalled", resumed + hours(6)), Said("stalled", given_up, "given_up")]
    assert timeline.said("shipment", until=given_up + days(1)) == (expected if beside <= 0 else [])


def test_a_deadline_at_the_next_scan_stays_as_strict_as_it_was() -> None:
    # Picked up, a parcel of this profile may rest less than 72 hours; here its own scan is the carrier's next.
    tmall = lowered(profile="tmall-2026")
    timeline = fed(tmall).scan("picked_up", NEXT - hours(72)).scan("departed", NEXT)
    assert timeline.said("shipment.stalled", until=days(10)) == [
        Said("stalled", NEXT),
        Said("stalled", NEXT, "resumed"),
    ]


def test_a_deadline_that_moves_is_not_broken_by_an_update_at_its_former_instant() -> None:
    tmall = lowered(profile="tmall-2026")
    due = NEXT - hours(1)
    timeline = resuming(policy=tmall).scan("picked_up", due - hours(72)).shipped(due)
    assert timeline.said("shipment.stalled", until=days(10)) == []


@pytest.mark.parametrize("beside", TRIPLE)
def test_a_moved_deadline_lets_an_update_at_its_instant_be_in_time(beside: int) -> None:
    timeline = resuming(policy=lowered(profile="tmall-2026")).scan("picked_up", NEXT - hours(73))
    said = timeline.scan("departed", MOVED + beside).said("shipment.stalled", until=days(10))
    expected = [Said("stalled", MOVED), Said("stalled", MOVED + beside, "resumed")]
    assert said == (expected if beside > 0 else [])


@pytest.mark.parametrize(("at", "linked"), [(NEXT - hours(1), 0), (MOVED - 1, 0), (MOVED, 1), (MOVED + 1, 1)])
def test_an_escalation_is_linked_to_a_moved_stall_from_when_it_is_raised(at: int, linked: int) -> None:
    update = NEXT - hours(1) - hours(168)
    timeline = resuming().shipped(update).scan("departed", update).disputed(at)
    assert timeline.heard(days(10)).window()["logistics_linked"] == linked


def test_the_silence_is_known_however_far_time_jumps() -> None:
    timeline = resuming().shipped(hours(180))
    expected = [Said("not_collected", MOVED), Said("not_collected", hours(180) + days(180), "given_up")]
    for later in (200, 370, 1000):
        said = timeline.said("shipment.not_collected", until=days(later))
        assert said == expected, f"{later} days"


def test_no_deadline_moves_while_the_feed_goes_on() -> None:
    timeline = again(fed(), LAST + hours(3), hours(240)).shipped(hours(180))
    assert timeline.said("carrier", "shipment", until=hours(240)) == [Said("not_collected", hours(204))]
