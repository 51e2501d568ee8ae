"""The after-sales window: when a request needs a review, on what ground, and when it comes too late."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from schemas.times import render
from streams.policy import load
from tests.unit.rules.timeline import DAY, HOUR, MINUTE, T0, TRIPLE, Heard, Timeline

REVIEW = "aftersales.review"
PLACED = -2 * DAY


def completed(
    items: tuple[tuple[str, str], ...] = (("i1", "c1"),), at: int = 0, promise: int | None = None
) -> Timeline:
    """Order A of these (item, category), placed two days before it is completed."""
    return Timeline().placed(at + PLACED, items=items, commitment_days=promise).order("completed", at)


def asked(timeline: Timeline, at: int, refund: str = "R1", **fields: Any) -> Timeline:
    told = {"refund_id": refund, "kind": "return_refund", "reason": "broken", **fields}
    return timeline.order("refund.requested", at, **told)


def reviews(heard: Heard) -> list[tuple[int, str]]:
    """When and on what ground."""
    return [(alert.time - T0, alert.evidence["ground"]) for alert in heard.every(REVIEW)]


def closed(timeline: Timeline, until: int, window: str = "30d") -> tuple[int, int]:
    """How many escalations of the window there are, and how many came past everything."""
    found = timeline.heard(until).window(window=window)
    return found["escalations"], found["window_closed"]


@pytest.mark.parametrize(
    ("category", "promise", "base"),
    [("c1", 400, 15), ("3c-digital", None, 180), ("home-appliances", None, 180), ("footwear", None, 15)],
)
@pytest.mark.parametrize("beside", TRIPLE)
def test_inside_the_base_period_nothing_is_said_its_end_included(
    category: str, promise: int | None, base: int, beside: int
) -> None:
    heard = asked(completed((("i1", category),), promise=promise), base * DAY + beside).heard()
    assert len(reviews(heard)) == (beside > 0)


@pytest.mark.parametrize(
    ("category", "promise", "end", "ground"),
    [
        ("c1", 20, 20, "commitment"),
        ("3c-digital", None, 365, "statutory_warranty"),
        ("home-appliances", 200, 365, "statutory_warranty"),
        ("footwear", None, 90, "statutory_warranty"),
        ("footwear", 91, 91, "commitment"),
        ("seedlings", None, 30, "slow_category"),
        ("flowers", 29, 30, "slow_category"),
        ("pets", 31, 31, "commitment"),
    ],
)
@pytest.mark.parametrize("beside", TRIPLE)
def test_a_review_is_needed_up_to_the_end_of_the_longest_extension_included(
    category: str, promise: int | None, end: int, ground: str, beside: int
) -> None:
    at = end * DAY + beside
    heard = asked(completed((("i1", category),), promise=promise), at).heard()
    assert reviews(heard) == ([(at, ground)] if beside <= 0 else [])


@pytest.mark.parametrize(
    ("categories", "promise", "ground"),
    [
        (("footwear",), 90, "statutory_warranty"),
        (("flowers",), 30, "commitment"),
        (("footwear", "flowers"), 90, "statutory_warranty"),
        (("footwear", "flowers"), None, "statutory_warranty"),
    ],
)
def test_of_equally_long_extensions_the_warranty_then_the_promise_is_the_ground(
    categories: tuple[str, ...], promise: int | None, ground: str
) -> None:
    items = tuple((f"i{number}", category) for number, category in enumerate(categories))
    assert reviews(asked(completed(items, promise=promise), 16 * DAY).heard()) == [(16 * DAY, ground)]


def test_a_promise_that_is_shorter_than_the_base_period_extends_nothing() -> None:
    assert reviews(asked(completed(promise=15), 15 * DAY + 1).heard()) == []


@pytest.mark.parametrize(
    ("item", "expected"),
    [
        ("shoe", "statutory_warranty"),
        ("rose", "slow_category"),
        (None, "statutory_warranty"),
        ("x", "statutory_warranty"),
    ],
)
def test_the_named_items_category_counts_and_all_of_them_where_none_is_named(item: str | None, expected: str) -> None:
    order = completed((("rose", "flowers"), ("shoe", "footwear")))
    assert reviews(asked(order, 16 * DAY, item_id=item).heard()) == [(16 * DAY, expected)]


def test_an_item_of_several_lines_has_the_longest_period_of_their_categories() -> None:
    order = completed((("i1", "c1"), ("i1", "3c-digital")))
    assert reviews(asked(order, 16 * DAY, item_id="i1").heard()) == []
    assert reviews(asked(order, 181 * DAY, "R2", item_id="i1").heard()) == [(181 * DAY, "statutory_warranty")]


def test_every_kind_of_request_asks_and_each_is_an_episode_of_its_own() -> None:
    at = 20 * DAY
    timeline = asked(asked(completed(promise=30), at), at, "R2").disputed(at, "R1")
    timeline.complained(at, "R1", order_id="A").opened(at, "after_sales", ticket="R1", order_id="A")
    alerts = timeline.heard().every(REVIEW)
    assert sorted((alert.evidence["request"], alert.evidence["request_id"]) for alert in alerts) == [
        ("complaint", "R1"), ("dispute", "R1"), ("refund", "R1"), ("refund", "R2"), ("ticket", "R1"),
    ]  # fmt: skip
    assert len({alert.episode for alert in alerts}) == 5
    assert {(a.subject, a.order_id, a.shop_id, a.audiences) for a in alerts} == {("A", "A", "S1", ("platform",))}


def test_other_tickets_interventions_and_requests_without_an_order_do_not_ask() -> None:
    at = 20 * DAY
    timeline = completed(promise=30).opened(at, "urge_shipping", ticket="K1", order_id="A")
    timeline.opened(at, "other", ticket="K2", order_id="A").requested(at, order_id="A")
    timeline.opened(at, "after_sales", ticket="A").complained(at, "A").message(at, order_id="A")
    assert reviews(timeline.heard()) == []


def test_a_request_is_reviewed_once_however_often_it_is_told() -> None:
    timeline = asked(completed(promise=30), 20 * DAY)
    timeline.again().again(event_id="x").again(event_id="y", occurred_at=render(T0 + 21 * DAY))
    assert reviews(timeline.heard()) == [(20 * DAY, "commitment")]


def test_a_review_is_never_resolved() -> None:
    timeline = asked(completed(promise=30), 20 * DAY)
    timeline.order("refund.settled", 21 * DAY, refund_id="R1").order("refund.rejected", 21 * DAY, refund_id="R1")
    assert timeline.said(REVIEW, until=400 * DAY) == [("review", 20 * DAY, None)]


def test_the_evidence_tells_the_window() -> None:
    alert = asked(completed(promise=30), 20 * DAY, item_id="i1").heard().only(REVIEW)
    assert alert.evidence == {
        "request": "refund",
        "request_id": "R1",
        "item_id": "i1",
        "completed_at": render(T0),
        "base_ends_at": render(T0 + 15 * DAY),
        "extension_ends_at": render(T0 + 30 * DAY),
        "ground": "commitment",
    }


class TestOpenEntries:
    """Until the order completes, or where it is not known, nothing is past its window."""

    def test_an_order_that_never_completes_stays_open(self) -> None:
        timeline = Timeline().placed(PLACED, commitment_days=30).order("cancelled", 0)
        asked(timeline, 20 * DAY).disputed(100 * DAY)
        assert reviews(timeline.heard()) == []
        assert closed(timeline, 101 * DAY) == (1, 0)

    def test_an_order_nobody_told_of_stays_open(self) -> None:
        assert closed(asked(Timeline(), 0).disputed(MINUTE), DAY) == (1, 0)

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_completion_counts_for_what_is_asked_from_its_instant_on(self, beside: int) -> None:
        """With periods of almost nothing, what is asked at once is past them."""
        policy = load.default()
        none = msgspec.structs.replace(policy.aftersales, base_days=1e-12)
        timeline = Timeline(msgspec.structs.replace(policy, aftersales=none)).placed(PLACED)
        timeline.disputed(beside).order("completed", 0)
        assert closed(timeline, DAY) == (1, int(beside > 0))

    def test_an_order_completed_without_a_placing_has_the_plain_base_period_alone(self) -> None:
        timeline = Timeline().order("completed", 0).disputed(15 * DAY, "D1").disputed(15 * DAY + 1, "D2")
        assert closed(timeline, 16 * DAY) == (2, 1)

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_the_placing_counts_from_its_instant_on(self, beside: int) -> None:
        timeline = Timeline().order("completed", 0).placed(20 * DAY + beside, commitment_days=30)
        assert len(reviews(asked(timeline, 20 * DAY).tick(21 * DAY).heard())) == (beside <= 0)


class TestWindowClosed:
    """Escalations past everything still count, and are told apart."""

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_dispute_past_the_longest_extension_is_counted_as_closed(self, beside: int) -> None:
        timeline = completed(promise=30).disputed(30 * DAY + beside)
        assert closed(timeline, 31 * DAY) == (1, int(beside > 0))

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_complaint_past_the_base_period_without_extension_is_counted_as_closed(self, beside: int) -> None:
        timeline = completed().complained(15 * DAY + beside, order_id="A")
        assert closed(timeline, 16 * DAY) == (1, int(beside > 0))

    def test_an_escalation_of_the_named_item_is_past_that_items_window(self) -> None:
        order = completed((("i1", "c1"), ("i2", "3c-digital")))
        timeline = order.disputed(16 * DAY, "D1", item_id="i1").disputed(16 * DAY, "D2", item_id="i2")
        timeline.disputed(16 * DAY, "D3")
        assert closed(timeline, 17 * DAY) == (3, 1)

    @pytest.mark.parametrize("beside", TRIPLE)
    def test_a_tickets_timeout_goes_by_its_opening(self, beside: int) -> None:
        timeline = completed().opened(15 * DAY + beside, "after_sales", order_id="A")
        assert closed(timeline, 18 * DAY) == (1, int(beside > 0))

    def test_interventions_other_tickets_and_complaints_without_an_order_never_ask(self) -> None:
        timeline = completed().requested(20 * DAY, order_id="A").opened(20 * DAY, "other", order_id="A")
        timeline.complained(20 * DAY, "A")
        assert closed(timeline, 23 * DAY) == (3, 0)

    def test_a_voided_escalation_is_no_longer_counted_as_closed(self) -> None:
        timeline = completed().disputed(20 * DAY).disputed(20 * DAY, "D2")
        timeline.voided(20 * DAY + 2 * HOUR, "dispute", "D1", order="A")
        assert closed(timeline, 20 * DAY + 2 * HOUR) == (2, 2)
        assert closed(timeline, 20 * DAY + 3 * HOUR + 1) == (1, 1)

    def test_each_window_counts_its_own(self) -> None:
        timeline = completed().disputed(16 * DAY, "D1").disputed(24 * DAY, "D2")
        assert closed(timeline, 25 * DAY, "7d") == (1, 1)
        assert closed(timeline, 25 * DAY) == (2, 2)


class TestLateFacts:
    """What comes after the watermark has passed it."""

    def test_an_earlier_completion_takes_a_review_back_and_closes_the_window(self) -> None:
        timeline = completed(promise=30).disputed(29 * DAY).tick(30 * DAY).order("completed", -2 * DAY)
        heard = timeline.heard(31 * DAY)
        assert heard.said(REVIEW) == [("review", 29 * DAY, None), ("review", 29 * DAY, "late_event")]
        assert heard.window()["window_closed"] == 1

    def test_an_earlier_completion_raises_a_review_at_the_requests_own_time(self) -> None:
        timeline = asked(completed(promise=30), 14 * DAY).tick(20 * DAY).order("completed", -2 * DAY)
        assert timeline.said(REVIEW, until=31 * DAY) == [("review", 14 * DAY, None)]

    def test_a_late_request_is_reviewed_at_its_own_time(self) -> None:
        timeline = asked(completed(promise=30).tick(40 * DAY), 20 * DAY)
        assert timeline.said(REVIEW, until=41 * DAY) == [("review", 20 * DAY, None)]

    def test_an_earlier_telling_of_the_request_is_another_episode(self) -> None:
        timeline = asked(asked(completed(promise=30), 20 * DAY).tick(40 * DAY), 19 * DAY)
        heard = timeline.heard(41 * DAY)
        assert heard.said(REVIEW) == [
            ("review", 19 * DAY, None), ("review", 20 * DAY, None), ("review", 20 * DAY, "late_event"),
        ]  # fmt: skip
        assert len({alert.episode for alert in heard.every(REVIEW)}) == 2


@pytest.mark.parametrize("days", [4_000_000, 10**30])
def test_a_promise_without_end_is_kept_and_its_end_not_told(days: int) -> None:
    alert = asked(completed(promise=days), 2_000 * DAY).heard().only(REVIEW)
    assert alert.evidence["extension_ends_at"] is None


def test_the_periods_are_the_policys() -> None:
    policy = load.default()
    other = msgspec.structs.replace(
        policy.aftersales, base_days=1, long_base_days=2, long_categories=("c2",), warranty_days={"c1": 3}
    )
    timeline = Timeline(msgspec.structs.replace(policy, aftersales=other))
    timeline.placed(PLACED, items=(("i1", "c1"), ("i2", "c2"))).order("completed", 0)
    asked(timeline, DAY + 1, "R1", item_id="i1")
    asked(timeline, DAY + 1, "R2", item_id="i2")
    asked(timeline, 3 * DAY + 1, "R3", item_id="i1")
    assert reviews(timeline.heard()) == [(DAY + 1, "statutory_warranty")]
