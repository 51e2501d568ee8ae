"""The profiles that count the help rate otherwise: over paid orders, or each order with an escalation once."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from streams.policy import load
from streams.policy.model import Policy
from streams.rules.cases.distinct_orders import Move, Span, moves
from tests.unit.rules.timeline import HOUR, T0, TRIPLE, Timeline, days, hours

WINDOWS = (("7d", days(7)), ("30d", days(30)))


def taobao(**changes: Any) -> Policy:
    return _lowered("taobao-experience-2026", **changes)


def distinct(**changes: Any) -> Policy:
    return _lowered("distinct-orders", **changes)


def _lowered(profile: str, **changes: Any) -> Policy:
    """The profile, so low that a few orders are enough."""
    policy = load.load(profile)
    few = {"min_orders": 2, "min_shops": 2, "delisting_min_escalations": 2, **changes}
    return msgspec.structs.replace(policy, help_rate=msgspec.structs.replace(policy.help_rate, **few))


def among_others(timeline: Timeline) -> Timeline:
    """Twenty shops without an escalation, so that the mean is low."""
    for number in range(20):
        for order in (f"Z{number}a", f"Z{number}b"):
            shop = f"Z{number}"
            timeline.placed(0, order, shop_id=shop, items=[("z", "c1")]).paid(0, order, shop_id=shop)
    return timeline


class TestOverPaidOrders:
    @pytest.mark.parametrize(("window", "length"), WINDOWS)
    @pytest.mark.parametrize("beside", TRIPLE)
    def test_an_order_is_in_the_window_that_it_was_paid_in_whenever_it_was_placed(
        self, window: str, length: int, beside: int
    ) -> None:
        paid = hours(10) + beside
        timeline = Timeline(taobao()).placed(0).paid(paid).placed(hours(12), "B").paid(hours(13), "B")
        left = (hours(10) if beside >= 0 else hours(9)) + length
        assert timeline.heard(left + 1).window(window=window)["orders"] == 2
        assert timeline.heard(left + HOUR + 1).window(window=window)["orders"] == 1

    def test_an_order_that_is_never_paid_is_none_and_one_that_was_never_placed_is(self) -> None:
        timeline = Timeline(taobao()).placed(0, "A").paid(0, "B").paid(hours(2), "B")
        heard = timeline.heard(hours(5))
        assert (heard.window()["orders"], heard.repeated) == (1, 1)

    def test_it_counts_for_the_shop_that_was_paid(self) -> None:
        heard = Timeline(taobao()).placed(0).paid(1, shop_id="S2").heard(hours(5))
        assert (heard.window("S1")["orders"], heard.window("S2")["orders"]) == (0, 1)

    def test_a_timeout_is_shown_and_is_no_part_of_the_rate(self) -> None:
        timeline = (
            Timeline(taobao()).placed(0).paid(0).disputed(1).complained(1, order_id="A").requested(1, order_id="A")
        )
        window = timeline.opened(0).heard(hours(30)).window()
        assert [window[name] for name in ("disputes", "complaints", "interventions", "ticket_timeouts")] == [1, 1, 1, 1]
        assert (window["escalations"], window["rate"]) == (3, 3)

    def test_a_timeout_alone_keeps_the_record_and_no_rate(self) -> None:
        window = Timeline(taobao()).opened(0).heard(hours(30)).window()
        assert (window["ticket_timeouts"], window["escalations"], window["rate"]) == (1, 0, None)

    @pytest.mark.parametrize("paid", [1, 2])
    def test_too_few_paid_orders_are_insufficient_however_many_are_placed(self, paid: int) -> None:
        timeline = among_others(Timeline(taobao()))
        for number in range(5):
            timeline.placed(0, f"A{number}")
        for number in range(paid):
            timeline.paid(0, f"A{number}")
        timeline.disputed(1, "D1", order="A0").disputed(1, "D2", order="A0")
        heard = timeline.heard(hours(5))
        record = heard.table("help-rates")["S1"]
        assert record is not None
        assert record["state"] == ("insufficient" if paid == 1 else "delisting_risk")

    def test_it_takes_thirty_as_it_comes(self) -> None:
        rules = load.load("taobao-experience-2026").help_rate
        assert (rules.min_orders, rules.over, rules.distinct_orders) == (30, "paid", False)
        assert rules.counted == ("dispute", "complaint", "intervention")

    def test_the_main_category_is_that_of_the_orders_placed(self) -> None:
        timeline = (
            Timeline(taobao())
            .placed(0, items=[("i1", "c1")])
            .paid(hours(20))
            .placed(hours(2), "B", items=[("i2", "c2"), ("i3", "c2")])
        )
        record = timeline.heard(days(30) + hours(2) + 1).table("help-rates")["S1"]
        assert record is not None
        assert (record["main_category"], record["30d"]["orders"]) == ("c2", 1)
        # Where nothing placed is left there is none, and no baseline, though a paid order is left.
        record = timeline.heard(days(30) + hours(3) + 1).table("help-rates")["S1"]
        assert record is not None
        assert (record["main_category"], record["30d"]["orders"]) == (None, 1)
        assert timeline.heard(days(30) + hours(21) + 1).table("help-rates")["S1"] is None

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_its_items_count_where_it_was_placed_by_then(self, beside: int) -> None:
        timeline = among_others(Timeline(taobao()))
        for order in ("A", "B"):
            timeline.paid(hours(3), order).placed(hours(3) + beside, order, items=[("i1", "c1"), ("i1", "c1")])
        timeline.disputed(hours(4), "D1").disputed(hours(4), "D2").tick(hours(6))
        heard = timeline.heard(hours(6))
        assert bool(heard.every("item.delisting_risk")) == (beside <= 0)
        # As of the dispute it was, for the dispute.
        assert heard.window()["disputes"] == 2

    def test_a_timeout_is_no_part_of_an_items_rate(self) -> None:
        timeline = among_others(Timeline(taobao()))
        for order in ("A", "B"):
            timeline.placed(0, order).paid(0, order)
        for number in range(3):
            timeline.opened(0, ticket=f"K{number}", order_id="A")
        assert not timeline.heard(hours(30)).every("item.delisting_risk")
        timeline.disputed(hours(30), "D1").disputed(hours(30), "D2")
        assert timeline.heard(hours(32)).only("item.delisting_risk").time == T0 + hours(31)

    def test_a_late_payment_counts_from_the_next_boundary_on(self) -> None:
        timeline = Timeline(taobao()).placed(0).tick(hours(50.5)).paid(hours(10))
        heard = timeline.heard(hours(60))
        assert heard.late == 1
        counts = [
            r.value and r.value["30d"]["orders"] for r in heard.records if (r.table, r.key) == ("help-rates", "S1")
        ]
        assert counts == [0, 1]
        assert heard.table("help-rates")["S1"]["as_of"] == "2025-03-05T02:00:00Z"  # type: ignore[index]


class TestDistinctOrders:
    def test_an_order_with_every_kind_of_escalation_counts_once_and_each_of_them_in_its_column(self) -> None:
        timeline = Timeline(distinct()).placed(0).placed(0, "B").disputed(1).disputed(1, "D2")
        timeline.complained(1, order_id="A").requested(1, order_id="A").opened(0, order_id="A")
        window = timeline.heard(hours(30)).window()
        assert [window[name] for name in ("disputes", "complaints", "interventions", "ticket_timeouts")] == [2, 1, 1, 1]
        assert (window["escalations"], window["rate"]) == (1, 0.5)

    def test_an_escalation_without_an_order_is_shown_and_is_no_part_of_the_rate(self) -> None:
        timeline = Timeline(distinct()).placed(0).complained(1).opened(0).requested(1).message(1)
        window = timeline.heard(hours(30)).window()
        assert [window[name] for name in ("complaints", "interventions", "ticket_timeouts")] == [1, 2, 1]
        assert (window["escalations"], window["rate"]) == (0, 0)

    def test_an_order_that_was_never_placed_counts_too(self) -> None:
        window = Timeline(distinct()).disputed(1).heard(hours(3)).window()
        assert (window["escalations"], window["rate"]) == (1, None)

    def test_an_order_counts_for_each_shop_that_its_escalations_name(self) -> None:
        heard = Timeline(distinct()).disputed(1).disputed(1, "D2", shop_id="S2").heard(hours(3))
        assert [heard.window(shop)["escalations"] for shop in ("S1", "S2")] == [1, 1]

    @pytest.mark.parametrize(("window", "length"), WINDOWS)
    @pytest.mark.parametrize("beside", TRIPLE)
    def test_it_is_in_the_window_for_as_long_as_its_last_escalation_is(
        self, window: str, length: int, beside: int
    ) -> None:
        # The order B keeps the record when A has gone.
        timeline = Timeline(distinct()).disputed(hours(5), "D1").disputed(hours(30) + beside, "D2")
        timeline.disputed(days(20) + hours(20), "D3", order="B")
        gone = length + (hours(30) if beside >= 0 else hours(29)) + HOUR
        after = 1 if gone > days(20) + hours(20) else 0
        assert timeline.heard(length + hours(6) + 1).window(window=window)["escalations"] == 1 + after
        assert timeline.heard(gone).window(window=window)["escalations"] == 1 + after
        assert timeline.heard(gone + 1).window(window=window)["escalations"] == after

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_second_escalation_as_the_first_leaves_keeps_it_in(self, beside: int) -> None:
        # The hour of 5 h has left 7 days as of 7 d + 6 h; the second one counts as of then if it came before.
        boundary = days(7) + hours(6)
        timeline = Timeline(distinct()).disputed(hours(5), "D1").disputed(boundary + beside, "D2")
        assert timeline.heard(boundary + 1).window(window="7d")["escalations"] == (1 if beside < 0 else 0)
        assert timeline.heard(boundary + HOUR + 1).window(window="7d")["escalations"] == 1
        assert timeline.heard(boundary + HOUR + 1).window()["escalations"] == 1

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_voided_escalation_does_not_keep_it_in_as_of_the_boundary_after_the_voiding(self, beside: int) -> None:
        timeline = Timeline(distinct()).placed(0).disputed(hours(5), "D1")
        timeline.voided(hours(9) + beside, "dispute", "D1", order="A")
        boundary = hours(9) if beside < 0 else hours(10)
        assert timeline.heard(boundary).window()["escalations"] == 1
        assert timeline.heard(boundary + 1).window()["escalations"] == 0

    @pytest.mark.parametrize(("voided", "leaves"), [("D1", hours(40)), ("D2", hours(5))])
    def test_with_one_of_two_voided_it_leaves_with_the_other(self, voided: str, leaves: int) -> None:
        timeline = Timeline(distinct()).placed(hours(60), "B").disputed(hours(5), "D1").disputed(hours(40), "D2")
        timeline.voided(hours(50), "dispute", voided, order="A")
        for window, length in WINDOWS:
            assert timeline.heard(length + leaves + HOUR).window(window=window)["escalations"] == 1
            assert timeline.heard(length + leaves + HOUR + 1).window(window=window)["escalations"] == 0

    def test_taken_back_to_an_hour_that_has_left_the_shorter_window_it_is_in_the_longer_alone(self) -> None:
        timeline = Timeline(distinct()).placed(days(9), "B").disputed(hours(5), "D1").disputed(days(9), "D2")
        timeline.voided(days(10), "dispute", "D2", order="A")
        heard = timeline.heard(days(10) + HOUR + 1)
        assert (heard.window(window="7d")["escalations"], heard.window(window="30d")["escalations"]) == (0, 1)
        assert timeline.heard(days(30) + hours(6) + 1).window()["escalations"] == 0

    def test_one_that_was_taken_back_before_it_came_never_counts(self) -> None:
        timeline = Timeline(distinct()).placed(0).voided(1, "dispute", "D1", order="A").disputed(2)
        window = timeline.heard(hours(3)).window()
        assert (window["disputes"], window["escalations"]) == (0, 0)

    def test_an_order_counts_once_for_an_item_too(self) -> None:
        timeline = among_others(Timeline(distinct(delisting_min_escalations=2)))
        timeline.placed(0).placed(0, "B")
        for number in range(4):
            timeline.disputed(hours(1), f"D{number}")
        assert not timeline.heard(hours(5)).every("item.delisting_risk")
        timeline.disputed(hours(5), "E", order="B")
        alert = timeline.heard(hours(8)).only("item.delisting_risk")
        assert (alert.time, alert.evidence["escalations"]) == (T0 + hours(6), 2)

    def test_an_order_counts_for_each_item_that_its_escalations_name(self) -> None:
        timeline = among_others(Timeline(distinct(delisting_min_escalations=2)))
        for order in ("A", "B"):
            timeline.placed(0, order, items=[("i1", "c1"), ("i2", "c1")])
            timeline.disputed(hours(1), f"{order}1", order=order, item_id="i1")
        timeline.disputed(hours(1), "A2", order="A", item_id="i2")
        heard = timeline.heard(hours(5))
        assert [alert.subject for alert in heard.every("item.delisting_risk")] == ["i1"]
        assert heard.window()["escalations"] == 2

    def test_the_shop_is_judged_on_orders(self) -> None:
        timeline = among_others(Timeline(distinct(delisting_min_escalations=2)))
        timeline.placed(0).placed(0, "B")
        for number in range(5):
            timeline.disputed(hours(1), f"D{number}")
        heard = timeline.heard(hours(3))
        # One of two orders: far above the mean, but for the highest level it takes two.
        alert = heard.only("help_rate.campaign_blocked")
        assert (alert.evidence["escalations"], alert.evidence["disputes"]) == (1, 5)
        assert alert.evidence["escalations_left"] == 1

    def test_a_late_second_escalation_adds_nothing_and_a_late_voiding_takes_it_out_from_the_next_boundary_on(
        self,
    ) -> None:
        timeline = Timeline(distinct()).placed(0).disputed(hours(5), "D1").tick(hours(50.5))
        timeline.disputed(hours(10), "D2")
        heard = timeline.heard(hours(60))
        assert (heard.late, heard.window()["disputes"], heard.window()["escalations"]) == (1, 2, 1)
        assert timeline.heard(days(7) + hours(6) + 1).window(window="7d")["escalations"] == 1
        assert timeline.heard(days(7) + hours(11) + 1).window(window="7d")["escalations"] == 0
        timeline.voided(hours(12), "dispute", "D1", order="A").voided(hours(12), "dispute", "D2", order="A")
        heard = timeline.heard(hours(60))
        found = [
            (r.value["as_of"][11:13], r.value["30d"]["escalations"])
            for r in heard.records
            if r.table == "help-rates" and r.key == "S1" and r.value is not None
        ]
        assert (heard.late, found) == (3, [("01", 0), ("06", 1), ("02", 0)])

    def test_only_what_a_policy_counts_makes_an_order_count(self) -> None:
        timeline = Timeline(distinct(counted=("dispute",))).placed(0).complained(1, order_id="A")
        window = timeline.heard(hours(3)).window()
        assert (window["complaints"], window["escalations"]) == (1, 0)
        assert timeline.disputed(hours(3)).heard(hours(5)).window()["escalations"] == 1


def at(hour: int, ended: int | None = None) -> Span:
    return Span(hours(hour), None if ended is None else hours(ended))


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([], []),
        ([at(3)], [(4, 3, 1)]),
        ([at(3), at(3)], [(4, 3, 1)]),
        ([at(3), at(5)], [(4, 3, 1), (6, 3, -1), (6, 5, 1)]),
        ([at(5), at(3)], [(4, 3, 1), (6, 3, -1), (6, 5, 1)]),
        ([at(3, 9)], [(4, 3, 1), (9, 3, -1)]),
        ([at(3, 4)], []),
        ([at(3, 2)], []),
        ([at(3), at(5, 8)], [(4, 3, 1), (6, 3, -1), (6, 5, 1), (8, 5, -1), (8, 3, 1)]),
        ([at(3, 7), at(5, 8)], [(4, 3, 1), (6, 3, -1), (6, 5, 1), (8, 5, -1)]),
        ([at(3, 6), at(5)], [(4, 3, 1), (6, 3, -1), (6, 5, 1)]),
        ([at(3), at(3, 8), at(3, 9)], [(4, 3, 1)]),
    ],
    ids=str,
)
def test_an_order_stands_in_the_hour_of_its_latest_escalation_not_taken_back(
    spans: list[Span], expected: list[tuple[int, int, int]]
) -> None:
    assert moves(spans) == [Move(hours(boundary), hours(hour), sign) for boundary, hour, sign in expected]
