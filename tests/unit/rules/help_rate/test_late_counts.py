"""Late facts in the counts: right from the next boundary not yet judged on; what was judged stands."""

from __future__ import annotations

from typing import Any

import pytest

from tests.unit.rules.timeline import HOUR, T0, Timeline, days, hours, lowered

#: Time has come to here when the late event is read; the help rate waits for scans, an hour behind.
NOW = hours(50) + hours(0.5)
LAST_JUDGED = hours(49)
NEXT = hours(50)


def rows(timeline: Timeline, until: int = hours(60), shop: str = "S1") -> list[tuple[int, dict[str, Any] | None]]:
    """(boundary in hours, window of 30 days) of every record of the shop."""
    heard = timeline.heard(until)
    assert heard.late == 1
    found: list[tuple[int, dict[str, Any] | None]] = []
    for record in heard.records:
        if (record.table, record.key) == ("help-rates", shop):
            if record.value is None:
                found.append((-1, None))
            else:
                day, hour = record.value["as_of"][8:10], record.value["as_of"][11:13]
                found.append(((int(day) - 3) * 24 + int(hour), record.value["30d"]))
    return found


def changes(timeline: Timeline, name: str, shop: str = "S1") -> list[tuple[int, int]]:
    """(boundary in hours, value) of every record of the shop."""
    return [(boundary, row[name]) for boundary, row in rows(timeline, shop=shop) if row is not None]


def test_a_late_escalation_counts_from_the_next_boundary_not_yet_judged_on() -> None:
    assert changes(Timeline().placed(0).tick(NOW).disputed(hours(10)), "disputes") == [(1, 0), (50, 1)]


def test_a_late_order_does_so_too_and_leaves_the_window_with_its_own_hour() -> None:
    timeline = Timeline().placed(hours(20), "B").tick(NOW).placed(hours(10), "A")
    assert changes(timeline, "orders") == [(21, 1), (50, 2)]
    heard = timeline.heard(days(30) + hours(11) + 1)
    assert heard.window()["orders"] == 1


@pytest.mark.parametrize(("beside", "boundary"), [(-1, 50), (0, 50), (1, 51)])
def test_the_next_boundary_is_the_first_that_the_watermark_is_not_behind(beside: int, boundary: int) -> None:
    # The watermark of the help rate is an hour behind: at 50 h of watermark the boundary of 50 h is not passed.
    timeline = Timeline().placed(0).tick(NEXT + HOUR + beside).disputed(hours(10))
    assert changes(timeline, "disputes") == [(1, 0), (boundary, 1)]


def test_a_late_escalation_in_an_hour_not_yet_judged_counts_at_its_own_boundary() -> None:
    timeline = Timeline().placed(0).tick(NOW).disputed(LAST_JUDGED + 1)
    assert changes(timeline, "disputes") == [(1, 0), (50, 1)]


def test_a_late_answer_takes_the_timeout_out_of_the_count_from_the_next_boundary_on() -> None:
    timeline = Timeline().placed(0).opened(0).tick(NOW).responded(hours(24))
    assert changes(timeline, "ticket_timeouts") == [(1, 0), (25, 1), (50, 0)]


def test_a_late_answer_behind_the_timeout_leaves_it_counted() -> None:
    timeline = Timeline().placed(0).opened(0).tick(NOW).responded(hours(24) + 1)
    assert changes(timeline, "ticket_timeouts") == [(1, 0), (25, 1)]


def test_a_late_pause_moves_the_timeout_out_of_the_count() -> None:
    timeline = Timeline().placed(0).opened(0).tick(NOW).paused(hours(5))
    assert changes(timeline, "ticket_timeouts") == [(1, 0), (25, 1), (50, 0)]


def test_a_late_ticket_is_timed_out_and_counts_from_the_next_boundary_on() -> None:
    timeline = Timeline().placed(0).tick(NOW).opened(0)
    assert changes(timeline, "ticket_timeouts") == [(1, 0), (50, 1)]


def test_a_late_voiding_takes_back_from_the_next_boundary_on() -> None:
    timeline = Timeline().placed(0).disputed(1).tick(NOW).voided(hours(10), "dispute", "D1", order="A")
    assert changes(timeline, "disputes") == [(1, 1), (50, 0)]


def test_a_late_earlier_voiding_of_what_is_taken_back_changes_nothing() -> None:
    timeline = Timeline().placed(0).disputed(1).voided(hours(20), "dispute", "D1", order="A").tick(NOW)
    timeline.voided(hours(10), "dispute", "D1", order="A")
    assert changes(timeline, "disputes") == [(1, 1), (21, 0)]


def test_a_late_escalation_that_was_taken_back_already_never_counts() -> None:
    timeline = Timeline().placed(0).voided(hours(20), "dispute", "D1", order="A").tick(NOW).disputed(hours(10))
    assert changes(timeline, "disputes") == [(1, 0)]


def test_a_late_earlier_intervention_takes_the_place_of_one_within_its_span() -> None:
    timeline = Timeline().placed(0).message(hours(10)).tick(NOW).message(hours(1))
    assert changes(timeline, "interventions") == [(1, 0), (11, 1)]
    # Its hour is another: the count leaves the window nine hours earlier.
    heard = timeline.heard(days(30) + hours(2) + 1)
    assert heard.table("help-rates")["S1"] is None


def test_a_late_intervention_may_let_a_later_one_count() -> None:
    # 30 h was within a day of 10 h; with 1 h before, 10 h is not counted, and 30 h is.
    timeline = Timeline().placed(0).message(hours(10)).message(hours(30)).tick(NOW).message(hours(1))
    assert changes(timeline, "interventions") == [(1, 0), (11, 1), (50, 2)]


def test_a_late_earlier_dispute_of_another_shop_moves_the_count() -> None:
    timeline = Timeline().placed(0).disputed(hours(10)).tick(NOW).disputed(hours(5), shop_id="S2")
    assert changes(timeline, "disputes") == [(1, 0), (11, 1), (50, 0)]
    assert changes(timeline, "disputes", shop="S2") == [(50, 1)]


def test_a_late_later_dispute_of_the_same_id_changes_nothing() -> None:
    timeline = Timeline().placed(0).disputed(hours(5)).tick(NOW).disputed(hours(10), shop_id="S2")
    assert changes(timeline, "disputes") == [(1, 0), (6, 1)]


def test_a_late_order_gives_its_escalation_the_item() -> None:
    timeline = Timeline(lowered(min_orders=1, min_shops=2, delisting_min_escalations=1))
    for number in range(20):
        timeline.placed(0, f"Z{number}", shop_id=f"Z{number}", items=[("z", "c1")])
    timeline.placed(0, "other", items=[("i1", "c1")]).disputed(hours(5)).tick(NOW).placed(
        hours(5), items=[("i1", "c1")]
    )
    heard = timeline.heard(hours(60))
    assert heard.late == 1
    assert heard.only("item.delisting_risk").time == T0 + NEXT


def test_a_late_shipping_unlinks_what_was_linked_with_a_late_order() -> None:
    timeline = Timeline().paid(0).disputed(hours(48) + 1).tick(NOW + hours(1)).shipped(hours(40))
    assert changes(timeline, "logistics_linked") == [(49, 1), (51, 0)]


def test_a_late_scan_unlinks_what_was_linked_with_a_stall() -> None:
    timeline = Timeline().shipped(-hours(125)).scan("departed", -hours(125)).disputed(hours(44)).tick(NOW)
    timeline.scan("arrived", hours(1))
    assert changes(timeline, "logistics_linked") == [(45, 1), (50, 0)]


def test_a_late_registration_links_what_was_escalated_during_the_stall() -> None:
    timeline = Timeline().scan("departed", -hours(125)).disputed(hours(44)).tick(NOW).shipped(-hours(126))
    assert changes(timeline, "logistics_linked") == [(45, 0), (50, 1)]


def test_a_late_registration_of_another_order_links_what_was_escalated_during_the_stall() -> None:
    timeline = Timeline().shipped(-hours(126), "A").scan("departed", -hours(125)).disputed(hours(44), order="B")
    timeline.tick(NOW).shipped(-hours(125.5), "B")
    assert changes(timeline, "logistics_linked") == [(45, 0), (50, 1)]


def test_a_late_registration_links_what_was_escalated_during_a_stall_that_is_over() -> None:
    timeline = Timeline().scan("departed", -hours(125)).disputed(hours(44)).scan("arrived", hours(46)).tick(NOW)
    timeline.shipped(-hours(126))
    assert changes(timeline, "logistics_linked") == [(45, 0), (50, 1)]


def test_a_boundary_that_was_judged_stands() -> None:
    timeline = Timeline(lowered(min_orders=1, min_shops=2, delisting_min_escalations=1))
    for number in range(20):
        timeline.placed(0, f"Z{number}", shop_id=f"Z{number}")
    timeline.placed(0).tick(NOW).disputed(hours(10))
    heard = timeline.heard(hours(60))
    assert heard.late == 1
    assert [(one.what, one.at) for one in heard.said("help_rate")] == [("delisting_risk", NEXT)]
