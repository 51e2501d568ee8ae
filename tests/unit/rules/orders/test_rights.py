"""Refused rights: which rejections raise, what resolves them."""

from __future__ import annotations

from typing import Any

import pytest

from schemas.times import render
from tests.unit.rules.timeline import DAY, HOUR, T0, TRIPLE, Heard, Timeline

REFUSED = "aftersales.rights_refused"


def ask(timeline: Timeline, at: int, kind: str = "exchange", refund: str = "R1", **fields: Any) -> Timeline:
    return timeline.order("refund.requested", at, **{"refund_id": refund, "kind": kind, "reason": "x", **fields})


def reject(timeline: Timeline, at: int, refund: str = "R1", **fields: Any) -> Timeline:
    return timeline.order("refund.rejected", at, **{"refund_id": refund, **fields})


def settle(timeline: Timeline, at: int, refund: str = "R1", **fields: Any) -> Timeline:
    return timeline.order("refund.settled", at, **{"refund_id": refund, **fields})


def order(*items: tuple[str, str]) -> Timeline:
    """Order A of these (item, category), placed two days before T0 and not completed."""
    return Timeline().placed(-2 * DAY, items=items or (("i1", "c1"),))


def rights(heard: Heard) -> list[list[str]]:
    return [alert.evidence["rights"] for alert in heard.every(REFUSED)]


def refused(timeline: Timeline, at: int, kind: str, **fields: Any) -> list[list[str]]:
    """The rights refused where something is asked for at an instant and rejected an hour later."""
    return rights(reject(ask(timeline, at, kind, **fields), at + HOUR).heard())


class TestLateShipmentRefund:
    """`refund_only` while `order.ship_late` is open."""

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_the_right_begins_with_the_deadline_to_ship(self, beside: int) -> None:
        timeline = order().paid(0, ship_by=DAY)
        assert refused(timeline, DAY + beside, "refund_only") == [["late_shipment_refund"]] * (beside >= 0)

    @pytest.mark.parametrize("end", ["shipped", "completed", "cancelled"])
    @pytest.mark.parametrize("beside", TRIPLE)
    def test_the_right_ends_when_the_alert_does(self, end: str, beside: int) -> None:
        timeline = order().paid(0, ship_by=DAY)
        if end == "shipped":
            timeline.shipped(2 * DAY)
        else:
            timeline.order(end, 2 * DAY)
        assert refused(timeline, 2 * DAY + beside, "refund_only") == [["late_shipment_refund"]] * (beside < 0)

    def test_an_order_shipped_at_its_deadline_gives_no_right(self) -> None:
        assert refused(order().paid(0, ship_by=DAY).shipped(DAY), DAY, "refund_only") == []

    @pytest.mark.parametrize("kind", ["return_refund", "exchange", "reship"])
    def test_other_requests_are_not_about_it(self, kind: str) -> None:
        timeline = order(("i1", "fresh-food")).paid(0, ship_by=DAY)
        assert ["late_shipment_refund"] not in refused(timeline, 2 * DAY, kind)

    def test_an_order_that_was_paid_but_never_placed_is_late_too(self) -> None:
        assert refused(Timeline().paid(0), 3 * DAY, "refund_only") == [["late_shipment_refund"]]


class TestNoReasonReturn:
    """`return_refund` before completion or up to seven days after, unless all of it is exempt."""

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_the_right_lasts_for_seven_days_after_completion_the_end_included(self, beside: int) -> None:
        timeline = order().order("completed", 0)
        assert refused(timeline, 7 * DAY + beside, "return_refund") == [["no_reason_return"]] * (beside <= 0)

    def test_before_completion_there_is_no_end(self) -> None:
        timeline = order().order("completed", 300 * DAY)
        assert refused(timeline, 200 * DAY, "return_refund") == [["no_reason_return"]]

    @pytest.mark.parametrize("category", ["custom-made", "fresh-food", "digital-goods", "periodicals"])
    def test_an_exempt_category_gives_no_right(self, category: str) -> None:
        assert refused(order(("i1", category)), 0, "return_refund", item_id="i1") == []
        assert refused(order(("i1", category)), 0, "return_refund") == []

    @pytest.mark.parametrize(
        ("item", "has"), [("book", True), ("fish", False), (None, True), ("not of this order", True)]
    )
    def test_the_named_item_decides_or_else_whether_each_is_exempt(self, item: str | None, has: bool) -> None:
        timeline = order(("book", "c1"), ("fish", "fresh-food"))
        assert refused(timeline, 0, "return_refund", item_id=item) == [["no_reason_return"]] * has

    def test_an_order_of_nothing_but_exempt_items_gives_no_right_by_another_name(self) -> None:
        timeline = order(("paper", "periodicals"), ("fish", "fresh-food"))
        assert refused(timeline, 0, "return_refund", item_id="not of this order") == []

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_items_count_as_placed_by_the_request(self, beside: int) -> None:
        timeline = Timeline().paid(-DAY).placed(beside, items=(("fish", "fresh-food"),))
        assert refused(timeline, 0, "return_refund") == [["no_reason_return"]] * (beside > 0)


class TestQualityExchange:
    """`exchange` and `reship` before completion or up to fifteen days after."""

    @pytest.mark.parametrize("kind", ["exchange", "reship"])
    @pytest.mark.parametrize("beside", TRIPLE)
    def test_the_right_lasts_for_fifteen_days_after_completion_the_end_included(self, kind: str, beside: int) -> None:
        timeline = order(("fish", "fresh-food")).order("completed", 0)
        assert refused(timeline, 15 * DAY + beside, kind) == [["quality_exchange"]] * (beside <= 0)


class TestKnownOrders:
    """An order of which nothing is known gives no rights."""

    @pytest.mark.parametrize("kind", ["refund_only", "return_refund", "exchange", "reship"])
    def test_a_request_alone_makes_no_order(self, kind: str) -> None:
        assert refused(Timeline().disputed(-DAY, "D0"), 0, kind) == []

    @pytest.mark.parametrize("fact", ["paid", "completed", "cancelled"])
    @pytest.mark.parametrize("beside", TRIPLE)
    def test_any_fact_of_the_order_up_to_the_request_makes_it_known(self, fact: str, beside: int) -> None:
        assert refused(Timeline().order(fact, beside), 0, "exchange") == [["quality_exchange"]] * (beside <= 0)

    def test_a_parcel_makes_it_known(self) -> None:
        assert refused(Timeline().shipped(0), 0, "return_refund") == [["no_reason_return"]]


class TestRejections:
    """Which rejection raises, for whom and when."""

    def test_the_alert_has_the_time_and_shop_of_the_rejection_and_tells_the_request(self) -> None:
        timeline = reject(ask(order(), 0, "return_refund", reason="不想要了", item_id="i1"), 20 * DAY)
        alert = timeline.heard().only(REFUSED)
        assert (alert.time - T0, alert.subject, alert.order_id, alert.shop_id) == (20 * DAY, "A", "A", "S1")
        assert alert.audiences == ("merchant",)
        assert alert.evidence == {
            "refund_id": "R1",
            "kind": "return_refund",
            "reason": "other",
            "item_id": "i1",
            "requested_at": render(T0),
            "rights": ["no_reason_return"],
        }

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_rejection_refuses_what_was_asked_for_by_then(self, beside: int) -> None:
        assert len(rights(reject(ask(order(), 0), beside).tick(DAY).heard())) == (beside >= 0)

    def test_a_rejection_counts_once_and_by_its_first_telling(self) -> None:
        timeline = reject(reject(ask(order(), 0), HOUR), 2 * HOUR).again(event_id="x")
        assert timeline.said(REFUSED) == [("rights_refused", HOUR, None)]

    def test_a_rejection_of_something_unknown_says_nothing(self) -> None:
        assert reject(ask(order(), 0), HOUR, "R2").said(REFUSED) == []

    def test_each_request_is_an_episode_of_its_own(self) -> None:
        timeline = ask(ask(order(), 0, refund="R1"), 0, refund="R2")
        alerts = reject(reject(timeline, HOUR, "R1"), HOUR, "R2").heard().every(REFUSED)
        assert len({alert.episode for alert in alerts}) == 2

    def test_of_two_tellings_of_the_request_the_first_holds(self) -> None:
        timeline = ask(ask(order(), 0, "refund_only"), -1, "exchange")
        assert rights(reject(timeline, HOUR).heard()) == [["quality_exchange"]]


class TestResolutions:
    """Settled, or disputed, by what comes first at or after the rejection."""

    def said(self, timeline: Timeline) -> list[tuple[int, str | None]]:
        return [(one.at, one.resolution) for one in timeline.said(REFUSED, until=9 * DAY)]

    def test_the_settling_resolves(self) -> None:
        timeline = settle(reject(ask(order(), 0), HOUR), 2 * HOUR)
        assert self.said(timeline) == [(HOUR, None), (2 * HOUR, "settled")]

    def test_another_requests_settling_does_not(self) -> None:
        timeline = settle(ask(reject(ask(order(), 0), HOUR), 0, refund="R2"), 2 * HOUR, "R2")
        assert self.said(timeline) == [(HOUR, None)]

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_the_orders_next_dispute_at_or_after_the_rejection_resolves(self, beside: int) -> None:
        timeline = reject(ask(order(), 0), HOUR).disputed(HOUR + beside)
        resolved = [(HOUR + beside, "disputed")] if beside >= 0 else []
        assert sorted(self.said(timeline), key=str) == sorted([(HOUR, None), *resolved], key=str)

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_settling_from_before_the_rejection_resolves_nothing(self, beside: int) -> None:
        timeline = settle(reject(ask(order(), 0), HOUR), HOUR + beside)
        assert ("settled" in [resolution for _, resolution in self.said(timeline)]) == (beside >= 0)

    def test_a_dispute_told_again_is_no_next_dispute(self) -> None:
        timeline = reject(ask(order(), 0).disputed(0), HOUR).disputed(2 * HOUR)
        assert self.said(timeline) == [(HOUR, None)]

    def test_a_voided_dispute_has_resolved_all_the_same(self) -> None:
        timeline = reject(ask(order(), 0), HOUR).disputed(2 * HOUR).voided(2 * HOUR, "dispute", "D1", order="A")
        assert self.said(timeline) == [(HOUR, None), (2 * HOUR, "disputed")]

    def test_the_first_of_both_resolves(self) -> None:
        first = settle(reject(ask(order(), 0), HOUR), 2 * HOUR).disputed(3 * HOUR)
        assert self.said(first) == [(HOUR, None), (2 * HOUR, "settled")]
        second = settle(reject(ask(order(), 0), HOUR), 3 * HOUR).disputed(2 * HOUR)
        assert self.said(second) == [(HOUR, None), (2 * HOUR, "disputed")]

    @pytest.mark.parametrize(("event_id", "resolution"), [("a", "disputed"), ("z", "settled")])
    def test_at_one_instant_the_order_of_events_decides(self, event_id: str, resolution: str) -> None:
        timeline = settle(reject(ask(order(), 0), HOUR), 2 * HOUR, event_id="m").disputed(2 * HOUR, event_id=event_id)
        assert self.said(timeline) == [(HOUR, None), (2 * HOUR, resolution)]

    def test_one_dispute_resolves_all_that_are_open(self) -> None:
        timeline = ask(ask(order(), 0, refund="R1"), 0, refund="R2")
        timeline = reject(reject(timeline, HOUR, "R1"), 2 * HOUR, "R2").disputed(3 * HOUR)
        assert self.said(timeline) == [
            (HOUR, None), (2 * HOUR, None), (3 * HOUR, "disputed"), (3 * HOUR, "disputed"),
        ]  # fmt: skip


class TestLateFacts:
    """What comes after the watermark has passed it."""

    def test_an_earlier_completion_takes_the_right_back(self) -> None:
        timeline = order().order("completed", 0)
        reject(ask(timeline, 15 * DAY), 16 * DAY).tick(20 * DAY).order("completed", -DAY)
        assert timeline.said(REFUSED) == [
            ("rights_refused", 16 * DAY, None),
            ("rights_refused", 16 * DAY, "late_event"),
        ]

    def test_a_late_shipping_takes_the_right_to_a_refund_back(self) -> None:
        timeline = reject(ask(order().paid(0, ship_by=DAY), 2 * DAY, "refund_only"), 3 * DAY)
        timeline.tick(4 * DAY).shipped(DAY)
        assert timeline.said(REFUSED)[1:] == [("rights_refused", 3 * DAY, "late_event")]

    def test_a_late_request_gives_the_rejection_its_meaning(self) -> None:
        timeline = ask(reject(order(), HOUR).tick(DAY), 0)
        assert timeline.said(REFUSED) == [("rights_refused", HOUR, None)]

    def test_a_late_dispute_resolves_at_its_own_time(self) -> None:
        timeline = reject(ask(order(), 0), HOUR).tick(DAY).disputed(2 * HOUR)
        assert timeline.said(REFUSED) == [("rights_refused", HOUR, None), ("rights_refused", 2 * HOUR, "disputed")]
