"""Due to ship soon, shipped late, probably out of stock."""

from __future__ import annotations

import pytest

from tests.unit.rules.timeline import TRIPLE, Said, Timeline, days, hours

ENDS = {"shipped": "shipped", "completed": "completed", "cancelled": "cancelled"}


def end(timeline: Timeline, how: str, at: int) -> Timeline:
    """Ships, completes or cancels order A."""
    return timeline.shipped(at) if how == "shipped" else timeline.order(how, at)


def test_an_order_that_nothing_happens_to_is_due_soon_late_and_out_of_stock() -> None:
    assert Timeline().paid(0).said("order", until=hours(120) + 1) == [
        Said("ship_due_soon", hours(36)),
        Said("ship_late", hours(48)),
        Said("out_of_stock_suspected", hours(120)),
    ]


def test_who_is_told_of_which_order() -> None:
    heard = Timeline().placed(0, shop_id="S2").paid(0, shop_id="S2").heard(hours(121))
    assert [(alert.type, alert.audiences) for alert in sorted(heard.alerts, key=lambda alert: alert.time)] == [
        ("order.ship_due_soon", ("merchant",)),
        ("order.ship_late", ("merchant",)),
        ("order.out_of_stock_suspected", ("platform",)),
    ]
    assert {(alert.subject, alert.order_id, alert.shop_id, alert.carrier) for alert in heard.alerts} == {
        ("A", "A", "S2", None)
    }
    assert len({(alert.type, alert.episode) for alert in heard.alerts}) == 3


@pytest.mark.parametrize("how", ENDS)
@pytest.mark.parametrize(
    ("kind", "deadline"), [("ship_due_soon", 36), ("ship_late", 48), ("out_of_stock_suspected", 120)]
)
@pytest.mark.parametrize("beside", TRIPLE)
def test_shipping_completing_or_cancelling_up_to_the_deadline_is_in_time_and_resolves_behind_it(
    how: str, kind: str, deadline: int, beside: int
) -> None:
    at = hours(deadline) + beside
    said = end(Timeline().paid(0), how, at).said(f"order.{kind}", until=days(9))
    assert said == ([Said(kind, hours(deadline)), Said(kind, at, ENDS[how])] if beside > 0 else [])


def test_all_that_is_open_is_resolved_at_once() -> None:
    said = Timeline().paid(0).order("completed", days(6)).said("order", until=days(7))
    assert said[3:] == [
        Said("out_of_stock_suspected", days(6), "completed"),
        Said("ship_due_soon", days(6), "completed"),
        Said("ship_late", days(6), "completed"),
    ]


def test_the_first_end_resolves_and_by_event_id_where_two_are_at_one_instant() -> None:
    timeline = Timeline().paid(0).order("cancelled", hours(50), event_id="b").shipped(hours(50), event_id="c")
    assert timeline.said("order.ship_late")[1:] == [Said("ship_late", hours(50), "cancelled")]
    timeline.order("completed", hours(50), event_id="a")
    assert timeline.said("order.ship_late")[1:] == [Said("ship_late", hours(50), "completed")]


def test_an_order_shipped_in_several_parcels_is_shipped_with_the_first() -> None:
    timeline = Timeline().paid(0).shipped(hours(50), number="X1").shipped(hours(60), number="X2")
    assert timeline.said("order.ship_late")[1:] == [Said("ship_late", hours(50), "shipped")]


@pytest.mark.parametrize("ends", [1, 0, -1])
def test_an_order_shipped_before_or_when_it_is_paid_is_never_due(ends: int) -> None:
    timeline = Timeline().paid(hours(1)).shipped(hours(1) - (ends >= 0) * ends)
    assert timeline.said("order", until=days(9)) == []


def test_an_order_that_is_not_paid_is_never_due() -> None:
    assert Timeline().placed(0).said("order", until=days(30)) == []


@pytest.mark.parametrize("beside", TRIPLE)
def test_an_order_paid_behind_the_due_soon_time_is_not_due_soon(beside: int) -> None:
    timeline = Timeline().paid(beside, ship_by=hours(12))
    soon = [Said("ship_due_soon", 0)] if beside <= 0 else []
    assert timeline.said("order", until=hours(13)) == [*soon, Said("ship_late", hours(12))]


@pytest.mark.parametrize("beside", TRIPLE)
def test_one_paid_at_the_due_soon_time_and_shipped_soon_behind_it_was_due_soon(beside: int) -> None:
    timeline = Timeline().paid(beside, ship_by=hours(12)).shipped(hours(1))
    told = [Said("ship_due_soon", 0), Said("ship_due_soon", hours(1), "shipped")]
    assert timeline.said("order", until=days(9)) == (told if beside <= 0 else [])


def test_the_agreed_ship_time_counts_instead_of_48_hours() -> None:
    assert Timeline().paid(0, ship_by=days(10)).said("order", until=days(13) + 1) == [
        Said("ship_due_soon", days(10) - hours(12)),
        Said("ship_late", days(10)),
        Said("out_of_stock_suspected", days(13)),
    ]


def test_a_ship_time_before_the_payment_falls_at_the_payment() -> None:
    timeline = Timeline().paid(hours(10), ship_by=hours(4))
    assert timeline.said("order", until=days(9)) == [
        Said("ship_late", hours(10)),
        Said("out_of_stock_suspected", hours(76)),
    ]
    timeline = Timeline().paid(hours(100), ship_by=hours(4)).shipped(hours(101))
    assert timeline.said("order", until=days(9)) == [
        Said("out_of_stock_suspected", hours(100)),
        Said("ship_late", hours(100)),
        Said("out_of_stock_suspected", hours(101), "shipped"),
        Said("ship_late", hours(101), "shipped"),
    ]


def test_a_ship_time_at_the_payment_is_late_at_once_unless_shipped_at_that_instant() -> None:
    timeline = Timeline().paid(hours(1), ship_by=hours(1))
    assert timeline.said("order", until=hours(2)) == [Said("ship_late", hours(1))]
    assert timeline.shipped(hours(1)).said("order", until=hours(2)) == []


def test_the_first_payment_holds_with_its_ship_time_and_shop() -> None:
    timeline = Timeline().paid(0, ship_by=days(3)).paid(hours(1), ship_by=days(1), shop_id="S9")
    heard = timeline.heard(days(3) + 1)
    assert heard.said("order.ship_late") == [Said("ship_late", days(3))]
    assert (heard.repeated, heard.only("order.ship_late").shop_id) == (1, "S1")


def test_of_two_payments_at_one_instant_the_first_by_event_id_holds_whatever_the_arrival() -> None:
    timeline = Timeline().paid(0, ship_by=days(3), event_id="b").paid(0, ship_by=days(2), event_id="a")
    assert timeline.said("order.ship_late", until=days(4)) == [Said("ship_late", days(2))]


def test_of_two_payments_with_one_event_id_the_digest_decides_and_not_the_arrival() -> None:
    found = set()
    for first, second in ((2, 3), (3, 2)):
        timeline = Timeline().paid(0, ship_by=days(first), event_id="a").paid(0, ship_by=days(second), event_id="a")
        found.add(tuple(timeline.said("order.ship_late", until=days(4))))
    assert len(found) == 1


def test_orders_of_one_id_in_another_shop_are_one_order() -> None:
    timeline = Timeline().paid(0, shop_id="S1").shipped(hours(1), shop_id="S2")
    assert timeline.said("order", until=days(9)) == []


def test_the_evidence_is_what_a_person_needs_to_check_it() -> None:
    heard = Timeline().paid(0).shipped(hours(50)).heard()
    assert heard.only("order.ship_late").evidence == {
        "paid_at": "2025-03-03T00:00:00Z",
        "ship_by": "2025-03-05T00:00:00Z",
    }
    assert heard.only("order.ship_late", "resolved").evidence["raised_at"] == "2025-03-05T00:00:00Z"
